//! What is going on on a branch besides its commits: changes that are not committed, and a merge or rebase under way.

use dolt_store::commit::Session as State;
use dolt_store::table::{Artifacts, Ignored, TableChange};
use dolt_store::{Hash, MergeState, RebaseState, Result};
use serde_json::{Value, json};

/// Names that are written out for people; the JSON has all of them.
const NAMED: usize = 3;

/// The working set of a branch, beside its head.
#[derive(Debug)]
pub(super) struct Working {
    unstaged: Vec<String>,
    staged: Vec<String>,
    merge: Option<MergeState>,
    rebase: Option<RebaseState>,
    // Tables in which a merge left something, looked for only while one is under way.
    left: Vec<(String, Artifacts)>,
}

impl Working {
    /// `None`: the branch has no working set, so nothing is going on.
    pub(super) fn of(state: &State, branch: &str) -> Result<Option<Self>> {
        let Some(set) = state.working_set(branch)? else { return Ok(None) };
        let head = state.resolve_exact(&format!("refs/heads/{branch}"))?;
        let head = head.map(|commit| state.commit(commit)).transpose()?.map_or(set.staged, |c| c.root_value);
        let mut left = Vec::new();
        if set.merge.is_some() || set.rebase.is_some() {
            let tables = state.tables(set.working)?;
            for name in tables.names()? {
                let artifacts = tables.open(&name)?.map(|t| t.artifacts()).transpose()?.unwrap_or_default();
                if artifacts != Artifacts::default() {
                    left.push((name, artifacts));
                }
            }
        }
        Ok(Some(Self {
            unstaged: changed(state, set.staged, set.working, set.working)?,
            staged: changed(state, head, set.staged, set.working)?,
            merge: set.merge,
            rebase: set.rebase,
            left,
        }))
    }

    /// A merge, cherry-pick, revert or rebase that was begun and not ended.
    pub(super) fn under_way(&self) -> Option<String> {
        let doing = match (&self.merge, &self.rebase) {
            (Some(merge), _) => {
                let from = if merge.from_spec.is_empty() {
                    merge.from_commit.to_string()
                } else {
                    merge.from_spec.clone()
                };
                match (merge.is_revert, merge.is_cherry_pick) {
                    (true, _) => format!("reverting {from}"),
                    (_, true) => format!("cherry-picking {from}"),
                    _ => format!("merging {from}"),
                }
            }
            (None, Some(rebase)) => format!("rebasing {} onto {}", rebase.branch, rebase.onto_commit),
            (None, None) => return None,
        };
        let which = |is: fn(&Artifacts) -> u64| -> Vec<String> {
            self.left.iter().filter(|(_, a)| is(a) > 0).map(|(name, _)| name.clone()).collect()
        };
        let (conflicts, violations) = (which(|a| a.conflicts), which(|a| a.violations));
        let mut text = doing;
        for (what, names) in [("conflicts in", conflicts), ("constraint violations in", violations)] {
            if !names.is_empty() {
                text.extend([", ", what, " ", &some(&names)]);
            }
        }
        Some(text)
    }

    /// In a line for people; nothing if nothing is going on.
    pub(super) fn about(&self) -> String {
        let mut parts: Vec<String> = self.under_way().into_iter().collect();
        let mut names: Vec<String> = self.staged.iter().chain(&self.unstaged).cloned().collect();
        names.sort();
        names.dedup();
        if !names.is_empty() {
            parts.push(format!("not committed: {}", some(&names)));
        }
        parts.join("; ")
    }

    pub(super) fn to_json(&self) -> Value {
        let left = |(name, a): &(String, Artifacts)| json!({"table": name, "conflicts": a.conflicts, "violations": a.violations});
        let merge = self.merge.as_ref().map(|m| {
            let kind = match (m.is_revert, m.is_cherry_pick) {
                (true, _) => "revert",
                (_, true) => "cherry-pick",
                _ => "merge",
            };
            json!({"kind": kind, "from": m.from_spec, "commit": m.from_commit.to_string(), "unmergable": m.unmergable_tables})
        });
        let rebase =
            self.rebase.as_ref().map(|r| json!({"branch": r.branch, "onto": r.onto_commit.to_string()}));
        json!({
            "staged": self.staged, "unstaged": self.unstaged, "merge": merge, "rebase": rebase,
            "left": self.left.iter().map(left).collect::<Vec<_>>(),
        })
    }
}

// Tables that differ, without new ones that `dolt_ignore` of the working state names.
fn changed(state: &State, old: Hash, new: Hash, working: Hash) -> Result<Vec<String>> {
    if old == new {
        return Ok(Vec::new());
    }
    let changes = state.tables(old)?.changes_to(&state.tables(new)?)?;
    let ignored = state.tables(working)?.ignore_patterns()?;
    let counts = |(name, change): &(String, TableChange)| {
        *change == TableChange::Modified || ignored.of(name) != Ignored::Yes
    };
    Ok(changes.into_iter().filter(counts).map(|(name, _)| name).collect())
}

/// The first few of some names.
fn some(names: &[String]) -> String {
    let first = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(NAMED).filter(|n| *n > 0) {
        Some(more) => format!("{first} and {more} more"),
        None => first,
    }
}
