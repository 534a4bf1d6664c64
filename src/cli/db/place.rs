//! Which database, and which state of it.

use std::path::PathBuf;

use clap::Args;
use dolt_store::chunk::ReadOptions;
use dolt_store::commit::{Database, Session as State};
use dolt_store::table::{Table, Tables};

use crate::cli::failure::{Failure, Kind};
use crate::cli::session::Session;
use crate::doltserver::databases;
use crate::town::logical_cwd;

/// The database to read.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// A database of the town by its name
    #[arg(long, value_name = "NAME", conflicts_with = "dir")]
    db: Option<String>,
    /// A database anywhere: the directory that holds .dolt [default: the working directory]
    #[arg(long, value_name = "DIR")]
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
        if cwd.join(".dolt").is_dir() {
            return Ok(cwd);
        }
        Err(Failure::new(Kind::Usage, format!("{} is not a Dolt database", cwd.display()))
            .hint("Name one with --db NAME (in a town) or --dir DIR"))
    }
}

/// The tables of a revision.
pub(super) fn tables_at(state: &State, revision: &str) -> Result<Tables, Failure> {
    let root = state.resolve_root(revision)?;
    let root = root.ok_or_else(|| {
        Failure::new(Kind::Other, format!("there is no revision {revision:?}"))
            .hint("A revision is a branch, tag or commit, perhaps with ~n behind it, HEAD, WORKING, STAGED or stash@{0}")
    })?;
    Ok(state.tables(root)?)
}

/// A table of a revision.
pub(super) fn table_at(state: &State, revision: &str, name: &str) -> Result<Table, Failure> {
    let tables = tables_at(state, revision)?;
    let found = tables.open(name)?;
    found.ok_or_else(|| {
        Failure::new(Kind::Other, format!("there is no table {name} at {revision}")).hint("See gt db tables")
    })
}
