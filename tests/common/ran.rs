//! What a command did, with assertions that show everything when they fail. Each suite adds what it alone asks for.

use std::fmt;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// A command that ended.
pub(crate) struct Ran {
    shown: String,
    /// −1 if a signal ended it.
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) took: Duration,
}

/// Runs a command to its end.
pub(crate) fn run(mut command: Command) -> Ran {
    let shown = format!("{command:?}");
    let begun = Instant::now();
    let output = command.output().unwrap();
    Ran::of(shown, output, begun.elapsed())
}

impl Ran {
    pub(crate) fn of(shown: String, output: Output, took: Duration) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let code = output.status.code().unwrap_or(-1);
        Self { shown, code, out: text(output.stdout), err: text(output.stderr), took }
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "should succeed: {self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn fails(self, code: i32) -> Self {
        assert_eq!(self.code, code, "should end with {code}: {self:?}");
        self
    }

    /// Standard output or standard error holds this text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.out.contains(text) || self.err.contains(text), "should say {text:?}: {self:?}");
        self
    }

    /// Standard output as one JSON object.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("no JSON ({e}): {self:?}"))
    }
}

/// The command, then what it printed as it stood there.
impl fmt::Debug for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shown, code, out, err, took } = self;
        writeln!(f, "{shown}\nended with {code} after {took:?}")?;
        write!(f, "standard output:\n{out}\nstandard error:\n{err}")
    }
}
