//! How long the life of a server takes, and how much of that is ours: `gt dolt` against the same Dolt started by hand.
//!
//! A plain program and not a statistics library: each sample is a whole life (launch, ready, end) in a real town, the
//! two programs must take turns so that a change of the machine's load meets both, and what is wanted is a median with
//! its extremes beside a target. Every number is the wall-clock time of one process, measured from outside.
//!
//! The tables are printed and written into `docs/benchmarks.md`, in place of those that stand there.
//!
//! `GT_BENCH_QUICK=1` takes three rounds of one and ten databases: to try the program, not to quote it; nothing is written.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measuring program starts programs, reads clocks and prints as it likes"
)]

mod machine;
mod rows;
mod rss;
mod town;

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use rows::{Samples, Table, Target};
use town::BenchTown;

/// How many starts are let loose at once.
const HERD: usize = 20;
/// Both programs stop a server of this age, so that what Dolt does right after its boot meets both alike.
const AGE_AT_STOP: Duration = Duration::from_millis(300);

fn main() {
    if rss::is_helper() {
        rss::help();
        return;
    }
    let quick = std::env::var_os("GT_BENCH_QUICK").is_some();
    let (sizes, rounds): (&[usize], usize) = if quick { (&[1, 10], 3) } else { (&[1, 10, 50], 11) };
    let mut report = String::new();
    let mut show = |text: String| {
        println!("{text}");
        report += &(text + "\n");
    };
    show(machine::describe().join("\n"));
    show(format!("- rounds: {rounds} after one to warm up, the programs in turn\n"));
    let begun = Instant::now();
    let mut missed = 0;
    for &size in sizes {
        let table = measure(size, rounds);
        show(table.render());
        missed += table.missed();
    }
    let table = footprint();
    show(table.render());
    missed += table.missed();
    if !quick {
        keep(&report);
    }
    eprintln!("{missed} targets missed; measured for {:.0} s", begun.elapsed().as_secs_f64());
}

/// Puts the report in place of everything behind the heading of the results.
fn keep(report: &str) {
    const HEADING: &str = "## Results\n\n";
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/benchmarks.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let at = page.find(HEADING).expect("docs/benchmarks.md has a heading for the results") + HEADING.len();
    std::fs::write(&path, format!("{}{}\n", &page[..at], report.trim_end())).unwrap();
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

fn measure(size: usize, rounds: usize) -> Table {
    let town = BenchTown::with(size);
    let mut all = Round::default();
    // The first start lets Dolt make what it makes once per database, and `gt` ask for Dolt's version.
    round(&town, &mut Round::default(), true);
    for n in 0..rounds {
        progress(&format!("{size} databases, round {} of {rounds}", n + 1));
        round(&town, &mut all, n % 2 == 0);
    }
    progress("");
    let one_start = all.start.median();
    let mut table = Table::new(&format!("{size} {}", if size == 1 { "database" } else { "databases" }));
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

// For somebody who waits; a log has no use for it.
fn progress(text: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r{text:40}\r");
    }
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
    size.push_number(machine::binary_mb());
    let mut table = Table::new("Footprint");
    table.row("peak memory of `gt dolt status`, 10 databases, MB", peak, Target::Below(20.0));
    table.row("programs launched by `gt dolt status`, server up", launched, Target::AtMost(0.0));
    table.row("size of the release binary, MB", size, Target::Below(15.0));
    table
}
