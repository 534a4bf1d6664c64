//! Edges with a meaning of their own: `link`, `duplicate`, `supersede`, `dep relate`, `dep unrelate`; and `epic close-eligible`.

use beads::{Edge, EdgeType, Status};
use clap::Args;
use serde_json::json;

use super::answer::{Answer, Refusal, print_list, print_object, print_raw};
use super::context::Bd;
use super::reports::{EpicState, epics};
use super::text::id_with_title;
use crate::cli::out;
use crate::store::load::{self, Rules, With};
use crate::store::ops::{self, Act, AddEdge, Close, Update};
use crate::store::view::View;
use crate::store::{Outcome, StoreError, Tx, step};

/// An issue depends on another
#[derive(Debug, Args)]
pub(super) struct Link {
    /// What waits
    pub(super) issue: String,
    /// For what
    depends_on: String,
    /// The kind of edge
    #[arg(short = 't', long = "type", default_value = "blocks")]
    kind: String,
}

/// Whether the second is above the first by its id.
pub(super) fn is_above(child: &str, parent: &str) -> bool {
    child.strip_prefix(parent).is_some_and(|rest| rest.starts_with('.'))
}

/// That the second is not above the first by its id: a child waits for those above it in any case.
pub(super) fn check_not_above(child: &str, parent: &str) -> Result<(), StoreError> {
    if !is_above(child, parent) {
        return Ok(());
    }
    Err(StoreError::Refused(format!(
        "cannot add dependency: {child} is already a child of {parent}. Children inherit dependency on parent completion via hierarchy. Adding an explicit dependency would create a deadlock"
    )))
}

fn add(tx: &mut dyn Tx, act: &Act, from: &str, to: &str, kind: &EdgeType) -> Result<(), StoreError> {
    let edge = AddEdge::of(Edge::new(from, to, kind.clone()));
    step(tx, act, |work| ops::add_edge(work, edge))
}

fn title(tx: &dyn Tx, id: &str) -> Result<String, StoreError> {
    Ok(load::issue(tx.reader(), id, With::NOTHING)?.map(|(issue, _)| issue.title).unwrap_or_default())
}

impl Link {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let kind = EdgeType::from(self.kind.as_str());
        let act = bd.act();
        let (from, to, titles) = bd.write("link", |tx| {
            let resolved = |given: &str| Bd::resolve_as(tx.reader(), "resolving issue ID", given);
            let (from, to) = (resolved(&self.issue)?, resolved(&self.depends_on)?);
            check_not_above(&from, &to)?;
            if !kind.is_valid() {
                return Err(StoreError::Refused(format!(
                    "invalid dependency type {:?}: must be non-empty and at most 50 characters",
                    self.kind
                )));
            }
            add(tx, &act, &from, &to, &kind)?;
            let titles = (title(tx, &from)?, title(tx, &to)?);
            let mut both = vec![from.clone(), to.clone()];
            both.sort();
            let server = || format!("dependency: add {kind} {from} -> {to}");
            let message = bd.message(|| bd.auto_commit("link", &both), server);
            Ok(Outcome { message, result: (from, to, titles) })
        })?;
        bd.touch(&from);
        if bd.json() {
            return print_object(&json!({
                "status": "added", "issue_id": from, "depends_on_id": to, "type": self.kind,
            }));
        }
        let (waits, awaited) = (id_with_title(&from, &titles.0), id_with_title(&to, &titles.1));
        out::line(format!("✓ Linked: {waits} depends on {awaited} ({})", self.kind));
        Ok(())
    }
}

/// Close an issue that is the same as another
#[derive(Debug, Args)]
pub(super) struct Duplicate {
    /// The one to be closed
    issue: String,
    /// The one that stays
    #[arg(long)]
    of: String,
}

/// Close an issue that another stands in for
#[derive(Debug, Args)]
pub(super) struct Supersede {
    /// The one to be closed
    issue: String,
    /// The one that stands in for it
    #[arg(long)]
    with: String,
}

fn resolve(tx: &dyn Tx, given: &str) -> Result<String, StoreError> {
    Bd::resolve_as(tx.reader(), "failed to resolve", given)
}

// Leads one issue to another and closes it, as an update of its status.
fn replace(
    bd: &Bd,
    verb: &str,
    (issue, other): (&str, &str),
    (kind, same, link): (&EdgeType, &str, &str),
) -> Answer<(String, String)> {
    let act = bd.act();
    let written = bd.write(verb, |tx| {
        let (from, to) = (resolve(tx, issue)?, resolve(tx, other)?);
        if from == to {
            return Err(StoreError::Refused(same.to_owned()));
        }
        add(tx, &act, &from, &to, kind)
            .map_err(|error| StoreError::Refused(format!("failed to add {link} link: {error}")))?;
        let rules = Rules::load(tx.reader())?;
        let closed = Update { status: Some(Status::Closed), ..Update::default() };
        step(tx, &act, |work| ops::update(work, &rules, &from, &closed))?;
        let server = || format!("bd: update {from}");
        let message = bd.message(|| bd.auto_commit(verb, &[]), server);
        Ok(Outcome { message, result: (from, to) })
    });
    // These two tell it as text in any case.
    written.map_err(Refusal::into_plain)
}

impl Duplicate {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let same = "cannot mark an issue as duplicate of itself";
        let (issue, of) =
            replace(bd, "duplicate", (&self.issue, &self.of), (&EdgeType::Duplicates, same, "duplicate"))?;
        if bd.json() {
            return print_object(&json!({ "duplicate": issue, "canonical": of, "status": "closed" }));
        }
        out::line(format!("✓ Marked {issue} as duplicate of {of} (closed)"));
        Ok(())
    }
}

impl Supersede {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let same = "cannot mark an issue as superseded by itself";
        let (issue, by) =
            replace(bd, "supersede", (&self.issue, &self.with), (&EdgeType::Supersedes, same, "supersede"))?;
        if bd.json() {
            return print_object(&json!({ "superseded": issue, "replacement": by, "status": "closed" }));
        }
        out::line(format!("✓ Marked {issue} as superseded by {by} (closed)"));
        Ok(())
    }
}

/// Two issues have to do with each other
#[derive(Debug, Args)]
pub(super) struct Relate {
    /// One
    first: String,
    /// The other
    second: String,
}

impl Relate {
    /// Says that they do, or that they do not any more.
    pub(super) fn run(self, bd: &Bd, relate: bool) -> Answer {
        let act = bd.act();
        let verb = if relate { "relate" } else { "unrelate" };
        let written = bd.write(verb, |tx| {
            let (first, second) = (resolve(tx, &self.first)?, resolve(tx, &self.second)?);
            if relate && first == second {
                return Err(StoreError::Refused("cannot relate an issue to itself".to_owned()));
            }
            for (from, to) in [(&first, &second), (&second, &first)] {
                if relate {
                    add(tx, &act, from, to, &EdgeType::RelatesTo).map_err(|error| {
                        StoreError::Refused(format!("failed to add relates-to {from} -> {to}: {error}"))
                    })?;
                } else {
                    step(tx, &act, |work| ops::remove_edge(work, from, to))?;
                }
            }
            let server = || {
                let what = if relate { "add relates-to" } else { "remove" };
                format!("dependency: {what} {second} -> {first}")
            };
            let message = bd.message(|| bd.auto_commit(&format!("dep {verb}"), &[]), server);
            Ok(Outcome { message, result: (first, second) })
        });
        let (first, second) = written.map_err(Refusal::into_plain)?;
        if bd.json() {
            // Without a version, as in bd.
            #[derive(serde::Serialize)]
            struct Told {
                id1: String,
                id2: String,
                #[serde(skip_serializing_if = "Option::is_none")]
                related: Option<bool>,
                #[serde(skip_serializing_if = "Option::is_none")]
                unrelated: Option<bool>,
            }
            let (related, unrelated) = (relate.then_some(true), (!relate).then_some(true));
            return print_raw(&Told { id1: first, id2: second, related, unrelated });
        }
        out::line(format!("✓ {} {first} ↔ {second}", if relate { "Linked" } else { "Unlinked" }));
        Ok(())
    }
}

/// Close epics whose children are all closed
#[derive(Debug, Args)]
pub(super) struct CloseEligible {
    /// Only show which
    #[arg(long)]
    dry_run: bool,
}

impl CloseEligible {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let eligible = |view: &View| -> Vec<EpicState> {
            epics(view).into_iter().filter(|state| state.eligible_for_close).collect()
        };
        if self.dry_run {
            let found = eligible(&View::load(&*bd.reader()?, true)?);
            if bd.json() {
                return print_list(&found);
            }
            if found.is_empty() {
                out::line("No epics eligible for closure");
            } else {
                out::line(format!("Would close {} epic(s):", found.len()));
            }
            for state in found {
                out::line(format!("  - {}: {}", state.epic.id, state.epic.title));
            }
            return Ok(());
        }
        // bd does this in the name of the system.
        let act = Act { actor: "system".to_owned(), ..bd.act() };
        let closed = bd.write("epic close-eligible", |tx| {
            let mut ids = Vec::new();
            for state in eligible(&View::load(tx.reader(), true)?) {
                let how = Close { reason: "All children completed", force: true, ..Close::default() };
                step(tx, &act, |work| ops::close(work, &state.epic.id, &how))?;
                ids.push(state.epic.id);
            }
            let server = || format!("bd: close {}", ids.first().map_or("", String::as_str));
            let message = if ids.is_empty() {
                None
            } else {
                bd.message(|| bd.auto_commit("close-eligible", &[]), server)
            };
            Ok(Outcome { message, result: ids })
        })?;
        if closed.is_empty() {
            if bd.json() {
                return print_list([(); 0]);
            }
            out::line("No epics eligible for closure");
            return Ok(());
        }
        if bd.json() {
            return print_object(&json!({ "closed": closed, "count": closed.len() }));
        }
        out::line(format!("✓ Closed {} epic(s)", closed.len()));
        for id in closed {
            out::line(format!("  - {id}"));
        }
        Ok(())
    }
}
