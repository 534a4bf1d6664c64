//! An issue as a line, or as a few: what `list`, `ready`, `search` and `query` print for people (bd 1.1.0
//! `cmd/bd/list_format.go`). Nothing here is coloured. Scripts match on these lines, so a blank more is a fault.

use std::fmt::Write;

use beads::{Issue, IssueType, Status};

use super::answer::{Answer, Refusal};
use super::text::icon;
use crate::cli::out;

/// Text that is printed at once.
#[derive(Debug, Default)]
pub(super) struct Page(String);

impl Page {
    /// Adds a line.
    pub(super) fn line(&mut self, text: impl std::fmt::Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{text}");
    }

    /// Prints everything.
    pub(super) fn print(self) -> Answer {
        match out::data(self.0.as_bytes()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(Refusal::plain(format!("the output could not be written: {error}")))
            }
            _ => Ok(()),
        }
    }
}

/// `[a b]`, as Go prints a list.
pub(super) fn go_list<S: AsRef<str>>(words: &[S]) -> String {
    format!("[{}]", words.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(" "))
}

/// A line of a tree: sign, id, priority, a badge for epics and bugs, title. Closed ones have their type instead.
pub(super) fn pretty(issue: &Issue) -> String {
    let badge = match issue.issue_type {
        IssueType::Epic => "[epic] ",
        IssueType::Bug => "[bug] ",
        _ => "",
    };
    let (sign, id, priority, title) = (icon(&issue.status), &issue.id, issue.priority, &issue.title);
    if issue.status == Status::Closed {
        return format!("{sign} {id} ● P{priority} {} {title}", issue.issue_type);
    }
    format!("{sign} {id} ● P{priority} {badge}{title}")
}

/// What an issue waits for, what waits for it, and its parent.
#[derive(Debug, Clone, Default)]
pub(super) struct Around {
    /// Targets of its `blocks` edges that are not closed.
    pub(super) blocked_by: Vec<String>,
    /// Where `blocks` edges to it begin.
    pub(super) blocks: Vec<String>,
    /// Its parent, if that is not closed.
    pub(super) parent: Option<String>,
}

impl Around {
    fn text(&self) -> String {
        let mut parts = Vec::new();
        if let Some(parent) = &self.parent {
            parts.push(format!("parent: {parent}"));
        }
        if !self.blocked_by.is_empty() {
            parts.push(format!("blocked by: {}", self.blocked_by.join(", ")));
        }
        if !self.blocks.is_empty() {
            parts.push(format!("blocks: {}", self.blocks.join(", ")));
        }
        if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
    }
}

fn pin(issue: &Issue) -> &'static str {
    if issue.pinned { "📌 " } else { "" }
}

fn at_and_labels(issue: &Issue, labels: bool) -> String {
    let mut text = String::new();
    if !issue.assignee.is_empty() {
        text = format!(" @{}", issue.assignee);
    }
    if labels && !issue.labels.is_empty() {
        text = format!("{text} {}", go_list(&issue.labels));
    }
    text
}

fn priority(issue: &Issue) -> String {
    // Closed ones have no sign.
    let sign = if issue.status == Status::Closed { "" } else { "● " };
    format!("{sign}P{}", issue.priority)
}

/// A line of a flat list.
pub(super) fn flat(issue: &Issue, around: &Around, labels: bool) -> String {
    let is_waiting = issue.status == Status::Open && !around.blocked_by.is_empty();
    let sign = if is_waiting { icon(&Status::Blocked) } else { icon(&issue.status) };
    format!(
        "{sign} {}{} [{}] [{}]{} - {}{}",
        pin(issue),
        issue.id,
        priority(issue),
        issue.issue_type,
        at_and_labels(issue, labels),
        issue.title,
        around.text()
    )
}

/// A line of `query`.
pub(super) fn queried(issue: &Issue) -> String {
    let (sign, id, kind) = (icon(&issue.status), &issue.id, &issue.issue_type);
    format!("{sign} {id} [{}] [{kind}]{} - {}", priority(issue), at_and_labels(issue, true), issue.title)
}

/// A line of `search`.
pub(super) fn searched(issue: &Issue) -> String {
    let Issue { id, priority, issue_type, status, title, .. } = issue;
    format!("{id} [P{priority}] [{issue_type}] {status}{} - {title}", at_and_labels(issue, true))
}

/// Some lines of `search --long` and `query --long`.
pub(super) fn searched_long(page: &mut Page, issue: &Issue) {
    page.line(format_args!("{} [P{}] [{}] {}", issue.id, issue.priority, issue.issue_type, issue.status));
    page.line(format_args!("  {}", issue.title));
    if !issue.assignee.is_empty() {
        page.line(format_args!("  Assignee: {}", issue.assignee));
    }
    if !issue.labels.is_empty() {
        page.line(format_args!("  Labels: {}", go_list(&issue.labels)));
    }
    page.line("");
}

/// Some lines of `list --long`.
pub(super) fn long(page: &mut Page, issue: &Issue, labels: bool) {
    let head =
        format!("{}{} [{}] [{}] {}", pin(issue), issue.id, priority(issue), issue.issue_type, issue.status);
    page.line(head);
    page.line(format_args!("  {}", issue.title));
    if !issue.assignee.is_empty() {
        page.line(format_args!("  Assignee: {}", issue.assignee));
    }
    let description = issue.description.trim();
    if !description.is_empty() {
        page.line("  Description:");
        for line in description.split('\n') {
            page.line(format_args!("    {line}"));
        }
    }
    if !labels {
        page.line("  Labels: (suppressed by --skip-labels)");
    } else if !issue.labels.is_empty() {
        page.line(format_args!("  Labels: {}", go_list(&issue.labels)));
    }
    if let Some(metadata) = issue.metadata.as_ref().map(|m| m.as_str().trim()).filter(|m| *m != "null") {
        let keys = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(metadata);
        match keys.map(|keys| keys.len()) {
            Ok(0) if metadata == "{}" => {}
            Ok(0) | Err(_) => page.line("  Metadata: set"),
            Ok(n) => page.line(format_args!("  Metadata: {n} keys")),
        }
    }
    page.line("");
}
