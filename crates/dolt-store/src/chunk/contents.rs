//! What a file of the store holds, chunk by chunk: for those who look at every one, reachable or not.

use std::path::PathBuf;

use super::file::ReadFile;
use crate::{Error, Hash};

/// A chunk's place in one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredChunk {
    /// Its address.
    pub hash: Hash,
    /// Where its stored form begins, in bytes from the file's start.
    pub offset: u64,
    /// Bytes of its stored, compressed form. A dictionary that chunks of an archive share is not counted.
    pub stored_bytes: u64,
    // How its file finds it again.
    pub(super) key: u64,
}

impl StoredChunk {
    pub(super) fn new(hash: Hash, offset: u64, stored_bytes: u64, key: u64) -> Self {
        Self { hash, offset, stored_bytes, key }
    }
}

/// What one file holds.
#[derive(Debug)]
pub struct Contents {
    /// The file.
    pub path: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// Every chunk, in the order of the file. In a journal a chunk can come more than once.
    pub chunks: Vec<StoredChunk>,
    /// What is wrong with its index.
    pub problems: Vec<Error>,
}

impl Contents {
    pub(super) fn new(file: &ReadFile, chunks: Vec<StoredChunk>, mut problems: Vec<Error>) -> Self {
        let bytes = match file.len() {
            Ok(bytes) => bytes,
            Err(problem) => {
                problems.push(problem);
                0
            }
        };
        Self { path: file.path().to_owned(), bytes, chunks, problems }
    }
}
