//! `bd state` and `bd set-state`: labels of the form `dimension:value`, of which an issue has one for each dimension, with an
//! event for each change (bd 1.1.0 `cmd/bd/state.go`).

use std::collections::BTreeMap;

use beads::{Issue, IssueType, Status};
use clap::{Args, Subcommand};
use serde_json::json;

use super::answer::{Answer, Refusal, print_object};
use super::context::Bd;
use crate::cli::out;
use crate::store::load::{self, Rules, With};
use crate::store::ops::{self, NewIssue};
use crate::store::reader::Reader;
use crate::store::{Outcome, StoreError, step};

/// Show a state
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct State {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Of which issue
    issue: Option<String>,
    /// Which dimension
    dimension: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    List(List),
}

/// Show all states of an issue
#[derive(Debug, Args)]
struct List {
    /// Of which issue
    issue: String,
}

// Its labels, and in which table it is.
fn labels(reader: &dyn Reader, id: &str) -> Result<(Vec<String>, crate::store::family::Family), StoreError> {
    let with = With { labels: true, ..With::NOTHING };
    let found = load::issue(reader, id, with)?.ok_or_else(|| StoreError::NoIssue { id: id.to_owned() })?;
    Ok((found.0.labels, found.1))
}

fn value_of<'l>(labels: &'l [String], dimension: &str) -> Option<&'l str> {
    labels.iter().find_map(|label| label.strip_prefix(dimension)?.strip_prefix(':'))
}

impl State {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let reader = bd.reader()?;
        if let Some(Verb::List(list)) = &self.verb {
            return list.run(bd, &*reader);
        }
        let (Some(issue), Some(dimension)) = (&self.issue, &self.dimension) else {
            let given = usize::from(self.issue.is_some());
            return Err(Refusal::plain(format!("accepts 2 arg(s), received {given}")));
        };
        let id = Bd::resolve_as(&*reader, "resolving", issue)?;
        let (labels, _) = labels(&*reader, &id)?;
        let value = value_of(&labels, dimension).filter(|value| !value.is_empty());
        if bd.json() {
            return print_object(&json!({ "issue_id": id, "dimension": dimension, "value": value }));
        }
        match value {
            Some(value) => out::line(value),
            None => out::line(format!("(no {dimension} state set)")),
        }
        Ok(())
    }
}

impl List {
    fn run(&self, bd: &Bd, reader: &dyn Reader) -> Answer {
        let id = Bd::resolve_as(reader, "resolving", &self.issue)?;
        let (labels, _) = labels(reader, &id)?;
        let states = labels.iter().filter_map(|label| label.split_once(':'));
        let states: BTreeMap<&str, &str> = states.filter(|(dimension, _)| !dimension.is_empty()).collect();
        if bd.json() {
            return print_object(&json!({ "issue_id": id, "states": states }));
        }
        if states.is_empty() {
            out::line(format!("\n{id} has no state labels"));
            return Ok(());
        }
        out::line(format!("\n📊 State for {id}:"));
        for (dimension, value) in states {
            out::line(format!("  {dimension}: {value}"));
        }
        out::line("");
        Ok(())
    }
}

/// Set a state
#[derive(Debug, Args)]
#[command(after_help = "Example: bd set-state bd-a1b patrol=muted --reason \"looking into it\"")]
pub(super) struct SetState {
    /// Of which issue
    issue: String,
    /// dimension=value
    state: String,
    /// Why
    #[arg(long, default_value = "")]
    reason: String,
}

impl SetState {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let parts = self.state.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty());
        let Some((dimension, value)) = parts else {
            return Err(Refusal::new(format!(
                "invalid state format {:?}, expected <dimension>=<value>",
                self.state
            )));
        };
        let (act, label) = (bd.act(), format!("{dimension}:{value}"));
        let (id, before, event) = bd.write("set-state", |tx| {
            let id = Bd::resolve_as(tx.reader(), "resolving", &self.issue)?;
            let (labels, family) = labels(tx.reader(), &id)?;
            let before = value_of(&labels, dimension).map(str::to_owned);
            if before.as_deref() == Some(value) {
                return Ok(Outcome { message: None, result: (id, before, None) });
            }
            let mut description = match before.as_deref().filter(|before| !before.is_empty()) {
                Some(before) => format!("Changed {dimension} from {before} to {value}"),
                None => format!("Set {dimension} to {value}"),
            };
            if !self.reason.is_empty() {
                description = format!("{description}\n\nReason: {}", self.reason);
            }
            let issue = Issue {
                title: format!("State change: {dimension} → {value}"),
                description,
                status: Status::Closed,
                priority: 4,
                issue_type: IssueType::Event,
                created_by: bd.actor.clone(),
                ..Issue::default()
            };
            let rules = Rules::load(tx.reader())?;
            let parent = Some(id.clone());
            let new = NewIssue { issue, parent, no_inherited_labels: true, ..NewIssue::default() };
            let made = step(tx, &act, |work| ops::create(work, &rules, new))?;
            step(tx, &act, |work| {
                if let Some(before) = &before {
                    ops::remove_label(work, family, &id, &format!("{dimension}:{before}"))?;
                }
                ops::add_label(work, family, &id, &label)
            })?;
            let server = || format!("bd: label add {id}");
            let message = bd.message(|| bd.auto_commit("set-state", &[]), server);
            Ok(Outcome { message, result: (id, before, Some(made.issue.id)) })
        })?;
        let before = before.filter(|before| !before.is_empty());
        let Some(event) = event else {
            if bd.json() {
                return print_object(&json!({
                    "issue_id": id, "dimension": dimension, "value": value, "changed": false,
                }));
            }
            out::line(format!("(no change: {dimension} already set to {value})"));
            return Ok(());
        };
        if bd.json() {
            return print_object(&json!({
                "issue_id": id, "dimension": dimension, "old_value": before, "new_value": value, "event_id": event,
                "changed": true,
            }));
        }
        out::line(format!("✓ Set {dimension} = {value} on {id}"));
        if let Some(before) = before {
            out::line(format!("  Previous: {before}"));
        }
        out::line(format!("  Event: {event}"));
        Ok(())
    }
}
