//! Commands that read files and standard input: reasons, edges, issues of a Markdown file, a commit's words. And settings that
//! ask something of texts.
//!
//! What could go wrong is a file of which half is done, so the rows are compared after everything that was refused, too.

use std::cell::Cell;
use std::fs;

use super::working::veiled;
use super::writing::Veil;
use super::{Twins, Who, all_same, exact, first_line};
use crate::support::Ran;

const FILES: [(&str, &str); 15] = [
    ("reason.txt", "A long reason\nof two lines\n"),
    ("blank.txt", " \n"),
    (
        "edges.jsonl",
        "{\"from\":\"t-b2\",\"to\":\"t-b1\"}\n\n{\"FROM\":\"t-ms\",\"to\":\" t-spike \",\"type\":\"tracks\"}\n\
         {\"issue_id\":\"t-me\",\"depends_on_id\":\"external:a:b\",\"from\":null}\n{\"from\":\"t-me\",\"to\":\"xx-foreign\"}\n",
    ),
    ("unnamed.jsonl", "{\"from\":\"t-b2\",\"to\":\"t-feat\"}\n{\"from\":\"\"}\nnull\n"),
    (
        "wrong.jsonl",
        "{\"from\":\"t-b2\",\"to\":\"t-feat\"}\n{\"from\":\"t-none\",\"to\":\"t-b1\"}\n{\"from\":\"t-b2\",\"to\":\"t-none\"}\n\
         {\"from\":\"t-ep1.1\",\"to\":\"t-ep1\"}\n{\"from\":\"t-b2\",\"to\":\"external:x\"}\n",
    ),
    (
        "circle.jsonl",
        "{\"from\":\"t-chore\",\"to\":\"t-c1\"}\n{\"from\":\"t-c1\",\"to\":\"t-spike\"}\n{\"from\":\"t-spike\",\"to\":\"t-chore\"}\n",
    ),
    (
        "twice.jsonl",
        "{\"from\":\"t-chore\",\"to\":\"t-c1\"}\n{\"from\":\"t-chore\",\"to\":\"t-c1\",\"type\":\"tracks\"}\n",
    ),
    ("same.jsonl", "{\"from\":\"t-chore\",\"to\":\"t-c1\"}\n{\"from\":\"t-chore\",\"to\":\"t-c1\"}\n"),
    ("itself.jsonl", "{\"from\":\"t-spike\",\"to\":\"t-story\"}\n{\"from\":\"t-feat\",\"to\":\"t-feat\"}\n"),
    ("empty.jsonl", "\n"),
    ("none.md", "no heading\n### Type\nbug\n"),
    (
        "plan.md",
        "# A plan\nlost\n## First\nlead\n\nmore\n### Priority\nP1 or so\n### Type\nfeat\n### Labels\none, two\nthree\n\
         ### Dependencies\nt-bug1, tracks:t-feat\nt-nowhere external:a:b\n### Unknown\nlost\n##  Second \nlead\n\
         ### Description\nOnly this\n indented\n\n### acceptance criteria\n- done\n### Design\n\nhow\n### Assignee\n bob \n\
         ### Priority\n9\n##none\n### Type\nnonsense\n## Third\n",
    ),
    ("kind.md", "## Good\n## Bad\n### Deps\n:t-ms\n"),
    ("untitled.md", "## Good\n\n##  \n"),
    ("plan.txt", "## One\n"),
];

const CLOSING: &str = "\
close t-bug2 --reason-file reason.txt
close t-story --reason-file reason.txt --reason x
close t-story --reason-file reason.txt -m x --json
close t-story --reason-file blank.txt
close t-story --reason-file nowhere.txt
close t-story --reason-file nowhere.txt --json
close t-story --reason-file .
close t-story --reason-file ''
close t-story t-spike --reason-file reason.txt --reason '' --json";

const EDGES: &str = "\
dep t-spike --blocks t-me
dep t-spike -b t-me --json
dep --blocks t-c1 t-me
dep t-ms t-me --blocks t-spike
dep --blocks t-me
dep --blocks t-me --json
dep t-story -b t-feat --json
dep t-story -b t-ms
dep t-ep1 -b t-ep1.1
dep t-none -b t-ep1.1
dep t-ms -b t-none --json
dep t-ms -b t-ms --json
dep external:a:b -b t-ms
dep t-ms --blocks t-story --no-cycle-check
dep add t-story t-ms --no-cycle-check
dep add t-ms --depends-on t-spike
dep add t-ms --blocked-by t-c1 --json
dep add
dep add t-me
dep add t-a t-b t-c
dep add t-a t-b t-c --blocked-by t-d
dep add --blocked-by t-spike
dep add --file edges.jsonl t-me
dep add --file edges.jsonl --blocked-by t-me
dep add --file unnamed.jsonl
dep add --file wrong.jsonl
dep add --file wrong.jsonl --json
dep add --file empty.jsonl
dep add --file nowhere.jsonl
dep add --file circle.jsonl
dep add --file circle.jsonl --no-cycle-check
dep add --file twice.jsonl
dep add --file itself.jsonl
dep add --file edges.jsonl --type ''
dep add --file same.jsonl
dep add --file edges.jsonl --json
dep add --file edges.jsonl --no-cycle-check";

const PLANS: &str = "\
create -f plan.md
create --file plan.md --json
create -f none.md
create -f kind.md
create -f untitled.md
create -f plan.txt
create -f nowhere.md
create -f ../plan.md
create -f plan.md title
create -f plan.md --dry-run
create --graph a.json --file b.md
create --graph a.json title";

fn twins(changes: &[&[&str]]) -> Twins {
    let twins = Twins::copied_after(changes);
    for who in [Who::Real, Who::Ours] {
        for (name, text) in FILES {
            fs::write(twins.dir(who).join(name), text).unwrap();
        }
    }
    twins
}

/// What both say and leave; all of what is said on standard error.
fn same(twins: &Twins, veil: &Veil, commands: &str) {
    let mut differences = twins.differences(commands, |_, ran| {
        let [out, code, _] = veiled(veil, ran);
        [out, code, veil.over(&ran.err)]
    });
    differences.extend(twins.different_rows(veil));
    all_same(&differences);
}

#[test]
fn a_reason_in_a_file_is_taken_or_refused_as_by_the_real_one() {
    let (veil, twins) = (Veil::new(), twins(&[]));
    same(&twins, &veil, CLOSING);
    for (id, input, is_taken) in [("t-me", "", false), ("t-me", "From standard input\n", true)] {
        let line = format!("close {id} --reason-file -");
        let told = [Who::Real, Who::Ours].map(|who| {
            let ran = twins.run_with_input(who, &line, input);
            assert_eq!(ran.code == 0, is_taken, "{ran:?}");
            (ran.out, ran.err)
        });
        assert_eq!(told[1], told[0]);
    }
    all_same(&twins.different_rows(&veil));
}

#[test]
fn edges_in_a_file_are_made_all_or_none_as_by_the_real_one() {
    let (veil, twins) = (Veil::new(), twins(&[]));
    same(&twins, &veil, EDGES);
    let input = "{\"from\":\"t-feat\",\"to\":\"t-spike\"}\n";
    let told = [Who::Real, Who::Ours]
        .map(|who| twins.run_with_input(who, "dep add --file - --json", input).ok().out);
    assert_eq!(told[1], told[0]);
    all_same(&twins.different_rows(&veil));
    // What is no JSON is told in other words than Go's, each line by its number.
    let no_json = "x\n{\"from\":5,\"to\":\"t-ms\"}\n[]\n";
    let refused = twins.run_with_input(Who::Ours, "dep add --file -", no_json);
    assert_eq!(refused.code, 1);
    for words in ["line 1: invalid JSON", "line 2: invalid JSON: from is no text", "line 3: invalid JSON"] {
        assert!(refused.err.contains(words), "{}", refused.err);
    }
}

/// Ids in order, so that those of new issues are the same.
#[test]
fn issues_of_a_markdown_file_are_made_all_or_none_as_by_the_real_one() {
    let veil = Veil::new();
    let twins = twins(&[&["config", "set", "issue_id_mode", "counter"]]);
    let warned = Cell::new(0);
    let mut differences = twins.differences(PLANS, |who, ran: &Ran| {
        // An edge to what is not there is left out by the real one without a word.
        let is_ours = |line: &&str| who == Who::Ours && line.contains("failed to add dependency");
        warned.set(warned.get() + ran.err.lines().filter(is_ours).count());
        let err: Vec<&str> = ran.err.lines().filter(|line| !is_ours(line)).collect();
        [veil.over(&ran.out), ran.code.to_string(), err.join("\n")]
    });
    assert_eq!(warned.get(), 4, "two edges that lead nowhere, in each of two calls");
    differences.extend(twins.different_rows(&veil));
    all_same(&differences);
    let graph = twins.run(Who::Ours, &["create".into(), "--graph".into(), "plan.md".into()]);
    assert_eq!(graph.code, 1);
    assert!(graph.err.contains("bd create --graph is not here yet; real bd can do it"), "{}", graph.err);
}

const CREATING: &str = "\
create 'A task'
create 'A task' -d 'with acceptance criteria' --id t-s1 --json
create 'A bug' -t bug --acceptance done --id t-s2 --silent
create 'A bug' -t bug --json
create 'A chore' -t chore --id t-s3 --silent
create 'A spike' -t spike -d 'Goal: none' --dry-run
create 'A feature' -t feature --validate
create 'A feature' -t feature --validate --acceptance done --id t-s4 --silent
create 'A decision' -t decision --validate --id t-s5 -d '## Decision, rationale' --json";

const GIVING_REASONS: &str = "\
close t-bug1
close t-bug1 --reason closed
close t-bug1 --reason ' closed ' --json
close t-bug1 --reason 'Zu kurz, Größe'
close t-bug1 --reason 'Too short' --json
close t-bug1 t-feat --reason 'A reason that is long enough' --reason 'Too short'
close t-chore --reason 'A reason that is long enough'";

/// All of it is refused, or made with a fixed id, so that both leave the same.
#[test]
fn what_settings_ask_of_texts_is_warned_of_or_refused_as_by_the_real_one() {
    let mut told = Vec::new();
    for word in ["error", "warn", "none", "nonsense"] {
        let twins = twins(&[]);
        for who in [Who::Real, Who::Ours] {
            let path = twins.dir(who).join(".beads/config.yaml");
            let text = fs::read_to_string(&path).unwrap();
            let asked = format!("\nvalidation:\n  on-create: {word}\n  on-close: {word}\n");
            fs::write(&path, text + &asked).unwrap();
        }
        // Ids by chance differ.
        let creating: Vec<&str> = CREATING
            .lines()
            .filter(|line| {
                let is_refused = word == "error" || line.contains("--validate");
                is_refused || line.contains("--id") || line.contains("--dry-run")
            })
            .collect();
        same(&twins, &Veil::new(), &format!("{}\n{GIVING_REASONS}", creating.join("\n")));
        let again = twins.run(Who::Ours, &["create".into(), "A bug".into(), "-t".into(), "bug".into()]);
        told.push((again.code, first_line(&again.err)));
    }
    let missing = "missing required sections for bug:";
    let expected = [
        (1, format!("Error: {missing}")),
        (0, format!("⚠ {missing}")),
        (0, String::new()),
        (0, String::new()),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_commit_takes_its_words_from_standard_input_as_that_of_the_real_one() {
    let twins = twins(&[]);
    let nothing = "vc commit\nvc commit --json\nvc commit -m x --stdin\nvc commit -m x\nvc commit -m x --json\ndolt commit\ndolt stop --force";
    all_same(&twins.differences(nothing, exact));
    for (line, says) in
        [("vc commit --stdin", "Created commit "), ("vc commit --stdin --json", "\"committed\": true")]
    {
        for who in [Who::Real, Who::Ours] {
            let update = format!("update t-ms --title {} --dolt-auto-commit off", line.len());
            twins.run(who, &super::split(&update)).ok();
            twins.run_with_input(who, line, "Words\nof two lines\n\n").ok().says(says);
        }
    }
    for who in [Who::Real, Who::Ours] {
        let log = twins.run(Who::Ours, &super::split("vc log --json -n 2"));
        let log = log.ok().json();
        for at in 0..2 {
            assert_eq!(log[at]["message"].as_str(), Some("Words\nof two lines"), "{who:?}: {log}");
        }
        let none = twins.run_with_input(who, "vc commit --stdin", "\n");
        assert_eq!(
            (none.code, first_line(&none.err)),
            (1, "Error: commit message is required (use -m, --message, or --stdin)".to_owned())
        );
    }
}

#[test]
fn a_description_is_asked_for_and_a_test_among_issues_is_told_as_by_the_real_one() {
    let twins = twins(&[]);
    for who in [Who::Real, Who::Ours] {
        let path = twins.dir(who).join(".beads/config.yaml");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text + "\ncreate:\n  require-description: true\n").unwrap();
    }
    same(
        &twins,
        &Veil::new(),
        "create 'No words' --id t-y1\ncreate 'No words' --id t-y1 --json\ncreate Words --id t-y2 -d x\n\
         create 'By skills' --id t-y3 --skills rust\ncreate 'Test \"it\"' --id t-y4\n\
         create tmp_x --id t-y5 --silent\ncreate 'Debug this' --id t-y6 --quiet\n\
         create -t bug 'sample-it' --id t-y7 --json\ncreate Testing --id t-y8",
    );
    let refused = twins.run(Who::Ours, &["create".into(), "No words".into()]);
    assert!(refused.code == 1 && refused.err.contains("description is required"), "{refused:?}");
}
