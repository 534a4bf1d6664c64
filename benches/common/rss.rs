//! Peak memory of one command.
//!
//! The kernel tells it of all children of a process together, and counts what the child had before it became another
//! program. So a fresh copy of this program, small and with a single child, does the asking.

use std::process::Command;

use nix::sys::resource::{UsageWho, getrusage};

const HELPER: &str = "GT_BENCH_PEAK_RSS";

/// Whether this process is that copy; then it has run the command that stands in its arguments and printed the peak, in KiB.
pub(crate) fn was_helper() -> bool {
    if std::env::var_os(HELPER).is_none() {
        return false;
    }
    let mut words = std::env::args_os().skip(1);
    let program = words.next().unwrap();
    let output = Command::new(program).args(words).env_remove(HELPER).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    println!("{}", getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss());
    true
}

/// The peak resident memory of a command, in MB.
pub(crate) fn peak_mb_of(command: &Command) -> f64 {
    let mut helper = Command::new(std::env::current_exe().unwrap());
    helper.arg(command.get_program()).args(command.get_args()).env_clear().env(HELPER, "1");
    helper.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    helper.current_dir(command.get_current_dir().unwrap());
    let output = helper.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let kib: f64 = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap();
    kib * 1024.0 / 1e6
}
