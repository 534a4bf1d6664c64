//! What we write, the real Dolt takes for its own: the same commits have the same addresses, and it goes on from there.

use std::fs;
use std::path::Path;
use std::process::Command;

use dolt_store::chunk::Disk;
use dolt_store::commit::{Author, CommitMeta, Database, Locked, LogEntry, RefKind};
use dolt_store::table::Value;
use dolt_store::{Commit, Error, Tag};

use crate::support::{Dolt, Ran, Subject, copy_tree, lock, run, unlock};

/// A moment that both programs are told.
const DATE: &str = "2026-01-02T03:04:05Z";
const MILLIS: u64 = 1_767_323_045_000;

/// Whom Dolt's configuration in a test town names.
fn author() -> Author {
    Author { name: "t".to_owned(), email: "t@example.com".to_owned(), millis: MILLIS }
}

fn locked(subject: &Subject) -> Locked {
    lock(&subject.dir(), &Disk::default())
}

fn commit(locked: &mut Locked, message: &str) -> String {
    let made = locked.begin("main").unwrap().commit(&CommitMeta::by(author(), message), true);
    made.unwrap().expect("an empty commit was asked for").to_string()
}

impl Subject {
    /// Runs Dolt at the fixed moment.
    fn dolt_then(&self, args: &[&str]) -> Ran {
        self.dolt_in(&self.dir(), args).ok()
    }

    fn dolt_in(&self, dir: &Path, args: &[&str]) -> Ran {
        let mut command = Command::new(self.town.dolt.path());
        command.args(args);
        self.town.seal(&mut command);
        command.current_dir(dir).env("DOLT_AUTHOR_DATE", DATE).env("DOLT_COMMITTER_DATE", DATE);
        run(command)
    }

    fn head(&self) -> String {
        self.asked("csv", "select hashof('main')").lines().nth(1).unwrap().to_owned()
    }

    #[track_caller]
    fn is_whole(&self) {
        for dolt in [Dolt::V1, Dolt::V2] {
            let said = self.another_dolt(dolt, &["fsck"]).ok();
            assert!(said.out.contains("No problems found."), "{said:?}");
        }
        self.gt(&["verify"]).ok();
    }
}

#[test]
fn the_same_commits_have_the_addresses_that_dolt_gives_them() {
    const COMMITS: u32 = 150;
    for dolt in [Dolt::V1, Dolt::V2] {
        let (theirs, ours) = (Subject::new(dolt), Subject::new(dolt));
        theirs.sql("create table t (id int primary key); insert into t values (1)");
        theirs.dolt_then(&["add", "."]);
        theirs.dolt_then(&["commit", "-m", "first"]);
        fs::remove_dir_all(ours.dir()).unwrap();
        copy_tree(&theirs.dir(), &ours.dir());

        let calls: Vec<String> =
            (0..COMMITS).map(|n| format!("call dolt_commit('--allow-empty', '-m', 'commit {n}');")).collect();
        let file = theirs.town.outside().join("commits.sql");
        fs::write(&file, calls.join("\n")).unwrap();
        theirs.dolt_then(&["sql", "--file", file.to_str().unwrap()]);

        let mut database = locked(&ours);
        for n in 0..COMMITS {
            commit(&mut database, &format!("commit {n}"));
        }
        unlock(database, &ours.dir());
        for (ours, theirs) in log(&ours).iter().zip(log(&theirs)).rev() {
            assert_eq!(*ours, theirs);
        }
        assert_eq!(ours.head(), theirs.head());
        assert!(ours.dolt(&["status"]).ok().out.contains("working tree clean"));
        ours.is_whole();
    }
}

#[test]
fn a_database_that_we_make_is_the_one_that_dolt_makes() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        let (theirs, ours) = (subject.town.outside().join("theirs"), subject.dir());
        fs::create_dir_all(&theirs).unwrap();
        subject.dolt_in(&theirs, &["init", "--date", DATE, "--name", "t", "--email", "t@example.com"]).ok();
        fs::remove_dir_all(&ours).unwrap();
        // Dolt takes the author's date from outside, and the committer's from the clock.
        let meta = CommitMeta {
            committer: Author { millis: first_in(&theirs).committer_millis, ..author() },
            ..CommitMeta::first(author())
        };
        let first = Database::init(&ours, "main", &meta).unwrap();
        assert_eq!(first_in(&ours), first_in(&theirs));
        assert_eq!(first.to_string(), head_in(&theirs));
        assert!(matches!(Database::init(&ours, "main", &meta), Err(Error::AlreadyThere { .. })));
        for file in [".dolt/repo_state.json", ".dolt/config.json"] {
            let read = |dir: &Path| fs::read_to_string(dir.join(file)).unwrap();
            assert_eq!(read(&ours), read(&theirs), "{file}");
        }
        subject.is_whole();
        subject.sql("create table t (id int primary key); insert into t values (1)");
        subject.commit("Dolt goes on");
        subject.dolt(&["gc"]).ok();
        let mut database = locked(&subject);
        commit(&mut database, "and so do we, after a collection");
        unlock(database, &subject.dir());
        assert!(subject.dolt(&["log", "--oneline"]).ok().out.contains("after a collection"));
        subject.is_whole();
        assert_eq!(subject.asked("csv", "select * from t"), "id\n1\n");
        let clone = subject.town.outside().join("clone");
        let url = format!("file://{}", subject.town.outside().join("remote").display());
        subject.dolt(&["remote", "add", "origin", &url]).ok();
        subject.dolt(&["push", "origin", "main"]).ok();
        subject.dolt(&["clone", &url, clone.to_str().unwrap()]).ok();
        assert_eq!(head_in(&clone), subject.head());
    }
}

#[test]
fn branches_and_tags_are_the_ones_that_dolt_makes() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject.sql("create table t (id int primary key)");
        subject.commit("one");
        let copy_of = subject.town.outside().join("theirs");
        copy_tree(&subject.dir(), &copy_of);
        for n in 0..60 {
            subject.dolt_in(&copy_of, &["branch", &format!("b/{n}")]).ok();
        }
        subject.dolt_in(&copy_of, &["branch", "-d", "b/7"]).ok();
        subject.dolt_in(&copy_of, &["tag", "v1", "-m", "the first"]).ok();

        let mut database = locked(&subject);
        let head = database.session().unwrap().resolve_exact("refs/heads/main").unwrap().unwrap();
        for n in 0..60 {
            database.create_branch(&format!("b/{n}"), head, MILLIS / 1000).unwrap();
        }
        database.delete_branch("b/7", false, MILLIS / 1000).unwrap();
        database.create_tag("v1", head, &author(), "the first").unwrap();
        for (made, problem) in [
            (database.create_branch("b/8", head, 1), "already"),
            (database.create_branch("a b", head, 1), "blank"),
            (database.create_branch("a/.b", head, 1), "begins with a dot"),
            (database.delete_branch("main", true, 1), "is on it"),
            (database.delete_branch("none", true, 1), "no branch"),
            (database.create_tag("v1", head, &author(), "x"), "already"),
        ] {
            let said = made.unwrap_err().to_string();
            assert!(said.contains(problem), "{said}");
        }
        unlock(database, &subject.dir());
        let refs = |dir: &Path| Database::open_read(dir).unwrap().session().unwrap().all_refs().unwrap();
        let (ours, theirs) = (refs(&subject.dir()), refs(&copy_of));
        assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!(ours.full_name, theirs.full_name);
            let session = |dir: &Path| Database::open_read(dir).unwrap().session().unwrap();
            // Dolt takes the moment of a tag and of a working set from the clock.
            let tag = |dir, at| Tag { user_millis: 0, ..session(dir).tag(at).unwrap() };
            let set = |dir| {
                let set = session(dir).working_set(&ours.name).unwrap().unwrap();
                (set.working, set.staged, set.merge, set.rebase)
            };
            match ours.kind {
                RefKind::Tag => assert_eq!(tag(&subject.dir(), ours.target), tag(&copy_of, theirs.target)),
                RefKind::WorkingSet => assert_eq!(set(&subject.dir()), set(&copy_of)),
                _ => assert_eq!(ours.target, theirs.target),
            }
        }
        subject.is_whole();
    }
}

fn head_in(dir: &Path) -> String {
    let session = Database::open_read(dir).unwrap().session().unwrap();
    session.resolve_exact("refs/heads/main").unwrap().unwrap().to_string()
}

fn first_in(dir: &Path) -> Commit {
    let session = Database::open_read(dir).unwrap().session().unwrap();
    session.commit(session.resolve_exact("refs/internal/create").unwrap().unwrap()).unwrap()
}

fn log(subject: &Subject) -> Vec<LogEntry> {
    let session = Database::open_read(&subject.dir()).unwrap().session().unwrap();
    let head = session.resolve_exact("refs/heads/main").unwrap().unwrap();
    session.log(head).unwrap().map(|entry| entry.unwrap()).collect()
}

#[test]
fn branches_tags_and_commits_are_made_at_the_command_line_while_no_server_has_the_database() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject.sql(
            "create table t (id int primary key); insert into t values (1);
            create table wisp_a (id int primary key); insert into dolt_ignore values ('wisp_%', true)",
        );
        subject.gt(&["commit", "-m", "nothing yet"]).fails(1).says("nothing is staged on main").says("-A");
        let made = subject.gt(&["commit", "-A", "-m", "it's \"all\"", "--json"]).ok().json();
        assert_eq!(made["commit"], subject.head());
        assert_eq!(made["ignored"], serde_json::json!(["wisp_a"]));
        let log = subject.dolt(&["log", "-n", "1"]).ok().out;
        assert!(log.contains("Author: t <t@example.com>") && log.contains("it's \"all\""), "{log}");
        assert!(subject.dolt(&["status"]).ok().out.contains("working tree clean"));
        assert!(subject.dolt(&["ls"]).ok().out.contains("wisp_a"), "what is ignored stays where it was");
        subject.gt(&["commit", "-A", "-m", "again"]).fails(1).says("nothing is staged");
        subject.gt(&["commit", "--allow-empty", "-m", "again", "--author", "Tess <tess@example.com>"]).ok();
        subject.gt(&["commit", "--allow-empty", "-m", "x", "--author", "Tess"]).fails(1).says("is no author");
        subject.gt(&["branch", "before", "--at", "HEAD~1"]).ok().says("before");
        subject.gt(&["tag", "v1", "-m", "the first"]).ok();
        subject.gt(&["branch", "before"]).fails(1).says("there is a before already");
        subject.gt(&["branch", "a b"]).fails(1).says("blank");
        subject.gt(&["branch", "x", "--at", "nowhere"]).fails(1).says("there is no commit");
        let branches = subject.dolt(&["branch"]).ok().out;
        assert!(branches.contains("before") && branches.contains("main"), "{branches}");
        assert!(subject.dolt(&["tag", "-v"]).ok().out.contains("the first"));
        subject.gt(&["branch", "-d", "before"]).ok();
        subject.gt(&["tag", "-d", "v1"]).ok();
        subject.gt(&["branch", "-d", "main"]).fails(1).says("branch main stays");
        subject.is_whole();
        let pid = subject.town.up();
        for args in [&["branch", "x"][..], &["tag", "x"], &["commit", "--allow-empty", "-m", "x"]] {
            subject.gt(args).fails(1).says(&format!("is held by PID {pid}")).says("gt dolt stop");
        }
        subject.town.gt(&["dolt", "stop"]).ok();
        subject.gt(&["commit", "--allow-empty", "-m", "after the server"]).ok();
    }
}

#[test]
fn what_was_prepared_without_the_lock_lands_only_on_the_state_that_it_was_made_for() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject.sql("create table t (id int primary key)");
        subject.commit("base");
        let prepare = |message: &str| {
            let session = subject.open().session().unwrap();
            let mut draft = session.begin("main").unwrap();
            let id = Value::Int(i64::try_from(message.len()).unwrap());
            draft.edit(|root| root.table("t")?.insert([("id", id)])).unwrap();
            draft.stage_all().unwrap();
            draft.prepare_commit(&CommitMeta::by(author(), message), false).unwrap().unwrap()
        };
        let apply = |prepared| {
            let mut database = locked(&subject);
            let applied = database.apply(prepared);
            unlock(database, &subject.dir());
            applied
        };
        let (hash, prepared) = prepare("a");
        // Readers see nothing of it, and the lock is free.
        assert_ne!(subject.head(), hash.to_string());
        apply(prepared).unwrap();
        assert_eq!(subject.head(), hash.to_string());
        // Somebody else was faster.
        let (_, late) = prepare("bb");
        subject.sql("insert into t values (100)");
        assert!(matches!(apply(late), Err(Error::Moved { .. })));
        // The root is the same, but what the change takes for there may have been collected.
        let (_, late) = prepare("ccc");
        subject.dolt(&["gc"]).ok();
        assert!(matches!(apply(late), Err(Error::Moved { .. })));
        let (hash, again) = prepare("ccc");
        apply(again).unwrap();
        assert_eq!(subject.head(), hash.to_string());
        assert_eq!(subject.asked("csv", "select id from t order by id"), "id\n1\n3\n100\n");
        subject.is_whole();
    }
}
