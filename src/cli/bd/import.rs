//! `bd import`: one file, one transaction, one commit. Nothing of a file with a bad line is imported.

use std::io::{IsTerminal, Read};
use std::path::Path;

use beads::import::{Mode, drop_known_titles};
use beads::jsonl::{Header, read};
use beads::shapes::Imported;
use clap::Args;

use super::answer::{Answer, Refusal, print_object};
use super::context::Bd;
use super::text::in_go;
use crate::cli::out;
use crate::store::load::{self, Rules, With};
use crate::store::ops;
use crate::store::{Outcome, step};

/// Take issues from a JSONL file
#[derive(Debug, Args)]
#[command(after_help = "Example: bd import backup.jsonl --dry-run\n         other-tool | bd import -")]
pub(super) struct Import {
    /// The file; - is standard input (default: .beads/issues.jsonl)
    file: Option<String>,
    /// The same as a flag
    #[arg(short, long, hide = true)]
    input: Option<String>,
    /// Only say what would be imported
    #[arg(long)]
    dry_run: bool,
    /// Leave out lines whose title an open issue has
    #[arg(long)]
    dedup: bool,
}

impl Import {
    /// All of this file.
    pub(super) fn of_file(path: &Path) -> Self {
        let file = Some(path.to_string_lossy().into_owned());
        Self { file, input: None, dry_run: false, dedup: false }
    }

    pub(super) fn run(self, bd: &Bd) -> Answer {
        if self.input.is_some() && self.file.is_some() {
            return Err(Refusal::new("use either --input or a positional file, not both"));
        }
        let given = self.file.clone().or(self.input.clone());
        let default = || bd.beads_dir().join("issues.jsonl").to_string_lossy().into_owned();
        let path = given.unwrap_or_else(default);
        let (source, bytes) = if path == "-" {
            let mut bytes = Vec::new();
            let read = std::io::stdin().read_to_end(&mut bytes);
            read.map_err(|error| Refusal::new(format!("failed to scan JSONL: {error}")))?;
            ("stdin".to_owned(), bytes)
        } else {
            let bytes = std::fs::read(&path).map_err(|error| {
                Refusal::new(format!("cannot read {path}: stat {path}: {}", in_go(&error)))
            })?;
            (path, bytes)
        };
        if bytes.is_empty() && source != "stdin" {
            if bd.json() {
                return print_object(&Imported { source, ..Imported::default() });
            }
            out::note(format!("Empty file: {source}"));
            return Ok(());
        }
        let mut records = read(&bytes, Header::AnIssue).map_err(|error| Refusal::new(error.to_string()))?;
        drop(bytes);
        for issue in &mut records.issues {
            issue.set_defaults();
        }
        let mut known_titles = 0;
        if self.dedup {
            let stored = load::everything(&*bd.reader()?, true, With::NOTHING)?;
            known_titles = drop_known_titles(&mut records.issues, stored.iter());
        }
        if self.dry_run {
            let result = Imported {
                created: records.issues.len(),
                memories: records.memories.len(),
                skipped: known_titles,
                dedup_skipped: known_titles,
                dry_run: true,
                source,
                ..Imported::default()
            };
            return tell(bd, &result, "Would import");
        }
        let mode = if bd.global.allow_stale { Mode::LineWins } else { Mode::NewerWins };
        let bar = progress(records.issues.len());
        let act = bd.act();
        let result = bd.write("import", |tx| {
            let rules = Rules::load(tx.reader())?;
            let (lines, memories) = (records.issues.clone(), &records.memories);
            let mut result = step(tx, &act, |work| {
                let plan = ops::import(work, &rules, lines, mode)?;
                let mut result = Imported::of(&plan, source.clone());
                result.memories = ops::remember(work, memories);
                Ok(result)
            })?;
            result.dedup_skipped = known_titles;
            result.skipped += known_titles;
            let words = || message(&result);
            let is_something = result.created > 0 || result.memories > 0;
            // An import is committed whatever the policy is, as in bd.
            let message = is_something.then(words);
            Ok(Outcome { message, result })
        });
        let is_begun = !bd.global.readonly;
        let result =
            result.map_err(|refusal| if is_begun { refusal.within("import failed") } else { refusal })?;
        bar.finish_and_clear();
        tell(bd, &result, "Imported")
    }
}

fn progress(lines: usize) -> indicatif::ProgressBar {
    if lines < 1000 || !std::io::stderr().is_terminal() {
        return indicatif::ProgressBar::hidden();
    }
    let bar = indicatif::ProgressBar::new_spinner();
    bar.set_message(format!("importing {lines} lines"));
    bar.enable_steady_tick(std::time::Duration::from_millis(120));
    bar
}

fn message(result: &Imported) -> String {
    let memories = match result.memories {
        0 => String::new(),
        n => format!(", {n} memories"),
    };
    let name = Path::new(&result.source).file_name().map(|name| name.to_string_lossy().into_owned());
    format!("bd import: {} issues{memories} from {}", result.created, name.unwrap_or_default())
}

fn tell(bd: &Bd, result: &Imported, verb: &str) -> Answer {
    if bd.json() {
        return print_object(result);
    }
    let mut text = format!("{verb} {} issues", result.created);
    if result.memories > 0 || result.dry_run {
        text = format!("{text} and {} memories", result.memories);
    }
    text = format!("{text} from {}", result.source);
    if result.dedup_skipped > 0 {
        text = format!("{text} ({} duplicates skipped)", result.dedup_skipped);
    }
    let stale = result.skipped.saturating_sub(result.dedup_skipped);
    if stale > 0 {
        text = format!("{text} ({stale} stale skipped; use --allow-stale to restore older rows)");
    }
    out::note(text);
    if !result.updated_issues.is_empty() {
        out::note(format!("Updated {} existing issue(s):", result.updated_issues.len()));
        for change in &result.updated_issues {
            out::note(format!("  {}: {}", change.id, change.changes));
        }
    }
    if !result.tie_kept_local_ids.is_empty() {
        out::note(format!(
            "Kept local state for {} issue(s) with the same updated_at but different content (use --allow-stale to overwrite): {}",
            result.tie_kept_local_ids.len(),
            result.tie_kept_local_ids.join(", ")
        ));
    }
    for skipped in &result.skipped_dependencies {
        out::note(format!("Skipped dependency: {skipped}"));
    }
    Ok(())
}
