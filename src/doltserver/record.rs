//! Our own facts about the server, in `daemon/gt-server.json`: what the Go tools do not know and would drop.
//!
//! Written before the server is spawned (the intent), after it is ready, when it stops. A PID counts only together with
//! the kernel's start token and the boot id. The file is a hint like the others; it decides nothing that the lock and
//! the kernel do not confirm.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ServerError;
use crate::sys::atomic;
use crate::sys::clock;
use crate::sys::net::Port;
use crate::sys::process::{Facts, Pid, StartToken};
use crate::town::Town;
use crate::town::env::{self, Env};

/// The format that this version writes.
pub const FORMAT: u32 = 1;

const ASKED_TO_END: &str = "asked to end";

/// Where the server is in its life, as last written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// A start is under way.
    Starting,
    /// It answered with every database.
    Ready,
    /// A stop is under way.
    Stopping,
    /// It was stopped.
    Stopped,
    /// A start failed.
    Failed,
}

/// Who gave the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedBy {
    /// Our own PID.
    pub pid: Pid,
    /// The command, for example `gt dolt start`.
    pub command: String,
    /// The user's name.
    pub user: String,
    /// The process that called us, in words.
    pub parent: String,
}

impl AskedBy {
    /// Describes this process.
    pub fn this_process(env: &Env, command: &str) -> Self {
        let own = Facts::read(Pid::own());
        let parent = own.and_then(|f| f.parent).and_then(Facts::read);
        Self {
            pid: Pid::own(),
            command: command.to_owned(),
            user: env.text(env::USER).unwrap_or_default(),
            parent: parent.map(|p| format!("{} (PID {})", p.name(), p.pid)).unwrap_or_default(),
        }
    }
}

/// How the last server of this town ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// When it ended, or for a crash when that was noticed. RFC 3339.
    pub at: String,
    /// Its PID.
    pub pid: Option<Pid>,
    /// `stopped`, `killed`, `crashed`, `failed to start`, `machine restarted`.
    pub how: String,
    /// Exit code or last error line, where known.
    pub detail: String,
}

/// The record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Format of this file.
    pub version: u32,
    /// Where the server is in its life.
    pub phase: Phase,
    /// When this phase began, RFC 3339.
    pub phase_at: String,
    /// The server's PID, once there is one.
    pub pid: Option<Pid>,
    /// The kernel's start token of that PID.
    pub start: Option<StartToken>,
    /// The boot in which it was started.
    pub boot_id: Option<String>,
    /// The program that was started.
    pub program: PathBuf,
    /// Its version.
    pub dolt_version: String,
    /// Its port.
    pub port: Port,
    /// Where the port came from.
    pub port_source: String,
    /// Its data directory.
    pub data_dir: PathBuf,
    /// Databases that were left out on request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
    /// Who started it.
    pub asked_by: AskedBy,
    /// When it was started and when it was ready, RFC 3339.
    pub started_at: String,
    /// See `started_at`.
    pub ready_at: Option<String>,
    /// How the one before, or this one, ended.
    pub last_ending: Option<Ending>,
    /// How often a server of this town was found dead without having been stopped.
    #[serde(default)]
    pub crashes: u32,
}

impl Record {
    /// Reads the record. `Ok(None)`: there is none, or it cannot be understood (it is only a hint). A record of a
    /// newer version is an error: writing it again would lose what that version put there.
    pub fn load(town: &Town) -> Result<Option<Self>, ServerError> {
        let path = town.record_file();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(ServerError::Io { what: format!("read {}", path.display()), source }),
        };
        let version = serde_json::from_slice::<serde_json::Value>(&bytes).ok();
        let version = version.and_then(|v| u32::try_from(v.get("version")?.as_u64()?).ok());
        if let Some(version) = version.filter(|v| *v > FORMAT) {
            return Err(ServerError::NewerRecord { path, version, known: FORMAT });
        }
        let record = serde_json::from_slice(&bytes);
        if let Err(error) = &record {
            tracing::warn!(%error, path = %path.display(), "our record cannot be understood and is ignored");
        }
        Ok(record.ok())
    }

    /// Writes the record; [`state::settle`](super::state::settle) makes it survive a power cut.
    pub fn save(&self, town: &Town) -> Result<(), ServerError> {
        let path = town.record_file();
        let text = serde_json::to_string_pretty(self)
            .map_err(|e| ServerError::Io { what: format!("write {}", path.display()), source: e.into() })?;
        Ok(atomic::replace_soon(&path, (text + "\n").as_bytes(), 0o644)?)
    }

    /// Moves to another phase.
    pub fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.phase_at = clock::now().to_string();
    }

    /// Whether this record is about that very process: PID, start token and boot agree.
    pub fn is_about(&self, facts: &Facts) -> bool {
        self.pid == Some(facts.pid) && self.start == Some(facts.start) && self.boot_id == clock::boot_id()
    }

    /// Goes back to the intent: a server is about to be spawned and has no PID yet.
    pub fn enter_intent(&mut self) {
        (self.pid, self.start) = (None, None);
        self.enter(Phase::Starting);
    }

    /// Whether a start was about to spawn a server when this was written.
    pub fn is_bare_intent(&self) -> bool {
        self.phase == Phase::Starting && self.pid.is_none()
    }

    /// Notes that the server was asked to end and has not yet.
    pub fn note_asked_to_end(&mut self) {
        let (at, how) = (clock::now().to_string(), ASKED_TO_END.to_owned());
        self.last_ending = Some(Ending { at, pid: self.pid, how, detail: String::new() });
    }

    /// Whether the server was asked to end and nobody has written down that it did.
    pub fn is_asked_to_end(&self) -> bool {
        let asked = |e: &Ending| e.how == ASKED_TO_END && e.pid == self.pid;
        self.phase == Phase::Stopping && self.last_ending.as_ref().is_some_and(asked)
    }

    /// Whether it was written before the machine was last started.
    pub fn is_from_another_boot(&self) -> bool {
        self.boot_id != clock::boot_id()
    }
}
