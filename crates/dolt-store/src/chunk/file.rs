//! Positioned reads on an open descriptor. Never a memory map: a journal can be cut shorter by the server that owns it,
//! which kills a process that has it mapped.
//!
//! Whoever reads many small pieces gets them from blocks that are kept: ten thousand rows lie beside each other more often than
//! not. What was written once never changes in these files; a block that was read before the file grew is read again.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use thread_local::ThreadLocal;

use crate::{Error, Result};

/// A file that stays readable when its name is gone.
#[derive(Debug)]
pub(super) struct ReadFile {
    file: File,
    path: PathBuf,
    // Each thread has its own: two that read parts of one table would wait for one another at every row.
    blocks: ThreadLocal<RefCell<Blocks>>,
}

/// So many small pieces are read by themselves before blocks are kept: a look-up or two should not pay for more.
const READS: u32 = 48;
/// Bytes of a block. Longer pieces are never taken from blocks.
const BLOCK: usize = 16 << 10;
/// So many blocks are kept, the newest.
const BLOCKS: usize = 32;

#[derive(Debug, Default)]
struct Blocks {
    // Small pieces that were read so far, up to `READS`.
    reads: u32,
    by_number: BTreeMap<u64, Vec<u8>>,
    order: VecDeque<u64>,
}

impl ReadFile {
    /// Opens a file for reading. `Ok(None)`: there is none.
    pub(super) fn open(path: PathBuf) -> Result<Option<Self>> {
        match File::open(&path) {
            Ok(file) => Ok(Some(Self { file, path, blocks: ThreadLocal::new() })),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(Error::Io { path, source }),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file of this name is still the one that was opened.
    pub(super) fn is_at_its_path(&self) -> Result<bool> {
        let opened = self.file.metadata().map_err(|source| self.io(source))?;
        match std::fs::metadata(&self.path) {
            Ok(named) => Ok((named.dev(), named.ino()) == (opened.dev(), opened.ino())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(self.io(source)),
        }
    }

    pub(super) fn len(&self) -> Result<u64> {
        self.file.metadata().map(|m| m.len()).map_err(|source| self.io(source))
    }

    /// Exactly these bytes; a file that ends before is damaged.
    pub(super) fn read(&self, offset: u64, len: usize) -> Result<Vec<u8>> {
        if let Some(bytes) = self.in_blocks(offset, len)? {
            return Ok(bytes);
        }
        let mut bytes = vec![0; len];
        match self.file.read_exact_at(&mut bytes, offset) {
            Ok(()) => Ok(bytes),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
                Err(self.damaged(offset, format!("it ends before the {len} bytes that should be here")))
            }
            Err(source) => Err(self.io(source)),
        }
    }

    // None: blocks are not the way to read this, or the file ends before.
    fn in_blocks(&self, offset: u64, len: usize) -> Result<Option<Vec<u8>>> {
        if len >= BLOCK {
            return Ok(None);
        }
        let mut blocks = self.blocks.get_or_default().borrow_mut();
        if blocks.reads < READS {
            blocks.reads = blocks.reads.saturating_add(1);
            return Ok(None);
        }
        let mut bytes = Vec::with_capacity(len);
        let mut at = offset;
        while bytes.len() < len {
            let number = at >> BLOCK.trailing_zeros();
            let within = usize::try_from(at & (BLOCK as u64).wrapping_sub(1)).unwrap_or(BLOCK);
            let left = len.saturating_sub(bytes.len()).min(BLOCK.saturating_sub(within));
            let end = within.saturating_add(left);
            let is_whole = |block: &Vec<u8>| block.len() >= end;
            if !blocks.by_number.get(&number).is_some_and(is_whole) {
                let block = self.read_up_to(number.saturating_mul(BLOCK as u64), BLOCK)?;
                if !is_whole(&block) {
                    return Ok(None);
                }
                blocks.keep(number, block);
            }
            let Some(part) = blocks.by_number.get(&number).and_then(|block| block.get(within..end)) else {
                return Ok(None);
            };
            bytes.extend_from_slice(part);
            at = at.saturating_add(left as u64);
        }
        Ok(Some(bytes))
    }

    /// Drops what was kept for this thread. Gives whether there was anything to drop.
    pub(super) fn forget_blocks(&self) -> bool {
        let mut blocks = self.blocks.get_or_default().borrow_mut();
        let had = !blocks.order.is_empty();
        *blocks = Blocks::default();
        had
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

impl Blocks {
    fn keep(&mut self, number: u64, block: Vec<u8>) {
        if self.by_number.insert(number, block).is_none() {
            self.order.push_back(number);
        }
        if self.order.len() > BLOCKS
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_number.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn many_small_reads_give_what_is_there_also_after_the_file_has_grown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let byte = |at: u64| u8::try_from(at.wrapping_mul(31) % 251).unwrap();
        let bytes = |from: u64, to: u64| (from..to).map(byte).collect::<Vec<_>>();
        let size = 5 * BLOCK as u64 + 77;
        std::fs::write(&path, bytes(0, size)).unwrap();
        let file = ReadFile::open(path.clone()).unwrap().unwrap();
        for round in 0..400u64 {
            let at = round.wrapping_mul(7919) % (size - 200);
            assert_eq!(file.read(at, 150).unwrap(), bytes(at, at + 150), "{at}");
        }
        let edge = BLOCK as u64 - 10;
        assert_eq!(file.read(edge, 30).unwrap(), bytes(edge, edge + 30));
        let ends = file.read(size - 20, 40).unwrap_err().to_string();
        assert!(ends.contains("it ends before the 40 bytes"), "{ends}");
        let mut more = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        more.write_all(&bytes(size, size + 500)).unwrap();
        assert_eq!(file.read(size - 20, 40).unwrap(), bytes(size - 20, size + 20));
        assert!(file.blocks.get_or_default().borrow().by_number.len() <= BLOCKS);
    }

    #[test]
    fn only_the_newest_blocks_are_kept() {
        let mut blocks = Blocks::default();
        for number in 0..BLOCKS as u64 + 3 {
            blocks.keep(number, vec![1]);
            blocks.keep(number, vec![2]);
        }
        assert_eq!(blocks.by_number.len(), BLOCKS);
        assert!(!blocks.by_number.contains_key(&2) && blocks.by_number[&3] == [2]);
    }
}
