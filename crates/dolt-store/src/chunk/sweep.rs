//! Every chunk of a journal, read once from its beginning to its end by as many threads as like: what a verification does
//! with a journal in which nothing is wrong. It stops at the first record that does not pass, and says nothing more of it:
//! [`super::Contents`] tells what is wrong, one record after the other.

use std::sync::{Mutex, PoisonError};

use super::file::ReadFile;
use super::journal::{MAX_RECORD_BYTES, Record, parse, whole_record};
use super::snappy;
use crate::Hash;
use crate::bytes::{slice, to_usize, u32_be};

/// How much is read at once, unless a record is longer.
const BLOCK_BYTES: usize = 1 << 20;
/// A record has a length and a checksum.
const LEAST_RECORD_BYTES: usize = 8;

/// The part of a journal that is not yet read.
#[derive(Debug)]
pub(crate) struct Sweep<'j> {
    file: &'j ReadFile,
    end: u64,
    next: Mutex<u64>,
}

/// Something did not pass.
#[derive(Debug)]
pub(crate) struct NotWhole;

/// Room of one thread.
#[derive(Debug, Default)]
pub(crate) struct Lot {
    bytes: Vec<u8>,
    // Where each record begins in them, and how long it is.
    records: Vec<(usize, usize)>,
}

impl<'j> Sweep<'j> {
    pub(super) fn new(file: &'j ReadFile, end: u64) -> Self {
        Self { file, end, next: Mutex::new(0) }
    }

    /// Fills the room with the next records. False: there are none left.
    pub(crate) fn next(&self, lot: &mut Lot) -> Result<bool, NotWhole> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let left = to_usize(self.end.saturating_sub(*next)).unwrap_or(usize::MAX);
        lot.records.clear();
        if left == 0 {
            return Ok(false);
        }
        let mut wanted = BLOCK_BYTES.min(left);
        loop {
            // What is in the buffer already need not be zeroed.
            lot.bytes.resize(wanted, 0);
            if self.file.read_into(*next, &mut lot.bytes).map_err(|_| NotWhole)? != wanted {
                return Err(NotWhole);
            }
            let used = lot.cut();
            if used > 0 {
                *next = next.saturating_add(used as u64);
                return Ok(true);
            }
            let length = u32_be(&lot.bytes, 0).filter(|length| *length <= MAX_RECORD_BYTES);
            match length.and_then(|length| usize::try_from(length).ok()) {
                Some(length) if length > wanted && length <= left => wanted = length,
                _ => return Err(NotWhole),
            }
        }
    }
}

impl Lot {
    // Finds the records by their lengths alone: whether they are true is seen when they are read, by several threads at once.
    fn cut(&mut self) -> usize {
        let mut at = 0usize;
        while let Some(length) = u32_be(&self.bytes, at).and_then(|length| usize::try_from(length).ok()) {
            let end = at.saturating_add(length);
            if length < LEAST_RECORD_BYTES || end > self.bytes.len() {
                break;
            }
            self.records.push((at, length));
            at = end;
        }
        at
    }

    /// The chunks in it: addresses, and bytes that have them.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = Result<(Hash, Vec<u8>), NotWhole>> {
        self.records.iter().filter_map(|(at, length)| self.chunk(*at, *length).transpose())
    }

    // Nothing, if it is the record of a root.
    fn chunk(&self, at: usize, length: usize) -> Result<Option<(Hash, Vec<u8>)>, NotWhole> {
        let record = slice(&self.bytes, at, length).and_then(whole_record).ok_or(NotWhole)?;
        match parse(record).map_err(|_| NotWhole)? {
            Record::Root(_) => Ok(None),
            Record::Chunk { address, payload_at, payload_len } => {
                let payload =
                    usize::try_from(payload_len).ok().and_then(|len| slice(record, payload_at, len));
                let chunk = payload.and_then(|payload| snappy::decode(payload).ok()).ok_or(NotWhole)?;
                if Hash::of(&chunk) == address { Ok(Some((address, chunk))) } else { Err(NotWhole) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::journal::{Journal, chunk_record, root_record};
    use super::*;
    use proptest::prelude::*;

    fn swept(journal: &Journal) -> Result<Vec<(Hash, Vec<u8>)>, NotWhole> {
        let sweep = journal.sweep();
        let (mut lot, mut found) = (Lot::default(), Vec::new());
        while sweep.next(&mut lot)? {
            for chunk in lot.chunks() {
                found.push(chunk?);
            }
        }
        Ok(found)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn every_chunk_comes_once_and_a_flipped_byte_is_noticed(
            sizes in prop::collection::vec(0usize..3_000_000, 1..6),
            at: prop::sample::Index,
        ) {
            let noise = |n: usize| -> Vec<u8> { (0..n).map(|i| (i * i * 31 + i / 7 + n).to_le_bytes()[0]).collect() };
            let chunks: Vec<Vec<u8>> = sizes.into_iter().map(noise).collect();
            let mut bytes: Vec<u8> =
                chunks.iter().flat_map(|c| chunk_record(Hash::of(c), c).unwrap()).collect();
            bytes.extend(root_record(Hash::of(b"root"), 7));
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("journal");
            std::fs::write(&path, &bytes).unwrap();
            let journal = Journal::open(path.clone(), None).unwrap().unwrap();
            let want: Vec<_> = chunks.into_iter().map(|c| (Hash::of(&c), c)).collect();
            prop_assert!(swept(&journal).unwrap() == want);
            // Damaged while it is open: nothing is believed because it passed once.
            let at = at.index(bytes.len());
            bytes[at] ^= 0x40;
            std::fs::write(&path, &bytes).unwrap();
            prop_assert!(swept(&journal).is_err(), "byte {at}");
        }
    }
}
