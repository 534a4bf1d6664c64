//! A writer that dies at any moment: the database then holds the old state or the new one, never anything else, and both
//! Dolts and we go on from there.

use std::fs;
use std::path::{Path, PathBuf};

use dolt_store::chunk::Disk;
use dolt_store::commit::{Author, CommitMeta, Database, Locked, Ref, RefChange, Reset};
use dolt_store::ddl::{DdlOptions, LongValues};
use dolt_store::table::Value;
use dolt_store::verify::verify;
use dolt_store::{Error, Result};

use crate::support::{Dolt, Subject, copy_tree, lock, unlock, wait_until};

const JOURNAL: &str = ".dolt/noms/vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv";

const TABLE: &str =
    "create table t (id int primary key, v text, key v (v(9))); insert into t values (1, 'a')";

fn author() -> Author {
    Author { name: "t".to_owned(), email: "t@example.com".to_owned(), millis: 1_767_323_045_000 }
}

fn meta(message: &str) -> CommitMeta {
    CommitMeta::by(author(), message)
}

/// Something that is written natively, and how both Dolts tell whether it is there.
struct Work<'w> {
    does: &'w dyn Fn(&mut Locked) -> Result<()>,
    query: &'w str,
    /// A line of the answer afterwards, and not before.
    answer: &'w str,
}

/// A commit of a row.
const COMMIT: Work<'static> = Work {
    does: &|locked| {
        let mut tx = locked.begin("main")?;
        let row = [Value::Int(4), Value::Text("ours".repeat(2000))];
        tx.edit(|root| root.table("t")?.insert_row(&row))?;
        tx.stage_all()?;
        tx.commit(&meta("ours"), false).map(drop)
    },
    query: "select concat('=', length(v)) as it from t use index (v) where v like 'oursours%'",
    answer: "=8000",
};

impl Work<'_> {
    /// Does it on a disk that may stop. Whether it was acknowledged.
    fn on(&self, dir: &Path, disk: &Disk) -> bool {
        let mut locked = lock(dir, disk);
        let done = (self.does)(&mut locked);
        if done.is_err() {
            assert!((self.does)(&mut locked).is_err(), "a writer that failed writes no more");
        }
        unlock(locked, dir);
        done.is_ok()
    }

    /// A Dolt and we go on from this state, in either order, and nothing is wrong with what is there then.
    #[track_caller]
    fn goes_on(&self, subject: &Subject, crashed: &Path, dolt: Dolt, are_we_first: bool, is_there: bool) {
        let dir = fresh(subject, "goes-on", crashed);
        if are_we_first {
            commit_nothing(&dir);
        }
        let sql = format!("{}; call dolt_commit('-A', '--allow-empty', '-m', 'theirs')", self.query);
        let asked = subject.another_dolt_in(dolt, &dir, &["sql", "-r", "csv", "-q", &sql]).ok();
        assert_eq!(asked.out.lines().any(|line| line == self.answer), is_there, "{dolt:?}: {asked:?}");
        if !are_we_first {
            commit_nothing(&dir);
        }
        let log = messages(&dir);
        let one_of = |message: &str| log.iter().filter(|m| *m == message).count() == 1;
        assert!(one_of("theirs") && one_of("and on"), "{dolt:?}: {log:?}");
        let said = subject.another_dolt_in(dolt, &dir, &["fsck"]).ok().out;
        assert!(said.contains("No problems found."), "{dolt:?}: {said}");
        let report = verify(&Database::open_read(&dir).unwrap(), &()).unwrap();
        assert!(report.is_clean(), "{dolt:?}: {:?}", report.findings);
    }
}

/// What the commits of the branch that the directory is on say, the last one first.
fn messages(dir: &Path) -> Vec<String> {
    let session = Database::open_read(dir).unwrap().session().unwrap();
    let head = session.resolve_commit("HEAD").unwrap().unwrap();
    session.log(head).unwrap().map(|entry| entry.unwrap().commit.description).collect()
}

/// A commit of ours on the branch that the directory is on.
fn commit_nothing(dir: &Path) {
    let mut locked = lock(dir, &Disk::default());
    let branch = locked.session().unwrap().head().to_owned();
    locked.begin(&branch).unwrap().commit(&meta("and on"), true).unwrap();
    unlock(locked, dir);
}

/// Every name with where it points, and the branch that the directory is on.
#[derive(Debug, PartialEq, Eq)]
struct State {
    refs: Vec<Ref>,
    branch: String,
}

impl State {
    fn of(dir: &Path) -> Self {
        let session = Database::open_read(dir).unwrap().session().unwrap();
        Self { refs: session.all_refs().unwrap(), branch: session.head().to_owned() }
    }
}

/// A directory of this name, with a copy of another one in it.
fn fresh(subject: &Subject, name: &str, of: &Path) -> PathBuf {
    let dir = subject.town.outside().join(name);
    if dir.exists() {
        fs::remove_dir_all(&dir).unwrap();
    }
    copy_tree(of, &dir);
    dir
}

/// Dies before the first call to the disk, before the second, and so on, until nothing stops it any more.
#[track_caller]
fn die_everywhere(subject: &Subject, work: &Work<'_>) {
    let before = State::of(&subject.dir());
    let whole = fresh(subject, "whole", &subject.dir());
    assert!(work.on(&whole, &Disk::default()), "nothing stops it");
    let after = State::of(&whole);
    assert_ne!(before, after);
    let mut died = 0;
    for calls in 0.. {
        let crashed = fresh(subject, "crashed", &subject.dir());
        let acknowledged = work.on(&crashed, &Disk::stopping_after(calls));
        let found = State::of(&crashed);
        // The directory goes to another branch when everything else is there.
        let is_old = found == before;
        let is_between = found.refs == after.refs && found.branch == before.branch;
        assert!(found == after || !acknowledged && (is_old || is_between), "{calls} calls: {found:?}");
        for dolt in [Dolt::V1, Dolt::V2] {
            work.goes_on(subject, &crashed, dolt, calls % 2 == 0, found == after);
        }
        if acknowledged {
            break;
        }
        died += 1;
    }
    assert!(died >= 2, "a write and a sync at least: {died}");
}

/// Cuts the journal at every byte of what was written last.
#[track_caller]
fn cut_everywhere(subject: &Subject, work: &Work<'_>) {
    const LOOKS: usize = 3;
    let before = State::of(&subject.dir());
    let dir = fresh(subject, "cut", &subject.dir());
    let journal = dir.join(JOURNAL);
    let old = fs::metadata(&journal).map(|m| m.len());
    assert!(work.on(&dir, &Disk::default()));
    let bytes = fs::read(&journal).unwrap();
    // A new journal is put in place whole, with the root that was there already.
    let first_record = || u64::from(u32::from_be_bytes(*bytes.first_chunk().unwrap()));
    let begin = usize::try_from(old.unwrap_or_else(|_| first_record())).unwrap();
    let step = (bytes.len() - begin) / LOOKS;
    assert!(step > 0);
    for len in begin..bytes.len() {
        fs::write(&journal, &bytes[..len]).unwrap();
        assert_eq!(State::of(&dir), before, "{len} of {} bytes", bytes.len());
        if (len - begin) % step == step / 2 {
            for dolt in [Dolt::V1, Dolt::V2] {
                work.goes_on(subject, &dir, dolt, ((len - begin) / step).is_multiple_of(2), false);
            }
        }
    }
    fs::write(&journal, &bytes).unwrap();
    assert_ne!(State::of(&dir), before);
}

fn with_table(dolt: Dolt) -> Subject {
    let subject = Subject::new(dolt);
    subject.sql(TABLE);
    subject.commit("first");
    subject
}

fn collected(dolt: Dolt) -> Subject {
    let subject = with_table(dolt);
    subject.dolt(&["gc"]).ok();
    assert!(!subject.dir().join(JOURNAL).exists(), "this is about a store without a journal");
    subject
}

#[test]
fn a_commit_that_dies_at_any_call_to_the_disk_is_there_or_not() {
    for dolt in [Dolt::V1, Dolt::V2] {
        die_everywhere(&with_table(dolt), &COMMIT);
    }
}

#[test]
fn the_first_commit_after_a_collection_may_die_too() {
    for dolt in [Dolt::V1, Dolt::V2] {
        die_everywhere(&collected(dolt), &COMMIT);
    }
}

#[test]
fn a_torn_tail_that_a_crash_has_left_is_cut_off_and_that_may_die_too() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = with_table(dolt);
        let journal = subject.dir().join(JOURNAL);
        let whole = fs::read(&journal).unwrap();
        assert!(COMMIT.on(&subject.dir(), &Disk::default()));
        let longer = fs::read(&journal).unwrap();
        fs::write(&journal, &longer[..longer.len() - 20]).unwrap();
        assert!(longer.len() > whole.len() + 100);
        die_everywhere(&subject, &COMMIT);
    }
}

#[test]
fn a_journal_cut_anywhere_in_the_last_commit_holds_the_one_before() {
    for dolt in [Dolt::V1, Dolt::V2] {
        cut_everywhere(&with_table(dolt), &COMMIT);
        cut_everywhere(&collected(dolt), &COMMIT);
    }
}

/// A table with indexes and a foreign key, a view, rows and the commit of it all, in one transaction.
fn define(locked: &mut Locked, options: DdlOptions) -> Result<()> {
    let mut tx = locked.begin("main")?;
    for sql in [
        "create table made (id int primary key, t int, v varchar(20), x text, unique key u (v), key x (x(5)), constraint f foreign key (t) references t (id) on delete cascade)",
        "create index more on t (id, v(3))",
        "create view seen as select made.id from made join t on made.t = t.id",
    ] {
        tx.run_ddl(sql, options)?;
    }
    let row = [Value::Int(1), Value::Int(1), Value::Text("v".to_owned()), Value::Text("long ".repeat(900))];
    tx.edit(|root| root.table("made")?.insert_row(&row))?;
    tx.stage_all()?;
    tx.commit(&meta("defined"), false).map(drop)
}

#[test]
fn what_defines_tables_indexes_and_views_is_there_as_a_whole_or_not_at_all() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let long_values = if dolt == Dolt::V1 { LongValues::Addresses } else { LongValues::Adaptive };
        let options = DdlOptions { long_values, ..DdlOptions::default() };
        let work = Work {
            does: &|locked| define(locked, options),
            query: "select concat('=', table_type, ' ', table_name) as it from information_schema.tables where table_name = 'seen'",
            answer: "=VIEW seen",
        };
        let subject = with_table(dolt);
        die_everywhere(&subject, &work);
        cut_everywhere(&subject, &work);
        die_everywhere(&collected(dolt), &work);
    }
}

#[test]
fn a_reset_that_dies_has_moved_branch_and_rows_together_or_nothing() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = with_table(dolt);
        let first = subject.open().session().unwrap().resolve_commit("HEAD").unwrap().unwrap();
        subject.sql("insert into t values (2, 'second')");
        subject.commit("second");
        subject.sql("insert into t values (3, 'not committed')");
        for how in [Reset::Soft, Reset::Mixed, Reset::Hard] {
            let work = Work {
                does: &|locked| locked.begin("main")?.reset(first, how, &author()),
                query: "select if((select count(*) from dolt_log where message = 'second') = 0, '=gone', '=here') as it",
                answer: "=gone",
            };
            die_everywhere(&subject, &work);
            if how == Reset::Hard {
                cut_everywhere(&subject, &work);
            }
        }
    }
}

#[test]
fn a_checkout_that_dies_leaves_the_directory_on_one_branch_or_the_other() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = with_table(dolt);
        subject.dolt(&["branch", "other"]).ok();
        subject.sql("insert into t values (2, 'on main only')");
        let work = Work {
            does: &|locked| locked.checkout("other", 7),
            query: "select concat('=', active_branch(), count(*)) as it from t",
            answer: "=other1",
        };
        die_everywhere(&subject, &work);
        // A branch may have no working set yet: then it gets one first.
        let mut locked = lock(&subject.dir(), &Disk::default());
        let (draft, name) = (locked.session().unwrap(), "workingSets/heads/other");
        let from = draft.resolve_exact(name).unwrap();
        locked.update(&draft, &[RefChange { name: name.to_owned(), from, to: None }], 7).unwrap();
        unlock(locked, &subject.dir());
        die_everywhere(&subject, &work);
    }
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
        let is_there = messages(&subject.dir())[0] == message;
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
        assert_eq!(messages(&dir), ["first"], "{calls} calls");
        let work = Work {
            does: &|locked| {
                let mut tx = locked.begin("main")?;
                tx.run_ddl("create table t (id int primary key)", DdlOptions::default())?;
                tx.stage_all()?;
                tx.commit(&meta("goes on"), false).map(drop)
            },
            query: "select concat('=', count(*)) as it from t",
            answer: "=0",
        };
        assert!(work.on(&dir, &Disk::default()));
        for dolt in [Dolt::V1, Dolt::V2] {
            work.goes_on(&subject, &dir, dolt, calls % 2 == 0, true);
        }
        if made {
            break;
        }
    }
    assert!(made);
}
