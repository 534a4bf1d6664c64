//! Rows whose columns equal given values, as `WHERE a = … AND b = …` finds them: through the primary key, an index, or by
//! looking at all rows. Whatever the way, each row is checked against all conditions, so the way cannot change the answer.

use std::cmp::Ordering;

use super::collation::{Collation, Kind};
use super::literal::{Literal, literal};
use super::lookup::IndexReader;
use super::order::{KeyOrder, Sought};
use super::range::Bounds;
use super::render::is_vector;
use super::row::{Direction, Row, Rows};
use super::schema::{Column, Encoding, Index};
use super::tables::Table;
use super::value::Value;
use crate::{Error, Result};

/// A column and the value that it must have.
#[derive(Debug, Clone)]
pub struct Condition {
    // Positions in the schema and in a row.
    column: usize,
    visible: usize,
    wanted: Wanted,
}

#[derive(Debug, Clone)]
enum Wanted {
    // No value of the column is equal to it.
    Nothing,
    Value(Value),
    // Texts are equal that fold to this; the text itself if its bytes decide.
    Folded(String, Kind),
}

/// How rows were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundBy<'t> {
    /// By the primary key, or by its first columns.
    PrimaryKey,
    /// By a secondary index.
    Index(&'t str),
    /// By looking at all rows.
    Scan,
}

impl Table {
    /// A condition on a column by its name, with a value as people write it: `7`, `2026-02-28 10:00`, an enum's member, `0x00ff`
    /// for bytes.
    ///
    /// Equal is what SQL takes for equal: numbers by value, texts by the column's collation. Fails if there is no such
    /// column, if the text is nothing that the column could hold, or if this crate cannot compare the column.
    pub fn condition(&self, column: &str, text: &str) -> Result<Condition> {
        let visible = self.schema().visible().enumerate();
        let mut named = visible.filter(|(_, (_, c))| c.name.eq_ignore_ascii_case(column));
        let Some((visible, (position, column))) = named.next() else {
            return Err(Error::NoSuchColumn { table: self.name().to_owned(), column: column.to_owned() });
        };
        if let Some(problem) = incomparable(column) {
            return Err(self.not_supported(&format!("comparing {}: {problem}", column.name)));
        }
        let read = literal(column, text).ok_or_else(|| Error::NotAValue {
            column: column.name.clone(),
            sql_type: column.sql_type.clone(),
            text: text.to_owned(),
        })?;
        let wanted = match read {
            Literal::Never => Wanted::Nothing,
            Literal::Value(value) => wanted(column, value),
        };
        Ok(Condition { column: position, visible, wanted })
    }

    /// The rows for which all conditions hold, in key order.
    pub fn find(&self, conditions: &[Condition]) -> Result<Found<'_>> {
        let conditions = conditions.to_vec();
        let (by, candidates) = self.candidates(&conditions)?;
        Ok(Found { table: self, by, candidates, conditions })
    }

    /// The row with this primary key, if keys are not ordered by their bytes.
    pub(super) fn find_key(&self, values: &[Value]) -> Result<Option<Row>> {
        let mut conditions = Vec::new();
        for (position, value) in self.schema().key_columns.iter().zip(values) {
            let mut visible = self.schema().visible().enumerate();
            let of_key = visible.find(|(_, (at, _))| at == &usize::from(*position));
            let Some((visible, (column, of_key))) = of_key else { continue };
            if let Some(problem) = incomparable(of_key) {
                return Err(self.not_supported(&format!("a look-up by its primary key: {problem}")));
            }
            conditions.push(Condition { column, visible, wanted: wanted(of_key, value.clone()) });
        }
        self.find(&conditions)?.next().transpose()
    }

    // The rows among which those are that are sought.
    fn candidates(&self, conditions: &[Condition]) -> Result<(FoundBy<'_>, Candidates<'_>)> {
        if conditions.iter().any(|c| matches!(c.wanted, Wanted::Nothing)) {
            return Ok((FoundBy::PrimaryKey, Candidates::Keys(Vec::new().into_iter(), None)));
        }
        let by_key = fields(self.order(), &self.schema().key_columns, &[], conditions);
        let usable = |index: &&Index| self.is_usable(index);
        let by_index = |index: &'_ Index| {
            let order = KeyOrder::of_index(self.schema(), index);
            fields(&order, &index.columns, &index.prefix_lengths, conditions)
        };
        let indexes = self.schema().indexes.iter().filter(usable).map(|i| (i, by_index(i)));
        // The longest; of equal ones the first.
        let best = indexes.fold(None, |best: Option<(&Index, Sought)>, (index, fields)| match best {
            Some((_, ref longest)) if longest.len() >= fields.len() => best,
            _ => Some((index, fields)),
        });
        let is_whole_key = by_key.len() == self.schema().key_columns.len();
        match best {
            Some((index, fields)) if !is_whole_key && fields.len() > by_key.len() => {
                let reader: Option<IndexReader<'_>> = self.index(&index.name)?;
                let keys = reader.map(|r| r.keys_with(fields)).transpose()?.unwrap_or_default();
                Ok((FoundBy::Index(&index.name), Candidates::Keys(keys.into_iter(), None)))
            }
            _ if !by_key.is_empty() => {
                let rows = self.rows_within(Bounds::prefix(by_key), Direction::Forward)?;
                Ok((FoundBy::PrimaryKey, Candidates::Rows(rows)))
            }
            _ => Ok((FoundBy::Scan, Candidates::Rows(self.rows()?))),
        }
    }

    // Rows are found behind an index only through their whole primary key.
    fn is_usable(&self, index: &Index) -> bool {
        let cuts_a_key = index.columns.iter().zip(&index.prefix_lengths).any(|(c, length)| {
            *length > 0 && self.schema().columns.get(usize::from(*c)).is_some_and(|c| c.primary_key)
        });
        index.unsupported.is_none() && !cuts_a_key && self.order().problem().is_none()
    }
}

// The first fields of keys in this order that the conditions say.
fn fields(order: &KeyOrder, columns: &[u16], prefixes: &[u16], conditions: &[Condition]) -> Sought {
    let mut values = Sought::new();
    for (i, column) in columns.iter().enumerate().take(order.known()) {
        let of_column = conditions.iter().find(|c| c.column == usize::from(*column));
        let Some(bytes) = of_column.and_then(|c| order.field(i, &c.wanted.as_value()?)) else { break };
        values.push(Some(cut(bytes, prefixes.get(i).copied().unwrap_or(0))));
    }
    values
}

// An index on a prefix keeps so many bytes, and the end mark behind them.
fn cut(mut bytes: Vec<u8>, prefix: u16) -> Vec<u8> {
    let prefix = usize::from(prefix);
    if prefix > 0 && bytes.len().saturating_sub(1) > prefix {
        bytes.truncate(prefix);
        bytes.push(0);
    }
    bytes
}

// Why values of a column cannot be compared here.
fn incomparable(column: &Column) -> Option<String> {
    if column.is_virtual {
        return Some("it is virtual, its values are not stored".to_owned());
    }
    let collation = || {
        let collation = Collation::of(column);
        let problem = format!("its collation {} is not known", collation.name());
        collation.fold("").is_none().then_some(problem)
    };
    match column.encoding {
        Encoding::String
        | Encoding::StringAddr
        | Encoding::StringAdaptive
        | Encoding::Enum
        | Encoding::Set => collation(),
        Encoding::Json | Encoding::JsonAddr | Encoding::JsonAdaptive => Some("it is JSON".to_owned()),
        Encoding::Geometry | Encoding::GeomAddr | Encoding::GeomAdaptive => {
            Some("it is a geometry".to_owned())
        }
        _ if is_vector(column) => Some("it is a vector".to_owned()),
        Encoding::Null | Encoding::Cell | Encoding::Unknown(_) => {
            Some(format!("its type is {}", column.sql_type))
        }
        _ => None,
    }
}

fn wanted(column: &Column, value: Value) -> Wanted {
    let Value::Text(text) = &value else { return Wanted::Value(value) };
    let collation = Collation::of(column);
    if collation.is_bytewise() {
        return Wanted::Value(value);
    }
    collation
        .fold(text)
        .map_or(Wanted::Nothing, |folded| Wanted::Folded(folded.into_owned(), collation.kind()))
}

impl Wanted {
    // What a key can be sought by.
    fn as_value(&self) -> Option<Value> {
        match self {
            Self::Value(value) => Some(value.clone()),
            Self::Nothing | Self::Folded(..) => None,
        }
    }
}

impl Condition {
    fn holds(&self, row: &Row) -> bool {
        match (&self.wanted, row.values.get(self.visible)) {
            (Wanted::Value(wanted), Some(value)) => same(wanted, value),
            (Wanted::Folded(wanted, kind), Some(Value::Text(text))) => {
                kind.fold(text).is_some_and(|folded| folded == *wanted)
            }
            _ => false,
        }
    }
}

// Zero and minus zero are equal; no NULL is equal to anything.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Null, _) | (_, Value::Null) => false,
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b) == Some(Ordering::Equal),
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b) == Some(Ordering::Equal),
        _ => a == b,
    }
}

/// The rows that were found.
#[derive(Debug)]
pub struct Found<'t> {
    table: &'t Table,
    by: FoundBy<'t>,
    candidates: Candidates<'t>,
    conditions: Vec<Condition>,
}

#[derive(Debug)]
enum Candidates<'t> {
    Rows(Rows<'t>),
    // Primary keys, and the rows of the one before: one, except in a keyless table.
    Keys(std::vec::IntoIter<Sought>, Option<Rows<'t>>),
}

impl<'t> Found<'t> {
    /// How they are found.
    pub fn by(&self) -> FoundBy<'t> {
        self.by
    }

    fn candidate(&mut self) -> Result<Option<Row>> {
        loop {
            match &mut self.candidates {
                Candidates::Rows(rows) => return rows.next().transpose(),
                Candidates::Keys(keys, rows) => {
                    if let Some(row) = rows.as_mut().and_then(Iterator::next) {
                        return row.map(Some);
                    }
                    let Some(key) = keys.next() else { return Ok(None) };
                    *rows = Some(self.table.rows_within(Bounds::prefix(key), Direction::Forward)?);
                }
            }
        }
    }

    fn step(&mut self) -> Result<Option<Row>> {
        while let Some(row) = self.candidate()? {
            if self.conditions.iter().all(|c| c.holds(&row)) {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }
}

impl Iterator for Found<'_> {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}
