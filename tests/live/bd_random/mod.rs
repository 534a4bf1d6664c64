//! Random commands by our `bd` and the real one: in turn on one database, and each alone on a database of its own.
//!
//! After every command each stored flag is what the whole graph says, and two databases hold the same rows in all tables. After
//! every few commands, a sequence, both programs say the same. A sequence begins with the database that the one before it left;
//! such a series is under a server of one of the Dolts, under none, or under servers that come and go.
//!
//! Every series comes from a number, its seed. A sequence that fails is made smaller and printed, with the seed that repeats it:
//! `SEED=17 make soak`. What could go wrong is that nearly everything is refused, so what was taken is counted, verb by verb.

mod compare;
pub(crate) mod place;
pub(crate) mod plan;
mod questions;
mod series;
mod words;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use plan::Series;
use series::Tally;

/// Series that once showed a difference: the seed, the sequences that are needed, and what it was.
const FAILED_ONCE: [(u64, usize, &str); 0] = [];
/// So many sequences has a series of every run, and one of a soak.
const SEQUENCES: (usize, usize) = (3, 20);
/// Verbs that both programs must have done in the series of every run, and how often at least.
const ENOUGH: [(&str, usize); 2] = [("create", 4), ("dep", 1)];
/// So many series at once has a soak: each mostly waits for a real program.
const WORKERS: usize = 4;
/// A long run goes on after a difference; more than so many are likely the same one.
const MOST_DIFFERENCES: usize = 8;

fn hold(seed: u64, sequences: usize, sum: &mut Tally) -> Result<(), String> {
    let series = Series::of(seed, sequences);
    series.run(sum).map_err(|difference| {
        eprintln!("seed {seed}: {difference:?}");
        format!("seed {seed} (repeat: SEED={seed} make soak), {}", series.explain(difference))
    })
}

fn always(seeds: &[u64]) {
    let mut sum = Tally::default();
    let before = FAILED_ONCE.iter().filter(|(seed, ..)| seed % 2 == seeds[0] % 2);
    let before = before.map(|(seed, sequences, _)| (*seed, *sequences));
    for (seed, sequences) in before.chain(seeds.iter().map(|seed| (*seed, SEQUENCES.0))) {
        hold(seed, sequences, &mut sum).unwrap_or_else(|told| panic!("{told}"));
    }
    eprintln!("{sum}");
    for (verb, least) in ENOUGH {
        let done = sum.verbs.get(verb).copied().unwrap_or_default();
        assert!(done >= least, "{verb}: {done} times, {least} are wanted: {sum}");
    }
}

#[test]
fn commands_in_turn_with_bd_leave_a_database_of_which_both_say_the_same() {
    always(&[12]);
}

#[test]
fn the_same_commands_by_us_and_by_bd_leave_the_same_rows() {
    always(&[13]);
}

/// As long as `GT_SOAK_SECONDS` says, from a seed that is another one every time; or the one series that `SEED` names.
#[test]
fn soak_commands_of_bd() {
    let number = |name: &str| {
        std::env::var(name).ok().filter(|text| !text.is_empty()).map(|text| text.parse::<u64>().unwrap())
    };
    let Some(seconds) = number("GT_SOAK_SECONDS") else { return };
    let (begun, one) = (Instant::now(), number("SEED"));
    let fresh = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() << 16;
    let (next, sum, told) = (AtomicU64::new(one.unwrap_or(fresh)), Mutex::default(), Mutex::new(Vec::new()));
    let work = || loop {
        let (seed, mut own) = (next.fetch_add(1, Ordering::SeqCst), Tally::default());
        if let Err(text) = hold(seed, SEQUENCES.1, &mut own) {
            eprintln!("{text}");
            told.lock().unwrap().push(text);
        }
        let mut sum: MutexGuard<'_, Tally> = sum.lock().unwrap();
        sum.add(own);
        eprintln!("{:.0?}, seed {seed}: {sum}", begun.elapsed());
        let is_enough = told.lock().unwrap().len() >= MOST_DIFFERENCES;
        if one.is_some() || is_enough || begun.elapsed() >= Duration::from_secs(seconds) {
            break;
        }
    };
    std::thread::scope(|scope| {
        let workers = if one.is_some() { 1 } else { WORKERS };
        (0..workers).for_each(|_| drop(scope.spawn(work)));
    });
    let told = told.into_inner().unwrap();
    assert!(told.is_empty(), "{} differ:\n{}", told.len(), told.join("\n"));
}
