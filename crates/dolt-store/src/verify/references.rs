//! What a chunk refers to, by its kind alone: no schema is needed to follow it. This is what a garbage collection sees.

use crate::Hash;
use crate::message::{
    Commit, Message, Node, NodeKind, RootValue, Stash, StoreRoot, Tag, WorkingSet, stash_list,
};
use crate::table::TableMessage;

type Result<T> = std::result::Result<T, String>;

/// The addresses in a chunk, without [`Hash::NONE`]. Kinds that refer to nothing, or are not known, give none.
pub(crate) fn references(bytes: &[u8]) -> Result<Vec<Hash>> {
    let mut found = match Message::file_id(bytes).as_ref() {
        Some(b"STRT") => of_node(&StoreRoot::parse(bytes)?.refs),
        Some(b"ADRM") => of_node(&Node::parse(NodeKind::Addresses, bytes.to_vec())?),
        Some(b"CMCL") => of_node(&Node::parse(NodeKind::Closure, bytes.to_vec())?),
        Some(b"BLOB") => of_node(&Node::parse(NodeKind::Blob, bytes.to_vec())?),
        Some(b"TUPM") => of_rows(bytes)?,
        Some(b"RTVL") => {
            let value = RootValue::parse(bytes)?;
            with(of_node(&value.tables), [value.foreign_keys])
        }
        Some(b"DCMT") => {
            let commit = Commit::parse(bytes)?;
            with(commit.parents, [commit.root_value, commit.closure])
        }
        Some(b"WRST") => of_working_set(bytes)?,
        Some(b"DTAG") => vec![Tag::parse(bytes)?.commit],
        Some(b"SLST") => of_node(&stash_list(bytes)?),
        Some(b"STSH") => {
            let stash = Stash::parse(bytes)?;
            vec![stash.root, stash.head]
        }
        Some(b"DTBL") => {
            let table = TableMessage::parse(bytes)?;
            let indexes = of_node(&Node::parse(NodeKind::Addresses, table.indexes)?);
            with(with(of_rows(&table.rows)?, indexes), [table.schema, table.artifacts])
        }
        Some(b"ARTM") => of_artifacts(bytes)?,
        _ => Vec::new(),
    };
    found.retain(|hash| !hash.is_none());
    Ok(found)
}

fn with(mut all: Vec<Hash>, more: impl IntoIterator<Item = Hash>) -> Vec<Hash> {
    all.extend(more);
    all
}

fn of_node(node: &Node) -> Vec<Hash> {
    (0..node.len()).filter_map(|i| node.address(i)).collect()
}

// Children, or the addresses in the values of a leaf.
fn of_rows(bytes: &[u8]) -> Result<Vec<Hash>> {
    let table = Message::parse(bytes, *b"TUPM")?.root(11)?;
    Ok(with(table.hashes(7)?, listed(table.bytes(3)?, &table.u16s(6)?)))
}

fn of_artifacts(bytes: &[u8]) -> Result<Vec<Hash>> {
    let table = Message::parse(bytes, *b"ARTM")?.root(9)?;
    Ok(with(table.hashes(5)?, listed(table.bytes(0)?, &table.u16s(2)?)))
}

fn listed(items: &[u8], offsets: &[u16]) -> Vec<Hash> {
    let at = |offset: &u16| crate::bytes::slice(items, usize::from(*offset), Hash::LEN);
    offsets.iter().filter_map(at).filter_map(Hash::from_slice).collect()
}

fn of_working_set(bytes: &[u8]) -> Result<Vec<Hash>> {
    let set = WorkingSet::parse(bytes)?;
    let merge = set.merge.map(|m| [m.pre_working_root, m.from_commit]).into_iter().flatten();
    // Neither a rebase under way nor the other commits of a merge: Dolt's collection does not follow them.
    Ok([set.working, set.staged].into_iter().chain(merge).collect())
}
