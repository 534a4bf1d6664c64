//! `bd update`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use beads::issue::parse_priority;
use beads::{Edge, EdgeType, Issue, IssueType, Status};
use clap::Args;

use super::answer::{Answer, Refusal, print_list};
use super::audit::{self, FieldChange};
use super::context::Bd;
use super::flags::{Texts, json_or_file, moment, split};
use super::routed::{Group, Homes};
use super::text::{id_and_title, in_the_past};
use crate::cli::out;
use crate::store::family::Family;
use crate::store::load::{self, Rules, With};
use crate::store::ops::{self, Act, AddEdge, Update as Fields};
use crate::store::{Outcome, StoreError, Tx, step};

/// Change issues
#[derive(Debug, Args)]
#[command(after_help = "Example: bd update bd-a1b --claim")]
pub(super) struct Update {
    /// Which ones; without any, the one that was touched last
    ids: Vec<String>,
    /// open, `in_progress`, blocked, deferred, closed, pinned, hooked, or one of status.custom
    #[arg(short, long)]
    status: Option<String>,
    /// 0 (most urgent) to 4
    #[arg(short, long)]
    priority: Option<String>,
    /// New title
    #[arg(long)]
    title: Option<String>,
    /// New type
    #[arg(short = 't', long = "type")]
    issue_type: Option<String>,
    #[command(flatten)]
    texts: Texts,
    #[arg(long, hide = true)]
    acceptance_criteria: Option<String>,
    /// Where it is specified
    #[arg(long)]
    spec_id: Option<String>,
    /// In minutes
    #[arg(short, long)]
    estimate: Option<i64>,
    /// Labels to add
    #[arg(long)]
    add_label: Vec<String>,
    /// Labels to take off
    #[arg(long)]
    remove_label: Vec<String>,
    /// Just these labels
    #[arg(long)]
    set_labels: Option<Vec<String>>,
    /// Goes below this issue; empty: below none
    #[arg(long)]
    parent: Option<String>,
    /// Take it: assignee and status at once, if nobody else has it
    #[arg(long)]
    claim: bool,
    /// Nobody works on it
    #[arg(long, conflicts_with = "assignee")]
    unassign: bool,
    /// With a close: the session
    #[arg(long)]
    session: Option<String>,
    /// What a gate waits for
    #[arg(long)]
    await_id: Option<String>,
    /// Deadline; empty: none
    #[arg(long)]
    due: Option<String>,
    /// Not ready before; empty: at once
    #[arg(long)]
    defer: Option<String>,
    /// Make it a wisp
    #[arg(long)]
    ephemeral: bool,
    /// Make it last
    #[arg(long)]
    persistent: bool,
    /// Keep it out of history
    #[arg(long)]
    no_history: bool,
    /// Keep it in history
    #[arg(long)]
    history: bool,
    /// A JSON document whose keys are taken over, or @file
    #[arg(long)]
    metadata: Option<String>,
    /// Set a key of the document: key=value
    #[arg(long)]
    set_metadata: Vec<String>,
    /// Remove a key of the document
    #[arg(long)]
    unset_metadata: Vec<String>,
    /// Take an empty description from standard input or a file for what it is
    #[arg(long)]
    allow_empty_description: bool,
}

/// To put on, to take off, and those that are to be the only ones.
type Labels = (Vec<String>, Vec<String>, Option<Vec<String>>);

// What became of one issue.
enum Done {
    /// Which issue, what is recorded of it, and how it was then, if the same command changed it once more.
    Changed(String, Vec<FieldChange>, Option<Box<Issue>>),
    Refused(String),
}

impl Update {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let given = bd.ids_or_last(&self.ids)?;
        let fields = self.fields(bd)?;
        let labels =
            (split(&self.add_label), split(&self.remove_label), self.set_labels.as_ref().map(|l| split(l)));
        // A flag without a label asks for something too, as in bd: it changes nothing, and the issue is shown.
        let has_labels =
            !self.add_label.is_empty() || !self.remove_label.is_empty() || self.set_labels.is_some();
        if fields.is_empty() && !has_labels && self.parent.is_none() && !self.claim && !self.persistent {
            out::line("No updates specified");
            return Ok(());
        }
        let mut homes = Homes::new(bd);
        let groups = homes.groups(&given)?;
        let (mut dones, mut failed) = (Vec::new(), None);
        for Group { home, ids, places } in groups {
            match self.write(homes.get(home), &ids, &fields, &labels) {
                Ok(done) => dones.extend(places.into_iter().zip(done).map(|(at, done)| (at, home, done))),
                Err(refusal) => {
                    failed = Some(refusal);
                    break;
                }
            }
        }
        dones.sort_by_key(|(at, ..)| *at);
        // What was done in one database stays done, and is told, if another refuses.
        let told = if dones.is_empty() { Ok(()) } else { tell(bd, &homes, &dones) };
        failed.map_or(told, Err)
    }

    fn write(&self, bd: &Bd, given: &[String], fields: &Fields, labels: &Labels) -> Answer<Vec<Done>> {
        let act = bd.act();
        bd.write("update", |tx| {
            let rules = Rules::load(tx.reader())?;
            if let Some(status) = fields.status.as_ref().filter(|status| !rules.allowed.status(status)) {
                return Err(StoreError::Refused(format!(
                    "invalid status {:?} (built-in: open, in_progress, blocked, deferred, closed, pinned, hooked; or configure custom statuses via 'bd config set status.custom')",
                    status.as_str()
                )));
            }
            let mut dones = Vec::new();
            for given in given {
                let done = self.update_one(tx, &act, &rules, given, (fields, labels), &mut dones)?;
                dones.push(done);
            }
            let changed: Vec<String> = dones
                .iter()
                .filter_map(|done| match done {
                    Done::Changed(id, ..) => Some(id.clone()),
                    Done::Refused(_) => None,
                })
                .collect();
            let server = || format!("bd: update {}", changed.first().map_or("", String::as_str));
            let message = if changed.is_empty() {
                None
            } else {
                bd.message(|| bd.auto_commit("update", &changed), server)
            };
            Ok(Outcome { message, result: dones })
        })
    }

    fn update_one(
        &self,
        tx: &mut dyn Tx,
        act: &Act,
        rules: &Rules,
        given: &str,
        (fields, labels): (&Fields, &Labels),
        earlier: &mut [Done],
    ) -> Result<Done, StoreError> {
        let id = match Bd::resolve(tx.reader(), given) {
            Ok(id) => id,
            Err(error @ StoreError::NotFound(_)) => {
                return Ok(Done::Refused(format!("Error resolving {given}: {error}")));
            }
            Err(error) => return Err(error),
        };
        let (before, family) = load::issue(tx.reader(), &id, With { labels: true, ..With::NOTHING })?
            .ok_or_else(|| StoreError::NoIssue { id: id.clone() })?;
        for done in earlier {
            if let Done::Changed(known, _, then @ None) = done
                && *known == id
            {
                *then = Some(Box::new(before.clone()));
            }
        }
        if before.is_template {
            return Ok(Done::Refused(format!(
                "cannot update template {id}: templates are read-only; use 'bd mol pour' to create a work item"
            )));
        }
        // Refusals leave the issue as it is; the others go on.
        let told = |words: &str, error: StoreError| match error {
            error @ (StoreError::Store(_) | StoreError::Sql(_) | StoreError::Lock(_)) => Err(error),
            error => Ok(Done::Refused(format!("{words}: {error}"))),
        };
        // bd only clears the flag and leaves the row among the wisps; callers mean that it shall last.
        if self.persistent && family == Family::Wisps && before.ephemeral {
            step(tx, act, |work| ops::promote(work, &id, ""))?;
        }
        let family = if self.persistent { Family::of(before.no_history) } else { family };
        if self.claim
            && let Err(error) = step(tx, act, |work| ops::claim(work, &id))
        {
            return told(&format!("Error claiming {given}"), error);
        }
        if !fields.is_empty()
            && let Err(error) = step(tx, act, |work| ops::update(work, rules, &id, fields))
        {
            let is_of_metadata = error.to_string().starts_with("metadata ");
            let words = if is_of_metadata { "Error".to_owned() } else { format!("Error updating {given}") };
            return told(&words, error);
        }
        let (add, remove, set) = labels;
        // One after the other, each with its event: bd takes off and puts on again what stays, too.
        let set = set.as_deref().unwrap_or_default();
        let replaced = if set.is_empty() { &[][..] } else { &before.labels[..] };
        for (label, puts) in replaced
            .iter()
            .map(|label| (label, false))
            .chain(set.iter().chain(add).map(|label| (label, true)))
            .chain(remove.iter().map(|label| (label, false)))
        {
            let change = if puts { ops::add_label } else { ops::remove_label };
            step(tx, act, |work| change(work, family, &id, label))?;
        }
        if let Some(parent) = &self.parent
            && let Some(refused) = reparent(tx, act, &id, parent)?
        {
            return Ok(refused);
        }
        Ok(Done::Changed(id.clone(), Self::recorded(&id, &before, fields), None))
    }

    // What `interactions.jsonl` keeps of it.
    fn recorded(id: &str, before: &Issue, fields: &Fields) -> Vec<FieldChange> {
        let changed = |field, before: String, after: String| {
            let (issue, reason) = (id.to_owned(), String::new());
            FieldChange { issue, field, before, after, reason }
        };
        let mut changes = Vec::new();
        if let Some(status) = &fields.status {
            changes.push(changed("status", before.status.to_string(), status.to_string()));
        }
        if let Some(assignee) = fields.texts.get("assignee") {
            changes.push(changed("assignee", before.assignee.clone(), assignee.clone()));
        }
        if let Some(priority) = fields.priority {
            changes.push(changed("priority", before.priority.to_string(), priority.to_string()));
        }
        changes
    }

    fn fields(&self, bd: &Bd) -> Answer<Fields> {
        let refuse = |text: &str| Err(Refusal::new(text));
        let mut fields = Fields::default();
        let mut set = |column: &'static str, text: Option<String>| {
            if let Some(text) = text {
                fields.texts.insert(column, text);
            }
        };
        if let Some(title) = &self.title {
            let title = title.trim();
            if title.is_empty() {
                return refuse("title cannot be empty");
            }
            set("title", Some(title.to_owned()));
        }
        set("assignee", if self.unassign { Some(String::new()) } else { self.texts.assignee.clone() });
        let description = self.texts.description()?;
        if description.as_deref() == Some("")
            && self.texts.is_description_read()
            && !self.allow_empty_description
        {
            return refuse(
                "empty description from stdin/file requires --allow-empty-description (or use an explicit inline empty value like --description \"\")",
            );
        }
        set("description", description);
        set("design", self.texts.design()?);
        set("notes", self.texts.notes.clone());
        set("acceptance_criteria", self.texts.acceptance.clone().or(self.acceptance_criteria.clone()));
        set("spec_id", self.spec_id.clone());
        set("await_id", self.await_id.clone());
        if self.texts.notes.is_some() && self.texts.append_notes.is_some() {
            return refuse("cannot specify both --notes and --append-notes");
        }
        fields.append_notes.clone_from(&self.texts.append_notes);
        fields.status = self.status.as_deref().map(Status::from);
        fields.session.clone_from(&self.session);
        if let Some(priority) = &self.priority {
            let priority = parse_priority(priority).map_err(|error| Refusal::new(error.to_string()))?;
            fields.priority = Some(priority);
        }
        fields.external_ref =
            self.texts.external_ref.clone().map(|text| Some(text).filter(|text| !text.is_empty()));
        if self.estimate.is_some_and(|minutes| minutes < 0) {
            return refuse("estimate must be a non-negative number of minutes");
        }
        fields.estimated_minutes = self.estimate;
        fields.issue_type = self.issue_type.as_deref().map(|word| IssueType::from(word).normalized());
        fields.due_at = time("due", self.due.as_deref(), "+6h", bd)?;
        fields.defer_until = time("defer", self.defer.as_deref(), "+1h", bd)?;
        let past = fields.defer_until.flatten().filter(|until| *until < bd.now);
        if let Some(until) = past.filter(|_| !bd.json()) {
            out::note(in_the_past(until, bd.zoned(), "defer"));
        }
        match fields.defer_until {
            Some(Some(_)) if past.is_some() => {}
            Some(Some(_)) => fields.status = fields.status.or(Some(Status::Deferred)),
            Some(None) => fields.end_deferral = fields.status.is_none(),
            None => {}
        }
        for (one, other, names) in [
            (self.ephemeral, self.persistent, "--ephemeral and --persistent"),
            (self.no_history, self.ephemeral, "--no-history and --ephemeral"),
            (self.no_history, self.history, "--no-history and --history"),
        ] {
            if one && other {
                return refuse(&format!("cannot specify both {names} flags"));
            }
        }
        fields.ephemeral = self.ephemeral.then_some(true);
        fields.no_history = (self.no_history || self.history).then_some(self.no_history);
        if let Some(text) = &self.metadata {
            fields.metadata = Some(json_or_file(text)?);
        }
        if !self.set_metadata.is_empty() || !self.unset_metadata.is_empty() {
            if self.metadata.is_some() {
                return refuse("cannot combine --metadata with --set-metadata or --unset-metadata");
            }
            fields.metadata_edits = Some((self.set_metadata.clone(), self.unset_metadata.clone()));
        }
        Ok(fields)
    }
}

fn reparent(tx: &mut dyn Tx, act: &Act, id: &str, parent: &str) -> Result<Option<Done>, StoreError> {
    if !parent.is_empty() && load::issue(tx.reader(), parent, With::NOTHING)?.is_none() {
        let words = format!("Error getting parent {parent}: not found: issue {parent}");
        return Ok(Some(Done::Refused(words)));
    }
    step(tx, act, |work| {
        if let Some(old) = work.parent_edge(id)? {
            ops::remove_edge(work, id, &old.edge.depends_on_id)?;
        }
        Ok(())
    })?;
    if parent.is_empty() {
        return Ok(None);
    }
    let edge = Edge::new(id, parent, EdgeType::ParentChild);
    match step(tx, act, |work| ops::add_edge(work, AddEdge::of(edge))) {
        Err(StoreError::Edge(refusal)) => {
            Ok(Some(Done::Refused(format!("Error adding parent dependency: {refusal}"))))
        }
        Err(error) => Err(error),
        Ok(()) => Ok(None),
    }
}

fn tell(bd: &Bd, homes: &Homes<'_>, dones: &[(usize, Option<usize>, Done)]) -> Answer {
    let mut readers = BTreeMap::new();
    let mut shown = Vec::new();
    for (_, home, done) in dones {
        match done {
            Done::Refused(words) => out::note(words),
            Done::Changed(id, changes, then) => {
                audit::record(bd, changes);
                let reader = match readers.entry(*home) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(free) => free.insert(homes.get(*home).reader()?),
                };
                let issue = match then {
                    Some(then) => Some((**then).clone()),
                    None => load::issue(&**reader, id, With { labels: true, ..With::NOTHING })?
                        .map(|found| found.0),
                };
                let Some(issue) = issue else { continue };
                if shown.is_empty() {
                    bd.touch(id);
                }
                if !bd.json() {
                    out::line(format!("✓ Updated issue: {}", id_and_title(id, &issue.title)));
                }
                shown.push(issue);
            }
        }
    }
    if shown.is_empty() {
        return Err(Refusal::silent());
    }
    if bd.json() { print_list(&shown) } else { Ok(()) }
}

#[expect(clippy::option_option, reason = "not named, nothing, or a moment")]
fn time(flag: &str, text: Option<&str>, example: &str, bd: &Bd) -> Answer<Option<Option<jiff::Timestamp>>> {
    match text {
        None => Ok(None),
        Some("") => Ok(Some(None)),
        Some(text) => moment(text, bd.zoned()).map(|time| Some(Some(time))).ok_or_else(|| {
            Refusal::new(format!(
                "invalid --{flag} format {text:?}. Examples: {example}, tomorrow, next monday, 2025-01-15"
            ))
        }),
    }
}
