//! `gt db log`.

use clap::Args;
use dolt_store::commit::{LogEntry, RefKind, Session as State};
use serde_json::{Value, json};

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
}

impl Log {
    pub(super) fn run(&self, session: &Session, state: &State) -> Result<(), Failure> {
        let from = state.resolve_commit(&self.revision)?;
        let from =
            from.ok_or_else(|| Failure::new(Kind::Other, format!("there is no commit {:?}", self.revision)))?;
        let limit = self.number.unwrap_or(usize::MAX);
        let entries = state.log(from)?.take(limit).collect::<Result<Vec<_>, _>>()?;
        session.show(
            || json!({"commits": entries.iter().map(to_json).collect::<Vec<_>>()}),
            || {
                for entry in &entries {
                    if self.oneline { oneline(entry) } else { whole(entry) }
                }
            },
        );
        tracing::debug!(branches = state.refs_of(RefKind::Branch).map_or(0, |b| b.len()), "log");
        Ok(())
    }
}

fn oneline(entry: &LogEntry) {
    let message = entry.commit.description.lines().collect::<Vec<_>>().join(" ");
    out::line(format!("{}{message}", styled(YELLOW, format!("{} ", entry.hash))));
}

fn whole(entry: &LogEntry) {
    let commit = &entry.commit;
    out::line(styled(YELLOW, format!("commit {} ", entry.hash)));
    if let [_, _, ..] = commit.parents.as_slice() {
        let parents: Vec<String> = commit.parents.iter().map(ToString::to_string).collect();
        out::line(format!("Merge: {}", parents.join(" ")));
    }
    out::line(format!("Author: {} <{}>", commit.name, commit.email));
    out::line(format!("Date:  {}", date(commit.author_millis)));
    out::line("");
    for line in commit.description.split('\n') {
        out::line(format!("\t{line}"));
    }
    out::line("");
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
