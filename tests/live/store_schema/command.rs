//! `bd migrate`, on databases that an older bd left.

use std::path::{Path, PathBuf};

use dolt_store::Hash;
use gt::store::schema;
use serde_json::Value;

use super::migrated::old;
use super::{Yard, is_whole, messages, session};
use crate::support::{Dolt, Ran, copy_tree, run};

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
