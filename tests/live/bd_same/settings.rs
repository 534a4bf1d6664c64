//! Settings that change what commands choose and how JSON is told, beside the real one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::writing::Veil;
use super::{Twins, Who, all_same, first_line, split, without_bold};
use crate::support::{Ran, bd, run};

fn call(twins: &Twins, who: Who, dir: &Path, variable: (&str, &str), line: &str) -> Ran {
    let program = if who == Who::Real { bd() } else { PathBuf::from(env!("CARGO_BIN_EXE_bd")) };
    let mut command = Command::new(program);
    command.args(split(line));
    twins.town.seal(&mut command);
    command.current_dir(dir).env("PWD", dir).env("BD_NON_INTERACTIVE", "1").env("BD_ACTOR", "me");
    command.env("TZ", "UTC").env(variable.0, variable.1);
    run(command)
}

fn told(ran: &Ran) -> (String, i32, String) {
    (without_bold(&ran.out), ran.code, first_line(&ran.err))
}

#[test]
fn json_in_an_envelope_is_wrapped_as_by_the_real_one() {
    let veil = Veil::new();
    let twins = Twins::copied();
    let mut differences = Vec::new();
    for line in [
        "list --json --limit 2",
        "show t-bug1 --json",
        "show t-none --json",
        "ready --json --limit 1",
        "count --json",
        "count --by-status --json",
        "config get issue_prefix --json",
        "dep list t-b1 --json",
        "dep tree t-b1 --json",
        "label list t-bug1 --json",
        "comments t-bug1 --json",
        "blocked --json",
        "gate list --json",
        "history t-none --json",
        "orphans --json",
        "merge-slot check --json",
        "where --json",
        "context --json",
        "where --nonsense",
        "list --skip-labels --json -t bug",
        "ready --explain --json",
        "ready --gated --json",
        "statuses --json",
        "types --json",
        "mol wisp list --json",
        "mol wisp list --type nonsense --json",
        "mol wisp gc --dry-run --age 1h --json",
        "mol wisp gc --dry-run --age 876000h --json",
        "mol show t-mol --json",
        "mol show t-tpl --json",
        "mol current t-mol --json",
        "epic status --json",
        "status --json",
        "lint --json",
        "mol bond t-ms t-spike --json",
        "mol bond t-ep3 t-tpl --ref leg --var who=ann --var what=y --type conditional --json",
        "update t-bug1 --priority 3 --json",
        "close t-chore --json",
        "dep add t-ms t-spike --json",
        "delete t-dup --force --json",
    ] {
        let [real, ours] = [Who::Real, Who::Ours]
            .map(|who| call(&twins, who, &twins.dir(who), ("BD_JSON_ENVELOPE", "1"), line));
        let veiled = |who: Who, ran: &Ran| {
            let (out, code, err) = told(ran);
            let out = veil.over(&out).replace(twins.dir(who).to_str().unwrap(), "(dir)");
            // Which engine would write, ours alone tells.
            let lines: Vec<&str> = out.lines().filter(|line| !line.contains("\"engine")).collect();
            (lines.join("\n"), code, err)
        };
        let (real, ours) = (veiled(Who::Real, &real), veiled(Who::Ours, &ours));
        if ours != real {
            differences.push(format!("bd {line}\n{real:#?}\n{ours:#?}"));
        }
    }
    all_same(&differences);
    // Any other word wraps nothing.
    let plain = call(&twins, Who::Ours, &twins.dir(Who::Ours), ("BD_JSON_ENVELOPE", "0"), "list --json");
    assert!(plain.ok().json().is_array());
}

#[test]
fn the_labels_of_a_directory_choose_as_by_the_real_one() {
    let twins = Twins::copied();
    for who in [Who::Real, Who::Ours] {
        let path = twins.dir(who).join(".beads/config.yaml");
        let text = fs::read_to_string(&path).unwrap();
        let labels = "\ndirectory:\n  labels:\n    packages/front: ui\n    packages/back: backend\n";
        fs::write(&path, text + labels).unwrap();
        for dir in ["packages/front/src", "packages/back", "other"] {
            fs::create_dir_all(twins.dir(who).join(dir)).unwrap();
        }
    }
    let mut counts = Vec::new();
    for dir in ["packages/front/src", "packages/front", "packages/back", "other"] {
        for line in [
            "list --flat",
            "list --json --all",
            "list --label backend",
            "list --label-any größe",
            "list --no-labels",
        ] {
            let [real, ours] = [Who::Real, Who::Ours]
                .map(|who| call(&twins, who, &twins.dir(who).join(dir), ("X", "1"), line));
            assert_eq!(told(&ours), told(&real), "{dir}: {line}");
            counts.push((dir, line, ours.out.lines().count()));
        }
    }
    let count = |dir: &str, line: &str| counts.iter().find(|(d, l, _)| *d == dir && *l == line).unwrap().2;
    assert!(count("packages/front", "list --flat") < count("other", "list --flat"), "{counts:?}");
    // bd 1.1.0 means the same for ready work, and looks at no such label there.
    let ready =
        call(&twins, Who::Ours, &twins.dir(Who::Ours).join("packages/front"), ("X", "1"), "ready --json")
            .ok();
    let ready = ready.json();
    assert!(!ready.as_array().unwrap().is_empty());
    for issue in ready.as_array().unwrap() {
        assert!(issue["labels"].as_array().unwrap().contains(&"ui".into()), "{issue}");
    }
}

#[test]
fn the_id_of_the_repository_is_renewed_as_by_the_real_one() {
    let twins = Twins::copied();
    let origin = |url: &str| {
        for who in [Who::Real, Who::Ours] {
            let mut git = Command::new("git");
            twins.town.seal(&mut git);
            git.args(["config", "remote.origin.url", url]).current_dir(twins.dir(who));
            run(git).ok();
        }
    };
    let same = |line: &str| {
        let [real, ours] =
            [Who::Real, Who::Ours].map(|who| call(&twins, who, &twins.dir(who), ("X", "1"), line));
        // What was there is made from the directory, which the two have not in common.
        let veiled = |ran: &Ran| {
            let is_old = |line: &&str| {
                line.contains("Old:") || line.contains("old_repo_id") || line.contains("Current repo ID")
            };
            let lines: Vec<&str> = ran.out.lines().filter(|line| !is_old(line) && !line.is_empty()).collect();
            (lines.join("\n"), ran.code, first_line(&ran.err))
        };
        assert_eq!(veiled(&ours), veiled(&real), "{line}");
        ours
    };
    origin("https://user@example.com:443/some/Where.git");
    same("migrate --update-repo-id --dry-run");
    // The real one prints text under --json here.
    let told = call(
        &twins,
        Who::Ours,
        &twins.dir(Who::Ours),
        ("X", "1"),
        "migrate --update-repo-id --dry-run --json",
    );
    let told = told.ok().json();
    assert_eq!((told["dry_run"].as_bool(), told["new_repo_id"].as_str()), (Some(true), Some("c0b65348")));
    // Nobody answers: it stays.
    same("migrate --update-repo-id").says("Canceled");
    same("migrate --update-repo-id --yes").says("Repository ID updated");
    origin("git@example.com:other/place");
    same("migrate --update-repo-id --yes");
    let veil = Veil::new();
    let stored = |who: Who| {
        let mut rows = twins.rows(who, "metadata", &veil);
        rows.retain(|row| row.contains("repo_id"));
        rows
    };
    assert_eq!(stored(Who::Ours), stored(Who::Real));
    assert_eq!(stored(Who::Ours).len(), 1);
}
