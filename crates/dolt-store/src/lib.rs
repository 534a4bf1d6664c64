//! Dolt's on-disk format, native: reads the very directory that `dolt sql-server` serves, with the server up or down.
//!
//! No async, no network, no clock, no environment: a path goes in, values come out. The layers, each knowing only those
//! above it in this list: [`chunk`] (files to content-addressed chunks), `message` (chunks to fields), `prolly` (ordered
//! maps of tuples), `table` (rows by column name), `commit` (branches, history), [`ddl`] (tables from SQL), [`select`] (rows
//! by SQL), [`verify`] (everything checked). The format, with the source of each fact, is in `docs/format.md`; where this crate and the real Dolt differ, the real Dolt is right.
//!
//! Everything that is read is hostile until checked: no offset, length or count of a file can make this crate panic or
//! reserve memory out of proportion to that file.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests write files as they like"))]
#![warn(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::cast_possible_truncation)
)]

mod bytes;
pub mod chunk;
pub mod commit;
pub mod ddl;
mod error;
pub mod expr;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod hash;
mod message;
mod prolly;
pub mod select;
pub mod table;
#[cfg(any(test, feature = "fuzzing"))]
mod testing;
pub mod verify;

pub use error::{Error, Result};
pub use hash::Hash;
pub use message::{Commit, MergeState, RebaseState, RootValue, Stash, Tag, WorkingSet};
