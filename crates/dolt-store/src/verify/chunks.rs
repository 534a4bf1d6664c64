//! Every chunk of every file, reachable or not: its crc and its address. All cores share the list. Pieces of long values are
//! understood here already, because nothing but their length is wanted of them later.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::finding::{Finding, Report, Stage};
use super::walker::{Place, Walker, locked};
use crate::chunk::{Contents, Lot, NotWhole, StoredChunk, Sweep};
use crate::hash::{AddressMap, AddressSet};
use crate::message::{Message, Node, NodeKind};
use crate::{Error, Hash};

/// Chunks that a thread takes at once.
const LOT: usize = 128;

/// What reading everything has shown.
#[derive(Default)]
pub(super) struct Seen {
    /// Chunks of which a copy is damaged.
    pub(super) damaged: AddressSet,
    /// Leaves of long values, with how many bytes each holds. None of them is damaged.
    pub(super) leaves: AddressMap<u32>,
}

// How far all threads are.
#[derive(Default)]
struct Done {
    chunks: AtomicU64,
    bytes: AtomicU64,
    seen: Mutex<Seen>,
}

/// Reads everything.
pub(super) fn check(walker: &Walker<'_>, report: &mut Report) -> Seen {
    let nowhere = Place::default();
    let mut done = Done::default();
    let mut all = walker.snapshot.file_contents();
    let in_files = all.iter().filter_map(|(_, c)| Some(c.as_ref().ok()?.chunks.len() as u64)).sum();
    if let Some((sweep, expected)) = walker.snapshot.sweep()
        && sweep_journal(walker, &sweep, &done, expected.saturating_add(in_files)).is_err()
    {
        // From the beginning, and saying what is wrong.
        done = Done::default();
        all.extend(walker.snapshot.journal_contents().map(|contents| (0, contents)));
    }
    let mut files: Vec<(usize, Contents)> = Vec::new();
    for (i, contents) in all {
        match contents {
            Ok(contents) => {
                contents.problems.iter().for_each(|problem| walker.say_error(&nowhere, problem));
                files.push((i, contents));
            }
            Err(problem) => walker.say_error(&nowhere, &problem),
        }
    }
    let lots: Vec<(usize, &Contents, &[StoredChunk])> =
        files.iter().flat_map(|(i, file)| file.chunks.chunks(LOT).map(move |lot| (*i, file, lot))).collect();
    let swept = done.chunks.load(Ordering::Relaxed);
    let of = lots.iter().map(|(_, _, lot)| lot.len() as u64).fold(swept, u64::saturating_add);
    in_parallel(&lots, |(i, file, lot)| {
        let (mut leaves, mut bytes) = (Vec::new(), 0u64);
        let run = walker.snapshot.run_of(*i, lot);
        for chunk in *lot {
            match walker.snapshot.stored_in(run.as_ref(), *i, chunk) {
                Ok(content) => {
                    bytes = bytes.saturating_add(content.len() as u64);
                    leaves.extend(leaf_bytes(content).map(|n| (chunk.hash, n)));
                }
                Err(error) => {
                    say(walker, file, chunk, &error);
                    locked(&done.seen).damaged.insert(chunk.hash);
                }
            }
        }
        done.add(walker, lot.len() as u64, bytes, leaves, of);
    });
    report.chunks = of;
    report.chunk_bytes = done.bytes.into_inner();
    let mut seen = done.seen.into_inner().unwrap_or_default();
    let Seen { damaged, leaves } = &mut seen;
    leaves.retain(|hash, _| !damaged.contains(hash));
    seen
}

impl Done {
    fn add(&self, walker: &Walker<'_>, chunks: u64, bytes: u64, leaves: Vec<(Hash, u32)>, of: u64) {
        locked(&self.seen).leaves.extend(leaves);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let before = self.chunks.fetch_add(chunks, Ordering::Relaxed);
        let done = before.saturating_add(chunks);
        walker.watch().progress(Stage::Chunks, done, of.max(done));
    }
}

// A journal in which nothing is wrong, in one go.
fn sweep_journal(walker: &Walker<'_>, sweep: &Sweep<'_>, done: &Done, expected: u64) -> Result<(), NotWhole> {
    let failed = AtomicBool::new(false);
    let one = || -> Result<(), NotWhole> {
        let mut lot = Lot::default();
        while !failed.load(Ordering::Relaxed) && sweep.next(&mut lot)? {
            let (mut leaves, mut chunks, mut bytes) = (Vec::new(), 0u64, 0u64);
            for chunk in lot.chunks() {
                let (hash, content) = chunk?;
                chunks = chunks.saturating_add(1);
                bytes = bytes.saturating_add(content.len() as u64);
                leaves.extend(leaf_bytes(content).map(|n| (hash, n)));
            }
            done.add(walker, chunks, bytes, leaves, expected);
        }
        Ok(())
    };
    on_threads(threads(), || {
        if one().is_err() {
            failed.store(true, Ordering::Relaxed);
        }
    });
    if failed.into_inner() { Err(NotWhole) } else { Ok(()) }
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
    let next = AtomicUsize::new(0);
    on_threads(threads().min(items.len()), || {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(item);
        }
    });
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn on_threads(threads: usize, work: impl Fn() + Sync) {
    if threads <= 1 {
        return work();
    }
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(&work);
        }
    });
}
