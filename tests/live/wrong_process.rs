//! Section A: the files name a process, or a process has the port, and it is not this town's server. Nobody but that
//! server is ever adopted or signalled.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::process::Command;

use crate::support::{TestTown, copy_program, is_alive, run, stranger_on};

#[test]
fn f01_a_pid_file_that_names_a_stranger_is_a_note_and_the_stranger_lives_on() {
    let town = TestTown::with(&["hq"]);
    let sleeper = town.start("sleep", &["300"], &town.root);
    town.write("daemon/dolt.pid", &sleeper.pid().to_string());
    let before = town.snapshot();
    town.gt(&["dolt", "status"])
        .ok()
        .says("Dolt server is not running")
        .says(&format!("daemon/dolt.pid names PID {}", sleeper.pid()));
    assert_eq!(town.snapshot(), before, "status only looks");
    town.gt(&["dolt", "stop"]).fails(1).error_begins_with("Dolt server is not running");
    let pid = town.up();
    assert_ne!(pid, sleeper.pid());
    town.gt(&["dolt", "stop"]).ok().says(&format!("(was PID {pid})"));
    assert!(sleeper.is_alive());
}

#[test]
fn f01b_stop_ends_the_server_and_not_the_stranger_that_the_pid_file_names() {
    let town = TestTown::with(&["hq"]);
    let pid = town.up();
    let sleeper = town.start("sleep", &["300"], &town.root);
    town.write("daemon/dolt.pid", &sleeper.pid().to_string());
    let status = town.status();
    assert_eq!((&status["state"], &status["pid"]), (&"running".into(), &pid.into()));
    assert_eq!(town.read("daemon/dolt.pid"), sleeper.pid().to_string(), "status only looks");
    town.gt(&["dolt", "stop"]).ok().says(&format!("(was PID {pid})"));
    assert!(!is_alive(pid) && sleeper.is_alive());
}

#[test]
fn f01b_when_every_hint_names_a_stranger_the_lock_still_leads_to_the_server() {
    let town = TestTown::with(&["hq"]);
    let pid = town.up();
    let sleeper = town.start("sleep", &["300"], &town.database("hq"));
    fs::remove_file(town.file("daemon/gt-server.json")).unwrap();
    for hint in ["daemon/dolt.pid", "daemon/dolt-state.json", ".dolt-data/.dolt/sql-server.info"] {
        let text = town.read(hint).replace(&pid.to_string(), &sleeper.pid().to_string());
        town.write(hint, &text);
    }
    assert_eq!(town.status()["pid"], pid);
    town.gt(&["dolt", "start"]).ok().says(&format!("(PID {pid}, port {})", town.port));
    assert_eq!(town.pid(), pid, "start puts the PID file right");
    town.gt(&["dolt", "stop"]).ok();
    assert!(!is_alive(pid) && sleeper.is_alive());
}

#[test]
fn f03_a_stranger_that_stands_in_the_town_and_has_the_port_is_named_and_left_alone() {
    let town = TestTown::with(&["hq"]);
    let stranger = stranger_on(town.port, &town.root);
    let refused = town
        .gt(&["dolt", "start"])
        .fails(1)
        .error_begins_with(&format!("port {} is used by", town.port))
        .error_begins_with(&format!("(PID {}), not Dolt", stranger.pid()))
        .says("The port comes from: ");
    for file in ["daemon/dolt.pid", "daemon/dolt-state.json", ".dolt-data/config.yaml"] {
        assert!(!town.file(file).exists(), "{file} was made by a refused start");
    }
    assert_eq!(town.status()["state"], "down");
    town.gt(&["dolt", "stop"]).fails(1).error_begins_with("Dolt server is not running");
    town.gt(&["dolt", "restart"]).fails(1).error_begins_with(&format!("(PID {})", stranger.pid()));
    assert!(stranger.is_alive());
    // What it offers works.
    let offer =
        refused.err.lines().find_map(|l| l.split_once("gt dolt config --set-port ")).unwrap().1.trim();
    town.gt(&["dolt", "config", "--set-port", offer]).ok();
    town.gt(&["dolt", "start"]).ok().says(&format!("port {offer}"));
    assert!(stranger.is_alive());
}

#[test]
fn f03c_a_stranger_from_elsewhere_on_the_port_is_no_imposter() {
    let town = TestTown::with(&["hq"]);
    let stranger = stranger_on(town.port, "/".as_ref());
    town.gt(&["dolt", "start"]).fails(1).error_begins_with(&format!("(PID {}), not Dolt", stranger.pid()));
    let looked = town.gt(&["dolt", "kill-imposters", "--yes"]).fails(1);
    let looked = looked.says("No imposters found").says(&format!("(PID {}), not Dolt", stranger.pid()));
    looked.says("left alone");
    assert!(stranger.is_alive());
}

/// Town a with a running server, and town b that wants the same port and has databases of the same names.
fn two_towns_one_port() -> (TestTown, TestTown, i32) {
    let a = TestTown::with(&["hq", "alpha"]);
    let b = TestTown::build(a.dolt, &["hq", "alpha"], a.port);
    let pid = a.up();
    (a, b, pid)
}

#[test]
fn f04_the_server_of_another_town_is_not_ours_though_its_databases_have_our_names() {
    let (a, b, pid) = two_towns_one_port();
    let town_a = a.root.canonicalize().unwrap();
    b.gt(&["dolt", "start"])
        .fails(1)
        .error_begins_with(&format!("port {} is used by", b.port))
        .error_begins_with(&format!("another town, {} (PID {pid})", town_a.display()))
        .says("is free: gt dolt config --set-port");
    assert_eq!(b.status()["state"], "down");
    b.gt(&["dolt", "wait", "--timeout", "0s"]).fails(1).error_begins_with("Dolt server is not running");
    assert_eq!((a.pid(), a.servers(), b.servers()), (pid, vec![pid], vec![]));
}

#[test]
fn f38_nothing_that_is_done_in_one_town_reaches_the_server_of_another() {
    let (a, b, pid) = two_towns_one_port();
    b.gt(&["dolt", "init-rig", "newrig"]).ok().says(&b.database("newrig").display().to_string());
    assert!(b.database("newrig/.dolt/noms/manifest").is_file() && !a.database("newrig").exists());
    assert!(!a.sql("hq", "show databases").contains("newrig"));
    b.gt(&["dolt", "stop", "--force"]).fails(1).error_begins_with("Dolt server is not running");
    b.gt(&["dolt", "restart"]).fails(1).error_begins_with(&format!("(PID {pid})"));
    b.gt(&["dolt", "kill-imposters", "--yes"]).fails(1).says("left alone");
    assert_eq!((a.status()["state"].as_str(), a.servers()), (Some("running"), vec![pid]));
}

#[test]
fn f09_a_town_reached_through_a_symlink_has_one_server() {
    let town = TestTown::with(&["hq"]);
    let other_name = town.outside().join("u");
    symlink(&town.root, &other_name).unwrap();
    let there = |args: &[&str]| {
        let mut command = town.command(args);
        command.current_dir(&other_name).env("PWD", &other_name);
        run(command)
    };
    let pid = town.up();
    assert_eq!(there(&["dolt", "status", "--json"]).ok().json()["pid"], pid);
    there(&["dolt", "start"]).ok().says(&format!("(PID {pid}, ")).says("It was running already");
    town.gt(&["--town", other_name.to_str().unwrap(), "dolt", "start"]).ok().says("It was running already");
    assert_eq!(
        there(&["dolt", "ps", "--json"]).ok().json()["servers"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|s| s["is_ours"] == true)
            .count(),
        1
    );
    assert_eq!(town.servers(), [pid]);
    there(&["dolt", "stop"]).ok().says(&format!("(was PID {pid})"));
    // And the other way round.
    there(&["dolt", "start"]).ok();
    let pid = town.pid();
    town.gt(&["dolt", "start"]).ok().says("It was running already");
    assert_eq!(town.servers(), [pid]);
}

#[test]
fn f15_a_pid_file_that_names_another_towns_server_misleads_nobody() {
    let a = TestTown::with(&["hq"]);
    let b = TestTown::with(&["hq"]);
    let (pid_a, pid_b) = (a.up(), b.up());
    b.write("daemon/dolt.pid", &pid_a.to_string());
    assert_eq!(b.status()["pid"], pid_b);
    b.gt(&["dolt", "stop"]).ok().says(&format!("(was PID {pid_b})"));
    b.write("daemon/dolt.pid", &pid_a.to_string());
    b.gt(&["dolt", "status"]).ok().says("is not running").says(&format!("names PID {pid_a}"));
    b.gt(&["dolt", "stop", "--force"]).fails(1).error_begins_with("Dolt server is not running");
    assert_eq!((a.status()["pid"].as_i64(), a.servers()), (Some(pid_a.into()), vec![pid_a]));
}

#[test]
fn f41_the_pid_file_of_the_go_daemon_is_understood_and_keeps_its_nonce() {
    let town = TestTown::with(&["hq"]);
    let pid = town.up();
    let with_nonce = format!("{pid}\nabcdef0123456789");
    town.write("daemon/dolt.pid", &with_nonce);
    assert_eq!(town.status()["pid"], pid);
    town.gt(&["dolt", "start"]).ok().says("It was running already");
    assert_eq!(town.read("daemon/dolt.pid"), with_nonce);
    town.gt(&["dolt", "stop"]).ok().says(&format!("(was PID {pid})"));
    assert!(!town.file("daemon/dolt.pid").exists());
}

#[test]
fn f07_garbage_in_the_pid_file_is_said_and_nothing_is_signalled() {
    let town = TestTown::with(&["hq"]);
    let bad = ["abc", "-1", "0", "1", "", "99999999999999999999"];
    for text in bad {
        town.write("daemon/dolt.pid", text);
        town.gt(&["dolt", "status"])
            .ok()
            .says("is not running")
            .says(&format!("holds {text:?}, which is no PID"));
        town.gt(&["dolt", "stop"]).fails(1).error_begins_with("Dolt server is not running");
        assert_eq!(town.read("daemon/dolt.pid"), text, "status only looks");
    }
    let pid = town.up();
    for text in bad {
        town.write("daemon/dolt.pid", text);
        assert_eq!(town.status()["pid"], pid);
    }
    town.gt(&["dolt", "stop"]).ok().says(&format!("(was PID {pid})"));
}

#[test]
fn f23_no_helper_program_is_needed_to_find_the_server() {
    let mut town = TestTown::with(&["hq"]);
    town.set_path(town.dolt.dir().to_str().unwrap());
    let pid = town.up();
    fs::remove_file(town.file("daemon/dolt.pid")).unwrap();
    fs::remove_file(town.file("daemon/gt-server.json")).unwrap();
    assert_eq!(town.status()["pid"], pid);
    let other = TestTown::build(town.dolt, &["hq"], town.port);
    other.gt(&["dolt", "start"]).fails(1).error_begins_with(&format!("(PID {pid})"));
    town.gt(&["dolt", "stop"]).ok().says(&format!("(was PID {pid})"));
    assert!(!is_alive(pid));
}

#[test]
fn another_user_sees_that_the_server_runs_and_cannot_end_it() {
    use std::os::unix::fs::PermissionsExt;
    // Only root can become somebody else.
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return;
    }
    let town = TestTown::with(&["hq"]);
    let pid = town.up();
    fs::set_permissions(town.outside(), fs::Permissions::from_mode(0o755)).unwrap();
    let gt = town.outside().join("gt");
    copy_program(Path::new(env!("CARGO_BIN_EXE_gt")), &gt);
    let as_nobody = |args: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(&gt).args(args);
        town.seal(&mut command);
        command.current_dir(&town.root);
        run(command)
    };
    as_nobody(&["dolt", "status"])
        .ok()
        .says(&format!("Dolt server is running (PID {pid})"))
        .never_says("crashed")
        .never_says("is not this town's server");
    as_nobody(&["dolt", "sql", "-q", "select 6 * 7"]).ok().says("42");
    as_nobody(&["dolt", "stop"])
        .fails(1)
        .says("Permission denied")
        .says("repeat this as the one who owns it");
    // Without our own record (the Go tool started it) nothing can be said, and nothing wrong is.
    fs::remove_file(town.file("daemon/gt-server.json")).unwrap();
    as_nobody(&["dolt", "status"]).ok().says("runs as user 0 and may not be examined").never_says("crashed");
    assert!(is_alive(pid));
    assert_eq!(town.status()["pid"], pid);
}
