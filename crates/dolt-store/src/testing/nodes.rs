//! Tree nodes taken apart and put together as somebody likes.

use crate::Hash;
use crate::message::{Node, NodeContent, NodeKind, node_message};

/// The entries of a node: of a leaf keys and values, of an inner node keys and addresses.
pub(crate) fn entries(node: &Node) -> Vec<(Vec<u8>, Vec<u8>)> {
    let value = |i| match node.address(i) {
        Some(address) => address.as_bytes().to_vec(),
        None => node.value(i).to_vec(),
    };
    (0..node.len()).map(|i| (node.key(i).to_vec(), value(i))).collect()
}

/// A leaf that holds these, and lists addresses where it is told to.
pub(crate) fn leaf(kind: NodeKind, entries: &[(Vec<u8>, Vec<u8>)], addresses_at: &[u16]) -> Vec<u8> {
    node(kind, entries, addresses_at, &[], entries.len() as u64, 0)
}

/// An inner node: last keys and addresses of the children, and what is counted below each.
pub(crate) fn inner(kind: NodeKind, level: u8, children: &[(Vec<u8>, Hash, u64)]) -> Vec<u8> {
    let entries: Vec<_> = children.iter().map(|(key, to, _)| (key.clone(), to.as_bytes().to_vec())).collect();
    let counts: Vec<u64> = children.iter().map(|(_, _, count)| *count).collect();
    node(kind, &entries, &[], &counts, counts.iter().fold(0, |sum, n| sum.wrapping_add(*n)), level)
}

fn node(
    kind: NodeKind,
    entries: &[(Vec<u8>, Vec<u8>)],
    addresses_at: &[u16],
    counts: &[u64],
    tree_count: u64,
    level: u8,
) -> Vec<u8> {
    let (mut keys, mut values) = (Vec::new(), Vec::new());
    let (mut key_ends, mut value_ends) = (Vec::new(), Vec::new());
    for (key, value) in entries {
        keys.extend_from_slice(key);
        values.extend_from_slice(value);
        key_ends.push(u16::try_from(keys.len()).unwrap());
        value_ends.push(u16::try_from(values.len()).unwrap());
    }
    let content = NodeContent {
        keys: &keys,
        key_ends: &key_ends,
        values: &values,
        value_ends: &value_ends,
        addresses_at,
        counts,
        tree_count,
        level,
    };
    node_message(kind, &content)
}
