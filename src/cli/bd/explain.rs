//! `bd ready --explain` and `--gated`: why work can be begun, and what a closed gate has let go.

use std::collections::{BTreeMap, HashMap, HashSet};

use beads::ready::{WorkFilter, ready};
use beads::{EdgeType, Issue, IssueType, Status, shapes};
use serde::Serialize;

use super::answer::{Answer, print_object};
use super::context::Bd;
use super::fields::Fields;
use super::lines::Page;
use crate::store::view::View;

/// An issue with what is said about it.
#[derive(Serialize)]
struct Item {
    #[serde(flatten)]
    issue: Issue,
    #[serde(flatten)]
    about: Fields,
}

fn bare(issue: &Issue) -> Issue {
    Issue { dependencies: Vec::new(), comments: Vec::new(), ..issue.clone() }
}

#[derive(Serialize)]
struct Explanation {
    ready: Vec<Item>,
    blocked: Vec<Item>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cycles: Vec<Vec<String>>,
    summary: Fields,
}

/// `--explain`.
pub(super) fn explain(bd: &Bd) -> Answer {
    let view = View::load(&*bd.reader()?, true)?;
    let found = ready(&view.issues, view.graph(), &WorkFilter { limit: 0, ..WorkFilter::default() }, bd.now);
    let blocked = shapes::blocked(&view.issues, view.graph(), None);
    let by_id: HashMap<&str, &Issue> = view.issues.iter().map(|issue| (issue.id.as_str(), issue)).collect();
    let cycles: Vec<Vec<String>> =
        view.graph().cycles().iter().map(|cycle| cycle.iter().map(|id| (*id).to_owned()).collect()).collect();
    let (mut ready_items, mut blocked_items) = (Vec::new(), Vec::new());
    let mut page = Page::default();
    page.line("\n📊 Ready Work Explanation\n");
    if found.is_empty() {
        page.line("○ No ready work\n");
    } else {
        page.line(format_args!("● Ready ({} issues):\n", found.len()));
    }
    for issue in &found {
        let is_blocker = |kind: &EdgeType| kind.blocks_directly() || *kind == EdgeType::WaitsFor;
        let edges = issue.dependencies.iter().filter(|edge| is_blocker(&edge.kind));
        let resolved: Vec<&str> = edges.map(|edge| edge.depends_on_id.as_str()).collect();
        let reason = match resolved.len() {
            0 => "no blocking dependencies".to_owned(),
            n => format!("{n} blocker(s) resolved"),
        };
        let counts = view.counts(&issue.id);
        let Issue { id, priority, title, .. } = issue;
        page.line(format_args!("  {id} [● P{priority}] {title}\n    Reason: {reason}"));
        if !resolved.is_empty() {
            page.line(format_args!("    Resolved blockers: {}", resolved.join(", ")));
        }
        if counts.dependent_count > 0 {
            page.line(format_args!("    Unblocks: {} issue(s)", counts.dependent_count));
        }
        page.line("");
        let parent = issue.dependencies.iter().find(|edge| edge.kind == EdgeType::ParentChild);
        let about = Fields::default()
            .with("reason", reason)
            .with("resolved_blockers", Some(&resolved).filter(|list| !list.is_empty()))
            .with("dependency_count", counts.dependency_count)
            .with("dependent_count", counts.dependent_count)
            .maybe("parent", parent.map(|edge| &edge.depends_on_id));
        ready_items.push(Item { issue: bare(issue), about });
    }
    if !blocked.is_empty() {
        page.line(format_args!("● Blocked ({} issues):\n", blocked.len()));
    }
    for item in &blocked {
        let Issue { id, priority, title, .. } = item.issue;
        page.line(format_args!("  {id} [● P{priority}] {title}"));
        let mut blockers = Vec::new();
        for id in &item.blocked_by {
            let blocker = by_id.get(id);
            let title = blocker.map_or("", |issue| &issue.title);
            let status = blocker.map_or("", |issue| issue.status.as_str());
            page.line(format_args!("    ← blocked by {id}: {title} [{status}]"));
            let priority = blocker.map_or(0, |issue| issue.priority);
            let blocker = Fields::default().with("id", id).with("title", title);
            blockers.push(blocker.with("status", status).with("priority", priority));
        }
        page.line("");
        let about =
            Fields::default().with("blocked_by", blockers).with("blocked_by_count", item.blocked_by_count);
        blocked_items.push(Item { issue: bare(item.issue), about });
    }
    if !cycles.is_empty() {
        page.line(format_args!("⚠ Cycles detected ({}):\n", cycles.len()));
        for cycle in &cycles {
            page.line(format_args!("  {} → {}", cycle.join(" → "), cycle.first().map_or("", |id| id)));
        }
        page.line("");
    }
    let (ready, blocked, circles) = (found.len(), blocked.len(), cycles.len());
    if bd.json() {
        let summary = Fields::default()
            .with("total_ready", ready)
            .with("total_blocked", blocked)
            .with("cycle_count", circles);
        return print_object(&Explanation { ready: ready_items, blocked: blocked_items, cycles, summary });
    }
    let circles = if circles > 0 { format!(", {circles} cycle(s)") } else { String::new() };
    page.line(format_args!("─ Summary: {ready} ready, {blocked} blocked{circles}\n"));
    page.print()
}

/// `--gated`: molecules with a step that a closed gate held and that is ready now, unless somebody has them on the hook.
pub(super) fn gated(bd: &Bd) -> Answer {
    let view = View::load(&*bd.reader()?, true)?;
    let work = WorkFilter { status: None, limit: 0, ..WorkFilter::default() };
    let ready: HashMap<&str, &Issue> = ready(&view.issues, view.graph(), &work, bd.now)
        .into_iter()
        .map(|issue| (issue.id.as_str(), issue))
        .collect();
    let by_id: HashMap<&str, &Issue> = view.issues.iter().map(|issue| (issue.id.as_str(), issue)).collect();
    // The top of a chain of parents, if it is an epic or a template; none for something without a parent of that kind.
    let molecule_of = |id: &str| {
        let mut way = vec![id.to_owned()];
        while let Some(parent) = way.last().and_then(|at| view.graph().parents(at).next()).map(str::to_owned)
        {
            if way.contains(&parent) || way.len() > 50 {
                return None;
            }
            way.push(parent);
        }
        let top = by_id.get(way.last()?.as_str())?;
        let is_molecule = matches!(top.issue_type, IssueType::Epic | IssueType::Molecule)
            || top.labels.iter().any(|label| label == "template");
        is_molecule.then_some(*top)
    };
    let mut hooked: HashSet<&str> = HashSet::new();
    for issue in view.issues.iter().filter(|issue| issue.status == Status::Hooked) {
        hooked.insert(&issue.id);
        hooked.extend(molecule_of(&issue.id).map(|top| top.id.as_str()));
    }
    let order = beads::order::SortKey::Priority.rows(false);
    let is_closed_gate =
        |issue: &&Issue| issue.issue_type == IssueType::Gate && issue.status == Status::Closed;
    let mut gates: Vec<&Issue> = view.issues.iter().filter(is_closed_gate).collect();
    gates.sort_by(|a, b| order(a, b));
    let mut found: BTreeMap<&str, (&Issue, &Issue, &Issue)> = BTreeMap::new();
    for gate in gates {
        let mut steps: Vec<(String, &Issue)> = Vec::new();
        for step in ready.values() {
            let edge = step.dependencies.iter().find(|edge| edge.depends_on_id == gate.id);
            steps.extend(edge.map(|edge| (edge.computed_id(), *step)));
        }
        steps.sort_by(|a, b| a.0.cmp(&b.0));
        for (_, step) in steps {
            let molecule = molecule_of(&step.id).filter(|top| !hooked.contains(top.id.as_str()));
            if let Some(molecule) = molecule {
                found.entry(&molecule.id).or_insert((molecule, gate, step));
            }
        }
    }
    if bd.json() {
        let mut molecules = Vec::new();
        for (molecule, gate, step) in found.values() {
            let fields = Fields::default()
                .with("molecule_id", &molecule.id)
                .with("molecule_title", &molecule.title)
                .with("closed_gate", bare(gate))
                .with("ready_step", bare(step));
            molecules.push(fields);
        }
        let count = molecules.len();
        return print_object(&Fields::default().with("molecules", molecules).with("count", count));
    }
    let mut page = Page::default();
    if found.is_empty() {
        page.line("\n No molecules ready for gate-resume dispatch\n");
        return page.print();
    }
    page.line(format_args!("\n Molecules ready for gate-resume dispatch ({}):\n", found.len()));
    for (at, (molecule, gate, step)) in found.values().enumerate() {
        page.line(format_args!("{}. {}: {}", at + 1, molecule.id, molecule.title));
        page.line(format_args!("   Gate closed: {} ({})", gate.id, gate.await_type));
        page.line(format_args!("   Ready step: {} - {}\n", step.id, step.title));
    }
    page.line("To dispatch a molecule:\n  bd sling <agent> --mol <molecule-id>");
    page.print()
}
