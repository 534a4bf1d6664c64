//! Gates and the merge slot: what the commands say, and the rows that they leave. A new gate's id is made by chance, so each
//! command names it by a word that stands for it.

use std::fs;
use std::path::Path;
use std::process::Command;

use regex::Regex;
use similar::TextDiff;

use super::writing::{Veil, different_rows};
use super::{Twins, Who, all_same, first_line, split, without_bold};
use crate::support::{run, wait_until, write_program};

/// What makes a gate, and the word that stands for its id from then on.
const MAKING: [(&str, &str); 7] = [
    ("(human)", "gate create --blocks t-ms --reason 'A look'"),
    ("(timer)", "gate create --type timer --blocks t-ms --timeout 876000h30m"),
    ("(soon)", "gate create -t timer --blocks t-spike --timeout 1ns"),
    ("(none)", "gate create -t timer --blocks t-spike"),
    ("(bead)", "gate create --type bead --blocks t-spike --await-id other:o-1"),
    ("(run)", "gate create --type gh:run --blocks t-chore --await-id 42"),
    ("(pull)", "gate create --type gh:pr --blocks t-chore --await-id 7"),
];

const COMMANDS: &str = "\
gate create --blocks t-none
gate create --blocks t-none --json
gate create
gate create --blocks t-ms --timeout soon
gate create --blocks t-ms --timeout 5
gate list
gate list --json
gate list --limit 1
gate list --all
gate show (human)
gate show (human) --json
gate show (timer)
gate show (timer) --json
gate show t-ms
gate show t-ms --json
gate show t-none
gate add-waiter (human) rig/crew/one
gate add-waiter (human) rig/crew/two
gate add-waiter (human) rig/crew/one
gate add-waiter t-ms rig/crew/one
gate add-waiter t-none rig/crew/one
gate show (human)
gate check --dry-run
gate check --type human
gate check --type nonsense
gate check --type bead
gate check --type gh --dry-run
gate check --type gh
gate check --type timer
gate check
gate list
gate resolve (human) --reason 'It is fine'
gate resolve (human)
gate resolve (timer)
gate resolve t-ms
gate resolve t-none
gate list --all
close (bead)
close (none)
close (bead) --force
merge-slot check
merge-slot check --json
merge-slot acquire
merge-slot release
merge-slot create
merge-slot create --json
merge-slot check
merge-slot check --json
merge-slot acquire --holder one
merge-slot acquire --holder two
merge-slot acquire --holder two --json
merge-slot acquire --holder two --wait
merge-slot acquire --holder two --wait --json
merge-slot acquire --wait
merge-slot check
merge-slot check --json
merge-slot release --holder two
merge-slot release --holder two --json
merge-slot release --holder one
merge-slot release
merge-slot check --json
merge-slot acquire --json
merge-slot release --json
show t-merge-slot --json";

#[test]
fn gates_and_the_merge_slot_say_and_leave_what_the_real_ones_do() {
    let veil = Veil::new();
    let twins = Twins::copied();
    let span = Regex::new("(expires in|expired) [0-9hms]+").unwrap();
    let mut ids = [Vec::new(), Vec::new()];
    let mut differences = Vec::new();
    let mut same = |line: &str, ids: &[Vec<(String, String)>; 2]| {
        let shaped = |who: Who| {
            let known = &ids[usize::from(who == Who::Ours)];
            let named = known.iter().fold(line.to_owned(), |line, (word, id)| line.replace(word, id));
            let ran = twins.run(who, &split(&named));
            let veiled = |text: &str| {
                let text = known.iter().fold(text.to_owned(), |text, (word, id)| text.replace(id, word));
                veil.over(&span.replace_all(&text, "$1 (a while)"))
            };
            let mut out: Vec<String> = veiled(&without_bold(&ran.out)).lines().map(str::to_owned).collect();
            // Gates of one second are in the order of their ids.
            if line.starts_with("gate check") || line.starts_with("gate list") {
                out.sort();
            }
            [out.join("\n"), ran.code.to_string(), veiled(&first_line(&ran.err))].join("\n--\n")
        };
        let (real, ours) = (shaped(Who::Real), shaped(Who::Ours));
        if real != ours {
            let diff = TextDiff::from_lines(&real, &ours).unified_diff().context_radius(1).to_string();
            differences.push(format!("bd {line}\n{diff}"));
        }
    };
    for (word, line) in MAKING {
        for (at, who) in [Who::Real, Who::Ours].into_iter().enumerate() {
            let made = twins.run(who, &split(line)).ok();
            let id = made.out.split("Created gate ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
            ids[at].push((word.to_owned(), id));
        }
        // Which of two comes first is told by the second in which they were made.
        let made = jiff::Timestamp::now().as_second();
        wait_until("the next second begins", || jiff::Timestamp::now().as_second() > made);
    }
    for line in COMMANDS.lines() {
        same(line, &ids);
    }
    for table in ["issues", "dependencies", "labels", "events"] {
        let named = |who: Who| {
            let known = &ids[usize::from(who == Who::Ours)];
            let rows = twins.rows(who, table, &veil);
            let named = |row: String| {
                let row = known.iter().fold(row, |row, (word, id)| row.replace(id, word));
                let row = span.replace_all(&row, "$1 (a while)");
                // Of the content, the id and the time; and of both ends of the edge.
                let mut row: serde_json::Value = serde_json::from_str(&row).unwrap();
                row["content_hash"] = "".into();
                if table == "dependencies" && row.to_string().contains('(') {
                    row["id"] = "".into();
                }
                row.to_string()
            };
            let mut rows: Vec<String> = rows.into_iter().map(named).collect();
            rows.sort();
            rows
        };
        let (real, ours) = (named(Who::Real), named(Who::Ours));
        assert!(real.iter().any(|row| row.contains("(human)")) || table == "labels", "{real:?}");
        differences.extend(different_rows(table, &real, &ours));
    }
    all_same(&differences);
}

/// A program `gh` that knows some runs and pull requests.
fn pretended_gh(dir: &Path) {
    fs::create_dir_all(dir).unwrap();
    let script = r#"#!/bin/sh
case "$1 $2 $3" in
"run list --workflow") echo '[{"databaseId":77,"name":"n"},{"databaseId":76}]' ;;
"run view 42") echo '{"status":"completed","conclusion":"success","name":"CI"}' ;;
"run view 77") echo '{"status":"in_progress","conclusion":"","name":"Nightly"}' ;;
"run view 1") echo '{"status":"completed","conclusion":"failure","name":"CI"}' ;;
"run view 2") echo 'could not find any workflow run: not found' >&2; exit 1 ;;
"pr view 7") echo '{"state":"MERGED","title":"Mend it"}' ;;
"pr view 8") echo '{"state":"CLOSED","title":"Drop it"}' ;;
"pr view 9") echo '{"state":"OPEN","title":"Try it"}' ;;
*) echo 'no network' >&2; exit 1 ;;
esac
"#;
    write_program(&dir.join("gh"), script);
}

#[test]
fn gates_that_wait_for_github_open_as_gh_tells() {
    let twins = Twins::copied();
    let bin = twins.town.outside().join("bin");
    pretended_gh(&bin);
    let call = |who: Who, line: &str| {
        let program = if who == Who::Real { crate::support::bd() } else { env!("CARGO_BIN_EXE_bd").into() };
        let mut command = Command::new(program);
        command.args(split(line));
        twins.town.seal(&mut command);
        let path = format!("{}:/usr/bin:/bin", bin.display());
        command.current_dir(twins.dir(who)).env("PWD", twins.dir(who)).env("PATH", path);
        command.env("BD_NON_INTERACTIVE", "1").env("BD_ACTOR", "me").env("TZ", "UTC");
        run(command)
    };
    let told = |who: Who| {
        let mut ids = Vec::new();
        for (kind, awaits) in [
            ("gh:run", "42"),
            ("gh:run", "nightly"),
            ("gh:run", "1"),
            ("gh:run", "2"),
            ("gh:run", "3"),
            ("gh:pr", "7"),
            ("gh:pr", "8"),
            ("gh:pr", "9"),
            ("gh:pr", "10"),
        ] {
            let made = call(who, &format!("gate create -t {kind} --blocks t-ms --await-id {awaits}")).ok();
            let id = made.out.split("Created gate ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
            ids.push((id, format!("({kind} {awaits})")));
        }
        let mut told = Vec::new();
        for line in ["gate check --dry-run", "gate check", "gate list"] {
            let ran = call(who, line);
            let text =
                ids.iter().fold(ran.out + &ran.err, |text, (id, word)| text.replace(id.as_str(), word));
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            told.push(lines);
        }
        told
    };
    let (real, ours) = (told(Who::Real), told(Who::Ours));
    assert_eq!(ours, real);
    assert!(
        real[1].iter().any(|line| line == "✓ (gh:pr 7): resolved - PR 'Mend it' was merged"),
        "{real:#?}"
    );
    // The run that a workflow's name stood for is kept.
    assert!(real[2].iter().any(|line| line.ends_with("- gh:run 77")), "{real:#?}");
}
