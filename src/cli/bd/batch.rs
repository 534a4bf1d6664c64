//! `bd batch`: many small writes as one transaction and one Dolt commit (bd 1.1.0 `cmd/bd/batch.go`). Ids have to be whole.

use std::io::Read;

use beads::{Edge, EdgeType, Issue, IssueType, Status, go_json};
use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::answer::{Answer, Refusal, print_object};
use super::context::Bd;
use super::text::in_go;
use crate::cli::out;
use crate::store::load::Rules;
use crate::store::ops::{self, Act, AddEdge, Close, NewIssue, Update};
use crate::store::{Outcome, StoreError, Tx, step};

/// Do what the lines of standard input say, all or nothing
#[derive(Debug, Args)]
#[command(after_help = "\
Lines:
  close <id> [reason]
  update <id> status=… priority=… title=… assignee=…
  create <type> <priority> <title>
  dep add <id> <other> [type]
  dep remove <id> <other>
  # a remark")]
pub(super) struct Batch {
    /// Read from a file instead
    #[arg(short, long)]
    file: Option<String>,
    /// Only look whether the lines are understood
    #[arg(long)]
    dry_run: bool,
    /// The message of the Dolt commit
    #[arg(short, long, default_value = "")]
    message: String,
}

/// A line.
#[derive(Debug)]
struct Line {
    number: usize,
    raw: String,
    verb: &'static str,
    words: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Done {
    line: usize,
    op: &'static str,
    target: String,
}

impl Batch {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let mut text = String::new();
        if let Some(path) = &self.file {
            text = std::fs::read_to_string(path).map_err(|error| {
                Refusal::plain(format!("open batch file: open {path}: {}", in_go(&error)))
            })?;
        } else {
            let read = std::io::stdin().read_to_string(&mut text);
            read.map_err(|error| Refusal::plain(format!("parsing batch input: {error}")))?;
        }
        let lines = lines(&text).map_err(|why| Refusal::plain(format!("parsing batch input: {why}")))?;
        if self.dry_run {
            for line in &lines {
                out::line(format!("line {}: {}", line.number, line.raw));
            }
            if bd.json() {
                return print_object(&json!({ "dry_run": true, "operations": lines.len() }));
            }
            out::line(format!("{} operations parsed (dry-run, nothing executed)", lines.len()));
            return Ok(());
        }
        if lines.is_empty() {
            if bd.json() {
                return print_object(&json!({ "operations": 0, "status": "ok" }));
            }
            out::line("batch: 0 operations (no-op)");
            return Ok(());
        }
        let act = bd.act();
        let done = bd.write("batch", |tx| {
            let mut done = Vec::new();
            for line in &lines {
                let target = line.run(tx, &act).map_err(|error| match error {
                    error @ (StoreError::Store(_) | StoreError::Sql(_) | StoreError::Lock(_)) => error,
                    StoreError::NoIssue { id } if matches!(line.verb, "close" | "update") => {
                        let of = if line.verb == "update" { "failed to get issue for update: " } else { "" };
                        let (number, raw) = (line.number, &line.raw);
                        StoreError::Refused(format!("line {number} ({raw}): {of}not found: issue {id}"))
                    }
                    error => StoreError::Refused(format!("line {} ({}): {error}", line.number, line.raw)),
                })?;
                done.push(Done { line: line.number, op: line.verb, target });
            }
            let words = || match self.message.trim() {
                "" => format!("bd: batch {} ops by {}", lines.len(), bd.actor),
                _ => self.message.clone(),
            };
            Ok(Outcome { message: bd.message(words, words), result: done })
        });
        let done = match done {
            Err(refusal) if bd.json() => {
                // On standard error, and behind it the line that everybody gets.
                let told = json!({ "error": refusal.text(), "code": "batch_error" });
                out::note(go_json::object(&told).unwrap_or_default().trim_end());
                return Err(refusal.into_plain());
            }
            done => done?,
        };
        if bd.json() {
            return print_object(&json!({ "operations": done.len(), "status": "ok", "results": done }));
        }
        out::line(format!("batch: {} operations committed", done.len()));
        for Done { line, op, target } in done {
            out::line(format!("  line {line}: {op} {target}"));
        }
        Ok(())
    }
}

fn lines(text: &str) -> Result<Vec<Line>, String> {
    let mut found = Vec::new();
    for (at, raw) in text.lines().enumerate() {
        let (number, raw) = (at + 1, raw.trim());
        if raw.is_empty() || raw.starts_with('#') {
            continue;
        }
        let words = words(raw).map_err(|why| format!("line {number}: {why}"))?;
        let (verb, skip) = match (words.first().map(String::as_str), words.get(1).map(String::as_str)) {
            (Some("close"), _) => ("close", 1),
            (Some("update"), _) => ("update", 1),
            (Some("create"), _) => ("create", 1),
            (Some("dep"), Some("add")) => ("dep.add", 2),
            (Some("dep"), Some("remove" | "rm")) => ("dep.remove", 2),
            (Some("dep"), None) => {
                return Err(format!("line {number}: 'dep' requires a subcommand (add|remove)"));
            }
            (Some("dep"), Some(other)) => {
                return Err(format!("line {number}: unknown dep subcommand {other:?} (want add|remove)"));
            }
            (other, _) => {
                return Err(format!(
                    "line {number}: unsupported batch command {:?} (supported: close, update, create, dep add, dep remove)",
                    other.unwrap_or_default()
                ));
            }
        };
        found.push(Line { number, raw: raw.to_owned(), verb, words: words.into_iter().skip(skip).collect() });
    }
    Ok(found)
}

// Words between blanks; between double quotes blanks are kept, and \" and \\ stand for themselves.
fn words(line: &str) -> Result<Vec<String>, &'static str> {
    let (mut words, mut word): (Vec<String>, Option<String>) = (Vec::new(), None);
    let mut is_quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match (is_quoted, c) {
            (true, '\\') if matches!(chars.peek(), Some('"' | '\\')) => {
                word.get_or_insert_default().extend(chars.next());
            }
            (_, '"') => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            (false, ' ' | '\t') => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    if is_quoted {
        return Err("unterminated quoted string");
    }
    words.extend(word);
    Ok(words)
}

fn refused<T>(words: impl Into<String>) -> Result<T, StoreError> {
    Err(StoreError::Refused(words.into()))
}

impl Line {
    // What it was done to.
    fn run(&self, tx: &mut dyn Tx, act: &Act) -> Result<String, StoreError> {
        let rules = Rules::load(tx.reader())?;
        match (self.verb, self.words.as_slice()) {
            ("close", [id, reason @ ..]) => {
                let reason = if reason.is_empty() { "Closed".to_owned() } else { reason.join(" ") };
                // No guard is asked here, as in bd.
                let how = Close { reason: &reason, force: true, ..Close::default() };
                step(tx, act, |work| ops::close(work, id, &how))?;
                Ok(id.clone())
            }
            ("close", []) => refused("close requires <id>"),
            ("update", [id, pairs @ ..]) if !pairs.is_empty() => {
                let update = update(pairs)?;
                if let Some(status) = update.status.as_ref().filter(|status| !rules.allowed.status(status)) {
                    return refused(format!("invalid status: {status}"));
                }
                step(tx, act, |work| ops::update(work, &rules, id, &update))?;
                Ok(id.clone())
            }
            ("update", _) => refused("update requires <id> and at least one key=value"),
            ("create", [kind, priority, title @ ..]) if !title.is_empty() => {
                if kind.trim().is_empty() {
                    return refused("create: type cannot be empty");
                }
                let Ok(priority) = priority.parse() else {
                    return refused(format!(
                        "create: invalid priority {priority:?}: strconv.Atoi: parsing {priority:?}: invalid syntax"
                    ));
                };
                let title = title.join(" ");
                if title.trim().is_empty() {
                    return refused("create: title cannot be empty");
                }
                let issue_type = IssueType::from(kind.as_str());
                let issue = Issue { title, issue_type, priority, status: Status::Open, ..Issue::default() };
                let new = NewIssue { issue, ..NewIssue::default() };
                Ok(step(tx, act, |work| ops::create(work, &rules, new))?.issue.id)
            }
            ("create", _) => refused("create requires <type> <priority> <title>"),
            ("dep.add", [from, to, kind @ ..]) => {
                let kind = kind.first().map_or("blocks", String::as_str);
                let edge = Edge::new(from, to, EdgeType::from(kind));
                if !edge.kind.is_valid() {
                    return refused(format!("dep add: invalid dependency type {kind:?}"));
                }
                step(tx, act, |work| ops::add_edge(work, AddEdge::of(edge)))?;
                Ok(format!("{from}->{to}"))
            }
            ("dep.add", _) => refused("dep add requires <from-id> <to-id>"),
            (_, [from, to, ..]) => {
                step(tx, act, |work| ops::remove_edge(work, from, to))?;
                Ok(format!("{from}->{to}"))
            }
            _ => refused("dep remove requires <from-id> <to-id>"),
        }
    }
}

fn update(pairs: &[String]) -> Result<Update, StoreError> {
    let mut update = Update::default();
    for pair in pairs {
        let Some((key, value)) = pair.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return refused(format!("update: expected key=value, got {pair:?}"));
        };
        match key.trim() {
            "status" if value.trim().is_empty() => return refused("update: status cannot be empty"),
            "status" => update.status = Some(Status::from(value)),
            "priority" => match value.parse() {
                Ok(priority) => update.priority = Some(priority),
                Err(_) => {
                    return refused(format!(
                        "update: invalid priority {value:?}: strconv.Atoi: parsing {value:?}: invalid syntax"
                    ));
                }
            },
            "title" if value.trim().is_empty() => return refused("update: title cannot be empty"),
            "title" => {
                update.texts.insert("title", value.to_owned());
            }
            "assignee" => {
                update.texts.insert("assignee", value.to_owned());
            }
            other => {
                return refused(format!(
                    "update: unsupported key {other:?} (allowed: status, priority, title, assignee)"
                ));
            }
        }
    }
    Ok(update)
}
