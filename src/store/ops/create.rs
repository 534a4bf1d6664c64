//! `create`: an issue or wisp, its labels, its place below a parent and its first edges, in one transaction
//! (bd 1.1.0 `cmd/bd/create.go`, `issueops/create.go`). An edge that is refused is a warning: the issue stays.

use beads::change::Event;
use beads::edge::{DepSpec, EdgeError, waits_for_metadata};
use beads::id::{check_depth, check_explicit, next_child, next_counter_id};
use beads::issue::check_widths;
use beads::{Edge, EdgeType, Issue};
use dolt_store::table::Value;

use super::dep::{AddEdge, link};
use super::work::{Told, Work, id_seed};
use crate::store::StoreError;
use crate::store::family::Family;
use crate::store::issue_row;
use crate::store::load::{self, Rules, With};
use crate::store::reader::{By, into_number, of_text};

/// What is to be made.
#[derive(Debug, Clone, Default)]
pub struct NewIssue {
    /// Fields and labels. An id that is given is taken; times and hash are filled in.
    pub issue: Issue,
    /// An id with an unknown prefix will do.
    pub force: bool,
    /// Goes below this one: id, edge and labels come from it.
    pub parent: Option<String>,
    /// The parent's labels are not taken.
    pub no_inherited_labels: bool,
    /// How deep ids may nest; 0: the default.
    pub max_depth: usize,
    /// Stands in place of the own prefix.
    pub prefix: String,
    /// Stands behind the own prefix: `mol`, `wisp`, or nothing.
    pub addition: &'static str,
    /// First edges.
    pub deps: Vec<DepSpec>,
    /// Waits for the children of this one, with this gate.
    pub waits_for: Option<(String, String)>,
}

/// What was made.
#[derive(Debug, Clone)]
pub struct Created {
    /// The issue as it was made: its times still have nanoseconds.
    pub issue: Issue,
    /// Edges that were refused, in words.
    pub warnings: Vec<String>,
}

/// Works out a new issue.
pub fn create(work: &mut Work<'_>, rules: &Rules, new: NewIssue) -> Result<Created, StoreError> {
    let NewIssue { mut issue, parent, .. } = new;
    let (reader, act) = (work.reader, work.act);
    if rules.infra.iter().any(|infra| infra == issue.issue_type.as_str()) && !issue.no_history {
        issue.ephemeral = true;
    }
    issue.set_defaults();
    if let Some(parent) = &parent {
        let found = load::issue(reader, parent, With { labels: true, ..With::NOTHING })?;
        let missing = || StoreError::Refused(format!("parent issue {parent} not found"));
        let (above, family) = found.ok_or_else(missing)?;
        if !new.no_inherited_labels {
            issue.labels.extend(above.labels);
        }
        issue.id = child_id(work, parent, family, new.max_depth)?;
    }
    let mut seen = std::collections::HashSet::new();
    issue.labels.retain(|label| seen.insert(label.clone()));
    issue.created_at.get_or_insert(act.now);
    issue.updated_at.get_or_insert(act.now);
    let prepared = issue.prepare_for_insert(&rules.allowed, act.now);
    prepared.map_err(|source| StoreError::InvalidNew { id: issue.id.clone(), source })?;
    let family = Family::of(issue.is_wisp());
    if issue.id.is_empty() {
        issue.id = new_id(work, rules, &issue, family, (&new.prefix, new.addition))?;
    } else {
        check_explicit(&issue.id, &rules.prefixes, new.force)?;
        if load::issue(reader, &issue.id, With::NOTHING)?.is_some() {
            return Err(StoreError::Exists { id: issue.id });
        }
    }
    check_widths(&issue).map_err(|wide| StoreError::Refused(wide.to_string()))?;
    if let Some(from) = new.deps.iter().find(|dep| dep.kind == EdgeType::DiscoveredFrom) {
        let found = load::issue(reader, &from.target, With::NOTHING)?;
        if let Some((origin, _)) = found.filter(|(origin, _)| !origin.source_repo.is_empty()) {
            issue.source_repo = origin.source_repo;
        }
    }
    insert(work, &issue, family);
    let warnings = link_new(work, &issue, family, parent, &new.deps, new.waits_for)?;
    Ok(Created { issue, warnings })
}

/// The row, its event and its labels.
pub(super) fn insert(work: &mut Work<'_>, issue: &Issue, family: Family) {
    work.changes.insert(family.rows(), issue_row::values(issue));
    work.event(family, &issue.id, Event::Created, Told::Values("", ""));
    for label in &issue.labels {
        work.changes
            .insert(family.labels(), vec![("issue_id", of_text(&issue.id)), ("label", of_text(label))]);
        work.event(family, &issue.id, Event::LabelAdded, Told::Comment(&format!("Added label: {label}")));
    }
}

fn link_new(
    work: &mut Work<'_>,
    issue: &Issue,
    family: Family,
    parent: Option<String>,
    deps: &[DepSpec],
    waits_for: Option<(String, String)>,
) -> Result<Vec<String>, StoreError> {
    let mut wanted: Vec<(Edge, String)> = Vec::new();
    if let Some(parent) = parent {
        let edge = Edge::new(&issue.id, &parent, EdgeType::ParentChild);
        wanted.push((edge, format!("failed to add parent-child dependency {} -> {parent}", issue.id)));
    }
    for dep in deps {
        let (from, to) = if dep.reversed { (&dep.target, &issue.id) } else { (&issue.id, &dep.target) };
        let words = format!("failed to add dependency {} -> {}", issue.id, dep.target);
        wanted.push((Edge::new(from, to, dep.kind.clone()), words));
    }
    if let Some((target, gate)) = waits_for {
        let metadata = waits_for_metadata(&gate)?;
        let words = format!("failed to add waits-for dependency {} -> {target}", issue.id);
        wanted.push((Edge { metadata, ..Edge::new(&issue.id, &target, EdgeType::WaitsFor) }, words));
    }
    let mut warnings = Vec::new();
    if !wanted.is_empty() {
        let edges = wanted.iter().map(|(edge, _)| AddEdge::of(edge.clone())).collect();
        let refused = link(work, edges, Some((issue, family)))?;
        for ((_, words), refusal) in wanted.iter().zip(refused) {
            warnings.extend(refusal.map(|error: EdgeError| format!("{words}: {error}")));
        }
    }
    Ok(warnings)
}

fn child_id(
    work: &mut Work<'_>,
    parent: &str,
    family: Family,
    max_depth: usize,
) -> Result<String, StoreError> {
    check_depth(parent, max_depth)?;
    let key = [("parent_id", of_text(parent))];
    let counter = work.reader.rows(family.child_counters(), &["last_child"], By::Equal(&key))?;
    let counter = counter.first().and_then(|row| row.first()).and_then(into_number);
    let below = format!("{parent}.");
    let ids = work.reader.texts(family.rows(), "id", By::Prefix("id", &below))?;
    let (mut id, mut number) = next_child(parent, counter, ids.iter().map(String::as_str));
    // bd makes such an id once more in the other table, and cannot tell the two apart from then on.
    let other = if family == Family::Issues { Family::Wisps } else { Family::Issues };
    let others = work.reader.texts(other.rows(), "id", By::Prefix("id", &below))?;
    while others.contains(&id) {
        number = number.saturating_add(1);
        id = format!("{below}{number}");
    }
    let values = vec![("parent_id", of_text(parent)), ("last_child", Value::Int(number))];
    work.changes.put(family.child_counters(), values);
    Ok(id)
}

fn new_id(
    work: &mut Work<'_>,
    rules: &Rules,
    issue: &Issue,
    family: Family,
    (prefix, addition): (&str, &str),
) -> Result<String, StoreError> {
    let reader = work.reader;
    let prefix = rules.prefixes.for_new(issue, prefix, addition);
    let begin = format!("{prefix}-");
    if rules.counts && family == Family::Issues {
        let key = [("prefix", of_text(&prefix))];
        let counter = reader.rows("issue_counter", &["last_id"], By::Equal(&key))?;
        let counter = counter.first().and_then(|row| row.first()).and_then(into_number);
        let ids = match counter {
            Some(_) => Vec::new(),
            None => reader.texts(family.rows(), "id", By::Prefix("id", &begin))?,
        };
        let next = next_counter_id(&prefix, counter, ids.iter().map(String::as_str));
        work.changes
            .put("issue_counter", vec![("prefix", of_text(&prefix)), ("last_id", Value::Int(next.counter))]);
        return Ok(next.id);
    }
    let enough = |issues| rules.length.least_of_length(issues);
    let count = reader.count_roots(family.rows(), &begin, &enough)?;
    let seed = id_seed(&prefix, issue, work.act);
    // An id may not be in both tables, so both are looked at.
    let problem = std::cell::RefCell::new(None);
    let is_taken = |id: &str| match load::briefs(reader, Some(&[id.to_owned()])) {
        Ok(found) => !found.is_empty(),
        Err(error) => {
            problem.borrow_mut().get_or_insert(error);
            false
        }
    };
    let id = seed.free(&rules.length, count, is_taken);
    match problem.into_inner() {
        Some(error) => Err(error),
        None => Ok(id?),
    }
}
