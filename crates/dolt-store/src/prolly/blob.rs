//! Long values: leaves of payload under nodes of addresses (Dolt `go/store/prolly/tree/blob_builder.go`), and JSON documents,
//! whose inner nodes are address maps from level 1 on (`json_chunker.go`).

use crate::chunk::Snapshot;
use crate::message::{Message, Node, NodeContent, NodeKind, blob_payload, node_message};
use crate::{Error, Hash, Result};

/// `MySQL`'s longest value.
const MAX_BYTES: usize = 1 << 30;

/// Nodes that a value of so many bytes can have: every leaf but the last has some hundred bytes at least, and an inner node
/// more than one child. A few that hold nothing could otherwise refer to each other for longer than anybody waits.
const NODES: usize = 64;
const BYTES_PER_NODE: usize = 64;

/// The bytes of a value by the address of its tree. The address of nothing is the empty value.
pub(crate) fn read_blob(snapshot: &Snapshot, root: Hash) -> Result<Vec<u8>> {
    if root.is_none() {
        return Ok(Vec::new());
    }
    let mut chunk = snapshot.chunk(root)?;
    // Nearly all values are short.
    if let Some(payload) = blob_payload(&chunk) {
        chunk.truncate(payload.end);
        chunk.drain(..payload.start);
        return Ok(chunk);
    }
    let mut value = Value { snapshot, bytes: Vec::new(), nodes: 0 };
    value.append(root, chunk, None)?;
    Ok(value.bytes)
}

struct Value<'s> {
    snapshot: &'s Snapshot,
    bytes: Vec<u8>,
    nodes: usize,
}

impl Value<'_> {
    fn append(&mut self, hash: Hash, chunk: Vec<u8>, under: Option<u8>) -> Result<()> {
        let bad = |problem: String| Error::BadChunk { hash, problem };
        let kind = match Message::file_id(&chunk) {
            Some(id) if id == *b"ADRM" => NodeKind::Addresses,
            _ => NodeKind::Blob,
        };
        let node = Node::parse(kind, chunk).map_err(bad)?;
        let level = node.level();
        if under.is_some_and(|above| level >= above) {
            return Err(bad(format!("a child of level {level} under a node of that level or below")));
        }
        self.nodes = self.nodes.saturating_add(1);
        if self.nodes > NODES.saturating_add(self.bytes.len() / BYTES_PER_NODE) {
            return Err(bad(format!("{} nodes for {} bytes", self.nodes, self.bytes.len())));
        }
        match (kind, level) {
            (NodeKind::Addresses, 0) => return Err(bad("a leaf of names in a value".to_owned())),
            (_, 0) => self.bytes.extend_from_slice(node.value(0)),
            _ => {
                for i in 0..node.len() {
                    let child = node.address(i).ok_or_else(|| bad(format!("there is no child {i}")))?;
                    self.append(child, self.snapshot.chunk(child)?, Some(level))?;
                }
            }
        }
        if self.bytes.len() > MAX_BYTES {
            return Err(bad("the value is longer than any can be".to_owned()));
        }
        Ok(())
    }
}

/// Bytes of a leaf. Long values are not cut by content: every leaf but the last has so many.
const LEAF_BYTES: usize = 4000;
/// Children of an inner node.
const CHILDREN: usize = LEAF_BYTES / Hash::LEN;

/// Writes a value to a draft. Gives the address of its tree; none for the empty value.
pub(crate) fn write_blob(draft: &Snapshot, bytes: &[u8]) -> Result<Hash> {
    if bytes.is_empty() {
        return Ok(Hash::NONE);
    }
    let leaf = |values: &[u8]| {
        let content = NodeContent { values, tree_count: 1, ..NodeContent::default() };
        draft.put(node_message(NodeKind::Blob, &content))
    };
    // Address and leaves below.
    let mut level: Vec<(Hash, u64)> =
        bytes.chunks(LEAF_BYTES).map(|part| Ok((leaf(part)?, 1))).collect::<Result<_>>()?;
    let mut height = 0u8;
    // All levels up to the height exist, also those with one child. A value that fills one leaf has none above it.
    let mut rest = if bytes.len() <= LEAF_BYTES { 0 } else { bytes.len() / LEAF_BYTES };
    while rest > 0 {
        rest /= CHILDREN;
        height = height.saturating_add(1);
        let parent = |children: &[(Hash, u64)]| {
            let values: Vec<u8> = children.iter().flat_map(|(address, _)| *address.as_bytes()).collect();
            let counts: Vec<u64> = children.iter().map(|(_, count)| *count).collect();
            let tree_count = counts.iter().fold(0u64, |sum, n| sum.saturating_add(*n));
            let content = NodeContent {
                values: &values,
                counts: &counts,
                tree_count,
                level: height,
                ..NodeContent::default()
            };
            Ok((draft.put(node_message(NodeKind::Blob, &content))?, tree_count))
        };
        level = level.chunks(CHILDREN).map(parent).collect::<Result<_>>()?;
    }
    Ok(level.first().map_or(Hash::NONE, |(address, _)| *address))
}
