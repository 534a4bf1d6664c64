//! Molecules, links and what is left of wisps: what the commands say, the rows that they leave, and the lines of the record.
//!
//! Ids that are made by chance cannot be the same; where a template becomes issues they are asked for by their texts.

use std::fs;

use serde_json::Value;

use super::writing::{TABLES, Veil};
use super::{Twins, Who, all_same, first_line, split, without_bold};
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

/// Instantiates a template, and tells all issues that came of it by their titles, with their edges.
fn instantiated(twins: &Twins, who: Who, words: &str) -> Vec<String> {
    let run = |line: &str| twins.run(who, &split(line)).ok();
    let made = run(words).json();
    let ids = made["id_mapping"].as_object().unwrap().clone();
    let (root, count) = (made["new_epic_id"].as_str().unwrap(), made["created"].as_u64().unwrap());
    assert_eq!(count, ids.len() as u64);
    let mut told = Vec::new();
    for (old, new) in &ids {
        let shown = run(&format!("show {} --json", new.as_str().unwrap())).json();
        let mut issue = shown[0].clone();
        let edges: Vec<String> = issue["dependencies"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|edge| format!("{} {}", edge["dependency_type"], edge["title"]))
            .collect();
        for name in ["id", "created_at", "updated_at", "dependencies", "parent"] {
            issue.as_object_mut().unwrap().remove(name);
        }
        let prefix = new.as_str().unwrap().rsplit_once('-').unwrap().0.to_owned();
        told.push(format!("{old} {prefix} {issue} {edges:?} {}", new.as_str() == Some(root)));
    }
    told.push(made["phase"].to_string());
    told.sort();
    told
}

#[test]
fn a_template_becomes_the_issues_and_wisps_that_it_becomes_in_the_real_one() {
    let twins = Twins::copied();
    let template = "\
create 'For {{who}}' -t epic --id t-pr -l template -p 1
create 'First {{what}}' --id t-pr.1 -d 'say {{what}} to {{who}} {{unknown}}' -l l1,l2
dep add t-pr.1 t-pr -t parent-child
create 'Second' --id t-pr.2 --deps t-pr.1 -t bug --assignee ann
dep add t-pr.2 t-pr -t parent-child
create 'Third' --id t-pr.3 --acceptance '{{else}}'
dep add t-pr.3 t-pr -t parent-child
dep add t-pr.3 t-pr.2 -t waits-for";
    for who in [Who::Real, Who::Ours] {
        template.lines().for_each(|line| {
            twins.run(who, &split(line)).ok();
        });
    }
    let values = "--var who=me --var what=hello --var unknown=u";
    for words in [
        format!("mol wisp t-pr {values} --json"),
        format!("mol wisp create t-pr {values} --root-only --json"),
        format!("mol pour t-pr {values} --assignee bob --json"),
    ] {
        let real = instantiated(&twins, Who::Real, &words);
        assert_eq!(instantiated(&twins, Who::Ours, &words), real, "{words}");
        assert!(real.len() > 1);
    }
    let listed = |who| {
        let list = twins.run(who, &split("mol wisp list --json")).ok().json();
        let mut titles: Vec<String> = list["wisps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|w| format!("{} {} {}", w["title"], w["type"], w["status"]))
            .collect();
        titles.sort();
        (titles, list["count"].clone())
    };
    assert_eq!(listed(Who::Ours), listed(Who::Real));
}
