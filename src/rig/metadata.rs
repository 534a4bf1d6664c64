//! `fix-metadata`: every rig's `metadata.json` and port file name the database that exists and the port in force.

use std::path::PathBuf;

use super::RigError;
use crate::doltserver::{Context, ServerError, databases, find, with_causes};
use crate::sys::net::Port;
use crate::town::beads::{BeadsDir, Pointed};
use crate::town::rigs::{self, Rig};

/// What became of one rig.
#[derive(Debug)]
pub struct Fixed {
    /// The rig.
    pub rig: String,
    /// The database that its files name now.
    pub database: Option<String>,
    /// What was written.
    pub result: Result<Pointed, String>,
    /// Why nothing was to be written, if so.
    pub skipped: Option<String>,
}

/// The port that clients should dial: the running server's, else the one that a start would use.
pub fn port_in_force(context: &Context<'_>) -> Result<Port, RigError> {
    let running = find::find(context.town)?.server.and_then(|s| s.port);
    let set = || context.settings.port.clone().map(|p| p.value).map_err(ServerError::from);
    Ok(running.map_or_else(set, Ok)?)
}

/// Puts right the files of every rig. One rig's trouble does not keep the others from being done.
pub fn fix_all(context: &Context<'_>) -> Result<Vec<Fixed>, RigError> {
    let port = port_in_force(context)?;
    let existing = databases::names(&databases::scan(context.town)?);
    let mut all = rigs::registered(context.town)?;
    all.extend(unregistered(context, &existing, &all));
    Ok(all.iter().map(|rig| fix(context, rig, &existing, port)).collect())
}

fn fix(context: &Context<'_>, rig: &Rig, existing: &[String], port: Port) -> Fixed {
    let mut fixed =
        Fixed { rig: rig.name.clone(), database: None, result: Ok(Pointed::default()), skipped: None };
    if rig.beads.resolved() != rig.beads {
        // Its issues live with another rig, whose files are put right under that rig's name.
        fixed.skipped = Some(format!("redirected to {}", rig.beads.resolved().path().display()));
        return fixed;
    }
    if let Some(own) = rig.beads.embedded_store() {
        // Pointed at the server, bd would no longer see the issues that it keeps there.
        fixed.skipped = Some(format!("its issues are in bd's own {}", own.display()));
        return fixed;
    }
    let written = rig.beads.database().filter(|d| existing.contains(d));
    let candidates = [Some(rig.name.clone()), rig.prefix.clone()];
    let found = candidates.into_iter().flatten().find(|c| existing.contains(c));
    let Some(database) = written.or(found) else {
        fixed.skipped = Some(format!("no database named {}", rig.name));
        return fixed;
    };
    let pointed = rig.beads.point_at(&database, context.settings.client_host(), port);
    fixed.result = pointed.map_err(|e| with_causes(&e));
    fixed.database = Some(database);
    fixed
}

// Databases whose name is a directory of the town with a `.beads`, though no registry names it.
fn unregistered(context: &Context<'_>, existing: &[String], known: &[Rig]) -> Vec<Rig> {
    let is_known = |name: &str| known.iter().any(|r| r.name == name);
    let dirs = existing.iter().filter(|name| !is_known(name));
    let rig = |name: &String| {
        let beads = BeadsDir::of_rig(context.town, name);
        beads.path().is_dir().then(|| Rig { name: name.clone(), beads, prefix: None })
    };
    dirs.filter_map(rig).collect()
}

/// The files that [`fix_all`] would look at, for a rig.
pub fn files_of(rig: &Rig) -> [PathBuf; 2] {
    [rig.beads.metadata_file(), rig.beads.port_file()]
}
