//! `bd merge-slot`: one issue that one agent holds at a time while it merges, and who waits for it (bd 1.1.0
//! `cmd/bd/merge_slot.go`). Holder and waiters are in the issue's document.
//!
//! What could go wrong is two holders; so looking and taking are one transaction, done again if the database has moved.

use beads::{Issue, IssueType, Status};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::answer::{Answer, Refusal, print_raw};
use super::context::Bd;
use crate::cli::out;
use crate::store::family::Family;
use crate::store::load::{self, Rules, With};
use crate::store::ops::{self, NewIssue, Update};
use crate::store::reader::Reader;
use crate::store::{Outcome, StoreError, Tx, step};

/// Who may merge
#[derive(Debug, Subcommand)]
pub(super) enum MergeSlot {
    /// Make the slot of this rig
    Create,
    /// Show who has it
    Check,
    Acquire(Acquire),
    Release(Release),
}

/// Take it
#[derive(Debug, Args)]
pub(super) struct Acquire {
    /// Who takes it (default: who acts)
    #[arg(long, default_value = "")]
    holder: String,
    /// Stand in line if somebody else has it
    #[arg(long)]
    wait: bool,
}

/// Give it back
#[derive(Debug, Args)]
pub(super) struct Release {
    /// Only if this one has it
    #[arg(long, default_value = "")]
    holder: String,
}

/// What the document of a slot says.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct State {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    holder: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    waiters: Vec<String>,
}

fn id_of(reader: &dyn Reader) -> Result<String, StoreError> {
    let prefix = load::config(reader, "issue_prefix")?.unwrap_or_else(|| "bd".to_owned());
    Ok(format!("{}-merge-slot", prefix.strip_suffix('-').unwrap_or(&prefix)))
}

fn find(reader: &dyn Reader) -> Result<(String, Option<(Issue, State)>), StoreError> {
    let id = id_of(reader)?;
    let found = load::issue(reader, &id, With::NOTHING)?.map(|(slot, _)| {
        let text = slot.metadata.as_ref().map_or("{}", |document| document.as_str());
        // A document that somebody else has put there says nothing about a holder.
        let state = serde_json::from_str(text).unwrap_or_default();
        (slot, state)
    });
    Ok((id, found))
}

fn put(tx: &mut dyn Tx, bd: &Bd, id: &str, state: &State, status: Option<Status>) -> Result<(), StoreError> {
    let rules = Rules::load(tx.reader())?;
    let document = Some(beads::go_json::line(state)?);
    let fields = Update { status, document, ..Update::default() };
    step(tx, &bd.act(), |work| ops::update(work, &rules, id, &fields))?;
    Ok(())
}

impl MergeSlot {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        match self {
            Self::Create => create(bd),
            Self::Check => check(bd),
            Self::Acquire(c) => c.run(bd),
            Self::Release(c) => c.run(bd),
        }
    }
}

fn create(bd: &Bd) -> Answer {
    let act = bd.act();
    let (id, status) = bd.write("merge-slot create", |tx| {
        let (id, found) = find(tx.reader())?;
        if let Some((slot, _)) = found {
            return Ok(Outcome { message: None, result: (id, slot.status) });
        }
        let issue = Issue {
            id: id.clone(),
            title: "Merge Slot".to_owned(),
            description: "Exclusive access slot for serialized conflict resolution in the merge queue."
                .to_owned(),
            issue_type: IssueType::Task,
            status: Status::Open,
            priority: 0,
            ..Issue::default()
        };
        let rules = Rules::load(tx.reader())?;
        let new = NewIssue { issue, ..NewIssue::default() };
        step(tx, &act, |work| ops::create(work, &rules, new))
            .map_err(|error| StoreError::Refused(format!("merge-slot create: {error}")))?;
        step(tx, &act, |work| ops::add_label(work, Family::Issues, &id, "gt:slot"))?;
        let message = bd.message(|| bd.auto_commit("create", &[]), || format!("bd: create {id}"));
        Ok(Outcome { message, result: (id, Status::Open) })
    })?;
    if bd.json() {
        return print_raw(&json!({ "id": id, "status": status }));
    }
    out::line(format!("✓ Created merge slot: {id}"));
    Ok(())
}

fn check(bd: &Bd) -> Answer {
    let (id, found) = find(&*bd.reader()?)?;
    let Some((slot, state)) = found else {
        if bd.json() {
            return print_raw(&json!({ "available": false, "error": "not found", "id": id }));
        }
        out::line(format!("Merge slot not found: {id}\nRun 'bd merge-slot create' to create one."));
        return Ok(());
    };
    let is_free = slot.status == Status::Open;
    if bd.json() {
        let holder = Some(&state.holder).filter(|holder| !holder.is_empty());
        let waiters = Some(&state.waiters).filter(|waiters| !waiters.is_empty());
        return print_raw(&json!({ "available": is_free, "holder": holder, "id": id, "waiters": waiters }));
    }
    if is_free {
        out::line(format!("✓ Merge slot available: {id}"));
        return Ok(());
    }
    out::line(format!("○ Merge slot held: {id}\n  Holder: {}", state.holder));
    if !state.waiters.is_empty() {
        out::line(format!("  Waiters: {}", state.waiters.len()));
        for (at, waiter) in state.waiters.iter().enumerate() {
            out::line(format!("    {}. {waiter}", at + 1));
        }
    }
    Ok(())
}

/// What came of trying to take it.
enum Taken {
    Yes,
    Held(String),
    InLine(String, usize),
}

impl Acquire {
    fn run(&self, bd: &Bd) -> Answer {
        let holder = if self.holder.is_empty() { &bd.actor } else { &self.holder };
        let (id, taken) = bd.write("merge-slot acquire", |tx| {
            let (id, found) = find(tx.reader())?;
            let (slot, mut state) = found.ok_or_else(|| {
                StoreError::Refused(format!("merge slot not found: {id} (run 'bd merge-slot create' first)"))
            })?;
            let words = || format!("bd: acquire merge slot {id} for {holder}");
            let message = bd.message(words, words);
            if slot.status == Status::Open {
                state.holder.clone_from(holder);
                put(tx, bd, &id, &state, Some(Status::InProgress))?;
                return Ok(Outcome { message, result: (id, Taken::Yes) });
            }
            let held_by = state.holder.clone();
            if !self.wait {
                return Ok(Outcome { message: None, result: (id, Taken::Held(held_by)) });
            }
            if !state.waiters.contains(holder) {
                state.waiters.push(holder.clone());
            }
            put(tx, bd, &id, &state, None)?;
            Ok(Outcome { message, result: (id, Taken::InLine(held_by, state.waiters.len())) })
        })?;
        match taken {
            Taken::Yes if bd.json() => print_raw(&json!({ "acquired": true, "holder": holder, "id": id })),
            Taken::Yes => {
                out::line(format!("✓ Acquired merge slot: {id}\n  Holder: {holder}"));
                Ok(())
            }
            Taken::Held(by) if bd.json() => {
                print_raw(&json!({ "acquired": false, "holder": by, "id": id }))?;
                Err(Refusal::silent())
            }
            Taken::Held(by) => Err(Refusal::plain(format!("slot held by: {by}"))
                .hint("Use --wait to add yourself to the waiters queue.")),
            Taken::InLine(by, position) => {
                if bd.json() {
                    print_raw(&json!({
                        "acquired": false, "holder": by, "id": id, "position": position, "waiting": true,
                    }))?;
                } else {
                    out::line(format!("○ Slot held by {by}, added to waiters queue (position {position})"));
                }
                Err(Refusal::silent())
            }
        }
    }
}

impl Release {
    fn run(&self, bd: &Bd) -> Answer {
        let id = bd.write("merge-slot release", |tx| {
            let (id, found) = find(tx.reader())?;
            let missing = || StoreError::Refused(format!("merge slot not found: {id}"));
            let (slot, state) = found.ok_or_else(missing)?;
            if !self.holder.is_empty() && state.holder != self.holder {
                return Err(StoreError::Refused(format!(
                    "slot held by {}, not {}",
                    state.holder, self.holder
                )));
            }
            if slot.status == Status::Open {
                return Ok(Outcome { message: None, result: id });
            }
            let state = State { holder: String::new(), ..state };
            put(tx, bd, &id, &state, Some(Status::Open))?;
            let words = || format!("bd: release merge slot {id}");
            let message = bd.message(words, words);
            Ok(Outcome { message, result: id })
        })?;
        if bd.json() {
            return print_raw(&json!({ "id": id, "released": true }));
        }
        out::line(format!("✓ Released merge slot: {id}"));
        Ok(())
    }
}
