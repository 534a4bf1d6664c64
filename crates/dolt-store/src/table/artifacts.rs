//! What a merge left in a table: conflicts, and rows that break a constraint (Dolt `go/store/prolly/artifact_map.go`).
//!
//! The key of an artifact is the row's key, the address of the commit that was merged in, and one byte for its kind: 1 a conflict,
//! 2 a foreign key, 3 a unique key, 4 a check, 5 a NULL where none may be; newer versions add a hash. The rows themselves
//! are in the table as they are on our side.

use super::tables::Table;
use super::tuple::Tuple;
use crate::message::Node;
use crate::{Error, Hash, Result};

/// How many of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Artifacts {
    /// Rows that both sides changed.
    pub conflicts: u64,
    /// Rows that break a constraint.
    pub violations: u64,
}

impl Table {
    /// What a merge left in it.
    pub fn artifacts(&self) -> Result<Artifacts> {
        let mut found = Artifacts::default();
        if let Some(root) = self.artifact_root() {
            self.count_artifacts(root, None, &mut found)?;
        }
        Ok(found)
    }

    fn count_artifacts(&self, hash: Hash, under: Option<u8>, found: &mut Artifacts) -> Result<()> {
        let bad = |problem: String| Error::BadChunk { hash, problem };
        let node = Node::of_artifacts(self.snapshot().chunk(hash)?).map_err(bad)?;
        if under.is_some_and(|level| level.checked_sub(1) != Some(node.level())) {
            return Err(bad(format!("a node of level {} in the wrong place", node.level())));
        }
        let kind_at = self.schema().key_columns.len().saturating_add(1);
        for i in 0..node.len() {
            if node.level() > 0 {
                let child = node.address(i).ok_or_else(|| bad(format!("there is no child {i}")))?;
                self.count_artifacts(child, Some(node.level()), found)?;
                continue;
            }
            let key = Tuple::parse(node.key(i)).map_err(bad)?;
            let count = match key.field(kind_at).map_err(bad)? {
                Some([1]) => &mut found.conflicts,
                Some([_]) => &mut found.violations,
                _ => return Err(bad("an artifact without a kind".to_owned())),
            };
            *count = count.saturating_add(1);
        }
        Ok(())
    }
}
