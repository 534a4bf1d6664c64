//! A workspace with more issues than one thread reads and spells: none is missing, none comes twice, and all are in order.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use serde_json::json;

use crate::sealed::{Ran, Sealed, run, write};

const ISSUES: usize = 2600;

fn bd(sealed: &Sealed, cwd: &Path, args: &[&str]) -> Ran {
    run(sealed.bd_command(cwd, args))
}

fn id(n: usize) -> String {
    format!("x-{n:05}")
}

// Each tenth waits for the one before. There are enough labels to be read by a thread of their own.
fn lines() -> String {
    let mut lines = String::new();
    for n in 0..ISSUES {
        let edge = if n % 10 == 9 {
            let (from, to) = (id(n), id(n - 1));
            format!(r#","dependencies":[{{"issue_id":"{from}","depends_on_id":"{to}","type":"blocks"}}]"#)
        } else {
            String::new()
        };
        let made = "2026-01-01T00:00:00Z";
        writeln!(
            lines,
            r#"{{"id":"{}","title":"Number {n}","description":"<{n}> words","priority":{},"labels":["of-{}","all"],"created_at":"{made}"{edge}}}"#,
            id(n),
            n % 5,
            n % 7
        )
        .unwrap();
    }
    lines
}

#[test]
fn every_one_of_many_issues_is_listed_once_and_whole() {
    let sealed = Sealed::new();
    let root = sealed.repository("x");
    bd(&sealed, &root, &["init", "--prefix", "x"]).ok();
    write(&root.join("issues.in"), &lines());
    bd(&sealed, &root, &["import", "issues.in"]).ok();

    let listed = bd(&sealed, &root, &["list", "--all", "--limit", "0", "--json"]).ok().json();
    let listed = listed.as_array().unwrap();
    let numbers: Vec<usize> = listed
        .iter()
        .map(|issue| {
            let n: usize = issue["id"].as_str().unwrap().trim_start_matches("x-").parse().unwrap();
            assert_eq!(issue["title"], format!("Number {n}"));
            assert_eq!(issue["description"], format!("<{n}> words"));
            assert_eq!(issue["labels"], json!(["all", format!("of-{}", n % 7)]));
            assert_eq!(issue["dependency_count"], u64::from(n % 10 == 9));
            assert_eq!(issue["dependent_count"], u64::from(n % 10 == 8));
            n
        })
        .collect();
    let mut expected: Vec<usize> = (0..ISSUES).collect();
    expected.sort_by_key(|n| (n % 5, *n));
    assert_eq!(numbers, expected);

    // What hangs on an issue comes from several tables, of two families, and more than one of each.
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    for line in [
        "comment x-00001 Once",
        "comment x-00001 Twice",
        "create Of_mist --id x-wisp-1 --ephemeral -l mist,all --deps x-00002",
        "comment x-wisp-1 Seen",
        "dep add x-00019 x-00003",
        "dep add x-00019 external:other:thing",
        "dep add x-00019 x-wisp-1 --type related",
        "dep add x-00019 x-00004 --type discovered-from",
    ] {
        let words = words(line);
        bd(&sealed, &root, &words.iter().map(String::as_str).collect::<Vec<_>>()).ok();
    }
    let one = |id: &str| {
        let told = bd(&sealed, &root, &["list", "--all", "--include-infra", "-n", "0", "--json"]).ok().json();
        told.as_array().unwrap().iter().find(|issue| issue["id"] == id).unwrap().clone()
    };
    assert_eq!(one("x-00001")["comment_count"], 2);
    assert_eq!(one("x-00019")["dependencies"].as_array().unwrap().len(), 5);
    let wisp = one("x-wisp-1");
    assert_eq!((&wisp["labels"], &wisp["comment_count"]), (&json!(["all", "mist"]), &json!(1)));

    // A list that is spelled row by row says what one of whole issues does: `--sort` asks for these.
    for filter in [
        &["--all"][..],
        &["--priority", "2"],
        &["--include-infra", "-n", "700"],
        &["-l", "nobody"],
        &["-l", "of-3"],
        &["--all", "--include-infra", "-n", "0"],
    ] {
        let list = |more: &[&str]| bd(&sealed, &root, &[&["list", "--json"], filter, more].concat()).ok().out;
        assert!(list(&[]) == list(&["--sort", "priority"]), "{filter:?}");
    }

    for sorted in [&[][..], &["--sort", "priority"]] {
        let mut list = sealed.bd_command(&root, &[&["list", "--all", "--json"], sorted].concat());
        list.stdout(std::fs::File::options().write(true).open("/dev/full").unwrap());
        run(list).fails(1).says("the output could not be written");
    }

    let ready = bd(&sealed, &root, &["ready", "--limit", "0", "--json"]).ok().json();
    let ready: BTreeSet<&str> =
        ready.as_array().unwrap().iter().map(|issue| issue["id"].as_str().unwrap()).collect();
    let free: Vec<String> = (0..ISSUES).filter(|n| n % 10 != 9).map(id).collect();
    assert_eq!(ready, free.iter().map(String::as_str).collect());

    // So many ids make hashes of five digits.
    let made = bd(&sealed, &root, &["create", "One more", "--json"]).ok().json();
    assert_eq!(made["id"].as_str().unwrap().len(), "x-".len() + 5, "{made}");
}
