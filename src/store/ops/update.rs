//! `update`: the fields that are named, and what follows from a status (bd 1.1.0 `cmd/bd/update.go`, `issueops/update.go`).
//!
//! The event keeps the whole issue as it was and the new values by the names of their columns, so a value is set exactly as it
//! was given: an assignee of nothing is an empty text here and NULL in a new issue, as in bd.

use std::collections::BTreeMap;

use beads::change::{self, Event};
use beads::issue::{InvalidIssue, Metadata, check_key};
use beads::{Issue, IssueType, Status};
use dolt_store::table::Value;
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

use super::work::{Told, Work, as_event_value};
use crate::store::StoreError;
use crate::store::change::Values;
use crate::store::issue_row;
use crate::store::load::{Rules, With};
use crate::store::neighbourhood::{Seeds, around};
use crate::store::reader::{of_text, of_time};

/// What `update` changes. `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct Update {
    /// New state.
    pub status: Option<Status>,
    /// Kept with a close.
    pub session: Option<String>,
    /// New urgency.
    pub priority: Option<i64>,
    /// Texts by their columns: `title`, `assignee`, `description`, `design`, `notes`, `acceptance_criteria`, `spec_id`,
    /// `await_id`, `mol_type`, `wisp_type`, `sender`.
    pub texts: BTreeMap<&'static str, String>,
    /// Added behind the notes.
    pub append_notes: Option<String>,
    /// New reference, or none.
    pub external_ref: Option<Option<String>>,
    /// New estimate.
    pub estimated_minutes: Option<i64>,
    /// New kind.
    pub issue_type: Option<IssueType>,
    /// New deadline, or none.
    pub due_at: Option<Option<Timestamp>>,
    /// New date to be put off until, or none.
    pub defer_until: Option<Option<Timestamp>>,
    /// A deferred issue becomes open.
    pub end_deferral: bool,
    /// The flag of ephemeral wisps.
    pub ephemeral: Option<bool>,
    /// The flag of rows without history.
    pub no_history: Option<bool>,
    /// A document whose keys are taken over.
    pub metadata: Option<String>,
    /// A document in place of the one that is stored.
    pub document: Option<String>,
    /// Who is told when a gate opens.
    pub waiters: Option<Vec<String>>,
    /// Keys to set, and keys to remove.
    pub metadata_edits: Option<(Vec<String>, Vec<String>)>,
}

impl Update {
    /// Whether no field is named.
    pub fn is_empty(&self) -> bool {
        self.status.is_none()
            && self.priority.is_none()
            && self.texts.is_empty()
            && self.append_notes.is_none()
            && self.external_ref.is_none()
            && self.estimated_minutes.is_none()
            && self.issue_type.is_none()
            && self.due_at.is_none()
            && self.defer_until.is_none()
            && !self.end_deferral
            && self.ephemeral.is_none()
            && self.no_history.is_none()
            && self.metadata.is_none()
            && self.metadata_edits.is_none()
            && self.document.is_none()
            && self.waiters.is_none()
    }
}

/// Changes one issue. Gives it as it was, with its labels and edges, since that is what the event keeps.
pub fn update(work: &mut Work<'_>, rules: &Rules, id: &str, update: &Update) -> Result<Issue, StoreError> {
    let (before, family) = work.issue_with(id, With { labels: true, ..With::NOTHING })?;
    if let Some(issue_type) = update.issue_type.as_ref().filter(|t| !rules.allowed.issue_type(t)) {
        return Err(InvalidIssue::Type(issue_type.to_string()).into());
    }
    let mut set = Set::default();
    let is_deferred = before.status == Status::Deferred;
    let status = update.status.clone().or((update.end_deferral && is_deferred).then_some(Status::Open));
    let mut after = before.clone();
    if let Some(status) = &status {
        change::set_status(&mut after, status.clone(), work.act.now);
        set.text("status", status.as_str());
        let session = update.session.as_deref().filter(|session| !session.is_empty());
        if let Some(session) = session.filter(|_| *status == Status::Closed) {
            set.text("closed_by_session", session);
        }
        follow(&mut set.columns, &before, &after);
    }
    if let Some(priority) = update.priority {
        set.put("priority", Value::Int(priority), json!(priority));
    }
    for (column, text) in &update.texts {
        set.text(column, text);
    }
    if let Some(more) = &update.append_notes {
        let notes = if before.notes.is_empty() { more.clone() } else { format!("{}\n{more}", before.notes) };
        set.text("notes", &notes);
    }
    if let Some(reference) = &update.external_ref {
        set.put("external_ref", reference.clone().map_or(Value::Null, Value::Text), json!(reference));
    }
    if let Some(minutes) = update.estimated_minutes {
        set.put("estimated_minutes", Value::Int(minutes), json!(minutes));
    }
    if let Some(issue_type) = &update.issue_type {
        set.text("issue_type", issue_type.as_str());
    }
    for (column, time) in [("due_at", update.due_at), ("defer_until", update.defer_until)] {
        if let Some(time) = time {
            set.put(column, time.map_or(Value::Null, of_time), json!(time.map(|t| t.to_string())));
        }
    }
    if let Some(flag) = update.ephemeral {
        set.column("ephemeral", Value::Int(i64::from(flag)));
        set.told.insert("wisp".into(), json!(flag));
    }
    if let Some(flag) = update.no_history {
        set.put("no_history", Value::Int(i64::from(flag)), json!(flag));
    }
    if let Some(metadata) = new_metadata(&before, update)? {
        let document: Json = serde_json::from_str(&metadata)?;
        set.put("metadata", Value::Json(metadata), document);
    }
    if let Some(document) = &update.document {
        set.put("metadata", Value::Json(document.clone()), json!(document));
    }
    if let Some(waiters) = &update.waiters {
        set.put("waiters", Value::Text(issue_row::waiters(waiters)), json!(waiters));
    }
    if set.told.is_empty() {
        return Ok(before);
    }
    set.column("updated_at", of_time(work.act.now));
    work.changes.update(family.rows(), vec![("id", of_text(id))], set.columns);
    let told = beads::go_json::line(&set.told)?;
    let event = Event::of_update(&before.status, status.as_ref());
    work.event(family, id, event, Told::Values(&as_event_value(&before)?, &told));
    if let Some(status) = status.filter(|status| status.is_live() != before.status.is_live()) {
        let seeds = Seeds { issues: vec![id.to_owned()], ..Seeds::default() };
        let flips = around(work.reader, &seeds)?.set_status(id, &status);
        work.flip(&flips)?;
    }
    Ok(before)
}

/// Takes an issue for the actor; what it was before. Taking one's own again changes nothing.
pub fn claim(work: &mut Work<'_>, id: &str) -> Result<Issue, StoreError> {
    let (before, family) = work.issue_with(id, With { labels: true, ..With::NOTHING })?;
    let mut after = before.clone();
    let (act, now) = (work.act, work.act.now);
    if !change::claim(&mut after, &act.actor, now)? {
        return Ok(before);
    }
    let mut columns = vec![
        ("assignee", of_text(&act.actor)),
        ("status", of_text("in_progress")),
        ("updated_at", of_time(now)),
    ];
    if before.started_at.is_none() {
        columns.push(("started_at", of_time(now)));
    }
    work.changes.update(family.rows(), vec![("id", of_text(id))], columns);
    let told = beads::go_json::line(&json!({"assignee": act.actor, "status": "in_progress"}))?;
    work.event(family, id, Event::Claimed, Told::Values(&as_event_value(&before)?, &told));
    Ok(before)
}

/// Columns with their new values, and what the event tells of them.
#[derive(Default)]
struct Set {
    columns: Values,
    told: Map<String, Json>,
}

impl Set {
    fn text(&mut self, column: &'static str, text: &str) {
        self.put(column, of_text(text), json!(text));
    }

    fn put(&mut self, column: &'static str, value: Value, told: Json) {
        self.column(column, value);
        self.told.insert(column.to_owned(), told);
    }

    fn column(&mut self, column: &'static str, value: Value) {
        self.columns.retain(|(other, _)| *other != column);
        self.columns.push((column, value));
    }
}

// The dates and flags that follow a status.
fn follow(columns: &mut Values, before: &Issue, after: &Issue) {
    let time = |time: Option<Timestamp>| time.map_or(Value::Null, of_time);
    if before.closed_at != after.closed_at {
        columns.push(("closed_at", time(after.closed_at)));
    }
    if before.status == Status::Closed && after.status != Status::Closed {
        columns.push(("close_reason", of_text("")));
    }
    if before.started_at != after.started_at {
        columns.push(("started_at", time(after.started_at)));
    }
    if before.pinned != after.pinned {
        columns.push(("pinned", Value::Int(i64::from(after.pinned))));
    }
}

fn new_metadata(before: &Issue, update: &Update) -> Result<Option<String>, StoreError> {
    let stored = before.metadata.as_ref().map(Metadata::as_str).filter(|text| !text.is_empty());
    let object = |text: &str, whose: &str| {
        let read: Result<BTreeMap<String, Json>, _> = serde_json::from_str(text);
        read.map_err(|error| format!("{whose} metadata is not a JSON object: {error}"))
    };
    let spelled = |map: &BTreeMap<String, Json>| beads::go_json::line(map);
    if let Some(given) = &update.metadata {
        let Some(stored) = stored else { return Ok(Some(given.clone())) };
        let refused =
            |problem| StoreError::Refused(format!("metadata merge failed for {}: {problem}", before.id));
        let mut merged = object(stored, "existing").map_err(refused)?;
        merged.extend(object(given, "new").map_err(refused)?);
        return Ok(Some(spelled(&merged)?));
    }
    let Some((set, unset)) = &update.metadata_edits else { return Ok(None) };
    let refused = |problem| StoreError::Refused(format!("metadata edit failed for {}: {problem}", before.id));
    let mut edited = object(stored.unwrap_or("{}"), "existing").map_err(refused)?;
    for pair in set {
        let Some((key, value)) = pair.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return Err(refused(format!("invalid --set-metadata: expected key=value, got {pair:?}")));
        };
        check_key(key).map_err(|error| refused(error.to_string()))?;
        edited.insert(key.to_owned(), json_value(value));
    }
    for key in unset {
        check_key(key).map_err(|error| refused(error.to_string()))?;
        edited.remove(key);
    }
    Ok(Some(spelled(&edited)?))
}

// Numbers, truth values and null are themselves; everything else is a text (bd `toJSONValue`).
fn json_value(text: &str) -> Json {
    match serde_json::from_str(text) {
        Ok(value @ (Json::Number(_) | Json::Bool(_) | Json::Null)) => value,
        _ => Json::String(text.to_owned()),
    }
}
