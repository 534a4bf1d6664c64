//! The commits of a database as Dolt has them: which branch it is on, what its head is, what came before.
//!
//! The files answer, whoever holds them; a database on another machine is asked through Dolt's system tables. What could go wrong is
//! that the two do not say the same; so both are held beside each other in `tests/live/bd_same/history.rs`.

use dolt_store::table::Value;
use jiff::Timestamp;

use super::native::Native;
use super::reader::{into_number, into_text, into_time};
use super::server::ServerEngine;
use super::{Store, StoreError};

/// Where a database stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The branch.
    pub branch: String,
    /// Its commit; empty if there is none.
    pub commit: String,
    /// Whether the commit holds everything, tables that are local to the clone included.
    pub is_clean: bool,
}

/// A commit as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its address.
    pub hash: String,
    /// Who committed it.
    pub author: String,
    /// When.
    pub date: Option<Timestamp>,
    /// Why.
    pub message: String,
}

/// Where a database stands.
pub fn head(store: &Store) -> Result<Head, StoreError> {
    match store.files()? {
        Some(native) => head_of_files(native),
        None => head_of_server(&store.statements()?),
    }
}

/// The newest commits of the branch, so many at most.
pub fn log(store: &Store, limit: usize) -> Result<Vec<Commit>, StoreError> {
    match store.files()? {
        Some(native) => log_of_files(native, limit),
        None => log_of_server(&store.statements()?, limit),
    }
}

fn head_of_files(native: &Native) -> Result<Head, StoreError> {
    let session = native.session()?;
    let is_clean = session.resolve_root("HEAD")? == session.resolve_root("WORKING")?;
    let commit = session.resolve_commit("HEAD")?.map(|hash| hash.to_string()).unwrap_or_default();
    Ok(Head { branch: session.head().to_owned(), commit, is_clean })
}

fn head_of_server(server: &ServerEngine) -> Result<Head, StoreError> {
    let sql =
        "SELECT active_branch(), dolt_hashof('HEAD'), dolt_hashof_db('HEAD') = dolt_hashof_db('WORKING')";
    let mut row = server.ask(sql, &[])?.into_iter().flatten();
    let mut next = || row.next().unwrap_or(Value::Null);
    let (branch, commit) = (into_text(next()).unwrap_or_default(), into_text(next()).unwrap_or_default());
    Ok(Head { branch, commit, is_clean: into_number(&next()) == Some(1) })
}

fn log_of_files(native: &Native, limit: usize) -> Result<Vec<Commit>, StoreError> {
    let session = native.session()?;
    let Some(head) = session.resolve_commit("HEAD")? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in session.log(head)?.take(limit) {
        let entry = entry?;
        // The committer, as in `dolt_log`.
        let millis = i64::try_from(entry.commit.committer_millis).ok();
        let date = millis.and_then(|millis| Timestamp::from_millisecond(millis).ok());
        let author = entry.commit.committer_name.unwrap_or(entry.commit.name);
        let message = entry.commit.description;
        found.push(Commit { hash: entry.hash.to_string(), author, date, message });
    }
    Ok(found)
}

fn log_of_server(server: &ServerEngine, limit: usize) -> Result<Vec<Commit>, StoreError> {
    let sql = format!("SELECT commit_hash, committer, date, message FROM dolt_log LIMIT {limit}");
    let commit = |row: Vec<Value>| {
        let mut row = row.into_iter();
        let mut next = || row.next().unwrap_or(Value::Null);
        Commit {
            hash: into_text(next()).unwrap_or_default(),
            author: into_text(next()).unwrap_or_default(),
            date: into_time(&next()),
            message: into_text(next()).unwrap_or_default(),
        }
    };
    Ok(server.ask(&sql, &[])?.into_iter().map(commit).collect())
}
