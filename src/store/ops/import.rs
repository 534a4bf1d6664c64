//! `import`: what the plan of [`beads::import`] does to the rows, in one transaction.
//!
//! More is kept than bd keeps: edges keep their metadata and their thread.

use std::collections::{BTreeSet, HashMap};

use beads::change::Event;
use beads::import::{Action, Mode, Options, Plan, Row, plan};
use beads::jsonl::Memory;
use beads::{Edge, Issue};
use dolt_store::table::Value;

use super::work::{Told, Work, id_seed};
use crate::store::StoreError;
use crate::store::family::Family;
use crate::store::issue_row;
use crate::store::load::{self, Rules, With};
use crate::store::reader::{By, into_number, into_text, of_text, of_time};

/// The configuration's prefix of memories.
pub const MEMORY: &str = "kv.memory.";

/// Works out the import of these lines. The rows of the plan have become changes, and are not in it any more.
pub fn import(work: &mut Work<'_>, rules: &Rules, lines: &[Issue], mode: Mode) -> Result<Plan, StoreError> {
    // The other ends of edges too: whether they are wisps says in which column they stand.
    let ends = lines.iter().flat_map(|line| line.dependencies.iter().map(|edge| &edge.depends_on_id));
    let ids: BTreeSet<&String> =
        lines.iter().map(|line| &line.id).chain(ends).filter(|id| !id.is_empty()).collect();
    let ids: Vec<String> = ids.into_iter().cloned().collect();
    let stored = load::issues_by_id(work.reader, &ids, With::ALL)?;
    let stored: HashMap<&str, &Issue> = stored.iter().map(|issue| (issue.id.as_str(), issue)).collect();
    let flags = load::briefs(work.reader, None)?;
    let given = edges_of(lines);
    let options = Options { mode, allowed: rules.allowed.clone(), actor: work.act.actor.clone() };
    let graph = load::graph(work.reader)?;
    // How many are there already, for each prefix: counted once, as there may be as many lines without an id.
    let mut counts: HashMap<String, u32> = HashMap::new();
    let new_id = |issue: &Issue, is_taken: &dyn Fn(&str) -> bool| {
        let prefix = rules.prefixes.for_new(issue, "", "");
        let count = *counts.entry(prefix.clone()).or_insert_with(|| {
            let begin = format!("{prefix}-");
            let is_root = |id: &&String| id.strip_prefix(&begin).is_some_and(|rest| !rest.contains('.'));
            u32::try_from(flags.keys().filter(is_root).count()).unwrap_or(u32::MAX)
        });
        let seed = id_seed(&prefix, issue, work.act);
        let id = seed.free(&rules.length, count, |id| is_taken(id) || flags.contains_key(id));
        id.map_err(|error| error.to_string())
    };
    let mut plan = plan(lines, |id| stored.get(id).copied(), graph, &options, work.act.now, new_id)
        .map_err(|error| StoreError::Refused(error.to_string()))?;
    let emptied = emptied(work, &plan, &stored)?;
    hanging(work, &plan, &given);
    counters(work, &plan, &flags)?;
    let behind = std::mem::take(&mut work.changes);
    rows(work, &mut plan, &stored, &emptied);
    work.changes.extend(behind);
    let stale = flags.iter().filter(|(id, brief)| plan.graph.is_blocked(id) != brief.is_blocked);
    let mut stale: Vec<_> = stale.map(|(id, brief)| (id.clone(), brief.family)).collect();
    stale.sort();
    for (id, family) in stale {
        work.set_flag(family, &id, plan.graph.is_blocked(&id))?;
    }
    Ok(plan)
}

fn of_plan(plan: &Plan) -> impl Iterator<Item = (&Row, &str, Family)> {
    plan.rows.iter().map(|row| (row, row.issue.id.as_str(), Family::of(row.issue.is_wisp())))
}

// The issues themselves, which the plan has no longer then: they would be in memory twice.
fn rows(work: &mut Work<'_>, plan: &mut Plan, stored: &HashMap<&str, &Issue>, emptied: &BTreeSet<String>) {
    for Row { action, issue, .. } in std::mem::take(&mut plan.rows) {
        let table = Family::of(issue.is_wisp()).rows();
        match action {
            Action::Insert => {
                let mut values = issue_row::values(&issue);
                values.reserve_exact(1);
                values.push(("is_blocked", Value::Int(i64::from(plan.graph.is_blocked(&issue.id)))));
                work.changes.insert(table, values);
            }
            Action::Replace => {
                let Some(before) = stored.get(issue.id.as_str()) else { continue };
                let mut values = issue_row::differences(before, &issue);
                if emptied.contains(&issue.id) {
                    values.push(("assignee", Value::Null));
                }
                if !values.is_empty() {
                    work.changes.update(table, vec![("id", of_text(issue.id))], values);
                }
            }
            Action::Keep => {}
        }
    }
}

// What hangs on them. The ends of edges may be lines that come later, so all of this comes behind the rows, and table by table: a
// server takes rows of the same table many at a time.
fn hanging(work: &mut Work<'_>, plan: &Plan, given: &HashMap<(&str, &str), &Edge>) {
    for (row, id, family) in of_plan(plan) {
        for label in &row.new_labels {
            work.changes.insert(family.labels(), vec![("issue_id", of_text(id)), ("label", of_text(label))]);
        }
    }
    for (_, id, family) in of_plan(plan).filter(|(row, ..)| row.action == Action::Insert) {
        work.event(family, id, Event::Created, Told::Values("", ""));
    }
    for (row, id, family) in of_plan(plan) {
        for label in &row.new_labels {
            let told = format!("Added label: {label}");
            work.event(family, id, Event::LabelAdded, Told::Comment(&told));
        }
    }
    for (row, _, family) in of_plan(plan) {
        for comment in &row.new_comments {
            let id = if comment.id.is_empty() { work.row_id() } else { comment.id.clone() };
            let at = comment.created_at.unwrap_or(work.act.now);
            let values = vec![
                ("id", of_text(id)),
                ("issue_id", of_text(&comment.issue_id)),
                ("author", of_text(&comment.author)),
                ("text", of_text(&comment.text)),
                ("created_at", of_time(at)),
            ];
            work.changes.insert(family.comments(), values);
        }
    }
    for (row, _, family) in of_plan(plan) {
        for (edge, target) in &row.new_edges {
            let pair = (edge.issue_id.as_str(), edge.depends_on_id.as_str());
            let edge = given.get(&pair).map_or_else(
                || edge.clone(),
                |line| Edge {
                    metadata: line.metadata.clone(),
                    thread_id: line.thread_id.clone(),
                    ..edge.clone()
                },
            );
            work.insert_edge(&edge, *target, family);
        }
    }
}

// Issues without an assignee before and after, where `update` took the last one away: it leaves an empty text, and a row that a
// line replaces has NULL there. An issue does not tell the two apart.
fn emptied(
    work: &Work<'_>,
    plan: &Plan,
    stored: &HashMap<&str, &Issue>,
) -> Result<BTreeSet<String>, StoreError> {
    let has_nobody = |id: &str| stored.get(id).is_some_and(|before| before.assignee.is_empty());
    let mut found = BTreeSet::new();
    for family in Family::BOTH {
        let rows = plan.rows.iter().filter(|row| row.action == Action::Replace);
        let rows = rows.filter(|row| Family::of(row.issue.is_wisp()) == family);
        let rows = rows.filter(|row| row.issue.assignee.is_empty() && has_nobody(&row.issue.id));
        let asked: BTreeSet<&String> = rows.map(|row| &row.issue.id).collect();
        if asked.is_empty() {
            continue;
        }
        let nobody = [("assignee", of_text(""))];
        let rows = work.reader.rows(family.rows(), &["id"], By::Equal(&nobody))?;
        let ids = rows.into_iter().filter_map(|row| row.into_iter().next().and_then(into_text));
        found.extend(ids.filter(|id| asked.contains(id)));
    }
    Ok(found)
}

// The edges of lines as they were given: the plan drops what bd drops.
fn edges_of(lines: &[Issue]) -> HashMap<(&str, &str), &Edge> {
    let mut found = HashMap::new();
    for line in lines {
        for edge in &line.dependencies {
            let from = if edge.issue_id.is_empty() { &line.id } else { &edge.issue_id };
            found.insert((from.as_str(), edge.depends_on_id.as_str()), edge);
        }
    }
    found
}

// A parent's counter is at least the largest number of a child.
fn counters(
    work: &mut Work<'_>,
    plan: &Plan,
    flags: &HashMap<String, load::Brief>,
) -> Result<(), StoreError> {
    let new: HashMap<&str, Family> =
        plan.rows.iter().map(|row| (row.issue.id.as_str(), Family::of(row.issue.is_wisp()))).collect();
    for (parent, number) in &plan.child_counters {
        let family =
            new.get(parent.as_str()).copied().or_else(|| flags.get(parent).map(|brief| brief.family));
        let Some(family) = family else { continue };
        let key = [("parent_id", of_text(parent))];
        let stored = work.reader.rows(family.child_counters(), &["last_child"], By::Equal(&key))?;
        let stored = stored.first().and_then(|row| row.first()).and_then(into_number);
        if stored.is_none_or(|stored| stored < *number) {
            let values = vec![("parent_id", of_text(parent)), ("last_child", Value::Int(*number))];
            work.changes.put(family.child_counters(), values);
        }
    }
    Ok(())
}

/// Keeps memories. Gives how many.
pub fn remember(work: &mut Work<'_>, memories: &[Memory]) -> usize {
    for memory in memories {
        let key = format!("{MEMORY}{}", memory.key);
        work.changes.put("config", vec![("key", of_text(key)), ("value", of_text(&memory.value))]);
    }
    memories.len()
}
