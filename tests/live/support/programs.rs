//! The real programs, and stand-ins for behaviour that a real one cannot be made to show.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::places::quiet_home;

/// A pinned Dolt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dolt {
    V1,
    V2,
}

impl Dolt {
    /// The directory to put first on PATH.
    pub(crate) fn dir(self) -> PathBuf {
        let name = match self {
            Self::V1 => "dolt-1.88.1",
            Self::V2 => "dolt-2.2.0",
        };
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/real-programs").join(name);
        assert!(dir.join("dolt").is_file(), "{} is missing: run tools/real-programs all", dir.display());
        dir.canonicalize().unwrap()
    }

    pub(crate) fn path(self) -> PathBuf {
        self.dir().join("dolt")
    }

    /// A fresh `dolt init` directory, made once, to copy databases from.
    pub(crate) fn template(self) -> &'static Path {
        static ONE: OnceLock<tempfile::TempDir> = OnceLock::new();
        static TWO: OnceLock<tempfile::TempDir> = OnceLock::new();
        let cell = if self == Self::V1 { &ONE } else { &TWO };
        let make = || {
            let dir = tempfile::tempdir().unwrap();
            quiet_home(dir.path());
            let database = dir.path().join("template");
            fs::create_dir(&database).unwrap();
            let args = ["init", "--name", "t", "--email", "t@example.com"];
            let done = Command::new(self.path())
                .args(args)
                .current_dir(&database)
                .env("HOME", dir.path())
                .output()
                .unwrap();
            assert!(done.status.success(), "{done:?}");
            dir
        };
        // The directory must outlive every test, so it is never dropped; its path is all that is handed out.
        Box::leak(cell.get_or_init(make).path().join("template").into_boxed_path())
    }
}

/// A directory with a script called `dolt`, for what no real Dolt does on request: being too old, dying on cue, ignoring
/// TERM. `$REAL` in the script is the real program.
pub(crate) fn fake_dolt(real: Dolt, script: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    write_program(
        &dir.path().join("dolt"),
        &format!("#!/bin/sh\nREAL={}\n{script}\n", real.path().display()),
    );
    dir
}

/// A script, to be run.
pub(crate) fn write_program(path: &Path, text: &str) {
    let written = path.with_extension("written");
    fs::write(&written, text).unwrap();
    fs::set_permissions(&written, fs::Permissions::from_mode(0o755)).unwrap();
    copy_program(&written, path);
    fs::remove_file(&written).unwrap();
}

/// The pinned bd.
pub(crate) fn bd() -> PathBuf {
    let bd = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/real-programs/bd-1.1.0/bd");
    assert!(bd.is_file(), "{} is missing: run tools/real-programs all", bd.display());
    bd.canonicalize().unwrap()
}

/// A copy of a program, to be run. Another program writes it: a child that some other test starts in that moment would keep our own
/// descriptor open for an instant, and what is open for writing cannot be run.
pub(crate) fn copy_program(from: &Path, to: &Path) {
    let mut command = Command::new("cp");
    command.arg(from).arg(to);
    super::run(command).ok();
}
