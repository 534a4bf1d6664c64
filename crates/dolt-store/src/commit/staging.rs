//! What `dolt add -A` stages: the working state, except for the tables that `dolt_ignore` names, which stay staged as they are
//! (Dolt `go/libraries/doltcore/env/actions/staged.go`, `table.go`). A table brings the foreign keys that it declares.

use super::Draft;
use crate::prolly::Edit;
use crate::table::{ForeignKey, Ignored, Tables};
use crate::{Error, Hash, Result};

impl Draft {
    /// Stages the working state. Gives the names of the tables whose changes stay out because they are ignored: new ones, and
    /// those that were committed before somebody ignored them.
    pub fn stage_all(&mut self) -> Result<Vec<String>> {
        let working = self.draft().tables(self.working())?;
        let staged = self.draft().tables(self.staged())?;
        let patterns = working.ignore_patterns()?;
        let mut names = working.names()?;
        names.extend(staged.names()?);
        names.sort();
        names.dedup();
        let mut ignored = Vec::new();
        for name in names {
            match patterns.of(&name) {
                Ignored::No => {}
                Ignored::Yes => ignored.push(name),
                Ignored::Contradicted => {
                    let what = format!("patterns of dolt_ignore that contradict each other for {name}");
                    return Err(Error::NotSupported { what });
                }
            }
        }
        let root = if ignored.is_empty() { self.working() } else { without(&working, &staged, &ignored)? };
        self.set_staged(root);
        let mut left_out = Vec::new();
        for name in ignored {
            if working.address(&name)? != staged.address(&name)? {
                left_out.push(name);
            }
        }
        Ok(left_out)
    }

    /// Every table that a foreign key names is there: Dolt commits no other root.
    pub(super) fn check_foreign_keys(&self) -> Result<()> {
        let staged = self.draft().tables(self.staged())?;
        let keys = staged.foreign_keys()?;
        let names = if keys.is_empty() { Vec::new() } else { staged.names()? };
        let is_there = |table: &str| names.iter().any(|name| name.eq_ignore_ascii_case(table));
        let lost = keys.into_iter().find(|key| !is_there(&key.child_table) || !is_there(&key.parent_table));
        lost.map_or(Ok(()), |key| {
            let (child, parent) = (key.child_table, key.parent_table);
            Err(Error::TornForeignKey { name: key.name, child, parent })
        })
    }
}

// The working root, in which these tables and the foreign keys that they declare are as they are staged.
fn without(working: &Tables, staged: &Tables, ignored: &[String]) -> Result<Hash> {
    let mut edits = Vec::new();
    for name in ignored {
        let key = name.as_bytes().to_vec();
        edits.push(match staged.address(name)? {
            Some(address) => Edit::put(key, address.as_bytes().to_vec()),
            None => Edit::delete(key),
        });
    }
    let is_ignored = |key: &ForeignKey| ignored.iter().any(|t| t.eq_ignore_ascii_case(&key.child_table));
    let mut keys = working.foreign_keys()?;
    keys.retain(|key| !is_ignored(key));
    keys.extend(staged.foreign_keys()?.into_iter().filter(is_ignored));
    keys.sort_by(|a, b| a.name.cmp(&b.name));
    working.changed(edits, Some(&keys))
}
