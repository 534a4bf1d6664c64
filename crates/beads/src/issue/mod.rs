//! An issue: its fields in the order in which bd writes them, and what of it survives a trip through the database.
//!
//! Absent and empty are the same wherever bd makes no difference, so most texts are plain strings. Where it does (an external
//! reference that is set and empty), the field is an `Option`.

mod metadata;
mod read;
mod status_config;
mod validate;
mod words;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

pub use metadata::{Metadata, MetadataError, check_key};
pub use status_config::{CustomStatus, CustomStatusError, names_of_list, parse_custom_statuses};
pub use validate::{Allowed, InvalidIssue, TooWide, check_widths, is_test_title, parse_priority};
pub use words::{Category, INFRA_TYPES, IssueType, Status, is_mol_type, is_wisp_type, is_work_type};

use crate::edge::Edge;
use crate::go_json::is_zero;
use crate::when::{round_to_second, write_opt, write_required};

/// One issue with what hangs on it (bd `internal/types`: `Issue`; key order and omission as its JSON tags say).
///
/// [`Default`] is what bd makes of `{}`: priority 0, no status, no type. See [`Issue::set_defaults`].
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Issue {
    /// `<prefix>-<hash>`, children with `.n`.
    pub id: String,
    /// SHA-256 of the content at the time of insertion, as [`crate::content_hash::of`] gives it; updates leave it stale.
    #[serde(skip)]
    pub content_hash: String,
    /// One line, 1 to 500 bytes.
    pub title: String,
    /// Free text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Free text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub design: String,
    /// Free text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub acceptance_criteria: String,
    /// Free text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// Reference to a specification.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub spec_id: String,
    /// State.
    #[serde(skip_serializing_if = "is_empty_status")]
    pub status: Status,
    /// 0 (most urgent) to 4.
    pub priority: i64,
    /// Kind of work.
    #[serde(skip_serializing_if = "is_empty_type")]
    pub issue_type: IssueType,
    /// Who works on it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub assignee: String,
    /// E-mail of the human behind it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// In minutes, not negative.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_minutes: Option<i64>,
    /// `None` is Go's zero time, which the store replaces by the time of insertion.
    #[serde(serialize_with = "write_required")]
    pub created_at: Option<Timestamp>,
    /// Actor.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub created_by: String,
    /// `None` as for `created_at`.
    #[serde(serialize_with = "write_required")]
    pub updated_at: Option<Timestamp>,
    /// First time in progress.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_opt")]
    pub started_at: Option<Timestamp>,
    /// Set exactly if the status is closed.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_opt")]
    pub closed_at: Option<Timestamp>,
    /// Why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub close_reason: String,
    /// Session that closed it. Stored, but never read back by bd.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub closed_by_session: String,
    /// Deadline.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_opt")]
    pub due_at: Option<Timestamp>,
    /// Not ready before.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_opt")]
    pub defer_until: Option<Timestamp>,
    /// Such as `gh-9`. Set and empty differs from not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_ref: Option<String>,
    /// Adapter that made it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source_system: String,
    /// Any JSON value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    /// Tier of compaction, 0 for none.
    #[serde(skip_serializing_if = "is_zero")]
    pub compaction_level: i64,
    /// When compacted.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "write_opt")]
    pub compacted_at: Option<Timestamp>,
    /// Git commit at that time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compacted_at_commit: Option<String>,
    /// Bytes before compaction.
    #[serde(skip_serializing_if = "is_zero")]
    pub original_size: i64,
    /// Which repository owns it; never written to JSON.
    #[serde(skip)]
    pub source_repo: String,
    /// Tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Edges that begin here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Edge>,
    /// Remarks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comments: Vec<Comment>,
    /// Who sent a message.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sender: String,
    /// A wisp: local, not versioned.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ephemeral: bool,
    /// Kept among the wisps, but lasting.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub no_history: bool,
    /// Class of a wisp, see [`is_wisp_type`].
    #[serde(skip_serializing_if = "String::is_empty")]
    pub wisp_type: String,
    /// A marker of context, not work.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// Read only, to be poured.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_template: bool,
    /// What a compound was made of. No column holds it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bonded_from: Vec<BondRef>,
    /// What a gate waits for: `gh:run`, `gh:pr`, `timer`, `human`, `mail`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub await_type: String,
    /// Which one of these.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub await_id: String,
    /// Nanoseconds until a gate escalates.
    #[serde(skip_serializing_if = "is_zero")]
    pub timeout: i64,
    /// Mail addresses to tell.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waiters: Vec<String>,
    /// Formula that this was cooked from. No column holds it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source_formula: String,
    /// Place in that formula. No column holds it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source_location: String,
    /// See [`is_mol_type`].
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mol_type: String,
    /// See [`is_work_type`].
    #[serde(skip_serializing_if = "String::is_empty")]
    pub work_type: String,
    /// Such as `patrol.muted`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub event_kind: String,
    /// Who caused an event.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub actor: String,
    /// Whom it concerns.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub target: String,
    /// What it carries.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub payload: String,
}

/// A remark on an issue (bd `Comment`). Equal author, time and text mean the same remark, whatever the id.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Comment {
    /// A time-ordered UUID; empty if the store has yet to make one. Numbers of old exports are read as text.
    pub id: String,
    /// The issue.
    pub issue_id: String,
    /// Who.
    pub author: String,
    /// What.
    pub text: String,
    /// When; `None` is replaced by the time of insertion.
    #[serde(serialize_with = "write_required")]
    pub created_at: Option<Timestamp>,
}

/// One part of a compound molecule (bd `BondRef`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct BondRef {
    /// The molecule.
    pub source_id: String,
    /// `sequential`, `parallel`, `conditional` or `root`.
    pub bond_type: String,
    /// Where it was attached.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub bond_point: String,
}

impl Default for Status {
    /// No word at all, as in a line without the key.
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl Default for IssueType {
    /// No word at all, as in a line without the key.
    fn default() -> Self {
        Self::Other(String::new())
    }
}

fn is_empty_status(status: &Status) -> bool {
    status.as_str().is_empty()
}

fn is_empty_type(issue_type: &IssueType) -> bool {
    issue_type.as_str().is_empty()
}

impl Issue {
    /// Open and task where nothing is said (bd `SetDefaults`). The priority stays: 0 is one.
    pub fn set_defaults(&mut self) {
        if self.status.as_str().is_empty() {
            self.status = Status::Open;
        }
        if self.issue_type.as_str().is_empty() {
            self.issue_type = IssueType::Task;
        }
    }

    /// Whether the row lives among the wisps. The id says nothing about it (bd `IsWisp`).
    pub fn is_wisp(&self) -> bool {
        self.ephemeral || self.no_history
    }

    /// The parent by its edges: the least target of a parent-child edge, as `list --json` has it (bd `sqlbuild/counts.go`).
    pub fn parent(&self) -> Option<&str> {
        let parents = self.dependencies.iter().filter(|edge| edge.kind == crate::EdgeType::ParentChild);
        parents.map(|edge| edge.depends_on_id.as_str()).min()
    }

    /// The issue as bd reads it back after storing it: times in whole seconds, metadata as the database spells it, labels
    /// sorted, edges and comments in the order of the tables, fields without a column gone.
    ///
    /// Edges with an external target come last, by that target; the others by their computed id. Edge metadata stays: only an
    /// import drops it.
    #[must_use]
    pub fn as_stored(mut self) -> Self {
        for time in [&mut self.created_at, &mut self.updated_at, &mut self.started_at, &mut self.closed_at] {
            *time = time.map(round_to_second);
        }
        for time in [&mut self.due_at, &mut self.defer_until, &mut self.compacted_at] {
            *time = time.map(round_to_second);
        }
        self.closed_by_session.clear();
        self.source_formula.clear();
        self.source_location.clear();
        self.bonded_from.clear();
        self.metadata = self.metadata.and_then(|metadata| metadata.as_stored());
        self.labels = self.labels.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        let mut edges: Vec<_> = self
            .dependencies
            .into_iter()
            .map(|mut edge| {
                edge.issue_id.clone_from(&self.id);
                edge.created_at = edge.created_at.map(round_to_second);
                if edge.metadata.is_empty() {
                    "{}".clone_into(&mut edge.metadata);
                }
                let external = edge.is_external().then(|| edge.depends_on_id.clone());
                ((external, edge.computed_id()), edge)
            })
            .collect();
        edges.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.dependencies = edges.into_iter().map(|(_, edge)| edge).collect();
        for comment in &mut self.comments {
            comment.issue_id.clone_from(&self.id);
            comment.created_at = comment.created_at.map(round_to_second);
        }
        self.comments.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        self
    }
}
