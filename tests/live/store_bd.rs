//! A database that the real bd made, in its embedded mode: every table of it, as two versions of Dolt print it.
//!
//! bd's own engine (Dolt 2.1.4) is not asked: it prints JSON with escapes wrongly.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dolt_store::commit::Database;

use crate::support::{Dolt, Ran, TestTown, bd, copy_tree, run, without_colours};

fn bd_in(town: &TestTown, dir: &Path, args: &[&str]) -> Ran {
    let mut command = Command::new(bd());
    command.args(args);
    town.seal(&mut command);
    command.current_dir(dir).env("PWD", dir).env("BD_NON_INTERACTIVE", "1");
    run(command).ok()
}

/// Issues with labels, dependencies, comments, memories, a wisp; with quotes, line breaks and characters of every length.
fn issues(town: &TestTown, dir: &Path) -> PathBuf {
    let bd = |args: &[&str]| bd_in(town, dir, args);
    bd(&["init", "--prefix", "x", "--skip-agents", "--skip-hooks"]);
    let create = |args: &[&str]| -> String {
        let made = bd(&[&["create", "--json"], args].concat()).json();
        made["id"].as_str().unwrap().to_owned()
    };
    let first = create(&[
        "First \"quoted\" <é> 😀",
        "-d",
        "with \\ and\nline breaks\tand tabs",
        "-p",
        "1",
        "-l",
        "a,b\u{e9}",
    ]);
    let second = create(&["Second", "-t", "bug", "-d", &"long ".repeat(900), "--deps", &first]);
    create(&["Third", "--parent", &second]);
    create(&["Gone tomorrow", "--ephemeral"]);
    bd(&["comment", &first, "a comment with \"quotes\" & <tags>"]);
    bd(&["update", &second, "--status", "in_progress", "--notes", "back\\slash \u{2028}"]);
    bd(&["remember", "something <to> keep"]);
    bd(&["close", &first, "-r", "done \"at last\""]);
    dir.join(".beads/embeddeddolt/x")
}

#[test]
fn every_table_of_bds_own_database_is_read_as_dolt_prints_it() {
    let town = TestTown::with(&[]);
    let dir = town.outside().join("beads");
    fs::create_dir(&dir).unwrap();
    let database = issues(&town, &dir);
    let path = database.to_str().unwrap();
    let gt = |args: &[&str]| town.gt(&[&["db", "--dir", path], args].concat()).ok();
    let listed = gt(&["tables", "--json"]).json();
    let tables: Vec<&str> =
        listed["tables"].as_array().unwrap().iter().map(|t| t["table"].as_str().unwrap()).collect();
    assert!(tables.len() > 25 && tables.contains(&"wisps") && tables.contains(&"issues"), "{tables:?}");
    let ours: Vec<String> = tables.iter().map(|t| gt(&["dump", t]).out.trim_end().to_owned()).collect();
    for dolt in [Dolt::V1, Dolt::V2] {
        let ask = |args: &[&str]| {
            let mut command = Command::new(dolt.path());
            command.args(args);
            town.seal(&mut command);
            command.current_dir(&database);
            run(command).ok().out
        };
        let queries: String = tables.iter().flat_map(|t| ["select * from `", t, "`;"]).collect();
        let theirs = ask(&["sql", "-r", "json", "-q", &queries]);
        let mut theirs = theirs.lines().filter(|l| !l.is_empty());
        for (table, ours) in tables.iter().zip(&ours) {
            let theirs = theirs.next().unwrap();
            let theirs = if theirs == "{}" { "{\"rows\": []}" } else { theirs };
            assert_eq!(*ours, theirs, "{table}");
        }
        assert_eq!(theirs.next(), None);
        assert_eq!(gt(&["log"]).out.trim_end(), without_colours(&ask(&["log"])).trim_end());
    }
    assert_eq!(gt(&["verify", "--json"]).json()["clean"], true);
    // Wisps and the like are ignored by Dolt, so nothing is uncommitted.
    let list = gt(&["ls", "--json"]).json();
    assert_eq!(list["refs"][0]["working"]["unstaged"], serde_json::json!([]), "{list}");
    let shown = gt(&["show", "issues", "--where", "status=closed", "--json"]).json();
    assert_eq!(shown["rows"][0]["title"], "First \"quoted\" <é> 😀");
    assert_eq!(shown["rows"].as_array().unwrap().len(), 1);
    // bd goes on with what we have looked at.
    bd_in(&town, &dir, &["list"]).says("Second");
}

#[test]
fn a_commit_of_everything_in_bds_database_is_the_one_that_dolt_makes() {
    let town = TestTown::with(&[]);
    let dir = town.outside().join("beads");
    fs::create_dir(&dir).unwrap();
    let ours = issues(&town, &dir);
    for dolt in [Dolt::V1, Dolt::V2] {
        let theirs = town.outside().join(format!("{dolt:?}"));
        let ask = |dir: &Path, args: &[&str]| {
            let mut command = Command::new(dolt.path());
            command.args(args);
            town.seal(&mut command);
            command.current_dir(dir);
            run(command).ok()
        };
        // Wisps have foreign keys, and stay out with them.
        let change =
            format!("update issues set title = 'by {dolt:?}'; update wisps set title = 'by {dolt:?}'");
        ask(&ours, &["sql", "-q", &change]);
        copy_tree(&ours, &theirs);
        ask(&theirs, &["add", "-A"]);
        ask(&theirs, &["config", "--local", "--add", "user.name", "t"]);
        ask(&theirs, &["config", "--local", "--add", "user.email", "t@example.com"]);
        ask(&theirs, &["commit", "-m", "everything"]);
        town.gt(&["db", "--dir", ours.to_str().unwrap(), "commit", "-A", "-m", "everything"]).ok();
        let roots = |dir: &Path| {
            let session = Database::open_read(dir).unwrap().session().unwrap();
            ["HEAD", "STAGED", "WORKING"].map(|state| session.resolve_root(state).unwrap().unwrap())
        };
        assert_eq!(roots(&ours), roots(&theirs), "{dolt:?}");
        let [head, _, working] = roots(&ours);
        assert_ne!(head, working, "wisps are in the working state only");
    }
    bd_in(&town, &dir, &["list"]).says("by V2");
}
