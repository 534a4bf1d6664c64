//! `rig add` and `rig remove`.
//!
//! Adding makes, in this order: the database, the `.beads` files, the route, the registry entry. The entry comes last:
//! without it there is no rig, so a crash leaves nothing that counts, and adding again completes it. An error puts
//! everything back; an interrupt counts until the database is there, the files that follow are a matter of
//! milliseconds. Removing forgets the entry and the route; data is never touched.

use std::path::PathBuf;
use std::time::Duration;

use super::create::{self, Created, Outcome};
use super::undo::Undo;
use super::{RigError, metadata};
use crate::doltserver::{Context, Notice, ServerError, find};
use crate::sql::{self, Client};
use crate::sys::clock::Deadline;
use crate::sys::interrupt::Interrupt;
use crate::sys::lock::{self, FileLock, Mode};
use crate::sys::net::Port;
use crate::sys::process::{Pid, describe_all};
use crate::town::beads::BeadsDir;
use crate::town::name;
use crate::town::registry::{self, Registry, Route};

/// A rig that was added.
#[derive(Debug, Clone)]
pub struct Added {
    /// Its name.
    pub name: String,
    /// Its issue prefix without the dash.
    pub prefix: String,
    /// Its database.
    pub database: Created,
    /// Its `.beads` directory.
    pub beads: PathBuf,
    /// The port that its files name.
    pub port: Port,
}

/// A rig that was forgotten.
#[derive(Debug, Clone)]
pub struct Removed {
    /// Its name.
    pub name: String,
    /// Its prefix, if it had one.
    pub prefix: Option<String>,
    /// What stays on disk.
    pub stays: Vec<PathBuf>,
}

/// Adds a rig.
pub async fn add(context: &Context<'_>, rig: &str, prefix: Option<&str>) -> Result<Added, RigError> {
    name::check_rig(rig)?;
    let prefix = prefix.map_or_else(|| name::derive_prefix(rig), |p| p.trim_end_matches('-').to_owned());
    name::check_prefix(&prefix)?;
    let mut interrupt = Interrupt::listen().map_err(ServerError::io("listen for signals"))?;
    let _lock = tokio::select! {
        lock = lock_registry(context) => lock?,
        signal = interrupt.arrived() => return Err(interrupted(context, rig, signal).into()),
    };
    let mut registry = Registry::load(context.town)?;
    if registry.contains(rig) {
        return Err(RigError::Exists { name: rig.to_owned() });
    }
    name::check_no_case_twin(rig, registry.names())?;
    check_prefix_is_free(context, &registry, rig, &prefix)?;
    let port = metadata::port_in_force(context)?;

    let created = tokio::select! {
        created = create::database(context, rig) => created?,
        signal = interrupt.arrived() => return Err(interrupted(context, rig, signal).into()),
    };
    let beads = BeadsDir::of_rig(context.town, rig);
    let mut undo = Undo::default();
    for file in [beads.metadata_file(), beads.port_file(), context.town.routes(), context.town.rigs_json()] {
        undo.remember(&file);
    }
    let files = || -> Result<(), RigError> {
        beads.point_at(rig, context.settings.client_host(), port)?;
        let path = relative(context, &beads);
        registry::set_route(context.town, &Route { prefix: format!("{prefix}-"), path })?;
        registry.add(rig, &prefix)?;
        Ok(registry.save(context.town)?)
    };
    if let Err(error) = run_once(files) {
        put_back(context, undo);
        undo_database(context, rig, &created).await;
        return Err(error);
    }
    Ok(Added { name: rig.to_owned(), prefix, database: created, beads: beads.path().to_owned(), port })
}

fn interrupted(context: &Context<'_>, rig: &str, signal: i32) -> ServerError {
    let dir = context.town.database_dir(rig);
    let stays = if dir.exists() { format!("; {} stays", dir.display()) } else { String::new() };
    ServerError::Interrupted { signal, what_was_done: format!("rig {rig} was not added{stays}") }
}

fn put_back(context: &Context<'_>, undo: Undo) {
    for problem in undo.roll_back() {
        (context.notify)(Notice::Warning(format!("could not be put back: {problem}")));
    }
}

fn run_once(work: impl FnOnce() -> Result<(), RigError>) -> Result<(), RigError> {
    work()
}

fn check_prefix_is_free(
    context: &Context<'_>,
    registry: &Registry,
    rig: &str,
    prefix: &str,
) -> Result<(), RigError> {
    let taken = |owner: String| RigError::PrefixTaken { prefix: prefix.to_owned(), owner };
    if prefix.eq_ignore_ascii_case("hq") {
        return Err(taken("the town".to_owned()));
    }
    if let Some(other) = registry.names().find(|n| *n != rig && registry.prefix(n).as_deref() == Some(prefix))
    {
        return Err(taken(format!("rig {other}")));
    }
    let routes = registry::routes(context.town)?;
    let path = relative(context, &BeadsDir::of_rig(context.town, rig));
    let other = routes.into_iter().find(|r| r.prefix == format!("{prefix}-") && r.path != path);
    other.map_or(Ok(()), |r| Err(taken(r.path)))
}

// The directory that holds `.beads`, as routes name it.
fn relative(context: &Context<'_>, beads: &BeadsDir) -> String {
    let holder = beads.path().parent().unwrap_or(beads.path());
    holder.strip_prefix(context.town.root()).unwrap_or(holder).display().to_string()
}

// Only a database that this command has made a moment ago, and nobody can have written to under its new rig.
async fn undo_database(context: &Context<'_>, rig: &str, created: &Created) {
    let undone = match created.outcome {
        Outcome::Existed => return,
        Outcome::MadeOnDisk => create::undo_on_disk(context, rig).map_err(|e| e.to_string()),
        // The server keeps what it drops in `.dolt_dropped_databases`.
        Outcome::MadeByServer => drop_on_server(context, rig).await.map_err(|e| e.to_string()),
    };
    if let Err(problem) = undone {
        (context.notify)(Notice::Warning(format!("the new, empty database {rig} stays: {problem}")));
    }
}

async fn drop_on_server(context: &Context<'_>, rig: &str) -> Result<(), RigError> {
    let search = find::find(context.town)?;
    let Some(port) = search.server.and_then(|s| s.port) else {
        return Err(ServerError::NotRunning { notes: search.notes }.into());
    };
    let mut client = Client::connect(&context.endpoint(port), None, Duration::from_secs(10)).await?;
    client.query(&format!("DROP DATABASE {}", sql::identifier(rig))).await?;
    client.close().await;
    Ok(())
}

/// Forgets a rig.
pub async fn remove(context: &Context<'_>, rig: &str) -> Result<Removed, RigError> {
    let _lock = lock_registry(context).await?;
    let mut registry = Registry::load(context.town)?;
    let prefix = registry.prefix(rig);
    if !registry.remove(rig) {
        return Err(RigError::Unknown { name: rig.to_owned() });
    }
    let mut undo = Undo::default();
    for file in [context.town.routes(), context.town.rigs_json()] {
        undo.remember(&file);
    }
    let beads = BeadsDir::of_rig(context.town, rig);
    let files = || -> Result<(), RigError> {
        if let Some(prefix) = &prefix {
            registry::remove_route(context.town, &format!("{prefix}-"), rig)?;
        }
        Ok(registry.save(context.town)?)
    };
    if let Err(error) = run_once(files) {
        put_back(context, undo);
        return Err(error);
    }
    let candidates = [context.town.database_dir(rig), beads.path().to_owned()];
    let stays = candidates.into_iter().filter(|p| p.exists()).collect();
    Ok(Removed { name: rig.to_owned(), prefix, stays })
}

async fn lock_registry(context: &Context<'_>) -> Result<FileLock, RigError> {
    let dir = context.town.own_dir();
    std::fs::create_dir_all(&dir).map_err(ServerError::io(format!("make {}", dir.display())))?;
    let path = dir.join("registry.lock");
    let deadline = Deadline::after(Duration::from_secs(30));
    let tell =
        |holders: &[Pid]| (context.notify)(Notice::WaitingForWriters { holder: describe_all(holders) });
    Ok(lock::acquire(&path, Mode::Exclusive, deadline, tell).await.map_err(ServerError::from)?)
}
