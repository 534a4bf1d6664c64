//! What a store refuses to insert, in bd's words and in bd's order, so that the first refusal is the same.

use jiff::{Span, Timestamp};

use super::{Issue, IssueType, MetadataError, Status};
use crate::content_hash;
use crate::text::lower;
use crate::text::quoted;

/// Words that a store allows beyond the built-in ones.
#[derive(Debug, Clone, Default)]
pub struct Allowed {
    /// Names from `status.custom`.
    pub statuses: Vec<String>,
    /// Names from `types.custom`.
    pub types: Vec<String>,
}

impl Allowed {
    /// Whether a status may be stored (bd `Status.IsValidWithCustom`).
    pub fn status(&self, status: &Status) -> bool {
        status.is_built_in() || self.statuses.iter().any(|name| name == status.as_str())
    }

    /// Whether a type may be stored (bd `IssueType.IsValidWithCustom`).
    pub fn issue_type(&self, issue_type: &IssueType) -> bool {
        issue_type.is_built_in() || self.types.iter().any(|name| name == issue_type.as_str())
    }
}

/// Why an issue is not stored; the words are bd's (`Issue.ValidateWithCustom`, `validation/bead.go`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIssue {
    /// No title.
    #[error("title is required")]
    NoTitle,
    /// bd says characters and counts bytes.
    #[error("title must be 500 characters or less (got {0})")]
    LongTitle(usize),
    /// Not 0 to 4.
    #[error("priority must be between 0 and 4 (got {0})")]
    Priority(i64),
    /// Neither built in nor registered.
    #[error("invalid status: {0}")]
    Status(String),
    /// Neither built in nor registered.
    #[error("invalid issue type: {0}")]
    Type(String),
    /// Below zero.
    #[error("estimated_minutes cannot be negative")]
    NegativeEstimate,
    /// Closed without a time.
    #[error("closed issues must have closed_at timestamp")]
    ClosedWithoutTime,
    /// A time without being closed.
    #[error("non-closed issues cannot have closed_at timestamp")]
    TimeWithoutClosed,
    /// No JSON.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// Both flags.
    #[error("ephemeral and no_history are mutually exclusive")]
    EphemeralWithoutHistory,
    /// A priority that is no number from 0 to 4.
    #[error("invalid priority {} (expected 0-4 or P0-P4, not words like high/medium/low)", quoted(.0))]
    PriorityWord(String),
}

/// A priority from the command line: `0` to `4`, or with a `P` in front in either case. As with bd, what follows the number
/// does not matter (`validation/bead.go`: `ValidatePriority`).
pub fn parse_priority(text: &str) -> Result<i64, InvalidIssue> {
    let trimmed = text.trim();
    let digits = trimmed.strip_prefix(['P', 'p']).unwrap_or(trimmed).trim_start();
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let number = digits.get(..end).and_then(|digits| digits.parse().ok());
    number
        .filter(|number| (0..=4).contains(number))
        .ok_or_else(|| InvalidIssue::PriorityWord(text.to_owned()))
}

/// Whether a title begins as those of tests do (bd 1.1.0 `isTestIssue`): with such a word, in any case, and a break behind it.
pub fn is_test_title(title: &str) -> bool {
    const WORDS: [&str; 7] = ["test", "benchmark", "sample", "tmp", "temp", "debug", "dummy"];
    let title = lower(title);
    let is_break = |c: char| matches!(c, '-' | '_' | ' ' | '\t' | '\n' | '\x0c' | '\r');
    WORDS.iter().any(|word| title.strip_prefix(word).is_some_and(|rest| rest.starts_with(is_break)))
}

impl Issue {
    /// Whether the fields go together. The first refusal is bd's first.
    pub fn validate(&self, allowed: &Allowed) -> Result<(), InvalidIssue> {
        if self.title.is_empty() {
            return Err(InvalidIssue::NoTitle);
        }
        if self.title.len() > 500 {
            return Err(InvalidIssue::LongTitle(self.title.len()));
        }
        if !(0..=4).contains(&self.priority) {
            return Err(InvalidIssue::Priority(self.priority));
        }
        if !allowed.status(&self.status) {
            return Err(InvalidIssue::Status(self.status.to_string()));
        }
        if !allowed.issue_type(&self.issue_type) {
            return Err(InvalidIssue::Type(self.issue_type.to_string()));
        }
        if self.estimated_minutes.is_some_and(|minutes| minutes < 0) {
            return Err(InvalidIssue::NegativeEstimate);
        }
        match (self.status == Status::Closed, self.closed_at) {
            (true, None) => return Err(InvalidIssue::ClosedWithoutTime),
            (false, Some(_)) => return Err(InvalidIssue::TimeWithoutClosed),
            _ => {}
        }
        if self.ephemeral && self.no_history {
            return Err(InvalidIssue::EphemeralWithoutHistory);
        }
        Ok(())
    }

    /// Makes the issue fit for insertion: missing times are `now`, a closed one without a time was closed a second after its
    /// last change, the hash is computed if there is none (bd `PrepareIssueForInsert`). Then validates.
    pub fn prepare_for_insert(&mut self, allowed: &Allowed, now: Timestamp) -> Result<(), InvalidIssue> {
        let created = *self.created_at.get_or_insert(now);
        let updated = *self.updated_at.get_or_insert(now);
        if self.status == Status::Closed && self.closed_at.is_none() {
            let last = created.max(updated);
            self.closed_at = Some(last.checked_add(Span::new().seconds(1)).unwrap_or(last));
        }
        self.validate(allowed)?;
        if self.content_hash.is_empty() {
            self.content_hash = content_hash::of(self);
        }
        Ok(())
    }
}

/// A text that does not fit into its column. bd finds out from the database, whose words these are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("string '{text}' is too large for column '{column}'")]
pub struct TooWide {
    /// The column of `issues` and `wisps`.
    pub column: &'static str,
    /// The text.
    pub text: String,
}

/// Whether each text fits into its column, in the order of bd's insert. Widths count characters (schema v53).
pub fn check_widths(issue: &Issue) -> Result<(), TooWide> {
    let option = |text: &'_ Option<String>| text.clone().unwrap_or_default();
    let external = option(&issue.external_ref);
    let commit = option(&issue.compacted_at_commit);
    let columns: [(&'static str, &str, usize); 23] = [
        ("id", &issue.id, 255),
        ("content_hash", &issue.content_hash, 64),
        ("title", &issue.title, 500),
        ("status", issue.status.as_str(), 32),
        ("issue_type", issue.issue_type.as_str(), 32),
        ("assignee", &issue.assignee, 255),
        ("created_by", &issue.created_by, 255),
        ("owner", &issue.owner, 255),
        ("external_ref", &external, 255),
        ("spec_id", &issue.spec_id, 1024),
        ("compacted_at_commit", &commit, 64),
        ("sender", &issue.sender, 255),
        ("wisp_type", &issue.wisp_type, 32),
        ("mol_type", &issue.mol_type, 32),
        ("work_type", &issue.work_type, 32),
        ("source_system", &issue.source_system, 255),
        ("source_repo", &issue.source_repo, 512),
        ("event_kind", &issue.event_kind, 32),
        ("actor", &issue.actor, 255),
        ("target", &issue.target, 255),
        ("await_type", &issue.await_type, 32),
        ("await_id", &issue.await_id, 255),
        ("closed_by_session", &issue.closed_by_session, 255),
    ];
    match columns.into_iter().find(|(_, text, width)| text.len() > *width && text.chars().count() > *width) {
        Some((column, text, _)) => Err(TooWide { column, text: text.to_owned() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue() -> Issue {
        let mut issue = Issue { title: "t".into(), ..Issue::default() };
        issue.set_defaults();
        issue
    }

    #[test]
    fn the_first_refusal_is_bds() {
        let allowed = Allowed { statuses: vec!["mine".into()], types: vec!["convoy".into()] };
        let refusal = |change: &dyn Fn(&mut Issue)| {
            let mut issue = issue();
            change(&mut issue);
            issue.validate(&allowed).err().map(|e| e.to_string()).unwrap_or_default()
        };
        assert_eq!(refusal(&|_| {}), "");
        assert_eq!(refusal(&|i| i.title.clear()), "title is required");
        let long = "title must be 500 characters or less (got 502)";
        assert_eq!(refusal(&|i| i.title = "é".repeat(251)), long, "bytes are counted");
        assert_eq!(refusal(&|i| i.title = "é".repeat(250)), "");
        assert_eq!(refusal(&|i| i.priority = 5), "priority must be between 0 and 4 (got 5)");
        assert_eq!(refusal(&|i| i.status = "weird".into()), "invalid status: weird");
        assert_eq!(refusal(&|i| i.status = "mine".into()), "");
        assert_eq!(refusal(&|i| i.issue_type = "rig".into()), "invalid issue type: rig");
        assert_eq!(refusal(&|i| i.issue_type = "convoy".into()), "");
        assert_eq!(refusal(&|i| i.issue_type = IssueType::Event), "");
        assert_eq!(refusal(&|i| i.estimated_minutes = Some(-1)), "estimated_minutes cannot be negative");
        assert_eq!(refusal(&|i| i.status = Status::Closed), "closed issues must have closed_at timestamp");
        let at = Some(Timestamp::UNIX_EPOCH);
        assert_eq!(refusal(&|i| i.closed_at = at), "non-closed issues cannot have closed_at timestamp");
        let both = "ephemeral and no_history are mutually exclusive";
        assert_eq!(refusal(&|i| (i.ephemeral, i.no_history) = (true, true)), both);
    }

    #[test]
    fn a_closed_line_without_a_time_was_closed_a_second_after_its_last_change() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let mut closed =
            Issue { status: Status::Closed, updated_at: Some(at("2026-01-02T03:04:05Z")), ..issue() };
        closed.prepare_for_insert(&Allowed::default(), at("2026-01-01T00:00:00Z")).unwrap();
        assert_eq!(closed.created_at, Some(at("2026-01-01T00:00:00Z")));
        assert_eq!(closed.closed_at, Some(at("2026-01-02T03:04:06Z")));
        assert_eq!(closed.content_hash, content_hash::of(&closed));
    }

    #[test]
    fn priorities_are_numbers() {
        for (text, expected) in [("0", 0), ("P4", 4), (" p1 ", 1), ("2x", 2), ("+3", 3)] {
            assert_eq!(parse_priority(text), Ok(expected), "{text}");
        }
        for text in ["", "5", "-1", "high", "PP1"] {
            assert!(parse_priority(text).is_err(), "{text}");
        }
        let refusal = r#"invalid priority "7" (expected 0-4 or P0-P4, not words like high/medium/low)"#;
        assert_eq!(parse_priority("7").unwrap_err().to_string(), refusal);
    }

    #[test]
    fn titles_of_tests_begin_with_a_word_and_a_break() {
        for title in ["test it", "Test-1", "TMP_x", "debug\tthis", "dummy ", "Sample issue"] {
            assert!(is_test_title(title), "{title}");
        }
        for title in ["test", "Testing", "a test", " test it", "tests-1", "temp.", ""] {
            assert!(!is_test_title(title), "{title}");
        }
    }

    #[test]
    fn columns_count_characters() {
        let mut wide = Issue { assignee: "é".repeat(255), ..issue() };
        check_widths(&wide).unwrap();
        wide.assignee.push('x');
        let text = wide.assignee.clone();
        assert_eq!(check_widths(&wide), Err(TooWide { column: "assignee", text }));
    }
}
