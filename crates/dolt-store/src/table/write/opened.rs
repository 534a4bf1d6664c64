//! A table being changed: its tree and those of its indexes, each opened when it is first needed, and always in step.

use std::rc::Rc;

use super::Violation;
use super::field::Field;
use super::row::{RowForm, addresses_in};
use super::tree::{Entry, TreeEdits, Undo};
use crate::chunk::Snapshot;
use crate::expr::{Generator, Rules};
use crate::prolly::{Edit, Shape, edit};
use crate::table::order::{KeyOrder, Sought};
use crate::table::tuple::Tuple;
use crate::table::{Index, Row, Schema, Table, Value};
use crate::{Error, Hash, Result};

/// A table and its trees.
pub(super) struct Opened {
    pub(super) table: Rc<Table>,
    pub(super) draft: Snapshot,
    rows: TreeEdits,
    // As in the schema.
    indexes: Vec<Option<TreeEdits>>,
    /// The expressions of its schema.
    pub(super) rules: Rules,
    // Virtual columns that an index holds, with what computes them.
    indexed: Vec<(usize, Generator)>,
    // What the statement under way has changed.
    log: Vec<(Which, Undo)>,
    puts: bool,
    /// Whether statements before it have added or changed rows.
    pub(super) has_put: bool,
    /// The next value of its auto increment, if it is to be stored anew.
    pub(super) next: Option<u64>,
}

/// A row as it is stored.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) key: Vec<u8>,
    pub(super) value: Vec<u8>,
    pub(super) fields: Vec<Field>,
}

/// Two rows that cannot both be.
pub(super) struct Clash {
    /// The unique index, by its position; none: the primary key.
    pub(super) index: Option<usize>,
    /// The key of the row that is there already.
    pub(super) key: Vec<u8>,
}

/// One of a table's trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Rows,
    Index(usize),
}

const EMPTY_TUPLE: [u8; 2] = [0, 0];

impl Opened {
    pub(super) fn new(table: Table, draft: &Snapshot) -> Result<Self> {
        let schema = table.schema();
        if table.artifact_root().is_some() {
            return Err(table.not_supported("writing a table with conflicts or violations"));
        }
        let rules = Rules::of(schema);
        let indexed = indexed_virtual(schema, &rules);
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
            let is_unknown = |c: &u16| indexed.iter().any(|(at, g)| *at == usize::from(*c) && !g.is_known());
            if index.columns.iter().any(is_unknown) {
                let what = format!("writing {}, an index of a virtual column,", index.name);
                return Err(table.not_supported(&what));
            }
        }
        let tree = table.row_tree()?.clone();
        let rows = TreeEdits::new(&table, tree, KeyOrder::of_rows(schema), "its rows")?;
        let indexes = schema.indexes.iter().map(|_| None).collect();
        Ok(Self {
            table: Rc::new(table),
            draft: draft.clone(),
            rows,
            indexes,
            rules,
            indexed,
            log: Vec::new(),
            puts: false,
            has_put: false,
            next: None,
        })
    }

    pub(super) fn schema(&self) -> &Schema {
        self.table.schema()
    }

    pub(super) fn form(&self) -> RowForm<'_> {
        RowForm { schema: self.table.schema(), draft: &self.draft }
    }

    pub(super) fn is_changed(&self) -> bool {
        self.rows.is_changed()
    }

    /// Whether foreign keys may act on its rows: Dolt computes no virtual columns then, and its indexes of them go wrong.
    pub(super) fn takes_actions(&self) -> Result<()> {
        match self.indexed.first() {
            Some(_) => Err(self
                .table
                .not_supported("the action of a foreign key on a table with an index of a virtual column")),
            None => Ok(()),
        }
    }

    /// One of its trees.
    pub(super) fn tree(&mut self, which: Which) -> Result<&mut TreeEdits> {
        let Which::Index(i) = which else { return Ok(&mut self.rows) };
        let (Some(index), Some(slot)) = (self.table.schema().indexes.get(i), self.indexes.get_mut(i)) else {
            return Err(self.table.not_supported("an index that its schema does not have"));
        };
        if slot.is_none() {
            let order = KeyOrder::of_index(self.table.schema(), index);
            let tree = self.table.index_tree(&index.name)?;
            let missing = || self.table.not_supported(&format!("index {} without a tree", index.name));
            let of = format!("index {}", index.name);
            *slot = Some(TreeEdits::new(&self.table, tree.ok_or_else(missing)?, order, &of)?);
        }
        slot.as_mut().ok_or_else(|| self.table.not_supported("an index that is not open"))
    }

    /// The row under this key of its tree.
    pub(super) fn find(&self, key: &[u8]) -> Result<Option<Stored>> {
        self.rows.get(key)?.map(|value| self.stored((key.to_vec(), value))).transpose()
    }

    /// All rows, pending ones included, in no order.
    pub(super) fn all(&self) -> Result<Vec<Entry>> {
        self.rows.all()
    }

    pub(super) fn stored(&self, (key, value): Entry) -> Result<Stored> {
        let mut fields = self.form().fields(&key, &value)?;
        if !self.indexed.is_empty() {
            let values = self.row(&fields)?.values;
            for (at, generator) in &self.indexed {
                let (Some(slot), Some(column)) = (fields.get_mut(*at), self.schema().columns.get(*at)) else {
                    continue;
                };
                let computed = values.get(generator.position()).filter(|v| **v != Value::NotStored);
                let field = computed.and_then(|value| super::encode::encode(column, value).ok());
                let unknown =
                    || self.table.not_supported(&format!("the value of column {} of a row", column.name));
                *slot = field.ok_or_else(unknown)?;
            }
        }
        Ok(Stored { key, value, fields })
    }

    /// A row as people see it.
    pub(super) fn row(&self, fields: &[Field]) -> Result<Row> {
        let value = |(i, column): (usize, &crate::table::Column)| match fields.get(i) {
            Some(_) if column.is_virtual => Ok(Value::NotStored),
            Some(field) => field.value(column.encoding, &self.draft),
            None => Ok(Value::Null),
        };
        let mut values = self.schema().visible().map(value).collect::<Result<Vec<_>>>()?;
        self.table.generate(&mut values);
        Ok(Row { values })
    }

    /// Adds a row. A clash: another one is in its way, and the statement has failed.
    pub(super) fn add(&mut self, fields: &[Field]) -> Result<Option<Clash>> {
        self.puts = true;
        if self.schema().is_keyless() {
            return self.add_keyless(fields);
        }
        let (key, value) = self.form().entry(fields, 1)?;
        if self.rows.get(&key)?.is_some() {
            return Ok(Some(Clash { index: None, key }));
        }
        let entries = self.index_keys(fields, &key)?;
        for (i, entry) in entries.iter().enumerate() {
            if let Some(clash) = self.clash(i, entry)? {
                return Ok(Some(clash));
            }
        }
        for (i, entry) in entries.into_iter().enumerate() {
            self.set(Which::Index(i), entry, Some(EMPTY_TUPLE.to_vec()))?;
        }
        self.set(Which::Rows, key, Some(value))?;
        Ok(None)
    }

    fn add_keyless(&mut self, fields: &[Field]) -> Result<Option<Clash>> {
        let (key, _) = self.form().entry(fields, 1)?;
        let entries = self.index_keys(fields, &key)?;
        for (i, entry) in entries.iter().enumerate() {
            if let Some(clash) = self.clash(i, entry)? {
                return Ok(Some(clash));
            }
        }
        let before = self.rows.get(&key)?;
        let times = before.as_deref().map_or(Ok(0), cardinality)?;
        if before.is_none() {
            for (i, entry) in entries.into_iter().enumerate() {
                self.set(Which::Index(i), entry, Some(EMPTY_TUPLE.to_vec()))?;
            }
        }
        let (key, value) = self.form().entry(fields, times.saturating_add(1))?;
        self.set(Which::Rows, key, Some(value))?;
        Ok(None)
    }

    /// Removes a row; of equal ones in a keyless table one.
    pub(super) fn remove(&mut self, row: &Stored) -> Result<()> {
        if self.schema().is_keyless() {
            let times = cardinality(&row.value)?;
            if let Some(left) = times.checked_sub(1).filter(|n| *n > 0) {
                let value = with_cardinality(&row.value, left);
                return self.set(Which::Rows, row.key.clone(), Some(value));
            }
        }
        for (i, entry) in self.index_keys(&row.fields, &row.key)?.into_iter().enumerate() {
            self.set(Which::Index(i), entry, None)?;
        }
        self.set(Which::Rows, row.key.clone(), None)
    }

    /// Replaces a row; of equal ones in a keyless table one.
    pub(super) fn replace(&mut self, row: &Stored, fields: &[Field]) -> Result<Option<Clash>> {
        self.puts = true;
        if self.schema().is_keyless() {
            self.remove(row)?;
            return self.add_keyless(fields);
        }
        let (key, value) = self.form().entry(fields, 1)?;
        let indexes = self.schema().indexes.len();
        for i in 0..indexes {
            let table = Rc::clone(&self.table);
            let Some(index) = table.schema().indexes.get(i) else { continue };
            // Most changes touch no indexed column: then the index is not even opened.
            let touched = |c: &u16| row.fields.get(usize::from(*c)) != fields.get(usize::from(*c));
            if !index.key_columns.iter().any(touched) {
                continue;
            }
            let before = self.form().index_key(index, &row.fields, &row.key)?;
            let after = self.form().index_key(index, fields, &key)?;
            if before == after {
                continue;
            }
            self.set(Which::Index(i), before, None)?;
            if let Some(clash) = self.clash(i, &after)? {
                return Ok(Some(clash));
            }
            self.set(Which::Index(i), after, Some(EMPTY_TUPLE.to_vec()))?;
        }
        if key != row.key {
            self.set(Which::Rows, row.key.clone(), None)?;
            if self.rows.get(&key)?.is_some() {
                return Ok(Some(Clash { index: None, key }));
            }
        }
        self.set(Which::Rows, key, Some(value))?;
        Ok(None)
    }

    fn set(&mut self, which: Which, key: Vec<u8>, value: Option<Vec<u8>>) -> Result<()> {
        let undo = self.tree(which)?.set(key, value);
        self.log.push((which, undo));
        Ok(())
    }

    /// Begins a statement: what was changed before stays.
    pub(super) fn keep(&mut self) {
        self.has_put |= std::mem::take(&mut self.puts);
        self.log.clear();
    }

    /// Takes back what the statement has changed.
    pub(super) fn take_back(&mut self) -> Result<()> {
        self.puts = false;
        std::mem::take(&mut self.log).into_iter().rev().try_for_each(|(which, undo)| {
            self.tree(which)?.undo(undo);
            Ok(())
        })
    }

    fn index_keys(&self, fields: &[Field], key: &[u8]) -> Result<Vec<Vec<u8>>> {
        let form = self.form();
        self.schema().indexes.iter().map(|index| form.index_key(index, fields, key)).collect()
    }

    // Whether an entry with the same indexed fields is there. NULL is like nothing, itself included.
    fn clash(&mut self, i: usize, entry: &[u8]) -> Result<Option<Clash>> {
        let table = Rc::clone(&self.table);
        let Some(index) = table.schema().indexes.get(i).filter(|index| index.unique) else { return Ok(None) };
        let tuple = Tuple::parse(entry).map_err(bad)?;
        let mut sought: Sought = Vec::with_capacity(index.columns.len());
        for field in 0..index.columns.len() {
            match tuple.field(field).map_err(bad)? {
                None => return Ok(None),
                field => sought.push(field.map(<[u8]>::to_vec)),
            }
        }
        let found = self.tree(Which::Index(i))?.first_with(&sought)?;
        let Some((entry, _)) = found else { return Ok(None) };
        Ok(Some(Clash { index: Some(i), key: row_key(table.schema(), index, &entry)? }))
    }

    /// The rows that have these values in the first fields of a tree.
    pub(super) fn rows_with(&mut self, which: Which, fields: &Sought) -> Result<Vec<Stored>> {
        let entries = self.tree(which)?.all_with(fields)?;
        let Which::Index(i) = which else {
            return entries.into_iter().map(|entry| self.stored(entry)).collect();
        };
        let table = Rc::clone(&self.table);
        let Some(index) = table.schema().indexes.get(i) else { return Ok(Vec::new()) };
        let mut found = Vec::with_capacity(entries.len());
        for (entry, _) in entries {
            found.extend(self.find(&row_key(table.schema(), index, &entry)?)?);
        }
        Ok(found)
    }

    /// A clash as a violation.
    pub(super) fn duplicate(&self, clash: &Clash, fields: &[Field]) -> Violation {
        let index = clash.index.and_then(|i| self.schema().indexes.get(i));
        match index {
            None => Violation::Duplicate { index: "PRIMARY".to_owned(), key: self.name_of(fields) },
            Some(index) => {
                let columns = index.columns.iter().map(|c| usize::from(*c));
                Violation::Duplicate { index: index.name.clone(), key: self.shown(columns, fields) }
            }
        }
    }

    /// How often a row counts: once, but for equal ones in a keyless table.
    pub(super) fn times(&self, row: &Stored) -> Result<u64> {
        if self.schema().is_keyless() { cardinality(&row.value) } else { Ok(1) }
    }

    /// Whether there is a row that has these values in the first fields of a tree.
    pub(super) fn has_with(&mut self, which: Which, fields: &Sought) -> Result<bool> {
        Ok(self.tree(which)?.first_with(fields)?.is_some())
    }

    /// Fields as people read a key.
    pub(super) fn shown(&self, columns: impl IntoIterator<Item = usize>, fields: &[Field]) -> String {
        let one = |i: usize| {
            let (column, field) = (self.schema().columns.get(i)?, fields.get(i)?);
            let value = field.value(column.encoding, &self.draft).ok()?;
            Some(value.to_text(column).unwrap_or_else(|| "NULL".to_owned()))
        };
        let parts: Vec<String> = columns.into_iter().map(|i| one(i).unwrap_or_default()).collect();
        parts.join(", ")
    }

    /// How people call a row: by its primary key, or by all that it has.
    pub(super) fn name_of(&self, fields: &[Field]) -> String {
        if self.schema().is_keyless() {
            let visible = self.schema().visible().filter(|(_, c)| !c.is_virtual);
            return self.shown(visible.map(|(i, _)| i), fields);
        }
        self.shown(self.schema().key_columns.iter().map(|c| usize::from(*c)), fields)
    }

    /// Edits the trees. Gives the address of the table's new message.
    pub(super) fn finish(self) -> Result<Hash> {
        let mut message = self.table.message()?;
        message.auto_increment = self.next.unwrap_or(message.auto_increment);
        let addresses = addresses_in(self.table.schema());
        let rows = self.rows.finish(&self.draft, &addresses)?;
        message.rows = self.draft.chunk(rows)?;
        let mut roots = Vec::new();
        for (index, open) in self.table.schema().indexes.iter().zip(self.indexes) {
            let Some(tree) = open.filter(TreeEdits::is_changed) else { continue };
            let root = tree.finish(&self.draft, &|_| Ok(Vec::new()))?;
            roots.push(Edit::put(index.name.clone().into_bytes(), root.as_bytes().to_vec()));
        }
        roots.sort_by(|a, b| a.key.cmp(&b.key));
        let indexes = edit(self.table.index_map(), Shape::ADDRESSES, &self.draft, roots)?;
        message.indexes = self.draft.chunk(indexes)?;
        self.draft.put(message.message())
    }
}

// The virtual columns that an index holds, by their position, with what computes them.
fn indexed_virtual(schema: &Schema, rules: &Rules) -> Vec<(usize, Generator)> {
    let is_indexed =
        |at: usize| schema.indexes.iter().any(|i| i.columns.iter().any(|c| usize::from(*c) == at));
    let is_virtual = |(at, c): &(usize, &crate::table::Column)| c.is_virtual && is_indexed(*at);
    let of = |g: &Generator| Some((schema.visible().nth(g.position()).filter(is_virtual)?.0, g.clone()));
    rules.generators().iter().filter_map(of).collect()
}

// The key of the row behind an entry of an index.
fn row_key(schema: &Schema, index: &Index, entry: &[u8]) -> Result<Vec<u8>> {
    let tuple = Tuple::parse(entry).map_err(bad)?;
    let columns = schema.entry_columns(index);
    let place = |key: &u16| columns.iter().position(|c| c == key);
    let mut fields = Vec::with_capacity(schema.key_columns.len());
    for at in schema.key_columns.iter().filter_map(place) {
        fields.push(tuple.field(at).map_err(bad)?.map(<[u8]>::to_vec));
    }
    super::row::tuple(&fields)
}

/// How often a keyless row counts.
pub(super) fn cardinality(value: &[u8]) -> Result<u64> {
    let field = Tuple::parse(value).and_then(|t| t.field(0)).map_err(bad)?;
    let bytes = field.and_then(|f| f.try_into().ok());
    bytes
        .map(u64::from_le_bytes)
        .ok_or_else(|| bad("a keyless row does not say how often it counts".to_owned()))
}

// The cardinality stands first.
fn with_cardinality(value: &[u8], times: u64) -> Vec<u8> {
    let mut value = value.to_vec();
    if let Some(place) = value.get_mut(..8) {
        place.copy_from_slice(&times.to_le_bytes());
    }
    value
}

fn bad(problem: String) -> Error {
    Error::BadChunk { hash: Hash::NONE, problem }
}
