//! Which issues a list shows: the predicates of `list`, `search`, `query` and `count`, as the database evaluates them. Text
//! comparisons are those of `LIKE`, so `%` and `_` in a search word have their meaning there.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::graph::Graph;
use crate::issue::{
    Category, CustomStatus, INFRA_TYPES, Issue, IssueType, Metadata, MetadataError, Status, check_key,
};
use crate::text::{like, lower};
use crate::when::truncate_to_second;

/// After and before, both exclusive, in whole seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// Later than this.
    pub after: Option<Timestamp>,
    /// Earlier than this.
    pub before: Option<Timestamp>,
}

impl Span {
    fn has(&self, time: Option<Timestamp>) -> bool {
        let after = self.after.is_none_or(|after| time.is_some_and(|time| time > truncate_to_second(after)));
        after && self.before.is_none_or(|before| time.is_some_and(|time| time < truncate_to_second(before)))
    }
}

/// What an issue has to be. Everything that is set must hold (bd `types.IssueFilter`, `sqlbuild/filter.go`).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// One status.
    pub status: Option<Status>,
    /// One of several; empty for any.
    pub statuses: Vec<Status>,
    /// None of these.
    pub exclude_status: Vec<Status>,
    /// One type.
    pub issue_type: Option<IssueType>,
    /// None of these.
    pub exclude_types: Vec<IssueType>,
    /// Exactly this one.
    pub assignee: Option<String>,
    /// Nobody.
    pub no_assignee: bool,
    /// Exactly this one.
    pub priority: Option<i64>,
    /// This one or less urgent.
    pub priority_min: Option<i64>,
    /// This one or more urgent.
    pub priority_max: Option<i64>,
    /// All of these.
    pub labels: Vec<String>,
    /// One of these; empty for any.
    pub labels_any: Vec<String>,
    /// None of these.
    pub exclude_labels: Vec<String>,
    /// No label at all.
    pub no_labels: bool,
    /// In the title, in any case.
    pub title_contains: Option<String>,
    /// In the description, in any case.
    pub description_contains: Option<String>,
    /// In the notes, in any case.
    pub notes_contains: Option<String>,
    /// In the external reference, in any case.
    pub external_ref_contains: Option<String>,
    /// No description.
    pub empty_description: bool,
    /// One of these; empty for any.
    pub ids: Vec<String>,
    /// The id begins so.
    pub id_prefix: Option<String>,
    /// The specification begins so.
    pub spec_id_prefix: Option<String>,
    /// A direct child of this one, see [`Graph::is_child`].
    pub parent: Option<String>,
    /// No parent-child edge.
    pub no_parent: bool,
    /// One molecule type.
    pub mol_type: Option<String>,
    /// One wisp type.
    pub wisp_type: Option<String>,
    /// The flag.
    pub pinned: Option<bool>,
    /// The flag.
    pub ephemeral: Option<bool>,
    /// The flag.
    pub is_template: Option<bool>,
    /// One repository.
    pub source_repo: Option<String>,
    /// When it was made.
    pub created: Span,
    /// When it was changed.
    pub updated: Span,
    /// When it was closed.
    pub closed: Span,
    /// When it was begun.
    pub started: Span,
    /// Until when it is put off.
    pub defer: Span,
    /// When it is due.
    pub due: Span,
    /// Put off: a date, or the status.
    pub deferred: bool,
    /// Due before now and not closed.
    pub overdue: bool,
    /// A top-level key of the metadata exists, even with `null`.
    pub has_metadata_key: Option<String>,
    /// Top-level keys with exactly these values, as the database prints them.
    pub metadata: BTreeMap<String, String>,
    /// The wisps are not looked at.
    pub skip_wisps: bool,
}

impl Filter {
    /// Whether the keys of metadata may be asked for; bd refuses others when it builds the query.
    pub fn check(&self) -> Result<(), MetadataError> {
        self.has_metadata_key.iter().chain(self.metadata.keys()).try_for_each(|key| check_key(key))
    }

    /// Whether the graph decides. Otherwise [`Filter::matches`] may be given an empty one.
    pub fn looks_at_graph(&self) -> bool {
        self.parent.is_some() || self.no_parent
    }

    /// Whether long texts or documents decide.
    pub fn looks_at_texts(&self) -> bool {
        self.description_contains.is_some()
            || self.notes_contains.is_some()
            || self.empty_description
            || self.has_metadata_key.is_some()
            || !self.metadata.is_empty()
    }

    /// Whether an issue is one of those. `graph` has the parents, `now` decides about overdue.
    pub fn matches(&self, issue: &Issue, graph: &Graph, now: Timestamp) -> bool {
        self.state_matches(issue)
            && self.people_and_labels_match(issue)
            && self.texts_match(issue)
            && self.place_matches(issue, graph)
            && self.times_match(issue, now)
            && self.metadata_matches(issue)
    }

    fn state_matches(&self, issue: &Issue) -> bool {
        let is = |wanted: &Option<bool>, flag: bool| wanted.is_none_or(|wanted| wanted == flag);
        self.status.as_ref().is_none_or(|status| *status == issue.status)
            && (self.statuses.is_empty() || self.statuses.contains(&issue.status))
            && !self.exclude_status.contains(&issue.status)
            && self.issue_type.as_ref().is_none_or(|issue_type| *issue_type == issue.issue_type)
            && !self.exclude_types.contains(&issue.issue_type)
            && self.priority.is_none_or(|priority| priority == issue.priority)
            && self.priority_min.is_none_or(|min| issue.priority >= min)
            && self.priority_max.is_none_or(|max| issue.priority <= max)
            && self.mol_type.as_ref().is_none_or(|wanted| *wanted == issue.mol_type)
            && self.wisp_type.as_ref().is_none_or(|wanted| *wanted == issue.wisp_type)
            && is(&self.pinned, issue.pinned)
            && is(&self.ephemeral, issue.ephemeral)
            && is(&self.is_template, issue.is_template)
            && !(self.skip_wisps && issue.is_wisp())
    }

    fn people_and_labels_match(&self, issue: &Issue) -> bool {
        self.assignee.as_ref().is_none_or(|assignee| *assignee == issue.assignee && !assignee.is_empty())
            && (!self.no_assignee || issue.assignee.is_empty())
            && self.labels.iter().all(|label| issue.labels.contains(label))
            && (self.labels_any.is_empty()
                || self.labels_any.iter().any(|label| issue.labels.contains(label)))
            && !self.exclude_labels.iter().any(|label| issue.labels.contains(label))
            && (!self.no_labels || issue.labels.is_empty())
    }

    fn texts_match(&self, issue: &Issue) -> bool {
        let contains = |wanted: &Option<String>, text: &str| {
            wanted.as_ref().filter(|wanted| !wanted.is_empty()).is_none_or(|wanted| has(text, wanted))
        };
        contains(&self.title_contains, &issue.title)
            && contains(&self.description_contains, &issue.description)
            && contains(&self.notes_contains, &issue.notes)
            && self.external_ref_contains.as_ref().filter(|wanted| !wanted.is_empty()).is_none_or(|wanted| {
                issue.external_ref.as_ref().is_some_and(|reference| has(reference, wanted))
            })
            && (!self.empty_description || issue.description.is_empty())
    }

    fn place_matches(&self, issue: &Issue, graph: &Graph) -> bool {
        let begins = |wanted: &Option<String>, text: &str| {
            wanted
                .as_ref()
                .filter(|wanted| !wanted.is_empty())
                .is_none_or(|wanted| like(text, &format!("{wanted}%")))
        };
        (self.ids.is_empty() || self.ids.contains(&issue.id))
            && begins(&self.id_prefix, &issue.id)
            && begins(&self.spec_id_prefix, &issue.spec_id)
            && self.parent.as_ref().is_none_or(|parent| graph.is_child(&issue.id, parent))
            && !(self.no_parent && graph.has_parent(&issue.id))
            && self.source_repo.as_ref().is_none_or(|repo| *repo == issue.source_repo)
    }

    fn times_match(&self, issue: &Issue, now: Timestamp) -> bool {
        let is_overdue = || {
            issue.status != Status::Closed && issue.due_at.is_some_and(|due| due < truncate_to_second(now))
        };
        self.created.has(issue.created_at)
            && self.updated.has(issue.updated_at)
            && self.closed.has(issue.closed_at)
            && self.started.has(issue.started_at)
            && self.defer.has(issue.defer_until)
            && self.due.has(issue.due_at)
            && (!self.deferred || issue.defer_until.is_some() || issue.status == Status::Deferred)
            && (!self.overdue || is_overdue())
    }

    fn metadata_matches(&self, issue: &Issue) -> bool {
        metadata_matches(issue.metadata.as_ref(), self.has_metadata_key.as_deref(), &self.metadata)
    }

    /// The filter of `list` without any flag (bd `buildListFilter`): no closed, pinned, finished or frozen ones, no gates, no
    /// templates, no infra types, no wisps. `infra` is empty for the default types.
    pub fn of_list(custom: &[CustomStatus], infra: &[String]) -> Self {
        let put_away =
            custom.iter().filter(|status| matches!(status.category, Category::Done | Category::Frozen));
        let put_away = put_away.map(|status| Status::from(status.name.as_str()));
        let defaults = INFRA_TYPES.iter().filter(|_| infra.is_empty()).map(|name| IssueType::from(*name));
        let infra = infra.iter().map(|name| IssueType::from(name.as_str())).chain(defaults);
        Self {
            exclude_status: [Status::Closed, Status::Pinned].into_iter().chain(put_away).collect(),
            pinned: Some(false),
            is_template: Some(false),
            exclude_types: std::iter::once(IssueType::Gate).chain(infra).collect(),
            skip_wisps: true,
            ..Self::default()
        }
    }

    /// The filter of `export`: nothing but infra types, templates and ephemeral wisps is left out; with `all`, nothing is.
    pub fn of_export(all: bool, infra: &[String]) -> Self {
        if all {
            return Self::default();
        }
        let list = Self::of_list(&[], infra);
        let exclude_types = list.exclude_types.into_iter().filter(|kind| *kind != IssueType::Gate).collect();
        Self { exclude_types, is_template: Some(false), ephemeral: Some(false), ..Self::default() }
    }
}

pub(crate) fn metadata_matches(
    metadata: Option<&Metadata>,
    key: Option<&str>,
    fields: &BTreeMap<String, String>,
) -> bool {
    let field = |key: &str| metadata.and_then(|metadata| metadata.field(key));
    key.is_none_or(|key| field(key).is_some())
        && fields.iter().all(|(key, value)| field(key).is_some_and(|found| found == *value))
}

/// `LOWER(text) LIKE %wanted%`.
fn has(text: &str, wanted: &str) -> bool {
    like(&lower(text), &format!("%{}%", lower(wanted)))
}

/// Whether an issue is found by the words of `search`: in the title or in the id; words that look like an id also find what begins
/// with them, and external references (bd `BuildIssueFilterClauses`).
pub fn is_found(issue: &Issue, words: &str) -> bool {
    if words.is_empty() {
        return true;
    }
    let sought = lower(words);
    if !looks_like_id(words) {
        return has(&issue.title, words) || like(&issue.id, &format!("%{sought}%"));
    }
    let in_reference = || issue.external_ref.as_ref().is_some_and(|reference| has(reference, words));
    issue.id == sought || like(&issue.id, &format!("{sought}%")) || has(&issue.title, words) || in_reference()
}

/// A hyphen inside, and nothing but letters, digits, hyphens and dots (bd `LooksLikeIssueID`).
fn looks_like_id(words: &str) -> bool {
    let first = words.find('-').unwrap_or_default();
    first > 0
        && first + 1 < words.len()
        && words.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
}

/// Labels as commands take them: trimmed, without empty and double ones (bd `NormalizeLabels`).
pub fn normalized_labels<'l>(labels: impl IntoIterator<Item = &'l str>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for label in labels.into_iter().map(str::trim).filter(|label| !label.is_empty()) {
        if !found.iter().any(|known| known == label) {
            found.push(label.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue() -> Issue {
        let at = |text: &str| Some(text.parse().unwrap());
        let mut issue = Issue {
            id: "x-a1".into(),
            title: "Fix the 100% Bug".into(),
            priority: 2,
            labels: vec!["ui".into(), "now".into()],
            external_ref: Some("GH-9".into()),
            created_at: at("2026-01-02T00:00:00Z"),
            due_at: at("2026-01-03T00:00:00Z"),
            metadata: Some(Metadata::new(r#"{"k":null,"n":5}"#).unwrap()),
            ..Issue::default()
        };
        issue.set_defaults();
        issue
    }

    #[track_caller]
    fn holds(change: impl FnOnce(&mut Filter), expected: bool) {
        let mut filter = Filter::default();
        change(&mut filter);
        let now = "2026-01-04T00:00:00Z".parse().unwrap();
        assert_eq!(filter.matches(&issue(), &Graph::of(&[issue()]), now), expected, "{filter:?}");
    }

    #[test]
    fn each_predicate_lets_through_and_holds_back() {
        holds(|_| {}, true);
        holds(|f| f.status = Some(Status::Open), true);
        holds(|f| f.statuses = vec![Status::Closed], false);
        holds(|f| f.exclude_status = vec![Status::Open], false);
        holds(|f| f.exclude_types = vec![IssueType::Task], false);
        holds(|f| f.priority_min = Some(3), false);
        holds(|f| f.priority_max = Some(2), true);
        holds(|f| f.labels = vec!["ui".into(), "now".into()], true);
        holds(|f| f.labels = vec!["ui".into(), "x".into()], false);
        holds(|f| f.labels_any = vec!["x".into(), "ui".into()], true);
        holds(|f| f.exclude_labels = vec!["ui".into()], false);
        holds(|f| f.no_labels = true, false);
        holds(|f| f.no_assignee = true, true);
        holds(|f| f.assignee = Some("me".into()), false);
        holds(|f| f.title_contains = Some("the 100% BUG".into()), true);
        holds(|f| f.title_contains = Some("fix%bug".into()), true);
        holds(|f| f.title_contains = Some("fix_bug".into()), false);
        holds(|f| f.empty_description = true, true);
        holds(|f| f.external_ref_contains = Some("gh-".into()), true);
        holds(|f| f.id_prefix = Some("x-a".into()), true);
        holds(|f| f.ids = vec!["x-b".into()], false);
        holds(|f| f.parent = Some("x".into()), false);
        holds(|f| f.created.after = Some("2026-01-02T00:00:00Z".parse().unwrap()), false);
        holds(|f| f.created.before = Some("2026-01-02T00:00:01.9Z".parse().unwrap()), true);
        holds(|f| f.closed.before = Some("2026-01-02T00:00:01Z".parse().unwrap()), false);
        holds(|f| f.overdue = true, true);
        holds(|f| f.deferred = true, false);
        holds(|f| f.has_metadata_key = Some("k".into()), true);
        holds(|f| f.has_metadata_key = Some("z".into()), false);
        holds(|f| drop(f.metadata.insert("n".into(), "5".into())), true);
        holds(|f| f.pinned = Some(true), false);
    }

    #[test]
    fn search_words_that_look_like_an_id_find_ids() {
        for (words, expected) in [
            ("x-a", true),
            ("-a1", true),
            ("X-A1", true),
            ("a-1", false),
            ("bug", true),
            ("gh-9", true),
            ("gh", false),
            ("a1", true),
        ] {
            assert_eq!(is_found(&issue(), words), expected, "{words}");
        }
    }

    #[test]
    fn a_list_leaves_out_what_is_put_away() {
        let custom = crate::issue::parse_custom_statuses("later:frozen,soon:wip").unwrap();
        let list = Filter::of_list(&custom, &[]);
        let graph = Graph::default();
        let shown = |issue: &Issue| list.matches(issue, &graph, Timestamp::UNIX_EPOCH);
        assert!(shown(&issue()) && shown(&Issue { status: "soon".into(), ..issue() }));
        assert!(!shown(&Issue { status: "later".into(), ..issue() }));
        assert!(!shown(&Issue { issue_type: "message".into(), ..issue() }));
        assert!(!shown(&Issue { no_history: true, ..issue() }));
        let export = Filter::of_export(false, &[]);
        assert!(export.matches(&Issue { no_history: true, ..issue() }, &graph, Timestamp::UNIX_EPOCH));
        assert!(!export.matches(&Issue { ephemeral: true, ..issue() }, &graph, Timestamp::UNIX_EPOCH));
    }

    #[test]
    fn labels_are_trimmed_and_kept_once() {
        assert_eq!(normalized_labels([" a", "", "b", "a "]), ["a", "b"]);
    }
}
