//! The lock on a database: `flock(2)` on `noms/LOCK`, as Dolt takes it. Whoever holds it is the only writer. It is never
//! waited for here: one attempt, and the caller decides. The file is never unlinked, renamed or replaced.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// The lock, held until this is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    // Closing the descriptor releases it.
    _file: File,
}

/// The file that is locked.
pub(super) fn path_in(noms: &Path) -> PathBuf {
    noms.join("LOCK")
}

/// One attempt. `None`: somebody else holds it.
pub(super) fn try_lock(noms: &Path) -> Result<Option<Lock>> {
    let path = path_in(noms);
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true).mode(0o600);
    // Dolt 2.x does not follow one either: two names of one database would be two locks.
    if std::fs::symlink_metadata(&path).is_ok_and(|m| m.is_symlink()) {
        return Err(Error::Unsupported { path, what: "a symbolic link in the place of the lock".to_owned() });
    }
    let file = options.open(&path).map_err(|source| Error::write(&path, source))?;
    match fs2::FileExt::try_lock_exclusive(&file) {
        Ok(()) => Ok(Some(Lock { _file: file })),
        Err(e) if e.raw_os_error() == fs2::lock_contended_error().raw_os_error() => Ok(None),
        Err(source) => Err(Error::write(&path, source)),
    }
}
