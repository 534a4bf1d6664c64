//! What status, list, start and stop say when nothing runs, in the words of the Go tool where scripts may look at them;
//! exit codes with and without `--exit-code`; servers on other machines.

use std::fs;

use serde_json::json;

use crate::sealed::{Sealed, read, snapshot, write};

#[test]
fn a_town_without_databases_says_so_in_the_known_words() {
    let sealed = Sealed::new();
    let root = sealed.town(&[]);
    let data = root.join(".dolt-data");
    let data = data.display();
    let status = sealed.gt(&root, &["dolt", "status"]).ok();
    let want = format!(
        "○ Dolt server is not running\n\n! No rig databases found in {data}\n  Initialize with: gt dolt init-rig <name>\n"
    );
    assert_eq!((status.out.as_str(), status.err.as_str()), (want.as_str(), ""));
    let start = sealed.gt(&root, &["dolt", "start"]).fails(1);
    let want = format!("Error: no databases found in {data}\nInitialize with: gt dolt init-rig <name>\n");
    assert_eq!((start.out.as_str(), start.err.as_str()), ("", want.as_str()));
    let list = sealed.gt(&root, &["dolt", "list"]).ok();
    let want = format!("No rig databases found in {data}\n\nInitialize with: gt dolt init-rig <name>\n");
    assert_eq!(list.out, want);
}

#[test]
fn a_town_whose_server_is_down_says_so_in_the_known_words() {
    let sealed = Sealed::new();
    let root = sealed.town(&["hq", "alpha"]);
    write(&root.join(".beads/metadata.json"), r#"{"dolt_database":"hq"}"#);
    write(&root.join("alpha/.beads/metadata.json"), r#"{"dolt_database":"alpha"}"#);
    let data = root.join(".dolt-data");
    let data = data.display();
    let list = sealed.gt(&root, &["dolt", "list"]).ok();
    let want = format!(
        "Rig databases in {data}:\n\n  alpha (alpha rig beads)\n    {data}/alpha\n  hq (town beads)\n    {data}/hq\n"
    );
    assert_eq!(list.out, want);
    let stop = sealed.gt(&root, &["dolt", "stop"]).fails(1);
    assert_eq!((stop.out.as_str(), stop.err.as_str()), ("", "Error: Dolt server is not running\n"));
    let status = sealed.gt(&root, &["dolt", "status"]).ok();
    assert!(status.out.starts_with("○ Dolt server is not running\n"), "{status:#?}");
    status.says("(town beads)").says("Start with: gt dolt start");
    sealed.gt(&root, &["down"]).ok().says("was not running");
    sealed.gt(&root, &["dolt", "logs"]).fails(1).refuses_with("Error: no log file found at ");
    sealed.gt(&root, &["dolt", "dump"]).fails(1).refuses_with("Error: Dolt server is not running\n");
    sealed
        .gt(&root, &["dolt", "wait", "--timeout", "0"])
        .fails(1)
        .refuses_with("Error: Dolt server is not running\n");
    sealed.gt(&root, &["dolt", "init-rig", "../x"]).fails(1).refuses_with(
        "Error: invalid rig name \"../x\": must contain only alphanumeric, underscore, or dash\n",
    );
    let exists = sealed.gt(&root, &["dolt", "init-rig", "alpha"]).ok();
    assert_eq!(
        exists.out,
        format!("✓ Rig database \"alpha\" already exists (no-op)\n  Location: {data}/alpha\n")
    );
}

#[test]
fn without_dolt_a_start_says_what_is_missing_and_changes_nothing_that_matters() {
    let sealed = Sealed::new();
    let root = sealed.town(&["hq"]);
    for verb in [&["dolt", "start"][..], &["dolt", "restart"], &["up"]] {
        let ran = sealed.gt(&root, verb).fails(1).refuses_with("Error: dolt not found on PATH\n");
        ran.says("add its directory to PATH");
        sealed.gt(&root, &[&["--exit-code"], verb].concat()).fails(8);
    }
    for file in
        [".dolt-data/config.yaml", "daemon/dolt.pid", "daemon/dolt-state.json", "daemon/gt-server.json"]
    {
        assert!(!root.join(file).exists(), "{file}");
    }
    sealed
        .gt(&root, &["dolt", "sql", "-q", "select 1"])
        .fails(1)
        .refuses_with("Error: dolt not found on PATH\n");
}

#[test]
fn every_failure_is_1_unless_the_caller_asks_for_more() {
    let sealed = Sealed::new();
    let root = sealed.town(&["hq"]);
    let cases: [(&[&str], i32, i32); 9] = [
        (&["dolt", "status"], 0, 3),
        (&["status"], 0, 3),
        (&["dolt", "stop"], 1, 3),
        (&["down"], 0, 0),
        (&["dolt", "start"], 1, 8),
        (&["dolt"], 1, 2),
        (&["dolt", "bogus"], 1, 2),
        (&["dolt", "migrate"], 1, 12),
        (&["dolt", "start", "--without", "hq"], 1, 1),
    ];
    for (args, plain, rich) in cases {
        sealed.gt(&root, args).fails(plain);
        sealed.gt(&root, &[&["--exit-code"], args].concat()).fails(rich);
        if args.len() > 1 && args[1] != "migrate" {
            sealed.gt(&root, &[args, &["--exit-code"]].concat()).fails(rich);
        }
    }
    write(&root.join("mayor/daemon.json"), "{");
    sealed.gt(&root, &["--exit-code", "dolt", "start"]).fails(7);
    fs::remove_file(root.join("mayor/daemon.json")).unwrap();
    write(&root.join(".dolt-data/hq/.dolt/noms/manifest"), "5:__DOL");
    sealed
        .gt(&root, &["--exit-code", "dolt", "start"])
        .fails(11)
        .refuses_with("Error: database hq cannot be opened");
}

#[test]
fn files_that_claim_a_server_are_named_and_left_alone_by_a_look() {
    let sealed = Sealed::new();
    let root = sealed.town(&["hq"]);
    let state =
        r#"{"running":true,"pid":999999999,"port":23101,"started_at":"2026-01-01T00:00:00Z","data_dir":"x"}"#;
    write(&root.join("daemon/dolt-state.json"), state);
    write(&root.join("daemon/dolt.pid"), "abc");
    let before = snapshot(&root);
    let ran = sealed.gt(&root, &["dolt", "status"]).ok();
    ran.says("not running: it crashed (was PID 999999999)")
        .says("daemon/dolt.pid holds \"abc\", which is no PID");
    assert_eq!(sealed.gt(&root, &["dolt", "status", "--json"]).ok().json()["state"], "crashed");
    sealed.gt(&root, &["--exit-code", "dolt", "status"]).fails(4);
    assert_eq!(snapshot(&root), before);
    // A stop puts the files right, and still says that nothing ran.
    sealed.gt(&root, &["dolt", "stop"]).fails(1).refuses_with("Error: Dolt server is not running\n");
    assert!(!root.join("daemon/dolt.pid").exists());
    assert!(read(&root.join("daemon/dolt-state.json")).contains("\"running\": false"));
    assert!(read(&root.join("daemon/dolt-state.json")).contains("2026-01-01"), "history stays");
}

#[test]
fn something_else_in_the_place_of_a_file_of_ours_is_named() {
    let sealed = Sealed::new();
    let root = sealed.town(&["hq"]);
    let refused = |args: &[&str], says: &str| {
        let ran = sealed.gt(&root, args).fails(1).refuses_with("Error: ").says(says).says("because: ");
        assert!(!ran.err.contains("its holder"), "nobody holds it: {ran:#?}");
    };
    fs::create_dir_all(root.join("daemon/dolt.lock")).unwrap();
    refused(&["dolt", "start"], "daemon/dolt.lock");
    fs::remove_dir_all(root.join("daemon")).unwrap();
    write(&root.join("daemon"), "");
    refused(&["dolt", "start"], "/daemon/");
    fs::remove_file(root.join("daemon")).unwrap();
    write(&root.join(".dolt-data/.gt"), "");
    refused(&["dolt", "start"], ".dolt-data/.gt");
    refused(&["rig", "add", "hqq"], ".dolt-data/.gt");
    fs::remove_dir_all(root.join(".dolt-data")).unwrap();
    write(&root.join(".dolt-data"), "");
    for verb in ["start", "list", "status"] {
        refused(&["dolt", verb], ".dolt-data");
    }
}

#[test]
fn a_broken_file_hides_only_its_own_part_of_the_towns_status() {
    let sealed = Sealed::new();
    let root = sealed.town(&["hq"]);
    write(&root.join("mayor/rigs.json"), "{");
    let ran = sealed.gt(&root, &["status"]).ok().says("t ").says("not running");
    ran.says("mayor/rigs.json cannot be understood");
    write(&root.join("mayor/town.json"), "{");
    let got = sealed.gt(&root, &["--json", "status"]).ok().json();
    assert_eq!((&got["name"], got["problems"].as_array().unwrap().len()), (&json!("t"), 2));
    sealed.gt(&root, &["rig", "list"]).fails(1).refuses_with("Error: ").says("Repair the file");
}

#[test]
fn a_server_on_another_machine_is_neither_started_nor_stopped_nor_replaced_here() {
    let sealed = Sealed::new();
    let root = sealed.town(&["hq"]);
    let env = [("GT_DOLT_HOST", "192.0.2.1")];
    let before = snapshot(&root);
    let refusal = "Error: Dolt server is remote (192.0.2.1): it is started and stopped there, not here\n";
    let verbs: [&[&str]; 11] = [
        &["dolt", "start"],
        &["dolt", "stop"],
        &["dolt", "restart"],
        &["dolt", "kill-imposters"],
        &["dolt", "kill-imposters", "--yes"],
        &["dolt", "dump"],
        &["dolt", "wait"],
        &["dolt", "init-rig", "x"],
        &["rig", "add", "x"],
        &["up"],
        &["down"],
    ];
    for verb in verbs {
        let ran = sealed.gt_with(&root, &env, verb).fails(1);
        ran.refuses_with(refusal).says("Unset GT_DOLT_HOST");
        sealed.gt_with(&root, &env, &[&["--exit-code"], verb].concat()).fails(10);
    }
    let mut after = snapshot(&root);
    after.retain(|(path, _)| !path.starts_with(root.join(".dolt-data/.gt")));
    assert_eq!(after, before);
    let config = sealed.gt_with(&root, &env, &["--json", "dolt", "config"]).ok().json();
    assert_eq!((&config["remote"], &config["host"]), (&json!(true), &json!("192.0.2.1")));
    // Names and addresses of this machine are not remote.
    for here in ["127.0.0.1", "localhost", "::1", "0.0.0.0"] {
        let config =
            sealed.gt_with(&root, &[("GT_DOLT_HOST", here)], &["--json", "dolt", "config"]).ok().json();
        assert_eq!(config["remote"], false, "{here}");
    }
}
