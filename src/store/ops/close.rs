//! `close` and `reopen`: the row, the event, and the flags of whoever waited (bd 1.1.0 `issueops/close.go`, `reopen.go`).

use beads::change::{self, Event, check_close};
use beads::{Issue, Status};

use super::work::{Told, Work, as_event_value};
use crate::store::StoreError;
use crate::store::issue_row;
use crate::store::load::With;
use crate::store::neighbourhood::{Seeds, around};
use crate::store::reader::of_text;

/// How to close.
#[derive(Debug, Clone, Default)]
pub struct Close<'a> {
    /// Why.
    pub reason: &'a str,
    /// In which session.
    pub session: &'a str,
    /// Guards are not asked.
    pub force: bool,
    /// What a look at a gate's condition has found.
    pub unsatisfied: Option<&'a str>,
}

/// What became of it.
#[derive(Debug, Clone)]
pub struct Closed {
    /// The issue afterwards.
    pub issue: Issue,
    /// It was closed before; nothing has changed.
    pub was_closed: bool,
}

/// Closes one issue.
pub fn close(work: &mut Work<'_>, id: &str, how: &Close<'_>) -> Result<Closed, StoreError> {
    let (before, family) = work.issue(id)?;
    let seeds = Seeds { issues: vec![id.to_owned()], ..Seeds::default() };
    let mut graph = around(work.reader, &seeds)?;
    check_close(&before, &graph, how.force, how.unsatisfied)?;
    let mut issue = before.clone();
    if !change::close(&mut issue, how.reason, how.session, work.act.now) {
        return Ok(Closed { issue, was_closed: true });
    }
    let mut values = issue_row::differences(&before, &issue);
    values.push(("closed_by_session", of_text(how.session)));
    values.push(("updated_at", crate::store::reader::of_time(work.act.now)));
    work.changes.update(family.rows(), vec![("id", of_text(id))], once(values));
    work.event(family, id, Event::Closed, Told::Values("", how.reason));
    let flips = graph.set_status(id, &issue.status);
    work.flip(&flips)?;
    Ok(Closed { issue, was_closed: false })
}

/// What became of it.
#[derive(Debug, Clone)]
pub struct Reopened {
    /// The issue afterwards.
    pub issue: Issue,
    /// It was open; nothing has changed.
    pub was_open: bool,
}

/// Opens an issue that is in another state.
pub fn reopen(work: &mut Work<'_>, id: &str, reason: &str) -> Result<Reopened, StoreError> {
    let (before, family) = work.issue_with(id, With { labels: true, ..With::NOTHING })?;
    let mut issue = before.clone();
    if !change::reopen(&mut issue, work.act.now) {
        return Ok(Reopened { issue, was_open: true });
    }
    let seeds = Seeds { issues: vec![id.to_owned()], ..Seeds::default() };
    let mut graph = around(work.reader, &seeds)?;
    let mut values = issue_row::differences(&before, &issue);
    values.push(("closed_by_session", of_text("")));
    values.push(("updated_at", crate::store::reader::of_time(work.act.now)));
    work.changes.update(family.rows(), vec![("id", of_text(id))], once(values));
    let told = r#"{"defer_until":null,"status":"open"}"#;
    let event = if before.status == Status::Closed { Event::Reopened } else { Event::StatusChanged };
    work.event(family, id, event, Told::Values(&as_event_value(&before)?, told));
    if !reason.is_empty() {
        work.event(family, id, Event::Commented, Told::Comment(reason));
    }
    let flips = graph.set_status(id, &issue.status);
    work.flip(&flips)?;
    Ok(Reopened { issue, was_open: false })
}

// The last of two values for one column.
fn once(values: crate::store::change::Values) -> crate::store::change::Values {
    let mut kept: crate::store::change::Values = Vec::with_capacity(values.len());
    for (name, value) in values {
        kept.retain(|(other, _)| *other != name);
        kept.push((name, value));
    }
    kept
}
