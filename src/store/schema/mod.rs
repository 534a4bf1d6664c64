//! bd's schema in a database: made whole, or judged and brought up to date.
//!
//! bd numbers what it does to a schema: a main list (53 entries in 1.1.0), whose highest number stands in the committed table
//! `schema_migrations`, and a local list (11) in `ignored_schema_migrations`, for tables that no commit takes. A database with
//! lower numbers is migrated by the next bd that comes along, one with higher numbers is refused; so the numbers say what the
//! tables are, or a program that trusts them breaks the issues of everybody.

mod create;
mod gate;

mod hashes;
mod inspect;
mod migrate;

mod plan;
mod rigs;
mod tables;

use std::io;
use std::path::PathBuf;

use dolt_store::commit::Author;
use jiff::Timestamp;

pub(super) use create::fill;
pub use create::{create, create_on, statements};
pub use gate::{Access, Circumstances, Refusal, RemoteGate, RemoteState, Verdict, gate};
pub use inspect::{Found, Hashes, ensure_local, inspect, local_statements, local_tables, remote_hashes};
pub use migrate::migrate;

/// The newest version of what is committed, bd 1.1.0's.
pub const MAIN_VERSION: u32 = 53;
/// The newest version of what is local, bd 1.1.0's.
pub const LOCAL_VERSION: u32 = 11;

/// What a new database says of itself. All of it is the caller's to choose: nothing is random here, and no clock is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fresh {
    /// What ids of issues begin with, without the hyphen behind it.
    pub prefix: String,
    /// The project, as a UUID.
    pub project_id: String,
    /// This copy, as 16 hexadecimal digits.
    pub clone_id: String,
    /// The repository, as 32 hexadecimal digits.
    pub repo_id: String,
    /// The version of bd that the database is to name as the last one that had it.
    pub bd_version: String,
    /// Whose commits they are, and when they and the rows came to be.
    pub by: Author,
}

impl Fresh {
    /// When, in whole seconds.
    fn now(&self) -> Timestamp {
        let seconds = i64::try_from(self.by.millis / 1000).unwrap_or(i64::MAX);
        Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
    }
}

/// What can go wrong with a schema.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// There is something already, or somebody else was quicker.
    #[error("there is something at {} already", path.display())]
    Exists {
        /// Where the database should go.
        path: PathBuf,
    },
    /// A file or directory.
    #[error("cannot make a database at {}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The store.
    #[error("cannot make a database at {}", path.display())]
    Store {
        /// The database.
        path: PathBuf,
        /// Why.
        source: dolt_store::Error,
    },
    /// Changes that are not committed, in tables that a migration changes, or beside them.
    #[error("{}", dirty(tables, *is_touched))]
    Dirty {
        /// All tables that are not as they were committed.
        tables: Vec<String>,
        /// Whether a migration changes one of them.
        is_touched: bool,
    },
    /// An older schema than is understood.
    #[error(
        "a schema of version {main}, local {local}, is too old to be migrated here: open it with bd 1.0.5 or 1.1.0 first"
    )]
    TooOld {
        /// The version of what is committed.
        main: u32,
        /// The version of what is local.
        local: u32,
    },
    /// A newer schema than is known.
    #[error(
        "a schema of version {main}, local {local}, is newer than version {MAIN_VERSION}, local {LOCAL_VERSION}"
    )]
    TooNew {
        /// The version of what is committed.
        main: u32,
        /// The version of what is local.
        local: u32,
    },
    /// Local tables of an old version are not all there.
    #[error("local tables are missing that a migration needs: {}", missing.join(", "))]
    Incomplete {
        /// Which.
        missing: Vec<&'static str>,
    },
    /// The store, while migrating.
    #[error("cannot migrate")]
    Migration(#[from] dolt_store::Error),
}

fn dirty(tables: &[String], is_touched: bool) -> String {
    let tables = tables.join(", ");
    if is_touched {
        format!(
            "pending schema migrations alter pre-existing dirty tables: {tables}; run 'bd dolt commit' to commit the \
             working set at the current schema, then re-run the migration"
        )
    } else {
        format!("a migration would be committed together with changes to {tables}: commit these first")
    }
}
