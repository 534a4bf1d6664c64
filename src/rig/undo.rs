//! Puts files back as they were when a change of several files fails half-way.

use std::fs;
use std::path::{Path, PathBuf};

use crate::sys::atomic;

/// Remembers files before they are changed.
#[derive(Debug, Default)]
pub(super) struct Undo {
    files: Vec<(PathBuf, Option<Vec<u8>>)>,
    dirs: Vec<PathBuf>,
}

impl Undo {
    /// Remembers a file, or its absence, and which of its parent directories do not exist yet.
    pub(super) fn remember(&mut self, path: &Path) {
        self.files.push((path.to_owned(), fs::read(path).ok()));
        let missing = path.ancestors().skip(1).take_while(|d| !d.exists());
        let missing: Vec<PathBuf> = missing.map(Path::to_owned).collect();
        self.dirs.extend(missing);
    }

    /// Puts everything back. Gives the files that could not be.
    pub(super) fn roll_back(self) -> Vec<String> {
        let mut failed = Vec::new();
        for (path, before) in self.files.into_iter().rev() {
            let done = match before {
                Some(content) => atomic::write_if_changed(&path, &content, 0o600).map(drop),
                None => atomic::remove(&path).map(drop),
            };
            if let Err(error) = done {
                // A directory that was never made has nothing to remove.
                if path.exists() {
                    failed.push(error.to_string());
                }
            }
        }
        for dir in self.dirs {
            // Only if it is empty: somebody may have put something there meanwhile.
            if let Err(error) = fs::remove_dir(&dir) {
                tracing::debug!(%error, dir = %dir.display(), "directory stays");
            }
        }
        failed
    }
}
