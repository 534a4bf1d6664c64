//! The engine through a server: rows are asked for and told in SQL, over one connection for each command.
//!
//! What could go wrong is that the server at the other end serves another directory, and that a connection breaks in the moment
//! of a commit. So a server counts only if the process that holds this database's lock is the one that answers (`proof`), and
//! after a broken connection nothing is repeated before it was looked for (`landed`).

mod ahead;
mod connection;
mod landed;
mod local;
mod proof;
mod reader;
mod statement;
mod write;

use std::cell::OnceCell;
use std::path::Path;

use dolt_store::commit::{Author, Database, Session};

use super::StoreError;
use super::change::Job;
use super::native::Native;
use super::router::Server;
use crate::sql::{Endpoint, SqlError};
use crate::sys::clock::Deadline;
use crate::sys::lock;
use crate::sys::net::Port;
use proof::Proof;
pub use reader::ServerReader;

/// A database on a server.
#[derive(Debug)]
pub struct ServerEngine {
    endpoint: Endpoint,
    database: String,
    proved: Option<Proved>,
}

/// That the server has files of this machine, and those.
#[derive(Debug)]
struct Proved {
    proof: Proof,
    native: Native,
    // Opened when they are first asked.
    database: OnceCell<Database>,
}

/// How long a statement may take that somebody wrote.
const STATEMENT_LIMIT: std::time::Duration = std::time::Duration::from_hours(1);

/// What a statement gave that somebody wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// The names of its columns.
    pub columns: Vec<String>,
    /// Its rows.
    pub rows: Vec<Vec<dolt_store::table::Value>>,
    /// How many rows it changed.
    pub affected: u64,
}

/// What came of trying to write.
#[derive(Debug)]
pub enum Sent<T> {
    /// The server has acknowledged it, or it was found to be there.
    Done(T),
    /// Nothing is written, because the server went away or never was there: the question which engine to use is open again.
    Gone(StoreError),
}

/// The server that has this directory open, if it can be proved that there is one.
pub fn holding(dir: &Path, server: &Server) -> Option<ServerEngine> {
    find(&Native::at(dir, None), server).ok()
}

/// The same, with the reason why there is none.
pub(super) fn find(native: &Native, server: &Server) -> Result<ServerEngine, String> {
    Ok(engine(native, server, Proof::find(native.dir(), server.port)?))
}

/// The same, but only if Dolt's own note names the process: this costs little and disturbs nobody.
pub(super) fn find_noted(native: &Native, server: &Server) -> Option<ServerEngine> {
    Proof::find_noted(native.dir(), server.port).map(|proof| engine(native, server, proof))
}

fn engine(native: &Native, server: &Server, proof: Proof) -> ServerEngine {
    let endpoint = Endpoint {
        host: proof.address.ip().to_string(),
        port: proof.port,
        user: server.user.clone(),
        password: server.password.clone(),
        tls: server.tls,
    };
    let proved = Proved { proof, native: native.clone(), database: OnceCell::new() };
    ServerEngine { endpoint, database: server.database.clone(), proved: Some(proved) }
}

impl ServerEngine {
    /// The server that the settings name, for a database that is not on this machine.
    pub fn of(server: &Server) -> Result<Self, StoreError> {
        let unknown = || {
            let problem = format!("no port is known for the server on {}", server.host);
            StoreError::Engine { engine: "server", problem }
        };
        let port: Port = server.port.ok_or_else(unknown)?;
        let Server { host, user, password, database, tls, .. } = server.clone();
        Ok(Self { endpoint: Endpoint { host, port, user, password, tls }, database, proved: None })
    }

    /// Where it is, for people.
    pub fn address(&self) -> String {
        format!("{}:{}", self.endpoint.host, self.endpoint.port)
    }

    /// The process behind it, if it is known.
    pub fn process(&self) -> Option<crate::sys::process::Pid> {
        self.proved.as_ref().map(|proved| proved.proof.pid)
    }

    /// The newest state of the files, if they are here.
    fn files(&self) -> Result<Option<Session>, StoreError> {
        let Some(Proved { native, database, .. }) = &self.proved else { return Ok(None) };
        if database.get().is_none() {
            drop(database.set(native.open()?));
        }
        Ok(database.get().map(Database::session).transpose()?)
    }

    /// The state that the server shows now: all questions are answered from the same one.
    pub fn reader(&self) -> Result<ServerReader, StoreError> {
        let connection = self.connect()?;
        connection.tell("START TRANSACTION READ ONLY")?;
        Ok(ServerReader::of(connection))
    }

    /// Runs a statement as somebody wrote it, without a limit in time that is short of an hour: the names of its columns, its
    /// rows, and how many rows it changed.
    pub fn run(&self, sql: &str) -> Result<Told, StoreError> {
        let answer = self.connect()?.run_within(sql, &[], STATEMENT_LIMIT)?;
        let row = |row: Vec<_>| row.into_iter().map(statement::value).collect();
        Ok(Told {
            columns: answer.columns,
            rows: answer.rows.into_iter().map(row).collect(),
            affected: answer.affected,
        })
    }

    /// The rows that a question has, its marks filled with these values.
    pub fn ask(
        &self,
        sql: &str,
        values: &[dolt_store::table::Value],
    ) -> Result<Vec<Vec<dolt_store::table::Value>>, StoreError> {
        let values = values.iter().map(statement::typed).collect::<Result<Vec<_>, _>>()?;
        let answer = self.connect()?.run_within(sql, &values, STATEMENT_LIMIT)?;
        let row = |row: Vec<_>| row.into_iter().map(statement::value).collect();
        Ok(answer.rows.into_iter().map(row).collect())
    }

    /// Does `job` in a transaction of the server, and commits it as the job says. The job may be called several times; only
    /// what it did last is done.
    pub fn write<T>(
        &self,
        by: &Author,
        deadline: Deadline,
        job: &mut Job<'_, T>,
    ) -> Result<Sent<T>, StoreError> {
        // Before the server is asked for its own lock: waiting there overtakes, and costs the server.
        let dir = self.proved.as_ref().map(|proved| proved.native.dir().join(".dolt"));
        let _turn = dir.map(|dir| lock::turn(&dir, deadline)).transpose()?;
        write::write(self, by, deadline, job)
    }
}

/// Whether the server could not be asked, so that asking another may help.
fn is_away(error: &StoreError) -> bool {
    match error {
        StoreError::Sql(error) => error.is_silence() || is_ending(error),
        _ => false,
    }
}

/// What a server says to those whom it sends away because it ends: `MySQL`'s own numbers, and the words of Go.
fn is_ending(error: &SqlError) -> bool {
    const SHUTDOWN: u16 = 1053;
    const INTERRUPTED: u16 = 1317;
    let SqlError::Refused { code, message } = error else { return false };
    [SHUTDOWN, INTERRUPTED].contains(code) || message.contains("context canceled")
}
