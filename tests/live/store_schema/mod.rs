//! bd's schema as we make it, judge it and bring it up to date, held against what the real bd makes, judges and does.

mod command;
mod crashes;
mod found;
mod migrated;
mod native;
mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dolt_store::Hash;
use dolt_store::commit::{Author, Database, Session};
use dolt_store::table::{Table, Value};
use gt::store::schema::Fresh;

use crate::support::{Dolt, Ran, TestTown, bd, run};

/// A place for databases, with the real programs at hand.
struct Yard {
    town: TestTown,
}

impl Yard {
    fn new() -> Self {
        Self { town: TestTown::with(&[]) }
    }

    /// A directory of its own.
    fn dir(&self, name: &str) -> PathBuf {
        let dir = self.town.outside().join(name);
        fs::create_dir_all(&dir).unwrap();
        dir
    }

    fn command(&self, program: &Path, dir: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args);
        self.town.seal(&mut command);
        command.current_dir(dir).env("PWD", dir).env("BD_NON_INTERACTIVE", "1");
        command.env("BD_DISABLE_METRICS", "1").env("DOLT_USE_ADAPTIVE_ENCODING", "false");
        command
    }

    fn bd(&self, dir: &Path, args: &[&str]) -> Ran {
        run(self.command(&bd(), dir, args))
    }

    fn dolt(&self, dolt: Dolt, database: &Path, args: &[&str]) -> Ran {
        run(self.command(&dolt.path(), database, args))
    }

    /// A workspace that the real bd made, whose long values are at addresses. Gives its database.
    fn bd_init(&self, name: &str) -> PathBuf {
        let dir = self.dir(name);
        self.bd(&dir, &["init", "--prefix", "x", "--skip-agents", "--skip-hooks"]).ok();
        dir.join(".beads/embeddeddolt/x")
    }
}

fn session(database: &Path) -> Session {
    Database::open_read(database).unwrap().session().unwrap()
}

fn table(session: &Session, revision: &str, name: &str) -> Table {
    let root = session.resolve_root(revision).unwrap().unwrap();
    session.tables(root).unwrap().open(name).unwrap().unwrap()
}

/// A table's rows.
fn rows(session: &Session, revision: &str, name: &str) -> Vec<Vec<Value>> {
    table(session, revision, name).rows().unwrap().map(|row| row.unwrap().values).collect()
}

/// The value behind a key of one of bd's tables of keys and values.
fn value(session: &Session, name: &str, key: &str) -> String {
    let is_it = |row: &Vec<Value>| matches!(&row[0], Value::Text(text) if text == key);
    let found = rows(session, "WORKING", name).into_iter().find(is_it);
    match found.as_deref() {
        Some([_, Value::Text(text)]) => text.clone(),
        other => panic!("{name}: {key}: {other:?}"),
    }
}

/// The addresses of a root's tables.
fn addresses(session: &Session, revision: &str) -> Vec<(String, Hash)> {
    let root = session.resolve_root(revision).unwrap().unwrap();
    session.tables(root).unwrap().addresses().unwrap()
}

/// A new database with the values of one that bd made.
fn same_as(theirs: &Session) -> Fresh {
    let imported: jiff::Timestamp = value(theirs, "metadata", "last_import_time").parse().unwrap();
    Fresh {
        prefix: value(theirs, "config", "issue_prefix"),
        project_id: value(theirs, "metadata", "_project_id"),
        clone_id: value(theirs, "metadata", "clone_id"),
        repo_id: value(theirs, "metadata", "repo_id"),
        bd_version: value(theirs, "local_metadata", "bd_version"),
        by: Author {
            name: "t".to_owned(),
            email: "t@example.com".to_owned(),
            millis: imported.as_millisecond().unsigned_abs(),
        },
    }
}

/// A new database with made-up values.
fn fresh() -> Fresh {
    Fresh {
        prefix: "x".to_owned(),
        project_id: "0b1f7f0e-6c5e-4f0e-8a56-3b8f5f5d2c11".to_owned(),
        clone_id: "0123456789abcdef".to_owned(),
        repo_id: "0123456789abcdef0123456789abcdef".to_owned(),
        bd_version: "1.1.0".to_owned(),
        by: Author { name: "t".to_owned(), email: "t@example.com".to_owned(), millis: 1_767_323_045_678 },
    }
}

/// The commits of a new database, the newest first.
const COMMITS: [&str; 8] = [
    "bd init",
    "schema: apply migrations",
    "disable nonlocal tables for fk migrations",
    "create nonlocal table local_metadata",
    "create nonlocal table repo_mtimes",
    "create nonlocal table wisp_*",
    "create nonlocal table wisps",
    "Initialize data repository",
];

/// The messages of a branch's commits, the newest first.
fn messages(session: &Session) -> Vec<String> {
    let head = session.resolve_commit("HEAD").unwrap().unwrap();
    session.log(head).unwrap().map(|entry| entry.unwrap().commit.description).collect()
}

#[track_caller]
fn is_whole(yard: &Yard, database: &Path) {
    for dolt in [Dolt::V1, Dolt::V2] {
        yard.dolt(dolt, database, &["fsck"]).ok().says("No problems found.");
    }
}
