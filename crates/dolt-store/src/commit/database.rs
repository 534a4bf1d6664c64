//! A database: its store, and the branch that its directory is on.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::chunk::{ReadOptions, Snapshot, Store};
use crate::message::{Commit, NodeKind, RootValue, Stash, StoreRoot, Tag, WorkingSet, stash_list};
use crate::prolly::Tree;
use crate::{Error, Hash, Result};

/// A database on disk, opened for reading.
#[derive(Debug)]
pub struct Database {
    store: Arc<Store>,
    dolt_dir: PathBuf,
}

/// One committed state of a database. All its refs come from one root, so no two of them can disagree in time.
#[derive(Debug, Clone)]
pub struct Session {
    snapshot: Snapshot,
    refs: Tree,
    head: String,
}

impl Database {
    /// Opens the database in this directory (the one that holds `.dolt`).
    pub fn open_read(path: &Path) -> Result<Self> {
        Self::open_with(path, ReadOptions::default())
    }

    /// The same with options.
    pub fn open_with(path: &Path, options: ReadOptions) -> Result<Self> {
        Ok(Self::of(Store::open_read(path, options)?))
    }

    fn of(store: Store) -> Self {
        let dolt_dir = store.path().parent().unwrap_or(store.path()).to_owned();
        Self { store: Arc::new(store), dolt_dir }
    }

    /// The newest committed state.
    pub fn session(&self) -> Result<Session> {
        self.session_at(self.store.snapshot()?)
    }

    /// The state that a snapshot holds.
    pub(crate) fn session_at(&self, snapshot: Snapshot) -> Result<Session> {
        Session::at(snapshot, head_branch(&self.dolt_dir))
    }

    /// The chunk store beneath.
    pub fn store(&self) -> &Store {
        &self.store
    }

    pub(super) fn shared_store(&self) -> &Arc<Store> {
        &self.store
    }
}

/// The branch that a database's directory is on. `repo_state.json` says `{"head": "refs/heads/main", …}`; without it Dolt
/// would not open the database at all, but its history can still be read.
pub(super) fn head_branch(dolt_dir: &Path) -> String {
    let text = fs::read_to_string(state_file(dolt_dir)).unwrap_or_default();
    let value = head_in(&text).and_then(|place| text.get(place));
    value.and_then(|v| v.strip_prefix("refs/heads/")).unwrap_or("main").to_owned()
}

/// The file in which the branch is.
pub(super) fn state_file(dolt_dir: &Path) -> PathBuf {
    dolt_dir.join("repo_state.json")
}

/// Where the branch's full name stands in its text. Names follow git's rules: none has to be escaped.
pub(super) fn head_in(text: &str) -> Option<Range<usize>> {
    let at = |part: &str| (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    let (_, after) = text.split_once("\"head\"")?;
    let (_, value) = after.split_once(':')?;
    let value = value.trim_start().strip_prefix('"')?;
    let (name, _) = value.split_once('"')?;
    Some(at(name)..at(name).saturating_add(name.len()))
}

impl Session {
    pub(crate) fn at(snapshot: Snapshot, head: String) -> Result<Self> {
        let root = snapshot.root();
        let bytes = snapshot.chunk(root)?;
        let store_root =
            StoreRoot::parse(&bytes).map_err(|problem| Error::BadChunk { hash: root, problem })?;
        let refs = Tree::embedded(&snapshot, NodeKind::Addresses, store_root.refs, root);
        Ok(Self { snapshot, refs, head })
    }

    /// The chunks of this state.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The branch that the directory is on.
    pub fn head(&self) -> &str {
        &self.head
    }

    pub(super) fn refs(&self) -> &Tree {
        &self.refs
    }

    /// A commit by its address.
    pub fn commit(&self, hash: Hash) -> Result<Commit> {
        self.parse(hash, Commit::parse)
    }

    /// A root value by its address.
    pub fn root_value(&self, hash: Hash) -> Result<RootValue> {
        self.parse(hash, RootValue::parse)
    }

    /// The working set of a branch. `None`: it has none; then working and staged are the head's root.
    pub fn working_set(&self, branch: &str) -> Result<Option<WorkingSet>> {
        let found = self.resolve_exact(&format!("workingSets/heads/{branch}"))?;
        found.map(|hash| self.parse(hash, WorkingSet::parse)).transpose()
    }

    /// A tag's own object by its address.
    pub fn tag(&self, hash: Hash) -> Result<Tag> {
        self.parse(hash, Tag::parse)
    }

    /// The stashes under a ref of kind stash, the newest first.
    pub fn stashes(&self, list: Hash) -> Result<Vec<Stash>> {
        let top = self.parse(list, stash_list)?;
        let tree = Tree::embedded(&self.snapshot, NodeKind::Addresses, top, list);
        let mut found = Vec::new();
        let mut cursor = tree.first()?;
        while let Some((node, i)) = cursor.entry() {
            let position: u64 = String::from_utf8_lossy(node.key(i)).parse().unwrap_or(0);
            if let Some(address) = node.address(i) {
                found.push((position, self.parse(address, Stash::parse)?));
            }
            cursor.advance()?;
        }
        found.sort_by_key(|(position, _)| std::cmp::Reverse(*position));
        Ok(found.into_iter().map(|(_, stash)| stash).collect())
    }

    fn parse<T>(&self, hash: Hash, parse: impl Fn(&[u8]) -> std::result::Result<T, String>) -> Result<T> {
        let bytes = self.snapshot.chunk(hash)?;
        parse(&bytes).map_err(|problem| Error::BadChunk { hash, problem })
    }
}
