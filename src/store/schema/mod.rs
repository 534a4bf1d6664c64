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

mod plan;
mod tables;

use std::io;
use std::path::PathBuf;

use dolt_store::commit::Author;
use jiff::Timestamp;

pub use create::{create, statements};
pub use gate::{Access, Circumstances, Refusal, RemoteGate, RemoteState, Verdict, gate};
pub use inspect::{Found, Hashes, ensure_local, inspect, remote_hashes};

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
}
