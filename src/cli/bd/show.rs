//! `bd show`.

use std::collections::BTreeMap;

use beads::shapes::{Details, Include, Linked};
use beads::{EdgeType, Issue, Status};
use clap::Args;

use super::answer::{Answer, Refusal, print_list, print_object};
use super::context::Bd;
use super::history::problem_of;
use super::lines::{Page, pretty};
use super::routed::Homes;
use super::show_text;
use crate::cli::out;
use crate::store::StoreError;
use crate::store::history;
use crate::store::load::{self, StoredEdge, With};
use crate::store::reader::Reader;
use crate::store::view::View;

/// Show issues with everything on them
#[derive(Debug, Args)]
#[command(after_help = "Example: bd show bd-a1b --json --include-comments")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct Show {
    /// Which ones
    ids: Vec<String>,
    /// An id that looks like a flag
    #[arg(long, value_name = "ID")]
    id: Vec<String>,
    /// The one under way or on the hook of who asks, else the one that was touched last
    #[arg(long)]
    current: bool,
    /// One line for each
    #[arg(long)]
    short: bool,
    /// Also what is seldom set
    #[arg(long)]
    long: bool,
    /// Only what is below
    #[arg(long)]
    children: bool,
    /// Only what leads here
    #[arg(long)]
    refs: bool,
    /// Times of comments where the user is instead of UTC
    #[arg(long)]
    local_time: bool,
    /// In JSON: also who depends on it
    #[arg(long)]
    include_dependents: bool,
    /// In JSON: also the comments
    #[arg(long)]
    include_comments: bool,
    /// As it was at a commit, a branch, HEAD~2
    #[arg(long, value_name = "REVISION")]
    as_of: Option<String>,
    #[arg(long, hide = true)]
    thread: bool,
    #[arg(short, long, hide = true)]
    watch: bool,
}

/// An issue with both ends of its edges, as `show` prints it.
pub(super) struct Shown {
    /// It.
    pub(super) issue: Issue,
    /// Where its edges lead, as far as it is there, in the order of the edges.
    pub(super) targets: Vec<(Issue, EdgeType)>,
    /// Where edges to it begin, in the order of the edges.
    pub(super) sources: Vec<(Issue, EdgeType)>,
}

impl Shown {
    /// Reads it.
    pub(super) fn read(reader: &dyn Reader, id: &str) -> Answer<Self> {
        let (issue, _) =
            load::issue(reader, id, With::ALL)?.ok_or_else(|| StoreError::NoIssue { id: id.to_owned() })?;
        let ids: Vec<String> = issue.dependencies.iter().map(|edge| edge.depends_on_id.clone()).collect();
        let labelled = With { labels: true, ..With::NOTHING };
        let found = load::issues_by_id(reader, &ids, labelled)?;
        let edges = issue.dependencies.iter();
        let targets = edges.filter_map(|edge| pair(&found, &edge.depends_on_id, &edge.kind)).collect();
        let sources = sources(reader, id)?;
        Ok(Self { issue, targets, sources })
    }

    fn details(&self, include: Include) -> Details {
        let dependents: Vec<_> = self.sources.iter().map(|(issue, kind)| (issue, kind)).collect();
        let find = |id: &str| self.targets.iter().map(|(issue, _)| issue).find(|issue| issue.id == id);
        Details::of(&self.issue, find, &dependents, include)
    }
}

fn pair(found: &[Issue], id: &str, kind: &EdgeType) -> Option<(Issue, EdgeType)> {
    let issue = found.iter().find(|issue| issue.id == id)?;
    Some((issue.clone(), kind.clone()))
}

/// Where edges to an issue begin: by the ids of the edges, those of issues before those of wisps.
pub(super) fn sources(reader: &dyn Reader, id: &str) -> Answer<Vec<(Issue, EdgeType)>> {
    let mut into = load::edges_to(reader, &[id.to_owned()])?;
    into.sort_by(|a: &StoredEdge, b| (a.family, &a.id).cmp(&(b.family, &b.id)));
    let ids: Vec<String> = into.iter().map(|stored| stored.edge.issue_id.clone()).collect();
    let found = load::issues_by_id(reader, &ids, With { labels: true, ..With::NOTHING })?;
    Ok(into.iter().filter_map(|stored| pair(&found, &stored.edge.issue_id, &stored.edge.kind)).collect())
}

/// As the other end of an edge in JSON.
pub(super) fn linked((issue, kind): &(Issue, EdgeType)) -> Linked {
    Linked { issue: issue.clone(), dependency_type: kind.clone() }
}

impl Show {
    pub(super) fn run(mut self, bd: &Bd) -> Answer {
        self.ids.append(&mut self.id);
        let reader = bd.reader()?;
        if self.current {
            if !self.ids.is_empty() {
                return Err(Refusal::new("--current cannot be combined with explicit issue IDs"));
            }
            self.ids = vec![current(bd, &*reader)?];
        }
        if self.ids.is_empty() {
            return Err(Refusal::new(
                "at least one issue ID is required (use positional args, --id flag, or --current)",
            ));
        }
        if let Some(revision) = self.as_of.as_ref().filter(|text| !text.is_empty()) {
            return self.run_as_of(bd, revision);
        }
        for (is_given, flag) in [(self.thread, "--thread"), (self.watch, "--watch")] {
            if is_given {
                return Err(Refusal::new(format!("{flag} is not supported")));
            }
        }
        if self.children || self.refs {
            return self.run_linked(bd);
        }
        let (mut page, mut shown) = (Page::default(), Vec::new());
        let mut homes = Homes::new(bd);
        for (at, given) in self.ids.iter().enumerate() {
            let home = homes.of(given)?;
            let other = home.map(|at| homes.get(Some(at)).reader()).transpose()?;
            let reader = other.as_ref().unwrap_or(&reader);
            let (id, routed) = match Bd::resolve(&**reader, given) {
                Ok(id) => (id, None),
                Err(StoreError::NotFound(refusal)) => {
                    let Some((id, routed)) = bd.among_routed(given)? else {
                        out::note(format!("Error fetching {given}: {refusal}"));
                        continue;
                    };
                    (id, Some(routed))
                }
                Err(error) => return Err(error.into()),
            };
            let found = Shown::read(&**routed.as_ref().unwrap_or(reader), &id)?;
            if self.short {
                page.line(pretty(&found.issue));
            } else if !bd.json() {
                show_text::show(&mut page, &found, at > 0, self.long, self.local_time.then(|| bd.zoned()));
            }
            shown.push(found);
        }
        if let Some(id) = self.ids.first() {
            bd.touch(shown.first().map_or(id, |found| &found.issue.id));
        }
        if !bd.json() || (self.short && !shown.is_empty()) {
            page.print()?;
            if bd.json() {
                return Err(Refusal::new("no issues found matching the provided IDs"));
            }
            return if shown.is_empty() { Err(Refusal::silent()) } else { Ok(()) };
        }
        if shown.is_empty() {
            return Err(Refusal::new("no issues found matching the provided IDs"));
        }
        let include = Include { dependents: self.include_dependents, comments: self.include_comments };
        print_list(shown.iter().map(|found| found.details(include)))
    }

    // Only whole ids, and no failure if one is not found, as in bd.
    fn run_as_of(&self, bd: &Bd, revision: &str) -> Answer {
        let (mut page, mut found) = (Page::default(), Vec::new());
        let problem = problem_of(revision).map(|problem| format!("invalid ref: {problem}"));
        for (at, id) in self.ids.iter().enumerate() {
            let read = match &problem {
                Some(problem) => Err(problem.clone()),
                None => match history::as_of(&bd.store, revision, id) {
                    Ok(Some(issue)) => Ok(issue),
                    Ok(None) => Err(format!("not found: issue {id} as of {revision}")),
                    Err(StoreError::Refused(words)) => Err(format!("get issue as of {revision}: {words}")),
                    Err(error) => return Err(error.into()),
                },
            };
            match read {
                Err(words) => out::note(format!("Error fetching {id} as of {revision}: {words}")),
                Ok(issue) if self.short => page.line(pretty(&issue)),
                Ok(issue) if bd.json() => found.push(issue),
                Ok(issue) => show_text::as_of(&mut page, &issue, at > 0, revision),
            }
        }
        if found.is_empty() { page.print() } else { print_list(&found) }
    }

    fn run_linked(&self, bd: &Bd) -> Answer {
        let mut homes = Homes::new(bd);
        let mut found: BTreeMap<String, Vec<(Issue, EdgeType)>> = BTreeMap::new();
        let mut order = Vec::new();
        for given in &self.ids {
            let home = homes.of(given)?;
            let reader = homes.get(home).reader()?;
            let id = match Bd::resolve(&*reader, given) {
                Ok(id) => id,
                Err(StoreError::NotFound(refusal)) => {
                    out::note(format!("Error resolving {given}: {refusal}"));
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let mut linked = sources(&*reader, &id)?;
            if !self.refs {
                linked.retain(|(_, kind)| *kind == EdgeType::ParentChild);
            }
            if found.insert(id.clone(), linked).is_none() {
                order.push(id);
            }
        }
        if bd.json() {
            let lists: BTreeMap<&String, Vec<Linked>> =
                found.iter().map(|(id, list)| (id, list.iter().map(linked).collect())).collect();
            return print_object(&lists);
        }
        let mut page = Page::default();
        for id in &order {
            let list = found.get(id).map_or(&[][..], Vec::as_slice);
            if self.refs {
                show_text::refs(&mut page, id, list);
            } else {
                show_text::children(&mut page, id, list, self.short);
            }
        }
        page.print()
    }
}

// In progress for who asks, else on the hook, else touched last (bd `resolveCurrentIssueID`).
fn current(bd: &Bd, reader: &dyn Reader) -> Answer<String> {
    let view = View::load(reader, true)?;
    for status in [Status::InProgress, Status::Hooked] {
        let mine = |issue: &&Issue| issue.status == status && issue.assignee == bd.actor;
        let order = beads::order::SortKey::Priority.rows(false);
        let first = view
            .issues
            .iter()
            .filter(mine)
            .min_by(|a, b| a.is_wisp().cmp(&b.is_wisp()).then_with(|| order(a, b)));
        if let Some(issue) = first {
            return Ok(issue.id.clone());
        }
    }
    let last = bd.ids_or_last(&[]).ok().and_then(|ids| ids.into_iter().next());
    last.ok_or_else(|| {
        Refusal::new("no current issue found (no in-progress, hooked, or recently touched issues)")
    })
}
