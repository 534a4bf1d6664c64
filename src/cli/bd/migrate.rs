//! `bd migrate`: the schema of a database is looked at, and brought up to date where it is older, natively and in one commit.
//!
//! What could go wrong is a database that nobody can read any more, so its directory is copied first, and a clone that forks
//! the schema of a shared database, which the gate refuses in bd's words.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Duration;

use beads::go_json;
use clap::{Args, Subcommand};
use dolt_store::commit::Author;
use serde_json::{Value, json};

use super::answer::{Answer, Refusal, print_object};
use super::context::Bd;
use super::repo_id::{self, Ids};
use crate::cli::out;
use crate::store::StoreError;
use crate::store::native::{Attempt, Native};
use crate::store::schema::{self, Access, Circumstances, Found, LOCAL_VERSION, MAIN_VERSION, Verdict};
use crate::sys::atomic::settle_tree;
use crate::sys::clock::Deadline;
use crate::town::workspace::Place;

/// How long the gate of a town is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bring the database's schema up to date. A copy of the database is kept
#[derive(Debug, Args)]
pub(super) struct Migrate {
    #[command(subcommand)]
    what: Option<What>,
    /// Do it without asking
    #[arg(long, global = true)]
    yes: bool,
    /// Say what would be done
    #[arg(long, global = true)]
    dry_run: bool,
    /// Show the versions and what is to come
    #[arg(long)]
    inspect: bool,
    /// Also tell the database which repository it belongs to, after git's remote has changed
    #[arg(long)]
    update_repo_id: bool,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum What {
    /// The same
    Schema,
}

impl Migrate {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let (Some(What::Schema) | None) = self.what;
        let is_question = self.dry_run || self.inspect;
        if bd.global.readonly && !is_question {
            return Err(Refusal::plain("operation 'migrate' is not allowed in read-only mode"));
        }
        let native = native(bd)?;
        let by = author(bd);
        let session = native.session()?;
        let found = schema::inspect(&session).map_err(StoreError::from)?;
        let refused = gated(bd, native.dir(), &session, &found)?;
        if let Some(refused) = refused.filter(|_| !is_question) {
            return Err(told(&refused, bd.json()));
        }
        if found.is_current() && self.update_repo_id && !self.inspect {
            return repo_id::update(bd, self.dry_run, self.yes);
        }
        if found.is_current() {
            return current(bd, &found, is_question);
        }
        // The whole of it, in a draft that nobody sees.
        let mut draft = session.begin(session.head()).map_err(StoreError::from)?;
        let problem = schema::migrate(&mut draft, &by).err();
        if is_question {
            return plan(bd, &found, problem.map(|problem| StoreError::from(problem).to_string()));
        }
        if let Some(problem) = problem {
            return Err(StoreError::from(problem).into());
        }
        if !self.is_agreed(bd, &found)? {
            out::line("Canceled");
            return Ok(());
        }
        let backup = backup_place(bd, native.dir(), &found)?;
        let keep = || copy_whole(native.dir(), &backup).map_err(|e| not_kept(&backup, &e));
        match native.migrate(&by, Deadline::after(PATIENCE), keep)? {
            Attempt::Held => {
                let what = format!("{} is in use: stop the server, then migrate", native.dir().display());
                Err(Refusal::new(what))
            }
            Attempt::Done(commit) => {
                let commit = commit.map(|commit| commit.to_string());
                let ids = self.update_repo_id.then(|| Ids::of(bd)).transpose()?;
                if let Some(ids) = &ids {
                    ids.store(bd)?;
                }
                if bd.json() {
                    let mut told = json!({
                        "status": "success", "from_version": found.main, "current_version": MAIN_VERSION,
                        "from_local_version": found.local, "local_version": LOCAL_VERSION,
                        "commit": commit, "backup": backup,
                    });
                    if let (Some(ids), Some(fields)) = (&ids, told.as_object_mut()) {
                        fields.insert("old_repo_id".to_owned(), json!(ids.shown_old()));
                        fields.insert("new_repo_id".to_owned(), json!(ids.shown_new()));
                    }
                    return print_object(&told);
                }
                out::line(format!("✓ Schema migrated: {}", way(&found)));
                out::line(format!("  Backup: {}", backup.display()));
                Ok(())
            }
        }
    }

    fn is_agreed(&self, bd: &Bd, found: &Found) -> Answer<bool> {
        if self.yes {
            return Ok(true);
        }
        if bd.json() || !io::stdin().is_terminal() {
            return Err(Refusal::new(format!("schema {} is to be migrated: say --yes", way(found))));
        }
        out::raw(&format!("Migrate the schema {}? [y/N] ", way(found)));
        let mut said = String::new();
        let read = io::stdin().read_line(&mut said);
        read.map_err(|error| Refusal::plain(format!("no answer: {error}")))?;
        Ok(matches!(said.trim().to_lowercase().as_str(), "y" | "yes"))
    }
}

fn native(bd: &Bd) -> Answer<Native> {
    match bd.workspace.place().map_err(|error| Refusal::new(error.to_string()))? {
        Place::Directory(local) if local.path.join(".dolt").is_dir() => Ok(Native::at(local.path, None)),
        Place::Directory(local) => Err(StoreError::NoDatabase { path: local.path }.into()),
        Place::Remote(_) => Err(Refusal::new("a database on another machine is migrated there")),
    }
}

fn author(bd: &Bd) -> Author {
    let text =
        |name: &str, default: &str| bd.workspace.env().text(name).unwrap_or_else(|| default.to_owned());
    Author {
        name: text("GIT_AUTHOR_NAME", "beads"),
        email: text("GIT_AUTHOR_EMAIL", "beads@local"),
        millis: bd.now.as_millisecond().unsigned_abs(),
    }
}

// Why it may not be migrated from here.
fn gated(
    bd: &Bd,
    dir: &Path,
    session: &dolt_store::commit::Session,
    found: &Found,
) -> Answer<Option<schema::Refusal>> {
    let env = |name: &str| bd.workspace.env().text(name);
    let (allow, smart) = (env("BD_ALLOW_REMOTE_MIGRATE"), env("BD_SMART_GATE"));
    let remotes = remotes(dir)?;
    // With several remotes it is not said which of them the others look at.
    let hashes = match remotes.as_slice() {
        [one] => schema::remote_hashes(session, one, session.head()).map_err(StoreError::from)?,
        _ => None,
    };
    let verdict = schema::gate(
        found,
        &Circumstances {
            access: Access::Write,
            by_server: false,
            has_remote: !remotes.is_empty(),
            remote: hashes.as_ref(),
            ignore_skew: bd.global.ignore_schema_skew || env("BD_IGNORE_SCHEMA_SKEW").as_deref() == Some("1"),
            allow_remote_migrate: allow.as_deref(),
            smart_gate: smart.as_deref(),
        },
    );
    match verdict {
        Verdict::Refuse(refusal) => Ok(Some(refusal)),
        Verdict::Empty => Err(Refusal::new("no tables of bd in the database").hint("run 'bd init'")),
        Verdict::Open(warning) | Verdict::Migrate(warning) => {
            warning.into_iter().for_each(out::note);
            Ok(None)
        }
    }
}

// A file that cannot be read is no reason to believe that nobody else has the database.
fn remotes(dir: &Path) -> Answer<Vec<String>> {
    let path = dir.join(".dolt/repo_state.json");
    let failed = |problem: String| Refusal::new(format!("{}: {problem}", path.display()));
    let text = fs::read_to_string(&path).map_err(|error| failed(error.to_string()))?;
    let state: Value = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    let remotes = state.get("remotes").and_then(Value::as_object);
    Ok(remotes.into_iter().flatten().map(|(name, _)| name.clone()).collect())
}

// In bd's words; as JSON on standard error, where bd puts it.
fn told(refused: &schema::Refusal, json: bool) -> Refusal {
    if json {
        out::note(go_json::object(&refused.json()).unwrap_or_default().trim_end());
    } else {
        out::note(format!("Error: {refused}"));
        out::note(refused.advice());
    }
    Refusal::silent()
}

fn way(found: &Found) -> String {
    let local = found.local.map_or("none".to_owned(), |v| format!("v{v}"));
    format!("v{} → v{MAIN_VERSION}, local {local} → v{LOCAL_VERSION}", found.main)
}

fn current(bd: &Bd, found: &Found, is_question: bool) -> Answer {
    if is_question {
        return plan(bd, found, None);
    }
    if bd.json() {
        let (main, local) = (found.main, found.local);
        return print_object(
            &json!({ "status": "current", "current_version": main, "local_version": local }),
        );
    }
    out::line(format!("✓ Schema already at v{}", found.main));
    Ok(())
}

fn plan(bd: &Bd, found: &Found, problem: Option<String>) -> Answer {
    if bd.json() {
        return print_object(&json!({
            "dry_run": true, "status": if found.is_current() { "current" } else { "pending" },
            "current_version": found.main, "target_version": MAIN_VERSION, "pending": found.pending(),
            "local_version": found.local, "target_local_version": LOCAL_VERSION,
            "missing_local": found.missing_local, "problem": problem,
        }));
    }
    out::line("Dry run mode - no changes will be made");
    if found.is_current() {
        out::line(format!("✓ Schema already at v{}", found.main));
        return Ok(());
    }
    out::line(format!("Would migrate the schema: {}", way(found)));
    if !found.missing_local.is_empty() {
        out::line(format!("Would make the local tables {}", found.missing_local.join(", ")));
    }
    if let Some(problem) = problem {
        out::line(format!("But: {problem}"));
    }
    Ok(())
}

// Not beside the database: whatever looks for databases would find it there.
fn backup_place(bd: &Bd, dir: &Path, found: &Found) -> Answer<PathBuf> {
    let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let parent = bd.beads_dir().join("backup");
    fs::create_dir_all(&parent).map_err(|error| not_kept(&parent, &error))?;
    Ok(parent.join(format!("{name}-v{}-{}", found.main, bd.now.strftime("%Y%m%dT%H%M%SZ"))))
}

fn not_kept(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Refused(format!("the database could not be copied to {}: {error}", path.display()))
}

fn copy_whole(from: &Path, to: &Path) -> io::Result<()> {
    copy_tree(from, to)?;
    settle_tree(to)
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
