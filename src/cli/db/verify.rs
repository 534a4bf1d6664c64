//! `gt db verify`.

use clap::Args;
use dolt_store::commit::{Database, Ref, RefKind};
use dolt_store::verify::{Finding, RefState, Report, Stage, Watch, verify};
use serde_json::{Value, json};

use super::working::Working;
use crate::cli::failure::{Failure, Kind};
use crate::cli::out::{self, GREEN, RED, styled};
use crate::cli::progress::Bar;
use crate::cli::session::Session;

/// Check everything: every chunk, every reference, the order of every tree, and indexes against rows.
///
/// Says what is wrong, where, and what is still safe. Nothing is changed. Exit code 1 (11 under --exit-code) if anything is
/// wrong. Not compared with the rows: full-text, spatial and vector indexes; a note says so.
#[derive(Debug, Args)]
pub(crate) struct Verify {}

/// Findings that are printed for people; JSON has all of them.
const SHOWN: usize = 100;

impl Verify {
    #[expect(clippy::unused_self, reason = "every command has this shape")]
    pub(super) fn run(&self, session: &Session, database: &Database) -> Result<(), Failure> {
        let bar = Bar::new(false);
        let report = verify(database, &bar);
        bar.end();
        let report = report?;
        let under_way = under_way(database);
        session.show(
            || {
                let mut body = to_json(&report);
                body["under_way"] = json!(under_way);
                body
            },
            || {
                for what in &under_way {
                    out::note(format!("Note: {what}"));
                }
                for_people(&report);
            },
        );
        if report.is_clean() { Ok(()) } else { Err(Failure::code_only(Kind::Damaged)) }
    }
}

// Merges and the like that were begun and not ended: nothing is wrong with that, but somebody should know.
fn under_way(database: &Database) -> Vec<String> {
    let Ok(state) = database.session() else { return Vec::new() };
    let branches = state.refs_of(RefKind::Branch).unwrap_or_default();
    let of = |branch: &Ref| {
        let working = Working::of(&state, &branch.name).ok()??;
        Some(format!("branch {}: {}", branch.name, working.under_way()?))
    };
    branches.iter().filter_map(of).collect()
}

impl Watch for Bar {
    fn progress(&self, stage: Stage, done: u64, of: u64) {
        let stage = match stage {
            Stage::Chunks => "chunks",
            Stage::History => "history",
            _ => "tables",
        };
        let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        self.begin(stage, count(of));
        self.at(count(done));
    }
}

fn for_people(report: &Report) {
    for note in &report.notes {
        out::note(format!("Note: {note}"));
    }
    let size = out::bytes(report.chunk_bytes);
    out::line(format!(
        "{} ({size}), {}, {}, {}, {}, {}",
        counted(report.chunks, "chunk", "chunks"),
        counted(report.commits, "commit", "commits"),
        counted(report.roots, "root value", "root values"),
        counted(report.tables, "table state", "table states"),
        counted(report.nodes, "node", "nodes"),
        counted(report.entries, "entry", "entries"),
    ));
    if report.is_clean() {
        out::line(styled(GREEN, "Nothing is wrong."));
        return;
    }
    let total = report.findings.len();
    out::line(styled(RED, format!("{}:", out::count(total, "thing is wrong", "things are wrong"))));
    for finding in report.findings.iter().take(SHOWN) {
        out::line(format!("  {finding}"));
    }
    if let Some(more) = total.checked_sub(SHOWN).filter(|n| *n > 0) {
        out::line(format!("  and {more} more (--json has all)"));
    }
    out::line("Still safe:");
    if report.refs.is_empty() {
        out::line("  nothing could be reached");
    }
    for state in &report.refs {
        out::line(format!("  {} {}: {}", word(state.kind), state.name, safety(state)));
    }
}

pub(super) fn counted(n: u64, one: &str, many: &str) -> String {
    out::count(usize::try_from(n).unwrap_or(usize::MAX), one, many)
}

fn safety(state: &RefState) -> String {
    if state.history_is_safe {
        return "all of it".to_owned();
    }
    if state.tip_is_safe {
        return "its newest state; something in its history is damaged".to_owned();
    }
    let tables = |list: &[String]| if list.is_empty() { "none".to_owned() } else { list.join(", ") };
    if state.damaged_tables.is_empty() {
        return format!("tables {}; something besides tables is damaged", tables(&state.safe_tables));
    }
    format!("tables {} (damaged: {})", tables(&state.safe_tables), tables(&state.damaged_tables))
}

pub(super) fn word(kind: RefKind) -> &'static str {
    match kind {
        RefKind::Branch => "branch",
        RefKind::Tag => "tag",
        RefKind::Remote => "remote",
        RefKind::Stash => "stash",
        RefKind::Internal => "internal",
        _ => "other",
    }
}

fn to_json(report: &Report) -> Value {
    let finding = |f: &Finding| {
        json!({
            "problem": f.problem,
            "chunk": f.chunk.map(|c| c.to_string()),
            "file": f.file.as_ref().map(|(path, _)| path.display().to_string()),
            "offset": f.file.as_ref().map(|(_, offset)| offset),
            "state": f.state,
            "table": f.table,
            "index": f.index,
            "key": f.key,
        })
    };
    let state = |s: &RefState| {
        json!({
            "kind": word(s.kind),
            "name": s.name,
            "newest_is_safe": s.tip_is_safe,
            "history_is_safe": s.history_is_safe,
            "damaged_tables": s.damaged_tables,
            "safe_tables": s.safe_tables,
        })
    };
    json!({
        "clean": report.is_clean(),
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "notes": report.notes,
        "refs": report.refs.iter().map(state).collect::<Vec<_>>(),
        "chunks": report.chunks,
        "chunk_bytes": report.chunk_bytes,
        "commits": report.commits,
        "roots": report.roots,
        "tables": report.tables,
        "nodes": report.nodes,
        "entries": report.entries,
    })
}
