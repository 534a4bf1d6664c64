//! `start`: exactly one server per town, ready when this returns, or a refusal that names the cause.
//!
//! Order: the town's lock → is it running already? → the stores, the program, gate and town lock, the databases' own
//! locks, the port → configuration → intent → spawn → ready. Nothing is changed before the last check has passed.

use std::time::Duration;

use super::binary::{self, Binary};
use super::find::{self, Search, Server};
use super::launch::{self, Outcome, Spawned};
use super::preflight::{self, Stores};
use super::record::{Ending, FORMAT, Phase, Record};
use super::state::{self, PidFile, State, StateFile};
use super::{Context, Notice, ServerError, ask, config_file, gate, log, view, with_causes};
use crate::sql::{Client, SqlError};
use crate::sys::clock::{self, Deadline, Stopwatch, Timestamp, pause};
use crate::sys::interrupt::Interrupt;
use crate::sys::lock::{self, FileLock, Mode};
use crate::sys::net::Port;
use crate::sys::process::{Pid, describe_all};
use crate::town::TownError;
use crate::town::settings::Sourced;

/// What a start is to do.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Databases to leave out.
    pub without: Vec<String>,
    /// How long everything may take; by default 30 s, or 5 s per database if that is more.
    pub timeout: Option<Duration>,
}

/// A server that runs and answers.
#[derive(Debug, Clone)]
pub struct Started {
    /// Whether it ran before.
    pub was_running: bool,
    /// Its PID.
    pub pid: Pid,
    /// Its port.
    pub port: Port,
    /// Where the port came from, if this start chose it.
    pub port_source: Option<String>,
    /// The databases that it serves.
    pub databases: Vec<String>,
    /// Databases on disk that it does not serve.
    pub missing: Vec<String>,
    /// How long this took.
    pub took: Duration,
}

/// What a command holds while it changes the server's state; it outlives the work so that an interrupt can clean up.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) lock: Option<FileLock>,
    pub(super) gate: Option<gate::Closed>,
    pub(super) spawned: Option<Spawned>,
}

/// Starts the server, or finds it running.
pub async fn start(context: &Context<'_>, options: &Options) -> Result<Started, ServerError> {
    context.refuse_remote()?;
    let mut interrupt = Interrupt::listen().map_err(ServerError::io("listen for signals"))?;
    let mut held = Held::default();
    let signal = tokio::select! {
        done = run(context, options, &mut held) => return done,
        signal = interrupt.arrived() => signal,
    };
    Err(abandon(context, held, signal, &mut interrupt).await)
}

/// Undoes a start that was interrupted: the child that we spawned is ended, the files say "stopped". A second interrupt
/// ends the wait for that.
pub(super) async fn abandon(
    context: &Context<'_>,
    held: Held,
    signal: i32,
    again: &mut Interrupt,
) -> ServerError {
    let Some(spawned) = &held.spawned else {
        return ServerError::Interrupted { signal, what_was_done: "nothing was started".to_owned() };
    };
    let mut ending = std::pin::pin!(launch::end(&spawned.handle));
    if tokio::time::timeout(Duration::from_secs(1), &mut ending).await.is_err() {
        context.tell(Notice::WaitingForExit { pid: spawned.handle.pid() });
        tokio::select! {
            () = ending => {}
            _ = again.arrived() => {}
        }
    }
    let ended = spawned.handle.has_ended();
    if ended {
        forget_failed_start(context, "interrupted");
    }
    let state = if ended { "was stopped again" } else { "has been asked to end" };
    let pid = spawned.handle.pid();
    ServerError::Interrupted { signal, what_was_done: format!("the starting server (PID {pid}) {state}") }
}

async fn run(context: &Context<'_>, options: &Options, held: &mut Held) -> Result<Started, ServerError> {
    let watch = Stopwatch::start();
    if let Some(started) = running_and_in_order(context, watch, None).await? {
        return options_come_late(context, options, started);
    }
    let deadline = deadline(context, options);
    tokio::select! {
        lock = lock_state(context, deadline) => held.lock = Some(lock?),
        started = becomes_ready(context, watch) => return options_come_late(context, options, started?),
    }
    let started = run_locked(context, options, deadline, watch, held).await?;
    options_come_late(context, options, started)
}

// A server that runs already is left alone, so what was asked of a new one is not done; that must be said. A name that is
// no database's is refused as by a start that does something.
fn options_come_late(
    context: &Context<'_>,
    options: &Options,
    started: Started,
) -> Result<Started, ServerError> {
    if !started.was_running || options.without.is_empty() {
        return Ok(started);
    }
    let on_disk = super::databases::scan(context.town)?;
    preflight::refuse_unknown(context, &options.without, |name| {
        started.databases.contains(name) || on_disk.iter().any(|d| d.name == *name)
    })?;
    let served: Vec<&str> =
        options.without.iter().filter(|w| started.databases.contains(w)).map(String::as_str).collect();
    if !served.is_empty() {
        context.tell(Notice::Warning(format!(
            "the running server serves {}: leave it out with gt dolt restart --without {}",
            served.join(", "),
            served.join(" --without ")
        )));
    }
    Ok(started)
}

/// The part of a start that needs the town's lock, which the caller holds.
pub(super) async fn run_locked(
    context: &Context<'_>,
    options: &Options,
    deadline: Deadline,
    watch: Stopwatch,
    held: &mut Held,
) -> Result<Started, ServerError> {
    let search = find::find(context.town)?;
    if let Some(server) = &search.server
        && let Some(started) = adopt(context, &search, server, deadline, watch).await?
    {
        return Ok(started);
    }
    let ending = note_crash(context, &search);
    collect_view(context)?;
    let stores = preflight::check_stores(context, &options.without)?;
    stores.warn(context);
    let port = context.settings.port.clone()?;
    for warning in &context.settings.warnings {
        context.tell(Notice::Warning(warning.clone()));
    }
    let wait_timeout = context.settings.wait_timeout.clone()?;
    context.settings.log_level.clone()?;
    held.gate = Some(gate::close(context, deadline).await?);
    let binary = binary::find(context.town, context.env).await?;
    preflight::wait_for_locks(context, &stores.served, deadline).await?;
    if ending.is_some() {
        context.tell(Notice::Note(
            "nobody holds its databases' locks (tested with flock); the LOCK files stay as they are"
                .to_owned(),
        ));
    }
    preflight::check_port(context, &port)?;
    let served_dir = served_dir(context, &stores)?;
    config_file::write(context.town, context.settings, &port, &served_dir)?;
    let names = stores.names();
    let crashes = search.record.as_ref().map_or(0, |r| r.crashes) + u32::from(search.has_crashed());
    let mut record = Record {
        version: FORMAT,
        phase: Phase::Starting,
        phase_at: String::new(),
        pid: None,
        start: None,
        boot_id: clock::boot_id(),
        program: binary.path.clone(),
        dolt_version: binary.version.clone(),
        port: port.value,
        port_source: port.source.to_string(),
        data_dir: context.town.data_dir(),
        without: stores.left_out.clone(),
        asked_by: context.asked.clone(),
        started_at: clock::now().to_string(),
        ready_at: None,
        last_ending: ending.or_else(|| search.record.as_ref().and_then(|r| r.last_ending.clone())),
        crashes,
    };
    let plan = Plan { binary: &binary, stores: &stores, port: &port, deadline };
    let client = until_up(context, held, &plan, &mut record).await?;
    // It answers, so it has its locks: writers meet those now and need not be kept out any longer.
    held.gate = None;
    let pid = held.spawned.as_ref().map_or_else(Pid::own, |s| s.handle.pid());
    set_wait_timeout(context, client, wait_timeout.value).await;
    record.ready_at = Some(clock::now().to_string());
    record.enter(Phase::Ready);
    // It answers: that cannot be undone by a full disk. The next start writes the record again.
    let noted = record.save(context.town).and_then(|()| Ok(state::settle(context.town)?));
    if let Err(error) = noted {
        context.tell(Notice::Warning(format!("the server is up, but {}", with_causes(&error))));
    }
    Ok(Started {
        was_running: false,
        pid,
        port: port.value,
        port_source: Some(port.source.to_string()),
        databases: names,
        missing: stores.left_out,
        took: watch.elapsed(),
    })
}

/// What is spawned, and where it shall listen.
struct Plan<'a> {
    binary: &'a Binary,
    stores: &'a Stores,
    port: &'a Sourced<Port>,
    deadline: Deadline,
}

// Spawns until a server is ready. Whatever else comes of it, no file claims afterwards that one runs.
async fn until_up(
    context: &Context<'_>,
    held: &mut Held,
    plan: &Plan<'_>,
    record: &mut Record,
) -> Result<Client, ServerError> {
    let (names, port, deadline) = (plan.stores.names(), plan.port, plan.deadline);
    loop {
        held.spawned = None;
        let spawned = match launch::spawn(context, plan.binary, record, &names).await {
            Ok(spawned) => held.spawned.insert(spawned),
            Err(error) => {
                forget_failed_start(context, &error.to_string());
                return Err(error);
            }
        };
        match launch::watch(context, spawned, port.value, &names, deadline).await {
            Outcome::Ready(client) => return Ok(client),
            // A foreign `dolt` or `bd` command slipped in between our look and the server's: wait for it and try again.
            Outcome::Died { reason, .. } if is_lock_conflict(&reason) && !deadline.has_passed() => {
                held.spawned = None;
                context.tell(Notice::Note(format!("trying again: {reason}")));
                back_to_intent(context, record)?;
                if let Err(error) = preflight::wait_for_locks(context, &plan.stores.served, deadline).await {
                    forget_failed_start(context, &reason);
                    return Err(error);
                }
                pause(Duration::from_millis(50)).await;
            }
            Outcome::Died { exit, reason } => {
                held.spawned = None;
                forget_failed_start(context, &reason);
                if is_port_conflict(&reason) {
                    // Somebody took the port after our look: the refusal that names him says more than Dolt's line.
                    preflight::check_port(context, port)?;
                }
                return Err(ServerError::Died { exit, reason, log: context.town.log_file() });
            }
            Outcome::NotReady { last_seen } => {
                let (pid, waited, log) = (spawned.handle.pid(), deadline.limit(), context.town.log_file());
                return Err(ServerError::NotReady { pid, waited, last_seen, log });
            }
        }
    }
}

fn deadline(context: &Context<'_>, options: &Options) -> Deadline {
    let count = super::databases::scan(context.town).map_or(0, |d| d.len() as u64);
    Deadline::after(options.timeout.unwrap_or_else(|| Duration::from_secs((5 * count).max(30))))
}

/// Takes the town's lock for a change of the server's state.
pub(super) async fn lock_state(context: &Context<'_>, deadline: Deadline) -> Result<FileLock, ServerError> {
    let dir = context.town.daemon_dir();
    std::fs::create_dir_all(&dir).map_err(|source| TownError::MakeDir { path: dir, source })?;
    let tell = |holders: &[Pid]| context.tell(Notice::WaitingForLock { holder: describe_all(holders) });
    let lock = lock::acquire(&context.town.lock_file(), Mode::Exclusive, deadline, tell).await?;
    if lock.kind() == lock::Kind::Fcntl {
        context.tell(Notice::Warning(
            "this file system has no flock; using fcntl locks, which the Go gt and Dolt do not see"
                .to_owned(),
        ));
    }
    Ok(lock)
}

// Whoever waits for the lock of another start is done as soon as that one is.
async fn becomes_ready(context: &Context<'_>, watch: Stopwatch) -> Result<Started, ServerError> {
    let since = clock::now();
    loop {
        pause(Duration::from_millis(10)).await;
        if Record::load(context.town)?.is_some_and(|r| r.phase == Phase::Ready)
            && let Some(started) = running_and_in_order(context, watch, Some(since)).await?
        {
            return Ok(started);
        }
    }
}

/// A server that runs, answers and has its files in order: then there is nothing to do and no lock to take. One that
/// another start has seen answer with every database since `proved_since` is not asked again: many that wait at once
/// would only take the time of one another.
async fn running_and_in_order(
    context: &Context<'_>,
    watch: Stopwatch,
    proved_since: Option<Timestamp>,
) -> Result<Option<Started>, ServerError> {
    let search = find::find(context.town)?;
    let Some((server, port)) = search.server.as_ref().and_then(|s| Some((s, s.port?))) else {
        return Ok(None);
    };
    let pid = server.facts.pid;
    let phase_ok = search.record.as_ref().is_none_or(|r| r.phase == Phase::Ready);
    let state = search.state_file.state();
    let files_ok = search.pid_file.pid() == Some(pid) && state.running && state.pid == pid.get();
    if !(phase_ok && files_ok) {
        return Ok(None);
    }
    let record = search.record.as_ref().filter(|r| r.is_about(&server.facts));
    let ready_at: Option<Timestamp> = record.and_then(|r| r.ready_at.as_ref()?.parse().ok());
    if proved_since.is_some_and(|since| ready_at.is_some_and(|at| at >= since)) {
        return Ok(Some(already(context, server, port, state.databases, watch)));
    }
    match ask::databases(context, port, Duration::from_secs(1)).await {
        Ok(served) => Ok(Some(already(context, server, port, served, watch))),
        Err(_) => Ok(None),
    }
}

fn already(
    context: &Context<'_>,
    server: &Server,
    port: Port,
    served: Vec<String>,
    watch: Stopwatch,
) -> Started {
    match &context.settings.port {
        Ok(set) if set.value != port => context.tell(Notice::Warning(format!(
            "the port setting is {} ({}), the running server has {port}: it takes effect with gt dolt restart",
            set.value, set.source
        ))),
        Ok(_) => {}
        Err(error) => context.tell(Notice::Warning(format!("the next start will refuse: {error}"))),
    }
    let on_disk =
        super::databases::scan(context.town).map(|d| super::databases::names(&d)).unwrap_or_default();
    Started {
        was_running: true,
        pid: server.facts.pid,
        port,
        port_source: None,
        missing: ask::missing(&on_disk, &served),
        databases: served,
        took: watch.elapsed(),
    }
}

// A living server of ours that this command did not start: wait until it answers, then put the files in order.
// `None`: it ended while we waited.
async fn adopt(
    context: &Context<'_>,
    search: &Search,
    server: &Server,
    deadline: Deadline,
    watch: Stopwatch,
) -> Result<Option<Started>, ServerError> {
    let answer = tokio::select! {
        answer = until_it_answers(context, server, search.last_port(), deadline) => answer,
        () = server.handle.ended() => return Ok(None),
    };
    let (port, served) = answer?;
    let pid = server.facts.pid;
    PidFile::write(context.town, pid)?;
    let old = search.state_file.state();
    let same = old.running && old.pid == pid.get() && old.port == port.get();
    if !same || matches!(search.state_file, StateFile::Broken(_)) {
        let state = State {
            running: true,
            pid: pid.get(),
            port: port.get(),
            started_at: server.facts.started_at.to_string(),
            data_dir: context.town.data_dir().display().to_string(),
            databases: served.clone(),
        };
        state::save(context.town, &state)?;
    }
    if let Some(mut record) =
        search.record.clone().filter(|r| r.is_about(&server.facts) && r.phase != Phase::Ready)
    {
        record.ready_at = Some(clock::now().to_string());
        record.enter(Phase::Ready);
        record.save(context.town)?;
    } else if search.record.as_ref().is_some_and(|r| !r.is_about(&server.facts)) {
        // The record is about an earlier server; this one was started by somebody else and needs none.
        crate::sys::atomic::remove_soon(&context.town.record_file())?;
    }
    state::settle(context.town)?;
    Ok(Some(already(context, server, port, served, watch)))
}

async fn until_it_answers(
    context: &Context<'_>,
    server: &Server,
    expected: Option<Port>,
    deadline: Deadline,
) -> Result<(Port, Vec<String>), ServerError> {
    let pid = server.facts.pid;
    let mut silent: Option<Deadline> = None;
    let mut last: Option<SqlError> = None;
    loop {
        if let Some(port) = find::sql_port(pid, expected) {
            // A booting server does not listen yet; one that listens and stays silent this long is hung.
            let patience = silent.get_or_insert_with(|| Deadline::after(Duration::from_secs(5)));
            match ask::databases(context, port, Duration::from_secs(1)).await {
                Ok(served) => return Ok((port, served)),
                Err(error) if patience.has_passed() => {
                    return Err(ServerError::NotAnswering { pid, problem: error.to_string() });
                }
                Err(error) => last = Some(error),
            }
        }
        if deadline.has_passed() {
            let last_seen = last.map_or_else(|| "it does not listen yet".to_owned(), |e| e.to_string());
            let (waited, log) = (deadline.limit(), context.town.log_file());
            return Err(ServerError::NotReady { pid, waited, last_seen, log });
        }
        pause(Duration::from_millis(10)).await;
    }
}

fn served_dir(context: &Context<'_>, stores: &Stores) -> Result<std::path::PathBuf, ServerError> {
    if stores.left_out.is_empty() {
        return Ok(context.town.data_dir());
    }
    let wanted: Vec<_> = stores.served.iter().collect();
    view::build(context.town, &wanted)
}

/// Takes away the view that the server before served, if it did, and tells what was put in its place.
pub(super) fn collect_view(context: &Context<'_>) -> Result<(), ServerError> {
    let view::Collected { moved, dropped } = view::collect(context.town)?;
    if !dropped.is_empty() {
        context.tell(Notice::Note(format!("dropped, kept for dolt_undrop: {}", dropped.join(", "))));
    }
    if !moved.is_empty() {
        context.tell(Notice::Note(format!("moved to its place: {}", moved.join(", "))));
    }
    Ok(())
}

fn is_lock_conflict(reason: &str) -> bool {
    reason.contains("locked by another dolt process")
}

fn is_port_conflict(reason: &str) -> bool {
    reason.contains("already in use")
}

// Between two attempts no file may name the dead server: a look would call it crashed.
fn back_to_intent(context: &Context<'_>, record: &mut Record) -> Result<(), ServerError> {
    state::mark_stopped(context.town)?;
    record.enter_intent();
    record.save(context.town)
}

async fn set_wait_timeout(context: &Context<'_>, mut client: Client, seconds: Option<Duration>) {
    if let Some(limit) = seconds
        && let Err(error) = client.query(&format!("SET GLOBAL wait_timeout = {}", limit.as_secs())).await
    {
        context.tell(Notice::Warning(format!("wait_timeout was not set: {error}")));
    }
    client.close().await;
}

// Tells about a server that ended without being stopped, once, and gives the entry for the record.
fn note_crash(context: &Context<'_>, search: &Search) -> Option<Ending> {
    if !search.has_crashed() {
        return None;
    }
    let (pid, _, rebooted) = search.last_server();
    let how = if rebooted { "machine restarted" } else { "crashed" };
    let last = log::last_sign_of_life(context.town).map(clock::local);
    let detail = last.map(|l| format!("last line in its log {l}")).unwrap_or_default();
    let was = pid.map(|p| format!("PID {p}")).unwrap_or_default();
    context.tell(Notice::Note(format!("the server before this one {how} ({was}, {detail})")));
    Some(Ending { at: clock::now().to_string(), pid, how: how.to_owned(), detail })
}

// After a failed start nothing may claim that a server runs. Errors here only leave stale hints, which are only hints.
fn forget_failed_start(context: &Context<'_>, reason: &str) {
    if let Err(error) = state::mark_stopped(context.town) {
        tracing::warn!(%error, "the state files still name the server that failed to start");
    }
    if let Ok(Some(mut record)) = Record::load(context.town) {
        let how = "failed to start".to_owned();
        let (at, detail) = (clock::now().to_string(), reason.to_owned());
        record.last_ending = Some(Ending { at, pid: record.pid, how, detail });
        record.enter(Phase::Failed);
        if let Err(error) = record.save(context.town) {
            tracing::warn!(%error, "the record still says that a start is under way");
        }
    }
    if let Err(error) = state::settle(context.town) {
        tracing::warn!(%error, "the state files may not be on disk");
    }
}
