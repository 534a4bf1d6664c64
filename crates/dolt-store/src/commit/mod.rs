//! Branches, tags, working sets, and the history behind them.

mod branches;
mod closure;
mod create;
mod database;
mod locked;
mod log;
#[cfg(test)]
mod newer;
mod refs;
mod reset;
mod revision;
mod staging;
mod transaction;
mod under_way;

pub use database::{Database, Session};
pub use locked::{Locked, Prepared, RefChange};
pub use log::{Log, LogEntry};
pub use refs::{Ref, RefKind};
pub use reset::Reset;
pub use transaction::{Author, CommitMeta, Draft, Transaction};
