//! `bd close` and `bd reopen`.

use clap::Args;

use super::answer::{Answer, Refusal, print_list};
use super::context::Bd;
use super::text::id_and_title;
use crate::cli::out;
use crate::store::load::{self, With};
use crate::store::ops::{self, Close as How};
use crate::store::{Outcome, StoreError, step};

/// Close issues
#[derive(Debug, Args)]
#[command(after_help = "Example: bd close bd-a1b --reason \"merged in #12\"")]
pub(super) struct Close {
    /// Which ones; without any, the one that was touched last
    ids: Vec<String>,
    /// Why; repeated: one for each issue
    #[arg(short, long)]
    reason: Vec<String>,
    #[arg(long, hide = true)]
    resolution: Option<String>,
    #[arg(short, long, hide = true)]
    message: Option<String>,
    #[arg(long, hide = true)]
    comment: Option<String>,
    /// Although it is pinned, blocked, or has open children
    #[arg(short, long)]
    force: bool,
    /// In which session
    #[arg(long)]
    session: Option<String>,
}

impl Close {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let given = bd.ids_or_last(&self.ids)?;
        let reasons = self.reasons();
        if reasons.len() > 1 && reasons.len() != given.len() {
            return Err(Refusal::new(format!(
                "got {} close reasons for {} issue IDs; provide exactly one shared reason or one reason per issue",
                reasons.len(),
                given.len()
            )));
        }
        let (act, session) = (bd.act(), self.session.clone().unwrap_or_default());
        let (closed, refused) = bd.write("close", |tx| {
            let mut ids = Vec::new();
            for id in &given {
                ids.push(Bd::resolve(tx.reader(), id).map_err(|error| match error {
                    StoreError::NotFound(_) => StoreError::Refused(format!("resolving ID {id}: {error}")),
                    error => error,
                })?);
            }
            let (mut closed, mut refused) = (Vec::new(), Vec::new());
            for (at, id) in ids.iter().enumerate() {
                let reason = reasons.get(at).or(reasons.first()).map_or("Closed", String::as_str);
                let how = How { reason, session: &session, force: self.force, unsatisfied: None };
                match step(tx, &act, |work| ops::close(work, id, &how)) {
                    Ok(_) => closed.push((id.clone(), reason.to_owned())),
                    Err(StoreError::NotClosed(refusal)) => refused.push(refusal.to_string()),
                    Err(error) => return Err(error),
                }
            }
            let ids: Vec<String> = closed.iter().map(|(id, _)| id.clone()).collect();
            let server = || format!("bd: close {}", ids.first().map_or("", String::as_str));
            let message =
                if ids.is_empty() { None } else { bd.message(|| bd.auto_commit("close", &ids), server) };
            Ok(Outcome { message, result: (closed, refused) })
        })?;
        for words in &refused {
            out::note(words);
        }
        let reader = bd.reader()?;
        let mut shown = Vec::new();
        for (id, reason) in &closed {
            let Some((issue, _)) = load::issue(&*reader, id, With { labels: true, ..With::NOTHING })? else {
                continue;
            };
            if !bd.json() {
                out::line(format!("✓ Closed {}: {reason}", id_and_title(id, &issue.title)));
            }
            shown.push(issue);
        }
        if closed.is_empty() {
            return Err(Refusal::silent());
        }
        if bd.json() { print_list(&shown) } else { Ok(()) }
    }

    fn reasons(&self) -> Vec<String> {
        let given: Vec<String> = self.reason.iter().filter(|reason| !reason.is_empty()).cloned().collect();
        if !given.is_empty() {
            return given;
        }
        let others = [&self.resolution, &self.message, &self.comment];
        let other = others.into_iter().flatten().find(|reason| !reason.is_empty());
        other.map(|reason| vec![reason.clone()]).unwrap_or_default()
    }
}

/// Open closed issues again
#[derive(Debug, Args)]
pub(super) struct Reopen {
    /// Which ones
    #[arg(required = true)]
    ids: Vec<String>,
    /// Why
    #[arg(short, long, default_value = "")]
    reason: String,
}

impl Reopen {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let act = bd.act();
        let (opened, told) = bd.write("reopen", |tx| {
            let (mut opened, mut told) = (Vec::new(), Vec::new());
            for given in &self.ids {
                let id = match Bd::resolve(tx.reader(), given) {
                    Ok(id) => id,
                    Err(error @ StoreError::NotFound(_)) => {
                        told.push(format!("Error resolving {given}: {error}"));
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                let done = step(tx, &act, |work| ops::reopen(work, &id, &self.reason))?;
                if done.was_open {
                    told.push(format!("{id} is already open"));
                } else {
                    opened.push(id);
                }
            }
            let server = || format!("bd: reopen {}", opened.first().map_or("", String::as_str));
            let message = if opened.is_empty() {
                None
            } else {
                bd.message(|| bd.auto_commit("reopen", &opened), server)
            };
            Ok(Outcome { message, result: (opened, told) })
        })?;
        for words in &told {
            out::note(words);
        }
        let reader = bd.reader()?;
        let mut shown = Vec::new();
        for id in &opened {
            let Some((issue, _)) = load::issue(&*reader, id, With { labels: true, ..With::NOTHING })? else {
                continue;
            };
            if !bd.json() {
                let why = if self.reason.is_empty() { String::new() } else { format!(": {}", self.reason) };
                out::line(format!("↻ Reopened {id}{why}"));
            }
            shown.push(issue);
        }
        if bd.json() && !shown.is_empty() { print_list(&shown) } else { Ok(()) }
    }
}
