//! `bd kv`: values that outlive a session, kept in the configuration under `kv.`.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use serde_json::json;

use super::answer::{Answer, Refusal, print_object};
use super::context::Bd;
use crate::cli::out;
use crate::store::load;
use crate::store::reader::of_text;
use crate::store::{Changes, Outcome};

const PREFIX: &str = "kv.";

/// Keep values for later
#[derive(Debug, Subcommand)]
pub(super) enum Kv {
    Set(Set),
    Get(Key),
    /// Forget a value
    Clear(Key),
    /// Show all values
    List,
}

/// Keep a value
#[derive(Debug, Args)]
pub(super) struct Set {
    /// Its name
    key: String,
    /// The value
    value: String,
}

/// Show a value
#[derive(Debug, Args)]
pub(super) struct Key {
    /// Its name
    key: String,
}

impl Kv {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        match self {
            Self::Set(Set { key, value }) => set(bd, &key, &value),
            Self::Get(Key { key }) => get(bd, &key),
            Self::Clear(Key { key }) => clear(bd, &key),
            Self::List => list(bd),
        }
    }
}

// Names that mean something else (bd 1.1.0 `cmd/bd/kv.go`: `validateKVKey`).
fn check(key: &str) -> Answer {
    const OTHERS: [&str; 7] = ["sync", "conflict", "federation", "jira", "linear", "export", "import"];
    let other = OTHERS.iter().find(|name| key.strip_prefix(**name).is_some_and(|rest| rest.starts_with('.')));
    let problem = if key.is_empty() {
        "key cannot be empty".to_owned()
    } else if key.trim().is_empty() {
        "key cannot be only whitespace".to_owned()
    } else if key.starts_with(PREFIX) {
        "key cannot start with 'kv.' (would create nested prefix)".to_owned()
    } else if key.starts_with("memory.") {
        "key cannot start with \"memory.\" (reserved for persistent memories; use 'bd remember' / 'bd forget')"
            .to_owned()
    } else if let Some(other) = other {
        format!("key cannot start with reserved prefix \"{other}.\"")
    } else {
        return Ok(());
    };
    Err(Refusal::new(format!("invalid key: {problem}")))
}

/// Sets or removes a row of `config`, as one commit with this verb in its message.
pub(super) fn write(bd: &Bd, verb: &str, key: &str, value: Option<&str>) -> Answer {
    bd.write(verb, |tx| {
        let mut changes = Changes::new();
        let is_there = load::all_keyed(tx.reader(), "config")?.iter().any(|(k, _)| k == key);
        match value {
            Some(value) => changes.put("config", vec![("key", of_text(key)), ("value", of_text(value))]),
            None if is_there => changes.delete("config", vec![("key", of_text(key))]),
            None => {}
        }
        let is_same = changes.is_empty();
        tx.apply(changes)?;
        let words = || bd.auto_commit(verb, &[]);
        let message = if is_same { None } else { bd.message(words, words) };
        Ok(Outcome { message, result: () })
    })
}

fn set(bd: &Bd, key: &str, value: &str) -> Answer {
    check(key)?;
    write(bd, "set", &format!("{PREFIX}{key}"), Some(value))?;
    if bd.json() {
        return print_object(&json!({ "key": key, "value": value }));
    }
    out::line(format!("Set {key} = {value}"));
    Ok(())
}

fn get(bd: &Bd, key: &str) -> Answer {
    let value = load::config(&*bd.reader()?, &format!("{PREFIX}{key}"))?;
    let text = value.clone().unwrap_or_default();
    if bd.json() {
        print_object(&json!({ "key": key, "value": text, "found": value.is_some() }))?;
    } else if value.is_some() {
        out::line(text);
    } else {
        out::note(format!("{key} (not set)"));
    }
    if value.is_some() { Ok(()) } else { Err(Refusal::silent()) }
}

fn clear(bd: &Bd, key: &str) -> Answer {
    check(key)?;
    write(bd, "clear", &format!("{PREFIX}{key}"), None)?;
    if bd.json() {
        return print_object(&json!({ "key": key, "deleted": "true" }));
    }
    out::line(format!("Cleared {key}"));
    Ok(())
}

fn list(bd: &Bd) -> Answer {
    let pairs = load::all_keyed(&*bd.reader()?, "config")?;
    let own =
        pairs.into_iter().filter_map(|(key, value)| Some((key.strip_prefix(PREFIX)?.to_owned(), value)));
    let own: BTreeMap<String, String> = own.collect();
    if bd.json() {
        return print_object(&own);
    }
    if own.is_empty() {
        out::line("No key-value pairs set");
        return Ok(());
    }
    out::line("\nKey-Value Store:");
    for (key, value) in own {
        out::line(format!("  {key} = {value}"));
    }
    Ok(())
}
