//! `delete`: rows with all that hangs on them, and what mentions them (bd 1.1.0 `cmd/bd/delete.go`, `issueops/delete.go`).

use std::collections::{BTreeMap, BTreeSet};

use beads::change::mark_deleted;
use beads::{Edge, Issue};

use super::update::{Update, update};
use super::work::Work;
use crate::store::StoreError;
use crate::store::family::Family;
use crate::store::load::{self, Rules, StoredEdge, With};
use crate::store::neighbourhood::{Seeds, around};
use crate::store::reader::{By, of_text};

/// What goes, and what is touched by it.
#[derive(Debug, Clone, Default)]
pub struct Deletion {
    /// Rows that go.
    pub issues: Vec<(Issue, Family)>,
    /// Edges that begin or end at them.
    pub edges: Vec<StoredEdge>,
    /// What bd says of many that go: what hangs on wisps that were named is not counted.
    pub told: Counted,
    /// Who depends on them and stays; nobody is asked about wisps that were named.
    pub orphans: Vec<String>,
    /// Issues beside them whose texts mention them.
    pub mentions: Vec<Issue>,
}

/// Numbers that are told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counted {
    /// Edges.
    pub edges: usize,
    /// Labels.
    pub labels: usize,
    /// Events.
    pub events: usize,
}

/// Works out what the deletion of these, and with `cascade` of all that depends on them, takes along.
pub fn deletion(work: &Work<'_>, ids: &[String], cascade: bool) -> Result<Deletion, StoreError> {
    let families = load::briefs(work.reader, Some(ids))?;
    let is_wisp = |id: &String| families.get(id).is_some_and(|brief| brief.family == Family::Wisps);
    // Wisps that are named take nothing along.
    let mut followed: BTreeSet<String> = ids.iter().filter(|id| !is_wisp(id)).cloned().collect();
    let mut level: Vec<String> = followed.iter().cloned().collect();
    while cascade && !level.is_empty() {
        let into = load::edges_to(work.reader, &level)?;
        level = into
            .into_iter()
            .map(|stored| stored.edge.issue_id)
            .filter(|id| followed.insert(id.clone()))
            .collect();
    }
    let gone: BTreeSet<String> = ids.iter().chain(&followed).cloned().collect();
    let ids: Vec<String> = gone.iter().cloned().collect();
    let mut found = Deletion::default();
    for id in &ids {
        found.issues.push(work.issue(id)?);
    }
    let mut edges: BTreeMap<String, StoredEdge> = BTreeMap::new();
    for stored in load::edges_from(work.reader, &ids)?.into_iter().chain(load::edges_to(work.reader, &ids)?) {
        edges.insert(stored.id.clone(), stored);
    }
    found.edges = edges.into_values().collect();
    let is_told = |edge: &Edge| {
        let ends_here = followed.contains(&edge.depends_on_id) && !gone.contains(&edge.issue_id);
        followed.contains(&edge.issue_id) || ends_here
    };
    found.told.edges = found.edges.iter().filter(|stored| is_told(&stored.edge)).count();
    let counted: Vec<String> = followed.iter().cloned().collect();
    for family in Family::BOTH {
        let rows = |table| work.reader.texts(table, "issue_id", By::In("issue_id", &counted));
        found.told.labels += rows(family.labels())?.len();
        found.told.events += rows(family.events())?.len();
    }
    let ends = found.edges.iter().flat_map(|stored| [&stored.edge.issue_id, &stored.edge.depends_on_id]);
    let beside: BTreeSet<&String> = ends.filter(|id| !gone.contains(*id)).collect();
    let orphaned = found.edges.iter().filter(|stored| followed.contains(&stored.edge.depends_on_id));
    let orphans = orphaned.map(|stored| &stored.edge.issue_id).filter(|id| !gone.contains(*id));
    found.orphans = orphans.collect::<BTreeSet<_>>().into_iter().cloned().collect();
    let beside: Vec<String> = beside.into_iter().cloned().collect();
    found.mentions = load::issues_by_id(work.reader, &beside, With::NOTHING)?;
    found.mentions.retain(|issue| !marked(issue, &ids).is_empty());
    found.mentions.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(found)
}

/// Does it. Mentions are marked first, as an update of the issue that mentions.
pub fn delete(work: &mut Work<'_>, rules: &Rules, deletion: &Deletion) -> Result<(), StoreError> {
    let ids: Vec<String> = deletion.issues.iter().map(|(issue, _)| issue.id.clone()).collect();
    for issue in &deletion.mentions {
        let texts = marked(issue, &ids);
        update(work, rules, &issue.id, &Update { texts, ..Update::default() })?;
    }
    let mut graph = around(work.reader, &Seeds { issues: ids.clone(), ..Seeds::default() })?;
    for stored in &deletion.edges {
        work.changes.delete(stored.family.edges(), vec![("id", of_text(&stored.id))]);
    }
    let mut flips = BTreeMap::new();
    for (issue, family) in &deletion.issues {
        work.changes.delete(family.rows(), vec![("id", of_text(&issue.id))]);
        flips.extend(graph.remove(&issue.id).into_iter().map(|flip| (flip.id.clone(), flip)));
    }
    flips.retain(|id, _| !ids.contains(id));
    let flips: Vec<_> = flips.into_values().collect();
    work.flip(&flips)
}

/// The texts in which these ids are mentioned, marked.
fn marked(issue: &Issue, ids: &[String]) -> BTreeMap<&'static str, String> {
    let texts = [
        ("description", &issue.description),
        ("notes", &issue.notes),
        ("design", &issue.design),
        ("acceptance_criteria", &issue.acceptance_criteria),
    ];
    let mark = |text: &str| ids.iter().fold(text.to_owned(), |text, id| mark_deleted(&text, id));
    let marked = texts.into_iter().map(|(column, text)| (column, text, mark(text)));
    marked.filter(|(_, before, after)| *before != after).map(|(column, _, after)| (column, after)).collect()
}
