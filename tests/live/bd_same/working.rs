//! Molecules, links and what is left of wisps: what the commands say, the rows that they leave, and the lines of the record.
//!
//! Ids that are made by chance cannot be the same, so commands that make some are not here.

use std::fs;

use serde_json::Value;

use super::writing::{TABLES, Veil};
use super::{Twins, Who, all_same, call, exact, first_line, without_bold};
use crate::support::Ran;

const WORKING: &str = include_str!("working.txt");
const MOLECULES: &str = include_str!("molecules.txt");
const REFUSED: &str = include_str!("refused.txt");
const TEMPLATE: &str = r#"{"id":"t-tv","title":"For {{who}}","is_template":true,"status":"open","priority":2,"issue_type":"epic","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"}"#;
/// A wisp of an id that is an issue's too.
const TWICE: &str = "INSERT INTO wisps (id, title, description, design, acceptance_criteria, notes, status, priority, issue_type, ephemeral) \
    VALUES ('t-spike', 'A wisp beside it', '', '', '', '', 'open', 1, 'task', 1)";
const BOTH: &str = "\
list --include-infra --json --limit 0 --sort id
list --include-infra --limit 0
list --json --limit 0
search wisp
search look --json
search t-spike --json
show t-spike --short
query status=open --json";

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

fn veiled(veil: &Veil, ran: &Ran) -> [String; 3] {
    let out = veil.over(&without_bold(&ran.out));
    [out, ran.code.to_string(), veil.over(&first_line(&ran.err))]
}

#[test]
fn a_molecule_is_gone_on_with_and_ends_as_with_the_real_one() {
    let veil = Veil::new();
    let twins = Twins::copied();
    let mut differences = twins.differences(MOLECULES, |_, ran| veiled(&veil, ran));
    differences.extend(twins.different_rows(&veil));
    all_same(&differences);
}

#[test]
fn what_cannot_be_done_is_refused_in_the_same_words() {
    let veil = Veil::new();
    let twins = Twins::copied();
    let mut differences = twins.differences(REFUSED, |_, ran| veiled(&veil, ran));
    differences.extend(twins.different_rows(&veil));
    all_same(&differences);
}

#[test]
fn an_id_in_both_tables_is_listed_once_as_the_wisp() {
    let twins = Twins::copied();
    for who in [Who::Real, Who::Ours] {
        call(&twins.town, &twins.dir(who), Who::Ours, &["sql".to_owned(), TWICE.to_owned()]).ok();
    }
    all_same(&twins.differences(BOTH, exact));
}

#[test]
fn molecules_and_links_say_and_leave_what_the_real_ones_do() {
    let veil = Veil::new();
    let twins = Twins::copied();
    for (name, text) in [
        (
            "lines.txt",
            "# a remark\n\nupdate t-ms priority=0 \"title=with \\\"blanks\\\"\"\ndep add t-ms t-story\ndep remove t-ms t-story\nclose t-ms well done\n",
        ),
        ("wrong.txt", "close t-ms\nshow t-ms\n"),
        ("unknown.txt", "update t-story colour=red\n"),
        ("failing.txt", "update t-story title=never\nclose t-nonsense\n"),
        ("empty.txt", "# nothing\n"),
        ("missing.txt", "update t-nonsense title=x\n"),
        ("template.jsonl", TEMPLATE),
    ] {
        for who in [Who::Real, Who::Ours] {
            fs::write(twins.dir(who).join(name), text).unwrap();
        }
    }
    let mut differences = twins.differences(WORKING, |_, ran| veiled(&veil, ran));
    differences.extend(twins.different_rows(&veil));
    let (real, ours) = (twins.record(Who::Real, &veil), twins.record(Who::Ours, &veil));
    assert!(real.len() > 5, "the real bd keeps a record: {real:?}");
    if real != ours {
        differences.push(format!("the record: {real:#?}\nours: {ours:#?}"));
    }
    all_same(&differences);
}
