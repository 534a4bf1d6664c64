//! Changes to the rows of one table, with every index in step. They are collected, so that each tree is edited once; what is
//! asked meanwhile sees them.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::encode::{Field, Misfit, encode};
use super::row::{RowWriter, addresses_in};
use crate::chunk::Snapshot;
use crate::message::NodeKind;
use crate::prolly::{Edit, Shape, Tree, edit};
use crate::table::order::KeyOrder;
use crate::table::tuple::Tuple;
use crate::table::{Index, Row, Table, Value};
use crate::{Error, Hash, Result};

/// What a row must be like, and is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// A column that must have a value has none.
    #[error("column {column} cannot be NULL")]
    Null {
        /// The column.
        column: String,
    },
    /// A value cannot be in its column.
    #[error("a value does not fit into column {column}: {misfit}")]
    Value {
        /// The column.
        column: String,
        /// Why not.
        misfit: Misfit,
    },
    /// A row has so many values, the table so many columns.
    #[error("{given} values for {columns} columns")]
    Columns {
        /// How many values came.
        given: usize,
        /// How many columns there are.
        columns: usize,
    },
    /// Another row has the same key.
    #[error("another row has the same {index}")]
    Duplicate {
        /// The unique index; `PRIMARY` for the primary key.
        index: String,
    },
    /// The row that is to be changed is not there.
    #[error("there is no such row")]
    NoRow,
}

/// Rows being changed.
pub struct Editor<'t> {
    table: &'t Table,
    draft: &'t Snapshot,
    rows: Pending,
    indexes: Vec<(&'t Index, Tree, Pending)>,
    writer: RowWriter<'t>,
}

// Entries that were changed, by key in the tree's order. No value: the entry is to go.
struct Pending {
    order: Rc<KeyOrder>,
    entries: BTreeMap<Key, Option<Vec<u8>>>,
}

// A key that knows its order.
struct Key {
    bytes: Vec<u8>,
    order: Rc<KeyOrder>,
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order.compare_keys(&self.bytes, &other.bytes)
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Key {}

impl Pending {
    fn new(table: &Table, order: KeyOrder, of: &str) -> Result<Self> {
        match order.problem() {
            None => Ok(Self { order: Rc::new(order), entries: BTreeMap::new() }),
            Some(problem) => Err(table.not_supported(&format!("writing {of}: {problem}"))),
        }
    }

    fn key(&self, bytes: Vec<u8>) -> Key {
        Key { bytes, order: Rc::clone(&self.order) }
    }

    fn set(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        let key = self.key(key);
        self.entries.insert(key, value);
    }

    fn get(&self, tree: &Tree, key: &[u8]) -> Result<Option<Vec<u8>>> {
        if let Some(value) = self.entries.get(&self.key(key.to_vec())) {
            return Ok(value.clone());
        }
        let found = tree.get(|k| self.order.compare_keys(k, key))?;
        Ok(found.map(|(node, i)| node.value(i).to_vec()))
    }

    fn edits(self) -> Vec<Edit> {
        let one = |(key, value): (Key, Option<Vec<u8>>)| match value {
            Some(value) => Edit::put(key.bytes, value),
            None => Edit::delete(key.bytes),
        };
        self.entries.into_iter().map(one).collect()
    }
}

impl<'t> Editor<'t> {
    /// Begins to change a table of a draft.
    pub(crate) fn new(table: &'t Table, draft: &'t Snapshot) -> Result<Self> {
        let schema = table.schema();
        if table.artifact_root().is_some() {
            return Err(table.not_supported("writing a table with conflicts or violations"));
        }
        let mut indexes = Vec::new();
        for index in &schema.indexes {
            if let Some(kind) = index.unsupported {
                return Err(table.not_supported(&format!("writing {}, a {kind},", index.name)));
            }
            // Rows whose keys begin alike share an entry there, and Dolt loses the one that stays with the one that goes.
            let is_cut = |(column, length): (&u16, &u16)| {
                *length > 0 && schema.columns.get(usize::from(*column)).is_some_and(|c| c.primary_key)
            };
            if index.columns.iter().zip(&index.prefix_lengths).any(is_cut) {
                let what = format!("writing index {} on a prefix of the primary key", index.name);
                return Err(table.not_supported(&what));
            }
            let order = KeyOrder::of_index(schema, index);
            let pending = Pending::new(table, order, &format!("index {}", index.name))?;
            let tree = table.index_tree(&index.name)?;
            let tree =
                tree.ok_or_else(|| table.not_supported(&format!("index {} without a tree", index.name)))?;
            indexes.push((index, tree, pending));
        }
        let rows = Pending::new(table, KeyOrder::of_rows(schema), "its rows")?;
        Ok(Self { table, draft, rows, indexes, writer: RowWriter::new(schema, draft) })
    }

    /// Adds a row: a value for each visible column.
    pub fn insert(&mut self, values: &[Value]) -> Result<()> {
        let fields = self.fields(values)?;
        let (key, value) = self.writer.entry(&fields, 1)?;
        let before = self.rows.get(self.table.row_tree()?, &key)?;
        if self.table.schema().is_keyless() {
            let times = before.as_deref().map_or(Ok(0), cardinality)?;
            return self.count_keyless(&fields, key, times, times.saturating_add(1));
        }
        if before.is_some() {
            return self.violates(Violation::Duplicate { index: "PRIMARY".to_owned() });
        }
        self.index(&fields, &key)?;
        self.rows.set(key, Some(value));
        Ok(())
    }

    /// Removes a row: the values of its visible columns, as it was read. Of a keyless table one of the equal ones.
    pub fn delete(&mut self, row: &Row) -> Result<()> {
        let fields = self.fields(&row.values)?;
        let (key, _) = self.writer.entry(&fields, 1)?;
        let Some(before) = self.rows.get(self.table.row_tree()?, &key)? else {
            return self.violates(Violation::NoRow);
        };
        if self.table.schema().is_keyless() {
            let times = cardinality(&before)?;
            return self.count_keyless(&fields, key, times, times.saturating_sub(1));
        }
        self.unindex(&fields, &key)?;
        self.rows.set(key, None);
        Ok(())
    }

    /// Changes a row: how it was read, and how it is to be.
    pub fn update(&mut self, before: &Row, values: &[Value]) -> Result<()> {
        // Checked first: a row that cannot be must not cost the one that is.
        self.fields(values)?;
        self.delete(before)?;
        match self.insert(values) {
            Ok(()) => Ok(()),
            Err(problem) => {
                self.insert(&before.values)?;
                Err(problem)
            }
        }
    }

    fn count_keyless(&mut self, fields: &[Field], key: Vec<u8>, before: u64, after: u64) -> Result<()> {
        match (before, after) {
            (0, _) => self.index(fields, &key)?,
            (_, 0) => self.unindex(fields, &key)?,
            // An equal row is another row to a unique index.
            (times, after) if after > times => drop(self.index_entries(fields, &key)?),
            _ => {}
        }
        let value = if after == 0 { None } else { Some(self.writer.entry(fields, after)?.1) };
        self.rows.set(key, value);
        Ok(())
    }

    fn fields(&self, values: &[Value]) -> Result<Vec<Field>> {
        let schema = self.table.schema();
        let columns = schema.visible().count();
        if values.len() != columns {
            return self.violates(Violation::Columns { given: values.len(), columns });
        }
        let mut fields = vec![Field::Null; schema.columns.len()];
        for ((position, column), value) in schema.visible().zip(values) {
            if column.is_virtual {
                continue;
            }
            if *value == Value::Null && !column.nullable {
                return self.violates(Violation::Null { column: column.name.clone() });
            }
            let field = encode(column, value)
                .or_else(|misfit| self.violates(Violation::Value { column: column.name.clone(), misfit }))?;
            if let Some(place) = fields.get_mut(position) {
                *place = field;
            }
        }
        Ok(fields)
    }

    fn index(&mut self, fields: &[Field], key: &[u8]) -> Result<()> {
        let keys = self.index_entries(fields, key)?;
        for ((_, _, pending), entry) in self.indexes.iter_mut().zip(keys) {
            pending.set(entry, Some(EMPTY_TUPLE.to_vec()));
        }
        Ok(())
    }

    // The entry of each index, if no unique one has it.
    fn index_entries(&self, fields: &[Field], key: &[u8]) -> Result<Vec<Vec<u8>>> {
        let mut keys = Vec::with_capacity(self.indexes.len());
        for (index, tree, pending) in &self.indexes {
            let entry = self.writer.index_key(index, fields, key)?;
            if index.unique && clashes(index, tree, pending, &entry)? {
                return self.violates(Violation::Duplicate { index: index.name.clone() });
            }
            keys.push(entry);
        }
        Ok(keys)
    }

    fn unindex(&mut self, fields: &[Field], key: &[u8]) -> Result<()> {
        for (index, _, pending) in &mut self.indexes {
            let entry = self.writer.index_key(index, fields, key)?;
            pending.set(entry, None);
        }
        Ok(())
    }

    fn violates<T>(&self, violation: Violation) -> Result<T> {
        Err(Error::Violation { table: self.table.name().to_owned(), violation })
    }

    /// Edits the trees, and gives the address of the table's new message in the draft.
    pub(crate) fn finish(self) -> Result<Hash> {
        let mut message = self.table.message()?;
        let addresses = addresses_in(self.table.schema());
        let order = Rc::clone(&self.rows.order);
        let compare = |a: &[u8], b: &[u8]| order.compare_keys(a, b);
        let shape = Shape { kind: NodeKind::Map, compare: &compare, addresses_in: &addresses };
        let rows = edit(self.table.row_tree()?, shape, self.draft, self.rows.edits())?;
        message.rows = self.draft.chunk(rows)?;
        let mut roots = Vec::new();
        for (index, tree, pending) in self.indexes {
            let order = Rc::clone(&pending.order);
            let compare = |a: &[u8], b: &[u8]| order.compare_keys(a, b);
            let shape = Shape { kind: NodeKind::Map, compare: &compare, addresses_in: &|_| Ok(Vec::new()) };
            let root = edit(&tree, shape, self.draft, pending.edits())?;
            roots.push(Edit::put(index.name.clone().into_bytes(), root.as_bytes().to_vec()));
        }
        roots.sort_by(|a, b| a.key.cmp(&b.key));
        let indexes = edit(self.table.index_map(), Shape::ADDRESSES, self.draft, roots)?;
        message.indexes = self.draft.chunk(indexes)?;
        self.draft.put(message.message())
    }
}

const EMPTY_TUPLE: [u8; 2] = [0, 0];

// How often a keyless row counts.
fn cardinality(value: &[u8]) -> Result<u64> {
    let bad = |problem: String| Error::BadChunk { hash: Hash::NONE, problem };
    let field = Tuple::parse(value).and_then(|t| t.field(0)).map_err(bad)?;
    let bytes = field.and_then(|f| f.try_into().ok());
    bytes
        .map(u64::from_le_bytes)
        .ok_or_else(|| bad("a keyless row does not say how often it counts".to_owned()))
}

// Whether an entry with the same indexed fields is there. NULL is like nothing, itself included.
fn clashes(index: &Index, tree: &Tree, pending: &Pending, entry: &[u8]) -> Result<bool> {
    let bad = |problem: String| Error::BadChunk { hash: Hash::NONE, problem };
    let tuple = Tuple::parse(entry).map_err(bad)?;
    let count = index.columns.len();
    let mut sought = Vec::with_capacity(count);
    for i in 0..count {
        match tuple.field(i).map_err(bad)? {
            None => return Ok(false),
            field => sought.push(field.map(<[u8]>::to_vec)),
        }
    }
    let is_same = |key: &[u8]| pending.order.compare(key, &sought) == Ordering::Equal;
    // Of what was changed here: the entries next to the sought one.
    let own = pending.key(entry.to_vec());
    let near = |mut found: Box<dyn Iterator<Item = (&Key, &Option<Vec<u8>>)> + '_>| {
        found.by_ref().take_while(|(key, _)| is_same(&key.bytes)).any(|(_, value)| value.is_some())
    };
    if near(Box::new(pending.entries.range(&own..))) || near(Box::new(pending.entries.range(..&own).rev())) {
        return Ok(true);
    }
    let mut cursor = tree.seek(|key| pending.order.compare(key, &sought))?;
    while let Some((node, i)) = cursor.entry().filter(|(node, i)| is_same(node.key(*i))) {
        let is_going = pending.entries.get(&pending.key(node.key(i).to_vec())).is_some_and(Option::is_none);
        if !is_going {
            return Ok(true);
        }
        cursor.advance()?;
    }
    Ok(false)
}
