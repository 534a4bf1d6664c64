//! What Dolt's and git's commits tell about issues, beside the real one: on copies of one database, so that commits have the same
//! addresses; and from a server's system tables what the files tell.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use gt::store::commits;
use gt::store::history::{as_of, differences, versions};
use gt::store::{Engine, Server, Store, Whereabouts};
use gt::sys::net::Port;

use super::{Twins, Who, all_same, exact, first_line};
use crate::support::{Dolt, Ran, TestTown, bd, free_port, run, wait_until};

/// Every kind of change in a commit of its own.
const CHANGES: [&[&str]; 8] = [
    &["update", "t-ms", "--title", "Another <title>", "--priority", "0"],
    &["update", "t-ms", "--status", "in_progress", "--assignee", "bob", "--estimate", "5"],
    &["update", "t-ms", "--description", "other words", "--design", "d", "--notes", "n"],
    &["create", "A new one", "--id", "t-new", "-d", "text"],
    &["close", "t-ms", "--reason", "done"],
    &["label", "add", "t-ms", "no-row-of-an-issue"],
    &["delete", "t-new", "--force"],
    &["update", "t-spike", "--set-metadata", "k=v"],
];

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn commits(twins: &Twins) -> Vec<String> {
    let log = twins.run(Who::Ours, &words(&["vc", "log", "--json", "-n", "1000"])).ok().json();
    log.as_array().unwrap().iter().map(|entry| entry["hash"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn histories_and_differences_are_those_that_the_real_one_tells() {
    let twins = Twins::copied_after(&CHANGES);
    let commits = commits(&twins);
    let (new, before) = (&commits[0], &commits[CHANGES.len()]);
    // In between two that are there, and the first commit of all, which has no issues.
    let (middle, first) = (&commits[3], commits.last().unwrap());
    let mut list = String::new();
    for id in ["t-ms", "t-new", "t-spike", "t-none", "ms", "t-wisp1"] {
        write!(
            list,
            "history {id}\nhistory {id} --json\nhistory {id} --limit 2\nhistory {id} --limit 1 --json\n"
        )
        .unwrap();
    }
    for (from, to) in [(before, new), (new, before), (middle, new), (before, middle), (first, new)] {
        write!(list, "diff {from} {to}\ndiff {from} {to} --json\ndiff {from} main\n").unwrap();
    }
    list += "diff main HEAD\ndiff HEAD WORKING\ndiff nonsense main\ndiff main nonsense --json\ndiff '' main\ndiff 'a b' main\nhistory\ndiff main\ndiff a b c\n";
    all_same(&twins.differences(&list, exact));
    // What the real one's help promises and its check of revisions refuses.
    let asked = |from: &str| twins.run(Who::Ours, &words(&["diff", from, "HEAD", "--json"])).ok().out;
    assert_eq!(asked("HEAD~2"), asked(&commits[2]));
    assert!(asked("HEAD~2").contains("t-new"));
    // The document's word for the same; and nothing is an empty list in JSON.
    let again = |word: &[&str]| twins.run(Who::Ours, &words(word)).ok().out;
    assert_eq!(again(&["vc", "diff", before, new]), again(&["diff", before, new]));
    assert_eq!(again(&["diff", "HEAD", "HEAD", "--json"]), "[]\n");
}

#[test]
fn a_server_on_another_machine_tells_the_history_that_the_files_tell() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let town = TestTown::build(dolt, &[], free_port());
        let dir = town.outside().join("project");
        std::fs::create_dir(&dir).unwrap();
        let real = |args: &[&str]| {
            let mut command = Command::new(bd());
            command.args(args);
            town.seal(&mut command);
            command.current_dir(&dir).env("PWD", &dir).env("BD_NON_INTERACTIVE", "1").env("BD_ACTOR", "me");
            // The older Dolt reads what this writes.
            command.env("DOLT_USE_ADAPTIVE_ENCODING", "false");
            run(command).ok()
        };
        real(&["init", "--prefix", "t", "--skip-agents", "--skip-hooks", "-q"]);
        real(&["create", "The first <é>", "--id", "t-ms", "-d", "It's \"quoted\" \\ text"]);
        for change in CHANGES {
            if !change.contains(&"t-spike") {
                real(change);
            }
        }
        let data_dir = dir.join(".beads/embeddeddolt");
        let port = free_port();
        let args = ["sql-server", "--host", "127.0.0.1", "--port", &port.to_string(), "--data-dir", "."];
        let _server = town.start_dolt(&args, &data_dir);
        wait_until("the server answers", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        let files = store(Some(&data_dir.join("t")), port);
        let server = store(None, port);
        for id in ["t-ms", "t-new", "t-none"] {
            let told = versions(&files, id).unwrap();
            assert_eq!(told.is_empty(), id == "t-none", "{id}");
            assert_eq!(versions(&server, id).unwrap(), told, "{dolt:?}: {id}");
        }
        for (from, to) in [("HEAD~6", "HEAD"), ("HEAD", "HEAD~4"), ("HEAD~3", "main"), ("main", "HEAD")] {
            let told = differences(&files, from, to).unwrap();
            assert_eq!(told.is_empty(), from == "main", "{from}");
            assert_eq!(differences(&server, from, to).unwrap(), told, "{dolt:?}: {from} to {to}");
        }
        for revision in ["HEAD", "HEAD~3", "main"] {
            for id in ["t-ms", "t-new", "t-none"] {
                let told = as_of(&files, revision, id).unwrap();
                let is_there = id == "t-ms" || (id == "t-new" && revision == "HEAD~3");
                assert_eq!(told.is_some(), is_there, "{revision}: {id}");
                assert_eq!(as_of(&server, revision, id).unwrap(), told, "{dolt:?}: {revision}: {id}");
            }
        }
        assert_eq!(commits::head(&server).unwrap(), commits::head(&files).unwrap(), "{dolt:?}");
        let told = commits::log(&files, 1000).unwrap();
        assert!(told.len() > CHANGES.len(), "{told:?}");
        assert_eq!(commits::log(&server, 1000).unwrap(), told, "{dolt:?}");
        assert_eq!(commits::log(&server, 2).unwrap(), told[..2], "{dolt:?}");
        for store in [files, server] {
            let refused = differences(&store, "nonsense", "main").unwrap_err().to_string();
            let unknown = as_of(&store, "nonsense", "t-ms").unwrap_err().to_string();
            assert!(unknown.contains("nonsense"), "{unknown}");
            assert!(refused.contains("nonsense"), "{refused}");
        }
    }
}

#[test]
fn an_issue_as_it_was_is_shown_as_by_the_real_one() {
    let twins = Twins::copied_after(&CHANGES);
    let commits = commits(&twins);
    let mut list = String::new();
    for revision in
        [&commits[0], &commits[3], &commits[CHANGES.len()], "main", "HEAD", "WORKING", "nonsense", "a;b"]
    {
        write!(
            list,
            "show t-ms t-new --as-of {revision} --json\nshow t-ms t-none t-new --as-of {revision} --short\n\
             show t-ms --as-of {revision}\n"
        )
        .unwrap();
    }
    list += "show ms --as-of main\nshow t-wisp-a --as-of WORKING\nshow --as-of main\nshow t-spike t-story --as-of main\n\
             show --current --as-of main --short\nshow t-bug1 --as-of HEAD --watch\n";
    all_same(&twins.differences(&list, super::squashed));
    // What the real one refuses, and what nothing but the past has.
    let asked = |revision: &str| {
        twins.run(Who::Ours, &words(&["show", "t-ms", "t-new", "--as-of", revision, "--json"])).ok().out
    };
    assert_eq!(asked("HEAD~3"), asked(&commits[3]));
    assert!(asked("HEAD~3").contains("A new one") && !asked("HEAD").contains("A new one"));
}

fn store(dir: Option<&Path>, port: u16) -> Store {
    let server = Server {
        host: "127.0.0.1".into(),
        port: Port::new(port),
        user: "root".into(),
        password: None,
        database: "t".into(),
        tls: false,
    };
    let whereabouts = Whereabouts { dir: dir.map(Path::to_owned), server };
    Store::new(whereabouts, Engine::Auto, ("t".into(), "t@example.com".into()), None).unwrap()
}

const ORPHANS: &str = "\
orphans
orphans --details
orphans --label backend
orphans --label-any backend,nonsense --details
orphans --label nonsense
orphans --label nonsense --json
orphans --nonsense";

#[test]
fn issues_that_git_s_commits_name_are_found_and_closed_as_by_the_real_one() {
    let twins = Twins::copied();
    let none = "orphans\norphans --json";
    all_same(&twins.differences(none, exact));
    for who in [Who::Real, Who::Ours] {
        for message in
            ["Mend it (t-bug1)", "Two (t-feat) at (t-ep1.1) once", "Again (t-bug1)", "t-chore, (x-1)"]
        {
            let mut git = Command::new("git");
            twins.town.seal(&mut git);
            git.args(["-c", "user.name=t", "-c", "user.email=t@example.com"]);
            git.args(["commit", "--allow-empty", "--no-verify", "-q", "-m", message]);
            let date = "2026-01-02T03:04:05Z";
            git.current_dir(twins.dir(who)).env("GIT_AUTHOR_DATE", date).env("GIT_COMMITTER_DATE", date);
            run(git).ok();
        }
    }
    all_same(&twins.differences(ORPHANS, exact));
    // The real one tells them in no order as JSON.
    let sorted = |who: Who| {
        let told = twins.run(who, &words(&["orphans", "--json"])).ok().json();
        let mut told: Vec<String> = told.as_array().unwrap().iter().map(ToString::to_string).collect();
        told.sort();
        told
    };
    assert_eq!(sorted(Who::Ours), sorted(Who::Real));
    assert!(sorted(Who::Ours).len() > 1);
    // The real one calls whatever bd is on PATH to close them, so only what it asks is held beside it.
    let asked = |ran: &Ran| first_line(ran.out.split("This will").nth(1).unwrap_or_default());
    let ours = twins.run(Who::Ours, &words(&["orphans", "--fix"])).ok();
    let ours_asked = asked(&ours);
    assert!(ours_asked.contains("orphaned issue(s). Continue? (Y/n):"), "{}", ours.out);
    assert!(ours.out.contains("✓ Closed t-bug1\n"), "{}", ours.out);
    let closed = twins.run(Who::Ours, &words(&["show", "t-bug1", "--json"])).ok().json();
    assert_eq!(
        (closed[0]["status"].as_str(), closed[0]["close_reason"].as_str()),
        (Some("closed"), Some("Implemented"))
    );
    let left = twins.run(Who::Ours, &words(&["orphans"])).ok().out;
    assert!(!left.contains("t-bug1"), "{left}");
}
