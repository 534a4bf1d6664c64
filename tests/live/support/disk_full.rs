//! A disk that is full for `gt` alone, without mounting anything.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::ran::{Ran, run};
use super::town::TestTown;

/// The library, built once per test run.
fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/support/disk_full.c");
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("disk_full.so");
        let fresh = target.with_extension(format!("{}.so", std::process::id()));
        let done = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&fresh, &source])
            .arg("-ldl")
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
        // Another run of the tests may be using it.
        std::fs::rename(&fresh, &target).unwrap();
        target
    })
}

impl TestTown {
    /// Runs `gt` with a disk that takes `after` more writes and syncs below `dir`, and then is full.
    pub(crate) fn gt_on_full_disk(&self, dir: &str, after: usize, args: &[&str]) -> Ran {
        let mut command = self.command(args);
        command.env("LD_PRELOAD", library());
        command.env("GT_TEST_FULL_DIR", self.file(dir).canonicalize().unwrap());
        command.env("GT_TEST_FULL_AFTER", after.to_string());
        run(command)
    }
}
