//! A sealed place to run the program in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[path = "../common/ran.rs"]
mod ran;

pub(crate) use ran::{Ran, run};

/// A temporary directory with a HOME and an empty PATH: no dolt, no bd, nothing.
pub(crate) struct Sealed {
    dir: tempfile::TempDir,
}

impl Sealed {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for part in ["home", "bin"] {
            fs::create_dir(dir.path().join(part)).unwrap();
        }
        Self { dir }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    /// A town with these databases: a manifest of an empty store is all that the commands tested here look at.
    pub(crate) fn town(&self, databases: &[&str]) -> PathBuf {
        let root = self.path().join("t");
        write(&root.join("mayor/town.json"), r#"{"type":"town","version":1,"name":"t"}"#);
        write(&root.join("mayor/rigs.json"), r#"{"version":1,"rigs":{}}"#);
        for database in databases {
            let store = root.join(".dolt-data").join(database).join(".dolt/noms");
            let zero = "0".repeat(32);
            write(&store.join("manifest"), &format!("5:__DOLT__:{zero}:{zero}:{zero}"));
        }
        root
    }

    /// A `gt` command in this directory.
    pub(crate) fn command(&self, cwd: &Path, args: &[&str]) -> Command {
        self.program(env!("CARGO_BIN_EXE_gt"), cwd, args)
    }

    /// A repository made by hand: what `git init` leaves, as far as anybody looks.
    pub(crate) fn repository(&self, name: &str) -> PathBuf {
        let root = self.path().join(name);
        write(&root.join(".git/HEAD"), "ref: refs/heads/main\n");
        write(&root.join(".git/config"), "[core]\n\tbare = false\n");
        for part in ["objects", "refs"] {
            fs::create_dir_all(root.join(".git").join(part)).unwrap();
        }
        root
    }

    /// A `bd` command in this directory.
    pub(crate) fn bd_command(&self, cwd: &Path, args: &[&str]) -> Command {
        self.program(env!("CARGO_BIN_EXE_bd"), cwd, args)
    }

    fn program(&self, program: &str, cwd: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).current_dir(cwd);
        self.seal(&mut command, cwd);
        command
    }

    /// The environment of every command here.
    pub(crate) fn seal(&self, command: &mut Command, cwd: &Path) {
        command.env_clear().stdin(Stdio::null()).env("PWD", cwd);
        command.env("HOME", self.path().join("home")).env("PATH", self.path().join("bin"));
    }

    pub(crate) fn gt(&self, cwd: &Path, args: &[&str]) -> Ran {
        run(self.command(cwd, args))
    }

    /// The same with variables.
    pub(crate) fn gt_with(&self, cwd: &Path, env: &[(&str, &str)], args: &[&str]) -> Ran {
        let mut command = self.command(cwd, args);
        command.envs(env.iter().copied());
        run(command)
    }
}

impl Ran {
    /// Standard error begins with exactly this.
    #[track_caller]
    pub(crate) fn refuses_with(self, text: &str) -> Self {
        assert!(self.err.starts_with(text), "standard error should begin with {text:?}: {self:?}");
        assert!(!self.err.contains('\u{1b}') && !self.err.contains("panicked"), "{self:?}");
        self
    }
}

/// Writes a file and the directories above it.
pub(crate) fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[track_caller]
pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Every file and directory below, with the content of the files: to prove that nothing changed.
pub(crate) fn snapshot(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_dir = entry.file_type().unwrap().is_dir();
        found.push((path.clone(), if is_dir { Vec::new() } else { fs::read(&path).unwrap_or_default() }));
        if is_dir {
            found.extend(snapshot(&path));
        }
    }
    found.sort();
    found
}
