//! The life of a town's `dolt sql-server`: who it is, how it starts, becomes ready, stops, and what it left behind.
//!
//! Two rules decide everything here. *Identity before signal*: a process is ours only if executable, arguments, data
//! directory and start time say so now. *The flock is the truth*: PID, state, port and `sql-server.info` are hints.
//! The exact behaviour, step by step, is in `docs/lifecycle.md`.

pub mod ask;
pub mod binary;
pub mod config_file;
pub mod databases;
pub mod dump;
mod error;
pub mod find;
pub mod gate;
pub mod identity;
pub mod imposters;
mod launch;
pub mod log;
mod manifest;
pub mod preflight;
pub mod ps;
pub mod record;
pub mod restart;
pub mod start;
pub mod state;
pub mod status;
pub mod stop;
pub mod view;
pub mod wait;

pub use error::ServerError;
pub(crate) use error::with_causes;

use crate::sql::Endpoint;
use crate::sys::net::Port;
use crate::sys::process::Pid;
use crate::town::Town;
use crate::town::env::Env;
use crate::town::settings::Settings;

/// Something that the user should see while a command waits. Never needed for what the command does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Somebody else is changing the server's state.
    WaitingForLock {
        /// Who.
        holder: String,
    },
    /// Short native writes are under way.
    WaitingForWriters {
        /// Who.
        holder: String,
    },
    /// A database is open in another process.
    DatabaseBusy {
        /// Which database.
        database: String,
        /// Who.
        holder: String,
    },
    /// The server is being stopped and still works on these.
    WaitingForQueries {
        /// One line for each.
        queries: Vec<String>,
    },
    /// The server was asked to end and has not yet.
    WaitingForExit {
        /// Its PID.
        pid: Pid,
    },
    /// Anything else worth a line.
    Note(String),
    /// Something is wrong but does not stop the command.
    Warning(String),
}

/// What every command of this room needs.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The town.
    pub town: &'a Town,
    /// The environment.
    pub env: &'a Env,
    /// Its settings.
    pub settings: &'a Settings,
    /// Who asks, for the record.
    pub asked: &'a record::AskedBy,
    /// Where notices go.
    pub notify: &'a dyn Fn(Notice),
}

impl Context<'_> {
    /// Where clients reach the server on this port.
    pub fn endpoint(&self, port: Port) -> Endpoint {
        endpoint(self.settings, port)
    }

    fn tell(&self, notice: Notice) {
        (self.notify)(notice);
    }

    /// Refuses what is done on the server's own machine only.
    pub(crate) fn refuse_remote(&self) -> Result<(), ServerError> {
        if self.settings.remote {
            return Err(ServerError::Remote { host: self.settings.client_host().to_owned() });
        }
        Ok(())
    }
}

/// Where clients reach the server on this port.
pub fn endpoint(settings: &Settings, port: Port) -> Endpoint {
    Endpoint {
        host: settings.client_host().to_owned(),
        port,
        user: settings.user.value.clone(),
        password: settings.password.clone(),
        tls: false,
    }
}
