//! The ancestors of a commit as a tree, by height and address (Dolt `go/store/datas/commit_closure.go`).

use std::cmp::Ordering;

use crate::bytes::array;
use crate::chunk::Snapshot;
use crate::message::{Commit, Node, NodeContent, NodeKind, node_message};
use crate::prolly::{Edit, Shape, Tree, TreeDiff, edit};
use crate::{Error, Hash, Result};

/// The ancestors of a commit with these parents: those of the first, those of the others, and themselves.
pub(super) fn of_parents(snapshot: &Snapshot, parents: &[(Hash, Commit)]) -> Result<Hash> {
    let Some(((_, first), others)) = parents.split_first() else { return Ok(Hash::NONE) };
    let tree = tree(snapshot, first)?;
    let mut more: Vec<Vec<u8>> = parents.iter().map(|(hash, commit)| key(commit.height, *hash)).collect();
    for (_, other) in others {
        let mut difference = TreeDiff::between(&tree, &self::tree(snapshot, other)?)?;
        while let Some(change) = difference.step(order)? {
            more.extend(change.new.filter(|_| change.old.is_none()).map(|(node, i)| node.key(i).to_vec()));
        }
    }
    more.sort_by(|a, b| order(a, b));
    more.dedup();
    // Where a leaf ends, Dolt counts an entry that is added with one byte of value, which is then not stored.
    let edits = more.into_iter().map(|key| Edit::put(key, vec![0])).collect();
    let shape = Shape { kind: NodeKind::Closure, compare: &order, addresses_in: &|_| Ok(Vec::new()) };
    edit(&tree, shape, snapshot, edits)
}

fn tree(snapshot: &Snapshot, commit: &Commit) -> Result<Tree> {
    if !commit.closure.is_none() {
        return Tree::open(snapshot, NodeKind::Closure, commit.closure);
    }
    let empty = node_message(NodeKind::Closure, &NodeContent::default());
    let node = Node::parse(NodeKind::Closure, empty)
        .map_err(|problem| Error::BadChunk { hash: Hash::NONE, problem })?;
    Ok(Tree::embedded(snapshot, NodeKind::Closure, node, Hash::NONE))
}

fn key(height: u64, hash: Hash) -> Vec<u8> {
    [&height.to_le_bytes()[..], hash.as_bytes()].concat()
}

fn order(a: &[u8], b: &[u8]) -> Ordering {
    let height = |key: &[u8]| array(key, 0).map(u64::from_le_bytes).unwrap_or_default();
    height(a).cmp(&height(b)).then_with(|| a.get(8..).cmp(&b.get(8..)))
}
