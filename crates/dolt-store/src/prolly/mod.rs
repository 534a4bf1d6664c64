//! Prolly trees: ordered maps whose nodes are chunks. The same entries always give the same tree.
//!
//! A leaf holds entries, an inner node the last key and the address of each child. A reader needs only the order of the
//! keys; where nodes are cut matters to writers, and to whoever checks.

mod blob;
mod build;
mod diff;
mod edit;
mod json;
mod level;
mod splitter;
mod tree;

pub(crate) use blob::{read_blob, write_blob};
pub(crate) use diff::{Difference, TreeDiff};
pub(crate) use edit::{Edit, edit};
pub(crate) use json::write_json;
pub(crate) use level::Shape;
pub(crate) use splitter::{End, Splitter};
pub(crate) use tree::{Cursor, Tree};
