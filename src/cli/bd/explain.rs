//! `bd ready --explain` and `--gated`: why work can be begun, and what a closed gate has let go.

use std::collections::{BTreeMap, HashMap, HashSet};

use beads::ready::{WorkFilter, ready};
use beads::{EdgeType, Issue, IssueType, Status, shapes};
use serde::Serialize;
use serde_json::{Value, json};

use super::answer::{Answer, Refusal, print_object};
use super::context::Bd;
use super::lines::Page;
use crate::store::view::View;

fn with_fields(issue: &Issue, fields: Value) -> Answer<Value> {
    let bare = Issue { dependencies: Vec::new(), comments: Vec::new(), ..issue.clone() };
    let issue =
        serde_json::to_value(bare).map_err(|error| Refusal::plain(format!("encoding JSON: {error}")))?;
    match (issue, fields) {
        (Value::Object(mut issue), Value::Object(fields)) => {
            issue.extend(fields);
            Ok(Value::Object(issue))
        }
        (issue, _) => Ok(issue),
    }
}

#[derive(Serialize)]
struct Explanation {
    ready: Vec<Value>,
    blocked: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cycles: Vec<Vec<String>>,
    summary: Value,
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
        let mut fields = json!({
            "reason": reason,
            "resolved_blockers": Some(&resolved).filter(|list| !list.is_empty()),
            "dependency_count": counts.dependency_count,
            "dependent_count": counts.dependent_count,
        });
        let parent = issue.dependencies.iter().find(|edge| edge.kind == EdgeType::ParentChild);
        if let (Some(parent), Some(fields)) = (parent, fields.as_object_mut()) {
            fields.insert("parent".into(), json!(parent.depends_on_id));
        }
        ready_items.push(with_fields(issue, fields)?);
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
            blockers.push(json!({ "id": id, "title": title, "status": status, "priority": priority }));
        }
        page.line("");
        let fields = json!({ "blocked_by": blockers, "blocked_by_count": item.blocked_by_count });
        blocked_items.push(with_fields(item.issue, fields)?);
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
        let summary = json!({ "total_ready": ready, "total_blocked": blocked, "cycle_count": circles });
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
            molecules.push(json!({
                "molecule_id": molecule.id,
                "molecule_title": molecule.title,
                "closed_gate": with_fields(gate, json!({}))?,
                "ready_step": with_fields(step, json!({}))?,
            }));
        }
        return print_object(&json!({ "count": molecules.len(), "molecules": molecules }));
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
