//! What a verification says: findings, how far it is, and at the end what is still safe.

use std::fmt;
use std::path::PathBuf;

use crate::Hash;
use crate::commit::RefKind;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Finding {
    /// What is wrong.
    pub problem: String,
    /// The chunk in which it is wrong.
    pub chunk: Option<Hash>,
    /// The file, and the byte in it.
    pub file: Option<(PathBuf, u64)>,
    /// In what state it was found first: `commit …`, `working set of main`. The same chunk can be part of many.
    pub state: Option<String>,
    /// The table.
    pub table: Option<String>,
    /// The secondary index of that table.
    pub index: Option<String>,
    /// The key of the row or entry, as far as it can be shown.
    pub key: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut place = Vec::new();
        if let Some((path, offset)) = &self.file {
            place.push(format!("{} byte {offset}", path.display()));
        }
        place.extend(self.state.clone());
        place.extend(self.table.as_ref().map(|t| format!("table {t}")));
        place.extend(self.index.as_ref().map(|i| format!("index {i}")));
        place.extend(self.key.as_ref().map(|k| format!("key {k}")));
        place.extend(self.chunk.map(|c| format!("chunk {c}")));
        if place.is_empty() {
            write!(f, "{}", self.problem)
        } else {
            write!(f, "{}: {}", place.join(", "), self.problem)
        }
    }
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Every chunk of every file: crc and address.
    Chunks,
    /// Commits, their trees of ancestors and their root values.
    History,
    /// The trees of rows and indexes.
    Trees,
}

/// Who follows a verification. Called from several threads.
pub trait Watch: Sync {
    /// So much of a stage is done. Called often.
    fn progress(&self, _stage: Stage, _done: u64, _of: u64) {}
    /// Something is wrong.
    fn finding(&self, _finding: &Finding) {}
}

/// Nobody follows.
impl Watch for () {}

/// A name and whether everything behind it is as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefState {
    /// What the name stands for.
    pub kind: RefKind,
    /// Its short name.
    pub name: String,
    /// Whether nothing is wrong with what it points to: for a branch, the newest commit.
    pub tip_is_safe: bool,
    /// Whether nothing is wrong in its whole history either.
    pub history_is_safe: bool,
    /// The tables at which something is wrong in the newest state.
    pub damaged_tables: Vec<String>,
    /// The tables without any finding in the newest state.
    pub safe_tables: Vec<String>,
}

/// The result.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// What is wrong, in no particular order.
    pub findings: Vec<Finding>,
    /// What could not be checked, and why.
    pub notes: Vec<String>,
    /// Every name, and what is safe behind it.
    pub refs: Vec<RefState>,
    /// Chunks in all files, copies included.
    pub chunks: u64,
    /// Their uncompressed bytes.
    pub chunk_bytes: u64,
    /// Commits seen.
    pub commits: u64,
    /// Root values seen.
    pub roots: u64,
    /// Table states seen.
    pub tables: u64,
    /// Tree nodes seen.
    pub nodes: u64,
    /// Rows and index entries seen.
    pub entries: u64,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}
