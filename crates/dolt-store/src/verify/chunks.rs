//! Every chunk of every file, reachable or not: its crc and its address. All cores share the list. Pieces of long values are
//! understood here already, because nothing but their length is wanted of them later.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::finding::{Finding, Report, Stage};
use super::walker::{Place, Walker, locked};
use crate::chunk::{Contents, StoredChunk};
use crate::message::{Message, Node, NodeKind};
use crate::{Error, Hash};

/// Chunks that a thread takes at once.
const LOT: usize = 128;

/// What reading everything has shown.
#[derive(Default)]
pub(super) struct Seen {
    /// Chunks of which a copy is damaged.
    pub(super) damaged: HashSet<Hash>,
    /// Leaves of long values, with how many bytes each holds. None of them is damaged.
    pub(super) leaves: HashMap<Hash, u32>,
}

/// Reads everything.
pub(super) fn check(walker: &Walker<'_>, report: &mut Report) -> Seen {
    let nowhere = Place::default();
    let mut files: Vec<Option<Contents>> = Vec::new();
    for contents in walker.snapshot.contents() {
        match contents {
            Ok(contents) => {
                contents.problems.iter().for_each(|problem| walker.say_error(&nowhere, problem));
                files.push(Some(contents));
            }
            Err(problem) => {
                walker.say_error(&nowhere, &problem);
                files.push(None);
            }
        }
    }
    let lots: Vec<(usize, &Contents, &[StoredChunk])> = files
        .iter()
        .enumerate()
        .filter_map(|(i, file)| Some((i, file.as_ref()?)))
        .flat_map(|(i, file)| file.chunks.chunks(LOT).map(move |lot| (i, file, lot)))
        .collect();
    let of = lots.iter().map(|(_, _, lot)| lot.len() as u64).fold(0, u64::saturating_add);
    let (done, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
    let seen = Mutex::new(Seen::default());
    in_parallel(&lots, |(i, file, lot)| {
        let mut leaves = Vec::new();
        let run = walker.snapshot.run_of(*i, lot);
        for chunk in *lot {
            match walker.snapshot.stored_in(run.as_ref(), *i, chunk) {
                Ok(content) => {
                    bytes.fetch_add(content.len() as u64, Ordering::Relaxed);
                    leaves.extend(leaf_bytes(content).map(|n| (chunk.hash, n)));
                }
                Err(error) => {
                    say(walker, file, chunk, &error);
                    locked(&seen).damaged.insert(chunk.hash);
                }
            }
        }
        locked(&seen).leaves.extend(leaves);
        let before = done.fetch_add(lot.len() as u64, Ordering::Relaxed);
        walker.watch().progress(Stage::Chunks, before.saturating_add(lot.len() as u64), of);
    });
    report.chunks = of;
    report.chunk_bytes = bytes.into_inner();
    let mut seen = seen.into_inner().unwrap_or_default();
    let Seen { damaged, leaves } = &mut seen;
    leaves.retain(|hash, _| !damaged.contains(hash));
    seen
}

// The length of a piece of a long value, if that is what these bytes are.
fn leaf_bytes(content: Vec<u8>) -> Option<u32> {
    if Message::file_id(&content) != Some(*b"BLOB") {
        return None;
    }
    let node = Node::parse(NodeKind::Blob, content).ok().filter(|node| node.level() == 0)?;
    u32::try_from(node.value(0).len()).ok()
}

fn say(walker: &Walker<'_>, file: &Contents, chunk: &StoredChunk, error: &Error) {
    let problem = match error {
        Error::Damaged { problem, .. } => problem.clone(),
        Error::WrongAddress { found, .. } => format!("its bytes have the address {found}"),
        other => other.to_string(),
    };
    let at = Some((file.path.clone(), chunk.offset));
    walker.say(Finding { problem, chunk: Some(chunk.hash), file: at, ..Finding::default() });
}

/// Does something with every item, on all cores.
pub(super) fn in_parallel<T: Sync>(items: &[T], work: impl Fn(&T) + Sync) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(items.len());
    let next = AtomicUsize::new(0);
    let run = || {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(item);
        }
    };
    if threads <= 1 {
        return run();
    }
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(run);
        }
    });
}
