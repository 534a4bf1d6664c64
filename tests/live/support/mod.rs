//! Builder → town: a real town in a temporary directory, and the means to do things to it.

use std::sync::atomic::{AtomicBool, Ordering};

mod disk_full;
mod pair;
#[path = "../../common/places.rs"]
mod places;
mod programs;
mod ran;
mod random_schema;
mod sql_client;
mod stranger;
mod subject;
mod town;

pub(crate) use pair::Pair;
pub(crate) use places::{is_alive, quiet_home};
pub(crate) use programs::{Dolt, bd, copy_program, fake_dolt, write_program};
pub(crate) use ran::{Ran, Running, run, wait_until};
pub(crate) use random_schema::{RandomTable, Wishes, quoted, random_schema};
pub(crate) use sql_client::foreign;
pub(crate) use stranger::{silent_server_on, stranger_on};
pub(crate) use subject::{Subject, copy_tree, lock, unlock, without_colours};
pub(crate) use town::{Child, TestTown, free_port, is_locked, signal};

/// How much of something is tried: on every run, and with `make soak`.
pub(crate) fn in_a_soak(usual: u32, in_a_soak: u32) -> u32 {
    let is_soak = std::env::var_os("GT_SOAK_SECONDS").is_some_and(|text| !text.is_empty());
    if is_soak { in_a_soak } else { usual }
}

/// Sets a flag when it is dropped, however that comes: what a thread waits for that is waited for.
pub(crate) struct Ending<'f>(pub(crate) &'f AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
