//! `bd export`: every issue as a line of JSON, with all that hangs on it. Lines are written as they are made, and a file takes
//! its place when it is whole.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use beads::filter::Filter;
use beads::issue::is_test_title;
use beads::jsonl::{counts, write_issue, write_memory};
use beads::order::SortKey;
use beads::{Graph, Issue};
use clap::Args;

use super::answer::{Answer, Refusal};
use super::context::Bd;
use crate::cli::out;
use crate::cli::progress::Bar;
use crate::store::load::{self, Rules, With};
use crate::store::ops::MEMORY;
use crate::store::reader::By;
use crate::sys::atomic::{Pending, WriteError};

/// Write issues to a JSONL file
#[derive(Debug, Default, Args)]
#[command(after_help = "Example: bd export -o issues.jsonl")]
pub(super) struct Export {
    /// The file (default: standard output)
    #[arg(short, long, value_name = "FILE")]
    output: Option<String>,
    /// Also agents, roles, messages, templates, wisps and memories
    #[arg(long)]
    all: bool,
    /// Also agents, roles and messages
    #[arg(long)]
    include_infra: bool,
    /// Also memories
    #[arg(long)]
    include_memories: bool,
    /// Leave out what has the title of a test: "test ...", "tmp-...", "debug_..."
    #[arg(long)]
    scrub: bool,
    #[arg(long, hide = true)]
    no_memories: bool,
}

/// What an export writes: issues in their order, then memories by their keys.
pub(super) struct Chosen {
    // All issues there are, because the numbers of those that are written count the others' edges too.
    issues: Vec<Issue>,
    order: Vec<usize>,
    memories: Vec<(String, String)>,
}

impl Chosen {
    /// How many issues.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Writes them all, line by line. The inner result is of `to`: with its first error nothing more is written.
    pub(super) fn write(&self, to: &mut dyn Write, bar: &Bar) -> Answer<io::Result<()>> {
        let numbers = counts(&self.issues);
        bar.begin("exporting", self.order.len());
        for (done, issue) in self.order.iter().filter_map(|at| self.issues.get(*at)).enumerate() {
            let numbers = numbers.get(issue.id.as_str()).copied().unwrap_or_default();
            let line = write_issue(issue, numbers)
                .map_err(|error| Refusal::new(format!("failed to marshal issue {}: {error}", issue.id)))?;
            if let Err(error) = to.write_all(line.as_bytes()) {
                return Ok(Err(error));
            }
            bar.at(done + 1);
        }
        for (key, value) in &self.memories {
            let line = write_memory(key, value)
                .map_err(|error| Refusal::new(format!("failed to marshal memory {key}: {error}")))?;
            if let Err(error) = to.write_all(line.as_bytes()) {
                return Ok(Err(error));
            }
        }
        Ok(to.flush())
    }
}

impl Export {
    /// What everybody shares, to this file.
    pub(super) fn to_file(path: &Path) -> Self {
        Self { output: Some(path.to_string_lossy().into_owned()), ..Self::default() }
    }

    /// All that there is, to this file.
    pub(super) fn everything_to(path: &Path) -> Self {
        Self { all: true, ..Self::to_file(path) }
    }

    /// What is to be written.
    pub(super) fn chosen(&self, bd: &Bd) -> Answer<Chosen> {
        let reader = bd.reader()?;
        let rules = Rules::load(&*reader)?;
        let mut filter = Filter::of_export(self.all, &rules.infra);
        if self.include_infra {
            filter.exclude_types.clear();
        }
        let mut issues = load::everything(&*reader, true, With::ALL)?;
        load::sessions(&*reader, &By::All, &mut issues)?;
        // No condition of an export looks at the graph.
        let graph = Graph::default();
        let is_wanted = |issue: &Issue| {
            filter.matches(issue, &graph, bd.now) && !(self.scrub && is_test_title(&issue.title))
        };
        let mut order: Vec<(usize, &Issue)> =
            issues.iter().enumerate().filter(|(_, issue)| is_wanted(issue)).collect();
        let by_priority = SortKey::Priority.rows(false);
        order.sort_by(|(_, a), (_, b)| a.is_wisp().cmp(&b.is_wisp()).then_with(|| by_priority(a, b)));
        let order = order.into_iter().map(|(at, _)| at).collect();
        let mut memories = Vec::new();
        if (self.include_memories || self.all) && !self.no_memories {
            let rows = load::all_keyed(&*reader, "config")?.into_iter();
            memories =
                rows.filter_map(|(key, value)| Some((key.strip_prefix(MEMORY)?.to_owned(), value))).collect();
        }
        Ok(Chosen { issues, order, memories })
    }

    pub(super) fn run(self, bd: &Bd) -> Answer {
        let bar = Bar::new(bd.global.quiet);
        let chosen = self.chosen(bd)?;
        if chosen.len() == 0 && self.no_memories {
            if self.output.is_some() {
                out::note("No issues to export.");
            }
            return Ok(());
        }
        let Some(path) = &self.output else {
            let written = match out::wide(usize::MAX) {
                Ok(mut stdout) => chosen.write(&mut stdout, &bar)?,
                Err(error) => Err(error),
            };
            return match written {
                // A reader that goes away is no failure.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                written => written.map_err(|error| not_written(&error)),
            };
        };
        let not_made = |error: &dyn std::fmt::Display, source: &io::Error| {
            Refusal::new(format!("failed to create output file: {error}: {source}"))
        };
        match Target::of(Path::new(path)) {
            Target::File(file) => {
                let failed = |error: WriteError| not_made(&error, &error.source);
                let mut file = Pending::begin(&file, 0o644).map_err(failed)?;
                chosen.write(&mut file, &bar)?.map_err(|error| not_written(&error))?;
                file.finish().map_err(failed)?;
            }
            Target::Other => {
                let file = OpenOptions::new().write(true).open(path);
                let file = file.map_err(|error| not_made(&format_args!("cannot open {path}"), &error))?;
                let mut file = io::BufWriter::with_capacity(1 << 16, file);
                chosen.write(&mut file, &bar)?.map_err(|error| not_written(&error))?;
            }
        }
        bar.end();
        let memories = chosen.memories.len();
        let and = if memories > 0 { format!(" and {memories} memories") } else { String::new() };
        out::note(format!("Exported {} issues{and} to {path}", chosen.len()));
        Ok(())
    }
}

fn not_written(error: &io::Error) -> Refusal {
    Refusal::new(format!("failed to write: {error}"))
}

/// Where an export goes.
enum Target {
    /// A file that it replaces, or makes.
    File(PathBuf),
    /// What is there and is no file: a pipe, a device. Nothing may be put in its place.
    Other,
}

impl Target {
    fn of(path: &Path) -> Self {
        match std::fs::metadata(path) {
            Ok(found) if !found.is_file() && !found.is_dir() => Self::Other,
            // A link stays one, and the file that it leads to is replaced.
            Ok(found) if found.is_file() => {
                Self::File(std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()))
            }
            _ => Self::File(path.to_owned()),
        }
    }
}
