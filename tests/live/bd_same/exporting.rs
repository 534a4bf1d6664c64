//! `export.auto`: when the file is written, what stands in it, and when it is left alone, beside the real bd.

use std::fs;

use serde_json::Value;
use similar::TextDiff;

use super::writing::Veil;
use super::{Twins, Who, split};

impl Twins {
    fn both(&self, line: &str) {
        for who in [Who::Real, Who::Ours] {
            self.run(who, &split(line)).ok();
        }
    }

    /// The file's lines without what belongs to the run, one of each workspace. Sorted: newer issues come first there, and which
    /// of two is newer hangs on whether a program makes both in one second.
    fn exported(&self, veil: &Veil) -> [Vec<String>; 2] {
        [Who::Real, Who::Ours].map(|who| {
            let text = fs::read_to_string(self.dir(who).join(".beads/issues.jsonl")).unwrap_or_default();
            let mut lines: Vec<String> = text.lines().map(|line| veil.over(line)).collect();
            lines.sort();
            lines
        })
    }

    fn append(&self, line: &str) {
        for who in [Who::Real, Who::Ours] {
            let path = self.dir(who).join(".beads/issues.jsonl");
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, format!("{text}{line}\n")).unwrap();
        }
    }

    fn state(&self, who: Who) -> Value {
        let text = fs::read_to_string(self.dir(who).join(".beads/export-state.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

fn has(lines: &[String], words: &str) -> bool {
    lines.iter().any(|line| line.contains(words))
}

#[test]
fn the_file_for_git_is_written_when_the_real_bd_writes_it() {
    let veil = Veil::new();
    let twins = Twins::copied();
    twins.both("config set export.auto true");
    twins.both("create 'Brought along' --id t-x1");
    let [real, ours] = twins.exported(&veil);
    assert_eq!(real, ours);
    assert!(has(&ours, "Brought along") && !has(&ours, r#""ephemeral":true"#), "{ours:?}");
    for key in ["issues", "memories"] {
        assert_eq!(twins.state(Who::Real)[key], twins.state(Who::Ours)[key], "{key}");
    }

    // Not again so soon.
    twins.both("create 'Too soon' --id t-x2");
    let [real, ours] = twins.exported(&veil);
    assert_eq!(real, ours);
    assert!(!has(&ours, "Too soon"));
    twins.both("config set export.interval 1ms");
    twins.both("close t-x2");
    let [real, ours] = twins.exported(&veil);
    assert_eq!(real, ours);
    assert!(has(&ours, "Too soon"));

    // A file that says more is left alone.
    let known = r#"{"_type":"issue","id":"t-unknown","title":"Elsewhere","status":"open","priority":2,"issue_type":"task"}"#;
    for line in [known, r#"{"_type":"memory","key":"k","value":"v"}"#] {
        twins.append(line);
        twins.both("close t-x1 --force");
        twins.both("reopen t-x1");
        let [real, ours] = twins.exported(&veil);
        assert_eq!(real, ours);
        assert!(ours.iter().any(|kept| kept == line), "{ours:?}");
        for who in [Who::Real, Who::Ours] {
            fs::remove_file(twins.dir(who).join(".beads/issues.jsonl")).unwrap();
        }
        twins.both("comment t-x1 'and on'");
        let [real, ours] = twins.exported(&veil);
        assert_eq!(real, ours);
        assert!(has(&ours, "and on"));
    }
}

#[test]
fn each_program_knows_when_the_other_has_exported() {
    let veil = Veil::new();
    let twins = Twins::copied();
    twins.both("config set export.auto true");
    let words = |line: &str| split(line);
    let dir = twins.dir(Who::Ours);
    let by = |who: Who, line: &str| super::call(&twins.town, &dir, who, &words(line)).ok();
    by(Who::Ours, "create 'Made first' --id t-x1");
    by(Who::Real, "create 'Made second' --id t-x2");
    let first = &twins.exported(&veil)[1];
    assert!(has(first, "Made first") && !has(first, "Made second"), "it was too soon: {first:?}");
    by(Who::Real, "config set export.interval 1ms");
    by(Who::Real, "close t-x2");
    assert!(has(&twins.exported(&veil)[1], "Made second"));
    by(Who::Ours, "create 'Made third' --id t-x3");
    assert!(has(&twins.exported(&veil)[1], "Made third"));
}

#[test]
fn each_kind_of_export_has_the_same_lines_in_the_same_order() {
    // First, as its times are those after it.
    let veil = Veil::new();
    let twins = Twins::copied();
    twins.both("remember 'Locks are the truth' --key truth");
    twins.both("create 'Test-title that nobody wants' --id t-x1 -p 1");
    twins.both("create 'tmp things' --id t-x2 --ephemeral -p 2");
    twins.both("create Testing --id t-x3 -p 3");
    for flags in [
        "",
        "--all",
        "--include-infra",
        "--include-memories",
        "--scrub",
        "--scrub --all",
        "--all --no-memories",
        "--include-memories --no-memories",
    ] {
        let [real, ours] = [Who::Real, Who::Ours].map(|who| {
            let lines = twins.run(who, &split(format!("export {flags}").trim())).ok().out;
            lines.lines().map(|line| veil.over(line) + "\n").collect::<String>()
        });
        let diff = TextDiff::from_lines(&real, &ours);
        assert!(real == ours, "export {flags}\n{}", diff.unified_diff().context_radius(0));
        assert_eq!(ours.contains("Test-title"), !flags.contains("scrub"), "export {flags}");
        assert!(ours.contains("\"title\":\"Testing\""), "export {flags}");
    }
}
