//! `bd gate`: issues that something outside has to open, a person, the clock, a run or a pull request of GitHub (bd 1.1.0
//! `cmd/bd/gate.go`).
//!
//! A gate blocks by an ordinary edge, so closing it is all that opens it. What could go wrong is a condition that cannot be
//! looked at: then the gate stays shut, and the reason is told.

use std::ffi::OsString;

use beads::edge::{DepSpec, EdgeType};
use beads::order::SortKey;
use beads::{Issue, IssueType, Status};
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::json;

use super::answer::{Answer, Refusal, print_list, print_null, print_object};
use super::context::Bd;
use super::later::not_here;
use super::programs::{self, LIMIT, NotRun};
use super::show_text::go_duration;
use crate::cli::out;
use crate::store::family::Family;
use crate::store::load::{self, Rules, With};
use crate::store::ops::{self, Close, NewIssue, Update};
use crate::store::reader::{By, Reader, of_text};
use crate::store::{Outcome, StoreError, step};
use crate::sys::spawn;
use crate::town::workspace::go_duration as parse_duration;

const KIND: &str = "gate";

/// What issues wait for that is no issue
#[derive(Debug, Subcommand)]
pub(super) enum Gate {
    List(List),
    Create(Create),
    Show(Show),
    Resolve(Resolve),
    Check(Check),
    AddWaiter(AddWaiter),
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

impl Gate {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        match self {
            Self::List(c) => c.run(bd),
            Self::Create(c) => c.run(bd),
            Self::Show(c) => c.run(bd),
            Self::Resolve(c) => c.run(bd),
            Self::Check(c) => c.run(bd),
            Self::AddWaiter(c) => c.run(bd),
            Self::Other(words) => {
                let word = words.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
                if word == "discover" {
                    return Err(not_here("bd gate discover"));
                }
                Err(Refusal::plain(format!("unknown command {word:?} for \"bd gate\"")))
            }
        }
    }
}

/// Show the gates that are shut
#[derive(Debug, Args)]
pub(super) struct List {
    /// Also those that are open
    #[arg(short, long)]
    all: bool,
    /// At most so many (0: all)
    #[arg(short = 'n', long, default_value_t = 50)]
    limit: usize,
}

// The gates, the most urgent first.
fn gates(reader: &dyn Reader, all: bool, limit: usize) -> Answer<Vec<Issue>> {
    let mut found = Vec::new();
    let by = [("issue_type", of_text(KIND))];
    for family in Family::BOTH {
        found.extend(load::issues(reader, family, By::Equal(&by), With { labels: true, ..With::NOTHING })?);
    }
    found.retain(|gate| all || gate.status != Status::Closed);
    let order = SortKey::Priority.rows(false);
    found.sort_by(|a, b| order(a, b));
    if limit > 0 {
        found.truncate(limit);
    }
    Ok(found)
}

// A gate by its whole id.
fn gate(reader: &dyn Reader, id: &str) -> Result<(Issue, Family), StoreError> {
    let found = load::issue(reader, id, With { labels: true, ..With::NOTHING })?;
    let missing = || StoreError::Refused(format!("gate not found: {id}"));
    let (issue, family) = found.ok_or_else(missing)?;
    if issue.issue_type.as_str() != KIND {
        let problem = format!("{id} is not a gate issue (type={})", issue.issue_type);
        return Err(StoreError::Refused(problem));
    }
    Ok((issue, family))
}

impl List {
    fn run(&self, bd: &Bd) -> Answer {
        let found = gates(&*bd.reader()?, self.all, self.limit)?;
        if bd.json() {
            return if found.is_empty() { print_null() } else { print_list(&found) };
        }
        if found.is_empty() {
            out::line("No gates found.");
            return Ok(());
        }
        let (closed, open): (Vec<&Issue>, Vec<&Issue>) =
            found.iter().partition(|gate| gate.status == Status::Closed);
        for (sign, title, gates) in [("⏳", "Open", open), ("●", "Closed", closed)] {
            if gates.is_empty() {
                continue;
            }
            out::line(format!("\n{sign} {title} Gates ({}):\n", gates.len()));
            gates.into_iter().for_each(line);
        }
        out::line("To resolve a gate: bd close <gate-id>");
        Ok(())
    }
}

fn sign(gate: &Issue) -> &'static str {
    if gate.status == Status::Closed { "●" } else { "○" }
}

fn line(gate: &Issue) {
    let awaits = match gate.await_id.as_str() {
        "" => gate.await_type.clone(),
        id => format!("{} {id}", gate.await_type),
    };
    let timeout = match gate.timeout {
        ..=0 => String::new(),
        timeout => format!(" (timeout: {})", go_duration(timeout)),
    };
    out::line(format!("{} {} - {awaits}{timeout}", sign(gate), gate.id));
    // The gate of a template's step has the step's name in its own.
    let mut parts = gate.id.split(".gate-");
    if let (Some(above), Some(step), None) = (parts.next(), parts.next(), parts.next()) {
        out::line(format!("  Blocks: {above}.{step}"));
    }
    out::line("");
}

/// Make a gate that an issue waits for
#[derive(Debug, Args)]
#[command(after_help = "Example: bd gate create --type timer --blocks bd-a1b --timeout 2h")]
pub(super) struct Create {
    /// Which issue waits
    #[arg(long)]
    blocks: Option<String>,
    /// human, timer, gh:run, gh:pr
    #[arg(short = 't', long = "type", default_value = "human")]
    kind: String,
    /// Why
    #[arg(short, long, default_value = "")]
    reason: String,
    /// Which run or pull request
    #[arg(long, default_value = "")]
    await_id: String,
    /// How long, such as 2h or 30m
    #[arg(long, default_value = "")]
    timeout: String,
}

impl Create {
    fn run(&self, bd: &Bd) -> Answer {
        let act = bd.act();
        let unnamed = || Refusal::plain("required flag(s) \"blocks\" not set");
        let blocked = self.blocks.as_ref().ok_or_else(unnamed)?;
        let (gate, target) = bd.write("gate create", |tx| {
            let target = load::issue(tx.reader(), blocked, With::NOTHING)?;
            let missing = || StoreError::Refused(format!("issue not found: {blocked}"));
            let (target, _) = target.ok_or_else(missing)?;
            let timeout = timeout(&self.timeout)?;
            let title = match self.await_id.as_str() {
                "" => format!("Gate: {}", self.kind),
                id => format!("Gate: {} {id}", self.kind),
            };
            let mut description = format!("Ad-hoc gate blocking {}", target.id);
            if !self.reason.is_empty() {
                description = format!("{description}\n\nReason: {}", self.reason);
            }
            let issue = Issue {
                title,
                description,
                status: Status::Open,
                priority: 2,
                issue_type: IssueType::from(KIND),
                await_type: self.kind.clone(),
                await_id: self.await_id.clone(),
                timeout,
                created_by: act.actor.clone(),
                owner: act.owner.clone(),
                ..Issue::default()
            };
            let deps = vec![DepSpec { kind: EdgeType::Blocks, target: target.id.clone(), reversed: true }];
            let rules = Rules::load(tx.reader())?;
            let new = NewIssue { issue, deps, ..NewIssue::default() };
            let made = step(tx, &act, |work| ops::create(work, &rules, new))?;
            // A gate that nobody waits for is none: nothing is written then.
            if let Some(warning) = made.warnings.into_iter().next() {
                return Err(StoreError::Refused(format!("adding blocking dependency: {warning}")));
            }
            let words = || format!("bd: create gate {} blocking {}", made.issue.id, target.id);
            Ok(Outcome { message: bd.message(words, words), result: (made.issue.clone(), target) })
        })?;
        if bd.json() {
            return print_object(&gate);
        }
        out::line(format!("✓ Created gate {} (type: {})", gate.id, self.kind));
        out::line(format!("  Blocks: {} ({})", target.id, target.title));
        if !self.reason.is_empty() {
            out::line(format!("  Reason: {}", self.reason));
        }
        if gate.timeout > 0 {
            out::line(format!("  Timeout: {}", go_duration(gate.timeout)));
        }
        out::line(format!("\nResolve with: bd gate resolve {}", gate.id));
        Ok(())
    }
}

// Nanoseconds.
fn timeout(text: &str) -> Result<i64, StoreError> {
    if text.is_empty() {
        return Ok(0);
    }
    let is_number = text != "0" && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let problem = if is_number { "missing unit in" } else { "invalid" };
    let parsed = if is_number { None } else { parse_duration(text) };
    let nanos = parsed.and_then(|duration| i64::try_from(duration.as_nanos()).ok());
    nanos.ok_or_else(|| StoreError::Refused(format!("invalid timeout: time: {problem} duration {text:?}")))
}

/// Show a gate
#[derive(Debug, Args)]
pub(super) struct Show {
    /// Which one
    id: String,
}

impl Show {
    fn run(&self, bd: &Bd) -> Answer {
        let (gate, _) = gate(&*bd.reader()?, &self.id)?;
        if bd.json() {
            return print_object(&gate);
        }
        out::line(format!("{} {} - {}", sign(&gate), gate.id, gate.title));
        out::line(format!("  Status: {}\n  Await Type: {}", gate.status, gate.await_type));
        if !gate.await_id.is_empty() {
            out::line(format!("  Await ID: {}", gate.await_id));
        }
        if gate.timeout > 0 {
            out::line(format!("  Timeout: {}", go_duration(gate.timeout)));
        }
        if !gate.waiters.is_empty() {
            out::line("  Waiters:");
            gate.waiters.iter().for_each(|waiter| out::line(format!("    - {waiter}")));
        }
        if !gate.description.is_empty() {
            out::line(format!("  Description: {}", gate.description));
        }
        Ok(())
    }
}

/// Open a gate
#[derive(Debug, Args)]
pub(super) struct Resolve {
    /// Which one
    id: String,
    /// Why
    #[arg(short, long, default_value = "")]
    reason: String,
}

fn resolve(bd: &Bd, verb: &str, id: &str, reason: &str) -> Answer {
    let act = bd.act();
    bd.write(verb, |tx| {
        gate(tx.reader(), id)?;
        let how = Close { reason, force: true, ..Close::default() };
        step(tx, &act, |work| ops::close(work, id, &how))?;
        let word = verb.rsplit(' ').next().unwrap_or(verb);
        let message = bd.message(|| bd.auto_commit(word, &[]), || format!("bd: close {id}"));
        Ok(Outcome { message, result: () })
    })
}

impl Resolve {
    fn run(&self, bd: &Bd) -> Answer {
        resolve(bd, "gate resolve", &self.id, &self.reason).map_err(Refusal::into_plain)?;
        out::line(format!("✓ Gate resolved: {}", self.id));
        if !self.reason.is_empty() {
            out::line(format!("  Reason: {}", self.reason));
        }
        Ok(())
    }
}

/// Note who is told when a gate opens
#[derive(Debug, Args)]
pub(super) struct AddWaiter {
    /// Which gate
    id: String,
    /// Who
    waiter: String,
}

impl AddWaiter {
    fn run(&self, bd: &Bd) -> Answer {
        let (act, id) = (bd.act(), &self.id);
        let is_new = bd.write("gate add-waiter", |tx| {
            let (gate, _) = gate(tx.reader(), id)?;
            if gate.waiters.contains(&self.waiter) {
                return Ok(Outcome { message: None, result: false });
            }
            let mut waiters = gate.waiters;
            waiters.push(self.waiter.clone());
            let rules = Rules::load(tx.reader())?;
            let fields = Update { waiters: Some(waiters), ..Update::default() };
            step(tx, &act, |work| ops::update(work, &rules, id, &fields))?;
            let message = bd.message(|| bd.auto_commit("add-waiter", &[]), || format!("bd: update {id}"));
            Ok(Outcome { message, result: true })
        });
        if is_new.map_err(Refusal::into_plain)? {
            out::line(format!("✓ Added waiter to gate {id}: {}", self.waiter));
        } else {
            out::line(format!("Waiter already registered on gate {id}"));
        }
        Ok(())
    }
}

/// Look at what gates wait for, and open those that have got it
#[derive(Debug, Args)]
pub(super) struct Check {
    /// Only gates of this type: gh, gh:run, gh:pr, timer, bead, all
    #[arg(short = 't', long = "type", default_value = "")]
    kind: String,
    /// Only say what would happen
    #[arg(long)]
    dry_run: bool,
    /// Call 'gt escalate' for what has failed
    #[arg(short, long)]
    escalate: bool,
    /// At most so many
    #[arg(short, long, default_value_t = 100)]
    limit: usize,
}

/// What a look at a gate's condition found, with the reason.
enum Found {
    Fulfilled(String),
    Failed(String),
    Pending(String),
    Unknown(String),
}

impl Check {
    fn run(&self, bd: &Bd) -> Answer {
        if bd.global.readonly {
            return Err(Refusal::plain("operation 'gate check' is not allowed in read-only mode"));
        }
        let mut gates = gates(&*bd.reader()?, false, self.limit)?;
        gates.retain(|gate| match self.kind.as_str() {
            "" | "all" => true,
            "gh" => gate.await_type.starts_with("gh:"),
            kind => gate.await_type == kind,
        });
        let say = |text: String| {
            if !bd.json() {
                out::line(text);
            }
        };
        if gates.is_empty() {
            let of = if self.kind.is_empty() { String::new() } else { format!(" of type '{}'", self.kind) };
            say(if of.is_empty() {
                "No open gates found.".to_owned()
            } else {
                format!("No open gates{of} found.")
            });
            return if bd.json() { self.tell(&Counts::default()) } else { Ok(()) };
        }
        let mut counts = Counts::default();
        for gate in &gates {
            let Some(found) = look(bd, gate, !self.dry_run) else { continue };
            counts.checked += 1;
            match found {
                Found::Unknown(why) => {
                    counts.errors += 1;
                    out::note(format!("✗ {}: error checking - {why}", gate.id));
                }
                Found::Pending(why) => say(format!("○ {}: pending - {why}", gate.id)),
                Found::Fulfilled(why) if self.dry_run => {
                    counts.resolved += 1;
                    say(format!("✓ {}: would resolve - {why}", gate.id));
                }
                Found::Fulfilled(why) => {
                    counts.resolved += 1;
                    match resolve(bd, "gate check", &gate.id, &why) {
                        Ok(()) => say(format!("✓ {}: resolved - {why}", gate.id)),
                        Err(refusal) => {
                            counts.errors += 1;
                            out::note(format!("✗ {}: error closing - {}", gate.id, refusal.text()));
                        }
                    }
                }
                Found::Failed(why) => {
                    counts.escalated += 1;
                    let word = if self.dry_run { "would escalate" } else { "ESCALATE" };
                    say(format!("⚠ {}: {word} - {why}", gate.id));
                    if self.escalate && !self.dry_run {
                        escalate(bd, gate, &why);
                    }
                }
            }
        }
        if bd.json() {
            return self.tell(&counts);
        }
        out::line(format!(
            "\nChecked {} gates: {} resolved, {} escalated, {} errors",
            counts.checked, counts.resolved, counts.escalated, counts.errors
        ));
        Ok(())
    }

    fn tell(&self, counts: &Counts) -> Answer {
        print_object(&json!({
            "checked": counts.checked,
            "resolved": counts.resolved,
            "escalated": counts.escalated,
            "errors": counts.errors,
            "dry_run": self.dry_run,
        }))
    }
}

// None: only a person can tell.
fn look(bd: &Bd, gate: &Issue, keep: bool) -> Option<Found> {
    Some(match gate.await_type.as_str() {
        kind if kind.starts_with("gh:run") => run_of_github(bd, gate, keep),
        kind if kind.starts_with("gh:pr") => pull_request(bd, gate),
        "timer" => timer(bd, gate),
        "bead" => Found::Pending(format!(
            "cross-rig bead gate {:?} cannot be checked (multi-rig routing removed)",
            gate.await_id
        )),
        _ => return None,
    })
}

/// Whether an issue is a gate.
pub(super) fn is_one(issue: &Issue) -> bool {
    issue.issue_type.as_str() == KIND
}

/// Why a gate may not be closed yet: what it waits for has not come. What cannot be looked at is told and no reason.
pub(super) fn unsatisfied(bd: &Bd, gate: &Issue) -> Option<String> {
    match look(bd, gate, false)? {
        Found::Fulfilled(_) => None,
        Found::Pending(why) | Found::Failed(why) => Some(why),
        Found::Unknown(why) => {
            out::note(format!("Warning: could not evaluate gate condition: {why}"));
            None
        }
    }
}

#[derive(Debug, Default)]
struct Counts {
    checked: u32,
    resolved: u32,
    escalated: u32,
    errors: u32,
}

fn timer(bd: &Bd, gate: &Issue) -> Found {
    if gate.timeout == 0 {
        return Found::Unknown("no timeout set".to_owned());
    }
    let begun = gate.created_at.unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let left = i128::from(gate.timeout) + begun.as_nanosecond() - bd.now.as_nanosecond();
    // To the next whole second.
    let rounded = (left.unsigned_abs() + 500_000_000) / 1_000_000_000 * 1_000_000_000;
    let span = go_duration(i64::try_from(rounded).unwrap_or(i64::MAX));
    if left < 0 {
        Found::Fulfilled(format!("timer expired {span} ago"))
    } else {
        Found::Pending(format!("expires in {span}"))
    }
}

// What `gh` prints, or what it complains of.
fn gh(bd: &Bd, words: &[&str]) -> Result<String, String> {
    let ran = programs::output(bd.workspace.env(), "gh", words, bd.workspace.cwd(), LIMIT);
    let ran = ran.map_err(|error| match error {
        NotRun::Missing(_) => "gh CLI not installed".to_owned(),
        error => error.to_string(),
    })?;
    if ran.status.success() {
        return Ok(String::from_utf8_lossy(&ran.stdout).into_owned());
    }
    let command = words.get(..2).unwrap_or_default().join(" ");
    Err(format!("gh {command} failed: {}", String::from_utf8_lossy(&ran.stderr)))
}

#[derive(Deserialize)]
struct Run {
    #[serde(default)]
    status: String,
    #[serde(default)]
    conclusion: String,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(rename = "databaseId")]
    id: u64,
}

#[derive(Deserialize)]
struct PullRequest {
    #[serde(default)]
    state: String,
    #[serde(default)]
    title: String,
}

fn read<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| format!("failed to parse gh output: {error}"))
}

// The newest run of a workflow.
fn newest_run(bd: &Bd, workflow: &str) -> Result<String, String> {
    let fields = "databaseId,name,status,conclusion,createdAt,workflowName";
    let told = gh(bd, &["run", "list", "--workflow", workflow, "--json", fields, "--limit", "5"])?;
    let runs: Vec<Listed> = read(&told)?;
    let newest = runs.first().ok_or_else(|| format!("no runs found for workflow '{workflow}'"))?;
    Ok(newest.id.to_string())
}

fn run_of_github(bd: &Bd, gate: &Issue, keep: bool) -> Found {
    let mut id = gate.await_id.clone();
    if id.is_empty() {
        return Found::Pending("no run ID specified - set await_id or use workflow name hint".to_owned());
    }
    if !id.bytes().all(|byte| byte.is_ascii_digit()) {
        match newest_run(bd, &gate.await_id) {
            Ok(found) => id = found,
            Err(why) => return Found::Pending(format!("workflow hint '{}': {why}", gate.await_id)),
        }
        if let Err(refusal) = if keep { keep_run(bd, &gate.id, &id) } else { Ok(()) } {
            let why = refusal.text();
            return Found::Unknown(format!("failed to update gate with discovered run ID: {why}"));
        }
    }
    let told = match gh(bd, &["run", "view", &id, "--json", "status,conclusion,name"]) {
        Ok(told) => told,
        Err(why) if why.contains("not found") => return Found::Failed("workflow run not found".to_owned()),
        Err(why) => return Found::Unknown(why),
    };
    let run: Run = match read(&told) {
        Ok(run) => run,
        Err(why) => return Found::Unknown(why),
    };
    let name = &run.name;
    match (run.status.as_str(), run.conclusion.as_str()) {
        ("completed", "success") => Found::Fulfilled(format!("workflow '{name}' succeeded")),
        ("completed", "skipped") => Found::Fulfilled(format!("workflow '{name}' was skipped")),
        ("completed", "failure") => Found::Failed(format!("workflow '{name}' failed")),
        ("completed", "cancelled" | "canceled") => Found::Failed(format!("workflow '{name}' was canceled")),
        ("completed", other) => Found::Failed(format!("workflow '{name}' concluded with {other}")),
        (status @ ("in_progress" | "queued" | "pending" | "waiting"), _) => {
            Found::Pending(format!("workflow '{name}' is {status}"))
        }
        (status, _) => Found::Pending(format!("workflow '{name}' status: {status}")),
    }
}

// The number of the run in place of the name of its workflow.
fn keep_run(bd: &Bd, id: &str, run: &str) -> Answer {
    let act = bd.act();
    bd.write("gate check", |tx| {
        let rules = Rules::load(tx.reader())?;
        let fields = Update { texts: [("await_id", run.to_owned())].into(), ..Update::default() };
        step(tx, &act, |work| ops::update(work, &rules, id, &fields))?;
        let message = bd.message(|| bd.auto_commit("check", &[]), || format!("bd: update {id}"));
        Ok(Outcome { message, result: () })
    })
}

fn pull_request(bd: &Bd, gate: &Issue) -> Found {
    if gate.await_id.is_empty() {
        return Found::Pending("no PR number specified".to_owned());
    }
    let told = match gh(bd, &["pr", "view", &gate.await_id, "--json", "state,title"]) {
        Ok(told) => told,
        Err(why) if why.contains("not found") || why.contains("Could not resolve") => {
            return Found::Failed("pull request not found".to_owned());
        }
        Err(why) => return Found::Unknown(why),
    };
    match read::<PullRequest>(&told) {
        Err(why) => Found::Unknown(why),
        Ok(PullRequest { state, title }) => match state.as_str() {
            "MERGED" => Found::Fulfilled(format!("PR '{title}' was merged")),
            "CLOSED" => Found::Failed(format!("PR '{title}' was closed without merging")),
            "OPEN" => Found::Pending(format!("PR '{title}' is still open")),
            state => Found::Pending(format!("PR '{title}' state: {state}")),
        },
    }
}

fn escalate(bd: &Bd, gate: &Issue, why: &str) {
    let topic = format!("Gate escalation: {}", gate.id);
    let message = format!(
        "Gate {} needs attention.\nType: {}\nReason: {why}\nCreated: {}",
        gate.id,
        gate.await_type,
        gate.created_at.map(|at| at.to_string()).unwrap_or_default()
    );
    let words = ["escalate", &topic, "-s", "HIGH", "-m", &message];
    let ran = programs::output(bd.workspace.env(), "gt", &words, bd.workspace.cwd(), LIMIT);
    let ran = ran
        .map_err(|error| error.to_string())
        .and_then(|ran| if ran.status.success() { Ok(()) } else { Err(spawn::describe_exit(ran.status)) });
    if let Err(problem) = ran {
        out::note(format!("Warning: escalation failed for {}: {problem}", gate.id));
    }
}
