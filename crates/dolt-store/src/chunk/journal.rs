//! The chunk journal: an append-only file of checksummed records (Dolt `go/store/nbs/journal_record.go`).
//!
//! ```text
//! record = length:4 field* crc32c:4      field = tag:1 value
//! tag 1 kind:1 (1 root, 2 chunk) | 2 address:20 | 3 payload, up to the crc | 4 timestamp:8
//! ```
//! All numbers big-endian; the length counts the whole record. A root record that passes its crc is a committed state:
//! every chunk that it needs stands before it. A tail that does not pass is a write under way or one that was cut off;
//! readers stop there, say nothing and change nothing. The last root record is the store's root.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};

use super::file::ReadFile;
use super::snappy;
use crate::bytes::{slice, to_usize, u32_be};
use crate::{Error, Hash, Result};

/// Dolt refuses a longer record, and so do we.
const MAX_RECORD_BYTES: u32 = 5 << 20;
/// How much is read at once. At least one record fits.
const BLOCK_BYTES: usize = 8 << 20;

/// An open journal, read up to some valid end.
#[derive(Debug)]
pub(super) struct Journal {
    file: ReadFile,
    read: RwLock<Read>,
}

#[derive(Debug, Default)]
struct Read {
    end: u64,
    root: Option<Hash>,
    // Where the payload of each chunk lies.
    places: HashMap<Hash, (u64, u32)>,
}

impl Journal {
    /// Opens a journal and reads it. `Ok(None)`: there is no such file.
    pub(super) fn open(path: PathBuf) -> Result<Option<Self>> {
        let Some(file) = ReadFile::open(path)? else { return Ok(None) };
        let journal = Self { file, read: RwLock::default() };
        journal.refresh()?;
        Ok(Some(journal))
    }

    /// Reads what was appended since the last time. Gives the root, if there is a root record.
    pub(super) fn refresh(&self) -> Result<Option<Hash>> {
        let mut read = self.read.write().unwrap_or_else(PoisonError::into_inner);
        loop {
            // Only what is there is asked for: a buffer of the full size would cost more than most refreshes.
            let left = self.file.len()?.saturating_sub(read.end);
            let wanted = to_usize(left).unwrap_or(BLOCK_BYTES).min(BLOCK_BYTES);
            let block = self.file.read_up_to(read.end, wanted)?;
            let used = self.take_records(&mut read, &block)?;
            read.end = read.end.saturating_add(used as u64);
            // Less than a block came, or it held nothing that is whole: that is all there is now.
            if used == 0 || block.len() < BLOCK_BYTES {
                return Ok(read.root);
            }
        }
    }

    /// The chunk, if the journal has it. Its address is not checked here.
    pub(super) fn get(&self, hash: Hash) -> Result<Option<Vec<u8>>> {
        let place = self.read.read().unwrap_or_else(PoisonError::into_inner).places.get(&hash).copied();
        let Some((offset, len)) = place else { return Ok(None) };
        let record = self.file.read(offset, to_usize(u64::from(len)).unwrap_or(0))?;
        snappy::decode(&record).map(Some).map_err(|problem| self.file.damaged(offset, problem))
    }

    /// Whether the journal has the chunk.
    pub(super) fn has(&self, hash: Hash) -> bool {
        self.read.read().unwrap_or_else(PoisonError::into_inner).places.contains_key(&hash)
    }

    /// The address of every chunk, in no order.
    pub(super) fn addresses(&self) -> Vec<Hash> {
        self.read.read().unwrap_or_else(PoisonError::into_inner).places.keys().copied().collect()
    }

    /// Looks behind the valid end for whole records, as Dolt does before it cuts a tail off: a root record that another
    /// whole record follows means that something in between was lost.
    pub(super) fn check_tail(&self) -> Result<()> {
        let end = self.read.read().unwrap_or_else(PoisonError::into_inner).end;
        let rest = self.file.len()?.saturating_sub(end);
        let tail = self.file.read_up_to(end, to_usize(rest).unwrap_or(0))?;
        let mut at = 0usize;
        let mut root_seen = false;
        while at < tail.len() {
            let Some(record) = tail.get(at..).and_then(whole_record) else {
                at = at.saturating_add(1);
                continue;
            };
            if root_seen {
                return Err(Error::DataLoss { path: self.file.path().to_owned(), offset: end });
            }
            root_seen = matches!(parse(record), Ok(Record::Root(_)));
            at = at.saturating_add(record.len());
        }
        Ok(())
    }

    fn take_records(&self, read: &mut Read, block: &[u8]) -> Result<usize> {
        let mut at = 0usize;
        while let Some(record) = block.get(at..).and_then(whole_record) {
            let start = read.end.saturating_add(at as u64);
            match parse(record).map_err(|problem| self.file.damaged(start, problem))? {
                Record::Root(root) => read.root = Some(root),
                Record::Chunk { address, payload_at, payload_len } => {
                    let place = (start.saturating_add(payload_at as u64), payload_len);
                    read.places.insert(address, place);
                }
            }
            at = at.saturating_add(record.len());
        }
        Ok(at)
    }
}

enum Record {
    Root(Hash),
    Chunk { address: Hash, payload_at: usize, payload_len: u32 },
}

/// The record that begins here, if it is whole: its length is possible, all of it is there, and its crc agrees.
fn whole_record(bytes: &[u8]) -> Option<&[u8]> {
    let length = u32_be(bytes, 0).filter(|l| *l <= MAX_RECORD_BYTES)?;
    let record = slice(bytes, 0, usize::try_from(length).ok()?)?;
    let crc_at = record.len().checked_sub(4).filter(|at| *at >= 4)?;
    (crc32c::crc32c(record.get(..crc_at)?) == u32_be(record, crc_at)?).then_some(record)
}

/// What a whole record says. Its crc has passed, so anything unknown in it is not an accident.
fn parse(record: &[u8]) -> std::result::Result<Record, String> {
    let fields_end = record.len().saturating_sub(4);
    let (mut kind, mut address, mut payload) = (None, None, None);
    let mut at = 4usize;
    while at < fields_end {
        let tag = record.get(at).copied().unwrap_or_default();
        let value_at = at.saturating_add(1);
        let len = match tag {
            1 => 1,
            2 => Hash::LEN,
            3 => fields_end.saturating_sub(value_at),
            4 => 8,
            other => return Err(format!("unknown field {other}")),
        };
        at = value_at.saturating_add(len);
        let value = slice(record, value_at, len).filter(|_| at <= fields_end);
        let value = value.ok_or_else(|| format!("field {tag} runs past the end of its record"))?;
        match tag {
            1 => kind = value.first().copied(),
            2 => address = Hash::from_slice(value),
            3 => payload = Some((value_at, u32::try_from(len).unwrap_or(u32::MAX))),
            _ => {}
        }
    }
    match (kind, address, payload) {
        (Some(1), Some(root), None) => Ok(Record::Root(root)),
        (Some(2), Some(address), Some((payload_at, payload_len))) => {
            Ok(Record::Chunk { address, payload_at, payload_len })
        }
        (Some(kind @ (1 | 2)), _, _) => Err(format!("a record of kind {kind} with the wrong fields")),
        (kind, _, _) => Err(format!("unknown record kind {kind:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs;

    fn framed(fields: &[u8]) -> Vec<u8> {
        let mut record = u32::try_from(fields.len() + 8).unwrap().to_be_bytes().to_vec();
        record.extend(fields);
        record.extend(crc32c::crc32c(&record).to_be_bytes());
        record
    }

    fn root(hash: Hash) -> Vec<u8> {
        framed(&[&[1, 1, 4][..], &1_795_254_287u64.to_be_bytes(), &[2], hash.as_bytes()].concat())
    }

    fn chunk(bytes: &[u8]) -> Vec<u8> {
        let hash = Hash::of(bytes);
        framed(&[&[1, 2, 2][..], hash.as_bytes(), &[3], &snappy::encode(bytes)].concat())
    }

    fn journal(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        fs::write(&path, bytes).unwrap();
        (dir, path)
    }

    #[test]
    fn both_sizes_of_root_record_are_read_and_the_last_one_counts() {
        let (a, b) = (Hash::of(b"a"), Hash::of(b"b"));
        let old = framed(&[&[1, 1, 2][..], a.as_bytes()].concat());
        assert_eq!((old.len(), root(b).len()), (31, 40));
        let (_dir, path) = journal(&[old, chunk(b"x"), root(b)].concat());
        let journal = Journal::open(path).unwrap().unwrap();
        assert_eq!(journal.refresh().unwrap(), Some(b));
        assert_eq!(journal.get(Hash::of(b"x")).unwrap().unwrap(), b"x");
        assert_eq!(journal.get(a).unwrap(), None);
    }

    #[test]
    fn a_tail_cut_at_any_byte_leaves_the_last_whole_root_and_is_read_on_when_it_grows() {
        let (a, b) = (Hash::of(b"a"), Hash::of(b"b"));
        let kept = [chunk(b"one"), root(a)].concat();
        let all = [kept.clone(), chunk(b"two"), root(b)].concat();
        for len in kept.len()..all.len() {
            let (_dir, path) = journal(&all[..len]);
            let journal = Journal::open(path.clone()).unwrap().unwrap();
            assert_eq!(journal.refresh().unwrap(), Some(a), "{len}");
            journal.check_tail().unwrap();
            fs::write(&path, &all).unwrap();
            assert_eq!(journal.refresh().unwrap(), Some(b), "{len}");
            assert!(journal.has(Hash::of(b"two")));
        }
    }

    #[test]
    fn whole_records_after_a_damaged_one_are_data_loss() {
        let (a, b) = (Hash::of(b"a"), Hash::of(b"b"));
        let mut damaged = chunk(b"two");
        damaged[30] ^= 1;
        let bytes = [chunk(b"one"), root(a), damaged, root(b), chunk(b"three")].concat();
        let (_dir, path) = journal(&bytes);
        let journal = Journal::open(path).unwrap().unwrap();
        assert_eq!(journal.refresh().unwrap(), Some(a));
        assert!(matches!(journal.check_tail(), Err(Error::DataLoss { .. })));
    }

    #[test]
    fn zeros_and_noise_behind_the_end_are_no_records() {
        let a = Hash::of(b"a");
        for tail in [vec![0; 4096], vec![0xff; 3000]] {
            let (_dir, path) = journal(&[root(a), tail].concat());
            let journal = Journal::open(path).unwrap().unwrap();
            assert_eq!(journal.refresh().unwrap(), Some(a));
            journal.check_tail().unwrap();
        }
    }

    proptest! {
        #[test]
        fn a_record_with_unknown_fields_is_refused_without_a_panic(fields in prop::collection::vec(any::<u8>(), 0..80)) {
            drop(parse(&framed(&fields)));
        }
    }
}
