//! A new table.

use super::build::{self, MAX_NAME, wrong};
use super::root::{Root, tags_of};
use super::statement::{CheckSpec, TableSpec};
use super::tag::{Untagged, check_suffix, same, tags};
use super::types::kind;
use super::{DdlOptions, foreign_keys, index, message, views};
use crate::commit::Draft;
use crate::expr::{Scope, canonical_check};
use crate::message::Node;
use crate::message::{NodeContent, NodeKind, node_message};
use crate::prolly::{Edit, Shape, Tree, edit};
use crate::table::{Check, ForeignKey, Schema, TableMessage};
use crate::{Error, Hash, Result};

/// Makes the table, and gives the new working root.
pub(super) fn create_table(draft: &Draft, spec: &TableSpec<'_>, options: DdlOptions) -> Result<Hash> {
    let mut root = Root::working(draft)?;
    let name = spec.name.as_str();
    check_name(name)?;
    match root.stored_name(name)? {
        Some(stored) if spec.if_not_exists && stored == name => return Ok(draft.working()),
        Some(stored) => return Err(Error::NameTaken { name: stored }),
        None => {}
    }
    if views::has_view(&root, name)? {
        return Err(Error::NameTaken { name: name.to_owned() });
    }
    let mut schema = build::schema(spec, root.collation(), options)?;
    tag_columns(draft, &root, name, &mut schema)?;
    for index in &spec.indexes {
        index::add(name, &mut schema, index)?;
    }
    let is_keyed = |at: usize| {
        let is_it = |c: &u16| usize::from(*c) == at;
        schema.key_columns.iter().any(is_it) || schema.indexes.iter().any(|i| i.columns.iter().any(is_it))
    };
    if let Some((_, column)) = schema.visible().find(|(at, c)| c.auto_increment && !is_keyed(*at)) {
        return wrong(name, format!("column {} counts up and is in no key", column.name));
    }
    let mut keys = root.foreign_keys()?;
    for key in &spec.foreign_keys {
        foreign_keys::add(&root, name, &mut schema, &mut keys, key, options.foreign_key_checks)?;
    }
    for check in &spec.checks {
        add_check(name, &mut schema, check, &keys)?;
    }
    let count =
        spec.options.auto_increment.filter(|n| *n > 1 && schema.columns.iter().any(|c| c.auto_increment));
    let table = empty(&root, &schema, count.unwrap_or(0))?;
    root.put(name, &table)?;
    if !spec.foreign_keys.is_empty() {
        root.set_foreign_keys(keys);
    }
    root.finish()
}

/// Makes one of Dolt's own tables, unless it is there.
pub(super) fn create_system_table(draft: &Draft, name: &str, mut schema: Schema) -> Result<Hash> {
    let mut root = Root::working(draft)?;
    if root.stored_name(name)?.is_some() {
        return Ok(draft.working());
    }
    tag_columns(draft, &root, name, &mut schema)?;
    let table = empty(&root, &schema, 0)?;
    root.put(name, &table)?;
    root.finish()
}

/// Whether a table may be called so (Dolt `go/libraries/doltcore/doltdb/table.go`, `IsValidTableName`).
pub(super) fn check_name(name: &str) -> Result<()> {
    let is_fine = !name.is_empty()
        && name.len() <= MAX_NAME
        && !name.ends_with(|c: char| c.is_whitespace())
        && name.chars().all(|c| c != '\0' && u32::from(c) <= 0xffff);
    if !is_fine {
        return wrong(name, "no table can be called so");
    }
    if name.to_lowercase().starts_with("dolt_") {
        return wrong(name, "such names are Dolt's own");
    }
    Ok(())
}

fn tag_columns(draft: &Draft, root: &Root<'_>, name: &str, schema: &mut Schema) -> Result<()> {
    let session = draft.draft();
    let head = session.tables(session.commit(draft.head())?.root_value)?;
    let mut taken = root.tags()?;
    taken.extend(tags_of(&head)?);
    let before = head.open(name)?;
    let new: Vec<Untagged<'_>> = untagged(name, schema)?;
    // What the table had in the last commit under the same names and of the same kinds.
    let mut known = Vec::new();
    if let Some(before) = &before {
        let old = untagged(name, before.schema())?;
        let tagged = || before.schema().visible().map(|(_, c)| c.tag).zip(&old);
        for column in &new {
            let is = |(_, o): &(u64, &Untagged<'_>)| o.name == column.name && o.kind == column.kind;
            known.extend(tagged().find(is).map(|(tag, o)| (*o, tag)));
        }
    }
    let found = tags(name, &new, &known, taken);
    for (column, tag) in schema.columns.iter_mut().filter(|c| !c.hidden).zip(found) {
        column.tag = tag;
    }
    Ok(())
}

/// The columns with their kinds.
pub(super) fn untagged<'s>(table: &str, schema: &'s Schema) -> Result<Vec<Untagged<'s>>> {
    let one = |(_, column): (usize, &'s crate::table::Column)| {
        let kind = kind(&column.sql_type).ok_or_else(|| Error::NotSupported {
            what: format!("table {table}, column {}: a tag beside the type {}", column.name, column.sql_type),
        })?;
        Ok(Untagged { name: &column.name, kind })
    };
    schema.visible().map(one).collect()
}

fn add_check(table: &str, schema: &mut Schema, spec: &CheckSpec<'_>, keys: &[ForeignKey]) -> Result<()> {
    let expression = canonical_check(spec.expression, &Scope::of(schema))?;
    let is_taken = |name: &str| {
        schema.checks.iter().any(|c| same(&c.name, name))
            || keys.iter().any(|k| same(&k.child_table, table) && same(&k.name, name))
    };
    let name = match &spec.name {
        Some(name) if name.is_empty() || name.len() > MAX_NAME || is_taken(name) => {
            return wrong(table, format!("a check cannot be called {name:?}"));
        }
        Some(name) => name.clone(),
        None => {
            let base = format!("{table}_chk_{}", check_suffix(&expression));
            let (mut name, mut next) = (base.clone(), 0u64);
            while is_taken(&name) {
                name = format!("{base}_{next}");
                next = next.saturating_add(1);
            }
            name
        }
    };
    schema.checks.push(Check { name, expression, enforced: spec.enforced });
    Ok(())
}

/// A table without rows.
pub(super) fn empty(root: &Root<'_>, schema: &Schema, auto_increment: u64) -> Result<TableMessage> {
    let snapshot = root.draft().snapshot();
    let none = NodeContent::default();
    let rows = node_message(NodeKind::Map, &none);
    let empty = snapshot.put(rows.clone())?;
    let names = schema.indexes.iter().map(|i| i.name.as_bytes().to_vec());
    let mut roots: Vec<Edit> = names.map(|name| Edit::put(name, empty.as_bytes().to_vec())).collect();
    roots.sort_by(|a, b| a.key.cmp(&b.key));
    let map = node_message(NodeKind::Addresses, &none);
    let node = Node::parse(NodeKind::Addresses, map)
        .map_err(|problem| Error::BadChunk { hash: Hash::NONE, problem })?;
    let map = Tree::embedded(snapshot, NodeKind::Addresses, node, Hash::NONE);
    let indexes = snapshot.chunk(edit(&map, Shape::ADDRESSES, snapshot, roots)?)?;
    let schema = snapshot.put(message::schema(schema))?;
    Ok(TableMessage { schema, rows, indexes, auto_increment, artifacts: Hash::NONE })
}
