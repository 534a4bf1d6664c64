//! `bd export`: every issue as a line of JSON, with all that hangs on it.

use std::io::Write;

use beads::filter::Filter;
use beads::jsonl::{counts, write_issue, write_memory};
use beads::order::SortKey;
use beads::{Graph, Issue};
use clap::Args;

use super::answer::{Answer, Refusal};
use super::context::Bd;
use crate::cli::out;
use crate::store::load::{self, Rules, With};
use crate::store::ops::MEMORY;
use crate::store::reader::By;
use crate::sys::atomic;

/// Write issues to a JSONL file
#[derive(Debug, Args)]
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
    #[arg(long, hide = true)]
    no_memories: bool,
}

impl Export {
    /// What everybody shares, to this file.
    pub(super) fn to_file(path: &std::path::Path) -> Self {
        let output = Some(path.to_string_lossy().into_owned());
        Self { output, all: false, include_infra: false, include_memories: false, no_memories: true }
    }

    /// All that there is, to this file.
    pub(super) fn everything_to(path: &std::path::Path) -> Self {
        Self { all: true, no_memories: false, ..Self::to_file(path) }
    }

    /// The lines of the issues, and how many they are.
    pub(super) fn lines(&self, bd: &Bd) -> Answer<(Vec<u8>, usize)> {
        let reader = bd.reader()?;
        let rules = Rules::load(&*reader)?;
        let mut filter = Filter::of_export(self.all, &rules.infra);
        if self.include_infra {
            filter.exclude_types.clear();
        }
        let mut issues = load::everything(&*reader, true, With::ALL)?;
        load::sessions(&*reader, &By::All, &mut issues)?;
        let numbers = counts(&issues);
        // No condition of an export looks at the graph.
        let graph = Graph::default();
        let mut chosen: Vec<&Issue> =
            issues.iter().filter(|issue| filter.matches(issue, &graph, bd.now)).collect();
        let order = SortKey::Priority.rows(false);
        chosen.sort_by(|a, b| a.is_wisp().cmp(&b.is_wisp()).then_with(|| order(a, b)));
        let mut text = Vec::new();
        for issue in &chosen {
            let numbers = numbers.get(issue.id.as_str()).copied().unwrap_or_default();
            let line = write_issue(issue, numbers)
                .map_err(|error| Refusal::new(format!("failed to marshal issue {}: {error}", issue.id)))?;
            text.extend_from_slice(line.as_bytes());
        }
        Ok((text, chosen.len()))
    }

    pub(super) fn run(self, bd: &Bd) -> Answer {
        let (mut text, issues) = self.lines(bd)?;
        let reader = bd.reader()?;
        let mut memories = 0;
        if (self.include_memories || self.all) && !self.no_memories {
            for (key, value) in load::all_keyed(&*reader, "config")? {
                let Some(key) = key.strip_prefix(MEMORY) else { continue };
                let line = write_memory(key, &value)
                    .map_err(|error| Refusal::new(format!("failed to marshal memory {key}: {error}")))?;
                text.extend_from_slice(line.as_bytes());
                memories += 1;
            }
        }
        let Some(path) = &self.output else {
            let mut stdout = std::io::stdout().lock();
            return match stdout.write_all(&text).and_then(|()| stdout.flush()) {
                Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                    Err(Refusal::new(format!("failed to write: {error}")))
                }
                _ => Ok(()),
            };
        };
        atomic::write(std::path::Path::new(path), &text, 0o644).map_err(|error| {
            Refusal::new(format!("failed to create output file: {error}: {}", error.source))
        })?;
        let and = if memories > 0 { format!(" and {memories} memories") } else { String::new() };
        out::note(format!("Exported {issues} issues{and} to {path}"));
        Ok(())
    }
}
