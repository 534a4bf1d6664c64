//! Messages: what a chunk holds. A prefix of 4 bytes (`1b` and a big-endian length) and a `FlatBuffer` with a file id.
//!
//! ```text
//! 1b | length:3, big-endian, of what follows | root offset:4 | file id:4 | tables, vectors, strings …
//! ```
//! The buffer's own numbers are little-endian; offsets count from behind the prefix. This is a reader of our own and not
//! the official crate's, because every offset is hostile until checked, and because a table with more fields than we know
//! must be refused: it says something that we would drop.

mod builder;
mod nodes;
mod objects;
mod reader;
mod write_nodes;
mod write_objects;

pub(crate) use builder::{Builder, Offset};
pub(crate) use nodes::{Node, NodeKind, blob_payload};
pub use objects::{Commit, MergeState, RebaseState, RootValue, Stash, Tag, WorkingSet};
pub(crate) use objects::{StoreRoot, stash_list};
pub(crate) use reader::{Message, NEWER, Table};
pub(crate) use write_nodes::{NodeContent, node_message};
