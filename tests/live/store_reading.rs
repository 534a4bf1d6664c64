//! Reading a database natively, compared with what the real Dolt prints of it: byte for byte where it has a text form.

use std::fmt::Write;
use std::path::Path;

use dolt_store::table::{Direction, KeyRange, Value};

use crate::support::{Dolt, Subject, copy_tree, run, signal, wait_until};

const ALL_TYPES: &str = r#"
create table t (id int primary key, ti tinyint, tb tinyint(1), su smallint unsigned, mi mediumint, bi bigint,
  bu bigint unsigned, f float, d double, dc decimal(10,3), dcb decimal(65,30), c char(5), v varchar(60), b binary(4),
  vb varbinary(10), tx text, bl blob, j json, da date, dt datetime, dt6 datetime(6), dt3 datetime(3), ts timestamp,
  tm time, tm6 time(6), y year, e enum('a','it''s','c'), s set('x','y','z'), bt bit(10),
  g int generated always as (id+1) stored);
insert into t (id) values (0);
insert into t (id,ti,tb,su,mi,bi,bu,f,d,dc,dcb,c,v,b,vb,tx,bl,j,da,dt,dt6,dt3,ts,tm,tm6,y,e,s,bt) values
 (1,-128,1,65535,-8388608,-9223372036854775808,18446744073709551615,1.5,2.25e100,-1.5,0.000000000000000000000000000001,
  'ab','a"b\\c, é 😀',X'41424344','xyz','text é 😀','blob','{"b":1,"a":[1.5,null,true,"x\\u003c\\n"]}','2026-02-28',
  '2026-02-28 23:59:59.9','2026-01-01 00:00:00.000001','2026-01-01 00:00:00.12','2026-01-01 10:00:00','-838:59:59',
  '01:02:03.000004',2155,'it''s','x,z',b'1000000001');
insert into t (id,f,d,dc,da,dt,tm,y,j,tx,bl,v) values
 (2,0.1,0.1,0,'0000-00-00','1000-01-01',0,1901,'"s"','','',''),
 (3,1e10,1e21,12345.678,'9999-12-31','9999-12-31 23:59:59','00:00:00.5',0,'[]','x','y',' '),
 (4,16777216,123456789012345680,1,'2000-01-01','2000-01-01',1,2000,'1e100','','','z'),
 (5,3.4e38,1e-7,1,'2000-01-01','2000-01-01',1,2000,'1.0','','','');
create table keyless (a int, b varchar(10), key(b));
insert into keyless values (1,'x'),(1,'x'),(2,null),(2,null),(2,null);
create table empty_one (a int primary key);
create table pair (a varchar(10), b int, c int, primary key (b, a), unique key uc (c));
insert into pair values ('z',1,10),('a',1,11),('m',-5,12),('k',7,null);
"#;

/// Rows of very different lengths, texts and documents inside and outside of the row, in random key order.
fn many_rows(count: u64) -> String {
    // A small linear congruential generator: the same rows every time.
    let mut seed = 12_345u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed >> 33
    };
    let mut rows = Vec::new();
    for n in 0..count {
        let text = format!("t{n} ").repeat(usize::try_from([1, 10, 400][(next() % 3) as usize]).unwrap());
        let fields: Vec<String> = (0..if n % 100 == 0 { 400 } else { next() % 5 })
            .map(|k| format!("\"k{k}\":[{k},\"{}\"]", "v".repeat(usize::try_from(next() % 50).unwrap())))
            .collect();
        rows.push(format!("('{:08x}{:08x}',{n},'{text}','{{{}}}')", next(), next(), fields.join(",")));
    }
    format!("insert into big values {};", rows.join(","))
}

#[test]
fn every_scalar_type_null_and_key_reads_as_dolt_prints_it() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject.sql(ALL_TYPES);
        for table in ["t", "keyless", "empty_one", "pair"] {
            subject.same_rows(table);
        }
        let tables = subject.gt(&["tables", "--json"]).ok().json();
        let count = |name: &str| {
            tables["tables"].as_array().unwrap().iter().find(|t| t["table"] == name).unwrap()["rows"].clone()
        };
        assert_eq!((count("t"), count("pair"), count("empty_one")), (6.into(), 4.into(), 0.into()));
    }
}

#[test]
fn long_values_and_history_read_the_same_in_journals_table_files_and_archives() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject.sql("create table big (id varchar(36) primary key, n int, tx longtext, j json, key(n));");
        subject.sql(&many_rows(1_500));
        let mut script = "call dolt_commit('-Am','all of it');".to_owned();
        for n in 1..=3 {
            write!(
                script,
                "call dolt_checkout('-b','b{n}'); insert into big values ('b{n}', {n}, 'x', '{{}}');
                 call dolt_commit('-am','on b{n}\n\nsecond paragraph'); call dolt_checkout('main');
                 insert into big values ('m{n}', {n}, '', '[]'); call dolt_commit('-am','main {n}');"
            )
            .unwrap();
        }
        script.push_str("call dolt_merge('b1','-m','merge 1'); call dolt_merge('b2','-m','merge 2'); call dolt_tag('v1','-m','a tag');");
        subject.sql(&script);
        subject.same_rows("big");
        subject.same_log(&[]);
        subject.same_log(&["--oneline"]);
        let collections: [&[&str]; 4] =
            [&["gc", "--archive-level", "0"], &["gc"], &["gc", "--shallow"], &["gc", "--full"]];
        for gc in collections {
            subject.sql("insert into big values (uuid(), 1, 'more', '{}')");
            subject.dolt(gc).ok();
            subject.same_rows("big");
            subject.same_log(&[]);
        }
        let at_tag = subject.gt(&["dump", "big", "--at", "v1~1", "--format", "csv"]).ok().out;
        let theirs = subject.dolt(&["sql", "-r", "csv", "-q", "select * from big as of 'v1~1'"]).ok().out;
        assert_eq!(at_tag.trim_end(), theirs.trim_end());
        let refs = subject.gt(&["ls", "--json"]).ok().json();
        let names: Vec<&str> =
            refs["refs"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["b1", "b2", "b3", "main", "v1"]);
    }
}

#[test]
fn keys_positions_and_indexes_lead_to_the_right_rows_from_both_ends() {
    let subject = Subject::new(Dolt::V1);
    subject.sql("create table big (id varchar(36) primary key, n int, tx longtext, j json, key by_n (n));");
    subject.sql(&many_rows(2_000));
    subject.sql("insert into big values ('twin', 7, 'second with n = 7', '{}')");
    let table = subject.table("big");
    let rows: Vec<_> = table.rows().unwrap().map(|r| r.unwrap()).collect();
    assert_eq!(rows.len() as u64, table.entries());
    let mut backward: Vec<_> = table.rows_backward().unwrap().map(|r| r.unwrap()).collect();
    backward.reverse();
    assert_eq!(backward, rows);
    for (k, row) in rows.iter().enumerate().step_by(97) {
        assert_eq!(table.get(&row.values[..1]).unwrap().as_ref(), Some(row));
        assert_eq!(
            table.rows_from_position(k as u64, Direction::Forward).unwrap().next().unwrap().unwrap(),
            *row
        );
    }
    assert_eq!(table.get(&[Value::Text("no such key".into())]).unwrap(), None);
    assert!(table.rows_from_position(rows.len() as u64, Direction::Forward).unwrap().next().is_none());
    let by_n = table.index("by_n").unwrap().unwrap();
    let by_index = by_n.rows(&KeyRange::prefix(&[Value::Int(7)]), Direction::Forward).unwrap();
    let by_index: Vec<_> = by_index.map(|r| r.unwrap()).collect();
    let by_scan: Vec<_> = rows.iter().filter(|r| r.values[1] == Value::Int(7)).cloned().collect();
    assert_eq!((by_index.len(), &by_index), (2, &by_scan));
}

#[test]
fn reads_go_on_beside_a_writing_server_and_after_its_violent_end() {
    let subject = Subject::new(Dolt::V1);
    subject.sql("create table counter (id int primary key, n int); insert into counter values (1, 0)");
    subject.town.up();
    let database = subject.open();
    let count = || {
        let state = database.session().unwrap();
        let root = state.resolve_root("WORKING").unwrap().unwrap();
        let table = state.tables(root).unwrap().open("counter").unwrap().unwrap();
        let Value::Int(n) = table.get(&[Value::Int(1)]).unwrap().unwrap().values[1] else {
            panic!("no number")
        };
        n
    };
    for n in 1..=30 {
        subject.town.sql("alpha", &format!("update counter set n = {n} where id = 1"));
        assert_eq!(count(), n, "what was acknowledged is read at once");
        if n % 10 == 0 {
            subject.town.sql("alpha", "call dolt_gc()");
            assert_eq!(count(), n, "after a collection too");
        }
    }
    signal(subject.town.pid(), "KILL");
    wait_until("the server is gone", || !crate::support::is_alive(subject.town.pid()));
    assert_eq!(count(), 30);
    let fresh = subject.gt(&["show", "counter", "--where", "id=1", "--json"]).ok().json();
    assert_eq!(fresh["rows"][0]["n"], 30);
}

#[test]
fn what_is_not_there_is_named_with_the_words_that_find_it() {
    let subject = Subject::new(Dolt::V1);
    subject.sql("create table Things (id int primary key); insert into Things values (1)");
    let outside = subject.town.outside().to_str().unwrap().to_owned();
    subject.town.gt(&["db", "--dir", &outside, "ls"]).fails(1).error_begins_with("is not a Dolt database");
    subject.town.gt(&["db", "--db", "nosuch", "ls"]).fails(1).error_begins_with("no database nosuch");
    subject.town.gt(&["db", "ls"]).fails(1).error_begins_with("is not a Dolt database");
    subject.town.gt(&["db", "ls"]).fails(1).says("This town has: --db alpha");
    subject.gt(&["show", "nosuch"]).fails(1).error_begins_with("no table nosuch");
    subject.gt(&["log", "nosuch"]).fails(1).error_begins_with("no commit \"nosuch\"");
    // A table in another case, the database behind the verb, and one that is above the directory.
    subject.town.gt(&["db", "show", "THINGS", "--db", "alpha"]).ok().says("| 1 ");
    let below = subject.dir().join("some/where");
    std::fs::create_dir_all(&below).unwrap();
    let from = |dir: &Path| {
        let mut command = subject.town.command(&["db", "tables"]);
        command.current_dir(dir).env("PWD", dir);
        run(command)
    };
    from(&below).ok().says("Things");
    // bd's own, in its embedded mode.
    let project = subject.town.outside().join("project");
    copy_tree(&subject.dir(), &project.join(".beads/embeddeddolt/x"));
    from(&project).fails(1).says("bd keeps one here: --dir ").says(".beads/embeddeddolt/x");
}
