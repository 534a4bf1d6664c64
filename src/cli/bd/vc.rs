//! `bd vc`, `bd dolt`: the database as Dolt sees it, and its server as `gt dolt` knows it.
//!
//! `bd dolt start` and `stop` are those of the town: a workspace outside of a town has no server of ours, and gets none.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::{Args, Subcommand};
use serde_json::json;

use super::answer::{Answer, Refusal, print_list, print_object};
use super::context::{Bd, Calling};
use super::flags::file_or_stdin;
use super::later::not_here;
use super::programs;
use crate::cli::out;
use crate::store::Outcome;
use crate::store::commits::{self, Head};
use crate::sys::spawn;
use crate::town::workspace::{Mode, Place};

/// The database's own history: status, commit, log
#[derive(Debug, Subcommand)]
pub(super) enum Vc {
    /// Branch, commit, and what is not committed
    Status,
    Commit(Commit),
    Log(Log),
    Diff(super::history::Diff),
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

/// Commit what is not committed
#[derive(Debug, Args)]
pub(super) struct Commit {
    /// What the commit says
    #[arg(short, long)]
    message: Option<String>,
    /// Read that from standard input
    #[arg(long)]
    stdin: bool,
}

/// Commit what is not committed
#[derive(Debug, Args)]
pub(super) struct DoltCommit {
    /// What the commit says
    #[arg(short, long)]
    message: Option<String>,
}

/// The commits, newest first
#[derive(Debug, Args)]
pub(super) struct Log {
    /// At most so many
    #[arg(short = 'n', long, default_value_t = 20)]
    limit: usize,
}

/// Stop the town's server
#[derive(Debug, Args)]
pub(super) struct Stop {
    /// Kill it if it does not end
    #[arg(long)]
    force: bool,
}

/// The database's place and its server
#[derive(Debug, Subcommand)]
pub(super) enum Dolt {
    /// Where the database is and how it is reached
    Show,
    /// Whether a server runs
    Status,
    /// Start the town's server
    Start,
    Stop(Stop),
    /// Whether the server answers
    Test,
    Commit(DoltCommit),
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

impl Vc {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        match self {
            Self::Status => status(bd),
            Self::Commit(commit) => commit.run(bd),
            Self::Log(log) => log.run(bd),
            Self::Diff(diff) => diff.run(bd),
            Self::Other(words) => other("vc", &["merge"], &words),
        }
    }
}

fn other(of: &str, known: &[&str], words: &[OsString]) -> Answer {
    let word = words.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
    if known.contains(&word.as_str()) {
        return Err(not_here(&format!("bd {of} {word}")));
    }
    Err(Refusal::plain(format!("unknown command {word:?} for \"bd {of}\"")))
}

fn status(bd: &Bd) -> Answer {
    let Head { branch, commit, is_clean } = commits::head(&bd.store)?;
    if bd.json() {
        return print_object(&json!({ "branch": branch, "commit": commit }));
    }
    out::line("\n📊 Version Control Status\n");
    out::line(format!("  Branch: {branch}\n  Commit: {}\n", commit.get(..8).unwrap_or(&commit)));
    if !is_clean {
        out::line("  There are changes that no commit holds; those of local tables are never in one.\n");
    }
    Ok(())
}

impl Commit {
    fn said(&self) -> Answer<String> {
        let given = self.message.clone().filter(|message| !message.is_empty());
        let said = if self.stdin {
            if given.is_some() {
                return Err(Refusal::new("cannot specify both --stdin and -m/--message"));
            }
            let text = file_or_stdin("-").map_err(|words| {
                Refusal::new(format!("failed to read commit message from stdin: {words}"))
            })?;
            Some(text.trim_end_matches('\n').to_owned())
        } else {
            given
        };
        said.filter(|message| !message.is_empty())
            .ok_or_else(|| Refusal::new("commit message is required (use -m, --message, or --stdin)"))
    }

    fn run(&self, bd: &Bd) -> Answer {
        let message = self.said()?;
        let hash = commit(bd, &message)?;
        if bd.json() {
            return print_object(&match hash {
                Some(hash) => json!({ "committed": true, "hash": hash, "message": message }),
                None => json!({ "committed": false, "message": "nothing to commit" }),
            });
        }
        out::line(match hash {
            Some(hash) => format!("Created commit {}", hash.get(..8).unwrap_or(&hash)),
            None => "Nothing to commit".to_owned(),
        });
        Ok(())
    }
}

impl DoltCommit {
    fn run(&self, bd: &Bd) -> Answer {
        let given = self.message.clone().filter(|message| !message.is_empty());
        let message = given.unwrap_or_else(|| format!("bd: commit by {}", bd.actor));
        out::line(match commit(bd, &message)? {
            Some(_) => "Committed.",
            None => "Nothing to commit.",
        });
        Ok(())
    }
}

// Commits what is in the working set. Gives the new commit, if there was anything.
fn commit(bd: &Bd, message: &str) -> Answer<Option<String>> {
    let before = commits::head(&bd.store)?.commit;
    bd.write("commit", |_| Ok(Outcome { message: Some(message.to_owned()), result: () }))?;
    let after = commits::head(&bd.store)?.commit;
    Ok((after != before).then_some(after))
}

impl Log {
    fn run(self, bd: &Bd) -> Answer {
        let all = commits::log(&bd.store, self.limit)?;
        if all.is_empty() && self.limit > 0 {
            return Err(Refusal::new("there is no commit"));
        }
        if bd.json() {
            let told: Vec<_> = all
                .iter()
                .map(|commits::Commit { hash, author, date, message }| {
                    json!({ "hash": hash, "author": author, "date": date.map(|d| d.to_string()), "message": message })
                })
                .collect();
            return print_list(&told);
        }
        for commits::Commit { hash, author, date, message } in all {
            let date = date.map(|d| d.strftime("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default();
            out::line(format!(
                "{} {date} {author}: {}",
                hash.get(..8).unwrap_or(&hash),
                message.lines().next().unwrap_or_default()
            ));
        }
        Ok(())
    }
}

impl Dolt {
    pub(super) fn run(self, calling: Calling) -> Answer {
        match self {
            Self::Show => show(&calling),
            Self::Status => server(&calling, "status", false),
            Self::Start => server(&calling, "start", false),
            Self::Stop(stop) => server(&calling, "stop", stop.force),
            Self::Test => test(&calling),
            Self::Commit(commit) => commit.run(&calling.bd()?),
            Self::Other(words) => {
                let known = ["push", "pull", "remote", "set", "killall", "clean-databases"];
                other("dolt", &known, &words)
            }
        }
    }
}

fn show(calling: &Calling) -> Answer {
    let workspace = calling.workspace()?;
    let place = workspace.place().map_err(|error| Refusal::new(error.to_string()))?;
    let database = workspace.database().value;
    let is_embedded = workspace.mode().value == Mode::Embedded;
    let (dir, address) = match place {
        Place::Directory(local) => (Some(local.path), local.server),
        Place::Remote(address) => (None, Some(*address)),
    };
    let data = dir.as_ref().and_then(|dir| dir.parent()).map(|dir| dir.to_string_lossy().into_owned());
    if calling.global.json {
        let mut told: BTreeMap<&str, serde_json::Value> = BTreeMap::new();
        told.insert("backend", json!("dolt"));
        told.insert("database", json!(database));
        told.insert("embedded", json!(is_embedded));
        match (&address, is_embedded) {
            (Some(address), false) => {
                told.insert("host", json!(address.host.value));
                told.insert("port", json!(address.port.as_ref().map(|port| port.value.get())));
                told.insert("user", json!(address.user.value));
                told.insert("connection_ok", json!(reach(calling).is_ok()));
                told.insert("shared_server", json!(false));
            }
            _ => {
                told.insert("data_dir", json!(data));
            }
        }
        return print_object(&told);
    }
    out::line("Dolt Configuration\n==================");
    out::line(format!("  Database: {database}"));
    match (address, is_embedded) {
        (Some(address), false) => {
            let port = address.port.map_or_else(|| "not set".to_owned(), |port| port.value.to_string());
            out::line(format!(
                "  Host:     {}\n  Port:     {port}\n  User:     {}",
                address.host.value, address.user.value
            ));
        }
        _ => out::line("  Mode:     embedded (files that every command opens)"),
    }
    if let Some(data) = data {
        out::line(format!("  Data:     {data}"));
    }
    Ok(())
}

// `gt dolt …` of the town around the workspace, with its own words and exit codes.
fn server(calling: &Calling, verb: &str, force: bool) -> Answer {
    let workspace = calling.workspace()?;
    let place = workspace.place().map_err(|error| Refusal::new(error.to_string()))?;
    let town = match place {
        Place::Directory(local) if local.server.is_some() => local.town,
        Place::Directory(local) => {
            if verb == "status" {
                out::line(format!(
                    "Dolt engine: embedded (in-process, no server)\n  Data: {}",
                    local.path.display()
                ));
                return Ok(());
            }
            return Err(Refusal::plain(format!(
                "'bd dolt {verb}' is not supported in embedded mode (no Dolt server)"
            )));
        }
        Place::Remote(address) => {
            return Err(Refusal::plain(format!(
                "the server is on {}, not on this machine",
                address.host.value
            )));
        }
    };
    let Some(town) = town else {
        return Err(not_here(&format!("bd dolt {verb} outside of a town")));
    };
    let gt = std::env::current_exe().ok().and_then(|own| {
        let beside = own.with_file_name("gt");
        if own.file_name().is_some_and(|name| name == "gt") {
            Some(own)
        } else {
            beside.is_file().then_some(beside)
        }
    });
    let gt = gt
        .or_else(|| calling.env.find_program("gt"))
        .ok_or_else(|| Refusal::plain("there is no program gt"))?;
    let mut words = vec!["--town".into(), town.root().as_os_str().to_owned(), "dolt".into(), verb.into()];
    if force {
        words.push("--force".into());
    }
    let ran = programs::wait(spawn::foreground(&gt, &words, &calling.cwd, None, &[])).flatten();
    let (status, _) = ran.map_err(|error| Refusal::plain(format!("{}: {error}", gt.display())))?;
    if status.success() {
        return Ok(());
    }
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Err(Refusal::silent().code(code))
}

fn reach(calling: &Calling) -> Answer {
    let again =
        Calling { env: calling.env.clone(), global: calling.global.clone(), cwd: calling.cwd.clone() };
    let bd = again.bd()?;
    let now = bd.store.engine_now()?;
    match now.server {
        Some(_) => Ok(()),
        None => Err(Refusal::new(format!("no server answers: {}", now.why))),
    }
}

fn test(calling: &Calling) -> Answer {
    if calling.workspace()?.mode().value == Mode::Embedded {
        return Err(Refusal::plain("'bd dolt test' is not supported in embedded mode (no Dolt server)"));
    }
    let reached = reach(calling);
    if calling.global.json {
        print_object(&json!({ "connection_ok": reached.is_ok() }))?;
        return reached.map_err(|_| Refusal::silent());
    }
    reached?;
    out::line("✓ Connection successful");
    Ok(())
}
