//! With `export.auto`, the file that git carries is written again after a command that wrote (bd 1.1.0
//! `cmd/bd/export_auto.go`).
//!
//! What could go wrong is that a file that says more than the database is overwritten. So a file with issues that the database does not
//! have, or with records that such an export leaves out, stays as it is, and a warning says so.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer::{Answer, Refusal};
use super::context::Bd;
use super::export::Export;
use super::programs;
use crate::cli::out;
use crate::cli::progress::Bar;
use crate::store::load::{self, Rules};
use crate::sys::atomic::{self, Pending, WriteError};

/// Beside the database; the real bd reads and writes it too.
const STATE: &str = "export-state.json";

#[derive(Debug, Serialize, Deserialize)]
struct State {
    last_dolt_commit: String,
    timestamp: String,
    issues: usize,
    memories: usize,
}

/// Writes the file, if it is wanted and due. `may_empty`: the command may have taken the last issue away.
pub(super) fn after(bd: &Bd, may_empty: bool) -> Answer {
    let config = bd.workspace.config();
    let is_hook = bd.workspace.env().text("BD_GIT_HOOK").as_deref() == Some("1");
    if is_hook || !config.bool("export.auto") {
        return Ok(());
    }
    let state = bd.beads_dir().join(STATE);
    let interval = match config.duration("export.interval") {
        Duration::ZERO => Duration::from_mins(1),
        interval => interval,
    };
    let interval = interval.try_into().unwrap_or(SignedDuration::MAX);
    let last = std::fs::read(&state).ok().and_then(|text| serde_json::from_slice::<State>(&text).ok());
    // What cannot be read is as if it had never been done.
    let last = last.and_then(|last| last.timestamp.parse::<Timestamp>().ok());
    if last.is_some_and(|last| bd.now.duration_since(last) < interval) {
        return Ok(());
    }
    let path = bd.beads_dir().join(config.text("export.path"));
    let issues = match written(bd, &path, may_empty) {
        Ok(issues) => issues,
        Err(refusal) => {
            out::note(format!("Warning: auto-export skipped: {}", refusal.text()));
            return Ok(());
        }
    };
    if issues > 0 && config.bool("export.git-add") && !config.bool("no-git-ops") {
        git_add(bd, &path).map_err(|refusal| refusal.within("auto-export: git add failed"))?;
    }
    let state_now = State { last_dolt_commit: head(bd)?, timestamp: bd.now.to_string(), issues, memories: 0 };
    let kept = serde_json::to_vec(&state_now).map_err(|error| error.to_string());
    let kept = kept.and_then(|text| atomic::write(&state, &text, 0o600).map_err(|error| error.to_string()));
    if let Err(why) = kept {
        out::note(format!("Warning: auto-export: failed to save state: {why}"));
    }
    Ok(())
}

// Writes the file. Gives the number of its issues; with none there is no file.
fn written(bd: &Bd, path: &Path, may_empty: bool) -> Answer<usize> {
    let reader = bd.reader()?;
    let rules = Rules::load(&*reader)?;
    let there = There::read(path, &rules.infra)?;
    let chosen = Export::to_file(path).chosen(bd)?;
    let issues = chosen.len();
    let name = path.display();
    let remedy = "Run 'bd import' to take it in, or move it aside and repeat";
    if !may_empty {
        if issues == 0 && !there.ids.is_empty() {
            return Err(Refusal::plain(format!(
                "the database would export 0 issues, but {name} has {}; it was left as it is. {remedy}",
                there.ids.len()
            )));
        }
        let known: BTreeSet<String> = load::ids(&*reader)?.into_iter().collect();
        let missing: Vec<&str> = there.ids.difference(&known).map(String::as_str).collect();
        if !missing.is_empty() {
            let dots = if missing.len() > 5 { ", ..." } else { "" };
            return Err(Refusal::plain(format!(
                "{name} has {} issue(s) that the database does not have ({}{dots}); it was left as it is. {remedy}",
                missing.len(),
                missing.iter().take(5).copied().collect::<Vec<_>>().join(", ")
            )));
        }
    }
    if there.others > 0 {
        return Err(Refusal::plain(format!(
            "{name} has {} record(s) that are not for it (memories, agents, messages, templates, wisps or unknown ones); \
             it was left as it is. 'bd export -o {name}' replaces it",
            there.others
        )));
    }
    if issues == 0 {
        atomic::remove(path).map_err(|error| Refusal::plain(error.to_string()))?;
    } else {
        let failed = |error: WriteError| Refusal::plain(error.to_string());
        let mut file = Pending::begin(path, 0o644).map_err(failed)?;
        let written = chosen.write(&mut file, &Bar::new(bd.global.quiet))?;
        written.map_err(|error| Refusal::plain(format!("{}: {error}", path.display())))?;
        file.finish().map_err(failed)?;
    }
    Ok(issues)
}

/// What a file says now.
#[derive(Debug, Default)]
struct There {
    ids: BTreeSet<String>,
    // Records that no such export writes.
    others: usize,
}

impl There {
    fn read(path: &Path, infra: &[String]) -> Answer<Self> {
        let failed = |error| Refusal::plain(format!("{}: {error}", path.display()));
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(failed(error)),
        };
        let mut found = Self::default();
        for (at, line) in BufReader::new(file).lines().enumerate() {
            let line = line.map_err(failed)?;
            if line.trim().is_empty() {
                continue;
            }
            let record: Map<String, Value> = serde_json::from_str(&line)
                .map_err(|error| Refusal::plain(format!("{}, line {}: {error}", path.display(), at + 1)))?;
            let text = |key: &str| record.get(key).and_then(Value::as_str).unwrap_or_default();
            let is_set = |key: &str| record.get(key).and_then(Value::as_bool).unwrap_or_default();
            let is_issue = matches!(text("_type"), "" | "issue") && !text("id").is_empty();
            let is_other = infra.iter().any(|kind| kind == text("issue_type"))
                || is_set("is_template")
                || is_set("ephemeral");
            if is_issue && text("status") != "tombstone" {
                found.ids.insert(text("id").to_owned());
            }
            found.others += usize::from(!is_issue || is_other);
        }
        Ok(found)
    }
}

// The newest commit, which the real bd compares with.
fn head(bd: &Bd) -> Answer<String> {
    let failed = |error: dolt_store::Error| Refusal::new(error.to_string());
    let Some(native) = bd.store.native() else { return Ok(String::new()) };
    let head = native.session()?.resolve_commit("HEAD").map_err(failed)?;
    Ok(head.map(|head| head.to_string()).unwrap_or_default())
}

// Nothing is staged where the environment names another repository, as in a hook of git.
fn git_add(bd: &Bd, path: &Path) -> Answer {
    let env = bd.workspace.env();
    if bd.workspace.repo().is_none() || env.text("GIT_DIR").is_some() {
        return Ok(());
    }
    let args = ["add", "--", &path.to_string_lossy()];
    let ran = programs::output(env, "git", &args, bd.beads_dir(), Duration::from_secs(5));
    let ran = ran.map_err(|error| Refusal::plain(error.to_string()))?;
    programs::printed(&ran).map(drop).map_err(Refusal::plain)
}
