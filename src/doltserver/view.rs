//! A view of the data directory that leaves databases out, for `start --without`.
//!
//! Dolt opens every database directory it finds and exits if one is broken. The view is a directory
//! `.dolt-data/.gt/view` with a real directory per wanted database whose `.dolt` is a symlink to the real one (Dolt
//! skips symlinked database directories, but follows a symlinked `.dolt`; seen with 1.88.1 and 2.2.0). The store files
//! and their locks are the real ones. A database that a client creates while the view is served lands in the view; the
//! next start moves it to its place.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::ServerError;
use super::databases::Database;
use crate::sys::atomic::sync_dir;
use crate::sys::dir_id::same_place;
use crate::town::Town;

/// Where the view of a data directory is.
pub fn path_of(town: &Town) -> PathBuf {
    town.own_dir().join("view")
}

/// Whether `served` is the view of the data directory `ours`.
pub fn is_view_of(served: &Path, ours: &Path) -> bool {
    same_place(served, &ours.join(".gt/view"))
}

/// Makes a fresh view of these databases. No server may be running.
pub fn build(town: &Town, wanted: &[&Database]) -> Result<PathBuf, ServerError> {
    let view = path_of(town);
    let make = |wanted: &[&Database]| -> io::Result<()> {
        fs::create_dir_all(&view)?;
        let data_dir = town.data_dir().canonicalize()?;
        for database in wanted {
            let dir = view.join(&database.name);
            fs::create_dir(&dir)?;
            symlink(data_dir.join(&database.name).join(".dolt"), dir.join(".dolt"))?;
        }
        // Users and grants are the town's, whatever is served.
        fs::create_dir_all(data_dir.join(".doltcfg"))?;
        symlink(data_dir.join(".doltcfg"), view.join(".doltcfg"))
    };
    make(wanted).map_err(ServerError::io(format!("make the view {}", view.display())))?;
    Ok(view)
}

/// Takes a view away; databases that were created in it move into the data directory first. No server may be running.
/// Returns the names of those that moved.
pub fn collect(town: &Town) -> Result<Vec<String>, ServerError> {
    let view = path_of(town);
    let entries = match fs::read_dir(&view) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(ServerError::Io { what: format!("read {}", view.display()), source }),
    };
    let mut moved = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_real = fs::symlink_metadata(entry.path().join(".dolt")).is_ok_and(|m| m.is_dir());
        if name.starts_with('.') || !is_real {
            continue;
        }
        let target = town.database_dir(&name);
        if target.exists() {
            return Err(ServerError::BrokenDatabase {
                database: name,
                problem: format!(
                    "one was created in {} while another of that name was left out; move one of them away",
                    entry.path().display()
                ),
            });
        }
        fs::rename(entry.path(), &target)
            .map_err(ServerError::io(format!("move {} to its place", entry.path().display())))?;
        moved.push(name);
    }
    let data_dir = town.data_dir();
    sync_dir(&data_dir).map_err(ServerError::io(format!("sync {}", data_dir.display())))?;
    fs::remove_dir_all(&view).map_err(ServerError::io(format!("remove the view {}", view.display())))?;
    Ok(moved)
}
