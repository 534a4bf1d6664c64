//! Builder → town: a real town in a temporary directory, and the means to do things to it.

mod disk_full;
mod programs;
mod ran;
mod stranger;
mod subject;
mod town;

pub(crate) use programs::{Dolt, bd, fake_dolt};
pub(crate) use ran::{Ran, Running, wait_until};
pub(crate) use stranger::{silent_server_on, stranger_on};
pub(crate) use subject::Subject;
pub(crate) use town::{Child, TestTown, free_port, is_alive, is_locked, run, signal};
