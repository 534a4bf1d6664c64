//! A sealed place to run the program in.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A temporary directory with a HOME, and nothing on PATH but the system's own programs.
pub(crate) struct Sealed {
    dir: tempfile::TempDir,
}

impl Sealed {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("home")).unwrap();
        Self { dir }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    /// A `gt` command in this directory.
    pub(crate) fn command(&self, cwd: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gt"));
        command.args(args).current_dir(cwd).env_clear().stdin(Stdio::null());
        command.env("HOME", self.path().join("home")).env("PATH", "/usr/bin:/bin").env("PWD", cwd);
        command
    }

    pub(crate) fn gt(&self, cwd: &Path, args: &[&str]) -> Output {
        self.command(cwd, args).output().unwrap()
    }
}

/// Standard output as text.
pub(crate) fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Standard error as text.
pub(crate) fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
