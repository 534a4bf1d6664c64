//! The engine without a server: the files themselves, read beside anybody, written under the database's own lock.

mod reader;
mod write;

pub use reader::NativeReader;
pub(super) use write::NativeTx;
pub use write::{Attempt, Native};
