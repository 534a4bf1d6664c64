//! The good paths: start, status, sql, restart, stop, on both pinned versions of Dolt.

use crate::support::{Dolt, TestTown, free_port, is_alive, run};

#[test]
fn a_server_starts_answers_and_stops_on_both_versions_of_dolt() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let town = TestTown::build(dolt, &["hq", "alpha", "a-b"], free_port());
        let started = town.gt(&["dolt", "start"]).ok().says("All 3 databases verified");
        assert!(started.out.contains(&format!("port {}", town.port)), "{started:?}");
        let pid = town.pid();
        assert!(town.sql("a-b", "show databases").contains("| a-b "));
        let status = town.gt(&["dolt", "status", "--json", "--exit-code"]).ok().json();
        assert_eq!(status["state"], "running");
        assert_eq!(status["pid"], pid);
        assert_eq!(status["served"].as_array().unwrap().len(), 3);
        town.gt(&["dolt", "stop"]).ok().says(&format!("(was PID {pid})"));
        assert!(!is_alive(pid));
        town.gt(&["dolt", "stop"]).fails(1).error_begins_with("Dolt server is not running");
        let state: serde_json::Value = serde_json::from_str(&town.read("daemon/dolt-state.json")).unwrap();
        assert_eq!((&state["running"], &state["pid"]), (&false.into(), &0.into()));
        assert_eq!(state["port"], town.port, "the rest stays as history");
    }
}

#[test]
fn every_verb_of_a_living_server_prints_one_json_object() {
    let town = TestTown::with(&["hq"]);
    let cases: [(&[&str], &[&str]); 16] = [
        (&["dolt", "start"], &["pid", "port", "port_source", "databases", "was_running", "took_ms"]),
        (&["dolt", "start"], &["pid", "was_running", "connection", "data_dir", "missing"]),
        (&["dolt", "wait"], &["pid", "port", "databases", "waited_ms"]),
        (&["dolt", "status"], &["state", "pid", "port", "started_at", "served", "latency_us", "evidence"]),
        (&["status"], &["name", "town", "server", "rigs", "problems"]),
        (&["dolt", "logs"], &["log", "lines"]),
        (&["dolt", "dump"], &["pid", "process", "connections", "threads", "log"]),
        (&["dolt", "ps"], &["servers"]),
        (&["dolt", "config"], &["port", "port_source", "running_port"]),
        (&["dolt", "init-rig", "alpha"], &["database", "outcome", "path"]),
        (&["dolt", "sql", "-q", "select 1"], &["results"]),
        (&["dolt", "kill-imposters"], &["imposters", "ended", "dry_run"]),
        (&["dolt", "restart"], &["pid", "old_pid", "port"]),
        (&["dolt", "stop"], &["pid", "killed", "took_ms"]),
        (&["up"], &["pid", "metadata_changed"]),
        (&["down"], &["pid", "killed"]),
    ];
    for (args, fields) in cases {
        let got = town.gt(&[&["--json"], args].concat()).ok().json();
        let command =
            args.iter().take(2).filter(|w| !w.starts_with('-')).copied().collect::<Vec<_>>().join(" ");
        assert_eq!((&got["version"], &got["command"]), (&1.into(), &command.into()), "{got}");
        for field in fields {
            assert!(got.get(*field).is_some(), "{args:?}: {field}: {got}");
        }
    }
}

#[test]
fn a_restart_with_a_setting_that_no_start_would_take_leaves_the_server_running() {
    let town = TestTown::with(&["hq"]);
    let pid = town.up();
    for (name, value) in [("GT_DOLT_LOGLEVEL", "loud"), ("GT_DOLT_WAIT_TIMEOUT", "soon")] {
        let mut restart = town.command(&["dolt", "restart"]);
        restart.env(name, value);
        run(restart).fails(1).error_begins_with(value).says(name);
        assert!(is_alive(pid), "{name}={value} stopped the server");
    }
    let later = town.gt(&["dolt", "restart"]).ok().says("restarted");
    assert!(later.out.contains(&town.pid().to_string()) && town.pid() != pid, "{later:?}");
}
