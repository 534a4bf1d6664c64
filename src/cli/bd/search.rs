//! `bd search` and `bd query`.

use std::path::PathBuf;

use beads::filter::{Filter, is_found};
use beads::order::SortKey;
use beads::query::Query as Parsed;
use beads::shapes::Listed;
use beads::{Issue, IssueType, Status};
use clap::Args;

use super::answer::{Answer, Refusal, print_list};
use super::context::Bd;
use super::lines::{Page, queried, searched, searched_long};
use super::picks::{OfMetadata, Picks, given};
use crate::store::view::View;

/// Find issues by words in title or id
#[derive(Debug, Args)]
#[command(after_help = "Example: bd search \"login\" --status all --json")]
pub(super) struct Search {
    /// The words
    words: Vec<String>,
    #[arg(long, hide = true)]
    query: Option<String>,
    /// Only in this state; all: in any. Without it, in any but closed
    #[arg(short, long)]
    status: Option<String>,
    #[command(flatten)]
    picks: Picks,
    /// External reference contains
    #[arg(long)]
    external_contains: Option<String>,
    #[command(flatten)]
    metadata: OfMetadata,
    /// At most so many; 0: all
    #[arg(short = 'n', long, default_value_t = 50)]
    limit: usize,
    #[command(flatten)]
    shown: Shown,
    #[arg(long, hide = true)]
    repo: Option<PathBuf>,
}

/// How what was found is shown.
#[derive(Debug, Args)]
struct Shown {
    /// Some lines for each
    #[arg(long)]
    long: bool,
    /// priority, created, updated, closed, status, id, title, type or assignee
    #[arg(long)]
    sort: Option<String>,
    /// The other way round
    #[arg(short, long)]
    reverse: bool,
}

impl Shown {
    // A word that is no key orders nothing, as in bd.
    fn sort(&self, found: &mut [&Issue]) {
        if let Some(key) = self.sort.as_deref().and_then(SortKey::from_word) {
            let order = key.fetched(self.reverse);
            found.sort_by(|a, b| order(a, b));
        }
    }
}

// In the order of rows: issues, then wisps; each table cut to the limit, as bd cuts them.
fn by_table(mut found: Vec<&Issue>, limit: usize) -> Vec<&Issue> {
    let order = SortKey::Priority.rows(false);
    found.sort_by(|a, b| a.is_wisp().cmp(&b.is_wisp()).then_with(|| order(a, b)));
    let (mut durable, mut local) = (0, 0);
    found.retain(|issue| {
        let count = if issue.is_wisp() { &mut local } else { &mut durable };
        *count += 1;
        limit == 0 || *count <= limit
    });
    found
}

impl Search {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let words = self.words.join(" ");
        let words = if words.is_empty() { self.query.clone().unwrap_or_default() } else { words };
        if words.is_empty() {
            return Err(Refusal::plain("search query is required"));
        }
        let mut filter = Filter::default();
        self.picks.put(&mut filter, bd).map_err(Refusal::plain)?;
        match given(self.status.as_ref()).as_deref() {
            None => filter.exclude_status.push(Status::Closed),
            Some("all") => {}
            Some(word) => filter.status = Some(Status::from(word)),
        }
        filter.issue_type = given(self.picks.issue_type.as_ref()).map(IssueType::from);
        filter.external_ref_contains = given(self.external_contains.as_ref());
        (filter.metadata, filter.has_metadata_key) = self.metadata.wanted().map_err(Refusal::plain)?;
        let view = View::load(&*bd.reader()?, true)?;
        let matches = |issue: &&Issue| is_found(issue, &words) && filter.matches(issue, view.graph(), bd.now);
        let mut found = by_table(view.fitting(matches), self.limit);
        self.shown.sort(&mut found);
        if bd.json() {
            let bare: Vec<Issue> =
                found.iter().map(|issue| Issue { dependencies: Vec::new(), ..(*issue).clone() }).collect();
            let listed: Vec<_> =
                bare.iter().map(|issue| Listed::new(issue, view.counts(&issue.id))).collect();
            return print_list(&listed);
        }
        let mut page = Page::default();
        if found.is_empty() {
            page.line(format_args!("No issues found matching '{words}'"));
        } else if self.shown.long {
            page.line(format_args!("\nFound {} issues matching '{words}':\n", found.len()));
            for issue in found {
                searched_long(&mut page, issue);
            }
        } else {
            page.line(format_args!("Found {} issues matching '{words}':", found.len()));
            for issue in found {
                page.line(searched(issue));
            }
        }
        page.print()
    }
}

/// Find issues by an expression
#[derive(Debug, Args)]
#[command(after_help = "Example: bd query \"status=open AND (label=ui OR priority<2) AND updated>7d\"\n\n\
    Fields: status priority type assignee owner label title description notes created updated started\n\
    closed id spec pinned ephemeral template parent mol_type metadata.<key> has_metadata_key")]
pub(super) struct Query {
    /// The expression
    words: Vec<String>,
    /// At most so many; 0: all
    #[arg(short = 'n', long, default_value_t = 50)]
    limit: usize,
    #[arg(long, hide = true)]
    offset: Option<i64>,
    /// Also closed ones
    #[arg(short, long)]
    all: bool,
    /// Only show how it is understood
    #[arg(long)]
    parse_only: bool,
    #[command(flatten)]
    shown: Shown,
}

impl Query {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let words = self.words.join(" ");
        if words.is_empty() {
            return Err(Refusal::plain("query expression is required"));
        }
        match self.offset.unwrap_or_default() {
            0 => {}
            1.. => return Err(Refusal::new("--offset is only supported under --proxied-server")),
            _ => return Err(Refusal::new("--offset must be non-negative")),
        }
        let parsed =
            Parsed::parse(&words).map_err(|error| Refusal::new(format!("parsing query: {error}")))?;
        let mut page = Page::default();
        if self.parse_only {
            page.line(format_args!("Parsed query: {parsed}"));
            return page.print();
        }
        let answer = parsed.answer(bd.zoned(), self.all);
        let answer = answer.map_err(|error| Refusal::new(format!("evaluating query: {error}")))?;
        let view = View::load(&*bd.reader()?, true)?;
        let matches =
            |issue: &&Issue| answer.filter.matches(issue, view.graph(), bd.now) && answer.passes(issue);
        let found = view.fitting(matches);
        // bd cuts before it looks at what no filter can say, and so finds too few; here the limit is one of the result.
        let mut found = if bd.json() {
            let mut found = found;
            found.sort_by(|a, b| SortKey::Priority.rows(false)(a, b));
            found
        } else {
            by_table(found, if answer.predicate.is_none() { self.limit } else { 0 })
        };
        if self.limit > 0 && (bd.json() || answer.predicate.is_some()) {
            found.truncate(self.limit);
        }
        self.shown.sort(&mut found);
        if bd.json() {
            let listed: Vec<_> =
                found.iter().map(|issue| Listed::new(issue, view.counts(&issue.id))).collect();
            return print_list(&listed);
        }
        if found.is_empty() {
            page.line(format_args!("No issues found matching query: {words}"));
        } else if self.shown.long {
            page.line(format_args!("\nFound {} issues:\n", found.len()));
            for issue in found {
                searched_long(&mut page, issue);
            }
        } else {
            page.line(format_args!("Found {} issues:", found.len()));
            for issue in found {
                page.line(queried(issue));
            }
        }
        page.print()
    }
}
