//! `bd migrate`, on databases that an older bd left.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use dolt_store::Hash;
use gt::store::schema;
use serde_json::Value;

use super::migrated::old;
use super::{Yard, is_whole, messages, session};
use crate::support::{Child, Dolt, Ran, copy_tree, free_port, run, wait_until};

fn ours(yard: &Yard, dir: &Path, args: &[&str]) -> Ran {
    run(yard.command(Path::new(env!("CARGO_BIN_EXE_bd")), dir, args))
}

fn roots(database: &Path) -> [Hash; 2] {
    ["HEAD", "WORKING"].map(|revision| session(database).resolve_root(revision).unwrap().unwrap())
}

// The refusal and its first words.
fn refusal(ran: &Ran) -> String {
    let line = ran.err.lines().find(|line| line.contains("remote-backed"));
    line.unwrap_or_else(|| panic!("{ran:?}")).trim_start_matches("Error: ").to_owned()
}

#[test]
fn migrate_says_its_plan_keeps_a_copy_and_leaves_what_bd_takes_for_current() {
    let yard = Yard::new();
    let dir = old(&yard);
    let database = dir.join(".beads/embeddeddolt/x");
    let before = roots(&database);
    let plan = ours(&yard, &dir, &["migrate", "--dry-run", "--json"]).ok().json();
    let expected = [("status", "pending".into()), ("current_version", 49.into()), ("problem", Value::Null)];
    for (key, value) in expected {
        assert_eq!(plan[key], value, "{plan}");
    }
    ours(&yard, &dir, &["migrate", "--inspect"]).ok().says("v49 → v53, local v8 → v11");
    ours(&yard, &dir, &["migrate"]).fails(1).says("--yes");
    ours(&yard, &dir, &["migrate", "--yes", "--readonly"]).fails(1).says("'migrate' is not allowed");
    assert_eq!(roots(&database), before);

    let done = ours(&yard, &dir, &["migrate", "--yes", "--update-repo-id", "--json"]).ok().json();
    assert_eq!((&done["status"], &done["from_version"]), (&"success".into(), &49.into()), "{done}");
    assert!(schema::inspect(&session(&database)).unwrap().is_current());
    assert_eq!(messages(&session(&database))[0], "schema: apply migrations");
    let backup = PathBuf::from(done["backup"].as_str().unwrap());
    assert_eq!(roots(&backup), before);
    for whole in [&database, &backup] {
        is_whole(&yard, whole);
    }
    // Nothing is left to do, for either.
    let after = roots(&database);
    let said = ours(&yard, &dir, &["migrate", "schema"]).ok().out;
    assert_eq!(said, yard.bd(&dir, &["migrate", "schema"]).ok().out);
    yard.bd(&dir, &["list"]).ok().says("One");
    assert_eq!(roots(&database), after);
}

#[test]
fn migrate_refuses_in_bds_words_what_only_one_clone_may_do_and_what_is_not_committed() {
    let yard = Yard::new();
    let dir = old(&yard);
    let dirty = yard.dir("dirty").join("w");
    copy_tree(&dir, &dirty);
    let database = dir.join(".beads/embeddeddolt/x");
    let remote = format!("file://{}", yard.dir("r").display());
    yard.dolt(Dolt::V1, &database, &["remote", "add", "origin", &remote]).ok();
    let before = roots(&database);
    let own = ours(&yard, &dir, &["migrate", "--yes"]).fails(1);
    let theirs = yard.bd(&dir, &["create", "x"]).fails(1);
    assert_eq!(refusal(&own), refusal(&theirs));
    assert!(own.err.contains("BD_ALLOW_REMOTE_MIGRATE=1"), "{}", own.err);
    let object = ours(&yard, &dir, &["migrate", "--yes", "--json"]).fails(1);
    let object: Value = serde_json::from_str(&object.err).unwrap();
    assert_eq!(object["remote_migrate_gate"]["current_version"], 49);
    assert_eq!(roots(&database), before);
    assert!(!dir.join(".beads/backup").exists(), "nothing was begun");
    let mut command = yard.command(Path::new(env!("CARGO_BIN_EXE_bd")), &dir, &["migrate", "--yes"]);
    command.env("BD_ALLOW_REMOTE_MIGRATE", "1");
    run(command).ok().says("✓ Schema migrated: v49 → v53");
    assert!(schema::inspect(&session(&database)).unwrap().is_current());

    let database = dirty.join(".beads/embeddeddolt/x");
    yard.dolt(Dolt::V1, &database, &["sql", "-q", "update issues set title = 'other' where id = 'x-1'"]).ok();
    let before = roots(&database);
    ours(&yard, &dirty, &["migrate", "--yes"])
        .fails(1)
        .says("pending schema migrations alter pre-existing dirty tables: issues");
    assert_eq!(roots(&database), before);
    // The real one says so too, and goes on without migrating.
    yard.bd(&dirty, &["list"]).ok().says("pre-existing dirty tables: issues");
}

#[test]
fn a_database_of_an_older_bd_is_worked_in_as_found_in_both_engines_and_stays_of_its_version() {
    for is_served in [false, true] {
        let yard = Yard::new();
        let dir = old(&yard);
        let database = dir.join(".beads/embeddeddolt/x");
        let server = is_served.then(|| {
            let port = free_port();
            let args = ["sql-server", "--host", "127.0.0.1", "--port", &port.to_string()];
            let mut command = yard.command(&Dolt::V1.path(), database.parent().unwrap(), &args);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let server = Child(command.spawn().unwrap());
            let context = || ours(&yard, &dir, &["context", "--json"]).ok().json();
            wait_until("the server answers", || context()["engine"] == "server");
            server
        });
        let say = |args: &[&str]| ours(&yard, &dir, args).ok();
        say(&["create", "New", "--id", "x-new", "-l", "fresh", "--deps", "x-1"]);
        say(&["create", "Passing", "--id", "x-wisp-new", "--ephemeral"]);
        say(&["comment", "x-new", "as found"]);
        say(&["comment", "x-wisp-new", "as found too"]);
        say(&["dep", "add", "x-2", "x-new"]);
        say(&["dep", "add", "x-wisp-new", "x-new"]);
        say(&["update", "x-new", "--claim"]);
        say(&["blocked"]).says("x-2").says("x-new");
        say(&["close", "x-1", "--reason", "done"]);
        say(&["ready"]).never_says("x-2 ");
        say(&["close", "x-new", "--reason", "done"]);
        say(&["create", "Child", "--parent", "x-1"]).says("x-1.4");
        let shown = |ran: &Ran| {
            let mut issues = ran.json();
            // The migration makes an issue of a rig that was a wisp.
            issues.as_array_mut().unwrap().retain(|issue| issue["id"] != "x-rig");
            issues.as_array_mut().unwrap().sort_by_key(|issue| issue["id"].to_string());
            // Edges are told in the order of their ids, which are of chance before the migration.
            for issue in issues.as_array_mut().unwrap() {
                if let Some(ends) = issue.get_mut("dependencies").and_then(|ends| ends.as_array_mut()) {
                    ends.sort_by_key(ToString::to_string);
                }
            }
            issues
        };
        let questions: [&[&str]; 3] = [
            &["list", "--all", "--include-infra", "--limit", "0", "--json"],
            &["ready", "--limit", "0", "--json"],
            &["show", "x-new", "x-2", "x-1.4", "--json"],
        ];
        let own = questions.map(|question| shown(&say(question)));
        drop(server);
        let found = schema::inspect(&session(&database)).unwrap();
        assert_eq!((found.main, found.local), (49, Some(8)), "nothing was migrated");
        is_whole(&yard, &database);
        // The real one migrates when it opens it, and finds the same.
        let theirs = questions.map(|question| shown(&yard.bd(&dir, question).ok()));
        for (own, theirs) in own.iter().zip(&theirs) {
            let (own, theirs) = (own.as_array().unwrap(), theirs.as_array().unwrap());
            assert_eq!(own.len(), theirs.len());
            own.iter().zip(theirs).for_each(|(own, theirs)| assert_eq!(own, theirs, "served: {is_served}"));
        }
    }
}
