//! Damaged files for whoever reads them: the entry points of the fuzz targets of this room.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what fails here is a finding")]
#![allow(clippy::disallowed_methods, reason = "scratch files")]

use std::fs;
use std::path::Path;

use super::archive::Archive;
use super::journal::{Journal, framed};
use super::table_file::TableFile;
use super::{Manifest, snappy};

/// Records are read up to this many; a small file can name as many as it likes.
const LOOKED_AT: u64 = 2_000;

/// The bytes as a manifest. What is read of it, written and read again, is the same.
pub(crate) fn manifest(dir: &Path, bytes: &[u8]) {
    let path = dir.join("manifest");
    fs::write(&path, bytes).unwrap();
    let Ok(Some(manifest)) = Manifest::read(&path) else { return };
    if manifest.version == 5 {
        fs::write(&path, manifest.text()).unwrap();
        let again = Manifest::read(&path).unwrap().expect("it was just written");
        assert!(again.names_same_files(&manifest) && again.root == manifest.root);
    }
}

/// The bytes as a journal.
pub(crate) fn journal(dir: &Path, bytes: &[u8]) {
    let path = dir.join("journal");
    let half = bytes.len() / 2;
    fs::write(&path, bytes.get(..half).unwrap_or_default()).unwrap();
    let grown = Journal::open(path.clone(), None);
    fs::write(&path, bytes).unwrap();
    let Ok(Some(whole)) = Journal::open(path, None) else { return };
    let Ok(root) = whole.refresh() else { return };
    // Read in two parts it says the same.
    if let Ok(Some(grown)) = grown {
        assert_eq!(grown.refresh().ok(), Some(root));
        assert_eq!(grown.end(), whole.end());
    }
    drop(whole.check_tail());
    let Ok(contents) = whole.contents() else { return };
    for chunk in &contents.chunks {
        assert!(whole.has(chunk.hash).unwrap());
        drop((whole.stored(chunk), whole.get(chunk.hash)));
    }
}

/// The bytes as the fields of a journal's records, whose checksums are right: a length, so many bytes, and so on.
pub(crate) fn journal_records(dir: &Path, bytes: &[u8]) {
    let mut records = Vec::new();
    let mut rest = bytes;
    while let Some((length, after)) = rest.split_first() {
        let (fields, left) = after.split_at(after.len().min(usize::from(*length)));
        records.extend(framed(fields));
        rest = left;
    }
    journal(dir, &records);
}

/// The bytes as Dolt's index beside a journal. Whatever it says, what the journal has is found.
pub(crate) fn journal_index(dir: &Path, bytes: &[u8]) {
    let noms = dir.join("indexed");
    let good = crate::testing::fixture("journal").join("noms").join(super::manifest::JOURNAL);
    if !noms.exists() {
        fs::create_dir(&noms).unwrap();
        fs::copy(&good, noms.join("journal")).unwrap();
    }
    fs::write(noms.join("journal.idx"), bytes).unwrap();
    let journal = Journal::open(noms.join("journal"), None).unwrap().expect("it was just copied");
    let alone = Journal::open(good, None).unwrap().expect("it is there");
    assert_eq!(journal.refresh().unwrap(), alone.refresh().unwrap());
    for chunk in alone.contents().unwrap().chunks {
        let right = alone.get(chunk.hash).unwrap().unwrap().bytes;
        // As the store asks: once more without the index if the bytes are not those of the address.
        let found = journal.get(chunk.hash).ok().flatten();
        assert!(found.as_ref().is_none_or(|found| !found.is_named || found.bytes == right), "{}", chunk.hash);
        if found.is_none_or(|found| found.bytes != right) {
            assert!(journal.forget_index().unwrap(), "{} is not found", chunk.hash);
            assert_eq!(journal.get(chunk.hash).unwrap().unwrap().bytes, right);
        }
    }
}

/// The bytes as a table file.
pub(crate) fn table_file(dir: &Path, bytes: &[u8]) {
    let path = dir.join("table");
    fs::write(&path, bytes).unwrap();
    let Ok(Some(file)) = TableFile::open(path) else { return };
    drop(file.contents());
    for i in 0..file.count().min(LOOKED_AT) {
        drop(file.chunk_at(i));
    }
    for hash in file.addresses().into_iter().flatten().take(100) {
        drop((file.has(hash), file.get(hash)));
    }
}

/// The bytes as an archive.
pub(crate) fn archive(dir: &Path, bytes: &[u8]) {
    let path = dir.join("archive");
    fs::write(&path, bytes).unwrap();
    let Ok(Some(file)) = Archive::open(path) else { return };
    drop(file.contents());
    for i in 0..file.count().min(LOOKED_AT) {
        drop(file.chunk_at(i));
    }
    for hash in file.addresses().into_iter().flatten().take(100) {
        drop((file.has(hash), file.get(hash)));
    }
}

/// The bytes as the stored form of a chunk, whose checksum is right.
pub(crate) fn stored_chunk(_: &Path, bytes: &[u8]) {
    let mut record = bytes.to_vec();
    record.extend(crc32c::crc32c(&record).to_be_bytes());
    if let Ok(chunk) = snappy::decode(&record) {
        assert!(chunk.len() <= snappy::MAX_CHUNK_BYTES);
    }
}
