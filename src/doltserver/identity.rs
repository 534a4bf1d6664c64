//! Is this process the server of this town? Asked before anything is adopted, reported or signalled.
//!
//! Four things must hold at once: it is a `dolt` (by its executable, or it is the very process that we recorded when we
//! spawned it); its arguments say `sql-server`; the data directory that they name, resolved as that process would
//! resolve it, is this town's by device and inode; and it is not a zombie. What is printed is this evidence, so that a
//! person can judge it too; where there is room for it, with the number of databases that the process holds locked.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::databases;
use super::record::Record;
use super::view;
use crate::sys::dir_id::same_place;
use crate::sys::lock::LockTable;
use crate::sys::process::Facts;
use crate::town::Town;
use crate::town::settings::read_config_yaml;

/// What an examination found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The verdict.
    pub verdict: Verdict,
    /// The reasons, one line each.
    pub evidence: Vec<String>,
}

/// Whose process it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The server of this town.
    Ours,
    /// A Dolt server of another data directory (`None`: it cannot be told which).
    OtherServer(Option<PathBuf>),
    /// Not a Dolt server at all.
    NotDolt,
}

/// Examines a process. `record` is what we wrote when we last spawned a server here.
pub fn examine(facts: &Facts, town: &Town, record: Option<&Record>) -> Finding {
    let mut evidence = Vec::new();
    let recorded = record.is_some_and(|r| r.is_about(facts));
    let shown = facts.exe.as_deref().unwrap_or(Path::new("?"));
    if recorded {
        evidence.push(format!(
            "executable {}: the process that we started (PID and start time agree)",
            shown.display()
        ));
    } else if is_dolt(facts) {
        evidence.push(format!("executable {}: dolt", shown.display()));
    } else {
        evidence.push(match &facts.exe {
            Some(_) => format!("executable {}: not dolt", shown.display()),
            None => format!("it runs as user {} and may not be examined", facts.uid),
        });
        return Finding { verdict: Verdict::NotDolt, evidence };
    }
    if !is_server(facts, record) {
        evidence.push(format!("arguments {:?}: not sql-server", facts.command_line()));
        return Finding { verdict: Verdict::NotDolt, evidence };
    }
    evidence.push(format!("arguments {:?}: sql-server", facts.command_line()));
    if recorded && is_veiled(facts) {
        // PID, start time and boot name one process for ever, and it is the one that this town's record is about.
        evidence.push(format!("it runs as user {}: this user may see no more of it", facts.uid));
        return Finding { verdict: Verdict::Ours, evidence };
    }
    let Some(served) = served_dir(facts) else {
        evidence.push("its data directory cannot be told".to_owned());
        return Finding { verdict: Verdict::OtherServer(None), evidence };
    };
    let ours = town.data_dir();
    if !same_place(&served, &ours) && !view::is_view_of(&served, &ours) {
        evidence.push(format!("data directory {}: not {}", served.display(), ours.display()));
        return Finding { verdict: Verdict::OtherServer(Some(served)), evidence };
    }
    evidence.push(format!("data directory {}: this town's", served.display()));
    Finding { verdict: Verdict::Ours, evidence }
}

/// Whether the kernel shows us no more of it than the process list: it runs as another user. Such a one is looked at and
/// talked to, never signalled.
pub fn is_veiled(facts: &Facts) -> bool {
    facts.exe.is_none() && facts.cwd.is_none()
}

/// Whether its executable is a `dolt`.
pub fn is_dolt(facts: &Facts) -> bool {
    let name = facts.exe.as_deref().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    name == "dolt" || name.starts_with("dolt-") || name.starts_with("dolt.")
}

/// Whether its arguments say that it is a server: `sql-server` is the command, not a word that a command was given
/// (`dolt checkout sql-server` is none).
pub fn is_sql_server(facts: &Facts) -> bool {
    // Those of Dolt's options before the command that take a value of their own.
    const WITH_VALUE: [&str; 15] = [
        "--host",
        "--port",
        "--user",
        "-u",
        "--password",
        "-p",
        "--use-db",
        "--branch",
        "--data-dir",
        "--doltcfg-dir",
        "--privilege-file",
        "--branch-control-file",
        "--profile",
        "--prof",
        "--prof-path",
    ];
    let mut words = facts.argv.iter().skip(1);
    while let Some(word) = words.next() {
        if WITH_VALUE.iter().any(|option| word == option) {
            words.next();
        } else if !word.as_encoded_bytes().starts_with(b"-") {
            return word == "sql-server";
        }
    }
    false
}

/// The same, of a process that `record` may be about: the program that we started may be a script around dolt, and then
/// the interpreter's words come first.
pub fn is_server(facts: &Facts, record: Option<&Record>) -> bool {
    let mentioned = || facts.argv.iter().skip(1).any(|a| a == "sql-server");
    is_sql_server(facts) || record.is_some_and(|r| r.is_about(facts)) && mentioned()
}

/// The data directory that a Dolt server serves: `--data-dir`, else `data_dir` of the `--config` file, else its working
/// directory; each resolved against that working directory. `None` when it depends on something we may not read.
pub fn served_dir(facts: &Facts) -> Option<PathBuf> {
    let cwd = facts.cwd.as_deref()?;
    if let Some(dir) = flag(facts, "--data-dir") {
        return Some(cwd.join(dir));
    }
    let Some(config) = flag(facts, "--config") else {
        return Some(cwd.to_owned());
    };
    let named = read_config_yaml(&cwd.join(config)).ok()??.data_dir;
    Some(named.map_or_else(|| cwd.to_owned(), |dir| cwd.join(dir)))
}

fn flag<'a>(facts: &'a Facts, name: &str) -> Option<&'a OsStr> {
    use std::os::unix::ffi::OsStrExt;
    let mut words = facts.argv.iter();
    while let Some(word) = words.next() {
        if word == name {
            return words.next().map(AsRef::as_ref);
        }
        let value = word.as_bytes().strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"="));
        if let Some(value) = value {
            return Some(OsStr::from_bytes(value));
        }
    }
    None
}

/// How many databases of a data directory a process holds locked, and how many there are.
pub fn locks_held(facts: &Facts, data_dir: &Path) -> (usize, usize) {
    let table = LockTable::of_process(facts.pid, "LOCK");
    let databases = databases::scan_dir(data_dir).unwrap_or_default();
    let is_held = |d: &&databases::Database| !table.holders_of_path(&d.lock_file()).is_empty();
    (databases.iter().filter(is_held).count(), databases.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::clock;
    use crate::sys::process::{Pid, StartToken};
    use std::fs;

    fn process(argv: &[&str], cwd: &Path) -> Facts {
        Facts {
            pid: Pid::parse("4711").unwrap(),
            parent: None,
            exe: Some("/usr/local/bin/dolt".into()),
            argv: argv.iter().map(Into::into).collect(),
            cwd: Some(cwd.to_owned()),
            start: StartToken(1),
            started_at: clock::now(),
            uid: 0,
            state: 'S',
            rss_bytes: 0,
        }
    }

    #[test]
    fn the_data_directory_is_resolved_as_the_server_would() {
        let cwd = Path::new("/srv/d");
        let dir = |argv: &[&str]| served_dir(&process(argv, cwd));
        assert_eq!(dir(&["dolt", "sql-server", "--data-dir", "x y"]).unwrap(), Path::new("/srv/d/x y"));
        assert_eq!(dir(&["dolt", "sql-server", "--data-dir=/z"]).unwrap(), Path::new("/z"));
        assert_eq!(dir(&["dolt", "sql-server"]).unwrap(), cwd);
        assert_eq!(dir(&["dolt", "sql-server", "--config", "nowhere.yaml"]), None);
    }

    #[test]
    fn f01b_standing_in_the_town_does_not_make_a_stranger_ours() {
        let dir = tempfile::tempdir().unwrap();
        let town = Town::at(dir.path());
        fs::create_dir(town.data_dir()).unwrap();
        let mut sleep = process(&["sleep", "300"], town.root());
        sleep.exe = Some("/usr/bin/sleep".into());
        assert_eq!(examine(&sleep, &town, None).verdict, Verdict::NotDolt);
        let shell = process(&["dolt", "sql"], &town.data_dir());
        assert_eq!(examine(&shell, &town, None).verdict, Verdict::NotDolt);
        for other in [&["dolt", "checkout", "sql-server"][..], &["dolt", "--use-db", "sql-server", "sql"]] {
            let other = process(other, &town.data_dir());
            assert_eq!(examine(&other, &town, None).verdict, Verdict::NotDolt);
        }
        let with_options = process(&["dolt", "--user", "me", "--prof=cpu", "sql-server"], &town.data_dir());
        assert_eq!(examine(&with_options, &town, None).verdict, Verdict::Ours);
        let ours = process(&["dolt", "sql-server"], &town.data_dir());
        assert_eq!(examine(&ours, &town, None).verdict, Verdict::Ours);
        let other = process(&["dolt", "sql-server"], dir.path());
        assert_eq!(examine(&other, &town, None).verdict, Verdict::OtherServer(Some(dir.path().to_owned())));
    }
}
