//! The issue model of a store that is compatible with bd 1.1.0: what an issue is, which ids and hashes it gets, what blocks it,
//! what is ready, how it is written as JSON, and what an import does to it.
//!
//! Pure: no input or output, no clock, no randomness, no environment. Whatever of these a rule needs is an argument. A store
//! keeps the rows; this crate says what they mean. Where it differs from the real bd, the real bd is right;
//! `tests/live/beads_model.rs` holds it against one. What goes wrong here is a value that bd would refuse, and the errors carry
//! bd's own words.
//!
//! "bd …" in the documentation of an item names the place in bd's source tree where the fact was read.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::cast_possible_truncation))]

pub mod change;
pub mod content_hash;
pub mod edge;
pub mod filter;
pub mod go_json;
pub mod graph;
pub mod history_id;
pub mod id;
pub mod import;
pub mod issue;
pub mod jsonl;
pub mod order;
pub mod query;
pub mod ready;
pub mod shapes;
mod text;
pub mod when;
mod words;

pub use edge::{Edge, EdgeType};
pub use graph::Graph;
pub use issue::{Comment, Issue, IssueType, Metadata, Status};
