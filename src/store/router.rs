//! Which engine answers, decided anew for every command by the database's lock.
//!
//! Reads go to the files, whether a server holds them or not. A write is done in-process if the lock is free; if a server
//! holds it, through that very server; if anybody else does, it is waited for. What could go wrong is two copies: a write
//! that goes to a server of another directory. So a server counts only if the process that holds the lock is the one that
//! listens. A database that is not on this machine is read and written through its server.

use std::path::PathBuf;
use std::time::Duration;

use dolt_store::commit::Author;

use super::StoreError;
use super::change::{Job, Outcome, Tx};
use super::native::{Attempt, Native};
use super::reader::Reader;
use super::runtime::wait;
use super::server::{self, Sent, ServerEngine};
use crate::sys::clock::{self, Deadline, pause};
use crate::sys::lock::{self, Probe};
use crate::sys::process::{describe, describe_all};

/// How long a lock is waited for that no server holds, and a server that went away.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which engine is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Engine {
    /// As the lock has it.
    #[default]
    Auto,
    /// In-process, or not at all.
    Native,
    /// Through a server, or not at all.
    Server,
}

impl Engine {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Native => "native",
            Self::Server => "server",
        }
    }

    /// By its word.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "auto" => Some(Self::Auto),
            "native" => Some(Self::Native),
            "server" => Some(Self::Server),
            _ => None,
        }
    }
}

/// What a write would be done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// In-process.
    Native,
    /// Through a server.
    Server,
    /// Nothing yet: it would wait for whoever holds the lock.
    Wait,
    /// Nothing: it would be refused, because the engine that was asked for cannot do it.
    Refused,
}

impl Chosen {
    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Server => "server",
            Self::Wait => "wait",
            Self::Refused => "none",
        }
    }
}

/// The engine of this moment, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineNow {
    /// Which.
    pub chosen: Chosen,
    /// For people.
    pub why: String,
    /// `host:port` of the server, if it is one.
    pub server: Option<String>,
}

/// How a server is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Host name or address.
    pub host: String,
    /// Port, if one is configured.
    pub port: Option<crate::sys::net::Port>,
    /// Login name.
    pub user: String,
    /// Password.
    pub password: Option<String>,
    /// The database's name there.
    pub database: String,
    /// Whether it is spoken to through TLS only.
    pub tls: bool,
}

/// Where a database is.
#[derive(Debug, Clone)]
pub struct Whereabouts {
    /// Its directory, if it is on this machine and known.
    pub dir: Option<PathBuf>,
    /// The server that may have it open.
    pub server: Server,
}

/// A database of issues.
#[derive(Debug)]
pub struct Store {
    whereabouts: Whereabouts,
    native: Option<Native>,
    engine: Engine,
    patience: Duration,
    name: String,
    email: String,
}

fn held_by(server: &ServerEngine) -> String {
    let holder = server.process().map(describe).unwrap_or_default();
    format!("{holder} holds the database's lock and answers at {}", server.address())
}

impl Store {
    /// The store at this place. Nothing is opened yet. Name and e-mail go into Dolt's commits; `cache` is where indexes of large
    /// journals are kept.
    pub fn new(
        whereabouts: Whereabouts,
        engine: Engine,
        (name, email): (String, String),
        cache: Option<PathBuf>,
    ) -> Result<Self, StoreError> {
        let native = whereabouts.dir.as_ref().map(|dir| Native::at(dir, cache));
        if native.is_none() && engine == Engine::Native {
            let problem = format!("the database is on {}, not on this machine", whereabouts.server.host);
            return Err(StoreError::Forced { engine: "native", problem });
        }
        Ok(Self { whereabouts, native, engine, patience: PATIENCE, name, email })
    }

    /// Waits so long, instead of half a minute, for a lock or a server.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Where it is.
    pub fn whereabouts(&self) -> &Whereabouts {
        &self.whereabouts
    }

    /// The in-process engine, if the files are here.
    pub fn native(&self) -> Option<&Native> {
        self.native.as_ref()
    }

    /// The newest state, to be asked.
    pub fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        match self.files()? {
            Some(native) if self.engine != Engine::Server => Ok(Box::new(native.reader()?)),
            _ => Ok(Box::new(self.server()?.reader()?)),
        }
    }

    /// Does something in a transaction, and waits for its turn. The job may be called several times; only what it did last
    /// counts.
    pub fn write<T>(
        &self,
        mut job: impl FnMut(&mut dyn Tx) -> Result<Outcome<T>, StoreError>,
    ) -> Result<T, StoreError> {
        let job: &mut Job<'_, T> = &mut job;
        let millis = u64::try_from(clock::now().as_millisecond()).unwrap_or(0);
        let by = Author { name: self.name.clone(), email: self.email.clone(), millis };
        let deadline = Deadline::after(self.patience);
        let mut between = Duration::from_millis(2);
        loop {
            let gone = match self.attempt(&by, deadline, job)? {
                Sent::Done(result) => return Ok(result),
                Sent::Gone(error) => error,
            };
            if deadline.has_passed() {
                return Err(self.held(gone, deadline));
            }
            wait::<(), StoreError>(async {
                pause(between.min(deadline.remaining())).await;
                Ok(())
            })?;
            between = (between * 2).min(Duration::from_millis(50));
        }
    }

    /// The engine that a write would be done with now, and why. Another moment can have another answer.
    pub fn engine_now(&self) -> Result<EngineNow, StoreError> {
        let through = |server: &ServerEngine, why: String| EngineNow {
            chosen: Chosen::Server,
            why,
            server: Some(server.address()),
        };
        let Some(native) = self.files()? else {
            let server = self.server()?;
            let why = format!("the database is on {}, not on this machine", self.whereabouts.server.host);
            return Ok(through(&server, why));
        };
        let lock = native.dir().join(".dolt/noms/LOCK");
        let is_free = matches!(lock::probe(&lock), Ok(Probe::Free | Probe::Missing));
        let free = "nobody holds the database's lock".to_owned();
        let found = if is_free { Err(free) } else { server::find(native, &self.whereabouts.server) };
        let (chosen, why) = match (self.engine, found) {
            (Engine::Auto | Engine::Server, Ok(server)) => return Ok(through(&server, held_by(&server))),
            (Engine::Native, Ok(server)) => {
                (Chosen::Refused, format!("{}; reads work, writes are refused", held_by(&server)))
            }
            (Engine::Server, Err(why)) => {
                (Chosen::Refused, format!("no server is proved to have the database open: {why}"))
            }
            (Engine::Auto | Engine::Native, Err(why)) if is_free => (Chosen::Native, why),
            (Engine::Auto | Engine::Native, Err(why)) => (Chosen::Wait, why),
        };
        Ok(EngineNow { chosen, why, server: None })
    }

    /// The server that has the database open, for statements that the files do not answer.
    pub fn statements(&self) -> Result<ServerEngine, StoreError> {
        self.files()?;
        self.server()
    }

    fn attempt<T>(
        &self,
        by: &Author,
        deadline: Deadline,
        job: &mut Job<'_, T>,
    ) -> Result<Sent<T>, StoreError> {
        let Some(native) = self.files()? else {
            return match self.server()?.write(by, deadline, job)? {
                // Nobody is there: that will not change because we wait.
                Sent::Gone(StoreError::Sql(error)) if error.is_connection_refused() => Err(error.into()),
                sent => Ok(sent),
            };
        };
        if self.engine == Engine::Server {
            return self.server()?.write(by, deadline, job);
        }
        // What is worked out in-process while a server holds the lock is worked out in vain.
        if self.engine == Engine::Auto
            && let Some(server) = server::find_noted(native, &self.whereabouts.server)
        {
            return server.write(by, deadline, job);
        }
        if let Attempt::Done(result) = native.write(by, deadline, job)? {
            return Ok(Sent::Done(result));
        }
        match server::find(native, &self.whereabouts.server) {
            // A server does not let go because we wait, as another command does.
            Ok(server) if self.engine == Engine::Native => Err(self.forced("native", &held_by(&server))),
            Ok(server) => server.write(by, deadline, job),
            Err(why) => Ok(Sent::Gone(self.not("server", &why))),
        }
    }

    fn server(&self) -> Result<ServerEngine, StoreError> {
        match &self.native {
            None => ServerEngine::of(&self.whereabouts.server),
            Some(native) => {
                let found = server::find(native, &self.whereabouts.server);
                found.map_err(|why| {
                    let problem = format!("no server is proved to have it open: {why}");
                    match self.engine {
                        Engine::Server => self.forced("server", &problem),
                        Engine::Auto | Engine::Native => self.not("server", &problem),
                    }
                })
            }
        }
    }

    /// The files, if they are on this machine; an error if they should be and are not.
    pub fn files(&self) -> Result<Option<&Native>, StoreError> {
        let Some(native) = &self.native else { return Ok(None) };
        if !native.dir().join(".dolt/noms").is_dir() {
            return Err(StoreError::NoDatabase { path: native.dir().to_owned() });
        }
        Ok(Some(native))
    }

    fn not(&self, engine: &'static str, why: &str) -> StoreError {
        StoreError::Engine { engine, problem: self.named(why) }
    }

    fn forced(&self, engine: &'static str, why: &str) -> StoreError {
        StoreError::Forced { engine, problem: self.named(why) }
    }

    fn named(&self, why: &str) -> String {
        let place =
            self.whereabouts.dir.as_ref().map(|dir| format!("{}: ", dir.display())).unwrap_or_default();
        format!("{place}{why}")
    }

    // Who has it, if somebody has; else what was in the way last.
    fn held(&self, gone: StoreError, deadline: Deadline) -> StoreError {
        let Some(native) = &self.native else { return gone };
        let path = native.dir().to_owned();
        let holders = lock::holders(&path.join(".dolt/noms/LOCK"));
        if matches!(gone, StoreError::Sql(_)) {
            return gone;
        }
        StoreError::Held { path, holder: describe_all(&holders), seconds: deadline.limit().as_secs() }
    }
}
