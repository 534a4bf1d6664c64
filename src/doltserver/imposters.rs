//! `kill-imposters`: servers that have no business in this town, stopped only on proof.
//!
//! An imposter is a Dolt server whose data directory lies *inside this town* and is not the town's own: the kind that a
//! tool started by accident in a rig, and that agents then write into. Whatever else stands on the town's port (another
//! town's server, be that town inside this one; another program) is named and left alone: it is not ours to judge.

use std::time::Duration;

use super::find;
use super::identity::{self, Verdict};
use super::preflight;
use super::ps::{self, Listed};
use super::{Context, ServerError};
use crate::sys::process::{Handle, Pid, Signal};

/// What was found.
#[derive(Debug, Clone)]
pub struct Report {
    /// Proved imposters.
    pub imposters: Vec<Listed>,
    /// Why the town's port is taken by somebody who is none, if it is.
    pub left_alone: Option<String>,
}

/// Looks for imposters; touches nothing.
pub fn look(context: &Context<'_>) -> Result<Report, ServerError> {
    context.refuse_remote()?;
    let ours = find::find(context.town)?.server.map(|s| s.facts.pid);
    let is_imposter = |l: &Listed| {
        let inside = l.data_dir.as_deref().is_some_and(|d| ps::is_inside(d, context.town));
        inside && !l.is_ours && Some(l.facts.pid) != ours
    };
    let imposters: Vec<Listed> = ps::list(Some(context.town)).into_iter().filter(is_imposter).collect();
    let port = context.settings.port.clone()?;
    let taken_by_none_of_them = !imposters.iter().any(|i| i.ports.contains(&port.value)) && ours.is_none();
    let left_alone = match preflight::check_port(context, &port) {
        Err(error) if taken_by_none_of_them => Some(error.to_string()),
        _ => None,
    };
    Ok(Report { imposters, left_alone })
}

/// Asks a proved imposter to end and waits for it. The proof is taken again, through a handle, right before the signal.
pub async fn end(context: &Context<'_>, pid: Pid, limit: Duration) -> Result<(), ServerError> {
    let gone = || ServerError::NotRunning { notes: vec![format!("PID {pid} has ended by itself")] };
    let handle =
        Handle::open(pid).map_err(ServerError::io(format!("examine PID {pid}")))?.ok_or_else(gone)?;
    let facts = handle.facts().ok_or_else(gone)?;
    let finding = identity::examine(&facts, context.town, None);
    let proved = match &finding.verdict {
        Verdict::OtherServer(Some(dir)) => ps::is_inside(dir, context.town),
        _ => false,
    };
    if !proved {
        let problem = format!("PID {pid} is no longer a proved imposter: {}", finding.evidence.join("; "));
        return Err(ServerError::NotAnswering { pid, problem });
    }
    handle.signal(Signal::Term).map_err(ServerError::io(format!("ask PID {pid} to end")))?;
    match tokio::time::timeout(limit, handle.ended()).await {
        Ok(()) => Ok(()),
        Err(_) => Err(ServerError::WontStop { pid, waited: limit }),
    }
}
