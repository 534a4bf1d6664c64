//! `status`: how the town's server is, in under a second, by looking only. No probe writes, no file is touched.

use std::path::PathBuf;
use std::time::Duration;

use super::databases::{self, Condition, Database};
use super::find::{self, Search, Server};
use super::record::Ending;
use super::{Context, ServerError, ask, identity, log};
use crate::sys::clock::{self, Timestamp};
use crate::sys::net::Port;
use crate::sys::process::Pid;

/// How long a living server may take to answer before it is called silent.
const PATIENCE: Duration = Duration::from_millis(600);

/// In which condition the server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It runs and answers.
    Running(ask::Answer),
    /// It runs and has not opened its port yet.
    Starting,
    /// It was asked to end and has not yet.
    Stopping,
    /// It runs and does not answer.
    Silent {
        /// When we asked.
        asked_at: Timestamp,
        /// The newest sign of life, if any.
        last_sign: Option<Timestamp>,
        /// What happened when we asked, or that it is stopped by a signal.
        problem: String,
    },
    /// It does not run, and was not stopped.
    Crashed {
        /// Its PID.
        pid: Option<Pid>,
        /// When it was started.
        started_at: Option<Timestamp>,
        /// Its last log line.
        last_sign: Option<Timestamp>,
        /// Whether the machine was restarted since.
        rebooted: bool,
    },
    /// It does not run.
    Down,
}

/// A running process, as far as status shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its PID.
    pub pid: Pid,
    /// When the kernel started it.
    pub started_at: Timestamp,
    /// Its port.
    pub port: Option<Port>,
    /// Resident memory in bytes.
    pub rss_bytes: u64,
    /// Why it is ours.
    pub evidence: Vec<String>,
}

/// Everything that `status` shows.
#[derive(Debug, Clone)]
pub struct Status {
    /// How it is.
    pub health: Health,
    /// The process, if one lives.
    pub process: Option<Process>,
    /// The data directory.
    pub data_dir: PathBuf,
    /// What lies on disk.
    pub databases: Vec<Database>,
    /// On disk and not served, though it should be.
    pub missing: Vec<String>,
    /// Left out by `start --without`.
    pub left_out: Vec<String>,
    /// Bytes in the data directory.
    pub disk_bytes: u64,
    /// How the last server ended.
    pub last_ending: Option<Ending>,
    /// How many crashes were noticed.
    pub crashes: u32,
    /// What looks odd.
    pub notes: Vec<String>,
}

/// Looks at the server of this machine.
pub async fn status(context: &Context<'_>) -> Result<Status, ServerError> {
    let mut search = find::find(context.town)?;
    let mut server = search.server.take();
    let health = match &server {
        Some(server) if is_asked_to_end(&search, server) => Health::Stopping,
        Some(server) => health_of(context, server).await,
        None => absent(context, &search),
    };
    let databases = databases::scan(context.town)?;
    let left_out = search.record.as_ref().map(|r| r.without.clone()).unwrap_or_default();
    let missing = match &health {
        Health::Running(answer) => {
            let mut expected = databases::names(&databases);
            expected.retain(|e| !left_out.contains(e));
            ask::missing(&expected, &answer.databases)
        }
        _ => Vec::new(),
    };
    let mut notes = search.notes;
    notes.extend(half_made(&databases));
    notes.extend(settings_notes(context, server.as_ref()));
    if let Some(server) = server.as_mut().filter(|s| !identity::is_veiled(&s.facts)) {
        let (held, all) = identity::locks_held(&server.facts, &context.town.data_dir());
        server.evidence.push(format!("locks held: {held} of {all} databases of this town"));
    }
    if let (Some(server), Some(named)) = (&server, search.pid_file.pid())
        && named != server.facts.pid
    {
        notes.push(format!("daemon/dolt.pid names PID {named}; gt dolt start puts that right"));
    }
    Ok(Status {
        health,
        process: server.map(|s| Process {
            pid: s.facts.pid,
            started_at: s.facts.started_at,
            port: s.port,
            rss_bytes: s.facts.rss_bytes,
            evidence: s.evidence,
        }),
        data_dir: context.town.data_dir(),
        disk_bytes: databases.iter().map(|d| databases::disk_usage(&d.dir)).sum(),
        databases,
        missing,
        left_out,
        last_ending: search.record.as_ref().and_then(|r| r.last_ending.clone()),
        crashes: search.record.as_ref().map_or(0, |r| r.crashes),
        notes,
    })
}

/// Asks a server on another machine.
pub async fn remote(context: &Context<'_>, port: Port) -> Result<ask::Answer, crate::sql::SqlError> {
    ask::ask(context, port, Duration::from_secs(3)).await
}

fn is_asked_to_end(search: &Search, server: &Server) -> bool {
    search.record.as_ref().is_some_and(|r| r.is_asked_to_end() && r.is_about(&server.facts))
}

async fn health_of(context: &Context<'_>, server: &Server) -> Health {
    let last_sign = log::last_sign_of_life(context.town);
    let silent = |problem: String| Health::Silent { asked_at: clock::now(), last_sign, problem };
    if matches!(server.facts.state, 'T' | 't') {
        return silent("it is stopped by a signal (state T)".to_owned());
    }
    let Some(port) = server.port else {
        return Health::Starting;
    };
    match ask::ask(context, port, PATIENCE).await {
        Ok(answer) => Health::Running(answer),
        Err(error) => silent(error.to_string()),
    }
}

fn absent(context: &Context<'_>, search: &Search) -> Health {
    // A start that is under way has written its intent and not spawned yet.
    let intent = search.record.as_ref().filter(|r| r.is_bare_intent());
    if intent.is_some_and(|r| crate::sys::process::Facts::read(r.asked_by.pid).is_some()) {
        return Health::Starting;
    }
    if !search.has_crashed() {
        return Health::Down;
    }
    let (pid, started_at, rebooted) = search.last_server();
    Health::Crashed { pid, started_at, last_sign: log::last_sign_of_life(context.town), rebooted }
}

fn half_made(databases: &[Database]) -> Vec<String> {
    let half = databases.iter().filter(|d| d.condition == Condition::HalfMade);
    half.map(|d| format!("{} was never finished being created: gt dolt init-rig {}", d.name, d.name))
        .collect()
}

fn settings_notes(context: &Context<'_>, server: Option<&Server>) -> Vec<String> {
    let mut notes = context.settings.warnings.clone();
    match &context.settings.port {
        Err(error) => notes.push(format!("the next start will refuse: {error}")),
        Ok(set) => {
            if let Some(port) = server.and_then(|s| s.port).filter(|p| *p != set.value) {
                notes.push(format!(
                    "the port setting is {} ({}), the server has {port}: it takes effect with gt dolt restart",
                    set.value, set.source
                ));
            }
        }
    }
    notes
}
