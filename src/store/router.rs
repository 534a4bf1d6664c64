//! Which engine answers, decided anew for every command by the database's lock.
//!
//! Reads go to the files, whether a server holds them or not. A write is done in-process as soon as the lock is free.

use std::path::PathBuf;
use std::time::Duration;

use dolt_store::commit::Author;

use super::StoreError;
use super::change::{Job, Outcome, Tx};
use super::native::{Attempt, Native};
use super::reader::Reader;
use super::runtime::wait;
use crate::sys::clock::{self, Deadline, pause};
use crate::sys::lock;
use crate::sys::process::describe_all;

/// How long a lock is waited for that no server holds.
const PATIENCE: Duration = Duration::from_secs(30);

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
    name: String,
    email: String,
}

impl Store {
    /// The store at this place. Nothing is opened yet. Name and e-mail go into Dolt's commits; `cache` is where indexes of large
    /// journals are kept.
    pub fn new(whereabouts: Whereabouts, (name, email): (String, String), cache: Option<PathBuf>) -> Self {
        let native = whereabouts.dir.as_ref().map(|dir| Native::at(dir, cache));
        Self { whereabouts, native, name, email }
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
        let native = self.files()?;
        Ok(Box::new(native.reader()?))
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
        let native = self.files()?;
        let deadline = Deadline::after(PATIENCE);
        let mut between = Duration::from_millis(2);
        loop {
            if let Attempt::Done(result) = native.write(&by, deadline, job)? {
                return Ok(result);
            }
            if deadline.has_passed() {
                return Err(held(native, deadline));
            }
            wait::<(), StoreError>(async {
                pause(between.min(deadline.remaining())).await;
                Ok(())
            })?;
            between = (between * 2).min(Duration::from_millis(50));
        }
    }

    fn files(&self) -> Result<&Native, StoreError> {
        let away = || {
            let problem = format!("the database is on {}, not on this machine", self.whereabouts.server.host);
            StoreError::Engine { engine: "native", problem }
        };
        let native = self.native.as_ref().ok_or_else(away)?;
        if !native.dir().join(".dolt/noms").is_dir() {
            return Err(StoreError::NoDatabase { path: native.dir().to_owned() });
        }
        Ok(native)
    }
}

fn held(native: &Native, deadline: Deadline) -> StoreError {
    let path = native.dir().to_owned();
    let holder = describe_all(&lock::holders(&path.join(".dolt/noms/LOCK")));
    StoreError::Held { path, holder, seconds: deadline.limit().as_secs() }
}
