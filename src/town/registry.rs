//! The registry of rigs: `mayor/rigs.json` and the prefix routes in `.beads/routes.jsonl`.
//!
//! Both files are shared with the Go tools and bd; unknown fields, comments and blank lines stay.

use std::fs;
use std::io;

use serde::{Deserialize, Serialize};

use super::json::Object;
use super::{Town, TownError};
use crate::sys::atomic;
use crate::sys::clock;

/// `mayor/rigs.json`.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    top: Object,
    rigs: Object,
}

impl Registry {
    /// Reads the registry; a missing file is an empty registry.
    pub fn load(town: &Town) -> Result<Self, TownError> {
        let path = town.rigs_json();
        let top = Object::load(&path)?.unwrap_or_default();
        let rigs = match top.raw("rigs") {
            None | Some("null") => Object::default(),
            Some(text) => Object::parse(text)
                .map_err(|e| TownError::Malformed { path, problem: format!("\"rigs\": {e}") })?,
        };
        Ok(Self { top, rigs })
    }

    /// The names of the rigs, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.rigs.keys()
    }

    /// Whether this rig is registered.
    pub fn contains(&self, rig: &str) -> bool {
        self.rigs.raw(rig).is_some()
    }

    /// The issue prefix of a rig, without its dash.
    pub fn prefix(&self, rig: &str) -> Option<String> {
        let entry: Object = self.rigs.get(rig)?;
        let beads: Object = entry.get("beads")?;
        let prefix: String = beads.get("prefix")?;
        Some(prefix.trim_end_matches('-').to_owned())
    }

    /// Adds a rig with the fields that the Go tools expect.
    pub fn add(&mut self, rig: &str, prefix: &str) -> Result<(), TownError> {
        let entry = serde_json::json!({
            "git_url": "",
            "added_at": clock::now().to_string(),
            "beads": { "repo": "local", "prefix": prefix },
        });
        self.rigs.set(rig, &entry).map_err(|e| self.malformed(&e))?;
        Ok(())
    }

    /// Forgets a rig. Returns whether it was there.
    pub fn remove(&mut self, rig: &str) -> bool {
        self.rigs.remove(rig)
    }

    /// Writes the registry.
    pub fn save(&mut self, town: &Town) -> Result<(), TownError> {
        if self.top.raw("version").is_none() {
            self.top.set("version", &1).map_err(|e| self.malformed(&e))?;
        }
        let rigs = self.rigs.clone();
        self.top.set("rigs", &rigs).map_err(|e| self.malformed(&e))?;
        atomic::rewrite(&town.rigs_json(), (self.top.to_pretty() + "\n").as_bytes(), 0o644)?;
        Ok(())
    }

    #[expect(clippy::unused_self, reason = "reads as a property of the registry at the call")]
    fn malformed(&self, error: &serde_json::Error) -> TownError {
        TownError::Malformed { path: "mayor/rigs.json".into(), problem: error.to_string() }
    }
}

/// One line of `routes.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Issue prefix with its dash, for example `gt-`.
    pub prefix: String,
    /// Directory that holds `.beads`, relative to the town root; `.` is the town.
    pub path: String,
}

/// Reads the routes. Lines that are no route (blank, comment, broken) are skipped; bd skips them too.
pub fn routes(town: &Town) -> Result<Vec<Route>, TownError> {
    let text = routes_text(town)?;
    Ok(text.lines().filter_map(parse_route).collect())
}

/// Adds a route, or points an existing prefix elsewhere. Returns whether anything changed.
pub fn set_route(town: &Town, route: &Route) -> Result<bool, TownError> {
    let new = serde_json::to_string(route)
        .map_err(|e| TownError::Malformed { path: town.routes(), problem: e.to_string() })?;
    edit_routes(town, |lines| {
        let place = lines.iter().position(|l| parse_route(l).is_some_and(|r| r.prefix == route.prefix));
        match place.and_then(|i| lines.get_mut(i)) {
            Some(line) => *line = new,
            None => lines.push(new),
        }
    })
}

/// Removes the route of a rig by its prefix; another rig's by that prefix stays. Returns whether anything changed.
pub fn remove_route(town: &Town, prefix: &str, rig: &str) -> Result<bool, TownError> {
    let is_it = |route: Route| route.prefix == prefix && route.path.split('/').next() == Some(rig);
    edit_routes(town, |lines| lines.retain(|l| !parse_route(l).is_some_and(is_it)))
}

fn edit_routes(town: &Town, edit: impl FnOnce(&mut Vec<String>)) -> Result<bool, TownError> {
    let old = routes_text(town)?;
    let mut lines: Vec<String> = old.lines().map(str::to_owned).collect();
    edit(&mut lines);
    let new = lines.iter().fold(String::new(), |text, line| text + line + "\n");
    if new == old {
        return Ok(false);
    }
    let dir = town.beads_dir();
    fs::create_dir_all(&dir).map_err(|source| TownError::MakeDir { path: dir, source })?;
    atomic::rewrite(&town.routes(), new.as_bytes(), 0o644)?;
    Ok(true)
}

fn routes_text(town: &Town) -> Result<String, TownError> {
    match fs::read_to_string(town.routes()) {
        Ok(text) => Ok(text),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(TownError::Read { path: town.routes(), source }),
    }
}

fn parse_route(line: &str) -> Option<Route> {
    let line = line.trim();
    let route: Route = (!line.starts_with('#')).then(|| serde_json::from_str(line).ok()).flatten()?;
    (!route.prefix.is_empty() && !route.path.is_empty()).then_some(route)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn town() -> (tempfile::TempDir, Town) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("mayor")).unwrap();
        let town = Town::at(dir.path());
        (dir, town)
    }

    #[test]
    fn unknown_fields_of_the_registry_survive_an_added_rig() {
        let (_dir, town) = town();
        fs::write(
            town.rigs_json(),
            r#"{"version":1,"future":9007199254740993,"rigs":{"old":{"git_url":"u","x":1}}}"#,
        )
        .unwrap();
        let mut registry = Registry::load(&town).unwrap();
        registry.add("gastown", "gt").unwrap();
        registry.save(&town).unwrap();
        let text = fs::read_to_string(town.rigs_json()).unwrap();
        assert!(text.contains("9007199254740993") && text.contains("\"x\": 1"), "{text}");
        let again = Registry::load(&town).unwrap();
        assert_eq!(again.names().collect::<Vec<_>>(), ["old", "gastown"]);
        assert_eq!(again.prefix("gastown").as_deref(), Some("gt"));
    }

    #[test]
    fn routes_keep_their_comments_and_a_prefix_has_one_line() {
        let (_dir, town) = town();
        fs::create_dir_all(town.beads_dir()).unwrap();
        fs::write(town.routes(), "# ours\n\n{\"prefix\":\"hq-\",\"path\":\".\"}\n").unwrap();
        let route = |path: &str| Route { prefix: "gt-".into(), path: path.into() };
        assert!(set_route(&town, &route("gastown")).unwrap());
        assert!(!set_route(&town, &route("gastown")).unwrap());
        assert!(set_route(&town, &route("gastown/mayor/rig")).unwrap());
        assert_eq!(routes(&town).unwrap().len(), 2);
        assert!(!remove_route(&town, "gt-", "other").unwrap());
        assert!(remove_route(&town, "gt-", "gastown").unwrap());
        let text = fs::read_to_string(town.routes()).unwrap();
        assert_eq!(text, "# ours\n\n{\"prefix\":\"hq-\",\"path\":\".\"}\n");
    }
}
