//! `bd hooks run`: what a hook does. Nothing here keeps git from going on; only a hook of the user's own, `<name>.old` beside
//! it, may.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use clap::Args;

use super::{hooks_dir, repository, shim};
use crate::cli::bd::answer::{Answer, Refusal};
use crate::cli::bd::context::{Bd, Calling};
use crate::cli::bd::export::Export;
use crate::cli::bd::import::Import;
use crate::cli::bd::programs::{self, LIMIT};
use crate::cli::out;
use crate::sys::{atomic, spawn};

/// Do what a git hook is for
#[derive(Debug, Args)]
pub(in crate::cli::bd) struct Run {
    /// Which hook
    name: String,
    /// What git gave it
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

impl Run {
    pub(super) fn run(self, calling: &Calling) -> Answer {
        if !shim::NAMES.contains(&self.name.as_str()) {
            return Err(Refusal::plain(format!("unknown hook: {}", self.name)));
        }
        self.chained(calling)?;
        let warn = |refusal: Refusal| out::note(format!("beads: {} warning: {}", self.name, refusal.text()));
        let is_switch = self.args.get(2).is_some_and(|flag| flag == "1");
        let done = match self.name.as_str() {
            "pre-commit" => export(calling),
            "post-merge" => import(calling),
            "post-checkout" if is_switch => import(calling),
            "prepare-commit-msg" => self.sign(calling),
            _ => Ok(()),
        };
        done.unwrap_or_else(warn);
        Ok(())
    }

    fn chained(&self, calling: &Calling) -> Answer {
        let Ok(repo) = repository(calling) else { return Ok(()) };
        let old = hooks_dir(&calling.env, &repo).join(format!("{}.old", self.name));
        let runs = fs::metadata(&old).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0);
        let is_bds = fs::read(&old).is_ok_and(|bytes| shim::version(&String::from_utf8_lossy(&bytes)).is_bds);
        if !runs || is_bds {
            return Ok(());
        }
        let args: Vec<OsString> = self.args.iter().map(OsString::from).collect();
        let ran = programs::wait(spawn::foreground(&old, &args, &calling.cwd, None, &[]));
        match ran.flatten() {
            Ok((status, _)) if status.success() => Ok(()),
            Ok((status, _)) => {
                let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
                Err(Refusal::silent().code(code))
            }
            Err(error) => {
                out::note(format!("Warning: chained hook {} failed: {error}", self.name));
                Err(Refusal::silent())
            }
        }
    }

    // Whose hands the commit came from, if they are an agent's.
    fn sign(&self, calling: &Calling) -> Answer {
        let (Some(file), Some(actor)) = (self.args.first(), calling.env.text("BD_ACTOR")) else {
            return Ok(());
        };
        if self.args.get(1).is_some_and(|source| source == "merge") {
            return Ok(());
        }
        let file = calling.cwd.join(file);
        let failed = |what: &str| Refusal::plain(format!("could not {what} the commit message"));
        let text = fs::read_to_string(&file).map_err(|_| failed("read"))?;
        if text.lines().any(|line| line.starts_with("Executed-By:")) {
            return Ok(());
        }
        let signed = format!("{}\n\nExecuted-By: {actor}\n", text.trim_end());
        atomic::rewrite(&file, signed.as_bytes(), 0o600).map_err(|_| failed("write"))
    }
}

fn opened(calling: &Calling) -> Answer<Bd> {
    let mut global = calling.global.clone();
    (global.quiet, global.json) = (true, false);
    Calling { env: calling.env.clone(), global, cwd: calling.cwd.clone() }.bd()
}

fn git(calling: &Calling, dir: &Path, args: &[&str]) -> Answer<String> {
    let ran = programs::output(&calling.env, "git", args, dir, LIMIT);
    let ran = ran.map_err(|error| Refusal::plain(error.to_string()))?;
    programs::printed(&ran).map_err(|said| Refusal::plain(format!("git: {said}")))
}

// With `export.auto`, a commit that touches `.beads` takes the issues along.
fn export(calling: &Calling) -> Answer {
    let Ok(workspace) = calling.workspace() else { return Ok(()) };
    let config = workspace.config();
    let root = workspace.dir().parent().unwrap_or(Path::new("/")).to_owned();
    let is_wanted = config.bool("export.auto")
        && !git(calling, &root, &["diff", "--cached", "--name-only", "--", ".beads"])?.trim().is_empty();
    if !is_wanted {
        return Ok(());
    }
    let path = workspace.dir().join(config.text("export.path"));
    Export::to_file(&path).run(&opened(calling)?)?;
    if config.bool("export.git-add") && !config.bool("no-git-ops") && path.starts_with(&root) {
        git(calling, &root, &["add", "--", &path.to_string_lossy()])?;
    }
    Ok(())
}

// Without a remote of the database the file that git brought is the only news.
fn import(calling: &Calling) -> Answer {
    let Ok(workspace) = calling.workspace() else { return Ok(()) };
    let config = workspace.config();
    if !config.bool("import.auto") || config.said("sync.remote").is_some() {
        return Ok(());
    }
    let is_default = config
        .get("import.path")
        .is_none_or(|(_, source)| source == crate::town::workspace::ConfigSource::Default);
    let path = workspace.dir().join(config.text(if is_default { "export.path" } else { "import.path" }));
    if !fs::metadata(&path).is_ok_and(|m| m.len() > 0) {
        return Ok(());
    }
    Import::of_file(&path).run(&opened(calling)?)
}
