//! Changes to files. Every call that a crash can come before or behind goes through here, so that tests can stop at each.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Error, Result};

/// The way to the disk.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    // How many calls are left before everything stops.
    left: Option<Arc<AtomicU64>>,
    is_waited_for_later: bool,
}

impl Disk {
    /// For tests: after so many calls the process is as good as dead, and nothing more reaches the disk. A write that is
    /// the last one does so by half.
    #[doc(hidden)]
    pub fn stopping_after(calls: u64) -> Self {
        Self { left: Some(Arc::new(AtomicU64::new(calls))), is_waited_for_later: false }
    }

    /// Never waits for the disk: for what nobody can find until its maker has waited for all of it, and has put it in its
    /// place then.
    pub fn waited_for_later() -> Self {
        Self { is_waited_for_later: true, ..Self::default() }
    }

    /// A call that somebody else makes, to a file beside the store.
    #[doc(hidden)]
    pub fn reach(&self) -> io::Result<()> {
        self.step().map(drop)
    }

    /// Whether this is a test's: what is left behind then stays, as after a crash.
    #[doc(hidden)]
    pub fn is_stopping(&self) -> bool {
        self.left.is_some()
    }

    // Whether this call may go through, and whether it is the last one.
    fn step(&self) -> io::Result<bool> {
        let Some(left) = &self.left else { return Ok(false) };
        let before = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
        before.map(|n| n == 1).map_err(|_| io::Error::other("stopped by a test"))
    }

    pub(super) fn create(&self, path: &Path) -> Result<File> {
        let open = || {
            self.step()?;
            OpenOptions::new().write(true).create(true).truncate(true).open(path)
        };
        open().map_err(|source| Error::write(path, source))
    }

    pub(super) fn write_at(&self, file: &File, path: &Path, bytes: &[u8], offset: u64) -> Result<()> {
        let write = || {
            let is_last = self.step()?;
            let part = if is_last { bytes.len() / 2 } else { bytes.len() };
            file.write_all_at(bytes.get(..part).unwrap_or_default(), offset)
        };
        write().map_err(|source| Error::write(path, source))
    }

    pub(super) fn truncate(&self, file: &File, path: &Path, len: u64) -> Result<()> {
        self.step().and_then(|_| file.set_len(len)).map_err(|source| Error::write(path, source))
    }

    pub(super) fn sync(&self, file: &File, path: &Path) -> Result<()> {
        let sync = || if self.is_waited_for_later { Ok(()) } else { file.sync_data() };
        self.step().and_then(|_| sync()).map_err(|source| Error::write(path, source))
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.step().and_then(|_| fs::rename(from, to)).map_err(|source| Error::write(to, source))
    }

    pub(super) fn create_dir_all(&self, path: &Path) -> Result<()> {
        self.step().and_then(|_| fs::create_dir_all(path)).map_err(|source| Error::write(path, source))
    }

    pub(super) fn sync_dir(&self, path: &Path) -> Result<()> {
        let sync = || {
            self.step()?;
            if self.is_waited_for_later { Ok(()) } else { File::open(path)?.sync_all() }
        };
        sync().map_err(|source| Error::write(path, source))
    }

    /// Puts a file in place whole or not at all.
    pub(super) fn replace(&self, path: &Path, temporary: &Path, bytes: &[u8]) -> Result<()> {
        let file = self.create(temporary)?;
        let placed = self
            .write_at(&file, temporary, bytes, 0)
            .and_then(|()| self.sync(&file, temporary))
            .and_then(|()| self.rename(temporary, path))
            .and_then(|()| self.sync_dir(path.parent().unwrap_or(path)));
        if placed.is_err() && !self.is_stopping() {
            // What is left of it is no part of the database; the failure itself is what matters.
            drop(fs::remove_file(temporary));
        }
        placed
    }
}
