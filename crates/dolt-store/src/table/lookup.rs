//! Rows by key, by position and by index.

use super::order::{KeyOrder, Sought};
use super::range::{Bounds, KeyRange};
use super::row::{Direction, Row, Rows};
use super::schema::{Encoding, Index, Schema};
use super::tables::Table;
use super::tuple::Tuple;
use super::value::{Value, decode_key};
use crate::prolly::{Cursor, Tree};
use crate::{Error, Result};

impl Table {
    /// All rows in key order.
    pub fn rows(&self) -> Result<Rows<'_>> {
        Ok(Rows::new(self, self.row_tree()?.first()?, None, Direction::Forward))
    }

    /// All rows against key order.
    pub fn rows_backward(&self) -> Result<Rows<'_>> {
        Ok(Rows::new(self, self.row_tree()?.last()?, None, Direction::Backward))
    }

    /// The rows from the k-th entry on, counted from 0; backward: down to the first. Costs one walk from the root. The
    /// entries of a keyless table are its distinct rows.
    pub fn rows_from_position(&self, position: u64, direction: Direction) -> Result<Rows<'_>> {
        Ok(Rows::new(self, self.row_tree()?.nth(position)?, None, direction))
    }

    /// The rows whose primary key lies in this range. Fails if a bound cannot be a key of this table, or if the order of its
    /// keys depends on a collation.
    pub fn rows_in(&self, range: &KeyRange, direction: Direction) -> Result<Rows<'_>> {
        self.rows_within(self.bounds(range)?, direction)
    }

    /// How many entries have their key in this range. Costs two walks from the root, however many they are.
    pub fn count_in(&self, range: &KeyRange) -> Result<u64> {
        self.bounds(range)?.count(self.order(), self.row_tree()?)
    }

    /// The row with this primary key, given in key order. If keys are not ordered by their bytes, every row is looked at.
    pub fn get(&self, primary_key: &[Value]) -> Result<Option<Row>> {
        if primary_key.len() != self.schema().key_columns.len() {
            let problem = format!(
                "the key has {} columns, {} values were given",
                self.schema().key_columns.len(),
                primary_key.len()
            );
            return Err(Error::NotAKey { table: self.name().to_owned(), problem });
        }
        if self.order().problem().is_some() {
            return self.find_key(primary_key);
        }
        self.rows_in(&KeyRange::prefix(primary_key), Direction::Forward)?.next().transpose()
    }

    pub(super) fn rows_within(&self, bounds: Bounds, direction: Direction) -> Result<Rows<'_>> {
        let cursor = bounds.enter(self.order(), self.row_tree()?, direction)?;
        Ok(Rows::new(self, cursor, Some(bounds), direction))
    }

    fn bounds(&self, range: &KeyRange) -> Result<Bounds> {
        bounds(self, range, self.order(), "its primary key")
    }

    /// Whether the entries of a secondary index hold all of these columns, see [`IndexReader::covers`]. Nothing is read for it.
    pub fn index_covers(&self, index: &Index, columns: &[&str]) -> bool {
        let holds = |column: &&str| entry_field(self.schema(), index, column).is_some();
        index.unsupported.is_none() && columns.iter().all(holds)
    }

    /// A secondary index, to walk along it. `None`: there is none of this name.
    pub fn index(&self, name: &str) -> Result<Option<IndexReader<'_>>> {
        let Some(index) = self.schema().indexes.iter().find(|i| i.name.eq_ignore_ascii_case(name)) else {
            return Ok(None);
        };
        if let Some(kind) = index.unsupported {
            return Err(self.not_supported(&format!("{}, a {kind}", index.name)));
        }
        let tree = self.index_tree(&index.name)?;
        let missing = || self.not_supported(&format!("index {} without a tree", index.name));
        let order = KeyOrder::of_index(self.schema(), index);
        let columns = self.schema().entry_columns(index);
        let place = |key: &u16| columns.iter().position(|c| c == key);
        let key_fields = self.schema().key_columns.iter().filter_map(place).collect();
        Ok(Some(IndexReader { table: self, index, tree: tree.ok_or_else(missing)?, order, key_fields }))
    }
}

fn bounds(table: &Table, range: &KeyRange, order: &KeyOrder, what: &str) -> Result<Bounds> {
    // A range without bounds needs no order.
    if *range == KeyRange::ALL {
        return Ok(Bounds { from: std::ops::Bound::Unbounded, to: std::ops::Bound::Unbounded });
    }
    if let Some(bounds) = range.in_order(order) {
        return Ok(bounds);
    }
    Err(match order.problem() {
        Some(problem) => table.not_supported(&format!("a range of {what}: {problem}")),
        None => Error::NotAKey {
            table: table.name().to_owned(),
            problem: format!("a value cannot be part of {what}"),
        },
    })
}

// Where a column's whole value stands in an entry of an index.
fn entry_field(schema: &Schema, index: &Index, column: &str) -> Option<(usize, Encoding)> {
    if schema.is_keyless() || index.prefix_lengths.iter().any(|length| *length > 0) {
        return None;
    }
    let columns = schema.entry_columns(index);
    let at = columns.iter().position(|position| {
        let named = schema.columns.get(usize::from(*position));
        named.is_some_and(|named| named.name.eq_ignore_ascii_case(column))
    })?;
    let position = usize::from(*columns.get(at)?);
    schema.columns.get(position).map(|column| (at, column.encoding))
}

/// A secondary index and the rows behind it.
#[derive(Debug)]
pub struct IndexReader<'t> {
    table: &'t Table,
    index: &'t Index,
    tree: Tree,
    order: KeyOrder,
    // Which fields of an entry are the primary key.
    key_fields: Vec<usize>,
}

impl IndexReader<'_> {
    /// How many entries it has.
    pub fn entries(&self) -> u64 {
        self.tree.len()
    }

    /// The rows whose indexed values lie in this range, in the order of the index. Fails as [`Table::rows_in`] does, and for
    /// an index on a prefix of its columns, which does not hold their order.
    pub fn rows(&self, range: &KeyRange, direction: Direction) -> Result<IndexRows<'_>> {
        self.rows_within(self.bounds(range)?, direction)
    }

    /// How many entries lie in this range. Costs two walks from the root.
    pub fn count(&self, range: &KeyRange) -> Result<u64> {
        self.bounds(range)?.count(&self.order, &self.tree)
    }

    /// Whether its entries hold all of these columns, so that no row has to be looked at for them.
    pub fn covers(&self, columns: &[&str]) -> bool {
        columns.iter().all(|column| self.field(column).is_some())
    }

    /// The values of columns that it [covers](Self::covers) in the entries of this range, in the order of the index. For a
    /// keyless table, which has no such columns, this is an error.
    pub fn values(&self, range: &KeyRange, columns: &[&str]) -> Result<IndexValues<'_>> {
        let field = |column: &&str| self.field(column);
        let fields = columns.iter().map(field).collect::<Option<Vec<_>>>();
        let what = || format!("reading {} from index {} alone", columns.join(", "), self.index.name);
        let fields = fields.ok_or_else(|| self.table.not_supported(&what()))?;
        let bounds = if *range == KeyRange::ALL {
            Bounds { from: std::ops::Bound::Unbounded, to: std::ops::Bound::Unbounded }
        } else {
            self.bounds(range)?
        };
        let cursor = bounds.enter(&self.order, &self.tree, Direction::Forward)?;
        Ok(IndexValues { reader: self, cursor, bounds, fields })
    }

    fn field(&self, column: &str) -> Option<(usize, Encoding)> {
        entry_field(self.table.schema(), self.index, column)
    }

    fn bounds(&self, range: &KeyRange) -> Result<Bounds> {
        let name = &self.index.name;
        if self.index.prefix_lengths.iter().any(|l| *l > 0) {
            return Err(self.table.not_supported(&format!("a range of {name}, an index on a prefix")));
        }
        bounds(self.table, range, &self.order, &format!("index {name}"))
    }

    fn rows_within(&self, bounds: Bounds, direction: Direction) -> Result<IndexRows<'_>> {
        if let Some(problem) = self.table.order().problem() {
            return Err(self
                .table
                .not_supported(&format!("rows behind index {}: {problem}", self.index.name)));
        }
        let cursor = bounds.enter(&self.order, &self.tree, direction)?;
        Ok(IndexRows { reader: self, cursor, bounds, direction, rows: None })
    }

    /// The primary keys behind the entries that begin with these fields, in key order.
    pub(super) fn keys_with(&self, fields: Sought) -> Result<Vec<Sought>> {
        let mut walk = self.rows_within(Bounds::prefix(fields), Direction::Forward)?;
        let mut keys = Vec::new();
        while let Some(key) = walk.next_key()? {
            keys.push(key);
        }
        let order = self.table.order();
        keys.sort_by(|a, b| order.compare_sought(a, b));
        Ok(keys)
    }

    // An entry holds the whole primary key, in the index's own order of columns.
    fn key_of(&self, entry: &[u8]) -> Result<Sought> {
        let bad = |problem: String| Error::BadChunk { hash: self.table.address(), problem };
        let tuple = Tuple::parse(entry).map_err(bad)?;
        let field = |at: &usize| Ok(tuple.field(*at).map_err(bad)?.map(<[u8]>::to_vec));
        self.key_fields.iter().map(field).collect()
    }
}

/// Walks over the rows behind an index.
#[derive(Debug)]
pub struct IndexRows<'i> {
    reader: &'i IndexReader<'i>,
    cursor: Cursor<'i>,
    bounds: Bounds,
    direction: Direction,
    // The rows of the entry that the walk is on: one, except in a keyless table.
    rows: Option<Rows<'i>>,
}

impl IndexRows<'_> {
    fn next_key(&mut self) -> Result<Option<Sought>> {
        let Some((node, i)) = self.cursor.entry() else { return Ok(None) };
        if self.bounds.is_past(&self.reader.order, node.key(i), self.direction) {
            return Ok(None);
        }
        let key = self.reader.key_of(node.key(i))?;
        match self.direction {
            Direction::Forward => self.cursor.advance()?,
            Direction::Backward => self.cursor.retreat()?,
        }
        Ok(Some(key))
    }

    fn step(&mut self) -> Result<Option<Row>> {
        if let Some(row) = self.rows.as_mut().and_then(Iterator::next) {
            return row.map(Some);
        }
        let Some(key) = self.next_key()? else { return Ok(None) };
        let table = self.reader.table;
        let mut rows = table.rows_within(Bounds::prefix(key), Direction::Forward)?;
        let Some(row) = rows.next() else {
            let problem = format!("index {} has an entry without a row", self.reader.index.name);
            return Err(Error::BadChunk { hash: table.address(), problem });
        };
        self.rows = Some(rows);
        row.map(Some)
    }
}

/// Walks over the entries of an index, without the rows behind them.
#[derive(Debug)]
pub struct IndexValues<'i> {
    reader: &'i IndexReader<'i>,
    cursor: Cursor<'i>,
    bounds: Bounds,
    fields: Vec<(usize, Encoding)>,
}

impl IndexValues<'_> {
    /// Puts the next entry's values in place of those that are there; false behind the last one.
    pub fn read(&mut self, values: &mut Vec<Value>) -> Result<bool> {
        values.clear();
        let Some((node, i)) = self.cursor.entry() else { return Ok(false) };
        if self.bounds.is_past(&self.reader.order, node.key(i), Direction::Forward) {
            return Ok(false);
        }
        let bad = |problem: String| Error::BadChunk { hash: self.reader.table.address(), problem };
        let tuple = Tuple::parse(node.key(i)).map_err(bad)?;
        for (at, encoding) in &self.fields {
            values.push(decode_key(*encoding, tuple.field(*at).map_err(bad)?)?);
        }
        self.cursor.advance()?;
        Ok(true)
    }

    fn step(&mut self) -> Result<Option<Row>> {
        let mut values = Vec::with_capacity(self.fields.len());
        Ok(self.read(&mut values)?.then_some(Row { values }))
    }
}

impl Iterator for IndexValues<'_> {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}

impl Iterator for IndexRows<'_> {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}
