//! Finds the living server of a town. Reads only.
//!
//! The hints (our record, the PID file, the state file, Dolt's `sql-server.info`) name candidates; after them whoever
//! holds the lock of one of the town's databases; and after a start that was cut off, any process that looks like what
//! it was about to spawn. A candidate counts only if [`super::identity`] says so, and from then on it is
//! known by a handle that PID reuse cannot fool.

use std::fs;
use std::path::PathBuf;

use super::ServerError;
use super::databases::{self, Database};
use super::identity::{self, Verdict};
use super::record::{Phase, Record};
use super::state::{PidFile, StateFile};
use crate::sys::clock::Timestamp;
use crate::sys::lock::{self, LockTable, Probe};
use crate::sys::net::{self, Port, PortUse};
use crate::sys::process::{self, Facts, Handle, Pid, describe};
use crate::town::Town;

/// The living, proved server of a town.
#[derive(Debug)]
pub struct Server {
    /// A handle on the process.
    pub handle: Handle,
    /// What the kernel says about it.
    pub facts: Facts,
    /// Why it is ours.
    pub evidence: Vec<String>,
    /// The port it listens on for SQL; `None`: none yet.
    pub port: Option<Port>,
    /// What led to it.
    pub found_by: &'static str,
}

/// Everything that a look at a town gave.
#[derive(Debug)]
pub struct Search {
    /// The server, if one lives.
    pub server: Option<Server>,
    /// Hints that led to nothing or to somebody else, one line each.
    pub notes: Vec<String>,
    /// Whether a hint led to a living Dolt server of another user, of which nothing more can be said.
    pub may_be_veiled: bool,
    /// Our record.
    pub record: Option<Record>,
    /// The PID file.
    pub pid_file: PidFile,
    /// The state file.
    pub state_file: StateFile,
}

impl Search {
    /// Whether the files say that a server runs, and none does: it crashed, was killed, or the machine went down.
    pub fn has_crashed(&self) -> bool {
        if self.server.is_some() || self.may_be_veiled || self.has_ended_as_asked() {
            return false;
        }
        // The state file is written by every program that stops a server, our record only by this one.
        match (&self.state_file, &self.record) {
            (StateFile::Read(state), _) => state.running,
            // An intent alone says that a start was cut off, perhaps before there was any server.
            (_, Some(record)) => {
                let went_up = matches!(record.phase, Phase::Starting | Phase::Ready | Phase::Stopping);
                went_up && !record.is_bare_intent()
            }
            (_, None) => false,
        }
    }

    /// Whether a stop asked the server to end, did not see the end (it was interrupted, or gave up), and it has come.
    pub fn has_ended_as_asked(&self) -> bool {
        let state = self.state_file.state();
        let asked = |r: &Record| r.is_asked_to_end() && (!state.running || r.pid == Pid::new(state.pid));
        self.server.is_none() && self.record.as_ref().is_some_and(asked)
    }

    /// The server that the files speak of, living or not: its PID, when it was started, and whether that was before the
    /// machine was last started. The state file names the newest one, whoever started it.
    pub fn last_server(&self) -> (Option<Pid>, Option<Timestamp>, bool) {
        let state = self.state_file.state();
        let pid = Pid::new(state.pid);
        let record = self.record.as_ref().filter(|r| pid.is_none() || r.pid == pid);
        let started_at = record.map_or(state.started_at.as_str(), |r| r.started_at.as_str());
        let rebooted = record.is_some_and(Record::is_from_another_boot);
        (pid.or_else(|| record.and_then(|r| r.pid)), started_at.parse().ok(), rebooted)
    }

    /// The port at which the last server listened.
    pub fn last_port(&self) -> Option<Port> {
        let recorded = self.record.as_ref().map(|r| r.port);
        recorded.or_else(|| Port::new(self.state_file.state().port))
    }
}

/// Looks for the server.
pub fn find(town: &Town) -> Result<Search, ServerError> {
    let record = Record::load(town)?;
    let mut search = Search {
        server: None,
        notes: Vec::new(),
        may_be_veiled: false,
        record,
        pid_file: PidFile::read(town),
        state_file: StateFile::read(town),
    };
    if let PidFile::Garbage(text) = &search.pid_file {
        search.notes.push(format!("daemon/dolt.pid holds {text:?}, which is no PID"));
    }
    if let StateFile::Broken(problem) = &search.state_file {
        search.notes.push(format!("daemon/dolt-state.json cannot be understood: {problem}"));
    }
    let mut seen: Vec<Pid> = Vec::new();
    for (found_by, pid) in hints(town, &search) {
        if seen.contains(&pid) {
            continue;
        }
        seen.push(pid);
        try_candidate(town, &mut search, pid, found_by);
        if search.server.is_some() {
            return Ok(search);
        }
    }
    for pid in lock_holders(town) {
        if seen.contains(&pid) {
            continue;
        }
        seen.push(pid);
        try_candidate(town, &mut search, pid, "a held database lock");
        if search.server.is_some() {
            return Ok(search);
        }
    }
    if search.record.as_ref().is_some_and(Record::is_bare_intent) {
        for pid in unrecorded(town) {
            try_candidate(town, &mut search, pid, "a start that was cut off");
            if search.server.is_some() {
                break;
            }
        }
    }
    Ok(search)
}

fn hints(town: &Town, search: &Search) -> Vec<(&'static str, Pid)> {
    let ended = |r: &Record| matches!(r.phase, Phase::Stopped | Phase::Failed);
    let record = search.record.as_ref().filter(|r| !r.is_from_another_boot() && !ended(r));
    let info = fs::read_to_string(town.data_dir().join(".dolt/sql-server.info")).unwrap_or_default();
    let found = [
        ("daemon/gt-server.json", record.and_then(|r| r.pid)),
        ("daemon/dolt.pid", search.pid_file.pid()),
        ("daemon/dolt-state.json", Pid::new(search.state_file.state().pid)),
        (".dolt-data/.dolt/sql-server.info", info.split(':').next().and_then(Pid::parse)),
    ];
    found.into_iter().filter_map(|(name, pid)| Some((name, pid?))).collect()
}

fn try_candidate(town: &Town, search: &mut Search, pid: Pid, found_by: &'static str) {
    // The handle first: the facts read through it belong to the process that a later signal would reach.
    let handle = match Handle::open(pid) {
        Ok(Some(handle)) => handle,
        // A dead hint is what every stop by another program and every crash leaves: nothing to tell.
        Ok(None) => return,
        Err(error) => {
            search.notes.push(format!("{found_by} names PID {pid}, which cannot be examined: {error}"));
            return;
        }
    };
    let Some(facts) = handle.facts() else {
        return;
    };
    let finding = identity::examine(&facts, town, search.record.as_ref());
    let veiled = identity::is_veiled(&facts);
    if finding.verdict == Verdict::Ours {
        let port = if veiled { unseen_port(search) } else { sql_port(pid, search.last_port()) };
        search.server = Some(Server { handle, facts, evidence: finding.evidence, port, found_by });
    } else {
        search.may_be_veiled |= veiled && identity::is_sql_server(&facts);
        let why = finding.evidence.last().cloned().unwrap_or_default();
        search
            .notes
            .push(format!("{found_by} names {}, which is not this town's server: {why}", describe(pid)));
    }
}

/// The port a server listens on. It may listen on others too (metrics, remotes); the one it was given wins.
pub(super) fn sql_port(pid: Pid, expected: Option<Port>) -> Option<Port> {
    let ports = net::listening_ports(pid);
    expected.filter(|p| ports.contains(p)).or_else(|| ports.first().copied())
}

// Whose sockets another user's process has is not told; that somebody unseen listens on its port is.
fn unseen_port(search: &Search) -> Option<Port> {
    search.last_port().filter(|p| net::port_use(*p) == PortUse::Unnamed)
}

// A start that was killed after it spawned a server and before it wrote down which: that server may hold no lock yet.
fn unrecorded(town: &Town) -> Vec<Pid> {
    let servers = process::with_argument("sql-server").into_iter();
    let ours = servers.filter(|f| identity::examine(f, town, None).verdict == Verdict::Ours);
    ours.map(|f| f.pid).collect()
}

fn lock_holders(town: &Town) -> Vec<Pid> {
    let databases = databases::scan(town).unwrap_or_default();
    // Testing a lock takes microseconds, naming its holder milliseconds: only the held ones are asked about.
    let is_free = |path: &PathBuf| matches!(lock::probe(path), Ok(Probe::Free | Probe::Missing));
    let held: Vec<PathBuf> = databases.iter().map(Database::lock_file).filter(|p| !is_free(p)).collect();
    if held.is_empty() {
        return Vec::new();
    }
    let table = LockTable::read();
    let mut pids: Vec<Pid> = held.iter().flat_map(|path| table.holders_of_path(path)).collect();
    pids.sort_unstable();
    pids.dedup();
    pids.retain(|p| *p != Pid::own());
    pids
}
