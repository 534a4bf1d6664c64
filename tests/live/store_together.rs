//! Several at one database: our own writers at once, and taking turns with a server and with `dolt`. Whatever was acknowledged is in the
//! history, and no start of a server fails because of us.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use dolt_store::commit::Database;

use crate::support::{Dolt, Ending, Subject, in_a_soak, wait_until};

/// The messages of the history, the newest first. Every commit has one parent: the history is a line.
fn history(subject: &Subject) -> Vec<String> {
    let session = Database::open_read(&subject.dir()).unwrap().session().unwrap();
    let head = session.resolve_exact("refs/heads/main").unwrap().unwrap();
    let entries: Vec<_> = session.log(head).unwrap().map(|entry| entry.unwrap()).collect();
    assert!(entries.iter().all(|entry| entry.commit.parents.len() <= 1), "a line has no forks");
    entries.into_iter().map(|entry| entry.commit.description).collect()
}

fn is_whole(subject: &Subject) {
    let said = subject.dolt(&["fsck"]).ok().out;
    assert!(said.contains("No problems found."), "{said}");
}

#[test]
fn twenty_writers_at_once_all_land_in_one_line() {
    let subject = Subject::new(Dolt::V1);
    std::thread::scope(|scope| {
        for n in 0..20 {
            let subject = &subject;
            scope.spawn(move || subject.gt(&["commit", "--allow-empty", "-m", &format!("writer {n}")]).ok());
        }
    });
    let found: HashSet<String> = history(&subject).into_iter().collect();
    for n in 0..20 {
        assert!(found.contains(&format!("writer {n}")), "{n} was acknowledged: {found:?}");
    }
    is_whole(&subject);
}

#[test]
fn soak_servers_start_under_streams_of_native_writes_and_nothing_acknowledged_is_lost() {
    const STREAMS: usize = 3;
    let starts = in_a_soak(4, 16);
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        let (is_done, refused) = (AtomicBool::new(false), AtomicU32::new(0));
        let written = [const { AtomicU32::new(0) }; STREAMS];
        let native = || written.iter().map(|n| n.load(Ordering::SeqCst)).sum::<u32>();
        std::thread::scope(|scope| {
            for (stream, written) in written.iter().enumerate() {
                let (subject, is_done, refused) = (&subject, &is_done, &refused);
                scope.spawn(move || {
                    while !is_done.load(Ordering::SeqCst) {
                        let message = format!("native {stream}-{}", written.load(Ordering::SeqCst));
                        let ran = subject.gt(&["commit", "--allow-empty", "-m", &message]);
                        if ran.code == 0 {
                            written.fetch_add(1, Ordering::SeqCst);
                        } else {
                            // The server has the database: that is said, and nothing is half done.
                            assert!(ran.err.contains("is held by PID"), "{ran:?}");
                            refused.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                });
            }
            // The streams end with the test, however that ends.
            let _ending = Ending(&is_done);
            for n in 0..starts {
                let before = native();
                wait_until("a native write between two servers", || native() > before);
                subject.town.up();
                let message = format!("served {n}");
                subject.town.sql("alpha", &format!("call dolt_commit('--allow-empty', '-m', '{message}')"));
                subject.town.gt(&["dolt", "stop"]).ok();
            }
        });
        let found = history(&subject);
        let natively = written.iter().enumerate().flat_map(|(stream, written)| {
            (0..written.load(Ordering::SeqCst)).map(move |n| format!("native {stream}-{n}"))
        });
        for message in natively.chain((0..starts).map(|n| format!("served {n}"))) {
            assert_eq!(found.iter().filter(|m| **m == message).count(), 1, "{message}: {found:?}");
        }
        eprintln!("{} native writes, {} refused, {starts} starts", native(), refused.load(Ordering::SeqCst));
        is_whole(&subject);
    }
}

#[test]
fn we_and_dolt_take_turns_at_one_database() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject.sql("create table t (id int primary key)");
        for n in 0..8 {
            subject.sql(&format!("insert into t values ({n})"));
            subject.gt(&["commit", "-A", "-m", &format!("rows of {n}")]).ok();
            subject.gt(&["branch", &format!("at-{n}")]).ok();
            subject.dolt(&["commit", "--allow-empty", "-m", &format!("dolt's {n}")]).ok();
            if n % 3 == 2 {
                subject.dolt(&["gc"]).ok();
            }
        }
        assert_eq!(history(&subject).len(), 1 + 16);
        assert_eq!(subject.asked("csv", "select count(*) from t as of 'at-5'"), "count(*)\n6\n");
        is_whole(&subject);
        subject.gt(&["verify"]).ok();
    }
}
