//! `wait --ready`: until the town's server answers with every database, or a deadline. Starts nothing.

use std::time::Duration;

use super::{Context, ServerError, ask, databases, find};
use crate::sys::clock::{Deadline, pause};
use crate::sys::net::Port;
use crate::sys::process::Pid;

/// A server that is ready.
#[derive(Debug, Clone)]
pub struct Ready {
    /// Its PID.
    pub pid: Pid,
    /// Its port.
    pub port: Port,
    /// What it serves.
    pub databases: Vec<String>,
    /// How long we waited.
    pub waited: Duration,
}

/// Waits. On time-out the error says the last state that was seen.
pub async fn until_ready(context: &Context<'_>, limit: Duration) -> Result<Ready, ServerError> {
    context.refuse_remote()?;
    let deadline = Deadline::after(limit);
    loop {
        let error = match look(context, deadline).await {
            Ok(ready) => return Ok(ready),
            Err(error) => error,
        };
        if deadline.has_passed() {
            return Err(error);
        }
        pause(Duration::from_millis(20).min(deadline.remaining())).await;
    }
}

async fn look(context: &Context<'_>, deadline: Deadline) -> Result<Ready, ServerError> {
    let search = find::find(context.town)?;
    let Some(server) = search.server else {
        return Err(ServerError::NotRunning { notes: search.notes });
    };
    let pid = server.facts.pid;
    let not_ready = |last_seen: String| ServerError::NotReady {
        pid,
        waited: deadline.limit(),
        last_seen,
        log: context.town.log_file(),
    };
    let Some(port) = server.port else {
        return Err(not_ready("it does not listen yet".to_owned()));
    };
    let limit = Duration::from_secs(1);
    let served = ask::databases(context, port, limit).await.map_err(|e| not_ready(e.to_string()))?;
    let mut expected = databases::names(&databases::scan(context.town)?);
    let without = search.record.map(|r| r.without).unwrap_or_default();
    expected.retain(|e| !without.contains(e));
    let missing = ask::missing(&expected, &served);
    if !missing.is_empty() {
        return Err(not_ready(format!("it does not serve {}", missing.join(", "))));
    }
    Ok(Ready { pid, port, databases: served, waited: deadline.elapsed() })
}
