//! What the verbs that write have in common: the database's lock, taken for one short write, and by whom it is.

use std::path::Path;
use std::time::Duration;

use dolt_store::Hash;
use dolt_store::chunk::ReadOptions;
use dolt_store::commit::{Author, Database, Locked, Prepared, Session as State};

use crate::cli::failure::{Failure, Kind};
use crate::cli::session::Session;
use crate::doltserver::gate;
use crate::sys::clock::{self, Deadline, pause};
use crate::sys::lock::{self, FileLock};
use crate::sys::process::{Facts, Pid, describe_all};
use crate::town::identity;

/// How long a lock is waited for that no server holds.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often something is prepared without the lock before it is done under it.
const UNLOCKED_ATTEMPTS: usize = 3;

/// A database that nobody else writes.
pub(super) struct Writable {
    pub(super) locked: Locked,
    // While this is held no server starts in the town.
    _inside: Option<FileLock>,
}

/// Takes the lock. A server that holds it is named at once: it will not let go.
pub(super) fn lock(session: &Session, dir: &Path) -> Result<Writable, Failure> {
    let own_dir = dir.parent().map(|data_dir| data_dir.join(".gt")).filter(|own| own.is_dir());
    let lock_file = dir.join(".dolt/noms/LOCK");
    session.block_on(async {
        let deadline = Deadline::after(PATIENCE);
        loop {
            let inside = match &own_dir {
                Some(own) => Some(gate::pass_in(own, deadline).await?),
                None => None,
            };
            if let Some(locked) = Database::try_lock(dir, options())? {
                return Ok(Writable { locked, _inside: inside });
            }
            drop(inside);
            let holders = lock::holders(&lock_file);
            if deadline.has_passed() || holders.iter().any(|pid| is_server(*pid)) {
                let who = describe_all(&holders);
                let what = format!("{} is held by {who}", dir.display());
                return Err(Failure::new(Kind::InUse, what).hint(
                    "Through a server it is done in SQL (gt dolt sql); or stop it first (gt dolt stop)",
                ));
            }
            pause(Duration::from_millis(20).min(deadline.remaining())).await;
        }
    })
}

/// Writes with the lock held only while what was prepared is appended. If somebody else has written meanwhile, it is
/// prepared anew from what is there then; the last time under the lock, so that it lands in the end. Nothing prepared:
/// nothing is written.
pub(super) fn write<T>(
    session: &Session,
    dir: &Path,
    mut prepare: impl FnMut(&State) -> Result<(T, Option<Prepared>), Failure>,
) -> Result<T, Failure> {
    for _ in 0..UNLOCKED_ATTEMPTS {
        let (given, prepared) = prepare(&Database::open_with(dir, options())?.session()?)?;
        let Some(prepared) = prepared else { return Ok(given) };
        match lock(session, dir)?.locked.apply(prepared) {
            Err(dolt_store::Error::Moved { .. }) => {}
            done => return Ok(done.map(|()| given)?),
        }
    }
    let mut writable = lock(session, dir)?;
    let (given, prepared) = prepare(&writable.locked.session()?)?;
    prepared.map_or(Ok(()), |prepared| writable.locked.apply(prepared))?;
    Ok(given)
}

fn options() -> ReadOptions {
    ReadOptions { despite_loss: false, index_cache: dirs::cache_dir().map(|c| c.join("gt/journals")) }
}

fn is_server(pid: Pid) -> bool {
    Facts::read(pid).is_some_and(|facts| facts.argv.iter().any(|word| word == "sql-server"))
}

/// Who writes now: as Dolt is configured, or as `--author "Name <mail>"` says.
pub(super) fn author(session: &Session, dir: &Path, given: Option<&str>) -> Result<Author, Failure> {
    let millis = u64::try_from(clock::now().as_millisecond()).unwrap_or(0);
    if let Some(text) = given {
        let parts = text.strip_suffix('>').and_then(|t| t.split_once('<'));
        let (name, email) = parts
            .map(|(n, e)| (n.trim(), e.trim()))
            .filter(|(n, e)| !n.is_empty() && !e.is_empty())
            .ok_or_else(|| {
                Failure::new(Kind::Usage, format!("{text:?} is no author"))
                    .hint("Like this: --author \"Name <name@example.com>\"")
            })?;
        return Ok(Author { name: name.to_owned(), email: email.to_owned(), millis });
    }
    let identity::Identity { name, email } = identity::of(&session.env, Some(dir));
    Ok(Author { name, email, millis })
}

/// The commit that a revision means.
pub(super) fn commit_at(state: &State, revision: &str) -> Result<Hash, Failure> {
    state.resolve_commit(revision)?.ok_or_else(|| {
        Failure::new(Kind::Other, format!("there is no commit {revision:?}"))
            .hint("A commit is a branch, a tag, an address or HEAD, with ~n behind it")
    })
}
