//! `gt quickstart` with a server, and what else runs a program in the foreground: all of it shown, nothing of it left, Ctrl-C or
//! not.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::support::{Running, TestTown, fake_dolt, is_alive, run, signal, wait_until};

/// `gt quickstart` with a directory of its own for temporary files.
fn quickstart(town: &TestTown) -> (Command, PathBuf) {
    let temporary = town.outside().join("tmp");
    fs::create_dir_all(&temporary).unwrap();
    let mut command = town.command(&["quickstart"]);
    command.current_dir(town.outside()).env("PWD", town.outside()).env("TMPDIR", &temporary);
    (command, temporary)
}

fn entries(dir: &PathBuf) -> Vec<PathBuf> {
    fs::read_dir(dir).unwrap().flatten().map(|e| e.path()).collect()
}

#[test]
fn the_quickstart_shows_a_whole_life_and_leaves_nothing() {
    let town = TestTown::with(&[]);
    let (command, temporary) = quickstart(&town);
    let shown = run(command).ok();
    let steps = [
        "✓ Town quickstart at ",
        "✓ Rig app added",
        "✓ Closed app-1",
        "A server comes up on the same files",
        "✓ Dolt server started (PID ",
        "● Dolt server is running (PID ",
        "✓ Closed app-2",
        "| app-3 | open ",
        "✓ Dolt server stopped (was PID ",
        "A town of your own: gt install ~/gt",
    ];
    let mut rest = shown.out.as_str();
    for step in steps {
        rest = rest.split_once(step).unwrap_or_else(|| panic!("{step:?} is not next: {shown:#?}")).1;
    }
    assert_eq!(entries(&temporary), Vec::<PathBuf>::new());
}

#[test]
fn the_quickstart_leaves_its_town_where_it_was_told_to_and_no_server() {
    let town = TestTown::with(&[]);
    let place = town.outside().join("quick");
    town.gt(&["quickstart", place.to_str().unwrap()]).ok().says("And it goes down cleanly");
    let mut command = Command::new(env!("CARGO_BIN_EXE_gt"));
    command.args(["--town", place.to_str().unwrap(), "dolt", "status"]);
    town.seal(&mut command);
    run(command).ok().says("not running");
}

#[test]
fn a_quickstart_that_is_interrupted_leaves_neither_a_server_nor_a_town() {
    let town = TestTown::with(&[]);
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let (command, temporary) = quickstart(&town);
        let quickstart = Running::of(command);
        let mut server = None;
        wait_until("the quickstart has a server", || {
            let pid_file = |d: &PathBuf| fs::read_to_string(d.join("town/daemon/dolt.pid")).ok();
            server = entries(&temporary).iter().find_map(pid_file).and_then(|text| text.parse::<i32>().ok());
            server.is_some()
        });
        signal(quickstart.pid(), name);
        quickstart.end().fails(code).says("Error: interrupted: no server is left");
        assert!(!is_alive(server.unwrap()));
        assert_eq!(entries(&temporary), Vec::<PathBuf>::new());
    }
}

#[test]
fn ctrl_c_is_for_the_shell_in_the_foreground_and_does_not_leave_it_alone() {
    let mut town = TestTown::with(&["hq"]);
    let shell = r"
trap 'echo interrupted >> ../calls' INT
trap 'echo told to end >> ../calls; exit 1' TERM
echo here >> ../calls
while :; do sleep 0.01; done";
    let fake = fake_dolt(town.dolt, shell);
    town.first_on_path(fake.path());
    let calls = town.file("calls");
    let called = |what: &str| fs::read_to_string(&calls).unwrap_or_default().contains(what);
    let mut sql = town.begin(&["dolt", "sql", "-q", "select 1"]);
    wait_until("the shell runs", || called("here"));
    signal(sql.pid(), "INT");
    // Whoever is told to end passes it on; that it does so shows that the first signal has not ended it.
    signal(sql.pid(), "TERM");
    wait_until("the shell is told to end", || called("told to end"));
    assert!(!called("interrupted"), "the terminal tells it, not we");
    wait_until("it ends with its shell", || sql.has_ended());
    sql.end().fails(143);
}
