//! Auto increment, upserts and replacements: the same rows with the same numbers, and the same number stored as the next one.

use dolt_store::Result;
use dolt_store::table::{Misfit, RootEditor, Row, Value, Violation};

use crate::support::{Dolt, Pair};

fn int(n: i64) -> Value {
    Value::Int(n)
}

// Adds a row of which the number is not said, and gives the number.
fn next(root: &mut RootEditor<'_>, table: &str, v: i64) -> Result<Value> {
    Ok(root.table(table)?.insert([("v", int(v))])?.remove(0))
}

fn add(root: &mut RootEditor<'_>, table: &str, id: Value, v: i64) -> Result<()> {
    root.table(table)?.insert([("id", id), ("v", int(v))]).map(drop)
}

#[test]
fn numbers_are_given_as_dolt_gives_them() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let pair = Pair::new(
            dolt,
            "create table t (id int primary key auto_increment, v int, unique key (v));
            create table tiny (id tinyint primary key auto_increment, v int);
            create table ut (id tinyint unsigned primary key auto_increment, v int);
            create table other (a int, id bigint unsigned auto_increment, primary key (a), key (id));
            create table keyless (id mediumint auto_increment, v int, key (id))",
        );
        pair.both("insert into t (v) values (1)", |root| {
            assert_eq!(next(root, "t", 1)?, int(1));
            Ok(())
        });
        pair.both(
            "insert into t values (null, 2), (0, 3); insert into t values (10, 4); insert into t values (5, 5), (-5, 6); insert into t (v) values (7)",
            |root| {
                add(root, "t", Value::Null, 2)?;
                add(root, "t", int(0), 3)?;
                add(root, "t", int(10), 4)?;
                add(root, "t", Value::Uint(5), 5)?;
                add(root, "t", int(-5), 6)?;
                assert_eq!(next(root, "t", 7)?, int(11));
                Ok(())
            },
        );
        let told = pair.neither("insert into t (v) values (7)", |root| next(root, "t", 7).map(drop));
        assert_eq!(told.1, Violation::Duplicate { index: "v".into(), key: "7".into() });
        // What was refused has used up its number.
        pair.theirs.sql_on_error("insert into t (v) values (7); insert into t (v) values (8)");
        pair.edit(|root| {
            next(root, "t", 7).unwrap_err();
            next(root, "t", 8)
        })
        .unwrap();
        pair.same("a number is lost");
        // A change to a greater number does not count, and a removal is none.
        pair.both(
            "update t set id = 100 where v = 8; delete from t where v = 5; insert into t (v) values (9)",
            |root| {
                root.table("t")?.update(&[int(13)], [("id", int(100))])?;
                root.table("t")?.delete(&[int(5)])?;
                assert_eq!(next(root, "t", 9)?, int(14));
                Ok(())
            },
        );
        // The last number there can be stays the next one if it was said, and is passed if it was given.
        pair.both("insert into tiny values (126, 1); insert into tiny (v) values (2); insert into ut values (255, 1)", |root| {
            add(root, "tiny", int(126), 1)?;
            assert_eq!(next(root, "tiny", 2)?, int(127));
            add(root, "ut", int(255), 1)
        });
        let told = pair.neither("insert into tiny (v) values (3)", |root| next(root, "tiny", 3).map(drop));
        assert_eq!(told.1, Violation::Value { column: "id".into(), misfit: Misfit::OutOfRange });
        let told = pair.neither("insert into ut (v) values (3)", |root| next(root, "ut", 3).map(drop));
        assert_eq!(told.1, Violation::Duplicate { index: "PRIMARY".into(), key: "255".into() });
        pair.both("insert into other (a) values (7), (8); insert into keyless values (null, 1), (4, 1), (null, 2); delete from keyless where id = 5", |root| {
            root.table("other")?.insert([("a", int(7))])?;
            root.table("other")?.insert([("a", int(8))])?;
            let mut keyless = root.table("keyless")?;
            keyless.insert([("v", int(1))])?;
            keyless.insert([("v", int(1)), ("id", int(4))])?;
            assert_eq!(keyless.insert([("v", int(2))])?, []);
            keyless.delete_row(&Row { values: vec![int(5), int(2)] })
        });
        pair.is_sound();
    }
}

#[test]
fn the_next_number_is_the_greatest_of_all_branches() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let pair = Pair::new(
            dolt,
            "create table t (id int primary key auto_increment, v int); create table r (id int primary key auto_increment, v int);
            insert into t (v) values (1); call dolt_commit('-Am', 'x');
            call dolt_checkout('-b', 'b1'); insert into t (v) values (2), (3);
            call dolt_checkout('-b', 'b2', 'main'); insert into t (v) values (4); call dolt_commit('-am', 'y');
            call dolt_checkout('main')",
        );
        // A removal stores nothing; a change does, and so does a new row.
        pair.both("delete from t where v = 4", |_| Ok(()));
        pair.both("update t set v = 5", |root| root.table("t")?.update(&[int(1)], [("v", int(5))]).map(drop));
        pair.both("insert into t (v) values (6)", |root| {
            assert_eq!(next(root, "t", 6)?, int(5));
            Ok(())
        });
        pair.both("insert into r (v) values (6)", |root| {
            assert_eq!(next(root, "r", 6)?, int(1));
            Ok(())
        });
        // What other branches had is not forgotten when their row goes.
        pair.both("insert into t values (3, 7); delete from t where id = 5", |root| {
            add(root, "t", int(3), 7)?;
            root.table("t")?.delete(&[int(5)])
        });
        pair.is_sound();
    }
}

#[test]
fn rows_that_are_there_are_changed_or_replaced_as_sql_does_it() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let pair = Pair::new(
            dolt,
            "create table t (id int primary key auto_increment, u int, v int, n varchar(5), unique key (u), key (v, n));
            create table c (id int primary key, t int, foreign key (t) references t (id) on delete cascade on update cascade);
            insert into t values (1, 10, 1, 'a'), (2, 20, 2, 'b'), (3, 30, 3, null); insert into c values (1, 1), (2, 2), (3, 3)",
        );
        let row = |id, u, v| [("id", id), ("u", int(u)), ("v", int(v))];
        pair.both(
            "insert into t (id, u, v) values (4, 40, 4) on duplicate key update v = 9;
            insert into t (id, u, v) values (2, 50, 4) on duplicate key update v = 9, n = 'x';
            insert into t (id, u, v) values (null, 10, 4) on duplicate key update id = 11;
            insert into t (id, u, v) values (3, 10, 4) on duplicate key update v = 3",
            |root| {
                let mut t = root.table("t")?;
                assert!(t.upsert(row(int(4), 40, 4), [("v", int(9))])?);
                assert!(!t.upsert(row(int(2), 50, 4), [("v", int(9)), ("n", Value::Text("x".into()))])?);
                assert!(!t.upsert(row(Value::Null, 10, 4), [("id", int(11))])?);
                // Both 3 and 11 are in the way: the primary key comes first.
                assert!(!t.upsert(row(int(3), 10, 4), [("v", int(3))])?);
                Ok(())
            },
        );
        let told = pair
            .neither("insert into t (id, u, v) values (2, 1, 1) on duplicate key update u = 30", |root| {
                root.table("t")?.upsert(row(int(2), 1, 1), [("u", int(30))]).map(drop)
            });
        assert_eq!(told.1, Violation::Duplicate { index: "u".into(), key: "30".into() });
        // What is replaced goes, and its children with it.
        pair.both(
            "replace into t (id, u, v) values (3, 40, 5); replace into t (id, u, v) values (60, 60, 6)",
            |root| {
                let mut t = root.table("t")?;
                assert_eq!(t.replace(row(int(3), 40, 5))?, 2);
                assert_eq!(t.replace(row(int(60), 60, 6))?, 0);
                Ok(())
            },
        );
        assert_eq!(pair.ours.asked("csv", "select id from c order by id"), "id\n1\n2\n");
        pair.is_sound();
    }
}
