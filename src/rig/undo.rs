//! Puts files back as they were when a change of several files fails half-way.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::sys::atomic;

/// Remembers files before they are changed.
#[derive(Debug, Default)]
pub(super) struct Undo {
    files: Vec<(PathBuf, Before)>,
    dirs: Vec<PathBuf>,
}

#[derive(Debug)]
enum Before {
    Missing,
    Content(Vec<u8>),
    /// It could not be read, so nobody can have changed it on purpose: it is left as it is.
    Unreadable,
}

impl Undo {
    /// Remembers a file, or its absence, and which of its parent directories do not exist yet.
    pub(super) fn remember(&mut self, path: &Path) {
        let before = match fs::read(path) {
            Ok(content) => Before::Content(content),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Before::Missing,
            Err(_) => Before::Unreadable,
        };
        self.files.push((path.to_owned(), before));
        let missing = path.ancestors().skip(1).take_while(|d| !d.exists());
        let missing: Vec<PathBuf> = missing.map(Path::to_owned).collect();
        self.dirs.extend(missing);
    }

    /// Puts everything back. Gives the files that could not be.
    pub(super) fn roll_back(self) -> Vec<String> {
        let mut failed = Vec::new();
        for (path, before) in self.files.into_iter().rev() {
            let done = match before {
                Before::Content(content) if fs::read(&path).is_ok_and(|now| now == content) => Ok(()),
                Before::Content(content) => atomic::rewrite(&path, &content, 0o600),
                Before::Missing => atomic::remove(&path).map(drop),
                Before::Unreadable => Ok(()),
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
