//! The only writer of a store: under the lock, chunks are appended to the journal, then the root that needs them, then one
//! `fsync`. A crash before it leaves the old root, a crash behind it the new one; a torn tail is cut off by the next writer.
//!
//! A store without a journal (a collection has just removed it) gets one in the order in which no crash can lose the root:
//! a journal that holds the current root is put in place whole, and then named in the manifest.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Arc;

use super::disk::Disk;
use super::journal::{chunk_record, root_record};
use super::lock::{Lock, try_lock};
use super::manifest::{JOURNAL, Manifest};
use super::store::{ReadOptions, Snapshot, Store};
use crate::{Error, Hash, Result};

/// A store that nobody else can write while this is held.
#[derive(Debug)]
pub struct Writer {
    // What was read before the lock was taken may be wrong, so the store is opened or renewed under it.
    store: Arc<Store>,
    disk: Disk,
    is_poisoned: bool,
    _lock: Lock,
}

/// What is to be appended to a journal.
#[derive(Debug)]
pub(crate) struct Records {
    bytes: Vec<u8>,
    seconds: u64,
}

impl Records {
    /// These chunks, and then this root. `seconds` since 1970 are noted with it.
    pub(crate) fn new(chunks: &[(Hash, Vec<u8>)], root: Hash, seconds: u64) -> Result<Self> {
        let mut bytes = Vec::new();
        for (hash, chunk) in chunks {
            bytes.extend(chunk_record(*hash, chunk)?);
        }
        bytes.extend(root_record(root, seconds));
        Ok(Self { bytes, seconds })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Writer {
    /// Takes the lock and opens the store. One attempt: `Ok(None)` means that somebody else holds the lock.
    pub fn try_open(path: &Path, options: ReadOptions, disk: Disk) -> Result<Option<Self>> {
        let noms = Store::locate(path)?;
        let Some(lock) = try_lock(&noms)? else { return Ok(None) };
        // With the lock nobody is changing the files, and a journal that has lost something must not be written behind.
        let store = Arc::new(Store::open_read(&noms, ReadOptions { despite_loss: false, ..options })?);
        Ok(Some(Self { store, disk, is_poisoned: false, _lock: lock }))
    }

    /// The same with a store that is open already.
    pub(crate) fn try_on(store: &Arc<Store>) -> Result<Option<Self>> {
        let Some(lock) = try_lock(store.path())? else { return Ok(None) };
        store.renew()?;
        Ok(Some(Self { store: Arc::clone(store), disk: Disk::default(), is_poisoned: false, _lock: lock }))
    }

    /// The `noms` directory of the store.
    pub(crate) fn noms(&self) -> &Path {
        self.store.path()
    }

    /// The newest state.
    pub fn snapshot(&self) -> Result<Snapshot> {
        self.store.snapshot()
    }

    /// Appends records, the last of them that of a root, which is the store's from then on. When this returns, they are on the
    /// disk. After a failure it is not known which root the next reader will find, the old or the new one, and this writer
    /// refuses to write on.
    pub(crate) fn append(&mut self, records: &Records) -> Result<()> {
        if self.is_poisoned {
            return Err(Error::Poisoned { path: self.store.path().to_owned() });
        }
        self.is_poisoned = true;
        self.make_journal(records.seconds)?;
        self.write(&records.bytes)?;
        self.is_poisoned = false;
        Ok(())
    }

    /// Puts a small file of the database in place, whole.
    pub(crate) fn write_beside(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let temporary = path.with_file_name(format!("gt_new_{}", std::process::id()));
        self.disk.replace(path, &temporary, bytes)
    }

    fn write(&self, records: &[u8]) -> Result<()> {
        let path = self.store.path().join(JOURNAL);
        let file =
            OpenOptions::new().write(true).open(&path).map_err(|source| Error::write(&path, source))?;
        let end = self.store.journal_end()?;
        // A tail that some crash left: whole records behind it would be read as a loss.
        if file.metadata().map_err(|source| Error::write(&path, source))?.len() > end {
            self.disk.truncate(&file, &path, end)?;
        }
        let written =
            self.disk.write_at(&file, &path, records, end).and_then(|()| self.disk.sync(&file, &path));
        if written.is_err() {
            // The error of the write is what counts; a tail that stays is cut off by the next writer.
            drop(self.disk.truncate(&file, &path, end));
        }
        written
    }

    // After a collection there is none.
    fn make_journal(&mut self, seconds: u64) -> Result<()> {
        let noms = self.store.path().to_owned();
        let manifest = Manifest::read(&noms.join("manifest"))?;
        let manifest = manifest.ok_or_else(|| Error::NotADatabase { path: noms.clone() })?;
        if manifest.has_journal {
            return Ok(());
        }
        if manifest.version < 5 {
            let what = format!("writing a manifest of version {}", manifest.version);
            return Err(Error::Unsupported { path: noms.join("manifest"), what });
        }
        let id = std::process::id();
        let first = root_record(manifest.root, seconds);
        self.disk.replace(&noms.join(JOURNAL), &noms.join(format!("gt_journal_{id}")), &first)?;
        let named = Manifest { has_journal: true, ..manifest };
        let temporary = noms.join(format!("gt_manifest_{id}"));
        self.disk.replace(&noms.join("manifest"), &temporary, named.text().as_bytes())?;
        // The next snapshot sees that the names have changed and opens the files anew.
        self.store.snapshot().map(drop)
    }
}
