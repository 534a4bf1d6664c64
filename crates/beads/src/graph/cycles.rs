//! Circles of edges that block directly. New ones are refused, but an import of older data, or a merge, can bring some.

use std::collections::{HashMap, VecDeque};

use super::{Graph, Index};

/// The ids of one circle, each waiting for the next and the last for the first.
pub type Cycle<'g> = Vec<&'g str>;

impl Graph {
    /// Whether an issue waits for another, over any number of edges that block directly; each waits for itself. External
    /// targets count by their names, as in bd (`cycleReachabilityQuery`).
    pub fn waits(&self, issue: &str, target: &str) -> bool {
        issue == target || self.path(issue, target).is_some()
    }

    /// A shortest way from an issue to another, both included, over edges that block directly.
    pub fn path(&self, issue: &str, target: &str) -> Option<Vec<&str>> {
        let (from, to) = (*self.index.get(issue)?, *self.index.get(target)?);
        let mut came_from: HashMap<Index, Index> = HashMap::from([(from, from)]);
        let mut queue = VecDeque::from([from]);
        while let Some(at) = queue.pop_front() {
            if at == to {
                let mut way = vec![self.name(at)];
                let mut at = at;
                while at != from {
                    at = *came_from.get(&at)?;
                    way.push(self.name(at));
                }
                way.reverse();
                return Some(way);
            }
            for next in self.waited_for(at) {
                came_from.entry(next).or_insert_with(|| {
                    queue.push_back(next);
                    at
                });
            }
        }
        None
    }

    fn waited_for(&self, at: Index) -> impl Iterator<Item = Index> {
        let out = self.nodes.get(at).map_or(&[][..], |node| &node.out);
        out.iter().filter(|link| link.kind.blocks_directly()).map(|link| link.target)
    }

    /// Circles for `dep cycles`: one for each edge that leads back to where a depth-first walk came from (bd
    /// `DetectCyclesInTx`, which walks in no fixed order; here in that of insertion).
    pub fn cycles(&self) -> Vec<Cycle<'_>> {
        let mut cycles = Vec::new();
        let mut visited = vec![false; self.nodes.len()];
        for start in 0..self.nodes.len() {
            if visited.get(start).copied().unwrap_or(true) {
                continue;
            }
            // The way from the start, each with the targets that are left to be looked at.
            let mut way: Vec<(Index, Vec<Index>)> = Vec::new();
            let mut next = Some(start);
            loop {
                if let Some(at) = next.take() {
                    if let Some(seen) = visited.get_mut(at) {
                        *seen = true;
                    }
                    let mut targets: Vec<_> = self.waited_for(at).collect();
                    targets.reverse();
                    way.push((at, targets));
                }
                let Some((_, targets)) = way.last_mut() else { break };
                let Some(target) = targets.pop() else {
                    way.pop();
                    continue;
                };
                if !visited.get(target).copied().unwrap_or(true) {
                    next = Some(target);
                } else if let Some(from) = way.iter().position(|(at, _)| *at == target) {
                    cycles.push(way.iter().skip(from).map(|(at, _)| self.name(*at)).collect());
                }
            }
        }
        cycles
    }
}
