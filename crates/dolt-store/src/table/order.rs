//! The order of keys, field by field, and what is sought in it.

use std::cmp::Ordering;

use super::collation::Collation;
use super::key::encode;
use super::schema::{Column, Encoding, Index, Schema};
use super::sort_key;
use super::tuple::Tuple;
use super::value::{self, Value};

/// How one field of a key is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    /// By the value that is stored in this way.
    Plain(Encoding),
    /// By characters. That is the order of the bytes, except where an index on a prefix cut a character: Dolt takes each
    /// byte of the rest for a replacement character.
    Text(Encoding),
}

/// The order of a tree's keys as far as it is known, from the first field on.
#[derive(Debug, Clone)]
pub(super) struct KeyOrder {
    fields: Vec<Field>,
    // What stands in the way of knowing more.
    then: Option<String>,
}

/// The first fields of a key that is sought. No bytes: NULL.
pub(super) type Sought = Vec<Option<Vec<u8>>>;

impl KeyOrder {
    /// The order of a table's rows.
    pub(super) fn of_rows(schema: &Schema) -> Self {
        Self::of(schema, &schema.key_columns, |_, _| false)
    }

    /// The order of an index's entries.
    pub(super) fn of_index(schema: &Schema, index: &Index) -> Self {
        // A long column without a prefix is stored as in its row, and versions of Dolt order it differently.
        let is_prefix = |i: usize| index.prefix_lengths.get(i).is_some_and(|l| *l > 0);
        Self::of(schema, &schema.entry_columns(index), |i, column| !column.primary_key && !is_prefix(i))
    }

    fn of(schema: &Schema, columns: &[u16], is_whole: impl Fn(usize, &Column) -> bool) -> Self {
        let mut order = Self { fields: Vec::new(), then: None };
        for (i, position) in columns.iter().enumerate() {
            let Some(column) = schema.columns.get(usize::from(*position)) else { break };
            match field(column, is_whole(i, column)) {
                Ok(field) => order.fields.push(field),
                Err(problem) => {
                    order.then = Some(problem);
                    break;
                }
            }
        }
        order
    }

    /// The order of keys of 32-bit numbers.
    #[cfg(test)]
    pub(super) fn of_numbers(fields: usize) -> Self {
        Self { fields: vec![Field::Plain(Encoding::Int32); fields], then: None }
    }

    /// The order of keys of one text.
    #[cfg(test)]
    pub(super) fn of_texts() -> Self {
        Self { fields: vec![Field::Text(Encoding::String)], then: None }
    }

    /// Why the order of all fields is not known; `None`: it is.
    pub(super) fn problem(&self) -> Option<&str> {
        self.then.as_deref()
    }

    /// How many fields it knows.
    pub(super) fn known(&self) -> usize {
        self.fields.len()
    }

    /// Values as the first fields of a key. `None`: one of them cannot be of its column.
    pub(super) fn sought(&self, values: &[Value]) -> Option<Sought> {
        let one = |(i, value): (usize, &Value)| {
            if *value == Value::Null { Some(None) } else { self.field(i, value).map(Some) }
        };
        values.iter().enumerate().map(one).collect()
    }

    /// A value as the bytes of a field. `None`: it cannot be of that column.
    pub(super) fn field(&self, i: usize, value: &Value) -> Option<Vec<u8>> {
        let (Field::Plain(encoding) | Field::Text(encoding)) = self.fields.get(i)?;
        encode(*encoding, value)
    }

    /// How a key compares with what is sought, looking at no more fields than that has.
    pub(super) fn compare(&self, key: &[u8], sought: &Sought) -> Ordering {
        // A key that cannot be read is in no order; the row behind it then reports the damage when it is decoded.
        let Ok(tuple) = Tuple::parse(key) else { return Ordering::Less };
        let one = |(i, (field, want)): (usize, (&Field, &Option<Vec<u8>>))| {
            field.compare(tuple.field(i).unwrap_or_default(), want.as_deref())
        };
        self.fields.iter().zip(sought).enumerate().map(one).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// How two of them compare.
    pub(super) fn compare_sought(&self, a: &Sought, b: &Sought) -> Ordering {
        let fields = self.fields.iter().zip(a.iter().zip(b));
        fields
            .map(|(f, (a, b))| f.compare(a.as_deref(), b.as_deref()))
            .find(|o| o.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// Bytes whose order is the order of the keys. What the first fields give begins what all of them give.
    pub(super) fn sort_key<'f>(&self, fields: impl Iterator<Item = Option<&'f [u8]>>) -> Vec<u8> {
        let mut out = Vec::with_capacity(32);
        for (field, bytes) in self.fields.iter().zip(fields) {
            match bytes {
                None => out.push(0),
                Some(bytes) => {
                    out.push(1);
                    field.push_sorted(bytes, &mut out);
                }
            }
        }
        out
    }

    /// The same of a whole key.
    pub(super) fn sort_key_of(&self, key: &[u8]) -> Vec<u8> {
        let tuple = Tuple::parse(key).ok();
        let field = |i| tuple.and_then(|t| t.field(i).unwrap_or_default());
        self.sort_key((0..self.fields.len()).map(field))
    }

    /// How two keys compare.
    pub(super) fn compare_keys(&self, a: &[u8], b: &[u8]) -> Ordering {
        let (Ok(a), Ok(b)) = (Tuple::parse(a), Tuple::parse(b)) else { return a.cmp(b) };
        let one = |(i, field): (usize, &Field)| {
            field.compare(a.field(i).unwrap_or_default(), b.field(i).unwrap_or_default())
        };
        self.fields.iter().enumerate().map(one).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
    }
}

fn field(column: &Column, is_whole: bool) -> Result<Field, String> {
    use Encoding as E;
    match column.encoding {
        E::StringAddr | E::StringAdaptive | E::BytesAddr | E::BytesAdaptive if is_whole => {
            Err(format!("versions of Dolt order long values of {} differently", column.name))
        }
        E::String | E::StringAddr | E::StringAdaptive => {
            let collation = Collation::of(column);
            if collation.is_bytewise() {
                return Ok(Field::Text(column.encoding));
            }
            Err(format!("the order of {} depends on the collation {}", column.name, collation.name()))
        }
        E::Unknown(id) => Err(format!("column {} has the encoding {id}", column.name)),
        known => Ok(Field::Plain(known)),
    }
}

impl Field {
    fn push_sorted(self, bytes: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Plain(encoding) => sort_key::push(encoding, bytes, out),
            Self::Text(_) => sort_key::push_characters(characters(bytes), out),
        }
    }

    fn compare(self, a: Option<&[u8]>, b: Option<&[u8]>) -> Ordering {
        match (self, a, b) {
            (Self::Text(_), Some(a), Some(b)) if str::from_utf8(a).is_err() || str::from_utf8(b).is_err() => {
                characters(a).cmp(characters(b))
            }
            (Self::Plain(encoding) | Self::Text(encoding), a, b) => value::compare(encoding, a, b),
        }
    }
}

fn characters(bytes: &[u8]) -> impl Iterator<Item = char> {
    bytes.utf8_chunks().flat_map(|chunk| {
        let rest = std::iter::repeat_n(char::REPLACEMENT_CHARACTER, chunk.invalid().len());
        chunk.valid().chars().chain(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_character_counts_as_a_replacement_character() {
        let order = |a: &[u8], b: &[u8]| Field::Text(Encoding::String).compare(Some(a), Some(b));
        // As bytes c3 is before e4; as characters U+FFFD is behind 中 and before 😀.
        assert_eq!(order(b"\xc3\0", "中\0".as_bytes()), Ordering::Greater);
        assert_eq!(order(b"\xc3\0", "😀\0".as_bytes()), Ordering::Less);
        assert_eq!(order(b"a\xc3\0", b"a\xe4\0"), Ordering::Equal);
        assert_eq!(order("é\0".as_bytes(), "中\0".as_bytes()), Ordering::Less);
    }
}
