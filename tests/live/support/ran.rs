//! Commands beside the test, and what only this suite asks of one that ended.

use std::fs;
use std::io::{Read, Seek};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

#[path = "../../common/ran.rs"]
mod common;

pub(crate) use common::{Ran, run};

impl Ran {
    #[track_caller]
    pub(crate) fn never_says(self, text: &str) -> Self {
        assert!(!self.out.contains(text) && !self.err.contains(text), "should not say {text:?}: {self:?}");
        self
    }

    /// The first line of the error holds this text.
    #[track_caller]
    pub(crate) fn error_begins_with(self, text: &str) -> Self {
        let first = self.err.lines().find(|l| l.starts_with("Error:")).unwrap_or_default().to_owned();
        assert!(first.contains(text), "the error line should hold {text:?}: {self:?}");
        self
    }
}

/// A command that runs beside the test. Killed when dropped before its end.
#[derive(Debug)]
pub(crate) struct Running {
    shown: String,
    child: Child,
    out: fs::File,
    err: fs::File,
    begun: Instant,
}

impl Running {
    pub(crate) fn of(mut command: Command) -> Self {
        let shown = format!("{command:?}");
        let (out, err) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        command.stdout(out.try_clone().unwrap()).stderr(err.try_clone().unwrap());
        Self { shown, child: command.spawn().unwrap(), out, err, begun: Instant::now() }
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// Waits until its standard error holds this text.
    #[track_caller]
    pub(crate) fn until_it_says(&mut self, text: &str) {
        let shown = self.shown.clone();
        wait_until(&format!("{shown} says {text:?}"), || {
            let said = whole(&self.err);
            let said = String::from_utf8_lossy(&said);
            assert!(!self.has_ended() || said.contains(text), "{shown} ended and said only {said:?}");
            said.contains(text)
        });
    }

    /// Waits until its standard output holds this text.
    #[track_caller]
    pub(crate) fn until_it_shows(&self, text: &str) {
        wait_until(&format!("{} shows {text:?}", self.shown), || {
            String::from_utf8_lossy(&whole(&self.out)).contains(text)
        });
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Ran {
        let status = self.child.wait().unwrap();
        let output = Output { status, stdout: whole(&self.out), stderr: whole(&self.err) };
        Ran::of(self.shown.clone(), output, self.begun.elapsed())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

// Through a description of its own, because the place to read from is shared with the program that writes.
fn whole(file: &fs::File) -> Vec<u8> {
    use std::os::fd::AsRawFd;
    let mut again = fs::File::open(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap();
    again.rewind().unwrap();
    let mut bytes = Vec::new();
    again.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Looks at a condition until it holds; fails with `what` after half a minute.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(30), "timed out waiting until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
