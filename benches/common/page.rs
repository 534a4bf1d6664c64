//! A run of one bench: which parts of it are wanted, what it shows, and its section of `docs/benchmarks.md`.
//!
//! Words behind the bench's name choose parts (`cargo bench --bench lifecycle -- trouble`). Only a whole run that is not a
//! quick one is written down.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::machine;
use crate::rows::Table;

/// Measured rounds of each comparison, after one to warm up.
const ROUNDS: usize = 11;
const QUICK_ROUNDS: usize = 3;

pub(crate) struct Page {
    heading: &'static str,
    wanted: Vec<String>,
    quick: bool,
    text: String,
    missed: usize,
    begun: Instant,
}

impl Page {
    /// A run for the section under this heading, with the versions of the programs that it compares. None if no part of
    /// this bench is wanted.
    pub(crate) fn begin(heading: &'static str, parts: &[&str], programs: &[PathBuf]) -> Option<Self> {
        // Cargo puts `--bench` beside what the user gave.
        let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
        let quick = std::env::var_os("GT_BENCH_QUICK").is_some();
        let mut page = Self { heading, wanted, quick, text: String::new(), missed: 0, begun: Instant::now() };
        if !parts.iter().any(|part| page.wants(part)) {
            return None;
        }
        page.show(&machine::describe(programs));
        page.show(&format!("- rounds: {} after one to warm up, the programs in turn\n", page.rounds()));
        Some(page)
    }

    /// Whether this is a run to try the program, not to quote it.
    pub(crate) fn is_quick(&self) -> bool {
        self.quick
    }

    pub(crate) fn rounds(&self) -> usize {
        if self.quick { QUICK_ROUNDS } else { ROUNDS }
    }

    /// Whether the part of this name is to be measured.
    pub(crate) fn wants(&self, part: &str) -> bool {
        self.wanted.is_empty() || self.wanted.iter().any(|w| part.contains(w.as_str()))
    }

    pub(crate) fn table(&mut self, table: &Table) {
        progress("");
        self.missed += table.missed();
        self.show(&table.render());
    }

    fn show(&mut self, text: &str) {
        println!("{text}");
        self.text += text;
        self.text.push('\n');
    }

    /// Puts the report in place of everything between its heading and the next.
    pub(crate) fn end(self) {
        if self.wanted.is_empty() && !self.quick {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/benchmarks.md");
            let page = std::fs::read_to_string(&path).unwrap();
            let heading = format!("## {}\n\n", self.heading);
            let at = page.find(&heading).expect("docs/benchmarks.md has the heading") + heading.len();
            let rest = page[at..].find("\n## ").map_or("", |next| &page[at + next..]);
            std::fs::write(&path, format!("{}{}\n{rest}", &page[..at], self.text.trim_end())).unwrap();
        }
        let took = self.begun.elapsed().as_secs_f64();
        eprintln!("{} targets missed; measured for {took:.0} s", self.missed);
    }
}

/// For somebody who waits; a log has no use for it.
pub(crate) fn progress(text: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r{text:60}\r");
    }
}
