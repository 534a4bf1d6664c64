//! Files that are broken, missing, unwritable, or say the wrong thing.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Ran, TestTown, bd, free_port, is_alive, run};

fn json_of(town: &TestTown, file: &str) -> Value {
    serde_json::from_str(&town.read(file)).unwrap_or_else(|e| panic!("{file}: {e}: {}", town.read(file)))
}

fn state_of(town: &TestTown) -> Value {
    town.gt(&["dolt", "status", "--json"]).ok().json()
}

#[track_caller]
fn nothing_runs(town: &TestTown) {
    assert_eq!(state_of(town)["pid"], Value::Null);
    assert!(!town.file("daemon/dolt.pid").exists(), "{:?}", fs::read(town.file("daemon/dolt.pid")));
    assert!(std::net::TcpListener::bind(("127.0.0.1", town.port)).is_ok(), "the port is taken");
}

fn cut(town: &TestTown, file: &str) {
    let text = town.read(file);
    town.write(file, &text[..20]);
}

#[test]
fn f06_a_truncated_state_file_is_rebuilt_from_the_living_server() {
    let town = TestTown::with(&["hq", "alpha"]);
    let pid = town.up();
    let whole = json_of(&town, "daemon/dolt-state.json");
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
    let rebuilt = json_of(&town, "daemon/dolt-state.json");
    for field in ["running", "pid", "port", "data_dir", "databases"] {
        assert_eq!(rebuilt[field], whole[field], "{field}");
    }
    assert_eq!(town.read("daemon/dolt-state.json.bad"), broken);

    cut(&town, "daemon/dolt-state.json");
    town.gt(&["dolt", "stop"]).ok();
    assert_eq!(json_of(&town, "daemon/dolt-state.json")["running"], false);
}

#[test]
fn f06_a_truncated_record_of_our_own_does_not_matter_either() {
    let town = TestTown::with(&["hq"]);
    let pid = town.up();
    cut(&town, "daemon/gt-server.json");
    assert_eq!(state_of(&town)["pid"], pid);
    town.gt(&["dolt", "start"]).ok();
    town.gt(&["dolt", "stop"]).ok().says(&format!("(was PID {pid})"));
    nothing_runs(&town);
}

#[test]
fn f08_a_full_disk_under_daemon_leaves_whole_files_and_no_server_wherever_it_strikes() {
    let town = TestTown::with(&["hq"]);
    town.up();
    town.gt(&["dolt", "stop"]).ok();
    let mut refused = 0;
    for after in 0.. {
        let ran = town.gt_on_full_disk("daemon", after, &["dolt", "start"]);
        json_of(&town, "daemon/dolt-state.json");
        json_of(&town, "daemon/gt-server.json");
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
        nothing_runs(&town);
        refused += 1;
    }
    assert!(refused >= 8, "record, PID file and state file are each written and synced: {refused}");
    let pid = town.pid();
    assert!(is_alive(pid));
    town.gt(&["dolt", "start"]).ok();
    assert_eq!(town.pid(), pid);
    town.gt(&["dolt", "stop"]).ok();
    nothing_runs(&town);
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
        nothing_runs(&town);
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
    for after in [0, 1, 3, 4, 7] {
        let pid = town.up();
        let stopped = town.gt_on_full_disk("daemon", after, &["dolt", "stop"]).ok();
        stopped.says(&format!("(was PID {pid})")).says("No space left on device");
        assert!(!is_alive(pid));
        nothing_runs(&town);
        json_of(&town, "daemon/dolt-state.json");
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

#[test]
fn f13_a_log_that_cannot_be_written_is_named() {
    let town = TestTown::with(&["hq"]);
    fs::create_dir_all(town.file("daemon/dolt.log")).unwrap();
    town.gt(&["dolt", "start"]).fails(1).error_begins_with("daemon/dolt.log").says("Is a directory");
    nothing_runs(&town);
    town.gt(&["dolt", "logs"]).fails(1).error_begins_with("daemon/dolt.log");
}

#[test]
fn f09a_a_data_directory_behind_a_symlink_is_as_good_as_any() {
    let town = TestTown::with(&["hq", "alpha"]);
    let elsewhere = town.outside().join("d");
    fs::rename(town.file(".dolt-data"), &elsewhere).unwrap();
    symlink("../d", town.file(".dolt-data")).unwrap();
    let pid = town.up();
    assert_eq!(state_of(&town)["pid"], pid);
    town.gt(&["dolt", "start"]).ok().says(&format!("(PID {pid},"));
    town.gt(&["dolt", "init-rig", "beta"]).ok();
    assert!(elsewhere.join("beta/.dolt/noms/manifest").is_file());
    town.gt(&["dolt", "stop"]).ok();
    nothing_runs(&town);
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
    nothing_runs(&town);
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

fn bd_in(town: &TestTown, rig: &str, args: &[&str]) -> Ran {
    let mut command = Command::new(bd());
    command.args(args);
    town.seal(&mut command);
    command.current_dir(town.file(rig)).env("PWD", town.file(rig)).env("BD_NON_INTERACTIVE", "1");
    run(command)
}

const BD_INIT: [&str; 7] =
    ["init", "--server", "--prefix", "gt", "--reinit-local", "--skip-agents", "--skip-hooks"];

#[test]
fn f36_after_a_change_of_port_bd_still_finds_the_server() {
    let town = TestTown::with(&["hq"]);
    town.gt(&["rig", "add", "gastown"]).ok();
    town.up();
    bd_in(&town, "gastown", &BD_INIT).ok();
    bd_in(&town, "gastown", &["create", "Survive the move", "-p", "1"]).ok();
    bd_in(&town, "gastown", &["list"]).ok().says("Survive the move");

    let moved = free_port();
    town.set_daemon_port(moved);
    town.gt(&["dolt", "restart"]).ok();
    town.gt(&["dolt", "fix-metadata"]).ok();
    assert_eq!(town.read("gastown/.beads/dolt-server.port"), moved.to_string());
    let metadata = json_of(&town, "gastown/.beads/metadata.json");
    assert_eq!(metadata["dolt_server_port"], moved);
    assert!(metadata["project_id"].is_string(), "what bd wrote is kept: {metadata}");
    bd_in(&town, "gastown", &["list"]).ok().says("Survive the move");
    bd_in(&town, "gastown", &["create", "And write"]).ok();

    // `gt up` does both at once.
    let again = free_port();
    town.gt(&["down"]).ok();
    town.gt(&["dolt", "config", "--set-port", &again.to_string()]).ok();
    town.gt(&["up"]).ok();
    bd_in(&town, "gastown", &["list"]).ok().says("And write");
}

#[test]
fn f36_bd_accepts_a_town_that_gt_made() {
    let town = TestTown::with(&[]);
    let root = town.outside().join("my town");
    let root = root.to_str().unwrap();
    let at = |args: &[&str]| town.gt(&[&["--town", root], args].concat());
    town.gt(&["install", root, "--dolt-port", &free_port().to_string()]).ok();
    let added = at(&["rig", "add", "gastown"]).ok();
    at(&["up"]).ok();
    // The words that rig add gives for it.
    let told = added.out.lines().find_map(|l| l.split_once("For bd, once the server is up: ")).unwrap().1;
    let told = told.replace("bd init", &format!("{} init --skip-agents --skip-hooks", bd().display()));
    let mut shell = Command::new("sh");
    shell.args(["-c", &told]);
    town.seal(&mut shell);
    shell.current_dir(root).env("PWD", root).env("BD_NON_INTERACTIVE", "1");
    run(shell).ok();
    let rig = format!("{root}/gastown");
    bd_in(&town, &rig, &["create", "Made in a town", "-p", "1"]).ok().says("gt-");
    bd_in(&town, &rig, &["list"]).ok().says("Made in a town");
    let seen = at(&["dolt", "sql", "--db", "gastown", "-q", "select title from issues"]).ok();
    seen.says("Made in a town");
    at(&["down"]).ok();
}

#[test]
fn f36_the_towns_own_issues_and_the_routes_to_the_rigs_work_for_bd() {
    let town = TestTown::with(&["hq"]);
    town.write(".beads/routes.jsonl", "{\"prefix\":\"hq-\",\"path\":\".\"}\n");
    town.gt(&["rig", "add", "gastown"]).ok();
    town.gt(&["up"]).ok().says("Pointed at it: hq");
    bd_in(&town, "gastown", &BD_INIT).ok();
    let for_hq = BD_INIT.map(|word| if word == "gt" { "hq" } else { word });
    bd_in(&town, ".", &for_hq).ok();
    bd_in(&town, ".", &["create", "Of the town"]).ok().says("hq-");
    let made = bd_in(&town, "gastown", &["create", "Of the rig", "--json"]).ok().json();
    let id = made["id"].as_str().unwrap();
    bd_in(&town, ".", &["list"]).ok().says("Of the town").never_says("Of the rig");
    bd_in(&town, ".", &["show", id]).ok().says("Of the rig");
    town.gt(&["up"]).ok();
    bd_in(&town, ".", &["show", id]).ok().says("Of the rig");
}

#[test]
fn f36_a_rig_that_cannot_be_pointed_at_the_server_is_named_by_up() {
    let town = TestTown::with(&["hq", "alpha", "beta"]);
    for rig in ["alpha", "beta"] {
        town.gt(&["rig", "add", rig]).ok();
    }
    fs::remove_file(town.file("alpha/.beads/metadata.json")).unwrap();
    fs::create_dir(town.file("alpha/.beads/metadata.json")).unwrap();
    town.write("beta/.beads/metadata.json", "{bad");
    let up =
        town.gt(&["up"]).ok().says("Warning: alpha is not pointed at it").says("alpha/.beads/metadata.json");
    up.says("Warning: a broken metadata.json of beta was kept as").says("Pointed at it: hq, beta");
    assert_eq!(json_of(&town, "beta/.beads/metadata.json")["dolt_database"], "beta");
    town.gt(&["--exit-code", "dolt", "fix-metadata"]).fails(1).says("alpha");
}

#[test]
fn f36_issues_that_bd_keeps_itself_are_not_hidden_by_pointing_bd_elsewhere() {
    let town = TestTown::with(&["hq", "gastown"]);
    fs::create_dir_all(town.file("gastown")).unwrap();
    bd_in(
        &town,
        "gastown",
        &["init", "--prefix", "gt", "--database", "gastown", "--skip-agents", "--skip-hooks"],
    )
    .ok();
    bd_in(&town, "gastown", &["create", "Only here"]).ok();
    let metadata = town.read("gastown/.beads/metadata.json");
    town.gt(&["up"]).ok();
    town.gt(&["dolt", "fix-metadata"]).ok().says("left alone").says("embeddeddolt");
    town.gt(&["rig", "add", "gastown"]).fails(1).error_begins_with("embeddeddolt");
    assert_eq!(town.read("gastown/.beads/metadata.json"), metadata);
    bd_in(&town, "gastown", &["list"]).ok().says("Only here");
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
    let real = state_of(&town)["started_at"].as_str().unwrap().to_owned();
    for file in ["daemon/dolt-state.json", "daemon/gt-server.json"] {
        let mut content = json_of(&town, file);
        content["started_at"] = json!("2099-01-01T00:00:00Z");
        town.write(file, &content.to_string());
    }
    town.gt(&["dolt", "status"]).ok().says("s ago)").never_says("2099");
    assert_eq!(state_of(&town)["started_at"], real);
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
    assert_eq!(json_of(&town, "alpha/.beads/metadata.json")["dolt_server_port"], town.port);
    assert_eq!(town.read("beta/.beads/metadata.json.bad"), "{bad");
    assert_eq!(json_of(&town, "beta/.beads/metadata.json")["dolt_database"], "beta");

    let before = town.snapshot();
    town.gt(&["dolt", "fix-metadata"]).ok().says("nothing to change");
    town.unchanged_since(&before);
    assert!(!Path::new(&town.file("beta/.beads/metadata.json.bad.1")).exists());
}
