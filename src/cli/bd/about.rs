//! `bd where`, `context`, `info`, `ping`, `quickstart`, `init-safety`: where one is, and whether it works.

use clap::Args;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Refusal, print_object};
use super::context::{Bd, Calling};
use super::fields::Fields;
use super::version::BD_VERSION;
use crate::cli::out;
use crate::store::native::Native;
use crate::store::{Engine, load};
use crate::sys::clock::Deadline;
use crate::town::workspace::{Metadata, Mode, Place, Workspace, WorkspaceError};

/// What the database holds
#[derive(Debug, Args)]
pub(super) struct Info {
    /// Also its tables and some ids
    #[arg(long)]
    schema: bool,
    #[arg(long, hide = true)]
    whats_new: bool,
    #[arg(long, hide = true)]
    thanks: bool,
}

const DIAGNOSE: &str =
    "run 'bd where' to inspect the resolved workspace, or 'bd init' to create a new database";

// The prefix that new ids have, without a server: from the files, else from the database if it is here.
fn prefix(workspace: &Workspace) -> Option<String> {
    let of_yaml = ["issue-prefix", "issue_prefix"].iter().find_map(|key| workspace.config().said(key));
    if let Some((prefix, _)) = of_yaml {
        return Some(prefix);
    }
    let Ok(Place::Directory(local)) = workspace.place() else { return None };
    let reader = Native::at(&local.path, None).reader().ok()?;
    load::config(&reader, "issue_prefix").ok().flatten()
}

pub(super) fn whereabouts(calling: &Calling) -> Answer {
    let workspace = match calling.find() {
        Err(WorkspaceError::NotFound) if calling.global.json => {
            print_object(&json!({
                "error": "no_beads_directory",
                "message": "no active beads workspace found",
                "hint": DIAGNOSE,
            }))?;
            return Err(Refusal::silent());
        }
        _ => calling.workspace()?,
    };
    let text = |path: std::path::PathBuf| path.to_string_lossy().into_owned();
    let from = workspace.redirected_from().map(text);
    let database = workspace.database_path().map(text);
    let prefix = prefix(&workspace);
    let path = workspace.dir().to_string_lossy().into_owned();
    if calling.global.json {
        let told = Fields::default()
            .with("path", path)
            .maybe("redirected_from", from)
            .maybe("prefix", prefix)
            .maybe("database_path", database);
        return print_object(&told);
    }
    out::line(path);
    for (what, value) in
        [("(via redirect from", from.map(|f| f + ")")), ("prefix:", prefix), ("database:", database)]
    {
        if let Some(value) = value {
            out::line(format!("  {what} {value}"));
        }
    }
    Ok(())
}

/// Which engine would write now, and why; and what asks for one.
fn engine(calling: &Calling, workspace: &Workspace) -> Answer<(&'static str, String, Option<String>)> {
    let (asked, by) = super::context::engine(workspace, &calling.global)?;
    let by = by.filter(|_| asked != Engine::Auto);
    let again =
        Calling { env: calling.env.clone(), global: calling.global.clone(), cwd: calling.cwd.clone() };
    let found = again.bd().and_then(|bd| Ok(bd.store.engine_now()?));
    let (chosen, why) = match found {
        Ok(now) => (now.chosen.as_str(), now.why),
        Err(refusal) => ("none", refusal.text().to_owned()),
    };
    let why = match &by {
        Some(by) => format!("{by} asks for the {} engine; {why}", asked.as_str()),
        None => why,
    };
    Ok((chosen, why, by))
}

pub(super) fn context(calling: &Calling) -> Answer {
    let workspace = calling.untold_workspace()?;
    let facts = workspace.facts();
    let Some(repo_root) = facts.repo_root else {
        let why = "cannot resolve repo context: not in a git repository";
        return Err(Refusal::new(why));
    };
    let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
    let metadata = workspace.metadata();
    let mode = metadata.and_then(Metadata::mode).unwrap_or_else(|| workspace.mode().value);
    let address = match workspace.place() {
        Ok(Place::Remote(address)) => Some(*address),
        Ok(Place::Directory(local)) => local.server,
        Err(_) => None,
    };
    let server = address.filter(|_| mode == Mode::Server);
    let port = server.as_ref().and_then(|server| server.port.as_ref()).map(|port| port.value.get());
    let host = server.map(|server| server.host.value);
    let role = workspace.role().map(|role| role.value);
    let data_dir = metadata.and_then(Metadata::data_dir).map(|dir| text(&dir));
    let project = metadata.and_then(Metadata::project_id);
    let remote = ["sync.remote", "sync.git-remote"]
        .iter()
        .find_map(|key| workspace.config().said(key))
        .map(|(url, _)| url);
    let (engine, why, forced) = engine(calling, &workspace)?;
    let database = workspace.database().value;
    let beads_dir = text(workspace.dir());
    let cwd_root = facts.cwd_repo_root.as_deref().map(text);
    if calling.global.json {
        let told = Fields::default()
            .with("beads_dir", beads_dir)
            .with("repo_root", text(&repo_root))
            .maybe("cwd_repo_root", cwd_root)
            .with("is_redirected", facts.is_redirected)
            .with("is_worktree", facts.is_worktree)
            .with("backend", "dolt")
            .with("dolt_mode", mode.as_str())
            .maybe("server_host", host)
            .maybe("server_port", port)
            .with("database", database)
            .maybe("data_dir", data_dir)
            .maybe("project_id", project)
            .maybe("sync_remote", remote.as_ref())
            .maybe("sync_git_remote", remote.as_ref())
            .maybe("role", role)
            .with("engine", engine)
            .with("engine_reason", why)
            .maybe("engine_forced_by", forced)
            .with("bd_version", BD_VERSION);
        return print_object(&told);
    }
    let row = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            out::line(format!("  {:<13} {value}", format!("{name}:")));
        }
    };
    let yes = |is: bool| is.then(|| "yes".to_owned());
    out::line(format!("bd version:     {BD_VERSION}\n\nRepository:"));
    row("beads dir", Some(beads_dir));
    row("repo root", Some(text(&repo_root)));
    row("cwd repo", cwd_root.filter(|root| *root != text(&repo_root)));
    row("redirected", yes(facts.is_redirected));
    row("worktree", yes(facts.is_worktree));
    row("role", role);
    out::line("\nBackend:");
    row("type", Some("dolt".to_owned()));
    row("mode", Some(mode.as_str().to_owned()));
    row("database", Some(database));
    row("server", host.map(|host| format!("{host}:{}", port.unwrap_or_default())));
    row("data dir", data_dir);
    row("project id", project);
    row("engine", Some(format!("{engine} ({why})")));
    if let Some(remote) = remote {
        out::line("\nSync:");
        row("remote", Some(remote));
    }
    Ok(())
}

impl Info {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        if self.thanks || self.whats_new {
            return Err(super::later::not_here("this page of bd info"));
        }
        let reader = bd.reader()?;
        let ids = load::ids(&*reader)?;
        let config: Map<String, Value> = load::all_keyed(&*reader, "config")?
            .into_iter()
            .map(|(key, value)| (key, json!(value)))
            .collect();
        let path =
            bd.workspace.database_path().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
        let prefix = load::config(&*reader, "issue_prefix")?.unwrap_or_default();
        let samples: Vec<&String> = ids.iter().take(3).collect();
        let tables = ["issues", "dependencies", "labels", "config", "metadata"];
        let version = load::keyed(&*reader, "local_metadata", "bd_version")?.unwrap_or_default();
        if bd.json() {
            let mut told = json!({
                "database_path": path,
                "mode": "direct",
                "issue_count": ids.len(),
                "config": config,
            });
            if let (true, Some(fields)) = (self.schema, told.as_object_mut()) {
                let detected = ids.first().map(|id| beads::id::leading_prefix(id));
                let schema = json!({
                    "tables": tables,
                    "schema_version": version,
                    "config": { "issue_prefix": prefix },
                    "sample_issue_ids": samples,
                    "detected_prefix": detected,
                });
                fields.insert("schema".to_owned(), schema);
            }
            return print_object(&told);
        }
        out::line("\nBeads Database Information\n===========================");
        out::line(format!("Database: {path}\nMode: direct\n\nIssue Count: {}\n", ids.len()));
        if self.schema {
            out::line(format!(
                "Schema Information:\n  Tables: {}\n  Schema Version: {version}",
                tables.join(", ")
            ));
            out::line(format!("  Configuration:\n    issue_prefix: {prefix}"));
            if !samples.is_empty() {
                let samples: Vec<&str> = samples.iter().map(|id| id.as_str()).collect();
                out::line(format!("  Sample Issue IDs: {}", samples.join(", ")));
            }
            out::line("");
        }
        Ok(())
    }
}

pub(super) fn ping(calling: Calling) -> Answer {
    let begun = Deadline::after(std::time::Duration::from_mins(1));
    let json = calling.global.json;
    let millis = || u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let failed = |refusal: &Refusal| {
        if json {
            print_object(&json!({ "status": "error", "error": refusal.text(), "total_ms": millis() }))?;
            return Err(Refusal::silent());
        }
        Err(Refusal::plain(format!("bd ping: {} ({}ms)", refusal.text(), millis())))
    };
    let bd = match calling.bd() {
        Ok(bd) => bd,
        Err(refusal) => return failed(&refusal),
    };
    let resolved = millis();
    let reader = match bd.reader() {
        Ok(reader) => reader,
        Err(refusal) => return failed(&refusal),
    };
    let opened = millis();
    if let Err(error) = load::keyed(&*reader, "metadata", "_project_id") {
        return failed(&Refusal::from(error));
    }
    let total = millis();
    if json {
        return print_object(&json!({
            "status": "ok",
            "resolve_ms": resolved,
            "store_ms": opened - resolved,
            "query_ms": total - opened,
            "total_ms": total,
        }));
    }
    out::line(format!("✓ bd ping: ok ({total}ms)"));
    Ok(())
}

pub(super) fn quickstart() {
    out::line(
        "
bd - Dependency-Aware Issue Tracker

GETTING STARTED
  bd init                        a workspace here; ids begin with the directory's name
  bd init --prefix api           ids such as api-a3f2dd
  bd init --server               with a Dolt server that others use too

CREATING ISSUES
  bd create \"Fix login bug\"
  bd create \"Add auth\" -p 0 -t feature
  bd create \"Write tests\" -d \"Unit tests for auth\" --assignee alice

VIEWING ISSUES
  bd list                        all that are not closed
  bd list --status open          by state
  bd list --priority 0           by priority: 0 is the highest, 4 the lowest
  bd show bd-1                   one of them

MANAGING DEPENDENCIES
  bd dep add bd-1 bd-2           bd-1 waits for bd-2
  bd dep remove bd-1 bd-2        and no longer

DEPENDENCY TYPES
  blocks                         the first waits for the second
  parent-child                   a part of something larger
  related                        they have to do with each other
  discovered-from                found while working on it

READY WORK
  bd ready                       open, and nothing to wait for
  bd ready --claim               take the first one

UPDATING AND CLOSING
  bd update bd-1 --claim
  bd update bd-1 --priority 0
  bd close bd-1 --reason \"merged\"

STORAGE
  A Dolt database in .beads/embeddeddolt/, or the town's server. Commands work on the same
  data whether a server runs or not.

Ready to start: bd create \"My first issue\"
",
    );
}

pub(super) fn init_safety() {
    out::line(
        "bd init refuses to run over a workspace that is there.

  --reinit-local        write its files anew; the database stays as it is
  --force               the older name of the same
  --discard-remote      although a remote has a history of these issues, which a later push would put aside
  --destroy-token=T     the yes where nobody can be asked; T is DESTROY- and the prefix of the issues

Exit codes: 10 a remote has a history, 11 the answer was no, 12 the token is missing or wrong.
Before anything else: bd export -o issues.jsonl",
    );
}
