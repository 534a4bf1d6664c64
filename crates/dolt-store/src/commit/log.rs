//! History in the order of `dolt log`: greatest height first, then the newest author date, then the address.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use super::Session;
use crate::bytes::array;
use crate::message::{Commit, NodeKind};
use crate::prolly::Tree;
use crate::{Hash, Result};

/// A commit and its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Its address.
    pub hash: Hash,
    /// The commit.
    pub commit: Commit,
}

/// Walks from a commit to its ancestors. Each commit comes once, every child before its parents.
#[derive(Debug)]
pub struct Log<'s> {
    session: &'s Session,
    waiting: BinaryHeap<(u64, i64, Reverse<Hash>)>,
    seen: HashSet<Hash>,
}

impl Session {
    /// The history of a commit, itself first.
    pub fn log(&self, from: Hash) -> Result<Log<'_>> {
        let mut log = Log { session: self, waiting: BinaryHeap::new(), seen: HashSet::new() };
        log.wait_for(from)?;
        Ok(log)
    }
}

impl Session {
    /// Whether `ancestor` is a proper ancestor of `commit`. One look into the commit's closure, however long the history.
    pub fn is_ancestor(&self, ancestor: Hash, commit: Hash) -> Result<bool> {
        let closure = self.commit(commit)?.closure;
        if closure.is_none() {
            return Ok(false);
        }
        let height = self.commit(ancestor)?.height;
        let tree = Tree::open(self.snapshot(), NodeKind::Closure, closure)?;
        // A closure's keys are sorted by height as a number, then by address.
        let order = |key: &[u8]| {
            let at = array(key, 0).map(u64::from_le_bytes).unwrap_or_default();
            at.cmp(&height).then_with(|| key.get(8..).unwrap_or_default().cmp(ancestor.as_bytes().as_slice()))
        };
        Ok(tree.get(order)?.is_some())
    }

    /// The nearest common ancestor: the one of greatest height, of those the one with the smallest address. A commit is its
    /// own ancestor here. `None`: the histories have nothing in common.
    pub fn merge_base(&self, a: Hash, b: Hash) -> Result<Option<Hash>> {
        let mut best: Option<(u64, Hash)> = None;
        for entry in self.log(a)? {
            let LogEntry { hash, commit } = entry?;
            // The walk goes from great heights to small ones.
            if best.is_some_and(|(height, _)| commit.height < height) {
                break;
            }
            if hash == b || self.is_ancestor(hash, b)? {
                let smallest = best.map_or(hash, |(_, other)| other.min(hash));
                best = Some((commit.height, smallest));
            }
        }
        Ok(best.map(|(_, hash)| hash))
    }
}

impl Log<'_> {
    fn wait_for(&mut self, hash: Hash) -> Result<()> {
        // A commit that a shallow clone left out is where history ends here.
        if self.seen.insert(hash) && !self.session.snapshot().is_ghost(hash) {
            let commit = self.session.commit(hash)?;
            self.waiting.push((commit.height, commit.author_millis, Reverse(hash)));
        }
        Ok(())
    }

    fn step(&mut self) -> Result<Option<LogEntry>> {
        let Some((_, _, Reverse(hash))) = self.waiting.pop() else { return Ok(None) };
        let commit = self.session.commit(hash)?;
        for parent in &commit.parents {
            self.wait_for(*parent)?;
        }
        Ok(Some(LogEntry { hash, commit }))
    }
}

impl Iterator for Log<'_> {
    type Item = Result<LogEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}
