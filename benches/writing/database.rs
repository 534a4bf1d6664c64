//! The table that is written: eight columns, five indexes; its rows, and one transaction on it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use dolt_store::Result;
use dolt_store::chunk::ReadOptions;
use dolt_store::commit::{Author, CommitMeta, Database, Draft, Locked, Prepared};
use dolt_store::table::Value;

use crate::store::room::Room;

/// What makes it.
pub(crate) const SCHEMA: &str = "create table t (id int primary key, name varchar(40), note text, size bigint, share double,\n\
    price decimal(10,2), made datetime, flag tinyint,\n\
    key (name), key (size), key (price, flag), key (made), unique key (size, id));\n";

const DAY: i64 = 86_400_000_000;

/// A row by its number.
pub(crate) fn row(n: u32) -> Vec<Value> {
    let far = i64::from(n).wrapping_mul(2_654_435_761) % 1_000_003;
    vec![
        Value::Int(n.into()),
        Value::Text(format!("name {far}")),
        Value::Text(format!("a note of some words about row {n}")),
        Value::Int(far * 7919),
        Value::Double(f64::from(n) / 4.0),
        Value::Decimal(format!("{}.25", n % 10_000)),
        Value::Datetime(20_454 * DAY + far % 86_400 * 1_000_000),
        Value::Int((n % 2).into()),
    ]
}

/// The same row as SQL spells it.
pub(crate) fn spelled(n: u32) -> String {
    let far = i64::from(n).wrapping_mul(2_654_435_761) % 1_000_003;
    let second = far % 86_400;
    format!(
        "({n},'name {far}','a note of some words about row {n}',{},{},{}.25,'2026-01-01 {:02}:{:02}:{:02}',{})",
        far * 7919,
        f64::from(n) / 4.0,
        n % 10_000,
        second / 3600,
        second / 60 % 60,
        second % 60,
        n % 2
    )
}

pub(crate) fn meta(message: &str) -> CommitMeta {
    let millis = u64::try_from(gt::sys::clock::now().as_millisecond()).unwrap();
    CommitMeta::by(Author { name: "t".to_owned(), email: "t@example.com".to_owned(), millis }, message)
}

/// Options as `gt` has them.
pub(crate) fn options(room: &Room) -> ReadOptions {
    ReadOptions { index_cache: Some(room.folder("home/.cache/gt/journals")), ..ReadOptions::default() }
}

/// The lock, as soon as it is free.
pub(crate) fn lock(database: &Path, options: &ReadOptions) -> Locked {
    loop {
        if let Some(locked) = Database::try_lock(database, options.clone()).unwrap() {
            return locked;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Puts these rows into the table and makes a commit of it.
pub(crate) fn insert(locked: &mut Locked, rows: impl IntoIterator<Item = u32>, message: &str) -> Result<()> {
    let mut transaction = locked.begin("main")?;
    stage(&mut transaction, rows)?;
    transaction.commit(&meta(message), false)?.expect("something has changed");
    Ok(())
}

/// The same made ready without the lock: what is left to be done under it is [`Locked::apply`].
pub(crate) fn prepare(
    database: &Path,
    options: &ReadOptions,
    rows: impl IntoIterator<Item = u32>,
) -> Result<Prepared> {
    let mut draft = Database::open_with(database, options.clone())?.session()?.begin("main")?;
    stage(&mut draft, rows)?;
    let (_, prepared) = draft.prepare_commit(&meta("rows"), false)?.expect("something has changed");
    Ok(prepared)
}

fn stage(draft: &mut Draft, rows: impl IntoIterator<Item = u32>) -> Result<()> {
    draft.edit(|root| {
        let mut table = root.table("t")?;
        rows.into_iter().try_for_each(|n| table.insert_row(&row(n)).map(drop))
    })?;
    let working = draft.working();
    draft.set_staged(working);
    Ok(())
}

/// A database that Dolt has made, with so many rows, from 0 on, that we put there.
pub(crate) fn filled(room: &Room, name: &str, rows: u32) -> PathBuf {
    let database = room.init(name);
    room.sql(&database, SCHEMA);
    let mut locked = lock(&database, &options(room));
    for first in (0..rows).step_by(50_000) {
        insert(&mut locked, first..(first + 50_000).min(rows), "rows").unwrap();
    }
    database
}
