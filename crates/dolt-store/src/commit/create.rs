//! A new database: what `dolt init` makes. It is one when its manifest is there, which is written last; a crash before that
//! leaves something that the next attempt takes over.

use std::path::Path;

use super::locked::root_with;
use super::transaction::{CommitMeta, head_ref, set_ref};
use super::{Author, Database, Draft, Session};
use crate::chunk::{Disk, NewStore, Snapshot};
use crate::message::{Commit, Node, NodeContent, NodeKind, RootValue, StoreRoot, WorkingSet, node_message};
use crate::prolly::{Edit, Shape, Tree, edit};
use crate::verify::references;
use crate::{Error, Hash, Result};

/// The version of the format's features that Dolt 1.88.1 to 2.2.0 write. They refuse a newer one, and so do we (Dolt
/// `go/libraries/doltcore/doltdb/root_val.go`, `DoltFeatureVersion`).
pub(super) const FEATURE_VERSION: i64 = 7;
/// `utf8mb4_0900_bin`, by `MySQL`'s number: Dolt's default.
const COLLATION: u16 = 309;

impl Database {
    /// Makes a database without tables in a directory, which is made if need be. Gives the address of its first commit, by
    /// whom Dolt will also commit there. A directory that has a database is refused.
    pub fn init(path: &Path, branch: &str, meta: &CommitMeta) -> Result<Hash> {
        Self::init_on(path, branch, meta, Disk::default())
    }

    /// For tests: the same with a disk that stops.
    #[doc(hidden)]
    pub fn init_on(path: &Path, branch: &str, meta: &CommitMeta, disk: Disk) -> Result<Hash> {
        Self::init_with(path, branch, meta, disk, |_| Ok(()))
    }

    /// Makes a database whose first commit has something on top: what `fill` changes and commits ([`Draft::add_commit`])
    /// becomes the branch with it, in one write. When `fill` fails, there is no database. Gives the address of the last
    /// commit.
    pub fn init_with(
        path: &Path,
        branch: &str,
        meta: &CommitMeta,
        disk: Disk,
        fill: impl FnOnce(&mut Draft) -> Result<()>,
    ) -> Result<Hash> {
        let dolt_dir = path.join(".dolt");
        let store = NewStore::begin(&dolt_dir, disk)?;
        let draft = Snapshot::empty();
        let (first, first_root) = first_state(&draft, branch, meta)?;
        let mut on_top = Draft::on(Session::at(draft.clone().at(first_root), branch.to_owned())?, branch)?;
        let before = (on_top.working(), on_top.staged());
        fill(&mut on_top)?;
        let head = on_top.head();
        let is_changed = head != first || (on_top.working(), on_top.staged()) != before;
        let root = if is_changed {
            root_with(on_top.draft(), &on_top.ref_changes(&meta.committer, "init")?)?
        } else {
            first_root
        };
        let chunks = draft.drafted_from(root, references)?;
        // Names follow the rules of git's: none needs to be escaped.
        let state = format!(
            "{{\n  \"head\": \"{}\",\n  \"remotes\": {{}},\n  \"backups\": {{}},\n  \"branches\": {{}}\n}}",
            head_ref(branch)
        );
        store.write_beside(&dolt_dir.join("repo_state.json"), state.as_bytes())?;
        let Author { name, email, .. } = &meta.author;
        let config = serde_json::json!({ "user.email": email, "user.name": name });
        store.write_beside(&dolt_dir.join("config.json"), config.to_string().as_bytes())?;
        store.finish(&chunks, root, meta.committer.millis / 1000)?;
        Ok(head)
    }
}

// The first commit, and the root of a store in which a branch is at it.
fn first_state(draft: &Snapshot, branch: &str, meta: &CommitMeta) -> Result<(Hash, Hash)> {
    let no_names =
        Node::parse(NodeKind::Addresses, node_message(NodeKind::Addresses, &NodeContent::default()));
    let no_names = no_names.map_err(|problem| Error::BadChunk { hash: Hash::NONE, problem })?;
    let value = RootValue {
        feature_version: FEATURE_VERSION,
        collation: COLLATION,
        foreign_keys: Hash::NONE,
        schemas: Vec::new(),
        tables: no_names.clone(),
    };
    let value = draft.put(value.message())?;
    let commit = Commit::new(value, 1, Vec::new(), Hash::NONE, meta)?;
    let first = draft.put(commit.message())?;
    let set = WorkingSet {
        name: Some(meta.committer.name.clone()),
        email: Some(meta.committer.email.clone()),
        description: Some("init".to_owned()),
        seconds: meta.committer.millis / 1000,
        ..WorkingSet::clean(value)
    };
    let set = draft.put(set.message())?;
    let names =
        [(head_ref(branch), first), ("refs/internal/create".to_owned(), first), (set_ref(branch), set)];
    let edits = names.into_iter().map(|(name, to)| Edit::put(name.into_bytes(), to.as_bytes().to_vec()));
    let tree = Tree::embedded(draft, NodeKind::Addresses, no_names, Hash::NONE);
    let refs = edit(&tree, Shape::ADDRESSES, draft, edits.collect())?;
    Ok((first, draft.put(StoreRoot::message(&draft.chunk(refs)?))?))
}
