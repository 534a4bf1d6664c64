//! The rule itself, and what `bd blocked` names as the reason.

use super::{Graph, Index, Link, Node, State};
use crate::edge::{EdgeType, WaitsFor, computed_id};

impl Graph {
    /// Whether an issue or wisp is blocked: the flag `is_blocked`. False for an id that is not there.
    pub fn is_blocked(&self, id: &str) -> bool {
        self.node(id).is_some_and(|node| node.blocked)
    }

    /// All that are blocked, in no order.
    pub fn blocked(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().filter(|node| node.blocked).map(|node| node.id.as_str())
    }

    /// Computes all flags anew. For a graph that was built with [`Graph::insert`].
    pub fn recompute_all(&mut self) {
        let everything = vec![true; self.nodes.len()];
        self.settle((0..self.nodes.len()).collect(), &everything);
    }

    /// Computes the flags of a set of nodes that has every child of its nodes in it, and gives those that flipped.
    pub(super) fn settle(&mut self, set: Vec<Index>, is_in_set: &[bool]) -> Vec<Index> {
        let is_in_set = |at: Index| is_in_set.get(at).copied().unwrap_or_default();
        let mut blocked = vec![false; self.nodes.len()];
        let mut mark = |at: Index| blocked.get_mut(at).is_some_and(|flag| !std::mem::replace(flag, true));
        let mut queue: Vec<Index> = Vec::new();
        for at in &set {
            let Some(node) = self.nodes.get(*at).filter(|node| node.state == State::Live) else { continue };
            let inherits = |link: &Link| {
                link.is_parent()
                    && !is_in_set(link.target)
                    && self.nodes.get(link.target).is_some_and(|p| p.blocked)
            };
            if (self.has_blocker(node) || node.out.iter().any(inherits)) && mark(*at) {
                queue.push(*at);
            }
        }
        while let Some(parent) = queue.pop() {
            for child in self.child_indexes(parent) {
                if self.state(child) == State::Live && mark(child) {
                    queue.push(child);
                }
            }
        }
        set.into_iter()
            .filter(|at| {
                let now = blocked.get(*at).copied().unwrap_or_default();
                self.nodes.get_mut(*at).is_some_and(|node| std::mem::replace(&mut node.blocked, now) != now)
            })
            .collect()
    }

    /// Whether an edge of its own blocks a node, whatever its parents are.
    fn has_blocker(&self, node: &Node) -> bool {
        node.out.iter().filter(|link| !link.external).any(|link| match link.kind {
            EdgeType::Blocks | EdgeType::ConditionalBlocks => self.state(link.target) == State::Live,
            EdgeType::WaitsFor => self.gate_is_shut(link),
            _ => false,
        })
    }

    fn gate_is_shut(&self, link: &Link) -> bool {
        let has_child = |state| self.child_indexes(link.target).any(|child| self.state(child) == state);
        has_child(State::Live) && !(link.gate == WaitsFor::AnyChildren && has_child(State::Closed))
    }

    pub(super) fn child_indexes(&self, parent: Index) -> impl Iterator<Item = Index> {
        let into = self.nodes.get(parent).map_or(&[][..], |node| &node.into);
        into.iter().filter(|(_, kind)| *kind == EdgeType::ParentChild).map(|(child, _)| *child)
    }

    /// What `bd blocked` prints as the reason: the live blockers, else one parent. Empty for something that is not blocked, and
    /// for something that waits only for children of a closed issue, which bd leaves out of its list (bd
    /// `GetBlockedIssuesInTx`).
    pub fn blocked_by(&self, id: &str) -> Vec<&str> {
        let mut found = self.blockers(id);
        if found.is_empty() && self.is_blocked(id) {
            // bd keeps the last row of several.
            found.extend(self.targets(id, |link| link.kind == EdgeType::ParentChild).pop());
        }
        found
    }

    /// The live targets of edges that block directly or wait, if the issue is blocked: what `close` refuses for.
    pub fn blockers(&self, id: &str) -> Vec<&str> {
        if !self.is_blocked(id) {
            return Vec::new();
        }
        let can_block = |link: &Link| link.kind.blocks_directly() || link.kind == EdgeType::WaitsFor;
        self.targets(id, |link| can_block(link) && self.state(link.target) == State::Live)
    }

    /// Targets in the order of rows: by the computed ids of the edges, external ones last and by their names.
    fn targets(&self, id: &str, wanted: impl Fn(&Link) -> bool) -> Vec<&str> {
        let out = self.node(id).map_or(&[][..], |node| &node.out);
        let mut found: Vec<_> = out
            .iter()
            .filter(|link| wanted(link))
            .map(|link| {
                let target = self.name(link.target);
                (link.external.then_some(target), computed_id(id, target), target)
            })
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(_, _, target)| target).collect()
    }

    /// How many children by edge are not closed; pinned ones count.
    pub fn unclosed_children(&self, id: &str) -> usize {
        let Some(at) = self.index.get(id) else { return 0 };
        let states = self.child_indexes(*at).map(|child| self.state(child));
        states.filter(|state| matches!(state, State::Live | State::Pinned)).count()
    }
}

impl Link {
    /// Leads to a parent that can hand its state down.
    pub(super) fn is_parent(&self) -> bool {
        self.kind == EdgeType::ParentChild && !self.external
    }
}
