//! The columns that an import replaces, and the words that tell what it changed. In all others (dates that put off, flags, owners,
//! gates) bd keeps what is stored and loses what a newer line says; here a value that the line has is taken, and what it is
//! silent about stays.

use crate::issue::Issue;

/// Gives a stored issue the line's values: all in the columns that bd's upsert rewrites (`issueUpsertColumns`), in the others those
/// that are there.
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
    for (kept, said) in [
        (&mut stored.owner, &line.owner),
        (&mut stored.created_by, &line.created_by),
        (&mut stored.closed_by_session, &line.closed_by_session),
        (&mut stored.spec_id, &line.spec_id),
        (&mut stored.source_system, &line.source_system),
        (&mut stored.sender, &line.sender),
        (&mut stored.wisp_type, &line.wisp_type),
        (&mut stored.mol_type, &line.mol_type),
        (&mut stored.work_type, &line.work_type),
        (&mut stored.await_type, &line.await_type),
        (&mut stored.await_id, &line.await_id),
        (&mut stored.event_kind, &line.event_kind),
        (&mut stored.actor, &line.actor),
        (&mut stored.target, &line.target),
        (&mut stored.payload, &line.payload),
    ] {
        if !said.is_empty() {
            kept.clone_from(said);
        }
    }
    stored.due_at = line.due_at.or(stored.due_at);
    stored.defer_until = line.defer_until.or(stored.defer_until);
    stored.compacted_at = line.compacted_at.or(stored.compacted_at);
    if line.compacted_at_commit.is_some() {
        stored.compacted_at_commit.clone_from(&line.compacted_at_commit);
    }
    for (kept, said) in [
        (&mut stored.compaction_level, line.compaction_level),
        (&mut stored.original_size, line.original_size),
        (&mut stored.timeout, line.timeout),
    ] {
        if said != 0 {
            *kept = said;
        }
    }
    if !line.waiters.is_empty() {
        stored.waiters.clone_from(&line.waiters);
    }
    stored.pinned |= line.pinned;
    stored.is_template |= line.is_template;
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
