//! Nodes of prolly trees: maps of tuples, address maps, commit closures, blobs. One shape for all of them.
//!
//! Slots per kind (Dolt `go/serial/*.fbs`): TUPM 0 key items, 1 key offsets, 3 value items, 4 value offsets, 7 child
//! addresses, 8 subtree counts, 9 tree count, 10 level; ADRM 0, 1, then 2 addresses, 3 counts, 4 tree count, 5 level; CMCL
//! 0 keys of 28 bytes, 1 addresses, 2 counts, 3 tree count, 4 level; BLOB 0 payload, 1 addresses, 2 counts, 3 tree count, 4
//! level. Offsets are 16 bits, one more than there are items. Subtree counts are differences, zigzag, LEB128.

use std::ops::Range;

use super::reader::{Message, Problem, Table};
use crate::Hash;

/// What a tree holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodeKind {
    /// Rows or index entries: tuple to tuple.
    Map,
    /// Names to addresses.
    Addresses,
    /// A commit's ancestors: height and address.
    Closure,
    /// One long value.
    Blob,
}

/// Bytes of one key in a commit closure.
const CLOSURE_KEY: usize = 28;
/// No tree of Dolt comes near this height; it bounds the walk through a damaged one.
const MAX_LEVEL: u8 = 32;

/// One node, decoded. Keys and values stay in the chunk's bytes.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    bytes: Vec<u8>,
    keys: Vec<Range<usize>>,
    values: Vec<Range<usize>>,
    addresses: Vec<Hash>,
    counts: Vec<u64>,
    level: u8,
    tree_count: u64,
}

impl Node {
    /// Decodes a node of a known kind.
    pub(crate) fn parse(kind: NodeKind, bytes: Vec<u8>) -> Result<Self, Problem> {
        let mut node = match kind {
            NodeKind::Map => Self::map(&bytes)?,
            NodeKind::Addresses => Self::address_map(&bytes)?,
            NodeKind::Closure => Self::closure(&bytes)?,
            NodeKind::Blob => Self::blob(&bytes)?,
        };
        if node.level > MAX_LEVEL {
            return Err(format!("a node of level {}", node.level));
        }
        let children = if kind == NodeKind::Blob { node.addresses.len() } else { node.keys.len() };
        let complete = match (kind, node.level) {
            (NodeKind::Map, 0) => node.values.len() == children && node.addresses.is_empty(),
            (NodeKind::Closure | NodeKind::Blob, 0) => node.addresses.is_empty(),
            (NodeKind::Addresses, 0) => node.addresses.len() == children,
            (NodeKind::Map, _) if !node.values.is_empty() => false,
            (_, _) => node.addresses.len() == children && node.counts.len() == children && children > 0,
        };
        if !complete {
            return Err("keys, values and addresses of a node differ in number".to_owned());
        }
        node.bytes = bytes;
        Ok(node)
    }

    /// Decodes a node of what a merge left (ARTM): slots 0, 1, 3, 4 as in a map, 5 addresses, 6 counts, 7 tree count, 8 level.
    /// No kind of its own, because nothing but a count is made of it.
    pub(crate) fn of_artifacts(bytes: Vec<u8>) -> Result<Self, Problem> {
        let table = Message::parse(&bytes, *b"ARTM")?.root(9)?;
        let keys = items(&bytes, &table, 0, 1)?;
        let values = items(&bytes, &table, 3, 4)?;
        let mut node = Self::with(&table, keys, values, [5, 6, 7, 8])?;
        if node.level > MAX_LEVEL || (node.level > 0 && node.addresses.len() != node.keys.len()) {
            return Err("keys and addresses of a node differ in number".to_owned());
        }
        node.bytes = bytes;
        Ok(node)
    }

    fn map(bytes: &[u8]) -> Result<Self, Problem> {
        let table = Message::parse(bytes, *b"TUPM")?.root(11)?;
        let keys = items(bytes, &table, 0, 1)?;
        let values = items(bytes, &table, 3, 4)?;
        Self::with(&table, keys, values, [7, 8, 9, 10])
    }

    fn address_map(bytes: &[u8]) -> Result<Self, Problem> {
        let table = Message::parse(bytes, *b"ADRM")?.root(6)?;
        let keys = items(bytes, &table, 0, 1)?;
        Self::with(&table, keys, Vec::new(), [2, 3, 4, 5])
    }

    fn closure(bytes: &[u8]) -> Result<Self, Problem> {
        let table = Message::parse(bytes, *b"CMCL")?.root(5)?;
        let raw = table.bytes(0)?;
        if raw.len() % CLOSURE_KEY != 0 {
            return Err(format!("{} bytes of keys, not a whole number of {CLOSURE_KEY}", raw.len()));
        }
        let start = place_of(bytes, raw);
        let key = |i: usize| {
            let from = start.saturating_add(i.saturating_mul(CLOSURE_KEY));
            from..from.saturating_add(CLOSURE_KEY)
        };
        let keys = (0..raw.len() / CLOSURE_KEY).map(key).collect();
        Self::with(&table, keys, Vec::new(), [1, 2, 3, 4])
    }

    fn blob(bytes: &[u8]) -> Result<Self, Problem> {
        let table = Message::parse(bytes, *b"BLOB")?.root(5)?;
        let mut node = Self::with(&table, Vec::new(), Vec::new(), [1, 2, 3, 4])?;
        if node.level == 0 {
            let payload = table.bytes(0)?;
            let start = place_of(bytes, payload);
            node.values.push(start..start.saturating_add(payload.len()));
        }
        Ok(node)
    }

    fn with(
        table: &Table<'_>,
        keys: Vec<Range<usize>>,
        values: Vec<Range<usize>>,
        [addresses, counts, tree_count, level]: [usize; 4],
    ) -> Result<Self, Problem> {
        Ok(Self {
            bytes: Vec::new(),
            keys,
            values,
            addresses: table.hashes(addresses)?,
            counts: subtree_counts(table.bytes(counts)?)?,
            tree_count: table.u64(tree_count)?,
            level: table.u8(level)?,
        })
    }

    /// The whole message.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// 0 for a leaf.
    pub(crate) fn level(&self) -> u8 {
        self.level
    }

    /// How many entries (leaf) or children it has; 1 for a blob's leaf.
    pub(crate) fn len(&self) -> usize {
        self.keys.len().max(self.addresses.len()).max(self.values.len())
    }

    /// Entries of the whole tree below it.
    pub(crate) fn tree_count(&self) -> u64 {
        self.tree_count
    }

    /// The key of an entry; of a child: its last key.
    pub(crate) fn key(&self, i: usize) -> &[u8] {
        self.keys.get(i).and_then(|r| self.bytes.get(r.clone())).unwrap_or_default()
    }

    /// The value of an entry; the payload of a blob's leaf.
    pub(crate) fn value(&self, i: usize) -> &[u8] {
        self.values.get(i).and_then(|r| self.bytes.get(r.clone())).unwrap_or_default()
    }

    /// The address of a child, or of an address map's entry.
    pub(crate) fn address(&self, i: usize) -> Option<Hash> {
        self.addresses.get(i).copied()
    }

    /// Entries below a child; 1 in a leaf.
    pub(crate) fn count_below(&self, i: usize) -> u64 {
        if self.level == 0 { 1 } else { self.counts.get(i).copied().unwrap_or(0) }
    }
}

/// Where the payload lies in the only node of a short value, without the rest of the node. `None`: it is not one, or not a
/// whole one, which [`Node::parse`] says in words.
pub(crate) fn blob_payload(bytes: &[u8]) -> Option<Range<usize>> {
    let table = Message::parse(bytes, *b"BLOB").ok()?.root(5).ok()?;
    let is_leaf =
        table.u8(4).ok()? == 0 && table.bytes(1).ok()?.is_empty() && table.bytes(2).ok()?.is_empty();
    let payload = table.bytes(0).ok().filter(|_| is_leaf && table.u64(3).is_ok())?;
    let start = place_of(bytes, payload);
    Some(start..start.saturating_add(payload.len()))
}

// Where a slice that was borrowed from `bytes` begins in it.
fn place_of(bytes: &[u8], part: &[u8]) -> usize {
    (part.as_ptr() as usize).saturating_sub(bytes.as_ptr() as usize)
}

fn items(
    bytes: &[u8],
    table: &Table<'_>,
    items: usize,
    offsets: usize,
) -> Result<Vec<Range<usize>>, Problem> {
    let raw = table.bytes(items)?;
    let offsets = table.u16s(offsets)?;
    let start = place_of(bytes, raw);
    let range = |pair: &[u16]| {
        let [from, to] = pair else { return Err("an offset is missing".to_owned()) };
        let (from, to) = (usize::from(*from), usize::from(*to));
        if from > to || to > raw.len() {
            return Err(format!("an item reaches from {from} to {to} in {} bytes", raw.len()));
        }
        Ok(start.saturating_add(from)..start.saturating_add(to))
    };
    offsets.windows(2).map(range).collect()
}

fn subtree_counts(raw: &[u8]) -> Result<Vec<u64>, Problem> {
    let mut counts = Vec::new();
    let mut last = 0i64;
    let mut bytes = raw.iter();
    while let Some(first) = bytes.next() {
        let mut value = u64::from(first & 0x7f);
        let mut shift = 7u32;
        let mut byte = *first;
        while byte & 0x80 != 0 {
            byte = *bytes.next().ok_or("a subtree count is cut off")?;
            let part = u64::from(byte & 0x7f).checked_shl(shift).filter(|_| shift < 64);
            value |= part.ok_or("a subtree count is too large")?;
            shift = shift.saturating_add(7);
        }
        let magnitude = i64::try_from(value >> 1).map_err(|e| e.to_string())?;
        let delta = if value & 1 == 0 { magnitude } else { !magnitude };
        last = last.checked_add(delta).filter(|n| *n >= 0).ok_or("a subtree count below zero")?;
        counts.push(last.unsigned_abs());
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{NodeContent, node_message};
    use proptest::prelude::*;

    #[test]
    fn subtree_counts_are_differences() {
        assert_eq!(subtree_counts(&[0xc8, 0x01, 0x13, 0x00, 0xa4, 0x03]).unwrap(), [100, 90, 90, 300]);
        assert!(subtree_counts(&[0x80]).is_err() && subtree_counts(&[0x01]).is_err());
    }

    // The map {1: ("a", "bb")}, as Dolt 1.88.1 writes it.
    pub(crate) fn one_row() -> Vec<u8> {
        let words = "1b000070 20000000 5455504d 18002400 20001c00 07001800 14000600 00000000 00000800 18000000 00000101 01000000 00000000 00000000 10000000 14000000 20000000 24000000 02000000 00000900 09000000 61006262 00020002 00000000 02000000 00000600 06000000 01000000 01000000";
        let digits: Vec<u8> =
            words.chars().filter_map(|c| c.to_digit(16)).map(|d| u8::try_from(d).unwrap()).collect();
        digits.chunks(2).map(|p| p[0] << 4 | p[1]).collect()
    }

    #[test]
    fn a_real_leaf_is_read() {
        let bytes = one_row();
        assert_eq!(Hash::of(&bytes).to_string(), "7h4h0520sv2i1ncf2dueg41m2v6l5fbk");
        let node = Node::parse(NodeKind::Map, bytes).unwrap();
        assert_eq!((node.level(), node.len(), node.tree_count()), (0, 1, 1));
        assert_eq!(node.key(0), [1, 0, 0, 0, 1, 0]);
        assert_eq!(node.value(0), *b"a\0bb\0\x02\0\x02\0");
    }

    proptest! {
        #[test]
        fn no_flipped_byte_makes_a_node_panic(at: prop::sample::Index, byte: u8) {
            let mut bytes = one_row();
            let i = at.index(bytes.len());
            bytes[i] = byte;
            for kind in [NodeKind::Map, NodeKind::Addresses, NodeKind::Closure, NodeKind::Blob] {
                if let Ok(node) = Node::parse(kind, bytes.clone()) {
                    for i in 0..node.len() {
                        drop((node.key(i).to_vec(), node.value(i).to_vec(), node.address(i)));
                    }
                }
            }
            drop(Node::of_artifacts(bytes));
        }

        #[test]
        fn a_short_value_is_what_its_node_says(value: Vec<u8>, at: prop::sample::Index, byte: u8) {
            let content = NodeContent { values: &value, tree_count: 1, ..NodeContent::default() };
            let whole = node_message(NodeKind::Blob, &content);
            prop_assert_eq!(blob_payload(&whole).map(|range| &whole[range]), Some(&value[..]));
            let mut damaged = whole;
            let i = at.index(damaged.len());
            damaged[i] = byte;
            if let Some(range) = blob_payload(&damaged) {
                let node = Node::parse(NodeKind::Blob, damaged.clone()).unwrap();
                prop_assert_eq!((node.level(), node.value(0)), (0, &damaged[range]));
            }
        }
    }
}
