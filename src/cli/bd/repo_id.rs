//! `bd migrate --update-repo-id`: the database is told which repository it belongs to, after git's remote has changed
//! (bd 1.1.0 `cmd/bd/migrate.go`).

use serde_json::json;

use super::answer::{Answer, Refusal, print_object};
use super::context::Bd;
use super::init::fingerprint;
use crate::cli::out;
use crate::store::load;
use crate::store::reader::of_text;
use crate::store::{Changes, Outcome};
use crate::town::workspace::Repo;

const KEY: &str = "repo_id";

/// The id that is stored and the one that is right now, as people are told them.
#[derive(Debug)]
pub(super) struct Ids {
    old: Option<String>,
    new: String,
}

impl Ids {
    /// Of the repository around.
    pub(super) fn of(bd: &Bd) -> Answer<Self> {
        let repo = bd.workspace.repo().and_then(Repo::main_root);
        let root =
            repo.ok_or_else(|| Refusal::plain("failed to compute repository ID: not a git repository"))?;
        let new = fingerprint::repo_id(bd.workspace.git_config().get("remote.origin.url"), &root);
        let old = load::keyed(&*bd.reader()?, "metadata", KEY)?;
        Ok(Self { old, new })
    }

    /// The first eight digits of the old one.
    pub(super) fn shown_old(&self) -> &str {
        self.old.as_deref().and_then(|id| id.get(..8)).unwrap_or("none")
    }

    /// The same of the new one.
    pub(super) fn shown_new(&self) -> &str {
        self.new.get(..8).unwrap_or(&self.new)
    }

    /// Stores the new one.
    pub(super) fn store(&self, bd: &Bd) -> Answer {
        bd.write("migrate", |tx| {
            let mut changes = Changes::new();
            changes.put("metadata", vec![("key", of_text(KEY)), ("value", of_text(&self.new))]);
            tx.apply(changes)?;
            let message = bd.message(|| bd.auto_commit("migrate", &[]), || "bd: migrate".to_owned());
            Ok(Outcome { message, result: () })
        })
    }
}

/// The whole command, on a database whose schema is of today.
pub(super) fn update(bd: &Bd, dry_run: bool, yes: bool) -> Answer {
    let ids = Ids::of(bd)?;
    if dry_run {
        if bd.json() {
            return print_object(
                &json!({ "dry_run": true, "old_repo_id": ids.shown_old(), "new_repo_id": ids.shown_new() }),
            );
        }
        out::line("Dry run mode - no changes will be made\nWould update repository ID:");
        out::line(format!("  Old: {}\n  New: {}", ids.shown_old(), ids.shown_new()));
        return Ok(());
    }
    let differs = ids.old.as_ref().is_some_and(|old| *old != ids.new);
    if differs && !yes && !bd.json() {
        out::line("WARNING: Changing repository ID can break sync if other clones exist.\n");
        out::line(format!("Current repo ID: {}\nNew repo ID:     {}\n", ids.shown_old(), ids.shown_new()));
        out::raw("Continue? [y/N] ");
        let mut answer = String::new();
        let read = std::io::stdin().read_line(&mut answer);
        read.map_err(|error| Refusal::plain(format!("the answer could not be read: {error}")))?;
        if !["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) {
            out::line("Canceled");
            return Ok(());
        }
    }
    ids.store(bd)?;
    if bd.json() {
        return print_object(
            &json!({ "status": "success", "old_repo_id": ids.shown_old(), "new_repo_id": ids.shown_new() }),
        );
    }
    out::line(format!("✓ Repository ID updated\n\n  Old: {}\n  New: {}", ids.shown_old(), ids.shown_new()));
    Ok(())
}
