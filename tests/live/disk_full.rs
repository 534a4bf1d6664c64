//! A disk that fills up at any moment: old files stay whole, and nothing is left running unless it is said.

use std::fs;

use crate::support::{TestTown, free_port, is_alive};

#[test]
fn f08_a_full_disk_under_daemon_leaves_whole_files_and_no_server_wherever_it_strikes() {
    let town = TestTown::with(&["hq"]);
    town.up();
    town.gt(&["dolt", "stop"]).ok();
    let mut refused = 0;
    for after in 0.. {
        let ran = town.gt_on_full_disk("daemon", after, &["dolt", "start"]);
        town.json("daemon/dolt-state.json");
        town.json("daemon/gt-server.json");
        let left: Vec<_> =
            fs::read_dir(town.file("daemon")).unwrap().flatten().map(|e| e.file_name()).collect();
        assert!(!left.iter().any(|n| n.to_string_lossy().contains(".tmp.")), "{left:?}");
        if ran.code == 0 {
            // Only the last note was not written: the server answers, so the start has not failed. It says so.
            ran.says("gt-server.json").says("No space left on device");
            break;
        }
        let ran = ran.fails(1).error_begins_with("/daemon/").says("No space left on device");
        assert!(ran.err.contains("cannot write") || ran.err.contains("open the log"), "{ran:?}");
        town.nothing_runs();
        refused += 1;
    }
    assert!(refused >= 8, "record, PID file and state file are each written and synced: {refused}");
    let pid = town.pid();
    assert!(is_alive(pid));
    town.gt(&["dolt", "start"]).ok();
    assert_eq!(town.pid(), pid);
    town.gt(&["dolt", "stop"]).ok();
    town.nothing_runs();
}

#[test]
fn f08b_a_full_disk_under_dolt_data_keeps_the_old_configuration() {
    let town = TestTown::with(&["hq"]);
    town.up();
    town.gt(&["dolt", "stop"]).ok();
    let before = town.read(".dolt-data/config.yaml");

    // Unchanged: not written, so a full disk is no obstacle.
    town.gt_on_full_disk(".dolt-data", 0, &["dolt", "start"]).ok();
    town.gt(&["dolt", "stop"]).ok();

    let other = free_port();
    town.set_daemon_port(other);
    for after in 0..2 {
        let ran = town.gt_on_full_disk(".dolt-data", after, &["dolt", "start"]).fails(1);
        ran.error_begins_with(".dolt-data/config.yaml").says("No space left on device");
        assert_eq!(town.read(".dolt-data/config.yaml"), before);
        town.nothing_runs();
    }
    town.gt(&["dolt", "start"]).ok().says(&format!("port {other}"));
}

#[test]
fn f08_a_rig_that_cannot_be_registered_is_not_half_there() {
    let town = TestTown::with(&["hq"]);
    for up in [false, true] {
        if up {
            town.up();
        }
        let before = (town.read("mayor/rigs.json"), town.file(".beads/routes.jsonl").exists());
        let ran = town.gt_on_full_disk("mayor", 0, &["rig", "add", "gastown"]).fails(1);
        ran.error_begins_with("mayor/rigs.json").says("No space left on device").never_says("put back");
        assert_eq!((town.read("mayor/rigs.json"), town.file(".beads/routes.jsonl").exists()), before);
        assert!(!town.file("gastown").exists() && !town.database("gastown").exists(), "server up: {up}");
    }
    town.gt(&["rig", "add", "gastown"]).ok();
    assert!(town.sql("gastown", "select 1 as one").contains("one"));
}

#[test]
fn f08_a_full_disk_keeps_no_server_from_being_stopped() {
    let town = TestTown::with(&["hq"]);
    for after in 0..6 {
        let pid = town.up();
        let stopped = town.gt_on_full_disk("daemon", after, &["dolt", "stop"]).ok();
        stopped.says(&format!("(was PID {pid})")).says("No space left on device");
        assert!(!is_alive(pid));
        town.nothing_runs();
        town.json("daemon/dolt-state.json");
    }
    town.gt(&["dolt", "start"]).ok();
}

#[test]
fn f08_shared_files_are_whole_after_a_full_disk() {
    let town = TestTown::with(&["hq", "alpha"]);
    town.write(".beads/routes.jsonl", "# ours\n");
    town.gt(&["rig", "add", "alpha"]).ok();
    let before = town.snapshot();
    let port = free_port().to_string();
    for after in 0..2 {
        let ran = town.gt_on_full_disk("mayor", after, &["dolt", "config", "--set-port", &port]).fails(1);
        ran.error_begins_with("mayor/daemon.json").says("No space left on device");
        town.gt_on_full_disk("mayor", after, &["rig", "remove", "alpha"])
            .fails(1)
            .error_begins_with("mayor/rigs.json");
        town.gt_on_full_disk(".beads", after, &["rig", "remove", "alpha"])
            .fails(1)
            .error_begins_with("routes.jsonl");
    }
    town.unchanged_since(&before);
}
