//! Which events come of the changes of a transaction, each with the issue as it was then.
//!
//! What could go wrong is that a script is told of a state that never was, because several changes are done at once. So
//! the issues are read when the changes are done, and labels and edges are taken back one by one from the last event to the first.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use beads::{Edge, Issue, go_json};
use dolt_store::table::Value;

use super::{Event, EventHooks, Told};
use crate::store::family::Family;
use crate::store::load::{self, TARGETS, With};
use crate::store::reader::{By, Reader};
use crate::store::{Change, Changes, StoreError, Tx, Values};

const HANGING: With = With { labels: true, edges: true, comments: false, brief: false };

/// A transaction that keeps for the hooks what it does.
pub(in crate::cli::bd) struct Noting<'t> {
    tx: &'t mut dyn Tx,
    hooks: &'t mut EventHooks,
}

/// An event, and what of labels and edges it has changed.
#[derive(Debug)]
struct Noted {
    event: Event,
    id: String,
    what: What,
}

#[derive(Debug)]
enum What {
    /// Neither.
    Row,
    /// It has come, with nothing on it.
    Made,
    /// A label was put on; `is_new` if it was not there.
    Label { label: String, is_new: bool },
    /// A label was taken off; `was_there` if it was there.
    NoLabel { label: String, was_there: bool },
    /// An edge has come, to this target; or has stayed and was told again.
    Edge { new: Option<String> },
    /// An edge has gone.
    NoEdge(Edge),
}

impl<'t> Noting<'t> {
    pub(super) fn new(tx: &'t mut dyn Tx, hooks: &'t mut EventHooks) -> Self {
        Self { tx, hooks }
    }
}

impl Tx for Noting<'_> {
    fn reader(&self) -> &dyn Reader {
        self.tx.reader()
    }

    fn apply(&mut self, changes: Changes) -> Result<(), StoreError> {
        let edges = if self.hooks.events.contains(&Event::Update) {
            touched_edges(self.tx.reader(), changes.as_slice())?
        } else {
            HashMap::new()
        };
        let noted = noted(changes.as_slice(), &edges, self.hooks.is_deletion);
        let is_told = |noted: &Noted| self.hooks.events.contains(&noted.event);
        let ids: BTreeSet<String> =
            noted.iter().filter(|noted| is_told(noted)).map(|noted| noted.id.clone()).collect();
        if ids.is_empty() {
            return self.tx.apply(changes);
        }
        let gone = deleted(changes.as_slice());
        let (going, staying): (Vec<_>, Vec<_>) = ids.into_iter().partition(|id| gone.contains(id));
        let mut issues = by_id(self.tx.reader(), &going)?;
        self.tx.apply(changes)?;
        for noted in &noted {
            // Such an issue was read with the edges that go before it.
            if let (What::NoEdge(edge), Some(issue)) = (&noted.what, issues.get_mut(&noted.id)) {
                issue.dependencies.retain(|other| other.depends_on_id != edge.depends_on_id);
            }
        }
        issues.extend(by_id(self.tx.reader(), &staying)?);
        let told = told(&noted, &self.hooks.events, &mut issues)?;
        self.hooks.told.extend(told);
        Ok(())
    }
}

fn by_id(reader: &dyn Reader, ids: &[String]) -> Result<HashMap<String, Issue>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = load::issues_by_id(reader, ids, HANGING)?;
    Ok(found.into_iter().map(|issue| (issue.id.clone(), issue)).collect())
}

// From the last to the first: each is told the state that it has left.
fn told(
    noted: &[Noted],
    events: &[Event],
    issues: &mut HashMap<String, Issue>,
) -> Result<Vec<Told>, StoreError> {
    // bd tells the labels of a new issue in the order in which they were given, and all others sorted.
    let mut given: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for Noted { id, what, .. } in noted {
        match what {
            What::Made => drop(given.insert(id, Vec::new())),
            What::Label { label, .. } => {
                if let Some(labels) = given.get_mut(id.as_str()) {
                    labels.push(label);
                }
            }
            _ => {}
        }
    }
    let mut told = Vec::new();
    for Noted { event, id, what } in noted.iter().rev() {
        let Some(issue) = issues.get_mut(id) else { continue };
        if events.contains(event) {
            let mut shown = issue.clone();
            if !matches!(what, What::Edge { .. } | What::NoEdge(_)) {
                shown.dependencies.clear();
            }
            if let Some(given) = given.get(id.as_str())
                && matches!(what, What::Made | What::Label { .. })
            {
                let is_on = |label: &&&str| issue.labels.iter().any(|other| other == **label);
                shown.labels = given.iter().filter(is_on).map(|&label| label.to_owned()).collect();
            }
            told.push(Told { event: *event, id: id.clone(), json: go_json::line(&shown)? });
        }
        take_back(issue, what);
    }
    told.reverse();
    Ok(told)
}

fn take_back(issue: &mut Issue, what: &What) {
    match what {
        What::Label { label, is_new: true } => issue.labels.retain(|other| other != label),
        What::NoLabel { label, was_there: true } => {
            issue.labels.push(label.clone());
            issue.labels.sort();
        }
        What::Edge { new: Some(target) } => {
            issue.dependencies.retain(|edge| edge.depends_on_id != *target);
        }
        What::NoEdge(edge) => {
            issue.dependencies.push(edge.clone());
            issue.dependencies.sort_by_cached_key(Edge::computed_id);
        }
        _ => {}
    }
}

fn text<'v>(values: &'v Values, name: &str) -> &'v str {
    match values.iter().find(|(column, _)| *column == name) {
        Some((_, Value::Text(text))) => text.as_str(),
        _ => "",
    }
}

fn deleted(changes: &[Change]) -> BTreeSet<String> {
    let rows = Family::BOTH.map(Family::rows);
    let of = |change: &Change| match change {
        Change::Delete { table, key } if rows.contains(table) => Some(text(key, "id").to_owned()),
        _ => None,
    };
    changes.iter().filter_map(of).collect()
}

// The edges that change or go, by their keys: the changes name nothing else of them.
fn touched_edges(reader: &dyn Reader, changes: &[Change]) -> Result<HashMap<String, Edge>, StoreError> {
    let mut found = HashMap::new();
    for family in Family::BOTH {
        let ids = changes.iter().filter_map(|change| match change {
            Change::Update { table, key, .. } | Change::Delete { table, key } if *table == family.edges() => {
                Some(text(key, "id").to_owned())
            }
            _ => None,
        });
        let ids: Vec<String> = ids.collect();
        if !ids.is_empty() {
            let edges = load::edges(reader, family, By::In("id", &ids))?;
            found.extend(edges.into_iter().map(|stored| (stored.id, stored.edge)));
        }
    }
    Ok(found)
}

// What bd's store tells its hooks of the same work.
fn noted(changes: &[Change], edges: &HashMap<String, Edge>, is_deletion: bool) -> Vec<Noted> {
    let gone = deleted(changes).len();
    // Of many that go, bd tells nothing: only one alone is taken out of its edges one by one.
    let tells_lost_edges = gone == 0 || (gone == 1 && is_deletion);
    let mut noted = Vec::new();
    for (at, change) in changes.iter().enumerate() {
        let family = Family::BOTH.into_iter().find(|family| {
            [family.rows(), family.edges(), family.events(), family.comments()].contains(&change.table())
        });
        let Some(family) = family else { continue };
        let is_of = |table: &str| change.table() == table;
        let found = match change {
            Change::Insert { values, .. } if is_of(family.rows()) => {
                Some((Event::Create, text(values, "id"), What::Made))
            }
            Change::Update { key, values, .. } if is_of(family.rows()) => {
                of_row(values, changes.get(at + 1)).map(|event| (event, text(key, "id"), What::Row))
            }
            Change::Insert { values, .. } if is_of(family.events()) => {
                let before = at.checked_sub(1).and_then(|at| changes.get(at));
                of_label(values, family, before).map(|what| (Event::Update, text(values, "issue_id"), what))
            }
            Change::Insert { values, .. } if is_of(family.edges()) => {
                let target = TARGETS.into_iter().map(|column| text(values, column)).find(|id| !id.is_empty());
                let what = What::Edge { new: target.map(str::to_owned) };
                Some((Event::Update, text(values, "issue_id"), what))
            }
            Change::Update { key, values, .. } if is_of(family.edges()) => {
                // Others move an edge that nobody has asked for.
                let edge = edges.get(text(key, "id")).filter(|_| is_only(values, &["metadata"]));
                edge.map(|edge| (Event::Update, edge.issue_id.as_str(), What::Edge { new: None }))
            }
            Change::Delete { key, .. } if is_of(family.edges()) && tells_lost_edges => edges
                .get(text(key, "id"))
                .map(|edge| (Event::Update, edge.issue_id.as_str(), What::NoEdge(edge.clone()))),
            Change::Insert { values, .. } if is_of(family.comments()) => {
                Some((Event::Update, text(values, "issue_id"), What::Row))
            }
            _ => None,
        };
        noted.extend(found.map(|(event, id, what)| Noted { event, id: id.to_owned(), what }));
    }
    noted
}

fn is_only(values: &Values, columns: &[&str]) -> bool {
    values.iter().all(|(column, _)| columns.contains(column))
}

// What a change of an issue's row is, by the event that is recorded behind it. That somebody takes an issue and that it gets another id
// is told nobody, and an `update` that closes is an update.
fn of_row(values: &Values, next: Option<&Change>) -> Option<Event> {
    let is_renamed = values.iter().any(|(column, _)| *column == "id");
    if is_renamed || is_only(values, &["is_blocked", "updated_at"]) {
        return None;
    }
    let Some(Change::Insert { values: event, .. }) = next else { return Some(Event::Update) };
    match text(event, "event_type") {
        "claimed" => None,
        "closed" if text(event, "old_value").is_empty() => Some(Event::Close),
        _ => Some(Event::Update),
    }
}

// The event of a label tells which it was in words alone; the row before it is the label's, unless nothing has changed.
fn of_label(event: &Values, family: Family, before: Option<&Change>) -> Option<What> {
    let words = text(event, "comment");
    let row = match before {
        Some(Change::Insert { table, values: row } | Change::Delete { table, key: row })
            if *table == family.labels() && text(row, "issue_id") == text(event, "issue_id") =>
        {
            Some(text(row, "label"))
        }
        _ => None,
    };
    match text(event, "event_type") {
        "label_added" => {
            let label = words.strip_prefix("Added label: ")?;
            Some(What::Label { label: label.to_owned(), is_new: row == Some(label) })
        }
        "label_removed" => {
            let label = words.strip_prefix("Removed label: ")?;
            Some(What::NoLabel { label: label.to_owned(), was_there: row == Some(label) })
        }
        _ => None,
    }
}
