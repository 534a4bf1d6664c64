//! The two files that the Go tools read: `daemon/dolt.pid` and `daemon/dolt-state.json`. Both are hints.
//!
//! The state has exactly six fields in a fixed order, two-space indent, no newline at the end; anything of our own goes
//! elsewhere (see [`super::record`]), because Go drops unknown fields. Whatever is written here is whole at once, and on
//! the disk after [`settle`].

use std::fs;
use std::io;

use serde::{Deserialize, Serialize};

use crate::sys::atomic::{self, WriteError};
use crate::sys::process::Pid;
use crate::town::Town;

/// What the PID file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PidFile {
    /// There is none.
    Missing,
    /// A PID; the Go daemon adds a line with a nonce.
    Pid(Pid),
    /// Something else.
    Garbage(String),
}

impl PidFile {
    /// Reads the file.
    pub fn read(town: &Town) -> Self {
        match fs::read(town.pid_file()) {
            Ok(bytes) => Self::parse(&String::from_utf8_lossy(&bytes)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Self::Missing,
            Err(e) => Self::Garbage(e.to_string()),
        }
    }

    fn parse(text: &str) -> Self {
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default().trim();
        let nonce = lines.next().is_none_or(|l| l.bytes().all(|b| b.is_ascii_hexdigit()));
        match Pid::parse(first) {
            Some(pid) if nonce => Self::Pid(pid),
            _ => Self::Garbage(text.chars().take(40).collect()),
        }
    }

    /// The PID, if it holds one.
    pub fn pid(&self) -> Option<Pid> {
        if let Self::Pid(pid) = self { Some(*pid) } else { None }
    }

    /// Writes digits, no newline. A file that holds this PID already, with or without nonce, is left as it is.
    pub fn write(town: &Town, pid: Pid) -> Result<(), WriteError> {
        if Self::read(town).pid() == Some(pid) {
            return Ok(());
        }
        atomic::replace_soon(&town.pid_file(), pid.to_string().as_bytes(), 0o644)
    }
}

/// `dolt-state.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// Whether the server was started and not stopped. Still true after a crash.
    pub running: bool,
    /// Its PID; 0 after a stop.
    pub pid: i32,
    /// Its port.
    pub port: u16,
    /// When it was started, RFC 3339.
    pub started_at: String,
    /// Its data directory.
    pub data_dir: String,
    /// The databases it served.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub databases: Vec<String>,
}

/// The state file as found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateFile {
    /// There is none.
    Missing,
    /// It was read.
    Read(State),
    /// It cannot be understood.
    Broken(String),
}

impl StateFile {
    /// Reads the file.
    pub fn read(town: &Town) -> Self {
        match fs::read(town.state_file()) {
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(state) => Self::Read(state),
                Err(e) => Self::Broken(e.to_string()),
            },
            Err(e) if e.kind() == io::ErrorKind::NotFound => Self::Missing,
            Err(e) => Self::Broken(e.to_string()),
        }
    }

    /// The state, or the zero state.
    pub fn state(&self) -> State {
        if let Self::Read(state) = self { state.clone() } else { State::default() }
    }
}

/// Writes the state. A broken old file is kept beside it as `dolt-state.json.bad`, never silently replaced.
pub fn save(town: &Town, state: &State) -> Result<(), WriteError> {
    let path = town.state_file();
    if let StateFile::Broken(_) = StateFile::read(town)
        && let Ok(old) = fs::read(&path)
    {
        atomic::write(&path.with_file_name("dolt-state.json.bad"), &old, 0o644)?;
    }
    let text = serde_json::to_string_pretty(state).unwrap_or_default();
    atomic::replace_soon(&path, text.as_bytes(), 0o644)
}

/// Waits until the hint files, our record among them, are on the disk. Called once when a command has changed all it
/// wants to change, and while a server boots: each wait can be long when others keep the disk busy.
pub fn settle(town: &Town) -> Result<(), WriteError> {
    atomic::settle(&[town.state_file(), town.pid_file(), town.record_file()])
}

/// Notes that the server is gone (not yet settled): PID file away, `running` false, the rest kept as history.
pub fn mark_stopped(town: &Town) -> Result<(), WriteError> {
    atomic::remove_soon(&town.pid_file())?;
    match StateFile::read(town) {
        StateFile::Missing => Ok(()),
        found => save(town, &State { running: false, pid: 0, ..found.state() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f07_garbage_in_the_pid_file_is_never_a_pid() {
        for bad in ["abc", "-1", "0", "1", "", "99999999999999999999", "12 34", "12\nnot-hex"] {
            assert!(matches!(PidFile::parse(bad), PidFile::Garbage(_)), "{bad:?}");
        }
    }

    #[test]
    fn f41_both_forms_of_the_pid_file_are_read_and_the_daemons_nonce_stays() {
        let pid = Pid::parse("4711").unwrap();
        assert_eq!(PidFile::parse("4711"), PidFile::Pid(pid));
        assert_eq!(PidFile::parse("4711\nabcdef0123456789"), PidFile::Pid(pid));
        let dir = tempfile::tempdir().unwrap();
        let town = Town::at(dir.path());
        fs::create_dir(town.daemon_dir()).unwrap();
        fs::write(town.pid_file(), "4711\nabcdef0123456789").unwrap();
        PidFile::write(&town, pid).unwrap();
        assert!(fs::read_to_string(town.pid_file()).unwrap().ends_with("abcdef0123456789"));
        PidFile::write(&town, Pid::parse("4712").unwrap()).unwrap();
        assert_eq!(fs::read_to_string(town.pid_file()).unwrap(), "4712");
    }

    #[test]
    fn the_state_is_spelled_as_go_spells_it() {
        let state = State {
            running: true,
            pid: 24_690,
            port: 23_101,
            started_at: "2026-11-21T07:50:24.950403352Z".into(),
            data_dir: "/t/.dolt-data".into(),
            databases: vec!["hq".into()],
        };
        let want = "{\n  \"running\": true,\n  \"pid\": 24690,\n  \"port\": 23101,\n  \"started_at\": \"2026-11-21T07:50:24.950403352Z\",\n  \"data_dir\": \"/t/.dolt-data\",\n  \"databases\": [\n    \"hq\"\n  ]\n}";
        assert_eq!(serde_json::to_string_pretty(&state).unwrap(), want);
        let empty = State::default();
        assert!(!serde_json::to_string(&empty).unwrap().contains("databases"));
    }
}
