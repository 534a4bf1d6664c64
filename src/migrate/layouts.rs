//! Finds databases of old layouts. Reads only.
//!
//! Below a rig's `.beads/dolt/` (redirects followed, symlinked directories allowed) lies a directory with a `.dolt`; the
//! first layout always called it `beads`. `hq` is the town's own `.beads`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::town::Town;
use crate::town::beads::BeadsDir;

/// A database in an old place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldDatabase {
    /// The rig it belongs to, which is also the name it would get.
    pub rig: String,
    /// Its directory.
    pub path: PathBuf,
    /// Whether `.dolt-data` has a database by that name already.
    pub target_exists: bool,
}

/// Every database in an old place, sorted by rig.
pub fn find_old(town: &Town) -> Vec<OldDatabase> {
    let mut found: Vec<OldDatabase> = rig_names(town).iter().flat_map(|rig| in_beads(town, rig)).collect();
    found.sort_by(|a, b| (&a.rig, &a.path).cmp(&(&b.rig, &b.path)));
    found.dedup_by(|a, b| a.path == b.path);
    found
}

fn rig_names(town: &Town) -> Vec<String> {
    let entries = fs::read_dir(town.root()).into_iter().flatten().flatten();
    let names = entries.filter(|e| e.path().is_dir()).filter_map(|e| e.file_name().into_string().ok());
    let rigs = names.filter(|n| !n.starts_with('.') && n != "mayor");
    std::iter::once("hq".to_owned()).chain(rigs).collect()
}

fn in_beads(town: &Town, rig: &str) -> Vec<OldDatabase> {
    let beads = BeadsDir::of_rig(town, rig).resolved();
    let entries = fs::read_dir(beads.path().join("dolt")).into_iter().flatten().flatten();
    let is_database = |path: &Path| path.join(".dolt/noms/manifest").is_file();
    let target = town.database_dir(rig);
    let old = |path: PathBuf| OldDatabase {
        rig: rig.to_owned(),
        path,
        target_exists: target.join(".dolt").is_dir(),
    };
    entries.map(|e| e.path()).filter(|p| is_database(p)).map(old).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_old_layouts_are_found_through_redirects() {
        let top = tempfile::tempdir().unwrap();
        let town = Town::at(top.path().join("t"));
        let store = |path: PathBuf| {
            fs::create_dir_all(path.join(".dolt/noms")).unwrap();
            fs::write(path.join(".dolt/noms/manifest"), "x").unwrap();
        };
        store(town.root().join(".beads/dolt/beads"));
        store(top.path().join("away/.beads/dolt/alpha_db"));
        fs::create_dir_all(town.root().join("alpha/.beads")).unwrap();
        fs::write(
            town.root().join("alpha/.beads/redirect"),
            top.path().join("away/.beads").to_str().unwrap(),
        )
        .unwrap();
        let found = find_old(&town);
        let rigs: Vec<&str> = found.iter().map(|o| o.rig.as_str()).collect();
        assert_eq!(rigs, ["alpha", "hq"]);
        assert!(found.iter().all(|o| !o.target_exists));
    }
}
