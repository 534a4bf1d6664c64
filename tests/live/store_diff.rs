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
    assert_eq!(tables, [("fresh", "added", false), ("gone", "dropped", false), ("wider", "modified", true)]);
    // Each row under the columns that it had.
    let wider = &found["tables"][2]["data_diff"];
    assert_eq!(wider[0], serde_json::json!({"from_row": {"a": 1}, "to_row": {}}));
    subject.sql("alter table wider drop column a; alter table wider add c int; update wider set c = 5");
    let changes = subject.gt(&["diff", "wider"]).ok().out;
    assert!(
        changes.contains("every row is shown as removed and added")
            && changes.contains("| b")
            && changes.contains("| a"),
        "{changes}"
    );
}
