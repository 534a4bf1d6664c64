//! `gt`: keeps a Gas Town's Dolt server alive and its rig databases in order.
//!
//! Rooms and what they may import: `cli → {migrate} → {rig} → {doltserver, town} → {sql, sys}`. One idea decides
//! everything: the `flock` on a database's own `LOCK` file is the truth about who has it; PID files, state files,
//! ports and `sql-server.info` are hints. See `docs/architecture.md`.

#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, reason = "tests write files and start programs as they like")
)]

pub mod cli;
pub mod doltserver;
pub mod migrate;
pub mod rig;
pub mod sql;
pub mod store;
pub mod sys;
pub mod town;
