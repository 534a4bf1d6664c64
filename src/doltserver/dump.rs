//! `dump`: what can be learnt about a server without disturbing it. Never a signal: SIGQUIT, which others use for this,
//! ends a Go program.

use std::time::Duration;

use super::find;
use super::{Context, ServerError, log};
use crate::sql::Client;
use crate::sys::process::{self, Pid};

/// What was learnt.
#[derive(Debug, Clone)]
pub struct Dump {
    /// The server's PID.
    pub pid: Pid,
    /// State letter, memory, threads of the process in words.
    pub process: Vec<String>,
    /// One line per connection, or why the server did not tell.
    pub connections: Result<Vec<String>, String>,
    /// One entry per thread.
    pub threads: Vec<String>,
    /// The end of the log.
    pub log_tail: Vec<String>,
}

/// Collects everything.
pub async fn dump(context: &Context<'_>, log_lines: usize) -> Result<Dump, ServerError> {
    context.refuse_remote()?;
    let search = find::find(context.town)?;
    let Some(server) = search.server else {
        return Err(ServerError::NotRunning { notes: search.notes });
    };
    let facts = &server.facts;
    let port = server.port.map_or_else(|| "none yet".to_owned(), |p| p.to_string());
    let process = vec![
        format!("PID {} state {} port {port}", facts.pid, facts.state),
        format!("command {}", facts.command_line()),
        format!("resident memory {} MiB", facts.rss_bytes >> 20),
    ];
    let connections = match server.port {
        None => Err("it does not listen yet".to_owned()),
        Some(port) => process_list(context, port).await,
    };
    Ok(Dump {
        pid: facts.pid,
        process,
        connections,
        threads: process::stacks(facts.pid),
        log_tail: log::tail(context.town, log_lines, u64::MAX).unwrap_or_default(),
    })
}

async fn process_list(context: &Context<'_>, port: crate::sys::net::Port) -> Result<Vec<String>, String> {
    let limit = Duration::from_secs(2);
    let mut client =
        Client::connect(&context.endpoint(port), None, limit).await.map_err(|e| e.to_string())?;
    let sql = "SELECT id, user, host, db, command, time, info FROM information_schema.processlist";
    let results = client.query(sql).await.map_err(|e| e.to_string())?;
    client.close().await;
    let line = |row: Vec<crate::sql::Cell>| {
        let words: Vec<String> = row.iter().map(|c| c.to_text().unwrap_or_else(|| "-".into())).collect();
        words.join("  ")
    };
    Ok(results.into_iter().flat_map(|r| r.rows).map(line).collect())
}
