//! `bd orphans`: issues that are open although a commit of git names them in brackets, as commits do that finish something.
//!
//! Git is asked for the messages. What could go wrong is a commit that only mentions an issue; so nothing is closed without
//! `--fix`.

use std::collections::BTreeMap;

use beads::{Issue, Status};
use clap::Args;
use regex::Regex;
use serde::Serialize;

use super::answer::{Answer, Refusal, print_list, print_null};
use super::close::Close;
use super::context::Bd;
use super::picks;
use super::programs::{self, LIMIT};
use crate::cli::out;
use crate::store::family::Family;
use crate::store::load::{self, Rules, With};
use crate::store::reader::By;

/// Find issues that a commit names and that are still open
#[derive(Debug, Args)]
#[command(after_help = "A commit names an issue by its id in brackets: Mend the login (bd-a3f)")]
pub(super) struct Orphans {
    /// Close them, after a question
    #[arg(short, long)]
    fix: bool,
    /// Also the newest commit that names each
    #[arg(long)]
    details: bool,
    /// With all of these labels
    #[arg(short, long)]
    label: Vec<String>,
    /// With one of these labels
    #[arg(long)]
    label_any: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Orphan {
    issue_id: String,
    title: String,
    status: Status,
    latest_commit: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    latest_commit_message: String,
}

impl Orphans {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let found = self.find(bd).map_err(|refusal| refusal.within("unable to find orphaned issues"))?;
        if bd.json() {
            return if found.is_empty() { print_null() } else { print_list(&found) };
        }
        if found.is_empty() {
            out::line("✓ No orphaned issues found");
            return Ok(());
        }
        out::line(format!("\n⚠ Found {} orphaned issue(s):\n", found.len()));
        for (at, orphan) in found.iter().enumerate() {
            out::line(format!("{}. {}: {}", at + 1, orphan.issue_id, orphan.title));
            out::line(format!("   Status: {}", orphan.status));
            if self.details {
                out::line(format!(
                    "   Latest commit: {} - {}",
                    orphan.latest_commit, orphan.latest_commit_message
                ));
            }
        }
        if self.fix { fix(bd, &found) } else { Ok(()) }
    }

    fn find(&self, bd: &Bd) -> Answer<Vec<Orphan>> {
        let Some(log) = log(bd)? else { return Ok(Vec::new()) };
        let mut open = self.open(bd)?;
        let prefix = match bd.workspace.config().said("issue-prefix") {
            Some((prefix, _)) if !prefix.is_empty() => prefix,
            _ => Rules::load(&*bd.reader()?)?.prefixes.own,
        };
        let prefix = if prefix.is_empty() { "bd" } else { &prefix };
        let named = Regex::new(&format!(r"\(({}-[a-z0-9.]+)\)", regex::escape(prefix)));
        let named = named.map_err(|error| Refusal::new(error.to_string()))?;
        let mut found = BTreeMap::new();
        for line in log.lines() {
            for id in named.captures_iter(line).filter_map(|groups| groups.get(1)) {
                // The newest commit comes first; the issue is gone from among the open ones then.
                let Some(issue) = open.remove(id.as_str()) else { continue };
                let (commit, message) = line.split_once(' ').unwrap_or((line, ""));
                let orphan = Orphan {
                    issue_id: issue.id.clone(),
                    title: issue.title,
                    status: issue.status,
                    latest_commit: commit.to_owned(),
                    latest_commit_message: message.to_owned(),
                };
                found.insert(issue.id, orphan);
            }
        }
        Ok(found.into_values().collect())
    }

    fn open(&self, bd: &Bd) -> Answer<BTreeMap<String, Issue>> {
        let (all, any) = (picks::labels(&self.label), picks::labels(&self.label_any));
        let reader = bd.reader()?;
        let mut open = BTreeMap::new();
        let with = With { labels: true, brief: true, ..With::NOTHING };
        for family in Family::BOTH {
            for issue in load::issues(&*reader, family, By::All, with)? {
                let is_open = matches!(issue.status, Status::Open | Status::InProgress);
                let has = |label: &String| issue.labels.contains(label);
                if is_open && all.iter().all(has) && (any.is_empty() || any.iter().any(has)) {
                    open.insert(issue.id.clone(), issue);
                }
            }
        }
        Ok(open)
    }
}

// A line for each commit, the newest first. None: this is no repository of git.
fn log(bd: &Bd) -> Answer<Option<String>> {
    let dir = match &bd.global.directory {
        Some(dir) => bd.workspace.cwd().join(dir),
        None => bd.workspace.cwd().to_owned(),
    };
    let git = |words: &[&str]| -> Answer<Result<String, String>> {
        let ran = programs::output(bd.workspace.env(), "git", words, &dir, LIMIT);
        Ok(programs::printed(&ran.map_err(|error| Refusal::new(error.to_string()))?))
    };
    if git(&["rev-parse", "--git-dir"])?.is_err() {
        return Ok(None);
    }
    let log = git(&["log", "--oneline", "--no-decorate", "--all"])?;
    log.map(Some).map_err(|said| Refusal::new(format!("reading git log: {said}")))
}

fn fix(bd: &Bd, found: &[Orphan]) -> Answer {
    let question = format!("\nThis will close {} orphaned issue(s). Continue? (Y/n): ", found.len());
    out::raw(&question);
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.map_err(|error| Refusal::new(format!("the answer could not be read: {error}")))?;
    if !["", "y", "yes"].contains(&answer.trim().to_lowercase().as_str()) {
        out::line("Canceled.");
        return Ok(());
    }
    let mut closed = 0;
    for orphan in found {
        match Close::one(bd, &orphan.issue_id, "Implemented") {
            Ok(()) => {
                out::line(format!("✓ Closed {}", orphan.issue_id));
                closed += 1;
            }
            Err(refusal) => out::note(format!("Error closing {}: {}", orphan.issue_id, refusal.text())),
        }
    }
    out::line(format!("\nClosed {closed} issue(s)"));
    Ok(())
}
