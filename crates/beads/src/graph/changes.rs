//! One change at a time. Each finds where the rule could have another answer, goes down from there to all descendants, and
//! settles just these (the sets are bd's `AffectedBy…`, without the cases that it forgets).

use super::{Flip, Graph, Index, State};
use crate::edge::{Edge, EdgeType, Target};
use crate::issue::Status;

impl Graph {
    /// A new issue or wisp, or another status of one that is there. Gives what flipped, by id.
    pub fn set_status(&mut self, id: &str, status: &Status) -> Vec<Flip> {
        let at = self.intern(id);
        let state = State::of(status);
        if let Some(node) = self.nodes.get_mut(at)
            && std::mem::replace(&mut node.state, state) == state
        {
            return Vec::new();
        }
        let seeds = self.concerned_by_state(at);
        self.settle_from(seeds)
    }

    /// The issue goes, with the edges that begin at it and those that end at it, as the foreign keys have it.
    pub fn remove(&mut self, id: &str) -> Vec<Flip> {
        let Some(&at) = self.index.get(id) else { return Vec::new() };
        let mut seeds = self.concerned_by_state(at);
        seeds.extend(self.sources(at, |_| true));
        let Some(node) = self.nodes.get_mut(at) else { return Vec::new() };
        node.state = State::Absent;
        let sources: Vec<_> = node.into.iter().map(|(from, _)| *from).collect();
        let targets: Vec<_> = node.out.iter().map(|link| link.target).collect();
        for from in sources {
            self.unlink(from, at);
        }
        for to in targets {
            self.unlink(at, to);
        }
        self.settle_from(seeds)
    }

    /// Adds an edge, or replaces the one of the pair. Nothing is checked: see [`crate::edge::check_new`].
    pub fn add_edge(&mut self, edge: &Edge, target: Target) -> Vec<Flip> {
        let (from, to) = (self.intern(&edge.issue_id), self.intern(&edge.depends_on_id));
        let before = self.unlink(from, to);
        self.link(&edge.issue_id, edge, target);
        self.settle_edge(from, to, before.iter().chain([&edge.kind]))
    }

    /// Takes the pair's edge out, if there is one.
    pub fn remove_edge(&mut self, issue: &str, target: &str) -> Vec<Flip> {
        let (Some(&from), Some(&to)) = (self.index.get(issue), self.index.get(target)) else {
            return Vec::new();
        };
        let before = self.unlink(from, to);
        self.settle_edge(from, to, before.iter())
    }

    fn settle_edge<'k>(
        &mut self,
        from: Index,
        to: Index,
        kinds: impl Iterator<Item = &'k EdgeType> + Clone,
    ) -> Vec<Flip> {
        if !kinds.clone().any(EdgeType::affects_ready_work) {
            return Vec::new();
        }
        let mut seeds = vec![from];
        if kinds.into_iter().any(|kind| *kind == EdgeType::ParentChild) {
            // Another child, or one less, for whoever waits for the parent's children.
            seeds.extend(self.sources(to, |kind| *kind == EdgeType::WaitsFor));
        }
        self.settle_from(seeds)
    }

    /// The node, who waits for it, and who waits for the children of its parents.
    fn concerned_by_state(&self, at: Index) -> Vec<Index> {
        let mut seeds = vec![at];
        seeds.extend(self.sources(at, EdgeType::blocks_directly));
        let parents = self.nodes.get(at).map_or(&[][..], |node| &node.out);
        for parent in parents.iter().filter(|link| link.is_parent()) {
            seeds.extend(self.sources(parent.target, |kind| *kind == EdgeType::WaitsFor));
        }
        seeds
    }

    fn sources(&self, at: Index, wanted: impl Fn(&EdgeType) -> bool) -> Vec<Index> {
        let into = self.nodes.get(at).map_or(&[][..], |node| &node.into);
        into.iter().filter(|(_, kind)| wanted(kind)).map(|(from, _)| *from).collect()
    }

    fn settle_from(&mut self, seeds: Vec<Index>) -> Vec<Flip> {
        let mut is_in_set = vec![false; self.nodes.len()];
        let mut set: Vec<Index> = Vec::new();
        let mut queue = seeds;
        while let Some(at) = queue.pop() {
            if let Some(seen) = is_in_set.get_mut(at)
                && !std::mem::replace(seen, true)
            {
                set.push(at);
                queue.extend(self.child_indexes(at));
            }
        }
        let flipped = self.settle(set, &is_in_set);
        let flips = flipped.into_iter().filter_map(|at| self.nodes.get(at));
        let mut flips: Vec<_> =
            flips.map(|node| Flip { id: node.id.clone(), blocked: node.blocked }).collect();
        flips.sort_unstable();
        flips
    }
}
