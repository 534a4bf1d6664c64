//! A table as a whole: all of its rows as values, and what differs between two commits.

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use dolt_store::commit::Database;

use super::room::{Room, timed};
use crate::common::page::progress;
use crate::common::rows::{Samples, Table, Target};

pub(crate) fn scan(room: &Room, database: &Path, rows: u32, rounds: usize) -> Table {
    let (mut ours, mut rate) = (Samples::default(), Samples::default());
    let (mut dump, mut dolts) = (Samples::default(), Samples::default());
    let (mut faster, mut dump_faster) = (Samples::default(), Samples::default());
    for round in 0..=rounds {
        progress(&format!("scan, round {round} of {rounds}"));
        let ask = || timed(room.dolt(database, &["sql", "-r", "json", "-q", "select * from t"]));
        let before = (round % 2 == 0).then(ask);
        let took = read_all(database, rows);
        let (dumped, our_text) = timed(room.gt(database, &["dump", "t", "--format", "json"]));
        let (asked, their_text) = before.unwrap_or_else(ask);
        assert_eq!(our_text.stdout.trim_ascii(), their_text.stdout.trim_ascii(), "the same text");
        if round == 0 {
            continue;
        }
        ours.push(took);
        rate.push_number(f64::from(rows) / 1e6 / took.as_secs_f64());
        dump.push(dumped);
        dolts.push(asked);
        faster.push_number(asked.as_secs_f64() / took.as_secs_f64());
        dump_faster.push_number(asked.as_secs_f64() / dumped.as_secs_f64());
    }
    let mut table = Table::new(&format!("All of {rows} rows × 8 columns"));
    table.row("in this process, open → every row as typed values", ours, Target::None);
    table.row("… million rows in a second", rate, Target::AtLeast(1.0));
    table.row("`dolt sql -r json -q 'select * from t'`", dolts, Target::None);
    table.row("… times as long as in this process, same round", faster, Target::AtLeast(5.0));
    table.row("`gt db dump t --format json`", dump, Target::None);
    table.row("… times faster than `dolt sql`, the same text", dump_faster, Target::None);
    table
}

fn read_all(database: &Path, rows: u32) -> Duration {
    let begun = Instant::now();
    let state = Database::open_read(database).unwrap().session().unwrap();
    let tables = state.tables(state.resolve_root("WORKING").unwrap().unwrap()).unwrap();
    let table = tables.open("t").unwrap().unwrap();
    let mut seen = 0;
    for row in table.rows().unwrap() {
        black_box(row.unwrap());
        seen += 1;
    }
    let took = begun.elapsed();
    assert_eq!(seen, rows);
    took
}

pub(crate) fn diff(room: &Room, database: &Path, rounds: usize) -> Table {
    let (mut ours, mut dolts) = (Samples::default(), Samples::default());
    let between = ["diff", "HEAD~1", "HEAD"];
    for round in 0..=rounds {
        progress(&format!("diff, round {round} of {rounds}"));
        let ask = || timed(room.dolt(database, &between)).0;
        let before = (round % 2 == 0).then(ask);
        let (took, output) = timed(room.gt(database, &between));
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(said.matches("changed").count(), 10, "ten rows: {said}");
        let asked = before.unwrap_or_else(ask);
        if round > 0 {
            ours.push(took);
            dolts.push(asked);
        }
    }
    let mut table = Table::new("Two commits, 10 rows apart");
    table.row("`gt db diff HEAD~1 HEAD`", ours, Target::BelowMs(5.0, ""));
    table.row("`dolt diff HEAD~1 HEAD`", dolts, Target::None);
    table
}
