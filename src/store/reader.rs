//! What both engines can be asked for: some columns of the rows of one table. Everything that is known about issues is read
//! through this, so the two engines cannot disagree about what a row means.

use std::collections::HashSet;
use std::rc::Rc;

use dolt_store::table::{Table, Value};

use super::StoreError;

/// Which rows.
#[derive(Debug, Clone, PartialEq)]
pub enum By<'a> {
    /// All.
    All,
    /// Those in which each of these columns has this value.
    Equal(&'a [(&'a str, Value)]),
    /// Those in which the column, a text, is one of these.
    In(&'a str, &'a [String]),
    /// Those in which the column, a text, begins with this.
    Prefix(&'a str, &'a str),
}

/// A question.
#[derive(Debug, Clone, PartialEq)]
pub struct Select<'a> {
    /// The table.
    pub table: &'a str,
    /// The columns, in the order of the answer.
    pub columns: &'a [&'a str],
    /// Which rows.
    pub by: By<'a>,
}

/// One state of a database: every question is answered from the same one.
pub trait Reader {
    /// Hands each row's values on, in no order that can be relied on. They may be taken out; what is left is not looked at.
    /// A table that is not there has no rows if it is local to a clone, see [`super::family::is_local`]; any other is an error.
    fn select(
        &self,
        question: &Select<'_>,
        each: &mut dyn FnMut(&mut Vec<Value>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// A table, if it is read from files and there.
    fn table(&self, _name: &str) -> Result<Option<Rc<Table>>, StoreError> {
        Ok(None)
    }

    /// The columns of a table's primary key, in order. None for a table that is not there.
    fn key_of(&self, table: &str) -> Result<Vec<String>, StoreError>;

    /// The tables behind it, if they are read from files: questions in SQL are put to these.
    fn tables(&self) -> Option<&dolt_store::table::Tables> {
        None
    }

    /// How many ids of a family's rows begin with this and have no dot behind it. With so many rows as `enough` is told at most,
    /// it may stop where `enough` says.
    fn count_roots(
        &self,
        table: &str,
        prefix: &str,
        _enough: &dyn Fn(u32) -> u32,
    ) -> Result<u32, StoreError> {
        Ok(roots_among(&self.texts(table, "id", By::Prefix("id", prefix))?, prefix))
    }

    /// The rows as a list.
    fn rows(&self, table: &str, columns: &[&str], by: By<'_>) -> Result<Vec<Vec<Value>>, StoreError> {
        let mut found = Vec::new();
        self.select(&Select { table, columns, by }, &mut |row| {
            found.push(std::mem::take(row));
            Ok(())
        })?;
        Ok(found)
    }

    /// The first column of the first row, as text. Nothing and NULL are the same.
    fn text(&self, table: &str, column: &str, by: By<'_>) -> Result<Option<String>, StoreError> {
        let rows = self.rows(table, &[column], by)?;
        Ok(rows.into_iter().next().and_then(|row| row.into_iter().next()).and_then(into_text))
    }

    /// The texts of a column.
    fn texts(&self, table: &str, column: &str, by: By<'_>) -> Result<Vec<String>, StoreError> {
        let mut found = Vec::new();
        self.select(&Select { table, columns: &[column], by }, &mut |row| {
            found.extend(row.drain(..).next().and_then(into_text));
            Ok(())
        })?;
        Ok(found)
    }
}

/// Whether an id begins so and has no dot behind it.
pub(super) fn is_root(id: &str, prefix: &str) -> bool {
    id.strip_prefix(prefix).is_some_and(|rest| !rest.contains('.'))
}

/// How many of these begin so and have no dot behind it.
pub(super) fn roots_among(ids: &[String], prefix: &str) -> u32 {
    let count = ids.iter().filter(|id| is_root(id, prefix)).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// What has to hold for some columns of a row. Both engines look again at the rows that they came to, so that the way there
/// decides nothing.
pub(super) struct Conditions<'a> {
    /// The columns.
    pub(super) columns: Vec<&'a str>,
    by: &'a By<'a>,
    among: HashSet<&'a str>,
}

impl<'a> Conditions<'a> {
    /// Those of a question.
    pub(super) fn of(by: &'a By<'a>) -> Self {
        let (columns, among) = match by {
            By::All => (Vec::new(), HashSet::new()),
            By::Equal(pairs) => (pairs.iter().map(|(column, _)| *column).collect(), HashSet::new()),
            By::In(column, texts) => (vec![*column], texts.iter().map(String::as_str).collect()),
            By::Prefix(column, _) => (vec![*column], HashSet::new()),
        };
        Self { columns, by, among }
    }

    /// Whether they hold, if these are the values of the columns.
    pub(super) fn hold<'v>(&self, value: impl Fn(usize) -> Option<&'v Value>) -> bool {
        let text = || match value(0) {
            Some(Value::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        match self.by {
            By::All => true,
            By::Equal(pairs) => pairs.iter().enumerate().all(|(i, (_, wanted))| value(i) == Some(wanted)),
            By::In(..) => text().is_some_and(|text| self.among.contains(text)),
            By::Prefix(_, prefix) => text().is_some_and(|text| text.starts_with(prefix)),
        }
    }
}

/// A value as text; NULL is none.
pub fn into_text(value: Value) -> Option<String> {
    match value {
        Value::Text(text) | Value::Json(text) | Value::Decimal(text) => Some(text),
        Value::Bytes(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Value::Int(n) => Some(n.to_string()),
        Value::Uint(n) => Some(n.to_string()),
        _ => None,
    }
}

/// A value as a number; NULL is none.
pub fn into_number(value: &Value) -> Option<i64> {
    match value {
        Value::Int(n) => Some(*n),
        Value::Uint(n) => i64::try_from(*n).ok(),
        Value::Text(text) => text.parse().ok(),
        _ => None,
    }
}

/// A value as a moment; NULL is none.
pub fn into_time(value: &Value) -> Option<jiff::Timestamp> {
    match value {
        Value::Datetime(micros) => jiff::Timestamp::from_microsecond(*micros).ok(),
        _ => None,
    }
}

/// A moment as a value of a column that keeps whole seconds, rounded as the database rounds.
pub fn of_time(time: jiff::Timestamp) -> Value {
    Value::Datetime(beads::when::round_to_second(time).as_microsecond())
}

/// A text as a value.
pub fn of_text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}
