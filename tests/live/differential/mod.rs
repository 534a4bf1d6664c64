//! Random tables and random changes to them, done by the real Dolt and natively: after every step each branch, commit, tag,
//! root, table and index has the same address on both sides, and what one side refuses the other refuses too.
//!
//! Every case comes from a number, its seed. One that fails is made smaller and printed, with the seed that repeats it:
//! `SEED=17 make soak`. A seed that has failed once goes into [`FAILED_ONCE`] and is tried on every run. What could go wrong
//! here is that a case compares nothing, so the accepted and the refused changes are counted, and a statement that touches
//! other rows than ours is a failure as well.

mod case;
mod ours;
mod plan;
mod random;
mod schema;
mod shrink;
mod steps;
mod theirs;
mod values;

use std::time::{Duration, Instant};

use case::{Case, Done};
pub(crate) use random::Random;
use shrink::shrink;
use theirs::Server;

use crate::support::Dolt;

/// Seeds that once showed a difference, with what it was.
const FAILED_ONCE: [(u64, &str); 0] = [];

/// So many cases from seed 1 on are tried on every run.
const ALWAYS: u64 = 30;
/// A server is replaced after so many cases, so that a long run does not measure its leaks.
const CASES_OF_A_SERVER: usize = 200;

fn hold(seed: u64, server: &mut Server, sum: &mut Done) {
    let case = Case::of(seed);
    match case.run(server) {
        Ok(done) => sum.add(done),
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
    let mut sum = Done::default();
    for seed in FAILED_ONCE.into_iter().map(|(seed, _)| seed).chain(1..=ALWAYS) {
        hold(seed, &mut server, &mut sum);
    }
    eprintln!("{dolt:?}: {sum:?}");
    assert!(
        sum.accepted > 100 && sum.refused > 20 && sum.rows > 1000 && sum.commits > 10,
        "too little: {sum:?}"
    );
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
    let (mut seed, mut cases, mut sum) = (one.unwrap_or(fresh), 0, Done::default());
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
    eprintln!("{cases} cases with each Dolt in {:.0?}, none differs: {sum:?}", begun.elapsed());
}
