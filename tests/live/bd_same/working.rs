//! Molecules, links and what is left of wisps: what the commands say, the rows that they leave, and the lines of the record.
//!
//! Ids that are made by chance cannot be the same, so commands that make some are not here.

use std::cell::Cell;
use std::fs;

use serde_json::Value;

use super::writing::Veil;
use super::{Twins, Who, all_same, call, exact, first_line, split, without_bold};
use crate::support::{Ran, run};

const WORKING: &str = include_str!("working.txt");
pub(super) const MOLECULES: &str = include_str!("molecules.txt");
const REFUSED: &str = include_str!("refused.txt");
const TEMPLATE: &str = r#"{"id":"t-tv","title":"For {{who}}","is_template":true,"status":"open","priority":2,"issue_type":"epic","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"}"#;
/// Lines newer than their issues, all of which somebody was taken from before.
const LATER: &str = r#"{"id":"t-nb1","title":"Of nobody, later","status":"open","priority":1,"issue_type":"task","created_at":"2026-01-01T00:00:00Z","updated_at":"2030-01-01T00:00:00Z"}
{"id":"t-nb2","title":"Of somebody, later","assignee":"ann","status":"open","priority":1,"issue_type":"task","created_at":"2026-01-01T00:00:00Z","updated_at":"2030-01-01T00:00:00Z"}
{"id":"t-wisp-nb","title":"A wisp of nobody, later","ephemeral":true,"status":"open","priority":1,"issue_type":"task","created_at":"2026-01-01T00:00:00Z","updated_at":"2030-01-01T00:00:00Z"}
"#;
/// What is left of a tree has the id of what was deleted as a part of its own.
const PARTS: &str = "\
create 'Parent of a part' --id t-part
create 'Its child' --parent t-part
create 'Its grandchild' --parent t-part.1
delete t-part.1 --force
delete t-part.1 --force --cascade --json
create 'Beside it' --id t-beside
delete t-part.1 t-beside --force --json
show t-part.1.1 --short";
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
    /// A command that reads this.
    pub(super) fn run_with_input(&self, who: Who, line: &str, input: &str) -> Ran {
        let file = self.town.outside().join("input");
        fs::write(&file, input).unwrap();
        let mut command = super::command(&self.town, &self.dir(who), who, &split(line));
        command.stdin(fs::File::open(&file).unwrap());
        run(command)
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
fn a_line_for_the_record_is_taken_or_refused_as_by_the_real_one() {
    let (veil, twins) = (Veil::new(), Twins::copied());
    let before = twins.record(Who::Ours, &veil).len();
    for (input, is_taken) in [
        (r#"{"kind":"llm_call","prompt":"a <b>","exit_code":-3,"extra":{"b":1,"a":[2]},"unknown":7}"#, true),
        (r#"{"kind":"tool_call","issue_id":null,"error":""}"#, true),
        ("", false),
        ("{\"kind\":", false),
        ("null", false),
        ("[1]", false),
        ("\"text\"", false),
        ("true", false),
        (r#"{"kind":7}"#, false),
        (r#"{"kind":"x","prompt":["a"]}"#, false),
        (r#"{"kind":"x","exit_code":"1"}"#, false),
        (r#"{"kind":"x","exit_code":1.5}"#, false),
        (r#"{"kind":"x","extra":true}"#, false),
        (r#"{"kind":"x","created_at":5}"#, false),
        (r#"{"prompt":"x"}"#, false),
    ] {
        let told = [Who::Real, Who::Ours].map(|who| {
            let ran = twins.run_with_input(who, "audit record --stdin", input);
            assert_eq!(ran.code == 0, is_taken, "{input}: {ran:?}");
            (ran.code, first_line(&ran.err))
        });
        assert_eq!(told[1], told[0], "{input}");
    }
    assert_eq!(twins.record(Who::Ours, &veil).len(), before + 2);
    let kept = |who: Who| -> Vec<Value> {
        let lines = twins.record(who, &veil);
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let without_time = |mut lines: Vec<Value>| {
        for line in &mut lines {
            line["created_at"] = Value::Null;
        }
        lines
    };
    assert_eq!(without_time(kept(Who::Ours)), without_time(kept(Who::Real)));
}

pub(super) fn veiled(veil: &Veil, ran: &Ran) -> [String; 3] {
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

/// The real one says nothing about it, and counts what it does not delete when it is only asked.
#[test]
fn of_many_only_whole_ids_are_deleted_and_it_is_told() {
    let veil = Veil::new();
    let twins = Twins::copied();
    let warned = Cell::new(0);
    let mut differences = twins.differences(PARTS, |_, ran| {
        let [out, code, told] = veiled(&veil, ran);
        warned.set(warned.get() + u32::from(told.contains("no issue has the id t-part.1:")));
        [out, code, String::new()]
    });
    assert_eq!(warned.get(), 2, "by us, of each that names it among many or with --cascade");
    differences.extend(twins.different_rows(&veil));
    all_same(&differences);
    let asked = twins.run(Who::Ours, &split("delete t-part.1 --cascade --dry-run"));
    asked.ok().says("Would delete: 0 issues");
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
        ("untitled.jsonl", "{\"id\":\"t-untitled\"}\n"),
        ("later.jsonl", LATER),
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
