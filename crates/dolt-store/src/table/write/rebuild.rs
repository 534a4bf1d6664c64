//! Trees made anew from the rows that are there: an index that was not, rows with one more column. Fields keep their stored
//! form; a long value is not read unless an index holds it.

use std::cmp::Ordering;

use super::encode::encode;
use super::opened::cardinality;
use super::row::{RowForm, addresses_in};
use super::unfinished::violates;
use super::violation::Violation;
use crate::chunk::Snapshot;
use crate::message::{Node, NodeContent, NodeKind, node_message};
use crate::prolly::{Edit, Shape, Tree, edit};
use crate::table::order::{KeyOrder, Sought};
use crate::table::tuple::Tuple;
use crate::table::{Index, Schema, Table, Value, decode_key};
use crate::{Error, Hash, Result};

/// Builds the tree of an index of a table, and gives the address of its root. The index need not be in the table's schema.
pub(crate) fn build_index(table: &Table, index: &Index, draft: &Snapshot) -> Result<Hash> {
    let schema = table.schema();
    let order = KeyOrder::of_index(schema, index);
    if let Some(problem) = order.problem().filter(|_| table.entries() > 0) {
        return Err(table.not_supported(&format!("building index {}: {problem}", index.name)));
    }
    let form = RowForm { schema, draft };
    let mut keys = Vec::new();
    each(table, |key, value| {
        let entry = form.index_key(index, &form.fields(key, value)?, key)?;
        if index.unique && schema.is_keyless() && cardinality(value)? > 1 {
            keys.push(entry.clone());
        }
        keys.push(entry);
        Ok(())
    })?;
    keys.sort_by(|a, b| order.compare_keys(a, b));
    if index.unique {
        for (a, b) in keys.iter().zip(keys.iter().skip(1)) {
            if let Some(fields) = same_fields(&order, a, b, index.columns.len())? {
                let (key, index) = (shown(schema, index, &fields), index.name.clone());
                let violation = Violation::Duplicate { index, key };
                return Err(violates(table, violation));
            }
        }
    }
    keys.dedup();
    let edits = keys.into_iter().map(|key| Edit::put(key, vec![0, 0])).collect();
    let compare = |a: &[u8], b: &[u8]| order.compare_keys(a, b);
    let shape = Shape { kind: NodeKind::Map, compare: &compare, addresses_in: &|_| Ok(Vec::new()) };
    edit(&empty(draft)?, shape, draft, edits)
}

/// Builds the tree of a table's rows with one more column at this place, which has this value in every row. `schema` is the
/// new one. Gives the root node.
pub(crate) fn rows_with_column(
    table: &Table,
    schema: &Schema,
    at: usize,
    value: &Value,
    draft: &Snapshot,
) -> Result<Vec<u8>> {
    let column = schema.columns.get(at);
    let column = column.ok_or_else(|| table.not_supported("a column that is not there"))?;
    let field = encode(column, value)
        .map_err(|misfit| violates(table, Violation::Value { column: column.name.clone(), misfit }))?;
    let order = KeyOrder::of_rows(schema);
    if let Some(problem) = order.problem().filter(|_| table.entries() > 0) {
        return Err(table.not_supported(&format!("writing its rows: {problem}")));
    }
    let (old, new) = (RowForm { schema: table.schema(), draft }, RowForm { schema, draft });
    let mut edits = Vec::new();
    each(table, |key, value| {
        let mut fields = old.fields(key, value)?;
        fields.insert(at.min(fields.len()), field.clone());
        edits.push(Edit::put(key.to_vec(), new.entry(&fields, 1)?.1));
        Ok(())
    })?;
    let addresses = addresses_in(schema);
    let compare = |a: &[u8], b: &[u8]| order.compare_keys(a, b);
    let shape = Shape { kind: NodeKind::Map, compare: &compare, addresses_in: &addresses };
    draft.chunk(edit(&empty(draft)?, shape, draft, edits)?)
}

/// Builds the tree of a table's rows in an order that the caller knows, without the rows that are `gone` and with one that
/// is new. Gives the root node.
pub(crate) fn rows_in_order(
    table: &Table,
    gone: &dyn Fn(&[u8]) -> Result<bool>,
    new: Option<&[Value]>,
    compare: &dyn Fn(&[u8], &[u8]) -> Ordering,
    draft: &Snapshot,
) -> Result<Vec<u8>> {
    let form = RowForm { schema: table.schema(), draft };
    let mut edits = Vec::new();
    each(table, |key, value| {
        if !gone(key)? {
            edits.push(Edit::put(key.to_vec(), value.to_vec()));
        }
        Ok(())
    })?;
    if let Some(values) = new {
        let mut fields = Vec::new();
        for ((_, column), value) in table.schema().visible().zip(values) {
            fields.push(encode(column, value).map_err(|misfit| {
                violates(table, Violation::Value { column: column.name.clone(), misfit })
            })?);
        }
        let (key, value) = form.entry(&fields, 1)?;
        edits.push(Edit::put(key, value));
    }
    edits.sort_by(|a, b| compare(&a.key, &b.key));
    let addresses = addresses_in(table.schema());
    let shape = Shape { kind: NodeKind::Map, compare, addresses_in: &addresses };
    draft.chunk(edit(&empty(draft)?, shape, draft, edits)?)
}

fn each(table: &Table, mut does: impl FnMut(&[u8], &[u8]) -> Result<()>) -> Result<()> {
    let mut cursor = table.row_tree()?.first()?;
    while let Some((node, i)) = cursor.entry() {
        does(node.key(i), node.value(i))?;
        cursor.advance()?;
    }
    Ok(())
}

fn empty(draft: &Snapshot) -> Result<Tree> {
    let none = node_message(NodeKind::Map, &NodeContent::default());
    let node = Node::parse(NodeKind::Map, none).map_err(bad)?;
    Ok(Tree::embedded(draft, NodeKind::Map, node, Hash::NONE))
}

// What two entries have in common if their indexed fields are the same. NULL is like nothing.
fn same_fields(order: &KeyOrder, a: &[u8], b: &[u8], fields: usize) -> Result<Option<Sought>> {
    let tuple = Tuple::parse(a).map_err(bad)?;
    let mut sought = Vec::with_capacity(fields);
    for i in 0..fields {
        match tuple.field(i).map_err(bad)? {
            None => return Ok(None),
            Some(field) => sought.push(Some(field.to_vec())),
        }
    }
    Ok(order.compare(b, &sought).is_eq().then_some(sought))
}

fn shown(schema: &Schema, index: &Index, fields: &Sought) -> String {
    let one = |(column, field): (&u16, &Option<Vec<u8>>)| {
        let column = schema.columns.get(usize::from(*column))?;
        decode_key(column.encoding, field.as_deref()).ok()?.to_text(column)
    };
    let parts: Vec<String> = index.columns.iter().zip(fields).map(|f| one(f).unwrap_or_default()).collect();
    parts.join(", ")
}

fn bad(problem: String) -> Error {
    Error::BadChunk { hash: Hash::NONE, problem }
}
