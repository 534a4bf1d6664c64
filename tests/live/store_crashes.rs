//! A writer that dies at any moment: the database then holds the old commit or the new one, never anything else, and both
//! Dolt and we go on from there.

use std::fs;
use std::path::{Path, PathBuf};

use dolt_store::Error;
use dolt_store::chunk::Disk;
use dolt_store::commit::{Author, CommitMeta, Database};
use dolt_store::table::Value;

use crate::support::{Dolt, Subject, copy_tree, lock, unlock, wait_until};

const JOURNAL: &str = ".dolt/noms/vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv";

fn meta(message: &str) -> CommitMeta {
    let author =
        Author { name: "t".to_owned(), email: "t@example.com".to_owned(), millis: 1_767_323_045_000 };
    CommitMeta::by(author, message)
}

/// One commit on a disk that may stop, of a row with this message if there is a table for it. Whether it was acknowledged.
fn commit(dir: &Path, disk: &Disk, message: &str) -> bool {
    let mut locked = lock(dir, disk);
    let row = [Value::Int(i64::try_from(message.len()).unwrap()), Value::Text(message.repeat(2000))];
    let mut attempt = || {
        let mut tx = locked.begin("main")?;
        match tx.edit(|root| root.table("t")?.insert_row(&row)) {
            Ok(_) | Err(Error::NoTable { .. }) => {}
            Err(other) => return Err(other),
        }
        tx.stage_all()?;
        tx.commit(&meta(message), true)
    };
    let made = attempt();
    if made.is_err() {
        let again = attempt();
        assert!(again.is_err(), "a writer that failed writes no more");
    }
    let is_made = made.is_ok();
    unlock(locked, dir);
    is_made
}

fn head_message(dir: &Path) -> String {
    let session = Database::open_read(dir).unwrap().session().unwrap();
    session.commit(session.resolve_exact("refs/heads/main").unwrap().unwrap()).unwrap().description
}

/// Dies before the first call to the disk, before the second, and so on, until nothing stops it any more.
fn die_everywhere(subject: &Subject) {
    let original = subject.town.outside().join("original");
    copy_tree(&subject.dir(), &original);
    let before = head_message(&original);
    let mut acknowledged = false;
    for calls in 0.. {
        fs::remove_dir_all(subject.dir()).unwrap();
        copy_tree(&original, &subject.dir());
        acknowledged = commit(&subject.dir(), &Disk::stopping_after(calls), "ours");
        let found = head_message(&subject.dir());
        assert!(found == "ours" || found == before && !acknowledged, "{calls} calls: {found}");
        // Dolt first on every other round: either may be the one that comes upon it.
        if calls % 2 == 0 {
            commit(&subject.dir(), &Disk::default(), "and on");
        }
        subject.commit("theirs");
        let log = subject.dolt(&["log", "--oneline"]).ok().out;
        assert_eq!(log.contains("ours"), found == "ours", "{calls} calls: {log}");
        let rows = subject.asked("csv", "select length(v) from t use index (v) where v like 'oursours%'");
        assert_eq!(rows.contains("8000"), found == "ours", "{calls} calls: {rows}");
        let said = subject.dolt(&["fsck"]).ok().out;
        assert!(said.contains("No problems found."), "{calls} calls: {said}");
        if acknowledged {
            break;
        }
    }
    assert!(acknowledged);
}

#[test]
fn a_commit_that_dies_at_any_call_to_the_disk_is_there_or_not() {
    let subject = Subject::new(Dolt::V2);
    subject.sql("create table t (id int primary key, v text, key v (v(9))); insert into t values (1, 'a')");
    subject.commit("first");
    die_everywhere(&subject);
}

#[test]
fn the_first_commit_after_a_collection_may_die_too() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject
            .sql("create table t (id int primary key, v text, key v (v(9))); insert into t values (1, 'a')");
        subject.commit("first");
        subject.dolt(&["gc"]).ok();
        assert!(!subject.dir().join(JOURNAL).exists(), "this is about a store without a journal");
        die_everywhere(&subject);
    }
}

#[test]
fn a_torn_tail_that_a_crash_has_left_is_cut_off_and_that_may_die_too() {
    let subject = Subject::new(Dolt::V1);
    subject.sql("create table t (id int primary key, v text, key v (v(9))); insert into t values (1, 'a')");
    subject.commit("first");
    let journal = subject.dir().join(JOURNAL);
    let whole = fs::read(&journal).unwrap();
    assert!(commit(&subject.dir(), &Disk::default(), "torn"));
    let longer = fs::read(&journal).unwrap();
    fs::write(&journal, &longer[..longer.len() - 20]).unwrap();
    assert!(longer.len() > whole.len() + 100);
    die_everywhere(&subject);
}

#[test]
fn a_full_disk_is_said_and_loses_nothing() {
    let subject = Subject::new(Dolt::V2);
    subject.sql("create table t (id int primary key, v text); insert into t values (1, 'a')");
    subject.commit("first");
    let mut refused = 0;
    for after in 0.. {
        let message = format!("with room for {after}");
        let args = ["db", "--db", "alpha", "commit", "--allow-empty", "-m", &message];
        let ran = subject.town.gt_on_full_disk(".dolt-data/alpha", after, &args);
        let is_there = head_message(&subject.dir()) == message;
        if ran.code == 0 {
            assert!(is_there);
            break;
        }
        ran.fails(1).error_begins_with("cannot write").says("No space left on device");
        // The next one finds a database that can be written.
        subject.gt(&["commit", "--allow-empty", "-m", "room again"]).ok();
        refused += 1;
    }
    assert!(refused >= 2, "a write and a sync: {refused}");
    let said = subject.dolt(&["fsck"]).ok().out;
    assert!(said.contains("No problems found."), "{said}");
}

#[test]
fn a_journal_cut_anywhere_in_the_last_commit_holds_the_one_before() {
    let subject = Subject::new(Dolt::V1);
    subject.sql("create table t (id int primary key, v text, key v (v(9))); insert into t values (1, 'a')");
    subject.commit("first");
    let journal = subject.dir().join(JOURNAL);
    let old = fs::metadata(&journal).unwrap().len();
    assert!(commit(&subject.dir(), &Disk::default(), "ours"));
    let bytes = fs::read(&journal).unwrap();
    assert!(bytes.len() as u64 > old);
    let begin = usize::try_from(old).unwrap();
    let step = (bytes.len() - begin) / 13;
    for len in begin..bytes.len() {
        fs::write(&journal, &bytes[..len]).unwrap();
        assert_eq!(head_message(&subject.dir()), "first", "{len} of {} bytes", bytes.len());
        if (len - begin) % step == 0 {
            let dolt = if ((len - begin) / step).is_multiple_of(2) { Dolt::V1 } else { Dolt::V2 };
            let log = subject.another_dolt(dolt, &["log", "--oneline"]).ok().out;
            assert!(log.contains("first") && !log.contains("ours"), "{len} bytes: {log}");
            let said = subject.another_dolt(dolt, &["fsck"]).ok().out;
            assert!(said.contains("No problems found."), "{len} bytes: {said}");
        }
    }
    fs::write(&journal, &bytes).unwrap();
    assert_eq!(head_message(&subject.dir()), "ours");
}

#[test]
fn a_database_whose_making_dies_is_none_and_can_be_made_again() {
    let subject = Subject::new(Dolt::V2);
    let mut made = false;
    for calls in 0.. {
        let dir: PathBuf = subject.town.outside().join(format!("new-{calls}"));
        made = Database::init_on(&dir, "main", &meta("first"), Disk::stopping_after(calls)).is_ok();
        if Database::open_read(&dir).is_err() {
            assert!(!made);
            // A child that another test starts just now may have a copy of the lock.
            wait_until("it is made", || match Database::init(&dir, "main", &meta("first")) {
                Err(Error::Locked { .. }) => false,
                done => done.is_ok(),
            });
        }
        assert_eq!(head_message(&dir), "first", "{calls} calls");
        assert!(commit(&dir, &Disk::default(), "goes on"));
        if made {
            break;
        }
    }
    assert!(made);
}
