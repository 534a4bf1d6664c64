//! Edges of an import. One that cannot be stored is left out and told, because the issues are worth more than the edge.

use std::collections::HashMap;
use std::fmt;

use jiff::Timestamp;

use super::{ImportError, Options, Plan, Row};
use crate::edge::{Edge, Target, check_cycle};
use crate::issue::Issue;
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

/// Drops edges between an issue and a wisp that are both among the lines (bd `filterCreateIssuesMixedBucketDependencies`).
pub(super) fn drop_across_tables(lines: &mut [Issue]) -> Vec<SkippedEdge> {
    let tables: HashMap<String, bool> = lines
        .iter()
        .filter(|line| !line.id.is_empty())
        .map(|line| (line.id.clone(), line.is_wisp()))
        .collect();
    let mut skipped = Vec::new();
    for line in lines {
        let (id, is_wisp) = (line.id.clone(), line.is_wisp());
        line.dependencies.retain(|edge| {
            let source = if edge.issue_id.is_empty() { &id } else { &edge.issue_id };
            let source_is_wisp = if edge.issue_id.is_empty() { None } else { tables.get(&edge.issue_id) };
            let source_is_wisp = source_is_wisp.copied().unwrap_or(is_wisp);
            let across = tables.get(&edge.depends_on_id).is_some_and(|target| *target != source_is_wisp);
            if across {
                let reason = "cross-bucket dependency between regular issue and wisp in the same batch";
                note(&mut skipped, source, &edge.depends_on_id, reason);
            }
            !across
        });
    }
    skipped
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
        let target = edge.target(false, |id| is_wisp(&self.rows, id));
        if target != Target::External && !self.graph.contains(&to) {
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
