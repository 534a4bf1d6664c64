//! Whole-file locks: `flock(2)`, the kind that Dolt, the Go `gt` and `flock(1)` use, so all of them exclude each other.
//!
//! Rules: a lock file is opened without truncation, never unlinked, renamed or replaced; the descriptor is
//! close-on-exec, so a child cannot keep the lock by accident; waiting polls without blocking, up to a deadline, and
//! tells who holds it. A process that dies lets go by itself.
//!
//! Where the file system has no `flock` (some network mounts answer `ENOLCK`), an open-file-description `fcntl`
//! lock is taken instead and the caller is told, because programs that only know `flock` do not see that one.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::clock::{Deadline, Stopwatch, pause};
use super::descriptors::Descriptors;
use super::process::{self, Pid};

/// How a lock is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// One holder.
    Exclusive,
    /// Any number of shared holders, no exclusive one.
    Shared,
}

/// Which system call holds the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `flock(2)`.
    Flock,
    /// `fcntl(F_OFD_SETLK)`, the fallback.
    Fcntl,
}

/// A lock that is held until this is dropped.
#[derive(Debug)]
pub struct FileLock {
    // Closing the descriptor releases the lock, whichever kind it is.
    _file: File,
    kind: Kind,
}

impl FileLock {
    /// Which kind of lock this is.
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

/// Why a lock was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// The lock file could not be opened, or the file system has no locks.
    #[error("cannot lock {}", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Somebody else had it until the deadline.
    #[error("{} is locked by {}, waited {} s", path.display(), process::describe_all(holders), waited.as_secs())]
    Held {
        /// The lock file.
        path: PathBuf,
        /// Who holds it, as far as the kernel tells us.
        holders: Vec<Pid>,
        /// How long we waited.
        waited: Duration,
    },
}

/// One attempt, no waiting. `None`: somebody else holds it.
pub fn try_lock(path: &Path, mode: Mode) -> io::Result<Option<FileLock>> {
    let file =
        OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path)?;
    lock_file(file, mode)
}

/// A shorter wait is not worth a word, nor the look at the kernel's list that naming a holder costs.
const WAIT_IN_SILENCE: Duration = Duration::from_millis(250);

/// Waits for the lock until `deadline`. `on_wait` is called once, with the holders, if the wait gets long.
pub async fn acquire(
    path: &Path,
    mode: Mode,
    deadline: Deadline,
    mut on_wait: impl FnMut(&[Pid]),
) -> Result<FileLock, LockError> {
    let mut between = Duration::from_millis(1);
    let begun = Stopwatch::start();
    let mut told = false;
    loop {
        let attempt =
            try_lock(path, mode).map_err(|source| LockError::Io { path: path.to_owned(), source })?;
        if let Some(lock) = attempt {
            return Ok(lock);
        }
        if !told && begun.elapsed() >= WAIT_IN_SILENCE {
            told = true;
            on_wait(&holders(path));
        }
        if deadline.has_passed() {
            return Err(LockError::Held {
                path: path.to_owned(),
                holders: holders(path),
                waited: deadline.limit(),
            });
        }
        pause(between.min(deadline.remaining())).await;
        // Dolt's own rhythm for its store lock.
        between = (between * 2).min(Duration::from_millis(32));
    }
}

/// Waits for one's turn among programs of ours that want the same thing, and has it until the lock is dropped. It is a lock of the
/// directory itself, so there is no file to be left behind, and the kernel wakes those who wait in the order in which they came:
/// whoever only tries now and then would be overtaken for ever by those who come later.
///
/// Fairness is all that it is for. `None`: this file system does not lock directories, and everybody tries as they can.
pub fn turn(dir: &Path, deadline: Deadline) -> Result<Option<FileLock>, LockError> {
    let Ok(file) = File::open(dir) else { return Ok(None) };
    match flock(&file, Mode::Exclusive) {
        Ok(true) => return Ok(Some(FileLock { _file: file, kind: Kind::Flock })),
        Ok(false) => {}
        Err(_) => return Ok(None),
    }
    // The kernel's wait has no limit. If ours ends first, the lock is let go as soon as nobody takes it from the channel.
    // The thread has no name and its channel a room, so that it asks for no memory: the first of a thread is two megabytes.
    let (sender, receiver) = mpsc::sync_channel(1);
    let waiting = thread::Builder::new().spawn(move || {
        let taken = loop {
            match fs2::FileExt::lock_exclusive(&file) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                taken => break taken,
            }
        };
        drop(sender.send(taken.map(|()| FileLock { _file: file, kind: Kind::Flock })));
    });
    if waiting.is_err() {
        return Ok(None);
    }
    match receiver.recv_timeout(deadline.remaining()) {
        Ok(Ok(lock)) => Ok(Some(lock)),
        Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => Ok(None),
        Err(RecvTimeoutError::Timeout) => {
            Err(LockError::Held { path: dir.to_owned(), holders: holders(dir), waited: deadline.limit() })
        }
    }
}

/// What a look at somebody else's lock file found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// There is no such file, so nobody can hold it.
    Missing,
    /// We had the lock for an instant, so nobody holds it.
    Free,
    /// Somebody holds it.
    Held,
    /// The file system has no `flock`; nothing can be said.
    Unknown,
}

/// Tests another program's lock by taking it without waiting and letting go at once. It is taken shared, so that two
/// such looks do not see each other. Creates nothing; does not follow a symlink in the last place.
pub fn probe(path: &Path) -> io::Result<Probe> {
    let nofollow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let file = match OpenOptions::new().read(true).custom_flags(nofollow).open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Probe::Missing),
        Err(e) => return Err(e),
    };
    match flock(&file, Mode::Shared) {
        Ok(true) => Ok(Probe::Free),
        Ok(false) => Ok(Probe::Held),
        Err(e) if has_no_flock(&e) => Ok(Probe::Unknown),
        Err(e) => Err(e),
    }
}

fn lock_file(file: File, mode: Mode) -> io::Result<Option<FileLock>> {
    match flock(&file, mode) {
        Ok(true) => Ok(Some(FileLock { _file: file, kind: Kind::Flock })),
        Ok(false) => Ok(None),
        Err(e) if has_no_flock(&e) => {
            Ok(fcntl(&file, mode)?.then_some(FileLock { _file: file, kind: Kind::Fcntl }))
        }
        Err(e) => Err(e),
    }
}

fn flock(file: &File, mode: Mode) -> io::Result<bool> {
    // Full paths: `File` has methods of its own by these names since Rust 1.89, with another error type.
    let attempt = match mode {
        Mode::Exclusive => fs2::FileExt::try_lock_exclusive(file),
        Mode::Shared => fs2::FileExt::try_lock_shared(file),
    };
    match attempt {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(e) => Err(e),
    }
}

fn has_no_flock(error: &io::Error) -> bool {
    use nix::errno::Errno;
    let none = [Errno::ENOLCK, Errno::EOPNOTSUPP, Errno::ENOSYS];
    error.raw_os_error().is_some_and(|raw| none.contains(&Errno::from_raw(raw)))
}

#[cfg(target_os = "linux")]
fn fcntl(file: &File, mode: Mode) -> io::Result<bool> {
    use nix::errno::Errno;
    use nix::fcntl::{FcntlArg, fcntl};
    use nix::libc;
    let kind = match mode {
        Mode::Exclusive => libc::F_WRLCK,
        Mode::Shared => libc::F_RDLCK,
    };
    let whole = libc::flock {
        l_type: i16::try_from(kind).unwrap_or_default(),
        l_whence: i16::try_from(libc::SEEK_SET).unwrap_or_default(),
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    match fcntl(file, FcntlArg::F_OFD_SETLK(&whole)) {
        Ok(_) => Ok(true),
        Err(Errno::EAGAIN | Errno::EACCES) => Ok(false),
        Err(e) => Err(e.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn fcntl(_file: &File, _mode: Mode) -> io::Result<bool> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this file system has no flock"))
}

/// The processes that hold a lock on this file now, as the kernel lists them. Empty where it does not tell
/// (no such file, no `/proc/locks`, another PID namespace).
pub fn holders(path: &Path) -> Vec<Pid> {
    let Ok(meta) = std::fs::metadata(path) else {
        return Vec::new();
    };
    let taken_by = LockTable::read().holders_of(meta.dev(), meta.ino());
    if taken_by.iter().all(|pid| process::Facts::read(*pid).is_some()) {
        return taken_by;
    }
    // `exec 9>FILE; flock 9` in a shell: the program that took the lock is gone, those that inherited it hold it.
    let inheritors = inheritors(&meta);
    if inheritors.is_empty() { taken_by } else { inheritors }
}

fn inheritors(meta: &Metadata) -> Vec<Pid> {
    let holds = |pid: &Pid| {
        let infos = std::fs::read_dir(format!("/proc/{pid}/fdinfo")).into_iter().flatten().flatten();
        infos
            .map(|info| LockTable::of_descriptor(&info.path()))
            .any(|t| !t.holders_of(meta.dev(), meta.ino()).is_empty())
    };
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|e| Pid::parse(e.file_name().to_str()?));
    pids.filter(|pid| *pid != Pid::own()).filter(holds).collect()
}

/// The kernel's list of locks, read once, to ask about many files.
#[derive(Debug, Default)]
pub struct LockTable(Vec<(u32, u32, u64, Pid)>);

impl LockTable {
    /// Reads the list of the whole machine. Empty where the system has none. Not for the way of every command: the
    /// kernel stops all lock operations for it, and each `read` waits for that anew, 5 to 15 ms.
    pub fn read() -> Self {
        let mut text = Vec::with_capacity(64 << 10);
        let read = File::open("/proc/locks").and_then(|mut file| file.read_to_end(&mut text));
        read.map(|_| Self::parse(&String::from_utf8_lossy(&text))).unwrap_or_default()
    }

    /// The locks on the files of this name that a process has open. Asks only about its own descriptors, and so costs
    /// nothing like [`read`](Self::read).
    pub fn of_process(pid: Pid, file_name: &str) -> Self {
        let infos = Descriptors::of(pid);
        Self(infos.infos_of(file_name).flat_map(|info| Self::of_descriptor(&info).0).collect())
    }

    /// The locks of an open file, whoever took them: `proc(5)` fdinfo shows them.
    pub(super) fn of_descriptor(info: &Path) -> Self {
        let text = std::fs::read_to_string(info).unwrap_or_default();
        let rows: Vec<&str> = text.lines().filter_map(|l| l.strip_prefix("lock:")).collect();
        Self::parse(&rows.join("\n"))
    }

    // `12: FLOCK  ADVISORY  WRITE 4711 fe:00:9982102 0 EOF`; a waiter has `->` after the number and is left out.
    fn parse(table: &str) -> Self {
        let row = |line: &str| {
            let mut words = line.split_whitespace().skip(1);
            (words.next()? != "->").then_some(())?;
            let pid = Pid::parse(words.nth(2)?)?;
            let mut place = words.next()?.split(':');
            let major = u32::from_str_radix(place.next()?, 16).ok()?;
            let minor = u32::from_str_radix(place.next()?, 16).ok()?;
            Some((major, minor, place.next()?.parse().ok()?, pid))
        };
        Self(table.lines().filter_map(row).collect())
    }

    /// Who holds a lock on this file.
    pub fn holders_of_path(&self, path: &Path) -> Vec<Pid> {
        std::fs::metadata(path).map(|m| self.holders_of(m.dev(), m.ino())).unwrap_or_default()
    }

    fn holders_of(&self, device: u64, inode: u64) -> Vec<Pid> {
        let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
        let here = |&&(ma, mi, ino, _): &&(u32, u32, u64, Pid)| (ma, mi, ino) == (major, minor, inode);
        let mut pids: Vec<Pid> = self.0.iter().filter(here).map(|row| row.3).collect();
        pids.dedup();
        pids
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_lock_is_refused_probed_and_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("LOCK");
        assert_eq!(probe(&path).unwrap(), Probe::Missing);
        assert!(!path.exists(), "a probe creates nothing");
        let held = try_lock(&path, Mode::Exclusive).unwrap().unwrap();
        assert_eq!(held.kind(), Kind::Flock);
        assert!(try_lock(&path, Mode::Shared).unwrap().is_none());
        assert_eq!(probe(&path).unwrap(), Probe::Held);
        if cfg!(target_os = "linux") {
            assert_eq!(holders(&path), [Pid::own()]);
            assert_eq!(LockTable::of_process(Pid::own(), "LOCK").holders_of_path(&path), [Pid::own()]);
        }
        drop(held);
        wait_until(|| probe(&path).unwrap() == Probe::Free);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn turns_are_had_in_the_order_in_which_they_were_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let inode = format!(":{} ", std::fs::metadata(dir.path()).unwrap().ino());
        let waiting = || {
            let table = std::fs::read_to_string("/proc/locks").unwrap();
            table.lines().filter(|line| line.contains("->") && line.contains(&inode)).count()
        };
        let patience = || Deadline::after(Duration::from_secs(20));
        let first = turn(dir.path(), patience()).unwrap().unwrap();
        let refused = turn(dir.path(), Deadline::after(Duration::from_millis(5))).unwrap_err();
        assert!(matches!(&refused, LockError::Held { holders, .. } if holders == &[Pid::own()]), "{refused}");
        // The one that gave up still stands in the row; when it is woken it lets go at once.
        let (told, order) = mpsc::channel();
        thread::scope(|scope| {
            for number in 0..5 {
                let told = told.clone();
                let path = dir.path();
                scope.spawn(move || {
                    let turn = turn(path, patience()).unwrap().unwrap();
                    told.send(number).unwrap();
                    drop(turn);
                });
                wait_until(|| waiting() == number + 2);
            }
            drop(first);
        });
        drop(told);
        assert_eq!(order.iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    }

    // A child that another test forks in the moment of a release holds a copy of the descriptor, and so the lock, until it
    // has executed its program.
    fn wait_until(holds: impl Fn() -> bool) {
        let deadline = Deadline::after(Duration::from_secs(10));
        while !holds() {
            assert!(!deadline.has_passed(), "the lock was not let go");
            thread::yield_now();
        }
    }

    #[test]
    fn shared_holders_share_and_keep_an_exclusive_one_out() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("town.lock");
        let one = try_lock(&path, Mode::Shared).unwrap().unwrap();
        let two = try_lock(&path, Mode::Shared).unwrap().unwrap();
        assert!(try_lock(&path, Mode::Exclusive).unwrap().is_none());
        drop((one, two));
        wait_until(|| try_lock(&path, Mode::Exclusive).unwrap().is_some());
    }

    #[test]
    fn the_kernels_table_is_read_without_its_waiters() {
        let text = "1: FLOCK  ADVISORY  WRITE 42 fe:00:77 0 EOF\n1: -> FLOCK  ADVISORY  WRITE 43 fe:00:77 0 EOF\n2: POSIX  ADVISORY  READ  -1 00:1d:5 0 EOF\n";
        let table = LockTable::parse(text);
        assert_eq!(table.0.len(), 1);
        assert_eq!(table.0[0].3, Pid::parse("42").unwrap());
    }
}
