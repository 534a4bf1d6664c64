//! `bd list` and `bd children`.

use std::mem::ManuallyDrop;
use std::path::PathBuf;

use beads::filter::Filter;
use beads::issue::{is_mol_type, is_wisp_type, parse_priority};
use beads::order::SortKey;
use beads::ready::{SortPolicy, WorkFilter, ready};
use beads::shapes::Listed;
use beads::{Graph, Issue, IssueType, Status};
use clap::Args;
use serde::Serialize;

use super::answer::{Answer, Refusal, is_bare, print_issues, print_listing, print_object};
use super::context::Bd;
use super::lines::{Page, flat, long};
use super::list_format::{Arounds, LabelShape, print_edges};
use super::picks::{OfMetadata, Picks, date, given, has_title, ids, kind, of_directory};
use super::{flags::split, tree};
use crate::cli::out;
use crate::store::listing::Listing;
use crate::store::load::Rules;
use crate::store::view::View;

/// Show issues
#[derive(Debug, Default, Args)]
#[command(after_help = "Example: bd list --status open,in_progress --label backend --json")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct List {
    /// Only in these states, with commas; all: in any
    #[arg(short, long, alias = "state")]
    status: Option<String>,
    /// Only this priority
    #[arg(short, long)]
    priority: Option<String>,
    #[command(flatten)]
    picks: Picks,
    /// With none of these labels
    #[arg(long)]
    exclude_label: Vec<String>,
    /// With a label of this shape, such as tech-*
    #[arg(long)]
    label_pattern: Option<String>,
    /// With a label that this regular expression finds
    #[arg(long)]
    label_regex: Option<String>,
    /// Title contains
    #[arg(long)]
    title: Option<String>,
    #[arg(long, hide = true)]
    title_contains: Option<String>,
    /// Specification begins so
    #[arg(long)]
    spec: Option<String>,
    /// Only these ids, with commas
    #[arg(long)]
    id: Option<String>,
    /// Only below this issue
    #[arg(long, alias = "filter-parent")]
    parent: Option<String>,
    /// Only what is below none
    #[arg(long)]
    no_parent: bool,
    /// Not of these types
    #[arg(long)]
    exclude_type: Vec<String>,
    /// Molecules of this type: swarm, patrol or work
    #[arg(long)]
    mol_type: Option<String>,
    /// Wisps of this type
    #[arg(long)]
    wisp_type: Option<String>,
    /// Also those that are put away
    #[arg(long)]
    all: bool,
    /// Only what can be begun
    #[arg(long)]
    ready: bool,
    /// Only pinned ones
    #[arg(long)]
    pinned: bool,
    /// No pinned ones
    #[arg(long)]
    no_pinned: bool,
    /// Only what is put off
    #[arg(long)]
    deferred: bool,
    /// Only what is late
    #[arg(long)]
    overdue: bool,
    /// Put off until after
    #[arg(long, value_name = "DATE")]
    defer_after: Option<String>,
    /// Put off until before
    #[arg(long, value_name = "DATE")]
    defer_before: Option<String>,
    /// Due after
    #[arg(long, value_name = "DATE")]
    due_after: Option<String>,
    /// Due before
    #[arg(long, value_name = "DATE")]
    due_before: Option<String>,
    #[command(flatten)]
    metadata: OfMetadata,
    /// Also templates
    #[arg(long)]
    include_templates: bool,
    /// Also gates
    #[arg(long)]
    include_gates: bool,
    /// Also agents, roles and messages
    #[arg(long)]
    include_infra: bool,
    /// At most so many; 0: all. Without it, 50 on a terminal and all otherwise
    #[arg(short = 'n', long)]
    limit: Option<i64>,
    #[arg(long, hide = true)]
    offset: Option<i64>,
    /// priority, created, updated, closed, status, id, title, type or assignee
    #[arg(long)]
    sort: Option<String>,
    /// The other way round
    #[arg(short, long)]
    reverse: bool,
    /// Older callers: small to large, oldest first
    #[arg(long, hide = true)]
    asc: bool,
    /// As a tree, which is the default
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    tree: Option<bool>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pretty: Option<bool>,
    /// One line for each issue, no tree
    #[arg(long)]
    flat: bool,
    /// Some lines for each issue (with --flat)
    #[arg(long)]
    long: bool,
    /// digraph, dot, json, or text with `{{.IssueID}}`, `{{.DependsOnID}}` and `{{.Type}}`, once for each edge
    #[arg(long)]
    format: Option<String>,
    /// Do not read labels
    #[arg(long)]
    skip_labels: bool,
    #[arg(long, hide = true)]
    no_pager: bool,
    #[arg(short, long, hide = true)]
    watch: bool,
    #[arg(long, hide = true)]
    repo: Option<PathBuf>,
    #[arg(hide = true)]
    words: Vec<String>,
}

/// Show what is below an issue
#[derive(Debug, Args)]
pub(super) struct Children {
    /// Below which one
    parent: String,
    /// As a tree, which is the default
    #[arg(long)]
    pretty: bool,
}

impl Children {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        List { parent: Some(self.parent), status: Some("all".into()), ..List::default() }.run(bd)
    }
}

/// `--skip-labels --json`.
#[derive(Serialize)]
struct Unlabelled<'i> {
    issues: Vec<Bare<'i>>,
    meta: UnlabelledMeta,
}

#[derive(Serialize)]
struct Bare<'i> {
    #[serde(flatten)]
    listed: Listed<'i>,
    labels: [(); 0],
}

#[derive(Serialize)]
struct UnlabelledMeta {
    skip_labels: bool,
    count: usize,
}

impl List {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        self.check()?;
        let sort = self.sort()?;
        let shape = LabelShape::of(given(self.label_pattern.as_ref()), given(self.label_regex.as_ref()))?;
        let reader = bd.reader()?;
        let rules = Rules::load(&*reader)?;
        let filter = self.filter(bd, &rules)?;
        let is_json = bd.json() || self.is_json();
        let wisps = self.ready || !filter.skip_wisps;
        if is_json && is_bare() && self.is_spelled_at_once(&filter) {
            let mut listing = ManuallyDrop::new(Listing::load(&*reader, &filter, wisps, bd.now)?);
            self.cut(listing.len(), |limit| listing.truncate(limit));
            return print_listing(&listing);
        }
        let view = if is_json || self.long || self.ready || filter.looks_at_texts() {
            View::load(&*reader, wisps)?
        } else {
            View::brief(&*reader, wisps)?
        };
        // The process ends behind this: what it has need not be given back piece by piece.
        let view = ManuallyDrop::new(view);
        let also_title = self.title.as_ref().and(self.title_contains.as_ref());
        let extra = |issue: &&Issue| shape.fits(issue) && has_title(issue, also_title, bd);
        let mut found: Vec<&Issue> = if self.ready {
            let work = work(&filter);
            ready(&view.issues, view.graph(), &work, bd.now).into_iter().filter(extra).collect()
        } else {
            let nothing = Graph::default();
            let graph = if filter.looks_at_graph() { view.graph() } else { &nothing };
            let matching = |issue: &&Issue| filter.matches(issue, graph, bd.now);
            view.fitting(|issue| matching(issue) && extra(issue))
        };
        if !self.ready {
            let (key, reverse) = sort.unwrap_or_default();
            found.sort_by(|a, b| key.rows(reverse)(a, b));
            if !is_json && filter.ephemeral != Some(true) {
                // Read by table for people, merged for programs.
                found.sort_by_key(|issue| issue.is_wisp());
            }
        }
        if let Some((key, reverse)) = sort {
            let order = key.fetched(reverse);
            found.sort_by(|a, b| order(a, b));
        }
        self.cut(found.len(), |limit| found.truncate(limit));
        if is_json { self.print_json(&view, &found) } else { self.print_text(bd, &view, &filter, &found) }
    }

    fn check(&self) -> Answer {
        if let Some(word) = self.words.first() {
            const FLAGS: [&str; 9] =
                ["ready", "tree", "flat", "all", "long", "watch", "pretty", "pinned", "overdue"];
            return Err(Refusal::plain(if FLAGS.contains(&word.as_str()) {
                format!("unknown argument {word:?}; did you mean \"--{word}\" or 'bd {word}'?")
            } else {
                "bd list does not accept positional arguments; use flags instead (see bd list --help)".into()
            }));
        }
        if self.offset.is_some_and(|offset| offset < 0) {
            return Err(Refusal::plain("--offset must be >= 0"));
        }
        if self.offset.is_some_and(|offset| offset != 0) {
            return Err(Refusal::plain("--offset is only supported under --proxied-server"));
        }
        if self.watch {
            return Err(Refusal::plain("--watch is not supported; run bd list again instead"));
        }
        for (one, other, names) in [
            (self.pinned, self.no_pinned, "--pinned and --no-pinned"),
            (given(self.parent.as_ref()).is_some(), self.no_parent, "--parent and --no-parent"),
        ] {
            if one && other {
                return Err(Refusal::plain(format!("{names} are mutually exclusive")));
            }
        }
        if !self.skip_labels {
            return Ok(());
        }
        let with = [
            (!self.picks.label.is_empty(), "--label"),
            (!self.picks.label_any.is_empty(), "--label-any"),
            (given(self.label_pattern.as_ref()).is_some(), "--label-pattern"),
            (given(self.label_regex.as_ref()).is_some(), "--label-regex"),
            (!self.exclude_label.is_empty(), "--exclude-label"),
            (self.picks.no_labels, "--no-labels"),
        ];
        let with: Vec<&str> =
            with.into_iter().filter(|(is_there, _)| *is_there).map(|(_, flag)| flag).collect();
        if with.is_empty() {
            return Ok(());
        }
        let with = with.join(" ");
        Err(Refusal::plain(format!("--skip-labels cannot be combined with {with}, which needs the labels")))
    }

    // Nothing is looked at but each issue by itself, and they are printed as they are.
    fn is_spelled_at_once(&self, filter: &Filter) -> bool {
        let chooses_more = self.label_pattern.is_some() || self.label_regex.is_some() || self.title.is_some();
        !(self.ready || self.skip_labels || self.sort.is_some() || chooses_more || filter.looks_at_graph())
    }

    // Leaves the first ones, and says so to people.
    fn cut(&self, found: usize, truncate: impl FnOnce(usize)) {
        let Some(limit) = self.limit() else { return };
        if found > limit && std::io::IsTerminal::is_terminal(&std::io::stderr()) {
            out::note(format!(
                "\nShowing {limit} issues; more results matched but were hidden by --limit. Use --limit 0 for all, or --limit N to raise the cap.\n"
            ));
        }
        truncate(limit);
    }

    fn is_json(&self) -> bool {
        self.format.as_deref().is_some_and(|word| word.eq_ignore_ascii_case("json"))
    }

    fn limit(&self) -> Option<usize> {
        let default = if self.all || !std::io::IsTerminal::is_terminal(&std::io::stdout()) { 0 } else { 50 };
        usize::try_from(self.limit.unwrap_or(default)).ok().filter(|limit| *limit > 0)
    }

    // The key, and whether in the other direction. `-created` and `--asc` are of older callers.
    fn sort(&self) -> Answer<Option<(SortKey, bool)>> {
        let Some(word) = self.sort.as_deref().filter(|word| !word.is_empty()) else {
            return Ok(None);
        };
        let (is_down, name) = word.strip_prefix('-').map_or((false, word), |name| (true, name));
        let key = SortKey::from_word(name).ok_or_else(|| {
            Refusal::plain(format!(
                "invalid sort field {word:?} (valid: priority, created, updated, closed, status, id, title, type, assignee)"
            ))
        })?;
        let is_newest_first = matches!(key, SortKey::Created | SortKey::Updated | SortKey::Closed);
        let turned = match (self.asc, is_down) {
            (true, _) => is_newest_first,
            (false, true) => !is_newest_first,
            (false, false) => false,
        };
        Ok(Some((key, turned != self.reverse)))
    }

    fn print_json(&self, view: &View, found: &[&Issue]) -> Answer {
        if !self.skip_labels {
            return print_issues(found, view.all_counts());
        }
        let issues: Vec<Bare<'_>> = found
            .iter()
            .map(|issue| {
                let mut listed = Listed::new(issue, view.counts(&issue.id));
                listed.issue.to_mut().labels.clear();
                Bare { listed, labels: [] }
            })
            .collect();
        let meta = UnlabelledMeta { skip_labels: true, count: issues.len() };
        print_object(&Unlabelled { issues, meta })
    }

    fn print_text(&self, bd: &Bd, view: &View, filter: &Filter, found: &[&Issue]) -> Answer {
        let mut page = Page::default();
        if let Some(format) = self.format.as_deref().filter(|format| !format.is_empty()) {
            print_edges(&mut page, found, format)?;
            return page.print();
        }
        if self.pretty == Some(true) || (self.tree != Some(false) && !self.flat) {
            match given(self.parent.as_ref()).filter(|_| !self.ready) {
                Some(parent) => {
                    let Some(issues) = with_descendants(bd, view, filter, &parent)? else {
                        page.line(format_args!("Issue '{parent}' has no children"));
                        return page.print();
                    };
                    tree::print(&mut page, &issues);
                }
                None => tree::print(&mut page, found),
            }
        } else if self.long {
            page.line(format_args!("\nFound {} issues:\n", found.len()));
            for issue in found {
                long(&mut page, issue, !self.skip_labels);
            }
        } else {
            let arounds = Arounds::of(view);
            for issue in found {
                page.line(flat(issue, &arounds.around(issue), !self.skip_labels));
            }
        }
        if self.skip_labels && !bd.global.quiet {
            page.line("\nnote: --skip-labels in effect — labels suppressed in output.");
        }
        page.print()
    }

    fn filter(&self, bd: &Bd, rules: &Rules) -> Answer<Filter> {
        let mut filter = Filter::of_list(&rules.statuses, &rules.infra);
        self.picks.put(&mut filter, bd).map_err(Refusal::plain)?;
        if !self.skip_labels && filter.labels.is_empty() && filter.labels_any.is_empty() {
            filter.labels_any = of_directory(bd);
        }
        self.put_status(&mut filter, rules)?;
        if let Some(text) = &self.priority {
            filter.priority = Some(parse_priority(text).map_err(|e| Refusal::plain(e.to_string()))?);
        }
        let is_infra = self.put_types(&mut filter, rules)?;
        filter.skip_wisps = !self.include_infra && !is_infra;
        filter.exclude_labels = super::picks::labels(&self.exclude_label);
        filter.title_contains = given(self.title.as_ref()).or(given(self.title_contains.as_ref()));
        filter.spec_id_prefix = given(self.spec.as_ref());
        filter.ids = ids(self.id.as_ref());
        filter.parent = given(self.parent.as_ref());
        filter.no_parent = self.no_parent;
        filter.is_template = (!self.include_templates).then_some(false);
        filter.mol_type = given(self.mol_type.as_ref());
        filter.wisp_type = given(self.wisp_type.as_ref());
        if let Some(word) = filter.mol_type.as_ref().filter(|word| !is_mol_type(word)) {
            return Err(Refusal::plain(format!(
                "invalid mol-type {word:?} (must be swarm, patrol, or work)"
            )));
        }
        if let Some(word) = filter.wisp_type.as_ref().filter(|word| !is_wisp_type(word)) {
            return Err(Refusal::plain(format!(
                "invalid wisp-type {word:?} (must be heartbeat, ping, patrol, gc_report, recovery, error, or escalation)"
            )));
        }
        let date = |flag: &str, text: &Option<String>| date(flag, text.as_ref(), bd).map_err(Refusal::plain);
        filter.defer.after = date("defer-after", &self.defer_after)?;
        filter.defer.before = date("defer-before", &self.defer_before)?;
        filter.due.after = date("due-after", &self.due_after)?;
        filter.due.before = date("due-before", &self.due_before)?;
        (filter.deferred, filter.overdue) = (self.deferred, self.overdue);
        (filter.metadata, filter.has_metadata_key) = self.metadata.wanted().map_err(Refusal::new)?;
        Ok(filter)
    }

    fn put_status(&self, filter: &mut Filter, rules: &Rules) -> Answer {
        let words = self.status.as_deref().unwrap_or_default();
        if self.ready {
            filter.status = Some(Status::Open);
        } else if !words.is_empty() && words != "all" {
            let many = if words.contains(',') { " in multi-status filter" } else { "" };
            for word in words.split(',').map(str::trim) {
                let status = Status::from(word);
                if !rules.allowed.status(&status) {
                    let mut valid = "open, in_progress, blocked, deferred, closed, pinned, hooked".to_owned();
                    for custom in &rules.allowed.statuses {
                        valid = format!("{valid}, {custom}");
                    }
                    return Err(Refusal::plain(format!("invalid status {word:?}{many} (valid: {valid})")));
                }
                filter.statuses.push(status);
            }
        }
        if !words.is_empty() || self.all || self.ready || self.pinned {
            filter.exclude_status.clear();
        }
        filter.pinned = if self.pinned {
            Some(true)
        } else {
            let is_lifted = matches!(words, "pinned" | "hooked") || self.all;
            (self.no_pinned || !is_lifted).then_some(false)
        };
        Ok(())
    }

    // Whether an infra type is asked for.
    fn put_types(&self, filter: &mut Filter, rules: &Rules) -> Answer<bool> {
        let wanted = self.picks.issue_type.as_deref().filter(|word| !word.is_empty()).map(kind);
        if let Some(wanted) = wanted.as_ref().filter(|wanted| !rules.allowed.issue_type(wanted)) {
            let mut valid = "bug, feature, task, epic, chore, decision".to_owned();
            for custom in &rules.allowed.types {
                valid = format!("{valid}, {custom}");
            }
            let text = format!("invalid issue type {:?} (valid: {valid})", wanted.as_str());
            return Err(Refusal::plain(text));
        }
        let is_infra =
            wanted.as_ref().is_some_and(|wanted| rules.infra.iter().any(|infra| infra == wanted.as_str()));
        if is_infra {
            filter.ephemeral = Some(true);
        }
        let with_gates = self.include_gates || wanted == Some(IssueType::Gate);
        let with_infra = self.include_infra || is_infra;
        filter.exclude_types.retain(|kind| match kind {
            IssueType::Gate => !with_gates,
            _ => !with_infra,
        });
        filter.exclude_types.extend(split(&self.exclude_type).iter().map(|word| kind(word.trim())));
        filter.issue_type = wanted;
        Ok(is_infra)
    }
}

// The issue itself and everything below it that the filter lets through; nothing if there is nothing below.
fn with_descendants<'v>(
    bd: &Bd,
    view: &'v View,
    filter: &Filter,
    parent: &str,
) -> Answer<Option<Vec<&'v Issue>>> {
    let top = view
        .all()
        .find(|issue| issue.id == parent)
        .ok_or_else(|| Refusal::plain(format!("error checking parent issue: not found: issue {parent}")))?;
    let mut found: Vec<&Issue> = Vec::new();
    let mut open = vec![parent];
    while let Some(parent) = open.pop() {
        let filter = Filter { parent: Some(parent.to_owned()), ..filter.clone() };
        for child in view.issues.iter().filter(|issue| filter.matches(issue, view.graph(), bd.now)) {
            if !found.iter().any(|known| known.id == child.id) {
                found.push(child);
                open.push(&child.id);
            }
        }
    }
    if found.is_empty() {
        return Ok(None);
    }
    if !found.iter().any(|issue| issue.id == top.id) {
        found.push(top);
    }
    Ok(Some(found))
}

// What is ready has a filter of its own.
fn work(filter: &Filter) -> WorkFilter {
    WorkFilter {
        issue_type: filter.issue_type.clone(),
        exclude_types: filter.exclude_types.clone(),
        priority: filter.priority,
        unassigned: filter.no_assignee,
        assignee: filter.assignee.clone(),
        labels: filter.labels.clone(),
        exclude_labels: filter.exclude_labels.clone(),
        parent: filter.parent.clone(),
        include_ephemeral: filter.ephemeral == Some(true),
        has_metadata_key: filter.has_metadata_key.clone(),
        metadata: filter.metadata.clone(),
        sort: SortPolicy::Hybrid,
        limit: 0,
        ..WorkFilter::default()
    }
}
