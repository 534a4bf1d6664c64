//! Indexes: what may be in one, what it is called, and which of them serves a foreign key (go-mysql-server
//! `sql/analyzer/validate_create_table.go`, `sql/index.go`; Dolt `go/libraries/doltcore/sqle/tables.go`,
//! `FindIndexWithPrefix`).

use super::build::wrong;
use super::collations::Collation;
use super::cursor::Cursor;
use super::statement::IndexSpec;
use super::tag::same;
use super::types::{ColumnType, WrittenType};
use crate::Error;
use crate::table::{Index, Schema};

/// Bytes of a key's part at most.
const MAX_PREFIX_BYTES: u64 = 3072;

/// Adds an index to a schema. Gives its name.
pub(super) fn add(table: &str, schema: &mut Schema, spec: &IndexSpec) -> crate::Result<String> {
    let columns = spec.parts.iter().filter_map(|part| position(schema, &part.column));
    let mut columns = columns.filter_map(|at| schema.columns.get(usize::from(at)));
    if let Some(column) = columns.find(|column| column.is_virtual) {
        let what = format!("table {table}: an index on the virtual column {}", column.name);
        return Err(Error::NotSupported { what });
    }
    add_stored(schema, spec).or_else(|problem| wrong(table, problem))
}

fn add_stored(schema: &mut Schema, spec: &IndexSpec) -> Result<String, String> {
    let mut columns = Vec::new();
    let mut prefix_lengths = Vec::new();
    for part in &spec.parts {
        let at =
            position(schema, &part.column).ok_or_else(|| format!("there is no column {}", part.column))?;
        if columns.contains(&at) {
            return Err(format!("column {} stands twice in an index", part.column));
        }
        let column = schema.columns.get(usize::from(at)).ok_or("no such column")?;
        prefix_lengths.push(prefix(&column.name, &stored_type(&column.sql_type)?, part.prefix, spec.unique)?);
        columns.push(at);
    }
    if prefix_lengths.iter().all(|n| *n == 0) {
        prefix_lengths.clear();
    }
    let name = match &spec.name {
        Some(name) => name.clone(),
        None => free_name(schema, &spec.parts.first().ok_or("an index without columns")?.column),
    };
    check_name(schema, &name)?;
    insert(
        schema,
        Index {
            name: name.clone(),
            comment: spec.comment.clone(),
            key_columns: key_columns(schema, &columns),
            columns,
            unique: spec.unique,
            system_defined: false,
            prefix_lengths,
            unsupported: None,
        },
    );
    Ok(name)
}

/// The index that Dolt makes for a foreign key that none serves.
pub(super) fn add_implicit(schema: &mut Schema, name: String, columns: Vec<u16>) -> Result<(), String> {
    check_name(schema, &name)?;
    insert(
        schema,
        Index {
            name,
            comment: String::new(),
            key_columns: key_columns(schema, &columns),
            columns,
            unique: false,
            system_defined: true,
            prefix_lengths: Vec::new(),
            unsupported: None,
        },
    );
    Ok(())
}

fn insert(schema: &mut Schema, index: Index) {
    schema.indexes.push(index);
    schema.indexes.sort_by(|a, b| a.name.cmp(&b.name));
}

/// A name that no index of the table has, made of a column's.
pub(super) fn free_name(schema: &Schema, column: &str) -> String {
    let is_taken = |name: &str| {
        schema.indexes.iter().any(|i| same(&i.name, name)) || (same(name, "PRIMARY") && !schema.is_keyless())
    };
    let (mut name, mut next) = (column.to_owned(), 2u64);
    while is_taken(&name) {
        name = format!("{column}_{next}");
        next = next.saturating_add(1);
    }
    name
}

fn check_name(schema: &Schema, name: &str) -> Result<(), String> {
    let lower = name.to_lowercase();
    if lower.starts_with("dolt_") || lower == "primary" || name.is_empty() || name.len() > 64 {
        return Err(format!("an index cannot be called {name:?}"));
    }
    if schema.indexes.iter().any(|i| same(&i.name, name)) {
        return Err(format!("there are two indexes {name}"));
    }
    Ok(())
}

/// The position of a column by its name.
pub(super) fn position(schema: &Schema, name: &str) -> Option<u16> {
    let found = schema.visible().find(|(_, c)| same(&c.name, name))?;
    u16::try_from(found.0).ok()
}

// The indexed columns, and what they lack of the primary key.
fn key_columns(schema: &Schema, columns: &[u16]) -> Vec<u16> {
    let own = if schema.is_keyless() { &[][..] } else { &schema.key_columns };
    columns.iter().chain(own.iter().filter(|k| !columns.contains(k))).copied().collect()
}

/// The type of a column by how its schema spells it.
pub(super) fn stored_type(sql_type: &str) -> Result<ColumnType, String> {
    let unknown = |_| format!("the type {sql_type}");
    let mut cursor = Cursor::new(sql_type).map_err(unknown)?;
    let written = WrittenType::read(&mut cursor).map_err(unknown)?;
    cursor.end().map_err(unknown)?;
    written.resolve(None)
}

fn prefix(name: &str, column: &ColumnType, prefix: u64, unique: bool) -> Result<u16, String> {
    if column.is_unkeyed() {
        return Err(format!("column {name} of type {} cannot be in a key", column.sql_type));
    }
    if prefix > 0 && !column.takes_prefix() {
        return Err(format!("column {name} of type {} cannot be indexed in part", column.sql_type));
    }
    if prefix == 0 && column.is_long() {
        let is_exact = column.collation.is_none_or(Collation::is_exact);
        if !unique || !is_exact {
            return Err(format!("column {name} of type {} can be indexed in part only", column.sql_type));
        }
    }
    let width = column.collation.map_or(4, |c| c.width);
    let most = MAX_PREFIX_BYTES.checked_div(width).unwrap_or(MAX_PREFIX_BYTES);
    if prefix > most || prefix > column.characters.max(1) {
        return Err(format!("column {name} of type {} has no prefix of {prefix}", column.sql_type));
    }
    u16::try_from(prefix).map_err(|e| e.to_string())
}

/// The secondary index that Dolt says serves a foreign key with these columns; none: the primary key.
pub(super) fn serving<'s>(schema: &'s Schema, columns: &[u16]) -> Option<&'s Index> {
    // In any order, as long as nothing else stands among them.
    let serves = |index: &&Index| {
        let first = index.columns.get(..columns.len());
        first.is_some_and(|first| columns.iter().all(|c| first.contains(c)))
    };
    schema.indexes.iter().filter(serves).min_by(|a, b| {
        let is_other = |i: &Index| i.columns.len() != columns.len();
        is_other(a)
            .cmp(&is_other(b))
            .then_with(|| b.columns.len().cmp(&a.columns.len()))
            .then_with(|| b.unique.cmp(&a.unique))
            .then_with(|| a.name.cmp(&b.name))
    })
}

/// Whether an index, or the primary key, begins with these columns in this order. Those of a primary key that an index
/// lacks count as its last ones, if it is asked `with_rest`.
pub(super) fn has_prefix(schema: &Schema, columns: &[u16], with_rest: bool) -> bool {
    let primary = if schema.is_keyless() { &[][..] } else { &schema.key_columns };
    let secondary = schema.indexes.iter().filter(|i| i.prefix_lengths.is_empty());
    let of = |i: &Index| if with_rest { i.key_columns.clone() } else { i.columns.clone() };
    primary.starts_with(columns) || secondary.map(of).any(|own| own.starts_with(columns))
}
