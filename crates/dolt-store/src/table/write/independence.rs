//! Tests: what lies in a table's trees depends on its rows alone. Rows that were added, changed, removed, put in place of others
//! and refused, in any order and over any number of transactions, leave the addresses that the same rows have when they
//! are added to an empty table, sorted, in one go.
//!
//! What could go wrong is an entry of an index that stays or is missing, a long value that lies where it did before its row
//! was changed, or a node that remembers where it was once split: each is another address.

use std::ops::Range;

use proptest::prelude::*;

use super::RootEditor;
use crate::chunk::ReadOptions;
use crate::commit::{Author, CommitMeta, Database, Locked};
use crate::ddl::{DdlOptions, LongValues};
use crate::table::Value;
use crate::{Error, Hash, Result};

const TABLES: [&str; 2] = [
    "create table t (part varchar(5), id int, n int, u int, v varchar(600), tx longtext, bl longblob, j json, d decimal(8,2),
       primary key (part, id), key by_v (v(7), n), unique key u (u), unique key pair (n, d), key by_tx (tx(4)), key by_id (id))",
    "create table k (n int, v varchar(600), tx longtext, j json, key by_n (n), key by_v (v(7)))",
];

/// The columns of a row of `t` behind its key, each by a small number.
#[derive(Debug, Clone)]
struct Content {
    n: u8,
    u: u8,
    v: u8,
    tx: u8,
    bl: u8,
    j: u8,
    d: u8,
}

type Key = (u8, u8);

#[derive(Debug, Clone)]
enum Step {
    Insert(Key, Content),
    Update(Key, Content),
    // To another key.
    Move(Key, Key),
    Delete(Key),
    Upsert(Key, Content, Content),
    Replace(Key, Content),
    AddKeyless(Content),
    // One of the rows that have this `n`.
    RemoveKeyless(Content),
    ChangeKeyless(Content, Content),
}

fn null_or(n: u8, value: impl FnOnce(u8) -> Value) -> Value {
    n.checked_sub(1).map_or(Value::Null, value)
}

// Values that fit into a row, values around the size at which they leave it, and values of many chunks.
fn length(n: u8) -> usize {
    [0, 1, 90, 500, 1010, 2030, 2040, 2048, 2060, 5_000, 40_000][usize::from(n) % 11]
}

fn document(n: u8) -> String {
    let fields = [0usize, 1, 7, 300][usize::from(n) % 4];
    let fields: Vec<String> =
        (0..fields).map(|k| format!("\"key{k}\":[{n},\"{}\"]", "é".repeat(k % 40))).collect();
    format!("{{{}}}", fields.join(","))
}

impl Content {
    fn values(&self) -> [(&'static str, Value); 7] {
        let text = |n: u8| format!("{}{}", ["a", "bé", "ccc"][usize::from(n) % 3], "x".repeat(length(n)));
        let short =
            |n: u8| format!("{}{}", ["a", "bé", "ccc"][usize::from(n) % 3], "v".repeat(length(n) % 590));
        [
            ("n", null_or(self.n, |n| Value::Int(i64::from(n % 4)))),
            ("u", null_or(self.u, |n| Value::Int(n.into()))),
            ("v", null_or(self.v, |n| Value::Text(short(n)))),
            ("tx", null_or(self.tx, |n| Value::Text(text(n)))),
            ("bl", null_or(self.bl, |n| Value::Bytes(vec![n; length(n)]))),
            ("j", null_or(self.j, |n| Value::Json(document(n)))),
            ("d", null_or(self.d, |n| Value::Decimal(format!("{n}.25")))),
        ]
    }

    fn row(&self, key: Key) -> impl Iterator<Item = (&'static str, Value)> {
        let [part, id] = key_values(key);
        [("part", part), ("id", id)].into_iter().chain(self.values())
    }

    fn keyless(&self) -> [Value; 4] {
        let [n, _, v, tx, _, j, _] = self.values().map(|(_, value)| value);
        [n, v, tx, j]
    }
}

fn key_values((part, id): Key) -> [Value; 2] {
    [Value::Text(format!("p{part}")), Value::Int(id.into())]
}

impl Step {
    fn run(&self, root: &mut RootEditor<'_>) -> Result<()> {
        match self {
            Self::Insert(key, content) => root.table("t")?.insert(content.row(*key)).map(drop),
            Self::Update(key, content) => {
                root.table("t")?.update(&key_values(*key), content.values()).map(drop)
            }
            Self::Move(key, to) => {
                let [part, id] = key_values(*to);
                root.table("t")?.update(&key_values(*key), [("part", part), ("id", id)]).map(drop)
            }
            Self::Delete(key) => root.table("t")?.delete(&key_values(*key)),
            Self::Upsert(key, content, other) => {
                root.table("t")?.upsert(content.row(*key), other.values()).map(drop)
            }
            Self::Replace(key, content) => root.table("t")?.replace(content.row(*key)).map(drop),
            Self::AddKeyless(content) => root.table("k")?.insert_row(&content.keyless()).map(drop),
            Self::RemoveKeyless(content) => {
                let mut k = root.table("k")?;
                let found = k.find_by(content.values().into_iter().take(1))?;
                found.first().map_or(Ok(()), |row| k.delete_row(row))
            }
            Self::ChangeKeyless(content, other) => {
                let mut k = root.table("k")?;
                let found = k.find_by(content.values().into_iter().take(1))?;
                found.first().map_or(Ok(()), |row| k.update_row(row, &other.keyless()).map(drop))
            }
        }
    }
}

fn author() -> Author {
    Author { name: "t".to_owned(), email: "t@example.com".to_owned(), millis: 0 }
}

// An empty database with the tables, and its directory.
fn made(long_values: LongValues) -> (tempfile::TempDir, Locked) {
    let dir = tempfile::tempdir().unwrap();
    Database::init(dir.path(), "main", &CommitMeta::first(author())).unwrap();
    let mut locked = Database::try_lock(dir.path(), ReadOptions::default()).unwrap().unwrap();
    let mut tx = locked.begin("main").unwrap();
    for sql in TABLES {
        tx.run_ddl(sql, DdlOptions { long_values, ..DdlOptions::default() }).unwrap();
    }
    tx.commit_sql(&author(), "tables").unwrap();
    (dir, locked)
}

/// What there is: the root's address, each table's, and the root of each tree.
type Addresses = (Hash, Vec<(String, Hash, Vec<(String, Hash)>)>);

fn addresses(locked: &mut Locked) -> Addresses {
    let tx = locked.begin("main").unwrap();
    let tables = tx.draft().tables(tx.working()).unwrap();
    let of = |(name, address): (String, Hash)| {
        let table = tables.open(&name).unwrap().unwrap();
        let mut trees = vec![("rows".to_owned(), Hash::of(&table.message().unwrap().rows))];
        for index in &table.schema().indexes {
            let root = table.index_map().get(|key| key.cmp(index.name.as_bytes())).unwrap();
            trees.push((index.name.clone(), root.and_then(|(node, i)| node.address(i)).unwrap()));
        }
        (name, address, trees)
    };
    (tx.working(), tables.addresses().unwrap().into_iter().map(of).collect())
}

fn rows(locked: &mut Locked, table: &str) -> Vec<Vec<Value>> {
    let tx = locked.begin("main").unwrap();
    let table = tx.draft().tables(tx.working()).unwrap().open(table).unwrap().unwrap();
    table.rows().unwrap().map(|row| row.unwrap().values).collect()
}

// The rows go into an empty table: so many in each transaction.
fn filled(long_values: LongValues, tables: &[(&str, Vec<Vec<Value>>)], at_once: usize) -> Addresses {
    let (_dir, mut locked) = made(long_values);
    for (name, rows) in tables {
        for some in rows.chunks(at_once) {
            let mut tx = locked.begin("main").unwrap();
            tx.edit(|root| {
                let mut table = root.table(name)?;
                some.iter().try_for_each(|row| table.insert_row(row).map(drop))
            })
            .unwrap();
            tx.commit_sql(&author(), "some rows").unwrap();
        }
    }
    addresses(&mut locked)
}

fn content() -> impl Strategy<Value = Content> {
    (0u8..6, 0u8..40, any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>(), 0u8..20)
        .prop_map(|(n, u, v, tx, bl, j, d)| Content { n, u, v, tx, bl, j, d })
}

fn step() -> impl Strategy<Value = Step> {
    let key = || (0u8..3, 0u8..12);
    prop_oneof![
        8 => (key(), content()).prop_map(|(key, content)| Step::Insert(key, content)),
        4 => (key(), content()).prop_map(|(key, content)| Step::Update(key, content)),
        2 => (key(), key()).prop_map(|(from, to)| Step::Move(from, to)),
        2 => key().prop_map(Step::Delete),
        3 => (key(), content(), content()).prop_map(|(key, a, b)| Step::Upsert(key, a, b)),
        2 => (key(), content()).prop_map(|(key, content)| Step::Replace(key, content)),
        // Few values, so that some rows are there several times.
        3 => (0u8..3, 0u8..2).prop_map(|(a, b)| Step::AddKeyless(Content { n: a, u: 0, v: a, tx: b * 9, bl: 0, j: b, d: 0 })),
        2 => content().prop_map(Step::RemoveKeyless),
        1 => (content(), content()).prop_map(|(at, content)| Step::ChangeKeyless(at, content)),
    ]
}

// What is done, and after how many steps each transaction ends.
fn history() -> impl Strategy<Value = (Vec<Step>, Vec<usize>)> {
    let steps: Range<usize> = 20..120;
    (prop::collection::vec(step(), steps), prop::collection::vec(1usize..25, 1..8))
}

fn is_independent_of_its_history(long_values: LongValues, steps: &[Step], splits: &[usize]) {
    let (_dir, mut locked) = made(long_values);
    let (mut left, mut splits) = (steps, splits.iter().cycle());
    while !left.is_empty() {
        let (now, later) = left.split_at((*splits.next().unwrap()).min(left.len()));
        let mut tx = locked.begin("main").unwrap();
        // What breaks a rule has changed nothing: its rows and entries would be found below.
        let steps = |root: &mut RootEditor<'_>| {
            now.iter().try_for_each(|step| match step.run(root) {
                Err(Error::Violation { .. }) => Ok(()),
                done => done,
            })
        };
        tx.edit(steps).unwrap();
        tx.commit_sql(&author(), "some steps").unwrap();
        left = later;
    }
    let found = addresses(&mut locked);
    let mut tables = ["t", "k"].map(|name| (name, rows(&mut locked, name)));
    assert_eq!(found, filled(long_values, &tables, usize::MAX), "sorted, in one transaction");
    for (_, rows) in &mut tables {
        rows.reverse();
        let third = rows.len() / 3;
        rows.rotate_left(third);
    }
    tables.reverse();
    assert_eq!(found, filled(long_values, &tables, 5), "in another order, in many transactions");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_history_of_rows_gives_the_addresses_that_the_rows_have((steps, splits) in history()) {
        for long_values in [LongValues::Addresses, LongValues::Adaptive] {
            is_independent_of_its_history(long_values, &steps, &splits);
        }
    }
}

#[test]
fn whatever_was_there_an_empty_table_has_the_address_that_it_had_at_first() {
    for long_values in [LongValues::Addresses, LongValues::Adaptive] {
        let (_dir, mut locked) = made(long_values);
        let before = addresses(&mut locked);
        let content = |n: u8| Content { n: n % 5, u: n + 1, v: n, tx: n, bl: n, j: n, d: n + 1 };
        for keys in [0..40u8, 20..70] {
            let mut tx = locked.begin("main").unwrap();
            tx.edit(|root| {
                keys.clone().try_for_each(|n| root.table("t")?.replace(content(n).row((n % 3, n))).map(drop))
            })
            .unwrap();
            tx.commit_sql(&author(), "rows").unwrap();
        }
        assert_ne!(addresses(&mut locked), before);
        let mut tx = locked.begin("main").unwrap();
        tx.edit(|root| (0..70u8).try_for_each(|n| root.table("t")?.delete(&key_values((n % 3, n))))).unwrap();
        tx.commit_sql(&author(), "no rows").unwrap();
        assert_eq!(addresses(&mut locked), before);
    }
}
