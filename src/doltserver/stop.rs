//! `stop`: gentle, visible, and never at a stranger.
//!
//! Dolt cuts running queries off when it is asked to end, so they are waited for *before* the signal; connections that
//! only sit there are not. Then TERM, then the wait for the exit. KILL only with `--force`, or after a grace that the
//! user set; Dolt's own defaults are never cut short.

use std::time::Duration;

use super::find::{self, Server};
use super::identity;
use super::record::{Ending, Phase, Record};
use super::start::{collect_view, lock_state};
use super::{Context, Notice, ServerError, state, with_causes};
use crate::sql::Client;
use crate::sys::clock::{self, Deadline, pause};
use crate::sys::interrupt::Interrupt;
use crate::sys::lock::FileLock;
use crate::sys::process::{Pid, Signal};

/// How to stop.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// How long queries, and then the exit, are each waited for. `None`: the setting.
    pub grace: Option<Duration>,
    /// Kill after the grace.
    pub force: bool,
}

/// A server that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// Its PID.
    pub pid: Pid,
    /// Whether it had to be killed.
    pub killed: bool,
    /// How long this took.
    pub took: Duration,
}

/// Stops the town's server.
pub async fn stop(context: &Context<'_>, options: Options) -> Result<Stopped, ServerError> {
    context.refuse_remote()?;
    let mut interrupt = Interrupt::listen().map_err(ServerError::io("listen for signals"))?;
    let grace = options.grace.map_or_else(|| context.settings.stop_grace.clone().map(|g| g.value), Ok)?;
    let mut lock = None;
    let signal = tokio::select! {
        done = run(context, options, grace, &mut lock) => return done,
        signal = interrupt.arrived() => signal,
    };
    if lock.is_none() {
        return Err(ServerError::Interrupted { signal, what_was_done: "nothing was done".to_owned() });
    }
    Err(abandon(context, signal))
}

/// Leaves a stop that was interrupted while the caller holds the lock: says whether the server has been asked to end, which cannot be taken back.
pub(super) fn abandon(context: &Context<'_>, signal: i32) -> ServerError {
    let what_was_done = match Record::load(context.town) {
        Ok(Some(record)) if record.is_asked_to_end() => {
            "the server has been asked to end and will".to_owned()
        }
        _ => "the server was not asked to end".to_owned(),
    };
    back_to_ready(context);
    ServerError::Interrupted { signal, what_was_done }
}

async fn run(
    context: &Context<'_>,
    options: Options,
    grace: Duration,
    lock: &mut Option<FileLock>,
) -> Result<Stopped, ServerError> {
    let wait = Deadline::after(grace.max(Duration::from_secs(30)));
    *lock = Some(lock_state(context, wait).await?);
    run_locked(context, options, grace).await
}

/// The part of a stop that needs the town's lock, which the caller holds.
pub(super) async fn run_locked(
    context: &Context<'_>,
    options: Options,
    grace: Duration,
) -> Result<Stopped, ServerError> {
    let begun = Deadline::after(grace);
    let mut search = find::find(context.town)?;
    let Some(server) = search.server.take() else {
        // Files that claim otherwise are put right: nothing lives.
        if search.has_crashed() {
            forget(context, None, "crashed", "found dead by a stop");
        } else if search.has_ended_as_asked() {
            forget(context, None, "stopped", "after an earlier stop had asked it to end");
        }
        return Err(ServerError::NotRunning { notes: search.notes });
    };
    let pid = server.facts.pid;
    let mut record = search.record.filter(|r| r.is_about(&server.facts));
    if let Some(record) = &mut record {
        record.enter(Phase::Stopping);
        note(context, record);
    }
    wait_for_queries(context, &server, grace).await;
    ask_to_end(&server)?;
    if let Some(record) = &mut record {
        record.note_asked_to_end();
        note(context, record);
    }
    let may_kill = options.force || options.grace.is_some() || set_by_user(context);
    let killed = wait_for_exit(context, &server, grace, may_kill).await?;
    let how = if killed { "killed" } else { "stopped" };
    forget(context, Some(pid), how, &context.asked.command);
    if let Err(error) = collect_view(context) {
        context.tell(Notice::Warning(format!("the server has ended; the next start will refuse: {error}")));
    }
    Ok(Stopped { pid, killed, took: begun.elapsed() })
}

// A disk that is full must not keep a server running.
fn note(context: &Context<'_>, record: &Record) {
    if let Err(error) = record.save(context.town) {
        context.tell(Notice::Warning(with_causes(&error)));
    }
}

fn set_by_user(context: &Context<'_>) -> bool {
    use crate::town::settings::Source;
    context.settings.stop_grace.as_ref().is_ok_and(|g| g.source != Source::Default)
}

async fn wait_for_queries(context: &Context<'_>, server: &Server, grace: Duration) {
    let Some(port) = server.port else { return };
    let deadline = Deadline::after(grace);
    let limit = Duration::from_millis(500);
    // A server that does not answer has no query to wait for that we could know of.
    let Ok(mut client) = Client::connect(&context.endpoint(port), None, limit).await else {
        context
            .tell(Notice::Note("the server does not answer, so its queries cannot be waited for".to_owned()));
        return;
    };
    let mut told = Vec::new();
    let mut between = Duration::from_millis(5);
    while let Ok(queries) = client.running_queries().await {
        if queries.is_empty() || deadline.has_passed() {
            break;
        }
        let ids: Vec<u64> = queries.iter().map(|q| q.id).collect();
        if ids != told {
            let line = |q: &crate::sql::Query| {
                let text: String = q.text.split_whitespace().collect::<Vec<_>>().join(" ");
                let short: String = text.chars().take(80).collect();
                format!("connection {}, {} s: {short}", q.id, q.seconds)
            };
            context.tell(Notice::WaitingForQueries { queries: queries.iter().map(line).collect() });
            told = ids;
        }
        pause(between.min(deadline.remaining())).await;
        between = (between * 2).min(Duration::from_millis(100));
    }
    client.close().await;
}

// The handle was opened before the facts were read, so the signal reaches the very process that was examined.
fn ask_to_end(server: &Server) -> Result<(), ServerError> {
    let pid = server.facts.pid;
    if identity::is_veiled(&server.facts) {
        let source = std::io::Error::new(
            std::io::ErrorKind::PermissionDenied,
            format!("it runs as user {}", server.facts.uid),
        );
        return Err(ServerError::Io { what: format!("ask PID {pid} to end"), source });
    }
    server.handle.signal(Signal::Term).map_err(ServerError::io(format!("ask PID {pid} to end")))?;
    Ok(())
}

async fn wait_for_exit(
    context: &Context<'_>,
    server: &Server,
    grace: Duration,
    may_kill: bool,
) -> Result<bool, ServerError> {
    let pid = server.facts.pid;
    let first = grace.min(Duration::from_secs(1));
    if tokio::time::timeout(first, server.handle.ended()).await.is_ok() {
        return Ok(false);
    }
    context.tell(Notice::WaitingForExit { pid });
    if tokio::time::timeout(grace.saturating_sub(first), server.handle.ended()).await.is_ok() {
        return Ok(false);
    }
    if !may_kill {
        return Err(ServerError::WontStop { pid, waited: grace });
    }
    context.tell(Notice::Warning(format!("killing PID {pid}: it did not end within {} s", grace.as_secs())));
    server.handle.signal(Signal::Kill).map_err(ServerError::io(format!("kill PID {pid}")))?;
    let limit = Duration::from_secs(10);
    match tokio::time::timeout(limit, server.handle.ended()).await {
        Ok(()) => Ok(true),
        Err(_) => Err(ServerError::WontStop { pid, waited: grace + limit }),
    }
}

// An interrupted stop that has not sent its signal leaves a server that is as ready as before.
fn back_to_ready(context: &Context<'_>) {
    if let Ok(Some(mut record)) = Record::load(context.town)
        && record.phase == Phase::Stopping
        && !record.is_asked_to_end()
    {
        record.enter(Phase::Ready);
        let noted = record.save(context.town).and_then(|()| Ok(state::settle(context.town)?));
        if let Err(error) = noted {
            tracing::warn!(%error, "the record still says that a stop is under way");
        }
    }
}

fn forget(context: &Context<'_>, pid: Option<Pid>, how: &str, detail: &str) {
    if let Err(error) = state::mark_stopped(context.town) {
        context.tell(Notice::Warning(format!(
            "the server is gone, but its state files could not be updated: {}",
            with_causes(&error)
        )));
    }
    if let Ok(Some(mut record)) = Record::load(context.town) {
        record.crashes += u32::from(how == "crashed");
        let (at, pid) = (clock::now().to_string(), pid.or(record.pid));
        record.last_ending = Some(Ending { at, pid, how: how.to_owned(), detail: detail.to_owned() });
        record.enter(Phase::Stopped);
        if let Err(error) = record.save(context.town) {
            context
                .tell(Notice::Warning(format!("the record could not be updated: {}", with_causes(&error))));
        }
    }
    if let Err(error) = state::settle(context.town) {
        context.tell(Notice::Warning(format!("the state files may not be on disk: {}", with_causes(&error))));
    }
}
