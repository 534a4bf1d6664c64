//! What stops `bd init`: a workspace that is there, issues that somebody could lose, the history of a remote. Exit codes are
//! bd's: 10 for a remote's history, 11 for a no, 12 for a missing token (bd 1.1.0 `cmd/bd/init_safety.go`).

use std::io::{BufRead, IsTerminal};

use super::project::Git;
use super::{Plan, database};
use crate::cli::bd::answer::{Answer, Refusal};
use crate::cli::out;
use crate::town::workspace::{GitConfig, Metadata, Place, Repo, Workspace};

/// A remote has a history that the new database does not have.
const DIVERGES: u8 = 10;
/// The user said no.
const REFUSED: u8 = 11;
/// Nobody said yes.
const NO_TOKEN: u8 = 12;

/// A workspace that is there.
pub(super) struct There {
    /// Where its database is.
    location: String,
    /// The database's name, if the files say it.
    pub(super) database: Option<String>,
}

impl There {
    pub(super) fn refusal(&self, prefix: &str) -> String {
        format!(
            "\n⚠ Found existing Dolt database: {}\n\nThis workspace is already initialized.\n\nTo use the existing database:\n  Just run bd commands normally (e.g., bd list)\n\nIf the database is genuinely corrupt and unrecoverable:\n  bd export > issue-export.jsonl        # Export issue records first\n  bd init --reinit-local --prefix {prefix}    # Then reinitialize\n\nAborting.",
            self.location
        )
    }
}

/// The workspace that is where a new one should go.
pub(super) async fn existing(plan: &Plan) -> Answer<Option<There>> {
    let workspace = Workspace::at(&plan.asked, &plan.cwd, &plan.beads_dir);
    let refused = |error: crate::town::workspace::WorkspaceError| Refusal::plain(error.to_string());
    let Some(metadata) = workspace.readable_metadata().map_err(refused)? else {
        let old = plan.beads_dir.join("beads.db");
        let there = || There { location: old.display().to_string(), database: None };
        return Ok(old.exists().then(there));
    };
    let place = workspace.place().map_err(refused)?;
    if !Box::pin(database::is_there(&place)).await {
        // The files of a fresh clone, or of a rig whose database is empty.
        return Ok(None);
    }
    let location = match &place {
        Place::Directory(local) if local.exists() => local.path.display().to_string(),
        Place::Directory(_) | Place::Remote(_) => {
            format!("database {} on its server", workspace.database().value)
        }
    };
    Ok(Some(There { location, database: metadata.database() }))
}

/// Asks before the files of a workspace with issues are written anew.
pub(super) fn confirm(plan: &Plan, token: Option<&str>) -> Answer {
    let workspace = Workspace::at(&plan.asked, &plan.cwd, &plan.beads_dir);
    let place = workspace
        .place()
        .ok()
        .filter(|_| workspace.metadata().is_some_and(|m: &Metadata| m.database().is_some()));
    let count = place.as_ref().and_then(database::count).unwrap_or(0);
    if count == 0 {
        return Ok(());
    }
    out::note(format!(
        "\nWARNING: Re-initializing will destroy the existing database.\n\n  Existing issues: {count}\n\n  Export them first: bd export > issue-export.jsonl\n"
    ));
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        if token == Some(&token_of(&plan.prefix)) {
            out::note("Destroy token accepted. Proceeding with re-initialization.");
            return Ok(());
        }
        out::note(format!(
            "Refusing to destroy {count} issues in non-interactive mode.\n  See 'bd init-safety' for the required --destroy-token format."
        ));
        return Err(Refusal::silent().code(NO_TOKEN));
    }
    let wanted = format!("destroy {count} issues");
    out::note(format!("Type '{wanted}' to confirm: "));
    if answer() == wanted {
        return Ok(());
    }
    out::note("\nAborted. Database was NOT modified.");
    Err(Refusal::silent().code(REFUSED))
}

fn token_of(prefix: &str) -> String {
    format!("DESTROY-{prefix}")
}

fn answer() -> String {
    let mut line = String::new();
    match std::io::stdin().lock().read_line(&mut line) {
        Ok(_) => line.trim().to_owned(),
        Err(_) => String::new(),
    }
}

/// What the user said about a remote's history.
pub(super) struct Overrides<'a> {
    /// The issues shall come from here, not from the remote.
    pub(super) is_local_source: bool,
    /// The remote's history may go.
    pub(super) discards: bool,
    /// The token.
    pub(super) token: Option<&'a str>,
}

/// Refuses to begin a second history beside the one that a remote has.
pub(super) async fn remote(plan: &Plan, git: Option<&Git>, overrides: &Overrides<'_>) -> Answer {
    let workspace = Workspace::at(&plan.env, &plan.cwd, &plan.beads_dir);
    let configured =
        ["sync.remote", "sync.git-remote"].into_iter().find_map(|key| workspace.config().said(key));
    let named = match (configured, git) {
        (Some((url, _)), _) => url,
        (None, Some(git)) => {
            let repo = Repo::around(&plan.env, &plan.cwd).filter(|repo| repo.top.is_some());
            let config = GitConfig::load(&plan.env, repo.as_ref());
            let Some(url) = repo.as_ref().and_then(|_| config.get("remote.origin.url")) else {
                return Ok(());
            };
            match git.run(&["ls-remote", "origin", "refs/dolt/data"]).await {
                Ok(found) if !found.trim().is_empty() => url.to_owned(),
                // No history there, or nobody to be asked.
                _ => return Ok(()),
            }
        }
        (None, None) => return Ok(()),
    };
    if !(overrides.is_local_source || overrides.discards) {
        return Err(Refusal::plain(format!(
            "{named} has the history of this project's issues, and cloning it is not here yet; real bd can do it ('bd bootstrap'), and both work on the result"
        )));
    }
    if !overrides.discards {
        out::note(format!(
            "\nbd init refuses: remote '{named}' already has Dolt history (refs/dolt/data).\n\n  Why: what is made here would not have that history, and the first push would put it aside. --force, --reinit-local\n       and --from-jsonl speak of this place only.\n\n  Next:\n    Adopt the remote (recommended):\n      bd bootstrap\n    Overwrite the remote intentionally:\n      See 'bd init-safety' for --discard-remote.\n"
        ));
        return Err(Refusal::silent().code(DIVERGES));
    }
    if std::io::stdin().is_terminal() && overrides.token.is_none() {
        let wanted = token_of(&plan.prefix);
        out::note(format!(
            "\nWARNING: You are about to discard the remote's Dolt history.\n\n  Remote: {named}\n  Type {wanted:?} to confirm: "
        ));
        if answer() == wanted {
            return Ok(());
        }
        out::note("\nAborted. See 'bd init-safety' for details.");
        return Err(Refusal::silent().code(NO_TOKEN));
    }
    if overrides.token == Some(&token_of(&plan.prefix)) {
        return Ok(());
    }
    out::note(
        "\nbd init refuses: --discard-remote requires an explicit destroy-token in non-interactive mode.\n\n  Next:\n    See 'bd init-safety' for the destroy-token format.\n",
    );
    Err(Refusal::silent().code(NO_TOKEN))
}
