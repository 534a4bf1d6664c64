//! `ps`: every Dolt server of this user on this machine, whose it is, and why we think so.

use std::path::{Path, PathBuf};

use super::identity::{self, Verdict};
use super::record::Record;
use crate::sys::dir_id::same_place;
use crate::sys::net::{self, Port};
use crate::sys::process::{self, Facts};
use crate::town::Town;

/// One Dolt server.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The process.
    pub facts: Facts,
    /// The ports that it listens on.
    pub ports: Vec<Port>,
    /// Its data directory.
    pub data_dir: Option<PathBuf>,
    /// The town that the data directory belongs to.
    pub town: Option<PathBuf>,
    /// Whose it is, in words.
    pub verdict: String,
    /// Why.
    pub evidence: Vec<String>,
    /// Whether it is the server of the town that was asked about.
    pub is_ours: bool,
}

/// Lists the servers. `town`: the town from which the question comes, if any.
pub fn list(town: Option<&Town>) -> Vec<Listed> {
    let own = Facts::read(process::Pid::own()).map(|f| f.uid);
    let record = town.and_then(|t| Record::load(t).ok().flatten());
    let servers = process::with_argument("sql-server").into_iter();
    let mine = servers.filter(|f| own.is_none_or(|uid| uid == 0 || f.uid == uid));
    let is_server = |f: &Facts| {
        let recorded = record.as_ref().is_some_and(|r| r.is_about(f));
        (identity::is_dolt(f) || recorded) && identity::is_server(f, record.as_ref())
    };
    mine.filter(is_server).map(|facts| describe(facts, town, record.as_ref())).collect()
}

fn describe(facts: Facts, town: Option<&Town>, record: Option<&Record>) -> Listed {
    let data_dir = identity::served_dir(&facts);
    let its_town = data_dir.as_deref().and_then(town_of);
    let finding = town.map(|t| identity::examine(&facts, t, record));
    let is_ours = finding.as_ref().is_some_and(|f| f.verdict == Verdict::Ours);
    let mut evidence = finding.map(|f| f.evidence).unwrap_or_default();
    if evidence.is_empty() {
        evidence.push(format!("arguments {:?}", facts.command_line()));
    }
    let verdict = match (&data_dir, &its_town) {
        _ if is_ours => "this town's server".to_owned(),
        (None, _) => "its data directory cannot be told".to_owned(),
        (Some(dir), _) if !dir.exists() => "its data directory is gone".to_owned(),
        (Some(_), Some(other)) => match town {
            Some(town) if same_place(town.root(), other) => "inside this town, but not its server".to_owned(),
            _ => format!("server of the town {}", other.display()),
        },
        (Some(_), None) => "belongs to no town".to_owned(),
    };
    if let Some(dir) = &data_dir {
        let (held, all) = identity::locks_held(&facts, dir);
        evidence.push(format!("locks held: {held} of {all} databases there"));
    }
    Listed {
        ports: net::listening_ports(facts.pid),
        data_dir,
        town: its_town,
        verdict,
        evidence,
        is_ours,
        facts,
    }
}

/// Whether a data directory lies inside this town, and not in another town inside this one.
pub fn is_inside(data_dir: &Path, town: &Town) -> bool {
    let nearest = data_dir.canonicalize().ok().and_then(|d| town_of(&d));
    nearest.is_some_and(|nearest| same_place(&nearest, town.root()))
}

/// The town that a data directory lies in: the nearest directory above it with a `mayor/town.json`.
pub fn town_of(data_dir: &Path) -> Option<PathBuf> {
    data_dir.ancestors().find(|d| d.join("mayor/town.json").is_file()).map(Path::to_owned)
}
