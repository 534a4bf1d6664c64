//! Which database, and which state of it.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use dolt_store::chunk::ReadOptions;
use dolt_store::commit::{Database, Session as State};
use dolt_store::table::{Table, Tables};

use crate::cli::failure::{Failure, Kind};
use crate::cli::out;
use crate::cli::session::Session;
use crate::doltserver::databases;
use crate::town::logical_cwd;

/// The database to read.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// A database of the town by its name
    #[arg(long, value_name = "NAME", conflicts_with = "dir", global = true)]
    db: Option<String>,
    /// A database anywhere: the directory that holds .dolt [default: the working directory, or the nearest one above it]
    #[arg(long, value_name = "DIR", global = true)]
    dir: Option<PathBuf>,
}

impl Place {
    pub(super) fn open(&self, session: &Session) -> Result<Database, Failure> {
        self.open_with(session, false)
    }

    /// Opens what can still be read of a damaged one.
    pub(super) fn open_despite_loss(&self, session: &Session) -> Result<Database, Failure> {
        self.open_with(session, true)
    }

    fn open_with(&self, session: &Session, despite_loss: bool) -> Result<Database, Failure> {
        let index_cache = dirs::cache_dir().map(|dir| dir.join("gt/journals"));
        Ok(Database::open_with(&self.path(session)?, ReadOptions { despite_loss, index_cache })?)
    }

    pub(super) fn path(&self, session: &Session) -> Result<PathBuf, Failure> {
        let cwd = logical_cwd(&session.env).unwrap_or_else(|| PathBuf::from("."));
        if let Some(dir) = &self.dir {
            return Ok(cwd.join(dir));
        }
        if let Some(name) = &self.db {
            let here = session.here()?;
            let dir = here.town.database_dir(name);
            if databases::scan(&here.town)?.iter().any(|d| d.name == *name) {
                return Ok(dir);
            }
            let place = here.town.data_dir();
            return Err(Failure::new(
                Kind::Other,
                format!("there is no database {name} in {}", place.display()),
            )
            .hint("See gt dolt list"));
        }
        // As git finds its repository. `~/.dolt` has settings, and no store.
        if let Some(found) = cwd.ancestors().find(|dir| dir.join(".dolt/noms").is_dir()) {
            return Ok(found.to_owned());
        }
        Err(not_here(session, &cwd))
    }
}

// Says which databases there are nearby, with the words to name them.
fn not_here(session: &Session, cwd: &Path) -> Failure {
    let text = format!("{} is not a Dolt database, and none is above it", cwd.display());
    let mut failure = Failure::new(Kind::Usage, text);
    let mut is_hinted = false;
    for dir in embedded(cwd) {
        is_hinted = true;
        failure =
            failure.hint(format!("bd keeps one here: --dir {}", out::shell_word(&dir.display().to_string())));
    }
    let of_town = session.here().ok().and_then(|here| databases::scan(&here.town).ok()).unwrap_or_default();
    if !of_town.is_empty() {
        is_hinted = true;
        let names: Vec<&str> = of_town.iter().map(|d| d.name.as_str()).collect();
        failure = failure.hint(format!("This town has: --db {}", names.join(", --db ")));
    }
    if is_hinted { failure } else { failure.hint("Name one with --db NAME (in a town) or --dir DIR") }
}

// The databases of bd's embedded mode in the nearest `.beads`.
fn embedded(cwd: &Path) -> Vec<PathBuf> {
    let beads = cwd.ancestors().map(|dir| dir.join(".beads/embeddeddolt")).find(|dir| dir.is_dir());
    let entries = beads.and_then(|dir| fs::read_dir(dir).ok()).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> =
        entries.map(|e| e.path()).filter(|dir| dir.join(".dolt/noms").is_dir()).collect();
    found.sort();
    found
}

/// What a revision can be.
pub(super) const REVISIONS: &str =
    "A revision is a branch, tag or commit, perhaps with ~n behind it, HEAD, WORKING, STAGED or stash@{0}";

/// The tables of a revision.
pub(super) fn tables_at(state: &State, revision: &str) -> Result<Tables, Failure> {
    let root = state.resolve_root(revision)?;
    let root = root.ok_or_else(|| {
        Failure::new(Kind::Other, format!("there is no revision {revision:?}")).hint(REVISIONS)
    })?;
    Ok(state.tables(root)?)
}

/// A table of a revision.
pub(super) fn table_at(state: &State, revision: &str, name: &str) -> Result<Table, Failure> {
    let tables = tables_at(state, revision)?;
    if let Some(found) = tables.open(name)? {
        return Ok(found);
    }
    // SQL does not mind the case of a table's name.
    let names = tables.names()?;
    let other_case = names.iter().find(|n| n.eq_ignore_ascii_case(name));
    let found = other_case.map(|n| tables.open(n)).transpose()?.flatten();
    found.ok_or_else(|| {
        Failure::new(Kind::Other, format!("there is no table {name} at {revision}")).hint("See gt db tables")
    })
}
