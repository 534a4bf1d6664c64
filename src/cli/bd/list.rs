//! `bd list`.

use beads::filter::Filter;
use beads::issue::parse_priority;
use beads::order::SortKey;
use beads::shapes::Listed;
use beads::{Issue, IssueType, Status};
use clap::Args;

use super::answer::{Answer, Refusal, print_list};
use super::context::Bd;
use super::flags::split;
use super::text::{badge, icon};
use crate::cli::out;
use crate::store::load::Rules;
use crate::store::view::View;

/// Show issues
#[derive(Debug, Args)]
#[command(after_help = "Example: bd list --status open,in_progress --label backend --json")]
pub(super) struct List {
    /// Only in these states, with commas; all: in any
    #[arg(short, long, alias = "state")]
    status: Option<String>,
    /// Only this priority
    #[arg(short, long)]
    priority: Option<String>,
    /// Only this one's
    #[arg(short, long)]
    assignee: Option<String>,
    /// Only of this type
    #[arg(short = 't', long = "type")]
    issue_type: Option<String>,
    /// With all of these labels
    #[arg(short, long)]
    label: Vec<String>,
    /// With one of these labels
    #[arg(long)]
    label_any: Vec<String>,
    /// With none of these labels
    #[arg(long)]
    exclude_label: Vec<String>,
    /// Title contains
    #[arg(long)]
    title: Option<String>,
    /// Only below this issue
    #[arg(long, alias = "filter-parent")]
    parent: Option<String>,
    /// Also those that are put away
    #[arg(long)]
    all: bool,
    /// At most so many; 0: all
    #[arg(short = 'n', long)]
    limit: Option<usize>,
    /// priority, created, updated, closed, status, id, title, type or assignee
    #[arg(long)]
    sort: Option<String>,
    /// The other way round
    #[arg(short, long)]
    reverse: bool,
    /// One line for each issue, no tree
    #[arg(long)]
    flat: bool,
    /// Only nobody's
    #[arg(long)]
    no_assignee: bool,
    /// Also agents, roles and messages
    #[arg(long)]
    include_infra: bool,
    #[arg(long, hide = true)]
    no_pager: bool,
    #[arg(long, hide = true)]
    format: Option<String>,
}

impl List {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let reader = bd.reader()?;
        let rules = Rules::load(&*reader)?;
        let filter = self.filter(&rules)?;
        let view = View::load(&*reader, !filter.skip_wisps)?;
        let mut found: Vec<&Issue> =
            view.issues.iter().filter(|issue| filter.matches(issue, &view.graph, bd.now)).collect();
        found.sort_by(|a, b| SortKey::Priority.rows(false)(a, b));
        if let Some(word) = &self.sort {
            let key = SortKey::from_word(word).ok_or_else(|| {
                Refusal::plain(format!(
                    "invalid sort field {word:?} (valid: priority, created, updated, closed, status, id, title, type, assignee)"
                ))
            })?;
            let order = key.fetched(self.reverse);
            found.sort_by(|a, b| order(a, b));
        }
        if let Some(limit) = self.limit.filter(|limit| *limit > 0) {
            found.truncate(limit);
        }
        if bd.json() || self.format.as_deref().is_some_and(|word| word.eq_ignore_ascii_case("json")) {
            let listed: Vec<_> =
                found.iter().map(|issue| Listed::new(issue, view.counts(&issue.id))).collect();
            return print_list(&listed);
        }
        for issue in found {
            let line = format!(
                "{} {} ● P{} {}{}",
                icon(&issue.status),
                issue.id,
                issue.priority,
                badge(&issue.issue_type),
                issue.title
            );
            out::line(line);
        }
        Ok(())
    }

    fn filter(&self, rules: &Rules) -> Answer<Filter> {
        let mut filter = Filter::of_list(&rules.statuses, &rules.infra);
        if let Some(words) = &self.status {
            filter.exclude_status.clear();
            let words: Vec<&str> = words.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
            if !words.contains(&"all") {
                filter.statuses = words.iter().map(|word| Status::from(*word)).collect();
            }
            let is_pinned = |word: &&&str| matches!(**word, "pinned" | "hooked");
            if words.iter().find(is_pinned).is_some() {
                filter.pinned = None;
            }
        }
        if self.all {
            filter.exclude_status.clear();
            filter.pinned = None;
        }
        if let Some(text) = &self.priority {
            filter.priority = Some(parse_priority(text).map_err(|e| Refusal::plain(e.to_string()))?);
        }
        filter.assignee = self.assignee.clone().filter(|name| !name.is_empty());
        filter.no_assignee = self.no_assignee;
        if let Some(word) = self.issue_type.as_deref().filter(|word| !word.is_empty()) {
            let wanted = IssueType::from(word).normalized_for_filter();
            if !rules.allowed.issue_type(&wanted) {
                let mut valid = "bug, feature, task, epic, chore, decision".to_owned();
                for custom in &rules.allowed.types {
                    valid = format!("{valid}, {custom}");
                }
                let text = format!("invalid issue type {:?} (valid: {valid})", wanted.as_str());
                return Err(Refusal::plain(text));
            }
            if rules.infra.iter().any(|infra| infra == wanted.as_str()) {
                (filter.ephemeral, filter.skip_wisps) = (Some(true), false);
                filter.exclude_types.retain(|kind| *kind == IssueType::Gate);
            }
            filter.exclude_types.retain(|kind| *kind != wanted);
            filter.issue_type = Some(wanted);
        }
        if self.include_infra {
            filter.skip_wisps = false;
            filter.exclude_types.retain(|kind| *kind == IssueType::Gate);
        }
        let labels = |values: &[String]| {
            let split = split(values);
            beads::filter::normalized_labels(split.iter().map(String::as_str))
        };
        filter.labels = labels(&self.label);
        filter.labels_any = labels(&self.label_any);
        filter.exclude_labels = labels(&self.exclude_label);
        filter.title_contains.clone_from(&self.title);
        filter.parent.clone_from(&self.parent);
        Ok(filter)
    }
}
