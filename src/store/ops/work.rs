//! One command being worked out: what is there, who acts and when, and the changes so far.

use std::cell::Cell;

use beads::change::Event;
use beads::graph::Flip;
use beads::id::NewId;
use beads::{Edge, EdgeType, Issue};
use dolt_store::table::Value;
use jiff::Timestamp;

use crate::store::StoreError;
use crate::store::change::{Changes, Values};
use crate::store::family::Family;
use crate::store::load::{self, TARGETS, With};
use crate::store::reader::{Reader, of_text, of_time};

/// Who does something, and when.
#[derive(Debug, Clone)]
pub struct Act {
    /// The actor: `created_by`, events, comments.
    pub actor: String,
    /// The owner's e-mail address.
    pub owner: String,
    /// The moment, with nanoseconds.
    pub now: Timestamp,
}

impl Act {
    /// What `NOW()` gives: the second that has begun.
    pub fn second(&self) -> Value {
        Value::Datetime(beads::when::truncate_to_second(self.now).as_microsecond())
    }
}

/// A command being worked out.
pub struct Work<'r> {
    /// What is there.
    pub reader: &'r dyn Reader,
    /// Who acts.
    pub act: &'r Act,
    /// What comes of it.
    pub changes: Changes,
    // Edges that these changes add, for what looks along edges afterwards.
    pub(super) new_edges: Vec<Edge>,
    count: Cell<u32>,
}

impl<'r> Work<'r> {
    /// Begins.
    pub fn new(reader: &'r dyn Reader, act: &'r Act) -> Self {
        Self { reader, act, changes: Changes::new(), new_edges: Vec::new(), count: Cell::new(0) }
    }

    /// An issue with nothing on it, or a refusal with bd's words.
    pub fn issue(&self, id: &str) -> Result<(Issue, Family), StoreError> {
        self.issue_with(id, With::NOTHING)
    }

    /// The same with what hangs on it.
    pub fn issue_with(&self, id: &str, with: With) -> Result<(Issue, Family), StoreError> {
        load::issue(self.reader, id, with)?.ok_or_else(|| StoreError::NoIssue { id: id.to_owned() })
    }

    /// A new time-ordered id for an event or a comment. Those of one command come in the order in which they were made.
    pub fn row_id(&self) -> String {
        self.count.set(self.count.get().wrapping_add(1));
        uuid::Uuid::now_v7().to_string()
    }

    /// Records an event.
    pub fn event(&mut self, family: Family, issue: &str, event: Event, told: Told<'_>) {
        let mut values: Values = vec![
            ("id", of_text(self.row_id())),
            ("issue_id", of_text(issue)),
            ("event_type", of_text(event.as_str())),
            ("actor", of_text(&self.act.actor)),
            ("created_at", self.act.second()),
        ];
        match told {
            Told::Values(old, new) => {
                values.extend([("old_value", of_text(old)), ("new_value", of_text(new))]);
            }
            Told::Comment(comment) => values.push(("comment", of_text(comment))),
        }
        self.changes.insert(family.events(), values);
    }

    /// Sets the flags that a change has turned. Other columns stay, `updated_at` too.
    pub fn flip(&mut self, flips: &[Flip]) -> Result<(), StoreError> {
        if flips.is_empty() {
            return Ok(());
        }
        let ids: Vec<String> = flips.iter().map(|flip| flip.id.clone()).collect();
        let known = load::briefs(self.reader, Some(&ids))?;
        for flip in flips {
            let family = known.get(&flip.id).map(|brief| brief.family);
            if let Some(family) = family {
                self.set_flag(family, &flip.id, flip.blocked)?;
            }
        }
        Ok(())
    }

    /// Sets one flag, of a row that is there or comes with these changes.
    pub fn set_flag(&mut self, family: Family, id: &str, blocked: bool) -> Result<(), StoreError> {
        // Naming the column keeps it from being set to the time of the change.
        let key = [("id", of_text(id))];
        let by = crate::store::reader::By::Equal(&key);
        let rows = self.reader.rows(family.rows(), &["updated_at"], by)?;
        let mut values = vec![("is_blocked", Value::Int(i64::from(blocked)))];
        let stored = rows.into_iter().next().and_then(|row| row.into_iter().next());
        let touched =
            self.changes.as_slice().iter().rev().find_map(|change| updated_at_of(change, family, id));
        if let Some(time) = touched.or(stored) {
            values.push(("updated_at", time));
        }
        self.changes.update(family.rows(), vec![("id", of_text(id))], values);
        Ok(())
    }

    /// Adds the row of an edge.
    pub fn insert_edge(&mut self, edge: &Edge, target: beads::edge::Target, family: Family) {
        let column = match target {
            beads::edge::Target::Issue => TARGETS[0],
            beads::edge::Target::Wisp => TARGETS[1],
            beads::edge::Target::External => TARGETS[2],
        };
        let metadata = if edge.metadata.is_empty() { "{}" } else { &edge.metadata };
        let created_by = if edge.created_by.is_empty() { &self.act.actor } else { &edge.created_by };
        let created_at = edge.created_at.map_or_else(|| self.act.second(), of_time);
        self.changes.insert(
            family.edges(),
            vec![
                ("id", of_text(edge.computed_id())),
                ("issue_id", of_text(&edge.issue_id)),
                (column, of_text(&edge.depends_on_id)),
                ("type", of_text(edge.kind.as_str())),
                ("created_at", created_at),
                ("created_by", of_text(created_by)),
                ("metadata", Value::Json(metadata.to_owned())),
                ("thread_id", of_text(&edge.thread_id)),
            ],
        );
        self.new_edges.push(edge.clone());
    }

    /// Whether one issue already waits, along edges that block directly, for another.
    pub fn waits(&self, from: &str, to: &str) -> Result<bool, StoreError> {
        let mut seen = std::collections::HashSet::from([from.to_owned()]);
        let mut level = vec![from.to_owned()];
        while !level.is_empty() {
            if level.iter().any(|id| id == to) {
                return Ok(true);
            }
            let stored = load::edges_from(self.reader, &level)?;
            let edges = stored.iter().map(|stored| &stored.edge);
            let new = self.new_edges.iter().filter(|edge| level.contains(&edge.issue_id));
            let next = edges.chain(new).filter(|edge| edge.kind.blocks_directly());
            let mut next: Vec<String> = next.map(|edge| edge.depends_on_id.clone()).collect();
            next.retain(|id| seen.insert(id.clone()));
            level = next;
        }
        Ok(false)
    }

    /// The kind of the edge that a pair has, and its row.
    pub fn edge_between(&self, issue: &str, target: &str) -> Result<Option<load::StoredEdge>, StoreError> {
        let stored = load::edges_from(self.reader, &[issue.to_owned()])?;
        Ok(stored.into_iter().find(|stored| stored.edge.depends_on_id == target))
    }

    /// The parent by its edges.
    pub fn parent_edge(&self, issue: &str) -> Result<Option<load::StoredEdge>, StoreError> {
        let mut stored = load::edges_from(self.reader, &[issue.to_owned()])?;
        stored.retain(|stored| stored.edge.kind == EdgeType::ParentChild);
        stored.sort_by(|a, b| a.edge.depends_on_id.cmp(&b.edge.depends_on_id));
        Ok(stored.into_iter().next())
    }
}

fn updated_at_of(change: &crate::store::change::Change, family: Family, id: &str) -> Option<Value> {
    use crate::store::change::Change;
    let (table, key, values) = match change {
        Change::Insert { table, values } | Change::Put { table, values } => (table, values, values),
        Change::Update { table, key, values } => (table, key, values),
        Change::Delete { .. } => return None,
    };
    let is_it = key.iter().any(|(name, value)| *name == "id" && *value == Value::Text(id.to_owned()));
    if *table != family.rows() || !is_it {
        return None;
    }
    values.iter().find(|(name, _)| *name == "updated_at").map(|(_, value)| value.clone())
}

/// What an event tells.
#[derive(Debug, Clone, Copy)]
pub enum Told<'a> {
    /// Before and after.
    Values(&'a str, &'a str),
    /// In words.
    Comment(&'a str),
}

/// An issue as bd keeps it in an event.
pub(super) fn as_event_value(issue: &Issue) -> Result<String, StoreError> {
    Ok(beads::go_json::line(issue)?)
}

/// What the hash of a new issue's id is made of.
pub(super) fn id_seed<'a>(prefix: &'a str, issue: &'a Issue, act: &'a Act) -> NewId<'a> {
    NewId {
        prefix,
        title: &issue.title,
        description: &issue.description,
        actor: &act.actor,
        created_at: issue.created_at.unwrap_or(act.now),
    }
}
