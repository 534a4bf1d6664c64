//! Long values: leaves of payload under nodes of addresses (Dolt `go/store/prolly/tree/blob_builder.go`), and JSON documents,
//! whose inner nodes are address maps from level 1 on (`json_chunker.go`).

use crate::chunk::Snapshot;
use crate::message::{Message, Node, NodeKind};
use crate::{Error, Hash, Result};

/// `MySQL`'s longest value.
const MAX_BYTES: usize = 1 << 30;

/// The bytes of a value by the address of its tree. The address of nothing is the empty value.
pub(crate) fn read_blob(snapshot: &Snapshot, root: Hash) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    if !root.is_none() {
        append(snapshot, root, None, &mut out)?;
    }
    Ok(out)
}

fn append(snapshot: &Snapshot, hash: Hash, under: Option<u8>, out: &mut Vec<u8>) -> Result<()> {
    let bad = |problem: String| Error::BadChunk { hash, problem };
    let bytes = snapshot.chunk(hash)?;
    let kind = match Message::file_id(&bytes) {
        Some(id) if id == *b"ADRM" => NodeKind::Addresses,
        _ => NodeKind::Blob,
    };
    let node = Node::parse(kind, bytes).map_err(bad)?;
    if under.is_some_and(|level| node.level() >= level) {
        return Err(bad(format!("a child of level {} under a node of that level or below", node.level())));
    }
    if node.level() == 0 && kind == NodeKind::Blob {
        out.extend_from_slice(node.value(0));
        if out.len() > MAX_BYTES {
            return Err(bad("the value is longer than any can be".to_owned()));
        }
        return Ok(());
    }
    for i in 0..node.len() {
        let child = node.address(i).ok_or_else(|| bad(format!("there is no child {i}")))?;
        append(snapshot, child, Some(node.level().max(1)), out)?;
    }
    Ok(())
}
