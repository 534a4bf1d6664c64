//! Tables: schema, rows by column name, secondary indexes, foreign keys. The schema always comes from the database.

mod diff;
mod foreign_key;
mod key;
mod render;
mod row;
mod schema;
mod tables;
mod tuple;
mod value;

pub use diff::{RowChange, TableChange, TableDiff};
pub use foreign_key::{ForeignKey, ReferenceOption};
pub use render::push_json_string;
pub use row::{Direction, Row, Rows};
pub use schema::{Check, Column, Encoding, Index, Schema};
pub use tables::{Table, Tables};
pub use value::Value;
