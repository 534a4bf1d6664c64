//! `bd hooks`: what git runs of bd.
//!
//! Git has one directory of hooks. `init` and `install --beads` make it `.beads/hooks`, `--shared` makes it `.beads-hooks`; the
//! hooks that were in force before are copied along, or they would be silently lost.

mod run;
mod shim;

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;

use super::answer::{Answer, Refusal, print_raw};
use super::context::Calling;
use super::version::BD_VERSION;
use crate::cli::out;
use crate::sys::atomic;
use crate::town::env::Env;
use crate::town::workspace::{GitConfig, GitEditError, Repo};

/// What git runs of bd: install, uninstall, list, run
#[derive(Debug, Subcommand)]
pub(super) enum Hooks {
    Install(Install),
    /// Take bd's part out of every hook
    Uninstall,
    /// Which hooks there are
    List,
    Run(run::Run),
}

/// Put bd's part into git's hooks
#[derive(Debug, Args)]
pub(super) struct Install {
    /// Into .beads/hooks
    #[arg(long)]
    beads: bool,
    /// Into .beads-hooks, which git can keep
    #[arg(long)]
    shared: bool,
    #[arg(long, hide = true)]
    force: bool,
    #[arg(long, hide = true)]
    chain: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    name: &'static str,
    installed: bool,
    version: String,
    is_shim: bool,
    outdated: bool,
}

impl Hooks {
    pub(super) fn run(self, calling: &Calling) -> Answer {
        match self {
            Self::Install(how) => install(calling, &how),
            Self::Uninstall => uninstall(calling),
            Self::List => list(calling),
            Self::Run(hook) => hook.run(calling),
        }
    }
}

/// The repository in which a command runs, with its configuration.
fn repository(calling: &Calling) -> Answer<Repo> {
    let dir = calling.global.directory.as_deref().unwrap_or(&calling.cwd);
    Repo::around(&calling.env, dir).ok_or_else(|| Refusal::new("not a git repository"))
}

/// Where git looks for hooks now.
fn hooks_dir(env: &Env, repo: &Repo) -> PathBuf {
    let config = GitConfig::load(env, Some(repo));
    match config.get("core.hooksPath").filter(|path| !path.is_empty()) {
        Some(path) => {
            let path = match (path.strip_prefix("~/"), env.home()) {
                (Some(rest), Some(home)) => home.join(rest),
                _ => PathBuf::from(path),
            };
            repo.main_root().unwrap_or_else(|| repo.common_dir.clone()).join(path)
        }
        None => repo.common_dir.join("hooks"),
    }
}

/// What `init` does: hooks in `.beads/hooks`.
pub(super) fn install_for_init(env: &Env, repo: &Repo, beads_dir: &Path) -> Result<(), String> {
    put(env, repo, &beads_dir.join("hooks"), true).map(drop)
}

fn install(calling: &Calling, how: &Install) -> Answer {
    let within = |refusal: Refusal| refusal.within("installing hooks");
    let repo = repository(calling).map_err(within)?;
    let root = repo.main_root().unwrap_or_else(|| repo.common_dir.clone());
    let (dir, is_set) = if how.beads {
        (calling.workspace()?.dir().join("hooks"), true)
    } else if how.shared {
        (root.join(".beads-hooks"), true)
    } else {
        (hooks_dir(&calling.env, &repo), false)
    };
    let kept = put(&calling.env, &repo, &dir, is_set).map_err(|error| within(Refusal::new(error)))?;
    if calling.global.json {
        return print_raw(&serde_json::json!({
            "success": true,
            "message": "Git hooks installed successfully",
            "shared": how.shared,
            "chained": how.chain,
            "beadsHooks": how.beads,
        }));
    }
    for name in kept {
        out::line(format!("  Preserving existing {name} hook"));
    }
    out::line("✓ Git hooks installed successfully\n");
    if is_set {
        let named = if how.beads { ".beads/hooks" } else { ".beads-hooks" };
        out::line(format!("Hooks installed to: {named}/\nGit config set: core.hooksPath={named}\n"));
    }
    out::line("Installed hooks:");
    for name in shim::NAMES {
        out::line(format!("  - {name}"));
    }
    Ok(())
}

// Gives the hooks that were copied along.
fn put(env: &Env, repo: &Repo, dir: &Path, is_set: bool) -> Result<Vec<String>, String> {
    let failed = |what: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", what.display());
    let mode = if dir.parent().is_some_and(|parent| parent.ends_with(".beads")) { 0o700 } else { 0o755 };
    let made = fs::DirBuilder::new().recursive(true).mode(mode).create(dir);
    made.map_err(|error| failed(dir, &error))?;
    let kept = if is_set { copy_along(&hooks_dir(env, repo), dir)? } else { Vec::new() };
    for name in shim::NAMES {
        let path = dir.join(name);
        let text = match fs::read(&path) {
            Ok(bytes) => {
                let text =
                    String::from_utf8(bytes).map_err(|_| failed(&path, &"it is a program, not a script"))?;
                let version = shim::version(&text);
                // An old hook that was bd's alone is replaced whole.
                if version.is_bds && !version.is_shim {
                    shim::alone(name)
                } else {
                    shim::with_section(&text, name)
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => shim::alone(name),
            Err(error) => return Err(failed(&path, &error)),
        };
        atomic::write(&path, text.as_bytes(), 0o755).map_err(|error| failed(&path, &error.source))?;
    }
    if is_set {
        let named = dir.to_string_lossy();
        repo.set_config("core.hooksPath", &named).map_err(|error| error.to_string())?;
    }
    Ok(kept)
}

fn copy_along(from: &Path, to: &Path) -> Result<Vec<String>, String> {
    let is_same = from.canonicalize().ok().is_some_and(|from| to.canonicalize().is_ok_and(|to| to == from));
    let is_bds = from.ends_with(".beads/hooks") || from.ends_with(".beads-hooks");
    let Ok(entries) = fs::read_dir(from) else { return Ok(Vec::new()) };
    let mut kept = Vec::new();
    for entry in entries.flatten().filter(|_| !is_same && !is_bds) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_hook = entry.path().is_file() && !name.starts_with('.') && !name.ends_with(".sample");
        let target = to.join(&name);
        if !is_hook || target.exists() {
            continue;
        }
        let bytes = fs::read(entry.path()).map_err(|error| format!("{}: {error}", entry.path().display()))?;
        let text = String::from_utf8_lossy(&bytes);
        let own =
            if text.contains("# bd (beads)") { Some(String::new()) } else { shim::without_section(&text) };
        let own = match own {
            Some(own) if shim::is_empty(&own) => continue,
            Some(own) => own.into_bytes(),
            None => bytes,
        };
        atomic::write(&target, &own, 0o755).map_err(|error| format!("{error}: {}", error.source))?;
        kept.push(name);
    }
    kept.sort();
    Ok(kept)
}

fn uninstall(calling: &Calling) -> Answer {
    let within = |error: String| Refusal::new(format!("uninstalling hooks: {error}"));
    let repo = repository(calling).map_err(|refusal| refusal.within("uninstalling hooks"))?;
    let dir = hooks_dir(&calling.env, &repo);
    for name in shim::NAMES {
        let path = dir.join(name);
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let version = shim::version(&text);
        let left = match shim::without_section(&text) {
            Some(left) => left,
            None if version.is_bds => String::new(),
            None => continue,
        };
        let done = if shim::is_empty(&left) {
            atomic::remove(&path).map(drop)
        } else {
            atomic::rewrite(&path, left.as_bytes(), 0o755)
        };
        done.map_err(|error| within(format!("{error}: {}", error.source)))?;
    }
    if dir.ends_with(".beads/hooks") || dir.ends_with(".beads-hooks") {
        match repo.unset_config("core.hooksPath") {
            // It may be set for the user or the machine.
            Ok(()) | Err(GitEditError::NotSet { .. }) => {}
            Err(error) => out::note(format!("Warning: failed to reset core.hooksPath: {error}")),
        }
    }
    if calling.global.json {
        let told = serde_json::json!({ "success": true, "message": "Git hooks uninstalled successfully" });
        return print_raw(&told);
    }
    out::line("✓ Git hooks uninstalled successfully");
    Ok(())
}

fn list(calling: &Calling) -> Answer {
    let dir = repository(calling).ok().map(|repo| hooks_dir(&calling.env, &repo));
    let status = |name: &'static str| {
        let text = dir.as_ref().and_then(|dir| fs::read_to_string(dir.join(name)).ok());
        let version = text.as_deref().map(shim::version);
        let found =
            version.clone().unwrap_or(shim::Version { text: String::new(), is_shim: false, is_bds: false });
        Status {
            name,
            installed: version.is_some(),
            outdated: found.is_bds && !found.is_shim && found.text != BD_VERSION,
            version: found.text,
            is_shim: found.is_shim,
        }
    };
    let all = shim::NAMES.map(status);
    if calling.global.json {
        #[derive(Serialize)]
        struct Answered<'a> {
            hooks: &'a [Status],
        }
        return print_raw(&Answered { hooks: &all });
    }
    out::line("Git hooks status:");
    for Status { name, installed, version, is_shim, outdated } in all {
        out::line(match (installed, is_shim, outdated) {
            (false, ..) => format!("  ✗ {name}: not installed"),
            (_, true, _) => format!("  ✓ {name}: installed (shim {version})"),
            (_, _, true) => {
                format!("  ⚠ {name}: installed (version {version}, current: {BD_VERSION}) - outdated")
            }
            _ => format!("  ✓ {name}: installed (version {version})"),
        });
    }
    Ok(())
}
