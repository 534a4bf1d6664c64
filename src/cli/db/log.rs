//! `gt db log`.

use std::collections::HashMap;
use std::io::IsTerminal;

use clap::Args;
use dolt_store::Hash;
use dolt_store::commit::{LogEntry, RefKind, Session as State};
use serde_json::{Value, json};

use super::graph;
use crate::cli::failure::{Failure, Kind};
use crate::cli::out::{self, YELLOW, styled};
use crate::cli::session::Session;
use crate::sys::clock::Timestamp;

/// Show the history, in the order and spelling of `dolt log`.
#[derive(Debug, Args)]
pub(crate) struct Log {
    /// Where to begin: branch, tag, commit
    #[arg(default_value = "HEAD")]
    revision: String,
    /// At most so many commits
    #[arg(short = 'n', long, value_name = "N")]
    number: Option<usize>,
    /// One line per commit
    #[arg(long)]
    oneline: bool,
    /// Draw who descends from whom, as `dolt log --graph` does
    #[arg(long)]
    graph: bool,
}

/// The names of branches, remote branches and tags by the commit that they point to.
type Names = HashMap<Hash, Vec<String>>;

impl Log {
    pub(super) fn run(&self, session: &Session, state: &State) -> Result<(), Failure> {
        let from = state.resolve_commit(&self.revision)?;
        let from =
            from.ok_or_else(|| Failure::new(Kind::Other, format!("there is no commit {:?}", self.revision)))?;
        let limit = self.number.unwrap_or(usize::MAX);
        let entries = state.log(from)?.take(limit).collect::<Result<Vec<_>, _>>()?;
        let names = self.names(state)?;
        session.show(
            || json!({"commits": entries.iter().map(to_json).collect::<Vec<_>>()}),
            || {
                let lines = match (self.graph, self.oneline) {
                    (true, false) => graph::whole(&entries, |e| head(e, &names, state)),
                    (true, true) => graph_of_lines(&entries, &names, state),
                    (false, true) => entries.iter().map(|e| oneline(e, &names, state)).collect(),
                    (false, false) => entries.iter().flat_map(|e| whole(e, &names, state)).collect(),
                };
                out::raw(&lines.iter().fold(String::new(), |text, line| text + line + "\n"));
            },
        );
        Ok(())
    }

    // Dolt says what points to a commit when people look, and always beside a graph.
    fn names(&self, state: &State) -> Result<Names, Failure> {
        let mut names = Names::new();
        if !self.graph && !std::io::stdout().is_terminal() {
            return Ok(names);
        }
        let refs = state.all_refs()?;
        for kind in [RefKind::Branch, RefKind::Remote, RefKind::Tag] {
            for found in refs.iter().filter(|r| r.kind == kind) {
                let (commit, name) = match kind {
                    RefKind::Tag => (state.tag(found.target)?.commit, format!("tag: {}", found.name)),
                    _ => (found.target, found.name.clone()),
                };
                names.entry(commit).or_default().push(name);
            }
        }
        Ok(names)
    }
}

// `(HEAD -> main, tag: v1) `; nothing if nothing points there.
fn pointing(entry: &LogEntry, names: &Names, state: &State) -> String {
    let Some(names) = names.get(&entry.hash) else { return String::new() };
    let head = state.resolve_commit("HEAD").ok().flatten();
    let head = if head == Some(entry.hash) { "HEAD -> " } else { "" };
    styled(YELLOW, format!("({head}{}) ", names.join(", ")))
}

fn joined(entry: &LogEntry) -> String {
    entry.commit.description.split('\n').collect::<Vec<_>>().join(" ")
}

fn oneline(entry: &LogEntry, names: &Names, state: &State) -> String {
    let message = entry.commit.description.lines().collect::<Vec<_>>().join(" ");
    format!("{}{}{message}", styled(YELLOW, format!("{} ", entry.hash)), pointing(entry, names, state))
}

// Dolt writes one blank behind the first commit and two behind the others.
fn graph_of_lines(entries: &[LogEntry], names: &Names, state: &State) -> Vec<String> {
    let first = entries.first().map(|e| e.hash);
    let text = |e: &LogEntry| {
        let commit = styled(YELLOW, format!("commit {}", e.hash));
        let gap = if Some(e.hash) == first { " " } else { "  " };
        format!("{commit}{gap}{}{}", pointing(e, names, state), joined(e))
    };
    graph::oneline(entries, text)
}

// A commit's lines beside a graph, without its message.
fn head(entry: &LogEntry, names: &Names, state: &State) -> Vec<String> {
    let commit = &entry.commit;
    let mut lines = vec![format!(
        "{}{}",
        styled(YELLOW, format!("commit {}", entry.hash)),
        pointing(entry, names, state)
    )];
    lines.extend(parents(entry));
    lines.push(format!("Author: {} <{}>", commit.name, commit.email));
    lines.push(format!("Date: {}", date(commit.author_millis)));
    lines
}

fn parents(entry: &LogEntry) -> Option<String> {
    let parents: Vec<String> = entry.commit.parents.iter().map(ToString::to_string).collect();
    (parents.len() > 1).then(|| format!("Merge: {}", parents.join(" ")))
}

fn whole(entry: &LogEntry, names: &Names, state: &State) -> Vec<String> {
    let commit = &entry.commit;
    let pointing = pointing(entry, names, state);
    let mut lines = vec![format!("{}{pointing}", styled(YELLOW, format!("commit {} ", entry.hash)))];
    lines.extend(parents(entry));
    lines.push(format!("Author: {} <{}>", commit.name, commit.email));
    lines.push(format!("Date:  {}", date(commit.author_millis)));
    lines.push(String::new());
    lines.extend(commit.description.split('\n').map(|line| format!("\t{line}")));
    lines.push(String::new());
    lines
}

// As Go prints it, in local time; Dolt rounds to the nearest second.
fn date(millis: i64) -> String {
    let seconds = millis.saturating_add(500).div_euclid(1000);
    let Ok(stamp) = Timestamp::from_second(seconds) else { return seconds.to_string() };
    crate::sys::clock::in_words(stamp)
}

fn to_json(entry: &LogEntry) -> Value {
    let commit = &entry.commit;
    json!({
        "commit": entry.hash.to_string(),
        "parents": commit.parents.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "author": commit.name,
        "email": commit.email,
        "committer": commit.committer_name.as_ref().unwrap_or(&commit.name),
        "committer_email": commit.committer_email.as_ref().unwrap_or(&commit.email),
        "author_millis": commit.author_millis,
        "committer_millis": commit.committer_millis,
        "height": commit.height,
        "message": commit.description,
    })
}
