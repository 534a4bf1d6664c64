//! One level of a tree being built: entries go in, nodes come out where the splitter ends them.

use std::cmp::Ordering;

use super::splitter::Splitter;
use crate::chunk::Snapshot;
use crate::message::{NodeContent, NodeKind, node_message};
use crate::{Hash, Result};

/// What must be known of a tree to write it.
#[derive(Clone, Copy)]
pub(crate) struct Shape<'s> {
    pub(crate) kind: NodeKind,
    /// The order of the keys.
    pub(crate) compare: &'s dyn Fn(&[u8], &[u8]) -> Ordering,
    /// Where addresses of chunks lie in an entry's value, in the order in which a leaf lists them. Collections find long
    /// values by that list only.
    pub(crate) addresses_in: &'s dyn Fn(&[u8]) -> Result<Vec<usize>>,
}

impl Shape<'static> {
    /// Names to addresses.
    pub(crate) const ADDRESSES: Self =
        Self { kind: NodeKind::Addresses, compare: &|a, b| a.cmp(b), addresses_in: &|_| Ok(Vec::new()) };
}

/// A node that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) last_key: Vec<u8>,
    pub(crate) address: Hash,
    /// Entries of the tree below it.
    pub(crate) count: u64,
}

/// The entries of one level since the last node ended.
pub(super) struct Level<'s> {
    shape: Shape<'s>,
    draft: &'s Snapshot,
    height: u8,
    splitter: Splitter,
    keys: Vec<u8>,
    key_ends: Vec<u16>,
    last_key_at: usize,
    values: Vec<u8>,
    value_ends: Vec<u16>,
    addresses_at: Vec<u16>,
    counts: Vec<u64>,
}

impl<'s> Level<'s> {
    pub(super) fn new(shape: Shape<'s>, draft: &'s Snapshot, height: u8) -> Self {
        Self {
            shape,
            draft,
            height,
            splitter: Splitter::new(height),
            keys: Vec::new(),
            key_ends: Vec::new(),
            last_key_at: 0,
            values: Vec::new(),
            value_ends: Vec::new(),
            addresses_at: Vec::new(),
            counts: Vec::new(),
        }
    }

    /// Whether a node has just ended, so that the next entry begins one.
    pub(super) fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Takes an entry; `count` is 1 in a leaf, else what lies below the child. Gives the nodes that end because of it.
    pub(super) fn add(&mut self, key: &[u8], value: &[u8], count: u64) -> Result<[Option<Written>; 2]> {
        let is_full = self.splitter.is_full_for(key.len().saturating_add(value.len()));
        let before = if is_full { self.cut()? } else { None };
        if self.height == 0 && self.shape.kind == NodeKind::Map {
            let base = self.values.len();
            let listed = (self.shape.addresses_in)(value)?;
            self.addresses_at.extend(listed.into_iter().map(|at| within_node(base.saturating_add(at))));
        }
        self.last_key_at = self.keys.len();
        self.keys.extend_from_slice(key);
        self.values.extend_from_slice(value);
        self.key_ends.push(within_node(self.keys.len()));
        self.value_ends.push(within_node(self.values.len()));
        self.counts.push(count);
        self.splitter.add(key, value.len());
        let after = if self.splitter.end().at_boundary { self.cut()? } else { None };
        Ok([before, after])
    }

    /// Ends the node, if there is anything in it.
    pub(super) fn cut(&mut self) -> Result<Option<Written>> {
        if self.is_empty() {
            return Ok(None);
        }
        let count = self.counts.iter().fold(0u64, |sum, n| sum.saturating_add(*n));
        let address = self.draft.put(node_message(
            self.shape.kind,
            &NodeContent {
                keys: &self.keys,
                key_ends: &self.key_ends,
                values: &self.values,
                value_ends: &self.value_ends,
                addresses_at: &self.addresses_at,
                counts: &self.counts,
                tree_count: count,
                level: self.height,
            },
        ))?;
        let last_key = self.keys.get(self.last_key_at..).unwrap_or_default().to_vec();
        self.splitter = Splitter::new(self.height);
        self.keys.clear();
        self.key_ends.clear();
        self.values.clear();
        self.value_ends.clear();
        self.addresses_at.clear();
        self.counts.clear();
        Ok(Some(Written { last_key, address, count }))
    }
}

/// The address of the tree without entries.
pub(super) fn empty(shape: &Shape<'_>, draft: &Snapshot) -> Result<Hash> {
    draft.put(node_message(shape.kind, &NodeContent::default()))
}

// The splitter ends nodes before they reach 65,536 bytes; a single larger entry is refused where rows are made.
fn within_node(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}
