//! The columns that an import replaces, and the words that tell what it changed. All others keep their stored value: dates that
//! put off, flags, owners, gates.

use crate::issue::Issue;

/// Gives a stored issue the line's values in the columns that bd's upsert rewrites (`issueUpsertColumns`).
pub fn replace(stored: &mut Issue, line: &Issue) {
    stored.content_hash.clone_from(&line.content_hash);
    stored.title.clone_from(&line.title);
    stored.description.clone_from(&line.description);
    stored.design.clone_from(&line.design);
    stored.acceptance_criteria.clone_from(&line.acceptance_criteria);
    stored.notes.clone_from(&line.notes);
    stored.status.clone_from(&line.status);
    stored.priority = line.priority;
    stored.issue_type.clone_from(&line.issue_type);
    stored.assignee.clone_from(&line.assignee);
    stored.estimated_minutes = line.estimated_minutes;
    stored.started_at = line.started_at;
    stored.closed_at = line.closed_at;
    stored.external_ref.clone_from(&line.external_ref);
    stored.source_repo.clone_from(&line.source_repo);
    stored.close_reason.clone_from(&line.close_reason);
    stored.metadata.clone_from(&line.metadata);
    stored.updated_at = line.updated_at;
}

/// A new row of a line: all its columns, nothing that hangs on it yet. Its last change is not set: the line itself is still to
/// be taken.
pub(super) fn begun(line: &Issue) -> Issue {
    Issue {
        labels: Vec::new(),
        comments: Vec::new(),
        dependencies: Vec::new(),
        updated_at: None,
        ..line.clone()
    }
}

/// What differs in the columns of [`replace`] that bd tells about, in its words; empty if nothing does
/// (`importRowChangeSummary`).
pub fn changes(stored: &Issue, line: &Issue) -> String {
    let mut parts: Vec<String> = Vec::new();
    if stored.status != line.status {
        parts.push(format!("status {} → {}", stored.status, line.status));
    }
    if stored.priority != line.priority {
        parts.push(format!("priority {} → {}", stored.priority, line.priority));
    }
    if stored.issue_type != line.issue_type {
        parts.push(format!("type {} → {}", stored.issue_type, line.issue_type));
    }
    let notes = if line.notes.is_empty() { "notes cleared" } else { "notes" };
    let others = [
        ("assignee", stored.assignee != line.assignee),
        ("title", stored.title != line.title),
        ("description", stored.description != line.description),
        ("design", stored.design != line.design),
        ("acceptance_criteria", stored.acceptance_criteria != line.acceptance_criteria),
        (notes, stored.notes != line.notes),
        ("close_reason", stored.close_reason != line.close_reason),
        ("external_ref", stored.external_ref != line.external_ref),
        ("estimate", stored.estimated_minutes != line.estimated_minutes),
        ("metadata", stored.metadata != line.metadata),
    ];
    parts.extend(others.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name.to_owned()));
    parts.join(", ")
}
