//! Linux: facts from `/proc`, handles from `pidfd`.
//!
//! The format of `/proc/<pid>/stat` is in proc(5): the second field is in parentheses and may hold anything, so
//! fields are counted from the last `)`. Field 22 is the start time in clock ticks since boot.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::{Facts, Pid, Signal, StartToken};
use crate::sys::clock::{Timestamp, pause};

pub(super) fn facts(pid: Pid) -> Option<Facts> {
    let dir = PathBuf::from(format!("/proc/{pid}"));
    let uid = fs::metadata(&dir).ok()?.uid();
    let stat = fs::read(dir.join("stat")).ok()?;
    let after = stat.iter().rposition(|b| *b == b')')?;
    let rest = std::str::from_utf8(stat.get(after + 1..)?).ok()?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks: u64 = fields.get(19)?.parse().ok()?;
    let pages: u64 = fields.get(21)?.parse().ok()?;
    let argv = fs::read(dir.join("cmdline")).ok()?;
    Some(Facts {
        pid,
        parent: fields.get(1).and_then(|p| Pid::parse(p)),
        exe: fs::read_link(dir.join("exe")).ok().map(without_deleted_mark),
        argv: split_argv(&argv),
        cwd: fs::read_link(dir.join("cwd")).ok(),
        start: StartToken(ticks),
        started_at: wall_clock(ticks)?,
        uid,
        state: fields.first()?.chars().next()?,
        rss_bytes: pages * rustix::param::page_size() as u64,
    })
}

fn split_argv(raw: &[u8]) -> Vec<OsString> {
    let raw = raw.strip_suffix(&[0]).unwrap_or(raw);
    if raw.is_empty() {
        return Vec::new();
    }
    raw.split(|b| *b == 0).map(|w| OsString::from_vec(w.to_vec())).collect()
}

// An upgraded `dolt` leaves its running servers with a link that ends so; they are still dolt.
fn without_deleted_mark(exe: PathBuf) -> PathBuf {
    match exe.as_os_str().as_bytes().strip_suffix(b" (deleted)") {
        Some(path) => PathBuf::from(OsString::from_vec(path.to_vec())),
        None => exe,
    }
}

fn wall_clock(ticks: u64) -> Option<Timestamp> {
    static BOOT_SECOND: OnceLock<Option<i64>> = OnceLock::new();
    let boot = (*BOOT_SECOND.get_or_init(|| {
        let stat = fs::read_to_string("/proc/stat").ok()?;
        stat.lines().find_map(|l| l.strip_prefix("btime "))?.trim().parse().ok()
    }))?;
    let per_second = rustix::param::clock_ticks_per_second();
    let since_boot = Duration::from_millis(ticks * 1000 / per_second);
    Timestamp::from_second(boot).ok()?.checked_add(since_boot).ok()
}

/// A process that stays the same process: signals and waits go to it or to nobody.
#[derive(Debug)]
pub struct Handle {
    pid: Pid,
    fd: OwnedFd,
}

impl Handle {
    /// Opens a handle. `None`: there is no such process.
    pub fn open(pid: Pid) -> io::Result<Option<Self>> {
        let Some(raw) = rustix::process::Pid::from_raw(pid.get()) else {
            return Ok(None);
        };
        match pidfd_open(raw, PidfdFlags::NONBLOCK) {
            Ok(fd) => Ok(Some(Self { pid, fd })),
            Err(rustix::io::Errno::SRCH) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Its id.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// The facts, read while the handle is open: if the process has ended in between, `None`.
    pub fn facts(&self) -> Option<Facts> {
        Facts::read(self.pid).filter(|_| !self.has_ended())
    }

    /// Whether the process has ended (a zombie has).
    pub fn has_ended(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let mut fds = [PollFd::new(&self.fd, PollFlags::IN)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        matches!(poll(&mut fds, Some(&now)), Ok(n) if n > 0)
    }

    /// Completes when the process has ended. The kernel tells; only where it cannot (no more descriptors to be
    /// watched) is the process looked at again and again.
    pub async fn ended(&self) {
        if let Err(error) = self.told_by_the_kernel().await {
            tracing::debug!(%error, pid = %self.pid, "looking for the end of the process");
            while !self.has_ended() {
                pause(Duration::from_millis(10)).await;
            }
        }
    }

    #[expect(unsafe_code, reason = "tokio leaves it to the caller that the descriptor stays open")]
    async fn told_by_the_kernel(&self) -> io::Result<()> {
        // SAFETY: the borrowed descriptor is owned by `self`, which outlives this future and never replaces it.
        let watched = unsafe { AsyncFd::register_with_interest(self.fd.as_fd(), Interest::READABLE) }?;
        watched.readable().await?.retain_ready();
        Ok(())
    }

    /// Sends a signal to this very process. `Ok(false)`: it had ended already.
    pub fn signal(&self, signal: Signal) -> io::Result<bool> {
        let raw = match signal {
            Signal::Term => rustix::process::Signal::TERM,
            Signal::Kill => rustix::process::Signal::KILL,
        };
        match pidfd_send_signal(&self.fd, raw) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::SRCH) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }
}

/// Name, state, wait channel and (where we may) kernel stack of each thread, for a dump. Reads only.
pub fn stacks(pid: Pid) -> Vec<String> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    let mut ids: Vec<PathBuf> = tasks.flatten().map(|t| t.path()).collect();
    ids.sort();
    ids.iter().map(|task| thread_lines(task)).collect()
}

fn thread_lines(task: &std::path::Path) -> String {
    let text = |name: &str| fs::read_to_string(task.join(name)).unwrap_or_default().trim().to_owned();
    let status = text("status");
    let state = status.lines().find_map(|l| l.strip_prefix("State:")).unwrap_or("?").trim();
    let id = task.file_name().unwrap_or_default().to_string_lossy();
    let mut lines = format!("thread {id} {} state {state} waits in {}", text("comm"), text("wchan"));
    for frame in text("stack").lines() {
        lines.push_str("\n    ");
        lines.push_str(frame);
    }
    lines
}
