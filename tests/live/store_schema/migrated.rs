//! A database as bd 1.0.5 leaves it, migrated by us and by the real bd: the same rows under the same ids.

use std::path::{Path, PathBuf};

use dolt_store::chunk::ReadOptions;
use dolt_store::commit::{Author, Database, Session};
use dolt_store::table::Value;
use gt::store::schema::{self, SchemaError};

use super::native::a_day_with_bd;
use super::{Yard, addresses, fresh, is_whole, messages, rows, session, table};
use crate::support::{Dolt, copy_tree};

/// What takes back the migrations since bd 1.0.5, and gives rows the random ids that they had then.
const BACK: &str = "
    drop index idx_issues_status_updated_at on issues;
    drop index idx_issues_defer_until on issues;
    create index idx_issues_status on issues (status);
    delete from schema_migrations where version > 49;
    delete from ignored_schema_migrations where version > 8;
    alter table schema_migrations drop column content_hash;
    alter table ignored_schema_migrations drop column content_hash;";
const WITH_DEFAULT: [&str; 8] = [
    "dependencies",
    "events",
    "comments",
    "issue_snapshots",
    "compaction_snapshots",
    "wisp_events",
    "wisp_comments",
    "wisp_dependencies",
];
/// Rows of every kind: some that are equal, a rig that is a wisp with all that can belong to one, snapshots, words.
const MORE: &str = "
    insert into wisps (id, title, issue_type, ephemeral, description) values ('x-rig', 'Rig', 'rig', 1, repeat('long ', 4000)),
        ('x-wisp-1', 'Another', 'task', 1, '');
    insert into wisp_labels values ('x-rig', 'gt:rig'), ('x-wisp-1', 'stays');
    insert into wisp_events (id, issue_id, event_type, actor, created_at) values
        (uuid(), 'x-rig', 'created', 'me', '2026-01-01 00:00:00'), (uuid(), 'x-wisp-1', 'created', 'me', '2026-01-01 00:00:00');
    insert into wisp_comments (id, issue_id, author, text, created_at) values (uuid(), 'x-rig', 'me', 'of a rig', '2026-01-01 00:00:00');
    insert into wisp_child_counters values ('x-rig', 4), ('x-wisp-1', 2);
    insert into issues (id, title, description, design, acceptance_criteria, notes) values ('x-1', 'One', '', '', '', ''), ('x-2', 'Two', '', '', '', '');
    insert into wisp_dependencies (id, issue_id, type, depends_on_issue_id) values (uuid(), 'x-rig', 'blocks', 'x-1'), (uuid(), 'x-wisp-1', 'blocks', 'x-2');
    insert into wisp_dependencies (id, issue_id, type, depends_on_wisp_id) values (uuid(), 'x-wisp-1', 'related', 'x-rig');
    insert into dependencies (id, issue_id, type, depends_on_wisp_id, created_by) values (uuid(), 'x-1', 'related', 'x-rig', 'me'), (uuid(), 'x-2', 'related', 'x-wisp-1', 'me');
    insert into dependencies (id, issue_id, type, depends_on_external, created_by) values (uuid(), 'x-2', 'related', 'external:a:b', 'me');
    insert into child_counters values ('x-1', 3);
    insert into events (id, issue_id, event_type, actor, old_value, created_at) values
        (uuid(), 'x-1', 'updated', 'me', repeat('é', 3000), '2026-01-01 00:00:00'), (uuid(), 'x-1', 'updated', 'me', repeat('é', 3000), '2026-01-01 00:00:00'),
        (uuid(), 'x-1', 'updated', 'me', null, '2026-01-01 00:00:00');
    insert into comments (id, issue_id, author, text, created_at) values (uuid(), 'x-1', 'me', 'same', '2026-01-01 00:00:00'), (uuid(), 'x-1', 'me', 'same', '2026-01-01 00:00:00');
    insert into issue_snapshots values (uuid(), 'x-1', '2026-01-01 00:00:00', 1, 100, 10, 'text', null);
    insert into compaction_snapshots values (uuid(), 'x-1', 1, x'00ff7b7d', '2026-01-01 00:00:00');
    insert into config values ('types.custom', 'rig, agent,agent'), ('status.custom', 'going:active,over:done');";

/// A workspace of version 49, committed.
pub(super) fn old(yard: &Yard) -> PathBuf {
    let database = yard.bd_init("old");
    let dir = yard.dir("old");
    a_day_with_bd(|args| yard.bd(&dir, args));
    let mut sql = MORE.to_owned() + BACK;
    for name in WITH_DEFAULT {
        let one = "alter table NAME alter column id set default (uuid()); update NAME set id = uuid();";
        sql += &one.replace("NAME", name);
    }
    sql += "call dolt_commit('-A', '-m', 'as bd 1.0.5 leaves it', '--author', 't <t@example.com>')";
    let file = yard.dir("sql").join("old.sql");
    std::fs::write(&file, sql).unwrap();
    yard.dolt(Dolt::V1, &database, &["sql", "--file", file.to_str().unwrap()]).ok();
    dir
}

fn migrate(database: &Path, by: &Author) -> Result<Option<dolt_store::Hash>, SchemaError> {
    let mut locked = Database::try_lock(database, ReadOptions::default()).unwrap().unwrap();
    let mut draft = locked.session().unwrap().begin("main").unwrap();
    let done = schema::migrate(&mut draft, by)?;
    locked.apply(draft.prepare_sql(by, "migrate").unwrap()).unwrap();
    Ok(done)
}

#[test]
fn an_old_database_becomes_what_bd_makes_of_it() {
    let yard = Yard::new();
    let dir = old(&yard);
    let (ours, theirs) = (yard.dir("ours"), yard.dir("theirs"));
    copy_tree(&dir, &ours.join("w"));
    copy_tree(&dir, &theirs.join("w"));
    let (ours, theirs) = (ours.join("w"), theirs.join("w"));
    let database = |dir: &Path| dir.join(".beads/embeddeddolt/x");
    let found = schema::inspect(&session(&database(&ours))).unwrap();
    assert_eq!((found.main, found.local, found.has_hash_columns), (49, Some(8), false));
    yard.bd(&theirs, &["list"]).ok().says("One");
    let at_theirs = session(&database(&theirs));
    assert_eq!(messages(&at_theirs)[0], "schema: apply migrations");

    // The rig's date says when bd did it.
    let rig =
        rows(&at_theirs, "WORKING", "issues").into_iter().find(|row| row[0] == Value::Text("x-rig".into()));
    let at =
        table(&at_theirs, "WORKING", "issues").schema().visible().position(|(_, c)| c.name == "updated_at");
    let Value::Datetime(micros) = rig.unwrap()[at.unwrap()] else { panic!("a date") };
    let by = Author { millis: u64::try_from(micros / 1000).unwrap(), ..fresh().by };
    assert!(migrate(&database(&ours), &by).unwrap().is_some());
    let at_ours = session(&database(&ours));
    assert!(schema::inspect(&at_ours).unwrap().is_current());
    assert_eq!(messages(&at_ours), messages(&at_theirs));
    for revision in ["HEAD", "STAGED", "WORKING"] {
        let (own, other) = (addresses(&at_ours, revision), addresses(&at_theirs, revision));
        assert_eq!(own.len(), other.len(), "{revision}");
        for ((name, mine), (_, bds)) in own.iter().zip(&other) {
            let (schemas, table_rows) = (
                [&at_ours, &at_theirs].map(|s| table(s, revision, name).schema().clone()),
                [&at_ours, &at_theirs].map(|s| without_times(name, rows(s, revision, name))),
            );
            assert_eq!(schemas[0], schemas[1], "{revision}: {name}");
            assert_eq!(table_rows[0], table_rows[1], "{revision}: {name}");
            if name != "ignored_schema_migrations" {
                assert_eq!(mine, bds, "{revision}: {name}");
            }
        }
        let keys = |s: &Session| {
            s.tables(s.resolve_root(revision).unwrap().unwrap()).unwrap().foreign_keys().unwrap()
        };
        assert_eq!(keys(&at_ours), keys(&at_theirs), "{revision}");
    }
    assert!(migrate(&database(&ours), &by).unwrap().is_none(), "there is nothing left to do");
    is_whole(&yard, &database(&ours));
    yard.bd(&ours, &["list"]).ok().says("One").says("Rig");
    yard.bd(&ours, &["dep", "add", "x-1", "x-2"]).ok();
    assert_eq!(messages(&session(&database(&ours))).iter().filter(|m| m.contains("migrat")).count(), 3);
}

// When a migration was done is nobody else's matter.
fn without_times(name: &str, mut rows: Vec<Vec<Value>>) -> Vec<Vec<Value>> {
    if name == "ignored_schema_migrations" {
        for row in &mut rows {
            row[1] = Value::Null;
        }
    }
    rows
}

#[test]
fn what_is_not_committed_or_too_old_is_not_migrated() {
    let yard = Yard::new();
    let dir = old(&yard);
    let database = dir.join(".beads/embeddeddolt/x");
    let sql = |sql: &str| yard.dolt(Dolt::V1, &database, &["sql", "-q", sql]).ok();
    sql("update issues set title = 'changed' where id = 'x-1'");
    let refused = migrate(&database, &fresh().by).unwrap_err().to_string();
    let theirs = yard.bd(&dir, &["create", "x"]).fails(1);
    let words = "pending schema migrations alter pre-existing dirty tables: issues";
    assert!(refused.starts_with(words) && theirs.err.contains(words), "{refused}: {}", theirs.err);
    yard.dolt(Dolt::V1, &database, &["reset", "--hard"]).ok();
    sql("insert into config values ('a', 'b')");
    let refused = migrate(&database, &fresh().by).unwrap_err().to_string();
    assert!(refused.contains("changes to config"), "{refused}");
    yard.dolt(Dolt::V1, &database, &["reset", "--hard"]).ok();
    sql("delete from schema_migrations where version = 49");
    let before = messages(&session(&database));
    let refused = migrate(&database, &fresh().by).unwrap_err();
    assert!(matches!(refused, SchemaError::TooOld { main: 48, local: 8 }), "{refused}");
    assert_eq!(messages(&session(&database)), before);
}
