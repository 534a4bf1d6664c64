//! Some columns of a table: rows that hold just these, in the order in which they were asked for.
//!
//! Long values lie outside of their rows, and reading one costs as much as reading a hundred rows. Whoever wants to know only
//! ids and states asks for only these.

use super::lookup::IndexReader;
use super::range::KeyRange;
use super::row::{Direction, Rows};
use super::tables::Table;
use crate::Result;

/// A table of which only some columns are read; see [`Table::project`].
#[derive(Debug, Clone)]
pub struct Projection(Table);

impl Projection {
    pub(super) fn of(table: Table) -> Self {
        Self(table)
    }

    /// All rows in key order.
    pub fn rows(&self) -> Result<Rows<'_>> {
        self.0.rows()
    }

    /// All rows from the k-th on, counted from 0: for threads that read parts of a table. Costs one walk from the root. The
    /// entries of a keyless table are its distinct rows.
    pub fn rows_from(&self, position: u64) -> Result<Rows<'_>> {
        self.0.rows_from_position(position, Direction::Forward)
    }

    /// As [`Table::rows_in`].
    pub fn rows_in(&self, range: &KeyRange, direction: Direction) -> Result<Rows<'_>> {
        self.0.rows_in(range, direction)
    }

    /// As [`Table::index`]; the rows behind it hold only these columns.
    pub fn index(&self, name: &str) -> Result<Option<IndexReader<'_>>> {
        self.0.index(name)
    }
}
