//! Promises of the server's life that no fault has an id for: the locks of a start, the files that the Go tools read,
//! a server that is mute, a port or a database that is taken between the look and the start.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::{
    Running, TestTown, fake_dolt, is_alive, is_locked, run, signal, silent_server_on, stranger_on, wait_until,
};

#[test]
fn the_server_inherits_none_of_its_callers_descriptors() {
    let town = TestTown::with(&["hq"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec 7>held 8>open; flock 7; exec \"$0\" dolt start", env!("CARGO_BIN_EXE_gt")]);
    town.seal(&mut shell);
    shell.current_dir(&town.root);
    run(shell).ok();
    assert!(!is_locked(&town.file("held")), "the lock of the shell that called us ends with it");
    let fds = fs::read_dir(format!("/proc/{}/fd", town.pid())).unwrap().flatten();
    let files: Vec<_> = fds.filter_map(|fd| fs::read_link(fd.path()).ok()).collect();
    let name = |p: &Path| p.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for file in &files {
        assert!(!["held", "open"].contains(&name(file).as_str()), "{files:?}");
        assert!(
            file.extension().is_none_or(|e| e != "lock"),
            "our own locks are not the server's: {files:?}"
        );
    }
}
