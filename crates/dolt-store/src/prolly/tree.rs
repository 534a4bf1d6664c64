//! A tree in a snapshot, and cursors on it: to a key, to the k-th entry, forward and backward.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::chunk::Snapshot;
use crate::message::{Node, NodeKind};
use crate::{Error, Hash, Result};

/// Loads and decodes a node.
pub(super) fn load(snapshot: &Snapshot, kind: NodeKind, hash: Hash) -> Result<Arc<Node>> {
    let bytes = snapshot.chunk(hash)?;
    Node::parse(kind, bytes).map(Arc::new).map_err(|problem| Error::BadChunk { hash, problem })
}

/// Nodes that look-ups came through: the next one often takes the same way.
#[derive(Debug, Default)]
struct Seen(Mutex<HashMap<Hash, Arc<Node>>>);

/// So many nodes are kept, each of about 4 KB.
const KEPT: usize = 256;

impl Seen {
    fn get(&self, hash: Hash) -> Option<Arc<Node>> {
        self.0.lock().ok()?.get(&hash).cloned()
    }

    fn keep(&self, hash: Hash, node: &Arc<Node>) {
        if let Ok(mut nodes) = self.0.lock() {
            if nodes.len() >= KEPT {
                nodes.clear();
            }
            nodes.insert(hash, Arc::clone(node));
        }
    }
}

/// A tree by its root node.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    snapshot: Snapshot,
    kind: NodeKind,
    root: Arc<Node>,
    // For messages about damage: the chunk in which the root node lies.
    at: Hash,
    seen: Arc<Seen>,
}

impl Tree {
    /// The tree whose root node has this address.
    pub(crate) fn open(snapshot: &Snapshot, kind: NodeKind, root: Hash) -> Result<Self> {
        let node = load(snapshot, kind, root)?;
        Ok(Self { snapshot: snapshot.clone(), kind, root: node, at: root, seen: Arc::default() })
    }

    /// A tree whose root node is embedded in the chunk `at`.
    pub(crate) fn embedded(snapshot: &Snapshot, kind: NodeKind, root: Node, at: Hash) -> Self {
        Self { snapshot: snapshot.clone(), kind, root: Arc::new(root), at, seen: Arc::default() }
    }

    /// How many entries it has.
    pub(crate) fn len(&self) -> u64 {
        self.root.tree_count()
    }

    pub(super) fn root(&self) -> &Arc<Node> {
        &self.root
    }

    /// The chunk in which the root node lies.
    pub(super) fn address(&self) -> Hash {
        self.at
    }

    pub(super) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    pub(super) fn kind(&self) -> NodeKind {
        self.kind
    }

    /// A cursor on the first entry.
    pub(crate) fn first(&self) -> Result<Cursor<'_>> {
        self.descend(|node, _| if node.len() == 0 { None } else { Some(0) })
    }

    /// A cursor on the last entry.
    pub(crate) fn last(&self) -> Result<Cursor<'_>> {
        self.descend(|node, _| node.len().checked_sub(1))
    }

    /// A cursor on the first entry that is not smaller than what is sought. `order` tells how a key compares with that.
    pub(crate) fn seek(&self, order: impl Fn(&[u8]) -> Ordering) -> Result<Cursor<'_>> {
        self.descend(|node, is_leaf| {
            let at = lower_bound(node, &order);
            // Past the last key of an inner node: the entry is behind the whole tree, so its last leaf is walked to the end.
            if is_leaf { Some(at) } else { Some(at.min(node.len().saturating_sub(1))) }
        })
    }

    /// A cursor on the entry at this position, counted from 0.
    pub(crate) fn nth(&self, position: u64) -> Result<Cursor<'_>> {
        let mut left = position;
        self.descend(|node, is_leaf| {
            if is_leaf {
                return usize::try_from(left).ok();
            }
            for i in 0..node.len() {
                let below = node.count_below(i);
                if left < below {
                    return Some(i);
                }
                left = left.saturating_sub(below);
            }
            None
        })
    }

    /// The value under exactly this key.
    pub(crate) fn get(&self, order: impl Fn(&[u8]) -> Ordering) -> Result<Option<(Arc<Node>, usize)>> {
        let cursor = self.seek(&order)?;
        Ok(cursor
            .entry()
            .filter(|(node, i)| order(node.key(*i)) == Ordering::Equal)
            .map(|(n, i)| (Arc::clone(n), i)))
    }

    fn descend(&self, mut pick: impl FnMut(&Node, bool) -> Option<usize>) -> Result<Cursor<'_>> {
        let mut cursor = Cursor { tree: self, path: Vec::new() };
        let mut node = Arc::clone(&self.root);
        let mut at = self.at;
        loop {
            let is_leaf = node.level() == 0;
            let Some(i) = pick(&node, is_leaf) else {
                cursor.path.clear();
                return Ok(cursor);
            };
            let child = if is_leaf { None } else { Some(self.known_child(&node, i, at)?) };
            cursor.path.push((node, i));
            match child {
                None => {
                    // One past the end of a leaf is the beginning of the next.
                    if cursor.entry().is_none() {
                        cursor.settle_forward()?;
                    }
                    return Ok(cursor);
                }
                Some((child, address)) => (node, at) = (child, address),
            }
        }
    }

    // A walk over many entries passes each node once; only look-ups come back.
    fn known_child(&self, node: &Node, i: usize, at: Hash) -> Result<(Arc<Node>, Hash)> {
        if let Some((known, address)) = node.address(i).and_then(|a| Some((self.seen.get(a)?, a)))
            && known.level().checked_add(1) == Some(node.level())
        {
            return Ok((known, address));
        }
        let (child, address) = self.child(node, i, at)?;
        self.seen.keep(address, &child);
        Ok((child, address))
    }

    fn child(&self, node: &Node, i: usize, at: Hash) -> Result<(Arc<Node>, Hash)> {
        let bad = |problem: String| Error::BadChunk { hash: at, problem };
        let address = node.address(i).ok_or_else(|| bad(format!("there is no child {i}")))?;
        let child = load(&self.snapshot, self.kind, address)?;
        // Guards against a node that contains itself, and against endless descent.
        if child.level().checked_add(1) != Some(node.level()) {
            return Err(bad(format!("a child of level {} under level {}", child.level(), node.level())));
        }
        Ok((child, address))
    }
}

fn lower_bound(node: &Node, order: &impl Fn(&[u8]) -> Ordering) -> usize {
    let (mut low, mut high) = (0usize, node.len());
    while low < high {
        let middle = low.midpoint(high);
        if order(node.key(middle)) == Ordering::Less {
            low = middle.saturating_add(1);
        } else {
            high = middle;
        }
    }
    low
}

/// A place in a tree: on an entry, or past one of its ends.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'t> {
    tree: &'t Tree,
    // From the root to a leaf; empty: past an end.
    path: Vec<(Arc<Node>, usize)>,
}

impl Cursor<'_> {
    /// The leaf and the entry in it; `None` past an end.
    pub(crate) fn entry(&self) -> Option<(&Arc<Node>, usize)> {
        let (node, i) = self.path.last()?;
        (*i < node.len()).then_some((node, *i))
    }

    /// How many entries are before it; past the end: all.
    pub(crate) fn rank(&self) -> u64 {
        if self.path.is_empty() {
            return self.tree.len();
        }
        let before = |(node, i): &(Arc<Node>, usize)| {
            (0..*i).map(|k| node.count_below(k)).fold(0, u64::saturating_add)
        };
        self.path.iter().map(before).fold(0, u64::saturating_add)
    }

    /// Steps to the next entry.
    pub(crate) fn advance(&mut self) -> Result<()> {
        if let Some((_, i)) = self.path.last_mut() {
            *i = i.saturating_add(1);
        }
        self.settle_forward()
    }

    /// Steps to the entry before.
    pub(crate) fn retreat(&mut self) -> Result<()> {
        while let Some((node, i)) = self.path.pop() {
            if let Some(before) = i.checked_sub(1) {
                self.path.push((node, before));
                return self.fill(|child| child.len().saturating_sub(1));
            }
        }
        Ok(())
    }

    fn settle_forward(&mut self) -> Result<()> {
        while let Some((node, i)) = self.path.last() {
            if *i < node.len() {
                return self.fill(|_| 0);
            }
            self.path.pop();
            if let Some((_, i)) = self.path.last_mut() {
                *i = i.saturating_add(1);
            }
        }
        Ok(())
    }

    // Down to a leaf from wherever the path ends.
    fn fill(&mut self, pick: impl Fn(&Node) -> usize) -> Result<()> {
        while let Some((node, i)) = self.path.last().filter(|(node, _)| node.level() > 0) {
            let (child, _) = self.tree.child(node, *i, self.tree.at)?;
            let at = pick(&child);
            self.path.push((child, at));
        }
        Ok(())
    }
}
