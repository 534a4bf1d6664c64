//! `bd history`, `bd diff`, `bd vc diff`: what Dolt's commits tell about issues.
//!
//! A history has an entry for every commit that has the issue, changed or not, as bd's has. A revision goes into SQL only if
//! the database is on another machine, and what bd would not take as one is refused in any case.

use beads::Issue;
use clap::Args;
use serde::Serialize;

use super::answer::{Answer, Refusal, print_list, print_null};
use super::context::Bd;
use super::lines::Page;
use super::text::icon;
use crate::store::history::{self, Difference};

/// How an issue was, commit by commit
#[derive(Debug, Args)]
pub(super) struct History {
    /// Which one, by its whole id
    id: String,
    /// At most so many entries (0: all)
    #[arg(long, default_value_t = 0)]
    limit: usize,
}

/// What changed between two commits or branches
#[derive(Debug, Args)]
#[command(after_help = "Example: bd diff HEAD~1 HEAD")]
pub(super) struct Diff {
    /// A commit, a branch, HEAD, HEAD~2, WORKING
    #[arg(value_name = "FROM")]
    from: String,
    /// Another
    #[arg(value_name = "TO")]
    to: String,
}

/// An entry as bd spells it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<'a> {
    commit_hash: &'a str,
    committer: &'a str,
    commit_date: String,
    issue: &'a Issue,
}

/// The same of a difference.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Changed<'a> {
    #[serde(rename = "IssueID")]
    id: &'a str,
    diff_type: &'static str,
    old_value: &'a Option<Issue>,
    new_value: &'a Option<Issue>,
}

impl History {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let failed = |error| Refusal::from(error).within("failed to get history");
        let mut found = history::versions(&bd.store, &self.id).map_err(failed)?;
        let mut page = Page::default();
        if found.is_empty() {
            if bd.json() {
                return print_null();
            }
            page.line(format!("No history found for issue {}", self.id));
            return page.print();
        }
        if self.limit > 0 {
            found.truncate(self.limit);
        }
        if bd.json() {
            return print_list(found.iter().map(|version| Entry {
                commit_hash: &version.commit,
                committer: &version.committer,
                commit_date: version.date.to_string(),
                issue: &version.issue,
            }));
        }
        page.line(format!("\n📜 History for {} ({} entries)\n", self.id, found.len()));
        for version in &found {
            let (commit, issue) = (version.commit.get(..8).unwrap_or(&version.commit), &version.issue);
            page.line(format!("{commit} {}", version.date.strftime("%Y-%m-%d %H:%M:%S")));
            page.line(format!("  Author: {}", version.committer));
            page.line(format!(
                "  {} {}: {} [P{} - {}]\n",
                icon(&issue.status),
                issue.id,
                issue.title,
                issue.priority,
                issue.status
            ));
        }
        page.print()
    }
}

/// What bd takes as a revision, and what Dolt takes besides; else what is wrong with it.
pub(super) fn problem_of(revision: &str) -> Option<String> {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || "_./-~^".contains(c);
    if revision.is_empty() {
        Some("ref cannot be empty".to_owned())
    } else if revision.len() > 128 {
        Some("ref too long".to_owned())
    } else if !revision.chars().all(is_fine) {
        Some(format!("invalid ref format: {revision}"))
    } else {
        None
    }
}

fn check(which: &str, revision: &str) -> Answer {
    let refused = |problem| Refusal::new(format!("failed to get diff: invalid {which}: {problem}"));
    problem_of(revision).map_or(Ok(()), |problem| Err(refused(problem)))
}

impl Diff {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        check("fromRef", &self.from)?;
        check("toRef", &self.to)?;
        let failed = |error| Refusal::from(error).within("failed to get diff: failed to get diff");
        let found = history::differences(&bd.store, &self.from, &self.to).map_err(failed)?;
        if bd.json() {
            return print_list(found.iter().map(changed));
        }
        let mut page = Page::default();
        if found.is_empty() {
            page.line(format!("No changes between {} and {}", self.from, self.to));
            return page.print();
        }
        page.line(format!(
            "\n📊 Changes from {} to {} ({} issues affected)\n",
            self.from,
            self.to,
            found.len()
        ));
        for (sign, title) in [("+", "Added"), ("~", "Modified"), ("-", "Removed")] {
            let lines: Vec<String> = found.iter().filter_map(|difference| line(difference, sign)).collect();
            if !lines.is_empty() {
                page.line(format!("{sign} {title} ({}):", lines.len()));
                for line in lines {
                    page.line(line);
                }
                page.line("");
            }
        }
        page.print()
    }
}

fn changed(difference: &Difference) -> Changed<'_> {
    let (old_value, new_value) = (&difference.before, &difference.after);
    let diff_type = match (old_value, new_value) {
        (None, _) => "added",
        (_, None) => "removed",
        _ => "modified",
    };
    let id = new_value.as_ref().or(old_value.as_ref()).map_or("", |issue| &issue.id);
    Changed { id, diff_type, old_value, new_value }
}

// The line of a difference, if it is of this kind.
fn line(difference: &Difference, sign: &str) -> Option<String> {
    match (&difference.before, &difference.after, sign) {
        (None, Some(issue), "+") | (Some(issue), None, "-") => {
            Some(format!("  {sign} {}: {}", issue.id, issue.title))
        }
        (Some(old), Some(new), "~") => {
            let mut changes = Vec::new();
            if old.title != new.title {
                changes.push("title".to_owned());
            }
            if old.status != new.status {
                changes.push(format!("status: {} -> {}", old.status, new.status));
            }
            if old.priority != new.priority {
                changes.push(format!("priority: P{} -> P{}", old.priority, new.priority));
            }
            if old.description != new.description {
                changes.push("description".to_owned());
            }
            let changes =
                if changes.is_empty() { String::new() } else { format!(" ({})", changes.join(", ")) };
            Some(format!("  ~ {}{changes}", new.id))
        }
        _ => None,
    }
}
