//! What is not read: indexes of special kinds, and values that are not stored. Each is named; everything beside it is read.

use dolt_store::table::{Direction, KeyRange};

use crate::support::{Dolt, Subject};

const SPECIAL: &str = "
create table words (id int primary key, t text, n int, fulltext key by_words (t), key by_n (n)); insert into words values (1,'hello world',5),(2,'other words',6);
create table places (id int primary key, p point not null srid 0, spatial index by_place (p)); insert into places values (1,st_geomfromtext('POINT(1 2)')),(2,st_geomfromtext('POINT(5 6)'));
create table near (id int primary key, v vector(2) not null, w json not null); create vector index by_nearness on near (v);
insert into near values (1,string_to_vector('[1.0,2.0]'),'[1]'),(2,string_to_vector('[0,0.5]'),'{}');
create table plain (id int primary key); insert into plain values (7);";

#[test]
fn an_index_of_a_special_kind_is_refused_by_name_and_its_table_is_read() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject.sql(SPECIAL);
        for (table, index, kind) in [
            ("words", "by_words", "full-text index"),
            ("places", "by_place", "spatial index"),
            ("near", "by_nearness", "vector index"),
        ] {
            let refused = subject.table(table).index(index).unwrap_err().to_string();
            assert_eq!(refused, format!("table {table}: {index}, a {kind} is not supported"));
            subject.gt(&["schema", table]).ok().says(&format!("({kind}: not read)"));
            subject.same_rows(table);
        }
        subject.same_rows("plain");
        let by_n = subject.table("words");
        let by_n = by_n.index("by_n").unwrap().unwrap();
        assert_eq!(by_n.rows(&KeyRange::ALL, Direction::Forward).unwrap().count(), 2);
        let found = subject.gt(&["show", "words", "--where", "t=hello world", "--json"]).ok().json();
        assert_eq!((&found["found_by"], &found["rows"][0]["id"]), (&"scan".into(), &1.into()));
        for (table, condition) in [("places", "p=1"), ("near", "v=1"), ("near", "w=[1]")] {
            let column = condition.split('=').next().unwrap();
            let told = subject.gt(&["show", table, "--where", condition]).fails(1);
            told.error_begins_with(&format!("table {table}: comparing {column}"));
        }
        subject.gt(&["show", "near", "--where", "id=2"]).ok();
    }
}

#[test]
fn values_that_are_not_stored_are_never_shown_as_null() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject.sql(
            "create table v (id int primary key, a int, sum bigint as (crc32(id)) virtual, b varchar(9), twice int as (a * 2) stored, word varchar(20) as (hex(b)) virtual, known int as (a + 1) virtual, key (sum));
             insert into v (id, a, b) values (1,2,'p'),(2,null,'q');",
        );
        subject.commit("virtual");
        let warning = "v has virtual columns; their values are not stored and not shown: sum, word";
        for shape in ["csv", "json", "jsonl"] {
            let dumped = subject.gt(&["dump", "v", "--format", shape]).ok();
            assert!(dumped.err.contains(warning), "{shape}: {}", dumped.err);
        }
        let theirs = subject.asked("csv", "select id, a, b, twice, known from v");
        assert_eq!(subject.gt(&["dump", "v", "--format", "csv"]).ok().out.trim_end(), theirs.trim_end());
        let whole = subject.gt(&["dump", "v"]).ok().json();
        let theirs: serde_json::Value =
            serde_json::from_str(&subject.asked("json", "select id, a, b, twice, known from v")).unwrap();
        assert_eq!(whole["rows"], theirs["rows"]);
        assert_eq!(whole["not_stored"], serde_json::json!(["sum", "word"]));
        let shown = subject.gt(&["show", "v"]).ok().says("(not stored)").says(warning);
        assert_eq!(shown.out.matches("(not stored)").count(), 4);
        let shown = subject.gt(&["show", "v", "--where", "b=q", "--json"]).ok().json();
        assert_eq!(shown["not_stored"], serde_json::json!(["sum", "word"]));
        // An answer without rows would be a wrong one.
        subject.gt(&["show", "v", "--where", "sum=3"]).fails(1).error_begins_with("it is virtual");
        subject.sql("update v set a = 9 where id = 1");
        let changes = subject.gt(&["diff"]).ok();
        assert!(changes.out.contains("(not stored)") && changes.err.contains(warning), "{changes:?}");
    }
}
