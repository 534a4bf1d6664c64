//! An issue as a row of `issues` or `wisps`: which field is which column, and what bd writes where a field is empty
//! (bd 1.1.0 `issueops/helpers.go`: `insertIssueIntoTable`, `scan.go`: `ScanIssueFrom`).

use beads::issue::Metadata;
use beads::{Issue, IssueType, Status};
use dolt_store::table::Value;
use jiff::Timestamp;

use super::change::Values;
use super::reader::{into_number, into_text, into_time, of_time};

/// The columns of an issue, in the order in which [`Shape::issue`] takes them.
pub(super) const COLUMNS: [&str; 46] = [
    "id",
    "content_hash",
    "title",
    "description",
    "design",
    "acceptance_criteria",
    "notes",
    "status",
    "priority",
    "issue_type",
    "assignee",
    "estimated_minutes",
    "created_at",
    "created_by",
    "owner",
    "updated_at",
    "started_at",
    "closed_at",
    "external_ref",
    "spec_id",
    "compaction_level",
    "compacted_at",
    "compacted_at_commit",
    "original_size",
    "sender",
    "ephemeral",
    "no_history",
    "wisp_type",
    "pinned",
    "is_template",
    "mol_type",
    "work_type",
    "source_system",
    "source_repo",
    "close_reason",
    "event_kind",
    "actor",
    "target",
    "payload",
    "await_type",
    "await_id",
    "timeout_ns",
    "waiters",
    "due_at",
    "defer_until",
    "metadata",
];

/// Columns whose values lie outside of the row, or may.
const LONG: [&str; 8] = [
    "description",
    "design",
    "acceptance_criteria",
    "notes",
    "close_reason",
    "payload",
    "waiters",
    "metadata",
];

/// How rows become issues: which columns are read, and where each of their values goes.
pub(super) struct Shape {
    pub(super) columns: Vec<&'static str>,
    // For each of `COLUMNS`, whether it is among them.
    is_read: [bool; COLUMNS.len()],
}

impl Shape {
    /// All of them, or all but long texts and documents.
    pub(super) fn of(is_brief: bool) -> Self {
        let is_read = COLUMNS.map(|column| !is_brief || !LONG.contains(&column));
        let columns = COLUMNS.into_iter().zip(is_read).filter(|(_, is_read)| *is_read);
        Self { columns: columns.map(|(column, _)| column).collect(), is_read }
    }

    /// The row as an issue, without what hangs on it.
    pub(super) fn issue(&self, values: &mut Vec<Value>) -> Issue {
        let (mut values, mut is_read) = (values.drain(..), self.is_read.iter());
        let mut next = || is_read.next().filter(|is_read| **is_read).and_then(|_| values.next());
        issue(|| next().unwrap_or(Value::Null))
    }
}

// From the values of [`COLUMNS`], in their order.
fn issue(mut next: impl FnMut() -> Value) -> Issue {
    let text = |value: Value| into_text(value).unwrap_or_default();
    let flag = |value: &Value| into_number(value).is_some_and(|n| n != 0);
    let number = |value: &Value| into_number(value).unwrap_or_default();
    Issue {
        id: text(next()),
        content_hash: text(next()),
        title: text(next()),
        description: text(next()),
        design: text(next()),
        acceptance_criteria: text(next()),
        notes: text(next()),
        status: Status::from(text(next()).as_str()),
        priority: number(&next()),
        issue_type: IssueType::from(text(next()).as_str()),
        assignee: text(next()),
        estimated_minutes: into_number(&next()),
        created_at: into_time(&next()),
        created_by: text(next()),
        owner: text(next()),
        updated_at: into_time(&next()),
        started_at: into_time(&next()),
        closed_at: into_time(&next()),
        external_ref: into_text(next()),
        spec_id: text(next()),
        compaction_level: number(&next()),
        compacted_at: into_time(&next()),
        compacted_at_commit: into_text(next()),
        original_size: number(&next()),
        sender: text(next()),
        ephemeral: flag(&next()),
        no_history: flag(&next()),
        wisp_type: text(next()),
        pinned: flag(&next()),
        is_template: flag(&next()),
        mol_type: text(next()),
        work_type: text(next()),
        source_system: text(next()),
        source_repo: text(next()),
        close_reason: text(next()),
        event_kind: text(next()),
        actor: text(next()),
        target: text(next()),
        payload: text(next()),
        await_type: text(next()),
        await_id: text(next()),
        timeout: number(&next()),
        // A list that cannot be read is none, as in bd.
        waiters: serde_json::from_str(&text(next())).unwrap_or_default(),
        due_at: into_time(&next()),
        defer_until: into_time(&next()),
        metadata: document(next()),
        ..Issue::default()
    }
}

/// The free document of an issue; an empty one is none.
pub(super) fn document(value: Value) -> Option<Metadata> {
    into_text(value)
        .filter(|text| !text.is_empty() && text != "{}")
        .and_then(|text| Metadata::new(text).ok()?.as_stored())
}

/// The issue as a whole row. Which session closed it is written and, as in bd, not read back by [`issue`]: see
/// [`super::load::sessions`].
pub(super) fn values(issue: &Issue) -> Values {
    let text = |text: &str| Value::Text(text.to_owned());
    let or_null = |text: &str| if text.is_empty() { Value::Null } else { Value::Text(text.to_owned()) };
    let option = |text: &Option<String>| text.clone().map_or(Value::Null, Value::Text);
    let time = |time: Option<Timestamp>| time.map_or(Value::Null, of_time);
    let flag = |flag: bool| Value::Int(i64::from(flag));
    let waiters = if issue.waiters.is_empty() { String::new() } else { waiters(&issue.waiters) };
    vec![
        ("id", text(&issue.id)),
        ("content_hash", text(&issue.content_hash)),
        ("title", text(&issue.title)),
        ("description", text(&issue.description)),
        ("design", text(&issue.design)),
        ("acceptance_criteria", text(&issue.acceptance_criteria)),
        ("notes", text(&issue.notes)),
        ("status", text(issue.status.as_str())),
        ("priority", Value::Int(issue.priority)),
        ("issue_type", text(issue.issue_type.as_str())),
        ("assignee", or_null(&issue.assignee)),
        ("estimated_minutes", issue.estimated_minutes.map_or(Value::Null, Value::Int)),
        ("created_at", time(issue.created_at)),
        ("created_by", text(&issue.created_by)),
        ("owner", text(&issue.owner)),
        ("updated_at", time(issue.updated_at)),
        ("started_at", time(issue.started_at)),
        ("closed_at", time(issue.closed_at)),
        ("closed_by_session", text(&issue.closed_by_session)),
        ("external_ref", option(&issue.external_ref)),
        ("spec_id", text(&issue.spec_id)),
        ("compaction_level", Value::Int(issue.compaction_level)),
        ("compacted_at", time(issue.compacted_at)),
        ("compacted_at_commit", option(&issue.compacted_at_commit)),
        ("original_size", Some(issue.original_size).filter(|n| *n != 0).map_or(Value::Null, Value::Int)),
        ("sender", text(&issue.sender)),
        ("ephemeral", flag(issue.ephemeral)),
        ("no_history", flag(issue.no_history)),
        ("wisp_type", text(&issue.wisp_type)),
        ("pinned", flag(issue.pinned)),
        ("is_template", flag(issue.is_template)),
        ("mol_type", text(&issue.mol_type)),
        ("work_type", text(&issue.work_type)),
        ("source_system", text(&issue.source_system)),
        ("source_repo", text(&issue.source_repo)),
        ("close_reason", text(&issue.close_reason)),
        ("event_kind", text(&issue.event_kind)),
        ("actor", text(&issue.actor)),
        ("target", text(&issue.target)),
        ("payload", text(&issue.payload)),
        ("await_type", text(&issue.await_type)),
        ("await_id", text(&issue.await_id)),
        ("timeout_ns", Value::Int(issue.timeout)),
        ("waiters", Value::Text(waiters)),
        ("due_at", time(issue.due_at)),
        ("defer_until", time(issue.defer_until)),
        ("metadata", metadata(issue.metadata.as_ref())),
    ]
}

/// The column of a free document; nothing is an empty object.
pub(super) fn metadata(metadata: Option<&Metadata>) -> Value {
    Value::Json(metadata.map_or_else(|| "{}".to_owned(), |m| m.as_str().to_owned()))
}

/// The column of a list of names.
pub(super) fn waiters(names: &[String]) -> String {
    // A list of texts has a spelling in JSON whatever they are.
    beads::go_json::line(&names).unwrap_or_default()
}

/// The values in which a changed issue differs from what is stored.
pub(super) fn differences(before: &Issue, after: &Issue) -> Values {
    let (before, after) = (values(before), values(after));
    after.into_iter().zip(before).filter(|(after, before)| after != before).map(|(after, _)| after).collect()
}
