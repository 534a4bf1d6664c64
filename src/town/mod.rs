//! Where things are: the town root, the paths below it, the names of environment variables, the settings and where
//! each came from, the registry of rigs, the `.beads` directories, and the workspace of one `bd` call.
//!
//! Looks and edits files that people and the Go tools share with us; starts nothing and connects to nothing. Unknown
//! fields of shared files survive every rewrite, digit for digit (see [`json`]).

pub mod beads;
mod discover;
pub mod env;
pub mod identity;
pub mod install;
pub mod json;
mod layout;
pub mod name;
pub mod registry;
pub mod rigs;
pub mod settings;
pub mod workspace;

use std::io;
use std::path::PathBuf;

pub(crate) use discover::{at_usable_path, town_above};
pub use discover::{clean, find_town, logical_cwd};
pub use layout::Town;

/// What can go wrong with a town's own files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TownError {
    /// No town above the working directory, none in the environment.
    #[error("not in a Gas Town workspace: not in a Gas Town workspace")]
    NotInTown,
    /// `--town` names something else.
    #[error("{} is not a Gas Town workspace: it has neither mayor/town.json nor a mayor directory", path.display())]
    NotATown {
        /// The directory that was named.
        path: PathBuf,
    },
    /// A path at which Dolt could not serve a town.
    #[error("no town can live at {}: {problem}", path.display())]
    UnusablePath {
        /// The town's root.
        path: PathBuf,
        /// Why not.
        problem: &'static str,
    },
    /// A file or directory could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A directory could not be made.
    #[error("cannot make directory {}", path.display())]
    MakeDir {
        /// The directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] crate::sys::atomic::WriteError),
    /// A file is not what it should be.
    #[error("{} cannot be understood: {problem}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column where known.
        problem: String,
    },
    /// A directory that `gt install` must not touch.
    #[error("{} is not empty and not a Gas Town workspace", path.display())]
    SomethingElse {
        /// The directory.
        path: PathBuf,
    },
    /// A setting that may not be used.
    #[error(transparent)]
    Setting(#[from] settings::SettingError),
    /// A name that may not be used.
    #[error(transparent)]
    Name(#[from] name::NameError),
}
