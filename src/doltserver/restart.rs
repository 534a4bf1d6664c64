//! `restart`: everything that can be checked is checked while the old server still runs; then stop and start under one
//! lock, so that nobody can take the port or the databases in between by way of this program.

use super::start::{self, Held, Started};
use super::stop::{self, Stopped};
use super::{Context, ServerError, binary, find, preflight};
use crate::sys::clock::{Deadline, Stopwatch};
use crate::sys::interrupt::Interrupt;
use crate::sys::process::Pid;

/// What a restart did.
#[derive(Debug, Clone)]
pub struct Restarted {
    /// The old server, if one ran.
    pub stopped: Option<Stopped>,
    /// The new one.
    pub started: Started,
}

/// Restarts the server; if none runs, starts one.
pub async fn restart(
    context: &Context<'_>,
    stopping: stop::Options,
    starting: &start::Options,
) -> Result<Restarted, ServerError> {
    context.refuse_remote()?;
    let mut interrupt = Interrupt::listen().map_err(ServerError::io("listen for signals"))?;
    let (mut held, mut old) = (Held::default(), Old::Untouched);
    let signal = tokio::select! {
        done = run(context, stopping, starting, &mut held, &mut old) => return done,
        signal = interrupt.arrived() => signal,
    };
    if old == Old::Stopping {
        return Err(stop::abandon(context, signal));
    }
    match (old, start::abandon(context, held, signal, &mut interrupt).await) {
        (Old::Stopped(pid), ServerError::Interrupted { signal, what_was_done }) => {
            let what_was_done = format!("the old server (PID {pid}) was stopped; {what_was_done}");
            Err(ServerError::Interrupted { signal, what_was_done })
        }
        (_, error) => Err(error),
    }
}

/// How far the old server's end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Old {
    Untouched,
    Stopping,
    Stopped(Pid),
}

async fn run(
    context: &Context<'_>,
    stopping: stop::Options,
    starting: &start::Options,
    held: &mut Held,
    old: &mut Old,
) -> Result<Restarted, ServerError> {
    let watch = Stopwatch::start();
    let grace = stopping.grace.map_or_else(|| context.settings.stop_grace.clone().map(|g| g.value), Ok)?;
    let stores = preflight::check_stores(context, &starting.without)?;
    let port = context.settings.port.clone()?;
    context.settings.log_level.clone()?;
    context.settings.wait_timeout.clone()?;
    binary::find(context.town, context.env).await?;
    let timeout = starting.timeout.unwrap_or_else(|| start_limit(stores.served.len()));
    held.lock = Some(start::lock_state(context, Deadline::after(timeout + grace)).await?);
    let running = find::find(context.town)?.server;
    if running.as_ref().and_then(|s| s.port) != Some(port.value) {
        // The port changes, or nothing runs: then it must be free before anything is stopped.
        preflight::check_port(context, &port)?;
    }
    let mut stopped = None;
    if running.is_some() {
        *old = Old::Stopping;
        match stop::run_locked(context, stopping, grace).await {
            Ok(done) => {
                *old = Old::Stopped(done.pid);
                stopped = Some(done);
            }
            // It has ended since we looked.
            Err(ServerError::NotRunning { .. }) => *old = Old::Untouched,
            Err(error) => return Err(error),
        }
    }
    let deadline = Deadline::after(timeout);
    let started = start::run_locked(context, starting, deadline, watch, held).await?;
    Ok(Restarted { stopped, started })
}

fn start_limit(databases: usize) -> std::time::Duration {
    std::time::Duration::from_secs((5 * databases as u64).max(30))
}
