//! Atomic file writes: a reader sees the old file whole or the new file whole, also after a crash or a full disk.
//!
//! Steps: temporary file in the same directory, write, set mode, `fsync`, rename over the target, `fsync` of the
//! directory. On any error up to the rename the temporary file is removed and the target is untouched.
//!
//! An `fsync` waits for the disk, and for what others have it do. Several files that change together are replaced
//! without it ([`replace_soon`]) and then waited for once ([`settle`]). In between a reader still sees whole files, and
//! so does whoever comes after a crash of this process; only a power cut could bring back an old one or leave an empty one.
//!
//! A rename over a file makes ext4 begin to write out the new one at once (`auto_da_alloc`), which takes a third of a
//! millisecond, and many behind a busy disk. So a mere hint changes names with the old one instead ([`replace_hint`]).

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A write that failed. The target has its old content, or, if only the directory could not be synced afterwards, the
/// new one; either is whole.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}", path.display())]
pub struct WriteError {
    /// The file that was to be written.
    pub path: PathBuf,
    /// What the operating system said.
    pub source: io::Error,
}

/// Replaces `path` by a file with this content and mode (for example `0o644`).
pub fn write(path: &Path, content: &[u8], mode: u32) -> Result<(), WriteError> {
    let done = replace(path, content, mode, true).and_then(|()| sync_dir(parent_of(path)));
    done.map_err(|source| WriteError { path: path.to_owned(), source })
}

/// A file that is being written piece by piece, beside the one that it will replace. Dropped, it goes, and the other stays.
#[derive(Debug)]
pub struct Pending {
    path: PathBuf,
    temp: BufWriter<tempfile::NamedTempFile>,
}

impl Pending {
    /// Begins a file that will be `path`, with this mode.
    pub fn begin(path: &Path, mode: u32) -> Result<Self, WriteError> {
        let failed = |source| WriteError { path: path.to_owned(), source };
        let temp = temporary(path, mode).map_err(failed)?;
        Ok(Self { path: path.to_owned(), temp: BufWriter::with_capacity(1 << 16, temp) })
    }

    /// It is whole, and takes its place. Waits for the disk.
    pub fn finish(self) -> Result<(), WriteError> {
        let Self { path, temp } = self;
        let done = temp.into_inner().map_err(io::IntoInnerError::into_error).and_then(|temp| {
            temp.as_file().sync_all()?;
            temp.persist(&path).map_err(|e| e.error)?;
            sync_dir(parent_of(&path))
        });
        done.map_err(|source| WriteError { path, source })
    }
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.temp.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temp.flush()
    }
}

/// Like [`write()`] without waiting for the disk; [`settle`] does that.
pub fn replace_soon(path: &Path, content: &[u8], mode: u32) -> Result<(), WriteError> {
    replace(path, content, mode, false).map_err(|source| WriteError { path: path.to_owned(), source })
}

/// Like [`replace_soon`] for what is of no use after a power cut: that may leave nothing in it.
pub fn replace_hint(path: &Path, content: &[u8], mode: u32) -> Result<(), WriteError> {
    let done = filled(path, content, mode).and_then(|temp| {
        if !change_names(temp.path(), path) {
            return temp.persist(path).map(drop).map_err(|e| e.error);
        }
        // What has the temporary name now is the old file, and goes with it.
        if let Err(error) = temp.close() {
            tracing::debug!(%error, path = %path.display(), "the file that was replaced is still there");
        }
        Ok(())
    });
    done.map_err(|source| WriteError { path: path.to_owned(), source })
}

/// Waits until what was done to these files of one directory is on the disk, their removal included.
pub fn settle(files: &[PathBuf]) -> Result<(), WriteError> {
    for path in files {
        let synced = match File::open(path) {
            Ok(file) => file.sync_all(),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(e),
        };
        synced.map_err(|source| WriteError { path: path.clone(), source })?;
    }
    match files.first() {
        Some(path) => sync_dir(parent_of(path)).map_err(|source| WriteError { path: path.clone(), source }),
        None => Ok(()),
    }
}

/// Like [`write()`] for a file that others own too: one that is there keeps its mode, a new one gets `mode`.
pub fn rewrite(path: &Path, content: &[u8], mode: u32) -> Result<(), WriteError> {
    let kept = fs::metadata(path).map_or(mode, |m| m.permissions().mode() & 0o7777);
    write(path, content, kept)
}

/// Like [`write()`], but leaves the file alone when it has that content already. Returns whether it wrote.
pub fn write_if_changed(path: &Path, content: &[u8], mode: u32) -> Result<bool, WriteError> {
    if fs::read(path).is_ok_and(|old| old == content) {
        return Ok(false);
    }
    write(path, content, mode)?;
    Ok(true)
}

fn replace(path: &Path, content: &[u8], mode: u32, sync: bool) -> io::Result<()> {
    let temp = filled(path, content, mode)?;
    if sync {
        temp.as_file().sync_all()?;
    }
    temp.persist(path).map_err(|e| e.error)?;
    Ok(())
}

fn filled(path: &Path, content: &[u8], mode: u32) -> io::Result<tempfile::NamedTempFile> {
    let mut temp = temporary(path, mode)?;
    temp.write_all(content)?;
    Ok(temp)
}

fn temporary(path: &Path, mode: u32) -> io::Result<tempfile::NamedTempFile> {
    let dir = parent_of(path);
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("file");
    let temp = tempfile::Builder::new().prefix(&format!("{name}.tmp.")).tempfile_in(dir)?;
    temp.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
    Ok(temp)
}

/// Lets two files change their names in one step. False if that was not done: there is no second one yet, or it is a
/// directory, or the file system cannot.
#[cfg(target_os = "linux")]
fn change_names(one: &Path, other: &Path) -> bool {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    fs::symlink_metadata(other).is_ok_and(|found| !found.is_dir())
        && renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn change_names(_: &Path, _: &Path) -> bool {
    false
}

/// Makes renames and removals inside `dir` durable.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Waits until a directory and everything in it is on the disk. All of it is waited for at once: most of the time is spent
/// until the disk has written anything at all.
pub fn settle_tree(dir: &Path) -> io::Result<()> {
    let mut waiting = vec![dir.to_owned()];
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                waiting.push(entry?.path());
            }
        }
        found.push(path);
    }
    std::thread::scope(|scope| {
        let sync = |path: &Path| File::open(path)?.sync_all();
        let begun: Vec<_> = found.iter().map(|path| scope.spawn(move || sync(path))).collect();
        let ended = |thread: std::thread::ScopedJoinHandle<'_, io::Result<()>>| {
            thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread has panicked")))
        };
        // All are waited for, whichever fails.
        let done: Vec<io::Result<()>> = begun.into_iter().map(ended).collect();
        done.into_iter().collect()
    })
}

/// Removes a file if it exists. Returns whether it was there.
pub fn remove(path: &Path) -> Result<bool, WriteError> {
    let removed = remove_soon(path)?;
    if removed {
        sync_dir(parent_of(path)).map_err(|source| WriteError { path: path.to_owned(), source })?;
    }
    Ok(removed)
}

/// Like [`remove`] without waiting for the disk.
pub fn remove_soon(path: &Path) -> Result<bool, WriteError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(WriteError { path: path.to_owned(), source }),
    }
}

fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_whole_files_and_leaves_no_temporary_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        write(&path, b"one", 0o644).unwrap();
        assert!(!write_if_changed(&path, b"one", 0o644).unwrap());
        assert!(write_if_changed(&path, b"two", 0o600).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_in_pieces_takes_its_place_when_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("issues.jsonl");
        fs::write(&path, "old").unwrap();
        let mut given_up = Pending::begin(&path, 0o644).unwrap();
        given_up.write_all(&vec![b'x'; 1 << 17]).unwrap();
        drop(given_up);
        let mut file = Pending::begin(&path, 0o640).unwrap();
        file.write_all(b"ne").unwrap();
        file.write_all(b"w").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        file.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing stays behind");
        assert_eq!(
            Pending::begin(&dir.path().join("none/a"), 0o644).unwrap_err().source.kind(),
            io::ErrorKind::NotFound
        );
    }

    #[test]
    fn a_rewritten_file_is_not_opened_to_others() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("daemon.json");
        rewrite(&path, b"one", 0o600).unwrap();
        rewrite(&path, b"two", 0o644).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn files_that_change_together_settle_together() {
        let dir = tempfile::tempdir().unwrap();
        let files = ["a", "b", "gone", "never"].map(|name| dir.path().join(name));
        for path in files.iter().take(3) {
            replace_soon(path, b"x", 0o644).unwrap();
        }
        assert!(remove_soon(&files[2]).unwrap());
        settle(&files).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
        let nowhere = [dir.path().join("none/a")];
        assert_eq!(settle(&nowhere).unwrap_err().path, nowhere[0]);
    }

    #[test]
    fn a_hint_is_replaced_whole_too() {
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("hint"), dir.path().join("link"));
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        let mut held = Vec::new();
        for content in ["one", "two", "three"] {
            replace_hint(&path, content.as_bytes(), 0o600).unwrap();
            replace_hint(&link, content.as_bytes(), 0o600).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
            assert_eq!(fs::read_to_string(&link).unwrap(), content);
            held.push(File::open(&path).unwrap());
        }
        // Whoever has an older one open goes on reading that.
        let kept = held.into_iter().map(|file| io::read_to_string(file).unwrap());
        assert_eq!(kept.collect::<Vec<_>>(), ["one", "two", "three"]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(fs::symlink_metadata(&link).unwrap().is_file(), "the link is replaced, not what it leads to");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "no temporary may stay");
        let taken = dir.path().join("taken");
        fs::create_dir(&taken).unwrap();
        assert_eq!(replace_hint(&taken, b"x", 0o644).unwrap_err().path, taken);
        assert!(taken.is_dir());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn two_files_change_names_and_nothing_else_does() {
        let dir = tempfile::tempdir().unwrap();
        let [one, other, folder] = ["one", "other", "folder"].map(|name| dir.path().join(name));
        fs::write(&one, "1").unwrap();
        assert!(!change_names(&one, &other), "there is no second one");
        fs::create_dir(&folder).unwrap();
        assert!(!change_names(&one, &folder));
        fs::write(&other, "2").unwrap();
        assert!(change_names(&one, &other));
        assert_eq!([one, other].map(|path| fs::read_to_string(path).unwrap()), ["2", "1"]);
    }

    #[test]
    fn a_directory_in_the_way_is_an_error_that_names_the_target() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("taken");
        fs::create_dir(&path).unwrap();
        let error = write(&path, b"x", 0o644).unwrap_err();
        assert_eq!(error.path, path);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file may stay");
    }
}
