//! A database that no Dolt has touched: made natively, with tables, indexes, foreign keys, a view, ignored names, rows, commits,
//! a branch and a tag. The real Dolt takes it for one of its own: it reads, serves, changes, collects, pushes and clones it, and
//! whoever comes next goes on from there.

use std::fs;
use std::path::Path;

use dolt_store::chunk::Disk;
use dolt_store::commit::{Author, CommitMeta, Database, Transaction};
use dolt_store::ddl::{DdlOptions, LongValues};
use dolt_store::table::{RootEditor, Value};
use dolt_store::verify::verify;
use dolt_store::{Error, Hash, Result};

use crate::support::{Dolt, Subject, lock, unlock};

const TABLES: [&str; 6] = [
    "create table parent (id int primary key, name varchar(40) not null, made datetime(6), unique key by_name (name))",
    "create table child (id int auto_increment primary key, parent int, kind enum('a','b') default 'b', note text, doc json, price decimal(8,2), key by_kind (kind, price), key front (note(5)), constraint belongs foreign key (parent) references parent (id) on delete cascade, check (price > 0))",
    "create table keyless (n int, v varchar(10), key by_v (v))",
    "create table scratch_1 (id int primary key)",
    "create index by_made on parent (made)",
    "create view children as select p.name, c.id, c.price from child c join parent p on c.parent = p.id",
];

/// How many rows each of both commits adds to `parent` and to `child`.
const ROWS: i64 = 400;

fn author() -> Author {
    Author { name: "t".to_owned(), email: "t@example.com".to_owned(), millis: 1_767_323_045_000 }
}

fn meta(message: &str) -> CommitMeta {
    CommitMeta::by(author(), message)
}

fn options(dolt: Dolt) -> DdlOptions {
    let is_old = dolt == Dolt::V1;
    let long_values = if is_old { LongValues::Addresses } else { LongValues::Adaptive };
    DdlOptions { long_values, loses_comments: is_old, foreign_key_checks: true }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// Some are so long that they lie outside of their rows.
fn note(n: i64) -> String {
    format!("note {n} ").repeat(if n % 100 == 0 { 900 } else { 2 })
}

fn rows(root: &mut RootEditor<'_>, from: i64) -> Result<()> {
    for n in from..from + ROWS {
        let made = Value::Datetime(1_767_323_045_000_000 + n);
        root.table("parent")?.insert([
            ("id", Value::Int(n)),
            ("name", text(&format!("parent {n}"))),
            ("made", made),
        ])?;
        let note = note(n);
        let key = root.table("child")?.insert([
            ("parent", Value::Int(n)),
            ("note", text(&note)),
            ("doc", Value::Json(format!("{{\"n\":{n}}}"))),
            ("price", Value::Decimal(format!("{}.50", n + 1))),
        ])?;
        assert_eq!(key, [Value::Int(n + 1)], "it is counted");
        root.table("keyless")?.insert_row(&[Value::Int(n % 3), text("v")])?;
    }
    Ok(())
}

/// One commit of all that is not ignored.
fn commit(dir: &Path, message: &str, does: impl FnOnce(&mut Transaction<'_>) -> Result<()>) -> Hash {
    let mut locked = lock(dir, &Disk::default());
    let branch = locked.session().unwrap().head().to_owned();
    let mut tx = locked.begin(&branch).unwrap();
    does(&mut tx).unwrap();
    tx.stage_all().unwrap();
    let made = tx.commit(&meta(message), true).unwrap().unwrap();
    unlock(locked, dir);
    made
}

/// The database, in the place where the town expects one.
fn made(dolt: Dolt) -> Subject {
    let subject = Subject::new(dolt);
    let dir = subject.dir();
    fs::remove_dir_all(&dir).unwrap();
    Database::init(&dir, "main", &CommitMeta::first(author())).unwrap();
    let first = commit(&dir, "ours 1", |tx| {
        for sql in TABLES {
            tx.run_ddl(sql, options(dolt))?;
        }
        tx.create_dolt_ignore(options(dolt))?;
        tx.edit(|root| {
            root.table("dolt_ignore")?.insert_row(&[text("scratch_%"), Value::Int(1)])?;
            root.table("scratch_1")?.insert_row(&[Value::Int(1)])?;
            rows(root, 0)
        })
    });
    commit(&dir, "ours 2", |tx| tx.edit(|root| rows(root, ROWS)));
    let mut locked = lock(&dir, &Disk::default());
    locked.create_branch("other", first, 1_767_323_046).unwrap();
    locked.create_tag("v1", first, &author(), "the first").unwrap();
    unlock(locked, &dir);
    subject
}

impl Subject {
    #[track_caller]
    fn tells(&self, dolt: Dolt, dir: &Path, query: &str, wanted: &str) {
        let said = self.another_dolt_in(dolt, dir, &["sql", "-r", "csv", "-q", query]).ok().out;
        let answer = said.trim_end().split_once('\n').map_or("", |(_, rows)| rows);
        assert_eq!(answer, wanted, "{dolt:?}: {query}");
    }

    /// Both Dolts find what we have put there, and nothing wrong with it; nor do we.
    #[track_caller]
    fn has_it_all(&self, dir: &Path) {
        let notes: usize = (0..2 * ROWS).map(|n| note(n).len()).sum();
        let children = format!("800,320800,{notes},800");
        let asked = [
            ("count(*), sum(id), max(made)", "parent", "800,319600,2026-01-02 03:04:05.000799"),
            ("count(*), round(sum(price)), sum(length(note)), count(distinct doc)", "child", &children),
            // By their indexes.
            ("id", "parent where name = 'parent 500'", "500"),
            ("id", "parent where made = '2026-01-02 03:04:05.000007'", "7"),
            ("count(*)", "child use index (by_kind) where kind = 'b' and price between 10 and 19", "9"),
            ("count(*)", "child use index (front) where note like 'note 79%'", "11"),
            ("count(*), sum(n)", "keyless where v = 'v'", "800,799"),
            ("name, id", "children where price = 42.50", "parent 41,42"),
            ("pattern, ignored", "dolt_ignore", "scratch_%,1"),
            ("type, name", "dolt_schemas where name = 'children'", "view,children"),
            ("tag_name, message", "dolt_tags", "v1,the first"),
            ("count(*)", "parent as of 'v1'", "400"),
            ("count(*)", "child as of 'other'", "400"),
            (
                "group_concat(message order by message)",
                "dolt_log where message like 'ours%'",
                "ours 1,ours 2",
            ),
            ("constraint_name, delete_rule", "information_schema.referential_constraints", "belongs,CASCADE"),
        ];
        // In one go: a process for each would take longer than everything else.
        let whole: Vec<String> = asked
            .iter()
            .map(|(columns, from, _)| {
                format!("select concat('=', concat_ws(',', {columns})) as it from {from};")
            })
            .collect();
        let wanted: Vec<&str> = asked.iter().map(|(.., wanted)| *wanted).collect();
        for dolt in [Dolt::V1, Dolt::V2] {
            let said =
                self.another_dolt_in(dolt, dir, &["sql", "-r", "tabular", "-q", &whole.join("\n")]).ok();
            let lines = said.out.lines().filter_map(|line| line.strip_prefix("| =")?.strip_suffix('|'));
            let found: Vec<&str> = lines.map(str::trim_end).collect();
            assert_eq!(found, wanted, "{dolt:?}: {said:?}");
        }
        self.is_sound(dir);
    }

    #[track_caller]
    fn is_sound(&self, dir: &Path) {
        for dolt in [Dolt::V1, Dolt::V2] {
            let said = self.another_dolt_in(dolt, dir, &["fsck"]).ok().out;
            assert!(said.contains("No problems found."), "{dolt:?}: {said}");
        }
        let report = verify(&Database::open_read(dir).unwrap(), &()).unwrap();
        assert!(report.is_clean(), "{:?}", report.findings);
    }
}

// A row more in each table, by us.
fn one_more(dir: &Path, id: i64, message: &str) -> Hash {
    commit(dir, message, |tx| {
        tx.edit(|root| {
            root.table("parent")?.insert([("id", Value::Int(id)), ("name", text(message))])?;
            root.table("child")?.insert([("parent", Value::Int(id)), ("note", text(message))]).map(drop)
        })
    })
}

fn head(dir: &Path) -> Hash {
    let session = Database::open_read(dir).unwrap().session().unwrap();
    session.resolve_commit("HEAD").unwrap().unwrap()
}

#[test]
fn a_database_that_we_made_is_read_and_changed_by_dolt_as_its_own() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = made(dolt);
        let dir = subject.dir();
        subject.has_it_all(&dir);
        assert!(
            subject.dolt(&["status"]).ok().out.contains("nothing to commit"),
            "what is ignored is not shown"
        );
        subject.tells(dolt, &dir, "select count(*) from scratch_1", "1");
        // Its rules are kept.
        for refused in [
            "insert into child (parent, price) values (12345, 1)",
            "insert into child (parent, price) values (1, -1)",
            "insert into parent values (1, 'x', null)",
            "insert into parent values (9999, 'parent 3', null)",
        ] {
            subject.dolt(&["sql", "-q", refused]).fails(1);
        }
        subject.sql("delete from parent where id < 10; insert into child (parent, price) values (20, 5); call dolt_commit('-Am', 'theirs')");
        subject.tells(dolt, &dir, "select count(*), max(id) from child", "791,801");
        one_more(&dir, 5000, "ours again");
        subject.tells(dolt, &dir, "select note from child where id = 802", "ours again");
        subject.tells(dolt, &dir, "select message from dolt_log limit 2", "ours again\ntheirs");
        // Branches go on from where we put them.
        subject.dolt(&["checkout", "other"]).ok();
        subject.sql("alter table parent add column more int; insert into parent values (8000, 'theirs on other', null, 8)");
        subject.commit("theirs on other");
        commit(&dir, "ours on other", |tx| {
            let row = [("id", Value::Int(8001)), ("name", text("ours on other")), ("more", Value::Int(9))];
            tx.edit(|root| root.table("parent")?.insert(row).map(drop))
        });
        subject.tells(dolt, &dir, "select count(*), sum(more) from parent", "402,17");
        subject.dolt(&["checkout", "main"]).ok();
        subject.dolt(&["merge", "other", "-m", "merged"]).ok();
        subject.tells(dolt, &dir, "select count(*), sum(more) from parent", "793,17");
        one_more(&dir, 5001, "ours after a merge");
        subject.is_sound(&dir);
    }
}

#[test]
fn a_database_that_we_made_is_served_and_changed_over_sql() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = made(dolt);
        let sql = |sql: &str| subject.town.sql("alpha", sql);
        subject.town.up();
        assert!(sql("select name from children where id = 800").contains("parent 799"));
        assert!(sql("select count(*) as it from child where kind = 'b'").contains("800"));
        sql("insert into child (parent, price, note) values (3, 9.75, 'over the wire')");
        sql("update parent set name = 'renamed' where id = 4");
        sql("call dolt_commit('-Am', 'served')");
        sql("call dolt_branch('served')");
        sql("insert into keyless values (7, 'not yet')");
        // We read beside the server what it has written, committed or not.
        let read = |query: &[&str]| subject.gt(query).ok().out;
        assert!(read(&["show", "child", "--where", "id=801"]).contains("over the wire"));
        assert!(read(&["show", "keyless", "--where", "n=7"]).contains("not yet"));
        assert!(read(&["log", "-n", "1"]).contains("served"));
        subject.town.gt(&["dolt", "stop"]).ok();
        one_more(&subject.dir(), 5000, "after the server");
        subject.town.up();
        assert!(sql("select note from child where parent = 5000").contains("after the server"));
        assert!(sql("select v from keyless where n = 7").contains("not yet"));
        assert!(sql("select message from dolt_log limit 1").contains("after the server"));
        subject.town.gt(&["dolt", "stop"]).ok();
        subject.is_sound(&subject.dir());
    }
}

#[test]
fn a_database_that_we_made_survives_a_collection_and_takes_our_next_write() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = made(dolt);
        let dir = subject.dir();
        for (n, args) in [&["gc"][..], &["gc", "--shallow"], &["gc", "--full"]].into_iter().enumerate() {
            let before = head(&dir);
            subject.dolt(args).ok();
            assert_eq!(head(&dir), before);
            if n == 0 {
                subject.has_it_all(&dir);
            }
            let id = 6000 + i64::try_from(n).unwrap();
            let message = format!("after {}", args.join(" "));
            one_more(&dir, id, &message);
            subject.tells(dolt, &dir, &format!("select name from parent where id = {id}"), &message);
            subject.is_sound(&dir);
        }
    }
}

#[test]
fn a_database_that_we_made_is_pushed_and_cloned_and_goes_on_on_both_sides() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = made(dolt);
        let (dir, outside) = (subject.dir(), subject.town.outside());
        let (url, clone) = (format!("file://{}", outside.join("remote").display()), outside.join("clone"));
        let in_clone = |args: &[&str]| subject.another_dolt_in(dolt, &clone, args).ok();
        subject.dolt(&["remote", "add", "origin", &url]).ok();
        for what in ["main", "other", "v1"] {
            subject.dolt(&["push", "origin", what]).ok();
        }
        subject.another_dolt_in(dolt, outside, &["clone", &url, clone.to_str().unwrap()]).ok();
        assert_eq!(head(&clone), head(&dir));
        // Who commits is not cloned.
        for (key, value) in [("user.name", "t"), ("user.email", "t@example.com")] {
            in_clone(&["config", "--local", "--add", key, value]);
        }
        in_clone(&["branch", "other", "remotes/origin/other"]);
        subject.has_it_all(&clone);
        // The clone takes our writes, and they come back.
        let ours = one_more(&clone, 7000, "ours in the clone");
        in_clone(&[
            "sql",
            "-q",
            "update parent set name = 'theirs' where id = 7000; call dolt_commit('-Am', 'theirs in the clone')",
        ]);
        in_clone(&["push", "origin", "main"]);
        subject.dolt(&["pull", "origin", "main"]).ok();
        assert_eq!(head(&dir), head(&clone));
        subject.tells(dolt, &dir, "select name from parent where id = 7000", "theirs");
        let session = Database::open_read(&dir).unwrap().session().unwrap();
        assert!(session.log(head(&dir)).unwrap().any(|entry| entry.unwrap().hash == ours));
        // And the other way round.
        one_more(&dir, 7001, "ours at home");
        subject.dolt(&["push", "origin", "main"]).ok();
        in_clone(&["pull", "origin", "main"]);
        subject.tells(dolt, &clone, "select note from child where parent = 7001", "ours at home");
        subject.is_sound(&dir);
        subject.is_sound(&clone);
    }
}

#[test]
fn views_of_ours_are_seen_by_dolt_and_those_of_dolt_by_us() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = made(dolt);
        let dir = subject.dir();
        let names = || -> Vec<Value> {
            let views = subject.table("dolt_schemas");
            views.rows().unwrap().map(|row| row.unwrap().values[1].clone()).collect()
        };
        subject.sql("create view Theirs as select count(*) as n from children; create view gone as select 1");
        subject.tells(dolt, &dir, "select n from theirs", "800");
        assert_eq!(names(), [text("children"), text("gone"), text("theirs")]);
        // Ours stand on theirs, change theirs, and take their names for taken.
        let refused = |sql: &str| {
            let mut locked = lock(&dir, &Disk::default());
            let refused = locked.begin("main").unwrap().run_ddl(sql, options(dolt)).unwrap_err();
            unlock(locked, &dir);
            refused
        };
        assert!(matches!(refused("create view THEIRS as select 1"), Error::NameTaken { .. }));
        assert!(matches!(refused("create table theirs (id int)"), Error::NameTaken { .. }));
        commit(&dir, "views", |tx| {
            for sql in [
                "create view ours as select n + 1 as m from theirs",
                "create or replace view theirs as select count(*) * 2 as n from children",
                "drop view gone",
            ] {
                tx.run_ddl(sql, options(dolt))?;
            }
            Ok(())
        });
        assert_eq!(names(), [text("children"), text("ours"), text("theirs")]);
        for dolt in [Dolt::V1, Dolt::V2] {
            subject.tells(dolt, &dir, "select m from ours", "1601");
            subject.tells(
                dolt,
                &dir,
                "select table_name from information_schema.views order by 1",
                "children\nours\ntheirs",
            );
            subject.another_dolt(dolt, &["sql", "-q", "select * from gone"]).fails(1);
        }
        subject.sql("drop view ours; drop view theirs; drop view children");
        let tables = subject.open().session().unwrap().tables(subject.table_root("WORKING")).unwrap();
        assert!(!tables.names().unwrap().contains(&"dolt_schemas".to_owned()));
        commit(&dir, "again", |tx| tx.run_ddl("create view again as select 5 as five", options(dolt)));
        subject.tells(dolt, &dir, "select five from again", "5");
        subject.is_sound(&dir);
    }
}
