//! Schemas as messages, byte for byte as Dolt writes them (Dolt
//! `go/libraries/doltcore/schema/encoding/serialization.go`).
//!
//! What could go wrong is a schema that says more than we know: written again, that would be lost. [`same_again`] is asked
//! before one is changed.

use crate::message::{Builder, Offset};
use crate::table::{Check, Column, Encoding, Index, Schema};

/// What a table has that says nothing: long values leave rows of more than so many bytes.
pub(super) const TARGET_ROW_BYTES: u16 = 2048;

/// Whether a message says no more than what was read from it.
pub(super) fn same_again(stored: &[u8], read: &Schema) -> bool {
    schema(read) == stored
}

/// The message of a schema.
pub(super) fn schema(schema: &Schema) -> Vec<u8> {
    let mut b = Builder::new();
    let columns = columns(&mut b, schema);
    let clustered = clustered(&mut b, schema);
    let indexes: Vec<Offset> = backwards(&schema.indexes, |index| secondary(&mut b, index));
    let indexes = b.offsets(&indexes);
    let checks: Vec<Offset> = backwards(&schema.checks, |check| one_check(&mut b, check));
    let checks = b.offsets(&checks);
    let comment = b.string(&schema.comment);
    let is_commented = !schema.comment.is_empty();
    let is_newer = schema.columns.iter().any(|c| c.on_update.is_some())
        || is_commented
        || schema.target_row_bytes != TARGET_ROW_BYTES;
    b.begin();
    b.add(1, clustered);
    b.add(0, columns);
    b.add(2, indexes);
    b.add(3, checks);
    b.add_u16(4, schema.collation, 0);
    b.add_if(6, is_commented.then_some(comment));
    b.add_u16(7, schema.target_row_bytes, TARGET_ROW_BYTES);
    b.add_u8(5, u8::from(is_newer));
    let root = b.end();
    b.finish(root, *b"DSCH")
}

// Items are written from the last to the first; their places come in their order.
fn backwards<T>(items: &[T], mut write: impl FnMut(&T) -> Offset) -> Vec<Offset> {
    let mut places: Vec<Offset> = items.iter().rev().map(&mut write).collect();
    places.reverse();
    places
}

fn columns(b: &mut Builder, schema: &Schema) -> Offset {
    let (mut places, mut hidden) = (Vec::new(), Vec::new());
    if schema.is_keyless() {
        // The id and the cardinality of a keyless row.
        let own: Vec<&Column> = schema.columns.iter().filter(|c| c.hidden).collect();
        hidden = backwards(&own, |column| keyless_column(b, column));
    }
    let visible = schema.columns.len().saturating_sub(hidden.len());
    let visible = schema.columns.get(..visible).unwrap_or_default();
    for (i, column) in visible.iter().enumerate().rev() {
        places.push(one_column(b, i, column));
    }
    places.reverse();
    places.extend(hidden);
    b.offsets(&places)
}

fn keyless_column(b: &mut Builder, column: &Column) -> Offset {
    let name = b.string(&column.name);
    b.begin();
    b.add(0, name);
    // Nowhere: -1.
    b.add_u16(4, u16::MAX, 0);
    b.add_u64(5, column.tag);
    b.add_u8(6, column.encoding.id());
    b.add_u8(11, 1);
    b.add_u8(10, 1);
    b.end()
}

fn one_column(b: &mut Builder, place: usize, column: &Column) -> Offset {
    let comment = b.string(&column.comment);
    let default = b.string(column.default.as_deref().unwrap_or_default());
    let on_update = b.string(column.on_update.as_deref().unwrap_or_default());
    let sql_type = b.string(&column.sql_type);
    let name = b.string(&column.name);
    let is_adaptive = matches!(
        column.encoding,
        Encoding::StringAdaptive | Encoding::BytesAdaptive | Encoding::JsonAdaptive | Encoding::GeomAdaptive
    );
    b.begin();
    b.add(0, name);
    b.add(1, sql_type);
    b.add(2, default);
    b.add(3, comment);
    b.add_u16(4, u16::try_from(place).unwrap_or(u16::MAX), 0);
    b.add_u64(5, column.tag);
    b.add_u8(6, column.encoding.id());
    b.add_u8(7, u8::from(column.primary_key));
    b.add_u8(9, u8::from(column.auto_increment));
    b.add_u8(8, u8::from(column.nullable));
    b.add_u8(11, u8::from(column.generated));
    b.add_u8(12, u8::from(column.is_virtual));
    b.add_if(13, column.on_update.is_some().then_some(on_update));
    b.add_u8(14, u8::from(is_adaptive));
    b.add_u8(16, u8::from(is_adaptive));
    b.add_u8(10, u8::from(column.hidden));
    b.end()
}

fn clustered(b: &mut Builder, schema: &Schema) -> Offset {
    let is_key = |i: &u16| schema.key_columns.contains(i);
    let all = 0..u16::try_from(schema.columns.len()).unwrap_or(u16::MAX);
    // Of a keyless row the cardinality comes first, which is the last column.
    let last = schema.is_keyless().then(|| all.end.saturating_sub(1));
    let rest = all.filter(|i| !is_key(i) && Some(*i) != last);
    let values: Vec<u16> = last.into_iter().chain(rest).collect();
    let keys = b.u16s(&schema.key_columns);
    let values = b.u16s(&values);
    b.begin();
    b.add(2, keys);
    b.add(3, keys);
    b.add(4, values);
    b.add_u8(5, 1);
    b.add_u8(6, 1);
    b.end()
}

fn secondary(b: &mut Builder, index: &Index) -> Offset {
    let name = b.string(&index.name);
    let comment = b.string(&index.comment);
    let columns = b.u16s(&index.columns);
    let key_columns = b.u16s(&index.key_columns);
    let prefixes = b.u16s(&index.prefix_lengths);
    b.begin();
    b.add(0, name);
    b.add(1, comment);
    b.add(2, columns);
    b.add(3, key_columns);
    b.add_u8(6, u8::from(index.unique));
    b.add_u8(7, u8::from(index.system_defined));
    b.add(8, prefixes);
    b.end()
}

fn one_check(b: &mut Builder, check: &Check) -> Offset {
    let expression = b.string(&check.expression);
    let name = b.string(&check.name);
    b.begin();
    b.add_u8(2, u8::from(check.enforced));
    b.add(1, expression);
    b.add(0, name);
    b.end()
}
