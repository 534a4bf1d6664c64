//! Towns, as the real bd sees them.

use std::fs;
use std::process::Command;

use crate::support::{Ran, TestTown, bd, free_port, run};

fn bd_in(town: &TestTown, rig: &str, args: &[&str]) -> Ran {
    let mut command = Command::new(bd());
    command.args(args);
    town.seal(&mut command);
    command.current_dir(town.file(rig)).env("PWD", town.file(rig)).env("BD_NON_INTERACTIVE", "1");
    run(command)
}

/// The tables, made by us: the real one's `init` of a database that is there fails when it takes longer than some seconds.
fn init(town: &TestTown, rig: &str, prefix: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bd"));
    command.args(["init", "--server", "--prefix", prefix, "--skip-agents", "--skip-hooks"]);
    town.seal(&mut command);
    command.current_dir(town.file(rig)).env("PWD", town.file(rig));
    run(command).ok();
}

#[test]
fn f36_after_a_change_of_port_bd_still_finds_the_server() {
    let town = TestTown::with(&["hq"]);
    town.gt(&["rig", "add", "gastown"]).ok();
    town.up();
    init(&town, "gastown", "gt");
    bd_in(&town, "gastown", &["create", "Survive the move", "-p", "1"]).ok();
    bd_in(&town, "gastown", &["list"]).ok().says("Survive the move");

    let moved = free_port();
    town.set_daemon_port(moved);
    town.gt(&["dolt", "restart"]).ok();
    town.gt(&["dolt", "fix-metadata"]).ok();
    assert_eq!(town.read("gastown/.beads/dolt-server.port"), moved.to_string());
    let metadata = town.json("gastown/.beads/metadata.json");
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
    // The words that rig add gives for it; no server is needed.
    let told = added.out.lines().find_map(|l| l.split_once("Issues:   ")).unwrap().1;
    let gt = env!("CARGO_BIN_EXE_gt");
    let told = told.replace("gt bd init", &format!("{gt} bd init --skip-agents --skip-hooks"));
    let mut shell = Command::new("sh");
    shell.args(["-c", &told]);
    town.seal(&mut shell);
    shell.current_dir(root).env("PWD", root).env("BD_NON_INTERACTIVE", "1");
    run(shell).ok();
    at(&["up"]).ok();
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
    init(&town, "gastown", "gt");
    init(&town, ".", "hq");
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
    assert_eq!(town.json("beta/.beads/metadata.json")["dolt_database"], "beta");
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
