//! How long the lock is held when the work was done before. A server that is started meanwhile waits for a tenth of a second
//! for it, and then gives up: so this must stay well below, however much is written.

use std::path::Path;
use std::time::{Duration, Instant};

use dolt_store::commit::Database;

use super::database::{insert, lock, options, prepare};
use crate::common::page::progress;
use crate::common::rows::{Samples, Table, Target};
use crate::store::room::{Room, run};

/// What nobody may hold the lock for longer than: half of a server's patience.
const LIMIT_MS: f64 = 50.0;

/// From the attempt at the lock, which is free, until it is let go; with what was prepared put on the disk in between.
fn held_with(room: &Room, database: &Path, rows: std::ops::Range<u32>) -> (Duration, Duration) {
    let options = options(room);
    let begun = Instant::now();
    let prepared = prepare(database, &options, rows).unwrap();
    let preparing = begun.elapsed();
    let begun = Instant::now();
    let mut locked = lock(database, &options);
    locked.apply(prepared).unwrap();
    drop(locked);
    (preparing, begun.elapsed())
}

/// The same with all the work done under the lock.
fn held_throughout(room: &Room, database: &Path, rows: std::ops::Range<u32>) -> Duration {
    let begun = Instant::now();
    let mut locked = lock(database, &options(room));
    insert(&mut locked, rows, "rows").unwrap();
    drop(locked);
    begun.elapsed()
}

fn rows_of(database: &Path) -> usize {
    let state = Database::open_read(database).unwrap().session().unwrap();
    let tables = state.tables(state.resolve_root("HEAD").unwrap().unwrap()).unwrap();
    tables.open("t").unwrap().unwrap().rows().unwrap().count()
}

pub(crate) fn measure(room: &Room, database: &Path, many: u32, rounds: usize) -> Table {
    let [mut one, mut ones_work, mut all, mut alls_work] = [const { Samples::none() }; 4];
    let [mut one_throughout, mut all_throughout] = [const { Samples::none() }; 2];
    let before = rows_of(database);
    let mut next = 20_000_000;
    for round in 0..=rounds {
        progress(&format!("lock, round {round} of {rounds}"));
        let mut rows = |count: u32| {
            next += count;
            next - count..next
        };
        let (preparing, held) = held_with(room, database, rows(1));
        let throughout = held_throughout(room, database, rows(1));
        let (preparing_all, held_all) = held_with(room, database, rows(many));
        let all_at_once = held_throughout(room, database, rows(many));
        if round > 0 {
            one.push(held);
            ones_work.push(preparing);
            one_throughout.push(throughout);
            all.push(held_all);
            alls_work.push(preparing_all);
            all_throughout.push(all_at_once);
        }
    }
    let written = (rounds + 1) * 2 * usize::try_from(many + 1).unwrap();
    assert_eq!(rows_of(database), before + written, "every row is there");
    run(room.dolt(database, &["fsck"]));
    let mut table = Table::new(&format!(
        "The lock on a database of {before} rows with five indexes, the attempt at it → let go"
    ));
    table.row("one row and a commit, prepared before", one, Target::BelowMs(LIMIT_MS, ""));
    table.row("… preparing it, without the lock", ones_work, Target::None);
    table.row("one row and a commit, all under the lock", one_throughout, Target::BelowMs(LIMIT_MS, ""));
    table.row(&format!("{many} rows and a commit, prepared before"), all, Target::BelowMs(LIMIT_MS, ""));
    table.row("… preparing them, without the lock", alls_work, Target::None);
    table.row(&format!("{many} rows and a commit, all under the lock"), all_throughout, Target::None);
    table
}
