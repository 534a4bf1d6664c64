//! Identity of a directory or file: device and inode, so that one place reached by two names is one place.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Device and inode of an existing directory or file, symlinks followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DirId {
    /// Device number as `stat` gives it.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
}

impl DirId {
    /// Reads the identity of what `path` names now.
    pub fn of(path: &Path) -> io::Result<Self> {
        let meta = fs::metadata(path)?;
        Ok(Self { device: meta.dev(), inode: meta.ino() })
    }
}

/// Whether two names lead to the same place. Names that lead nowhere are the same as nothing.
pub fn same_place(a: &Path, b: &Path) -> bool {
    matches!((DirId::of(a), DirId::of(b)), (Ok(x), Ok(y)) if x == y)
}

/// Whether `inner` is `outer` or lies below it, whatever names were used. False if either does not exist.
pub fn is_within(inner: &Path, outer: &Path) -> bool {
    let (Ok(inner), Ok(outer)) = (inner.canonicalize(), outer.canonicalize()) else {
        return false;
    };
    inner.starts_with(outer)
}
