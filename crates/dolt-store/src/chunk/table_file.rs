//! A table file: chunk records, an index, a footer (Dolt `go/store/nbs/table_reader.go`, `table_index.go`).
//!
//! ```text
//! records | N x (prefix:8 ordinal:4), sorted | N x record length:4 | N x suffix:12 | N:4 total:8 magic:8
//! ```
//! All numbers big-endian. A record's place is the sum of the lengths before it. The file never changes after it has its
//! name, so what is read of the index may be kept.

use std::path::PathBuf;
use std::sync::OnceLock;

use super::contents::{Contents, StoredChunk};
use super::file::ReadFile;
use super::search::{SortedKeys, equal_range};
use super::snappy;
use crate::bytes::{slice, to_usize, u32_be, u64_be};
use crate::{Hash, Result};

const MAGIC: [u8; 8] = [0xff, 0xb5, 0xd8, 0xc2, 0x24, 0x63, 0xee, 0x50];
const FOOTER: u64 = 20;
const PREFIX_TUPLE: u64 = 12;
const LENGTH: u64 = 4;
const SUFFIX: u64 = 12;

/// An open table file.
#[derive(Debug)]
pub(super) struct TableFile {
    file: ReadFile,
    count: u64,
    prefixes_at: u64,
    lengths_at: u64,
    suffixes_at: u64,
    // Where each record begins, and where the last one ends; made when first needed.
    offsets: OnceLock<Vec<u64>>,
}

impl TableFile {
    /// Opens a table file and checks its footer. `Ok(None)`: there is no such file.
    pub(super) fn open(path: PathBuf) -> Result<Option<Self>> {
        let Some(file) = ReadFile::open(path)? else { return Ok(None) };
        let len = file.len()?;
        let footer_at = len.checked_sub(FOOTER).ok_or_else(|| file.damaged(0, "shorter than a footer"))?;
        let footer = file.read(footer_at, 20)?;
        if slice(&footer, 12, 8) != Some(&MAGIC) {
            return Err(file.damaged(footer_at, "no table file: the last 8 bytes are not its mark"));
        }
        let count = u64::from(u32_be(&footer, 0).unwrap_or_default());
        // At most 2^32 entries of 28 bytes: no overflow.
        let index_len = count.saturating_mul(PREFIX_TUPLE.saturating_add(LENGTH).saturating_add(SUFFIX));
        let index_at = footer_at.checked_sub(index_len).ok_or_else(|| {
            file.damaged(footer_at, format!("an index of {count} chunks does not fit into the file"))
        })?;
        let lengths_at = index_at.saturating_add(count.saturating_mul(PREFIX_TUPLE));
        let suffixes_at = lengths_at.saturating_add(count.saturating_mul(LENGTH));
        Ok(Some(Self {
            file,
            count,
            prefixes_at: index_at,
            lengths_at,
            suffixes_at,
            offsets: OnceLock::new(),
        }))
    }

    /// The chunk, if this file has it. Its address is not checked here.
    pub(super) fn get(&self, hash: Hash) -> Result<Option<Vec<u8>>> {
        let Some(ordinal) = self.find(hash)? else { return Ok(None) };
        self.chunk_at(ordinal).map(Some)
    }

    /// Whether this file has the chunk.
    pub(super) fn has(&self, hash: Hash) -> Result<bool> {
        self.find(hash).map(|o| o.is_some())
    }

    /// How many chunks it has.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The address of every chunk, in the order of the index.
    pub(super) fn addresses(&self) -> Result<Vec<Hash>> {
        let len = |n: u64| {
            to_usize(n).ok_or_else(|| self.file.damaged(self.prefixes_at, "too large for this machine"))
        };
        let tuples = self.file.read(self.prefixes_at, len(self.count.saturating_mul(PREFIX_TUPLE))?)?;
        let suffixes = self.file.read(self.suffixes_at, len(self.count.saturating_mul(SUFFIX))?)?;
        let address = |tuple: &[u8]| {
            let ordinal = usize::try_from(u32_be(tuple, 8)?).ok()?;
            let suffix = slice(&suffixes, ordinal.checked_mul(12)?, 12)?;
            Hash::from_slice(&[slice(tuple, 0, 8)?, suffix].concat())
        };
        let all: Option<Vec<Hash>> = tuples.chunks(12).map(address).collect();
        all.ok_or_else(|| self.file.damaged(self.prefixes_at, "an ordinal lies past the last chunk"))
    }

    /// Every chunk with its place, in the order of the file; and whether the index is sorted and names each chunk once.
    pub(super) fn contents(&self) -> Result<Contents> {
        let addresses = self.addresses()?;
        let len = to_usize(self.count.saturating_mul(PREFIX_TUPLE)).unwrap_or(0);
        let tuples = self.file.read(self.prefixes_at, len)?;
        let offsets = self.offsets()?;
        let mut problems = Vec::new();
        if !addresses.is_sorted_by_key(Hash::prefix) {
            problems.push(self.file.damaged(self.prefixes_at, "the index is not sorted"));
        }
        let mut chunks = Vec::with_capacity(addresses.len());
        for (tuple, hash) in tuples.chunks(12).zip(addresses) {
            let ordinal = u32_be(tuple, 8).unwrap_or_default();
            let at = usize::try_from(ordinal).unwrap_or(usize::MAX);
            let start = offsets.get(at).copied().unwrap_or_default();
            let end = offsets.get(at.saturating_add(1)).copied().unwrap_or_default();
            let stored_bytes = end.saturating_sub(start);
            chunks.push(StoredChunk::new(hash, start, stored_bytes, u64::from(ordinal)));
        }
        chunks.sort_by_key(|c| c.key);
        if chunks.iter().zip(0u64..).any(|(c, i)| c.key != i) {
            problems.push(self.file.damaged(self.prefixes_at, "the index names a chunk twice"));
        }
        Ok(Contents::new(&self.file, chunks, problems))
    }

    fn find(&self, hash: Hash) -> Result<Option<u64>> {
        for i in equal_range(self, hash.prefix())? {
            let at = self.prefixes_at.saturating_add(i.saturating_mul(PREFIX_TUPLE)).saturating_add(8);
            let ordinal = u64::from(u32_be(&self.file.read(at, 4)?, 0).unwrap_or_default());
            if ordinal >= self.count {
                return Err(self.file.damaged(at, format!("ordinal {ordinal} of {} chunks", self.count)));
            }
            let suffix_at = self.suffixes_at.saturating_add(ordinal.saturating_mul(SUFFIX));
            if self.file.read(suffix_at, 12)? == hash.suffix() {
                return Ok(Some(ordinal));
            }
        }
        Ok(None)
    }

    pub(super) fn file(&self) -> &ReadFile {
        &self.file
    }

    /// The chunk at this place in the order of the file.
    pub(super) fn chunk_at(&self, ordinal: u64) -> Result<Vec<u8>> {
        let offsets = self.offsets()?;
        let i = to_usize(ordinal).unwrap_or(usize::MAX);
        let (Some(start), Some(end)) = (offsets.get(i), i.checked_add(1).and_then(|j| offsets.get(j))) else {
            return Err(self.file.damaged(self.lengths_at, format!("there is no chunk {ordinal}")));
        };
        let len = end.saturating_sub(*start);
        // A record can be a little longer than its chunk if that does not compress.
        if len > (snappy::MAX_CHUNK_BYTES as u64).saturating_mul(2) {
            return Err(self.file.damaged(*start, format!("a record of {len} bytes")));
        }
        let record = self.file.read(*start, to_usize(len).unwrap_or(0))?;
        snappy::decode(&record).map_err(|problem| self.file.damaged(*start, problem))
    }

    fn offsets(&self) -> Result<&[u64]> {
        if let Some(offsets) = self.offsets.get() {
            return Ok(offsets);
        }
        let too_large = || self.file.damaged(self.lengths_at, "too large for this machine");
        let len = to_usize(self.count.saturating_mul(LENGTH)).ok_or_else(too_large)?;
        let lengths = self.file.read(self.lengths_at, len)?;
        let mut offsets = Vec::with_capacity((lengths.len() / 4).saturating_add(1));
        let mut at = 0u64;
        offsets.push(at);
        for length in lengths.chunks(4) {
            at = at.saturating_add(u64::from(u32_be(length, 0).unwrap_or_default()));
            offsets.push(at);
        }
        if at != self.prefixes_at {
            let problem =
                format!("the records are {at} bytes long, the index begins at {}", self.prefixes_at);
            return Err(self.file.damaged(self.lengths_at, problem));
        }
        Ok(self.offsets.get_or_init(|| offsets))
    }
}

impl SortedKeys for TableFile {
    fn count(&self) -> u64 {
        self.count
    }

    fn keys(&self, first: u64, len: u64) -> Result<Vec<u64>> {
        let at = self.prefixes_at.saturating_add(first.saturating_mul(PREFIX_TUPLE));
        let bytes = self.file.read(at, to_usize(len.saturating_mul(PREFIX_TUPLE)).unwrap_or(0))?;
        Ok(bytes.chunks(12).map(|tuple| u64_be(tuple, 0).unwrap_or_default()).collect())
    }
}
