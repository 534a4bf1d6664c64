//! Foreign keys, held as Dolt holds them with `foreign_key_checks=1` (go-mysql-server `sql/plan/foreign_key_editor.go`): what a
//! row refers to is there, and what refers to a row that changes or goes is in the way, or follows it.

use std::rc::Rc;

use super::field::Field;
use super::opened::{Opened, Stored, Which};
use super::plan::{Action, Kind, Node, Plan};
use super::{Reference, RootEditor, Violation};
use crate::table::order::Sought;
use crate::table::write::column_type::ColumnType;
use crate::table::{Column, ForeignKey, MatchType, ReferenceOption};
use crate::{Error, Result};

/// So deep go the actions of actions, and one less if they come back to where they have been.
const MAX_DEPTH: u32 = 15;

/// The foreign keys of a root, and what they make of changes.
#[derive(Default)]
pub(super) struct ForeignKeys {
    // Sorted by name.
    pub(super) keys: Option<Vec<Rc<ForeignKey>>>,
    pub(super) plans: Vec<(String, Kind, Rc<Plan>)>,
    /// Whether some have been resolved, so that they are to be stored.
    pub(super) are_changed: bool,
}

// One end of a key: the table, the columns, and the tree whose keys begin with them.
struct End {
    at: usize,
    columns: Vec<usize>,
    // In the order of the tree, which columns by their place in `columns`.
    tree: Option<(Which, Vec<usize>)>,
}

impl RootEditor<'_> {
    pub(super) fn plan(&mut self, at: usize, kind: Kind) -> Result<Rc<Plan>> {
        let table = self.at(at)?.table.name().to_owned();
        let known = self.keys.plans.iter().find(|(name, k, _)| *k == kind && *name == table);
        if let Some((.., plan)) = known {
            return Ok(Rc::clone(plan));
        }
        if self.keys.keys.is_none() {
            let mut keys: Vec<Rc<ForeignKey>> = self.foreign_keys()?.into_iter().map(Rc::new).collect();
            keys.sort_by(|a, b| a.name.cmp(&b.name));
            self.keys.keys = Some(keys);
        }
        let plan = Rc::new(Plan::of(self.keys.keys.as_deref().unwrap_or_default(), &table, kind));
        self.keys.plans.push((table, kind, Rc::clone(&plan)));
        Ok(plan)
    }

    /// What a new row refers to is there.
    pub(super) fn check_new(&mut self, at: usize, fields: &[Field]) -> Result<()> {
        let plan = self.plan(at, Kind::Insert)?;
        plan.first().references.iter().try_for_each(|key| self.check_parent(key, fields))
    }

    /// Removes a row, and does what follows. `kind`: of the whole statement.
    pub(super) fn delete(&mut self, at: usize, row: &Stored, kind: Kind) -> Result<()> {
        let plan = self.plan(at, kind)?;
        self.delete_by(&plan, plan.first(), at, row, 1)
    }

    /// Replaces a row, and does what follows.
    pub(super) fn update(&mut self, at: usize, row: &Stored, fields: &[Field]) -> Result<()> {
        let plan = self.plan(at, Kind::Update)?;
        self.update_by(&plan, plan.first(), at, (row, fields), 1)
    }

    fn delete_by(&mut self, plan: &Plan, node: &Node, at: usize, row: &Stored, depth: u32) -> Result<()> {
        for action in &node.actions {
            if is_restriction(action.key.on_delete) && !self.children(&action.key, &row.fields)?.is_empty() {
                return Err(self.breaks(&action.key, &row.fields, Reference::HasChildren)?);
            }
        }
        self.at_mut(at)?.remove(row)?;
        let limit = if node.is_cyclical { MAX_DEPTH.saturating_sub(1) } else { MAX_DEPTH };
        let depth = depth.saturating_add(1);
        for action in &node.actions {
            if is_restriction(action.key.on_delete) {
                continue;
            }
            for (at, child) in self.children(&action.key, &row.fields)? {
                if depth > limit {
                    return Err(self.breaks(&action.key, &row.fields, Reference::TooDeep)?);
                }
                // What was done to a child before this one may have been done to it as well.
                let Some(child) = self.at(at)?.find(&child.key)? else { continue };
                self.at(at)?.takes_actions()?;
                let then = plan.node(action.then);
                if action.key.on_delete == ReferenceOption::Cascade {
                    self.delete_by(plan, then, at, &child, depth)?;
                } else {
                    let fields = self.with_parent(&action.key, &child, None)?;
                    self.update_by(plan, then, at, (&child, &fields), depth)?;
                }
            }
        }
        Ok(())
    }

    fn update_by(
        &mut self,
        plan: &Plan,
        node: &Node,
        at: usize,
        (row, fields): (&Stored, &[Field]),
        depth: u32,
    ) -> Result<()> {
        for key in &node.references {
            if self.at_child(key)?.changes(&row.fields, fields) {
                self.check_parent(key, fields)?;
            }
        }
        let mut follows = Vec::new();
        for action in &node.actions {
            if !self.at_parent(&action.key)?.changes(&row.fields, fields) {
                continue;
            }
            if !is_restriction(action.on_update) {
                follows.push(action);
            } else if !self.children(&action.key, &row.fields)?.is_empty() {
                return Err(self.breaks(&action.key, &row.fields, Reference::HasChildren)?);
            }
        }
        if depth > 1 {
            self.check_nulls(at, fields)?;
        }
        if let Some(clash) = self.at_mut(at)?.replace(row, fields)? {
            return Err(self.duplicate(at, &clash, fields)?);
        }
        follows
            .into_iter()
            .try_for_each(|action| self.follow(plan, action, (row, fields), depth.saturating_add(1)))
    }

    // What follows a change of a parent.
    fn follow(
        &mut self,
        plan: &Plan,
        action: &Action,
        (row, fields): (&Stored, &[Field]),
        depth: u32,
    ) -> Result<()> {
        for (at, child) in self.children(&action.key, &row.fields)? {
            if depth > MAX_DEPTH {
                return Err(self.breaks(&action.key, &row.fields, Reference::TooDeep)?);
            }
            let Some(child) = self.at(at)?.find(&child.key)? else { continue };
            self.at(at)?.takes_actions()?;
            let parent = (action.on_update == ReferenceOption::Cascade).then_some(fields);
            let changed = self.with_parent(&action.key, &child, parent)?;
            self.update_by(plan, plan.node(action.then), at, (&child, &changed), depth)?;
        }
        Ok(())
    }

    // A child with the parent's values, or with NULLs.
    fn with_parent(
        &mut self,
        key: &ForeignKey,
        child: &Stored,
        parent: Option<&[Field]>,
    ) -> Result<Vec<Field>> {
        let (child_end, parent_end) = (self.at_child(key)?, self.at_parent(key)?);
        let mut fields = child.fields.clone();
        for (mine, theirs) in child_end.columns.iter().zip(&parent_end.columns) {
            let value = parent.and_then(|fields| fields.get(*theirs)).cloned().unwrap_or(Field::Null);
            if let Some(field) = fields.get_mut(*mine) {
                *field = value;
            }
        }
        Ok(fields)
    }

    fn check_nulls(&self, at: usize, fields: &[Field]) -> Result<()> {
        let columns = self.at(at)?.schema().columns.iter().zip(fields);
        let mut empty = columns.filter(|(c, f)| !c.nullable && !c.hidden && !c.is_virtual && f.is_null());
        match empty.next() {
            Some((column, _)) => Err(self.violates(at, Violation::Null { column: column.name.clone() })?),
            None => Ok(()),
        }
    }

    pub(super) fn check_parent(&mut self, key: &ForeignKey, fields: &[Field]) -> Result<()> {
        let child = self.at_child(key)?;
        let values: Vec<&Field> = child.columns.iter().filter_map(|c| fields.get(*c)).collect();
        let nulls = values.iter().filter(|field| field.is_null()).count();
        match key.match_type {
            MatchType::Simple if nulls > 0 => return Ok(()),
            MatchType::Full if nulls == values.len() => return Ok(()),
            MatchType::Full if nulls > 0 => return Err(self.breaks(key, fields, Reference::NoParent)?),
            MatchType::Partial => return Err(unusable(key, "is MATCH PARTIAL")),
            _ => {}
        }
        let parent = self.at_parent(key)?;
        self.comparable(key, &child, &parent)?;
        let (which, sought) = self.sought(key, &parent, child.at, &values)?;
        if self.at_mut(parent.at)?.has_with(which, &sought)? {
            return Ok(());
        }
        let refers_to_itself = parent.at == child.at
            && child.columns.iter().zip(&parent.columns).all(|(a, b)| fields.get(*a) == fields.get(*b));
        if refers_to_itself { Ok(()) } else { Err(self.breaks(key, fields, Reference::NoParent)?) }
    }

    // The rows that refer to a row.
    fn children(&mut self, key: &ForeignKey, parent: &[Field]) -> Result<Vec<(usize, Stored)>> {
        let end = self.at_parent(key)?;
        let values: Vec<&Field> = end.columns.iter().filter_map(|c| parent.get(*c)).collect();
        if values.iter().any(|field| field.is_null()) {
            return Ok(Vec::new());
        }
        let child = self.at_child(key)?;
        self.comparable(key, &child, &end)?;
        let (which, sought) = self.sought(key, &child, end.at, &values)?;
        let rows = self.at_mut(child.at)?.rows_with(which, &sought)?;
        Ok(rows.into_iter().map(|row| (child.at, row)).collect())
    }

    // Where rows with these values stand at an end of a key.
    fn sought(&self, key: &ForeignKey, end: &End, from: usize, values: &[&Field]) -> Result<(Which, Sought)> {
        let Some((which, order)) = &end.tree else {
            let table = self.at(end.at)?.table.name();
            return Err(unusable(key, &format!("has no index in {table}")));
        };
        let from = self.at(from)?;
        let field = |i: &usize| match values.get(*i) {
            Some(field) => from.form().key_field(field, 0),
            None => Ok(None),
        };
        Ok((*which, order.iter().map(field).collect::<Result<_>>()?))
    }

    fn at_child(&mut self, key: &ForeignKey) -> Result<End> {
        self.end(key, &key.child_table, &key.child_columns)
    }

    fn at_parent(&mut self, key: &ForeignKey) -> Result<End> {
        self.end(key, &key.parent_table, &key.parent_columns)
    }

    fn end(&mut self, key: &ForeignKey, table: &str, tags: &[u64]) -> Result<End> {
        if !key.is_resolved() {
            return Err(unusable(key, "has no columns yet"));
        }
        let at = self
            .open(table)?
            .ok_or_else(|| unusable(key, &format!("needs table {table}, which is not there")))?;
        let opened = self.at(at)?;
        let position = |tag: &u64| opened.schema().columns.iter().position(|c| c.tag == *tag);
        let columns: Option<Vec<usize>> = tags.iter().map(position).collect();
        let columns =
            columns.ok_or_else(|| unusable(key, &format!("names a column that {table} does not have")))?;
        let tree = tree_of(opened, &columns);
        Ok(End { at, columns, tree })
    }

    // Values of both ends are the same if their bytes are.
    fn comparable(&self, key: &ForeignKey, child: &End, parent: &End) -> Result<()> {
        let (mine, theirs) = (self.at(child.at)?.schema(), self.at(parent.at)?.schema());
        for (a, b) in child.columns.iter().zip(&parent.columns) {
            let (Some(a), Some(b)) = (mine.columns.get(*a), theirs.columns.get(*b)) else { continue };
            if !is_alike(a, b) {
                let what = format!("compares {} {} with {} {}", a.name, a.sql_type, b.name, b.sql_type);
                return Err(unusable(key, &what));
            }
        }
        Ok(())
    }

    // The values are those of the key's own columns in the row at fault.
    fn breaks(&mut self, key: &ForeignKey, fields: &[Field], problem: Reference) -> Result<Error> {
        let end = if problem == Reference::NoParent { self.at_child(key)? } else { self.at_parent(key)? };
        let violation = Violation::ForeignKey {
            name: key.name.clone(),
            child: key.child_table.clone(),
            parent: key.parent_table.clone(),
            key: self.at(end.at)?.shown(end.columns.iter().copied(), fields),
            problem,
        };
        self.violates(end.at, violation)
    }
}

impl End {
    fn changes(&self, before: &[Field], after: &[Field]) -> bool {
        self.columns.iter().any(|c| before.get(*c) != after.get(*c))
    }
}

fn is_restriction(option: ReferenceOption) -> bool {
    !matches!(option, ReferenceOption::Cascade | ReferenceOption::SetNull)
}

pub(super) fn unusable(key: &ForeignKey, why: &str) -> Error {
    Error::NotSupported { what: format!("foreign key {} of {}, which {why},", key.name, key.child_table) }
}

// Fractions of numbers and of seconds are compared as they are stored; Dolt finds nothing equal if they are of different types.
fn is_alike(a: &Column, b: &Column) -> bool {
    let (one, other) = (ColumnType::parse(&a.sql_type), ColumnType::parse(&b.sql_type));
    let fractions = match one.name.as_str() {
        "decimal" => one.number(1).unwrap_or(0) == other.number(1).unwrap_or(0),
        "datetime" | "timestamp" | "date" | "time" => one == other,
        _ => true,
    };
    a.encoding == b.encoding && fractions
}

/// The tree whose keys begin with these columns, in whatever order, and that order.
pub(super) fn tree_of(opened: &Opened, columns: &[usize]) -> Option<(Which, Vec<usize>)> {
    let schema = opened.schema();
    let order = |of: &[u16]| -> Option<Vec<usize>> {
        let first = of.get(..columns.len())?;
        first.iter().map(|c| columns.iter().position(|column| *column == usize::from(*c))).collect()
    };
    if let Some(order) = order(&schema.key_columns) {
        return Some((Which::Rows, order));
    }
    let mut indexes =
        schema.indexes.iter().enumerate().filter(|(_, i)| i.prefix_lengths.iter().all(|l| *l == 0));
    indexes.find_map(|(i, index)| Some((Which::Index(i), order(&schema.entry_columns(index))?)))
}
