//! All issues at once, with the graph between them: what commands look at that choose among issues.

use std::collections::HashMap;

use beads::jsonl::Counts;
use beads::{EdgeType, Graph, Issue};

use super::StoreError;
use super::family::Family;
use super::load::{self, With};
use super::reader::{By, Reader, Select, into_text};

/// Issues, and if wanted wisps, with labels and edges.
#[derive(Debug)]
pub struct View {
    /// In no order.
    pub issues: Vec<Issue>,
    /// How many of them, at the front, are no wisps.
    pub durable: usize,
    /// The wisps, if they were not asked for.
    pub others: Vec<Issue>,
    /// Over both families, whichever were asked for.
    pub graph: Graph,
    counts: HashMap<String, Counts>,
}

impl View {
    /// Reads them. Numbers are over both families in any case.
    pub fn load(reader: &dyn Reader, wisps: bool) -> Result<Self, StoreError> {
        let with = With { labels: true, edges: true, comments: false };
        let mut issues = load::issues(reader, Family::Issues, By::All, with)?;
        let local = load::issues(reader, Family::Wisps, By::All, with)?;
        let durable = issues.len();
        issues.extend(local);
        let graph = Graph::of(&issues);
        let mut counts: HashMap<String, Counts> = HashMap::with_capacity(issues.len());
        for issue in &issues {
            for edge in issue.dependencies.iter().filter(|edge| edge.kind == EdgeType::Blocks) {
                counts.entry(issue.id.clone()).or_default().dependency_count += 1;
                counts.entry(edge.depends_on_id.clone()).or_default().dependent_count += 1;
            }
        }
        for family in Family::BOTH {
            let question = Select { table: family.comments(), columns: &["issue_id"], by: By::All };
            reader.select(&question, &mut |row| {
                if let Some(id) = row.into_iter().next().and_then(into_text) {
                    counts.entry(id).or_default().comment_count += 1;
                }
                Ok(())
            })?;
        }
        let others = if wisps { Vec::new() } else { issues.split_off(durable) };
        Ok(Self { issues, durable, others, graph, counts })
    }

    /// All issues, and the wisps whether they were asked for or not.
    pub fn all(&self) -> impl Iterator<Item = &Issue> {
        self.issues.iter().chain(&self.others)
    }

    /// The numbers of an issue.
    pub fn counts(&self, id: &str) -> Counts {
        self.counts.get(id).copied().unwrap_or_default()
    }
}
