//! The databases in a data directory, by what lies on disk.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::ServerError;
use super::manifest;
use crate::town::Town;

/// A directory of the data directory that is, or was to be, a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// Its name: the directory's.
    pub name: String,
    /// Its directory.
    pub dir: PathBuf,
    /// Whether a server can be expected to open it.
    pub condition: Condition,
}

/// What the files of a database look like from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// It has a manifest.
    Present,
    /// It has a `.dolt` but no manifest: creating it was cut off.
    HalfMade,
}

impl Database {
    /// Dolt's own lock file of this database.
    pub fn lock_file(&self) -> PathBuf {
        self.dir.join(".dolt/noms/LOCK")
    }

    /// What is wrong with its store, if that can be seen from outside.
    pub fn problem(&self) -> Option<String> {
        match self.condition {
            Condition::HalfMade => Some("it has no manifest: creating it was cut off".to_owned()),
            Condition::Present => manifest::problem_of_store(&self.dir.join(".dolt/noms")),
        }
    }
}

/// Every database directory of the town, sorted by name. A missing data directory holds none.
pub fn scan(town: &Town) -> Result<Vec<Database>, ServerError> {
    scan_dir(&town.data_dir())
}

/// The same for any data directory.
pub fn scan_dir(data_dir: &Path) -> Result<Vec<Database>, ServerError> {
    let entries = match fs::read_dir(data_dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            return Err(ServerError::Io { what: format!("read {}", data_dir.display()), source });
        }
    };
    let database = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok().filter(|n| !n.starts_with('.'))?;
        let dir = data_dir.join(&name);
        // Dolt serves real directories only; a symlinked one is not listed by the server.
        (entry.file_type().ok()?.is_dir() && dir.join(".dolt").is_dir()).then_some(())?;
        let has_manifest = dir.join(".dolt/noms/manifest").is_file();
        let condition = if has_manifest { Condition::Present } else { Condition::HalfMade };
        Some(Database { name, dir, condition })
    };
    let mut found: Vec<Database> = entries.flatten().filter_map(database).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// The names of those with a manifest.
pub fn names(databases: &[Database]) -> Vec<String> {
    let present = databases.iter().filter(|d| d.condition == Condition::Present);
    present.map(|d| d.name.clone()).collect()
}

/// Bytes below a directory, symlinks not followed.
pub fn disk_usage(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let size = |entry: fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => disk_usage(&entry.path()),
        Ok(kind) if kind.is_file() => entry.metadata().map_or(0, |m| m.len()),
        _ => 0,
    };
    entries.map(size).sum()
}
