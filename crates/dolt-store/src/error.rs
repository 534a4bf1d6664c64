//! What can go wrong when a foreign database is read.

use std::io;
use std::path::PathBuf;

use crate::Hash;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no database there (no `noms/manifest`).
    #[error("{} is not a Dolt database: it has no manifest", path.display())]
    NotADatabase {
        /// The directory.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// A file does not hold what its format demands.
    #[error("{} is damaged at byte {offset}: {problem}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What was read and what was expected.
        problem: String,
    },
    /// A file is of a format that this crate does not know.
    #[error("{}: {what} is not supported", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: String,
    },
    /// Records after a torn one: Dolt refuses such a journal too.
    #[error("{}: possible data loss: whole records follow a damaged one at byte {offset}", path.display())]
    DataLoss {
        /// The journal.
        path: PathBuf,
        /// Where the damaged record begins.
        offset: u64,
    },
    /// No file of the store has this chunk.
    #[error("chunk {hash} is missing")]
    MissingChunk {
        /// Its address.
        hash: Hash,
    },
    /// A chunk's bytes do not have its address.
    #[error("chunk {hash} is damaged: its bytes have the address {found}")]
    WrongAddress {
        /// The address it was asked by.
        hash: Hash,
        /// The address of what was found.
        found: Hash,
    },
    /// A chunk does not hold what its kind demands.
    #[error("chunk {hash} cannot be understood: {problem}")]
    BadChunk {
        /// Its address.
        hash: Hash,
        /// What is wrong.
        problem: String,
    },
    /// A file that the store needs is not there, and nobody is changing the store.
    #[error("{} is incomplete: {what}", path.display())]
    Incomplete {
        /// The directory.
        path: PathBuf,
        /// What is missing.
        what: String,
    },
    /// The files kept changing under the reader until it gave up.
    #[error("{} kept changing while it was opened ({attempts} attempts): {last}", path.display())]
    KeepsChanging {
        /// The directory.
        path: PathBuf,
        /// How often it was tried.
        attempts: u32,
        /// What happened at the last attempt.
        last: String,
    },
}
