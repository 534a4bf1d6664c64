//! `journal.idx`: Dolt's own cache of where the chunks of a journal lie (Dolt `go/store/nbs/journal_index_record.go`).
//!
//! ```text
//! 00 address:16 offset:8 length:4        a lookup: place of a chunk's payload; only 16 bytes of the address
//! 01 start:8 end:8 crc:4 root:20         closes a batch: it covers the journal from `start` to the root record at `end`
//! ```
//! A cache and no more: a batch counts only if its checksum agrees, it begins where the one before ended, and the root
//! record that it names stands at its end in the very descriptor that is read. Whatever else is wrong with the file, the
//! journal is simply read from its beginning. It is never written here.

use std::path::Path;

use super::file::ReadFile;
use crate::bytes::{array, slice, to_usize, u32_be, u64_be};
use crate::{Hash, Result};

/// The part of an address that the index keeps.
pub(super) type Key = [u8; 16];

/// A place in a journal: offset and length of a chunk's payload.
pub(super) type Place = (u64, u32);

const LOOKUP: usize = 29;
const BATCH: usize = 41;

/// Room for what is read at once.
const ROOM: usize = 1 << 16;

/// Reads the index beside a journal and gives the place of every chunk that it knows to `take`. `is_root_at` tells whether
/// the journal has this root record at this offset. Gives where a root record stands from which the journal is to be
/// read on. The index of a large journal is large too: it is read twice, and never held as a whole.
pub(super) fn read(
    path: &Path,
    is_root_at: impl Fn(u64, Hash) -> Result<bool>,
    mut take: impl FnMut(Key, Place),
) -> Result<u64> {
    let Some(file) = ReadFile::open(path.to_owned())? else { return Ok(0) };
    let (mut end, mut true_to, mut crc, mut reach) = (0u64, 0u64, 0u32, 0u64);
    each_record(&file, file.len()?, |record, after| {
        match record {
            Record::Lookup(key, (offset, len)) => {
                crc = crc32c::crc32c_append(crc, &key);
                reach = reach.max(offset.saturating_add(u64::from(len)));
            }
            Record::Batch { start, end: batch_end, crc: stored, root } => {
                let is_next = start == end && batch_end > start && stored == crc && reach <= batch_end;
                if !is_next || !is_root_at(batch_end, root)? {
                    return Ok(false);
                }
                (end, true_to, crc, reach) = (batch_end, after, 0, 0);
            }
        }
        Ok(true)
    })?;
    each_record(&file, true_to, |record, _| {
        if let Record::Lookup(key, place) = record {
            take(key, place);
        }
        Ok(true)
    })?;
    Ok(end)
}

enum Record {
    Lookup(Key, Place),
    Batch { start: u64, end: u64, crc: u32, root: Hash },
}

// Calls `take` with each record that ends before `to`, and where it ends, until it says that this was enough or something
// comes that is no record.
fn each_record(file: &ReadFile, to: u64, mut take: impl FnMut(Record, u64) -> Result<bool>) -> Result<()> {
    let mut at = 0u64;
    loop {
        let wanted = to_usize(to.saturating_sub(at)).unwrap_or(ROOM).min(ROOM);
        let block = file.read_up_to(at, wanted)?;
        let mut used = 0usize;
        while let Some((record, len)) = block.get(used..).and_then(record) {
            used = used.saturating_add(len);
            if !take(record, at.saturating_add(used as u64))? {
                return Ok(());
            }
        }
        if used == 0 {
            return Ok(());
        }
        at = at.saturating_add(used as u64);
    }
}

fn record(bytes: &[u8]) -> Option<(Record, usize)> {
    match bytes.first()? {
        0 => {
            let (key, place) = slice(bytes, 0, LOOKUP).and_then(lookup)?;
            Some((Record::Lookup(key, place), LOOKUP))
        }
        1 => {
            let (start, end, crc, root) = slice(bytes, 0, BATCH).and_then(batch)?;
            Some((Record::Batch { start, end, crc, root }, BATCH))
        }
        _ => None,
    }
}

fn lookup(bytes: &[u8]) -> Option<(Key, Place)> {
    Some((array(bytes, 1)?, (u64_be(bytes, 17)?, u32_be(bytes, 25)?)))
}

fn batch(bytes: &[u8]) -> Option<(u64, u64, u32, Hash)> {
    let root = Hash::from_slice(slice(bytes, 21, Hash::LEN)?)?;
    Some((u64_be(bytes, 1)?, u64_be(bytes, 9)?, u32_be(bytes, 17)?, root))
}

/// The part of an address by which places are kept.
pub(super) fn key_of(hash: Hash) -> Key {
    array(hash.as_bytes(), 0).unwrap_or_default()
}
