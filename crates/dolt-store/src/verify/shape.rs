//! What is known beforehand about the nodes of one tree: the order of its keys, where its values hold addresses, and which
//! index entries its rows make.

use std::cmp::Ordering;

use crate::bytes::array;
use crate::message::NodeKind;
use crate::table::{Collation, Column, Encoding, Index, Schema, Tuple, compare};

/// What the nodes of a tree must be like.
#[derive(Debug)]
pub(super) struct Shape {
    /// Tells shapes apart: a node that was found right in one shape is not looked at again in that shape.
    pub(super) id: u32,
    pub(super) kind: NodeKind,
    pub(super) order: Order,
    /// Whether where nodes end is checked in leaves.
    pub(super) leaf_boundaries: bool,
    /// Fields of the value tuple that may lie outside of the row.
    pub(super) outside: Vec<(usize, Encoding)>,
    /// The entries to sum up: of a row, one for each index; of an index entry, itself.
    pub(super) projections: Vec<Projection>,
    /// The columns of the key, to show it.
    pub(super) key_columns: Vec<Column>,
    /// Whether a row's key is the hash of its value.
    pub(super) keyless: bool,
}

/// The order of keys.
#[derive(Debug)]
pub(super) enum Order {
    Bytes,
    /// Commit closures: height, then address.
    Closure,
    Tuple(Vec<Encoding>),
    /// A collation that this crate does not know, or a key whose order depends on Dolt's version.
    Unknown,
}

/// Which fields of a row make the key of an index entry.
#[derive(Debug)]
pub(super) struct Projection {
    pub(super) parts: Vec<Part>,
}

/// One field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) in_key: bool,
    pub(super) at: usize,
    pub(super) form: Form,
    /// Bytes that are kept of a text; 0: all.
    pub(super) prefix: usize,
}

/// How the bytes of a field become those that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As they are, a text with its end mark.
    Plain,
    /// The content behind an address, with an end mark.
    Address,
    /// The content of an adaptive field, with an end mark.
    Adaptive,
}

impl Shape {
    /// Names to addresses.
    pub(super) fn addresses() -> Self {
        Self::plain(0, NodeKind::Addresses, Order::Bytes, true)
    }

    /// A commit's ancestors. Where its leaves end depends on how the commit was made, so that is not checked.
    pub(super) fn closure() -> Self {
        Self::plain(1, NodeKind::Closure, Order::Closure, false)
    }

    fn plain(id: u32, kind: NodeKind, order: Order, leaf_boundaries: bool) -> Self {
        Self {
            id,
            kind,
            order,
            leaf_boundaries,
            outside: Vec::new(),
            projections: Vec::new(),
            key_columns: Vec::new(),
            keyless: false,
        }
    }

    /// The rows of a table, with these of its indexes.
    pub(super) fn rows(id: u32, schema: &Schema, indexes: &[&Index]) -> Self {
        let columns = |all: &[u16]| -> Vec<Column> {
            all.iter().filter_map(|c| schema.columns.get(usize::from(*c)).cloned()).collect()
        };
        let key_columns = columns(&schema.key_columns);
        let outside = schema.value_columns().into_iter().enumerate();
        let outside = outside.filter_map(|(at, i)| Some((at, schema.columns.get(i)?.encoding)));
        Self {
            order: order(&key_columns, |_| false),
            outside: outside.filter(|(_, e)| is_address(*e) || is_adaptive(*e)).collect(),
            projections: indexes.iter().map(|i| of_row(schema, i)).collect(),
            key_columns,
            keyless: schema.is_keyless(),
            ..Self::plain(id, NodeKind::Map, Order::Bytes, true)
        }
    }

    /// The entries of an index.
    pub(super) fn index(id: u32, schema: &Schema, index: &Index) -> Self {
        let fields = fields_of(schema, index);
        // What is cut is stored as it is, whatever its column's encoding is.
        let stored = |(column, prefix): &(usize, usize)| {
            let column = schema.columns.get(*column)?.clone();
            let encoding = if *prefix > 0 { inline(column.encoding) } else { column.encoding };
            Some(Column { encoding, ..column })
        };
        let key_columns: Vec<Column> = fields.iter().filter_map(stored).collect();
        let is_key = |c: usize| schema.key_columns.iter().any(|k| usize::from(*k) == c);
        // A long column without a prefix is stored as in its row; the rest of them is text.
        let is_whole = |i: usize| fields.get(i).is_some_and(|(c, prefix)| *prefix == 0 && !is_key(*c));
        let part = |(at, (column, prefix)): (usize, &(usize, usize))| Part {
            in_key: true,
            at,
            form: if *prefix > 0 || is_key(*column) { Form::Plain } else { whole_form(schema, *column) },
            prefix: 0,
        };
        let projection = Projection { parts: fields.iter().enumerate().map(part).collect() };
        Self {
            order: order(&key_columns, is_whole),
            projections: vec![projection],
            key_columns,
            ..Self::plain(id, NodeKind::Map, Order::Bytes, true)
        }
    }

    /// How two keys compare; `None`: not known.
    pub(super) fn compare(&self, a: &[u8], b: &[u8]) -> Option<Ordering> {
        match &self.order {
            Order::Unknown => None,
            Order::Bytes => Some(a.cmp(b)),
            Order::Closure => {
                let height = |key: &[u8]| array(key, 0).map(u64::from_le_bytes);
                Some(height(a).cmp(&height(b)).then_with(|| a.get(8..).cmp(&b.get(8..))))
            }
            Order::Tuple(encodings) => {
                let (a, b) = (Tuple::parse(a).ok()?, Tuple::parse(b).ok()?);
                let field = |(i, encoding): (usize, &Encoding)| {
                    let (a, b) = (a.field(i).ok()?, b.field(i).ok()?);
                    Some(fields(*encoding, a, b)).filter(|o| o.is_ne())
                };
                Some(encodings.iter().enumerate().find_map(field).unwrap_or(Ordering::Equal))
            }
        }
    }
}

// An index on a prefix cuts characters in the middle. Dolt takes each byte of such a rest for a replacement character, so
// two different rests count as equal and the next field decides.
fn fields(encoding: Encoding, a: Option<&[u8]>, b: Option<&[u8]>) -> Ordering {
    let is_text = matches!(encoding, Encoding::String | Encoding::StringAddr | Encoding::StringAdaptive);
    match (a, b) {
        (Some(a), Some(b)) if is_text && (str::from_utf8(a).is_err() || str::from_utf8(b).is_err()) => {
            lossy(a).cmp(lossy(b)).then(a.len().cmp(&b.len()))
        }
        _ => compare(encoding, a, b),
    }
}

fn lossy(bytes: &[u8]) -> impl Iterator<Item = char> {
    let chunk = |c: std::str::Utf8Chunk<'_>| {
        let rest = c.invalid().len();
        c.valid().chars().chain(std::iter::repeat_n(char::REPLACEMENT_CHARACTER, rest)).collect::<Vec<_>>()
    };
    bytes.utf8_chunks().flat_map(chunk)
}

// The columns of an index entry's key, each with the bytes kept of it.
fn fields_of(schema: &Schema, index: &Index) -> Vec<(usize, usize)> {
    let mut all: Vec<usize> = index.key_columns.iter().map(|c| usize::from(*c)).collect();
    for key in schema.key_columns.iter().map(|c| usize::from(*c)) {
        if !all.contains(&key) {
            all.push(key);
        }
    }
    let prefix = |i: usize| index.prefix_lengths.get(i).copied().map_or(0, usize::from);
    all.into_iter().enumerate().map(|(i, column)| (column, prefix(i))).collect()
}

fn of_row(schema: &Schema, index: &Index) -> Projection {
    let values = schema.value_columns();
    let part = |(column, prefix): (usize, usize)| {
        if let Some(at) = schema.key_columns.iter().position(|k| usize::from(*k) == column) {
            return Some(Part { in_key: true, at, form: Form::Plain, prefix });
        }
        let at = values.iter().position(|v| *v == column)?;
        let form = match schema.columns.get(column).map(|c| c.encoding) {
            Some(e) if is_address(e) && prefix > 0 => Form::Address,
            _ => whole_form(schema, column),
        };
        Some(Part { in_key: false, at, form, prefix })
    };
    Projection { parts: fields_of(schema, index).into_iter().filter_map(part).collect() }
}

fn whole_form(schema: &Schema, column: usize) -> Form {
    match schema.columns.get(column) {
        Some(c) if is_adaptive(c.encoding) => Form::Adaptive,
        _ => Form::Plain,
    }
}

fn order(columns: &[Column], is_whole: impl Fn(usize) -> bool) -> Order {
    let is_known = |(i, column): (usize, &Column)| match column.encoding {
        Encoding::Unknown(_) => false,
        // A unique index on a whole long column: 1.88 compares the bytes, later versions the contents.
        e if is_adaptive(e) && is_whole(i) => false,
        Encoding::String | Encoding::StringAddr | Encoding::StringAdaptive => {
            Collation::of(column).is_bytewise()
        }
        _ => true,
    };
    if columns.iter().enumerate().all(is_known) {
        Order::Tuple(columns.iter().map(|c| c.encoding).collect())
    } else {
        Order::Unknown
    }
}

fn inline(encoding: Encoding) -> Encoding {
    match encoding {
        Encoding::StringAddr | Encoding::StringAdaptive => Encoding::String,
        Encoding::BytesAddr | Encoding::BytesAdaptive => Encoding::Bytes,
        other => other,
    }
}

pub(super) fn is_address(encoding: Encoding) -> bool {
    matches!(
        encoding,
        Encoding::BytesAddr
            | Encoding::StringAddr
            | Encoding::JsonAddr
            | Encoding::GeomAddr
            | Encoding::CommitAddr
    )
}

pub(super) fn is_adaptive(encoding: Encoding) -> bool {
    matches!(
        encoding,
        Encoding::StringAdaptive | Encoding::BytesAdaptive | Encoding::JsonAdaptive | Encoding::GeomAdaptive
    )
}
