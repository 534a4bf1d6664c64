//! `gt db commit`.

use std::path::Path;

use clap::Args;
use dolt_store::Hash;
use dolt_store::commit::{CommitMeta, Prepared, Session as State};
use serde_json::json;

use super::writing::{author, write};
use crate::cli::failure::{Failure, Kind};
use crate::cli::out::{self, DIM, GREEN, styled};
use crate::cli::session::Session;

/// Commit what is staged on the branch that the directory is on, without a server.
///
/// Example: gt db --db gastown commit -A -m "what the crash left"
#[derive(Debug, Args)]
pub(crate) struct Commit {
    /// The message
    #[arg(long, short)]
    message: String,
    /// Stage everything first, new tables too, but for those that `dolt_ignore` names
    #[arg(long, short = 'A')]
    all: bool,
    /// Commit although nothing has changed
    #[arg(long)]
    allow_empty: bool,
    /// By whom, instead of whom Dolt is configured for
    #[arg(long, value_name = "NAME <MAIL>")]
    author: Option<String>,
}

/// The branch, the tables that are ignored, the commit.
type Made = (String, Vec<String>, Hash);

impl Commit {
    pub(super) fn run(&self, session: &Session, dir: &Path) -> Result<(), Failure> {
        if self.message.trim().is_empty() {
            return Err(Failure::new(Kind::Usage, "a commit needs a message").hint("Say it with -m"));
        }
        let committer = author(session, dir, None)?;
        let meta = CommitMeta {
            author: author(session, dir, self.author.as_deref())?,
            committer,
            message: self.message.clone(),
        };
        let (branch, ignored, commit) = write(session, dir, |state| self.prepare(state, &meta))?;
        session.show(
            || json!({"commit": commit.to_string(), "branch": branch, "ignored": ignored}),
            || {
                out::line(format!("{} {commit} on {branch}", styled(GREEN, "✓")));
                if !ignored.is_empty() {
                    out::line(format!(
                        "  {}",
                        styled(DIM, format!("not in it, ignored: {}", ignored.join(", ")))
                    ));
                }
            },
        );
        Ok(())
    }

    fn prepare(&self, state: &State, meta: &CommitMeta) -> Result<(Made, Option<Prepared>), Failure> {
        let branch = state.head().to_owned();
        let mut draft = state.begin(&branch)?;
        let ignored = if self.all { draft.stage_all()? } else { Vec::new() };
        let is_changed = draft.working() != draft.staged();
        if let Some((commit, prepared)) = draft.prepare_commit(meta, self.allow_empty)? {
            return Ok(((branch, ignored, commit), Some(prepared)));
        }
        let failure = Failure::new(Kind::Other, format!("nothing is staged on {branch}"));
        Err(if is_changed && !self.all {
            failure.hint("-A stages every change; gt db diff HEAD WORKING shows them")
        } else {
            failure.hint("--allow-empty makes a commit all the same")
        })
    }
}
