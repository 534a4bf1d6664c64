//! `bd ready`.

use std::collections::HashMap;
use std::mem::ManuallyDrop;

use beads::issue::is_mol_type;
use beads::ready::{Candidate, SortPolicy, WorkFilter};
use beads::shapes::Listed;
use beads::{Issue, IssueType, Status};
use clap::Args;

use super::answer::{Answer, Refusal, print_list};
use super::context::Bd;
use super::flags::split;
use super::lines::{Page, pretty};
use super::picks::{OfMetadata, given, kind, labels, of_directory};
use super::text::id_and_title;
use super::tree::LEGEND;
use super::{explain, molecule};
use crate::cli::out;
use crate::store::choice::{Choice, Item};
use crate::store::load::{self, With};
use crate::store::ops;
use crate::store::{Outcome, step};

/// Show what can be begun
#[derive(Debug, Args)]
#[command(after_help = "Example: bd ready --claim --json     (take the first one)")]
pub(super) struct Ready {
    /// At most so many; 0: all
    #[arg(short = 'n', long, default_value_t = 100)]
    limit: i64,
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
    pub(super) claim: bool,
    /// Only if the metadata says so
    #[command(flatten)]
    metadata: OfMetadata,
    /// Molecules that a closed gate lets go on
    #[arg(long)]
    gated: bool,
    /// Say why each is ready or waits
    #[arg(long)]
    explain: bool,
    /// As a numbered list
    #[arg(long)]
    plain: bool,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pretty: Option<bool>,
    #[arg(long, hide = true)]
    label_any: Vec<String>,
    /// Only molecules of this type: swarm, patrol or work
    #[arg(long)]
    mol_type: Option<String>,
    #[arg(long, hide = true)]
    offset: Option<i64>,
}

impl Ready {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        if self.offset.is_some_and(|offset| offset > 0) {
            return Err(Refusal::new("--offset is only supported under --proxied-server"));
        }
        let others = [(self.gated, "--gated"), (self.mol.is_some(), "--mol"), (self.explain, "--explain")];
        if let Some((_, flag)) = others.into_iter().find(|(is_set, _)| *is_set && self.claim) {
            return Err(Refusal::new(format!("--claim cannot be combined with {flag}")));
        }
        if self.gated {
            return explain::gated(bd);
        }
        if let Some(molecule) = self.mol.as_ref().filter(|id| !id.is_empty()) {
            return molecule::ready_steps(bd, molecule);
        }
        if self.explain {
            return explain::explain(bd);
        }
        let filter = self.filter()?;
        if self.claim {
            return self.claim(bd, &filter);
        }
        let reader = bd.reader()?;
        let any = self.any_label(bd);
        // The process ends behind this: what it has need not be given back piece by piece.
        let choice = ManuallyDrop::new(Choice::load(&*reader, &filter, !any.is_empty())?);
        let mut found = choice.wanted(&filter, bd.now);
        found.retain(|item| self.is_wanted(item, &any));
        let all = found.len();
        filter.put_in_order(&mut found, bd.now);
        let shown = found.len();
        let whole = choice.whole(&*reader, &found)?;
        if bd.json() {
            print_list(whole.iter().map(|(issue, counts)| Listed::new(issue, *counts)))?;
            if shown < all {
                out::note(format!(
                    "Showing {shown} of {all} ready issues. Use --limit 0 for all, or --limit N to raise the cap."
                ));
            }
            return Ok(());
        }
        let mut page = Page::default();
        if found.is_empty() {
            let is_open = |item: &Item| matches!(item.status(), Status::Open | Status::InProgress);
            page.line(if choice.durable().iter().any(is_open) {
                "\n✨ No ready work found (all issues have blocking dependencies)\n"
            } else {
                "\n✨ No open issues\n"
            });
            return page.print();
        }
        let whole: Vec<Issue> = whole.into_iter().map(|(issue, _)| issue).collect();
        if self.plain || self.pretty == Some(false) {
            plain(&mut page, &whole);
        } else {
            let parents: Vec<String> = whole.iter().filter_map(|i| i.parent().map(str::to_owned)).collect();
            let parents = load::issues_by_id(&*reader, &parents, With { brief: true, ..With::NOTHING })?;
            let epics: HashMap<&str, &str> = parents
                .iter()
                .filter(|issue| issue.issue_type == IssueType::Epic)
                .map(|issue| (issue.id.as_str(), issue.title.as_str()))
                .collect();
            for issue in &whole {
                let epic = issue.parent().and_then(|parent| epics.get(parent));
                let epic = epic.map(|title| format!(" ← {title}")).unwrap_or_default();
                page.line(format_args!("{}{epic}", pretty(issue)));
            }
            page.line(format_args!("\n{}", "-".repeat(80)));
            page.line(format_args!("Ready: {shown} issues with no active blockers\n"));
            page.line(LEGEND);
        }
        if shown < all {
            page.line(format_args!("Showing {shown} of {all} ready issues. Use -n to show more.\n"));
        }
        page.print()
    }

    // One of these labels is wanted, if there are any.
    fn any_label(&self, bd: &Bd) -> Vec<String> {
        let any = labels(&self.label_any);
        if any.is_empty() && labels(&self.label).is_empty() { of_directory(bd) } else { any }
    }

    // bd 1.1.0 takes both flags and looks at neither; here they choose.
    fn is_wanted(&self, item: &Item, any: &[String]) -> bool {
        let kind = self.mol_type.as_ref().filter(|word| !word.is_empty());
        (any.is_empty() || any.iter().any(|label| item.labels().contains(label)))
            && kind.is_none_or(|kind| item.mol_type() == *kind)
    }

    fn claim(&self, bd: &Bd, filter: &WorkFilter) -> Answer {
        if self.assignee.is_some() {
            return Err(Refusal::new("--claim cannot be combined with --assignee"));
        }
        let filter = WorkFilter { unassigned: true, limit: 0, ..filter.clone() };
        let any = self.any_label(bd);
        let act = bd.act();
        let claimed = bd.write("ready --claim", |tx| {
            let choice = Choice::load(tx.reader(), &filter, !any.is_empty())?;
            let found = choice.ready(&filter, bd.now);
            let first = found.iter().find(|item| self.is_wanted(item, &any)).map(|item| item.id().to_owned());
            let Some(id) = first else { return Ok(Outcome { message: None, result: None }) };
            step(tx, &act, |work| ops::claim(work, &id))?;
            let server = || format!("bd: claim ready {id}");
            let message = bd.message(|| bd.auto_commit("ready", std::slice::from_ref(&id)), server);
            Ok(Outcome { message, result: Some(id) })
        })?;
        let Some(id) = claimed else {
            if bd.json() {
                return print_list([(); 0]);
            }
            out::line("\n○ No ready work to claim\n");
            return Ok(());
        };
        bd.touch(&id);
        let reader = bd.reader()?;
        let with = With { labels: true, edges: true, ..With::NOTHING };
        let found = load::issue(&*reader, &id, with)?;
        let (issue, _) = found.ok_or_else(|| Refusal::new(format!("issue {id} has gone")))?;
        if bd.json() {
            return print_list([Listed::new(&issue, load::counts(&*reader, &id)?)]);
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
        if let Some(word) = self.mol_type.as_ref().filter(|word| !is_mol_type(word)) {
            return Err(Refusal::new(format!("invalid mol-type {word:?} (must be swarm, patrol, or work)")));
        }
        let (metadata, has_metadata_key) = self.metadata.wanted().map_err(Refusal::new)?;
        Ok(WorkFilter {
            issue_type: self.issue_type.as_deref().filter(|word| !word.is_empty()).map(kind),
            exclude_types: split(&self.exclude_type).iter().map(|word| kind(word.trim())).collect(),
            priority: self.priority,
            unassigned: self.unassigned,
            assignee: self.assignee.clone().filter(|name| !name.is_empty()),
            labels: labels(&self.label),
            exclude_labels: labels(&self.exclude_label),
            parent: given(self.parent.as_ref()),
            metadata,
            has_metadata_key,
            include_deferred: self.include_deferred,
            include_ephemeral: self.include_ephemeral,
            sort,
            limit: usize::try_from(self.limit).unwrap_or_default(),
            ..WorkFilter::default()
        })
    }
}

fn plain(page: &mut Page, found: &[Issue]) {
    page.line(format_args!("\n📋 Ready work ({} issues with no active blockers):\n", found.len()));
    for (at, issue) in found.iter().enumerate() {
        let Issue { priority, issue_type, id, title, .. } = issue;
        page.line(format_args!("{}. [● P{priority}] [{issue_type}] {id}: {title}", at + 1));
        if let Some(minutes) = issue.estimated_minutes {
            page.line(format_args!("   Estimate: {minutes} min"));
        }
        if !issue.assignee.is_empty() {
            page.line(format_args!("   Assignee: {}", issue.assignee));
        }
    }
    page.line("");
}
