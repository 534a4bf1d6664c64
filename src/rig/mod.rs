//! Rig databases: creating them, registering rigs, keeping `metadata.json` true.
//!
//! A rig is four things that must agree: an entry in the registry, a route, a database, and the two files in its
//! `.beads` that tell bd where that database is. They are made together or not at all.

pub mod add;
pub mod create;
pub mod metadata;
mod undo;
pub mod workspaces;

use std::path::PathBuf;

use crate::doltserver::ServerError;
use crate::sql::SqlError;
use crate::sys::atomic::WriteError;
use crate::town::TownError;
use crate::town::name::NameError;

/// What can go wrong with rigs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RigError {
    /// The name may not be used.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The rig is registered already.
    #[error("rig {name} is registered already")]
    Exists {
        /// Its name.
        name: String,
    },
    /// There is no such rig.
    #[error("there is no rig {name}")]
    Unknown {
        /// The name.
        name: String,
    },
    /// Another rig has the prefix.
    #[error("prefix {prefix}- belongs to {owner} already")]
    PrefixTaken {
        /// The prefix without its dash.
        prefix: String,
        /// The path that its route names.
        owner: String,
    },
    /// Something stands where the database would go.
    #[error("cannot create database {database}: {} {problem}", path.display())]
    InTheWay {
        /// The database.
        database: String,
        /// What stands there.
        path: PathBuf,
        /// Why it is not touched.
        problem: String,
    },
    /// A new database could not be written.
    #[error("cannot make database {database}")]
    InitFailed {
        /// The database.
        database: String,
        /// Why.
        source: dolt_store::Error,
    },
    /// The server said yes and the database is not where it should be.
    #[error("the server created {database}, but not in {}", data_dir.display())]
    Elsewhere {
        /// The database.
        database: String,
        /// Where it should be.
        data_dir: PathBuf,
    },
    /// The server's life.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The town's files.
    #[error(transparent)]
    Town(#[from] TownError),
    /// SQL.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// A file was not written.
    #[error(transparent)]
    Write(#[from] WriteError),
}
