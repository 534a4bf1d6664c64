//! `gt dolt config`: every setting with its source, every refusal with value and source.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::sealed::{Sealed, read, write};

const CONFIG: [&str; 3] = ["dolt", "config", "--explain"];

#[test]
fn without_any_source_the_defaults_are_named_as_such() {
    let sealed = Sealed::new();
    let root = sealed.town(&[]);
    let ran = sealed.gt(&root, &CONFIG).ok();
    for line in [
        "port            3307 ",
        "host            127.0.0.1",
        "log level       warning",
        "wait timeout    30 s",
        "stop grace      30 s",
    ] {
        assert!(ran.out.contains(line) && ran.out.contains("default"), "{line}: {ran:#?}");
    }
    assert!(!root.join("daemon").exists() && !root.join(".dolt-data").exists(), "a look makes nothing");
}

#[test]
fn the_port_names_the_place_that_decided() {
    let sealed = Sealed::new();
    let root = sealed.town(&[]);
    let port = |env: &[(&str, &str)]| {
        let got = sealed.gt_with(&root, env, &["--json", "dolt", "config"]).ok().json();
        (got["port"].as_u64().unwrap(), got["port_source"].as_str().unwrap().to_owned())
    };
    assert_eq!(port(&[("GT_DOLT_PORT", "23105")]), (23_105, "environment variable GT_DOLT_PORT".into()));
    assert_eq!(port(&[("GT_DOLT_PORT", "")]).1, "default");
    write(&root.join("mayor/daemon.json"), r#"{"env":{"GT_DOLT_PORT":23102}}"#);
    assert_eq!(port(&[]), (23_102, "mayor/daemon.json (env.GT_DOLT_PORT)".into()));
    let generated = "# Dolt SQL server configuration — managed by Gas Town\nlistener:\n  port: 23103\n";
    write(&root.join(".dolt-data/config.yaml"), generated);
    assert_eq!(port(&[]).0, 23_102, "the port of the last start yields");
    fs::remove_file(root.join("mayor/daemon.json")).unwrap();
    assert_eq!(port(&[]), (23_103, ".dolt-data/config.yaml (kept from the last start)".into()));
    write(&root.join(".dolt-data/config.yaml"), "listener:\n  port: 23104\n");
    assert_eq!(port(&[]), (23_104, ".dolt-data/config.yaml (listener.port)".into()));
}

#[test]
fn values_that_cannot_be_used_are_refused_with_their_source() {
    let sealed = Sealed::new();
    let root = sealed.town(&["hq"]);
    let cases = [
        ("GT_DOLT_PORT", "abc", "port \"abc\" from environment variable GT_DOLT_PORT: not a whole number"),
        ("GT_DOLT_PORT", "0", "a port is 1 to 65535"),
        ("GT_DOLT_PORT", "65536", "a port is 1 to 65535"),
        ("GT_DOLT_LOGLEVEL", "loud", "log level \"loud\" from environment variable GT_DOLT_LOGLEVEL"),
        ("GT_DOLT_WAIT_TIMEOUT", "soon", "wait timeout \"soon\""),
        ("GT_DOLT_STOP_GRACE", "-1", "stop grace \"-1\""),
    ];
    for (name, value, says) in cases {
        let ran = sealed.gt_with(&root, &[(name, value)], &CONFIG).fails(1).says(says);
        assert!(ran.out.contains("refused") && ran.out.contains("invalid"), "{ran:#?}");
        sealed.gt_with(&root, &[(name, value)], &["--exit-code", "dolt", "config"]).fails(7);
        // A bad setting keeps nobody from looking.
        sealed.gt_with(&root, &[(name, value)], &["dolt", "status"]).ok();
        if name != "GT_DOLT_STOP_GRACE" {
            sealed
                .gt_with(&root, &[(name, value)], &["dolt", "start"])
                .fails(1)
                .refuses_with("Error: ")
                .says(says);
        }
    }
}

#[test]
fn sources_that_disagree_are_both_named() {
    let sealed = Sealed::new();
    let root = sealed.town(&["hq"]);
    write(&root.join("mayor/daemon.json"), r#"{"env":{"GT_DOLT_PORT":"23102"}}"#);
    let env = [("GT_DOLT_PORT", "23103")];
    let refusal = "Error: two different ports: 23103 from environment variable GT_DOLT_PORT, 23102 from mayor/daemon.json (env.GT_DOLT_PORT)\n";
    sealed.gt_with(&root, &env, &["dolt", "start"]).fails(1).refuses_with(refusal).says("--set-port");
    sealed.gt_with(&root, &env, &CONFIG).fails(1).refuses_with(refusal).says("in conflict");
    sealed.gt_with(&root, &[("GT_DOLT_PORT", "23102")], &CONFIG).ok().says("agrees");
}

#[test]
fn set_port_edits_one_value_and_keeps_the_rest_and_the_mode() {
    let sealed = Sealed::new();
    let root = sealed.town(&[]);
    let file = root.join("mayor/daemon.json");
    sealed.gt(&root, &["dolt", "config", "--set-port", "23101"]).ok().says("mayor/daemon.json");
    assert!(read(&file).contains("\"GT_DOLT_PORT\": \"23101\""));
    write(&file, r#"{"x":12345678901234567890,"env":{"TOKEN":"secret","GT_DOLT_PORT":"1"}}"#);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let set = sealed.gt(&root, &["--json", "dolt", "config", "--set-port", "23102"]).ok().json();
    assert_eq!((&set["port"], &set["changed"]), (&json!(23102), &json!(true)));
    let text = read(&file);
    assert!(text.contains("12345678901234567890") && text.contains("\"TOKEN\": \"secret\""), "{text}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    sealed.gt(&root, &["dolt", "config", "--set-port", "23102", "--explain"]).ok().says("23102");

    for bad in ["0", "65536", "x", "-1"] {
        sealed.gt(&root, &["dolt", "config", &format!("--set-port={bad}")]).fails(1);
    }
    assert_eq!(read(&file), text);
    write(&file, "{broken");
    sealed.gt(&root, &["dolt", "config", "--set-port", "23103"]).fails(1).says("it was not touched");
    assert_eq!(read(&file), "{broken");
}

#[test]
fn the_password_is_never_shown() {
    let sealed = Sealed::new();
    let root = sealed.town(&["hq"]);
    let env = [("GT_DOLT_PASSWORD", "hunter2"), ("GT_DOLT_USER", "homer"), ("GT_LOG", "trace")];
    for args in [&CONFIG[..], &["--json", "dolt", "config"], &["dolt", "status"], &["dolt", "start"]] {
        let ran = sealed.gt_with(&root, &env, args);
        assert!(!ran.out.contains("hunter2") && !ran.err.contains("hunter2"), "{ran:#?}");
    }
    sealed.gt_with(&root, &env, &CONFIG).ok().says("homer");
}

#[test]
fn the_operators_env_file_gives_the_log_level_only() {
    let sealed = Sealed::new();
    let root = sealed.town(&[]);
    write(&root.join("daemon/daemon.env"), "# x\nexport GT_DOLT_LOGLEVEL=\"debug\"\nGT_DOLT_PORT=1\n");
    let got = sealed.gt(&root, &["--json", "dolt", "config"]).ok().json();
    assert_eq!((&got["log_level"], &got["port_source"]), (&json!("debug"), &json!("default")));
    let got =
        sealed.gt_with(&root, &[("GT_DOLT_LOGLEVEL", "info")], &["--json", "dolt", "config"]).ok().json();
    assert_eq!(got["log_level"], "info");
}
