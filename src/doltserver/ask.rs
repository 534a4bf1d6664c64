//! Asks a living server how it is, within a limit. Only reads.

use std::time::Duration;

use super::Context;
use crate::sql::{Client, SqlError};
use crate::sys::clock::Stopwatch;
use crate::sys::net::Port;

/// What the server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The databases that it serves.
    pub databases: Vec<String>,
    /// From the connection's first byte to the list of databases.
    pub latency: Duration,
    /// Connections open, ours left out.
    pub connections: u64,
    /// The most that it allows.
    pub max_connections: u64,
}

/// Connects and lists the databases. The whole takes `limit` at most.
pub async fn ask(context: &Context<'_>, port: Port, limit: Duration) -> Result<Answer, SqlError> {
    let endpoint = context.endpoint(port);
    let question = async {
        let watch = Stopwatch::start();
        let mut client = Client::connect(&endpoint, None, limit).await?;
        let databases = client.databases().await?;
        let latency = watch.elapsed();
        let (open, max_connections) = client.connections().await?;
        client.close().await;
        Ok(Answer { databases, latency, connections: open.saturating_sub(1), max_connections })
    };
    match tokio::time::timeout(limit, question).await {
        Ok(answer) => answer,
        Err(_) => Err(SqlError::NoAnswer { server: endpoint.to_string(), what: "its databases", limit }),
    }
}

/// The databases that the server serves, and nothing else: the cheapest proof that it answers.
pub async fn databases(context: &Context<'_>, port: Port, limit: Duration) -> Result<Vec<String>, SqlError> {
    let endpoint = context.endpoint(port);
    let mut client = Client::connect(&endpoint, None, limit).await?;
    let databases = client.databases().await?;
    client.close().await;
    Ok(databases)
}

/// The names in `expected` that the server does not serve.
pub fn missing(expected: &[String], served: &[String]) -> Vec<String> {
    expected.iter().filter(|e| !served.iter().any(|s| s.eq_ignore_ascii_case(e))).cloned().collect()
}
