//! What a process has open, as `proc(5)` lists it. One look answers several questions: where it listens, and which locks it holds.
//!
//! Processes open and close files while they are looked at, and those of other users hide them. What was not seen counts as not
//! there: nobody is taken for the owner of anything on less than this. Empty where the system has no `/proc`.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::lock::LockTable;
use super::process::Pid;

/// The open descriptors of a process.
#[derive(Debug)]
pub struct Descriptors {
    pid: Pid,
    // The number of each, and what it leads to.
    open: Vec<(OsString, PathBuf)>,
}

impl Descriptors {
    /// What this process has open now.
    pub fn of(pid: Pid) -> Self {
        let links = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let open = links.filter_map(|link| Some((link.file_name(), fs::read_link(link.path()).ok()?)));
        Self { pid, open: open.collect() }
    }

    /// Whether the process has this very file open and has locked it.
    pub fn hold_lock_on(&self, file: &Path) -> bool {
        let Some(name) = file.file_name() else { return false };
        let Ok(wanted) = fs::metadata(file) else { return false };
        let of_process = Path::new("/proc").join(self.pid.to_string());
        let is_it = |number: &&OsString| {
            let there = fs::metadata(of_process.join("fd").join(number));
            there.is_ok_and(|there| (there.dev(), there.ino()) == (wanted.dev(), wanted.ino()))
        };
        let mut its = self.named(Path::new(name)).filter(is_it);
        its.any(|number| {
            let locks = LockTable::of_descriptor(&of_process.join("fdinfo").join(number));
            locks.holders_of_path(file).contains(&self.pid)
        })
    }

    /// The inodes of its sockets.
    pub(super) fn sockets(&self) -> impl Iterator<Item = u64> {
        self.open.iter().filter_map(|(_, target)| {
            target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
        })
    }

    /// Where `proc(5)` tells of its files of this name.
    pub(super) fn infos_of(&self, name: &str) -> impl Iterator<Item = PathBuf> {
        let infos = Path::new("/proc").join(self.pid.to_string()).join("fdinfo");
        self.named(Path::new(name)).map(move |number| infos.join(number))
    }

    fn named(&self, name: &Path) -> impl Iterator<Item = &OsString> {
        self.open.iter().filter(move |(_, target)| target.ends_with(name)).map(|(number, _)| number)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::sys::lock::{Mode, try_lock};

    #[test]
    fn a_lock_is_held_by_whoever_took_it_and_on_no_other_file_of_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let held = |file: &Path| Descriptors::of(Pid::own()).hold_lock_on(file);
        let files = ["a", "b"].map(|name| dir.path().join(name).join("LOCK"));
        for file in &files {
            fs::create_dir(file.parent().unwrap()).unwrap();
            assert!(!held(file), "there is no such file");
            fs::File::create(file).unwrap();
        }
        let _only_open = fs::File::open(&files[1]).unwrap();
        let lock = try_lock(&files[0], Mode::Exclusive).unwrap().unwrap();
        assert!(held(&files[0]));
        assert!(!held(&files[1]), "open, and not locked");
        drop(lock);
        assert!(!held(&files[0]));
    }
}
