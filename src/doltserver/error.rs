//! Everything that can go wrong in the server's life, each with the names that a person needs to act.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::sql::SqlError;
use crate::sys::atomic::WriteError;
use crate::sys::lock::LockError;
use crate::sys::net::Port;
use crate::sys::process::Pid;
use crate::town::TownError;
use crate::town::settings::SettingError;

/// Why a command of the server's life did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The server is on another machine.
    #[error("Dolt server is remote ({host}): it is started and stopped there, not here")]
    Remote {
        /// That machine.
        host: String,
    },
    /// Nothing to serve.
    #[error("no databases found in {}", data_dir.display())]
    NoDatabases {
        /// Where we looked.
        data_dir: PathBuf,
    },
    /// A database cannot be opened.
    #[error("database {database} cannot be opened: {problem}")]
    BrokenDatabase {
        /// Its name.
        database: String,
        /// What is wrong with its files.
        problem: String,
    },
    /// A database was created while another of that name was left out.
    #[error("database {database} exists twice: {} and {}", place.display(), other.display())]
    TwoOfOneName {
        /// Its name.
        database: String,
        /// The one in its place, which was left out.
        place: PathBuf,
        /// The one that was created meanwhile.
        other: PathBuf,
    },
    /// A database is open elsewhere.
    #[error("database {database} is open in {holder}")]
    DatabaseLocked {
        /// Its name.
        database: String,
        /// Who has it.
        holder: String,
        /// How long we waited for it.
        waited: Duration,
    },
    /// The port belongs to another program.
    #[error("port {port} is used by {holder}")]
    PortTaken {
        /// The port.
        port: Port,
        /// Where the port came from.
        source_name: String,
        /// Who listens there.
        holder: String,
        /// A port that is free now.
        free: Option<Port>,
    },
    /// No Dolt.
    #[error("dolt not found on PATH")]
    DoltMissing,
    /// Dolt would not do.
    #[error("dolt {version} at {} is too old: {minimum} or newer is needed", path.display())]
    DoltTooOld {
        /// The program.
        path: PathBuf,
        /// What it is.
        version: String,
        /// What is needed.
        minimum: String,
    },
    /// The program on PATH is not what it should be.
    #[error("{} does not behave like dolt: {problem}", path.display())]
    DoltStrange {
        /// The program.
        path: PathBuf,
        /// What it did.
        problem: String,
    },
    /// The server ended before it was ready.
    #[error("Dolt server ended while starting ({exit}): {reason}")]
    Died {
        /// How it ended.
        exit: String,
        /// Dolt's last error line.
        reason: String,
        /// Where the rest is.
        log: PathBuf,
    },
    /// The server lives but was not ready in time. It was left alone.
    #[error("Dolt server (PID {pid}) is not ready after {} s: {last_seen}", waited.as_secs())]
    NotReady {
        /// Its PID.
        pid: Pid,
        /// How long we waited.
        waited: Duration,
        /// What it had come to.
        last_seen: String,
        /// Where the rest is.
        log: PathBuf,
    },
    /// Our server lives and does not answer.
    #[error("Dolt server (PID {pid}) runs but does not answer: {problem}")]
    NotAnswering {
        /// Its PID.
        pid: Pid,
        /// What happened when we asked.
        problem: String,
    },
    /// There is no server of this town.
    #[error("Dolt server is not running")]
    NotRunning {
        /// What was looked at and why it is no server of ours.
        notes: Vec<String>,
    },
    /// The server did not end in time. It was asked to and may still.
    #[error("Dolt server (PID {pid}) has not ended {} s after it was asked to", waited.as_secs())]
    WontStop {
        /// Its PID.
        pid: Pid,
        /// How long we waited.
        waited: Duration,
    },
    /// The user interrupted the command.
    #[error("interrupted: {what_was_done}")]
    Interrupted {
        /// The signal's number.
        signal: i32,
        /// The state of things now.
        what_was_done: String,
    },
    /// An unknown database in `--without` or `--db`.
    #[error("there is no database {database} in {}", data_dir.display())]
    NoSuchDatabase {
        /// The name.
        database: String,
        /// Where we looked.
        data_dir: PathBuf,
    },
    /// Nothing would be left to serve.
    #[error("no database would be left to serve without {}", databases.join(", "))]
    NothingLeft {
        /// The names.
        databases: Vec<String>,
    },
    /// No log yet.
    #[error("no log file found at {}", path.display())]
    NoLog {
        /// Where it would be.
        path: PathBuf,
    },
    /// Our own record was written by a newer version of this program.
    #[error("{} was written by a newer gt (format {version}, this one knows {known})", path.display())]
    NewerRecord {
        /// The file.
        path: PathBuf,
        /// Its format.
        version: u32,
        /// Ours.
        known: u32,
    },
    /// A lock was not to be had.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A file was not written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A setting may not be used.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// A file of the town is wrong.
    #[error(transparent)]
    Town(#[from] TownError),
    /// SQL went wrong.
    #[error(transparent)]
    Sql(#[from] SqlError),
    /// The operating system refused something.
    #[error("cannot {what}")]
    Io {
        /// What was tried, with the name of the object.
        what: String,
        /// What the operating system said.
        source: io::Error,
    },
}

impl ServerError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

/// An error in one line, with what lies beneath it.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
