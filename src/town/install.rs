//! Makes a town: the directories and files that this program and the Go tools expect.
//!
//! A directory that holds something else is left alone. On a town it only adds what is missing, so it may be repeated.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Town, TownError, at_usable_path};
use crate::sys::atomic;
use crate::sys::clock;
use crate::sys::net::Port;
use crate::town::json::Object;

/// What a new town is to be called.
#[derive(Debug, Clone, Default)]
pub struct NewTown {
    /// Its name; the directory's name if none is given.
    pub name: Option<String>,
    /// The port to put into `mayor/daemon.json`.
    pub port: Option<Port>,
}

/// What [`install`] did.
#[derive(Debug, Clone)]
pub struct Installed {
    /// The town.
    pub town: Town,
    /// Its name.
    pub name: String,
    /// Files and directories that were made, relative to the root. Empty: it was all there.
    pub made: Vec<String>,
}

/// Makes the directory a town, or completes one.
pub fn install(root: &Path, new: &NewTown) -> Result<Installed, TownError> {
    let town = at_usable_path(root.to_owned())?;
    refuse_something_else(root)?;
    let mut made = Vec::new();
    for dir in ["", "mayor", "daemon", ".beads", ".dolt-data"] {
        make_dir(&root.join(dir), dir, &mut made)?;
    }
    let dir_name = root.file_name().map_or_else(|| "town".to_owned(), |n| n.to_string_lossy().into_owned());
    let name = match Object::load(&town.town_json())? {
        Some(found) => found.get::<String>("name").unwrap_or(dir_name),
        None => new.name.clone().unwrap_or(dir_name),
    };
    let stamp = clock::now().to_string();
    let town_json =
        json!({"type": "town", "version": 2, "name": name, "public_name": name, "created_at": stamp});
    let patrol = |agent: &str| json!({"enabled": true, "interval": "5m", "agent": agent});
    let mut daemon_json = json!({
        "type": "daemon-patrol-config",
        "version": 1,
        "heartbeat": {"enabled": true, "interval": "3m"},
        "patrols": {"deacon": patrol("deacon"), "witness": patrol("witness"), "refinery": patrol("refinery")},
    });
    if let Some(port) = new.port {
        daemon_json["env"] = json!({"GT_DOLT_PORT": port.to_string()});
    }
    let mut file = |path: PathBuf, content: &str| make_file(root, &path, content, &mut made);
    file(town.rigs_json(), &pretty(&json!({"version": 1, "rigs": {}})))?;
    file(town.daemon_json(), &pretty(&daemon_json))?;
    file(town.routes(), "{\"prefix\":\"hq-\",\"path\":\".\"}\n")?;
    // Last: its presence is what makes the directory a town.
    file(town.town_json(), &pretty(&town_json))?;
    Ok(Installed { town, name, made })
}

/// Sets the port in `mayor/daemon.json`, everything else in it untouched. Returns whether anything changed.
pub fn set_port(town: &Town, port: Port) -> Result<bool, TownError> {
    let path = town.daemon_json();
    let mut top = Object::load(&path)?.unwrap_or_default();
    let problem = |e: serde_json::Error| TownError::Malformed { path: path.clone(), problem: e.to_string() };
    let mut env = match top.raw("env") {
        None | Some("null") => Object::default(),
        Some(text) => Object::parse(text).map_err(problem)?,
    };
    if !env.set(super::env::GT_DOLT_PORT, &port.to_string()).map_err(problem)? {
        return Ok(false);
    }
    top.set("env", &env).map_err(problem)?;
    atomic::rewrite(&path, (top.to_pretty() + "\n").as_bytes(), 0o644)?;
    Ok(true)
}

fn refuse_something_else(root: &Path) -> Result<(), TownError> {
    let town = Town::at(root);
    if town.town_json().exists() || root.join("mayor").is_dir() {
        return Ok(());
    }
    let something_else = || TownError::SomethingElse { path: root.to_owned() };
    match fs::read_dir(root) {
        // An install that was cut off leaves only these, all of ours and no user's work in them.
        Ok(entries) => {
            let ours = [".beads", ".dolt-data", "daemon", "mayor"];
            let is_ours = |name: std::ffi::OsString| ours.iter().any(|o| name == *o);
            let names: Vec<_> = entries.flatten().map(|e| e.file_name()).collect();
            let unfinished = names.iter().any(|n| n == "daemon" || n == ".dolt-data");
            let all_ours = names.into_iter().all(is_ours);
            if root.read_dir().is_ok_and(|mut d| d.next().is_none()) || (all_ours && unfinished) {
                Ok(())
            } else {
                Err(something_else())
            }
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotADirectory => Err(something_else()),
        Err(source) => Err(TownError::Read { path: root.to_owned(), source }),
    }
}

fn make_dir(path: &Path, shown: &str, made: &mut Vec<String>) -> Result<(), TownError> {
    if path.is_dir() {
        return Ok(());
    }
    let failed = |source| TownError::MakeDir { path: path.to_owned(), source };
    fs::create_dir_all(path).map_err(failed)?;
    if shown == ".beads" {
        use std::os::unix::fs::PermissionsExt;
        // bd warns about a wider mode.
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(failed)?;
    }
    if !shown.is_empty() {
        made.push(format!("{shown}/"));
    }
    Ok(())
}

fn make_file(root: &Path, path: &Path, content: &str, made: &mut Vec<String>) -> Result<(), TownError> {
    if path.exists() {
        return Ok(());
    }
    atomic::write(path, content.as_bytes(), 0o644)?;
    made.push(path.strip_prefix(root).unwrap_or(path).display().to_string());
    Ok(())
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_with_somebodys_work_in_it_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("thesis.tex"), "x").unwrap();
        assert!(matches!(install(dir.path(), &NewTown::default()), Err(TownError::SomethingElse { .. })));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        let file = dir.path().join("thesis.tex");
        assert!(matches!(install(&file, &NewTown::default()), Err(TownError::SomethingElse { .. })));
    }

    #[test]
    fn installing_twice_changes_nothing_and_an_interrupted_one_is_completed() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("gt");
        fs::create_dir_all(root.join(".dolt-data")).unwrap();
        fs::create_dir_all(root.join("daemon")).unwrap();
        let new = NewTown { name: Some("Springfield".into()), port: Port::new(23_101) };
        let first = install(&root, &new).unwrap();
        assert!(first.made.contains(&"mayor/town.json".to_owned()), "{:?}", first.made);
        let before = fs::read_to_string(first.town.town_json()).unwrap();
        let again = install(&root, &NewTown::default()).unwrap();
        assert_eq!((again.name.as_str(), again.made.len()), ("Springfield", 0));
        assert_eq!(fs::read_to_string(again.town.town_json()).unwrap(), before);
    }

    #[test]
    fn setting_the_port_keeps_the_rest_of_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let town = Town::at(dir.path());
        fs::create_dir_all(dir.path().join("mayor")).unwrap();
        fs::write(town.daemon_json(), r#"{"x": 12345678901234567890, "env": {"A": "b"}}"#).unwrap();
        assert!(set_port(&town, Port::new(23_102).unwrap()).unwrap());
        assert!(!set_port(&town, Port::new(23_102).unwrap()).unwrap());
        let text = fs::read_to_string(town.daemon_json()).unwrap();
        assert!(text.contains("12345678901234567890") && text.contains("\"A\": \"b\""), "{text}");
    }
}
