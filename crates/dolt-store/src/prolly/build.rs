//! What stands above a level of nodes: their addresses in, the address of the root out.

use super::level::{Level, Shape, Written, empty};
use super::tree::load;
use crate::chunk::Snapshot;
use crate::{Hash, Result};

/// Builds a tree node by node.
pub(super) struct Builder<'s> {
    shape: Shape<'s>,
    draft: &'s Snapshot,
    // From the leaves up, with how many nodes each level has written, and the last of them.
    levels: Vec<(Level<'s>, u64, Option<Hash>)>,
    first_level: u8,
}

impl<'s> Builder<'s> {
    /// Builds what stands above nodes of a level.
    pub(super) fn above(shape: Shape<'s>, draft: &'s Snapshot, level: u8) -> Self {
        Self { shape, draft, levels: Vec::new(), first_level: level.saturating_add(1) }
    }

    /// Takes the next node of the level below.
    pub(super) fn add_node(&mut self, node: &Written) -> Result<()> {
        self.add_at(0, &node.last_key, node.address.as_bytes(), node.count)
    }

    fn add_at(&mut self, at: usize, key: &[u8], value: &[u8], count: u64) -> Result<()> {
        while self.levels.len() <= at {
            let level = u8::try_from(self.levels.len()).unwrap_or(u8::MAX).saturating_add(self.first_level);
            self.levels.push((Level::new(self.shape, self.draft, level), 0, None));
        }
        let Some((level, _, _)) = self.levels.get_mut(at) else { return Ok(()) };
        let ended = level.add(key, value, count)?;
        for node in ended.into_iter().flatten() {
            self.ended(at, &node)?;
        }
        Ok(())
    }

    fn ended(&mut self, at: usize, node: &Written) -> Result<()> {
        if let Some((_, written, last)) = self.levels.get_mut(at) {
            (*written, *last) = (written.saturating_add(1), Some(node.address));
        }
        self.add_at(at.saturating_add(1), &node.last_key, node.address.as_bytes(), node.count)
    }

    /// Ends the tree. A level that has one node only is the root; what stands above it was never needed.
    pub(super) fn finish(mut self) -> Result<Hash> {
        let mut at = 0;
        while let Some((level, _, _)) = self.levels.get_mut(at) {
            if let Some(node) = level.cut()? {
                self.ended(at, &node)?;
            }
            if let Some((_, 1, Some(root))) = self.levels.get(at) {
                return collapsed(self.shape, self.draft, *root);
            }
            at = at.saturating_add(1);
        }
        empty(&self.shape, self.draft)
    }
}

/// The root of a tree whose topmost levels may have one child each.
pub(super) fn collapsed(shape: Shape<'_>, draft: &Snapshot, root: Hash) -> Result<Hash> {
    let node = load(draft, shape.kind, root)?;
    match node.address(0) {
        Some(child) if node.level() > 0 && node.len() == 1 => collapsed(shape, draft, child),
        _ => Ok(root),
    }
}

/// A tree from nothing.
#[cfg(test)]
pub(super) fn build<'e>(
    shape: Shape<'_>,
    draft: &Snapshot,
    entries: impl Iterator<Item = (&'e [u8], &'e [u8])>,
) -> Result<Hash> {
    let mut builder = Builder { shape, draft, levels: Vec::new(), first_level: 0 };
    for (key, value) in entries {
        builder.add_at(0, key, value, 1)?;
    }
    builder.finish()
}
