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
    /// The operating system refused to change something.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// There is a database, or what is left of one.
    #[error("{} is there already", path.display())]
    AlreadyThere {
        /// The directory.
        path: PathBuf,
    },
    /// Somebody else holds the lock of a database.
    #[error("{} is locked", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// A write failed before, so that it is not known what of it is on the disk.
    #[error("{} has to be opened anew: a write to it failed", path.display())]
    Poisoned {
        /// The directory.
        path: PathBuf,
    },
    /// What was about to be written refers to a chunk that no file has.
    #[error("chunk {hash} would be referred to and is not there")]
    Dangling {
        /// Its address.
        hash: Hash,
    },
    /// A name does not point where it did when the change was begun.
    #[error("{name} has moved")]
    Moved {
        /// The name.
        name: String,
    },
    /// There is no such branch.
    #[error("there is no branch {name}")]
    NoBranch {
        /// Its name.
        name: String,
    },
    /// There is no such tag.
    #[error("there is no tag {name}")]
    NoTag {
        /// Its name.
        name: String,
    },
    /// There is one of that name.
    #[error("there is a {name} already")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// No branch or tag can have that name.
    #[error("{name:?} cannot be a name: {why}")]
    BadName {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A branch cannot go.
    #[error("branch {name} stays: {why}")]
    InUse {
        /// Its name.
        name: String,
        /// Why.
        why: &'static str,
    },
    /// Something has to be finished first.
    #[error("{what} is under way on branch {branch}")]
    UnderWay {
        /// The branch.
        branch: String,
        /// What it is.
        what: &'static str,
    },
    /// What a merge left in a table has to be settled first.
    #[error("table {table} is not settled: {conflicts} in conflict, {violations} against a constraint")]
    Unsettled {
        /// The table.
        table: String,
        /// Rows that both sides changed.
        conflicts: u64,
        /// Rows that break a constraint.
        violations: u64,
    },
    /// A commit or tag lacks what it must have.
    #[error("{what} is missing")]
    Missing {
        /// What it is.
        what: &'static str,
    },
    /// A row breaks a rule of its table. Nothing was changed.
    #[error("table {table}{}: {violation}", row.as_ref().map_or(String::new(), |row| format!(", row {row}")))]
    Violation {
        /// The table.
        table: String,
        /// The primary key of the row, spelled as in the violation, if it is known and the violation does not tell it.
        row: Option<String>,
        /// Which rule.
        violation: Box<crate::table::Violation>,
    },
    /// A foreign key would be committed without one of its tables.
    #[error("foreign key {name} needs both {child} and {parent}, and one of them is not staged")]
    TornForeignKey {
        /// Its name.
        name: String,
        /// The table that refers.
        child: String,
        /// The table that is referred to.
        parent: String,
    },
    /// A statement cannot be read.
    #[error("the statement cannot be read: {problem}")]
    Sql {
        /// What is wrong with it.
        problem: String,
    },
    /// A definition contradicts itself or what is there, so that Dolt would refuse it too.
    #[error("{object}: {problem}")]
    Definition {
        /// What was to be defined or changed: `table t`.
        object: String,
        /// What is wrong.
        problem: String,
    },
    /// There is no such table.
    #[error("there is no table {name}")]
    NoTable {
        /// Its name.
        name: String,
    },
    /// A row is larger than any can be.
    #[error("a row of {bytes} bytes is too large")]
    RowTooLarge {
        /// Its bytes without the long values that lie outside of it.
        bytes: usize,
    },
    /// A chunk is larger than any reader accepts.
    #[error("chunk {hash} has {bytes} bytes, too many for a journal")]
    TooLarge {
        /// Its address.
        hash: Hash,
        /// Stored bytes.
        bytes: usize,
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
    /// Something of one table or index is of a kind that this crate does not read; the rest of the database is readable.
    #[error("{what} is not supported")]
    NotSupported {
        /// What, and where.
        what: String,
    },
    /// A table has no column of this name.
    #[error("table {table} has no column {column}")]
    NoSuchColumn {
        /// The table.
        table: String,
        /// The name that was asked for.
        column: String,
    },
    /// A text is nothing that a column could hold.
    #[error("{column} is of type {sql_type}, {text:?} is no value of it")]
    NotAValue {
        /// The column.
        column: String,
        /// Its type in SQL.
        sql_type: String,
        /// The text.
        text: String,
    },
    /// Values are no key of a table, or no part of one.
    #[error("table {table}: {problem}")]
    NotAKey {
        /// The table.
        table: String,
        /// Why not.
        problem: String,
    },
    /// Records after a torn one: Dolt refuses such a journal too.
    #[error("{}: possible data loss: whole records follow a damaged one at byte {offset}", path.display())]
    DataLoss {
        /// The journal.
        path: PathBuf,
        /// Where the damaged record begins.
        offset: u64,
    },
    /// A change was asked of a state that was opened for reading.
    #[error("this state of the database can only be read")]
    ReadOnly,
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

impl Error {
    pub(crate) fn write(path: &std::path::Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }
}
