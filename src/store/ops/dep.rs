//! Edges that come and go, with what they make of others (bd 1.1.0 `issueops/dependencies.go`).

use beads::edge::{Added, EdgeError, Ends, Target, check_new};
use beads::{Edge, Issue};
use dolt_store::table::Value;

use super::work::Work;
use crate::store::StoreError;
use crate::store::family::Family;
use crate::store::load::{Brief, briefs};
use crate::store::neighbourhood::{Seeds, around};
use crate::store::reader::of_text;

/// An edge to be added.
#[derive(Debug, Clone)]
pub struct AddEdge {
    /// The edge.
    pub edge: Edge,
    /// Nobody looks whether it closes a circle.
    pub no_cycle_check: bool,
}

impl AddEdge {
    /// With all checks.
    pub fn of(edge: Edge) -> Self {
        Self { edge, no_cycle_check: false }
    }
}

/// Adds an edge. Says what was done with it.
pub fn add_edge(work: &mut Work<'_>, add: AddEdge) -> Result<(), StoreError> {
    match link(work, vec![add], None)?.pop().flatten() {
        None => Ok(()),
        Some(refusal) => Err(refusal.into()),
    }
}

/// Adds edges one after the other, each held to the rules as if those before it were there already. Gives the refusal of each;
/// a caller that wants all of them or none gives up its transaction.
pub fn add_edges(work: &mut Work<'_>, adds: Vec<AddEdge>) -> Result<Vec<Option<EdgeError>>, StoreError> {
    link(work, adds, None)
}

/// Adds edges one after the other; one that is refused does not keep the others. `new` is an issue that these changes make.
/// Gives the refusal of each.
pub(super) fn link(
    work: &mut Work<'_>,
    adds: Vec<AddEdge>,
    new: Option<(&Issue, Family)>,
) -> Result<Vec<Option<EdgeError>>, StoreError> {
    let mut ids: Vec<String> =
        adds.iter().flat_map(|add| [add.edge.issue_id.clone(), add.edge.depends_on_id.clone()]).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut known = briefs(work.reader, Some(&ids))?;
    if let Some((issue, family)) = new {
        let (status, issue_type) = (issue.status.clone(), issue.issue_type.clone());
        known.insert(issue.id.clone(), Brief { status, issue_type, is_blocked: false, family });
    }
    let seeds = Seeds { issues: ids.clone(), parents: ids };
    let mut graph = around(work.reader, &seeds)?;
    let mut flips = std::collections::BTreeMap::new();
    if let Some((issue, _)) = new {
        graph.set_status(&issue.id, &issue.status);
    }
    let mut refusals = Vec::new();
    for add in adds {
        let edge = add.edge;
        let family_of = |id: &str| known.get(id).map(|brief| brief.family);
        let target = edge.target(true, |id| family_of(id) == Some(Family::Wisps));
        let existing = graph.edge(&edge.issue_id, &edge.depends_on_id).cloned();
        let ends = Ends {
            issue: known.get(&edge.issue_id).map(|brief| &brief.issue_type),
            target: known.get(&edge.depends_on_id).map(|brief| &brief.issue_type),
            existing: existing.as_ref(),
        };
        let would_wait = edge.kind.blocks_directly()
            && !add.no_cycle_check
            && work.waits(&edge.depends_on_id, &edge.issue_id)?;
        let family = family_of(&edge.issue_id).unwrap_or(Family::Issues);
        match check_new(&edge, target, &ends, |_, _| would_wait) {
            Err(refusal) => {
                refusals.push(Some(refusal));
                continue;
            }
            Ok(Added::ReplaceMetadata) => {
                let metadata = if edge.metadata.is_empty() { "{}" } else { &edge.metadata };
                let stored = work.edge_between(&edge.issue_id, &edge.depends_on_id)?;
                let id = stored.map_or_else(|| edge.computed_id(), |stored| stored.id);
                let values = vec![("metadata", Value::Json(metadata.to_owned()))];
                work.changes.update(family.edges(), vec![("id", of_text(id))], values);
            }
            Ok(Added::Insert) => work.insert_edge(&edge, target, family),
        }
        for flip in graph.add_edge(&edge, target) {
            flips.insert(flip.id, flip.blocked);
        }
        refusals.push(None);
    }
    for (id, blocked) in flips {
        let family = known.get(&id).map(|brief| brief.family);
        let family = match family {
            Some(family) => Some(family),
            None => {
                briefs(work.reader, Some(std::slice::from_ref(&id)))?.remove(&id).map(|brief| brief.family)
            }
        };
        if let Some(family) = family {
            work.set_flag(family, &id, blocked)?;
        }
    }
    Ok(refusals)
}

/// Takes the pair's edge out. One that is not there is out already. Says whether there was one.
pub fn remove_edge(work: &mut Work<'_>, issue: &str, target: &str) -> Result<bool, StoreError> {
    let Some(stored) = work.edge_between(issue, target)? else { return Ok(false) };
    let parents = if stored.target == Target::External { Vec::new() } else { vec![target.to_owned()] };
    let seeds = Seeds { issues: vec![issue.to_owned()], parents };
    let mut graph = around(work.reader, &seeds)?;
    work.changes.delete(stored.family.edges(), vec![("id", of_text(stored.id))]);
    let flips = graph.remove_edge(issue, target);
    work.flip(&flips)?;
    Ok(true)
}
