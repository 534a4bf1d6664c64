//! Edges of an import. One that cannot be stored is left out and told, because the issues are worth more than the edge. Between an
//! issue and a wisp of one file, where bd leaves all out, they are kept.

use std::fmt;

use jiff::Timestamp;

use super::{ImportError, Options, Plan, Row};
use crate::edge::{Edge, Target, check_cycle};
use crate::when::round_to_second;

/// An edge that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedEdge {
    /// Where it begins.
    pub issue: String,
    /// Where it leads.
    pub target: String,
    /// Why, in bd's words.
    pub reason: String,
}

/// As bd lists it under `skipped_dependencies`.
impl fmt::Display for SkippedEdge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}: {}", self.issue, self.target, self.reason)
    }
}

fn note(skipped: &mut Vec<SkippedEdge>, issue: &str, target: &str, reason: &str) {
    let edge = SkippedEdge { issue: issue.to_owned(), target: target.to_owned(), reason: reason.to_owned() };
    if !skipped.contains(&edge) {
        skipped.push(edge);
    }
}

impl Plan {
    /// One edge of an accepted line (bd `PersistDependenciesWithOptionsResult`): its metadata and thread are dropped, and a pair
    /// that has an edge keeps it.
    pub(super) fn take_edge(
        &mut self,
        place: usize,
        mut edge: Edge,
        is_wisp: &impl Fn(&[Row], &str) -> bool,
        options: &Options,
        now: Timestamp,
    ) -> Result<(), ImportError> {
        let Some(row) = self.rows.get(place) else { return Ok(()) };
        if edge.issue_id.is_empty() {
            edge.issue_id.clone_from(&row.issue.id);
        }
        let (issue, to) = (edge.issue_id.clone(), edge.depends_on_id.clone());
        // An id of another rig is not here and leads there, as an edge of `dep add` does; bd leaves it out of an import.
        let is_here = self.graph.contains(&to);
        let target = edge.target(!is_here && to.contains('-'), |id| is_wisp(&self.rows, id));
        if target != Target::External && !is_here {
            note(&mut self.skipped_edges, &issue, &to, "target not found");
            return Ok(());
        }
        if let Err(refusal) = check_cycle(&edge, |from, to| self.graph.waits(from, to)) {
            note(&mut self.skipped_edges, &issue, &to, &refusal.to_string());
            return Ok(());
        }
        if !self.graph.contains(&issue) {
            return Err(ImportError::EdgeWithoutIssue { issue, target: to });
        }
        if self.graph.edge(&issue, &to).is_some() {
            return Ok(());
        }
        if edge.created_by.is_empty() {
            edge.created_by.clone_from(&options.actor);
        }
        edge.created_at = Some(round_to_second(edge.created_at.unwrap_or(now)));
        "{}".clone_into(&mut edge.metadata);
        edge.thread_id.clear();
        self.graph.insert_edge(&edge, target);
        if let Some(row) = self.rows.get_mut(place) {
            if issue == row.issue.id {
                row.issue.dependencies.push(edge.clone());
            }
            row.new_edges.push((edge, target));
        }
        Ok(())
    }
}
