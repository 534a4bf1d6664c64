//! A table of one root value.

use std::cmp::Ordering;

use super::foreign_key::{self, ForeignKey};
use super::key;
use super::row::{Direction, Layout, Row, Rows};
use super::schema::{Encoding, Index, Schema, TableMessage};
use super::tuple::Tuple;
use super::value::Value;
use crate::chunk::Snapshot;
use crate::commit::Session;
use crate::message::{Node, NodeKind, RootValue};
use crate::prolly::Tree;
use crate::{Error, Hash, Result};

/// The tables of one root value.
#[derive(Debug, Clone)]
pub struct Tables {
    snapshot: Snapshot,
    root: RootValue,
    map: Tree,
}

impl Session {
    /// The tables of a root value by its address.
    pub fn tables(&self, root: Hash) -> Result<Tables> {
        let value = self.root_value(root)?;
        let map = Tree::embedded(self.snapshot(), NodeKind::Addresses, value.tables.clone(), root);
        Ok(Tables { snapshot: self.snapshot().clone(), root: value, map })
    }
}

impl Tables {
    /// Their names, bytewise sorted.
    pub fn names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        let mut cursor = self.map.first()?;
        while let Some((node, i)) = cursor.entry() {
            names.push(String::from_utf8_lossy(node.key(i)).into_owned());
            cursor.advance()?;
        }
        Ok(names)
    }

    /// The address of a table's message; equal addresses are equal tables.
    pub fn address(&self, name: &str) -> Result<Option<Hash>> {
        let found = self.map.get(|key| key.cmp(name.as_bytes()))?;
        Ok(found.and_then(|(node, i)| node.address(i)))
    }

    /// Opens a table. `None`: there is none of this name.
    pub fn open(&self, name: &str) -> Result<Option<Table>> {
        let Some(address) = self.address(name)? else { return Ok(None) };
        Table::open(&self.snapshot, name, address).map(Some)
    }

    /// The foreign keys.
    pub fn foreign_keys(&self) -> Result<Vec<ForeignKey>> {
        let hash = self.root.foreign_keys;
        if hash.is_none() {
            return Ok(Vec::new());
        }
        foreign_key::parse(&self.snapshot.chunk(hash)?).map_err(|problem| Error::BadChunk { hash, problem })
    }

    /// The root value itself.
    pub fn root_value(&self) -> &RootValue {
        &self.root
    }
}

/// A table.
#[derive(Debug, Clone)]
pub struct Table {
    name: String,
    address: Hash,
    schema: Schema,
    layout: Layout,
    snapshot: Snapshot,
    rows: Tree,
    indexes: Tree,
    auto_increment: u64,
    has_artifacts: bool,
}

impl Table {
    fn open(snapshot: &Snapshot, name: &str, address: Hash) -> Result<Self> {
        let bad = |hash: Hash| move |problem: String| Error::BadChunk { hash, problem };
        let message = TableMessage::parse(&snapshot.chunk(address)?).map_err(bad(address))?;
        let schema = Schema::parse(&snapshot.chunk(message.schema)?).map_err(bad(message.schema))?;
        let rows = Node::parse(NodeKind::Map, message.rows).map_err(bad(address))?;
        let indexes = Node::parse(NodeKind::Addresses, message.indexes).map_err(bad(address))?;
        Ok(Self {
            name: name.to_owned(),
            address,
            layout: Layout::of(&schema),
            schema,
            snapshot: snapshot.clone(),
            rows: Tree::embedded(snapshot, NodeKind::Map, rows, address),
            indexes: Tree::embedded(snapshot, NodeKind::Addresses, indexes, address),
            auto_increment: message.auto_increment,
            has_artifacts: !message.artifacts.is_none(),
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address of its message.
    pub fn address(&self) -> Hash {
        self.address
    }

    /// Its schema.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The next value of its auto-increment column; 0 if it never counted.
    pub fn auto_increment(&self) -> u64 {
        self.auto_increment
    }

    /// Whether a merge left conflicts or violations in it.
    pub fn has_conflicts(&self) -> bool {
        self.has_artifacts
    }

    /// How many entries its tree has: rows, or for a keyless table distinct rows. Costs nothing.
    pub fn entries(&self) -> u64 {
        self.rows.len()
    }

    /// All rows in key order.
    pub fn rows(&self) -> Result<Rows<'_>> {
        Ok(self.rows_from(self.rows.first()?))
    }

    /// All rows against key order.
    pub fn rows_backward(&self) -> Result<Rows<'_>> {
        Ok(Rows { direction: Direction::Backward, ..self.rows_from(self.rows.last()?) })
    }

    /// The rows whose columns of a secondary index begin with these values. `None`: there is no such index, it is of a kind
    /// that cannot be used, or a value cannot be of its column.
    pub fn rows_by_index(&self, index: &str, values: &[Value]) -> Result<Option<Vec<Row>>> {
        let Some(index) = self.schema.indexes.iter().find(|i| i.name == index) else { return Ok(None) };
        if index.unsupported.is_some()
            || index.prefix_lengths.iter().any(|l| *l > 0)
            || self.schema.is_keyless()
        {
            return Ok(None);
        }
        let encoding = |position: &u16| self.schema.columns.get(usize::from(*position)).map(|c| c.encoding);
        let sought: Option<Vec<_>> =
            index.columns.iter().zip(values).map(|(c, v)| key::sought(encoding(c)?, v)).collect();
        let Some(sought) = sought.filter(|s| s.len() == values.len()) else { return Ok(None) };
        let Some(address) =
            self.indexes.get(|key| key.cmp(index.name.as_bytes()))?.and_then(|(n, i)| n.address(i))
        else {
            return Ok(None);
        };
        let tree = Tree::open(&self.snapshot, NodeKind::Map, address)?;
        let mut cursor = tree.seek(|key| compare_key(key, &sought))?;
        let mut rows = Vec::new();
        while let Some((node, i)) =
            cursor.entry().filter(|(n, i)| compare_key(n.key(*i), &sought) == Ordering::Equal)
        {
            rows.extend(self.row_of_entry(index, node.key(i))?);
            cursor.advance()?;
        }
        Ok(Some(rows))
    }

    // An index entry's key holds the whole primary key, in the index's own order of columns.
    fn row_of_entry(&self, index: &Index, entry: &[u8]) -> Result<Option<Row>> {
        let bad = |problem: String| Error::BadChunk { hash: self.address, problem };
        let tuple = Tuple::parse(entry).map_err(bad)?;
        let field_of = |column: &u16| {
            let at = index.key_columns.iter().position(|k| k == column);
            let at =
                at.ok_or_else(|| bad(format!("index {} lacks a column of the primary key", index.name)))?;
            let encoding =
                self.schema.columns.get(usize::from(*column)).map_or(Encoding::Null, |c| c.encoding);
            Ok((encoding, tuple.field(at).map_err(bad)?.map(<[u8]>::to_vec)))
        };
        let sought: Vec<key::Sought> = self.schema.key_columns.iter().map(field_of).collect::<Result<_>>()?;
        let found = self.rows.get(|key| compare_key(key, &sought))?;
        Ok(found.map(|(node, i)| self.decode(&node, i)).transpose()?.map(|(row, _)| row))
    }

    /// The rows from the k-th on, counted from 0. Costs one walk from the root.
    pub fn rows_from_position(&self, position: u64) -> Result<Rows<'_>> {
        Ok(self.rows_from(self.rows.nth(position)?))
    }

    /// The row with this primary key, given in key order. `None`: there is none, or a value cannot be of that column.
    pub fn get(&self, primary_key: &[Value]) -> Result<Option<Row>> {
        let columns: Vec<_> =
            self.schema.key_columns.iter().filter_map(|k| self.schema.columns.get(usize::from(*k))).collect();
        if columns.len() != primary_key.len() {
            return Ok(None);
        }
        let sought: Option<Vec<_>> =
            columns.iter().zip(primary_key).map(|(c, v)| key::sought(c.encoding, v)).collect();
        let Some(sought) = sought else { return Ok(None) };
        let found = self.rows.get(|key| compare_key(key, &sought))?;
        Ok(found.map(|(node, i)| self.decode(&node, i)).transpose()?.map(|(row, _)| row))
    }

    /// The row at an entry of a leaf, and how often it counts.
    pub(super) fn decode(&self, node: &Node, i: usize) -> Result<(Row, u64)> {
        self.layout.decode(&self.snapshot, node, i)
    }

    pub(super) fn row_tree(&self) -> &Tree {
        &self.rows
    }

    fn rows_from<'t>(&'t self, cursor: crate::prolly::Cursor<'t>) -> Rows<'t> {
        Rows {
            layout: &self.layout,
            snapshot: &self.snapshot,
            cursor,
            again: None,
            direction: Direction::Forward,
        }
    }
}

fn compare_key(key: &[u8], sought: &[key::Sought]) -> Ordering {
    // A key that cannot be read is in no order; the row behind it then reports the damage when it is decoded.
    let Ok(tuple) = Tuple::parse(key) else { return Ordering::Less };
    for (i, (encoding, want)) in sought.iter().enumerate() {
        let field = tuple.field(i).unwrap_or_default();
        match super::value::compare(*encoding, field, want.as_deref()) {
            Ordering::Equal => {}
            other => return other,
        }
    }
    Ordering::Equal
}
