//! macOS and other Unix systems: facts through `sysinfo`, handles by PID and start time. Never run here.
//!
//! There is no `pidfd`: between the check and the signal a PID could in theory be reused. The start time is compared
//! again right before each signal, which leaves a window of microseconds.

use std::io;
use std::time::Duration;

use nix::sys::signal::kill;
use sysinfo::{ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System, UpdateKind};

use super::{Facts, Pid, Signal, StartToken};
use crate::sys::clock::{Timestamp, pause};

pub(super) fn facts(pid: Pid) -> Option<Facts> {
    let mut system = System::new().ok()?;
    let id = sysinfo::Pid::from_u32(u32::try_from(pid.get()).ok()?);
    let what = ProcessRefreshKind::nothing()
        .with_cmd(UpdateKind::Always)
        .with_exe(UpdateKind::Always)
        .with_cwd(UpdateKind::Always)
        .with_user(UpdateKind::Always)
        .with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[id]), true, what);
    let process = system.process(id)?;
    let state = match process.status() {
        ProcessStatus::Zombie | ProcessStatus::Dead => 'Z',
        ProcessStatus::Stop => 'T',
        ProcessStatus::Run => 'R',
        _ => 'S',
    };
    Some(Facts {
        pid,
        parent: process.parent().and_then(|p| Pid::new(i32::try_from(p.as_u32()).ok()?)),
        exe: process.exe().map(std::path::Path::to_owned),
        argv: process.cmd().to_vec(),
        cwd: process.cwd().map(std::path::Path::to_owned),
        start: StartToken(process.start_time()),
        started_at: Timestamp::from_second(i64::try_from(process.start_time()).ok()?).ok()?,
        uid: process.user_id().map_or(u32::MAX, |u| **u),
        state,
        rss_bytes: process.memory(),
    })
}

/// A process by PID and start time.
#[derive(Debug)]
pub struct Handle {
    pid: Pid,
    start: StartToken,
}

impl Handle {
    /// Opens a handle. `None`: there is no such process.
    pub fn open(pid: Pid) -> io::Result<Option<Self>> {
        Ok(Facts::read(pid).map(|f| Self { pid, start: f.start }))
    }

    /// Its id.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// The facts, if it is still the same process.
    pub fn facts(&self) -> Option<Facts> {
        Facts::read(self.pid).filter(|f| f.start == self.start)
    }

    /// Whether the process has ended.
    pub fn has_ended(&self) -> bool {
        self.facts().is_none()
    }

    /// Completes when the process has ended.
    pub async fn ended(&self) {
        while !self.has_ended() {
            pause(Duration::from_millis(5)).await;
        }
    }

    /// Sends a signal. `Ok(false)`: it had ended already.
    pub fn signal(&self, signal: Signal) -> io::Result<bool> {
        if self.has_ended() {
            return Ok(false);
        }
        let raw = match signal {
            Signal::Term => nix::sys::signal::Signal::SIGTERM,
            Signal::Kill => nix::sys::signal::Signal::SIGKILL,
        };
        match kill(nix::unistd::Pid::from_raw(self.pid.get()), raw) {
            Ok(()) => Ok(true),
            Err(nix::errno::Errno::ESRCH) => Ok(false),
            Err(e) => Err(e.into()),
        }
    }
}

/// Not to be had without `/proc`.
pub fn stacks(_pid: Pid) -> Vec<String> {
    Vec::new()
}
