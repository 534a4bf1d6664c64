//! One row more, and a Dolt commit of it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use super::database::{insert, lock, options};
use crate::common::page::progress;
use crate::common::places::copy_dir;
use crate::common::rows::{Samples, Table, Target};
use crate::store::room::{Room, journal_length, run};

/// How long a transaction takes, from the attempt at the lock until it is let go, and how many bytes it appends.
fn transaction(room: &Room, database: &Path, n: u32) -> (Duration, u64) {
    let before = journal_length(database);
    let begun = Instant::now();
    let mut locked = lock(database, &options(room));
    insert(&mut locked, [n], "one row").unwrap();
    drop(locked);
    (begun.elapsed(), journal_length(database) - before)
}

/// How long one `fsync` takes after so many bytes were appended to a file on the same file system.
fn one_sync(room: &Room, bytes: u64) -> Duration {
    let path = room.folder("appended").join("file");
    let mut file: File = OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(&vec![7; usize::try_from(bytes).unwrap()]).unwrap();
    let begun = Instant::now();
    file.sync_data().unwrap();
    begun.elapsed()
}

pub(crate) fn one(room: &Room, database: &Path, rows: u32, rounds: usize) -> Table {
    let (mut whole, mut syncs, mut rest) = (Samples::default(), Samples::default(), Samples::default());
    let (mut held, mut dolts) = (Samples::default(), Samples::default());
    for round in 0..=rounds {
        progress(&format!("commits, round {round} of {rounds}"));
        let n = rows + u32::try_from(round).unwrap() * 3;
        let (took, bytes) = transaction(room, database, n);
        let sync = one_sync(room, bytes);
        let mut locked = lock(database, &options(room));
        let begun = Instant::now();
        insert(&mut locked, [n + 1], "one row").unwrap();
        let while_held = begun.elapsed();
        drop(locked);
        let statements = format!(
            "insert into t values {}; call dolt_commit('-Am', 'one row')",
            super::database::spelled(n + 2)
        );
        let begun = Instant::now();
        run(room.dolt(database, &["sql", "-q", &statements]));
        let dolt = begun.elapsed();
        if round > 0 {
            whole.push(took);
            syncs.push(sync);
            rest.push_difference(took, sync);
            held.push(while_held);
            dolts.push(dolt);
        }
    }
    let mut table = Table::new(&format!("One row and a Dolt commit, {rows} rows with five indexes"));
    table.row("in this process, the lock taken → let go", whole, Target::None);
    table.row("one `fsync` of an append of as many bytes", syncs, Target::None);
    table.row("… more than that one, same round", rest, Target::AtMostMs(3.0));
    table.row("in this process, the store held open", held, Target::None);
    table.row("`dolt sql -q 'insert …; call dolt_commit(…)'`", dolts, Target::None);
    table
}

/// How much the journal grows with one row and a commit of it, written by Dolt and by us into copies of the same database.
pub(crate) fn bytes(room: &Room, database: &Path, rounds: usize) -> Table {
    let (mut ours, mut dolts, mut share) = (Samples::default(), Samples::default(), Samples::default());
    let (our_copy, their_copy) = (room.folder("grown-by-us"), room.folder("grown-by-dolt"));
    copy_dir(database, &our_copy);
    copy_dir(database, &their_copy);
    let kilobytes = |bytes: u64| f64::from(u32::try_from(bytes).unwrap()) / 1000.0;
    for round in 0..=rounds {
        progress(&format!("bytes, round {round} of {rounds}"));
        // Anywhere in the indexes, and at the end of the rows, as new rows are.
        let n = 10_000_000 + u32::try_from(round).unwrap();
        let our = kilobytes(transaction(room, &our_copy, n).1);
        let before = journal_length(&their_copy);
        let statements = format!(
            "insert into t values {}; call dolt_commit('-Am', 'one row')",
            super::database::spelled(n)
        );
        run(room.dolt(&their_copy, &["sql", "-q", &statements]));
        let their = kilobytes(journal_length(&their_copy) - before);
        if round > 0 {
            ours.push_number(our);
            dolts.push_number(their);
            share.push_number(100.0 * our / their);
        }
    }
    let mut table = Table::new("What one row and a commit add to the journal, the same row in both");
    table.row("by us, kB", ours, Target::None);
    table.row("by `dolt sql`, kB", dolts, Target::None);
    table.row("by us, % of that", share, Target::AtMost(100.0));
    table
}

pub(crate) fn growth(room: &Room, databases: [(&Path, u32); 2], rounds: usize) -> Table {
    let [mut small, mut large, mut times] = [const { Samples::none() }; 3];
    for round in 0..=rounds * 10 {
        progress(&format!("growth, round {round} of {}", rounds * 10));
        let [few, many] = databases
            .map(|(database, rows)| transaction(room, database, rows + u32::try_from(round).unwrap()).0);
        if round > 0 {
            small.push(few);
            large.push(many);
            times.push_number(many.as_secs_f64() / few.as_secs_f64());
        }
    }
    let [(_, few), (_, many)] = databases;
    let mut table = Table::new("One row and a Dolt commit, the lock taken → let go");
    table.row(&format!("{few} rows"), small, Target::None);
    table.row(&format!("{many} rows"), large, Target::None);
    table.row("times as long, same round", times, Target::AtMost(1.5));
    table
}
