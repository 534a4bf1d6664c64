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

use std::time::{Duration, Instant};

use case::Case;
use outcome::Tally;
pub(crate) use random::Random;
pub(crate) use shrink::piece;
use shrink::shrink;
use theirs::Server;

use crate::support::Dolt;

/// Seeds that once showed a difference, with what it was.
const FAILED_ONCE: [(u64, &str); 0] = [];

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

fn hold(seed: u64, server: &mut Server, sum: &mut Tally) {
    let case = Case::of(seed);
    match case.run(server) {
        Ok(tally) => sum.add(&tally),
        Err(difference) => {
            eprintln!("seed {seed}, {:?}: {difference}", server.dolt);
            let (_, difference) = shrink(case, difference, server);
            panic!(
                "seed {seed} with {:?} (repeat: SEED={seed} make soak), made smaller:\n{difference}",
                server.dolt
            );
        }
    }
}

fn always(dolt: Dolt) {
    let mut server = Server::start(dolt);
    let mut sum = Tally::default();
    for seed in FAILED_ONCE.into_iter().map(|(seed, _)| seed).chain(1..=ALWAYS) {
        hold(seed, &mut server, &mut sum);
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

/// As long as `GT_SOAK_SECONDS` says, from a seed that is another one every time; or the one case that `SEED` names.
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
    let begun = Instant::now();
    let fresh = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() << 16;
    let (mut seed, mut cases, mut sum) = (one.unwrap_or(fresh), 0, Tally::default());
    let mut servers = [Server::start(Dolt::V1), Server::start(Dolt::V2)];
    loop {
        for server in &mut servers {
            hold(seed, server, &mut sum);
        }
        (seed, cases) = (seed + 1, cases + 1);
        if cases % CASES_OF_A_SERVER == 0 {
            servers = [Server::start(Dolt::V1), Server::start(Dolt::V2)];
        }
        if one.is_some() || begun.elapsed() >= Duration::from_secs(seconds) {
            break;
        }
    }
    eprintln!("{cases} cases with each Dolt in {:.0?}, none differs: {sum:#?}", begun.elapsed());
}
