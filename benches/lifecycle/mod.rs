//! How long the life of a server takes, and how much of that is ours: `gt dolt` against the same Dolt started by hand.
//!
//! Every number is the wall-clock time of one process, measured from outside.

mod town;
mod trouble;

use std::time::{Duration, Instant};

use crate::common::page::{Page, progress};
use crate::common::rows::{Samples, Table, Target};
use crate::common::rss;
use town::BenchTown;
pub(crate) use trouble::was_mute_server;

/// How many starts are let loose at once.
const HERD: usize = 20;
/// Both programs stop a server of this age, so that what Dolt does right after its boot meets both alike.
const AGE_AT_STOP: Duration = Duration::from_millis(300);

const SIZES: [(&str, usize); 3] = [("1 database", 1), ("10 databases", 10), ("50 databases", 50)];
const TROUBLE: &str = "trouble";
const FOOTPRINT: &str = "footprint";

pub(crate) fn measure() {
    let parts: Vec<&str> = SIZES.iter().map(|(name, _)| *name).chain([TROUBLE, FOOTPRINT]).collect();
    let Some(mut page) =
        Page::begin("lifecycle", "Results: the life of a server", &parts, &[town::dolt_path()])
    else {
        return;
    };
    for (name, size) in SIZES {
        if page.wants(name) && !(page.is_quick() && size > 10) {
            page.table(&whole_lives(name, size, page.rounds()));
        }
    }
    if page.wants(TROUBLE) {
        page.table(&trouble::measure(page.rounds()));
    }
    if page.wants(FOOTPRINT) {
        page.table(&footprint());
    }
    page.end();
}

/// Everything that one round measures.
#[derive(Default)]
struct Round {
    dolt_ready: Samples,
    dolt_gone: Samples,
    start: Samples,
    stop: Samples,
    start_over: Samples,
    stop_over: Samples,
    status_down: Samples,
    status_up: Samples,
    again: Samples,
    list: Samples,
    herd: Samples,
}

fn whole_lives(name: &str, size: usize, rounds: usize) -> Table {
    let town = BenchTown::with(size);
    let mut all = Round::default();
    // The first start lets Dolt make what it makes once per database, and `gt` ask for Dolt's version.
    round(&town, &mut Round::default(), true);
    for n in 0..rounds {
        progress(&format!("{name}, round {} of {rounds}", n + 1));
        round(&town, &mut all, n % 2 == 0);
    }
    let one_start = all.start.median();
    let mut table = Table::new(name);
    table.row("Dolt alone: launch → first `SHOW DATABASES`", all.dolt_ready, Target::None);
    table.row("Dolt alone: SIGTERM → gone", all.dolt_gone, Target::None);
    table.row("`gt dolt start`, until it returns", all.start, Target::None);
    table.row("… more than Dolt alone, same round", all.start_over, Target::AtMostMs(30.0));
    table.row("`gt dolt stop`, until it returns", all.stop, Target::None);
    table.row("… more than Dolt alone, same round", all.stop_over, Target::AtMostMs(20.0));
    table.row("`gt dolt status`, server down", all.status_down, Target::AtMostMs(10.0));
    table.row("`gt dolt status`, server up", all.status_up, Target::AtMostMs(20.0));
    table.row("`gt dolt start`, running already", all.again, Target::None);
    table.row("`gt dolt list`, server up", all.list, Target::None);
    let twice = Target::BelowMs(2.0 * one_start, "2 × one start");
    table.row(&format!("{HERD} × `gt dolt start` at once, until the last returns"), all.herd, twice);
    table
}

fn round(town: &BenchTown, into: &mut Round, dolt_first: bool) {
    let mut alone = None;
    if dolt_first {
        alone = Some(town.dolt_alone(AGE_AT_STOP));
    }
    into.status_down.push(town.gt(&["dolt", "status"]));
    let start = town.gt(&["dolt", "start"]);
    let ready = Instant::now();
    into.status_up.push(town.gt(&["dolt", "status"]));
    into.again.push(town.gt(&["dolt", "start"]));
    into.list.push(town.gt(&["dolt", "list"]));
    std::thread::sleep(AGE_AT_STOP.saturating_sub(ready.elapsed()));
    let stop = town.gt(&["dolt", "stop"]);
    let (dolt_ready, dolt_gone) = alone.unwrap_or_else(|| town.dolt_alone(AGE_AT_STOP));
    into.herd.push(town.herd(HERD));
    town.gt(&["dolt", "stop"]);

    into.dolt_ready.push(dolt_ready);
    into.dolt_gone.push(dolt_gone);
    into.start.push(start);
    into.stop.push(stop);
    into.start_over.push_difference(start, dolt_ready);
    into.stop_over.push_difference(stop, dolt_gone);
}

/// What `gt` weighs. Memory and launched programs are those of a `status` with ten databases served.
fn footprint() -> Table {
    let town = BenchTown::with(10);
    town.gt(&["dolt", "start"]);
    let mut peak = Samples::default();
    for _ in 0..5 {
        peak.push_number(rss::peak_mb_of(&town.command(&["dolt", "status"])));
    }
    let mut launched = Samples::default();
    launched.push_number(f64::from(u32::try_from(town.programs_launched_by(&["dolt", "status"])).unwrap()));
    town.gt(&["dolt", "stop"]);
    let mut size = Samples::default();
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    size.push_number(std::fs::metadata(env!("CARGO_BIN_EXE_gt")).unwrap().len() as f64 / 1e6);
    let mut table = Table::new("Footprint");
    table.row("peak memory of `gt dolt status`, 10 databases, MB", peak, Target::Below(20.0));
    table.row("programs launched by `gt dolt status`, server up", launched, Target::AtMost(0.0));
    table.row("size of the release binary, MB", size, Target::Below(15.0));
    table
}
