//! An archive (`.darc`): chunks compressed with shared dictionaries (Dolt `go/store/nbs/archive_reader.go`).
//!
//! ```text
//! byte spans | index | metadata (JSON) | footer
//! footer v3 (220 bytes): indexLen:8 spans:4 chunks:4 metaLen:4 sums:192 version:1 "DOLTARC"
//! footer v1, v2 (216):   indexLen:4, the rest the same
//! index: spans x end:8 | chunks x prefix:8, sorted by whole address | chunks x (dict:4 data:4) | chunks x suffix:12
//! ```
//! All numbers big-endian. Span ids begin at 1; span `i` is `[end(i-1), end(i))`. Dictionary 0 (from version 2 on): the
//! data span is a snappy record with its crc. Else both spans are zstd: the dictionary a plain frame, the data a frame that
//! is read with it. The file never changes after it has its name.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use zstd::zstd_safe::{self, DCtx, DDict};

use super::contents::{Contents, StoredChunk};
use super::file::ReadFile;
use super::search::{SortedKeys, equal_range};
use super::snappy;
use crate::bytes::{slice, to_usize, u32_be, u64_be};
use crate::{Error, Hash, Result};

const SIGNATURE: &[u8] = b"DOLTARC";
const SUFFIX: u64 = 12;
/// Dictionaries that Dolt makes have 4 KiB; this bounds what a damaged file can make us reserve.
const MAX_DICTIONARY_BYTES: usize = 1 << 20;
/// The part of a chunk's key that is its place in the order of the index. The rest is its dictionary.
const INDEX: u64 = 0xffff_ffff;
/// How many dictionaries are kept.
const KEPT_DICTIONARIES: usize = 64;

// Prepared once, with the room that reading takes: both take longer than most chunks.
struct Dictionary {
    prepared: DDict<'static>,
    idle: Mutex<Vec<DCtx<'static>>>,
}

impl Dictionary {
    fn read(&self, frame: &[u8], size: usize) -> std::result::Result<Vec<u8>, String> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle().pop();
        let mut context = kept.or_else(DCtx::try_create).ok_or("no memory")?;
        let mut bytes = Vec::with_capacity(size);
        let read = context.decompress_using_ddict(&mut bytes, frame, &self.prepared);
        idle().push(context);
        read.map(|_| bytes).map_err(|code| zstd_safe::get_error_name(code).to_owned())
    }
}

impl fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dictionary")
    }
}

/// An open archive.
#[derive(Debug)]
pub(super) struct Archive {
    file: ReadFile,
    version: u8,
    spans: u64,
    chunks: u64,
    spans_at: u64,
    prefixes_at: u64,
    refs_at: u64,
    suffixes_at: u64,
    // Where the byte spans end.
    data_end: u64,
    dictionaries: Mutex<HashMap<u32, Arc<Dictionary>>>,
}

impl Archive {
    /// Opens an archive and checks its footer. `Ok(None)`: there is no such file.
    pub(super) fn open(path: PathBuf) -> Result<Option<Self>> {
        let Some(file) = ReadFile::open(path)? else { return Ok(None) };
        let len = file.len()?;
        let tail_at = len.checked_sub(8).ok_or_else(|| file.damaged(0, "shorter than a footer"))?;
        let tail = file.read(tail_at, 8)?;
        if slice(&tail, 1, 7) != Some(SIGNATURE) {
            return Err(file.damaged(tail_at, "no archive: the last 7 bytes are not its mark"));
        }
        let version = tail.first().copied().unwrap_or_default();
        let (footer_len, wide) = match version {
            1 | 2 => (216u64, false),
            3 => (220, true),
            other => return Err(file.unsupported(format!("archive version {other}"))),
        };
        let footer_at =
            len.checked_sub(footer_len).ok_or_else(|| file.damaged(0, "shorter than a footer"))?;
        let footer = file.read(footer_at, to_usize(footer_len).unwrap_or(0))?;
        let (index_len, rest) = if wide {
            (u64_be(&footer, 0).unwrap_or_default(), 8)
        } else {
            (u64::from(u32_be(&footer, 0).unwrap_or_default()), 4)
        };
        let number = |i: usize| u64::from(u32_be(&footer, i).unwrap_or_default());
        let (spans, chunks, meta_len) =
            (number(rest), number(rest.saturating_add(4)), number(rest.saturating_add(8)));
        // Counts have 32 bits: no overflow.
        let wanted = spans.saturating_mul(8).saturating_add(chunks.saturating_mul(8 + 8 + 12));
        if wanted != index_len {
            let problem = format!("an index of {index_len} bytes for {spans} spans and {chunks} chunks");
            return Err(file.damaged(footer_at, problem));
        }
        let index_at = footer_at.checked_sub(meta_len).and_then(|at| at.checked_sub(index_len));
        let spans_at =
            index_at.ok_or_else(|| file.damaged(footer_at, "index and metadata do not fit into the file"))?;
        let prefixes_at = spans_at.saturating_add(spans.saturating_mul(8));
        let refs_at = prefixes_at.saturating_add(chunks.saturating_mul(8));
        let suffixes_at = refs_at.saturating_add(chunks.saturating_mul(8));
        let data_end = spans_at;
        let dictionaries = Mutex::default();
        Ok(Some(Self {
            file,
            version,
            spans,
            chunks,
            spans_at,
            prefixes_at,
            refs_at,
            suffixes_at,
            data_end,
            dictionaries,
        }))
    }

    /// The chunk, if this file has it. Its address is not checked here.
    pub(super) fn get(&self, hash: Hash) -> Result<Option<Vec<u8>>> {
        let Some(i) = self.find(hash)? else { return Ok(None) };
        self.chunk_at(i).map(Some)
    }

    /// The chunk at this place in the order of the index.
    pub(super) fn chunk_at(&self, i: u64) -> Result<Vec<u8>> {
        let (dictionary, data) = self.refs(i)?;
        let (start, data) = self.span(data)?;
        self.decode_with(dictionary, start, &data)
    }

    /// A chunk of the contents.
    pub(super) fn stored(&self, chunk: &StoredChunk) -> Result<Vec<u8>> {
        self.chunk_at(chunk.key & INDEX)
    }

    /// The same, with its stored form at hand.
    pub(super) fn decode(&self, chunk: &StoredChunk, stored: &[u8]) -> Result<Vec<u8>> {
        let dictionary = u32::try_from(chunk.key >> INDEX.count_ones()).unwrap_or_default();
        self.decode_with(dictionary, chunk.offset, stored)
    }

    pub(super) fn file(&self) -> &ReadFile {
        &self.file
    }

    // Dictionary and data of a chunk.
    fn refs(&self, i: u64) -> Result<(u32, u32)> {
        let refs = self.file.read(self.refs_at.saturating_add(i.saturating_mul(8)), 8)?;
        Ok((u32_be(&refs, 0).unwrap_or_default(), u32_be(&refs, 4).unwrap_or_default()))
    }

    fn decode_with(&self, dictionary: u32, start: u64, stored: &[u8]) -> Result<Vec<u8>> {
        if dictionary == 0 {
            if self.version == 1 {
                let problem = "a chunk without a dictionary in a version 1 archive";
                return Err(self.file.damaged(start, problem));
            }
            return snappy::decode(stored).map_err(|problem| self.file.damaged(start, problem));
        }
        let dictionary = self.dictionary(dictionary)?;
        self.with_dictionary(&dictionary, stored, start)
    }

    /// Whether this file has the chunk.
    pub(super) fn has(&self, hash: Hash) -> Result<bool> {
        self.find(hash).map(|i| i.is_some())
    }

    /// How many chunks it has.
    pub(super) fn count(&self) -> u64 {
        self.chunks
    }

    /// The address of every chunk, in the order of the index.
    pub(super) fn addresses(&self) -> Result<Vec<Hash>> {
        let len = |n: u64| {
            to_usize(n).ok_or_else(|| self.file.damaged(self.prefixes_at, "too large for this machine"))
        };
        let prefixes = self.file.read(self.prefixes_at, len(self.chunks.saturating_mul(8))?)?;
        let suffixes = self.file.read(self.suffixes_at, len(self.chunks.saturating_mul(SUFFIX))?)?;
        let pairs = prefixes.chunks(8).zip(suffixes.chunks(12));
        Ok(pairs.filter_map(|(prefix, suffix)| Hash::from_slice(&[prefix, suffix].concat())).collect())
    }

    /// Every chunk with its place, in the order of the file; and whether the index is sorted.
    pub(super) fn contents(&self) -> Result<Contents> {
        let addresses = self.addresses()?;
        let mut problems = Vec::new();
        if !addresses.is_sorted_by_key(Hash::prefix) {
            problems.push(self.file.damaged(self.prefixes_at, "the index is not sorted"));
        }
        let len = |n: u64| to_usize(n.saturating_mul(8)).unwrap_or(0);
        let ends = self.file.read(self.spans_at, len(self.spans))?;
        let refs = self.file.read(self.refs_at, len(self.chunks))?;
        let end_of = |span: u32| {
            let at = usize::try_from(span).ok().and_then(|s| s.checked_sub(1))?.checked_mul(8)?;
            u64_be(&ends, at)
        };
        let mut chunks = Vec::with_capacity(addresses.len());
        for ((key, hash), refs) in (0u64..).zip(addresses).zip(refs.chunks(8)) {
            let span = u32_be(refs, 4).unwrap_or_default();
            let offset = end_of(span.saturating_sub(1)).unwrap_or(0);
            let stored_bytes = end_of(span).unwrap_or(0).saturating_sub(offset);
            let dictionary = u64::from(u32_be(refs, 0).unwrap_or_default());
            let key = key | dictionary << INDEX.count_ones();
            chunks.push(StoredChunk::new(hash, offset, stored_bytes, key));
        }
        chunks.sort_by_key(|c| c.offset);
        Ok(Contents::new(&self.file, chunks, problems))
    }

    fn find(&self, hash: Hash) -> Result<Option<u64>> {
        for i in equal_range(self, hash.prefix())? {
            let at = self.suffixes_at.saturating_add(i.saturating_mul(SUFFIX));
            if self.file.read(at, 12)? == hash.suffix() {
                return Ok(Some(i));
            }
        }
        Ok(None)
    }

    fn span(&self, id: u32) -> Result<(u64, Vec<u8>)> {
        let id = u64::from(id);
        let bad = |problem: String| self.file.damaged(self.spans_at, problem);
        if id == 0 || id > self.spans {
            return Err(bad(format!("there is no span {id} among {}", self.spans)));
        }
        let end_of = |i: u64| -> Result<u64> {
            let Some(before) = i.checked_sub(1) else { return Ok(0) };
            let at = self.spans_at.saturating_add(before.saturating_mul(8));
            Ok(u64_be(&self.file.read(at, 8)?, 0).unwrap_or_default())
        };
        let (start, end) = (end_of(id.saturating_sub(1))?, end_of(id)?);
        let len = end.checked_sub(start).filter(|_| end <= self.data_end);
        let len = len.filter(|l| *l <= (snappy::MAX_CHUNK_BYTES as u64).saturating_mul(2)).and_then(to_usize);
        let len = len.ok_or_else(|| bad(format!("span {id} reaches from {start} to {end}")))?;
        Ok((start, self.file.read(start, len)?))
    }

    fn dictionary(&self, id: u32) -> Result<Arc<Dictionary>> {
        let mut kept = self.dictionaries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(dictionary) = kept.get(&id) {
            return Ok(Arc::clone(dictionary));
        }
        let (start, frame) = self.span(id)?;
        let raw = zstd::bulk::decompress(&frame, MAX_DICTIONARY_BYTES);
        let bad = |problem: &str| self.file.damaged(start, format!("dictionary: {problem}"));
        let prepared = DDict::try_create(&raw.map_err(|e| bad(&e.to_string()))?);
        let prepared = prepared.ok_or_else(|| bad("it cannot be prepared"))?;
        let dictionary = Arc::new(Dictionary { prepared, idle: Mutex::default() });
        if kept.len() >= KEPT_DICTIONARIES {
            kept.clear();
        }
        kept.insert(id, Arc::clone(&dictionary));
        Ok(dictionary)
    }

    fn with_dictionary(&self, dictionary: &Dictionary, frame: &[u8], at: u64) -> Result<Vec<u8>> {
        let bad = |problem: String| -> Error { self.file.damaged(at, problem) };
        let size = zstd_safe::get_frame_content_size(frame).ok().flatten();
        let size = size.and_then(to_usize).filter(|s| *s <= snappy::MAX_CHUNK_BYTES);
        let size =
            size.ok_or_else(|| bad("the frame does not tell its size, or one too large".to_owned()))?;
        dictionary.read(frame, size).map_err(bad)
    }
}

impl SortedKeys for Archive {
    fn count(&self) -> u64 {
        self.chunks
    }

    fn keys(&self, first: u64, len: u64) -> Result<Vec<u64>> {
        let at = self.prefixes_at.saturating_add(first.saturating_mul(8));
        let bytes = self.file.read(at, to_usize(len.saturating_mul(8)).unwrap_or(0))?;
        Ok(bytes.chunks(8).map(|key| u64_be(key, 0).unwrap_or_default()).collect())
    }
}
