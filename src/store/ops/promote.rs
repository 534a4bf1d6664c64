//! `promote`: a wisp becomes a durable issue, with all that hangs on it and under the same ids
//! (bd 1.1.0 `issueops/promote.go`).

use beads::Issue;
use beads::change::Event;
use dolt_store::table::Value;

use super::work::{Told, Work};
use crate::store::StoreError;
use crate::store::change::Values;
use crate::store::family::Family;
use crate::store::issue_row;
use crate::store::load::{self, With};
use crate::store::reader::{By, of_text};

const LABELS: [&str; 2] = ["issue_id", "label"];
const EVENTS: [&str; 8] =
    ["id", "issue_id", "event_type", "actor", "old_value", "new_value", "comment", "created_at"];
const COMMENTS: [&str; 5] = ["id", "issue_id", "author", "text", "created_at"];
const EDGES: [&str; 10] = [
    "id",
    "issue_id",
    "depends_on_issue_id",
    "depends_on_wisp_id",
    "depends_on_external",
    "type",
    "created_at",
    "created_by",
    "metadata",
    "thread_id",
];
const COUNTERS: [&str; 2] = ["parent_id", "last_child"];

/// Moves a row of `wisps` to `issues`. Whether it is blocked does not change: nothing that it waits for has changed.
pub fn promote(work: &mut Work<'_>, id: &str, reason: &str) -> Result<Issue, StoreError> {
    let (mut wisp, family) = load::issue(work.reader, id, With::NOTHING)?
        .ok_or_else(|| StoreError::NoIssue { id: id.to_owned() })?;
    let ids = [wisp.id.clone()];
    load::sessions(work.reader, &By::In("id", &ids), std::slice::from_mut(&mut wisp))?;
    if family != Family::Wisps || !wisp.ephemeral {
        return Err(StoreError::Refused(format!("{id} is not a wisp (already persistent)")));
    }
    let brief = load::briefs(work.reader, Some(&[id.to_owned()]))?.remove(id);
    let issue = Issue { ephemeral: false, ..wisp };
    let mut row = issue_row::values(&issue);
    row.push(("is_blocked", Value::Int(i64::from(brief.is_some_and(|brief| brief.is_blocked)))));
    work.changes.insert(Family::Issues.rows(), row);
    move_rows(work, Family::labels, &LABELS, 2, ("issue_id", id))?;
    move_rows(work, Family::events, &EVENTS, 1, ("issue_id", id))?;
    move_rows(work, Family::comments, &COMMENTS, 1, ("issue_id", id))?;
    move_rows(work, Family::edges, &EDGES, 1, ("issue_id", id))?;
    move_rows(work, Family::child_counters, &COUNTERS, 1, ("parent_id", id))?;
    // Whoever led to the wisp leads to the issue.
    for stored in load::edges_to(work.reader, &[id.to_owned()])? {
        let columns = vec![("depends_on_issue_id", of_text(id)), ("depends_on_wisp_id", Value::Null)];
        work.changes.update(stored.family.edges(), vec![("id", of_text(stored.id))], columns);
    }
    work.changes.delete(Family::Wisps.rows(), vec![("id", of_text(id))]);
    let mut told = "Promoted from wisp to permanent bead".to_owned();
    if !reason.is_empty() {
        told = format!("{told}: {reason}");
    }
    work.event(Family::Issues, id, Event::Commented, Told::Comment(&told));
    Ok(issue)
}

// The first `key` columns are the primary key.
fn move_rows(
    work: &mut Work<'_>,
    table: fn(Family) -> &'static str,
    columns: &[&'static str],
    key: usize,
    (of, id): (&str, &str),
) -> Result<(), StoreError> {
    let by = [(of, of_text(id))];
    for values in work.reader.rows(table(Family::Wisps), columns, By::Equal(&by))? {
        let row: Values = columns.iter().copied().zip(values).collect();
        work.changes.delete(table(Family::Wisps), row.iter().take(key).cloned().collect());
        work.changes.insert(table(Family::Issues), row);
    }
    Ok(())
}
