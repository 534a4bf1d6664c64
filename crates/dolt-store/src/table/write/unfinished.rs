//! A row on its way into a table: what was given, what is stored, and what neither says yet.

use std::cmp::Ordering;

use super::Violation;
use super::encode::encode;
use super::field::Field;
use super::json::canonical;
use crate::chunk::Snapshot;
use crate::table::{Collation, Column, Schema, Table, Value};
use crate::{Error, Result};

/// A row that is being made. Columns by their position in [`Schema::columns`].
pub(super) struct Unfinished<'r> {
    table: &'r Table,
    draft: &'r Snapshot,
    // The row as it is stored, if there is one.
    stored: Option<&'r [Field]>,
    given: Vec<Option<Value>>,
}

impl<'r> Unfinished<'r> {
    /// A row that is to be new, or to replace the one that is stored.
    pub(super) fn new(
        table: &'r Table,
        draft: &'r Snapshot,
        stored: Option<&'r [Field]>,
        given: Vec<Option<Value>>,
    ) -> Self {
        Self { table, draft, stored, given }
    }

    /// The table's schema.
    pub(super) fn schema(&self) -> &'r Schema {
        self.table.schema()
    }

    /// Whether a row is changed, and none added.
    pub(super) fn is_update(&self) -> bool {
        self.stored.is_some()
    }

    /// Whether somebody gave a value, or one was set.
    pub(super) fn is_given(&self, column: usize) -> bool {
        self.given.get(column).is_some_and(Option::is_some)
    }

    /// Whether this value was given, or set.
    pub(super) fn is_value(&self, column: usize, value: &Value) -> bool {
        self.given.get(column).is_some_and(|given| given.as_ref() == Some(value))
    }

    /// The value that the column is to have; `None`: nobody said yet, and none is stored.
    pub(super) fn value(&self, column: usize) -> Result<Option<Value>> {
        match self.given.get(column) {
            Some(Some(value)) => Ok(Some(value.clone())),
            _ => self.before(column),
        }
    }

    /// The value that is stored; `None`: there is no row, or the column is virtual.
    pub(super) fn before(&self, column: usize) -> Result<Option<Value>> {
        let (Some(stored), Some(spec)) = (self.stored, self.schema().columns.get(column)) else {
            return Ok(None);
        };
        if spec.is_virtual {
            return Ok(None);
        }
        stored.get(column).map(|field| field.value(spec.encoding, self.draft)).transpose()
    }

    /// Sets a value.
    pub(super) fn set(&mut self, column: usize, value: Value) {
        if let Some(slot) = self.given.get_mut(column) {
            *slot = Some(value);
        }
    }

    /// Whether a given value is another than the stored one, as SQL compares them: Dolt changes a row only then.
    pub(super) fn is_changed(&self) -> Result<bool> {
        let Some(stored) = self.stored else { return Ok(true) };
        let mut unknown = None;
        let columns = self.schema().columns.iter();
        for ((column, field), given) in columns.zip(stored).zip(&self.given) {
            let Some(value) = given.as_ref().filter(|_| !column.is_virtual) else { continue };
            match self.is_same(column, field, &self.encoded(column, value)?)? {
                Some(true) => {}
                Some(false) => return Ok(true),
                None => unknown = Some(column),
            }
        }
        unknown.map_or(Ok(false), |column| {
            let collation = Collation::of(column);
            let what = format!("comparing texts of {} by the collation {}", column.name, collation.name());
            Err(self.table.not_supported(&what))
        })
    }

    // `None`: nobody knows.
    fn is_same(&self, column: &Column, before: &Field, after: &Field) -> Result<Option<bool>> {
        let (before, after) = (before.content(self.draft)?, after.content(self.draft)?);
        if before == after || before.is_null() || after.is_null() {
            return Ok(Some(before == after));
        }
        let value = |field: &Field| field.value(column.encoding, self.draft);
        Ok(match (value(&before)?, value(&after)?) {
            (Value::Text(a), Value::Text(b)) => {
                let collation = Collation::of(column);
                collation.fold(&a).zip(collation.fold(&b)).map(|(a, b)| a == b)
            }
            (Value::Float(a), Value::Float(b)) => Some(a.partial_cmp(&b) == Some(Ordering::Equal)),
            (Value::Double(a), Value::Double(b)) => Some(a.partial_cmp(&b) == Some(Ordering::Equal)),
            (Value::Json(a), Value::Json(b)) => Some(canonical(&a).is_ok_and(|a| canonical(&b) == Ok(a))),
            _ => Some(false),
        })
    }

    /// The value as the column will hold it: with its own scale, rounded, its bytes filled up.
    pub(super) fn settled(&self, column: usize) -> Result<Option<Value>> {
        let (Some(value), Some(spec)) = (self.value(column)?, self.schema().columns.get(column)) else {
            return Ok(None);
        };
        if spec.is_virtual {
            return Ok(Some(value));
        }
        self.encoded(spec, &value)?.value(spec.encoding, self.draft).map(Some)
    }

    /// Whether the column can hold the value that it has so far; an error if it cannot.
    pub(super) fn fits(&self, column: usize) -> Result<()> {
        if let (Some(value), Some(spec)) = (self.value(column)?, self.schema().columns.get(column)) {
            self.encoded(spec, &value)?;
        }
        Ok(())
    }

    /// The table's name.
    pub(super) fn table(&self) -> &str {
        self.table.name()
    }

    /// An error that names the table.
    pub(super) fn violates(&self, violation: Violation) -> Error {
        violates(self.table, violation)
    }

    /// The row's fields. What nobody gave stays as it is stored.
    pub(super) fn fields(&self) -> Result<Vec<Field>> {
        let mut fields = Vec::with_capacity(self.given.len());
        for (i, (column, given)) in self.schema().columns.iter().zip(&self.given).enumerate() {
            let stored = self.stored.and_then(|s| s.get(i)).filter(|_| !column.is_virtual);
            let field = match (given, stored) {
                (Some(value), _) => self.encoded(column, value)?,
                (None, Some(stored)) => stored.clone(),
                (None, None) => Field::Null,
            };
            if field.is_null() && !column.nullable && !column.is_virtual && !column.hidden {
                return Err(self.violates(Violation::Null { column: column.name.clone() }));
            }
            fields.push(field);
        }
        Ok(fields)
    }

    /// The same error, with the primary key of this row if it is one about the row and the key is known.
    pub(super) fn named(&self, error: Error) -> Error {
        match error {
            Error::Violation { table, row: None, violation } => {
                Error::Violation { table, row: self.key_text(), violation }
            }
            other => other,
        }
    }

    // A table without a primary key has none.
    fn key_text(&self) -> Option<String> {
        let schema = self.schema();
        if schema.is_keyless() {
            return None;
        }
        let part = |position: &u16| {
            let column = schema.columns.get(usize::from(*position))?;
            self.value(usize::from(*position)).ok()??.to_text(column)
        };
        let parts = schema.key_columns.iter().map(part).collect::<Option<Vec<_>>>()?;
        Some(parts.join(", "))
    }

    fn encoded(&self, column: &Column, value: &Value) -> Result<Field> {
        if *value == Value::NotStored {
            return Ok(Field::Null);
        }
        encode(column, value)
            .map_err(|misfit| self.violates(Violation::Value { column: column.name.clone(), misfit }))
    }
}

/// An error that names the table.
pub(super) fn violates(table: &Table, violation: Violation) -> Error {
    Error::Violation { table: table.name().to_owned(), row: None, violation: Box::new(violation) }
}
