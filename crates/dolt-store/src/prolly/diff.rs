//! What differs between two trees, found by their addresses: equal subtrees are never opened, so the cost follows the change
//! and not the size.
//!
//! Level by level from the roots: children whose address stands on both sides hold the same entries and are dropped; what
//! is left is opened. At the leaves the remaining entries of both sides are merged in key order. A node that is in both
//! trees cannot hold a difference, because every key lies in exactly one leaf of each tree.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::tree::{Tree, load};
use crate::chunk::Snapshot;
use crate::message::{Node, NodeKind};
use crate::{Hash, Result};

/// A key that differs: its leaf and entry on the old side and on the new one.
#[derive(Debug, Clone)]
pub(crate) struct Difference {
    pub(crate) old: Option<(Arc<Node>, usize)>,
    pub(crate) new: Option<(Arc<Node>, usize)>,
}

/// Walks over the differences in key order.
#[derive(Debug)]
pub(crate) struct TreeDiff {
    old: Side,
    new: Side,
    // Differences that were found without knowing the order of the keys.
    matched: Option<std::vec::IntoIter<Difference>>,
}

impl TreeDiff {
    /// Prepares the walk: opens the inner nodes that differ.
    pub(crate) fn between(old: &Tree, new: &Tree) -> Result<Self> {
        let (mut left, mut right) = (Frontier::of(old), Frontier::of(new));
        while left.level > 0 || right.level > 0 {
            match left.level.cmp(&right.level) {
                Ordering::Greater => left.descend(&HashMap::new())?,
                Ordering::Less => right.descend(&HashMap::new())?,
                Ordering::Equal => {
                    let common = common(&left.children(), &right.children());
                    left.descend(&common)?;
                    right.descend(&common)?;
                }
            }
        }
        Ok(Self { old: left.into_side(), new: right.into_side(), matched: None })
    }

    /// The next difference. `order` compares two keys.
    pub(crate) fn step(&mut self, order: impl Fn(&[u8], &[u8]) -> Ordering) -> Result<Option<Difference>> {
        if let Some(matched) = &mut self.matched {
            return Ok(matched.next());
        }
        loop {
            let (old, new) = (self.old.entry()?, self.new.entry()?);
            let which = match (&old, &new) {
                (None, None) => return Ok(None),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((a, i)), Some((b, j))) => order(a.key(*i), b.key(*j)),
            };
            match which {
                Ordering::Less => {
                    self.old.advance();
                    return Ok(Some(Difference { old, new: None }));
                }
                Ordering::Greater => {
                    self.new.advance();
                    return Ok(Some(Difference { old: None, new }));
                }
                Ordering::Equal => {
                    self.old.advance();
                    self.new.advance();
                    let same =
                        matches!((&old, &new), (Some((a, i)), Some((b, j))) if a.value(*i) == b.value(*j));
                    if !same {
                        return Ok(Some(Difference { old, new }));
                    }
                }
            }
        }
    }
}

impl TreeDiff {
    /// For keys whose order is not known: finds all differences now, by comparing what `fold` makes of the keys. Both sides
    /// are in one order, so entries that are on both of them tell where the others belong.
    pub(crate) fn match_keys(&mut self, fold: impl Fn(&[u8]) -> Vec<u8>) -> Result<()> {
        let (old, new) = (self.old.rest()?, self.new.rest()?);
        let places: HashMap<Vec<u8>, usize> =
            new.iter().enumerate().map(|(place, (node, i))| (fold(node.key(*i)), place)).collect();
        let partners: Vec<Option<usize>> =
            old.iter().map(|(n, i)| places.get(&fold(n.key(*i))).copied()).collect();
        let taken: HashSet<usize> = partners.iter().flatten().copied().collect();
        let mut added = new.iter().enumerate().filter(|(place, _)| !taken.contains(place)).peekable();
        let mut found = Vec::new();
        for (before, partner) in old.iter().zip(&partners) {
            let Some(place) = partner else {
                found.push(Difference { old: Some(before.clone()), new: None });
                continue;
            };
            while let Some((_, entry)) = added.next_if(|(at, _)| at < place) {
                found.push(Difference { old: None, new: Some(entry.clone()) });
            }
            let after = new.get(*place);
            let is_same = after.is_some_and(|after| entry_bytes(after) == entry_bytes(before));
            if !is_same {
                found.push(Difference { old: Some(before.clone()), new: after.cloned() });
            }
        }
        found.extend(added.map(|(_, entry)| Difference { old: None, new: Some(entry.clone()) }));
        self.matched = Some(found.into_iter());
        Ok(())
    }
}

fn entry_bytes((node, i): &(Arc<Node>, usize)) -> (&[u8], &[u8]) {
    (node.key(*i), node.value(*i))
}

// How often each address stands on both sides. One tree can hold the same node twice only if it is damaged, but counting
// costs nothing.
fn common(left: &[Hash], right: &[Hash]) -> HashMap<Hash, usize> {
    let count = |all: &[Hash]| {
        let mut counts: HashMap<Hash, usize> = HashMap::new();
        for hash in all {
            let n = counts.entry(*hash).or_default();
            *n = n.saturating_add(1);
        }
        counts
    };
    let right = count(right);
    let both = |(hash, n): (Hash, usize)| Some((hash, n.min(*right.get(&hash)?)));
    count(left).into_iter().filter_map(both).collect()
}

// The nodes of one level that may hold differences.
struct Frontier {
    snapshot: Snapshot,
    kind: NodeKind,
    level: u8,
    // The leaves that are left are loaded one by one when the walk comes to them; the root may be such a leaf.
    nodes: Vec<Arc<Node>>,
    leaves: Vec<Hash>,
}

impl Frontier {
    fn of(tree: &Tree) -> Self {
        let root = Arc::clone(tree.root());
        Self {
            snapshot: tree.snapshot().clone(),
            kind: tree.kind(),
            level: root.level(),
            nodes: vec![root],
            leaves: Vec::new(),
        }
    }

    fn children(&self) -> Vec<Hash> {
        let of_node = |node: &Arc<Node>| (0..node.len()).filter_map(|i| node.address(i)).collect::<Vec<_>>();
        self.nodes.iter().flat_map(of_node).collect()
    }

    fn descend(&mut self, without: &HashMap<Hash, usize>) -> Result<()> {
        let mut left_out = without.clone();
        let keep = |hash: &Hash| match left_out.get_mut(hash).filter(|n| **n > 0) {
            Some(n) => {
                *n = n.saturating_sub(1);
                false
            }
            None => true,
        };
        let children: Vec<Hash> = self.children().into_iter().filter(keep).collect();
        self.level = self.level.saturating_sub(1);
        self.nodes = Vec::new();
        if self.level == 0 {
            self.leaves = children;
            return Ok(());
        }
        for child in children {
            self.nodes.push(load(&self.snapshot, self.kind, child)?);
        }
        Ok(())
    }

    fn into_side(self) -> Side {
        let first = self.nodes.into_iter().next();
        Side { snapshot: self.snapshot, kind: self.kind, leaves: self.leaves.into_iter(), leaf: first, at: 0 }
    }
}

// The entries of the leaves that are left on one side, in order.
#[derive(Debug)]
struct Side {
    snapshot: Snapshot,
    kind: NodeKind,
    leaves: std::vec::IntoIter<Hash>,
    leaf: Option<Arc<Node>>,
    at: usize,
}

impl Side {
    fn entry(&mut self) -> Result<Option<(Arc<Node>, usize)>> {
        loop {
            if let Some(leaf) = &self.leaf
                && self.at < leaf.len()
            {
                return Ok(Some((Arc::clone(leaf), self.at)));
            }
            let Some(next) = self.leaves.next() else { return Ok(None) };
            self.leaf = Some(load(&self.snapshot, self.kind, next)?);
            self.at = 0;
        }
    }

    fn rest(&mut self) -> Result<Vec<(Arc<Node>, usize)>> {
        let mut all = Vec::new();
        while let Some(entry) = self.entry()? {
            all.push(entry);
            self.advance();
        }
        Ok(all)
    }

    fn advance(&mut self) {
        self.at = self.at.saturating_add(1);
    }
}
