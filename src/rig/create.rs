//! Creates a database: through the server when one runs, natively when none does (no `dolt` is needed then).
//!
//! Without a server the database is made under a temporary name in our own corner of the data directory and renamed
//! into place when it is whole, so a crash leaves nothing half-made. What an earlier, cut-off
//! attempt left is moved aside, never deleted, and only if it holds no chunks.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dolt_store::commit::{Author, CommitMeta, Database};

use super::RigError;
use crate::doltserver::find::{self, Server};
use crate::doltserver::{Context, ServerError, databases, gate, view};
use crate::sql::{self, Client};
use crate::sys::atomic::sync_dir;
use crate::sys::clock::{self, Deadline, pause};
use crate::sys::lock;
use crate::sys::net::Port;
use crate::sys::process::describe_all;
use crate::town::{identity, name};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was there.
    Existed,
    /// It was made by the running server and is served already.
    MadeByServer,
    /// It was made on disk; the next start serves it.
    MadeOnDisk,
}

/// A database that exists now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// What was done.
    pub outcome: Outcome,
    /// Its directory.
    pub dir: PathBuf,
    /// Where the remains of an earlier attempt went.
    pub moved_aside: Option<PathBuf>,
}

/// Creates the database, or finds it.
pub async fn database(context: &Context<'_>, database: &str) -> Result<Created, RigError> {
    name::check_database(database)?;
    context.refuse_remote()?;
    let existing = databases::scan(context.town)?;
    name::check_no_case_twin(database, existing.iter().map(|d| d.name.as_str()))?;
    let dir = context.town.database_dir(database);
    if dir.join(".dolt/noms/manifest").is_file() {
        return Ok(Created { outcome: Outcome::Existed, dir, moved_aside: None });
    }
    // Inside the gate: while we look and create, no server starts here.
    let deadline = Deadline::after(Duration::from_mins(1));
    fs::create_dir_all(context.town.data_dir())
        .map_err(ServerError::io(format!("make {}", context.town.data_dir().display())))
        .map_err(RigError::from)?;
    let inside = gate::pass(context.town, deadline).await?;
    let search = find::find(context.town)?;
    let done = match search.server.as_ref().and_then(|s| Some((s, s.port?))) {
        Some((server, port)) => by_server(context, server, port, database, dir).await,
        None => on_disk(context, database, dir),
    };
    drop(inside);
    done
}

async fn by_server(
    context: &Context<'_>,
    server: &Server,
    port: Port,
    database: &str,
    dir: PathBuf,
) -> Result<Created, RigError> {
    let limit = Duration::from_secs(30);
    let mut client = Client::connect(&context.endpoint(port), None, limit).await?;
    let in_view = view::path_of(context.town).join(database);
    let there = |d: &Path| d.join(".dolt/noms/manifest").is_file();
    if there(&in_view) && client.databases().await?.iter().any(|d| d == database) {
        client.close().await;
        return Ok(Created { outcome: Outcome::Existed, dir, moved_aside: None });
    }
    let moved_aside = clear_the_way(context, database, &dir)?;
    client.query(&format!("CREATE DATABASE {}", sql::identifier(database))).await?;
    // The server is proved ours; that the files are where they should be is proved too, not assumed.
    let deadline = Deadline::after(Duration::from_secs(5));
    loop {
        let served = client.databases().await?.iter().any(|d| d == database);
        if served && (there(&dir) || there(&in_view)) {
            client.close().await;
            return Ok(Created { outcome: Outcome::MadeByServer, dir, moved_aside });
        }
        if deadline.has_passed() || server.handle.has_ended() {
            let data_dir = context.town.data_dir();
            return Err(RigError::Elsewhere { database: database.to_owned(), data_dir });
        }
        pause(Duration::from_millis(5)).await;
    }
}

fn on_disk(context: &Context<'_>, database: &str, dir: PathBuf) -> Result<Created, RigError> {
    let work = tempfile::Builder::new()
        .prefix("new-")
        .tempdir_in(context.town.own_dir())
        .map_err(ServerError::io(format!("make a directory in {}", context.town.own_dir().display())))?;
    let fresh = work.path().join(database);
    let identity::Identity { name, email } = identity::of(context.env, None);
    let millis = u64::try_from(clock::now().as_millisecond()).unwrap_or(0);
    let first = CommitMeta::first(Author { name, email, millis });
    Database::init(&fresh, "main", &first)
        .map_err(|source| RigError::InitFailed { database: database.to_owned(), source })?;
    let moved_aside = clear_the_way(context, database, &dir)?;
    let data_dir = context.town.data_dir();
    fs::rename(&fresh, &dir)
        .and_then(|()| sync_dir(&data_dir))
        .map_err(ServerError::io(format!("move the new database to {}", dir.display())))?;
    Ok(Created { outcome: Outcome::MadeOnDisk, dir, moved_aside })
}

// An empty directory is no obstacle. A `.dolt` without chunks is what a cut-off attempt leaves: it moves aside, unless
// somebody has it open: he may be creating it just now, or be a server that took it for a database.
// Anything else may be somebody's work.
fn clear_the_way(context: &Context<'_>, database: &str, dir: &Path) -> Result<Option<PathBuf>, RigError> {
    let in_the_way = |problem: &str| RigError::InTheWay {
        database: database.to_owned(),
        path: dir.to_owned(),
        problem: problem.to_owned(),
    };
    let what = format!("clear the way for database {database}");
    if fs::symlink_metadata(dir).is_err() {
        return Ok(None);
    }
    if !dir.is_dir() {
        return Err(in_the_way("is a file"));
    }
    let empty = fs::read_dir(dir).map_err(ServerError::io(what.clone()))?.next().is_none();
    if empty {
        fs::remove_dir(dir).map_err(ServerError::io(what))?;
        return Ok(None);
    }
    if !dir.join(".dolt").is_dir() {
        return Err(in_the_way("holds files that are no database"));
    }
    let lock_file = dir.join(".dolt/noms/LOCK");
    if lock::probe(&lock_file).map_err(ServerError::io(what.clone()))? == lock::Probe::Held {
        let holder = describe_all(&lock::holders(&lock_file));
        return Err(in_the_way(&format!("is unfinished and open in {holder}: end that first")));
    }
    if holds_chunks(&dir.join(".dolt/noms")) {
        return Err(in_the_way("holds data but no manifest; it needs a repair, not a new database"));
    }
    let aside = set_aside_path(context, database);
    let parent = aside.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent)
        .and_then(|()| fs::rename(dir, &aside))
        .and_then(|()| sync_dir(parent))
        .map_err(ServerError::io(what))?;
    Ok(Some(aside))
}

fn set_aside_path(context: &Context<'_>, database: &str) -> PathBuf {
    let stamp = clock::now().strftime("%Y%m%dT%H%M%S%f").to_string();
    context.town.own_dir().join("set-aside").join(format!("{database}-{stamp}"))
}

fn holds_chunks(noms: &Path) -> bool {
    let is_store_file = |name: &str| {
        let stem = name.strip_suffix(".darc").unwrap_or(name);
        stem.len() == 32 && stem.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let entries = fs::read_dir(noms).into_iter().flatten().flatten();
    entries.map(|e| e.file_name()).any(|n| n.to_str().is_some_and(is_store_file))
}

/// Moves a database that this very command has just created on disk aside again.
pub(super) fn undo_on_disk(context: &Context<'_>, database: &str) -> std::io::Result<()> {
    let aside = set_aside_path(context, database);
    fs::create_dir_all(aside.parent().unwrap_or(Path::new(".")))?;
    fs::rename(context.town.database_dir(database), aside)
}
