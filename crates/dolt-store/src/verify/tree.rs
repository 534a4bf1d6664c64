//! One tree, node by node: order of the keys, levels, counts, where nodes end, and the sum of its index entries.

use std::cmp::Ordering;
use std::sync::Arc;
use std::sync::atomic::Ordering as Atomic;

use super::rows::{Row, listed_addresses, lists_nothing};
use super::shape::{Order, Shape};
use super::walker::{Place, Walker};
use crate::Hash;
use crate::message::{Node, NodeKind};
use crate::prolly::{End, Splitter};

/// What is known of a node with everything below it.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Whether nothing is wrong in it.
    pub(super) is_safe: bool,
    /// Whether all of it could be read, so that counts and sums mean something.
    pub(super) is_whole: bool,
    level: u8,
    /// Entries.
    pub(super) count: u64,
    first: Box<[u8]>,
    last: Box<[u8]>,
    // Per level from the leaves up: bytes of the first entry, end of the last node.
    edges: Vec<(usize, End)>,
    /// Per projection of the shape: the sum of the hashes of the entries.
    pub(super) sums: Vec<u128>,
}

impl Facts {
    // Of a node of which nothing else is known.
    fn of_level(level: u8) -> Self {
        Self { level, edges: vec![(0, End { at_boundary: true, bytes: 0 })], ..Self::default() }
    }
}

impl Walker<'_> {
    /// Checks the tree whose root node has this address. `under`: the level of the node above it.
    pub(super) fn subtree(&self, shape: &Shape, hash: Hash, under: Option<u8>, place: &Place) -> Arc<Facts> {
        if let Some(known) = self.known(shape.id, hash) {
            return known;
        }
        let node = self.parse(place, hash, |bytes| Node::parse(shape.kind, bytes.to_vec()));
        let facts = match node {
            // Not followed: nodes of one level could go on for as long as there are chunks.
            Some(node) if under.is_some_and(|above| node.level() >= above) => {
                return Arc::new(Facts::of_level(node.level()));
            }
            Some(node) => self.node(shape, &node, hash, place),
            None => Facts::default(),
        };
        self.remember(shape.id, hash, facts)
    }

    /// Checks a tree whose root node lies in the chunk `at`.
    pub(super) fn root(&self, shape: &Shape, node: &Node, at: Hash, place: &Place) -> Facts {
        let mut facts = self.node(shape, node, at, place);
        if node.level() > 0 && node.len() == 1 {
            self.say_at(place, at, "a root node with only one child");
            facts.is_safe = false;
        }
        facts
    }

    /// Checks a node and everything below it.
    pub(super) fn node(&self, shape: &Shape, node: &Node, at: Hash, place: &Place) -> Facts {
        self.nodes.fetch_add(1, Atomic::Relaxed);
        let mut problems = Vec::new();
        let mut facts = Facts {
            is_safe: true,
            is_whole: true,
            level: node.level(),
            sums: vec![0; shape.projections.len()],
            ..Facts::default()
        };
        boundaries(shape, node, &mut facts, &mut problems);
        if node.level() == 0 {
            self.leaf(shape, node, at, place, &mut facts, &mut problems);
        } else {
            if shape.kind == NodeKind::Map {
                problems.extend(lists_nothing(node).err());
            }
            self.inner(shape, node, place, &mut facts, &mut problems);
        }
        if facts.is_whole && facts.count != node.tree_count() {
            problems.push(format!("it counts {} entries and has {}", node.tree_count(), facts.count));
        }
        facts.is_safe &= problems.is_empty();
        for problem in problems {
            self.say_at(place, at, problem);
        }
        facts
    }

    fn leaf(
        &self,
        shape: &Shape,
        node: &Node,
        at: Hash,
        place: &Place,
        facts: &mut Facts,
        problems: &mut Vec<String>,
    ) {
        let len = node.len();
        facts.count = len as u64;
        self.entries.fetch_add(len as u64, Atomic::Relaxed);
        for i in 1..len {
            ascending(shape, node.key(i.saturating_sub(1)), node.key(i), i, problems);
        }
        if shape.kind == NodeKind::Addresses {
            let is_text = |i: &usize| str::from_utf8(node.key(*i)).is_ok();
            let unreadable = (0..len).filter(|i| !is_text(i));
            problems.extend(unreadable.map(|i| format!("the name of entry {i} is no UTF-8")));
        }
        if let Some(last) = len.checked_sub(1) {
            facts.first = node.key(0).into();
            facts.last = node.key(last).into();
        }
        if shape.kind == NodeKind::Map {
            let rows =
                (0..len).map(|i| Row { shape, key: node.key(i), value: node.value(i), leaf: at, place });
            for row in rows {
                facts.is_safe &= self.row(&row, &mut facts.sums);
            }
            problems.extend(listed_addresses(shape, node).err());
        }
    }

    fn inner(
        &self,
        shape: &Shape,
        node: &Node,
        place: &Place,
        facts: &mut Facts,
        problems: &mut Vec<String>,
    ) {
        let mut before: Option<Arc<Facts>> = None;
        let own_edge = facts.edges.pop();
        for i in 0..node.len() {
            let child = self.subtree(shape, node.address(i).unwrap_or_default(), Some(node.level()), place);
            facts.is_safe &= child.is_safe;
            if child.edges.is_empty() || child.level.checked_add(1) != Some(node.level()) {
                if !child.edges.is_empty() {
                    problems.push(format!("child {i} is of level {}", child.level));
                }
                facts.is_whole = false;
                before = None;
                continue;
            }
            if *child.last != *node.key(i) {
                problems.push(format!("the key of child {i} is not that child's last key"));
            }
            if child.is_whole && child.count != node.count_below(i) {
                let (says, has) = (node.count_below(i), child.count);
                problems.push(format!("child {i} has {has} entries, {says} are counted"));
            }
            if let Some(before) = &before {
                ascending(shape, &before.last, &child.first, i, problems);
                seam(before, &child, i, problems);
            }
            facts.is_whole &= child.is_whole;
            facts.count = facts.count.saturating_add(child.count);
            for (sum, of_child) in facts.sums.iter_mut().zip(&child.sums) {
                *sum = sum.wrapping_add(*of_child);
            }
            if i == 0 {
                facts.first.clone_from(&child.first);
                facts.edges.clone_from(&child.edges);
            }
            facts.last.clone_from(&child.last);
            for (edge, of_child) in facts.edges.iter_mut().zip(&child.edges) {
                edge.1 = of_child.1;
            }
            before = Some(child);
        }
        if !facts.is_whole {
            facts.last = node.key(node.len().saturating_sub(1)).into();
        }
        // The edges of all levels below must be there for the node above to compare with.
        facts.edges.resize(usize::from(node.level()), (0, End { at_boundary: true, bytes: 0 }));
        facts.edges.extend(own_edge);
    }
}

fn boundaries(shape: &Shape, node: &Node, facts: &mut Facts, problems: &mut Vec<String>) {
    let mut splitter = Splitter::new(node.level());
    let checked = node.level() > 0 || shape.leaf_boundaries;
    let mut first = 0;
    for i in 0..node.len() {
        let value = match (node.level(), shape.kind) {
            (0, NodeKind::Map) => node.value(i).len(),
            (0, NodeKind::Closure) => 0,
            _ => Hash::LEN,
        };
        if i == 0 {
            first = node.key(0).len().saturating_add(value);
        }
        if !splitter.add(node.key(i), value) && checked {
            problems.push(format!("it should end before entry {i} of {}", node.len()));
            break;
        }
    }
    let end = splitter.end();
    facts.edges.push((first, End { at_boundary: end.at_boundary || !checked, bytes: end.bytes }));
}

// Two neighbours: on every level the left one's last node must end where the right one's first node begins.
fn seam(left: &Facts, right: &Facts, i: usize, problems: &mut Vec<String>) {
    for (level, ((_, end), (first, _))) in left.edges.iter().zip(&right.edges).enumerate() {
        if !end.allows(*first) {
            problems.push(format!("before child {i} a node of level {level} ends where no node may end"));
        }
    }
}

fn ascending(shape: &Shape, a: &[u8], b: &[u8], i: usize, problems: &mut Vec<String>) {
    match shape.compare(a, b) {
        Some(Ordering::Less) => {}
        None if matches!(shape.order, Order::Unknown) => {}
        None => problems.push(format!("the key of entry {i} or the one before is no key")),
        Some(Ordering::Equal) => problems.push(format!("entry {i} has the key of the one before")),
        Some(Ordering::Greater) => problems.push(format!("entry {i} is not in order")),
    }
}
