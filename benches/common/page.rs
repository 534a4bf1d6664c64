//! One section of `docs/benchmarks.md`: which parts of it are wanted, and what they have shown.
//!
//! Words on the command line choose sections and parts (`cargo bench -- trouble`). Only a section that was measured as a whole,
//! and not quickly, is written down.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::machine;
use super::rows::Table;

/// Measured rounds of each comparison, after one to warm up.
const ROUNDS: usize = 11;
const QUICK_ROUNDS: usize = 3;

pub(crate) struct Page {
    name: &'static str,
    heading: &'static str,
    is_whole: bool,
    quick: bool,
    text: String,
    missed: usize,
    begun: Instant,
}

impl Page {
    /// The section of this name and heading, for a comparison of these programs. None if no part of it is wanted.
    pub(crate) fn begin(
        name: &'static str,
        heading: &'static str,
        parts: &[&str],
        programs: &[PathBuf],
    ) -> Option<Self> {
        let quick = std::env::var_os("GT_BENCH_QUICK").is_some();
        let text = String::new();
        let mut page = Self { name, heading, is_whole: false, quick, text, missed: 0, begun: Instant::now() };
        let wanted = parts.iter().filter(|part| page.wants(part)).count();
        if wanted == 0 {
            return None;
        }
        page.is_whole = wanted == parts.len();
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
        // Cargo puts `--bench` beside what the user gave.
        let mut words = std::env::args().skip(1).filter(|word| !word.starts_with("--")).peekable();
        words.peek().is_none() || words.any(|word| self.name == word || part.contains(&word))
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
        if self.is_whole && !self.quick {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/benchmarks.md");
            let page = std::fs::read_to_string(&path).unwrap();
            let heading = format!("## {}\n\n", self.heading);
            let at = page.find(&heading).expect("docs/benchmarks.md has the heading") + heading.len();
            let rest = page[at..].find("\n## ").map_or("", |next| &page[at + next..]);
            std::fs::write(&path, format!("{}{}\n{rest}", &page[..at], self.text.trim_end())).unwrap();
        }
        let took = self.begun.elapsed().as_secs_f64();
        eprintln!("{}: {} targets missed; measured for {took:.0} s", self.name, self.missed);
    }
}

/// For somebody who waits; a log has no use for it.
pub(crate) fn progress(text: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r{text:60}\r");
    }
}
