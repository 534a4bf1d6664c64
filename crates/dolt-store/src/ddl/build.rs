//! A schema from a table as it was written (go-mysql-server `sql/planbuilder/ddl.go`, `tableSpecToSchema`; Dolt
//! `go/libraries/doltcore/sqle/sqlutil/convert.go`, `ToDoltSchema`).

use super::collations::Collation;
use super::column::ColumnSpec;
use super::message::TARGET_ROW_BYTES;
use super::statement::TableSpec;
use super::tag::{KEYLESS_COUNT, KEYLESS_ID, same};
use super::types::ColumnType;
use super::{DdlOptions, LongValues};
use crate::expr::{Scope, canonical_default, canonical_generated, canonical_on_update};
use crate::table::{Column, Encoding, Schema};
use crate::{Error, Result};

/// Bytes of a name at most.
pub(super) const MAX_NAME: usize = 64;

/// Bytes of a row at most (Dolt `go/store/val/tuple.go`, `MaxTupleDataSize`).
const MAX_ROW_BYTES: u64 = 65_504;

/// An error about a table.
pub(super) fn wrong<T>(table: &str, problem: impl Into<String>) -> Result<T> {
    Err(Error::Definition { object: format!("table {table}"), problem: problem.into() })
}

/// The schema with columns and primary key; tags are still to come.
/// A table that names no collation has that of the database.
pub(super) fn schema(spec: &TableSpec<'_>, database: u16, options: DdlOptions) -> Result<Schema> {
    let table = spec.name.as_str();
    let about = |problem: String| Error::Definition { object: format!("table {table}"), problem };
    let collation = Collation::asked(spec.options.charset.as_deref(), spec.options.collation.as_deref());
    let collation = match collation.map_err(about)? {
        Some(named) => Some(named),
        None => Collation::numbered(database).map_err(|what| Error::NotSupported { what })?,
    };
    let mut types = Vec::new();
    for (i, column) in spec.columns.iter().enumerate() {
        let is_twice = spec.columns.iter().take(i).any(|c| same(&c.name, &column.name));
        if is_twice || column.name.len() > MAX_NAME || column.name.is_empty() {
            return wrong(table, format!("{:?} cannot be the name of a column, or not of two", column.name));
        }
        types.push(column_type(table, column, collation)?);
    }
    let key_columns = primary_key(spec)?;
    let names = spec.columns.iter().zip(&types).map(|(c, t)| (c.name.as_str(), t.sql_type.as_str()));
    let scope = Scope::new(names);
    let mut columns = Vec::new();
    for (i, (column, column_type)) in spec.columns.iter().zip(&types).enumerate() {
        let is_key = key_columns.iter().any(|k| usize::from(*k) == i);
        columns.push(one(table, column, column_type, is_key, &scope, options)?);
    }
    if columns.iter().filter(|c| c.auto_increment).count() > 1 {
        return wrong(table, "two columns count up");
    }
    let bytes = types.iter().map(ColumnType::row_bytes).fold(0, u64::saturating_add);
    if bytes > MAX_ROW_BYTES {
        return wrong(table, format!("a row could have {bytes} bytes, {MAX_ROW_BYTES} is the most"));
    }
    let is_lost = options.loses_comments && spec.primary.is_some();
    let mut schema = Schema {
        columns,
        key_columns,
        indexes: Vec::new(),
        checks: Vec::new(),
        collation: collation.map_or(database, |c| c.id),
        comment: if is_lost { String::new() } else { spec.options.comment.clone() },
        target_row_bytes: TARGET_ROW_BYTES,
    };
    if schema.key_columns.is_empty() {
        add_keyless_columns(&mut schema);
    }
    Ok(schema)
}

/// The type of a column in a table with this collation.
pub(super) fn column_type(
    table: &str,
    column: &ColumnSpec<'_>,
    collation: Option<&'static Collation>,
) -> Result<ColumnType> {
    let resolved = column.written.resolve(collation);
    resolved.map_err(|problem| Error::NotSupported {
        what: format!("table {table}, column {}: {problem}", column.name),
    })
}

fn primary_key(spec: &TableSpec<'_>) -> Result<Vec<u16>> {
    let inline: Vec<&str> = spec.columns.iter().filter(|c| c.primary).map(|c| c.name.as_str()).collect();
    let names: Vec<&str> = match (&spec.primary, inline.as_slice()) {
        (None, [] | [_]) => inline,
        (Some(parts), []) => {
            if let Some(part) = parts.iter().find(|p| p.prefix > 0) {
                return wrong(
                    &spec.name,
                    format!("column {} cannot be in the primary key in part", part.column),
                );
            }
            parts.iter().map(|p| p.column.as_str()).collect()
        }
        _ => return wrong(&spec.name, "two primary keys"),
    };
    let mut key = Vec::new();
    for name in names {
        let at = spec.columns.iter().position(|c| same(&c.name, name));
        match at.and_then(|at| u16::try_from(at).ok()) {
            Some(at) if !key.contains(&at) => key.push(at),
            _ => return wrong(&spec.name, format!("column {name} cannot be in the primary key")),
        }
    }
    Ok(key)
}

/// A column without its tag.
pub(super) fn one(
    table: &str,
    spec: &ColumnSpec<'_>,
    column_type: &ColumnType,
    primary_key: bool,
    scope: &Scope,
    options: DdlOptions,
) -> Result<Column> {
    let name = &spec.name;
    let sql_type = column_type.sql_type.clone();
    let is_virtual = spec.generated.as_ref().is_some_and(|g| !g.stored);
    if primary_key
        && (column_type.is_long() || column_type.is_unkeyed() || is_virtual || spec.null == Some(true))
    {
        return wrong(table, format!("column {name} of type {sql_type} cannot be in the primary key"));
    }
    let is_integer =
        ["tinyint", "smallint", "mediumint", "int", "bigint"].iter().any(|t| sql_type.starts_with(t));
    if spec.auto_increment && (!is_integer || spec.default.is_some() || spec.null == Some(true)) {
        return wrong(table, format!("column {name} cannot count up"));
    }
    let nullable = !primary_key && spec.null != Some(false) && !spec.auto_increment;
    let mut default = match spec.default {
        Some(text) => Some(canonical_default(text, &sql_type, scope)?),
        None => None,
    };
    let is_null = default.as_deref() == Some("NULL");
    if is_null && !nullable {
        return wrong(table, format!("column {name} cannot be NULL, its default is"));
    }
    if let Some(generated) = &spec.generated {
        default = Some(canonical_generated(generated.expression, scope)?);
    }
    let on_update = spec.on_update.map(|text| canonical_on_update(text, &sql_type)).transpose()?;
    Ok(Column {
        name: name.clone(),
        sql_type,
        default,
        comment: spec.comment.clone(),
        tag: 0,
        encoding: encoding(column_type.encoding, options.long_values),
        primary_key,
        nullable,
        auto_increment: spec.auto_increment,
        hidden: false,
        generated: spec.generated.is_some(),
        is_virtual,
        on_update,
    })
}

/// How a column is stored that would be stored by address, or in another way that all versions share.
pub(super) fn encoding(by_address: Encoding, long: LongValues) -> Encoding {
    match by_address {
        _ if long == LongValues::Addresses => by_address,
        Encoding::StringAddr => Encoding::StringAdaptive,
        Encoding::BytesAddr => Encoding::BytesAdaptive,
        Encoding::JsonAddr => Encoding::JsonAdaptive,
        Encoding::GeomAddr => Encoding::GeomAdaptive,
        other => other,
    }
}

// The two columns that stand for what a keyless row has beside its values.
fn add_keyless_columns(schema: &mut Schema) {
    let column = |name: &str, tag, encoding| Column {
        name: name.to_owned(),
        sql_type: String::new(),
        default: None,
        comment: String::new(),
        tag,
        encoding,
        primary_key: false,
        nullable: false,
        auto_increment: false,
        hidden: true,
        generated: true,
        is_virtual: false,
        on_update: None,
    };
    schema.key_columns = vec![u16::try_from(schema.columns.len()).unwrap_or(u16::MAX)];
    schema.columns.push(column("keyless_hash_id", KEYLESS_ID, Encoding::Hash128));
    schema.columns.push(column("keyless_cardinality", KEYLESS_COUNT, Encoding::Uint64));
}
