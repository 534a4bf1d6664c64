//! What ready work is chosen among: of each issue and wisp no more than decides. A row has nearly fifty columns, and ten
//! thousand whole ones take longer to read than everything else that `ready` does.
//!
//! What could go wrong is that something is chosen by less than it should be: so the choice itself is that of
//! [`beads::ready`], which is told what to look at by this type and by whole issues alike, and the graph has every edge.

use std::collections::HashMap;

use beads::issue::Metadata;
use beads::jsonl::Counts;
use beads::ready::{Candidate, WorkFilter, ready, wanted};
use beads::{Graph, Issue, IssueType, Status};
use jiff::Timestamp;

use super::family::Family;
use super::load::{self, StoredEdge, With};
use super::reader::{By, Reader, Select, into_number, into_text, into_time};
use super::{StoreError, apart};

const COLUMNS: [&str; 10] = [
    "id",
    "status",
    "priority",
    "issue_type",
    "assignee",
    "created_at",
    "ephemeral",
    "pinned",
    "mol_type",
    "defer_until",
];

/// What decides about an issue or a wisp.
#[derive(Debug)]
pub struct Item {
    id: String,
    status: Status,
    priority: i64,
    issue_type: IssueType,
    assignee: String,
    created_at: Option<Timestamp>,
    defer_until: Option<Timestamp>,
    ephemeral: bool,
    pinned: bool,
    mol_type: String,
    labels: Vec<String>,
    metadata: Option<Metadata>,
}

impl Item {
    /// Its type of molecule.
    pub fn mol_type(&self) -> &str {
        &self.mol_type
    }
}

impl Candidate for Item {
    fn id(&self) -> &str {
        &self.id
    }

    fn status(&self) -> &Status {
        &self.status
    }

    fn issue_type(&self) -> &IssueType {
        &self.issue_type
    }

    fn priority(&self) -> i64 {
        self.priority
    }

    fn assignee(&self) -> &str {
        &self.assignee
    }

    fn created_at(&self) -> Option<Timestamp> {
        self.created_at
    }

    fn defer_until(&self) -> Option<Timestamp> {
        self.defer_until
    }

    fn is_ephemeral(&self) -> bool {
        self.ephemeral
    }

    fn is_pinned(&self) -> bool {
        self.pinned
    }

    fn labels(&self) -> &[String] {
        &self.labels
    }

    fn metadata(&self) -> Option<&Metadata> {
        self.metadata.as_ref()
    }
}

/// Everything that ready work is chosen among.
#[derive(Debug)]
pub struct Choice {
    items: Vec<Item>,
    durable: usize,
    edges: Vec<StoredEdge>,
    graph: Graph,
}

impl Choice {
    /// Reads it. Labels and documents are looked at only if they decide; `labels` says that they do beside the filter.
    pub fn load(reader: &dyn Reader, filter: &WorkFilter, labels: bool) -> Result<Self, StoreError> {
        let (mut items, mut edges) = (Vec::new(), Vec::new());
        let mut durable = 0;
        for family in Family::BOTH {
            let first = items.len();
            items.extend(of_family(reader, family, filter.looks_at_documents())?);
            if labels || filter.looks_at_labels() {
                put_labels(reader, family, items.get_mut(first..).unwrap_or_default())?;
            }
            if family == Family::Issues {
                durable = items.len();
            }
            edges.push(load::links(reader, family)?);
        }
        let families = [items.get(..durable), items.get(durable..)].map(Option::unwrap_or_default);
        let graph = graph(families.into_iter().zip(&edges));
        Ok(Self { items, durable, edges: edges.into_iter().flatten().collect(), graph })
    }

    /// The ready work, in order.
    pub fn ready(&self, filter: &WorkFilter, now: Timestamp) -> Vec<&Item> {
        ready(&self.items, &self.graph, filter, now)
    }

    /// The same in no order and without the limit.
    pub fn wanted(&self, filter: &WorkFilter, now: Timestamp) -> Vec<&Item> {
        wanted(&self.items, &self.graph, filter, now)
    }

    /// Those that are no wisps.
    pub fn durable(&self) -> &[Item] {
        self.items.get(..self.durable).unwrap_or_default()
    }

    /// These as whole issues with labels and edges, and their numbers.
    pub fn whole(&self, reader: &dyn Reader, chosen: &[&Item]) -> Result<Vec<(Issue, Counts)>, StoreError> {
        let ids: Vec<String> = chosen.iter().map(|item| item.id.clone()).collect();
        let with = With { labels: true, edges: true, ..With::NOTHING };
        let rows = load::issues_by_id(reader, &ids, with)?;
        let mut rows: HashMap<String, Issue> = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
        let comments = load::comment_counts(reader, &ids)?;
        let mut counts: HashMap<&str, Counts> =
            ids.iter().map(|id| (id.as_str(), Counts::default())).collect();
        Counts::of_edges(self.edges.iter().map(|stored| &stored.edge), |id, add| {
            counts.get_mut(id).into_iter().for_each(add);
        });
        let whole = ids.iter().filter_map(|id| {
            let comment_count = comments.get(id).copied().unwrap_or_default();
            let counts = counts.get(id.as_str()).copied().unwrap_or_default();
            Some((rows.remove(id)?, Counts { comment_count, ..counts }))
        });
        Ok(whole.collect())
    }
}

fn of_family(reader: &dyn Reader, family: Family, documents: bool) -> Result<Vec<Item>, StoreError> {
    let mut columns = COLUMNS.to_vec();
    if documents {
        columns.push("metadata");
    }
    let question = Select { table: family.rows(), columns: &columns, by: By::All };
    apart::collect(reader, &question, &|row| {
        let mut row = row.drain(..);
        let mut next = || row.next().unwrap_or(dolt_store::table::Value::Null);
        let text = |value| into_text(value).unwrap_or_default();
        let flag = |value| into_number(&value).is_some_and(|n| n != 0);
        Item {
            id: text(next()),
            status: Status::from(text(next()).as_str()),
            priority: into_number(&next()).unwrap_or_default(),
            issue_type: IssueType::from(text(next()).as_str()),
            assignee: text(next()),
            created_at: into_time(&next()),
            ephemeral: flag(next()),
            pinned: flag(next()),
            mol_type: text(next()),
            defer_until: into_time(&next()),
            labels: Vec::new(),
            metadata: super::issue_row::document(next()),
        }
    })
}

fn put_labels(reader: &dyn Reader, family: Family, items: &mut [Item]) -> Result<(), StoreError> {
    let mut labels: HashMap<String, Vec<String>> = HashMap::new();
    for row in reader.rows(family.labels(), &["issue_id", "label"], By::All)? {
        let mut row = row.into_iter().map(|value| into_text(value).unwrap_or_default());
        let id = row.next().unwrap_or_default();
        labels.entry(id).or_default().extend(row.next());
    }
    for item in items {
        item.labels = labels.remove(&item.id).unwrap_or_default();
    }
    Ok(())
}

// Of the issues only those that an edge touches are there: nothing holds the others back, and they hold back nothing.
fn graph<'c>(families: impl Iterator<Item = (&'c [Item], &'c Vec<StoredEdge>)> + Clone) -> Graph {
    let mut graph = Graph::default();
    let ends: foldhash::HashSet<&str> = families
        .clone()
        .flat_map(|(_, edges)| edges)
        .flat_map(|stored| [stored.edge.issue_id.as_str(), stored.edge.depends_on_id.as_str()])
        .collect();
    for item in families.clone().flat_map(|(items, _)| items).filter(|item| ends.contains(item.id.as_str())) {
        graph.insert(&item.id, &item.status);
    }
    for stored in families.flat_map(|(_, edges)| edges) {
        let target = if stored.edge.is_external() {
            beads::edge::Target::External
        } else {
            beads::edge::Target::Issue
        };
        graph.insert_edge(&stored.edge, target);
    }
    graph.recompute_all();
    graph
}
