//! Rows written natively obey what the schema says with expressions: defaults, `ON UPDATE`, generated columns, checks. The
//! tables have the addresses that Dolt gives them for the same rows.

use dolt_store::Error;
use dolt_store::chunk::Disk;
use dolt_store::commit::{Author, Transaction};
use dolt_store::expr::EvalContext;
use dolt_store::table::{RootEditor, Value, Violation};

use crate::support::{Dolt, Subject, lock, unlock};

const SCHEMA: &str = "
create table w (id int primary key, a int default 5, b varchar(20) default 'x\\'y', c decimal(10,3) default 1.5,
  d datetime default current_timestamp, e datetime(6) default current_timestamp(6) on update current_timestamp(6),
  u char(36) default (uuid()), j json default (json_object('k', 1)), n int default (a + 1), bo tinyint(1) default true,
  bi bit(4) default 5, en enum('a','b') default 'b', st set('x','y') default 'x,y', bn varbinary(4) default 'ab',
  da date default '2020-01-01', tm time default '10:00', yr year default 2020, tx text default ('long'), f double default -1e3,
  nu int, req int not null, today date default (current_date), at datetime(3) default (utc_timestamp(3)),
  g int as (a * 2) stored, v varchar(40) as (concat(b, '-', a)) virtual, vv int as (g + n) virtual,
  key (v), key (g), key by_both (vv, b), unique key (n, id),
  constraint positive check (a > 0), constraint bad check (b <> 'bad' or a is null), check (a < 100) not enforced, check (g <> 14));
create table k (a int, b int as (a + 1) stored, c int as (a * 3) virtual, key (c));";

/// 2026-02-28 12:34:56.789012 UTC; local time is two hours ahead.
const NOW: i64 = 1_772_282_096_789_012;

fn author() -> Author {
    Author { name: "t".to_owned(), email: "t@example.com".to_owned(), millis: 1_772_282_096_789 }
}

fn context() -> EvalContext {
    EvalContext::new(NOW, 7_200_000_000, |bytes| bytes.fill(0xab))
}

fn write(subject: &Subject, change: impl FnOnce(&mut Transaction<'_>)) {
    let mut locked = lock(&subject.dir(), &Disk::default());
    let mut transaction = locked.begin("main").unwrap();
    change(&mut transaction);
    transaction.commit_sql(&author(), "rows").unwrap();
    unlock(locked, &subject.dir());
}

fn edit(subject: &Subject, change: impl FnOnce(&mut RootEditor<'_>) -> Result<(), Error>) {
    write(subject, |tx| {
        tx.edit(|root| {
            root.set_context(context());
            change(root)
        })
        .unwrap();
    });
}

fn int(n: i64) -> Value {
    Value::Int(n)
}

#[test]
fn rows_get_what_the_schema_says_and_lie_as_dolt_lays_them() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let (theirs, ours) = (Subject::new(dolt), Subject::new(dolt));
        theirs.sql(SCHEMA);
        ours.sql(SCHEMA);
        let same = |what: &str| {
            for table in ["w", "k"] {
                assert_eq!(
                    ours.table(table).address(),
                    theirs.table(table).address(),
                    "{what}: {table}, {dolt:?}"
                );
            }
        };
        edit(&ours, |root| {
            let mut w = root.table("w")?;
            for id in 1..40 {
                w.insert([("id", int(id)), ("req", int(id * 2))])?;
            }
            w.insert([("id", int(50)), ("A", int(9)), ("b", Value::Null), ("req", int(0)), ("nu", int(3))])?;
            w.insert([
                ("id", int(51)),
                ("a", Value::Null),
                ("b", Value::Text("bad".into())),
                ("req", int(0)),
            ])?;
            let mut k = root.table("k")?;
            k.insert([("a", int(1))])?;
            k.insert([("a", int(1))])?;
            k.insert([("a", Value::Null)])?;
            Ok(())
        });
        let times = "'2026-02-28 14:34:56', '2026-02-28 14:34:56.789012', 'abababab-abab-4bab-abab-abababababab', '2026-02-28', '2026-02-28 12:34:56.789'";
        for id in 1..40 {
            theirs
                .dolt(&[
                    "sql",
                    "-q",
                    &format!(
                        "insert into w (id, req, d, e, u, today, at) values ({id}, {}, {times})",
                        id * 2
                    ),
                ])
                .ok();
        }
        theirs.sql(&format!(
            "insert into w (id, a, b, req, nu, d, e, u, today, at) values (50, 9, null, 0, 3, {times});
             insert into w (id, a, b, req, d, e, u, today, at) values (51, null, 'bad', 0, {times});
             insert into k (a) values (1), (1), (null);"
        ));
        same("inserted");
        // ON UPDATE counts where something changes, and where nobody says otherwise.
        edit(&ours, |root| {
            let mut w = root.table("w")?;
            assert!(w.update(&[int(1)], [("a", int(6))])?);
            assert!(!w.update(&[int(2)], [("a", int(5))])?);
            w.update(&[int(3)], [("b", Value::Text("new".into())), ("e", Value::Datetime(0))])?;
            w.update(&[int(4)], [("a", Value::Null), ("n", int(77))])?;
            w.delete(&[int(5)])?;
            let row = w.get(&[int(6)])?.unwrap();
            w.delete_row(&row)?;
            w.insert_row(&row.values)?;
            let row = root.table("k")?.schema()?.columns.len();
            assert_eq!(row, 5);
            Ok(())
        });
        theirs.sql(
            "update w set a = 6, e = '2026-02-28 14:34:56.789012' where id = 1;
             update w set b = 'new', e = '1970-01-01' where id = 3;
             update w set a = null, n = 77, e = '2026-02-28 14:34:56.789012' where id = 4; delete from w where id = 5;",
        );
        same("changed");
        ours.dolt(&["add", "-A"]).ok();
        ours.dolt(&["commit", "-m", "rows that we wrote"]).ok();
        let said = ours.dolt(&["fsck"]).ok().out;
        assert!(said.contains("No problems found."), "{said}");
        assert_eq!(
            ours.asked("csv", "select count(*) from w where v = 'x\\'y-5'").lines().last(),
            Some("35")
        );
    }
}

#[test]
fn what_dolt_refuses_of_a_row_is_refused_by_name() {
    let subject = Subject::new(Dolt::V1);
    subject.sql(SCHEMA);
    subject.sql("insert into w (id, req) values (1, 1); create table odd (id int primary key, x varchar(9) default (crc32('a')), y int check (crc32('b') > y), z int as (crc32(id)) stored, n tinyint default (id * 100))");
    let before = subject.table("w").address();
    write(&subject, |tx| {
        tx.edit(|root| {
            root.set_context(context());
            let mut w = root.table("w")?;
            let violates = |told: Error, wanted: &str| {
                assert!(matches!(told, Error::Violation { .. }), "{told:?}");
                assert_eq!(told.to_string(), format!("table w, row 2: {wanted}"));
            };
            let base = || vec![("id", int(2)), ("req", int(1))];
            let with = |more: &[(&'static str, Value)]| [base(), more.to_vec()].concat();
            violates(w.insert([("id", int(2))]).unwrap_err(), "column req has no default, and no value was given");
            violates(w.insert(with(&[("a", int(0))])).unwrap_err(), "check positive does not hold");
            violates(w.insert(with(&[("b", Value::Text("bad".into()))])).unwrap_err(), "check bad does not hold");
            violates(w.insert(with(&[("g", int(1))])).unwrap_err(), "column g is generated, a value cannot be given");
            violates(w.insert(with(&[("v", Value::Text("q".into()))])).unwrap_err(), "column v is generated, a value cannot be given");
            violates(
                w.insert(with(&[("a", int(2_000_000_000))])).unwrap_err(),
                "the expression of column g has no value for this row: out of range",
            );
            let told = w.update(&[int(1)], [("a", int(7))]).unwrap_err();
            assert!(
                matches!(&told, Error::Violation { violation, .. } if matches!(**violation, Violation::Check { .. })),
                "{told:?}"
            );
            w.insert(with(&[("a", int(1000))]))?;
            w.delete(&[int(2)])
        })
        .unwrap();
    });
    assert_eq!(subject.table("w").address(), before);
    // What is not understood is refused by name, and only where it matters.
    write(&subject, |tx| {
        tx.edit(|root| {
            let mut odd = root.table("odd")?;
            let told = |error: Error| match error {
                Error::NotSupported { what } => what,
                other => panic!("{other:?}"),
            };
            let refused = told(odd.insert([("id", int(1))]).unwrap_err());
            assert!(refused.starts_with("table odd: the default of column x ("), "{refused}");
            let x = ("x", Value::Text("x".into()));
            let refused = told(odd.insert([("id", int(1)), x.clone(), ("n", int(1))]).unwrap_err());
            assert!(refused.starts_with("table odd: the generated value of column z ("), "{refused}");
            let refused = odd.insert([("id", int(7)), x]).unwrap_err().to_string();
            assert_eq!(
                refused,
                "table odd, row 7: the expression of column n has no value for this row: out of range"
            );
            let refused = told(root.table("w")?.insert([("id", int(9)), ("req", int(1))]).unwrap_err());
            assert!(
                refused.contains("the default of column d (the function now where there is no time"),
                "{refused}"
            );
            Ok(())
        })
        .unwrap();
    });
}

#[test]
fn what_a_virtual_column_could_not_hold_is_refused_as_dolt_refuses_it() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject.sql(
            "create table t (id int primary key, o int, s varchar(30), n smallint unsigned, a smallint as (coalesce(o, 7)) virtual,
               h smallint as ((o + 3) div 2) virtual, w varchar(9) as (concat(s, '-x')) virtual);
             create table unknown (id int primary key, n smallint unsigned, b smallint as (abs(n)) virtual);
             insert into t (id, o, s) values (1, 1, 'a');",
        );
        let before = subject.table("t").address();
        let text = |text: &str| Value::Text(text.to_owned());
        edit(&subject, |root| {
            let mut t = root.table("t")?;
            for (column, value, shown) in [
                ("o", int(40_000), "40000"),
                ("o", int(-32_769), "-32769"),
                ("s", text("much too long"), "'much too long'"),
            ] {
                let given = || [("id", int(2)), (column, value.clone())];
                let told = t.insert(given()).unwrap_err();
                assert!(matches!(told, Error::Violation { .. }), "{told:?}");
                let told = t.update(&[int(1)], [(column, value.clone())]).unwrap_err();
                assert!(matches!(told, Error::Violation { .. }), "{told:?}");
                subject
                    .dolt(&["sql", "-q", &format!("insert into t (id, {column}) values (2, {shown})")])
                    .fails(1);
                subject
                    .dolt(&["sql", "-q", &format!("update t set {column} = {shown} where id = 1")])
                    .fails(1);
            }
            // What is not known could be one of those.
            let told = root.table("unknown")?.insert([("id", int(1)), ("n", int(1))]).unwrap_err();
            assert!(
                matches!(&told, Error::NotSupported { what } if what.starts_with("table unknown: the generated value of column b")),
                "{told:?}"
            );
            Ok(())
        });
        assert_eq!(subject.table("t").address(), before, "{dolt:?}");
    }
}
