//! Rows written: values become fields, fields tuples, tuples entries of trees, and every index of the table follows.
//!
//! A row that a caller gives is completed first (`fill`: defaults, generated values, checks; a module of its own, with
//! `unfinished` as all that it sees), then encoded, then held against foreign keys, and put into the trees. The bytes are
//! Dolt's own, so that a table that is written here has the address that Dolt would give it. What could go wrong: a value
//! that is no value of its column, a constraint that is violated, something that this crate cannot judge. Each is an error
//! that names the table and the column, and nothing is changed then.

mod cascade;
mod column_type;
mod counter;
mod editor;
mod encode;
mod field;
mod fill;
#[cfg(test)]
mod independence;
mod json;
mod message;
mod opened;
mod plan;
mod rebuild;
mod resolve;
mod root;
mod row;
mod tree;
mod unfinished;
mod violation;

pub(crate) use column_type::ColumnType;
pub use editor::TableEditor;
pub use encode::Misfit;
pub(crate) use json::canonical as canonical_json;
pub(crate) use rebuild::{build_index, rows_in_order, rows_with_column};
pub use root::RootEditor;
pub use violation::{Reference, Violation};
