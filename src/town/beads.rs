//! `.beads` directories: where a rig's is, its `metadata.json`, and the port file that bd reads before it.
//!
//! bd 1.0.5 and later ignore the port in `metadata.json` once `.beads/dolt-server.port` exists, so the two are always
//! written together. A metadata file that cannot be parsed is kept aside as `metadata.json.bad`, never overwritten.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::json::Object;
use super::{Town, TownError};
use crate::sys::atomic;
use crate::sys::dir_id::same_place;
use crate::sys::net::Port;

/// One `.beads` directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BeadsDir(PathBuf);

impl BeadsDir {
    /// A directory by its path.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The one of a rig, for reading: `hq` is the town; else `<rig>/mayor/rig/.beads` if present, else `<rig>/.beads`.
    pub fn of_rig(town: &Town, rig: &str) -> Self {
        if rig == "hq" {
            return Self(town.beads_dir());
        }
        let inner = town.root().join(rig).join("mayor/rig/.beads");
        if inner.is_dir() { Self(inner) } else { Self(town.root().join(rig).join(".beads")) }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// `metadata.json` in it.
    pub fn metadata_file(&self) -> PathBuf {
        self.0.join("metadata.json")
    }

    /// `dolt-server.port` in it.
    pub fn port_file(&self) -> PathBuf {
        self.0.join("dolt-server.port")
    }

    /// Follows `.beads/redirect`: absolute, or relative to the directory that holds `.beads`, three steps at most.
    /// A redirect to itself or to nothing is ignored.
    #[must_use]
    pub fn resolved(&self) -> Self {
        let mut here = self.clone();
        for _ in 0..3 {
            let Ok(text) = fs::read_to_string(here.0.join("redirect")) else {
                break;
            };
            let line = text.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with('#'));
            let Some(line) = line else { break };
            let target = here.0.parent().unwrap_or(Path::new(".")).join(line);
            if !target.is_dir() || same_place(&target, &here.0) {
                break;
            }
            here = Self(target);
        }
        here
    }

    /// Reads `metadata.json`. `Ok(None)`: there is none.
    pub fn metadata(&self) -> Result<Option<Metadata>, TownError> {
        Ok(Object::load(&self.metadata_file())?.map(Metadata))
    }

    /// The database that this directory's issues live in, if it says so.
    pub fn database(&self) -> Option<String> {
        self.metadata().ok().flatten().and_then(|m| m.database())
    }

    /// The database that bd keeps here itself, without a server: the metadata says mode `embedded` and it exists.
    pub fn embedded_store(&self) -> Option<PathBuf> {
        let metadata = self.metadata().ok().flatten()?;
        let store = self.0.join("embeddeddolt").join(metadata.database()?);
        (metadata.is_embedded_mode() && store.join(".dolt").is_dir()).then_some(store)
    }

    /// The port in `dolt-server.port`.
    pub fn port(&self) -> Option<Port> {
        fs::read_to_string(self.port_file()).ok()?.trim().parse().ok()
    }

    /// Makes the files say that this rig's issues are in `database` on the server at `host` and `port`. Writes only
    /// what differs. Mode 0700 for a directory that it makes: bd complains about a wider one.
    pub fn point_at(&self, database: &str, host: &str, port: Port) -> Result<Pointed, TownError> {
        let fresh = self.make_dir()?;
        let path = self.metadata_file();
        let mut pointed = Pointed { made_dir: fresh, ..Pointed::default() };
        let mut metadata = match self.metadata() {
            Ok(found) => found.unwrap_or_default(),
            Err(TownError::Malformed { .. }) => {
                pointed.set_aside = Some(set_aside(&path)?);
                Metadata::default()
            }
            Err(other) => return Err(other),
        };
        if metadata.point_at(database, host, port).map_err(|e| malformed(&path, &e))? {
            metadata.0.sort_keys();
            atomic::write(&path, (metadata.0.to_pretty() + "\n").as_bytes(), 0o600)?;
            pointed.metadata = true;
        }
        pointed.port_file = atomic::write_if_changed(&self.port_file(), port.to_string().as_bytes(), 0o600)?;
        Ok(pointed)
    }

    fn make_dir(&self) -> Result<bool, TownError> {
        if self.0.is_dir() {
            return Ok(false);
        }
        let failed = |source| TownError::MakeDir { path: self.0.clone(), source };
        fs::create_dir_all(&self.0).map_err(failed)?;
        fs::set_permissions(&self.0, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        Ok(true)
    }
}

/// What [`BeadsDir::point_at`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pointed {
    /// It made the directory.
    pub made_dir: bool,
    /// It wrote `metadata.json`.
    pub metadata: bool,
    /// It wrote `dolt-server.port`.
    pub port_file: bool,
    /// It kept a broken `metadata.json` under this name.
    pub set_aside: Option<PathBuf>,
}

impl Pointed {
    /// Whether anything changed.
    pub fn changed(&self) -> bool {
        self.metadata || self.port_file
    }
}

fn set_aside(path: &Path) -> Result<PathBuf, TownError> {
    let free = |n: u32| {
        let name = if n == 0 { "metadata.json.bad".to_owned() } else { format!("metadata.json.bad.{n}") };
        path.with_file_name(name)
    };
    let target = (0..1000).map(free).find(|p| !p.exists()).unwrap_or_else(|| free(1000));
    let copy = |source: io::Error| TownError::Read { path: path.to_owned(), source };
    let content = fs::read(path).map_err(copy)?;
    atomic::write(&target, &content, 0o600)?;
    Ok(target)
}

fn malformed(path: &Path, error: &serde_json::Error) -> TownError {
    TownError::Malformed { path: path.to_owned(), problem: error.to_string() }
}

/// The content of `metadata.json`.
#[derive(Debug, Clone, Default)]
pub struct Metadata(Object);

impl Metadata {
    /// `dolt_database`.
    pub fn database(&self) -> Option<String> {
        self.0.get::<String>("dolt_database").filter(|d| !d.is_empty())
    }

    /// Whether it says backend `dolt`, mode `server`.
    pub fn is_server_mode(&self) -> bool {
        let is = |key: &str, want: &str| self.0.get::<String>(key).as_deref() == Some(want);
        is("backend", "dolt") && is("dolt_mode", "server")
    }

    /// Whether it says mode `embedded`.
    pub fn is_embedded_mode(&self) -> bool {
        self.0.get::<String>("dolt_mode").as_deref() == Some("embedded")
    }

    fn point_at(&mut self, database: &str, host: &str, port: Port) -> Result<bool, serde_json::Error> {
        let mut changed = false;
        let texts = [
            ("backend", "dolt"),
            ("database", "dolt"),
            ("dolt_mode", "server"),
            ("dolt_database", database),
            ("dolt_server_host", host),
        ];
        for (key, value) in texts {
            changed |= self.0.set(key, &value)?;
        }
        changed |= self.0.set("dolt_server_port", &port)?;
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(n: u16) -> Port {
        Port::new(n).unwrap()
    }

    #[test]
    fn f36_metadata_and_port_file_change_together_and_only_when_needed() {
        let dir = tempfile::tempdir().unwrap();
        let beads = BeadsDir::at(dir.path().join("rig/.beads"));
        let first = beads.point_at("rig", "127.0.0.1", port(23_101)).unwrap();
        assert!(first.made_dir && first.metadata && first.port_file);
        assert!(!beads.point_at("rig", "127.0.0.1", port(23_101)).unwrap().changed());
        let moved = beads.point_at("rig", "127.0.0.1", port(23_102)).unwrap();
        assert!(moved.metadata && moved.port_file);
        assert_eq!(fs::read_to_string(beads.port_file()).unwrap(), "23102", "digits, no newline");
        assert_eq!(fs::metadata(beads.path()).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(beads.metadata_file()).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn f43_a_broken_metadata_file_is_kept_aside() {
        let dir = tempfile::tempdir().unwrap();
        let beads = BeadsDir::at(dir.path());
        fs::write(beads.metadata_file(), "{bad").unwrap();
        let pointed = beads.point_at("rig", "127.0.0.1", port(23_101)).unwrap();
        let kept = pointed.set_aside.unwrap();
        assert_eq!(fs::read_to_string(kept).unwrap(), "{bad");
        assert_eq!(beads.database().as_deref(), Some("rig"));
    }

    #[test]
    fn redirects_are_followed_three_deep_and_never_in_a_circle() {
        let top = tempfile::tempdir().unwrap();
        let make = |name: &str, to: &str| {
            let dir = top.path().join(name).join(".beads");
            fs::create_dir_all(&dir).unwrap();
            if !to.is_empty() {
                fs::write(dir.join("redirect"), to).unwrap();
            }
            BeadsDir::at(dir)
        };
        let a = make("a", "../b/.beads\n");
        make("b", "../c/.beads");
        let c = make("c", "");
        assert!(same_place(a.resolved().path(), c.path()));
        let own = make("own", ".beads");
        assert_eq!(own.resolved(), own);
        assert_eq!(make("lost", "/nowhere/.beads").resolved().path(), top.path().join("lost/.beads"));
    }
}
