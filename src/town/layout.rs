//! The paths below a town root. Every file that we or the Go tools keep there is named here and nowhere else.

use std::path::{Path, PathBuf};

/// One town: its root as the user named it, and the paths below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Town {
    root: PathBuf,
}

impl Town {
    /// The town at this root. The path is kept as given: what is printed is what the user typed.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The root directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `mayor/town.json`: identity.
    pub fn town_json(&self) -> PathBuf {
        self.root.join("mayor/town.json")
    }

    /// `mayor/rigs.json`: the registry.
    pub fn rigs_json(&self) -> PathBuf {
        self.root.join("mayor/rigs.json")
    }

    /// `mayor/daemon.json`: settings of the Go daemon; its `env` holds the port.
    pub fn daemon_json(&self) -> PathBuf {
        self.root.join("mayor/daemon.json")
    }

    /// `.beads`: the town's own issues.
    pub fn beads_dir(&self) -> PathBuf {
        self.root.join(".beads")
    }

    /// `.beads/routes.jsonl`: prefix to path.
    pub fn routes(&self) -> PathBuf {
        self.root.join(".beads/routes.jsonl")
    }

    /// `daemon`: state of the server.
    pub fn daemon_dir(&self) -> PathBuf {
        self.root.join("daemon")
    }

    /// `daemon/dolt.lock`: held for every change of the server's state; never removed.
    pub fn lock_file(&self) -> PathBuf {
        self.root.join("daemon/dolt.lock")
    }

    /// `daemon/dolt.pid`: digits.
    pub fn pid_file(&self) -> PathBuf {
        self.root.join("daemon/dolt.pid")
    }

    /// `daemon/dolt-state.json`: six fields that the Go tools read.
    pub fn state_file(&self) -> PathBuf {
        self.root.join("daemon/dolt-state.json")
    }

    /// `daemon/gt-server.json`: our own facts about the server, which the Go tools do not know.
    pub fn record_file(&self) -> PathBuf {
        self.root.join("daemon/gt-server.json")
    }

    /// `daemon/dolt.log`: what the server prints.
    pub fn log_file(&self) -> PathBuf {
        self.root.join("daemon/dolt.log")
    }

    /// `daemon/daemon.env`: `KEY=value` lines of the operator; only the log level is read.
    pub fn daemon_env(&self) -> PathBuf {
        self.root.join("daemon/daemon.env")
    }

    /// `.dolt-data`: one directory per database.
    pub fn data_dir(&self) -> PathBuf {
        self.root.join(".dolt-data")
    }

    /// `.dolt-data/config.yaml`: the server's settings, written at each start.
    pub fn config_yaml(&self) -> PathBuf {
        self.root.join(".dolt-data/config.yaml")
    }

    /// `.dolt-data/.gt`: our own corner of the data directory (gate, town lock, work in progress).
    pub fn own_dir(&self) -> PathBuf {
        self.root.join(".dolt-data/.gt")
    }

    /// The directory of one database.
    pub fn database_dir(&self, database: &str) -> PathBuf {
        self.data_dir().join(database)
    }
}
