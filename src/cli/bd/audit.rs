//! `bd audit`, and the lines that `update` and `close` leave in `interactions.jsonl` (bd 1.1.0 `internal/audit`).
//!
//! The file only grows, a line with each call to the disk, because several programs write it at once. That a line cannot be
//! written is no failure of an `update` or a `close`: what they did is in the database.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::FileTypeExt;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::answer::{Answer, Refusal, print_object};
use super::context::Bd;
use crate::cli::out;

const FILE: &str = "interactions.jsonl";

/// The fields of a line, in their order.
const FIELDS: [&str; 14] = [
    "id",
    "kind",
    "created_at",
    "actor",
    "issue_id",
    "model",
    "prompt",
    "response",
    "error",
    "tool_name",
    "exit_code",
    "parent_id",
    "label",
    "reason",
];

/// Keep a record of what agents do
#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    Record(Record),
    Label(Label),
}

impl Audit {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        match self {
            Self::Record(c) => c.run(bd),
            Self::Label(c) => c.run(bd),
        }
    }
}

/// Add a line
#[derive(Debug, Args)]
pub(super) struct Record {
    /// What it is: `llm_call`, `tool_call`, …
    #[arg(long, default_value = "")]
    kind: String,
    /// Which model
    #[arg(long, default_value = "")]
    model: String,
    /// What was asked
    #[arg(long, default_value = "")]
    prompt: String,
    /// What was answered
    #[arg(long, default_value = "")]
    response: String,
    /// About which issue
    #[arg(long, default_value = "")]
    issue_id: String,
    /// Which tool
    #[arg(long, default_value = "")]
    tool_name: String,
    /// How it ended
    #[arg(long)]
    exit_code: Option<i64>,
    /// What went wrong
    #[arg(long, default_value = "")]
    error: String,
    /// Read a JSON object from standard input
    #[arg(long)]
    stdin: bool,
}

// Not a terminal, and not /dev/null either.
fn is_piped() -> bool {
    let stdin = std::fs::metadata("/dev/stdin");
    stdin.is_ok_and(|stdin| !stdin.file_type().is_char_device())
}

impl Record {
    fn run(self, bd: &Bd) -> Answer {
        let exit_code = self.exit_code.filter(|code| *code >= 0);
        let texts = [
            ("kind", &self.kind),
            ("issue_id", &self.issue_id),
            ("model", &self.model),
            ("prompt", &self.prompt),
            ("response", &self.response),
            ("tool_name", &self.tool_name),
            ("error", &self.error),
        ];
        let is_bare = texts.iter().all(|(_, text)| text.is_empty()) && exit_code.is_none();
        let mut line = Map::new();
        if self.stdin || (is_bare && is_piped()) {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text);
            read.map_err(|error| Refusal::plain(format!("failed to read stdin: {error}")))?;
            line = entry(&text).map_err(|why| Refusal::plain(format!("invalid JSON on stdin: {why}")))?;
            line.retain(|name, _| FIELDS.contains(&name.as_str()) || name == "extra");
        } else if self.kind.is_empty() {
            return Err(Refusal::plain("--kind is required"));
        } else {
            line.extend(texts.map(|(name, text)| (name.to_owned(), json!(text))));
            line.extend(exit_code.map(|code| ("exit_code".to_owned(), json!(code))));
        }
        if !bd.actor.is_empty() {
            line.insert("actor".to_owned(), json!(bd.actor));
        }
        let kind = line.get("kind").cloned().unwrap_or_default();
        let id = append(bd, line).map_err(Refusal::plain)?;
        if bd.json() {
            return print_object(&json!({ "id": id, "kind": kind }));
        }
        out::line(id);
        Ok(())
    }
}

// What is read must be what bd can read again: so each field has the type that it has there, and Go's words say which it is.
fn entry(text: &str) -> Result<Map<String, Value>, String> {
    let value = serde_json::from_str(text).map_err(|error| {
        if error.is_eof() { "unexpected end of JSON input".to_owned() } else { error.to_string() }
    })?;
    let line = match value {
        Value::Object(line) => line,
        Value::Null => Map::new(),
        other => {
            return Err(format!(
                "json: cannot unmarshal {} into Go value of type audit.Entry",
                kind_of(&other)
            ));
        }
    };
    for (name, value) in line.iter().filter(|(_, value)| !value.is_null()) {
        let (fits, wanted) = match name.as_str() {
            "exit_code" => (value.is_i64(), "int"),
            "extra" => (value.is_object(), "map[string]interface {}"),
            "created_at" if !value.is_string() => {
                return Err("Time.UnmarshalJSON: input is not a JSON string".to_owned());
            }
            known if FIELDS.contains(&known) => (value.is_string(), "string"),
            _ => continue,
        };
        if !fits {
            let number = value.as_number().filter(|_| wanted == "int").map(|number| format!(" {number}"));
            let kind = kind_of(value).to_owned() + &number.unwrap_or_default();
            return Err(format!(
                "json: cannot unmarshal {kind} into Go struct field Entry.{name} of type {wanted}"
            ));
        }
    }
    Ok(line)
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Say what a line is worth
#[derive(Debug, Args)]
pub(super) struct Label {
    /// Its id
    entry: String,
    /// good, bad, …
    #[arg(long = "label", default_value = "")]
    value: String,
    /// Why
    #[arg(long, default_value = "")]
    reason: String,
}

impl Label {
    fn run(self, bd: &Bd) -> Answer {
        if self.value.is_empty() {
            return Err(Refusal::plain("--label is required"));
        }
        let mut line = Map::new();
        let texts = [
            ("kind", "label"),
            ("actor", &bd.actor),
            ("parent_id", &self.entry),
            ("label", &self.value),
            ("reason", &self.reason),
        ];
        line.extend(texts.map(|(name, text)| (name.to_owned(), json!(text))));
        let id = append(bd, line).map_err(Refusal::plain)?;
        if bd.json() {
            return print_object(&json!({ "id": id, "parent_id": self.entry, "label": self.value }));
        }
        out::line(id);
        Ok(())
    }
}

/// A field of an issue that has changed.
#[derive(Debug, Clone)]
pub(super) struct FieldChange {
    /// Whose.
    pub(super) issue: String,
    /// Which.
    pub(super) field: &'static str,
    /// What it was.
    pub(super) before: String,
    /// What it is.
    pub(super) after: String,
    /// Why; empty if nobody said.
    pub(super) reason: String,
}

/// Keeps changes of fields. Values that stayed the same are none.
pub(super) fn record(bd: &Bd, changes: &[FieldChange]) {
    for change in changes.iter().filter(|change| change.before != change.after) {
        let mut extra =
            json!({ "field": change.field, "old_value": change.before, "new_value": change.after });
        if let Some(extra) = extra.as_object_mut().filter(|_| !change.reason.is_empty()) {
            extra.insert("reason".to_owned(), json!(change.reason));
        }
        let mut line = Map::new();
        let texts = [("kind", "field_change"), ("actor", &bd.actor), ("issue_id", &change.issue)];
        line.extend(texts.map(|(name, text)| (name.to_owned(), json!(text))));
        line.insert("extra".to_owned(), extra);
        if let Err(problem) = append(bd, line) {
            tracing::warn!(%problem, "the change of a field was not recorded");
        }
    }
}

// Adds a line, with an id and a time if it has none. Gives the id.
fn append(bd: &Bd, mut line: Map<String, Value>) -> Result<String, String> {
    let is_there =
        |value: Option<&Value>| value.is_some_and(|value| !matches!(value.as_str(), Some("") | None));
    if !is_there(line.get("kind")) {
        return Err("kind is required".to_owned());
    }
    if !is_there(line.get("id")) {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| format!("failed to generate id: {error}"))?;
        let id = bytes.iter().fold("int-".to_owned(), |id, byte| id + &format!("{byte:02x}"));
        line.insert("id".to_owned(), json!(id));
    }
    if !is_there(line.get("created_at")) {
        line.insert("created_at".to_owned(), json!(bd.now.to_string()));
    }
    // In the order of the fields, those left out that say nothing.
    let mut parts = Vec::new();
    for name in FIELDS.into_iter().chain(["extra"]) {
        let Some(value) =
            line.get(name).filter(|value| !matches!(value.as_str(), Some("")) && !value.is_null())
        else {
            continue;
        };
        parts.push(format!("\"{name}\":{value}"));
    }
    let text = format!("{{{}}}\n", parts.join(","));
    let path = bd.noted_in.join(FILE);
    let told = |error: std::io::Error| format!("failed to write interactions log entry: {error}");
    let mut options = OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o644);
    let mut file = options.create(true).append(true).open(&path).map_err(told)?;
    file.write_all(text.as_bytes()).map_err(told)?;
    Ok(line.get("id").and_then(Value::as_str).unwrap_or_default().to_owned())
}
