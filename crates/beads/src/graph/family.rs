//! Parents, children, descendants: what `--parent` and `--mol` select. An external parent counts by its name.

use std::collections::HashSet;

use super::{Graph, Index};
use crate::edge::EdgeType;

impl Graph {
    /// Whether an issue has a parent-child edge at all.
    pub fn has_parent(&self, id: &str) -> bool {
        self.node(id).is_some_and(|node| node.out.iter().any(|link| link.kind == EdgeType::ParentChild))
    }

    /// Parents by edge, in the order of insertion.
    pub fn parents(&self, id: &str) -> impl Iterator<Item = &str> {
        let out = self.node(id).map_or(&[][..], |node| &node.out);
        out.iter().filter(|link| link.kind == EdgeType::ParentChild).map(|link| self.name(link.target))
    }

    /// Whether an issue counts as a direct child: by edge, or, without any parent by edge, by an id that begins with the
    /// parent's and a dot (bd `sqlbuild/filter.go`: `ParentID`).
    pub fn is_child(&self, id: &str, parent: &str) -> bool {
        self.parents(id).any(|found| found == parent) || self.is_child_by_name(id, parent)
    }

    pub(crate) fn is_child_by_name(&self, id: &str, parent: &str) -> bool {
        id.strip_prefix(parent).is_some_and(|rest| rest.starts_with('.')) && !self.has_parent(id)
    }

    /// All below an issue by parent-child edges, itself left out (bd `GetDescendantIDsInTx`).
    pub fn descendants(&self, id: &str) -> HashSet<&str> {
        let Some(&root) = self.index.get(id) else { return HashSet::new() };
        // Edges to external targets are not in `into`, so children of a foreign parent are found by going through all.
        let children = |at: Index| {
            let by_name = move |from: &Index| {
                let out = self.nodes.get(*from).map_or(&[][..], |node| &node.out);
                out.iter()
                    .any(|link| link.external && link.target == at && link.kind == EdgeType::ParentChild)
            };
            let is_name_only = self.nodes.get(at).is_some_and(|node| node.state == super::State::Absent);
            let all = if is_name_only { 0..self.nodes.len() } else { 0..0 };
            self.child_indexes(at).chain(all.filter(by_name)).collect::<Vec<_>>()
        };
        let mut found: HashSet<Index> = HashSet::new();
        let mut queue = children(root);
        while let Some(at) = queue.pop() {
            if at != root && found.insert(at) {
                queue.extend(children(at));
            }
        }
        found.into_iter().map(|at| self.name(at)).collect()
    }
}
