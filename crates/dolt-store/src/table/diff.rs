//! What changed between two states of the tables, and of one table's rows.

use std::collections::BTreeMap;

use super::collation::Collation;
use super::row::Row;
use super::schema::{Column, Encoding};
use super::tables::{Table, Tables};
use super::tuple::Tuple;
use crate::prolly::{Difference, TreeDiff};
use crate::{Hash, Result};

/// What happened to a table between two states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableChange {
    /// It is only in the new one.
    Added,
    /// It is only in the old one.
    Dropped,
    /// It is in both and not equal.
    Modified,
}

/// What happened to a row.
#[derive(Debug, Clone, PartialEq)]
pub enum RowChange {
    /// It is only in the new table.
    Added(Row),
    /// It is only in the old table.
    Removed(Row),
    /// Its key is in both, its other values differ.
    Modified {
        /// As it was.
        from: Row,
        /// As it is.
        to: Row,
    },
}

impl Tables {
    /// The tables that differ, by name. Costs nothing for those that do not.
    pub fn changes_to(&self, new: &Self) -> Result<Vec<(String, TableChange)>> {
        let addresses = |tables: &Self| -> Result<BTreeMap<String, Hash>> {
            Ok(tables.addresses()?.into_iter().collect())
        };
        let (old, new) = (addresses(self)?, addresses(new)?);
        let mut found = Vec::new();
        for (name, address) in &old {
            match new.get(name) {
                None => found.push((name.clone(), TableChange::Dropped)),
                Some(other) if other != address => found.push((name.clone(), TableChange::Modified)),
                Some(_) => {}
            }
        }
        let added = new.keys().filter(|n| !old.contains_key(*n));
        found.extend(added.map(|n| (n.clone(), TableChange::Added)));
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(found)
    }
}

/// Walks over the changed rows of a table, in key order.
#[derive(Debug)]
pub struct TableDiff<'t> {
    old: &'t Table,
    new: &'t Table,
    trees: TreeDiff,
    // Keyless rows that came or went several times.
    again: Vec<RowChange>,
}

impl Table {
    /// The rows that changed from this state to `new`, each with the columns that its own state has. Rows of the same primary
    /// key are one row, whatever happened to the other columns. `None`: they cannot be paired, because the columns of the
    /// primary key differ (Dolt `schema.ArePrimaryKeySetsDiffable`); then every row counts as changed.
    pub fn changes_to<'t>(&'t self, new: &'t Self) -> Result<Option<TableDiff<'t>>> {
        if self.key() != new.key() {
            return Ok(None);
        }
        let mut trees = TreeDiff::between(self.row_tree()?, new.row_tree()?)?;
        if self.order().problem().is_some() {
            trees.match_keys(|key| self.folded_key(key))?;
        }
        Ok(Some(TableDiff { old: self, new, trees, again: Vec::new() }))
    }

    // What is the same for equal keys. Under a collation that is not known only equal bytes are sure to be equal.
    fn folded_key(&self, key: &[u8]) -> Vec<u8> {
        let Ok(tuple) = Tuple::parse(key) else { return key.to_vec() };
        let mut folded = Vec::new();
        for (i, position) in self.schema().key_columns.iter().enumerate() {
            let field = tuple.field(i).unwrap_or_default().unwrap_or_default();
            let column = self.schema().columns.get(usize::from(*position));
            let text = column.filter(|c| c.encoding == Encoding::String).zip(str::from_utf8(field).ok());
            let same = text.and_then(|(c, text)| Collation::of(c).fold(text));
            let bytes = same.as_ref().map_or(field, |text| text.as_bytes());
            folded.extend(bytes.len().to_le_bytes());
            folded.extend(bytes);
        }
        folded
    }

    // What the keys of two states must have in common; nothing of a keyless table, whose key is the hash of a row.
    fn key(&self) -> Vec<(u64, Encoding, String)> {
        let schema = self.schema();
        let keys = if schema.is_keyless() { &[] } else { &schema.key_columns[..] };
        let of_key = |k: &u16| schema.columns.get(usize::from(*k));
        let key = |c: &Column| (c.tag, c.encoding, Collation::of(c).name().to_owned());
        keys.iter().filter_map(of_key).map(key).collect()
    }
}

impl TableDiff<'_> {
    fn step(&mut self) -> Result<Option<RowChange>> {
        if let Some(change) = self.again.pop() {
            return Ok(Some(change));
        }
        let schema = self.old.schema();
        let order = |a: &[u8], b: &[u8]| self.old.order().compare_keys(a, b);
        let Some(Difference { old, new }) = self.trees.step(order)? else { return Ok(None) };
        let before = old.map(|(node, i)| self.old.decode(&node, i)).transpose()?;
        let after = new.map(|(node, i)| self.new.decode(&node, i)).transpose()?;
        Ok(match (before, after) {
            (None, None) => None,
            (Some((from, old_times)), Some((to, new_times))) if schema.is_keyless() => {
                // The same row: it stands there more or less often than before.
                let times = times_of(old_times.abs_diff(new_times));
                let change =
                    if new_times > old_times { RowChange::Added(to) } else { RowChange::Removed(from) };
                Some(self.repeat(change, times))
            }
            (Some((from, _)), Some((to, _))) => Some(RowChange::Modified { from, to }),
            (Some((row, times)), None) => Some(self.repeat(RowChange::Removed(row), times_of(times))),
            (None, Some((row, times))) => Some(self.repeat(RowChange::Added(row), times_of(times))),
        })
    }

    fn repeat(&mut self, change: RowChange, times: usize) -> RowChange {
        self.again.extend(std::iter::repeat_n(change.clone(), times.saturating_sub(1)));
        change
    }
}

// A count that does not fit into memory comes from a damaged row; once is enough to show it.
fn times_of(count: u64) -> usize {
    usize::try_from(count).ok().filter(|n| *n < 1 << 32).unwrap_or(1)
}

impl Iterator for TableDiff<'_> {
    type Item = Result<RowChange>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}
