//! `gt db verify` on databases that the real Dolt and the real bd made: nothing is wrong with any of them, and what is
//! made wrong is named.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Dolt, Subject, TestTown, bd, run};

const EVERY_KIND: &str = r"
create table kinds (a decimal(10,3), b double, c date, d time(6), e enum('x','y'), f set('p','q'), g year, h bit(4),
  i varbinary(9), j json, k timestamp, l float, m bigint unsigned, n char(3), primary key (a, b, c), key (d), key (e),
  key (f, g), key (h), key (i), key (k, l), unique key (m), key (n));
insert into kinds values (1.5,-2,'2020-01-01','-10:00:00','x','p',2000,3,'a','{}','2020-01-01',1,1,'é'),
 (-1.5,2.5,'2021-01-01','10:00:00','y','p,q',0,7,X'00FF','[1]','2021-01-01 10:00:00',-1.5,2,''),
 (0,0,'0000-00-00','00:00:00',null,null,null,null,null,null,null,null,null,null),
 (-100,1e10,'1999-01-01','00:00:00.5','y','',1950,0,'','null','1999-01-01',0.1,18446744073709551615,'x');
create table keyless (a int, b varchar(10), c text, key (b), key (c(5)));
insert into keyless values (1,'x','zz'),(1,'x','zz'),(2,null,null),(2,null,null),(2,null,'éééé');
create table texts (id int primary key, t longtext, b longblob, v int as (id + 1) virtual, s int as (id + 2) stored,
  key (s), key (v), key part (t(7)));
insert into texts (id, t, b) values (1,repeat('a',5000),'x'),(2,'b','yy'),(3,null,null),(4,'',''),
 (5,repeat('é',30000),repeat('q',900000)),(6,'éééa','1'),(7,'éééb','2');
create table ci (a varchar(20) collate utf8mb4_0900_ai_ci primary key, b varchar(20), key (b));
insert into ci values ('a','z'),('B','Y'),('_','é'),('Z','E'),('c','f');
create table words (id int primary key, t text, fulltext key (t));
insert into words values (1,'hello world'),(2,'other words here');
create table places (id int primary key, p point not null srid 0, spatial index (p));
insert into places values (1, st_pointfromtext('POINT(1 2)'));
create table child (id int primary key, kind varchar(16), foreign key (kind) references big (k));
create table empty_one (a int primary key, b int, key (b));
create view seen as select * from texts;
";

/// A table with three indexes, texts of very different lengths, documents inside and outside of the row.
fn big(rows: u64) -> String {
    let mut seed = 99u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed >> 33
    };
    let row = |n: u64| {
        let text = format!("é{n} ").repeat(if n.is_multiple_of(50) { 600 } else { 3 });
        let long = if n.is_multiple_of(200) { 1500 } else { 2 };
        let items: Vec<String> = (0..long).map(|i| format!("\"{n}-{i}\"")).collect();
        let (id, k) = (next(), next() % 40);
        format!("('{id:08x}{n}',{n},'{text}','[{}]','k{k}','2026-01-01')", items.join(","))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!(
        "create table big (id varchar(36) primary key, n int, t longtext, j json, k varchar(16), d datetime, unique key un (n), key by_k (k, d), key by_t (t(9)));\ninsert into big values {};",
        rows.join(",")
    )
}

#[test]
fn nothing_is_wrong_with_what_dolt_writes() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject.sql(&big(6_000));
        subject.sql(EVERY_KIND);
        subject.commit("all of it");
        let report = subject.is_clean();
        let notes = report["notes"].to_string();
        for named in ["full-text", "spatial", "virtual", "collation"] {
            assert!(notes.contains(named), "{named}: {notes}");
        }
        for n in 1..=3 {
            subject.dolt(&["checkout", "-b", &format!("b{n}")]).ok();
            subject.sql(&format!(
                "insert into big (id, n, k) values ('b{n}', {}, 'x'); update big set k = 'moved' where n % 97 = {n}; delete from big where n % 31 = {n}",
                90_000 + n
            ));
            subject.commit("on a branch");
            subject.dolt(&["checkout", "main"]).ok();
            subject.sql(&format!("insert into big (id, n) values ('m{n}', {})", 80_000 + n));
            subject.commit("on main");
        }
        subject.dolt(&["tag", "v1", "-m", "a tag"]).ok();
        let report = subject.is_clean();
        assert!(report["refs"].as_array().unwrap().iter().all(|r| r["history_is_safe"] == true));
        for gc in [&["gc", "--archive-level", "0"][..], &["gc"], &["gc", "--full"]] {
            subject.sql("update big set d = now() where n % 500 = 1");
            subject.dolt(gc).ok();
            subject.is_clean();
        }
    }
}

#[test]
fn nothing_is_wrong_with_merges_conflicts_and_stashes() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject.sql(&big(1_000));
        subject.sql(
            "create table c (id int primary key, v text, key (v(3))); insert into c values (1,'a'),(2,'b')",
        );
        subject.commit("base");
        subject.dolt(&["branch", "other"]).ok();
        for (branch, value) in [("other", "theirs"), ("main", "ours")] {
            subject.dolt(&["checkout", branch]).ok();
            subject.sql(&format!(
                "update c set v = '{value}' where id = 1; insert into big (id, n) values ('{value}', {})",
                70_000 + value.len()
            ));
            subject.commit(value);
        }
        subject.sql("insert into c values (9, 'put away')");
        subject.dolt(&["stash"]).ok();
        subject.is_clean();
        subject.sql("set autocommit = 1; set @@dolt_allow_commit_conflicts = 1; call dolt_merge('other');");
        let tables = subject.gt(&["tables", "--json"]).ok().json();
        let c = tables["tables"].as_array().unwrap().iter().find(|t| t["table"] == "c").unwrap().clone();
        assert_eq!(c["conflicts"], true, "{tables}");
        subject.is_clean();
        subject.sql("set autocommit = 1; call dolt_conflicts_resolve('--ours', 'c'); call dolt_commit('-am', 'merged');");
        subject.is_clean();
        subject.dolt(&["gc"]).ok();
        subject.is_clean();
    }
}

#[test]
fn rebases_and_cherry_picks_under_way_are_followed() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject.sql("create table c (id int primary key, v varchar(9)); insert into c values (1,'a')");
        subject.commit("base");
        subject.dolt(&["branch", "other"]).ok();
        subject.sql("update c set v = 'main'");
        subject.commit("on main");
        subject.dolt(&["checkout", "other"]).ok();
        for n in 1..=3 {
            subject.sql(&format!("update c set v = 'other {n}'"));
            subject.commit("on other");
        }
        let session = || subject.open().session().unwrap();
        let commit = |name: &str| session().resolve_commit(name).unwrap().unwrap();
        subject.sql("set @@dolt_allow_commit_conflicts = 1; call dolt_cherry_pick('main')");
        let picked = session().working_set("other").unwrap().unwrap().merge.unwrap();
        assert!(picked.is_cherry_pick && !picked.is_revert && picked.from_commit == commit("main"));
        assert_eq!(picked.head_before, commit("other"));
        subject.is_clean();
        subject.dolt(&["gc"]).ok();
        subject.is_clean();
        subject.sql("call dolt_cherry_pick('--abort')");
        subject.sql("call dolt_rebase('-i', 'main')");
        let set = session().working_set("dolt_rebase_other").unwrap().unwrap();
        let rebase = set.rebase.unwrap();
        assert_eq!((rebase.branch.as_str(), rebase.onto_commit), ("other", commit("main")));
        assert_eq!(rebase.pre_working_root, session().commit(commit("other")).unwrap().root_value);
        subject.is_clean();
        subject.dolt(&["gc", "--full"]).ok();
        subject.is_clean();
    }
}

#[test]
fn nothing_is_wrong_with_bds_own_database() {
    let town = TestTown::with(&[]);
    let dir = town.outside().join("beads");
    fs::create_dir(&dir).unwrap();
    let bd_here = |args: &[&str]| {
        let mut command = Command::new(bd());
        command.args(args);
        town.seal(&mut command);
        command
            .current_dir(&dir)
            .env("PWD", &dir)
            .env("BD_NON_INTERACTIVE", "1")
            .env("BD_DISABLE_METRICS", "1");
        run(command)
    };
    bd_here(&["init", "--prefix", "x", "--skip-agents", "--skip-hooks"]).ok();
    for n in 0..5 {
        bd_here(&["create", &format!("Issue {n}"), "-d", &"long ".repeat(900), "-p", "1"]).ok();
    }
    let database = database_below(&dir).expect("bd made a database");
    let report = town.gt(&["db", "--dir", database.to_str().unwrap(), "verify", "--json"]).ok().json();
    assert_eq!(report["clean"], true);
    assert!(report["commits"].as_u64().unwrap() > 1, "{report}");
}

fn database_below(dir: &Path) -> Option<PathBuf> {
    if dir.join(".dolt/noms/manifest").is_file() {
        return Some(dir.to_owned());
    }
    let below = fs::read_dir(dir).ok()?.filter_map(|e| Some(e.ok()?.path()));
    below.filter(|p| p.is_dir()).find_map(|p| database_below(&p))
}

#[test]
fn a_flipped_byte_is_found_and_what_is_safe_is_said() {
    let subject = Subject::new(Dolt::V1);
    subject.sql(&big(2_000));
    subject.sql("create table other (id int primary key); insert into other values (1),(2)");
    subject.commit("all of it");
    subject.dolt(&["gc", "--archive-level", "0"]).ok();
    subject.is_clean();
    let old = subject.noms().join("oldgen");
    let mut files: Vec<PathBuf> = fs::read_dir(old).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort_by_key(|p| fs::metadata(p).unwrap().len());
    let file = files.pop().unwrap();
    let good = fs::read(&file).unwrap();
    let mut bad = good.clone();
    let at = good.len() / 3;
    bad[at] ^= 1;
    fs::write(&file, &bad).unwrap();
    let told = subject.gt(&["verify", "--json"]).fails(1).json();
    let finding = told["findings"].as_array().unwrap().iter().find(|f| f["file"].is_string()).unwrap();
    assert_eq!(finding["file"], file.to_str().unwrap());
    let offset = finding["offset"].as_u64().unwrap();
    assert!(offset <= at as u64 && offset + 70_000 > at as u64, "{finding}");
    let main = told["refs"].as_array().unwrap().iter().find(|r| r["name"] == "main").unwrap();
    assert_eq!(
        (&main["newest_is_safe"], &main["damaged_tables"][0]),
        (&false.into(), &"big".into()),
        "{told}"
    );
    assert_eq!(main["safe_tables"][0], "other");
    assert_eq!(subject.gt(&["--exit-code", "verify"]).code, 11);
    fs::write(&file, &good).unwrap();
    subject.is_clean();
}

#[test]
fn a_shallow_clone_is_clean_as_far_as_it_goes() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        for n in 1..=4 {
            subject.sql(&format!(
                "create table if not exists c (id int primary key, v longtext); insert into c values ({n}, repeat('x{n}', 9000))"
            ));
            subject.commit(&format!("commit {n}"));
        }
        let remote = subject.town.outside().join("remote");
        fs::create_dir(&remote).unwrap();
        let url = format!("file://{}", remote.display());
        subject.dolt(&["remote", "add", "origin", &url]).ok();
        subject.dolt(&["push", "origin", "main"]).ok();
        let clone = subject.town.database("clone");
        let mut command = Command::new(dolt.path());
        command.args(["clone", "--depth", "1", &url, "clone"]);
        subject.town.seal(&mut command);
        command.current_dir(clone.parent().unwrap());
        run(command).ok();
        let gt = |args: &[&str]| subject.town.gt(&[&["db", "--db", "clone"], args].concat());
        let report = gt(&["verify", "--json"]).ok().json();
        assert_eq!((&report["clean"], &report["commits"]), (&true.into(), &1.into()), "{report}");
        assert_eq!(gt(&["dump", "c"]).ok().out, subject.gt(&["dump", "c"]).ok().out);
        let whole = subject.gt(&["log", "--oneline"]).ok().out;
        assert_eq!(gt(&["log", "--oneline"]).ok().out.lines().next(), whole.lines().next());
        let sizes = gt(&["size", "--json"]).ok().json();
        assert_eq!(sizes["all"]["chunks"], report["chunks"], "{sizes}");
        // What is left out is no longer known to be left out.
        fs::write(clone.join(".dolt/noms/ghostObjects.txt"), "").unwrap();
        let report = gt(&["verify", "--json"]).fails(1).json();
        let parent = whole.lines().nth(1).unwrap().split(' ').next().unwrap();
        let finding = &report["findings"][0];
        assert_eq!(
            (&finding["chunk"], &finding["problem"]),
            (&parent.into(), &"it is missing".into()),
            "{report}"
        );
    }
}

#[test]
fn sizes_add_up_and_a_collection_leaves_no_garbage() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject.sql(&big(2_000));
        subject.sql("create table tiny (id int primary key)");
        subject.commit("all of it");
        subject.dolt(&["checkout", "-b", "side"]).ok();
        subject.sql("update big set k = 'side'");
        subject.commit("side");
        subject.dolt(&["checkout", "main"]).ok();
        subject.sql("create table gone (id int primary key, v text); insert into gone values (1, 'x'); drop table gone;");
        let before = subject.gt(&["size", "--json"]).ok().json();
        let garbage = |report: &serde_json::Value| report["garbage"]["bytes"].as_u64().unwrap();
        assert!(garbage(&before) > 0, "{before}");
        let of = |list: &str, key: &str, name: &str| {
            before[list].as_array().unwrap().iter().find(|t| t[key] == name).unwrap().clone()
        };
        let bytes = |value: &serde_json::Value| value["bytes"].as_u64().unwrap();
        assert!(bytes(&of("tables", "table", "big")) > 100 * bytes(&of("tables", "table", "tiny")));
        let side = of("refs", "name", "side");
        assert!(bytes(&side["alone"]) > 0 && bytes(&side["alone"]) < bytes(&side["all"]), "{side}");
        subject.dolt(&["gc", "--full"]).ok();
        let after = subject.gt(&["size", "--json"]).ok().json();
        let chunks = |r: &serde_json::Value, what: &str| r[what]["chunks"].as_u64().unwrap();
        // A collection keeps exactly what is reachable, found here by another way.
        assert_eq!(chunks(&after, "garbage"), 0, "{after}");
        assert_eq!(chunks(&after, "all"), chunks(&before, "all") - chunks(&before, "garbage"));
        subject.gt(&["size"]).ok().says("is garbage").says("TABLE");
    }
}
