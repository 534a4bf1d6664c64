//! What a command did, with assertions that show everything when they fail.

use std::process::Output;
use std::time::{Duration, Instant};

/// A command that ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) shown: String,
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) took: Duration,
}

impl Ran {
    pub(crate) fn of(shown: String, output: Output, took: Duration) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let code = output.status.code().unwrap_or(-1);
        Self { shown, code, out: text(output.stdout), err: text(output.stderr), took }
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "should succeed: {self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn fails(self, code: i32) -> Self {
        assert_eq!(self.code, code, "should end with {code}: {self:#?}");
        self
    }

    /// Standard output or standard error holds this text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.out.contains(text) || self.err.contains(text), "should say {text:?}: {self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn never_says(self, text: &str) -> Self {
        assert!(!self.out.contains(text) && !self.err.contains(text), "should not say {text:?}: {self:#?}");
        self
    }

    /// The first line of the error holds this text.
    #[track_caller]
    pub(crate) fn error_begins_with(self, text: &str) -> Self {
        let first = self.err.lines().find(|l| l.starts_with("Error:")).unwrap_or_default().to_owned();
        assert!(first.contains(text), "the error line should hold {text:?}: {self:#?}");
        self
    }

    /// Standard output as one JSON object.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("no JSON ({e}): {self:#?}"))
    }
}

/// Looks at a condition until it holds; fails with `what` after ten seconds.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(10), "timed out waiting until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
