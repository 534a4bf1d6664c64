//! The part of the graph that a change can reach, so that closing one of ten thousand issues does not read them all.
//!
//! Flags of issues outside of that part are taken as they are stored; whether those are right is `doctor`'s question.

use std::collections::{BTreeSet, HashSet};

use beads::{EdgeType, Graph};

use super::StoreError;
use super::load::{StoredEdge, briefs, edges_from, edges_to};
use super::reader::Reader;

/// Where changes begin.
#[derive(Debug, Clone, Default)]
pub(super) struct Seeds {
    /// Issues whose state or edges change, or that go.
    pub issues: Vec<String>,
    /// Targets of parent-child edges that come or go: who waits for their children is concerned.
    pub parents: Vec<String>,
}

/// The graph around these, see [`Graph::set_status`] and its siblings.
pub(super) fn around(reader: &dyn Reader, seeds: &Seeds) -> Result<Graph, StoreError> {
    let mut edges: Vec<StoredEdge> = Vec::new();
    let mut left: BTreeSet<String> = seeds.issues.iter().cloned().collect();
    let own = edges_from(reader, &seeds.issues)?;
    // Everything that ends at a seed: who is blocked by it, its children, who waits for it.
    let into = edges_to(reader, &seeds.issues)?;
    left.extend(into.iter().map(|stored| stored.edge.issue_id.clone()));
    let mut parents: Vec<String> = seeds.parents.clone();
    parents.extend(own.iter().filter(|s| is_parent(s)).map(|s| s.edge.depends_on_id.clone()));
    let around_parents = edges_to(reader, &parents)?;
    let waiting = around_parents.iter().filter(|stored| stored.edge.kind == EdgeType::WaitsFor);
    left.extend(waiting.map(|stored| stored.edge.issue_id.clone()));
    edges.extend(into);
    edges.extend(around_parents);
    // With all that hangs below.
    let mut set: HashSet<String> = HashSet::new();
    while !left.is_empty() {
        let level: Vec<String> =
            std::mem::take(&mut left).into_iter().filter(|id| !set.contains(id)).collect();
        set.extend(level.iter().cloned());
        let below = edges_to(reader, &level)?;
        left.extend(below.iter().filter(|s| is_parent(s)).map(|s| s.edge.issue_id.clone()));
        edges.extend(below.into_iter().filter(is_parent));
    }
    // What each of them depends on, and of what it waits for the children.
    let set: Vec<String> = set.into_iter().collect();
    let out = edges_from(reader, &set)?;
    let awaited = out.iter().filter(|stored| stored.edge.kind == EdgeType::WaitsFor);
    let awaited: Vec<String> = awaited.map(|stored| stored.edge.depends_on_id.clone()).collect();
    edges.extend(edges_to(reader, &awaited)?.into_iter().filter(is_parent));
    edges.extend(out);
    let ends = edges.iter().flat_map(|stored| [&stored.edge.issue_id, &stored.edge.depends_on_id]);
    let mut ids: Vec<String> = ends.chain(&set).chain(&seeds.parents).cloned().collect();
    ids.sort_unstable();
    ids.dedup();
    let mut graph = Graph::default();
    for (id, brief) in briefs(reader, Some(&ids))? {
        graph.insert_flagged(&id, &brief.status, brief.is_blocked);
    }
    for stored in &edges {
        graph.insert_edge(&stored.edge, stored.target);
    }
    Ok(graph)
}

fn is_parent(stored: &StoredEdge) -> bool {
    stored.edge.kind == EdgeType::ParentChild
}
