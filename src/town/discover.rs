//! Finds the town root, exactly as the Go tools do.
//!
//! From the working directory *as the shell names it* up to `/`: the outermost directory with `mayor/town.json` wins,
//! else the outermost with a `mayor` directory (rigs have a `mayor` of their own, so the nearest one would be wrong).
//! Only if there is none: `GT_TOWN_ROOT`, then `GT_ROOT`, each only if it is a town itself.

use std::path::{Path, PathBuf};

use super::env::{self, Env};
use super::{Town, TownError};
use crate::sys::dir_id::same_place;

/// Finds the town for a command. `explicit` is what `--town` said.
pub fn find_town(env: &Env, explicit: Option<&Path>) -> Result<Town, TownError> {
    let cwd = logical_cwd(env);
    // The server runs elsewhere, so a town's name must hold from everywhere.
    let absolute = |named: &Path| clean(&cwd.as_deref().map_or_else(|| named.to_owned(), |c| c.join(named)));
    if let Some(named) = explicit {
        let root = absolute(named);
        return if is_town(&root) { at_usable_path(root) } else { Err(TownError::NotATown { path: root }) };
    }
    if let Some(root) = cwd.as_deref().and_then(walk_up) {
        return at_usable_path(root);
    }
    for name in [env::GT_TOWN_ROOT, env::GT_ROOT] {
        let root = env.path(name).map(|named| absolute(&named)).filter(|r| r.is_absolute() && is_town(r));
        if let Some(root) = root {
            return at_usable_path(root);
        }
    }
    Err(TownError::NotInTown)
}

/// The town of this root, if Dolt could serve it: the path stands in JSON and YAML, and Dolt takes a backslash for a
/// slash. Either way it would look in another place.
pub(crate) fn at_usable_path(root: PathBuf) -> Result<Town, TownError> {
    let problem = match root.to_str() {
        None => "its path is not text (UTF-8)",
        Some(text) if text.contains('\\') => "its path holds a backslash, which Dolt takes for a slash",
        Some(_) => return Ok(Town::at(root)),
    };
    Err(TownError::UnusablePath { path: root, problem })
}

/// The town that a directory lies in, if Dolt could serve it.
pub(crate) fn town_above(dir: &Path) -> Option<Town> {
    at_usable_path(walk_up(dir)?).ok()
}

fn walk_up(start: &Path) -> Option<PathBuf> {
    let outermost =
        |is_hit: fn(&Path) -> bool| start.ancestors().filter(|dir| is_hit(dir)).last().map(Path::to_owned);
    outermost(has_town_json).or_else(|| outermost(has_mayor_dir))
}

fn is_town(dir: &Path) -> bool {
    has_town_json(dir) || has_mayor_dir(dir)
}

fn has_town_json(dir: &Path) -> bool {
    dir.join("mayor/town.json").exists()
}

fn has_mayor_dir(dir: &Path) -> bool {
    dir.join("mayor").is_dir()
}

/// The working directory as the shell names it (`PWD`), if that is really where we are; else as the kernel names it.
pub fn logical_cwd(env: &Env) -> Option<PathBuf> {
    let physical = std::env::current_dir().ok();
    let named = env.path(env::PWD).filter(|p| p.is_absolute() && same_place(p, Path::new(".")));
    named.map(|p| clean(&p)).or(physical)
}

/// Removes `.` and `..` from a path by its words alone, symlinks untouched (as the shell's `cd` does).
pub fn clean(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_outermost_town_json_beats_a_nearer_mayor_directory() {
        let top = tempfile::tempdir().unwrap();
        let rig = top.path().join("town/gastown/mayor/rig");
        fs::create_dir_all(rig.join("mayor")).unwrap();
        fs::create_dir_all(top.path().join("town/mayor")).unwrap();
        fs::write(top.path().join("town/mayor/town.json"), "{}").unwrap();
        assert_eq!(walk_up(&rig).unwrap(), top.path().join("town"));
    }

    #[test]
    fn without_any_town_json_the_outermost_mayor_directory_wins() {
        let top = tempfile::tempdir().unwrap();
        let deep = top.path().join("a/mayor/b/mayor");
        fs::create_dir_all(&deep).unwrap();
        assert_eq!(walk_up(&deep).unwrap(), top.path().join("a"));
    }

    #[test]
    fn an_environment_root_that_is_no_town_is_skipped() {
        let top = tempfile::tempdir().unwrap();
        let town = top.path().join("t");
        fs::create_dir_all(town.join("mayor")).unwrap();
        assert!(!is_town(top.path()));
        assert!(is_town(&town));
        assert_eq!(clean(Path::new("/a/./b/../c")), Path::new("/a/c"));
    }
}
