//! The interchange file: one JSON object per line, issues and memories. Reading takes what bd takes and names line and column of
//! what it does not; writing gives bd's bytes.

mod read;
mod write;

pub use read::{Header, JsonlError, Memory, Records, read};
pub use write::{Counts, CountsById, counts, write_issue, write_memory};
