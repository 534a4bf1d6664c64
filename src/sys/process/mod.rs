//! Processes: facts about one, a handle that cannot be fooled by PID reuse, the list of all.
//!
//! Identity rests on what the kernel says *now*: executable, argument list, working directory and start time. A PID
//! alone is only a number. [`Handle`] is opened first, the facts are read second, the signal goes through the handle
//! third: on Linux it is a `pidfd`, so the process that was examined is the one that is signalled.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as platform;
#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(not(target_os = "linux"))]
use other as platform;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::clock::{self, Timestamp};

pub use platform::{Handle, stacks};

/// A process id that can belong to a process of ours: greater than 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pid(i32);

impl Pid {
    /// Reads decimal digits. Refuses signs, 0, 1 and anything that does not fit.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten().and_then(Self::new)
    }

    /// Takes a number, refusing 0, 1 and negative ones.
    pub fn new(raw: i32) -> Option<Self> {
        (raw > 1).then_some(Self(raw))
    }

    /// This very process.
    pub fn own() -> Self {
        Self(i32::try_from(std::process::id()).unwrap_or(i32::MAX))
    }

    /// The number.
    pub fn get(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The kernel's own start token of a process: with the PID and the boot id it names one process for ever.
/// Linux: clock ticks since boot. Elsewhere: whole seconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StartToken(pub u64);

/// What the kernel says about one process.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Its id.
    pub pid: Pid,
    /// The process that started it, while that one lives.
    pub parent: Option<Pid>,
    /// Its executable; ` (deleted)` is already cut off. `None` when we may not know.
    pub exe: Option<PathBuf>,
    /// Its argument list, as given at start.
    pub argv: Vec<OsString>,
    /// Its working directory. `None` when we may not know.
    pub cwd: Option<PathBuf>,
    /// Its start token.
    pub start: StartToken,
    /// When it started, by the wall clock.
    pub started_at: Timestamp,
    /// The user it runs as.
    pub uid: u32,
    /// `R`, `S`, `D`, `T` (stopped), `Z` (dead, not yet reaped) and so on.
    pub state: char,
    /// Resident memory in bytes.
    pub rss_bytes: u64,
}

impl Facts {
    /// Reads the facts of a living process. `None` when there is none, or only its zombie.
    pub fn read(pid: Pid) -> Option<Self> {
        platform::facts(pid).filter(|f| f.state != 'Z' && f.state != 'X')
    }

    /// Its argument list as one line for people.
    pub fn command_line(&self) -> String {
        let words: Vec<_> = self.argv.iter().map(|w| w.to_string_lossy()).collect();
        words.join(" ")
    }

    /// A short name: the file name of the executable, else of the first argument.
    pub fn name(&self) -> String {
        let path = self.exe.as_deref().or_else(|| self.argv.first().map(Path::new));
        path.and_then(Path::file_name).map_or_else(|| "?".to_owned(), |n| n.to_string_lossy().into_owned())
    }
}

/// `PID 4711 (dolt sql-server …), since 2026-11-21 07:50:24`, or `PID 4711` when nothing is known.
pub fn describe(pid: Pid) -> String {
    let Some(facts) = Facts::read(pid) else {
        return format!("PID {pid}");
    };
    // The program's directory is long and says little; what it was told to do says much.
    let words = facts.argv.iter().enumerate();
    let shown = words.map(|(i, w)| if i == 0 { Path::new(w).file_name().unwrap_or(w) } else { w });
    let mut line = shown.map(|w| w.to_string_lossy()).collect::<Vec<_>>().join(" ");
    if line.chars().count() > 60 {
        line = line.chars().take(59).chain(['…']).collect();
    }
    if line.is_empty() {
        line = facts.name();
    }
    format!("PID {pid} ({line}), since {}", clock::local(facts.started_at))
}

/// [`describe`] for several, or `a process that the system does not name`.
pub fn describe_all(pids: &[Pid]) -> String {
    if pids.is_empty() {
        return "a process that the system does not name".to_owned();
    }
    pids.iter().map(|p| describe(*p)).collect::<Vec<_>>().join(" and ")
}

/// Every process of this machine whose argument list holds `word`, in the order of their PIDs.
pub fn with_argument(word: &str) -> Vec<Facts> {
    use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};
    let Ok(mut system) = System::new() else {
        return Vec::new();
    };
    let what = ProcessRefreshKind::nothing().with_cmd(UpdateKind::Always).without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
    let mut found: Vec<Facts> = system
        .processes()
        .iter()
        .filter(|(_, process)| process.cmd().iter().any(|a| a == word))
        .filter_map(|(pid, _)| Pid::new(i32::try_from(pid.as_u32()).ok()?))
        .filter_map(Facts::read)
        .collect();
    found.sort_by_key(|f| f.pid);
    found
}

/// A signal that we ever send to a proved process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ask it to end.
    Term,
    /// End it.
    Kill,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_is_digits_and_more_than_one() {
        for bad in ["", "abc", "-1", "0", "1", "+7", " 7", "7\n", "99999999999999999999"] {
            assert_eq!(Pid::parse(bad), None, "{bad:?}");
        }
        assert_eq!(Pid::parse("4711").unwrap().get(), 4711);
    }

    #[test]
    fn our_own_facts_are_true() {
        let facts = Facts::read(Pid::own()).unwrap();
        assert_eq!(facts.cwd.unwrap(), std::env::current_dir().unwrap());
        assert_eq!(facts.exe.unwrap(), std::env::current_exe().unwrap());
        assert!(clock::age(facts.started_at).as_secs() < 3600, "{}", facts.started_at);
        assert!(facts.rss_bytes > 100_000);
    }

    #[test]
    fn facts_are_none_for_a_process_that_is_gone() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = Pid::new(i32::try_from(child.id()).unwrap()).unwrap();
        child.wait().unwrap();
        assert!(Facts::read(pid).is_none());
        assert!(Handle::open(pid).unwrap().is_none());
    }

    #[tokio::test]
    async fn a_handle_reaches_the_process_it_was_opened_on_or_nobody() {
        let mut child = std::process::Command::new("sleep").arg("300").spawn().unwrap();
        let pid = Pid::new(i32::try_from(child.id()).unwrap()).unwrap();
        let handle = Handle::open(pid).unwrap().unwrap();
        assert!(handle.facts().is_some() && !handle.has_ended());
        assert!(handle.signal(Signal::Term).unwrap());
        handle.ended().await;
        assert!(handle.has_ended() && handle.facts().is_none(), "a zombie has ended");
        child.wait().unwrap();
        // From here on the number may be anybody's; the handle is nobody's.
        assert!(!handle.signal(Signal::Kill).unwrap());
    }
}
