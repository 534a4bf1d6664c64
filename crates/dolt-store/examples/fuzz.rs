//! The fuzz targets without coverage, on any toolchain: `cargo run --release -p dolt-store --features fuzzing --example fuzz --
//! SECONDS [TARGET] [FIRST]`. Each target gets so many seconds. An input that fails is written down and named.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for those who work on this crate"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use dolt_store::fuzzing::{Random, TARGETS, mutate, run, seeds};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().and_then(|a| a.parse().ok()).unwrap_or(10);
    let only = arguments.next().filter(|only| only != "all");
    let first: u64 = arguments.next().and_then(|a| a.parse().ok()).unwrap_or(1);
    // In memory where there is such a place.
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let mut failures = 0;
    for (name, _) in TARGETS.iter().filter(|(name, _)| only.as_ref().is_none_or(|only| only == name)) {
        let seeds = seeds(name);
        let begun = Instant::now();
        let (mut inputs, mut slowest) = (0u64, Duration::ZERO);
        while begun.elapsed() < Duration::from_secs(seconds) {
            let input = mutate(&seeds, &mut Random::new(first + inputs));
            let one = Instant::now();
            if catch_unwind(AssertUnwindSafe(|| run(name, dir.path(), &input))).is_err() {
                failures += 1;
                let path = format!("fuzz-{name}-{}", first + inputs);
                std::fs::write(&path, &input).unwrap();
                println!("{name}: input {} fails, written to {path}", first + inputs);
                break;
            }
            slowest = slowest.max(one.elapsed());
            inputs += 1;
        }
        println!("{name}: {inputs} inputs, the slowest took {slowest:.1?}, {}", memory());
    }
    assert!(failures == 0, "{failures} targets failed");
}

// The most that this process has ever held, if the system tells.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM: ?");
    line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
}
