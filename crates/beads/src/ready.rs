//! Work that can be begun: what `ready` shows, and in which order.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use crate::filter::metadata_matches;
use crate::graph::Graph;
use crate::issue::{INFRA_TYPES, Issue, IssueType, Metadata, Status};

/// What decides whether something is ready work, and where it stands among the rest.
pub trait Candidate {
    /// Its id.
    fn id(&self) -> &str;
    /// Its state.
    fn status(&self) -> &Status;
    /// Its kind.
    fn issue_type(&self) -> &IssueType;
    /// 0 is the most urgent.
    fn priority(&self) -> i64;
    /// Whose it is; empty: nobody's.
    fn assignee(&self) -> &str;
    /// When it was made.
    fn created_at(&self) -> Option<Timestamp>;
    /// Until when it is put off.
    fn defer_until(&self) -> Option<Timestamp>;
    /// A wisp that is not kept.
    fn is_ephemeral(&self) -> bool;
    /// A marker of context, not work.
    fn is_pinned(&self) -> bool;
    /// Its tags, if they are asked for.
    fn labels(&self) -> &[String];
    /// Its document, if that is asked for.
    fn metadata(&self) -> Option<&Metadata>;
}

impl Candidate for Issue {
    fn id(&self) -> &str {
        &self.id
    }

    fn status(&self) -> &Status {
        &self.status
    }

    fn issue_type(&self) -> &IssueType {
        &self.issue_type
    }

    fn priority(&self) -> i64 {
        self.priority
    }

    fn assignee(&self) -> &str {
        &self.assignee
    }

    fn created_at(&self) -> Option<Timestamp> {
        self.created_at
    }

    fn defer_until(&self) -> Option<Timestamp> {
        self.defer_until
    }

    fn is_ephemeral(&self) -> bool {
        self.ephemeral
    }

    fn is_pinned(&self) -> bool {
        self.pinned
    }

    fn labels(&self) -> &[String] {
        &self.labels
    }

    fn metadata(&self) -> Option<&Metadata> {
        self.metadata.as_ref()
    }
}

/// How ready work is ordered (bd `SortPolicy`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SortPolicy {
    /// Urgent first, then newest first, then by id. What the command uses unless told otherwise.
    #[default]
    Priority,
    /// Oldest first.
    Oldest,
    /// What was made in the last 48 hours first, by priority; then the rest, oldest first.
    Hybrid,
}

impl SortPolicy {
    /// A word of `ready --sort`. An empty one is `hybrid`.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "priority" => Some(Self::Priority),
            "oldest" => Some(Self::Oldest),
            "hybrid" | "" => Some(Self::Hybrid),
            _ => None,
        }
    }

    /// Compares two issues at a moment.
    pub fn order<C: Candidate>(self, now: Timestamp) -> impl Fn(&C, &C) -> Ordering {
        let cutoff = now.checked_sub(SignedDuration::from_hours(48)).unwrap_or(Timestamp::MIN);
        let by_id = |a: &C, b: &C| a.id().cmp(b.id());
        let oldest = move |a: &C, b: &C| a.created_at().cmp(&b.created_at()).then_with(|| by_id(a, b));
        move |a, b| match self {
            Self::Priority => {
                let newest = || b.created_at().cmp(&a.created_at());
                a.priority().cmp(&b.priority()).then_with(newest).then_with(|| by_id(a, b))
            }
            Self::Oldest => oldest(a, b),
            Self::Hybrid => {
                let rank = |issue: &C| {
                    let is_recent = issue.created_at().is_some_and(|created| created >= cutoff);
                    if is_recent { (0, issue.priority()) } else { (1, 0) }
                };
                rank(a).cmp(&rank(b)).then_with(|| oldest(a, b))
            }
        }
    }
}

/// Which ready work is wanted (bd `WorkFilter`). The default is that of `bd ready` without flags.
///
/// bd 1.1.0 takes `--label-any` and `--mol-type` and does not look at them, so they are not here.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkFilter {
    /// `None` is open or in progress, as `mol` asks for; the command `ready` always asks for open.
    pub status: Option<Status>,
    /// One type, also one of those that are left out otherwise.
    pub issue_type: Option<IssueType>,
    /// Types to be left out beyond [`excluded_types`].
    pub exclude_types: Vec<IssueType>,
    /// Exactly this one.
    pub priority: Option<i64>,
    /// Nobody's; then `assignee` does not count.
    pub unassigned: bool,
    /// Exactly this one's.
    pub assignee: Option<String>,
    /// All of these.
    pub labels: Vec<String>,
    /// None of these.
    pub exclude_labels: Vec<String>,
    /// All below this one, and those that only their ids put there.
    pub parent: Option<String>,
    /// Direct children of this one.
    pub molecule: Option<String>,
    /// Also what is put off.
    pub include_deferred: bool,
    /// Also ephemeral wisps. Wisps that are only without history are always included.
    pub include_ephemeral: bool,
    /// As in [`crate::filter::Filter`].
    pub has_metadata_key: Option<String>,
    /// As in [`crate::filter::Filter`].
    pub metadata: BTreeMap<String, String>,
    /// The order.
    pub sort: SortPolicy,
    /// At most so many; 0 for all.
    pub limit: usize,
}

impl Default for WorkFilter {
    fn default() -> Self {
        Self {
            status: Some(Status::Open),
            issue_type: None,
            exclude_types: Vec::new(),
            priority: None,
            unassigned: false,
            assignee: None,
            labels: Vec::new(),
            exclude_labels: Vec::new(),
            parent: None,
            molecule: None,
            include_deferred: false,
            include_ephemeral: false,
            has_metadata_key: None,
            metadata: BTreeMap::new(),
            sort: SortPolicy::Priority,
            limit: 100,
        }
    }
}

/// Types that are no work unless they are asked for (bd `ReadyWorkExcludeTypes`).
pub fn excluded_types() -> impl Iterator<Item = IssueType> {
    ["merge-request", "gate", "molecule", "rig"].into_iter().chain(INFRA_TYPES).map(IssueType::from)
}

/// The ready work among issues and wisps, in order and cut to the limit, see [`wanted`].
pub fn ready<'i, C: Candidate>(
    issues: &'i [C],
    graph: &Graph,
    filter: &WorkFilter,
    now: Timestamp,
) -> Vec<&'i C> {
    let mut found = wanted(issues, graph, filter, now);
    filter.put_in_order(&mut found, now);
    found
}

/// The ready work, in no order and without a limit. `graph` holds all edges; `now` decides what is put off: an issue by its own
/// date, or by that of a direct parent (grandchildren are ready).
pub fn wanted<'i, C: Candidate>(
    issues: &'i [C],
    graph: &Graph,
    filter: &WorkFilter,
    now: Timestamp,
) -> Vec<&'i C> {
    let is_later = |issue: &C| issue.defer_until().is_some_and(|until| until > now);
    let put_off: HashSet<&str> = issues.iter().filter(|issue| is_later(issue)).map(Candidate::id).collect();
    let is_put_off = |issue: &C| {
        !put_off.is_empty()
            && (put_off.contains(issue.id())
                || graph.parents(issue.id()).any(|parent| put_off.contains(parent)))
    };
    let below = filter.parent.as_deref().map(|parent| (parent, graph.descendants(parent)));
    let excluded: Vec<_> = excluded_types().chain(filter.exclude_types.iter().cloned()).collect();
    let is_wanted = |issue: &C| {
        filter.is_about(issue)
            && filter
                .issue_type
                .as_ref()
                .map_or_else(|| !excluded.contains(issue.issue_type()), |wanted| wanted == issue.issue_type())
            && !issue.is_pinned()
            && !graph.is_blocked(issue.id())
            && (filter.include_deferred || !is_put_off(issue))
            && below.as_ref().is_none_or(|(parent, below)| {
                below.contains(issue.id()) || graph.is_child_by_name(issue.id(), parent)
            })
            && filter.molecule.as_ref().is_none_or(|molecule| graph.is_child(issue.id(), molecule))
    };
    issues.iter().filter(|issue| is_wanted(issue)).collect()
}

impl WorkFilter {
    /// Leaves the first ones, as many as the limit says, in their order.
    pub fn put_in_order<C: Candidate>(&self, found: &mut Vec<&C>, now: Timestamp) {
        let order = self.sort.order::<C>(now);
        // The rest need not be in order to be left out.
        if self.limit > 0 && self.limit < found.len() {
            found.select_nth_unstable_by(self.limit, |a, b| order(a, b));
            found.truncate(self.limit);
        }
        found.sort_by(|a, b| order(a, b));
    }

    /// What can be seen in the issue alone.
    fn is_about(&self, issue: &impl Candidate) -> bool {
        let status = match &self.status {
            Some(status) => status == issue.status(),
            None => matches!(issue.status(), Status::Open | Status::InProgress),
        };
        let assignee = if self.unassigned {
            issue.assignee().is_empty()
        } else {
            self.assignee.as_ref().is_none_or(|assignee| assignee == issue.assignee())
        };
        status
            && assignee
            && self.priority.is_none_or(|priority| priority == issue.priority())
            && (self.include_ephemeral || !issue.is_ephemeral())
            && self.labels.iter().all(|label| issue.labels().contains(label))
            && !self.exclude_labels.iter().any(|label| issue.labels().contains(label))
            && metadata_matches(issue.metadata(), self.has_metadata_key.as_deref(), &self.metadata)
    }

    /// Whether labels decide.
    pub fn looks_at_labels(&self) -> bool {
        !self.labels.is_empty() || !self.exclude_labels.is_empty()
    }

    /// Whether documents decide.
    pub fn looks_at_documents(&self) -> bool {
        self.has_metadata_key.is_some() || !self.metadata.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::{Edge, EdgeType};

    fn now() -> Timestamp {
        "2026-06-01T00:00:00Z".parse().unwrap()
    }

    fn issue(id: &str, change: impl FnOnce(&mut Issue)) -> Issue {
        let created_at = Some("2026-01-01T00:00:00Z".parse().unwrap());
        let mut issue =
            Issue { id: id.into(), title: id.into(), priority: 2, created_at, ..Issue::default() };
        change(&mut issue);
        issue.set_defaults();
        issue
    }

    fn child(issue: &mut Issue, parent: &str) {
        issue.dependencies.push(Edge::new(issue.id.clone(), parent, EdgeType::ParentChild));
    }

    fn ids(issues: &[Issue], filter: &WorkFilter) -> Vec<String> {
        let graph = Graph::of(issues);
        ready(issues, &graph, filter, now()).into_iter().map(|issue| issue.id.clone()).collect()
    }

    #[test]
    fn only_open_work_is_ready() {
        let at = |text: &str| Some(text.parse().unwrap());
        let issues = [
            issue("x-open", |_| {}),
            issue("x-begun", |i| i.status = Status::InProgress),
            issue("x-custom", |i| i.status = "mine".into()),
            issue("x-pinned", |i| i.pinned = true),
            issue("x-template", |i| i.is_template = true),
            issue("x-gate", |i| i.issue_type = IssueType::Gate),
            issue("x-rig", |i| i.issue_type = "rig".into()),
            issue("x-wisp", |i| i.ephemeral = true),
            issue("x-nohist", |i| i.no_history = true),
            issue("x-later", |i| i.defer_until = at("2026-06-01T00:00:01Z")),
            issue("x-past", |i| i.defer_until = at("2026-06-01T00:00:00Z")),
            issue("x-child", |i| child(i, "x-later")),
            issue("x-grandchild", |i| child(i, "x-child")),
            issue("x-waits", |i| i.dependencies.push(Edge::new("", "x-gate", EdgeType::Blocks))),
        ];
        let plain = WorkFilter::default();
        assert_eq!(ids(&issues, &plain), ["x-grandchild", "x-nohist", "x-open", "x-past", "x-template"]);
        let gates = WorkFilter { issue_type: Some(IssueType::Gate), ..plain.clone() };
        assert_eq!(ids(&issues, &gates), ["x-gate"]);
        let all =
            WorkFilter { include_deferred: true, include_ephemeral: true, status: None, ..plain.clone() };
        assert_eq!(ids(&issues, &all).len(), 9);
        let below = WorkFilter { parent: Some("x-later".into()), include_deferred: true, ..plain.clone() };
        assert_eq!(ids(&issues, &below), ["x-child", "x-grandchild"]);
        let step = WorkFilter { molecule: Some("x-later".into()), include_deferred: true, limit: 1, ..plain };
        assert_eq!(ids(&issues, &step), ["x-child"]);
    }

    #[test]
    fn orders_are_those_of_the_policies() {
        let made = |id: &str, priority, day: &str| {
            issue(id, |i| {
                (i.priority, i.created_at) = (priority, format!("{day}T00:00:00Z").parse().ok());
            })
        };
        let issues = [
            made("x-a", 2, "2026-05-31"),
            made("x-b", 0, "2026-05-30"),
            made("x-c", 0, "2026-01-01"),
            made("x-d", 1, "2025-01-01"),
            made("x-e", 0, "2026-01-01"),
        ];
        let order = |sort| ids(&issues, &WorkFilter { sort, ..WorkFilter::default() });
        assert_eq!(order(SortPolicy::Priority), ["x-b", "x-c", "x-e", "x-d", "x-a"]);
        assert_eq!(order(SortPolicy::Oldest), ["x-d", "x-c", "x-e", "x-b", "x-a"]);
        assert_eq!(order(SortPolicy::Hybrid), ["x-b", "x-a", "x-d", "x-c", "x-e"]);
        assert_eq!(SortPolicy::from_word("newest"), None);
    }
}
