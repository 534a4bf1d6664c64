//! What an import does to a store: which rows it inserts, replaces or leaves alone, and which labels, remarks and edges it adds.
//!
//! The plan is made before anything is written, so an error leaves the store as it was. It follows bd 1.1.0 line by line
//! (`importIssuesCore`, `CreateIssuesInTxWithResult`), except where bd damages data: an id that is stored is found in both
//! tables, and remarks are compared by the time as it is stored, so that a repeated import adds nothing.

mod edges;
mod row;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;

use crate::edge::{Edge, Target};
use crate::graph::Graph;
use crate::id::child_number;
use crate::issue::{Allowed, Comment, InvalidIssue, Issue, Status};
use crate::text::lower;
use crate::when::{round_to_second, truncate_to_second};

pub use edges::SkippedEdge;
pub use row::{changes, replace};

/// Who wins when an issue is stored already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// The line, if it is newer by a whole second; of an older one nothing is used. `bd import`, bootstrap.
    #[default]
    NewerWins,
    /// The line, whatever its age. `bd import --allow-stale`.
    LineWins,
    /// The store; labels, remarks and edges of a line that is not older are added all the same. Automatic import.
    StoreWins,
}

/// Rules and circumstances of an import.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Who wins.
    pub mode: Mode,
    /// Custom statuses and types.
    pub allowed: Allowed,
    /// Author of edges without one.
    pub actor: String,
}

/// What happens to the row of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is new.
    Insert,
    /// The columns of [`replace`] get the line's values.
    Replace,
    /// Its columns stay.
    Keep,
}

/// One issue after the import.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What happens to the row.
    pub action: Action,
    /// The row with all its labels, remarks and edges, as it will be stored.
    pub issue: Issue,
    /// Labels that are new; each gets an event.
    pub new_labels: Vec<String>,
    /// Remarks that are new; an empty id has yet to be made.
    pub new_comments: Vec<Comment>,
    /// Edges that are new, and which column each target belongs into.
    pub new_edges: Vec<(Edge, Target)>,
}

/// What an import will do.
#[derive(Debug)]
pub struct Plan {
    /// The issues of all lines that were not too old, in their order, each once.
    pub rows: Vec<Row>,
    /// How many lines these were: what bd reports as created.
    pub lines: usize,
    /// Ids of those lines.
    pub imported: Vec<String>,
    /// Ids of lines that were older than the store.
    pub stale: Vec<String>,
    /// Stored issues that the import changes, with the words that `updated_issues` has for it.
    pub updated: Vec<(String, String)>,
    /// Stored issues that differ from a line of the same second, and stay.
    pub ties: Vec<String>,
    /// Edges that were left out.
    pub skipped_edges: Vec<SkippedEdge>,
    /// For each parent, the largest number of a child among the lines: its counter has to be at least that.
    pub child_counters: BTreeMap<String, i64>,
    /// The graph after the import, its flags computed.
    pub graph: Graph,
}

/// Why nothing is imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// A line that the store would refuse.
    #[error("validation failed for issue {id}: {source}")]
    Invalid {
        /// Its id, as given.
        id: String,
        /// Why.
        source: InvalidIssue,
    },
    /// A line without id, and none could be made.
    #[error("failed to generate issue ID: {0}")]
    NoId(String),
    /// An edge that says that it begins at an issue that is not there.
    #[error("failed to insert dependency {issue} -> {target}: issue {issue} not found")]
    EdgeWithoutIssue {
        /// Where it is said to begin.
        issue: String,
        /// Where it leads.
        target: String,
    },
}

/// Plans an import of these lines, which stay as they are: whoever has to plan anew has them still. `stored` gives an issue or wisp with its labels, remarks and edges; `graph` holds all edges of the store;
/// `new_id` makes an id for a line without one, and is told which ids are taken by earlier lines.
pub fn plan<'s>(
    incoming: &[Issue],
    stored: impl Fn(&str) -> Option<&'s Issue>,
    graph: Graph,
    options: &Options,
    now: Timestamp,
    mut new_id: impl FnMut(&Issue, &dyn Fn(&str) -> bool) -> Result<String, String>,
) -> Result<Plan, ImportError> {
    let mut plan = Plan {
        rows: Vec::new(),
        lines: 0,
        imported: Vec::new(),
        stale: Vec::new(),
        updated: Vec::new(),
        ties: Vec::new(),
        skipped_edges: Vec::new(),
        child_counters: BTreeMap::new(),
        graph,
    };
    let lines = plan.without_stale(incoming, &stored, options.mode);
    let mut places: HashMap<String, usize> = HashMap::new();
    // Lines whose edges are still to come, with the edges they had.
    let mut accepted: Vec<(usize, Vec<Edge>)> = Vec::new();
    for line in lines {
        let mut line = line.clone();
        let refused = |id: &str, source| ImportError::Invalid { id: id.to_owned(), source };
        line.prepare_for_insert(&options.allowed, now).map_err(|e| refused(&line.id, e))?;
        if line.id.is_empty() {
            let is_taken = |id: &str| places.contains_key(id) || stored(id).is_some();
            line.id = new_id(&line, &is_taken).map_err(ImportError::NoId)?;
        }
        let edges = std::mem::take(&mut line.dependencies);
        let place = *places.entry(line.id.clone()).or_insert_with(|| {
            plan.rows.push(Row::begin(&line, stored(&line.id)));
            plan.rows.len() - 1
        });
        let Some(row) = plan.rows.get_mut(place) else { continue };
        if !row.take(&line, options.mode, now) {
            plan.stale.push(line.id);
            continue;
        }
        plan.graph.insert(&line.id, &row.issue.status);
        if let Some((parent, number)) = child_number(&line.id) {
            let counter = plan.child_counters.entry(parent.to_owned()).or_default();
            *counter = number.max(*counter);
        }
        plan.lines += 1;
        plan.imported.push(line.id);
        accepted.push((place, edges));
    }
    let is_wisp = |rows: &[Row], id: &str| match places.get(id).and_then(|place| rows.get(*place)) {
        Some(row) => row.issue.is_wisp(),
        None => stored(id).is_some_and(Issue::is_wisp),
    };
    for (place, edges) in accepted {
        for edge in edges {
            plan.take_edge(place, edge, &is_wisp, options, now)?;
        }
    }
    let touched: HashSet<_> = plan.imported.iter().cloned().collect();
    plan.rows.retain(|row| touched.contains(&row.issue.id));
    plan.updated.retain(|(id, _)| touched.contains(id));
    plan.graph.recompute_all();
    Ok(plan)
}

impl Plan {
    /// Sorts out the lines that are older than what is stored, and notes what the others will change
    /// (bd `filterStaleImportIssues`).
    fn without_stale<'l, 's>(
        &mut self,
        incoming: &'l [Issue],
        stored: &impl Fn(&str) -> Option<&'s Issue>,
        mode: Mode,
    ) -> Vec<&'l Issue> {
        if mode == Mode::LineWins {
            return incoming.iter().collect();
        }
        incoming
            .iter()
            .filter(|line| {
                let (Some(time), Some(local)) = (line.updated_at, stored(&line.id)) else { return true };
                let Some(local_time) = local.updated_at else { return true };
                let (time, local_time) = (truncate_to_second(time), truncate_to_second(local_time));
                if time < local_time {
                    self.stale.push(line.id.clone());
                    return false;
                }
                let changes = changes(local, line);
                if !changes.is_empty() && time == local_time {
                    self.ties.push(line.id.clone());
                } else if !changes.is_empty() {
                    self.updated.push((line.id.clone(), changes));
                }
                true
            })
            .collect()
    }
}

impl Row {
    /// The row before the line is taken: what is stored, or nothing but the line's columns.
    fn begin(line: &Issue, stored: Option<&Issue>) -> Self {
        Self {
            action: if stored.is_some() { Action::Keep } else { Action::Insert },
            issue: stored.cloned().unwrap_or_else(|| row::begun(line)),
            new_labels: Vec::new(),
            new_comments: Vec::new(),
            new_edges: Vec::new(),
        }
    }

    /// Takes one line; false if it is older than the row, and nothing of it is used.
    fn take(&mut self, line: &Issue, mode: Mode, now: Timestamp) -> bool {
        let is_first = self.action == Action::Insert && self.issue.updated_at.is_none();
        let stored = self.issue.updated_at.map(round_to_second);
        let is_older = stored > line.updated_at;
        let is_newer = line.updated_at.map(round_to_second) > stored;
        if is_first {
            self.issue.updated_at = line.updated_at;
        } else {
            match mode {
                Mode::LineWins => self.replace(line),
                Mode::NewerWins if is_older => return false,
                Mode::NewerWins if is_newer => self.replace(line),
                Mode::NewerWins | Mode::StoreWins => {}
            }
        }
        for label in &line.labels {
            if !self.issue.labels.contains(label) {
                self.issue.labels.push(label.clone());
                self.new_labels.push(label.clone());
            }
        }
        for comment in &line.comments {
            let mut comment = comment.clone();
            comment.issue_id.clone_from(&self.issue.id);
            comment.created_at = Some(round_to_second(comment.created_at.unwrap_or(now)));
            let is_same = |known: &Comment| {
                known.author == comment.author
                    && known.text == comment.text
                    && known.created_at.map(round_to_second) == comment.created_at
            };
            if !self.issue.comments.iter().any(is_same) {
                self.issue.comments.push(comment.clone());
                self.new_comments.push(comment);
            }
        }
        true
    }

    fn replace(&mut self, line: &Issue) {
        replace(&mut self.issue, line);
        if self.action == Action::Keep {
            self.action = Action::Replace;
        }
    }
}

/// `import --dedup`: leaves out lines whose title, in any case, is that of a stored issue that is not closed. Gives how many.
pub fn drop_known_titles<'s>(lines: &mut Vec<Issue>, stored: impl Iterator<Item = &'s Issue>) -> usize {
    let open = stored.filter(|issue| issue.status != Status::Closed);
    let titles: HashSet<String> = open.map(|issue| lower(&issue.title)).collect();
    let before = lines.len();
    lines.retain(|line| !titles.contains(&lower(&line.title)));
    before - lines.len()
}
