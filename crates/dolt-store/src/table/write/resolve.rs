//! Foreign keys that were made before what they refer to: the first statement that may have to look at them resolves them, as
//! in Dolt (go-mysql-server `sql/analyzer/apply_foreign_keys.go`, `sql/plan/alter_foreign_key.go`, `ResolveForeignKey`; Dolt
//! `go/libraries/doltcore/sqle/tables.go`, `UpdateForeignKey`).
//!
//! That happens before the statement does anything, whether it then finds rows or is refused: what was resolved stays. Only a
//! statement of which some key cannot be resolved changes nothing at all. What could go wrong is a key that is stored other
//! than Dolt would store it, or rows that break it and that an insert should have seen.

use std::rc::Rc;

use super::RootEditor;
use super::cascade::unusable;
use super::plan::Kind;
use crate::ddl::resolved_foreign_key;
use crate::table::{ForeignKey, foreign_key_message};
use crate::{Error, Result};

/// Whether the rows that are there have to hold a key that is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Old {
    /// All of them: statements that add rows.
    Checked,
    /// They are not looked at: updates and deletions.
    Unchecked,
}

impl RootEditor<'_> {
    /// Resolves what a statement on this table may have to look at.
    pub(super) fn resolve(&mut self, at: usize, kind: Kind, old: Old) -> Result<()> {
        let plan = self.plan(at, kind)?;
        let mut made: Vec<(Rc<ForeignKey>, Rc<ForeignKey>)> = Vec::new();
        for key in plan.keys().filter(|key| !key.is_resolved()) {
            if !made.iter().any(|(before, _)| Rc::ptr_eq(before, key)) {
                made.push((Rc::clone(key), Rc::new(self.resolved(key, old)?)));
            }
        }
        if made.is_empty() {
            return Ok(());
        }
        self.keys_are_known()?;
        let after = |key: &mut Rc<ForeignKey>| {
            if let Some((_, after)) = made.iter().find(|(before, _)| Rc::ptr_eq(before, key)) {
                *key = Rc::clone(after);
            }
        };
        self.keys.keys.iter_mut().flatten().for_each(after);
        self.keys.plans.clear();
        self.keys.are_changed = true;
        Ok(())
    }

    fn resolved(&mut self, key: &Rc<ForeignKey>, old: Old) -> Result<ForeignKey> {
        let keys = self.keys.keys.iter().flatten();
        // Dolt puts one of them in the place of either.
        if keys.filter(|other| other.name.eq_ignore_ascii_case(&key.name)).count() > 1 {
            return Err(unresolvable(key, "shares its name with another"));
        }
        let mut end = |table: &str| {
            let at = self.open(table)?;
            at.ok_or_else(|| unresolvable(key, &format!("refers to table {table}, which is not there")))
        };
        let (child, parent) = (end(&key.child_table)?, end(&key.parent_table)?);
        let (own, theirs) = (self.at(child)?.schema(), self.at(parent)?.schema());
        let resolved = resolved_foreign_key(key, own, theirs).map_err(|error| match error {
            Error::Definition { problem, .. } => unresolvable(key, &format!("cannot be resolved: {problem}")),
            other => other,
        })?;
        if old == Old::Checked {
            for entry in self.at(child)?.all()? {
                let row = self.at(child)?.stored(entry)?;
                self.check_parent(&resolved, &row.fields)?;
            }
        }
        Ok(resolved)
    }

    // Keys that say more than is understood would lose it.
    fn keys_are_known(&self) -> Result<()> {
        let stored = self.session.snapshot().chunk(self.root_value().foreign_keys)?;
        if stored == foreign_key_message(&self.foreign_keys()?) {
            return Ok(());
        }
        Err(Error::NotSupported { what: "changing foreign keys of a kind that is not known".to_owned() })
    }
}

fn unresolvable(key: &ForeignKey, why: &str) -> Error {
    unusable(key, &format!("was made before what it refers to and {why}"))
}
