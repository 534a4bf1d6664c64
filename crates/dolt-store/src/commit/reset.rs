//! A branch moved to another commit, and tables put back (Dolt `go/libraries/doltcore/env/actions/reset.go`, `checkout.go`).

use std::collections::HashSet;

use super::transaction::{head_ref, set_ref};
use super::{Author, Draft, Locked, Prepared, RefChange};
use crate::message::WorkingSet;
use crate::prolly::Edit;
use crate::table::Tables;
use crate::{Error, Hash, Result};

/// What follows a branch to another commit. All of them give up a merge or a rebase under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// Nothing: what the commits in between did is staged.
    Soft,
    /// The staged root.
    Mixed,
    /// The staged and the working root. Tables that are neither committed nor staged stay.
    Hard,
}

impl Draft {
    /// The branch moves to a commit. What stood there before can be found again by its address, until a collection.
    pub fn prepare_reset(mut self, to: Hash, how: Reset, by: &Author) -> Result<Prepared> {
        let target = self.draft().commit(to)?.root_value;
        if how == Reset::Hard {
            let kept = self.untracked_on(target)?;
            self.set_working(kept);
        }
        if how != Reset::Soft {
            self.set_staged(target);
        }
        self.prepare_move(to, by, "reset")
    }

    /// Puts tables of the working root back as they are staged, or else committed; one that is neither goes.
    pub fn put_back(&mut self, tables: &[&str]) -> Result<()> {
        let draft = self.draft();
        let working = draft.tables(self.working())?;
        let staged = draft.tables(self.staged())?;
        let committed = draft.tables(draft.commit(self.head())?.root_value)?;
        // The foreign keys of one table cannot be put back without those of others, whose columns may have changed.
        let keys = |tables: &Tables| tables.root_value().foreign_keys;
        if keys(&staged) != keys(&working) || keys(&committed) != keys(&working) {
            let what = "putting tables back while foreign keys have changed".to_owned();
            return Err(Error::NotSupported { what });
        }
        let mut edits = Vec::new();
        for name in tables {
            let key = name.as_bytes().to_vec();
            let before = match staged.address(name)? {
                None => committed.address(name)?,
                found => found,
            };
            edits.push(match before {
                Some(address) => Edit::put(key, address.as_bytes().to_vec()),
                None if working.address(name)?.is_some() => Edit::delete(key),
                None => return Err(Error::NoTable { name: (*name).to_owned() }),
            });
        }
        let root = working.changed(edits, None)?;
        self.set_working(root);
        Ok(())
    }

    // A root with the tables that are in the working root only.
    fn untracked_on(&self, target: Hash) -> Result<Hash> {
        let draft = self.draft();
        let (working, staged, target) =
            (draft.tables(self.working())?, draft.tables(self.staged())?, draft.tables(target)?);
        let tags = |tables: &Tables, name: &str| -> Result<Vec<u64>> {
            let table = tables.open(name)?;
            Ok(table.map(|t| t.schema().columns.iter().map(|c| c.tag).collect()).unwrap_or_default())
        };
        let mut taken: HashSet<u64> = HashSet::new();
        for name in target.names()? {
            taken.extend(tags(&target, &name)?);
        }
        let mut edits = Vec::new();
        for (name, address) in working.addresses()? {
            if staged.address(&name)?.is_some() || target.address(&name)?.is_some() {
                continue;
            }
            // Dolt drops such a table without a word.
            if tags(&working, &name)?.iter().any(|tag| taken.contains(tag)) {
                let what =
                    format!("keeping table {name}, which is not committed, beside columns of the same tags");
                return Err(Error::NotSupported { what });
            }
            edits.push(Edit::put(name.into_bytes(), address.as_bytes().to_vec()));
        }
        target.changed(edits, None)
    }
}

impl Locked {
    /// Puts the database's directory on another branch. Each branch keeps its own working set: nothing is carried along.
    pub fn checkout(&mut self, branch: &str, seconds: u64) -> Result<()> {
        let draft = self.session()?;
        let head = draft.resolve_exact(&head_ref(branch))?;
        let head = head.ok_or_else(|| Error::NoBranch { name: branch.to_owned() })?;
        if draft.resolve_exact(&set_ref(branch))?.is_none() {
            let set = WorkingSet::clean(draft.commit(head)?.root_value);
            let set = draft.snapshot().put(set.message())?;
            let change = RefChange { name: set_ref(branch), from: None, to: Some(set) };
            self.update(&draft, &[change], seconds)?;
        }
        self.set_head(branch)
    }
}
