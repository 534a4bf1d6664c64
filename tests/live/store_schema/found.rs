//! What a database is of, judged as the real bd judges it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use dolt_store::chunk::ReadOptions;
use dolt_store::commit::{Database, Session};
use dolt_store::table::{Check, Column, Schema, Value};
use gt::store::schema::{self, Access, Circumstances, Refusal, Verdict};

use super::{COMMITS, Yard, fresh, is_whole, messages, rows, session, table};
use crate::support::{Dolt, Ran};

const PLAIN: Circumstances<'static> = Circumstances {
    access: Access::Write,
    by_server: false,
    has_remote: false,
    remote: None,
    ignore_skew: false,
    allow_remote_migrate: None,
    smart_gate: None,
};

/// A workspace of bd over a database of ours. Gives the database.
fn workspace(yard: &Yard, name: &str) -> std::path::PathBuf {
    let dir = yard.dir(name);
    let fresh = fresh();
    let database = dir.join(".beads/embeddeddolt/x");
    schema::create(&database, &fresh).unwrap();
    let metadata = format!(
        "{{\"database\":\"dolt\",\"dolt_mode\":\"embedded\",\"dolt_database\":\"x\",\"project_id\":\"{}\"}}",
        fresh.project_id
    );
    fs::write(dir.join(".beads/metadata.json"), metadata).unwrap();
    database
}

// The object in what bd says beside it.
#[track_caller]
fn object_in(text: &str) -> serde_json::Value {
    let from = text.find("\n{").map_or(0, |at| at + 1);
    serde_json::from_str(&text[from..]).unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn sql(yard: &Yard, database: &Path, sql: &str) -> Ran {
    yard.dolt(Dolt::V1, database, &["sql", "-q", sql]).ok()
}

#[test]
fn a_database_of_ours_and_one_of_bds_are_found_to_be_current() {
    let yard = Yard::new();
    for database in [workspace(&yard, "ours"), yard.bd_init("theirs")] {
        let found = schema::inspect(&session(&database)).unwrap();
        assert_eq!((found.main, found.local), (schema::MAIN_VERSION, Some(schema::LOCAL_VERSION)));
        assert_eq!((found.main_hashes.len(), found.local_hashes.len()), (53, 11));
        assert!(found.is_current() && !found.lacks_local_only(), "{found:?}");
        assert_eq!(schema::gate(&found, &PLAIN), Verdict::Open(None));
    }
    let empty = yard.dir("empty");
    yard.dolt(Dolt::V2, &empty, &["init", "--name", "t", "--email", "t@example.com"]).ok();
    let found = schema::inspect(&session(&empty)).unwrap();
    assert_eq!((found.main, found.local, found.is_current()), (0, None, false));
    assert_eq!(schema::gate(&found, &PLAIN), Verdict::Empty);
}

#[test]
fn a_newer_database_is_refused_in_bds_words() {
    let yard = Yard::new();
    let database = workspace(&yard, "newer");
    let dir = yard.dir("newer");
    for (at, more) in [(54, "1 migration ahead"), (56, "3 migrations ahead")] {
        sql(&yard, &database, &format!("insert into schema_migrations (version) values ({at})"));
        let found = schema::inspect(&session(&database)).unwrap();
        assert_eq!((found.main, found.is_current()), (at, false));
        for (access, args) in [(Access::Read, ["list", "--json"]), (Access::Write, ["create", "x"])] {
            let Verdict::Refuse(refusal) = schema::gate(&found, &Circumstances { access, ..PLAIN }) else {
                panic!("{access:?}")
            };
            assert!(refusal.to_string().contains(more), "{refusal}");
            let said = yard.bd(&dir, &args).fails(1);
            assert!(said.err.contains(&refusal.to_string()), "{}", said.err);
            if args[1] == "--json" {
                let theirs = object_in(&said.err);
                assert_eq!(refusal.json(), theirs);
            } else {
                assert!(said.err.contains("BD_IGNORE_SCHEMA_SKEW=1"), "{}", said.err);
                assert!(refusal.advice().contains("BD_IGNORE_SCHEMA_SKEW=1"));
            }
        }
        let Verdict::Open(Some(warning)) =
            schema::gate(&found, &Circumstances { ignore_skew: true, ..PLAIN })
        else {
            panic!("it can be overridden")
        };
        let mut command = yard.command(&crate::support::bd(), &dir, &["list"]);
        command.env("BD_IGNORE_SCHEMA_SKEW", "1");
        let said = crate::support::run(command).ok();
        assert!(said.err.contains(&warning), "{warning}: {}", said.err);
    }
}

#[test]
fn an_older_database_is_migrated_unless_others_have_it_too() {
    let yard = Yard::new();
    let database = workspace(&yard, "older");
    let dir = yard.dir("older");
    sql(&yard, &database, "delete from schema_migrations where version > 51");
    yard.dolt(Dolt::V1, &database, &["commit", "-am", "older"]).ok();
    yard.dolt(
        Dolt::V1,
        &database,
        &["remote", "add", "origin", &format!("file://{}", yard.dir("r").display())],
    )
    .ok();
    let found = schema::inspect(&session(&database)).unwrap();
    assert_eq!((found.main, found.pending()), (51, 2));
    assert_eq!(schema::gate(&found, &PLAIN), Verdict::Migrate(None));
    let with_remote = Circumstances { has_remote: true, ..PLAIN };

    // Nothing is known of the remote.
    let refused = |of: &Circumstances<'_>| match schema::gate(&found, of) {
        Verdict::Refuse(refusal @ Refusal::Remote(_)) => refusal,
        other => panic!("{other:?}"),
    };
    let same = |refusal: &Refusal| {
        let said = yard.bd(&dir, &["create", "x", "--json"]).fails(1);
        let theirs = object_in(&said.err);
        let ours = refusal.json();
        assert_eq!(ours["error"], theirs["error"]);
        let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&ours), keys(&theirs));
        let (own, other) = (&ours["remote_migrate_gate"], &theirs["remote_migrate_gate"]);
        let known: Vec<String> = keys(other).into_iter().filter(|key| key != "docs").collect();
        assert_eq!(keys(own), known);
        for key in [
            "current_version",
            "latest_version",
            "pending",
            "severity",
            "human_decision_required",
            "decision",
            "skew_versions",
        ] {
            assert_eq!(own[key], other[key], "{key}");
        }
        for (own, other) in
            own["options"].as_array().unwrap().iter().zip(other["options"].as_array().unwrap())
        {
            assert_eq!((&own["id"], &own["commands"]), (&other["id"], &other["commands"]));
        }
    };
    same(&refused(&with_remote));
    let Verdict::Open(Some(warning)) =
        schema::gate(&found, &Circumstances { access: Access::Read, ..with_remote })
    else {
        panic!("it can be read")
    };
    let said = yard.bd(&dir, &["list"]).ok();
    assert!(said.err.contains(warning.lines().next().unwrap()), "{warning}: {}", said.err);

    // The remote has other hashes, or is ahead.
    let own = found.main_hashes.clone();
    let theirs = own
        .iter()
        .map(|(version, hash)| (*version, if *version == 7 { "0".repeat(64) } else { hash.clone() }));
    push(&yard, &database, "update schema_migrations set content_hash = repeat('0', 64) where version = 7");
    let remote = schema::remote_hashes(&session(&database), "origin", "main").unwrap().unwrap();
    assert_eq!(remote, theirs.collect());
    same(&refused(&Circumstances { remote: Some(&remote), ..with_remote }));
    push(&yard, &database, "insert into schema_migrations values (52, repeat('a', 64))");
    let remote = schema::remote_hashes(&session(&database), "origin", "main").unwrap().unwrap();
    same(&refused(&Circumstances { remote: Some(&remote), ..with_remote }));

    // The remote is where we are: whoever migrates first does what all others would do.
    push(&yard, &database, "select 1");
    let remote = schema::remote_hashes(&session(&database), "origin", "main").unwrap().unwrap();
    assert_eq!(remote, own);
    let at_one = Circumstances { remote: Some(&remote), ..with_remote };
    refused(&Circumstances { smart_gate: Some("0"), ..at_one });
    let Verdict::Migrate(Some(warning)) = schema::gate(&found, &at_one) else {
        panic!("nothing is in the way")
    };
    let Verdict::Migrate(Some(told)) = schema::gate(
        &found,
        &Circumstances { allow_remote_migrate: Some("1"), smart_gate: Some("0"), ..at_one },
    ) else {
        panic!("it was allowed")
    };
    let said = yard.bd(&dir, &["list"]).ok();
    assert!(said.err.contains(&warning), "{warning}: {}", said.err);
    assert!(told.contains("BD_ALLOW_REMOTE_MIGRATE=1"), "{told}");
    assert_eq!(messages(&session(&database))[0], "schema: apply migrations");
}

// What the remote's branch holds, as this clone has last seen it: its own with one change.
fn push(yard: &Yard, database: &Path, change: &str) {
    for args in [
        vec!["checkout", "-B", "other", "main"],
        vec!["sql", "-q", change],
        vec!["commit", "--allow-empty", "-am", "other"],
        vec!["push", "--force", "origin", "other:main"],
        vec!["checkout", "main"],
    ] {
        yard.dolt(Dolt::V1, database, &args).ok();
    }
}

#[test]
fn what_is_neither_yes_nor_no_is_told() {
    let found = schema::Found {
        main: 49,
        local: Some(8),
        main_hashes: schema::Hashes::new(),
        local_hashes: schema::Hashes::new(),
        has_hash_columns: false,
        missing_local: Vec::new(),
    };
    let of = Circumstances { has_remote: true, allow_remote_migrate: Some("yes"), ..PLAIN };
    let Verdict::Refuse(refusal) = schema::gate(&found, &of) else { panic!("it is refused") };
    assert!(
        refusal.advice().contains("BD_ALLOW_REMOTE_MIGRATE=yes is not understood"),
        "{}",
        refusal.advice()
    );
    // A server's reader leaves it alone; what belongs to somebody else is never migrated.
    let by_server = Circumstances { by_server: true, access: Access::Read, ..of };
    assert_eq!(schema::gate(&found, &by_server), Verdict::Open(None));
    let foreign = Circumstances { access: Access::ReadForeign, ..PLAIN };
    assert_eq!(schema::gate(&found, &foreign), Verdict::Refuse(Refusal::Behind { at: 49 }));
    let ignored = schema::gate(&found, &Circumstances { ignore_skew: true, ..foreign });
    assert!(
        matches!(&ignored, Verdict::Open(Some(warning)) if warning.contains("behind binary (v53)")),
        "{ignored:?}"
    );
}

#[test]
fn a_clone_gets_the_local_tables_that_bd_would_make() {
    let yard = Yard::new();
    let database = workspace(&yard, "origin");
    let clone = yard.dir("clones").join("x");
    let url = format!("file://{}", yard.dir("remote").display());
    yard.dolt(Dolt::V1, &database, &["remote", "add", "origin", &url]).ok();
    yard.dolt(Dolt::V1, &database, &["push", "origin", "main"]).ok();
    yard.dolt(Dolt::V1, &yard.dir("clones"), &["clone", &url, "x"]).ok();
    let found = schema::inspect(&session(&clone)).unwrap();
    assert_eq!((found.main, found.local, found.missing_local.len()), (53, None, 9));
    assert!(found.lacks_local_only() && !found.is_current());
    let moment: jiff::Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let ensure = || {
        let mut locked = Database::try_lock(&clone, ReadOptions::default()).unwrap().unwrap();
        let mut tx = locked.begin("main").unwrap();
        let made = schema::ensure_local(&mut tx, moment).unwrap();
        tx.commit_sql(&fresh().by, "local tables").unwrap();
        made
    };
    assert_eq!(ensure(), found.missing_local);
    assert!(ensure().is_empty());
    assert!(schema::inspect(&session(&clone)).unwrap().is_current());
    // What bd makes in a clone of its own.
    let theirs = yard.dir("theirs");
    fs::create_dir_all(theirs.join(".beads/embeddeddolt")).unwrap();
    yard.dolt(Dolt::V1, &theirs.join(".beads/embeddeddolt"), &["clone", &url, "x"]).ok();
    fs::copy(yard.dir("origin").join(".beads/metadata.json"), theirs.join(".beads/metadata.json")).unwrap();
    yard.bd(&theirs, &["list"]).ok();
    let theirs = theirs.join(".beads/embeddeddolt/x");
    let (own, other) = (session(&clone), session(&theirs));
    assert_eq!(
        (messages(&own), messages(&other)),
        (COMMITS.map(str::to_owned).into(), COMMITS.map(str::to_owned).into())
    );
    for name in &found.missing_local {
        let schema = |session: &Session| without_history(table(session, "WORKING", name).schema());
        assert_eq!(schema(&own), schema(&other), "{name}");
        let versions = |session: &Session| -> Vec<Vec<Value>> {
            rows(session, "WORKING", name)
                .into_iter()
                .map(|mut row| {
                    row.remove(1);
                    row
                })
                .collect()
        };
        if *name == "ignored_schema_migrations" {
            assert_eq!(versions(&own), versions(&other));
        }
    }
    is_whole(&yard, &clone);
    let status = yard.dolt(Dolt::V2, &clone, &["status"]).ok();
    status.says("nothing to commit");
}

#[test]
fn local_tables_that_somebody_has_begun_to_make_are_completed_unless_they_are_used() {
    let yard = Yard::new();
    let database = workspace(&yard, "origin");
    let url = format!("file://{}", yard.dir("remote").display());
    yard.dolt(Dolt::V1, &database, &["remote", "add", "origin", &url]).ok();
    yard.dolt(Dolt::V1, &database, &["push", "origin", "main"]).ok();
    let begun = schema::local_statements(&schema::local_tables(), jiff::Timestamp::UNIX_EPOCH);
    let wisp = "insert into wisps (id, title, description, design, acceptance_criteria, notes) \
                values ('x-wisp-1', 'Mine', '', '', '', '')";
    for (dolt, is_used) in [(Dolt::V1, false), (Dolt::V2, false), (Dolt::V1, true)] {
        let name = format!("{dolt:?}-{is_used}");
        yard.dolt(dolt, &yard.dir("clones"), &["clone", &url, &name]).ok();
        let clone = yard.dir("clones").join(&name);
        let mut ran = begun[..2].to_vec();
        if is_used {
            ran = begun.iter().filter(|sql| sql.starts_with("create ")).cloned().collect();
            ran.extend(["drop table ignored_schema_migrations".to_owned(), wisp.to_owned()]);
        }
        for sql in ran {
            yard.dolt(dolt, &clone, &["sql", "-q", &sql]).ok();
        }
        let mut locked = Database::try_lock(&clone, ReadOptions::default()).unwrap().unwrap();
        let mut tx = locked.begin("main").unwrap();
        let made = schema::ensure_local(&mut tx, jiff::Timestamp::UNIX_EPOCH);
        if is_used {
            assert!(made.unwrap_err().to_string().contains("local tables of version none"));
            continue;
        }
        assert!(made.unwrap().contains(&"ignored_schema_migrations"));
        tx.commit_sql(&fresh().by, "local tables").unwrap();
        drop(locked);
        assert!(schema::inspect(&session(&clone)).unwrap().is_current());
        is_whole(&yard, &clone);
    }
}

#[test]
fn local_tables_of_an_unknown_version_are_left_alone() {
    let yard = Yard::new();
    let database = workspace(&yard, "odd");
    for change in [
        "drop table repo_mtimes; delete from ignored_schema_migrations where version > 8",
        "drop table ignored_schema_migrations",
    ] {
        sql(&yard, &database, change);
        let mut locked = Database::try_lock(&database, ReadOptions::default()).unwrap().unwrap();
        let mut tx = locked.begin("main").unwrap();
        let before = tx.working();
        let refused = schema::ensure_local(&mut tx, jiff::Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(refused.to_string().contains("local tables of version"), "{refused}");
        assert_eq!(tx.working(), before);
    }
}

// What a schema says, whatever became of its table on the way: without tags, without the order of columns; and bd makes some
// columns narrower in a clone than where it began.
fn without_history(schema: &Schema) -> (BTreeMap<String, Column>, Vec<String>, Vec<Check>) {
    let name = |at: &u16| schema.columns[usize::from(*at)].name.clone();
    let names = |all: &[u16]| all.iter().map(name).collect::<Vec<_>>();
    let mut indexes: Vec<String> = schema
        .indexes
        .iter()
        .map(|i| {
            format!("{} {:?} unique {} implicit {}", i.name, names(&i.columns), i.unique, i.system_defined)
        })
        .collect();
    // In a clone the targets of edges have indexes of their own, otherwise those that Dolt makes for foreign keys.
    indexes.retain(|i| {
        !(i.starts_with("fk_wisp_dep") || i.starts_with("idx_wisp_dep") && i.contains("_target"))
    });
    indexes.push(format!("{:?}", names(&schema.key_columns)));
    let columns = schema.columns.iter().map(|column| {
        let sql_type = column.sql_type.replace("longtext", "text");
        (column.name.clone(), Column { tag: 0, sql_type, ..column.clone() })
    });
    (columns.collect(), indexes, schema.checks.clone())
}
