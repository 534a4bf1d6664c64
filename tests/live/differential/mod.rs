//! Random tables and random changes to them, done by the real Dolt and natively: after every step each branch, commit, tag,
//! root, table and index has the same address on both sides, and what one side refuses the other refuses too. Rows are
//! added, changed and removed, with defaults, counters, generated columns and checks; tables, columns, indexes and views come
//! and go in between; branches move on, back and away.
//!
//! What only we refuse stands in a list (`outcome`); Dolt is not asked then, and nothing must have changed.
//!
//! Every case comes from a number, its seed. One that fails is made smaller and printed, with the seed that repeats it:
//! `SEED=17 make soak`. A seed that has failed once goes into [`FAILED_ONCE`] and is tried on every run. What could go wrong
//! here is that a case compares nothing, so what both did and refused is counted, kind by kind, and a statement that touches
//! other rows than ours is a failure as well.

mod case;
mod ours;
mod outcome;
mod plan;
mod random;
mod rules;
mod schema;
mod shrink;
mod steps;
mod theirs;
mod values;

use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use case::Case;
use outcome::Tally;
pub(crate) use random::Random;
pub(crate) use shrink::piece;
use shrink::shrink;
use theirs::Server;

use crate::support::Dolt;

/// Seeds that once showed a difference, with what it was.
const FAILED_ONCE: [(u64, &str); 9] = [
    (117_656_587_403_328, "an upsert without a key that Dolt leaves in an index written before"),
    (117_656_662_835_215, "a replaced row in the place of two, which Dolt counts as one"),
    (117_656_662_835_289, "a branch that cannot go because the directory is on it"),
    (117_656_662_835_307, "an index that goes, by whose name Dolt knows one of another table"),
    (117_656_662_835_323, "an update that is refused because of the time at which it is done"),
    (117_656_662_835_395, "a value that does not fit into a virtual column"),
    (117_656_662_835_464, "a time that changes by itself, and is set to what it is, without a key"),
    (117_656_741_544_017, "a REPLACE without a key that meets itself in Dolt's second unique index"),
    (117_656_741_544_132, "an upsert that sets a column of the key to NULL"),
];

/// So many cases from seed 1 on are tried on every run.
const ALWAYS: u64 = 36;
/// What both must have done in these, and how often at least.
const ENOUGH: [(&str, usize); 22] = [
    ("insert", 40),
    ("insert, referring to itself", 5),
    ("insert many", 4),
    ("upsert", 15),
    ("replace", 8),
    ("update", 10),
    ("update many", 2),
    ("delete", 15),
    ("delete, referring to itself", 1),
    ("delete many", 5),
    ("create table", 12),
    ("drop table", 1),
    ("add column", 4),
    ("create index", 5),
    ("drop index", 3),
    ("create view", 4),
    ("drop view", 1),
    ("ignore", 3),
    ("hard reset", 3),
    ("mixed reset", 1),
    ("put back", 3),
    ("checkout", 2),
];
/// Rows in which columns had to get their values by themselves.
const ENOUGH_RULES: [(&str, usize); 8] = [
    ("a default", 30),
    ("a computed default", 5),
    ("the time", 8),
    ("on update", 1),
    ("a number", 10),
    ("a stored generated column", 10),
    ("a virtual column", 5),
    ("a check", 8),
];
/// Rows that both refused.
const ENOUGH_VIOLATIONS: [(&str, usize); 5] =
    [("a duplicate", 10), ("a foreign key", 15), ("a value", 3), ("null", 3), ("a check", 1)];
/// A server is replaced after so many cases, so that a long run does not measure its leaks.
const CASES_OF_A_SERVER: usize = 200;
/// A long run goes on after a difference; more than so many with one Dolt are likely the same one.
const MOST_DIFFERENCES: usize = 5;

// What differs in the case of a seed, made smaller.
fn hold(seed: u64, server: &mut Server, sum: &mut Tally) -> Result<(), String> {
    let case = Case::of(seed);
    let difference = match case.run(server) {
        Ok(tally) => {
            sum.add(&tally);
            return Ok(());
        }
        Err(difference) => difference,
    };
    let dolt = server.dolt;
    eprintln!("seed {seed}, {dolt:?}: {}", difference.what);
    let (_, difference) = shrink(case, difference, server);
    Err(format!("seed {seed} with {dolt:?} (repeat: SEED={seed} make soak), made smaller:\n{difference}"))
}

fn always(dolt: Dolt) {
    let mut server = Server::start(dolt);
    let mut sum = Tally::default();
    for seed in FAILED_ONCE.into_iter().map(|(seed, _)| seed).chain(1..=ALWAYS) {
        hold(seed, &mut server, &mut sum).unwrap_or_else(|told| panic!("{told}"));
    }
    eprintln!("{dolt:?}: {sum:?}");
    is_enough(&sum);
}

// So often at least both sides did each thing; else nothing is held against anything.
fn is_enough(sum: &Tally) {
    assert!(sum.rows > 1000 && sum.commits > 20, "too little: {sum:#?}");
    for (name, least) in ENOUGH {
        let done = sum.counts.get(name).map_or(0, |count| count.done);
        assert!(done >= least, "{name}: {done} done by both, {least} are wanted: {sum:#?}");
    }
    for (name, least) in ENOUGH_RULES {
        let done = sum.rules.get(name).copied().unwrap_or_default();
        assert!(done >= least, "{name}: in {done} rows, {least} are wanted: {sum:#?}");
    }
    for (name, least) in ENOUGH_VIOLATIONS {
        let done = sum.violations.get(name).copied().unwrap_or_default();
        assert!(done >= least, "{name}: {done} rows refused by both, {least} are wanted: {sum:#?}");
    }
    let (mut done, mut refused, mut not_ours) = (0, 0, 0);
    for count in sum.counts.values() {
        (done, refused, not_ours) = (done + count.done, refused + count.refused, not_ours + count.not_ours);
    }
    assert!(refused > 100, "too little is refused: {sum:#?}");
    assert!(not_ours * 5 < done, "too much is refused by us alone: {sum:#?}");
}

#[test]
fn random_changes_give_the_addresses_that_dolt_1_gives() {
    always(Dolt::V1);
}

#[test]
fn random_changes_give_the_addresses_that_dolt_2_gives() {
    always(Dolt::V2);
}

/// As long as `GT_SOAK_SECONDS` says, from a seed that is another one every time; or the one case that `SEED` names. Each Dolt
/// goes its own pace.
#[test]
fn soak_random_changes() {
    let number =
        |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty()).map(|text| text.parse::<u64>());
    let one = number("SEED").map(|seed| seed.expect("SEED is a number"));
    let Some(seconds) =
        number("GT_SOAK_SECONDS").map(|seconds| seconds.expect("GT_SOAK_SECONDS is a number"))
    else {
        return;
    };
    let until = Instant::now() + Duration::from_secs(seconds);
    let fresh = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() << 16;
    let seeds = one.map_or(fresh..=u64::MAX, |one| one..=one);
    let differences = std::thread::scope(|scope| {
        let soaks = [Dolt::V1, Dolt::V2].map(|dolt| {
            let seeds = seeds.clone();
            scope.spawn(move || soak(dolt, seeds, until))
        });
        soaks.into_iter().flat_map(|soak| soak.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

// The differences that were found, each told as soon as it was. A case that panics is one: the server may be of no use then.
fn soak(dolt: Dolt, seeds: RangeInclusive<u64>, until: Instant) -> Vec<String> {
    let (begun, mut told) = (Instant::now(), 0);
    let (mut cases, mut sum, mut differences) = (0, Tally::default(), Vec::new());
    let mut server = Server::start(dolt);
    for seed in seeds {
        let held = catch_unwind(AssertUnwindSafe(|| hold(seed, &mut server, &mut sum)));
        cases += 1;
        let is_panic = held.is_err();
        if let Err(difference) = held.unwrap_or_else(|_| Err(format!("seed {seed} with {dolt:?} panicked"))) {
            eprintln!("{difference}");
            differences.push(difference);
        }
        let minutes = begun.elapsed().as_secs() / 60;
        let is_over = differences.len() == MOST_DIFFERENCES || Instant::now() >= until;
        if minutes > told || is_over {
            told = minutes;
            let (steps, rows, commits, found) = (sum.steps, sum.rows, sum.commits, differences.len());
            eprintln!(
                "{dolt:?}, {:.0?}: {cases} cases, {steps} steps, {rows} rows, {commits} commits, {found} differ",
                begun.elapsed(),
            );
        }
        if is_over {
            break;
        }
        if is_panic || cases % CASES_OF_A_SERVER == 0 {
            server = Server::start(dolt);
        }
    }
    eprintln!("{dolt:?}: {sum:#?}");
    differences
}
