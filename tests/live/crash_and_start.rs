//! Section B, the way up: after a crash, many at once, against a held lock, with a Dolt that is missing, old or dies.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::support::{
    Child, Dolt, Running, TestTown, fake_dolt, is_alive, is_locked, run, signal, wait_until, write_program,
};

#[test]
fn f02_a_crash_is_told_and_counted_and_the_next_start_works() {
    let town = TestTown::with(&["hq"]);
    for crashes in 1..=2 {
        let pid = town.up();
        signal(pid, "KILL");
        wait_until("the server is gone", || !is_alive(pid));
        assert!(
            town.read("daemon/dolt-state.json").contains("\"running\": true"),
            "the hint that must not count"
        );
        let before = town.snapshot();
        let seen = town.gt(&["dolt", "status", "--exit-code"]).fails(4);
        seen.says(&format!("Dolt server is not running: it crashed (was PID {pid})"));
        assert_eq!(town.snapshot(), before, "status only looks");
        town.gt(&["dolt", "start"]).ok().says(&format!("the server before this one crashed (PID {pid}"));
        let status = town.status();
        assert_eq!((&status["state"], &status["crashes"]), (&"running".into(), &crashes.into()));
        assert_eq!(status["last_ending"]["how"], "crashed");
        town.gt(&["dolt", "stop"]).ok();
    }
    assert_eq!(town.status()["crashes"], 2, "a stop is no crash");
}

#[test]
fn f02_a_stop_that_finds_only_a_crash_puts_the_files_right() {
    let town = TestTown::with(&["hq"]);
    let pid = town.up();
    signal(pid, "KILL");
    wait_until("the server is gone", || !is_alive(pid));
    town.gt(&["dolt", "stop"]).fails(1).error_begins_with("Dolt server is not running");
    assert!(!town.file("daemon/dolt.pid").exists());
    let status = town.status();
    assert_eq!((&status["state"], &status["crashes"]), (&"down".into(), &1.into()));
}

#[test]
fn f05_twenty_starts_at_once_give_one_server_and_twenty_successes() {
    let town = TestTown::with(&["hq", "alpha"]);
    let all: Vec<Running> = (0..20).map(|_| town.begin(&["dolt", "start"])).collect();
    let ended: Vec<_> = all.into_iter().map(|one| one.end().ok()).collect();
    let pid = town.pid();
    assert_eq!(town.servers(), [pid]);
    for one in &ended {
        assert!(one.out.contains(&format!("(PID {pid}, port {})", town.port)), "{one:#?}");
    }
    let started = ended.iter().filter(|one| !one.out.contains("It was running already")).count();
    assert_eq!(started, 1, "one of them started it, the others found it");
}

/// Somebody who holds the town's lock; `sleep`, so that it is easy to recognise.
fn hold_the_lock(town: &TestTown) -> (Child, PathBuf, u64) {
    town.write("daemon/dolt.lock", "");
    let path = town.file("daemon/dolt.lock");
    let holder = town.start("flock", &["--no-fork", path.to_str().unwrap(), "sleep", "300"], &town.root);
    wait_until("the lock is held", || is_locked(&path));
    let inode = fs::metadata(&path).unwrap().ino();
    (holder, path, inode)
}

#[test]
fn f30_the_holder_of_the_lock_is_named_and_the_lock_file_stays() {
    let town = TestTown::with(&["hq"]);
    let (holder, path, inode) = hold_the_lock(&town);
    let named = format!("dolt.lock is locked by PID {} (sleep 300), since ", holder.pid());
    town.gt(&["dolt", "start", "--timeout", "1s"])
        .fails(1)
        .error_begins_with(&named)
        .error_begins_with("waited 1 s")
        .says("The lock file is never deleted");
    assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
    assert!(holder.is_alive() && town.servers().is_empty());
    // One that waits goes on as soon as the holder is gone.
    let mut waiting = town.begin(&["dolt", "start"]);
    waiting.until_it_says(&format!("daemon/dolt.lock is held by PID {} (sleep 300)", holder.pid()));
    drop(holder);
    waiting.end().ok();
    assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
    assert_eq!(town.servers(), [town.pid()]);
}

#[test]
fn f30_a_lock_that_was_inherited_is_traced_to_who_has_it_now() {
    let town = TestTown::with(&["hq"]);
    town.write("daemon/dolt.lock", "");
    let script = "exec 9>daemon/dolt.lock; flock 9; exec sleep 300";
    let holder = town.start("sh", &["-c", script], &town.root);
    wait_until("the shell has become sleep", || {
        let argv = fs::read(format!("/proc/{}/cmdline", holder.pid())).unwrap_or_default();
        argv.starts_with(b"sleep")
    });
    town.gt(&["dolt", "start", "--timeout", "100ms"])
        .fails(1)
        .error_begins_with(&format!("is locked by PID {} (sleep 300)", holder.pid()));
    assert!(holder.is_alive());
}

/// A library that makes the file system look as if it had no `flock` for our own lock files.
fn no_flock(dir: &Path) -> PathBuf {
    let source = r#"
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
int flock(int fd, int operation) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = 0;
    if (strstr(path, "/daemon/dolt.lock") || strstr(path, "/.gt/")) {
        errno = ENOLCK;
        return -1;
    }
    return (int)syscall(SYS_flock, fd, operation);
}
"#;
    let (file, library) = (dir.join("no_flock.c"), dir.join("no_flock.so"));
    fs::write(&file, source).unwrap();
    let mut compiler = Command::new("cc");
    run({
        compiler.args(["-shared", "-fPIC", "-o"]).args([&library, &file]);
        compiler
    })
    .ok();
    library
}

#[test]
fn f17_without_flock_a_warning_is_given_and_two_starts_still_make_one_server() {
    let town = TestTown::with(&["hq"]);
    let library = no_flock(town.outside());
    let gt = |args: &[&str]| {
        let mut command = town.command(args);
        command.env("LD_PRELOAD", &library);
        command
    };
    let warning = "this file system has no flock";
    run(gt(&["dolt", "start"])).ok().says(warning);
    run(gt(&["dolt", "start"])).ok().says("It was running already");
    run(gt(&["dolt", "stop"])).ok().says(warning);
    let racing: Vec<Running> = (0..6).map(|_| Running::of(gt(&["dolt", "start"]))).collect();
    let ended: Vec<_> = racing.into_iter().map(|one| one.end().ok()).collect();
    let started = ended.iter().filter(|one| !one.out.contains("It was running already")).count();
    assert_eq!((started, town.servers()), (1, vec![town.pid()]));
}

#[test]
fn f12_a_server_that_dies_is_reported_at_once_with_exit_code_and_last_words() {
    let mut town = TestTown::with(&["hq", "alpha"]);
    let dying = r#"
if [ "$1" = sql-server ]; then
  echo 'Starting server with Config HP="x"'
  sleep 1
  echo 'no room left in the inn' >&2
  exit 3
fi
exec $REAL "$@""#;
    let fake = fake_dolt(town.dolt, dying);
    town.first_on_path(fake.path());
    let died = town
        .gt(&["dolt", "start"])
        .fails(1)
        .error_begins_with("ended while starting (exit code 3): no room left in the inn")
        .says("daemon/dolt.log");
    // The promise is that the kernel's word counts, not a time-out: it dies after 1 s, the time-out would be 30 s.
    assert!(died.took < Duration::from_secs(10), "{died:#?}");
    assert!(!town.file("daemon/dolt.pid").exists());
    assert!(town.read("daemon/dolt-state.json").contains("\"running\": false"));
    let status = town.status();
    assert_eq!((&status["state"], &status["crashes"]), (&"down".into(), &0.into()));
    assert_eq!(status["last_ending"]["how"], "failed to start");
    assert!(town.servers().is_empty());
}

#[test]
fn f20_without_dolt_databases_are_made_and_a_running_server_is_still_managed() {
    let mut town = TestTown::with(&["hq"]);
    let empty = tempfile::tempdir().unwrap();
    let with_dolt = town.dolt.dir();
    town.set_path(empty.path().to_str().unwrap());
    town.gt(&["dolt", "start"]).fails(1).error_begins_with("dolt not found on PATH").says("Install Dolt");
    town.gt(&["dolt", "init-rig", "yy"]).ok();
    assert!(town.database("yy").join(".dolt/noms/manifest").is_file());
    let left: Vec<_> =
        fs::read_dir(town.file(".dolt-data/.gt")).unwrap().flatten().map(|e| e.file_name()).collect();
    assert!(left.iter().all(|name| name.to_string_lossy().ends_with(".lock")), "{left:?}");
    town.set_path(with_dolt.to_str().unwrap());
    let pid = town.up();
    town.set_path(empty.path().to_str().unwrap());
    town.gt(&["dolt", "restart"]).fails(1).error_begins_with("dolt not found on PATH");
    assert_eq!(town.status()["pid"], pid, "a restart that could not start again does not stop");
    town.gt(&["dolt", "init-rig", "zz"]).ok().says("registered with running server");
    town.gt(&["dolt", "stop"]).ok();
}

fn put_fake(dir: &Path, script: &str) {
    write_program(&dir.join("dolt"), &format!("#!/bin/sh\n{script}\n"));
}

#[test]
fn f21_a_dolt_that_is_too_old_or_is_none_is_refused_by_name_before_anything_starts() {
    let mut town = TestTown::with(&["hq"]);
    let fake = fake_dolt(town.dolt, r#"[ "$1" = version ] && echo 'dolt version 0.40.1' && exit 0; exit 1"#);
    town.first_on_path(fake.path());
    let path = fake.path().join("dolt");
    let old = format!("dolt 0.40.1 at {} is too old", path.display());
    for _ in 0..2 {
        town.gt(&["dolt", "start"]).fails(1).error_begins_with(&old).says("newer dolt");
    }
    assert!(!town.file("daemon/dolt.log").exists(), "it was never started");
    put_fake(fake.path(), "echo 'Usage: dolt [coins]'; exit 0");
    let strange = format!("{} does not behave like dolt", path.display());
    town.gt(&["dolt", "start"]).fails(1).error_begins_with(&strange);
    put_fake(fake.path(), "echo cannot >&2; exit 127");
    town.gt(&["dolt", "start"]).fails(1).error_begins_with(&strange);
    assert!(!town.file("daemon/dolt.log").exists(), "it was never started");
    // The version is remembered, but not beyond an upgrade.
    put_fake(fake.path(), &format!("exec {} \"$@\"", Dolt::V1.path().display()));
    town.gt(&["dolt", "start"]).ok();
}

#[test]
fn f40_a_start_that_is_killed_at_any_moment_leaves_nothing_that_the_next_one_trips_over() {
    let town = TestTown::with(&["hq", "alpha"]);
    let listens = || std::net::TcpStream::connect(("127.0.0.1", town.port)).is_ok();
    let moments: [(&str, &dyn Fn() -> bool); 6] = [
        ("it has begun", &|| true),
        ("it holds the lock", &|| is_locked(&town.file("daemon/dolt.lock"))),
        ("the intent is written", &|| town.file("daemon/gt-server.json").exists()),
        ("the server lives", &|| !town.servers().is_empty()),
        ("the PID file is written", &|| town.file("daemon/dolt.pid").exists()),
        ("the server listens", &listens),
    ];
    for (what, has_come) in moments {
        for file in ["daemon/gt-server.json", "daemon/dolt.pid"] {
            drop(fs::remove_file(town.file(file)));
        }
        let starting = town.begin(&["dolt", "start"]);
        wait_until(what, has_come);
        drop(starting);
        town.gt(&["dolt", "start"]).ok();
        assert_eq!(town.servers(), [town.pid()], "killed when {what}");
        town.gt(&["dolt", "stop"]).ok();
        assert!(town.servers().is_empty(), "killed when {what}");
    }
}

#[test]
fn f39_the_server_outlives_the_shell_that_started_it() {
    let town = TestTown::with(&["hq"]);
    let mut shell = Command::new("setsid");
    shell.args(["sh", "-c", "\"$0\" dolt start && kill -HUP 0; exit 7", env!("CARGO_BIN_EXE_gt")]);
    town.seal(&mut shell);
    shell.current_dir(&town.root);
    // 7: whoever runs the tests ignores HUP (nohup does), and a shell cannot undo that.
    let ended = run(shell);
    assert!([-1, 7].contains(&ended.code), "the shell sent its group a HUP: {ended:#?}");
    let pid = town.pid();
    assert!(is_alive(pid));
    assert_eq!(town.status()["state"], "running");
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    assert_eq!(
        (fields[2], fields[3]),
        (pid.to_string().as_str(), pid.to_string().as_str()),
        "own group and session"
    );
}
