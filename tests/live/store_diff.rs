//! Differences between two states, compared with what `dolt diff` prints.

use crate::support::{Dolt, Subject};

#[test]
fn changed_rows_are_the_ones_that_dolt_diff_prints() {
    for version in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(version);
        let rows: Vec<String> = (0..5_000).map(|n| format!("({n},'name {n}',{})", n % 7)).collect();
        subject.sql(
            "create table t (id int primary key, name varchar(40), n int, key(n)); create table keyless (a int, b int)",
        );
        subject.sql(&format!("insert into t values {}", rows.join(",")));
        subject.sql("insert into keyless values (1,1),(1,1),(2,2)");
        subject.dolt(&["add", "-A"]).ok();
        subject.dolt(&["commit", "-m", "first"]).ok();
        subject.sql("update t set name = 'changed' where id in (3, 2500, 4999)");
        subject.sql(
            "delete from t where id in (0, 1234); insert into t values (5000,'new',null),(-7,'before all',1)",
        );
        subject.sql("insert into keyless values (1,1),(3,null); delete from keyless where a = 2");
        for table in ["t", "keyless"] {
            let theirs = subject.dolt(&["diff", table]).ok().out;
            for words in [&["diff", "HEAD", "WORKING", table][..], &["diff", "HEAD", table], &["diff", table]]
            {
                let ours = subject.gt(words).ok().out;
                assert_eq!(ours.trim_end(), theirs.trim_end(), "{words:?}");
            }
        }
        subject.dolt(&["commit", "-a", "-m", "second"]).ok();
        let theirs = subject.dolt(&["diff", "HEAD~1", "HEAD", "t"]).ok().out;
        let ours = subject.gt(&["diff", "HEAD~1", "HEAD", "t"]).ok().out;
        assert_eq!(ours.trim_end(), theirs.trim_end(), "between commits");
        let back = subject.gt(&["diff", "HEAD", "HEAD~1", "t", "--stat", "--json"]).ok().json();
        let counts = ["added", "removed", "modified"].map(|k| back["tables"][0][k].as_u64().unwrap());
        assert_eq!(counts, [2, 2, 3]);
        assert!(subject.gt(&["diff"]).ok().out.is_empty(), "nothing is uncommitted");
        subject.gt(&["diff", "nosuch"]).fails(1).error_begins_with("no revision and no table \"nosuch\"");
        subject.gt(&["diff", "HEAD~1", "HEAD", "nosuch"]).fails(1).error_begins_with("no table nosuch");
    }
}

#[test]
fn new_dropped_and_altered_tables_are_told_apart() {
    let subject = Subject::new(Dolt::V1);
    subject.sql(
        "create table gone (a int primary key); create table wider (a int primary key); insert into wider values (1),(2)",
    );
    subject.dolt(&["add", "-A"]).ok();
    subject.dolt(&["commit", "-m", "first"]).ok();
    subject.sql(
        "drop table gone; create table fresh (a int primary key); insert into fresh values (9); alter table wider add b int",
    );
    let found = subject.gt(&["diff", "--json"]).ok().json();
    let tables: Vec<(&str, &str, bool)> = found["tables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| {
            (t["name"].as_str().unwrap(), t["change"].as_str().unwrap(), t["rewritten"].as_bool().unwrap())
        })
        .collect();
    assert_eq!(tables, [("fresh", "added", false), ("gone", "dropped", false), ("wider", "modified", false)]);
    assert_eq!(found["tables"][2]["data_diff"], serde_json::json!([]), "a new column changes no row");
    // Each row under the columns that it had.
    subject.sql("alter table wider drop primary key");
    let changes = subject.gt(&["diff", "wider"]).ok().out;
    assert!(
        changes.contains("the primary key changed: every row is shown as removed and added"),
        "{changes}"
    );
    assert_eq!(changes.matches("| - |").count(), 2, "{changes}");
}

#[test]
fn rows_are_paired_when_columns_come_go_or_change() {
    for version in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(version);
        subject.sql(
            "create table t (id int primary key, a int, b varchar(10), c int); create table kl (a int, b int);
             insert into t values (1,1,'x',3),(2,2,'y',4),(3,null,null,null); insert into kl values (1,2),(1,2)",
        );
        subject.commit("first");
        subject.sql(
            "alter table t add column d int after a; update t set d = 7 where id = 2; alter table t drop column c;
             insert into t (id, a) values (9,9); alter table kl add column z int; insert into kl values (5,6,7)",
        );
        subject.commit("second");
        subject.sql("alter table t modify a bigint; alter table t rename column b to bb; update t set bb = 'new' where id = 1");
        subject.commit("third");
        for (from, to) in [("HEAD~2", "HEAD~1"), ("HEAD~1", "HEAD"), ("HEAD", "HEAD~2"), ("HEAD~2", "HEAD")] {
            for table in ["t", "kl"] {
                let theirs = subject.dolt(&["diff", from, to, table]).ok().out;
                let ours = subject.gt(&["diff", from, to, table]).ok().out;
                assert_eq!(ours.trim_end(), theirs.trim_end(), "{from} to {to}");
                if theirs.is_empty() {
                    continue;
                }
                let theirs = subject.dolt(&["diff", "--data", "-r", "json", from, to, table]).ok().json();
                let ours = subject.gt(&["diff", from, to, table, "--json"]).ok().json();
                assert_eq!(
                    ours["tables"][0]["data_diff"], theirs["tables"][0]["data_diff"],
                    "{from} to {to}"
                );
            }
        }
    }
}
