//! Our `bd` beside the real one: the same command on identical copies of one workspace, which the real bd has made, and the same
//! standard output, exit code and first line of standard error. What may differ is named here and in `docs/bd.md`, and
//! nothing else. The commands are in text files, one on a line.
//!
//! A real bd takes a fifth of a second for each, so a workspace is made once and commands that only read share it.

mod busy;
mod event_hooks;
mod exporting;
mod files;
mod gates;
mod history;
mod renaming;
mod roundtrip;
mod routes;
mod settings;
mod sql;
mod working;
mod writing;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use similar::TextDiff;

use crate::support::{Ran, TestTown, bd, run};

/// What the workspace holds; the real bd imports it.
const ISSUES: &str = include_str!("workspace.jsonl");
const READING: &str = include_str!("reading.txt");
const SHOWING: &str = include_str!("showing.txt");

/// Two copies of a workspace.
struct Twins {
    town: TestTown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Real,
    Ours,
}

impl Twins {
    /// Of the workspace that all tests share.
    fn copied() -> Self {
        let town = TestTown::with(&[]);
        for who in ["real", "ours"] {
            copy_all(original(), &town.outside().join(who));
        }
        Self { town }
    }

    /// The same, once the real bd has done this in the shared workspace's first copy.
    fn copied_after(changes: &[&[&str]]) -> Self {
        let town = TestTown::with(&[]);
        let real = town.outside().join("real");
        copy_all(original(), &real);
        for change in changes {
            let words: Vec<String> = change.iter().map(|&word| word.to_owned()).collect();
            call(&town, &real, Who::Real, &words).ok();
        }
        copy_all(&real, &town.outside().join("ours"));
        Self { town }
    }

    /// Of the shared workspace itself, for commands that only read.
    fn dir(&self, who: Who) -> PathBuf {
        self.town.outside().join(if who == Who::Real { "real" } else { "ours" })
    }

    fn run(&self, who: Who, words: &[String]) -> Ran {
        call(&self.town, &self.dir(who), who, words)
    }

    /// Runs commands in both; gives what differs.
    fn differences(&self, commands: &str, shaped: impl Fn(Who, &Ran) -> [String; 3]) -> Vec<String> {
        let mut found = Vec::new();
        let mut count = 0;
        for line in commands.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let words = split(line);
            let real = shaped(Who::Real, &self.run(Who::Real, &words));
            let ours = shaped(Who::Ours, &self.run(Who::Ours, &words));
            count += 1;
            if real != ours {
                let (real, ours) = (real.join("\n--\n"), ours.join("\n--\n"));
                let diff = TextDiff::from_lines(&real, &ours).unified_diff().context_radius(1).to_string();
                found.push(format!("bd {line}\n{diff}"));
            }
        }
        assert!(count > 0, "the list is empty");
        found
    }
}

fn call(town: &TestTown, dir: &Path, who: Who, words: &[String]) -> Ran {
    run(command(town, dir, who, words))
}

fn command(town: &TestTown, dir: &Path, who: Who, words: &[String]) -> Command {
    let program = if who == Who::Real { bd() } else { PathBuf::from(env!("CARGO_BIN_EXE_bd")) };
    let mut command = Command::new(program);
    command.args(words);
    town.seal(&mut command);
    command.current_dir(dir).env("PWD", dir);
    command.env("BD_NON_INTERACTIVE", "1").env("BD_ACTOR", "me").env("TZ", "UTC");
    command
}

/// The workspace that the real bd made; it stays as it is.
fn original() -> &'static Path {
    static MADE: OnceLock<(TestTown, PathBuf)> = OnceLock::new();
    let (_, dir) = MADE.get_or_init(|| {
        let town = TestTown::with(&[]);
        let dir = town.outside().join("made");
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("in.jsonl"), ISSUES).unwrap();
        for line in MAKING.lines() {
            call(&town, &dir, Who::Real, &split(line)).ok();
        }
        (town, dir)
    });
    dir
}

const MAKING: &str = "\
init --prefix t --skip-agents --skip-hooks -q
config set status.custom in_review:active,on_ice:frozen
config set types.custom convoy,agent
import in.jsonl
update t-cust -s in_review -t convoy
update t-onice -s on_ice
create 'Waits for the children' --id t-wf --waits-for t-ep1
create 'Waits for any child' --id t-wfa --waits-for t-ep1 --waits-for-gate any-children
dep add t-ms external:other:cap
dep add t-ms x-foreign";

/// A directory with everything in it, also what begins with a dot.
fn copy_all(from: &Path, to: &Path) {
    let mut command = Command::new("cp");
    command.arg("-r").arg(from).arg(to);
    run(command).ok();
}

/// The words of a line; quotes keep blanks.
fn split(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, ' ') => words.push(String::new()),
            (_, c) => words.last_mut().unwrap().push(c),
        }
    }
    words
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// bd makes two words bold even where there is no terminal.
fn without_bold(text: &str) -> String {
    text.replace("\u{1b}[1m", "").replace("\u{1b}[m", "")
}

/// Which of several that can be done at once is named first, bd leaves to chance.
fn without_chance(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let mut from = 0;
    while let Some(at) = lines[from..].iter().position(|line| line.trim().starts_with("\"group-")) {
        let begin = from + at + 1;
        let many = lines[begin..].iter().take_while(|line| !line.trim().starts_with(']')).count();
        lines[begin..begin + many].sort_by_key(|line| line.trim_end_matches(','));
        from = begin + many;
    }
    // Without what only the last of them lacks.
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end_matches(',')).collect();
    lines.join("\n")
}

fn exact(_: Who, ran: &Ran) -> [String; 3] {
    let mut out = without_bold(&ran.out);
    if out.contains("\"group-") {
        out = without_chance(&out);
    }
    [out, ran.code.to_string(), first_line(&ran.err)]
}

/// bd pads and indents texts as Markdown; ours has lines of its own for older scripts.
fn squashed(who: Who, ran: &Ran) -> [String; 3] {
    let is_ours = |line: &str| line.starts_with("Status: ") || line.starts_with("Dependencies (");
    let lines = ran.out.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines = lines.filter(|line| who == Who::Real || !is_ours(line));
    [lines.collect::<Vec<_>>().join("\n"), ran.code.to_string(), first_line(&ran.err)]
}

#[track_caller]
fn all_same(differences: &[String]) {
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

fn half(commands: &str, which: usize) -> String {
    let lines: Vec<&str> =
        commands.lines().enumerate().filter(|(at, _)| at % 2 == which).map(|(_, l)| l).collect();
    lines.join("\n")
}

#[test]
fn commands_that_read_say_what_the_real_ones_say() {
    all_same(&Twins::copied().differences(&half(READING, 0), exact));
}

#[test]
fn commands_that_read_say_what_the_real_ones_say_too() {
    all_same(&Twins::copied().differences(&half(READING, 1), exact));
}

#[test]
fn an_issue_is_shown_with_all_that_the_real_one_shows() {
    all_same(&Twins::copied().differences(SHOWING, squashed));
}
