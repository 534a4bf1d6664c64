//! `--json`: one object per command, with `version` and `command`, also when the command fails.

use serde_json::{Value, json};

use crate::sealed::{Sealed, write};

fn keys(object: &Value) -> Vec<&str> {
    object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .filter(|k| *k != "version" && *k != "command")
        .collect()
}

#[test]
fn every_verb_that_works_without_dolt_prints_one_object_with_these_fields() {
    let sealed = Sealed::new();
    let root = sealed.town(&["hq", "alpha"]);
    let man = sealed.path().join("man");
    let man = man.to_str().unwrap();
    let cases: Vec<(Vec<&str>, &str, Vec<&str>)> = vec![
        (vec!["install", "."], "install", vec!["database", "dolt_missing", "made", "name", "town"]),
        (
            vec!["rig", "add", "alpha"],
            "rig add",
            vec!["beads", "database", "database_existed", "port", "prefix", "rig"],
        ),
        (vec!["rig", "list"], "rig list", vec!["rigs"]),
        (vec!["rig", "remove", "alpha"], "rig remove", vec!["prefix", "rig", "stays"]),
        (vec!["status"], "status", vec!["name", "problems", "rigs", "server", "town"]),
        (vec!["down"], "down", vec!["pid"]),
        (vec!["dolt", "list"], "dolt list", vec!["data_dir", "databases", "half_made"]),
        (vec!["dolt", "init"], "dolt init", vec!["broken", "databases", "orphans"]),
        (vec!["dolt", "init-rig", "hq"], "dolt init-rig", vec!["database", "moved_aside", "outcome", "path"]),
        (vec!["dolt", "fix-metadata"], "dolt fix-metadata", vec!["rigs"]),
        (vec!["dolt", "config", "--set-port", "23199"], "dolt config", vec!["changed", "file", "port"]),
        (
            vec!["dolt", "kill-imposters"],
            "dolt kill-imposters",
            vec!["dry_run", "ended", "imposters", "left_alone"],
        ),
        (vec!["dolt", "ps"], "dolt ps", vec!["servers"]),
        (vec!["completions", "bash"], "completions", vec!["script", "shell"]),
        (vec!["man"], "man", vec!["page"]),
        (vec!["man", man], "man", vec!["pages"]),
    ];
    for (args, command, fields) in cases {
        let before = [&["--json"], args.as_slice()].concat();
        let after = [args.as_slice(), &["--json"]].concat();
        // A rig is added and removed once.
        let spellings =
            if matches!(command, "rig add" | "rig remove") { vec![after] } else { vec![before, after] };
        for spelling in spellings {
            let ran = sealed.gt(&root, &spelling).ok();
            let object = ran.json();
            assert_eq!((&object["version"], &object["command"]), (&json!(1), &json!(command)), "{ran:#?}");
            assert_eq!(keys(&object), fields, "{command}");
        }
    }
    let config = sealed.gt(&root, &["--json", "dolt", "config"]).ok().json();
    for field in [
        "town",
        "data_dir",
        "port",
        "port_source",
        "port_problem",
        "running_port",
        "host",
        "remote",
        "candidates",
    ] {
        assert!(config.get(field).is_some(), "{field}: {config}");
    }
    let status = sealed.gt(&root, &["--json", "dolt", "status"]).ok().json();
    for field in ["state", "pid", "port", "started_at", "data_dir", "databases", "notes"] {
        assert!(status.get(field).is_some(), "{field}: {status}");
    }
    assert_eq!((&status["state"], &status["pid"]), (&json!("down"), &Value::Null));
}

#[test]
fn a_failure_is_one_object_too_with_kind_message_hints_and_exit_code() {
    let sealed = Sealed::new();
    let root = sealed.town(&["hq"]);
    let cases: [(&[&str], &str, &str); 12] = [
        (&["dolt", "stop"], "dolt stop", "not-running"),
        (&["dolt", "start"], "dolt start", "no-dolt"),
        (&["dolt", "restart"], "dolt restart", "no-dolt"),
        (&["up"], "up", "no-dolt"),
        (&["dolt", "dump"], "dolt dump", "not-running"),
        (&["dolt", "wait", "--timeout", "0"], "dolt wait", "not-running"),
        (&["dolt", "logs"], "dolt logs", "other"),
        (&["dolt", "sql", "-q", "x"], "dolt sql", "no-dolt"),
        (&["dolt", "sql"], "dolt sql", "usage"),
        (&["rig", "add", "hq"], "rig add", "other"),
        (&["dolt", "cleanup"], "dolt cleanup", "not-yet"),
        (&["dolt"], "dolt", "usage"),
    ];
    for (args, command, kind) in cases {
        for rich in [false, true] {
            let flags: &[&str] = if rich { &["--json", "--exit-code"] } else { &["--json"] };
            let ran = sealed.gt(&root, &[flags, args].concat());
            let object = ran.json();
            assert_eq!((&object["version"], &object["command"]), (&json!(1), &json!(command)), "{ran:#?}");
            assert_eq!(object["error"]["kind"], kind, "{ran:#?}");
            assert_eq!(keys(&object["error"]), ["causes", "exit_code", "hints", "kind", "message"]);
            assert_eq!(object["error"]["exit_code"], ran.code);
            assert!(rich || ran.code == 1, "{ran:#?}");
            assert!(!object["error"]["message"].as_str().unwrap().is_empty());
        }
    }
    let outside = sealed.gt(&sealed.path(), &["--json", "status"]).fails(1).json();
    assert_eq!(outside["error"]["kind"], "no-town");
    write(&root.join("mayor/daemon.json"), "{");
    let broken = sealed.gt(&root, &["--json", "dolt", "start"]).fails(1).json();
    assert_eq!(broken["error"]["kind"], "config");
}

#[test]
fn wrong_usage_is_one_object_too() {
    let sealed = Sealed::new();
    for args in [
        &["--json", "bogus"][..],
        &["dolt", "bogus", "--json"],
        &["install", "--json"],
        &["--json", "dolt", "start", "--timeout", "x"],
    ] {
        let ran = sealed.gt(&sealed.path(), args).fails(1);
        let object = ran.json();
        assert_eq!((&object["version"], &object["error"]["kind"]), (&json!(1), &json!("usage")), "{ran:#?}");
        assert_eq!(ran.err, "");
    }
    let rich = sealed.gt(&sealed.path(), &["--json", "--exit-code", "bogus"]).fails(2).json();
    assert_eq!(rich["error"]["exit_code"], 2);
    // Help is help.
    sealed.gt(&sealed.path(), &["--json", "--help"]).ok().says("Usage: gt");
}
