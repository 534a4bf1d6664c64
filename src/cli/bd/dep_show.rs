//! `bd dep list`, `tree` and `cycles`, and `bd label list` and `list-all`.

use std::collections::{BTreeMap, HashMap, HashSet};

use beads::shapes::{LabelCount, TreeNode};
use beads::{Edge, EdgeType, Issue, Status};
use clap::Args;

use super::answer::{Answer, Refusal, print_list};
use super::context::Bd;
use super::lines::Page;
use super::show::{Shown, linked, sources};
use crate::cli::out;
use crate::store::StoreError;
use crate::store::load::{self, With};
use crate::store::reader::Reader;
use crate::store::view::View;

/// Show what issues depend on, or what depends on them
#[derive(Debug, Args)]
#[command(after_help = "Example: bd dep list bd-a1b --direction up -t tracks --json")]
pub(super) struct List {
    /// Which ones
    #[arg(required = true)]
    pub(super) ids: Vec<String>,
    /// down: what they depend on; up: what depends on them
    #[arg(long, default_value = "down")]
    direction: String,
    /// Only edges of this kind
    #[arg(short = 't', long = "type")]
    kind: Option<String>,
}

impl List {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let reader = bd.reader()?;
        let is_batch = self.ids.len() > 1;
        let mut ids = Vec::new();
        for given in &self.ids {
            match Bd::resolve(&*reader, given) {
                Ok(id) => ids.push(id),
                Err(StoreError::NotFound(refusal)) if is_batch => {
                    out::note(format!("warning: resolving {given}: {refusal} (skipped)"));
                }
                Err(StoreError::NotFound(refusal)) => {
                    return Err(Refusal::new(format!("resolving {given}: {refusal}")));
                }
                Err(error) => return Err(error.into()),
            }
        }
        if ids.is_empty() {
            if bd.json() {
                return print_list([(); 0]);
            }
            out::note("no resolvable issues in batch");
            return Ok(());
        }
        let is_wanted = |kind: &EdgeType| {
            self.kind.as_deref().is_none_or(|word| word.is_empty() || word == kind.as_str())
        };
        if ids.len() > 1 && self.direction == "down" {
            return records(bd, &*reader, &ids, is_wanted);
        }
        let mut found = Vec::new();
        for id in &ids {
            let ends = if self.direction == "up" {
                sources(&*reader, id)?
            } else {
                Shown::read(&*reader, id)?.targets
            };
            found.extend(ends.into_iter().filter(|(_, kind)| is_wanted(kind)));
        }
        if bd.json() {
            return print_list(found.iter().map(linked));
        }
        let mut page = Page::default();
        match ids.first().filter(|_| found.is_empty()) {
            Some(_) if ids.len() > 1 => page.line("\nNo dependencies found"),
            Some(id) if self.direction == "up" => page.line(format_args!("\nNo issues depend on {id}")),
            Some(id) => page.line(format_args!("\n{id} has no dependencies")),
            None => {
                for (issue, kind) in &found {
                    let Issue { id, title, priority, status, .. } = issue;
                    page.line(format_args!("  {id}: {title} [P{priority}] ({status}) via {}", kind.as_str()));
                }
                page.line("");
            }
        }
        page.print()
    }
}

// Of several issues, edges are shown instead of issues.
fn records(bd: &Bd, reader: &dyn Reader, ids: &[String], is_wanted: impl Fn(&EdgeType) -> bool) -> Answer {
    let with = With { edges: true, ..With::NOTHING };
    let issues = load::issues_by_id(reader, ids, with)?;
    let edges = |id: &String| -> &[Edge] {
        issues.iter().find(|issue| issue.id == *id).map_or(&[], |issue| &issue.dependencies)
    };
    if bd.json() {
        let wanted = ids.iter().flat_map(edges).filter(|edge| is_wanted(&edge.kind));
        return print_list(wanted);
    }
    let mut page = Page::default();
    for id in ids {
        let edges = edges(id);
        if edges.is_empty() {
            page.line(format_args!("\n{id} has no dependencies"));
            continue;
        }
        page.line(format_args!("\n📋 {id} depends on:\n"));
        for edge in edges.iter().filter(|edge| is_wanted(&edge.kind)) {
            page.line(format_args!("  {} via {}", edge.depends_on_id, edge.kind.as_str()));
        }
    }
    page.line("");
    page.print()
}

/// Show what an issue depends on as a tree
#[derive(Debug, Args)]
#[command(after_help = "Example: bd dep tree bd-a1b --direction up --max-depth 3")]
pub(super) struct Tree {
    /// From which one
    pub(super) id: String,
    /// down: what it depends on; up: what depends on it; both
    #[arg(long, default_value = "")]
    direction: String,
    #[arg(long, hide = true)]
    reverse: bool,
    /// At most so deep
    #[arg(short = 'd', long, alias = "depth", default_value_t = 50)]
    max_depth: usize,
    /// Only issues in this state, and what leads to them
    #[arg(long)]
    status: Option<String>,
    /// mermaid or json
    #[arg(long)]
    format: Option<String>,
    /// An issue that is met again is shown again, without what is below it
    #[arg(long)]
    show_all_paths: bool,
}

impl Tree {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let reader = bd.reader()?;
        let root = Bd::resolve_as(&*reader, "resolving issue ID", &self.id)?;
        let direction = match (self.direction.as_str(), self.reverse) {
            ("", true) => "up",
            ("", false) => "down",
            (word @ ("up" | "down" | "both"), _) => word,
            _ => return Err(Refusal::new("--direction must be 'down', 'up', or 'both'")),
        };
        if self.max_depth < 1 {
            return Err(Refusal::new("--max-depth must be >= 1"));
        }
        let view = View::load(&*reader, true)?;
        let walk = |is_up| Walk::new(&view, is_up, self.max_depth, self.show_all_paths).from(&root);
        let mut nodes = match direction {
            "both" => {
                let mut nodes = walk(true);
                nodes.retain(|node| node.issue.id != root);
                nodes.append(&mut walk(false));
                nodes
            }
            word => walk(word == "up"),
        };
        if let Some(status) = self.status.as_deref().filter(|word| !word.is_empty()) {
            keep(&mut nodes, status);
        }
        if self.format.as_deref() == Some("mermaid") {
            return mermaid(&nodes, &self.id);
        }
        if bd.json() || self.format.as_deref().is_some_and(|word| word.eq_ignore_ascii_case("json")) {
            return print_list(&nodes);
        }
        let mut page = Page::default();
        let (none, title) = match direction {
            "up" => ("dependents", "Dependent tree"),
            "both" => ("dependencies or dependents", "Full dependency graph"),
            _ => ("dependencies", "Dependency tree"),
        };
        if nodes.is_empty() {
            page.line(format_args!("\n{root} has no {none}"));
            return page.print();
        }
        page.line(format_args!("\n🌲 {title} for {root}:\n"));
        Drawing::of(&nodes, self.max_depth).draw(&mut page);
        page.line("");
        page.print()
    }
}

struct Walk<'v> {
    by_id: HashMap<&'v str, &'v Issue>,
    into: HashMap<&'v str, Vec<(bool, String, &'v str, &'v EdgeType)>>,
    is_up: bool,
    max_depth: usize,
    all_paths: bool,
    seen: HashSet<String>,
}

impl<'v> Walk<'v> {
    fn new(view: &'v View, is_up: bool, max_depth: usize, all_paths: bool) -> Self {
        let by_id = view.all().map(|issue| (issue.id.as_str(), issue)).collect();
        let mut into: HashMap<&str, Vec<_>> = HashMap::new();
        for issue in view.all().filter(|_| is_up) {
            for edge in issue.dependencies.iter().filter(|edge| !edge.is_external()) {
                let list = into.entry(edge.depends_on_id.as_str()).or_default();
                list.push((issue.is_wisp(), edge.computed_id(), issue.id.as_str(), &edge.kind));
            }
        }
        for list in into.values_mut() {
            list.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        }
        Self { by_id, into, is_up, max_depth, all_paths, seen: HashSet::new() }
    }

    fn from(mut self, root: &str) -> Vec<TreeNode> {
        let mut nodes = Vec::new();
        self.visit(&mut nodes, root, 0, "", None);
        nodes
    }

    // In the order of edges, deep first; each issue once, where it was met first (bd `buildDependencyTreeInTx`), or with
    // all paths once for each edge to it.
    fn visit(
        &mut self,
        nodes: &mut Vec<TreeNode>,
        id: &str,
        depth: usize,
        parent: &str,
        edge: Option<&EdgeType>,
    ) {
        let Some(issue) = self.by_id.get(id).copied() else { return };
        let is_new = self.seen.insert(id.to_owned());
        if depth >= self.max_depth || !(is_new || self.all_paths) {
            return;
        }
        nodes.push(TreeNode {
            issue: Issue { dependencies: Vec::new(), ..issue.clone() },
            depth,
            parent_id: parent.to_owned(),
            edge_from_parent: edge.cloned(),
            truncated: !is_new,
        });
        if !is_new {
            return;
        }
        let next: Vec<(String, EdgeType)> = if self.is_up {
            let list = self.into.get(id).map_or(&[][..], Vec::as_slice);
            list.iter().map(|(_, _, from, kind)| ((*from).to_owned(), (*kind).clone())).collect()
        } else {
            issue.dependencies.iter().map(|edge| (edge.depends_on_id.clone(), edge.kind.clone())).collect()
        };
        for (next, kind) in next.iter().filter(|(_, kind)| *kind != EdgeType::RelatesTo) {
            self.visit(nodes, next, depth + 1, id, Some(kind));
        }
    }
}

// Issues in a state and those on the way to them.
fn keep(nodes: &mut Vec<TreeNode>, status: &str) {
    let parents: HashMap<String, String> = nodes
        .iter()
        .filter(|node| !node.parent_id.is_empty())
        .map(|node| (node.issue.id.clone(), node.parent_id.clone()))
        .collect();
    let mut kept: HashSet<String> = HashSet::new();
    for node in nodes.iter().filter(|node| node.issue.status.as_str() == status) {
        let mut at = Some(&node.issue.id);
        while let Some(id) = at.filter(|id| kept.insert((*id).clone())) {
            at = parents.get(id);
        }
    }
    nodes.retain(|node| kept.contains(&node.issue.id));
}

fn mermaid(nodes: &[TreeNode], root: &str) -> Answer {
    let mut page = Page::default();
    page.line("flowchart TD");
    if nodes.is_empty() {
        page.line(format_args!("  {root}[\"No dependencies\"]"));
        return page.print();
    }
    let mut seen = HashSet::new();
    for node in nodes.iter().filter(|node| seen.insert(node.issue.id.as_str())) {
        let sign = match node.issue.status {
            Status::Open => "☐",
            Status::InProgress => "◧",
            Status::Blocked => "⚠",
            Status::Deferred => "❄",
            Status::Closed => "☑",
            _ => "?",
        };
        let Issue { id, title, .. } = &node.issue;
        let label = format!("{sign} {id}: {title}").replace('\\', "\\\\").replace('"', "\\\"");
        page.line(format_args!("  {id}[\"{label}\"]"));
    }
    page.line("");
    for node in nodes.iter().filter(|node| !node.parent_id.is_empty() && node.parent_id != node.issue.id) {
        page.line(format_args!("  {} --> {}", node.parent_id, node.issue.id));
    }
    page.print()
}

// The lines of a tree (bd `treeRenderer`).
struct Drawing<'n> {
    root: Option<&'n TreeNode>,
    children: HashMap<&'n str, Vec<&'n TreeNode>>,
    seen: HashSet<&'n str>,
    bars: Vec<bool>,
    max_depth: usize,
}

impl<'n> Drawing<'n> {
    fn of(nodes: &'n [TreeNode], max_depth: usize) -> Self {
        let mut children: HashMap<&str, Vec<&TreeNode>> = HashMap::new();
        let mut root = None;
        for node in nodes {
            if node.depth == 0 {
                root = Some(node);
            } else {
                children.entry(&node.parent_id).or_default().push(node);
            }
        }
        Self { root: root.or(nodes.first()), children, seen: HashSet::new(), bars: Vec::new(), max_depth }
    }

    fn draw(mut self, page: &mut Page) {
        if let Some(root) = self.root {
            self.node(page, root, 0, true);
        }
    }

    fn node(&mut self, page: &mut Page, node: &'n TreeNode, depth: usize, is_last: bool) {
        let mut prefix: String =
            (0..depth).map(|at| if self.bars.get(at) == Some(&true) { "│   " } else { "    " }).collect();
        if depth > 0 {
            prefix.push_str(if is_last { "└── " } else { "├── " });
        }
        let Issue { id, title, priority, status, .. } = &node.issue;
        if !self.seen.insert(id) {
            page.line(format_args!("{prefix}{id} (shown above)"));
            return;
        }
        let children = self.children.get(id.as_str()).cloned().unwrap_or_default();
        let mut line = format!("{prefix}{id}: {title} [P{priority}] ({status})");
        if let Some(edge) = node.edge_from_parent.as_ref().filter(|_| node.depth > 0) {
            line = format!("{line} [{}]", edge.as_str());
        }
        if node.depth == 0 && *status == Status::Open {
            let is_blocked = depth == 0 && children.iter().any(|child| holds(child));
            line.push_str(if is_blocked { " [BLOCKED]" } else { " [READY]" });
        }
        if node.truncated || (depth == self.max_depth && !children.is_empty()) {
            line.push_str(" …");
        }
        page.line(line);
        for (at, child) in children.iter().enumerate() {
            let is_last = at + 1 == children.len();
            if depth > 0 {
                self.bars.resize(self.bars.len().max(depth + 1), false);
                if let Some(bar) = self.bars.get_mut(depth) {
                    *bar = !is_last;
                }
            }
            self.node(page, child, depth + 1, is_last);
        }
    }
}

// An edge of a kind that blocks leads to something open or under way.
fn holds(child: &TreeNode) -> bool {
    let is_open = matches!(child.issue.status, Status::Open | Status::InProgress);
    let blocks = |kind: &EdgeType| kind.blocks_directly() || *kind == EdgeType::WaitsFor;
    is_open && child.edge_from_parent.as_ref().is_some_and(blocks)
}

/// Look for circles
#[derive(Debug, Args)]
pub(super) struct Cycles {}

impl Cycles {
    pub(super) fn run(bd: &Bd) -> Answer {
        let view = View::load(&*bd.reader()?, true)?;
        let by_id: BTreeMap<&str, &Issue> = view.issues.iter().map(|i| (i.id.as_str(), i)).collect();
        let bare = |id: &&str| {
            let issue = by_id.get(id)?;
            Some(Issue { dependencies: Vec::new(), ..(*issue).clone() })
        };
        let cycles: Vec<Vec<Issue>> = view
            .graph()
            .cycles()
            .iter()
            .map(|cycle| cycle.iter().filter_map(bare).collect())
            .filter(|cycle: &Vec<Issue>| !cycle.is_empty())
            .collect();
        if bd.json() {
            return print_list(&cycles);
        }
        let mut page = Page::default();
        if cycles.is_empty() {
            page.line("\n✓ No dependency cycles detected\n");
            return page.print();
        }
        page.line(format_args!("\n⚠ Found {} dependency cycles:\n", cycles.len()));
        for (at, cycle) in cycles.iter().enumerate() {
            page.line(format_args!("{}. Cycle involving:", at + 1));
            for issue in cycle {
                page.line(format_args!("   - {}: {}", issue.id, issue.title));
            }
            page.line("");
        }
        page.print()
    }
}

/// Show the labels of an issue
#[derive(Debug, Args)]
pub(super) struct LabelsOf {
    /// Of which one
    id: String,
}

impl LabelsOf {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let reader = bd.reader()?;
        let id = Bd::resolve_as(&*reader, "resolving", &self.id)?;
        let found = load::issue(&*reader, &id, With { labels: true, ..With::NOTHING })?;
        let labels = found.map(|(issue, _)| issue.labels).unwrap_or_default();
        if bd.json() {
            return print_list(&labels);
        }
        let mut page = Page::default();
        if labels.is_empty() {
            page.line(format_args!("\n{id} has no labels"));
            return page.print();
        }
        page.line(format_args!("\n🏷 Labels for {id}:"));
        for label in labels {
            page.line(format_args!("  - {label}"));
        }
        page.line("");
        page.print()
    }
}

/// Show all labels and how many issues have them
#[derive(Debug, Args)]
pub(super) struct AllLabels {}

impl AllLabels {
    pub(super) fn run(bd: &Bd) -> Answer {
        let view = View::load(&*bd.reader()?, true)?;
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for label in view.issues.iter().flat_map(|issue| &issue.labels) {
            *counts.entry(label).or_default() += 1;
        }
        if bd.json() {
            let counts = counts.into_iter().map(|(label, count)| LabelCount { label: label.into(), count });
            return print_list(counts);
        }
        let mut page = Page::default();
        if counts.is_empty() {
            page.line("\nNo labels found in database");
            return page.print();
        }
        page.line(format_args!("\n🏷 All labels ({} unique):", counts.len()));
        // Width in bytes, as in bd.
        let width = counts.keys().map(|label| label.len()).max().unwrap_or_default();
        for (label, count) in counts {
            let pad = " ".repeat(width - label.len());
            page.line(format_args!("  {label}{pad}  ({count} issues)"));
        }
        page.line("");
        page.print()
    }
}
