//! One change, one word: `q`, `assign`, `priority`, `tag`, `note`, `defer`, `undefer`.

use beads::issue::parse_priority;
use beads::{Issue, IssueType, Status};
use clap::Args;

use super::answer::{Answer, Refusal, print_list, print_object};
use super::context::Bd;
use super::flags::{Said, moment, split};
use super::text::{id_and_title, in_the_past};
use crate::cli::out;
use crate::store::load::{self, Rules, With};
use crate::store::ops::{self, NewIssue, Update};
use crate::store::{Outcome, StoreError, step};

/// Make an issue and print its id
#[derive(Debug, Args)]
#[command(after_help = "Example: bd q Fix the login")]
pub(super) struct Quick {
    /// Its title
    #[arg(required = true)]
    title: Vec<String>,
    /// 0 (most urgent) to 4
    #[arg(short, long, default_value = "2")]
    priority: String,
    /// bug, feature, task, epic, chore, decision, or one of types.custom
    #[arg(short = 't', long = "type", default_value = "task")]
    issue_type: String,
    /// Labels, with commas or repeated
    #[arg(short, long)]
    labels: Vec<String>,
}

impl Quick {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let issue = Issue {
            title: self.title.join(" "),
            status: Status::Open,
            priority: parse_priority(&self.priority).map_err(|error| Refusal::plain(error.to_string()))?,
            issue_type: IssueType::from(self.issue_type.as_str()).normalized(),
            labels: split(&self.labels),
            ..Issue::default()
        };
        let new = NewIssue { issue, ..NewIssue::default() };
        let act = bd.act();
        let id = bd.write("q", |tx| {
            let rules = Rules::load(tx.reader())?;
            let created = step(tx, &act, |work| ops::create(work, &rules, new.clone()))?;
            let words = || format!("bd: create {}", created.issue.id);
            Ok(Outcome { message: bd.message(words, words), result: created.issue.id })
        })?;
        out::line(id);
        Ok(())
    }
}

/// Give an issue to somebody
#[derive(Debug, Args)]
pub(super) struct Assign {
    /// Which one
    pub(super) id: String,
    /// To whom; empty: to nobody
    assignee: String,
}

impl Assign {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let texts = [("assignee", self.assignee.clone())].into();
        let fields = Update { texts, ..Update::default() };
        change(bd, "assign", &self.id, &fields, |named| match self.assignee.as_str() {
            "" => format!("✓ Unassigned {named}"),
            assignee => format!("✓ Assigned {named} to {assignee}"),
        })
    }
}

/// Say how urgent an issue is
#[derive(Debug, Args)]
pub(super) struct Priority {
    /// Which one
    pub(super) id: String,
    /// 0 (most urgent) to 4
    priority: String,
}

impl Priority {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let priority = parse_priority(&self.priority).map_err(|error| Refusal::new(error.to_string()))?;
        let fields = Update { priority: Some(priority), ..Update::default() };
        change(bd, "priority", &self.id, &fields, |named| format!("✓ Set priority of {named} to P{priority}"))
    }
}

/// Put a label on an issue
#[derive(Debug, Args)]
pub(super) struct Tag {
    /// Which one
    pub(super) id: String,
    /// The label
    label: String,
}

impl Tag {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let act = bd.act();
        let id = bd.write("tag", |tx| {
            let id = Bd::resolve_as(tx.reader(), "resolving", &self.id)?;
            step(tx, &act, |work| {
                let (_, family) = work.issue(&id)?;
                ops::add_label(work, family, &id, &self.label)
            })?;
            let server = || format!("bd: label add {id}");
            let message = bd.message(|| bd.auto_commit("tag", std::slice::from_ref(&id)), server);
            Ok(Outcome { message, result: id })
        })?;
        tell(bd, &id, |named| format!("✓ Added label {:?} to {named}", self.label))
    }
}

/// Add to an issue's notes
#[derive(Debug, Args)]
pub(super) struct Note {
    /// Which one
    pub(super) id: String,
    #[command(flatten)]
    said: Said,
}

impl Note {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let text = self.said.text("note")?;
        if text.is_empty() {
            return Err(Refusal::new("note text is empty"));
        }
        let fields = Update { append_notes: Some(text), ..Update::default() };
        change(bd, "note", &self.id, &fields, |named| format!("✓ Note added to {named}"))
    }
}

fn change(bd: &Bd, verb: &str, given: &str, fields: &Update, words: impl Fn(&str) -> String) -> Answer {
    let act = bd.act();
    let id = bd.write(verb, |tx| {
        let rules = Rules::load(tx.reader())?;
        let id = Bd::resolve(tx.reader(), given)?;
        let before = step(tx, &act, |work| ops::update(work, &rules, &id, fields))?;
        if before.is_template {
            return Err(StoreError::Refused(format!(
                "cannot update template {id}: templates are read-only; use 'bd mol pour' to create a work item"
            )));
        }
        let server = || format!("bd: update {id}");
        let message = bd.message(|| bd.auto_commit(verb, std::slice::from_ref(&id)), server);
        Ok(Outcome { message, result: id })
    });
    let id = id.map_err(|refusal| refusal.within(&format!("resolving {given}")))?;
    tell(bd, &id, words)
}

fn tell(bd: &Bd, id: &str, words: impl Fn(&str) -> String) -> Answer {
    bd.touch(id);
    let found = load::issue(&*bd.reader()?, id, With { labels: true, ..With::NOTHING })?;
    let Some((issue, _)) = found else { return Ok(()) };
    if bd.json() {
        return print_object(&issue);
    }
    out::line(words(&id_and_title(id, &issue.title)));
    Ok(())
}

/// Put issues off
#[derive(Debug, Args)]
#[command(after_help = "Example: bd defer bd-a1b --until tomorrow --reason \"waits for the vendor\"")]
pub(super) struct Defer {
    /// Which ones
    #[arg(required = true)]
    ids: Vec<String>,
    /// Until when: +1h, tomorrow, next monday, 2025-01-15
    #[arg(long)]
    until: Option<String>,
    /// Why; goes into the notes
    #[arg(long)]
    reason: Option<String>,
}

impl Defer {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let until = match self.until.as_deref().filter(|text| !text.is_empty()) {
            None => None,
            Some(text) => Some(moment(text, bd.zoned()).ok_or_else(|| {
                Refusal::plain(format!(
                    "invalid --until format {text:?}. Examples: +1h, tomorrow, next monday, 2025-01-15"
                ))
            })?),
        };
        if let Some(until) = until.filter(|until| *until < bd.now && !bd.json()) {
            out::note(in_the_past(until, bd.zoned(), "until"));
        }
        let reason = self.reason.as_deref().map(str::trim);
        if reason == Some("") {
            return Err(Refusal::plain("reason cannot be empty"));
        }
        let fields = Update {
            status: Some(Status::Deferred),
            defer_until: until.map(Some),
            append_notes: reason.map(str::to_owned),
            ..Update::default()
        };
        each(bd, "defer", &self.ids, |_| Some(fields.clone()), |id| format!("* Deferred {id}"))
    }
}

/// Take up again what was put off
#[derive(Debug, Args)]
pub(super) struct Undefer {
    /// Which ones
    #[arg(required = true)]
    ids: Vec<String>,
}

impl Undefer {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let fields = Update { status: Some(Status::Open), defer_until: Some(None), ..Update::default() };
        let is_deferred = |issue: &Issue| (issue.status == Status::Deferred).then(|| fields.clone());
        each(bd, "undefer", &self.ids, is_deferred, |id| format!("* Undeferred {id} (now open)"))
    }
}

// Changes several issues as one command; one that is not found stops it before anything is written.
fn each(
    bd: &Bd,
    verb: &str,
    given: &[String],
    fields: impl Fn(&Issue) -> Option<Update>,
    words: impl Fn(&str) -> String,
) -> Answer {
    let act = bd.act();
    let written = bd.write(verb, |tx| {
        let rules = Rules::load(tx.reader())?;
        let mut ids = Vec::new();
        for given in given {
            ids.push(Bd::resolve(tx.reader(), given)?);
        }
        let (mut changed, mut told) = (Vec::new(), Vec::new());
        for id in ids {
            let found = load::issue(tx.reader(), &id, With::NOTHING)?;
            let (issue, _) = found.ok_or_else(|| StoreError::NoIssue { id: id.clone() })?;
            let Some(fields) = fields(&issue) else {
                told.push(format!("{id} is not deferred (status: {})", issue.status));
                continue;
            };
            step(tx, &act, |work| ops::update(work, &rules, &id, &fields))?;
            changed.push(id);
        }
        let server = || format!("bd: update {}", changed.first().map_or("", String::as_str));
        let message =
            if changed.is_empty() { None } else { bd.message(|| bd.auto_commit(verb, &[]), server) };
        Ok(Outcome { message, result: (changed, told) })
    });
    // Told as text to everybody, as in bd.
    let (changed, told) = written.map_err(Refusal::into_plain)?;
    for words in told {
        out::note(words);
    }
    if !bd.json() {
        for id in &changed {
            out::line(words(id));
        }
        return Ok(());
    }
    let reader = bd.reader()?;
    let mut shown = Vec::new();
    for id in &changed {
        let found = load::issue(&*reader, id, With { labels: true, ..With::NOTHING })?;
        shown.extend(found.map(|(issue, _)| issue));
    }
    if shown.is_empty() { Ok(()) } else { print_list(&shown) }
}
