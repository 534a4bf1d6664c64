//! Tables: schema, rows by column name, secondary indexes, foreign keys. The schema always comes from the database.

mod artifacts;
mod collation;
mod diff;
mod find;
mod foreign_key;
mod geometry;
mod ignore;
mod key;
mod literal;
mod lookup;
mod order;
mod projection;
mod range;
mod render;
mod row;
mod schema;
pub(crate) mod shortest;
mod sort_key;
mod tables;
mod tuple;
mod value;
mod write;

pub use artifacts::Artifacts;
pub use collation::Collation;
pub(crate) use collation::Kind as CollationKind;
pub use diff::{RowChange, TableChange, TableDiff};
pub use find::{Condition, Found, FoundBy};
pub use foreign_key::{ForeignKey, MatchType, ReferenceOption};
pub(crate) use foreign_key::{message as foreign_key_message, parse as parse_foreign_keys};
pub use ignore::{IgnorePatterns, Ignored};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use key::encode as encode_key;
pub(crate) use literal::{is_moment, literal_value, micros_of_day, micros_of_text, span_of_text};
pub use lookup::{IndexReader, IndexRows, IndexValues};
pub use projection::Projection;
pub use range::KeyRange;
pub use render::push_json_string;
pub(crate) use render::{civil as civil_of_days, float_text};
pub use row::{Direction, Row, Rows};
pub(crate) use schema::TableMessage;
pub use schema::{Check, Column, Encoding, Index, Schema};
pub use tables::{Table, Tables};
pub(crate) use tuple::Tuple;
pub use value::Value;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use value::decode;
pub(crate) use value::{Adaptive, ZERO_DATETIME, adaptive, compare, decode_key};
pub(crate) use write::{ColumnType, canonical_json};
pub use write::{Misfit, Reference, RootEditor, TableEditor, Violation};
pub(crate) use write::{build_index, rows_in_order, rows_with_column};
