//! What can go wrong with issues and their database. Refusals that bd has too carry bd's words: scripts look for them.

use std::path::PathBuf;

use beads::change::{NotClaimed, NotClosed};
use beads::edge::EdgeError;
use beads::id::{Exhausted, NotFound, PrefixError, TooDeep};
use beads::issue::{InvalidIssue, MetadataError};

use super::schema::SchemaError;
use crate::sql::SqlError;
use crate::sys::lock::LockError;

/// Why something was not read or not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database's files.
    #[error(transparent)]
    Store(#[from] dolt_store::Error),
    /// The server.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// The gate of the data directory.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// No database where the settings say.
    #[error("no beads database at {}", path.display())]
    NoDatabase {
        /// Where it should be.
        path: PathBuf,
    },
    /// Somebody holds the database who is no server that we could ask.
    #[error("{} is held by {holder} and was not let go within {seconds} s", path.display())]
    Held {
        /// The database.
        path: PathBuf,
        /// Who, as far as the kernel tells.
        holder: String,
        /// How long we waited.
        seconds: u64,
    },
    /// An engine was asked for that cannot do it now.
    #[error("{engine} engine: {problem}")]
    Engine {
        /// Which.
        engine: &'static str,
        /// Why not.
        problem: String,
    },
    /// The engine that somebody asked for by name cannot do it now; no other is taken in its place.
    #[error("the {engine} engine was asked for: {problem}")]
    Forced {
        /// Which.
        engine: &'static str,
        /// Why not.
        problem: String,
    },
    /// The connection broke while a write was being committed, and neither the files nor the server tell what became of it.
    #[error(
        "the connection to {server} broke while the write was being committed, and it cannot be told whether it is there: look before you repeat it"
    )]
    Indeterminate {
        /// Which server.
        server: String,
        /// How it broke.
        source: SqlError,
    },
    /// There is no issue of this id.
    #[error("issue {id} not found")]
    NoIssue {
        /// Which.
        id: String,
    },
    /// A partial id that fits no issue, or several.
    #[error(transparent)]
    NotFound(#[from] NotFound),
    /// A value that no issue may have.
    #[error(transparent)]
    Invalid(#[from] InvalidIssue),
    /// The same, of an issue that was to be made.
    #[error("validation failed for issue {id}: {source}")]
    InvalidNew {
        /// Its id, if one was given.
        id: String,
        /// The problem.
        source: InvalidIssue,
    },
    /// An id that may not be given.
    #[error(transparent)]
    Prefix(#[from] PrefixError),
    /// An id that is taken.
    #[error("issue {id} already exists")]
    Exists {
        /// Which.
        id: String,
    },
    /// No free id.
    #[error("failed to generate issue ID: {0}")]
    Exhausted(#[from] Exhausted),
    /// A child too deep.
    #[error(transparent)]
    TooDeep(#[from] TooDeep),
    /// An edge that may not be.
    #[error(transparent)]
    Edge(#[from] EdgeError),
    /// It stays open.
    #[error(transparent)]
    NotClosed(#[from] NotClosed),
    /// It is somebody else's.
    #[error(transparent)]
    NotClaimed(#[from] NotClaimed),
    /// No JSON.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// A value that cannot be kept as JSON, such as a time beyond the year 9999.
    #[error("a value has no spelling in JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Anything else that bd refuses, in its words.
    #[error("{0}")]
    Refused(String),
}

/// What every command reads first.
const FIRST_TABLES: [&str; 4] = ["issues", "config", "metadata", "schema_migrations"];

const NO_SUCH_TABLE: u16 = 1146;

impl StoreError {
    /// Whether the database is one in which nobody has made bd's tables yet.
    pub fn is_without_tables(&self) -> bool {
        match self {
            Self::Store(dolt_store::Error::NoTable { name }) => FIRST_TABLES.contains(&name.as_str()),
            Self::Sql(error) if error.code() == Some(NO_SUCH_TABLE) => {
                let text = error.to_string();
                FIRST_TABLES.iter().any(|name| text.ends_with(name))
            }
            _ => false,
        }
    }
}

impl From<SchemaError> for StoreError {
    fn from(error: SchemaError) -> Self {
        match error {
            SchemaError::Migration(source) => Self::Store(source),
            other => Self::Refused(other.to_string()),
        }
    }
}
