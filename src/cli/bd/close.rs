//! `bd close` and `bd reopen`.

use std::cell::RefCell;
use std::collections::HashMap;

use beads::ready::{Candidate, WorkFilter};
use beads::{EdgeType, Issue, Status};
use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::answer::{Answer, Refusal, print_list, print_object};
use super::audit::{self, FieldChange};
use super::context::Bd;
use super::flags::file_or_stdin;
use super::gate;
use super::routed::{Group, Homes};
use super::sections;
use super::text::id_and_title;
use crate::cli::out;
use crate::store::choice::Choice;
use crate::store::load::{self, Rules, With};
use crate::store::ops::{self, Act, Close as How, Molecule, Update};
use crate::store::{Outcome, StoreError, Tx, step};

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
    /// Read why from a file; - is standard input
    #[arg(long, value_name = "FILE")]
    reason_file: Option<String>,
    /// Although it is pinned, blocked, or has open children
    #[arg(short, long)]
    force: bool,
    /// In which session
    #[arg(long)]
    session: Option<String>,
    /// Go on with the next step of the molecule
    #[arg(long = "continue")]
    next: bool,
    /// With --continue: show the next step, but do not take it
    #[arg(long)]
    no_auto: bool,
    /// Show who waits for it no longer
    #[arg(long)]
    suggest_next: bool,
    /// Take the most urgent of what is ready
    #[arg(long)]
    claim_next: bool,
}

/// Close issues; the last of several words says why
#[derive(Debug, Args)]
#[command(after_help = "Example: bd done bd-a1b \"merged in #12\"")]
pub(super) struct DoneWith {
    #[command(flatten)]
    close: Close,
}

impl DoneWith {
    pub(super) fn run(mut self, bd: &Bd) -> Answer {
        let is_silent = self.close.said_reasons().is_empty() && self.close.reason_file.is_none();
        if is_silent && self.close.ids.len() > 1 {
            self.close.reason.extend(self.close.ids.pop());
        }
        self.close.run(bd)
    }
}

impl Close {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let given = bd.ids_or_last(&self.ids)?;
        let reasons = self.reasons()?;
        if reasons.len() > 1 && reasons.len() != given.len() {
            return Err(Refusal::new(format!(
                "got {} close reasons for {} issue IDs; provide exactly one shared reason or one reason per issue",
                reasons.len(),
                given.len()
            )));
        }
        // A reason that nobody gave is one that says nothing.
        let default = ["Closed".to_owned()];
        sections::check_reasons(bd, if reasons.is_empty() { &default } else { &reasons })?;
        for (flag, is_set) in [("--continue", self.next), ("--suggest-next", self.suggest_next)] {
            if is_set && given.len() > 1 {
                return Err(Refusal::new(format!("{flag} only works when closing a single issue")));
            }
        }
        let mut homes = Homes::new(bd);
        let groups = homes.groups(&given)?;
        if self.claim_next && groups.len() > 1 {
            return Err(Refusal::new("--claim-next only works when all issues are in one database"));
        }
        let (mut done, mut failed) = (Done::default(), None);
        for Group { home, ids, places } in groups {
            let reason = |at: &usize| {
                reasons.get(*at).or(reasons.first()).map_or_else(|| "Closed".to_owned(), Clone::clone)
            };
            let reasons: Vec<String> = places.iter().map(reason).collect();
            match self.write(homes.get(home), &ids, &reasons) {
                Ok(of_group) => done.add(of_group, &places),
                Err(refusal) => {
                    failed = Some(refusal);
                    break;
                }
            }
        }
        done.closed.sort_by_key(|closed| closed.at);
        for words in &done.refused {
            out::note(words);
        }
        for closed in &done.closed {
            audit::record(bd, std::slice::from_ref(&closed.change));
        }
        // What was done in one database stays done, and is told, if another refuses.
        match failed {
            Some(refusal) if done.closed.is_empty() => Err(refusal),
            Some(refusal) => tell(bd, &done).and(Err(refusal)),
            None => tell(bd, &done),
        }
    }

    // What a gate waits for is asked elsewhere and may take a minute. Nobody should wait for the database meanwhile, so it is asked
    // when the transaction has been given up, and then all begins anew.
    fn write(&self, bd: &Bd, given: &[String], reasons: &[String]) -> Answer<Done> {
        let mut looked = HashMap::new();
        loop {
            let (written, unknown) = self.attempt(bd, given, reasons, &looked);
            let Some(gate) = unknown else { return written };
            let unsatisfied = gate::unsatisfied(bd, &gate);
            looked.insert(gate.id, unsatisfied);
        }
    }

    // A gate that nobody has looked at yet is given back, and nothing was done.
    fn attempt(
        &self,
        bd: &Bd,
        given: &[String],
        reasons: &[String],
        looked: &HashMap<String, Option<String>>,
    ) -> (Answer<Done>, Option<Issue>) {
        let unknown = RefCell::new(None);
        let unsatisfied = |gate: &Issue| {
            looked.get(&gate.id).cloned().ok_or_else(|| {
                unknown.replace(Some(gate.clone()));
                StoreError::Refused(format!("gate {} has to be looked at", gate.id))
            })
        };
        let written = bd.write("close", |tx| {
            unknown.take();
            let done = self.close(bd, tx, given, reasons, &unsatisfied)?;
            let mut ids: Vec<String> = done.closed.iter().map(|closed| closed.id.clone()).collect();
            if let Some(Next::Claimed(issue)) = &done.next {
                ids.push(issue.id.clone());
            }
            let server = || format!("bd: close {}", ids.first().map_or("", String::as_str));
            let message =
                if ids.is_empty() { None } else { bd.message(|| bd.auto_commit("close", &ids), server) };
            Ok(Outcome { message, result: done })
        });
        (written, unknown.take())
    }

    fn close(
        &self,
        bd: &Bd,
        tx: &mut dyn Tx,
        given: &[String],
        reasons: &[String],
        unsatisfied: &dyn Fn(&Issue) -> Result<Option<String>, StoreError>,
    ) -> Result<Done, StoreError> {
        let (act, session) = (bd.act(), self.session.clone().unwrap_or_default());
        let mut ids = Vec::new();
        for id in given {
            ids.push(Bd::resolve_as(tx.reader(), "resolving ID", id)?);
        }
        let mut done = Done::default();
        for (at, id) in ids.iter().enumerate() {
            let reason = reasons.get(at).or(reasons.first()).map_or("Closed", String::as_str);
            let before = load::issue(tx.reader(), id, With::NOTHING)?.map(|(issue, _)| issue);
            let gate = before.as_ref().filter(|issue| !self.force && gate::is_one(issue));
            let unsatisfied = gate.map_or(Ok(None), unsatisfied)?;
            let how =
                How { reason, session: &session, force: self.force, unsatisfied: unsatisfied.as_deref() };
            match step(tx, &act, |work| ops::close(work, id, &how)) {
                Ok(_) => {}
                Err(StoreError::NotClosed(refusal)) => {
                    done.refused.push(refusal.to_string());
                    continue;
                }
                Err(error) => return Err(error),
            }
            let change = FieldChange {
                issue: id.clone(),
                field: "status",
                before: before.map_or_else(|| "open".to_owned(), |issue| issue.status.to_string()),
                after: "closed".to_owned(),
                reason: reason.to_owned(),
            };
            let molecule = ops::close_completed(tx, &act, id, &session)?;
            let labels = With { labels: true, ..With::NOTHING };
            let issue = load::issue(tx.reader(), id, labels)?.map(|(issue, _)| issue);
            let (id, reason) = (id.clone(), reason.to_owned());
            done.closed.push(Closed { at, id, reason, issue, molecule, change });
        }
        let (Some(first), false) = (ids.first(), done.closed.is_empty()) else { return Ok(done) };
        if self.suggest_next {
            done.unblocked = unblocked(tx, first)?;
        }
        if self.next {
            done.advance = advance(tx, &act, first, !self.no_auto)?;
        }
        if self.claim_next && !self.next {
            done.next = claim_next(tx, bd)?;
        }
        Ok(done)
    }

    /// Closes one issue, with nothing said.
    pub(super) fn one(bd: &Bd, id: &str, reason: &str) -> Answer {
        let this = Self {
            ids: vec![id.to_owned()],
            reason: Vec::new(),
            resolution: None,
            message: None,
            comment: None,
            reason_file: None,
            force: false,
            session: None,
            next: false,
            no_auto: false,
            suggest_next: false,
            claim_next: false,
        };
        let done = this.write(bd, &this.ids, &[reason.to_owned()])?;
        for closed in &done.closed {
            audit::record(bd, std::slice::from_ref(&closed.change));
        }
        match done.refused.into_iter().next() {
            Some(words) => Err(Refusal::new(words)),
            None => Ok(()),
        }
    }

    fn reasons(&self) -> Answer<Vec<String>> {
        let said = self.said_reasons();
        let Some(file) = &self.reason_file else { return Ok(said) };
        if !said.is_empty() {
            return Err(Refusal::new(
                "cannot specify both --reason-file and --reason/--resolution/--message/--comment",
            ));
        }
        let text = file_or_stdin(file)
            .map_err(|words| Refusal::new(format!("reading reason file {file:?}: {words}")))?;
        if text.trim().is_empty() {
            let words = format!("--reason-file {file:?} is empty; close reason is required");
            return Err(Refusal::new(words));
        }
        Ok(vec![text])
    }

    fn said_reasons(&self) -> Vec<String> {
        let given: Vec<String> = self.reason.iter().filter(|reason| !reason.is_empty()).cloned().collect();
        if !given.is_empty() {
            return given;
        }
        let others = [&self.resolution, &self.message, &self.comment];
        let other = others.into_iter().flatten().find(|reason| !reason.is_empty());
        other.map(|reason| vec![reason.clone()]).unwrap_or_default()
    }
}

/// An issue that was closed.
struct Closed {
    // Its place among the ids that were given.
    at: usize,
    id: String,
    reason: String,
    issue: Option<Issue>,
    // The molecule whose last step it was, as it was before.
    molecule: Option<Issue>,
    change: FieldChange,
}

/// What came of it.
#[derive(Default)]
struct Done {
    closed: Vec<Closed>,
    refused: Vec<String>,
    unblocked: Vec<Issue>,
    advance: Option<Advance>,
    // What was taken next, if that was wanted.
    next: Option<Next>,
}

/// What came of taking the most urgent of what is ready.
enum Next {
    Claimed(Box<Issue>),
    // It is somebody else's: what was closed stays closed.
    NotClaimed(String),
    Nothing,
}

impl Done {
    // What came of the part of the ids that stand at these places.
    fn add(&mut self, other: Self, places: &[usize]) {
        let placed = other
            .closed
            .into_iter()
            .map(|closed| Closed { at: places.get(closed.at).copied().unwrap_or(closed.at), ..closed });
        self.closed.extend(placed);
        self.refused.extend(other.refused);
        self.unblocked.extend(other.unblocked);
        self.advance = self.advance.take().or(other.advance);
        self.next = self.next.take().or(other.next);
    }
}

/// The next step of a molecule, as bd tells it.
#[derive(Debug, Serialize)]
struct Advance {
    closed_step: Issue,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<Issue>,
    auto_advanced: bool,
    molecule_complete: bool,
    molecule_id: String,
}

// Who waited for this one and waits for nobody any more, the most urgent first.
fn unblocked(tx: &dyn Tx, id: &str) -> Result<Vec<Issue>, StoreError> {
    let mut ids: Vec<String> = load::edges_to(tx.reader(), &[id.to_owned()])?
        .into_iter()
        .filter(|stored| stored.edge.kind == EdgeType::Blocks)
        .map(|stored| stored.edge.issue_id)
        .collect();
    ids.sort();
    ids.dedup();
    let briefs = load::briefs(tx.reader(), Some(&ids))?;
    let mut free = Vec::new();
    for id in ids {
        let is_live =
            briefs.get(&id).is_some_and(|brief| !matches!(brief.status, Status::Closed | Status::Pinned));
        if is_live && !waits(tx, &id)? {
            free.push(id);
        }
    }
    let labels = With { labels: true, ..With::NOTHING };
    let mut found = load::issues_by_id(tx.reader(), &free, labels)?;
    found.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(found)
}

fn waits(tx: &dyn Tx, id: &str) -> Result<bool, StoreError> {
    let stored = load::edges_from(tx.reader(), &[id.to_owned()])?;
    let blocking = stored.into_iter().filter(|stored| stored.edge.kind == EdgeType::Blocks);
    let targets: Vec<String> = blocking.map(|stored| stored.edge.depends_on_id).collect();
    let briefs = load::briefs(tx.reader(), Some(&targets))?;
    Ok(briefs.values().any(|brief| !matches!(brief.status, Status::Closed | Status::Pinned)))
}

// The next step of the molecule that this step is of, taken if that is wanted.
fn advance(tx: &mut dyn Tx, act: &Act, id: &str, take: bool) -> Result<Option<Advance>, StoreError> {
    let Some(root) = ops::molecule_of(tx.reader(), id)? else { return Ok(None) };
    let molecule = Molecule::load(tx.reader(), &root.id)?;
    let progress = molecule.progress();
    let labels = With { labels: true, ..With::NOTHING };
    let closed = load::issue(tx.reader(), id, labels)?;
    let (closed_step, _) = closed.ok_or_else(|| StoreError::NoIssue { id: id.to_owned() })?;
    let mut told = Advance {
        closed_step,
        next_step: None,
        auto_advanced: false,
        molecule_complete: progress.completed >= progress.steps.len(),
        molecule_id: root.id,
    };
    if told.molecule_complete {
        return Ok(Some(told));
    }
    told.next_step = progress.steps.into_iter().find(|(_, state)| *state == "ready").map(|(issue, _)| issue);
    if let (Some(next), true) = (&told.next_step, take) {
        let rules = Rules::load(tx.reader())?;
        let begun = Update { status: Some(Status::InProgress), ..Update::default() };
        step(tx, act, |work| ops::update(work, &rules, &next.id, &begun))?;
        told.auto_advanced = true;
    }
    Ok(Some(told))
}

// The first that is ready, taken.
fn claim_next(tx: &mut dyn Tx, bd: &Bd) -> Result<Option<Next>, StoreError> {
    let filter = WorkFilter { limit: 1, ..WorkFilter::default() };
    let choice = Choice::load(tx.reader(), &filter, false)?;
    let Some(id) = choice.ready(&filter, bd.now).first().map(|item| item.id().to_owned()) else {
        return Ok(Some(Next::Nothing));
    };
    let found = load::issue(tx.reader(), &id, With { labels: true, ..With::NOTHING })?;
    let (first, _) = found.ok_or(StoreError::NoIssue { id })?;
    match step(tx, &bd.act(), |work| ops::claim(work, &first.id)) {
        // As it was before it was taken.
        Ok(_) => Ok(Some(Next::Claimed(Box::new(first)))),
        Err(StoreError::NotClaimed(why)) => {
            Ok(Some(Next::NotClaimed(format!("Warning: could not claim next issue {}: {why}", first.id))))
        }
        Err(error) => Err(error),
    }
}

fn tell(bd: &Bd, done: &Done) -> Answer {
    if done.closed.is_empty() {
        return Err(Refusal::silent());
    }
    match &done.next {
        Some(Next::Claimed(issue)) => bd.touch(&issue.id),
        Some(Next::NotClaimed(warning)) => out::note(warning),
        Some(Next::Nothing) | None => {}
    }
    if bd.json() {
        let closed: Vec<&Issue> = done.closed.iter().filter_map(|closed| closed.issue.as_ref()).collect();
        if !done.unblocked.is_empty() {
            return print_object(&json!({ "closed": closed, "unblocked": done.unblocked }));
        }
        if let Some(advance) = &done.advance {
            return print_object(&json!({ "closed": closed, "continue": advance }));
        }
        if let Some(Next::Claimed(claimed)) = &done.next {
            return print_object(&json!({ "closed": closed, "claimed": claimed }));
        }
        return print_list(&closed);
    }
    for closed in &done.closed {
        if let Some(root) = &closed.molecule {
            out::line(format!("✓ Auto-closed completed molecule {}", id_and_title(&root.id, &root.title)));
        }
        let title = closed.issue.as_ref().map_or("", |issue| &issue.title);
        out::line(format!("✓ Closed {}: {}", id_and_title(&closed.id, title), closed.reason));
    }
    if !done.unblocked.is_empty() {
        out::line("\nNewly unblocked:");
    }
    for issue in &done.unblocked {
        out::line(format!("  • {} (P{})", id_and_title(&issue.id, &issue.title), issue.priority));
    }
    if let Some(advance) = &done.advance {
        tell_advance(advance);
    }
    match &done.next {
        Some(Next::Claimed(issue)) => out::line(format!(
            "✓ Auto-claimed next ready issue: {} (P{})",
            id_and_title(&issue.id, &issue.title),
            issue.priority
        )),
        Some(Next::Nothing) => out::line("\n✨ No ready issues available to claim."),
        Some(Next::NotClaimed(_)) | None => {}
    }
    Ok(())
}

fn tell_advance(advance: &Advance) {
    let id = &advance.molecule_id;
    if advance.molecule_complete {
        out::line(format!("\n✓ Molecule {id} complete! All steps closed."));
        out::line(format!("Consider: bd mol squash {id} --summary '...'"));
        return;
    }
    let Some(next) = &advance.next_step else {
        out::line("\nNo ready steps in molecule (may be blocked).");
        return;
    };
    out::line(format!("\nNext ready in molecule:\n  {}: {}", next.id, next.title));
    if advance.auto_advanced {
        out::line("\n→ Marked in_progress (use --no-auto to skip)");
    } else {
        out::line(format!("\nStart with: bd update {} --claim", next.id));
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
        let mut homes = Homes::new(bd);
        let groups = homes.groups(&self.ids)?;
        let (mut shown, mut failed) = (Vec::new(), None);
        for Group { home, ids, .. } in groups {
            match self.write(homes.get(home), &ids) {
                Ok((opened, is_any_missing)) => {
                    shown.extend(opened);
                    if is_any_missing {
                        failed = Some(Refusal::silent());
                    }
                }
                Err(refusal) => {
                    failed = Some(refusal);
                    break;
                }
            }
        }
        if bd.json() && !shown.is_empty() {
            print_list(&shown)?;
        }
        failed.map_or(Ok(()), Err)
    }

    // What was opened again, and whether an id was not found.
    fn write(&self, bd: &Bd, given: &[String]) -> Answer<(Vec<Issue>, bool)> {
        let act = bd.act();
        let (opened, told, missing) = bd.write("reopen", |tx| {
            let (mut opened, mut told, mut missing) = (Vec::new(), Vec::new(), 0);
            for given in given {
                let id = match Bd::resolve(tx.reader(), given) {
                    Ok(id) => id,
                    Err(error @ StoreError::NotFound(_)) => {
                        told.push(format!("Error resolving {given}: {error}"));
                        missing += 1;
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
            Ok(Outcome { message, result: (opened, told, missing) })
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
        Ok((shown, missing > 0))
    }
}
