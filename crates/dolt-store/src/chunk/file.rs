//! Positioned reads on an open descriptor. Never a memory map: a journal can be cut shorter by the server that owns it,
//! which kills a process that has it mapped.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// A file that stays readable when its name is gone.
#[derive(Debug)]
pub(super) struct ReadFile {
    file: File,
    path: PathBuf,
}

impl ReadFile {
    /// Opens a file for reading. `Ok(None)`: there is none.
    pub(super) fn open(path: PathBuf) -> Result<Option<Self>> {
        match File::open(&path) {
            Ok(file) => Ok(Some(Self { file, path })),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Io { path, source }),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn len(&self) -> Result<u64> {
        self.file.metadata().map(|m| m.len()).map_err(|source| self.io(source))
    }

    /// Exactly these bytes; a file that ends before is damaged.
    pub(super) fn read(&self, offset: u64, len: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        match self.file.read_exact_at(&mut bytes, offset) {
            Ok(()) => Ok(bytes),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
                Err(self.damaged(offset, format!("it ends before the {len} bytes that should be here")))
            }
            Err(source) => Err(self.io(source)),
        }
    }

    /// As many of these bytes as there are.
    pub(super) fn read_up_to(&self, offset: u64, len: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        let filled = self.read_into(offset, &mut bytes)?;
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// Fills a buffer, as far as the file reaches. Gives how many bytes that are.
    pub(super) fn read_into(&self, offset: u64, bytes: &mut [u8]) -> Result<usize> {
        let mut filled = 0usize;
        while let Some(rest) = bytes.get_mut(filled..).filter(|r| !r.is_empty()) {
            let at = offset.saturating_add(filled as u64);
            match self.file.read_at(rest, at) {
                Ok(0) => break,
                Ok(n) => filled = filled.saturating_add(n),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(self.io(source)),
            }
        }
        Ok(filled)
    }

    pub(super) fn damaged(&self, offset: u64, problem: impl Into<String>) -> Error {
        Error::Damaged { path: self.path.clone(), offset, problem: problem.into() }
    }

    pub(super) fn unsupported(&self, what: impl Into<String>) -> Error {
        Error::Unsupported { path: self.path.clone(), what: what.into() }
    }

    fn io(&self, source: io::Error) -> Error {
        Error::Io { path: self.path.clone(), source }
    }
}
