//! Molecules, links and what is left of wisps: what the commands say, the rows that they leave, and the lines of the record.
//!
//! Ids that are made by chance cannot be the same, so commands that make some are not here.

use std::fs;

use serde_json::Value;

use super::writing::{TABLES, Veil};
use super::{Twins, Who, all_same, first_line, without_bold};
use crate::support::Ran;

const WORKING: &str = include_str!("working.txt");

impl Twins {
    /// What differs in the tables of two workspaces.
    pub(super) fn different_rows(&self, veil: &Veil) -> Vec<String> {
        let mut differences = Vec::new();
        for table in TABLES {
            let (real, ours) = (self.rows(Who::Real, table, veil), self.rows(Who::Ours, table, veil));
            for row in real.iter().filter(|row| !ours.contains(row)) {
                differences.push(format!("{table}: only the real one left {row}"));
            }
            for row in ours.iter().filter(|row| !real.contains(row)) {
                differences.push(format!("{table}: only ours left {row}"));
            }
        }
        differences
    }

    /// The lines of `interactions.jsonl` without what belongs to the run.
    fn record(&self, who: Who, veil: &Veil) -> Vec<String> {
        let text = fs::read_to_string(self.dir(who).join(".beads/interactions.jsonl")).unwrap();
        let shown = |line: &str| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            assert!(line["id"].as_str().is_some_and(|id| id.starts_with("int-") && id.len() == 36), "{line}");
            line["id"] = Value::Null;
            veil.over(&line.to_string())
        };
        text.lines().map(shown).collect()
    }
}

#[test]
fn molecules_and_links_say_and_leave_what_the_real_ones_do() {
    let veil = Veil::new();
    let twins = Twins::copied();
    let shaped = |_, ran: &Ran| {
        let out = veil.over(&without_bold(&ran.out));
        [out, ran.code.to_string(), veil.over(&first_line(&ran.err))]
    };
    for (name, text) in [
        (
            "lines.txt",
            "# a remark\n\nupdate t-ms priority=0 \"title=with \\\"blanks\\\"\"\ndep add t-ms t-story\ndep remove t-ms t-story\nclose t-ms well done\n",
        ),
        ("wrong.txt", "close t-ms\nshow t-ms\n"),
        ("unknown.txt", "update t-story colour=red\n"),
        ("failing.txt", "update t-story title=never\nclose t-nonsense\n"),
        ("empty.txt", "# nothing\n"),
    ] {
        for who in [Who::Real, Who::Ours] {
            fs::write(twins.dir(who).join(name), text).unwrap();
        }
    }
    let mut differences = twins.differences(WORKING, shaped);
    differences.extend(twins.different_rows(&veil));
    let (real, ours) = (twins.record(Who::Real, &veil), twins.record(Who::Ours, &veil));
    assert!(real.len() > 5, "the real bd keeps a record: {real:?}");
    if real != ours {
        differences.push(format!("the record: {real:#?}\nours: {ours:#?}"));
    }
    all_same(&differences);
}
