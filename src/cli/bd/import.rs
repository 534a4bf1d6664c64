//! `bd import`: one file, read line by line, one transaction, one commit. Nothing of a file with a bad line is imported.

use std::io::{BufReader, Read};
use std::path::Path;

use beads::import::{Mode, drop_known_titles};
use beads::jsonl::{Header, Records, read};
use beads::shapes::Imported;
use clap::Args;

use super::answer::{Answer, Refusal, print_object};
use super::context::Bd;
use super::text::in_go;
use crate::cli::out;
use crate::cli::progress::Bar;
use crate::store::load::{self, Rules, With};
use crate::store::ops;
use crate::store::{Outcome, step};

/// Take issues from a JSONL file
#[derive(Debug, Args)]
#[command(after_help = "Example: bd import backup.jsonl --dry-run\n         other-tool | bd import -")]
pub(super) struct Import {
    /// The file; - is standard input (default: `import.path`, which is .beads/issues.jsonl)
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
        self.run_with(bd, &Bar::new(bd.global.quiet))
    }

    /// The same with this bar.
    pub(super) fn run_with(self, bd: &Bd, bar: &Bar) -> Answer {
        if self.input.is_some() && self.file.is_some() {
            return Err(Refusal::new("use either --input or a positional file, not both"));
        }
        let Some((source, mut records)) = self.read(bd, bar)? else { return Ok(()) };
        let mut known_titles = 0;
        if self.dedup {
            let stored = load::everything(&*bd.reader()?, true, With::NOTHING)?;
            known_titles = drop_known_titles(&mut records.issues, stored.iter());
        }
        if self.dry_run {
            bar.end();
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
        let act = bd.act();
        let result = bd.write("import", |tx| {
            let rules = Rules::load(tx.reader())?;
            let mut result = step(tx, &act, |work| {
                let plan = ops::import(work, &rules, &records.issues, mode)?;
                let mut result = Imported::of(&plan, source.clone());
                result.memories = ops::remember(work, &records.memories);
                let (bar, all) = (bar.clone(), work.changes.as_slice().len());
                bar.begin("importing", all);
                work.changes.watched_by(move |done| {
                    bar.at(done);
                    if done == all {
                        bar.wait("committing");
                    }
                });
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
        bar.end();
        tell(bd, &result, "Imported")
    }

    // What the file says, and its name. None: it is empty, and that was told.
    fn read(&self, bd: &Bd, bar: &Bar) -> Answer<Option<(String, Records)>> {
        let given = self.file.clone().or(self.input.clone());
        let default = || {
            let path = bd.beads_dir().join(bd.workspace.config().text("import.path"));
            path.to_string_lossy().into_owned()
        };
        let path = given.unwrap_or_else(default);
        if path == "-" {
            let records = records(bar.reading(std::io::stdin(), None), "standard input")?;
            return Ok(Some(("stdin".to_owned(), records)));
        }
        let failed = |cannot: &str, call: &str, error: &std::io::Error| {
            Refusal::new(format!("cannot {cannot} {path}: {call} {path}: {}", in_go(error)))
        };
        let found = std::fs::metadata(&path).map_err(|error| failed("read", "stat", &error))?;
        // What is no plain file, as a pipe, does not tell how much there is in it.
        let bytes = found.is_file().then_some(found.len());
        if bytes == Some(0) {
            if bd.json() {
                print_object(&Imported { source: path, ..Imported::default() })?;
            } else {
                out::note(format!("Empty file: {path}"));
            }
            return Ok(None);
        }
        let file = std::fs::File::open(&path).map_err(|error| failed("open", "open", &error))?;
        let records = records(bar.reading(file, bytes), &path)?;
        Ok(Some((path, records)))
    }
}

// One line of text at a time is in memory.
fn records(source: impl Read, name: &str) -> Answer<Records> {
    let read = read(BufReader::with_capacity(1 << 16, source), Header::AnIssue);
    read.map_err(|error| Refusal::new(error.to_string()).hint(format!("nothing of {name} was imported")))
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
