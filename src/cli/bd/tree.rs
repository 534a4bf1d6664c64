//! Issues as a tree: below each other by parent edges, below epics by any edge, else by the dots of their ids (bd 1.1.0
//! `cmd/bd/list_tree.go`). What hangs in a circle has no root and is not shown, as in bd; below a root a circle ends.

use std::collections::{HashMap, HashSet};

use beads::{EdgeType, Issue, IssueType};

use super::lines::{Page, pretty};

/// Prints the tree and how many there are of what.
pub(super) fn print(page: &mut Page, issues: &[&Issue]) {
    if issues.is_empty() {
        page.line("No issues found.");
        return;
    }
    let (roots, children) = build(issues);
    for root in roots {
        page.line(pretty(root));
        below(page, &children, root, "", &mut vec![root.id.as_str()]);
    }
    let count = |word: &str| issues.iter().filter(|issue| issue.status.as_str() == word).count();
    page.line("");
    page.line("-".repeat(80));
    let (open, begun) = (count("open"), count("in_progress"));
    page.line(format_args!("Total: {} issues ({open} open, {begun} in progress)", issues.len()));
    page.line("");
    page.line(LEGEND);
}

/// The last line of lists.
pub(super) const LEGEND: &str = "Status: ○ open  ◐ in_progress  ● blocked  ✓ closed  ❄ deferred";

type Children<'i> = HashMap<&'i str, Vec<&'i Issue>>;

fn build<'i>(issues: &[&'i Issue]) -> (Vec<&'i Issue>, Children<'i>) {
    let by_id: HashMap<&str, &Issue> = issues.iter().map(|issue| (issue.id.as_str(), *issue)).collect();
    let mut children: Children<'_> = HashMap::new();
    let mut is_child: HashSet<&str> = HashSet::new();
    for issue in issues {
        for edge in issue.dependencies.iter().filter(|edge| edge.kind != EdgeType::RelatesTo) {
            let Some(parent) = by_id.get(edge.depends_on_id.as_str()) else { continue };
            if edge.kind == EdgeType::ParentChild || parent.issue_type == IssueType::Epic {
                children.entry(&parent.id).or_default().push(issue);
                is_child.insert(&issue.id);
            }
        }
    }
    for issue in issues {
        let parent = issue.id.rsplit_once('.').and_then(|(parent, _)| by_id.get(parent));
        if let Some(parent) = parent.filter(|_| !is_child.contains(issue.id.as_str())) {
            children.entry(&parent.id).or_default().push(issue);
            is_child.insert(&issue.id);
        }
    }
    let order =
        |a: &&Issue, b: &&Issue| a.priority.cmp(&b.priority).then_with(|| beads::id::natural(&a.id, &b.id));
    let mut roots: Vec<&Issue> =
        issues.iter().copied().filter(|issue| !is_child.contains(issue.id.as_str())).collect();
    roots.sort_by(order);
    for list in children.values_mut() {
        list.sort_by(order);
    }
    (roots, children)
}

fn below<'i>(page: &mut Page, children: &Children<'i>, of: &Issue, prefix: &str, way: &mut Vec<&'i str>) {
    let Some(list) = children.get(of.id.as_str()) else { return };
    for (at, child) in list.iter().enumerate() {
        let is_last = at + 1 == list.len();
        page.line(format_args!("{prefix}{}{}", if is_last { "└── " } else { "├── " }, pretty(child)));
        if !way.contains(&child.id.as_str()) {
            way.push(&child.id);
            below(page, children, child, &format!("{prefix}{}", if is_last { "    " } else { "│   " }), way);
            way.pop();
        }
    }
}
