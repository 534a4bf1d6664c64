//! The chunk journal: an append-only file of checksummed records (Dolt `go/store/nbs/journal_record.go`).
//!
//! ```text
//! record = length:4 field* crc32c:4      field = tag:1 value
//! tag 1 kind:1 (1 root, 2 chunk) | 2 address:20 | 3 payload, up to the crc | 4 timestamp:8
//! ```
//! All numbers big-endian; the length counts the whole record. A root record that passes its crc is a committed state:
//! every chunk that it needs stands before it. A tail that does not pass is a write under way or one that was cut off;
//! readers stop there, say nothing and change nothing. The last root record is the store's root.

use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};

use super::contents::{Contents, StoredChunk};
use super::file::ReadFile;
use super::index_cache::{CacheFile, Cached};
use super::journal_index::{self, Place, key_of};
use super::places::{Collected, ENTRY, SortedPlaces};
use super::snappy;
use super::sweep::Sweep;
use crate::bytes::{slice, to_usize, u32_be};
use crate::{Error, Hash, Result};

/// Dolt refuses a longer record, and so do we.
pub(super) const MAX_RECORD_BYTES: u32 = 5 << 20;
/// A root record with its timestamp.
const ROOT_RECORD_BYTES: usize = 40;
/// How much is read at once, if one record is no longer than that.
const USUAL_BYTES: usize = 256 << 10;
/// How much is read at once otherwise; at least one record.
const BLOCK_BYTES: usize = 6 << 20;
/// So many places are collected before they are sorted into the others, which takes half the memory.
const COLLECTED: usize = 1 << 14;
/// Our cache of the index is renewed when so much of the journal stands behind what it covers, and an eighth of the cache's
/// own size: each opening reads what is not covered, each renewal the whole cache.
const UNCACHED_BYTES: u64 = 1 << 18;

/// A chunk that was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) bytes: Vec<u8>,
    /// Whether what stands beside it in the file says that it is the one that was asked for.
    pub(super) is_named: bool,
}

/// An open journal, read up to some valid end.
#[derive(Debug)]
pub(super) struct Journal {
    file: ReadFile,
    cache: Option<CacheFile>,
    read: RwLock<Read>,
}

#[derive(Debug, Default)]
struct Read {
    end: u64,
    root: Option<Hash>,
    // Where that root record stands, and where it ends. What whole records stand behind it can be taken back by their writer as
    // long as no root follows, and others can come in their place: they are read again each time.
    root_at: u64,
    root_end: u64,
    // Our cache, if it was used.
    cached: Option<Cached>,
    // What has come since and was sorted.
    sorted: SortedPlaces,
    // What has come last. Where the payload of each chunk lies. Sixteen bytes of an address are all that Dolt's index keeps; that a chunk is
    // the right one is checked when it is read.
    places: Collected,
    // Whether places came from an index or a cache and not from the journal itself.
    is_indexed: bool,
}

impl Journal {
    /// Opens a journal and reads it, with the help of our cache or Dolt's index. `Ok(None)`: there is no such file.
    pub(super) fn open(path: PathBuf, cache: Option<CacheFile>) -> Result<Option<Self>> {
        let Some(file) = ReadFile::open(path)? else { return Ok(None) };
        let bytes = file.len()?;
        let journal = Self { file, cache, read: RwLock::default() };
        let has_root_at = |at, root| journal.has_root_at(at, root);
        let cached = journal.cache.as_ref().and_then(|cache| cache.read(bytes, has_root_at));
        let cached_to = cached.as_ref().map_or(0, Cached::end);
        let mut begin = Read::default();
        if cached.is_some() {
            begin = Read { end: cached_to, cached, is_indexed: true, ..begin };
        } else {
            let index = journal.file.path().with_file_name("journal.idx");
            let (mut sorted, mut places) = (SortedPlaces::default(), Collected::default());
            let end = journal_index::read(&index, has_root_at, |key, place| {
                places.insert(key, place);
                if places.len() >= COLLECTED {
                    sorted.take(&mut places);
                }
            })?;
            if end > 0 {
                begin = Read { end, sorted, places, is_indexed: true, ..begin };
            }
        }
        *journal.read.write().unwrap_or_else(PoisonError::into_inner) = begin;
        journal.refresh()?;
        journal.renew_cache(cached_to);
        Ok(Some(journal))
    }

    // Writes our cache anew if much of the journal stands behind what it covers.
    fn renew_cache(&self, covered: u64) {
        let Some(cache) = &self.cache else { return };
        let mut read = self.read.write().unwrap_or_else(PoisonError::into_inner);
        let read = &mut *read;
        let known = read.cached.as_ref().map_or(0, Cached::len).saturating_mul(ENTRY) as u64;
        let due = covered.saturating_add(UNCACHED_BYTES).saturating_add(known / 8);
        let Some(root) = read.root.filter(|_| read.root_at >= due) else { return };
        read.sorted.take(&mut read.places);
        let merged;
        let sorted = match &read.cached {
            None => &read.sorted,
            Some(cached) => match cached.all_with(&read.sorted) {
                Ok(all) => {
                    merged = all;
                    &merged
                }
                // Whoever needs what is in the damaged part reads the journal, and comes here again.
                Err(_) => return,
            },
        };
        if sorted.are_before(read.root_at) {
            cache.replace(read.root_at, root, sorted);
        } else {
            cache.replace(read.root_at, root, &sorted.before(read.root_at));
        }
    }

    /// Reads what was appended since the last time. Gives the root, if there is a root record.
    pub(super) fn refresh(&self) -> Result<Option<Hash>> {
        let mut read = self.read.write().unwrap_or_else(PoisonError::into_inner);
        if read.root.is_some() {
            read.end = read.root_end;
        }
        let (mut most, mut block) = (USUAL_BYTES, Vec::new());
        loop {
            // Only what is there is asked for: a buffer of the full size would cost more than most refreshes.
            let left = self.file.len()?.saturating_sub(read.end);
            block.resize(to_usize(left).unwrap_or(most).min(most), 0);
            let filled = self.file.read_into(read.end, &mut block)?;
            block.truncate(filled);
            let used = self.take_records(&mut read, &block)?;
            read.end = read.end.saturating_add(used as u64);
            // Less than a block came, or it held nothing that is whole: that is all there is now.
            if block.len() < most || used == 0 && most == BLOCK_BYTES {
                return Ok(read.root);
            }
            if used == 0 {
                most = BLOCK_BYTES;
            }
        }
    }

    /// The chunk, if the journal has it, and whether its record names this address: both have passed their crc then. If it does
    /// not, an index may have lied, and only the bytes themselves can tell.
    pub(super) fn get(&self, hash: Hash) -> Result<Option<Found>> {
        let get = || self.place_of(hash)?.map(|place| self.chunk_of(hash, place)).transpose();
        match get() {
            Err(_) if self.forget_index()? => get(),
            done => done,
        }
    }

    fn place_of(&self, hash: Hash) -> Result<Option<Place>> {
        let key = key_of(hash);
        let read = self.read.read().unwrap_or_else(PoisonError::into_inner);
        match read.places.get(&key).copied().or_else(|| read.sorted.get(&key)) {
            None => read.cached.as_ref().map_or(Ok(None), |cached| cached.get(&key)),
            found => Ok(found),
        }
    }

    fn chunk_of(&self, hash: Hash, (offset, len): Place) -> Result<Found> {
        let before = chunk_header(hash, len);
        let Some(start) = offset.checked_sub(before.len() as u64) else {
            return Ok(Found { bytes: self.chunk_at((offset, len))?, is_named: false });
        };
        let record = self.read_part(start, len.saturating_add(HEADER_BYTES))?;
        let (header, payload) = record.split_at_checked(before.len()).unwrap_or_default();
        let bytes = snappy::decode(payload).map_err(|problem| self.file.damaged(offset, problem))?;
        Ok(Found { bytes, is_named: header == before })
    }

    fn chunk_at(&self, (offset, len): Place) -> Result<Vec<u8>> {
        let payload = self.read_part(offset, len)?;
        snappy::decode(&payload).map_err(|problem| self.file.damaged(offset, problem))
    }

    fn read_part(&self, offset: u64, len: u32) -> Result<Vec<u8>> {
        if len > MAX_RECORD_BYTES {
            return Err(self.file.damaged(offset, format!("a chunk of {len} bytes")));
        }
        self.file.read(offset, to_usize(u64::from(len)).unwrap_or(0))
    }

    /// Drops what was kept of the file's bytes. Gives whether there was anything to drop.
    pub(super) fn forget_blocks(&self) -> bool {
        self.file.forget_blocks()
    }

    /// Drops what came from an index and reads the journal itself, once. For a place that holds no chunk, or a chunk that
    /// no file has: the index may have lied. Gives whether there was anything to drop.
    pub(super) fn forget_index(&self) -> Result<bool> {
        let mut read = self.read.write().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut read.is_indexed, false) {
            return Ok(false);
        }
        *read = Read::default();
        drop(read);
        self.refresh()?;
        self.renew_cache(0);
        Ok(true)
    }

    fn has_root_at(&self, at: u64, root: Hash) -> Result<bool> {
        let bytes = self.file.read_up_to(at, ROOT_RECORD_BYTES)?;
        let record = whole_record(&bytes).map(parse);
        Ok(matches!(record, Some(Ok(Record::Root(found))) if found == root))
    }

    /// Whether the file of its name is still this one, and its root record where it was read.
    pub(super) fn goes_on(&self) -> Result<bool> {
        let read = self.read.read().unwrap_or_else(PoisonError::into_inner);
        let has_root = |root| self.has_root_at(read.root_at, root);
        Ok(self.is_at_its_path()? && read.root.map_or(Ok(true), has_root)?)
    }

    /// Whether the file of its name is still this one.
    pub(super) fn is_at_its_path(&self) -> Result<bool> {
        self.file.is_at_its_path()
    }

    /// Where the next record is to be written: behind the last whole one.
    pub(super) fn end(&self) -> u64 {
        self.read.read().unwrap_or_else(PoisonError::into_inner).end
    }

    /// Every chunk with its place, with repetitions. Reads the journal itself, and past what is damaged in it.
    pub(super) fn contents(&self) -> Result<Contents> {
        let end = self.read.read().unwrap_or_else(PoisonError::into_inner).end;
        let (mut chunks, mut problems, mut at) = (Vec::new(), Vec::new(), 0u64);
        while at < end {
            let wanted = to_usize(end.saturating_sub(at)).unwrap_or(BLOCK_BYTES).min(BLOCK_BYTES);
            let block = self.file.read_up_to(at, wanted)?;
            let used = self.each_record(&block, at, |record, start| {
                if let Record::Chunk { address, payload_at, payload_len } = record {
                    let offset = start.saturating_add(payload_at as u64);
                    chunks.push(StoredChunk::new(address, offset, u64::from(payload_len), 0));
                }
            })?;
            at = at.saturating_add(used as u64);
            if used == 0 {
                problems.push(self.file.damaged(at, "a record that is not whole"));
                let is_whole = |i: &usize| block.get(*i..).and_then(whole_record).is_some();
                at = at.saturating_add((1..block.len()).find(is_whole).unwrap_or(BLOCK_BYTES) as u64);
            }
        }
        Ok(Contents::new(&self.file, chunks, problems))
    }

    /// Everything up to its valid end, to be read once.
    pub(super) fn sweep(&self) -> Sweep<'_> {
        Sweep::new(&self.file, self.end())
    }

    /// How many chunks it is known to have.
    pub(super) fn count(&self) -> u64 {
        let read = self.read.read().unwrap_or_else(PoisonError::into_inner);
        let cached = read.cached.as_ref().map_or(0, Cached::len);
        cached.saturating_add(read.sorted.len()).saturating_add(read.places.len()) as u64
    }

    pub(super) fn file(&self) -> &ReadFile {
        &self.file
    }

    /// A chunk by its place in the contents.
    pub(super) fn stored(&self, chunk: &StoredChunk) -> Result<Vec<u8>> {
        self.chunk_at((chunk.offset, u32::try_from(chunk.stored_bytes).unwrap_or(u32::MAX)))
    }

    /// Whether the journal has the chunk.
    pub(super) fn has(&self, hash: Hash) -> Result<bool> {
        let has = || self.place_of(hash).map(|place| place.is_some());
        match has() {
            Err(_) if self.forget_index()? => has(),
            done => done,
        }
    }

    /// Whether the chunk stands behind the last root, so that whoever wrote it may take it back.
    pub(super) fn is_unsettled(&self, hash: Hash) -> Result<bool> {
        let root_end = self.read.read().unwrap_or_else(PoisonError::into_inner).root_end;
        Ok(self.place_of(hash)?.is_some_and(|(offset, _)| offset >= root_end))
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
        // The last root with its place, and where the record behind it begins.
        let (mut root, mut behind, mut places) = (None, None, Vec::new());
        let used = self.each_record(block, read.end, |record, start| match record {
            Record::Root(hash) => (root, behind) = (Some((hash, start)), None),
            Record::Chunk { address, payload_at, payload_len } => {
                behind = behind.or(Some(start));
                places.push((key_of(address), (start.saturating_add(payload_at as u64), payload_len)));
            }
        })?;
        if let Some((hash, at)) = root {
            let all_used = || read.end.saturating_add(used as u64);
            let end = behind.unwrap_or_else(all_used);
            (read.root, read.root_at, read.root_end) = (Some(hash), at, end);
        }
        read.places.extend(places);
        if read.places.len() >= COLLECTED {
            read.sorted.take(&mut read.places);
        }
        Ok(used)
    }

    // Calls `take` with each whole record of a block that begins at `base`, and its offset. Gives the bytes they cover.
    fn each_record(&self, block: &[u8], base: u64, mut take: impl FnMut(Record, u64)) -> Result<usize> {
        let mut at = 0usize;
        while let Some(record) = block.get(at..).and_then(whole_record) {
            let start = base.saturating_add(at as u64);
            take(parse(record).map_err(|problem| self.file.damaged(start, problem))?, start);
            at = at.saturating_add(record.len());
        }
        Ok(at)
    }
}

pub(super) enum Record {
    Root(Hash),
    Chunk { address: Hash, payload_at: usize, payload_len: u32 },
}

/// The record that begins here, if it is whole: its length is possible, all of it is there, and its crc agrees.
pub(super) fn whole_record(bytes: &[u8]) -> Option<&[u8]> {
    let length = u32_be(bytes, 0).filter(|l| *l <= MAX_RECORD_BYTES)?;
    let record = slice(bytes, 0, usize::try_from(length).ok()?)?;
    let crc_at = record.len().checked_sub(4).filter(|at| *at >= 4)?;
    (crc32c::crc32c(record.get(..crc_at)?) == u32_be(record, crc_at)?).then_some(record)
}

/// What a whole record says. Its crc has passed, so anything unknown in it is not an accident.
pub(super) fn parse(record: &[u8]) -> std::result::Result<Record, String> {
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

/// What stands in a chunk's record before its payload: the length, the kind and the address with their tags, and a tag.
const HEADER_BYTES: u32 = 28;

// As Dolt and `chunk_record` write it.
fn chunk_header(hash: Hash, payload: u32) -> [u8; HEADER_BYTES as usize] {
    let mut header = [0; HEADER_BYTES as usize];
    let length = payload.saturating_add(HEADER_BYTES).saturating_add(4).to_be_bytes();
    let fields = length.iter().chain(&[1, 2, 2]).chain(hash.as_bytes()).chain(&[3]);
    for (to, from) in header.iter_mut().zip(fields) {
        *to = *from;
    }
    header
}

/// The record of a chunk.
pub(crate) fn chunk_record(hash: Hash, chunk: &[u8]) -> Result<Vec<u8>> {
    let payload = snappy::encode(chunk).map_err(|problem| Error::BadChunk { hash, problem })?;
    let record = framed(&[&[1, 2, 2][..], hash.as_bytes(), &[3], &payload].concat());
    match u32::try_from(record.len()) {
        Ok(len) if len <= MAX_RECORD_BYTES => Ok(record),
        _ => Err(Error::TooLarge { hash, bytes: record.len() }),
    }
}

/// The record of a root; `seconds` since 1970.
pub(crate) fn root_record(root: Hash, seconds: u64) -> Vec<u8> {
    framed(&[&[1, 1, 4][..], &seconds.to_be_bytes(), &[2], root.as_bytes()].concat())
}

pub(super) fn framed(fields: &[u8]) -> Vec<u8> {
    let length = u32::try_from(fields.len().saturating_add(8)).unwrap_or(u32::MAX);
    let mut record = length.to_be_bytes().to_vec();
    record.extend(fields);
    record.extend(crc32c::crc32c(&record).to_be_bytes());
    record
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs;

    fn root(hash: Hash) -> Vec<u8> {
        root_record(hash, 1_795_254_287)
    }

    fn chunk(bytes: &[u8]) -> Vec<u8> {
        chunk_record(Hash::of(bytes), bytes).unwrap()
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
        let journal = Journal::open(path, None).unwrap().unwrap();
        assert_eq!(journal.refresh().unwrap(), Some(b));
        assert_eq!(journal.get(Hash::of(b"x")).unwrap().unwrap().bytes, b"x");
        assert!(journal.get(a).unwrap().is_none());
    }

    #[test]
    fn a_tail_cut_at_any_byte_leaves_the_last_whole_root_and_is_read_on_when_it_grows() {
        let (a, b) = (Hash::of(b"a"), Hash::of(b"b"));
        let kept = [chunk(b"one"), root(a)].concat();
        let all = [kept.clone(), chunk(b"two"), root(b)].concat();
        for len in kept.len()..all.len() {
            let (_dir, path) = journal(&all[..len]);
            let journal = Journal::open(path.clone(), None).unwrap().unwrap();
            assert_eq!(journal.refresh().unwrap(), Some(a), "{len}");
            journal.check_tail().unwrap();
            fs::write(&path, &all).unwrap();
            assert_eq!(journal.refresh().unwrap(), Some(b), "{len}");
            assert!(journal.has(Hash::of(b"two")).unwrap());
        }
    }

    #[test]
    fn whole_records_after_a_damaged_one_are_data_loss() {
        let (a, b) = (Hash::of(b"a"), Hash::of(b"b"));
        let mut damaged = chunk(b"two");
        damaged[30] ^= 1;
        let bytes = [chunk(b"one"), root(a), damaged, root(b), chunk(b"three")].concat();
        let (_dir, path) = journal(&bytes);
        let journal = Journal::open(path, None).unwrap().unwrap();
        assert_eq!(journal.refresh().unwrap(), Some(a));
        assert!(matches!(journal.check_tail(), Err(Error::DataLoss { .. })));
    }

    #[test]
    fn zeros_and_noise_behind_the_end_are_no_records() {
        let a = Hash::of(b"a");
        for tail in [vec![0; 4096], vec![0xff; 3000]] {
            let (_dir, path) = journal(&[root(a), tail].concat());
            let journal = Journal::open(path, None).unwrap().unwrap();
            assert_eq!(journal.refresh().unwrap(), Some(a));
            journal.check_tail().unwrap();
        }
    }

    // The index of a journal that begins with these chunks and a root record at `end`.
    fn index(chunks: &[(&[u8], u64)], end: u64, root: Hash) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut crc = 0;
        for (chunk, offset) in chunks {
            let key = key_of(Hash::of(chunk));
            crc = crc32c::crc32c_append(crc, &key);
            bytes.push(0);
            bytes.extend(key);
            bytes.extend(offset.to_be_bytes());
            bytes.extend(u32::try_from(snappy::encode(chunk).unwrap().len()).unwrap().to_be_bytes());
        }
        bytes.push(1);
        bytes.extend(0u64.to_be_bytes());
        bytes.extend(end.to_be_bytes());
        bytes.extend(crc.to_be_bytes());
        bytes.extend(root.as_bytes());
        bytes
    }

    #[test]
    fn the_index_is_used_when_it_is_true_and_harmless_when_it_is_not() {
        let (a, b) = (Hash::of(b"a"), Hash::of(b"b"));
        let first = [chunk(b"one"), chunk(b"two")].concat();
        let bytes = [first.clone(), root(a), chunk(b"three"), root(b)].concat();
        let end = first.len() as u64;
        let payload = |n: usize| (n + 28) as u64;
        let (one, two) = (payload(0), payload(chunk(b"one").len()));
        let whole = index(&[(b"one", one), (b"two", two)], end, a);
        let wrong_root = index(&[(b"one", one), (b"two", two)], end, b);
        let wrong_end = index(&[(b"one", one), (b"two", two)], end + 1, a);
        let wrong_place = index(&[(b"one", two), (b"two", one + 3)], end, a);
        let incomplete = index(&[(b"one", one)], end, a);
        let mut wrong_crc = whole.clone();
        wrong_crc[3] ^= 1;
        let cases = [
            (whole.clone(), true),
            (whole[..whole.len() - 1].to_vec(), false),
            (wrong_root, false),
            (wrong_end, false),
            (wrong_crc, false),
            (vec![7; 100], false),
            (wrong_place, true),
            (incomplete, true),
        ];
        for (i, (index, is_used)) in cases.into_iter().enumerate() {
            let (dir, path) = journal(&bytes);
            fs::write(dir.path().join("journal.idx"), index).unwrap();
            let journal = Journal::open(path, None).unwrap().unwrap();
            assert_eq!(journal.read.read().unwrap().is_indexed, is_used, "case {i}");
            assert_eq!(journal.refresh().unwrap(), Some(b), "case {i}");
            for text in [&b"one"[..], b"two", b"three"] {
                let found = journal.get(Hash::of(text)).ok().flatten();
                assert!(
                    found.as_ref().is_none_or(|found| found.is_named == (found.bytes == text)),
                    "case {i}"
                );
                // The store asks again without the index when no file has a chunk, or one has a wrong one.
                let found = match found.filter(|found| found.bytes == text) {
                    None if journal.forget_index().unwrap() => journal.get(Hash::of(text)).unwrap(),
                    found => found,
                };
                assert!(found.is_some_and(|found| found.bytes == text && found.is_named), "case {i}");
            }
            assert_eq!(journal.contents().unwrap().chunks.len(), 3, "case {i}");
        }
    }

    // A megabyte that does not compress.
    fn noise(seed: u64) -> Vec<u8> {
        let step =
            |n: &u64| Some(n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
        let numbers = std::iter::successors(Some(seed), step).skip(9).take(1 << 18);
        numbers.flat_map(|n| n.to_be_bytes().into_iter().take(4)).collect()
    }

    #[test]
    fn a_large_journal_is_kept_in_the_cache_and_a_cache_that_lies_is_found_out() {
        let (a, b) = (Hash::of(b"a"), Hash::of(b"b"));
        let big: Vec<Vec<u8>> = (0..5).map(noise).collect();
        let mut bytes: Vec<u8> = big.iter().flat_map(|c| chunk(c)).collect();
        let end = bytes.len() as u64;
        bytes.extend(root(a));
        let (dir, path) = journal(&bytes);
        let caches = dir.path().join("caches");
        let open = || {
            let cache = CacheFile::of(&caches, dir.path());
            Journal::open(path.clone(), Some(cache)).unwrap().unwrap()
        };
        let is_indexed = |journal: &Journal| journal.read.read().unwrap().is_indexed;
        assert!(!is_indexed(&open()));
        // The second opening believes the cache, and reads on behind it.
        fs::write(&path, [bytes.clone(), chunk(b"late"), root(b)].concat()).unwrap();
        let second = open();
        assert!(is_indexed(&second) && second.refresh().unwrap() == Some(b));
        for text in big.iter().map(Vec::as_slice).chain([&b"late"[..]]) {
            assert_eq!(second.get(Hash::of(text)).unwrap().unwrap().bytes, text);
        }
        assert!(second.get(Hash::of(b"never")).unwrap().is_none());
        // A cache of this end and root that knows nothing, and one that knows wrong places.
        let wrong = vec![(key_of(Hash::of(&big[0])), (3, 9))];
        for places in [Vec::new(), wrong] {
            let mut lie = SortedPlaces::default();
            lie.take(&mut places.into_iter().collect());
            CacheFile::of(&caches, dir.path()).replace(end, a, &lie);
            let misled = open();
            assert!(is_indexed(&misled));
            if misled.get(Hash::of(&big[0])).unwrap().is_none() {
                assert!(misled.forget_index().unwrap());
            }
            assert_eq!(misled.get(Hash::of(&big[0])).unwrap().unwrap().bytes, big[0]);
            // The truth has been kept instead.
            assert!(open().has(Hash::of(&big[4])).unwrap());
        }
        // Another journal in the same place: the root record is not where the cache says.
        fs::write(&path, [chunk(b"new"), root(b)].concat()).unwrap();
        assert!(!is_indexed(&open()));
    }

    proptest! {
        #[test]
        fn a_record_with_unknown_fields_is_refused_without_a_panic(fields in prop::collection::vec(any::<u8>(), 0..80)) {
            drop(parse(&framed(&fields)));
        }
    }
}
