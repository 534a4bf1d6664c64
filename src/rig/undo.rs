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

impl Before {
    /// Whether the file is as it was.
    fn holds(&self, path: &Path) -> bool {
        match (self, fs::read(path)) {
            (Self::Content(content), Ok(now)) => *content == now,
            (Self::Missing, Err(e)) => is_absent(&e),
            (Self::Unreadable, _) => true,
            _ => false,
        }
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

impl Undo {
    /// Remembers a file, or its absence, and which of its parent directories do not exist yet.
    pub(super) fn remember(&mut self, path: &Path) {
        let before = match fs::read(path) {
            Ok(content) => Before::Content(content),
            Err(e) if is_absent(&e) => Before::Missing,
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
            if before.holds(&path) {
                continue;
            }
            let done = match &before {
                Before::Content(content) => atomic::rewrite(&path, content, 0o600),
                Before::Missing => atomic::remove(&path).map(drop),
                Before::Unreadable => Ok(()),
            };
            if let Err(error) = done.or_else(|e| if before.holds(&path) { Ok(()) } else { Err(e) }) {
                failed.push(error.to_string());
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
