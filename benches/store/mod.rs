//! How long `gt db` takes to read what real programs have written, beside those programs.
//!
//! Whole processes are measured from outside. The rows of a table are read in this process, with the library that `gt` uses.

mod hashing;
mod lookup;
pub(crate) mod room;
mod table;
mod verify;

use crate::common::page::{Page, progress};
use room::Room;

const ISSUES: &str = "rows-of-bd";
const TABLE: &str = "table";
const BIG: &str = "big";

pub(crate) fn measure() {
    let programs = [room::dolt_path(), room::bd_path()];
    let parts = [ISSUES, TABLE, BIG];
    let Some(mut page) = Page::begin("store", "Results: reading databases", &parts, &programs) else {
        return;
    };
    let (rounds, scale) = (page.rounds(), if page.is_quick() { 10 } else { 1 });
    if page.wants(ISSUES) {
        let room = Room::new();
        progress("bd makes a database");
        let (project, database) = room.project(1000);
        page.table(&lookup::beside_bd(&room, &project, &database, rounds));
        progress("Dolt makes a long journal");
        let long = room.long_journal(&database, 100_000_000 / u64::from(scale));
        page.table(&lookup::in_a_long_journal(&room, &long, rounds));
        page.table(&verify::measure(&room, &long, "many small chunks", rounds));
    }
    if page.wants(TABLE) {
        let room = Room::new();
        progress("Dolt makes a table");
        let rows = 100_000 / scale;
        let database = room.wide_table(rows);
        page.table(&table::scan(&room, &database, rows, rounds));
        page.table(&table::diff(&room, &database, rounds));
    }
    if page.wants(BIG) {
        let room = Room::new();
        progress("Dolt makes a large database");
        let database = room.blobs(62 / scale);
        page.table(&lookup::in_a_large_database(&room, &database, rounds));
        page.table(&verify::measure(&room, &database, "a large database", rounds.min(5)));
    }
    page.end();
}
