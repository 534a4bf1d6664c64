//! One table being changed: rows by the names of their columns, by their primary key, or as they were read.

use std::rc::Rc;

use super::cascade::tree_of;
use super::field::Field;
use super::opened::Stored;
use super::plan::Kind;
use super::resolve::Old;
use super::{RootEditor, Violation};
use crate::table::{Collation, Row, Schema, Value};
use crate::{Error, Result};

/// A table being changed. Values that a caller gives come by the name of their column, case aside; of two for the same
/// column the last one counts.
pub struct TableEditor<'e, 'd> {
    root: &'e mut RootEditor<'d>,
    at: usize,
}

impl<'e, 'd> TableEditor<'e, 'd> {
    pub(super) fn new(root: &'e mut RootEditor<'d>, at: usize) -> Self {
        Self { root, at }
    }

    /// Its schema.
    pub fn schema(&self) -> Result<&Schema> {
        Ok(self.root.at(self.at)?.schema())
    }

    /// The row with this primary key, as it is by now.
    pub fn get(&self, key: &[Value]) -> Result<Option<Row>> {
        let opened = self.root.at(self.at)?;
        self.find(key)?.map(|stored| opened.row(&stored.fields)).transpose()
    }

    /// The rows in which these columns have these values, as they are by now, in no order: through the primary key or an index
    /// that begins with them, or else by looking at all rows. Equal is what is stored alike; columns whose collation takes
    /// more for equal are refused, and so are documents.
    pub fn find_by<N: AsRef<str>>(
        &mut self,
        values: impl IntoIterator<Item = (N, Value)>,
    ) -> Result<Vec<Row>> {
        let given = self.given(values)?;
        let opened = self.root.at_mut(self.at)?;
        let table = Rc::clone(&opened.table);
        let mut sought = Vec::new();
        for (i, (column, value)) in table.schema().columns.iter().zip(&given).enumerate() {
            let Some(value) = value else { continue };
            let is_text = matches!(value, Value::Text(_)) && !Collation::of(column).is_bytewise();
            if is_text || column.is_virtual || matches!(value, Value::Json(_) | Value::Geometry(_)) {
                return Err(table.not_supported(&format!("comparing values of {}", column.name)));
            }
            // What cannot be in the column is in no row.
            let Ok(field) = super::encode::encode(column, value) else { return Ok(Vec::new()) };
            sought.push((i, field));
        }
        let columns: Vec<usize> = sought.iter().map(|(i, _)| *i).collect();
        let stored = match tree_of(opened, &columns) {
            Some((which, order)) => {
                let key = |at: &usize| match sought.get(*at) {
                    Some((_, field)) => opened.form().key_field(field, 0),
                    None => Ok(None),
                };
                let key: Vec<_> = order.iter().map(key).collect::<Result<_>>()?;
                opened.rows_with(which, &key)?
            }
            None => opened.all()?.into_iter().map(|entry| opened.stored(entry)).collect::<Result<_>>()?,
        };
        let mut found = Vec::new();
        for row in stored {
            let mut is_found = true;
            for (i, field) in &sought {
                let stored = row.fields.get(*i).map(|f| f.content(&opened.draft)).transpose()?;
                is_found &= stored.as_ref() == Some(field);
            }
            if is_found {
                for _ in 0..opened.times(&row)? {
                    found.push(opened.row(&row.fields)?);
                }
            }
        }
        Ok(found)
    }

    /// Adds a row. Gives its primary key; nothing for a table without one.
    pub fn insert<N: AsRef<str>>(
        &mut self,
        values: impl IntoIterator<Item = (N, Value)>,
    ) -> Result<Vec<Value>> {
        let given = self.given(values)?;
        self.add(given)
    }

    /// Adds a row by a value for each visible column. Those of virtual columns are not looked at.
    pub fn insert_row(&mut self, values: &[Value]) -> Result<Vec<Value>> {
        let given = self.given_row(values)?;
        self.add(given)
    }

    /// Changes some values of the row with this primary key. Says whether that made it another.
    pub fn update<N: AsRef<str>>(
        &mut self,
        key: &[Value],
        values: impl IntoIterator<Item = (N, Value)>,
    ) -> Result<bool> {
        let given = self.given(values)?;
        let stored = self.find(key)?;
        self.change(stored, key, given)
    }

    /// Changes a row as it was read to one of these values. Of a keyless table one of the equal ones. Values that stay the
    /// same stay as they are stored.
    pub fn update_row(&mut self, row: &Row, values: &[Value]) -> Result<bool> {
        let mut given = self.given_row(values)?;
        for ((position, _), (before, after)) in self.schema()?.visible().zip(row.values.iter().zip(values)) {
            if before == after
                && let Some(slot) = given.get_mut(position)
            {
                *slot = None;
            }
        }
        let stored = self.find_row(row)?;
        self.change(stored, &row.values, given)
    }

    /// Removes the row with this primary key.
    pub fn delete(&mut self, key: &[Value]) -> Result<()> {
        let stored = self.find(key)?;
        self.remove(stored, key)
    }

    /// Removes a row as it was read. Of a keyless table one of the equal ones.
    pub fn delete_row(&mut self, row: &Row) -> Result<()> {
        let stored = self.find_row(row)?;
        self.remove(stored, &row.values)
    }

    /// Adds a row, or if there is one with the same key, in the primary key or in a unique index, changes that one: what
    /// `INSERT … ON DUPLICATE KEY UPDATE` does. If several are in the way, the primary key comes first, then the indexes by
    /// their order. Says whether the row is new.
    pub fn upsert<N: AsRef<str>, M: AsRef<str>>(
        &mut self,
        values: impl IntoIterator<Item = (N, Value)>,
        otherwise: impl IntoIterator<Item = (M, Value)>,
    ) -> Result<bool> {
        let (given, otherwise) = (self.given(values)?, self.given(otherwise)?);
        let at = self.at;
        self.root.resolve(at, Kind::Update, Old::Checked)?;
        self.root.statement(|root| {
            let row = root.complete(at, None, given)?;
            let Some(clash) = root.insert(at, &row.fields)? else { return Ok(true) };
            let stored = root.at(at)?.find(&clash.key)?;
            let Some(stored) = stored else { return Err(root.duplicate(at, &clash, &row.fields)?) };
            let row = root.complete(at, Some(&stored), otherwise)?;
            if row.is_changed {
                root.update(at, &stored, &row.fields)?;
            }
            Ok(false)
        })
    }

    /// Adds a row after it has removed all that are in its way: what `REPLACE` does. Says how many went.
    pub fn replace<N: AsRef<str>>(&mut self, values: impl IntoIterator<Item = (N, Value)>) -> Result<usize> {
        let given = self.given(values)?;
        let at = self.at;
        self.root.resolve(at, Kind::Update, Old::Checked)?;
        self.root.statement(|root| {
            let row = root.complete(at, None, given)?;
            let mut gone = 0usize;
            while let Some(clash) = root.insert(at, &row.fields)? {
                let stored = root.at(at)?.find(&clash.key)?;
                let Some(stored) = stored else { return Err(root.duplicate(at, &clash, &row.fields)?) };
                root.delete(at, &stored, Kind::Update)?;
                gone = gone.saturating_add(1);
            }
            Ok(gone)
        })
    }

    fn add(&mut self, given: Vec<Option<Value>>) -> Result<Vec<Value>> {
        let at = self.at;
        self.root.resolve(at, Kind::Insert, Old::Checked)?;
        self.root.statement(|root| {
            let row = root.complete(at, None, given)?;
            match root.insert(at, &row.fields)? {
                None => key_values(root, at, &row.fields),
                Some(clash) => Err(root.duplicate(at, &clash, &row.fields)?),
            }
        })
    }

    fn change(&mut self, stored: Option<Stored>, key: &[Value], given: Vec<Option<Value>>) -> Result<bool> {
        let at = self.at;
        self.root.resolve(at, Kind::Update, Old::Unchecked)?;
        let Some(stored) = stored else { return Err(self.no_row(key)?) };
        self.root.statement(|root| {
            let row = root.complete(at, Some(&stored), given)?;
            if row.is_changed {
                root.update(at, &stored, &row.fields)?;
            }
            Ok(row.is_changed)
        })
    }

    fn remove(&mut self, stored: Option<Stored>, key: &[Value]) -> Result<()> {
        let at = self.at;
        self.root.resolve(at, Kind::Delete, Old::Unchecked)?;
        let Some(stored) = stored else { return Err(self.no_row(key)?) };
        self.root.statement(|root| root.delete(at, &stored, Kind::Delete))
    }

    // Values by the position of their column.
    fn given<N: AsRef<str>>(
        &self,
        values: impl IntoIterator<Item = (N, Value)>,
    ) -> Result<Vec<Option<Value>>> {
        let table = &self.root.at(self.at)?.table;
        let mut given = vec![None; table.schema().columns.len()];
        for (name, value) in values {
            let unknown =
                || Error::NoSuchColumn { table: table.name().to_owned(), column: name.as_ref().to_owned() };
            let position = table.schema().position(name.as_ref()).ok_or_else(unknown)?;
            if let Some(slot) = given.get_mut(position) {
                *slot = Some(value);
            }
        }
        Ok(given)
    }

    fn given_row(&self, values: &[Value]) -> Result<Vec<Option<Value>>> {
        let schema = self.schema()?;
        let columns = schema.visible().count();
        if values.len() != columns {
            return Err(self.root.violates(self.at, Violation::Columns { given: values.len(), columns })?);
        }
        let mut given = vec![None; schema.columns.len()];
        for ((position, column), value) in schema.visible().zip(values) {
            if let Some(slot) = given.get_mut(position).filter(|_| !column.is_virtual) {
                *slot = Some(value.clone());
            }
        }
        Ok(given)
    }

    fn find(&self, key: &[Value]) -> Result<Option<Stored>> {
        let opened = self.root.at(self.at)?;
        let columns = &opened.schema().key_columns;
        let problem = match (opened.schema().is_keyless(), columns.len() == key.len()) {
            (true, _) => "it has no primary key".to_owned(),
            (_, false) => format!("the key has {} columns, {} values were given", columns.len(), key.len()),
            (_, true) => String::new(),
        };
        if !problem.is_empty() {
            return Err(Error::NotAKey { table: opened.table.name().to_owned(), problem });
        }
        let mut fields = vec![Field::Null; opened.schema().columns.len()];
        for (position, value) in columns.iter().zip(key) {
            let position = usize::from(*position);
            let (Some(column), Some(slot)) =
                (opened.schema().columns.get(position), fields.get_mut(position))
            else {
                continue;
            };
            // What cannot be in the column is in no row.
            let Ok(field) = super::encode::encode(column, value) else { return Ok(None) };
            *slot = field;
        }
        opened.find(&opened.form().key(&fields)?)
    }

    // The row that is stored as this one was read.
    fn find_row(&self, row: &Row) -> Result<Option<Stored>> {
        let opened = self.root.at(self.at)?;
        let is_same = |stored: &Stored| Ok::<_, Error>(opened.row(&stored.fields)? == *row);
        if !opened.schema().is_keyless() {
            let columns = opened.schema().key_columns.iter().map(|c| usize::from(*c));
            let visible: Vec<usize> = opened.schema().visible().map(|(i, _)| i).collect();
            let value = |c| Some(row.values.get(visible.iter().position(|v| *v == c)?)?.clone());
            let key: Vec<Value> = columns.filter_map(value).collect();
            return match self.find(&key)? {
                Some(stored) if is_same(&stored)? => Ok(Some(stored)),
                _ => Ok(None),
            };
        }
        // Its key is a hash of how it is stored. Mostly that is how we would store it.
        let mut fields = vec![Field::Null; opened.schema().columns.len()];
        for ((position, column), value) in opened.schema().visible().zip(&row.values) {
            let (Ok(field), Some(slot)) = (super::encode::encode(column, value), fields.get_mut(position))
            else {
                return Ok(None);
            };
            *slot = field;
        }
        let (key, _) = opened.form().entry(&fields, 1)?;
        if let Some(stored) = opened.find(&key)? {
            return Ok(Some(stored));
        }
        for entry in opened.all()? {
            let stored = opened.stored(entry)?;
            if is_same(&stored)? {
                return Ok(Some(stored));
            }
        }
        Ok(None)
    }

    fn no_row(&self, key: &[Value]) -> Result<Error> {
        let schema = self.schema()?;
        let is_key = key.len() == schema.key_columns.len() && !schema.is_keyless();
        let columns: Vec<_> = if is_key {
            schema.key_columns.iter().filter_map(|c| schema.columns.get(usize::from(*c))).collect()
        } else {
            schema.visible().map(|(_, c)| c).collect()
        };
        let parts = columns.iter().zip(key).map(|(c, v)| v.to_text(c).unwrap_or_else(|| "NULL".to_owned()));
        let key = parts.collect::<Vec<_>>().join(", ");
        self.root.violates(self.at, Violation::NoRow { key })
    }
}

// The primary key of a row that was added.
fn key_values(root: &RootEditor<'_>, at: usize, fields: &[Field]) -> Result<Vec<Value>> {
    let opened = root.at(at)?;
    if opened.schema().is_keyless() {
        return Ok(Vec::new());
    }
    let value = |c: &u16| {
        let (column, field) = (opened.schema().columns.get(usize::from(*c))?, fields.get(usize::from(*c))?);
        Some(field.value(column.encoding, &opened.draft))
    };
    opened.schema().key_columns.iter().filter_map(value).collect()
}
