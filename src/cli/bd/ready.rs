//! `bd ready`.

use beads::ready::{SortPolicy, WorkFilter, ready};
use beads::shapes::Listed;
use beads::{IssueType, filter::normalized_labels};
use clap::Args;

use super::answer::{Answer, Refusal, print_list};
use super::context::Bd;
use super::flags::split;
use super::text::id_and_title;
use crate::cli::out;
use crate::store::ops;
use crate::store::view::View;
use crate::store::{Outcome, step};

/// Show what can be begun
#[derive(Debug, Args)]
#[command(after_help = "Example: bd ready --claim --json     (take the first one)")]
pub(super) struct Ready {
    /// At most so many; 0: all
    #[arg(short = 'n', long, default_value_t = 100)]
    limit: usize,
    /// Only this priority
    #[arg(short, long)]
    priority: Option<i64>,
    /// Only this one's
    #[arg(short, long)]
    assignee: Option<String>,
    /// Only nobody's
    #[arg(short, long)]
    unassigned: bool,
    /// priority, oldest or hybrid
    #[arg(short, long, default_value = "priority")]
    sort: String,
    /// With all of these labels
    #[arg(short, long)]
    label: Vec<String>,
    /// With none of these labels
    #[arg(long)]
    exclude_label: Vec<String>,
    /// Only of this type
    #[arg(short = 't', long = "type")]
    issue_type: Option<String>,
    /// Only below this issue
    #[arg(long)]
    parent: Option<String>,
    /// Only the steps of this molecule
    #[arg(long)]
    mol: Option<String>,
    /// Also what is put off
    #[arg(long)]
    include_deferred: bool,
    /// Also wisps
    #[arg(long)]
    include_ephemeral: bool,
    /// Not of these types
    #[arg(long)]
    exclude_type: Vec<String>,
    /// Take the first one
    #[arg(long)]
    claim: bool,
    #[arg(long, hide = true)]
    plain: bool,
}

impl Ready {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let filter = self.filter()?;
        if self.claim {
            return self.claim(bd, &filter);
        }
        let reader = bd.reader()?;
        let view = View::load(&*reader, true)?;
        let found = ready(&view.issues, &view.graph, &filter, bd.now);
        if bd.json() {
            let listed: Vec<_> =
                found.iter().map(|issue| Listed::new(issue, view.counts(&issue.id))).collect();
            return print_list(&listed);
        }
        if found.is_empty() {
            out::line("\n✨ No open issues\n");
            return Ok(());
        }
        for issue in found {
            out::line(format!("○ {} ● P{} {}", issue.id, issue.priority, issue.title));
        }
        Ok(())
    }

    fn claim(&self, bd: &Bd, filter: &WorkFilter) -> Answer {
        if self.assignee.is_some() {
            return Err(Refusal::new("--claim cannot be combined with --assignee"));
        }
        let filter = WorkFilter { unassigned: true, limit: 1, ..filter.clone() };
        let act = bd.act();
        let claimed = bd.write("ready --claim", |tx| {
            let view = View::load(tx.reader(), true)?;
            let first =
                ready(&view.issues, &view.graph, &filter, bd.now).first().map(|issue| issue.id.clone());
            let Some(id) = first else { return Ok(Outcome { message: None, result: None }) };
            step(tx, &act, |work| ops::claim(work, &id))?;
            let server = || format!("bd: claim ready {id}");
            let message = bd.message(|| bd.auto_commit("ready", std::slice::from_ref(&id)), server);
            Ok(Outcome { message, result: Some(id) })
        })?;
        let Some(id) = claimed else {
            if bd.json() {
                return print_list(&[(); 0]);
            }
            out::line("\n○ No ready work to claim\n");
            return Ok(());
        };
        bd.touch(&id);
        let reader = bd.reader()?;
        let view = View::load(&*reader, true)?;
        let issue = view.issues.iter().find(|issue| issue.id == id);
        let issue = issue.ok_or_else(|| Refusal::new(format!("issue {id} has gone")))?;
        if bd.json() {
            return print_list(&[Listed::new(issue, view.counts(&id))]);
        }
        out::line(format!("✓ Claimed issue: {}", id_and_title(&id, &issue.title)));
        Ok(())
    }

    fn filter(&self) -> Answer<WorkFilter> {
        let sort = SortPolicy::from_word(&self.sort).ok_or_else(|| {
            Refusal::new(format!(
                "invalid sort policy '{}'. Valid values: hybrid, priority, oldest",
                self.sort
            ))
        })?;
        let labels = |values: &[String]| normalized_labels(split(values).iter().map(String::as_str));
        let kind = |word: &str| IssueType::from(word).normalized_for_filter();
        Ok(WorkFilter {
            issue_type: self.issue_type.as_deref().filter(|word| !word.is_empty()).map(kind),
            exclude_types: split(&self.exclude_type).iter().map(|word| kind(word.trim())).collect(),
            priority: self.priority,
            unassigned: self.unassigned,
            assignee: self.assignee.clone().filter(|name| !name.is_empty()),
            labels: labels(&self.label),
            exclude_labels: labels(&self.exclude_label),
            parent: self.parent.clone(),
            molecule: self.mol.clone(),
            include_deferred: self.include_deferred,
            include_ephemeral: self.include_ephemeral,
            sort,
            limit: self.limit,
            ..WorkFilter::default()
        })
    }
}
