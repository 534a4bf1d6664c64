//! Rows of the tables of one root value being changed. Tables are opened when they are first asked for, each tree is edited
//! once at the end, and what is asked meanwhile sees what was changed.
//!
//! Each call is a statement: it is done whole, with everything that foreign keys make of it, or it changes nothing but the
//! foreign keys that it was the first to look at.

use super::cascade::ForeignKeys;
use super::counter::Counters;
use super::field::Field;
use super::fill;
use super::opened::{Clash, Opened, Stored};
use super::unfinished::{Unfinished, violates};
use super::{TableEditor, Violation};
use crate::commit::Session;
use crate::expr::EvalContext;
use crate::message::RootValue;
use crate::prolly::Edit;
use crate::table::{ForeignKey, Tables, Value};
use crate::{Error, Hash, Result};

/// The tables of a root value being changed.
pub struct RootEditor<'d> {
    pub(super) session: &'d Session,
    pub(super) branch: String,
    root: Hash,
    tables: Tables,
    opened: Vec<Opened>,
    pub(super) keys: ForeignKeys,
    pub(super) counters: Counters,
    context: Option<EvalContext>,
}

impl<'d> RootEditor<'d> {
    /// Begins to change a root of a branch.
    pub(crate) fn new(session: &'d Session, branch: &str, root: Hash) -> Result<Self> {
        let tables = session.tables(root)?;
        let branch = branch.to_owned();
        let (keys, counters) = (ForeignKeys::default(), Counters::default());
        Ok(Self { session, branch, root, tables, opened: Vec::new(), keys, counters, context: None })
    }

    /// What time it is from now on, and where random bytes come from, for defaults and `ON UPDATE`. Before this is said, a
    /// row that needs either is refused.
    pub fn set_context(&mut self, context: EvalContext) {
        self.context = Some(context);
    }

    /// A table by its name.
    pub fn table(&mut self, name: &str) -> Result<TableEditor<'_, 'd>> {
        let at = self.open(name)?.ok_or_else(|| Error::NoTable { name: name.to_owned() })?;
        Ok(TableEditor::new(self, at))
    }

    // Where the table is among those that are open.
    pub(super) fn open(&mut self, name: &str) -> Result<Option<usize>> {
        if let Some(at) = self.opened.iter().position(|o| o.table.name() == name) {
            return Ok(Some(at));
        }
        let Some(table) = self.tables.open(name)? else {
            // Foreign keys name tables as somebody once spelled them.
            let names = self.tables.names()?;
            let other = names.iter().find(|n| n.eq_ignore_ascii_case(name));
            return other.map_or(Ok(None), |other| self.open(other));
        };
        self.opened.push(Opened::new(table, self.session.snapshot())?);
        Ok(self.opened.len().checked_sub(1))
    }

    pub(super) fn at(&self, at: usize) -> Result<&Opened> {
        self.opened.get(at).ok_or_else(not_open)
    }

    pub(super) fn at_mut(&mut self, at: usize) -> Result<&mut Opened> {
        self.opened.get_mut(at).ok_or_else(not_open)
    }

    /// Does something whole or not at all.
    pub(super) fn statement<T>(&mut self, does: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.opened.iter_mut().for_each(Opened::keep);
        self.counters.keep();
        let done = does(self);
        // In Dolt a row that is refused uses up its number. One that only we refuse does nothing.
        if matches!(done, Err(Error::NotSupported { .. })) {
            self.counters.take_back();
        }
        if done.is_err() {
            self.opened.iter_mut().try_for_each(Opened::take_back)?;
        }
        done
    }

    /// A row of which these values are given, completed.
    pub(super) fn complete(
        &mut self,
        at: usize,
        stored: Option<&Stored>,
        mut given: Vec<Option<Value>>,
    ) -> Result<Completed> {
        if stored.is_none() {
            self.count(at, &mut given)?;
        }
        let opened = self.at(at)?;
        let stored = stored.map(|s| s.fields.as_slice());
        let mut row = Unfinished::new(&opened.table, &opened.draft, stored, given);
        let done = fill::complete(&mut row, &opened.rules, self.context.as_ref())
            .and_then(|()| Ok(Completed { is_changed: row.is_changed()?, fields: row.fields()? }));
        done.map_err(|error| row.named(error))
    }

    /// Adds a row, if what it refers to is there.
    pub(super) fn insert(&mut self, at: usize, fields: &[Field]) -> Result<Option<Clash>> {
        self.check_new(at, fields)?;
        self.at_mut(at)?.add(fields)
    }

    pub(super) fn root_value(&self) -> &RootValue {
        self.tables.root_value()
    }

    pub(super) fn foreign_keys(&self) -> Result<Vec<ForeignKey>> {
        self.tables.foreign_keys()
    }

    pub(super) fn duplicate(&self, at: usize, clash: &Clash, fields: &[Field]) -> Result<Error> {
        let opened = self.at(at)?;
        Ok(violates(&opened.table, opened.duplicate(clash, fields)))
    }

    pub(super) fn violates(&self, at: usize, violation: Violation) -> Result<Error> {
        Ok(violates(&self.at(at)?.table, violation))
    }

    /// Edits the trees. Gives the address of the new root value.
    pub(crate) fn finish(mut self) -> Result<Hash> {
        for at in 0..self.opened.len() {
            self.at_mut(at)?.keep();
            // A removal alone does not store it.
            if self.at(at)?.has_put {
                let next = self.next_of(at)?;
                self.at_mut(at)?.next = next;
            }
        }
        let mut puts = Vec::new();
        for opened in self.opened.into_iter().filter(Opened::is_changed) {
            let name = opened.table.name().as_bytes().to_vec();
            puts.push(Edit::put(name, opened.finish()?.as_bytes().to_vec()));
        }
        if self.keys.are_changed {
            let keys: Vec<_> = self.keys.keys.iter().flatten().map(|key| ForeignKey::clone(key)).collect();
            return self.tables.changed(puts, Some(&keys));
        }
        if puts.is_empty() {
            return Ok(self.root);
        }
        self.tables.changed(puts, None)
    }
}

/// A row that can be stored.
pub(super) struct Completed {
    pub(super) fields: Vec<Field>,
    /// Whether it is another than the one that is stored.
    pub(super) is_changed: bool,
}

fn not_open() -> Error {
    Error::NotSupported { what: "a table that is not open".to_owned() }
}
