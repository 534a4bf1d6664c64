//! What a command does to one issue besides the fields it names: dates that follow the status, refusals, and the event that is
//! recorded. The blocked flags that follow are the graph's matter ([`crate::Graph::set_status`]).

use jiff::Timestamp;

use crate::graph::Graph;
use crate::issue::{Issue, IssueType, Status};

/// What a row of `events` is about (bd `EventType`, and the `claimed` that is no constant there).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// The issue was made.
    Created,
    /// Fields were changed, the status was not named.
    Updated,
    /// The status was named.
    StatusChanged,
    /// It was taken.
    Claimed,
    /// It was closed.
    Closed,
    /// It was closed and is not any more.
    Reopened,
    /// A reason was given for that.
    Commented,
    /// A label came.
    LabelAdded,
    /// A label went.
    LabelRemoved,
    /// Its texts were shortened.
    Compacted,
    /// It got another id.
    Renamed,
}

impl Event {
    /// The word of `event_type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::StatusChanged => "status_changed",
            Self::Claimed => "claimed",
            Self::Closed => "closed",
            Self::Reopened => "reopened",
            Self::Commented => "commented",
            Self::LabelAdded => "label_added",
            Self::LabelRemoved => "label_removed",
            Self::Compacted => "compacted",
            Self::Renamed => "renamed",
        }
    }

    /// The event of an update that names this status, or none (bd `DetermineEventType`).
    pub fn of_update(old: &Status, new: Option<&Status>) -> Self {
        match new {
            None => Self::Updated,
            Some(Status::Closed) => Self::Closed,
            Some(_) if *old == Status::Closed => Self::Reopened,
            Some(_) => Self::StatusChanged,
        }
    }
}

/// Sets the status as an update does: closing sets `closed_at`, also when it was closed already; leaving closed clears it and the
/// reason; the first time in progress sets `started_at`; any status but pinned clears the flag (bd `updateIssueInTx`).
pub fn set_status(issue: &mut Issue, status: Status, now: Timestamp) {
    if status == Status::Closed {
        issue.closed_at = Some(now);
    } else if issue.status == Status::Closed {
        issue.closed_at = None;
        issue.close_reason.clear();
    }
    if status == Status::InProgress {
        issue.started_at.get_or_insert(now);
    }
    issue.pinned &= status == Status::Pinned;
    issue.status = status;
    issue.updated_at = Some(now);
}

/// Closes an issue; false if it was closed, which leaves it as it is (bd 1.1.0 `CloseIssueInTx`).
pub fn close(issue: &mut Issue, reason: &str, session: &str, now: Timestamp) -> bool {
    if issue.status == Status::Closed {
        return false;
    }
    issue.status = Status::Closed;
    (issue.closed_at, issue.updated_at) = (Some(now), Some(now));
    reason.clone_into(&mut issue.close_reason);
    session.clone_into(&mut issue.closed_by_session);
    true
}

/// Opens an issue in whatever state, and takes off its date to be put off until; false if it was open (bd `reopenCmd` and
/// `ReopenIssue` of its stores).
pub fn reopen(issue: &mut Issue, now: Timestamp) -> bool {
    if issue.status == Status::Open {
        return false;
    }
    issue.status = Status::Open;
    (issue.closed_at, issue.defer_until, issue.updated_at) = (None, None, Some(now));
    issue.close_reason.clear();
    issue.closed_by_session.clear();
    true
}

/// An issue that cannot be taken (bd `ErrAlreadyClaimed`, `ErrNotClaimable`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotClaimed {
    /// By somebody else.
    #[error("issue already claimed by {0}")]
    By(String),
    /// It is not open.
    #[error("issue not claimable: status {0}")]
    Status(Status),
}

/// Takes an issue for an actor; `Ok(false)` if it is the actor's and under way already (bd `ClaimIssueInTx`).
pub fn claim(issue: &mut Issue, actor: &str, now: Timestamp) -> Result<bool, NotClaimed> {
    let is_free = issue.assignee.is_empty() || issue.assignee == actor;
    if issue.status == Status::Open && is_free {
        set_status(issue, Status::InProgress, now);
        actor.clone_into(&mut issue.assignee);
        return Ok(true);
    }
    match &issue.status {
        Status::InProgress if issue.assignee == actor => Ok(false),
        _ if !is_free => Err(NotClaimed::By(issue.assignee.clone())),
        status => Err(NotClaimed::Status(status.clone())),
    }
}

/// Why an issue is not closed without `--force`; a template is not even with it (bd `cmd/bd/close.go`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotClosed {
    /// Read only.
    #[error("cannot modify template {0}: templates are read-only; use 'bd mol pour' to create a work item")]
    Template(String),
    /// Stays for ever.
    #[error("cannot modify pinned issue {0} (use --force to override)")]
    Pinned(String),
    /// An epic with children that are not closed.
    #[error(
        "cannot close epic {id}: {open} open child issue(s); close children first or use --force to override"
    )]
    Epic {
        /// The epic.
        id: String,
        /// How many.
        open: usize,
    },
    /// A gate whose condition was looked at and does not hold.
    #[error("cannot close {id}: gate condition not satisfied: {reason} (use --force to override)")]
    Gate {
        /// The gate.
        id: String,
        /// What was seen.
        reason: String,
    },
    /// It waits for others.
    #[error("cannot close {id}: blocked by open issues [{}] (use --force to override)", blockers.join(" "))]
    Blocked {
        /// The issue.
        id: String,
        /// For which.
        blockers: Vec<String>,
    },
}

/// Whether an issue may be closed, refusals in bd's order. `unsatisfied` is what a look at a gate's condition has found, which
/// only the caller can do; an issue that is blocked through its parent alone may be closed.
pub fn check_close(
    issue: &Issue,
    graph: &Graph,
    force: bool,
    unsatisfied: Option<&str>,
) -> Result<(), NotClosed> {
    let id = || issue.id.clone();
    if issue.is_template {
        return Err(NotClosed::Template(id()));
    }
    if force {
        return Ok(());
    }
    if issue.status == Status::Pinned {
        return Err(NotClosed::Pinned(id()));
    }
    let open = graph.unclosed_children(&issue.id);
    if issue.issue_type == IssueType::Epic && open > 0 {
        return Err(NotClosed::Epic { id: id(), open });
    }
    if let Some(reason) = unsatisfied.filter(|_| issue.issue_type == IssueType::Gate) {
        return Err(NotClosed::Gate { id: id(), reason: reason.to_owned() });
    }
    let blockers = graph.blockers(&issue.id);
    if !blockers.is_empty() {
        return Err(NotClosed::Blocked {
            id: id(),
            blockers: blockers.into_iter().map(str::to_owned).collect(),
        });
    }
    Ok(())
}

/// A text in which mentions of a deleted issue are marked: `[deleted:<id>]` wherever the id stands between characters that could
/// not belong to an id (bd `cmd/bd/delete.go`). As there, of two mentions with one character between them only the first is
/// marked.
pub fn mark_deleted(text: &str, id: &str) -> String {
    let can_be_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // The character in front, unless a mention has taken it.
    let mut before: Option<char> = None;
    let mut is_taken = false;
    while let Some(c) = rest.chars().next() {
        let begins = !is_taken && before.is_none_or(|c| !can_be_part(c));
        let after = rest.strip_prefix(id).filter(|_| begins && !id.is_empty());
        let next = after.map(|after| after.chars().next());
        if let (Some(after), Some(next)) = (after, next)
            && next.is_none_or(|next| !can_be_part(next))
        {
            out.push_str("[deleted:");
            out.push_str(id);
            out.push(']');
            out.extend(next);
            rest = after.strip_prefix(|_: char| true).unwrap_or_default();
            (before, is_taken) = (next, true);
            continue;
        }
        out.push(c);
        rest = rest.strip_prefix(c).unwrap_or_default();
        (before, is_taken) = (Some(c), false);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::{Edge, EdgeType};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn issue(id: &str) -> Issue {
        let mut issue = Issue { id: id.into(), title: "t".into(), ..Issue::default() };
        issue.set_defaults();
        issue
    }

    #[test]
    fn dates_follow_the_status() {
        let mut it = Issue { pinned: true, ..issue("x-a") };
        set_status(&mut it, Status::InProgress, at(1));
        assert_eq!((it.started_at, it.pinned), (Some(at(1)), false));
        set_status(&mut it, Status::Closed, at(2));
        it.close_reason = "done".into();
        assert_eq!(it.closed_at, Some(at(2)));
        set_status(&mut it, Status::InProgress, at(3));
        assert_eq!((it.started_at, it.closed_at, it.close_reason.as_str()), (Some(at(1)), None, ""));
        assert!(close(&mut it, "why", "s", at(4)) && !close(&mut it, "other", "", at(5)));
        assert_eq!((it.close_reason.as_str(), it.closed_at), ("why", Some(at(4))));
        it.defer_until = Some(at(9));
        assert!(reopen(&mut it, at(6)) && !reopen(&mut it, at(7)));
        assert_eq!((it.defer_until, it.updated_at, it.closed_by_session.as_str()), (None, Some(at(6)), ""));
    }

    #[test]
    fn events_name_what_happened_to_the_status() {
        let event = |old: Status, new: Option<Status>| Event::of_update(&old, new.as_ref()).as_str();
        assert_eq!(event(Status::Open, None), "updated");
        assert_eq!(event(Status::Closed, Some(Status::Closed)), "closed");
        assert_eq!(event(Status::Closed, Some(Status::Hooked)), "reopened");
        assert_eq!(event(Status::Open, Some(Status::Open)), "status_changed");
    }

    #[test]
    fn an_issue_is_taken_once() {
        let mut it = issue("x-a");
        assert_eq!(claim(&mut it, "me", at(1)), Ok(true));
        assert_eq!((it.status.clone(), it.started_at), (Status::InProgress, Some(at(1))));
        assert_eq!(claim(&mut it, "me", at(2)), Ok(false));
        assert_eq!(claim(&mut it, "you", at(2)).unwrap_err().to_string(), "issue already claimed by me");
        let mut closed = Issue { status: Status::Closed, ..issue("x-b") };
        assert_eq!(
            claim(&mut closed, "me", at(2)).unwrap_err().to_string(),
            "issue not claimable: status closed"
        );
    }

    #[test]
    fn refusals_to_close_have_bds_words() {
        let mut child = issue("x-c");
        child.dependencies =
            vec![Edge::new("x-c", "x-e", EdgeType::ParentChild), Edge::new("x-c", "x-g", EdgeType::Blocks)];
        let epic = Issue { issue_type: IssueType::Epic, ..issue("x-e") };
        let gate = Issue { issue_type: IssueType::Gate, ..issue("x-g") };
        let issues = [child, epic, gate];
        let graph = Graph::of(&issues);
        let refusal = |issue: &Issue, unsatisfied| {
            check_close(issue, &graph, false, unsatisfied).unwrap_err().to_string()
        };
        let [child, epic, gate] = &issues;
        let blocked = "cannot close x-c: blocked by open issues [x-g] (use --force to override)";
        assert_eq!(refusal(child, None), blocked);
        let epic_text =
            "cannot close epic x-e: 1 open child issue(s); close children first or use --force to override";
        assert_eq!(refusal(epic, None), epic_text);
        let gate_text = "cannot close x-g: gate condition not satisfied: waiting (use --force to override)";
        assert_eq!(refusal(gate, Some("waiting")), gate_text);
        let pinned = Issue { status: Status::Pinned, ..issue("x-p") };
        assert_eq!(refusal(&pinned, None), "cannot modify pinned issue x-p (use --force to override)");
        assert_eq!(check_close(child, &graph, true, None), Ok(()));
        let template = Issue { is_template: true, ..issue("x-t") };
        assert!(check_close(&template, &graph, true, None).is_err());
    }

    #[test]
    fn mentions_of_a_deleted_issue_are_marked() {
        for (text, marked) in [
            ("x-a", "[deleted:x-a]"),
            ("see x-a, and (x-a).", "see [deleted:x-a], and ([deleted:x-a])."),
            ("x-ab x-a-b yx-a x-a_ x-a.1", "x-ab x-a-b yx-a x-a_ [deleted:x-a].1"),
            ("x-a x-a x-a", "[deleted:x-a] x-a [deleted:x-a]"),
            ("éx-aé", "é[deleted:x-a]é"),
            ("", ""),
        ] {
            assert_eq!(mark_deleted(text, "x-a"), marked, "{text}");
        }
    }
}
