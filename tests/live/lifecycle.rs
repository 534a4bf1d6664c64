//! The good paths: start, status, sql, restart, stop, on both pinned versions of Dolt.

use crate::support::{Dolt, TestTown, free_port, is_alive};

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
