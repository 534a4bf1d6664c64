//! Branches, tags, working sets, and the history behind them.

mod database;
mod log;
mod refs;
mod revision;

pub use database::{Database, Session};
pub use log::{Log, LogEntry};
pub use refs::{Ref, RefKind};
