//! Our own cache of where a journal's chunks lie, outside the database's directory. A journal of 100 MB takes 30 ms to
//! read from its beginning; this takes one.
//!
//! ```text
//! magic:8 end:8 root:20 count:8 crc32c:4      the crc is that of the 44 bytes before it and of the list of blocks
//! (first address:16 crc32c:4)*                the list of blocks: 128 entries each, the last one the rest
//! (address:16 offset:8 length:4)*             the entries, sorted by address
//! ```
//! Big-endian, one file for each place of a database, replaced whole. A lookup reads the block that it needs, so that a
//! journal of a gigabyte costs no more memory than a small one. Like Dolt's own index it is never believed: it counts only
//! if the root record that it names stands at `end` in the very descriptor that is read, every chunk is checked against its
//! address, and what is not found is looked for in the journal itself before it is called missing. A cache that cannot be
//! read or written costs time and nothing else, so it reports no errors.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::file::ReadFile;
use super::journal_index::{Key, Place};
use super::places::{ENTRY, KEY, SortedPlaces};
use crate::bytes::{array, slice, to_usize, u32_be, u64_be};
use crate::{Hash, Result};

const MAGIC: &[u8; 8] = b"gtjidx\0\x02";
const HEADER: usize = 44;
const CRC: usize = 4;
/// Entries of a block.
const BLOCK: usize = 128;
/// Bytes of a block in the list of blocks.
const LISTED: usize = 20;

/// Files that nobody has replaced for so long belong to databases that are gone.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// Where the cache of one journal is kept.
#[derive(Debug, Clone)]
pub(super) struct CacheFile {
    path: PathBuf,
}

/// What a cache says of a journal. Its file stays open: another one under its name is another cache.
#[derive(Debug)]
pub(super) struct Cached {
    file: ReadFile,
    // First address and checksum of each block.
    blocks: Vec<(Key, u32)>,
    count: usize,
    entries_at: u64,
    end: u64,
    // Blocks that were looked into lately.
    looked_into: Mutex<BTreeMap<usize, SortedPlaces>>,
}

/// So many blocks are kept, 2 MB of them.
const KEPT_BLOCKS: usize = 512;

impl Cached {
    /// Where the root record stands from which the journal is to be read on.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// How many places it knows.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The place of a chunk's payload. An error: the cache is damaged, and the journal has to be read.
    pub(super) fn get(&self, key: &Key) -> Result<Option<Place>> {
        let after = self.blocks.partition_point(|(first, _)| first <= key);
        let Some(at) = after.checked_sub(1) else { return Ok(None) };
        let mut known = self.looked_into.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(block) = known.get(&at) {
            return Ok(block.get(key));
        }
        let block = self.block(at)?;
        let place = block.get(key);
        if known.len() >= KEPT_BLOCKS {
            known.clear();
        }
        known.insert(at, block);
        Ok(place)
    }

    /// All places, and further ones.
    pub(super) fn all_with(&self, more: &SortedPlaces) -> Result<SortedPlaces> {
        let mut all = SortedPlaces::with_room_for(self.count.saturating_add(more.len()));
        for block in 0..self.blocks.len() {
            all.append(&self.block(block)?);
        }
        all.merge(more);
        Ok(all)
    }

    fn block(&self, i: usize) -> Result<SortedPlaces> {
        let first = i.saturating_mul(BLOCK);
        let len = self.count.saturating_sub(first).min(BLOCK).saturating_mul(ENTRY);
        let at = self.entries_at.saturating_add(first.saturating_mul(ENTRY) as u64);
        let bytes = self.file.read(at, len)?;
        let is_whole = self.blocks.get(i).is_some_and(|(_, crc)| crc32c::crc32c(&bytes) == *crc);
        let places = SortedPlaces::of(&bytes).filter(|_| is_whole);
        places.ok_or_else(|| self.file.damaged(at, "a block of the cache does not have its checksum"))
    }
}

impl CacheFile {
    /// The file for the store in `noms`, in the directory of all caches.
    pub(super) fn of(directory: &Path, noms: &Path) -> Self {
        use std::os::unix::ffi::OsStrExt;
        let place = fs::canonicalize(noms).unwrap_or_else(|_| noms.to_owned());
        Self { path: directory.join(format!("{}.idx", Hash::of(place.as_os_str().as_bytes()))) }
    }

    /// The cache, if it may be about this journal. `has_root_at` tells whether a root record stands at an offset of it.
    pub(super) fn read(
        &self,
        journal_bytes: u64,
        has_root_at: impl Fn(u64, Hash) -> Result<bool>,
    ) -> Option<Cached> {
        let file = ReadFile::open(self.path.clone()).ok()??;
        // A record is longer than its entry here: whatever is larger is not about this journal.
        let len = file.len().ok().filter(|len| *len <= journal_bytes)?;
        let header = file.read(0, HEADER.checked_add(CRC)?).ok()?;
        let count = to_usize(u64_be(&header, 36)?)?;
        let blocks_at = HEADER.checked_add(CRC)?;
        let blocks_len = count.div_ceil(BLOCK).checked_mul(LISTED)?;
        let entries_at = blocks_at.checked_add(blocks_len)? as u64;
        let fits = count.checked_mul(ENTRY).and_then(|n| entries_at.checked_add(n as u64)) == Some(len);
        if slice(&header, 0, MAGIC.len())? != MAGIC || !fits {
            return None;
        }
        let list = file.read(blocks_at as u64, blocks_len).ok()?;
        let crc = crc32c::crc32c_append(crc32c::crc32c(header.get(..HEADER)?), &list);
        let (end, root) = (u64_be(&header, 8)?, Hash::from_slice(slice(&header, 16, Hash::LEN)?)?);
        if crc != u32_be(&header, HEADER)? || !has_root_at(end, root).unwrap_or(false) {
            return None;
        }
        let listed = |bytes: &[u8]| Some((array(bytes, 0)?, u32_be(bytes, 16)?));
        let blocks = list.chunks(LISTED).map(listed).collect::<Option<Vec<_>>>()?;
        Some(Cached { file, blocks, count, entries_at, end, looked_into: Mutex::default() })
    }

    /// Replaces the cache by these places, all of chunks before the root record at `end`.
    pub(super) fn replace(&self, end: u64, root: Hash, places: &SortedPlaces) {
        let mut header = MAGIC.to_vec();
        header.extend(end.to_be_bytes());
        header.extend(root.as_bytes());
        header.extend((places.len() as u64).to_be_bytes());
        let mut list = Vec::with_capacity(places.len().div_ceil(BLOCK).saturating_mul(LISTED));
        for block in places.bytes().chunks(BLOCK.saturating_mul(ENTRY)) {
            list.extend(block.iter().take(KEY));
            list.extend(crc32c::crc32c(block).to_be_bytes());
        }
        let crc = crc32c::crc32c_append(crc32c::crc32c(&header), &list);
        // Without a cache the next reader takes longer, and that is all.
        drop(self.write(&[&header, &crc.to_be_bytes(), &list, places.bytes()]));
    }

    fn write(&self, parts: &[&[u8]]) -> std::io::Result<()> {
        static WRITTEN: AtomicU64 = AtomicU64::new(0);
        let directory = self.path.parent().unwrap_or(&self.path);
        fs::create_dir_all(directory)?;
        let n = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let temporary = self.path.with_extension(format!("{}-{n}.tmp", std::process::id()));
        let written = fs::File::create(&temporary)
            .and_then(|mut file| parts.iter().try_for_each(|part| file.write_all(part)))
            .and_then(|()| fs::rename(&temporary, &self.path));
        if written.is_err() {
            fs::remove_file(&temporary)?;
        }
        forget_old(directory)?;
        written
    }
}

fn forget_old(directory: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let is_old = entry.metadata()?.modified()?.elapsed().is_ok_and(|age| age > KEPT);
        let is_ours = entry.path().extension().is_some_and(|e| e == "idx" || e == "tmp");
        if is_old && is_ours {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sorted(places: impl IntoIterator<Item = (Key, Place)>) -> SortedPlaces {
        let mut sorted = SortedPlaces::default();
        sorted.take(&mut places.into_iter().collect());
        sorted
    }

    fn cache() -> (tempfile::TempDir, CacheFile) {
        let dir = tempfile::tempdir().unwrap();
        let file = CacheFile::of(&dir.path().join("caches"), dir.path());
        (dir, file)
    }

    proptest! {
        #[test]
        fn what_was_kept_is_found_and_nothing_else(
            places in prop::collection::hash_map(any::<Key>(), any::<Place>(), 0..600),
            other: Key,
        ) {
            let (_dir, file) = cache();
            let root = Hash::of(b"root");
            file.replace(77, root, &sorted(places.clone()));
            let cached = file.read(u64::MAX, |at, found| Ok(at == 77 && found == root)).unwrap();
            prop_assert_eq!(cached.end(), 77);
            for (key, place) in &places {
                prop_assert_eq!(cached.get(key).unwrap(), Some(*place));
            }
            prop_assert_eq!(cached.get(&other).unwrap(), places.get(&other).copied());
            let more = sorted([(other, (1, 2))]);
            let all = cached.all_with(&more).unwrap();
            let mut want = sorted(places);
            want.merge(&more);
            prop_assert_eq!(all.bytes(), want.bytes());
        }
    }

    #[test]
    fn a_cache_that_is_damaged_or_of_another_journal_does_not_count() {
        let (_dir, file) = cache();
        let root = Hash::of(b"root");
        file.replace(77, root, &sorted([([1; 16], (5, 6)), ([2; 16], (7, 8))]));
        let here = |_: u64, _: Hash| Ok(true);
        assert!(file.read(1000, here).is_some());
        assert!(file.read(50, here).is_none(), "larger than the journal");
        assert!(file.read(1000, |_, _| Ok(false)).is_none(), "its root record is not there");
        let good = fs::read(&file.path).unwrap();
        let entries_at = HEADER + CRC + LISTED;
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&file.path, &bad).unwrap();
            match file.read(1000, here) {
                Some(cached) => {
                    assert!(at >= entries_at, "byte {at}");
                    assert!(
                        cached.get(&[1; 16]).is_err() && cached.all_with(&SortedPlaces::default()).is_err(),
                        "byte {at}"
                    );
                }
                None => assert!(at < entries_at, "byte {at}"),
            }
            fs::write(&file.path, &good[..at]).unwrap();
            assert!(file.read(1000, here).is_none(), "cut at {at}");
        }
        fs::remove_file(&file.path).unwrap();
        assert!(file.read(1000, here).is_none());
    }

    #[test]
    fn caches_that_nobody_replaced_for_a_month_are_removed() {
        let (_dir, file) = cache();
        file.replace(1, Hash::of(b"a"), &SortedPlaces::default());
        let directory = file.path.parent().unwrap();
        for name in ["old.idx", "old.tmp", "foreign"] {
            let made = fs::File::create(directory.join(name)).unwrap();
            made.set_modified(std::time::SystemTime::now() - KEPT - KEPT).unwrap();
        }
        file.replace(2, Hash::of(b"b"), &SortedPlaces::default());
        let mut left: Vec<_> = fs::read_dir(directory).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        let mut want = vec!["foreign".into(), file.path.file_name().unwrap().to_owned()];
        want.sort();
        assert_eq!(left, want);
    }
}
