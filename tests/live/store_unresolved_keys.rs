//! Foreign keys that were made before what they refer to are resolved by the same statement natively as in Dolt, to the same
//! address; what cannot be resolved refuses the statement in both.

use std::path::Path;

use dolt_store::chunk::Disk;
use dolt_store::commit::{Author, Database};
use dolt_store::table::{ForeignKey, Reference, RootEditor, TableEditor, Value, Violation};
use dolt_store::{Error, Hash, Result};

use crate::support::{Dolt, Pair, Subject, TestTown, bd, copy_tree, lock, run, unlock};

fn int(n: i64) -> Value {
    Value::Int(n)
}

fn row(id: i64, other: i64) -> [(&'static str, Value); 2] {
    [("id", int(id)), ("p", int(other))]
}

fn keys(subject: &Subject) -> Vec<ForeignKey> {
    let root = subject.table_root("WORKING");
    subject.open().session().unwrap().tables(root).unwrap().foreign_keys().unwrap()
}

fn resolved(subject: &Subject) -> Vec<String> {
    keys(subject).into_iter().filter(ForeignKey::is_resolved).map(|key| key.name).collect()
}

// A statement that both refuse while it runs: what it has resolved by then stays.
#[track_caller]
fn refused(pair: &Pair, sql: &str, change: impl FnOnce(&mut RootEditor<'_>) -> Result<()>) -> Violation {
    pair.theirs.dolt(&["sql", "-q", sql]).fails(1);
    let said = pair.edit(|root| Ok(change(root).expect_err(sql))).unwrap();
    pair.same(sql);
    let Error::Violation { violation, .. } = said else { panic!("{sql}: {said}") };
    *violation
}

// Statements that find no row, which is no failure in SQL.
#[track_caller]
fn finds_nothing(pair: &Pair, sql: &str, change: impl FnOnce(&mut RootEditor<'_>) -> Result<()>) {
    pair.theirs.sql(sql);
    let said = pair.edit(|root| Ok(change(root).expect_err(sql))).unwrap();
    assert!(
        matches!(&said, Error::Violation { violation, .. } if matches!(**violation, Violation::NoRow { .. })),
        "{sql}: {said}"
    );
    pair.same(sql);
}

// A statement that both refuse before it runs, because a key cannot be resolved.
#[track_caller]
fn unresolvable(pair: &Pair, sql: &str, change: impl FnOnce(&mut RootEditor<'_>) -> Result<()>) -> String {
    let before = pair.ours.table_root("WORKING");
    pair.theirs.dolt(&["sql", "-q", sql]).fails(1);
    let said = pair.edit(|root| Ok(change(root).expect_err(sql).to_string())).unwrap();
    assert_eq!(pair.ours.table_root("WORKING"), before, "{sql}: {said}");
    pair.same(sql);
    said
}

// A child and a parent for each statement, with names that are spelled otherwise in the key.
fn families(count: usize) -> String {
    let one = |n: usize| {
        format!(
            "create table c{n} (id int primary key, p int, constraint fk{n} foreign key (P) references p{n} (ID) on delete cascade on update cascade);
             insert into c{n} values (1, 1), (2, null);
             create table p{n} (Id int primary key, p int);
             insert into p{n} values (1, 1), (2, 2);"
        )
    };
    (0..count).map(one).fold("set foreign_key_checks = 0;".to_owned(), |all, one| all + &one)
}

type Change = fn(&mut TableEditor<'_, '_>) -> Result<()>;

const TAKEN: [(&str, &str, Change, bool); 13] = [
    ("c", "insert into T values (3, 2)", |t| t.insert(row(3, 2)).map(drop), true),
    ("c", "insert into T values (3, null)", |t| t.insert([("id", int(3))]).map(drop), true),
    ("p", "insert into T values (3, 3)", |t| t.insert(row(3, 3)).map(drop), false),
    ("c", "update T set p = 2 where id = 1", |t| t.update(&[int(1)], [("p", int(2))]).map(drop), true),
    ("c", "update T set p = 1 where id = 1", |t| t.update(&[int(1)], [("p", int(1))]).map(drop), true),
    ("p", "update T set p = 9 where id = 1", |t| t.update(&[int(1)], [("p", int(9))]).map(drop), true),
    ("p", "update T set id = 9 where id = 1", |t| t.update(&[int(1)], [("id", int(9))]).map(drop), true),
    ("c", "delete from T where id = 1", |t| t.delete(&[int(1)]), false),
    ("p", "delete from T where id = 1", |t| t.delete(&[int(1)]), true),
    ("p", "delete from T where id = 2", |t| t.delete(&[int(2)]), true),
    ("c", "replace into T values (1, 2)", |t| t.replace(row(1, 2)).map(drop), true),
    ("p", "replace into T values (3, 2)", |t| t.replace(row(3, 2)).map(drop), true),
    (
        "p",
        "insert into T values (1, 2) on duplicate key update p = 7",
        |t| t.upsert(row(1, 2), [("p", int(7))]).map(drop),
        true,
    ),
];

const MISSED: [(&str, &str, Change, bool); 4] = [
    ("c", "update T set p = 1 where id = 77", |t| t.update(&[int(77)], [("p", int(1))]).map(drop), true),
    ("p", "update T set p = 1 where id = 77", |t| t.update(&[int(77)], [("p", int(1))]).map(drop), true),
    ("c", "delete from T where id = 77", |t| t.delete(&[int(77)]), false),
    ("p", "delete from T where id = 77", |t| t.delete(&[int(77)]), true),
];

const REFUSED: [(&str, &str, Change, bool); 4] = [
    ("c", "insert into T values (3, 77)", |t| t.insert(row(3, 77)).map(drop), true),
    ("c", "insert into T values (1, 1)", |t| t.insert(row(1, 1)).map(drop), true),
    ("p", "insert into T values (1, 1)", |t| t.insert(row(1, 1)).map(drop), false),
    ("c", "update T set p = 77 where id = 1", |t| t.update(&[int(1)], [("p", int(77))]).map(drop), true),
];

#[test]
fn the_first_statement_that_may_look_at_a_key_resolves_it_even_if_it_finds_nothing_or_is_refused() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let pair = Pair::new(dolt, &families(TAKEN.len() + MISSED.len() + REFUSED.len()));
        let mut expected = Vec::new();
        let mut numbers = 0..;
        let mut family = |table: &str, sql: &str, resolves: bool| {
            let n = numbers.next().unwrap();
            if resolves {
                expected.push(format!("fk{n}"));
            }
            (format!("{table}{n}"), sql.replace(" T ", &format!(" {table}{n} ")))
        };
        for (table, sql, change, resolves) in TAKEN {
            let (table, sql) = family(table, sql, resolves);
            pair.both(&sql, |root| change(&mut root.table(&table)?));
        }
        for (table, sql, change, resolves) in MISSED {
            let (table, sql) = family(table, sql, resolves);
            finds_nothing(&pair, &sql, |root| change(&mut root.table(&table)?));
        }
        for (table, sql, change, resolves) in REFUSED {
            let (table, sql) = family(table, sql, resolves);
            let said = refused(&pair, &sql, |root| change(&mut root.table(&table)?));
            assert!(!matches!(said, Violation::NoRow { .. }), "{sql}: {said:?}");
        }
        expected.sort();
        assert_eq!(resolved(&pair.ours), expected);
        for key in keys(&pair.ours).iter().filter(|key| key.is_resolved()) {
            assert_eq!((&*key.unresolved_child_columns[0], &*key.unresolved_parent_columns[0]), ("p", "Id"));
        }
        pair.is_sound();
    }
}

// Rows that break the key.
const BROKEN: &str = r"
set foreign_key_checks = 0;
create table c (id int primary key, p int, constraint fk foreign key (p) references p (id) on delete cascade);
create table d (id int primary key, p int, constraint fk_d foreign key (p) references q (id) on update cascade);
insert into c values (1, 1), (2, 9); insert into d values (1, 1), (2, 9);
create table p (id int primary key, p int); insert into p values (1, 1), (2, 2);
create table q (id int primary key, p int); insert into q values (1, 1), (2, 2);
";

#[test]
fn statements_that_add_rows_want_the_old_ones_to_hold_and_others_do_not() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let pair = Pair::new(dolt, BROKEN);
        let said =
            unresolvable(&pair, "insert into c values (3, 1)", |r| r.table("c")?.insert(row(3, 1)).map(drop));
        assert!(said.contains("there is no such parent: 9"), "{said}");
        unresolvable(&pair, "replace into p values (3, 1)", |r| r.table("p")?.replace(row(3, 1)).map(drop));
        unresolvable(&pair, "insert into p values (3, 1) on duplicate key update p = 1", |r| {
            r.table("p")?.upsert(row(3, 1), [("p", int(1))]).map(drop)
        });
        assert!(resolved(&pair.ours).is_empty());
        pair.both("insert into p values (3, 1)", |r| r.table("p")?.insert(row(3, 1)).map(drop));
        pair.both("delete from p where id = 1", |r| r.table("p")?.delete(&[int(1)]));
        pair.both("update d set p = 2 where id = 1", |r| {
            r.table("d")?.update(&[int(1)], [("p", int(2))]).map(drop)
        });
        assert_eq!(resolved(&pair.ours), ["fk", "fk_d"]);
        // From then on only its own row is looked at.
        pair.both("insert into c values (3, 2)", |r| r.table("c")?.insert(row(3, 2)).map(drop));
        let said =
            refused(&pair, "insert into d values (4, 9)", |r| r.table("d")?.insert(row(4, 9)).map(drop));
        assert!(matches!(said, Violation::ForeignKey { problem: Reference::NoParent, .. }), "{said:?}");
    }
}

// Keys to the own table, in a circle, down a chain, of several columns, of tables without a primary key, next to keys that are
// resolved, and to a parent that was made a second time.
const SHAPES: &str = r"
set foreign_key_checks = 0;
create table tree (id int primary key, up int, constraint fk_tree foreign key (up) references tree (id) on delete cascade);
insert into tree values (1, null), (2, 1), (3, 2);
create table a (id int primary key, p int, constraint fk_a foreign key (p) references b (id) on delete cascade);
create table b (id int primary key, p int, constraint fk_b foreign key (p) references a (id) on delete set null);
insert into a values (1, 1), (2, 2); insert into b values (1, 1), (2, 2);
create table low (id int primary key, p int, constraint fk_low foreign key (p) references mid (id) on delete cascade);
create table mid (id int primary key, p int, constraint fk_mid foreign key (p) references high (id) on delete cascade, constraint fk_side foreign key (id) references side (id));
create table high (id int primary key, p int); create table side (id int primary key, p int);
insert into high values (1, 1), (2, 2); insert into side values (1, 1), (2, 2); insert into mid values (1, 1), (2, 2); insert into low values (1, 1), (2, 2);
create table two (id int primary key, x int, y int, unique key u (x), key xyi (x, y, id), key yx (y, x), constraint fk_two foreign key (x, y) references pair (a, b) on update cascade);
create table pair (id int primary key, a int, b int, key ba (b, a), key ab (a, b, id), key a2 (a), unique key ab2 (a, b));
insert into pair values (1, 1, 1), (2, 2, 2); insert into two values (1, 1, 1);
create table keyless (x int, y int, constraint fk_keyless foreign key (y) references no_key (k) on delete cascade);
create table no_key (k int, v int, key by_k (k, v));
insert into no_key values (1, 1), (2, 2); insert into keyless values (1, 1), (1, 1), (2, null);
create table remade (id int primary key, n int);
set foreign_key_checks = 1;
create table mixed (id int primary key, p int, q int, constraint fk_known foreign key (p) references high (id));
create table of_remade (id int primary key, p int, constraint fk_remade foreign key (p) references remade (id));
set foreign_key_checks = 0;
drop table remade; create table remade (n bigint, id int, primary key (id));
insert into remade values (1, 1);
";

#[test]
fn keys_of_every_shape_are_resolved_to_what_dolt_stores() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let pair = Pair::new(dolt, SHAPES);
        // What refers to a parent that was dropped stays resolved.
        let before = ["fk_known", "fk_remade"];
        assert_eq!(resolved(&pair.ours), before);
        let now = |names: &[&str]| {
            let mut found = resolved(&pair.ours);
            found.retain(|name| !before.contains(&name.as_str()));
            assert_eq!(found, names);
        };
        pair.both("insert into mixed values (1, 2, 1)", |r| {
            r.table("mixed")?.insert(row(1, 2).into_iter().chain([("q", int(1))])).map(drop)
        });
        now(&[]);
        pair.both("delete from tree where id = 2", |r| r.table("tree")?.delete(&[int(2)]));
        pair.both("delete from b where id = 1", |r| r.table("b")?.delete(&[int(1)]));
        now(&["fk_a", "fk_b", "fk_tree"]);
        // Down the chain, and at every step what stands beside.
        pair.both("delete from high where id = 1", |r| r.table("high")?.delete(&[int(1)]));
        now(&["fk_a", "fk_b", "fk_low", "fk_mid", "fk_side", "fk_tree"]);
        pair.both("update pair set a = 5 where id = 1", |r| {
            r.table("pair")?.update(&[int(1)], [("a", int(5))]).map(drop)
        });
        pair.both("delete from no_key where k = 1", |r| {
            r.table("no_key")?.delete_row(&dolt_store::table::Row { values: vec![int(1), int(1)] })
        });
        // Dolt goes by the names in it. We go by tags, and say so.
        let said =
            pair.edit(|r| Ok(r.table("of_remade")?.insert(row(1, 1)).expect_err("tags that are gone")));
        let said = said.unwrap().to_string();
        assert!(said.contains("foreign key fk_remade of of_remade, which names a column"), "{said}");
        // Nor does Dolt commit it.
        pair.theirs.dolt(&["sql", "-q", "call dolt_commit('-Am', 'x')"]).fails(1).says("unexpected schema");
        for subject in [&pair.theirs, &pair.ours] {
            subject.sql("drop table of_remade");
        }
        assert!(keys(&pair.ours).iter().all(ForeignKey::is_resolved));
        pair.theirs.sql("call dolt_commit('-Am', 'x')");
        pair.ours.gt(&["commit", "-A", "-m", "x"]).ok();
        assert_eq!(pair.ours.table_root("HEAD"), pair.theirs.table_root("HEAD"));
        pair.is_sound();
    }
}

const CANNOT: &str = r"
set foreign_key_checks = 0;
create table p (id int primary key, n int, wide bigint, t text, tx int);
create table gone (id int primary key, p int, constraint fk_gone foreign key (p) references never (id));
create table no_column (id int primary key, p int, constraint fk_no_column foreign key (p) references q1 (nothing));
create table q1 (id int primary key);
create table no_index (id int primary key, p int, constraint fk_no_index foreign key (p) references q2 (n));
create table q2 (id int primary key, n int);
create table other_type (id int primary key, p int, constraint fk_other_type foreign key (p) references q3 (wide));
create table q3 (wide bigint primary key);
create table first_fine (id int primary key, p int, constraint a_fine foreign key (p) references q3b (id), constraint b_not foreign key (id) references never (id));
create table q3b (id int primary key);
insert into q1 values (1); insert into q2 values (1, 1); insert into q3 values (1); insert into q3b values (1);
";

#[test]
fn what_cannot_be_resolved_refuses_every_statement_that_may_look_at_it() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let pair = Pair::new(dolt, CANNOT);
        for (table, key, why) in [
            ("gone", "fk_gone", "table never, which is not there"),
            ("no_column", "fk_no_column", "the column nothing"),
            ("no_index", "fk_no_index", "no index for a foreign key"),
            ("other_type", "fk_other_type", "of type int cannot refer to bigint"),
            ("first_fine", "b_not", "table never, which is not there"),
        ] {
            let sql = format!("insert into {table} (id) values (1)");
            let said = unresolvable(&pair, &sql, |r| r.table(table)?.insert([("id", int(1))]).map(drop));
            assert!(said.contains(&format!("foreign key {key} of {table}")) && said.contains(why), "{said}");
        }
        for (table, key) in [("q1", "id"), ("q2", "id"), ("q3", "wide")] {
            let sql = format!("delete from {table} where {key} = 1");
            let said = unresolvable(&pair, &sql, |r| r.table(table)?.delete(&[int(1)]));
            assert!(said.contains("was made before what it refers to"), "{said}");
        }
        // What looks at none of them goes on.
        pair.both("insert into q1 values (2)", |r| r.table("q1")?.insert([("id", int(2))]).map(drop));
        pair.both("delete from gone where id = 1", |_| Ok(()));
        // Of a child that may change everything is looked at.
        let said = unresolvable(&pair, "delete from q3b where id = 1", |r| r.table("q3b")?.delete(&[int(1)]));
        assert!(said.contains("foreign key b_not of first_fine"), "{said}");
        assert!(resolved(&pair.ours).is_empty());
    }
}

fn working(database: &Path) -> Hash {
    let session = Database::open_read(database).unwrap().session().unwrap();
    session.resolve_root("WORKING").unwrap().unwrap()
}

type Write = (&'static str, fn(&mut RootEditor<'_>) -> Result<()>);

const ISSUE: &str = "insert into issues (id, title, description, design, acceptance_criteria, notes, created_at, updated_at) \
     values ('x-1', 'one', '', '', '', '', '2026-01-01 00:00:00', '2026-01-01 00:00:00')";

const FIRST_WRITES: [Write; 3] = [
    ("insert into child_counters values ('x-1', 3)", |root| {
        let values = [("parent_id", Value::Text("x-1".to_owned())), ("last_child", int(3))];
        root.table("child_counters")?.insert(values).map(drop)
    }),
    ("insert into child_counters values ('x-1', 3) on duplicate key update last_child = 4", |root| {
        let values = [("parent_id", Value::Text("x-1".to_owned())), ("last_child", int(3))];
        root.table("child_counters")?.upsert(values, [("last_child", int(4))]).map(drop)
    }),
    ("delete from issues where id = 'x-1'", |root| {
        root.table("issues")?.delete(&[Value::Text("x-1".to_owned())])
    }),
];

#[test]
fn the_first_write_in_a_database_fresh_from_bd_leaves_what_dolt_leaves() {
    let town = TestTown::with(&[]);
    let dir = town.outside().join("workspace");
    std::fs::create_dir_all(&dir).unwrap();
    let run_in = |program: &Path, dir: &Path, args: &[&str]| {
        let mut command = std::process::Command::new(program);
        town.seal(command.args(args));
        command.current_dir(dir).env("PWD", dir).env("BD_NON_INTERACTIVE", "1");
        command.env("BD_DISABLE_METRICS", "1").env("DOLT_USE_ADAPTIVE_ENCODING", "false");
        run(command)
    };
    run_in(&bd(), &dir, &["init", "--prefix", "x", "--skip-agents", "--skip-hooks"]).ok();
    let fresh = dir.join(".beads/embeddeddolt/x");
    run_in(&Dolt::V2.path(), &fresh, &["sql", "-q", ISSUE]).ok();
    let by = Author { name: "t".to_owned(), email: "t@example.com".to_owned(), millis: 1_767_323_045_000 };
    for dolt in [Dolt::V1, Dolt::V2] {
        for (n, (sql, change)) in FIRST_WRITES.iter().enumerate() {
            let at = |whose: &str| town.outside().join(format!("{whose}-{dolt:?}-{n}"));
            let (theirs, ours) = (at("theirs"), at("ours"));
            copy_tree(&fresh, &theirs);
            copy_tree(&fresh, &ours);
            run_in(&dolt.path(), &theirs, &["sql", "-q", sql]).ok();
            let mut locked = lock(&ours, &Disk::default());
            let mut transaction = locked.begin("main").unwrap();
            transaction.edit(change).unwrap();
            transaction.commit_sql(&by, "first").unwrap();
            unlock(locked, &ours);
            assert_ne!(working(&ours), working(&fresh), "{dolt:?}: {sql}");
            assert_eq!(working(&ours), working(&theirs), "{dolt:?}: {sql}");
            run_in(&dolt.path(), &ours, &["fsck"]).ok().says("No problems found.");
        }
    }
}
