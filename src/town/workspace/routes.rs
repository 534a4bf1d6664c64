//! `routes.jsonl`: which other workspace has the issues of a prefix (`cmd/bd/routed.go` of bd).

use std::fs;
use std::path::{Path, PathBuf};

use super::Workspace;
use super::find::Finder;
use super::metadata::Metadata;
use crate::town::registry::Route;

/// Where the issues of a prefix are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The line that says so.
    pub route: Route,
    /// The `.beads` of the other workspace, its redirect followed.
    pub beads_dir: PathBuf,
    /// The database that it names; without one bd does not go there.
    pub database: String,
}

/// The prefix of an id: up to and including its first hyphen.
pub fn prefix_of(id: &str) -> Option<&str> {
    let at = id.find('-').filter(|at| *at > 0)?;
    id.get(..=at)
}

/// The lines of a `routes.jsonl`. Blank lines, comments and what cannot be read are passed over, as bd does.
pub fn read(beads_dir: &Path) -> Vec<Route> {
    let text = fs::read_to_string(beads_dir.join("routes.jsonl")).unwrap_or_default();
    let lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
    let routes = lines.filter_map(|l| serde_json::from_str::<Route>(l).ok());
    routes.filter(|r| !r.prefix.is_empty() && !r.path.is_empty()).collect()
}

impl Workspace {
    /// Where an issue is looked for that is not here: the first route of its prefix. None: there is none, it leads back
    /// here (`.`), or to a place without a database.
    pub fn route(&self, id: &str) -> Option<Target> {
        let prefix = prefix_of(id)?;
        let route = read(self.dir()).into_iter().find(|r| r.prefix == prefix).filter(|r| r.path != ".")?;
        let rig = self.dir().parent()?.join(&route.path);
        let beads_dir = Finder::new(self.env(), self.cwd()).follow(&rig.join(".beads"));
        let database = Metadata::load(&beads_dir).ok().flatten()?.database()?;
        Some(Target { route, beads_dir, database })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_at_the_first_hyphen() {
        for (id, want) in
            [("hr-8wn.1", Some("hr-")), ("hq-cv-abc", Some("hq-")), ("-x", None), ("x", None), ("", None)]
        {
            assert_eq!(prefix_of(id), want, "{id}");
        }
    }
}
