//! A database under its lock: the names of the store move together, or not at all.

use std::path::{Path, PathBuf};

use super::database::{head_branch, head_in, state_file};
use super::transaction::head_ref;
use super::{Database, Session};
use crate::chunk::{Disk, ReadOptions, Records, Snapshot, Writer};
use crate::message::StoreRoot;
use crate::prolly::{Edit, Shape, edit};
use crate::verify::references;
use crate::{Error, Hash, Result};

/// A database that nobody else can write while this is held. Hold it shortly: a server that is started meanwhile waits for a
/// tenth of a second, and then gives up.
#[derive(Debug)]
pub struct Locked {
    writer: Writer,
    path: PathBuf,
}

/// A name that is to move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefChange {
    /// Its full name, as [`crate::commit::Ref::full_name`].
    pub name: String,
    /// Where it must point now; `None`: it must not be there.
    pub from: Option<Hash>,
    /// Where it is to point; `None`: it is to go.
    pub to: Option<Hash>,
}

impl Database {
    /// Takes the lock on the database in this directory. One attempt: `Ok(None)` means that somebody else holds it.
    pub fn try_lock(path: &Path, options: ReadOptions) -> Result<Option<Locked>> {
        Self::try_lock_on(path, options, Disk::default())
    }

    /// For tests: the same with a disk that stops.
    #[doc(hidden)]
    pub fn try_lock_on(path: &Path, options: ReadOptions, disk: Disk) -> Result<Option<Locked>> {
        let writer = Writer::try_open(path, options, disk)?;
        Ok(writer.map(|writer| Locked { writer, path: path.to_owned() }))
    }
}

impl Locked {
    /// The newest state, as a draft: what is made of it becomes real with [`Locked::update`].
    pub fn session(&self) -> Result<Session> {
        let snapshot = self.writer.snapshot()?.draft();
        Session::at(snapshot, head_branch(&self.path.join(".dolt")))
    }

    /// Puts the directory on a branch. Whatever else its file says stays as it is.
    pub(super) fn set_head(&self, branch: &str) -> Result<()> {
        let dolt_dir = self.path.join(".dolt");
        let path = state_file(&dolt_dir);
        let read = |source| Error::Io { path: path.clone(), source };
        let mut text = std::fs::read_to_string(&path).map_err(read)?;
        let damaged =
            || Error::Damaged { path: path.clone(), offset: 0, problem: "it names no head".to_owned() };
        text.replace_range(head_in(&text).ok_or_else(damaged)?, &head_ref(branch));
        self.writer.write_beside(&path, text.as_bytes())
    }

    /// Does what was prepared, if the store is still as it was then: nobody has written meanwhile, and no collection has
    /// removed what the change takes for there. Otherwise [`Error::Moved`], and nothing is done. When this returns it is on
    /// the disk.
    pub fn apply(&mut self, prepared: Prepared) -> Result<()> {
        let Prepared { on, records } = prepared;
        let now = self.writer.snapshot()?;
        if now.root() != on.root() || !now.has_same_files(&on) {
            return Err(Error::Moved { name: "the store's root".to_owned() });
        }
        records.map_or(Ok(()), |records| self.writer.append(&records))
    }

    /// Moves names, all or none; see [`Prepared::new`].
    pub fn update(&mut self, draft: &Session, changes: &[RefChange], seconds: u64) -> Result<()> {
        let prepared = Prepared::new(draft, changes, seconds)?;
        self.apply(prepared)
    }
}

/// A change of names with everything that it needs, ready to be appended.
#[derive(Debug)]
pub struct Prepared {
    // The state that it starts from.
    on: Snapshot,
    // None: nothing changes.
    records: Option<Records>,
}

impl Prepared {
    /// Moves names, all or none, from the state that `draft` was taken from; whatever the draft's new values need comes with
    /// them. `seconds` since 1970. A name that is not where its change says: [`Error::Moved`].
    pub fn new(draft: &Session, changes: &[RefChange], seconds: u64) -> Result<Self> {
        let snapshot = draft.snapshot();
        let root = root_with(draft, changes)?;
        let on = snapshot.clone();
        if root == snapshot.root() {
            return Ok(Self { on, records: None });
        }
        let chunks = snapshot.drafted_from(root, references)?;
        Ok(Self { on, records: Some(Records::new(&chunks, root, seconds)?) })
    }
}

/// The store's root in which names have moved.
pub(super) fn root_with(draft: &Session, changes: &[RefChange]) -> Result<Hash> {
    let snapshot = draft.snapshot();
    let mut edits = Vec::new();
    for RefChange { name, from, to } in changes {
        if draft.resolve_exact(name)? != *from {
            return Err(Error::Moved { name: name.clone() });
        }
        let key = name.as_bytes().to_vec();
        edits.push(match to {
            Some(hash) => Edit::put(key, hash.as_bytes().to_vec()),
            None => Edit::delete(key),
        });
    }
    edits.sort_by(|a, b| a.key.cmp(&b.key));
    let refs = edit(draft.refs(), Shape::ADDRESSES, snapshot, edits)?;
    snapshot.put(StoreRoot::message(&snapshot.chunk(refs)?))
}
