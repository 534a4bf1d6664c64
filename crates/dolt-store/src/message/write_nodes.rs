//! Nodes to messages. The slots are those of `nodes`; the order of the calls decides the bytes.

use super::builder::{Builder, Offset};
use super::nodes::NodeKind;
/// What a node is to hold.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NodeContent<'a> {
    /// All keys, one after another.
    pub(crate) keys: &'a [u8],
    /// Where each key ends.
    pub(crate) key_ends: &'a [u16],
    /// All values, one after another: tuples, payload, or addresses.
    pub(crate) values: &'a [u8],
    /// Where each value ends; maps' leaves only.
    pub(crate) value_ends: &'a [u16],
    /// Where addresses lie in the values; maps' leaves only.
    pub(crate) addresses_at: &'a [u16],
    /// Entries below each child; inner nodes only.
    pub(crate) counts: &'a [u64],
    /// Entries of the whole tree below it.
    pub(crate) tree_count: u64,
    pub(crate) level: u8,
}

/// The message of a node.
pub(crate) fn node_message(kind: NodeKind, node: &NodeContent<'_>) -> Vec<u8> {
    match kind {
        NodeKind::Map => map(node),
        NodeKind::Addresses => address_map(node),
        NodeKind::Closure => closure(node),
        NodeKind::Blob => blob(node),
    }
}

fn map(node: &NodeContent<'_>) -> Vec<u8> {
    let mut b = Builder::new();
    let keys = b.bytes(node.keys);
    let key_ends = ends(&mut b, node.key_ends);
    if node.level == 0 {
        let values = b.bytes(node.values);
        let value_ends = ends(&mut b, node.value_ends);
        let addresses = (!node.addresses_at.is_empty()).then(|| b.u16s(node.addresses_at));
        b.begin();
        b.add(0, keys);
        b.add(1, key_ends);
        b.add(3, values);
        b.add(4, value_ends);
        b.add_u64(9, node.tree_count);
        b.add_if(6, addresses);
    } else {
        let addresses = b.bytes(node.values);
        let counts = b.bytes(&subtree_counts(node.counts));
        b.begin();
        b.add(0, keys);
        b.add(1, key_ends);
        b.add(7, addresses);
        b.add(8, counts);
        b.add_u64(9, node.tree_count);
    }
    b.add_u8(2, 1);
    b.add_u8(5, 1);
    b.add_u8(10, node.level);
    let root = b.end();
    b.finish(root, *b"TUPM")
}

fn address_map(node: &NodeContent<'_>) -> Vec<u8> {
    let mut b = Builder::new();
    let keys = b.bytes(node.keys);
    let key_ends = ends(&mut b, node.key_ends);
    let addresses = b.bytes(node.values);
    let counts = (node.level > 0).then(|| b.bytes(&subtree_counts(node.counts)));
    b.begin();
    b.add(0, keys);
    b.add(1, key_ends);
    b.add(2, addresses);
    b.add_if(3, counts);
    b.add_u64(4, node.tree_count);
    b.add_u8(5, node.level);
    let root = b.end();
    b.finish(root, *b"ADRM")
}

fn closure(node: &NodeContent<'_>) -> Vec<u8> {
    let mut b = Builder::new();
    let keys = b.bytes(node.keys);
    let inner = (node.level > 0).then(|| (b.bytes(node.values), b.bytes(&subtree_counts(node.counts))));
    b.begin();
    b.add(0, keys);
    if let Some((addresses, counts)) = inner {
        b.add(1, addresses);
        b.add(2, counts);
    }
    b.add_u64(3, node.tree_count);
    b.add_u8(4, node.level);
    let root = b.end();
    b.finish(root, *b"CMCL")
}

fn blob(node: &NodeContent<'_>) -> Vec<u8> {
    let mut b = Builder::new();
    let values = b.bytes(node.values);
    let counts = (node.level > 0).then(|| b.bytes(&subtree_counts(node.counts)));
    b.begin();
    b.add(usize::from(node.level > 0), values);
    b.add_if(2, counts);
    b.add_u64(3, node.tree_count);
    b.add_u8(4, node.level);
    let root = b.end();
    b.finish(root, *b"BLOB")
}

// One more than there are items: the first begins at 0.
fn ends(b: &mut Builder, ends: &[u16]) -> Offset {
    let all: Vec<u16> = std::iter::once(0).chain(ends.iter().copied()).collect();
    b.u16s(&all)
}

// Differences, zigzag, LEB128.
fn subtree_counts(counts: &[u64]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(counts.len().saturating_mul(2));
    let mut last = 0u64;
    for count in counts {
        let delta = count.wrapping_sub(last).cast_signed();
        last = *count;
        let mut rest = (delta.wrapping_shl(1) ^ delta.wrapping_shr(63)).cast_unsigned();
        while rest >= 0x80 {
            bytes.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push((rest & 0x7f) as u8);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Hash;

    fn address(kind: NodeKind, node: &NodeContent<'_>) -> String {
        Hash::of(&node_message(kind, node)).to_string()
    }

    #[test]
    fn a_row_and_a_blob_have_dolts_bytes() {
        let value = *b"a\0bb\0\x02\0\x02\0";
        let row = NodeContent {
            keys: &[1, 0, 0, 0, 1, 0],
            key_ends: &[6],
            values: &value,
            value_ends: &[9],
            tree_count: 1,
            ..NodeContent::default()
        };
        assert_eq!(address(NodeKind::Map, &row), "7h4h0520sv2i1ncf2dueg41m2v6l5fbk");
        let blob = NodeContent { keys: &[], key_ends: &[], values: b"hello", value_ends: &[], ..row };
        assert_eq!(address(NodeKind::Blob, &blob), "g5v3o90ol2agv3h3iirb5tb1qu1u3asr");
    }

    #[test]
    fn empty_maps_have_dolts_addresses() {
        let of = |kind| address(kind, &NodeContent::default());
        assert_eq!(of(NodeKind::Map), "52qkcc17dcqtblc9aml4so2jrooun338");
        assert_eq!(of(NodeKind::Addresses), "o0te4bsh307ieff51bhqo7omuobm5cdc");
    }

    #[test]
    fn subtree_counts_are_differences() {
        assert_eq!(subtree_counts(&[100, 90, 90, 300]), [0xc8, 0x01, 0x13, 0x00, 0xa4, 0x03]);
    }
}
