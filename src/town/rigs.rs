//! Which rigs a town has and which database belongs to whom.
//!
//! A database without an owner here is called an orphan. That is a guess, made by reading files that may be missing:
//! it is shown to people and never enough to delete anything.

use std::collections::{BTreeMap, HashSet};
use std::fs;

use super::beads::BeadsDir;
use super::registry::{self, Registry};
use super::{Town, TownError};

/// A rig as the town knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rig {
    /// Its name; `hq` is the town itself.
    pub name: String,
    /// Its `.beads` directory before redirects.
    pub beads: BeadsDir,
    /// Its issue prefix without the dash, if registered with one.
    pub prefix: Option<String>,
}

/// `hq` and the rigs of the registry.
pub fn registered(town: &Town) -> Result<Vec<Rig>, TownError> {
    let registry = Registry::load(town)?;
    let hq = Rig { name: "hq".into(), beads: BeadsDir::of_rig(town, "hq"), prefix: Some("hq".into()) };
    let rig = |name: &str| Rig {
        name: name.to_owned(),
        beads: BeadsDir::of_rig(town, name),
        prefix: registry.prefix(name),
    };
    Ok(std::iter::once(hq).chain(registry.names().map(rig)).collect())
}

/// Database name to its owner in words: `town beads`, `alpha rig beads`. Found through the registry, the routes and
/// one level of directories, redirects followed.
pub fn owners(town: &Town) -> BTreeMap<String, String> {
    let mut owners = BTreeMap::new();
    let mut seen = HashSet::new();
    let mut claim = |beads: &BeadsDir, owner: String| {
        // The registry, a route and a directory mostly name the same rig.
        if !seen.insert(beads.path().to_owned()) {
            return;
        }
        // A redirecting directory may still name the database itself; then its own word counts.
        let database = beads.database().or_else(|| beads.resolved().database());
        if let Some(database) = database {
            owners.entry(database).or_insert(owner);
        }
    };
    claim(&BeadsDir::at(town.beads_dir()), "town beads".to_owned());
    for rig in registered(town).unwrap_or_default().iter().skip(1) {
        claim(&rig.beads, format!("{} rig beads", rig.name));
    }
    for route in registry::routes(town).unwrap_or_default() {
        let rig = route.path.split('/').next().unwrap_or_default().to_owned();
        claim(&BeadsDir::at(town.root().join(&route.path).join(".beads")), format!("{rig} rig beads"));
    }
    for name in directories(town) {
        for inner in [".beads", "mayor/rig/.beads"] {
            claim(&BeadsDir::at(town.root().join(&name).join(inner)), format!("{name} rig beads"));
        }
    }
    owners
}

fn directories(town: &Town) -> Vec<String> {
    let entries = fs::read_dir(town.root()).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|e| e.path().is_dir())
        .filter_map(|e| e.file_name().into_string().ok())
        .filter(|n| !n.starts_with('.') && n != "mayor")
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::net::Port;

    #[test]
    fn f28d_a_rig_outside_the_town_still_owns_its_database() {
        let top = tempfile::tempdir().unwrap();
        let town = Town::at(top.path().join("town"));
        let outside = BeadsDir::at(top.path().join("elsewhere/.beads"));
        outside.point_at("far", "127.0.0.1", Port::new(23_101).unwrap()).unwrap();
        let here = town.root().join("gr/.beads");
        fs::create_dir_all(&here).unwrap();
        fs::write(here.join("redirect"), outside.path().to_str().unwrap()).unwrap();
        assert_eq!(owners(&town).get("far").map(String::as_str), Some("gr rig beads"));
    }
}
