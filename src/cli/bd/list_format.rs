//! The less common forms of `list`: edges for graph programs, labels by their shape, and what stands in brackets behind a flat
//! line.

use std::collections::HashMap;

use beads::{EdgeType, Issue, Status};

use super::answer::{Answer, Refusal};
use super::lines::{Around, Page};
use crate::store::view::View;

/// `--label-pattern` and `--label-regex`. bd 1.1.0 takes both and looks at neither; here they choose.
#[derive(Debug, Default)]
pub(super) struct LabelShape {
    pattern: Option<regex::Regex>,
    regex: Option<regex::Regex>,
}

impl LabelShape {
    /// Reads them.
    pub(super) fn of(pattern: Option<String>, regex: Option<String>) -> Answer<Self> {
        let compile = |flag: &str, text: &str| {
            regex::Regex::new(text).map_err(|error| {
                let text = error.to_string();
                Refusal::plain(format!("invalid {flag}: {}", text.lines().last().unwrap_or_default()))
            })
        };
        let glob = |glob: String| {
            let parts = glob.chars().map(|c| match c {
                '*' => ".*".to_owned(),
                '?' => ".".to_owned(),
                other => regex::escape(&other.to_string()),
            });
            format!("^{}$", parts.collect::<String>())
        };
        Ok(Self {
            pattern: pattern.map(|text| compile("--label-pattern", &glob(text))).transpose()?,
            regex: regex.map(|text| compile("--label-regex", &text)).transpose()?,
        })
    }

    /// Whether an issue has such labels.
    pub(super) fn fits(&self, issue: &Issue) -> bool {
        [&self.pattern, &self.regex]
            .into_iter()
            .flatten()
            .all(|shape| issue.labels.iter().any(|label| shape.is_match(label)))
    }
}

/// What is around each issue, for flat lists (bd `GetBlockingInfoForIssues`).
pub(super) struct Arounds<'v> {
    status: HashMap<&'v str, &'v Status>,
    // Whether it is a wisp, the edge's id, the issue's: in this order they are named.
    blocks: HashMap<&'v str, Vec<(bool, String, &'v str)>>,
}

impl<'v> Arounds<'v> {
    /// Of everything that was read.
    pub(super) fn of(view: &'v View) -> Self {
        let status: HashMap<&str, &Status> =
            view.all().map(|issue| (issue.id.as_str(), &issue.status)).collect();
        let mut blocks: HashMap<&str, Vec<_>> = HashMap::new();
        for (at, issue) in view.all().enumerate() {
            for edge in issue.dependencies.iter().filter(|edge| edge.kind == EdgeType::Blocks) {
                let entry = blocks.entry(edge.depends_on_id.as_str()).or_default();
                entry.push((at >= view.durable, edge.computed_id(), issue.id.as_str()));
            }
        }
        Self { status, blocks }
    }

    /// What is around one.
    pub(super) fn around(&self, issue: &Issue) -> Around {
        let is_closed = |id: &str| self.status.get(id).is_some_and(|status| **status == Status::Closed);
        let mut around = Around::default();
        for edge in issue.dependencies.iter().filter(|edge| !is_closed(&edge.depends_on_id)) {
            match edge.kind {
                EdgeType::Blocks => around.blocked_by.push(edge.depends_on_id.clone()),
                EdgeType::ParentChild => around.parent = Some(edge.depends_on_id.clone()),
                _ => {}
            }
        }
        if !is_closed(&issue.id)
            && let Some(sources) = self.blocks.get(issue.id.as_str())
        {
            let mut sources = sources.clone();
            sources.sort();
            around.blocks = sources.into_iter().map(|(_, _, id)| id.to_owned()).collect();
        }
        around
    }
}

/// `--format`: the edges between issues of the list.
pub(super) fn print_edges(page: &mut Page, issues: &[&Issue], format: &str) -> Answer {
    if format == "dot" {
        dot(page, issues);
        return Ok(());
    }
    let template = if format == "digraph" { "{{.IssueID}} {{.DependsOnID}}" } else { format };
    for (issue, edge) in edges(issues) {
        let mut line = String::new();
        let mut rest = template;
        while let Some((text, action)) = rest.split_once("{{") {
            let (action, behind) = action
                .split_once("}}")
                .ok_or_else(|| Refusal::plain("invalid format template: unclosed action"))?;
            line.push_str(text);
            line.push_str(match action.trim() {
                ".IssueID" | ".Issue.ID" | ".Dependency.IssueID" => &issue.id,
                ".DependsOnID" | ".Dependency.DependsOnID" => &edge.depends_on_id,
                ".Type" | ".Dependency.Type" => edge.kind.as_str(),
                ".Issue.Title" => &issue.title,
                ".Issue.Status" => issue.status.as_str(),
                other => {
                    return Err(Refusal::plain(format!(
                        "invalid format template: {{{{{other}}}}} is not supported; there are .IssueID, .DependsOnID, .Type, .Issue.ID, .Issue.Title and .Issue.Status"
                    )));
                }
            });
            rest = behind;
        }
        line.push_str(rest);
        page.line(line);
    }
    Ok(())
}

fn edges<'i>(issues: &'i [&'i Issue]) -> impl Iterator<Item = (&'i Issue, &'i beads::Edge)> {
    let there: std::collections::HashSet<&str> = issues.iter().map(|issue| issue.id.as_str()).collect();
    issues
        .iter()
        .flat_map(|issue| issue.dependencies.iter().map(move |edge| (*issue, edge)))
        .filter(move |(_, edge)| there.contains(edge.depends_on_id.as_str()))
}

fn dot(page: &mut Page, issues: &[&Issue]) {
    page.line("digraph dependencies {");
    page.line("  rankdir=TB;");
    page.line("  node [shape=box, style=rounded];");
    page.line("");
    for issue in issues {
        let Issue { id, issue_type, priority, title, status, .. } = issue;
        let label = format!("{id}\n[{issue_type} P{priority}]\n{title}\n({status})");
        let (fill, font) = match issue.status {
            Status::Closed => ("lightgray", "dimgray"),
            Status::InProgress => ("lightyellow", "black"),
            Status::Blocked => ("lightcoral", "black"),
            _ => ("white", "black"),
        };
        page.line(format_args!(
            "  {id:?} [label={label:?}, style=\"rounded,filled\", fillcolor={fill:?}, fontcolor={font:?}];"
        ));
    }
    page.line("");
    for (issue, edge) in edges(issues) {
        let (color, style) = match edge.kind {
            EdgeType::Blocks => ("red", "bold"),
            EdgeType::ParentChild => ("blue", "solid"),
            EdgeType::DiscoveredFrom => ("green", "dashed"),
            EdgeType::Related => ("gray", "dashed"),
            _ => ("black", "solid"),
        };
        let (from, to, kind) = (&issue.id, &edge.depends_on_id, edge.kind.as_str());
        page.line(format_args!("  {from:?} -> {to:?} [label={kind:?}, color={color}, style={style}];"));
    }
    page.line("}");
}
