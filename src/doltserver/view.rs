//! A view of the data directory that leaves databases out, for `start --without`.
//!
//! Dolt opens every database directory it finds and exits if one is broken. The view is a directory
//! `.dolt-data/.gt/view` with a real directory per wanted database whose `.dolt` is a symlink to the real one (Dolt
//! skips symlinked database directories, but follows a symlinked `.dolt`; seen with 1.88.1 and 2.2.0). The store files
//! and their locks are the real ones. What clients create or drop while the view is served happens in the view; when the
//! server has ended (at the stop, after a crash at the next start) it is done to the data directory.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::ServerError;
use super::databases::Database;
use crate::sys::atomic::sync_dir;
use crate::sys::dir_id::same_place;
use crate::town::Town;

/// Where Dolt keeps dropped databases, for `dolt_undrop`.
const DROPPED: &str = ".dolt_dropped_databases";

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

/// What changed its place when a view was taken away.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Collected {
    /// Databases that were created in the view.
    pub moved: Vec<String>,
    /// Databases that were dropped in the view; they lie in Dolt's own store of dropped databases now.
    pub dropped: Vec<String>,
}

/// Takes a view away, but first does to the data directory what clients did to the view: databases that were dropped go
/// to Dolt's undo store, those that were created move in. No server may be running.
pub fn collect(town: &Town) -> Result<Collected, ServerError> {
    let view = path_of(town);
    if fs::symlink_metadata(&view).is_err_and(|e| e.kind() == io::ErrorKind::NotFound) {
        return Ok(Collected::default());
    }
    // Dropped ones first: one of the same name may have been created afterwards.
    let dropped =
        bury(town, &view).map_err(ServerError::io(format!("keep what was dropped in {}", view.display())))?;
    let moved = move_in(town, &view)?;
    let data_dir = town.data_dir();
    sync_dir(&data_dir).map_err(ServerError::io(format!("sync {}", data_dir.display())))?;
    fs::remove_dir_all(&view).map_err(ServerError::io(format!("remove the view {}", view.display())))?;
    Ok(Collected { moved, dropped })
}

fn bury(town: &Town, view: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(view.join(DROPPED)) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let graves = town.data_dir().join(DROPPED);
    fs::create_dir_all(&graves)?;
    let mut dropped = Vec::new();
    for entry in entries {
        let entry = entry?;
        // Dolt moved the view's directory, which holds only a link; the database itself is where it always was.
        let real = fs::read_link(entry.path().join(".dolt")).ok();
        let real = real.as_deref().and_then(Path::parent).map_or_else(|| entry.path(), Path::to_owned);
        let Some(name) = real.file_name().filter(|_| real.exists()) else { continue };
        fs::rename(&real, free_name(&graves, &name.to_string_lossy()))?;
        dropped.push(name.to_string_lossy().into_owned());
    }
    sync_dir(&graves)?;
    dropped.sort();
    Ok(dropped)
}

// Dolt, too, keeps an older one of the same name under another.
fn free_name(graves: &Path, name: &str) -> PathBuf {
    let first = graves.join(name);
    let later = (1_u32..).map(|n| graves.join(format!("{name}.backup.{n}")));
    std::iter::once(first.clone()).chain(later).find(|p| fs::symlink_metadata(p).is_err()).unwrap_or(first)
}

fn move_in(town: &Town, view: &Path) -> Result<Vec<String>, ServerError> {
    let entries = fs::read_dir(view).map_err(ServerError::io(format!("read {}", view.display())))?;
    let mut moved = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_real = fs::symlink_metadata(entry.path().join(".dolt")).is_ok_and(|m| m.is_dir());
        if name.starts_with('.') || !is_real {
            continue;
        }
        let place = town.database_dir(&name);
        if place.exists() {
            return Err(ServerError::TwoOfOneName { database: name, place, other: entry.path() });
        }
        fs::rename(entry.path(), &place)
            .map_err(ServerError::io(format!("move {} to its place", entry.path().display())))?;
        moved.push(name);
    }
    moved.sort();
    Ok(moved)
}
