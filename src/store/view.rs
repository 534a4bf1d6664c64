//! All issues at once, with the graph between them: what commands look at that choose among issues.

use std::cell::OnceCell;
use std::collections::HashSet;

use beads::jsonl::{Counts, CountsById};
use beads::{Graph, Issue};

use super::StoreError;
use super::family::Family;
use super::load::{self, With};
use super::reader::{By, Reader};

/// Issues, and if wanted wisps, with labels and edges.
#[derive(Debug)]
pub struct View {
    /// In no order.
    pub issues: Vec<Issue>,
    /// How many of them, at the front, are no wisps.
    pub durable: usize,
    /// The wisps, if they were not asked for.
    pub others: Vec<Issue>,
    graph: OnceCell<Graph>,
    counts: OnceCell<CountsById>,
    // With remarks alone.
    commented: CountsById,
}

impl View {
    /// Reads them. Numbers are over both families in any case.
    pub fn load(reader: &dyn Reader, wisps: bool) -> Result<Self, StoreError> {
        Self::load_with(reader, wisps, false)
    }

    /// The same without long texts and documents, for who prints none of them.
    pub fn brief(reader: &dyn Reader, wisps: bool) -> Result<Self, StoreError> {
        Self::load_with(reader, wisps, true)
    }

    fn load_with(reader: &dyn Reader, wisps: bool, brief: bool) -> Result<Self, StoreError> {
        let with = With { labels: true, edges: true, comments: false, brief };
        let mut issues = load::issues(reader, Family::Issues, By::All, with)?;
        let local = load::issues(reader, Family::Wisps, By::All, with)?;
        let durable = issues.len();
        issues.extend(local);
        let mut commented = CountsById::default();
        for family in Family::BOTH {
            load::count_comments(&mut commented, reader, family)?;
        }
        let others = if wisps { Vec::new() } else { issues.split_off(durable) };
        Ok(Self { issues, durable, others, graph: OnceCell::new(), counts: OnceCell::new(), commented })
    }

    /// The graph over both families, whichever were asked for.
    pub fn graph(&self) -> &Graph {
        self.graph.get_or_init(|| Graph::of(self.all()))
    }

    /// All issues, and the wisps whether they were asked for or not.
    pub fn all(&self) -> impl Iterator<Item = &Issue> + Clone {
        self.issues.iter().chain(&self.others)
    }

    /// Those that fit, in no order. Of an id that is in both families, only the wisp, if it fits.
    pub fn fitting(&self, fits: impl Fn(&&Issue) -> bool) -> Vec<&Issue> {
        let (durable, local) = self.issues.split_at(self.durable.min(self.issues.len()));
        let local: Vec<&Issue> = local.iter().filter(&fits).collect();
        let ids: HashSet<&str> = local.iter().map(|issue| issue.id.as_str()).collect();
        let mut found: Vec<&Issue> =
            durable.iter().filter(|issue| fits(issue) && !ids.contains(issue.id.as_str())).collect();
        found.extend(local);
        found
    }

    /// The numbers of an issue.
    pub fn counts(&self, id: &str) -> Counts {
        self.all_counts().get(id).copied().unwrap_or_default()
    }

    /// The numbers of all issues that have any, by id.
    pub fn all_counts(&self) -> &CountsById {
        self.counts.get_or_init(|| self.count())
    }

    fn count(&self) -> CountsById {
        let mut counts = self.commented.clone();
        load::count_edges(&mut counts, self.all().flat_map(|issue| &issue.dependencies));
        counts
    }
}
