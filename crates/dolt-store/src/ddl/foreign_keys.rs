//! Foreign keys of a new table: which indexes serve them, what they are called, and the index that Dolt makes where none does
//! (go-mysql-server `sql/plan/alter_foreign_key.go`, `ResolveForeignKey`; Dolt `go/libraries/doltcore/sqle/tables.go`,
//! `createForeignKey`).

use super::build::{MAX_NAME, wrong};
use super::index;
use super::root::Root;
use super::statement::ForeignKeySpec;
use super::tag::same;
use crate::table::{Column, ForeignKey, MatchType, ReferenceOption, Schema};
use crate::{Error, Result};

/// Adds a foreign key to those of a table that is being made.
pub(super) fn add(
    root: &Root<'_>,
    table: &str,
    schema: &mut Schema,
    keys: &mut Vec<ForeignKey>,
    spec: &ForeignKeySpec,
    checked: bool,
) -> Result<()> {
    let child = found(table, schema, &spec.columns)?;
    if spec.columns.len() != spec.parent_columns.len() {
        return wrong(table, "a foreign key with more columns on one side");
    }
    let is_set_null = [spec.on_delete, spec.on_update].contains(&ReferenceOption::SetNull);
    if is_set_null && child.iter().any(|c| column(schema, *c).is_some_and(|c| !c.nullable)) {
        return wrong(table, "a foreign key sets NULL where none can be");
    }
    let name = match &spec.name {
        Some(name) => name.clone(),
        None => next_name(table, keys),
    };
    if let Some(generated) = generated_from(schema, &child) {
        // 2.2.0 refuses it for some actions, 1.88.1 does not.
        let what = format!(
            "foreign key {name} of columns that the generated column {} is made from",
            generated.name
        );
        return Err(Error::NotSupported { what });
    }
    let is_taken = keys.iter().any(|k| same(&k.name, &name) && same(&k.child_table, table));
    if is_taken || name.is_empty() || name.len() > MAX_NAME {
        return wrong(table, format!("a foreign key cannot be called {name:?}"));
    }
    let is_own = same(&spec.parent, table);
    let parent = if !checked {
        None
    } else if is_own {
        Some(schema.clone())
    } else {
        Some(root.table(&spec.parent)?.schema().clone())
    };
    let parent_columns = match &parent {
        None => None,
        Some(parent) => Some(referred(table, schema, &child, (&spec.parent, parent), &spec.parent_columns)?),
    };
    if !index::has_prefix(schema, &child, false) {
        let index = match &spec.name {
            Some(name) => name.clone(),
            None => index::free_name(schema, spec.columns.first().map_or("", |first| real(schema, first))),
        };
        index::add_implicit(schema, index, child.clone()).or_else(|problem| wrong(table, problem))?;
    }
    // The index that was just made may serve the other side too.
    let parent = if is_own && checked { Some(schema.clone()) } else { parent };
    let resolved = parent.zip(parent_columns);
    keys.push(ForeignKey {
        name,
        child_table: table.to_owned(),
        child_index: resolved.as_ref().map_or_else(String::new, |_| serving(schema, &child)),
        child_columns: resolved.as_ref().map_or_else(Vec::new, |_| tags(schema, &child)),
        parent_table: spec.parent.clone(),
        parent_index: resolved
            .as_ref()
            .map_or_else(String::new, |(parent, columns)| serving(parent, columns)),
        parent_columns: resolved.as_ref().map_or_else(Vec::new, |(parent, columns)| tags(parent, columns)),
        unresolved_child_columns: column_names(schema, &child),
        unresolved_parent_columns: match &resolved {
            Some((parent, columns)) => column_names(parent, columns),
            None => spec.parent_columns.clone(),
        },
        on_update: spec.on_update,
        on_delete: spec.on_delete,
        is_not_valid: false,
        match_type: MatchType::Simple,
    });
    Ok(())
}

/// What becomes of a key that was made before what it refers to, when Dolt looks at it again (`UpdateForeignKey`). Fails with
/// [`crate::Error::Definition`] if it cannot refer to it.
pub(crate) fn resolved(key: &ForeignKey, child: &Schema, parent: &Schema) -> Result<ForeignKey> {
    let table = key.child_table.as_str();
    let own = found(table, child, &key.unresolved_child_columns)?;
    if own.is_empty() || own.len() != key.unresolved_parent_columns.len() {
        return wrong(table, "a foreign key with more columns on one side");
    }
    let is_set_null = [key.on_delete, key.on_update].contains(&ReferenceOption::SetNull);
    if is_set_null && own.iter().any(|c| column(child, *c).is_some_and(|c| !c.nullable)) {
        return wrong(table, "a foreign key sets NULL where none can be");
    }
    let theirs = referred(table, child, &own, (&key.parent_table, parent), &key.unresolved_parent_columns)?;
    // Dolt would make one, anew: the key had one when it was made.
    if !index::has_prefix(child, &own, false) {
        return wrong(table, "it has lost the index of a foreign key");
    }
    Ok(ForeignKey {
        child_index: serving(child, &own),
        child_columns: tags(child, &own),
        parent_index: serving(parent, &theirs),
        parent_columns: tags(parent, &theirs),
        unresolved_child_columns: column_names(child, &own),
        unresolved_parent_columns: column_names(parent, &theirs),
        ..key.clone()
    })
}

fn serving(schema: &Schema, columns: &[u16]) -> String {
    index::serving(schema, columns).map_or_else(String::new, |i| i.name.clone())
}

fn tags(schema: &Schema, columns: &[u16]) -> Vec<u64> {
    columns.iter().filter_map(|c| Some(column(schema, *c)?.tag)).collect()
}

fn column_names(schema: &Schema, columns: &[u16]) -> Vec<String> {
    columns.iter().filter_map(|c| Some(column(schema, *c)?.name.clone())).collect()
}

// The columns referred to, if they can be.
fn referred(
    table: &str,
    child: &Schema,
    columns: &[u16],
    (parent_name, parent): (&str, &Schema),
    parent_columns: &[String],
) -> Result<Vec<u16>> {
    let theirs = found(parent_name, parent, parent_columns)?;
    for (own, other) in columns.iter().zip(&theirs) {
        let (Some(own), Some(other)) = (column(child, *own), column(parent, *other)) else { continue };
        if !comparable(&own.sql_type, &other.sql_type) {
            let what =
                format!("column {} of type {} cannot refer to {}", own.name, own.sql_type, other.sql_type);
            return wrong(table, what);
        }
        if index::stored_type(&own.sql_type).is_ok_and(|own| own.is_long()) {
            return wrong(
                table,
                format!("column {} of type {} can refer to nothing", own.name, own.sql_type),
            );
        }
    }
    if !index::has_prefix(parent, &theirs, true) {
        return wrong(table, format!("table {parent_name} has no index for a foreign key"));
    }
    Ok(theirs)
}

fn found(table: &str, schema: &Schema, names: &[String]) -> Result<Vec<u16>> {
    let mut columns = Vec::new();
    for name in names {
        match index::position(schema, name) {
            Some(at) if !columns.contains(&at) => columns.push(at),
            _ => return wrong(table, format!("a foreign key cannot have the column {name}")),
        }
    }
    Ok(columns)
}

fn column(schema: &Schema, at: u16) -> Option<&Column> {
    schema.columns.get(usize::from(at))
}

fn real<'s>(schema: &'s Schema, name: &'s str) -> &'s str {
    index::position(schema, name).and_then(|at| column(schema, at)).map_or(name, |c| c.name.as_str())
}

// The name that Dolt gives: after the greatest number that is there.
fn next_name(table: &str, keys: &[ForeignKey]) -> String {
    let prefix = format!("{}_ibfk_", table.to_lowercase());
    let own = keys.iter().filter(|k| same(&k.child_table, table));
    let numbers = own.filter_map(|k| k.name.strip_prefix(&prefix)?.parse::<u32>().ok());
    format!("{prefix}{}", numbers.max().unwrap_or(0).saturating_add(1))
}

// Whether values of two types can be compared by a foreign key; what is not certain is not.
fn comparable(a: &str, b: &str) -> bool {
    let family = |sql_type: &str| {
        let name: String = sql_type.chars().take_while(char::is_ascii_lowercase).collect();
        Some(match name.as_str() {
            "char" | "varchar" => format!("text {}", sql_type.split_once(") ").map_or("", |(_, rest)| rest)),
            "binary" | "varbinary" => "bytes".to_owned(),
            "decimal" | "enum" | "set" => name,
            _ => return None,
        })
    };
    a == b || (family(a).is_some() && family(a) == family(b))
}

// A stored column whose expression names one of these.
fn generated_from<'s>(schema: &'s Schema, columns: &[u16]) -> Option<&'s Column> {
    let names = columns.iter().filter_map(|c| column(schema, *c));
    let names: Vec<String> =
        names.map(|c| format!("`{}`", c.name.replace('`', "``")).to_lowercase()).collect();
    let names_one = |c: &&Column| {
        let text = c.default.as_deref().unwrap_or_default().to_lowercase();
        names.iter().any(|name| text.contains(name))
    };
    schema.columns.iter().filter(|c| c.generated && !c.is_virtual && !c.hidden).find(names_one)
}
