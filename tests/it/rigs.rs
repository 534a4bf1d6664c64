//! `gt rig`: registry, route, database and metadata are made together or not at all. The databases are there already:
//! making one needs dolt, and is tested with it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use serde_json::{Value, json};

use crate::sealed::{Sealed, read, run, snapshot, write};

fn parsed(path: &Path) -> Value {
    serde_json::from_str(&read(path)).unwrap()
}

/// Everything but our own corner, which holds only locks.
fn files(root: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut files = snapshot(root);
    files.retain(|(path, _)| !path.starts_with(root.join(".dolt-data/.gt")));
    files
}

#[test]
fn adding_and_removing_touch_the_registry_the_route_and_the_metadata_only() {
    let sealed = Sealed::new();
    let root = sealed.town(&["hq", "gastown"]);
    write(&root.join("mayor/daemon.json"), r#"{"env":{"GT_DOLT_PORT":"23101"}}"#);
    write(
        &root.join("mayor/rigs.json"),
        r#"{"version":1,"future":12345678901234567890,"rigs":{"old":{"x":1.10,"beads":{"prefix":"ol"}}}}"#,
    );
    write(&root.join(".beads/routes.jsonl"), "# ours\n\n{\"prefix\":\"hq-\",\"path\":\".\"}\nbroken\n");
    fs::set_permissions(root.join("mayor/rigs.json"), fs::Permissions::from_mode(0o600)).unwrap();

    sealed.gt(&root, &["rig", "add", "gastown"]).ok().says("Prefix:   gt-").says("it was there");
    let rigs = read(&root.join("mayor/rigs.json"));
    assert!(rigs.contains("12345678901234567890") && rigs.contains("1.10"), "{rigs}");
    assert_eq!(fs::metadata(root.join("mayor/rigs.json")).unwrap().permissions().mode() & 0o777, 0o600);
    let entry = &parsed(&root.join("mayor/rigs.json"))["rigs"]["gastown"];
    assert_eq!((&entry["beads"]["prefix"], &entry["git_url"]), (&json!("gt"), &json!("")));
    let with_route =
        "# ours\n\n{\"prefix\":\"hq-\",\"path\":\".\"}\nbroken\n{\"prefix\":\"gt-\",\"path\":\"gastown\"}\n";
    assert_eq!(read(&root.join(".beads/routes.jsonl")), with_route);
    let metadata = json!({"backend": "dolt", "database": "dolt", "dolt_mode": "server", "dolt_database": "gastown",
                          "dolt_server_host": "127.0.0.1", "dolt_server_port": 23101});
    assert_eq!(parsed(&root.join("gastown/.beads/metadata.json")), metadata);
    assert_eq!(read(&root.join("gastown/.beads/dolt-server.port")), "23101");

    let listed = sealed.gt(&root, &["rig", "list", "--json"]).ok().json();
    let row =
        |rig: &str| listed["rigs"].as_array().unwrap().iter().find(|r| r["rig"] == rig).cloned().unwrap();
    assert_eq!((&row("gastown")["exists"], &row("gastown")["prefix"]), (&json!(true), &json!("gt")));
    assert_eq!(row("old")["exists"], false);
    sealed.gt(&root, &["rig", "list"]).ok().says("gastown  gt-     gastown");

    let removed = sealed.gt(&root, &["rig", "remove", "gastown"]).ok();
    removed.says("stays: ").says(".dolt-data/gastown");
    assert!(
        root.join("gastown/.beads/metadata.json").is_file() && root.join(".dolt-data/gastown/.dolt").is_dir()
    );
    assert!(!read(&root.join(".beads/routes.jsonl")).contains("gt-"));
    assert!(read(&root.join("mayor/rigs.json")).contains("12345678901234567890"));
    sealed.gt(&root, &["rig", "remove", "gastown"]).fails(1).refuses_with("Error: there is no rig gastown\n");
    sealed.gt(&root, &["rig", "add", "gastown"]).ok();
}

#[test]
fn a_rig_with_a_clone_of_its_own_keeps_its_files_there() {
    let sealed = Sealed::new();
    let root = sealed.town(&["hq", "alpha"]);
    fs::create_dir_all(root.join("alpha/mayor/rig/.beads")).unwrap();
    sealed.gt(&root, &["rig", "add", "alpha"]).ok();
    assert!(
        root.join("alpha/mayor/rig/.beads/metadata.json").is_file() && !root.join("alpha/.beads").exists()
    );
    assert!(read(&root.join(".beads/routes.jsonl")).contains(r#""path":"alpha/mayor/rig""#));
}

#[test]
fn names_and_prefixes_that_are_taken_or_reserved_make_nothing() {
    let sealed = Sealed::new();
    let root = sealed.town(&["hq", "alpha", "beta", "al"]);
    sealed.gt(&root, &["rig", "add", "alpha", "--prefix", "al"]).ok();
    let before = files(&root);
    let refused = |args: &[&str], text: &str| {
        let ran = sealed.gt(&root, &[&["rig", "add"], args].concat()).fails(1);
        ran.refuses_with("Error: ").says(text);
    };
    refused(&["alpha"], "rig alpha is registered already");
    refused(&["ALPHA"], "differs only in case");
    refused(&["beta", "--prefix", "al"], "prefix al- belongs to rig alpha already");
    refused(&["beta", "--prefix", "al-"], "prefix al- belongs to rig alpha already");
    refused(&["beta", "--prefix", "hq"], "prefix hq- belongs to the town already");
    refused(&["beta", "--prefix", "1x"], "invalid prefix \"1x\"");
    refused(&["beta", "--prefix", ""], "invalid prefix \"\"");
    for reserved in
        ["hq", "mayor", "daemon", "deacon", "Settings", "plugins", "logs", "config", "mysql", "sys"]
    {
        refused(&[reserved], "reserved for");
    }
    for bad in ["gas-town", "../x", "a b", "it's", "", ".", "é", "config.yaml"] {
        refused(&["--", bad], "invalid rig name");
    }
    assert_eq!(files(&root), before);
}

#[test]
fn a_step_that_fails_puts_the_steps_before_it_back() {
    let sealed = Sealed::new();
    let root = sealed.town(&["hq", "alpha"]);
    let refused = |what: &str| {
        let before = files(&root);
        let ran = sealed.gt(&root, &["rig", "add", "alpha"]).fails(1);
        let ran = ran.refuses_with("Error: ").says(what);
        assert!(!ran.err.contains("could not be put back"), "{ran:#?}");
        assert_eq!(files(&root), before, "{what}");
    };
    // Whatever stands in the way, at each step in turn.
    fs::create_dir_all(root.join(".beads/routes.jsonl")).unwrap();
    refused(".beads/routes.jsonl");
    fs::remove_dir(root.join(".beads/routes.jsonl")).unwrap();

    write(&root.join("alpha"), "a file where the rig would be");
    refused("alpha/.beads");
    fs::remove_file(root.join("alpha")).unwrap();

    let beads = root.join("alpha/.beads");
    fs::create_dir_all(beads.join("dolt-server.port")).unwrap();
    write(&beads.join("metadata.json"), r#"{"mine":12345678901234567890}"#);
    refused("dolt-server.port");
    fs::remove_dir(beads.join("dolt-server.port")).unwrap();

    fs::remove_file(beads.join("metadata.json")).unwrap();
    symlink("metadata.json", beads.join("metadata.json")).unwrap();
    refused("metadata.json");
    assert!(fs::symlink_metadata(beads.join("metadata.json")).is_ok(), "what cannot be read is not removed");
    fs::remove_file(beads.join("metadata.json")).unwrap();

    write(&root.join("mayor/rigs.json"), "{broken");
    refused("mayor/rigs.json cannot be understood");
    write(&root.join("mayor/rigs.json"), r#"{"rigs":[]}"#);
    refused("mayor/rigs.json cannot be understood");
    write(&root.join("mayor/rigs.json"), r#"{"version":1,"rigs":{}}"#);

    write(&root.join("mayor/daemon.json"), "{");
    refused("mayor/daemon.json");
    fs::remove_file(root.join("mayor/daemon.json")).unwrap();
    sealed.gt(&root, &["rig", "add", "alpha"]).ok();
}

#[test]
fn the_route_of_another_rig_stays_whoever_claims_its_prefix() {
    let sealed = Sealed::new();
    let root = sealed.town(&["hq"]);
    let rigs = r#"{"rigs":{"a":{"beads":{"prefix":"x"}},"b":{"beads":{"prefix":"x-"}}}}"#;
    write(&root.join("mayor/rigs.json"), rigs);
    write(&root.join(".beads/routes.jsonl"), "{\"prefix\":\"x-\",\"path\":\"b/mayor/rig\"}\n");
    sealed.gt(&root, &["rig", "remove", "a"]).ok();
    assert!(read(&root.join(".beads/routes.jsonl")).contains("b/mayor/rig"));
    sealed.gt(&root, &["rig", "remove", "b"]).ok();
    assert_eq!(read(&root.join(".beads/routes.jsonl")), "");
}

#[test]
fn without_dolt_rigs_and_their_databases_are_made_and_read() {
    let sealed = Sealed::new();
    let root = sealed.town(&["hq"]);
    sealed.gt(&root, &["rig", "add", "alpha"]).ok();
    sealed.gt(&root, &["dolt", "init-rig", "beta"]).ok();
    for name in ["alpha", "beta"] {
        let log = sealed.gt(&root, &["db", "--db", name, "log", "--oneline"]).ok().out;
        assert!(log.contains("Initialize data repository"), "{log}");
        sealed.gt(&root, &["db", "--db", name, "verify"]).ok();
    }
}

#[test]
fn rigs_added_at_once_are_all_there_and_one_name_is_added_once() {
    let sealed = Sealed::new();
    let names: Vec<String> = ('a'..='h').map(|c| format!("rig{c}")).collect();
    let root = sealed.town(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let add = |name: &str, prefix: &str| sealed.command(&root, &["rig", "add", name, "--prefix", prefix]);
    std::thread::scope(|scope| {
        let ran = |name: &str, prefix: &str| {
            let command = add(name, prefix);
            scope.spawn(|| run(command))
        };
        let all: Vec<_> = names.iter().map(|n| ran(n, &n[3..])).collect();
        for rig in all {
            rig.join().unwrap().ok();
        }
    });
    let registry = parsed(&root.join("mayor/rigs.json"));
    assert_eq!(registry["rigs"].as_object().unwrap().len(), names.len());
    assert_eq!(read(&root.join(".beads/routes.jsonl")).lines().count(), names.len());

    sealed.gt(&root, &["rig", "remove", "riga"]).ok();
    let codes: Vec<_> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..4).map(|_| add("riga", "a")).map(|c| scope.spawn(|| run(c))).collect();
        all.into_iter().map(|r| r.join().unwrap().code).collect()
    });
    assert_eq!(codes.iter().filter(|c| **c == 0).count(), 1, "{codes:?}");
    assert_eq!(codes.iter().filter(|c| **c == 1).count(), 3, "{codes:?}");
}

#[test]
fn owners_are_found_through_registry_routes_redirects_and_directories() {
    let sealed = Sealed::new();
    let root = sealed.town(&["hq", "a", "b", "c", "d", "lost"]);
    let metadata = |database: &str| format!(r#"{{"dolt_database":"{database}"}}"#);
    write(&root.join(".beads/metadata.json"), &metadata("hq"));
    write(&root.join("mayor/rigs.json"), r#"{"version":1,"rigs":{"a":{}}}"#);
    write(&root.join("a/mayor/rig/.beads/metadata.json"), &metadata("a"));
    write(&root.join(".beads/routes.jsonl"), r#"{"prefix":"b-","path":"deep/b"}"#);
    write(&root.join("deep/b/.beads/metadata.json"), &metadata("b"));
    write(&root.join("c/.beads/metadata.json"), &metadata("c"));
    write(&sealed.path().join("elsewhere/.beads/metadata.json"), &metadata("d"));
    write(&root.join("d/.beads/redirect"), "../../elsewhere/.beads\n");
    let listed = sealed.gt(&root, &["dolt", "list"]).ok();
    for line in [
        "hq (town beads)",
        "a (a rig beads)",
        "b (deep rig beads)",
        "c (c rig beads)",
        "d (d rig beads)",
        "lost (orphan)",
    ] {
        assert!(listed.out.contains(&format!("  {line}\n")), "{line}: {listed:#?}");
    }
}
