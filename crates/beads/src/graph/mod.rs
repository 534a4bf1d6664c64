//! Issues and the edges between them, in memory: who is blocked, whom a change concerns, what hangs below what.
//!
//! An issue is **blocked** when it is neither closed nor pinned and one of these holds: an edge that blocks directly leads to
//! something that is neither closed nor pinned; its parent is blocked; it waits for the children of something that has a live
//! child, and either none that is closed or a gate that wants all (bd `issueops/blocked_state.go`). Edges to external targets
//! never block. The state is the least one that obeys these rules: parents that only hold each other are not blocked. (bd, which
//! corrects stored flags step by step, can leave such a circle marked after its cause is gone.)
//!
//! A change recomputes what it can reach and tells what flipped; nothing else is looked at.

mod blocked;
mod changes;
mod cycles;
mod family;
#[cfg(test)]
mod tests;

use foldhash::HashMap;

use crate::edge::{Edge, EdgeType, Target, WaitsFor};
use crate::issue::{Issue, Status};

pub use cycles::Cycle;

/// An issue by its place in the graph.
type Index = usize;

/// As much of a status as blocking depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Named by an edge, but not there.
    Absent,
    Live,
    Closed,
    Pinned,
}

impl State {
    fn of(status: &Status) -> Self {
        match status {
            Status::Closed => Self::Closed,
            Status::Pinned => Self::Pinned,
            _ => Self::Live,
        }
    }
}

#[derive(Debug)]
struct Node {
    id: String,
    state: State,
    blocked: bool,
    /// Edges that begin here.
    out: Vec<Link>,
    /// Edges that end here: where they begin.
    into: Vec<(Index, EdgeType)>,
}

#[derive(Debug)]
struct Link {
    target: Index,
    kind: EdgeType,
    /// Among the external targets: a name, not an issue.
    external: bool,
    gate: WaitsFor,
}

/// A flag that a change has turned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flip {
    /// The issue or wisp.
    pub id: String,
    /// Its new state.
    pub blocked: bool,
}

/// Issues, wisps and edges. Ids are unique over both tables; one that is added twice counts as it was added last.
#[derive(Debug, Default)]
pub struct Graph {
    index: HashMap<String, Index>,
    nodes: Vec<Node>,
}

impl Graph {
    /// A graph of whole issues with their edges. External are targets that say so; the others are looked up.
    pub fn of<'i>(issues: impl IntoIterator<Item = &'i Issue> + Clone) -> Self {
        let mut graph = Self::default();
        for issue in issues.clone() {
            graph.insert(&issue.id, &issue.status);
        }
        for issue in issues {
            for edge in &issue.dependencies {
                let target = if edge.is_external() { Target::External } else { Target::Issue };
                let issue_id = if edge.issue_id.is_empty() { &issue.id } else { &edge.issue_id };
                graph.link(issue_id, edge, target);
            }
        }
        graph.recompute_all();
        graph
    }

    /// Adds an issue or wisp without recomputing anything: for building. [`Graph::recompute_all`] has to follow.
    pub fn insert(&mut self, id: &str, status: &Status) {
        let at = self.intern(id);
        if let Some(node) = self.nodes.get_mut(at) {
            node.state = State::of(status);
        }
    }

    /// The same with the flag that is stored, for a graph that is only a part of what there is: what a change does not reach
    /// keeps its flag.
    pub fn insert_flagged(&mut self, id: &str, status: &Status, is_blocked: bool) {
        let at = self.intern(id);
        if let Some(node) = self.nodes.get_mut(at) {
            node.state = State::of(status);
            node.blocked = is_blocked;
        }
    }

    /// Adds an edge without recomputing anything: for building. An edge that the pair has already is replaced.
    pub fn insert_edge(&mut self, edge: &Edge, target: Target) {
        self.link(&edge.issue_id, edge, target);
    }

    fn link(&mut self, issue_id: &str, edge: &Edge, target: Target) {
        let (from, to) = (self.intern(issue_id), self.intern(&edge.depends_on_id));
        self.unlink(from, to);
        let kind = edge.kind.clone();
        let gate = if kind == EdgeType::WaitsFor { edge.gate_of_flag() } else { WaitsFor::AllChildren };
        let link = Link { target: to, kind: kind.clone(), external: target == Target::External, gate };
        if let Some(node) = self.nodes.get_mut(from) {
            node.out.push(link);
        }
        // An external target is no issue: nothing that happens to an issue of that name matters to the edge.
        if let Some(node) = self.nodes.get_mut(to).filter(|_| target != Target::External) {
            node.into.push((from, kind));
        }
    }

    /// Takes the pair's edge out; gives its kind.
    fn unlink(&mut self, from: Index, to: Index) -> Option<EdgeType> {
        let node = self.nodes.get_mut(from)?;
        let at = node.out.iter().position(|link| link.target == to)?;
        let link = node.out.remove(at);
        if let Some(node) = self.nodes.get_mut(to) {
            node.into.retain(|(source, _)| *source != from);
        }
        Some(link.kind)
    }

    fn intern(&mut self, id: &str) -> Index {
        if let Some(at) = self.index.get(id) {
            return *at;
        }
        let at = self.nodes.len();
        let node = Node {
            id: id.to_owned(),
            state: State::Absent,
            blocked: false,
            out: Vec::new(),
            into: Vec::new(),
        };
        self.nodes.push(node);
        self.index.insert(id.to_owned(), at);
        at
    }

    /// How many issues and wisps there are.
    pub fn len(&self) -> usize {
        self.nodes.iter().filter(|node| node.state != State::Absent).count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether an issue or wisp of this id is there.
    pub fn contains(&self, id: &str) -> bool {
        self.node(id).is_some_and(|node| node.state != State::Absent)
    }

    /// The kind of the edge between two ids.
    pub fn edge(&self, issue: &str, target: &str) -> Option<&EdgeType> {
        let to = *self.index.get(target)?;
        self.node(issue)?.out.iter().find(|link| link.target == to).map(|link| &link.kind)
    }

    fn node(&self, id: &str) -> Option<&Node> {
        self.nodes.get(*self.index.get(id)?)
    }

    fn state(&self, at: Index) -> State {
        self.nodes.get(at).map_or(State::Absent, |node| node.state)
    }

    fn name(&self, at: Index) -> &str {
        self.nodes.get(at).map_or("", |node| &node.id)
    }
}
