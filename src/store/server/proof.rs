//! The proof that a server serves this very directory: the process that holds its lock is a Dolt server, and it is the one that
//! answers at the address that is used. Whatever names a process without that is a hint.
//!
//! Reading the kernel's list of all locks costs more than a write, so the hint that Dolt leaves is examined first; it needs only
//! that process's own descriptors.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::doltserver::identity;
use crate::sys::descriptors::Descriptors;
use crate::sys::dir_id::same_place;
use crate::sys::lock;
use crate::sys::net::{Listening, Port};
use crate::sys::process::{Facts, Pid, StartToken, describe};

/// A server and why it is the one.
#[derive(Debug)]
pub(super) struct Proof {
    pub(super) pid: Pid,
    pub(super) port: Port,
    pub(super) address: SocketAddr,
    /// The names that the server may have for this directory, as its own arguments and the directory say. Empty: the databases
    /// themselves have to be compared.
    pub(super) names: Vec<String>,
    lock: PathBuf,
    start: StartToken,
}

impl Proof {
    /// Looks who holds the directory. The problem, if nobody can be proved to, is one for people.
    pub(super) fn find(dir: &Path, configured: Option<Port>) -> Result<Self, String> {
        let lock = dir.join(".dolt/noms/LOCK");
        let hints = hints(dir);
        let found = if let Some(found) = noted(&hints, &lock) {
            found
        } else {
            let pid = *lock::holders(&lock).first().ok_or("nobody is known to hold its lock")?;
            (pid, Descriptors::of(pid))
        };
        Self::of(&found, dir, lock, configured, &hints)
    }

    /// The same, but only whoever Dolt has noted itself is looked at.
    pub(super) fn find_noted(dir: &Path, configured: Option<Port>) -> Option<Self> {
        let lock = dir.join(".dolt/noms/LOCK");
        let hints = hints(dir);
        let found = noted(&hints, &lock)?;
        Self::of(&found, dir, lock, configured, &hints).ok()
    }

    fn of(
        (pid, descriptors): &(Pid, Descriptors),
        dir: &Path,
        lock: PathBuf,
        configured: Option<Port>,
        hints: &[(Pid, Option<Port>)],
    ) -> Result<Self, String> {
        let pid = *pid;
        let facts = Facts::read(pid).ok_or_else(|| format!("PID {pid}, which held its lock, has gone"))?;
        if !identity::is_dolt(&facts) || !identity::is_sql_server(&facts) {
            return Err(format!("{} holds its lock and is no Dolt server", describe(pid)));
        }
        let listening = Listening::of(descriptors);
        let ports = listening.ports();
        let noted = hints.iter().filter(|hint| hint.0 == pid).find_map(|hint| hint.1);
        let known = configured.into_iter().chain(noted).find(|port| ports.contains(port));
        let port = match (known, &ports[..]) {
            (Some(port), _) => port,
            (None, [only]) => *only,
            (None, []) => return Err(format!("{} holds its lock and does not listen", describe(pid))),
            (None, _) => return Err(format!("which port of {} is for SQL is not known", describe(pid))),
        };
        let hidden = || format!("port {port} of {} is reached by no address of this machine", describe(pid));
        let address = listening.address(port).ok_or_else(hidden)?;
        Ok(Self { pid, port, address, names: names(&facts, dir), lock, start: facts.start })
    }

    /// Whether all of it holds still: asked once a connection is there, which then is one to this process.
    pub(super) fn still_holds(&self) -> bool {
        let descriptors = Descriptors::of(self.pid);
        descriptors.hold_lock_on(&self.lock)
            && Listening::of(&descriptors).address(self.port) == Some(self.address)
            && self.is_alive()
    }

    /// Whether the process that was proved lives.
    pub(super) fn is_alive(&self) -> bool {
        Facts::read(self.pid).is_some_and(|facts| facts.start == self.start)
    }
}

// Who of those that Dolt has noted holds the lock, and what it has open.
fn noted(hints: &[(Pid, Option<Port>)], lock: &Path) -> Option<(Pid, Descriptors)> {
    let mut noted = hints.iter().map(|hint| (hint.0, Descriptors::of(hint.0)));
    noted.find(|(_, descriptors)| descriptors.hold_lock_on(lock))
}

/// Processes and ports that Dolt has written down, in the directory that it serves: that above, or this one.
fn hints(dir: &Path) -> Vec<(Pid, Option<Port>)> {
    let served = dir.parent().into_iter().chain([dir]);
    let hint = |served: &Path| {
        let text = fs::read_to_string(served.join(".dolt/sql-server.info")).ok()?;
        let mut words = text.split(':');
        Some((Pid::parse(words.next()?)?, words.next().and_then(|port| port.parse().ok())))
    };
    served.filter_map(hint).collect()
}

// A server calls a database as its directory is called, or, if it was told to in its environment, with `_` in place of some
// characters (Dolt `dbfactory.DirToDBName`).
fn names(facts: &Facts, dir: &Path) -> Vec<String> {
    let noms = dir.join(".dolt/noms");
    let Some(served) = identity::served_dir(facts) else { return Vec::new() };
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let inside = name(dir).filter(|name| same_place(&served.join(name).join(".dolt/noms"), &noms));
    let itself = || served.canonicalize().ok().filter(|at| same_place(&at.join(".dolt/noms"), &noms));
    let Some(plain) = inside.or_else(|| name(&itself()?)) else { return Vec::new() };
    let mut replaced = plain.trim().replace(|letter: char| letter == '-' || letter.is_whitespace(), "_");
    while replaced.contains("__") {
        replaced = replaced.replace("__", "_");
    }
    let mut names = vec![plain, replaced];
    names.dedup();
    names
}
