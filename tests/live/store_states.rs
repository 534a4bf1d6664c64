//! States that are neither new nor whole: stashes, merges that were not ended, changes that were not committed, many
//! branches and tables, remotes. All of them as the real Dolt tells them.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::support::{Dolt, Subject, copy_tree, is_alive, signal, wait_until};

/// What a query gives, row by row.
fn rows(subject: &Subject, query: &str) -> Vec<Value> {
    let answer: Value = serde_json::from_str(&subject.asked("json", query)).unwrap();
    answer["rows"].as_array().cloned().unwrap_or_default()
}

fn named<'v>(list: &'v Value, name: &str) -> &'v Value {
    let all = list.as_array().unwrap();
    all.iter()
        .find(|v| v["name"] == name || v["table"] == name)
        .unwrap_or_else(|| panic!("no {name} in {list}"))
}

const DIVERGED: &str = "
create table c (id int primary key, v text, n int); insert into c values (1,'a',1),(2,'b',1),(3,'c',1);
create table p (id int primary key); create table ch (id int primary key, pid int, foreign key (pid) references p(id));
create table keyless (a int); insert into keyless values (1),(1),(2);
create table two (a varchar(10), b int, v int, primary key (a, b)); insert into two values ('x',1,1),('x',2,1);
insert into p values (1),(2); insert into ch values (1,1); insert into dolt_ignore values ('scratch%', true), ('scratch_kept', false);
call dolt_commit('-Am','base'); call dolt_branch('other'); call dolt_branch('third');
call dolt_checkout('other'); update c set v='theirs' where id=1; delete from c where id=2; insert into c values (10,'new',1);
delete from p where id=2; insert into keyless values (1); update two set v = 2 where b = 2; call dolt_commit('-am','other side');
call dolt_checkout('main'); update c set v='ours' where id in (1,2); insert into c values (10,'newer',2); insert into ch values (2,2);
delete from keyless where a = 1; update two set v = 3 where b = 2; call dolt_commit('-am','our side');
insert into c values (90,'stashed',1);";

#[test]
fn stashes_are_those_of_dolt_stash_list() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject.sql(DIVERGED);
        subject.dolt(&["stash"]).ok();
        subject.sql("call dolt_checkout('other'); insert into c values (91,'x',1); call dolt_stash('push','dolt-cli');
            insert into c values (92,'y',1); call dolt_stash('push','mine');");
        let theirs = subject.dolt(&["stash", "list"]).ok().out;
        let list = subject.gt(&["ls", "--json"]).ok().json();
        let stashes: Vec<&Value> =
            list["refs"].as_array().unwrap().iter().filter(|r| r["kind"] == "stash").collect();
        let line = |s: &&&Value| {
            let text = |key: &str| s[key].as_str().unwrap().to_owned();
            format!(
                "{}: WIP on refs/heads/{}: {} {}",
                text("stash"),
                text("branch"),
                text("target"),
                text("message")
            )
        };
        let ours: Vec<String> =
            stashes.iter().filter(|s| s["list"] == "dolt-cli").map(|s| line(&s)).collect();
        assert_eq!(ours, theirs.trim_end().lines().collect::<Vec<_>>());
        let all = rows(&subject, "select name, stash_id, branch, hash, commit_message from dolt_stashes");
        let own = stashes.iter().map(|s| json!({"name": s["list"], "stash_id": s["stash"], "branch": s["branch"], "hash": s["target"], "commit_message": s["message"]}));
        assert_eq!(own.collect::<Vec<_>>(), all);
        subject.gt(&["ls"]).ok().says("WIP on main: our side").says("mine stash@{0}");
        // What was put away can be read.
        for (stash, row) in [("stash@{0}", "91,x,1"), ("stash@{1}", "90,stashed,1")] {
            subject.gt(&["dump", "c", "--format", "csv", "--at", stash]).ok().says(row);
        }
        subject.gt(&["dump", "c", "--at", "stash@{2}"]).fails(1).error_begins_with("no revision");
    }
}

#[test]
fn a_merge_that_was_not_ended_is_told_and_our_side_is_read() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject.sql(DIVERGED);
        subject.sql(
            "delete from c where id = 90; create table scratch_1 (a int); create table scratch_kept (a int);",
        );
        let staged = subject.gt(&["ls", "--json"]).ok().json();
        assert_eq!(
            named(&staged["refs"], "main")["working"]["unstaged"],
            json!(["scratch_kept"]),
            "ignored and new"
        );
        subject.sql("drop table scratch_kept");
        subject.dolt(&["merge", "other"]).fails(1);
        let list = subject.gt(&["ls", "--json"]).ok().json();
        let working = named(&list["refs"], "main")["working"].clone();
        let theirs = rows(&subject, "select * from dolt_merge_status");
        assert_eq!(working["merge"]["from"], theirs[0]["source"]);
        assert_eq!(working["merge"]["commit"], theirs[0]["source_commit"]);
        let tables = subject.gt(&["tables", "--json"]).ok().json();
        for (view, count, ours) in [
            ("dolt_conflicts", "num_conflicts", "conflict_rows"),
            ("dolt_constraint_violations", "num_violations", "violations"),
        ] {
            let theirs = rows(&subject, &format!("select * from {view}"));
            assert!(!theirs.is_empty(), "{view}");
            for row in theirs {
                let table = row["table"].as_str().unwrap();
                assert_eq!(named(&tables["tables"], table)[ours], row[count], "{table} in {view}");
            }
        }
        let status = rows(
            &subject,
            "select table_name, staged, status from dolt_status where status not like '%con%'",
        );
        let changed = |staged: i64| -> Vec<&Value> {
            status.iter().filter(|r| r["staged"].as_i64() == Some(staged)).map(|r| &r["table_name"]).collect()
        };
        for (ours, theirs) in [("staged", changed(1)), ("unstaged", changed(0))] {
            assert!(
                theirs.iter().all(|t| working[ours].as_array().unwrap().contains(t)),
                "{ours}: {working} {status:?}"
            );
        }
        for table in ["c", "ch", "p", "keyless", "two"] {
            subject.same_rows(table);
        }
        let told = "merging other, conflicts in c, keyless, two, constraint violations in ch";
        subject.gt(&["ls"]).ok().says(told);
        subject.gt(&["tables"]).ok().says("3 conflicts").says("1 constraint violation");
        assert_eq!(subject.is_clean()["under_way"], json!([format!("branch main: {told}")]));
        subject.sql("call dolt_merge('--abort')");
        assert!(subject.is_clean()["under_way"].as_array().unwrap().is_empty());
    }
}

#[test]
fn cherry_picks_and_rebases_that_wait_for_somebody_are_told() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject.sql(DIVERGED);
        subject.sql("delete from c where id = 90;");
        subject.dolt(&["cherry-pick", "other"]).fails(1);
        subject.gt(&["ls"]).ok().says("cherry-picking ").says("conflicts in c");
        subject.dolt(&["cherry-pick", "--abort"]).ok();
        subject.dolt(&["checkout", "third"]).ok();
        subject.sql("insert into p values (7); call dolt_commit('-am','to be moved'); set @@autocommit = 1; call dolt_rebase('-i','main');");
        subject.gt(&["ls"]).ok().says("rebasing ");
        subject.is_clean();
    }
}

#[test]
fn four_hundred_tables_sixty_branches_tags_and_remotes_are_listed() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        let tables = (0..400).map(|n| format!("create table t{n:03} (id int primary key, v varchar(20));"));
        let mut script: String = tables.collect();
        script.push_str("call dolt_commit('-Am','four hundred');");
        for n in 0..60 {
            write!(script, "call dolt_branch('b/{n:02}');").unwrap();
        }
        for n in [7, 33, 59] {
            write!(script, "call dolt_checkout('b/{n:02}'); insert into t{n:03} values ({n},'on b/{n:02}'); call dolt_commit('-am','on {n}');").unwrap();
        }
        script.push_str("call dolt_checkout('b/08'); insert into t008 values (8,'not committed');");
        script.push_str("call dolt_tag('v1','b/07','-m','the first'); call dolt_tag('v2','main');");
        subject.sql(&script);
        let remote = format!("file://{}", subject.town.outside().join("remote").display());
        std::fs::create_dir(subject.town.outside().join("remote")).unwrap();
        subject.dolt(&["remote", "add", "origin", &remote]).ok();
        subject.dolt(&["push", "origin", "b/07"]).ok();
        let list = subject.gt(&["ls", "--json"]).ok().json();
        let ours = |kind: &str| -> Vec<Value> {
            let of_kind = list["refs"].as_array().unwrap().iter().filter(|r| r["kind"] == kind);
            of_kind.map(|r| json!({"name": r["name"], "hash": r["target"]})).collect()
        };
        assert_eq!(
            ours("branch"),
            rows(&subject, "select name, hash from dolt_branches order by binary name")
        );
        assert_eq!(
            ours("tag"),
            rows(
                &subject,
                "select tag_name as name, tag_hash as hash from dolt_tags order by binary tag_name"
            )
        );
        let remotes = rows(&subject, "select substring(name, 9) as name, hash from dolt_remote_branches");
        assert_eq!((ours("remote"), ours("remote").len()), (remotes, 1));
        assert_eq!(list["remotes"], json!([{"name": "origin", "url": remote}]));
        assert_eq!(named(&list["refs"], "b/08")["working"]["unstaged"], json!(["t008"]));
        let shown = subject.gt(&["tables", "--json"]).ok().json();
        assert_eq!(shown["tables"].as_array().unwrap().len(), 400);
        for branch in ["b/33", "v1", "origin/b/07", "b/59~1"] {
            let counts = subject.gt(&["tables", "--at", branch, "--json"]).ok().json();
            let filled: Vec<&Value> = counts["tables"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|t| t["rows"] != 0)
                .map(|t| &t["table"])
                .collect();
            let expected = match branch {
                "b/33" => vec!["t033"],
                "b/59~1" => vec![],
                _ => vec!["t007"],
            };
            assert_eq!(filled, expected, "{branch}");
        }
        subject.is_clean();
    }
}

/// A journal whose end a power failure took: Dolt falls back to the last root that is whole, and so do we.
#[test]
fn what_a_killed_server_left_is_read_as_dolt_reads_it() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject
            .sql("create table k (id int primary key, t longtext); create table clean (id int primary key);");
        subject.commit("made");
        subject.town.up();
        for n in 0..6 {
            let sql = format!(
                "insert into k values ({n}, repeat('{n}', {})); insert into clean values ({n})",
                3_000 * n + 1
            );
            subject.town.sql("alpha", &sql);
        }
        let pid = subject.town.pid();
        signal(pid, "KILL");
        wait_until("the server is gone", || !is_alive(pid));
        let journal = subject.noms().join("vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv");
        let whole = std::fs::read(&journal).unwrap();
        let original = subject.town.outside().join("original");
        copy_tree(&subject.dir(), &original);
        let mut states = std::collections::BTreeSet::new();
        for cut in [0, 1, 30, 45, 200, 2_000, 9_000] {
            std::fs::remove_dir_all(subject.dir()).unwrap();
            copy_tree(&original, &subject.dir());
            std::fs::write(&journal, &whole[..whole.len() - cut]).unwrap();
            // Before Dolt has mended anything, and after it.
            let ours = subject.gt(&["dump", "k", "--format", "csv"]).ok().out;
            subject.same_dump("k", "csv");
            subject.same_dump("clean", "json");
            assert_eq!(subject.gt(&["dump", "k", "--format", "csv"]).ok().out, ours, "{cut} bytes less");
            states.insert(ours);
        }
        assert!(states.len() > 1, "no cut took anything away");
        subject.gt(&["ls"]).ok().says("not committed: clean, k");
    }
}
