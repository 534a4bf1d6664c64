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
use crate::bytes::{array, slice, u32_be, u64_be};
use crate::{Hash, Result};

/// The part of an address that the index keeps.
pub(super) type Key = [u8; 16];

/// A place in a journal: offset and length of a chunk's payload.
pub(super) type Place = (u64, u32);

const LOOKUP: usize = 29;
const BATCH: usize = 41;

/// What the index says about the beginning of a journal.
#[derive(Debug, Default)]
pub(super) struct Indexed {
    /// The chunks before `end`.
    pub(super) places: Vec<(Key, Place)>,
    /// Where a root record stands from which the journal is to be read on.
    pub(super) end: u64,
}

/// Reads the index beside a journal. `is_root_at` tells whether the journal has this root record at this offset.
pub(super) fn read(path: &Path, is_root_at: impl Fn(u64, Hash) -> Result<bool>) -> Result<Indexed> {
    let mut indexed = Indexed::default();
    let Some(file) = ReadFile::open(path.to_owned())? else { return Ok(indexed) };
    let bytes = file.read_up_to(0, usize::try_from(file.len()?).unwrap_or(0))?;
    let mut pending: Vec<(Key, Place)> = Vec::new();
    let mut crc = 0u32;
    let mut at = 0usize;
    while let Some(tag) = bytes.get(at) {
        match tag {
            0 => {
                let Some((key, place)) = slice(&bytes, at, LOOKUP).and_then(lookup) else { break };
                crc = crc32c::crc32c_append(crc, &key);
                pending.push((key, place));
                at = at.saturating_add(LOOKUP);
            }
            1 => {
                let Some((start, end, stored, root)) = slice(&bytes, at, BATCH).and_then(batch) else {
                    break;
                };
                let is_next = start == indexed.end && end > start && stored == crc;
                let inside =
                    pending.iter().all(|(_, (offset, len))| offset.saturating_add(u64::from(*len)) <= end);
                if !is_next || !inside || !is_root_at(end, root)? {
                    break;
                }
                indexed.places.append(&mut pending);
                indexed.end = end;
                crc = 0;
                at = at.saturating_add(BATCH);
            }
            _ => break,
        }
    }
    Ok(indexed)
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
