//! `bd mol wisp`: molecules that nobody keeps (bd 1.1.0 `cmd/bd/wisp.go`).

use std::collections::HashSet;

use beads::{EdgeType, Issue, Status};
use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;

use super::answer::{Answer, Refusal, print_object};
use super::context::Bd;
use super::delete;
use super::fields::Fields;
use super::flags::split;
use super::mol;
use crate::cli::out;
use crate::store::family::Family;
use crate::store::load::{self, Rules, With};
use crate::store::ops::{self, Cloning};
use crate::store::reader::{By, Reader};

/// Make wisps of a template, and look after them
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Wisp {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    create: Create,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Create(Create),
    List(List),
    Gc(Gc),
}

impl Wisp {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        match self.verb {
            None => self.create.run(bd),
            Some(Verb::Create(c)) => c.run(bd),
            Some(Verb::List(c)) => c.run(bd),
            Some(Verb::Gc(c)) => c.run(bd),
        }
    }
}

/// Make wisps of a template
#[derive(Debug, Args)]
struct Create {
    /// The template
    proto: Option<String>,
    /// A value for a name in double braces, key=value
    #[arg(long)]
    var: Vec<String>,
    /// Only show what would be made
    #[arg(long)]
    dry_run: bool,
    /// The root alone, without its steps
    #[arg(long)]
    root_only: bool,
}

impl Create {
    fn run(self, bd: &Bd) -> Answer {
        let Some(given) = &self.proto else { return Err(Refusal::plain("accepts 1 arg(s), received 0")) };
        let values = mol::values(&self.var)?;
        let proto = mol::template(&*bd.reader()?, given, &format!("proto not found: {given}"))?;
        mol::complete(&[&proto], &values)?;
        if self.dry_run {
            let (count, id) = (proto.issues.len(), &proto.root().id);
            if self.root_only {
                out::line(format!("\nDry run: would create wisp with 1 issue (root only) from proto {id}"));
                if count > 1 {
                    out::line(format!("  Note: {} child step(s) skipped (--root-only)", count - 1));
                }
            } else {
                out::line(format!("\nDry run: would create wisp with {count} issues from proto {id}\n"));
            }
            out::line("Storage: main database (ephemeral=true, not synced via git)\n");
            for issue in proto.issues.iter().take(if self.root_only { 1 } else { count }) {
                out::line(format!("  - {} (from {})", ops::substitute(&issue.title, &values), issue.id));
            }
            return Ok(());
        }
        let how = Cloning {
            values,
            ephemeral: true,
            addition: "wisp",
            root_only: self.root_only,
            ..Cloning::default()
        };
        let made = mol::make(bd, "wisp create", &proto, &how)?;
        if bd.json() {
            return print_object(&mol::made(&made).with("phase", "vapor"));
        }
        let root = &made.root;
        out::line(format!("✓ Created wisp: {} issues\n  Root issue: {root}", made.ids.len()));
        out::line("  Phase: vapor (ephemeral, not synced via git)\n\nNext steps:");
        out::line(format!("  bd close {root}.<step>       # Complete steps"));
        out::line(format!("  bd mol squash {root}         # Condense to digest (promotes to persistent)"));
        out::line(format!("  bd mol burn {root}           # Discard without creating digest"));
        Ok(())
    }
}

/// Show wisps
#[derive(Debug, Args)]
struct List {
    /// Closed ones too
    #[arg(long)]
    all: bool,
    /// Only of this type
    #[arg(long = "type")]
    issue_type: Option<String>,
}

#[derive(Debug, Serialize)]
struct Item {
    id: String,
    title: String,
    status: String,
    priority: i64,
    #[serde(rename = "type")]
    issue_type: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    labels: Vec<String>,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    old: bool,
}

/// bd looks at no more.
const MOST: usize = 5000;

// Ephemeral rows of both families, in the order of lists.
fn ephemeral(reader: &dyn Reader) -> Result<Vec<Issue>, crate::store::StoreError> {
    let with = With { labels: true, ..With::NOTHING };
    let mut found = Vec::new();
    for family in Family::BOTH {
        found.extend(load::issues(reader, family, By::All, with)?);
    }
    found.retain(|issue| issue.ephemeral);
    found.sort_by(|a, b| (a.priority, b.created_at, &a.id).cmp(&(b.priority, a.created_at, &b.id)));
    found.truncate(MOST);
    Ok(found)
}

fn age(issue: &Issue, now: Timestamp) -> SignedDuration {
    issue.updated_at.map_or(SignedDuration::ZERO, |updated| now.duration_since(updated))
}

// How long ago, for people.
fn ago(issue: &Issue, now: Timestamp) -> String {
    let (hours, minutes) = (age(issue, now).as_hours(), age(issue, now).as_mins());
    let many = |n: i64, one: &str, more: &str| {
        if n == 1 { format!("1 {one} ago") } else { format!("{n} {more} ago") }
    };
    match (hours, minutes) {
        (_, ..1) => "just now".to_owned(),
        (_, ..60) => many(minutes, "min", "mins"),
        (..24, _) => many(hours, "hour", "hours"),
        (..168, _) => many(hours / 24, "day", "days"),
        _ => issue.updated_at.map_or_else(String::new, |time| time.strftime("%Y-%m-%d").to_string()),
    }
}

impl List {
    fn run(self, bd: &Bd) -> Answer {
        let mut found = ephemeral(&*bd.reader()?)?;
        found.retain(|issue| self.all || issue.status != Status::Closed);
        if let Some(wanted) = self.issue_type.as_deref().filter(|word| !word.is_empty()) {
            found.retain(|issue| issue.issue_type.as_str() == wanted);
        }
        found.sort_by_key(|issue| std::cmp::Reverse(issue.updated_at));
        let is_old = |issue: &Issue| age(issue, bd.now) > SignedDuration::from_hours(24);
        let old = found.iter().filter(|issue| is_old(issue)).count();
        if bd.json() {
            let shown = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
            let item = |issue: &Issue| Item {
                id: issue.id.clone(),
                title: issue.title.clone(),
                status: issue.status.to_string(),
                priority: issue.priority,
                issue_type: issue.issue_type.to_string(),
                labels: issue.labels.clone(),
                created_at: shown(issue.created_at),
                updated_at: shown(issue.updated_at),
                old: is_old(issue),
            };
            let wisps: Vec<Item> = found.iter().map(item).collect();
            let told = Fields::default().with("wisps", wisps).with("count", found.len());
            return print_object(&told.maybe("old_count", Some(old).filter(|old| *old > 0)));
        }
        if found.is_empty() {
            out::line("No wisps found");
            return Ok(());
        }
        out::line(format!("Wisps ({}):\n", found.len()));
        out::line(format!(
            "{:<12} {:<10} {:<4} {:<10} {:<46} UPDATED",
            "ID", "STATUS", "PRI", "TYPE", "TITLE"
        ));
        out::line("-".repeat(100));
        for issue in &found {
            let title = match issue.title.char_indices().nth(41) {
                Some((at, _)) if issue.title.len() > 44 => format!("{}...", &issue.title[..at]),
                _ => issue.title.clone(),
            };
            let updated = ago(issue, bd.now) + if is_old(issue) { " ⚠" } else { "" };
            let (status, kind) = (issue.status.as_str(), issue.issue_type.as_str());
            out::line(format!(
                "{:<12} {status:<10} P{:<3} {kind:<10} {title:<46} {updated}",
                issue.id, issue.priority
            ));
        }
        if old > 0 {
            out::line(format!("\n⚠ {old} old wisp(s) (not updated in 24+ hours)"));
            out::line("  Hint: Use 'bd mol wisp gc' to clean up old wisps");
        }
        Ok(())
    }
}

/// Remove wisps that nobody works on
#[derive(Debug, Args)]
struct Gc {
    /// Only show what would go
    #[arg(long)]
    dry_run: bool,
    /// Not changed for so long, such as 90m or 24h
    #[arg(long, default_value = "1h")]
    age: String,
    /// Closed ones of that age too
    #[arg(long)]
    all: bool,
    /// All closed ones, of any age
    #[arg(long)]
    closed: bool,
    /// Do it, with --closed
    #[arg(short, long)]
    force: bool,
    /// Not those of these types
    #[arg(long)]
    exclude_type: Vec<String>,
}

impl Gc {
    fn run(self, bd: &Bd) -> Answer {
        let limit: SignedDuration = self.age.parse().map_err(|_| {
            Refusal::plain(format!("invalid --age duration: time: invalid duration {:?}", self.age))
        })?;
        let reader = bd.reader()?;
        let rules = Rules::load(&*reader)?;
        let is_infra = |issue: &Issue| rules.infra.iter().any(|word| word == issue.issue_type.as_str());
        let excluded = split(&self.exclude_type);
        let mut found = ephemeral(&*reader)?;
        found.retain(|issue| !excluded.iter().any(|word| word == issue.issue_type.as_str()));
        if self.closed {
            found.retain(|issue| issue.status == Status::Closed);
            return self.purge(bd, found, is_infra);
        }
        found.retain(|issue| {
            !is_infra(issue) && (self.all || issue.status != Status::Closed) && age(issue, bd.now) > limit
        });
        // What is below goes along, whatever its age.
        let mut gone: HashSet<String> = found.iter().map(|issue| issue.id.clone()).collect();
        let mut level: Vec<String> = gone.iter().cloned().collect();
        while !level.is_empty() {
            let into = load::edges_to(&*reader, &level)?;
            let into = into.into_iter().filter(|stored| stored.family == Family::Wisps);
            let waits = |kind: &EdgeType| kind.blocks_directly() || *kind == EdgeType::ParentChild;
            let mut below: Vec<String> =
                into.filter(|stored| waits(&stored.edge.kind)).map(|stored| stored.edge.issue_id).collect();
            below.retain(|id| gone.insert(id.clone()));
            let more = load::issues_by_id(&*reader, &below, With::NOTHING)?;
            found.extend(more.into_iter().filter(|issue| !is_infra(issue)));
            level = below;
        }
        let ids: Vec<String> = found.iter().map(|issue| issue.id.clone()).collect();
        if found.is_empty() {
            if bd.json() {
                let told = Fields::default().with("cleaned_ids", ids).with("cleaned_count", 0);
                return print_object(&told.maybe("dry_run", self.dry_run.then_some(true)));
            }
            out::line("No abandoned wisps found");
            return Ok(());
        }
        if !self.dry_run {
            return delete::delete_all(bd, "wisp gc", &ids);
        }
        if bd.json() {
            let told = Fields::default().with("cleaned_ids", &ids).with("cleaned_count", 0);
            return print_object(&told.with("candidates", ids.len()).with("dry_run", true));
        }
        out::line(format!("Dry run: would clean {} abandoned wisp(s):\n", ids.len()));
        for issue in &found {
            out::line(format!("  {}: {} (last updated: {})", issue.id, issue.title, ago(issue, bd.now)));
        }
        out::line("\nRun without --dry-run to delete these wisps.");
        Ok(())
    }

    fn purge(&self, bd: &Bd, mut found: Vec<Issue>, is_infra: impl Fn(&Issue) -> bool) -> Answer {
        let all = found.len();
        found.retain(|issue| !issue.pinned);
        let pinned = all - found.len();
        let unpinned = found.len();
        found.retain(|issue| !is_infra(issue));
        let infra = unpinned - found.len();
        if pinned > 0 && !bd.json() {
            out::line(format!("Skipping {pinned} pinned issue(s) (protected from cleanup)"));
        }
        if infra > 0 && !bd.json() {
            out::line(format!("Skipping {infra} configured infra issue(s) protected from GC"));
        }
        let ids: Vec<String> = found.iter().map(|issue| issue.id.clone()).collect();
        if ids.is_empty() {
            if bd.json() {
                return print_object(&json!({ "deleted_count": 0, "message": "No closed wisps to delete" }));
            }
            out::line("No closed wisps to delete");
            return Ok(());
        }
        if !self.force && !self.dry_run {
            if bd.json() {
                return print_object(&json!({ "candidates": ids.len(), "dry_run": true }));
            }
            out::line(format!("Found {} closed wisp(s) to delete", ids.len()));
            out::line("\nUse --force to proceed, or --dry-run for detailed preview.");
            return Ok(());
        }
        if !bd.json() {
            out::line(format!("Found {} closed wisp(s)", ids.len()));
            if self.dry_run {
                out::line("DRY RUN - no changes will be made");
            }
            out::line("");
        }
        if self.dry_run {
            return delete::preview_all(bd, &ids);
        }
        delete::delete_all(bd, "wisp gc --closed", &ids)?;
        if !bd.json() {
            out::line("\nHint: Run 'bd compact --dolt' to reclaim disk space");
        }
        Ok(())
    }
}
