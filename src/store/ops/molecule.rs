//! Molecules: an issue with everything below it. How far one is, and new ones made of a template
//! (bd 1.1.0 `cmd/bd/template.go`, `mol_current.go`, `mol_show.go`, `close.go`).

use std::collections::{BTreeMap, HashMap, HashSet};

use beads::edge::WaitsFor;
use beads::{Edge, EdgeType, Issue, IssueType, Status};

use super::close::{Close, close};
use super::create::{NewIssue, create};
use super::dep::{AddEdge, add_edge};
use crate::store::StoreError;
use crate::store::change::{Tx, step};
use crate::store::family::Family;
use crate::store::load::{self, Rules, With};
use crate::store::ops::Act;
use crate::store::reader::{By, Reader};

/// The label that makes an issue a template.
pub const TEMPLATE: &str = "template";

/// An issue with everything below it.
#[derive(Debug, Clone)]
pub struct Molecule {
    /// All of them; the root first, children behind their parents.
    pub issues: Vec<Issue>,
    /// The edges among them.
    pub edges: Vec<Edge>,
}

/// Whether an issue is a template.
pub fn is_template(issue: &Issue) -> bool {
    issue.labels.iter().any(|label| label == TEMPLATE)
}

impl Molecule {
    /// Reads the molecule below this issue: children by their edges, and by their ids unless an edge says otherwise.
    pub fn load(reader: &dyn Reader, id: &str) -> Result<Self, StoreError> {
        let (root, _) =
            load::issue(reader, id, LABELS)?.ok_or_else(|| StoreError::NoIssue { id: id.to_owned() })?;
        let mut found = Self { issues: vec![root], edges: Vec::new() };
        let mut seen = HashSet::from([id.to_owned()]);
        found.descend(reader, id, &mut seen)?;
        for at in 0..found.issues.len() {
            let own = [found.issues[at].id.clone()];
            let mut edges = load::edges_from(reader, &own)?;
            edges.sort_by(|a, b| a.id.cmp(&b.id));
            found.edges.extend(
                edges.into_iter().map(|stored| stored.edge).filter(|edge| seen.contains(&edge.depends_on_id)),
            );
        }
        Ok(found)
    }

    fn descend(
        &mut self,
        reader: &dyn Reader,
        parent: &str,
        seen: &mut HashSet<String>,
    ) -> Result<(), StoreError> {
        let mut into = load::edges_to(reader, &[parent.to_owned()])?;
        into.retain(|stored| stored.edge.kind == EdgeType::ParentChild);
        into.sort_by(|a, b| (a.family == Family::Wisps, &a.id).cmp(&(b.family == Family::Wisps, &b.id)));
        for stored in into {
            let child = stored.edge.issue_id;
            if seen.contains(&child) {
                continue;
            }
            let Some((issue, _)) = load::issue(reader, &child, LABELS)? else { continue };
            self.issues.push(issue);
            seen.insert(child.clone());
            self.descend(reader, &child, seen)?;
        }
        let below = format!("{parent}.");
        let mut by_id = Vec::new();
        for family in Family::BOTH {
            by_id.extend(load::issues(reader, family, By::Prefix("id", &below), LABELS)?);
        }
        by_id.retain(|issue| issue.id.rsplit_once('.').is_some_and(|(above, _)| above == parent));
        by_id.sort_by(|a, b| (a.priority, b.created_at, &a.id).cmp(&(b.priority, a.created_at, &b.id)));
        for issue in by_id {
            let own = load::edges_from(reader, std::slice::from_ref(&issue.id))?;
            let is_elsewhere = own.iter().any(|stored| {
                stored.edge.kind == EdgeType::ParentChild && stored.edge.depends_on_id != parent
            });
            if is_elsewhere || !seen.insert(issue.id.clone()) {
                continue;
            }
            let id = issue.id.clone();
            self.issues.push(issue);
            self.descend(reader, &id, seen)?;
        }
        Ok(())
    }

    /// The first of them.
    pub fn root(&self) -> &Issue {
        &self.issues[0]
    }

    /// The names in double braces in all texts, in the order in which they come. Words of the template language are none.
    pub fn variables(&self) -> Vec<String> {
        const KEYWORDS: [&str; 7] = ["else", "this", "root", "index", "key", "first", "last"];
        let mut names: Vec<String> = Vec::new();
        for issue in &self.issues {
            let texts =
                [&issue.title, &issue.description, &issue.design, &issue.acceptance_criteria, &issue.notes];
            for text in texts {
                for (_, name, _) in placeholders(text) {
                    if !KEYWORDS.contains(&name) && !names.iter().any(|known| known == name) {
                        names.push(name.to_owned());
                    }
                }
            }
        }
        names
    }

    /// The ids that each waits for and that are not closed.
    fn blockers(&self) -> HashMap<&str, HashSet<&str>> {
        let status: HashMap<&str, &Status> = self.issues.iter().map(|i| (i.id.as_str(), &i.status)).collect();
        let is_open = |id: &str| status.get(id).is_some_and(|status| **status != Status::Closed);
        let children = |of: &str| {
            let edges = self.edges.iter().filter(move |e| e.kind == EdgeType::ParentChild);
            edges.filter(|e| e.depends_on_id == of).map(|e| e.issue_id.as_str()).collect::<Vec<_>>()
        };
        let mut blockers: HashMap<&str, HashSet<&str>> = HashMap::new();
        for edge in &self.edges {
            let waits = blockers.entry(edge.issue_id.as_str()).or_default();
            match edge.kind {
                EdgeType::Blocks | EdgeType::ConditionalBlocks if is_open(&edge.depends_on_id) => {
                    waits.insert(&edge.depends_on_id);
                }
                EdgeType::WaitsFor => {
                    let children = children(&edge.depends_on_id);
                    let is_any = edge.waits_for() == WaitsFor::AnyChildren;
                    if !(is_any && children.iter().any(|child| !is_open(child))) {
                        waits.extend(children.into_iter().filter(|child| is_open(child)));
                    }
                }
                _ => {}
            }
        }
        blockers
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        let blockers = self.blockers();
        let is_ready = |issue: &Issue| {
            issue.status == Status::Open && blockers.get(issue.id.as_str()).is_none_or(HashSet::is_empty)
        };
        let mut progress = Progress { steps: Vec::new(), current: None, next: None, completed: 0 };
        for issue in self.issues.iter().skip(1) {
            let state = match issue.status {
                Status::Closed => "done",
                Status::InProgress => "current",
                Status::Blocked => "blocked",
                _ if is_ready(issue) => "ready",
                _ => "pending",
            };
            match state {
                "done" => progress.completed += 1,
                "current" => progress.current = Some(issue.clone()),
                "ready" if progress.next.is_none() => progress.next = Some(issue.clone()),
                _ => {}
            }
            progress.steps.push((issue.clone(), state));
        }
        let is_step = |id: &String| self.issues.iter().skip(1).any(|issue| issue.id == *id);
        let waits = |id: &str| {
            let blocking = self.edges.iter().filter(|e| e.kind == EdgeType::Blocks && e.issue_id == id);
            blocking.filter(|e| is_step(&e.depends_on_id)).count()
        };
        progress.steps.sort_by_cached_key(|(issue, _)| waits(&issue.id));
        progress
    }
}

const LABELS: With = With { labels: true, edges: false, comments: false, brief: false };

/// How far a molecule is.
#[derive(Debug, Clone)]
pub struct Progress {
    /// Every step with its state: `done`, `current`, `ready`, `blocked` or `pending`; those that wait for fewer come first.
    pub steps: Vec<(Issue, &'static str)>,
    /// The one that is being worked on.
    pub current: Option<Issue>,
    /// The first that could be begun.
    pub next: Option<Issue>,
    /// How many are done.
    pub completed: usize,
}

// Where `{{name}}` begins in a text, the name, and where it ends.
fn placeholders(text: &str) -> Vec<(usize, &str, usize)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find("{{")).map(|at| from + at) {
        let name = text[at + 2..].split_once("}}").map_or("", |(name, _)| name);
        let is_name = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if is_name {
            let end = at + name.len() + 4;
            found.push((at, name, end));
            from = end;
        } else {
            from = at + 1;
        }
    }
    found
}

/// A text with values in place of the names in double braces. Unknown names stay.
pub fn substitute(text: &str, values: &BTreeMap<String, String>) -> String {
    let (mut filled, mut from) = (String::with_capacity(text.len()), 0);
    for (at, name, end) in placeholders(text) {
        filled.push_str(&text[from..at]);
        filled.push_str(values.get(name).map_or(&text[at..end], String::as_str));
        from = end;
    }
    filled + &text[from..]
}

/// What a new molecule is like.
#[derive(Debug, Clone, Default)]
pub struct Cloning {
    /// Values of the names in double braces.
    pub values: BTreeMap<String, String>,
    /// Who gets the root; nobody: whoever has the template's.
    pub assignee: String,
    /// Wisps, or issues.
    pub ephemeral: bool,
    /// Stands behind the own prefix in ids: `mol`, `wisp`, or nothing.
    pub addition: &'static str,
    /// The root alone.
    pub root_only: bool,
    /// The new root depends on this one, in this way.
    pub attach: Option<(String, EdgeType)>,
    /// Ids are made below this one, with this name.
    pub below: Option<(String, String)>,
}

/// What was made: the new root, and the new ids by the old ones.
#[derive(Debug, Clone)]
pub struct Cloned {
    /// The new root.
    pub root: String,
    /// New ids by those of the template.
    pub ids: BTreeMap<String, String>,
}

/// Makes a molecule of a template.
pub fn instantiate(
    tx: &mut dyn Tx,
    act: &Act,
    template: &Molecule,
    how: &Cloning,
) -> Result<Cloned, StoreError> {
    let rules = Rules::load(tx.reader())?;
    let root = &template.root().id;
    let mut ids = BTreeMap::new();
    for old in &template.issues {
        let is_root = old.id == *root;
        if how.root_only && !is_root {
            continue;
        }
        let fill = |text: &str| substitute(text, &how.values);
        let assignee = if is_root && !how.assignee.is_empty() { &how.assignee } else { &old.assignee };
        let issue = Issue {
            id: bonded_id(&old.id, root, how).map_err(|why| {
                StoreError::Refused(format!("failed to generate bonded ID for {}: {why}", old.id))
            })?,
            title: fill(&old.title),
            description: fill(&old.description),
            design: fill(&old.design),
            acceptance_criteria: fill(&old.acceptance_criteria),
            notes: fill(&old.notes),
            status: Status::Open,
            priority: old.priority,
            issue_type: old.issue_type.clone(),
            assignee: assignee.clone(),
            estimated_minutes: old.estimated_minutes,
            ephemeral: how.ephemeral,
            await_type: old.await_type.clone(),
            await_id: fill(&old.await_id),
            timeout: old.timeout,
            labels: old.labels.clone(),
            metadata: old.metadata.clone(),
            ..Issue::default()
        };
        let new = NewIssue { issue, force: true, addition: how.addition, ..NewIssue::default() };
        let made = step(tx, act, |work| create(work, &rules, new))?;
        ids.insert(old.id.clone(), made.issue.id);
    }
    for edge in &template.edges {
        if let (Some(from), Some(to)) = (ids.get(&edge.issue_id), ids.get(&edge.depends_on_id)) {
            let edge = Edge::new(from, to, edge.kind.clone());
            step(tx, act, |work| add_edge(work, AddEdge::of(edge)))?;
        }
    }
    let new_root = ids.get(root).cloned().unwrap_or_default();
    if let Some((to, kind)) = &how.attach {
        let edge = Edge::new(&new_root, to, kind.clone());
        step(tx, act, |work| add_edge(work, AddEdge::of(edge)))?;
    }
    Ok(Cloned { root: new_root, ids })
}

// The id of a part below another molecule; nothing if ids are not made so.
fn bonded_id(old: &str, root: &str, how: &Cloning) -> Result<String, String> {
    let Some((parent, reference)) = &how.below else { return Ok(String::new()) };
    let reference = substitute(reference, &how.values);
    if reference.is_empty() {
        return Err("childRef is empty after variable substitution".to_owned());
    }
    if !reference.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c)) {
        return Err(format!(
            "invalid childRef '{reference}': must be alphanumeric, dash, underscore, or dot only"
        ));
    }
    if old == root {
        return Ok(format!("{parent}.{reference}"));
    }
    let relative =
        old.strip_prefix(root).and_then(|rest| rest.strip_prefix('.')).filter(|rest| !rest.is_empty());
    let last = || old.rsplit_once('.').or_else(|| old.rsplit_once('-')).map_or(old, |(_, last)| last);
    Ok(format!("{parent}.{reference}.{}", relative.unwrap_or_else(last)))
}

/// The root of the molecule that an issue belongs to.
pub fn molecule_of(reader: &dyn Reader, id: &str) -> Result<Option<Issue>, StoreError> {
    const DEEPEST: usize = 50;
    let mut at = id.to_owned();
    for _ in 0..DEEPEST {
        let mut own = load::edges_from(reader, std::slice::from_ref(&at))?;
        own.sort_by(|a, b| a.id.cmp(&b.id));
        match own.into_iter().find(|stored| stored.edge.kind == EdgeType::ParentChild) {
            Some(stored) => at = stored.edge.depends_on_id,
            None => break,
        }
    }
    let root = load::issue(reader, &at, LABELS)?.map(|(issue, _)| issue);
    Ok(root
        .filter(|root| matches!(root.issue_type, IssueType::Epic | IssueType::Molecule) || is_template(root)))
}

/// Closes the molecule whose last open step was this one, if it is of a kind that ends with its steps. Gives its root.
pub fn close_completed(
    tx: &mut dyn Tx,
    act: &Act,
    step_id: &str,
    session: &str,
) -> Result<Option<Issue>, StoreError> {
    let Some(root) = molecule_of(tx.reader(), step_id)? else { return Ok(None) };
    let ends_with_its_steps = root.issue_type == IssueType::Molecule
        || root.ephemeral
        || (root.issue_type == IssueType::Epic && is_template(&root));
    if root.status == Status::Closed || !ends_with_its_steps {
        return Ok(None);
    }
    let molecule = Molecule::load(tx.reader(), &root.id)?;
    if molecule.progress().completed + 1 < molecule.issues.len() {
        return Ok(None);
    }
    let how = Close { reason: "all steps complete", session, force: true, unsatisfied: None };
    step(tx, act, |work| close(work, &root.id, &how))?;
    Ok(Some(root))
}
