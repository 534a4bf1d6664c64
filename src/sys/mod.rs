//! The edges of the program: everything that asks the operating system for a fact or changes the world outside
//! our own memory in a way that needs care. Locks, atomic files, processes, signals, ports, the clock.
//!
//! Nothing here knows what a town or Dolt is. The only room that may contain `unsafe` (one `pre_exec` in
//! [`spawn`], one name in [`host`], two functions in `math`). Linux and macOS differ behind one face; the macOS halves are small and were never run.

pub mod atomic;
pub mod clock;
pub mod descriptors;
pub mod dir_id;
pub mod host;
pub mod interrupt;
pub mod lock;
#[cfg(target_os = "linux")]
mod math;
mod memory;
pub mod net;
pub mod parallel;
pub mod process;
pub mod spawn;
