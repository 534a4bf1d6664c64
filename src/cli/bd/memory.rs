//! `bd remember`, `recall`, `memories`, `forget`: what later sessions should know (bd 1.1.0 `cmd/bd/memory.go`).

use std::collections::BTreeMap;

use clap::Args;
use serde_json::json;

use super::answer::{Answer, Refusal, print_object};
use super::context::Bd;
use super::kv;
use crate::cli::out;
use crate::store::load;
use crate::store::ops::MEMORY;
use crate::store::reader::Reader;

/// Keep something for later sessions
#[derive(Debug, Args)]
#[command(
    after_help = "Example: bd remember \"run the tests with -race\"\n         bd remember \"uses JWT\" --key auth"
)]
pub(super) struct Remember {
    /// What; the name of a memory alone shows it
    insight: String,
    /// Its name (default: its first words)
    #[arg(long)]
    key: Option<String>,
}

/// Show a memory
#[derive(Debug, Args)]
pub(super) struct Recall {
    /// Its name
    key: String,
}

/// List memories
#[derive(Debug, Args)]
pub(super) struct Memories {
    /// Those with this in them
    search: Option<String>,
}

/// Remove a memory
#[derive(Debug, Args)]
pub(super) struct Forget {
    /// Its name
    key: String,
}

/// All memories by name.
pub(super) fn all(reader: &dyn Reader) -> Answer<BTreeMap<String, String>> {
    let pairs = load::all_keyed(reader, "config")?;
    Ok(pairs
        .into_iter()
        .filter_map(|(key, value)| Some((key.strip_prefix(MEMORY)?.to_owned(), value)))
        .collect())
}

fn stored(bd: &Bd, key: &str) -> Answer<Option<String>> {
    Ok(load::config(&*bd.reader()?, &format!("{MEMORY}{key}"))?)
}

/// At most eight words and sixty letters, small, with hyphens between.
fn slug(text: &str) -> String {
    let lower = text.to_lowercase();
    let words = lower
        .split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit()))
        .filter(|word| !word.is_empty());
    let joined = words.take(8).collect::<Vec<_>>().join("-");
    joined.get(..60).map_or(joined.as_str(), |cut| cut.trim_end_matches('-')).to_owned()
}

/// On one line, at most so many bytes.
pub(super) fn one_line(text: &str, most: usize) -> String {
    let line = text.replace('\n', " ");
    if line.len() <= most {
        return line;
    }
    let end = (0..=most.saturating_sub(3)).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
    format!("{}...", line.get(..end).unwrap_or_default())
}

impl Remember {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let Self { insight, key } = self;
        if insight.trim().is_empty() {
            return Err(Refusal::new("memory content cannot be empty"));
        }
        let given = key.filter(|key| !key.is_empty());
        let key = given.clone().unwrap_or_else(|| slug(&insight));
        if key.is_empty() {
            return Err(Refusal::new("could not generate key from content; use --key to specify one"));
        }
        let known = stored(bd, &key)?;
        if given.is_none() && slug(&insight) == insight {
            // A name alone is a question, not something to keep.
            let Some(value) = known else {
                return Err(Refusal::new(format!(
                    "no memory named {key:?} to recall -- and refusing to store a bare key-like token as its own content. `bd remember` WRITES (its positional arg is CONTENT, not a key). To store it anyway: `bd remember {insight:?} --key {key}`. To browse keys: `bd memories`"
                )));
            };
            if bd.json() {
                return print_object(
                    &json!({ "key": key, "value": value, "found": true, "action": "recalled" }),
                );
            }
            out::note(format!(
                "(recalled {key:?}: a bare existing key reads. To overwrite: `bd remember \"<new content>\" --key {key}`)"
            ));
            out::line(value);
            return Ok(());
        }
        kv::write(bd, "remember", &format!("{MEMORY}{key}"), Some(&insight))?;
        let verb = if known.is_some() { "Updated" } else { "Remembered" };
        if bd.json() {
            return print_object(&json!({ "key": key, "value": insight, "action": verb.to_lowercase() }));
        }
        out::line(format!("{verb} [{key}]: {}", one_line(&insight, 80)));
        Ok(())
    }
}

impl Recall {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let value = stored(bd, &self.key)?;
        let text = value.clone().unwrap_or_default();
        if bd.json() {
            print_object(&json!({ "key": self.key, "value": text, "found": value.is_some() }))?;
        } else if value.is_some() {
            out::line(text);
        } else {
            out::note(format!("No memory with key {:?}", self.key));
        }
        if value.is_some() { Ok(()) } else { Err(Refusal::silent()) }
    }
}

impl Memories {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let wanted = self.search.as_deref().unwrap_or_default().to_lowercase();
        let mut found = all(&*bd.reader()?)?;
        found.retain(|key, value| {
            key.to_lowercase().contains(&wanted) || value.to_lowercase().contains(&wanted)
        });
        if bd.json() {
            return print_object(&found);
        }
        out::line(match (found.is_empty(), wanted.is_empty()) {
            (true, true) => "No memories stored. Use 'bd remember \"insight\"' to add one.".to_owned(),
            (true, false) => format!("No memories matching {wanted:?}"),
            (false, true) => format!("Memories ({}):\n", found.len()),
            (false, false) => format!("Memories matching {wanted:?}:\n"),
        });
        for (key, value) in found {
            out::line(format!("  {key}\n    {}\n", one_line(&value, 120)));
        }
        Ok(())
    }
}

impl Forget {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let key = self.key;
        let Some(value) = stored(bd, &key)? else {
            if bd.json() {
                print_object(&json!({ "key": key, "found": "false" }))?;
            } else {
                out::note(format!("No memory with key {key:?}"));
            }
            return Err(Refusal::silent());
        };
        kv::write(bd, "forget", &format!("{MEMORY}{key}"), None)?;
        if bd.json() {
            return print_object(&json!({ "key": key, "deleted": "true" }));
        }
        out::line(format!("Forgot [{key}]: {}", one_line(&value, 80)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_of_the_first_words() {
        assert_eq!(slug("Always run tests, with -race!"), "always-run-tests-with-race");
        assert_eq!(slug("a b c d e f g h i j"), "a-b-c-d-e-f-g-h");
        assert_eq!(slug(&"x".repeat(70)).len(), 60);
        assert_eq!(slug("äöü"), "");
        assert_eq!(one_line("a\nbä", 4), "a...");
    }
}
