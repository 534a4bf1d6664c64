//! `bd comment` and `bd comments`.

use beads::Comment as Remark;
use clap::{Args, Subcommand};

use super::answer::{Answer, Refusal, print_list, print_object};
use super::context::Bd;
use super::flags::Said;
use super::text::id_and_title;
use crate::cli::out;
use crate::store::load::{self, With};
use crate::store::ops::{self, Act};
use crate::store::{Outcome, StoreError, step};

/// Say something about an issue
#[derive(Debug, Args)]
#[command(after_help = "Example: bd comment bd-a1b the tests are red since yesterday")]
pub(super) struct Comment {
    /// Which one
    pub(super) id: String,
    #[command(flatten)]
    said: Said,
}

impl Comment {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let text = self.said.text("comment")?;
        let (comment, title) = add(bd, "comment", &self.id, &text, None)?;
        bd.touch(&comment.issue_id);
        if bd.json() {
            return print_object(&comment);
        }
        out::line(format!("✓ Comment added to {}", id_and_title(&comment.issue_id, &title)));
        Ok(())
    }
}

/// Show what was said about an issue
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Comments {
    #[command(subcommand)]
    pub(super) verb: Option<Verb>,
    /// Which one
    #[arg(required = true)]
    pub(super) id: Option<String>,
    /// Times as they are here, not in UTC
    #[arg(long)]
    local_time: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    Add(Add),
}

/// Say something about an issue
#[derive(Debug, Args)]
pub(super) struct Add {
    /// Which one
    pub(super) id: String,
    /// What
    text: Option<String>,
    /// Read it from a file
    #[arg(short, long, value_name = "FILE")]
    file: Option<String>,
    /// In somebody's name
    #[arg(short, long)]
    author: Option<String>,
}

impl Comments {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        if let Some(Verb::Add(add)) = self.verb {
            return add.run(bd);
        }
        let given = self.id.unwrap_or_default();
        if given == "list" {
            return Err(Refusal::new(
                "\"bd comments list\" is not valid.\n\nTo list comments on an issue, run:\n  bd comments <issue-id>\n\nExample:\n  bd comments bd-123\n\nSee: bd comments --help",
            ));
        }
        let reader = bd.reader()?;
        let id = Bd::resolve_as(&*reader, "resolving", &given)?;
        let with = With { comments: true, ..With::NOTHING };
        let found = load::issue(&*reader, &id, with)?;
        let comments = found.map(|(issue, _)| issue.comments).unwrap_or_default();
        if bd.json() {
            return print_list(&comments);
        }
        if comments.is_empty() {
            out::line(format!("No comments on {id}"));
            return Ok(());
        }
        out::line(format!("\nComments on {id}:\n"));
        for comment in &comments {
            let zone = if self.local_time { jiff::tz::TimeZone::system() } else { jiff::tz::TimeZone::UTC };
            let at = comment.created_at.map(|at| at.to_zoned(zone).strftime("%Y-%m-%d %H:%M").to_string());
            out::line(format!("[{}] at {}", comment.author, at.unwrap_or_default()));
            for line in comment.text.trim_end_matches('\n').split('\n') {
                out::line(format!("  {line}"));
            }
            out::line("");
        }
        Ok(())
    }
}

impl Add {
    fn run(self, bd: &Bd) -> Answer {
        let text = match (&self.file, &self.text) {
            (Some(file), _) => read(file)?,
            (None, Some(text)) => text.clone(),
            (None, None) => return Err(Refusal::new("comment text required (use -f to read from file)")),
        };
        let (comment, _) = add(bd, "comments add", &self.id, &text, self.author)?;
        if bd.json() {
            return print_object(&comment);
        }
        out::line(format!("Comment added to {}", comment.issue_id));
        Ok(())
    }
}

fn read(file: &str) -> Answer<String> {
    std::fs::read_to_string(file).map_err(|error| Refusal::new(format!("reading file: {error}")))
}

fn add(bd: &Bd, verb: &str, given: &str, text: &str, author: Option<String>) -> Answer<(Remark, String)> {
    if text.trim().is_empty() {
        return Err(Refusal::new("comment text cannot be empty"));
    }
    let act = bd.act();
    let act = Act { actor: author.filter(|name| !name.is_empty()).unwrap_or(act.actor), ..act };
    let written = bd.write(verb, |tx| {
        let id = Bd::resolve_as(tx.reader(), "resolving", given)?;
        let (issue, _) = load::issue(tx.reader(), &id, With::NOTHING)?
            .ok_or_else(|| StoreError::NoIssue { id: id.clone() })?;
        let comment = step(tx, &act, |work| ops::add_comment(work, &id, text))?;
        let server = || format!("bd: comment {id}");
        let message = bd.message(|| bd.auto_commit(verb, std::slice::from_ref(&id)), server);
        Ok(Outcome { message, result: (comment, issue.title) })
    });
    written.map_err(|refusal| refusal.within(&format!("resolving {given}")))
}
