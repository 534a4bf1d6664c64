//! Views of the whole store: `blocked`, `count`, `status`, `stale`, `epic status`, `lint`, and the words that are allowed.

use std::collections::BTreeMap;

use beads::filter::Filter;
use beads::issue::parse_priority;
use beads::shapes::{self, Group, Grouped, Statistics, Stats};
use beads::{EdgeType, Graph, Issue, IssueType, Status};
use clap::{Args, Subcommand};
use jiff::SignedDuration;
use serde::Serialize;
use serde_json::json;

use super::answer::{Answer, Refusal, print_list, print_object, print_raw};
use super::context::Bd;
use super::lines::{Page, go_list};
use super::picks::{Picks, given, has_title, ids};
use super::sections;
use crate::store::load::Rules;
use crate::store::view::View;

/// Show what waits for something
#[derive(Debug, Args)]
pub(super) struct Blocked {
    /// Only below this issue
    #[arg(long)]
    parent: Option<String>,
}

impl Blocked {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let view = View::load(&*bd.reader()?, true)?;
        let parent = given(self.parent.as_ref());
        let bare: Vec<Issue> = view.issues.iter().map(bare).collect();
        let found = shapes::blocked(&bare, view.graph(), parent.as_deref());
        if bd.json() {
            return print_list(&found);
        }
        let mut page = Page::default();
        if found.is_empty() {
            page.line("\n✨ No blocked issues\n");
            return page.print();
        }
        page.line(format_args!("\n🚫 Blocked issues ({}):\n", found.len()));
        for blocked in found {
            let Issue { priority, id, title, .. } = blocked.issue;
            page.line(format_args!("[● P{priority}] {id}: {title}"));
            let (count, by) = (blocked.blocked_by_count, go_list(&blocked.blocked_by));
            page.line(format_args!("  Blocked by {count} open dependencies: {by}\n"));
        }
        page.print()
    }
}

// Without edges and remarks, as most commands print issues.
fn bare(issue: &Issue) -> Issue {
    Issue { dependencies: Vec::new(), comments: Vec::new(), ..issue.clone() }
}

/// Count issues
#[derive(Debug, Args)]
#[command(after_help = "Example: bd count --by-status --json")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct Count {
    /// Only in this state; all: in any
    #[arg(short, long)]
    status: Option<String>,
    /// Only this priority
    #[arg(short, long)]
    priority: Option<String>,
    #[command(flatten)]
    picks: Picks,
    /// Title contains
    #[arg(long)]
    title: Option<String>,
    #[arg(long, hide = true)]
    title_contains: Option<String>,
    /// Only these ids, with commas
    #[arg(long)]
    id: Option<String>,
    /// Also wisps, as list --include-infra --all shows them
    #[arg(long)]
    include_infra: bool,
    /// By state
    #[arg(long)]
    by_status: bool,
    /// By priority
    #[arg(long)]
    by_priority: bool,
    /// By type
    #[arg(long)]
    by_type: bool,
    /// By who works on it
    #[arg(long)]
    by_assignee: bool,
    /// By label; an issue counts once for each
    #[arg(long)]
    by_label: bool,
}

impl Count {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let by = [self.by_status, self.by_priority, self.by_type, self.by_assignee, self.by_label];
        if by.iter().filter(|is_set| **is_set).count() > 1 {
            return Err(Refusal::new("only one --by-* flag can be specified"));
        }
        let reader = bd.reader()?;
        let mut filter = Filter { skip_wisps: !self.include_infra, ..Filter::default() };
        self.picks.put(&mut filter, bd).map_err(Refusal::new)?;
        filter.status = given(self.status.as_ref()).filter(|word| word != "all").map(Status::from);
        filter.issue_type = given(self.picks.issue_type.as_ref()).map(IssueType::from);
        if let Some(text) = &self.priority {
            // A number that no issue can have finds none.
            let number = text.parse().or_else(|_| parse_priority(text));
            filter.priority = Some(number.map_err(|error| Refusal::new(error.to_string()))?);
        }
        filter.ids = ids(self.id.as_ref());
        filter.title_contains = given(self.title.as_ref()).or(given(self.title_contains.as_ref()));
        if self.include_infra {
            filter.is_template = Some(false);
            if filter.issue_type != Some(IssueType::Gate) {
                filter.exclude_types.push(IssueType::Gate);
            }
            let infra = Rules::load(&*reader)?.infra;
            let is_infra = |kind: &IssueType| infra.iter().any(|infra| infra == kind.as_str());
            filter.ephemeral = filter.issue_type.as_ref().is_some_and(is_infra).then_some(true);
        }
        let view = View::load(&*reader, self.include_infra)?;
        let also_title = self.title.as_ref().and(self.title_contains.as_ref());
        let found: Vec<&Issue> = view
            .issues
            .iter()
            .filter(|issue| filter.matches(issue, view.graph(), bd.now) && has_title(issue, also_title, bd))
            .collect();
        let mut page = Page::default();
        if !by.contains(&true) {
            if bd.json() {
                return print_object(&json!({ "count": found.len() }));
            }
            page.line(found.len());
            return page.print();
        }
        let mut groups: BTreeMap<String, usize> = BTreeMap::new();
        for issue in &found {
            for name in self.groups(issue) {
                *groups.entry(name).or_default() += 1;
            }
        }
        if bd.json() {
            let groups = groups.into_iter().map(|(group, count)| Group { count, group }).collect();
            return print_object(&Grouped { groups, total: found.len() });
        }
        page.line(format_args!("Total: {}\n", found.len()));
        for (group, count) in groups {
            page.line(format_args!("{group}: {count}"));
        }
        page.print()
    }

    fn groups(&self, issue: &Issue) -> Vec<String> {
        let or = |text: &str, other: &str| vec![if text.is_empty() { other } else { text }.to_owned()];
        if self.by_status {
            vec![issue.status.to_string()]
        } else if self.by_priority {
            vec![format!("P{}", issue.priority)]
        } else if self.by_type {
            vec![issue.issue_type.to_string()]
        } else if self.by_assignee {
            or(&issue.assignee, "(unassigned)")
        } else if issue.labels.is_empty() {
            or("", "(no labels)")
        } else {
            issue.labels.clone()
        }
    }
}

/// Show how many there are of what
#[derive(Debug, Args)]
pub(super) struct Overview {
    /// Only one's own
    #[arg(long)]
    assigned: bool,
    #[arg(long, hide = true)]
    all: bool,
    #[arg(long, hide = true)]
    no_activity: bool,
}

impl Overview {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let view = View::brief(&*bd.reader()?, true)?;
        let summary = if self.assigned {
            assigned(&view, bd)
        } else {
            let mut summary = Statistics::of(&view.issues, view.graph());
            summary.epics_eligible_for_closure = 0;
            summary
        };
        if bd.json() {
            return print_object(&Stats { summary });
        }
        let mut page = Page::default();
        page.line("\n📊 Issue Database Status\n\nSummary:");
        for (name, number) in [
            ("Total Issues:", summary.total_issues),
            ("Open:", summary.open_issues),
            ("In Progress:", summary.in_progress_issues),
            ("Blocked:", summary.blocked_issues),
            ("Closed:", summary.closed_issues),
            ("Ready to Work:", summary.ready_issues),
        ] {
            page.line(format_args!("  {name:<24}{number}"));
        }
        if summary.pinned_issues > 0 || summary.epics_eligible_for_closure > 0 {
            page.line("\nExtended:");
        }
        for (name, number) in [
            ("Pinned:", summary.pinned_issues),
            ("Epics Ready to Close:", summary.epics_eligible_for_closure),
        ] {
            if number > 0 {
                page.line(format_args!("  {name:<24}{number}"));
            }
        }
        page.line("\nFor more details, use 'bd list' to see individual issues.\n");
        page.print()
    }
}

// Of one's own, wisps too; what is blocked is here what says so (bd `getAssignedStatistics`).
fn assigned(view: &View, bd: &Bd) -> Statistics {
    let mine: Vec<&Issue> = view.issues.iter().filter(|issue| issue.assignee == bd.actor).collect();
    let count = |status: Status| mine.iter().filter(|issue| issue.status == status).count();
    let ready = beads::ready::WorkFilter {
        status: None,
        assignee: Some(bd.actor.clone()),
        limit: 0,
        ..beads::ready::WorkFilter::default()
    };
    Statistics {
        total_issues: mine.len(),
        open_issues: count(Status::Open),
        in_progress_issues: count(Status::InProgress),
        blocked_issues: count(Status::Blocked),
        deferred_issues: count(Status::Deferred),
        closed_issues: count(Status::Closed),
        ready_issues: beads::ready::ready(&view.issues, view.graph(), &ready, bd.now).len(),
        ..Statistics::default()
    }
}

/// Show what nobody has touched for long
#[derive(Debug, Args)]
pub(super) struct Stale {
    /// For so many days
    #[arg(short, long, default_value_t = 30)]
    days: i64,
    /// open, `in_progress`, blocked or deferred
    #[arg(short, long)]
    status: Option<String>,
    /// At most so many
    #[arg(short = 'n', long, default_value_t = 50)]
    limit: usize,
}

impl Stale {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        if self.days < 1 {
            return Err(Refusal::new("--days must be at least 1"));
        }
        let status = given(self.status.as_ref());
        if let Some(word) = status.as_deref()
            && !matches!(word, "open" | "in_progress" | "blocked" | "deferred")
        {
            return Err(Refusal::new(format!(
                "invalid status '{word}'. Valid values: open, in_progress, blocked, deferred"
            )));
        }
        let view = View::load(&*bd.reader()?, false)?;
        let cutoff = SignedDuration::try_from_hours(self.days.saturating_mul(24))
            .and_then(|age| bd.now.checked_sub(age).ok());
        let is_wanted = |issue: &Issue| match &status {
            Some(word) => issue.status.as_str() == word,
            None => matches!(issue.status, Status::Open | Status::InProgress),
        };
        let mut found: Vec<Issue> = view
            .issues
            .iter()
            .filter(|issue| is_wanted(issue) && !issue.ephemeral)
            .filter(|issue| issue.updated_at.is_some_and(|at| cutoff.is_some_and(|cutoff| at < cutoff)))
            .map(bare)
            .collect();
        found.sort_by(|a, b| (a.updated_at, &a.id).cmp(&(b.updated_at, &b.id)));
        if self.limit > 0 {
            found.truncate(self.limit);
        }
        if bd.json() {
            return print_list(&found);
        }
        let mut page = Page::default();
        if found.is_empty() {
            page.line("\n✨ No stale issues found (all active)\n");
            return page.print();
        }
        page.line(format_args!("\n⏰ Stale issues ({} not updated in {}+ days):\n", found.len(), self.days));
        for (at, issue) in found.iter().enumerate() {
            let age =
                issue.updated_at.map(|at| bd.now.duration_since(at).as_hours() / 24).unwrap_or_default();
            let Issue { priority, id, title, status, .. } = issue;
            page.line(format_args!("{}. [● P{priority}] {id}: {title}", at + 1));
            page.line(format_args!("   Status: {status}, Last updated: {age} days ago"));
            if !issue.assignee.is_empty() {
                page.line(format_args!("   Assignee: {}", issue.assignee));
            }
            page.line("");
        }
        page.print()
    }
}

/// How far an epic is.
#[derive(Debug, Clone, Serialize)]
pub(super) struct EpicState {
    /// The epic.
    pub(super) epic: Issue,
    total_children: usize,
    closed_children: usize,
    /// All of some children are closed.
    pub(super) eligible_for_close: bool,
}

/// Epics that are not closed and have children by edge, in the order of ids (bd `GetEpicsEligibleForClosure`).
pub(super) fn epics(view: &View) -> Vec<EpicState> {
    let status: BTreeMap<&str, &Status> =
        view.all().map(|issue| (issue.id.as_str(), &issue.status)).collect();
    let mut children: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for issue in view.all() {
        for edge in issue.dependencies.iter().filter(|edge| edge.kind == EdgeType::ParentChild) {
            let counts = children.entry(&edge.depends_on_id).or_default();
            counts.0 += 1;
            counts.1 += usize::from(status.get(issue.id.as_str()) == Some(&&Status::Closed));
        }
    }
    let durable = view.issues.iter().take(view.durable);
    let open = durable.filter(|issue| issue.issue_type == IssueType::Epic && issue.status != Status::Closed);
    let mut found: Vec<EpicState> = open
        .filter_map(|epic| {
            let (total, closed) = *children.get(epic.id.as_str())?;
            Some(EpicState {
                epic: bare(epic),
                total_children: total,
                closed_children: closed,
                eligible_for_close: total == closed,
            })
        })
        .collect();
    found.sort_by(|a, b| a.epic.id.cmp(&b.epic.id));
    found
}

/// Look at epics
#[derive(Debug, Subcommand)]
pub(super) enum Epic {
    /// Show how far they are
    Status(EpicStatus),
    CloseEligible(super::links::CloseEligible),
}

#[derive(Debug, Args)]
pub(super) struct EpicStatus {
    /// Only those whose children are all closed
    #[arg(long)]
    eligible_only: bool,
}

impl Epic {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let status = match self {
            Self::Status(status) => status,
            Self::CloseEligible(close) => return close.run(bd),
        };
        let view = View::load(&*bd.reader()?, true)?;
        let mut found = epics(&view);
        if status.eligible_only {
            found.retain(|state| state.eligible_for_close);
        }
        if bd.json() {
            return print_list(&found);
        }
        let mut page = Page::default();
        if found.is_empty() {
            page.line("No open epics found");
        }
        for state in found {
            let (closed, total) = (state.closed_children, state.total_children);
            let sign = if state.eligible_for_close { "✓" } else { "○" };
            page.line(format_args!("{sign} {} {}", state.epic.id, state.epic.title));
            let percent = closed * 100 / total.max(1);
            page.line(format_args!("   Progress: {closed}/{total} children closed ({percent}%)"));
            if state.eligible_for_close {
                page.line("   Eligible for closure");
            }
            page.line("");
        }
        page.print()
    }
}

/// Look for sections that issues of a type should have
#[derive(Debug, Args)]
pub(super) struct Lint {
    /// Only these
    ids: Vec<String>,
    /// Only of this type
    #[arg(short = 't', long = "type")]
    issue_type: Option<String>,
    /// In this state instead of open; all: in any
    #[arg(short, long)]
    status: Option<String>,
}

#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "bd's names")]
struct Missing {
    id: String,
    title: String,
    #[serde(rename = "type")]
    issue_type: String,
    missing: Vec<&'static str>,
    warnings: usize,
}

impl Lint {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let view = View::load(&*bd.reader()?, true)?;
        let mut issues: Vec<&Issue> = Vec::new();
        if self.ids.is_empty() {
            let word = given(self.status.as_ref()).unwrap_or_else(|| "open".into());
            let mut filter = Filter {
                issue_type: given(self.issue_type.as_ref()).map(IssueType::from),
                ..Filter::default()
            };
            filter.status = (word != "all").then(|| Status::from(word));
            issues.extend(view.issues.iter().filter(|i| filter.matches(i, &Graph::default(), bd.now)));
            let order = beads::order::SortKey::Priority.rows(false);
            issues.sort_by(|a, b| a.is_wisp().cmp(&b.is_wisp()).then_with(|| order(a, b)));
        }
        for id in &self.ids {
            match view.issues.iter().find(|issue| issue.id == *id) {
                Some(issue) => issues.push(issue),
                None => crate::cli::out::note(format!("Error getting {id}: not found: issue {id}")),
            }
        }
        let found = issues.iter().filter_map(|issue| {
            let missing: Vec<&'static str> =
                sections::missing(issue).into_iter().map(|(heading, _)| heading).collect();
            (!missing.is_empty()).then(|| Missing {
                id: issue.id.clone(),
                title: issue.title.clone(),
                issue_type: issue.issue_type.to_string(),
                warnings: missing.len(),
                missing,
            })
        });
        let found: Vec<Missing> = found.collect();
        let total: usize = found.iter().map(|one| one.warnings).sum();
        if bd.json() {
            // The one object without a version and in this order.
            #[derive(Serialize)]
            struct Linted {
                total: usize,
                issues: usize,
                results: Option<Vec<Missing>>,
            }
            let issues = found.len();
            return print_raw(&Linted {
                total,
                issues,
                results: Some(found).filter(|list| !list.is_empty()),
            });
        }
        let mut page = Page::default();
        if found.is_empty() {
            page.line(format_args!("✓ No template warnings found ({} issues checked)", issues.len()));
            return page.print();
        }
        page.line(format_args!("Template warnings ({} issues, {total} warnings):\n", found.len()));
        for one in found {
            page.line(format_args!("{} [{}]: {}", one.id, one.issue_type, one.title));
            for section in one.missing {
                page.line(format_args!("  ⚠ Missing: {section}"));
            }
            page.line("");
        }
        page.print()?;
        Err(Refusal::silent())
    }
}
