//! Few rows and many, short values and very long ones: in journals, table files and archives, as the real Dolt prints them.

use std::fmt::Write;

use crate::support::{Dolt, Subject};

/// The same numbers every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }
}

const WORDS: [&str; 12] = [
    "a\\\"b",
    "é😀",
    "x\\\\y",
    "line\\nbreak",
    "tab\\t",
    "plain text",
    "<&>",
    "\\u2028",
    "",
    "/slash",
    "\\u0001",
    "null",
];
const PLAIN: [&str; 12] =
    ["0", "1", "-1", "1.5", "1e100", "-2.25e-7", "123456789012", "0.1", "1e21", "true", "false", "null"];

/// A JSON value with escapes, numbers and nesting.
fn push_json(dice: &mut Dice, depth: usize, out: &mut String) {
    match dice.below(8) {
        0 | 1 if depth < 6 => {
            out.push('{');
            for i in 0..dice.below(9) {
                let comma = if i > 0 { "," } else { "" };
                write!(out, "{comma}\"{}{}\":", WORDS[dice.below(12)], dice.below(1000)).unwrap();
                push_json(dice, depth + 1, out);
            }
            out.push('}');
        }
        2 if depth < 6 => {
            out.push('[');
            for i in 0..dice.below(9) {
                out.push_str(if i > 0 { "," } else { "" });
                push_json(dice, depth + 1, out);
            }
            out.push(']');
        }
        3 => out.push_str(PLAIN[dice.below(12)]),
        _ => {
            let times = dice.below(20);
            write!(out, "\"{}\"", WORDS[dice.below(12)].repeat(times)).unwrap();
        }
    }
}

/// An object of about so many bytes.
fn document(dice: &mut Dice, bytes: usize) -> String {
    let mut text = "{".to_owned();
    let mut n = 0;
    while text.len() < bytes {
        let comma = if n > 0 { "," } else { "" };
        write!(text, "{comma}\"{}{n}\":", WORDS[dice.below(12)]).unwrap();
        push_json(dice, 0, &mut text);
        n += 1;
    }
    text + "}"
}

fn long_values() -> String {
    let mut dice = Dice(7);
    let mut script =
        "create table long_ones (id int primary key, j json, t longtext, b longblob, v text);".to_owned();
    for (id, bytes) in [0, 100, 3_990, 5_000, 20_000, 70_000, 2_500_000].into_iter().enumerate() {
        let document = document(&mut dice, bytes).replace('\\', "\\\\").replace('\'', "''");
        let hex =
            (0..bytes.min(60_000)).fold(String::new(), |text, _| text + &format!("{:02x}", dice.below(256)));
        let text: String =
            (0..bytes.min(60_000) / 3).map(|_| ["é", "x", "\\n", "😀"][dice.below(4)]).collect();
        write!(
            script,
            "insert into long_ones values ({id}, '{document}', '{text}', x'{hex}', '{}');",
            "v".repeat(bytes % 3000)
        )
        .unwrap();
    }
    // Around the sizes at which a value leaves its row, a leaf is full, or a level of nodes is added.
    for (n, bytes) in [1, 2_046, 2_047, 2_048, 2_049, 3_999, 4_000, 4_001, 8_000, 799_999, 800_000, 800_001]
        .into_iter()
        .enumerate()
    {
        write!(
            script,
            "insert into long_ones (id, t, b) values ({}, repeat('t', {bytes}), repeat('b', {bytes}));",
            100 + n
        )
        .unwrap();
    }
    script.push_str("insert into long_ones (id, j, t, b) values (200, json_array(repeat('x', 9000), 1), repeat('é', 1500000), repeat('xyz', 1000000)), (201, null, null, null);");
    script
}

#[test]
fn documents_texts_and_blobs_of_megabytes_are_read_from_every_kind_of_file() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject.sql(&long_values());
        subject.commit("long ones");
        subject.same_rows("long_ones");
        let schema = subject.gt(&["schema", "long_ones", "--json"]).ok().json();
        let encodings: Vec<&str> =
            schema["columns"].as_array().unwrap().iter().map(|c| c["encoding"].as_str().unwrap()).collect();
        let kind = if dolt == Dolt::V1 { "Addr" } else { "Adaptive" };
        let expected = ["Json", "String", "Bytes", "String"].map(|e| format!("{e}{kind}"));
        assert_eq!(encodings[1..], expected);
        // Level 0 keeps table files, level 1 makes archives.
        let collections =
            [&["gc", "--archive-level", "0"][..], &["gc", "--archive-level", "1"], &["gc", "--full"]];
        for gc in collections {
            subject.sql("update long_ones set v = concat('changed ', id) where id % 7 = 0; update long_ones set j = json_set(j, '$.new', id) where id = 6;");
            subject.dolt(gc).ok();
            subject.same_dump("long_ones", "csv");
        }
    }
}

/// A column keeps the encoding that it was made with, whichever Dolt writes next.
#[test]
fn old_addresses_and_adaptive_values_are_read_side_by_side() {
    let subject = Subject::new(Dolt::V1);
    subject.sql("create table old (id int primary key, j json, t text, b blob); insert into old values (1,'{\"a\":1}','text','blob'),(2,'[]','','');");
    let newer = |sql: &str| drop(subject.another_dolt(Dolt::V2, &["sql", "-q", sql]).ok());
    newer(
        "insert into old values (3, json_array(repeat('x', 5000)), repeat('y', 5000), repeat('z', 5000)), (4, null, null, null)",
    );
    newer(
        "create table new (id int primary key, j json, t text, b blob); insert into new select * from old;",
    );
    newer("alter table old add column late text; update old set late = concat('late ', t);");
    subject.sql("insert into new values (5, '{}', repeat('q', 2500), ''); insert into old (id, late) values (6, repeat('l', 3000));");
    for table in ["old", "new"] {
        subject.same_rows(table);
    }
    let encodings = |table: &str| -> Vec<String> {
        let schema = subject.gt(&["schema", table, "--json"]).ok().json();
        schema["columns"]
            .as_array()
            .unwrap()
            .iter()
            .skip(1)
            .map(|c| c["encoding"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(encodings("old"), ["JsonAddr", "StringAddr", "BytesAddr", "StringAdaptive"]);
    assert_eq!(encodings("new"), ["JsonAdaptive", "StringAdaptive", "BytesAdaptive"]);
}

#[test]
fn three_a_thousand_and_a_hundred_thousand_rows_are_all_there() {
    for (dolt, shape) in [(Dolt::V1, "csv"), (Dolt::V2, "json")] {
        let subject = Subject::new(dolt);
        for count in [3, 1_000, 100_000u64] {
            subject.sql(&format!("create table t{count} (id varchar(36) primary key, n int, title varchar(80), made datetime, price decimal(10,2), ratio double, flag tinyint(1), kind varchar(10), key by_n (n));"));
            let mut rows = "id,n,title,made,price,ratio,flag,kind\n".to_owned();
            for i in 0..count {
                let (key, cents, minute) = ((i * 7_919) % 1_000_003, i % 977_777, i % 60);
                let price = format!("{}.{:02}", cents / 100, cents % 100);
                writeln!(
                    rows,
                    "{key:08X}-{i},{},title {i},2020-01-01 00:{minute:02}:00,{price},{}.25,{},k{}",
                    i % 977,
                    i * 3,
                    i % 2,
                    i % 5
                )
                .unwrap();
            }
            // Much faster than SQL.
            let file = subject.town.outside().join("rows.csv");
            std::fs::write(&file, rows).unwrap();
            subject.dolt(&["table", "import", "-u", &format!("t{count}"), file.to_str().unwrap()]).ok();
        }
        subject.commit("all rows");
        for table in ["t3", "t1000"] {
            subject.same_rows(table);
        }
        subject.same_dump("t100000", shape);
        assert_eq!(subject.table("t100000").entries(), 100_000);
        subject.sql("update t100000 set n = -5 where n = 5 and title like '%7'; delete from t100000 where title = 'title 77777';");
        let theirs = subject.dolt(&["diff", "t100000"]).ok().out;
        let ours = subject.gt(&["diff", "HEAD", "WORKING", "t100000"]).ok().out;
        assert_eq!(ours.trim_end(), theirs.trim_end());
        let found = subject.gt(&["show", "t100000", "--where", "n=-5", "--json"]).ok().json();
        assert_eq!(found["found_by"], "index by_n");
        let count = subject.asked("csv", "select count(*) from t100000 where n = -5");
        assert_eq!(found["rows"].as_array().unwrap().len().to_string(), count.lines().nth(1).unwrap());
    }
}
