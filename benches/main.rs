//! The bench: `gt` beside the programs that it stands in for, each number against its target.
//!
//! A plain program and not a statistics library: a sample is a whole life of a server in a real town, or a whole process that
//! reads a real database; the programs that are compared must take turns, so that a change of the machine's load meets them
//! alike; and what is wanted is a median with its extremes beside a target.
//!
//! The tables are printed and written into `docs/benchmarks.md`, in place of those that stand there. `GT_BENCH_QUICK=1` takes
//! three rounds over less: to try the program, not to quote it.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measuring program starts programs, reads clocks and prints as it likes"
)]

mod common;
mod issues;
mod lifecycle;
mod store;
mod writing;

fn main() {
    // This program plays other parts, too.
    if common::rss::was_helper() || lifecycle::was_mute_server() || writing::was_writer() {
        return;
    }
    lifecycle::measure();
    store::measure();
    writing::measure();
    issues::measure();
}
