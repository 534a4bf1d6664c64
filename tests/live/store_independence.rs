//! A hundred thousand rows have one address, whoever wrote them and however it came about: sorted in one transaction; all over
//! the place in many; with rows that come and go or are something else at first; or by the real Dolt, with SQL.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use dolt_store::chunk::Disk;
use dolt_store::commit::{Author, CommitMeta, Database, Locked};
use dolt_store::table::{RootEditor, TableEditor, Value};
use dolt_store::{Hash, Result};

use crate::differential::Random;
use crate::support::{Dolt, Subject, copy_tree, lock, unlock};

const ROWS: u32 = 100_000;

const SCHEMA: &str = "create table t (id int primary key, name varchar(40), size bigint, price decimal(10,2), made datetime, flag tinyint,
  note longtext, doc json, key (name), unique key by_size (size), key (price, flag), key (made), unique key both_of (flag, id), key front (note(6)))";

const DAY: i64 = 86_400_000_000;

/// Numbers that are all over the place, and another one for each row.
fn far(n: u32) -> i64 {
    i64::from(n) * 2_654_435_761 % 1_000_003
}

/// A few notes are so long that they lie outside of their rows, some of them in many chunks.
fn note(n: u32) -> String {
    let times = if n.is_multiple_of(4_000) {
        4_000
    } else if n.is_multiple_of(150) {
        150
    } else {
        1
    };
    format!("about row {n}. ").repeat(times)
}

/// A few documents are so large that they are cut.
fn document(n: u32) -> Option<String> {
    let keys = if n.is_multiple_of(6_000) { 900 } else { 2 };
    n.is_multiple_of(9).then(|| {
        let fields: Vec<String> = (0..keys).map(|k| format!("\"k{k}\":[{n},\"{k}\"]")).collect();
        format!("{{{}}}", fields.join(","))
    })
}

fn row(n: u32) -> Vec<Value> {
    vec![
        Value::Int(n.into()),
        Value::Text(format!("name {}", far(n) % 5_000)),
        if n.is_multiple_of(11) { Value::Null } else { Value::Int(far(n) * 7_919) },
        Value::Decimal(format!("{}.25", n % 10_000)),
        Value::Datetime(20_454 * DAY + far(n) % 86_400 * 1_000_000),
        Value::Int((n % 2).into()),
        Value::Text(note(n)),
        document(n).map_or(Value::Null, Value::Json),
    ]
}

/// The same row as SQL spells it.
fn spelled(n: u32) -> String {
    let second = far(n) % 86_400;
    let size = if n.is_multiple_of(11) { "null".to_owned() } else { (far(n) * 7_919).to_string() };
    let document = document(n).map_or("null".to_owned(), |text| format!("'{text}'"));
    format!(
        "({n},'name {}',{size},{}.25,'2026-01-01 {:02}:{:02}:{:02}',{},'{}',{document})",
        far(n) % 5_000,
        n % 10_000,
        second / 3600,
        second / 60 % 60,
        second % 60,
        n % 2,
        note(n)
    )
}

fn author() -> Author {
    Author { name: "t".to_owned(), email: "t@example.com".to_owned(), millis: 1_767_323_045_000 }
}

/// Changes rows in one transaction.
fn change(locked: &mut Locked, does: impl FnOnce(&mut TableEditor<'_, '_>) -> Result<()>) {
    let mut tx = locked.begin("main").unwrap();
    tx.edit(|root: &mut RootEditor<'_>| does(&mut root.table("t")?)).unwrap();
    tx.commit_sql(&author(), "rows").unwrap();
}

fn shuffled(numbers: impl Iterator<Item = u32>, seed: u64) -> Vec<u32> {
    let mut random = Random::of(seed);
    let mut all: Vec<u32> = numbers.collect();
    for i in (1..all.len()).rev() {
        all.swap(i, random.below(i + 1));
    }
    all
}

type Way = fn(&mut Locked);

fn sorted_in_one(locked: &mut Locked) {
    change(locked, |t| (0..ROWS).try_for_each(|n| t.insert_row(&row(n)).map(drop)));
}

fn all_over_in_batches(locked: &mut Locked) {
    for some in shuffled(0..ROWS, 1).chunks(9_000) {
        change(locked, |t| some.iter().try_for_each(|n| t.insert_row(&row(*n)).map(drop)));
    }
}

/// Rows behind the others and between them that go again, and rows that are at first something else.
fn coming_and_going(locked: &mut Locked) {
    let is_other_first = |n: u32| n.is_multiple_of(13);
    for some in shuffled(0..ROWS + 7_000, 2).chunks(35_000) {
        change(locked, |t| {
            some.iter().try_for_each(|n| {
                let mut values = row(*n);
                if is_other_first(*n) && *n < ROWS {
                    values[1] = Value::Text("another name".to_owned());
                    values[2] = Value::Null;
                    values[6] =
                        Value::Text("at first a long note ".repeat(usize::try_from(n % 300).unwrap()));
                    values[7] = Value::Json(format!("[{n}]"));
                }
                t.insert_row(&values).map(drop)
            })
        });
    }
    // By an upsert, a replacement and an update; some rows leave their place and come back.
    let columns = ["id", "name", "size", "price", "made", "flag", "note", "doc"];
    let named = |n: u32| columns.into_iter().zip(row(n));
    for some in shuffled((0..ROWS).filter(|n| is_other_first(*n)), 3).chunks(4_000) {
        change(locked, |t| {
            some.iter().try_for_each(|n| match n % 4 {
                0 => t.upsert(named(*n), named(*n)).map(|is_new| assert!(!is_new)),
                1 => t.replace(named(*n)).map(|gone| assert_eq!(gone, 1)),
                2 => {
                    t.update(&[Value::Int((*n).into())], [("id", Value::Int(i64::from(*n) + 5_000_000))])?;
                    t.update(&[Value::Int(i64::from(*n) + 5_000_000)], named(*n)).map(drop)
                }
                _ => t.update(&[Value::Int((*n).into())], named(*n)).map(drop),
            })
        });
    }
    change(locked, |t| (ROWS..ROWS + 7_000).rev().try_for_each(|n| t.delete(&[Value::Int(n.into())])));
}

/// The addresses of the working root and of the table, in which those of all its trees are.
fn addresses(dir: &Path) -> (Hash, Hash) {
    let session = Database::open_read(dir).unwrap().session().unwrap();
    let root = session.resolve_root("WORKING").unwrap().unwrap();
    let tables = session.tables(root).unwrap();
    assert_eq!(tables.open("t").unwrap().unwrap().entries(), u64::from(ROWS));
    (root, tables.address("t").unwrap().unwrap())
}

fn is_the_same_for_everybody(dolt: Dolt) {
    let theirs = Subject::new(dolt);
    theirs.sql(SCHEMA);
    let ways: [(&str, Way); 3] = [
        ("sorted", sorted_in_one),
        ("in batches", all_over_in_batches),
        ("coming and going", coming_and_going),
    ];
    let ours: Vec<(&str, PathBuf)> = ways
        .into_iter()
        .map(|(way, does)| {
            let dir = theirs.town.outside().join(way);
            copy_tree(&theirs.dir(), &dir);
            let mut locked = lock(&dir, &Disk::default());
            does(&mut locked);
            unlock(locked, &dir);
            (way, dir)
        })
        .collect();
    // Dolt gets them in an order of its own.
    let mut sql = String::new();
    for some in shuffled(0..ROWS, 4).chunks(2_500) {
        let tuples: Vec<String> = some.iter().map(|n| spelled(*n)).collect();
        writeln!(sql, "insert into t values {};", tuples.join(",")).unwrap();
    }
    theirs.sql(&sql);
    let wanted = addresses(&theirs.dir());
    for (way, dir) in &ours {
        assert_eq!(addresses(dir), wanted, "{way}, {dolt:?}");
    }
    // And nothing is wrong with the one that has been through most.
    let (_, dir) = ours.last().unwrap();
    let mut locked = lock(dir, &Disk::default());
    let mut tx = locked.begin("main").unwrap();
    tx.stage_all().unwrap();
    tx.commit(&CommitMeta::by(author(), "all rows"), false).unwrap();
    unlock(locked, dir);
    for dolt in [Dolt::V1, Dolt::V2] {
        let said = theirs.another_dolt_in(dolt, dir, &["fsck"]).ok().out;
        assert!(said.contains("No problems found."), "{said}");
    }
}

#[test]
fn a_hundred_thousand_rows_have_the_address_that_dolt_1_gives_them_in_whatever_order_they_came() {
    is_the_same_for_everybody(Dolt::V1);
}

#[test]
fn a_hundred_thousand_rows_have_the_address_that_dolt_2_gives_them_in_whatever_order_they_came() {
    is_the_same_for_everybody(Dolt::V2);
}
