//! A store that does not exist yet. Its manifest is written last.

use std::fs;
use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::lock::{Lock, path_in, try_lock};
use super::manifest::{JOURNAL, Manifest};
use super::writer::Records;
use crate::{Error, Hash, Result};

/// No more than this is in the journal of a store that nobody has used.
const UNUSED_BYTES: u64 = 4096;

/// A store being made, under its lock.
#[derive(Debug)]
pub(crate) struct NewStore {
    dolt_dir: PathBuf,
    noms: PathBuf,
    disk: Disk,
    _lock: Lock,
}

impl NewStore {
    /// Makes the directories and takes the lock. What an attempt that was cut off has left is taken over.
    pub(crate) fn begin(dolt_dir: &Path, disk: Disk) -> Result<Self> {
        let noms = dolt_dir.join("noms");
        let taken = || Error::AlreadyThere { path: dolt_dir.to_owned() };
        disk.create_dir_all(&noms.join("oldgen"))?;
        disk.create_dir_all(&dolt_dir.join("temptf"))?;
        let lock = try_lock(&noms)?.ok_or_else(|| Error::Locked { path: path_in(&noms) })?;
        // A manifest, or data whose manifest is lost.
        for entry in fs::read_dir(&noms).map_err(|source| Error::write(&noms, source))? {
            let entry = entry.map_err(|source| Error::write(&noms, source))?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_unused = entry.metadata().is_ok_and(|m| m.len() <= UNUSED_BYTES);
            match name.as_ref() {
                "LOCK" | "oldgen" => {}
                JOURNAL if is_unused => {}
                other if other.starts_with("gt_") => {}
                _ => return Err(taken()),
            }
        }
        Ok(Self { dolt_dir: dolt_dir.to_owned(), noms, disk, _lock: lock })
    }

    /// Writes a file that belongs to the database, whole.
    pub(crate) fn write_beside(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let temporary = self.dolt_dir.join(format!("gt_new_{}", std::process::id()));
        self.disk.replace(path, &temporary, bytes)
    }

    /// Writes the chunks, the root, and the manifest that makes it a store.
    pub(crate) fn finish(self, chunks: &[(Hash, Vec<u8>)], root: Hash, seconds: u64) -> Result<()> {
        let records = Records::new(chunks, root, seconds)?;
        let temporary = self.noms.join(format!("gt_new_{}", std::process::id()));
        self.disk.replace(&self.noms.join(JOURNAL), &temporary, records.bytes())?;
        self.disk.sync_dir(&self.dolt_dir)?;
        self.disk.sync_dir(self.dolt_dir.parent().unwrap_or(&self.dolt_dir))?;
        let text = Manifest::first(root).text();
        self.disk.replace(&self.noms.join("manifest"), &temporary, text.as_bytes())
    }
}
