//! What commands print with `--json`, as types: key by key in bd's order. Lists are printed with [`crate::go_json::pretty`],
//! objects with [`crate::go_json::object`], which sorts their keys and adds the version of the schema.

use std::borrow::Cow;

use serde::Serialize;

use crate::edge::EdgeType;
use crate::go_json;
use crate::issue::{Issue, Status};
use crate::jsonl::Counts;

/// An item of `list`, `ready`, `children`, `search` and `query` (bd `IssueWithCounts`).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listed<'i> {
    /// The issue, with its edges in the order of their computed ids; `search` prints none.
    #[serde(flatten)]
    pub issue: Cow<'i, Issue>,
    /// Its numbers, over `blocks` edges.
    #[serde(flatten)]
    pub counts: Counts,
    /// Its parent by edge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<&'i str>,
}

impl<'i> Listed<'i> {
    /// An issue with its numbers and its parent. Its remarks are not printed here.
    pub fn new(issue: &'i Issue, counts: Counts) -> Self {
        let parent = issue.parent();
        let issue = if issue.comments.is_empty() && issue.dependencies.len() < 2 {
            Cow::Borrowed(issue)
        } else {
            let mut issue = Issue { comments: Vec::new(), ..issue.clone() };
            issue.dependencies.sort_by_cached_key(crate::Edge::computed_id);
            Cow::Owned(issue)
        };
        Self { issue, counts, parent }
    }
}

/// Some of the issues of a long list as JSON, with their numbers: its first ones, or later ones. [`go_json::LIST_END`] has to
/// follow all of them.
pub fn listed(
    issues: &[&Issue],
    counts: &dyn Fn(&str) -> Counts,
    are_first: bool,
) -> Result<Vec<u8>, serde_json::Error> {
    go_json::list_part(issues.iter().map(|issue| Listed::new(issue, counts(&issue.id))), are_first)
}

/// Adds an item of `list` as JSON, as it stands in a list of them: what begins, parts and ends the list is not written.
pub fn write_listed(issue: &Issue, counts: Counts, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    go_json::write_item(&Listed::new(issue, counts), out)
}

/// An issue as the other end of an edge: in `show`, `show --children` and `dep list` (bd `IssueWithDependencyMetadata`).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Linked {
    /// The other issue.
    #[serde(flatten)]
    pub issue: Issue,
    /// The edge's kind.
    pub dependency_type: EdgeType,
}

/// An item of `show` (bd `IssueDetails`). Its numbers count edges of every kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Details {
    #[serde(flatten)]
    issue: Issue,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    labels: Vec<String>,
    /// Issues that this one depends on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Linked>,
    /// Issues that depend on this one, only on request, with no more than id, title, status, type and priority.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dependents: Vec<Linked>,
    /// Remarks, only on request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comments: Vec<crate::Comment>,
    /// Parent by edge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// How many depend on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dependent_count: Option<i64>,
    /// On how many it depends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dependency_count: Option<i64>,
    /// How many remarks it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment_count: Option<i64>,
    /// Children of an epic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epic_total_children: Option<i64>,
    /// Closed ones among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epic_closed_children: Option<i64>,
    /// Whether all are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epic_closeable: Option<bool>,
}

/// What `show` adds on request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Include {
    /// `--include-dependents`; only then epics have their numbers.
    pub dependents: bool,
    /// `--include-comments`.
    pub comments: bool,
}

impl Details {
    /// An issue with what it depends on, in the order of its edges; targets that are not there, as external ones, are left out,
    /// but counted. `dependents` are all edges that lead to it, in the order of their ids: where they begin, and their kind.
    pub fn of<'i>(
        issue: &Issue,
        find: impl Fn(&str) -> Option<&'i Issue>,
        dependents: &[(&Issue, &EdgeType)],
        include: Include,
    ) -> Self {
        let bare = |issue: &Issue| Issue {
            dependencies: Vec::new(),
            comments: Vec::new(),
            labels: Vec::new(),
            ..issue.clone()
        };
        let linked = |edge: &crate::Edge| {
            let target = find(&edge.depends_on_id)?;
            let issue = Issue { labels: target.labels.clone(), ..bare(target) };
            Some(Linked { issue, dependency_type: edge.kind.clone() })
        };
        let dependencies: Vec<_> = issue.dependencies.iter().filter_map(linked).collect();
        let parent = dependencies.iter().find(|linked| linked.dependency_type == EdgeType::ParentChild);
        let count = |number: usize| i64::try_from(number).ok();
        let children = || dependents.iter().filter(|(_, kind)| **kind == EdgeType::ParentChild);
        let (total, closed) =
            (children().count(), children().filter(|(child, _)| child.status == Status::Closed).count());
        let is_epic = include.dependents && issue.issue_type == crate::IssueType::Epic && total > 0;
        let shown_dependents =
            dependents.iter().filter(|_| include.dependents).map(|(dependent, kind)| Linked {
                issue: Issue {
                    id: dependent.id.clone(),
                    title: dependent.title.clone(),
                    status: dependent.status.clone(),
                    issue_type: dependent.issue_type.clone(),
                    priority: dependent.priority,
                    ..Issue::default()
                },
                dependency_type: (*kind).clone(),
            });
        Self {
            parent: parent.map(|linked| linked.issue.id.clone()),
            dependents: shown_dependents.collect(),
            comments: if include.comments { issue.comments.clone() } else { Vec::new() },
            dependent_count: count(dependents.len()),
            dependency_count: count(issue.dependencies.len()),
            comment_count: count(issue.comments.len()),
            epic_total_children: is_epic.then(|| count(total)).flatten(),
            epic_closed_children: is_epic.then(|| count(closed)).flatten(),
            epic_closeable: is_epic.then_some(total == closed),
            labels: issue.labels.clone(),
            issue: bare(issue),
            dependencies,
        }
    }
}

/// An item of `blocked` (bd `BlockedIssue`).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Blocked<'i> {
    /// The issue, without edges and remarks.
    #[serde(flatten)]
    pub issue: &'i Issue,
    /// How many.
    pub blocked_by_count: usize,
    /// Which ones, see [`crate::Graph::blocked_by`].
    pub blocked_by: Vec<&'i str>,
}

/// What `blocked` lists, in its order: urgent first, then newest (bd `GetBlockedIssuesInTx`; equal ones by id, which bd leaves to
/// chance). With a parent, only its direct children. The issues are printed without edges and remarks.
pub fn blocked<'i>(issues: &'i [Issue], graph: &'i crate::Graph, parent: Option<&str>) -> Vec<Blocked<'i>> {
    let is_below = |id: &str| {
        parent.is_none_or(|parent| {
            let dotted = id.strip_prefix(parent).is_some_and(|rest| rest.starts_with('.'));
            dotted || graph.parents(id).any(|found| found == parent)
        })
    };
    let mut found: Vec<_> = issues
        .iter()
        .filter(|issue| is_below(&issue.id))
        .filter_map(|issue| {
            let blocked_by = graph.blocked_by(&issue.id);
            let blocked_by_count = blocked_by.len();
            (blocked_by_count > 0).then_some(Blocked { issue, blocked_by_count, blocked_by })
        })
        .collect();
    let order = crate::order::SortKey::Priority.rows(false);
    found.sort_by(|a, b| order(a.issue, b.issue));
    found
}

/// A line of `dep tree` (bd `TreeNode`).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TreeNode {
    /// The issue.
    #[serde(flatten)]
    pub issue: Issue,
    /// Steps from the root.
    pub depth: usize,
    /// Where the walk came from; empty at the root.
    pub parent_id: String,
    /// The kind of that edge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edge_from_parent: Option<EdgeType>,
    /// Whether the limit of depth cut here.
    pub truncated: bool,
}

/// `stats` and `status`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stats {
    /// The numbers.
    pub summary: Statistics,
}

/// Numbers of a store (bd `Statistics`): durable issues only.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Statistics {
    /// All.
    pub total_issues: usize,
    /// Status open.
    pub open_issues: usize,
    /// Status in progress.
    pub in_progress_issues: usize,
    /// Status closed.
    pub closed_issues: usize,
    /// The flag.
    pub blocked_issues: usize,
    /// Status deferred.
    pub deferred_issues: usize,
    /// Open ones less those with the flag, whatever their status; not what `ready` lists.
    pub ready_issues: usize,
    /// The pinned flag.
    pub pinned_issues: usize,
    /// Epics that are not closed and whose children all are.
    pub epics_eligible_for_closure: usize,
    /// Hours from creation to close. bd always says 0.
    pub average_lead_time_hours: f64,
}

impl Statistics {
    /// Counts the durable issues (bd `ScanIssueCountsInTx`). Epics that could be closed are counted by the caller.
    pub fn of<'i>(issues: impl IntoIterator<Item = &'i Issue>, graph: &crate::Graph) -> Self {
        let mut found = Self::default();
        for issue in issues.into_iter().filter(|issue| !issue.is_wisp()) {
            found.total_issues += 1;
            found.pinned_issues += usize::from(issue.pinned);
            found.blocked_issues += usize::from(graph.is_blocked(&issue.id));
            match issue.status {
                Status::Open => found.open_issues += 1,
                Status::InProgress => found.in_progress_issues += 1,
                Status::Closed => found.closed_issues += 1,
                Status::Deferred => found.deferred_issues += 1,
                _ => {}
            }
        }
        found.ready_issues = found.open_issues.saturating_sub(found.blocked_issues);
        found
    }
}

/// `import` (bd `importResultJSON`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Imported {
    /// The file's path as given, or `stdin`.
    pub source: String,
    /// Lines that were used, also for issues that were there.
    pub created: usize,
    /// Stored issues that were changed.
    #[serde(skip_serializing_if = "is_none")]
    pub updated: usize,
    /// Lines that were not used.
    pub skipped: usize,
    /// Among them, those with a known title.
    #[serde(skip_serializing_if = "is_none")]
    pub dedup_skipped: usize,
    /// Memories.
    #[serde(skip_serializing_if = "is_none")]
    pub memories: usize,
    /// Ids of the lines that were used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// What changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub updated_issues: Vec<Change>,
    /// Stored issues that differ from a line of the same second.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tie_kept_local_ids: Vec<String>,
    /// Ids of lines that were too old.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stale_skipped_ids: Vec<String>,
    /// Edges that were left out, as text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped_dependencies: Vec<String>,
    /// Nothing was written.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_none(number: &usize) -> bool {
    *number == 0
}

/// An item of `updated_issues`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The issue.
    pub id: String,
    /// In words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub changes: String,
}

impl Imported {
    /// The result of a plan.
    pub fn of(plan: &crate::import::Plan, source: impl Into<String>) -> Self {
        let updated_issues: Vec<_> = plan
            .updated
            .iter()
            .map(|(id, changes)| Change { id: id.clone(), changes: changes.clone() })
            .collect();
        Self {
            source: source.into(),
            created: plan.lines,
            updated: updated_issues.len(),
            skipped: plan.stale.len(),
            ids: plan.imported.clone(),
            updated_issues,
            tie_kept_local_ids: plan.ties.clone(),
            stale_skipped_ids: plan.stale.clone(),
            skipped_dependencies: plan.skipped_edges.iter().map(ToString::to_string).collect(),
            ..Self::default()
        }
    }
}

/// `dep add` and `dep remove`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EdgeChanged {
    /// Where it leads.
    pub depends_on_id: String,
    /// Where it begins.
    pub issue_id: String,
    /// `added` or `removed`.
    pub status: &'static str,
    /// Its kind, if it was added.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<EdgeType>,
}

/// An item of `label add` and `label remove`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LabelChanged {
    /// The issue.
    pub issue_id: String,
    /// The label.
    pub label: String,
    /// `added` or `removed`.
    pub status: &'static str,
}

/// An item of `label list-all`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LabelCount {
    /// The label.
    pub label: String,
    /// How many issues have it.
    pub count: usize,
}

/// `count` with `--by-…`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Grouped {
    /// All.
    pub total: usize,
    /// Groups by their names.
    pub groups: Vec<Group>,
}

/// One group of `count`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Of what.
    pub group: String,
    /// How many.
    pub count: usize,
}

/// `delete --force`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deleted {
    /// The issue.
    pub deleted: String,
    /// Edges that went with it.
    pub dependencies_removed: usize,
    /// Mentions in the texts of issues beside it.
    pub references_updated: usize,
}

/// Any refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The message.
    pub error: String,
    /// A word for programs, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::Edge;

    fn issue() -> Issue {
        let at = "2026-11-21T07:57:59Z".parse().ok();
        let mut edge = Edge {
            created_at: at,
            metadata: "{}".into(),
            ..Edge::new("x-1.2", "x-1", EdgeType::ParentChild)
        };
        edge.created_by = "alice".into();
        let mut issue = Issue {
            id: "x-1.2".into(),
            title: "Two".into(),
            priority: 2,
            created_at: at,
            updated_at: at,
            labels: vec!["l".into()],
            dependencies: vec![edge],
            ..Issue::default()
        };
        issue.set_defaults();
        issue
    }

    const HEAD: &str = r#"{"id":"x-1.2","title":"Two","status":"open","priority":2,"issue_type":"task","created_at":"2026-11-21T07:57:59Z","updated_at":"2026-11-21T07:57:59Z","#;

    #[test]
    fn a_listed_issue_ends_with_counts_and_parent() {
        let issue = issue();
        let line = go_json::line(&Listed::new(&issue, Counts::default())).unwrap();
        let expected = HEAD.to_owned()
            + r#""labels":["l"],"dependencies":[{"issue_id":"x-1.2","depends_on_id":"x-1","type":"parent-child","created_at":"2026-11-21T07:57:59Z","created_by":"alice","metadata":"{}"}],"dependency_count":0,"dependent_count":0,"comment_count":0,"parent":"x-1"}"#;
        assert_eq!(line, expected);
    }

    #[test]
    fn shown_issues_have_their_edges_as_issues() {
        let parent = Issue { id: "x-1".into(), title: "One".into(), ..issue() };
        let details = Details::of(&issue(), |id| (id == "x-1").then_some(&parent), &[], Include::default());
        let bare = HEAD.replace("x-1.2", "x-1").replace("Two", "One");
        let expected = format!(
            "{HEAD}\"labels\":[\"l\"],\"dependencies\":[{bare}\"labels\":[\"l\"],\"dependency_type\":\"parent-child\"}}],\
             \"parent\":\"x-1\",\"dependent_count\":0,\"dependency_count\":1,\"comment_count\":0}}"
        );
        assert_eq!(go_json::line(&details).unwrap(), expected);
    }

    #[test]
    fn statistics_are_those_of_durable_issues() {
        let issues = [
            issue(),
            Issue {
                id: "x-1".into(),
                dependencies: vec![Edge::new("x-1", "x-3", EdgeType::Blocks)],
                ..issue()
            },
            Issue { id: "x-2".into(), ephemeral: true, dependencies: Vec::new(), ..issue() },
            Issue { id: "x-3".into(), status: Status::Deferred, dependencies: Vec::new(), ..issue() },
        ];
        let graph = crate::Graph::of(&issues);
        let summary = Statistics::of(&issues, &graph);
        let stats = go_json::object(&Stats { summary: summary.clone() }).unwrap();
        assert!(
            stats.starts_with(
                "{\n  \"schema_version\": 1,\n  \"summary\": {\n    \"average_lead_time_hours\": 0,\n"
            ),
            "{stats}"
        );
        let expected = Statistics {
            total_issues: 3,
            open_issues: 2,
            blocked_issues: 2,
            deferred_issues: 1,
            ..Statistics::default()
        };
        assert_eq!(summary, expected);
        let listed = blocked(&issues, &graph, None);
        let listed: Vec<_> = listed.iter().map(|b| (b.issue.id.as_str(), b.blocked_by.clone())).collect();
        assert_eq!(listed, [("x-1", vec!["x-3"]), ("x-1.2", vec!["x-1"])]);
    }

    #[test]
    fn objects_are_as_bd_prints_them() {
        let added = EdgeChanged {
            depends_on_id: "x-b".into(),
            issue_id: "x-a".into(),
            status: "added",
            kind: Some(EdgeType::Blocks),
        };
        let expected = "{\n  \"depends_on_id\": \"x-b\",\n  \"issue_id\": \"x-a\",\n  \"schema_version\": 1,\n  \"status\": \"added\",\n  \"type\": \"blocks\"\n}\n";
        assert_eq!(go_json::object(&added).unwrap(), expected);
        let refused = Refused { error: "no".into(), code: None };
        assert_eq!(
            go_json::object(&refused).unwrap(),
            "{\n  \"error\": \"no\",\n  \"schema_version\": 1\n}\n"
        );
    }
}
