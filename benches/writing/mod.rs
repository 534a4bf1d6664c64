//! How long native writing takes and how much it writes, beside `dolt sql` and `bd`.
//!
//! Transactions are measured in this process, with the library that `gt` uses: from the attempt at the lock until it is let go,
//! the store opened in between, as a program does it that must not keep the lock. What one `fsync` costs is measured in the same
//! round, on the same file system. Writers that compete are processes of their own: this program, which then does nothing else.

mod bulk;
mod commit;
mod crowd;
mod database;
mod held;

use crate::common::page::{Page, progress};
use crate::store::room::{Room, bd_path, dolt_path};

const COMMIT: &str = "one-commit";
const BULK: &str = "bulk-insert";
const HELD: &str = "lock-held";
const CROWD: &str = "crowd-of-writers";
const GROWTH: &str = "growth-with-rows";

pub(crate) use crowd::{beside, was_writer};

pub(crate) fn measure() {
    let programs = [dolt_path(), bd_path()];
    let parts = [COMMIT, BULK, HELD, CROWD, GROWTH];
    let Some(mut page) = Page::begin("writing", "Results: writing databases", &parts, &programs) else {
        return;
    };
    let (rounds, scale) = (page.rounds(), if page.is_quick() { 10 } else { 1 });
    if page.wants(COMMIT) {
        let room = Room::new();
        progress("a table is filled");
        let database = database::filled(&room, "hundred-thousand", 100_000 / scale);
        page.table(&commit::one(&room, &database, 100_000 / scale, rounds));
        page.table(&commit::bytes(&room, &database, rounds));
    }
    if page.wants(BULK) {
        let room = Room::new();
        page.table(&bulk::measure(&room, 10_000 / scale, rounds.min(5)));
    }
    if page.wants(HELD) {
        let room = Room::new();
        progress("a table is filled");
        let database = database::filled(&room, "held", 100_000 / scale);
        page.table(&held::measure(&room, &database, 10_000 / scale, rounds.min(5)));
    }
    if page.wants(CROWD) {
        let room = Room::new();
        page.table(&crowd::measure(&room, rounds.min(5), page.is_quick()));
    }
    if page.wants(GROWTH) {
        let room = Room::new();
        progress("two tables are filled");
        let (few, many) = (10_000 / scale, 1_000_000 / scale);
        let small = database::filled(&room, "few", few);
        let large = database::filled(&room, "many", many);
        page.table(&commit::growth(&room, [(&small, few), (&large, many)], rounds));
    }
    page.end();
}
