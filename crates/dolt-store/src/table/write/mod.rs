//! Rows written: values become fields, fields tuples, tuples entries of trees, and every index of the table follows.
//!
//! The bytes are Dolt's own, so that a table that is written here has the address that Dolt would give it. What could go
//! wrong: a value that is no value of its column, a constraint that is violated, something that this crate cannot judge. Each
//! is an error that names the table and the column, and nothing is changed then.

mod column_type;
mod editor;
mod encode;
mod json;
mod message;
mod row;

pub(crate) use column_type::ColumnType;
pub use editor::{Editor, Violation};
pub use encode::Misfit;
