//! A merge, a cherry-pick or a revert under way, when the branch gets a commit: what has to be settled first, and whose
//! child the commit is (Dolt `go/libraries/doltcore/env/actions/commit.go`).

use super::Draft;
use crate::{Error, Hash, Result};

impl Draft {
    /// The commit that is merged in, which becomes the second parent. Neither a cherry-pick nor a revert has one. Refused
    /// are a rebase, a series of picks that goes on after this commit, and what has conflicts or breaks a constraint.
    pub(super) fn merged_in(&self) -> Result<Option<Hash>> {
        let under_way = |what| Err(Error::UnderWay { branch: self.branch().to_owned(), what });
        if self.set().rebase.is_some() {
            return under_way("a rebase");
        }
        self.check_settled()?;
        match &self.set().merge {
            None => Ok(None),
            Some(merge) if !merge.pending.is_empty() => under_way("a series of cherry-picks or reverts"),
            Some(merge) if !merge.unmergable_tables.is_empty() => {
                under_way("a merge with conflicts of schemas")
            }
            Some(merge) if merge.is_cherry_pick || merge.is_revert => Ok(None),
            Some(merge) => Ok(Some(merge.from_commit)),
        }
    }

    // No table that was changed since the last commit has conflicts or rows that break a constraint; during a merge, none
    // at all has.
    fn check_settled(&self) -> Result<()> {
        let draft = self.draft();
        let working = draft.tables(self.working())?;
        let names: Vec<String> = if self.set().merge.is_some() {
            working.names()?
        } else {
            let committed = draft.tables(draft.commit(self.head())?.root_value)?;
            committed.changes_to(&working)?.into_iter().map(|(name, _)| name).collect()
        };
        for name in names {
            let Some(table) = working.open(&name)? else { continue };
            let left = table.artifacts()?;
            if left.conflicts > 0 || left.violations > 0 {
                let (conflicts, violations) = (left.conflicts, left.violations);
                return Err(Error::Unsettled { table: name, conflicts, violations });
            }
        }
        Ok(())
    }
}
