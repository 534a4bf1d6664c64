//! Files that are broken, missing, unwritable, or say the wrong thing.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;

use crate::support::{TestTown, free_port, run};

fn cut(town: &TestTown, file: &str) {
    let text = town.read(file);
    town.write(file, &text[..20]);
}

#[test]
fn f06_a_truncated_state_file_is_rebuilt_from_the_living_server() {
    let town = TestTown::with(&["hq", "alpha"]);
    let pid = town.up();
    let whole = town.json("daemon/dolt-state.json");
    cut(&town, "daemon/dolt-state.json");
    let broken = town.read("daemon/dolt-state.json");

    let status = town.gt(&["dolt", "status"]).ok();
    status
        .says(&format!("(PID {pid})"))
        .says(&format!("Port: {}", town.port))
        .says("- alpha")
        .says("cannot be understood");
    assert_eq!(town.read("daemon/dolt-state.json"), broken, "status repairs nothing");

    town.gt(&["dolt", "start"]).ok().says("All 2 databases verified").never_says("panic");
    assert_eq!(town.pid(), pid, "the server is the same");
    let rebuilt = town.json("daemon/dolt-state.json");
    for field in ["running", "pid", "port", "data_dir", "databases"] {
        assert_eq!(rebuilt[field], whole[field], "{field}");
    }
    assert_eq!(town.read("daemon/dolt-state.json.bad"), broken);

    cut(&town, "daemon/dolt-state.json");
    town.gt(&["dolt", "stop"]).ok();
    assert_eq!(town.json("daemon/dolt-state.json")["running"], false);
}

#[test]
fn f06_a_truncated_record_of_our_own_does_not_matter_either() {
    let town = TestTown::with(&["hq"]);
    let pid = town.up();
    cut(&town, "daemon/gt-server.json");
    assert_eq!(town.status()["pid"], pid);
    town.gt(&["dolt", "start"]).ok();
    town.gt(&["dolt", "stop"]).ok().says(&format!("(was PID {pid})"));
    town.nothing_runs();
}

#[test]
fn f13_a_log_that_cannot_be_written_is_named() {
    let town = TestTown::with(&["hq"]);
    fs::create_dir_all(town.file("daemon/dolt.log")).unwrap();
    town.gt(&["dolt", "start"]).fails(1).error_begins_with("daemon/dolt.log").says("Is a directory");
    town.nothing_runs();
    town.gt(&["dolt", "logs"]).fails(1).error_begins_with("daemon/dolt.log");
}

#[test]
fn f09a_a_data_directory_behind_a_symlink_is_as_good_as_any() {
    let town = TestTown::with(&["hq", "alpha"]);
    let elsewhere = town.outside().join("d");
    fs::rename(town.file(".dolt-data"), &elsewhere).unwrap();
    symlink("../d", town.file(".dolt-data")).unwrap();
    let pid = town.up();
    assert_eq!(town.status()["pid"], pid);
    town.gt(&["dolt", "start"]).ok().says(&format!("(PID {pid},"));
    town.gt(&["dolt", "init-rig", "beta"]).ok();
    assert!(elsewhere.join("beta/.dolt/noms/manifest").is_file());
    town.gt(&["dolt", "stop"]).ok();
    town.nothing_runs();
}

#[test]
fn f31_files_that_cannot_be_read_are_named_and_refuse_when_they_could_change_the_port() {
    let town = TestTown::with(&["hq"]);
    let other = free_port().to_string();
    town.write("mayor/daemon.json", "{");
    town.write(".dolt-data/config.yaml", "listener: [");
    let start = || {
        let mut command = town.command(&["dolt", "start"]);
        command.env("GT_DOLT_PORT", &other);
        run(command)
    };
    start().fails(1).error_begins_with("mayor/daemon.json").says("it was not touched");
    assert_eq!(
        (town.read("mayor/daemon.json"), town.read(".dolt-data/config.yaml")),
        ("{".into(), "listener: [".into())
    );

    // Only the memory of the last start is broken, and somebody says the port: go on, and say so.
    town.write("mayor/daemon.json", "{}");
    start().ok().says(&format!("port {other}")).says("config.yaml cannot be understood");
    town.gt(&["dolt", "stop"]).ok();

    // Nobody says it: the broken file may have.
    town.write(".dolt-data/config.yaml", "listener: [");
    town.gt(&["dolt", "start"]).fails(1).error_begins_with(".dolt-data/config.yaml");
    town.nothing_runs();
}

#[test]
fn f24_the_port_and_its_source_are_said_and_disagreement_refuses() {
    let town = TestTown::with(&["hq"]);
    let other = free_port();
    let with_env = |value: &str, args: &[&str]| {
        let mut command = town.command(args);
        command.env("GT_DOLT_PORT", value);
        run(command)
    };
    town.gt(&["dolt", "start"]).ok().says("Port from: mayor/daemon.json");
    let pid = town.pid();

    // The running server stays; what the next start would do is said.
    town.set_daemon_port(other);
    town.gt(&["dolt", "start"])
        .ok()
        .says(&format!("port {}", town.port))
        .says(&format!("the port setting is {other}"));
    with_env("23999", &["dolt", "start"])
        .ok()
        .says("the next start will refuse")
        .says("23999")
        .says("GT_DOLT_PORT");
    with_env("23999", &["dolt", "restart"]).fails(1).error_begins_with("two different ports");
    assert_eq!(town.pid(), pid, "a restart that would be refused stops nothing");
    town.gt(&["dolt", "restart"]).ok().says(&format!("port {other}"));
    town.gt(&["dolt", "stop"]).ok();

    // An agent's inherited variable alone must not move a town.
    fs::remove_file(town.file("mayor/daemon.json")).unwrap();
    with_env("23999", &["dolt", "start"])
        .fails(1)
        .error_begins_with("two different ports")
        .says("last start");
    fs::remove_file(town.file(".dolt-data/config.yaml")).unwrap();
    for bad in ["abc", "0", "99999", "-1"] {
        with_env(bad, &["dolt", "start"]).fails(1).error_begins_with(bad).says("GT_DOLT_PORT");
        assert!(!town.file(".dolt-data/config.yaml").exists(), "nothing was started");
    }
}

#[test]
fn f14_without_a_home_databases_are_made_and_served() {
    let town = TestTown::with(&["hq"]);
    for home in [None, Some("")] {
        let without_home = |args: &[&str]| {
            let mut command = town.command(args);
            // Dolt then looks into the password file for a home; the real one is none of a test's business.
            command.env("DOLT_ROOT_PATH", town.home());
            match home {
                None => command.env_remove("HOME"),
                Some(value) => command.env("HOME", value),
            };
            run(command)
        };
        let name = if home.is_none() { "x" } else { "y" };
        without_home(&["dolt", "init-rig", name]).ok().says("Initialized rig database");
        without_home(&["dolt", "start"]).ok();
        without_home(&["dolt", "sql", "--db", name, "-q", "select message from dolt_log"])
            .ok()
            .says("Initialize");
        without_home(&["dolt", "stop"]).ok();
    }
}

#[test]
fn f35_the_age_of_the_server_comes_from_the_kernel() {
    let town = TestTown::with(&["hq"]);
    town.up();
    let real = town.status()["started_at"].as_str().unwrap().to_owned();
    for file in ["daemon/dolt-state.json", "daemon/gt-server.json"] {
        let mut content = town.json(file);
        content["started_at"] = json!("2099-01-01T00:00:00Z");
        town.write(file, &content.to_string());
    }
    town.gt(&["dolt", "status"]).ok().says("s ago)").never_says("2099");
    assert_eq!(town.status()["started_at"], real);
    town.gt(&["dolt", "start"]).ok();
}

#[test]
fn f10_names_that_sql_or_a_shell_would_take_for_something_else_make_nothing() {
    let town = TestTown::with(&["hq"]);
    let long = "a".repeat(300);
    let bad = [
        "../x",
        "a/b",
        "",
        ".",
        "..",
        "hq;drop",
        "é",
        &long,
        "config.yaml",
        "-x",
        "--",
        "mysql",
        "information_schema",
        "performance_schema",
        "sys",
        "dolt_cluster",
        "Dolt",
        "HQ",
        "a b",
        "it's",
        "a\"b",
        "a`b",
        "a\nb",
    ];
    for up in [false, true] {
        if up {
            town.up();
        }
        let before = databases(&town);
        for name in bad {
            let ran = town.gt(&["dolt", "init-rig", "--", name]).fails(1).never_says("panic");
            assert!(ran.err.starts_with("Error: invalid rig name"), "{name:?}: {ran:?}");
            town.gt(&["dolt", "init-rig", name]).fails(1);
            town.gt(&["rig", "add", "--", name]).fails(1);
        }
        assert_eq!(databases(&town), before, "server up: {up}");
        let fine = if up { "Up-1" } else { &"b".repeat(64) };
        town.gt(&["dolt", "init-rig", fine]).ok();
        town.gt(&["dolt", "sql", "--db", fine, "-q", "select 1"]).ok();
    }
}

fn databases(town: &TestTown) -> Vec<String> {
    let entries = fs::read_dir(town.file(".dolt-data")).unwrap().flatten();
    let mut names: Vec<String> = entries.map(|e| e.file_name().into_string().unwrap()).collect();
    names.retain(|n| n != ".gt");
    names.sort();
    names
}

#[test]
fn f43_metadata_keeps_every_digit_and_a_broken_file_is_kept_aside() {
    let town = TestTown::with(&["hq", "alpha", "beta"]);
    for rig in ["alpha", "beta"] {
        fs::create_dir_all(town.file(rig).join(".beads")).unwrap();
    }
    town.write(
        "alpha/.beads/metadata.json",
        r#"{"big":12345678901234567890,"float":1.10,"dolt_database":"alpha"}"#,
    );
    town.write("beta/.beads/metadata.json", "{bad");
    town.gt(&["dolt", "fix-metadata"]).ok().says("metadata.json.bad");
    let text = town.read("alpha/.beads/metadata.json");
    assert!(text.contains("\"big\": 12345678901234567890,") && text.contains("\"float\": 1.10"), "{text}");
    assert_eq!(town.json("alpha/.beads/metadata.json")["dolt_server_port"], town.port);
    assert_eq!(town.read("beta/.beads/metadata.json.bad"), "{bad");
    assert_eq!(town.json("beta/.beads/metadata.json")["dolt_database"], "beta");

    let before = town.snapshot();
    town.gt(&["dolt", "fix-metadata"]).ok().says("nothing to change");
    town.unchanged_since(&before);
    assert!(!town.file("beta/.beads/metadata.json.bad.1").exists());
}
