//! How many chunks and bytes belong to whom.

use std::path::PathBuf;
use std::sync::Mutex;

use super::chunks::in_parallel;
use super::references::references;
use super::walker::locked;
use crate::chunk::Snapshot;
use crate::commit::{RefKind, Session};
use crate::hash::{AddressMap, AddressSet};
use crate::{Error, Hash, Result};

/// Chunks, and the bytes of their stored, compressed form. A dictionary that chunks share is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// Chunks, each once.
    pub chunks: u64,
    /// Stored bytes.
    pub bytes: u64,
}

/// What one name reaches.
#[derive(Debug, Clone)]
pub struct RefSize {
    /// What the name stands for. A branch counts together with its working set.
    pub kind: RefKind,
    /// Its short name.
    pub name: String,
    /// Everything it reaches.
    pub all: Share,
    /// What no other name reaches.
    pub alone: Share,
}

/// The size of a database.
#[derive(Debug, Clone, Default)]
pub struct Sizes {
    /// Each file of the store: its length, and its chunks.
    pub files: Vec<(PathBuf, u64, u64)>,
    /// All chunks, each once.
    pub all: Share,
    /// Those that no name reaches: what a garbage collection would remove. The children of vector indexes are not followed
    /// and count here too.
    pub garbage: Share,
    /// Chunks that are stored more than once: the second and further copies.
    pub copies: Share,
    /// What each name reaches.
    pub refs: Vec<RefSize>,
}

/// Measures a whole database. Reads every chunk that a name reaches.
pub fn sizes(session: &Session) -> Result<Sizes> {
    let mut sizes = Sizes::default();
    let mut stored: AddressMap<u64> = AddressMap::default();
    for contents in session.snapshot().contents() {
        let contents = contents?;
        sizes.files.push((contents.path, contents.bytes, contents.chunks.len() as u64));
        for chunk in contents.chunks {
            let share = match stored.insert(chunk.hash, chunk.stored_bytes) {
                None => &mut sizes.all,
                Some(_) => &mut sizes.copies,
            };
            share.add(chunk.stored_bytes);
        }
    }
    let graph = Graph::build(session.snapshot(), session.snapshot().root())?;
    let mut owners: Vec<(RefKind, String, Vec<Hash>)> = Vec::new();
    for r in session.all_refs()? {
        let kind = if r.kind == RefKind::WorkingSet { RefKind::Branch } else { r.kind };
        match owners.iter_mut().find(|(k, name, _)| *k == kind && *name == r.name) {
            Some((_, _, targets)) => targets.push(r.target),
            None => owners.push((kind, r.name, vec![r.target])),
        }
    }
    // Who reached a chunk first, and whether anybody else did.
    let mut reached: AddressMap<(usize, bool)> = AddressMap::default();
    for (i, (kind, name, targets)) in owners.into_iter().enumerate() {
        let mut all = Share::default();
        for hash in graph.reach(&targets) {
            all.add(stored.get(&hash).copied().unwrap_or(0));
            reached.entry(hash).and_modify(|(_, is_shared)| *is_shared = true).or_insert((i, false));
        }
        sizes.refs.push(RefSize { kind, name, all, alone: Share::default() });
    }
    for (hash, (owner, is_shared)) in &reached {
        if let Some(r) = sizes.refs.get_mut(*owner).filter(|_| !is_shared) {
            r.alone.add(stored.get(hash).copied().unwrap_or(0));
        }
    }
    for (hash, bytes) in &stored {
        if !graph.edges.contains_key(hash) {
            sizes.garbage.add(*bytes);
        }
    }
    Ok(sizes)
}

/// Everything that a chunk reaches, itself included: of a table's address, the table.
pub fn size_below(session: &Session, addresses: &[Hash]) -> Result<Vec<Share>> {
    let mut stored: AddressMap<u64> = AddressMap::default();
    for contents in session.snapshot().contents() {
        stored.extend(contents?.chunks.iter().map(|c| (c.hash, c.stored_bytes)));
    }
    let share = |address: &Hash| {
        let mut share = Share::default();
        for hash in Graph::build(session.snapshot(), *address)?.edges.into_keys() {
            share.add(stored.get(&hash).copied().unwrap_or(0));
        }
        Ok(share)
    };
    addresses.iter().map(share).collect()
}

impl Share {
    fn add(&mut self, bytes: u64) {
        self.chunks = self.chunks.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

// Every chunk that is reached, and what it refers to.
struct Graph {
    edges: AddressMap<Vec<Hash>>,
}

impl Graph {
    fn build(snapshot: &Snapshot, root: Hash) -> Result<Self> {
        let mut edges: AddressMap<Vec<Hash>> = AddressMap::default();
        let mut seen = AddressSet::from_iter([root]);
        let mut waiting = vec![root];
        while !waiting.is_empty() {
            let found = Mutex::new(Vec::with_capacity(waiting.len()));
            in_parallel(&waiting, |hash| {
                // A commit that a shallow clone left out has no content.
                if !snapshot.is_ghost(*hash) {
                    let refers = snapshot.known_chunk(*hash).and_then(|bytes| {
                        references(&bytes).map_err(|problem| Error::BadChunk { hash: *hash, problem })
                    });
                    locked(&found).push((*hash, refers));
                }
            });
            waiting.clear();
            for (hash, refers) in found.into_inner().unwrap_or_default() {
                let refers = refers?;
                waiting.extend(refers.iter().copied().filter(|h| seen.insert(*h)));
                edges.insert(hash, refers);
            }
        }
        Ok(Self { edges })
    }

    fn reach(&self, from: &[Hash]) -> AddressSet {
        let mut seen: AddressSet = from.iter().copied().filter(|h| self.edges.contains_key(h)).collect();
        let mut waiting: Vec<Hash> = seen.iter().copied().collect();
        while let Some(hash) = waiting.pop() {
            for next in self.edges.get(&hash).into_iter().flatten() {
                if self.edges.contains_key(next) && seen.insert(*next) {
                    waiting.push(*next);
                }
            }
        }
        seen
    }
}
