//! A database under its lock: the names of the store move together, or not at all.

use std::path::{Path, PathBuf};

use super::database::{head_branch, head_in, state_file};
use super::transaction::head_ref;
use super::{Database, Session};
use crate::chunk::{Disk, ReadOptions, Writer};
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

    /// Moves names, all or none, from the state that `draft` was taken from; whatever the draft's new values need is written
    /// with them. When this returns it is on the disk. `seconds` since 1970.
    pub fn update(&mut self, draft: &Session, changes: &[RefChange], seconds: u64) -> Result<()> {
        let snapshot = draft.snapshot();
        if self.writer.snapshot()?.root() != snapshot.root() {
            return Err(Error::Moved { name: "the store's root".to_owned() });
        }
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
        let root = snapshot.put(StoreRoot::message(&snapshot.chunk(refs)?))?;
        if root == snapshot.root() {
            return Ok(());
        }
        let chunks = snapshot.drafted_from(root, references)?;
        self.writer.append(&chunks, root, seconds)
    }
}
