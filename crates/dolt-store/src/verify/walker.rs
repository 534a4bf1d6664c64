//! What all parts of a verification share: reading, remembering, saying what is wrong.

use std::collections::{HashMap, HashSet};
use std::hash::Hash as _;
use std::hash::Hasher as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::chunks::Seen;
use super::finding::{Finding, Watch};
use super::tree::Facts;
use crate::chunk::Snapshot;
use crate::hash::AddressMap;
use crate::message::{Message, Node, NodeKind};
use crate::{Error, Hash, Result};

/// Where something was met first, for people.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    pub(super) state: Option<String>,
    pub(super) table: Option<String>,
    pub(super) index: Option<String>,
}

/// What is known of a long value's tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blob {
    pub(super) is_safe: bool,
    pub(super) bytes: u64,
    leaves: u64,
    level: u8,
}

pub(super) struct Walker<'a> {
    pub(super) snapshot: &'a Snapshot,
    watch: &'a dyn Watch,
    /// Some copy of the damaged ones failed; all other chunks were checked whole.
    seen: Seen,
    memo: Mutex<HashMap<(u32, Hash), Arc<Facts>>>,
    blobs: Mutex<AddressMap<Blob>>,
    findings: Mutex<Vec<Finding>>,
    said: Mutex<HashSet<u64>>,
    notes: Mutex<Vec<String>>,
    pub(super) nodes: AtomicU64,
    pub(super) entries: AtomicU64,
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Walker<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, watch: &'a dyn Watch) -> Self {
        Self {
            snapshot,
            watch,
            seen: Seen::default(),
            memo: Mutex::default(),
            blobs: Mutex::default(),
            findings: Mutex::default(),
            said: Mutex::default(),
            notes: Mutex::default(),
            nodes: AtomicU64::new(0),
            entries: AtomicU64::new(0),
        }
    }

    /// From now on only the damaged of these are checked against their address when they are read.
    pub(super) fn has_seen(&mut self, seen: Seen) {
        self.seen = seen;
    }

    pub(super) fn watch(&self) -> &dyn Watch {
        self.watch
    }

    pub(super) fn into_parts(self) -> (Vec<Finding>, Vec<String>) {
        let inner = |e: PoisonError<Vec<Finding>>| e.into_inner();
        let mut notes = self.notes.into_inner().unwrap_or_else(PoisonError::into_inner);
        notes.sort();
        notes.dedup();
        (self.findings.into_inner().unwrap_or_else(inner), notes)
    }

    /// Says what is wrong, each thing once.
    pub(super) fn say(&self, finding: Finding) {
        let mut hasher = std::hash::DefaultHasher::new();
        (&finding.problem, finding.chunk.map(|c| *c.as_bytes()), &finding.file, &finding.key)
            .hash(&mut hasher);
        if finding.chunk.is_none() && finding.file.is_none() {
            (&finding.state, &finding.table, &finding.index).hash(&mut hasher);
        }
        if locked(&self.said).insert(hasher.finish()) {
            self.watch.finding(&finding);
            locked(&self.findings).push(finding);
        }
    }

    /// The same for something in a chunk.
    pub(super) fn say_at(&self, place: &Place, chunk: Hash, problem: impl Into<String>) {
        let Place { state, table, index } = place.clone();
        let chunk = Some(chunk).filter(|c| !c.is_none());
        self.say(Finding { problem: problem.into(), chunk, state, table, index, ..Finding::default() });
    }

    /// The same for an error.
    pub(super) fn say_error(&self, place: &Place, error: &Error) {
        let Place { state, table, index } = place.clone();
        let (chunk, file) = match error {
            Error::MissingChunk { hash }
            | Error::WrongAddress { hash, .. }
            | Error::BadChunk { hash, .. } => (Some(*hash), None),
            Error::Damaged { path, offset, .. } | Error::DataLoss { path, offset } => {
                (None, Some((path.clone(), *offset)))
            }
            _ => (None, None),
        };
        let problem = match error {
            Error::MissingChunk { .. } => "it is missing".to_owned(),
            Error::WrongAddress { found, .. } => format!("its bytes have the address {found}"),
            Error::BadChunk { problem, .. } | Error::Damaged { problem, .. } => problem.clone(),
            Error::DataLoss { .. } => {
                "possible data loss: whole records follow a damaged one; Dolt refuses this journal".to_owned()
            }
            other => other.to_string(),
        };
        self.say(Finding { problem, chunk, file, state, table, index, key: None });
    }

    /// Says what could not be checked.
    pub(super) fn note(&self, note: String) {
        locked(&self.notes).push(note);
    }

    /// A chunk. Its address was checked before, when all files were read.
    pub(super) fn read(&self, hash: Hash) -> Result<Vec<u8>> {
        if self.seen.damaged.contains(&hash) {
            return self.snapshot.chunk(hash);
        }
        self.snapshot.known_chunk(hash)
    }

    /// A chunk, or nothing after saying why not.
    pub(super) fn read_or_say(&self, place: &Place, hash: Hash) -> Option<Vec<u8>> {
        self.read(hash).map_err(|e| self.say_error(place, &e)).ok()
    }

    /// A chunk understood, or nothing after saying why not.
    pub(super) fn parse<T>(
        &self,
        place: &Place,
        hash: Hash,
        parse: impl Fn(&[u8]) -> std::result::Result<T, String>,
    ) -> Option<T> {
        let bytes = self.read_or_say(place, hash)?;
        parse(&bytes).map_err(|problem| self.say_at(place, hash, problem)).ok()
    }

    pub(super) fn known(&self, shape: u32, hash: Hash) -> Option<Arc<Facts>> {
        locked(&self.memo).get(&(shape, hash)).cloned()
    }

    pub(super) fn remember(&self, shape: u32, hash: Hash, facts: Facts) -> Arc<Facts> {
        let facts = Arc::new(facts);
        locked(&self.memo).insert((shape, hash), Arc::clone(&facts));
        facts
    }

    /// Walks a long value: all its chunks are there, levels and counts agree.
    pub(super) fn blob(&self, place: &Place, hash: Hash) -> Blob {
        self.blob_below(place, hash, None)
    }

    // Each node once, whatever is above it; that may be wrong in one place and right in another.
    fn blob_below(&self, place: &Place, hash: Hash, under: Option<u8>) -> Blob {
        let broken = Blob { is_safe: false, bytes: 0, leaves: 0, level: 0 };
        if hash.is_none() {
            return Blob { is_safe: true, ..broken };
        }
        if let Some(bytes) = self.seen.leaves.get(&hash) {
            self.nodes.fetch_add(1, Ordering::Relaxed);
            return Blob { is_safe: true, bytes: u64::from(*bytes), leaves: 1, level: 0 };
        }
        let is_too_high = |level: u8| {
            let is_too_high = under.is_some_and(|above| level >= above);
            if is_too_high {
                self.say_at(place, hash, format!("level {level} under a node of that level or below"));
            }
            is_too_high
        };
        let known = locked(&self.blobs).get(&hash).copied();
        if let Some(known) = known {
            return if is_too_high(known.level) { broken } else { known };
        }
        let blob = match self.blob_node(place, hash) {
            Some((node, _)) if is_too_high(node.level()) => return broken,
            Some((node, is_document)) => self.blob_children(place, hash, &node, is_document),
            None => broken,
        };
        locked(&self.blobs).insert(hash, blob);
        blob
    }

    fn blob_node(&self, place: &Place, hash: Hash) -> Option<(Node, bool)> {
        let bytes = self.read_or_say(place, hash)?;
        self.nodes.fetch_add(1, Ordering::Relaxed);
        let is_document = Message::file_id(&bytes) == Some(*b"ADRM");
        let kind = if is_document { NodeKind::Addresses } else { NodeKind::Blob };
        let node = Node::parse(kind, bytes).map_err(|problem| self.say_at(place, hash, problem)).ok()?;
        if is_document && node.level() == 0 {
            self.say_at(place, hash, "a leaf of names in a value");
            return None;
        }
        Some((node, is_document))
    }

    fn blob_children(&self, place: &Place, hash: Hash, node: &Node, is_document: bool) -> Blob {
        let level = node.level();
        if level == 0 {
            return Blob { is_safe: true, bytes: node.value(0).len() as u64, leaves: 1, level };
        }
        let mut all = Blob { is_safe: true, bytes: 0, leaves: 0, level };
        for i in 0..node.len() {
            let child = self.blob_below(place, node.address(i).unwrap_or_default(), Some(level));
            let counted = node.count_below(i);
            if !is_document && child.is_safe && child.leaves != counted {
                self.say_at(place, hash, format!("child {i} has {} leaves, not {counted}", child.leaves));
                all.is_safe = false;
            }
            all.is_safe &= child.is_safe;
            all.bytes = all.bytes.saturating_add(child.bytes);
            all.leaves = all.leaves.saturating_add(child.leaves);
        }
        if !is_document && all.is_safe && node.tree_count() != all.leaves {
            self.say_at(place, hash, format!("it counts {} leaves of {}", node.tree_count(), all.leaves));
            all.is_safe = false;
        }
        all
    }
}
