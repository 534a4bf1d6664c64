//! What every fuzz target does: hand its bytes to the entry point of the same name, which lies in `dolt_store::fuzzing`.

use std::sync::LazyLock;

static SCRATCH: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
    let memory = tempfile::tempdir_in("/dev/shm");
    memory.or_else(|_| tempfile::tempdir()).expect("a directory for scratch files")
});

/// Runs one target.
pub fn run(target: &str, bytes: &[u8]) {
    dolt_store::fuzzing::run(target, SCRATCH.path(), bytes);
}
