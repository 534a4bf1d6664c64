//! Auto increment (Dolt `go/libraries/doltcore/sqle/dsess/autoincrement_tracker.go`): the next value of a table is the greatest
//! that any branch has stored for a table of that name, the working state of this one included. A value that was given out is
//! not given again, even if its row was refused.

use std::collections::BTreeMap;

use super::RootEditor;
use crate::commit::RefKind;
use crate::table::{Column, Encoding, Schema, Tables, Value};
use crate::{Hash, Result};

/// The next values of tables, by their names in lower case.
#[derive(Debug, Default)]
pub(super) struct Counters {
    next: BTreeMap<String, u64>,
    // What the statement under way has changed: the table and what was next before.
    before: Option<(String, u64)>,
}

impl Counters {
    /// Begins a statement: what was counted before stays.
    pub(super) fn keep(&mut self) {
        self.before = None;
    }

    /// Takes back what the statement has counted.
    pub(super) fn take_back(&mut self) {
        if let Some((name, next)) = self.before.take() {
            self.next.insert(name, next);
        }
    }
}

impl RootEditor<'_> {
    /// Gives a new row the value of the column that counts, and counts.
    pub(super) fn count(&mut self, at: usize, given: &mut [Option<Value>]) -> Result<()> {
        let opened = self.at(at)?;
        let Some((position, column)) = counting_column(opened.schema()) else { return Ok(()) };
        let max = greatest(column);
        let Some(slot) = given.get_mut(position) else { return Ok(()) };
        let wanted = match slot {
            None | Some(Value::Null | Value::Int(0) | Value::Uint(0)) => None,
            Some(Value::Uint(n)) => Some(*n),
            // What is negative, or no number, has nothing to do with it.
            Some(Value::Int(n)) if *n > 0 => Some(n.unsigned_abs()),
            Some(_) => return Ok(()),
        };
        let next = self.next(at)?;
        let (value, after) = match wanted {
            None => (next, next.saturating_add(1)),
            Some(n) if n < next || n > max => (n, next),
            // The last value there can be stays the next one.
            Some(n) if n == max => (n, n),
            Some(n) => (n, n.saturating_add(1)),
        };
        if wanted.is_none() {
            *slot = Some(Value::Uint(value));
        }
        let name = self.at(at)?.table.name().to_ascii_lowercase();
        self.counters.before.get_or_insert((name.clone(), next));
        self.counters.next.insert(name, after);
        Ok(())
    }

    /// What is stored as the next value of a table whose rows were added or changed; `None`: it does not count.
    pub(super) fn next_of(&mut self, at: usize) -> Result<Option<u64>> {
        if counting_column(self.at(at)?.schema()).is_none() {
            return Ok(None);
        }
        // 1 is as good as nothing.
        Ok(Some(self.next(at)?).map(|n| if n == 1 { 0 } else { n }))
    }

    fn next(&mut self, at: usize) -> Result<u64> {
        let table = &self.at(at)?.table;
        let name = table.name().to_ascii_lowercase();
        if let Some(known) = self.counters.next.get(&name) {
            return Ok(*known);
        }
        let mut next = table.auto_increment().max(1);
        let (own, address) = (table.name().to_owned(), table.address());
        for root in self.other_roots()? {
            let tables = self.session.tables(root)?;
            if let Some(other) = elsewhere(&tables, &own, address)? {
                next = next.max(other);
            }
        }
        self.counters.next.insert(name, next);
        Ok(next)
    }

    // The working roots of the other branches, or what they are at; and what remotes were at.
    fn other_roots(&self) -> Result<Vec<Hash>> {
        let mut roots = Vec::new();
        for name in self.session.all_refs()? {
            let root = match name.kind {
                RefKind::Branch if name.name == self.branch => continue,
                RefKind::Branch => match self.session.working_set(&name.name)? {
                    Some(set) => set.working,
                    None => self.session.commit(name.target)?.root_value,
                },
                RefKind::Remote => self.session.commit(name.target)?.root_value,
                _ => continue,
            };
            roots.push(root);
        }
        roots.sort_unstable();
        roots.dedup();
        Ok(roots)
    }
}

// The next value that a table of this name has in another root, if it is another table.
fn elsewhere(tables: &Tables, name: &str, own: Hash) -> Result<Option<u64>> {
    let mut found = tables.address(name)?.map(|address| (name.to_owned(), address));
    if found.is_none() {
        found = tables.addresses()?.into_iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
    }
    let Some((name, _)) = found.filter(|(_, address)| *address != own) else { return Ok(None) };
    let Some(table) = tables.open(&name)? else { return Ok(None) };
    Ok(counting_column(table.schema()).map(|_| table.auto_increment()))
}

fn counting_column(schema: &Schema) -> Option<(usize, &Column)> {
    schema.columns.iter().enumerate().find(|(_, column)| column.auto_increment)
}

// The greatest value of a column.
fn greatest(column: &Column) -> u64 {
    let is_medium = column.sql_type.starts_with("mediumint");
    let bits = match column.encoding {
        Encoding::Int8 => 7,
        Encoding::Uint8 => 8,
        Encoding::Int16 => 15,
        Encoding::Uint16 => 16,
        Encoding::Int32 if is_medium => 23,
        Encoding::Int32 => 31,
        Encoding::Uint32 if is_medium => 24,
        Encoding::Uint32 => 32,
        Encoding::Int64 => 63,
        _ => 64,
    };
    u64::MAX.checked_shr(64u32.saturating_sub(bits)).unwrap_or(u64::MAX)
}
