//! Rows by key, index and condition: the ones that the real Dolt selects.

use std::ops::Bound;

use dolt_store::table::{Direction, KeyRange, Table, Value};

use crate::support::{Dolt, Subject};

/// Rows by the value of a column `id`.
fn ids(json: &serde_json::Value) -> Vec<i64> {
    let rows = json["rows"].as_array();
    let mut ids: Vec<i64> = rows.into_iter().flatten().map(|r| r["id"].as_i64().unwrap()).collect();
    ids.sort_unstable();
    ids
}

/// Asks Dolt for the ids of all these conditions at once.
fn selected(subject: &Subject, table: &str, conditions: &[(&str, &str)]) -> Vec<Vec<i64>> {
    let query = |(column, value): &(&str, &str)| {
        let value = value.replace('\\', "\\\\").replace('\'', "''");
        // Dolt takes the characters of a text for the bits of a number.
        let value = if *column == "bits" { value } else { format!("'{value}'") };
        format!("select id from {table} where `{column}` = {value};")
    };
    let all: String = conditions.iter().map(query).collect();
    let lines = subject.asked("json", &all);
    let lines = lines.lines().filter(|l| !l.trim().is_empty());
    lines.map(|l| ids(&serde_json::from_str(l).unwrap())).collect()
}

#[track_caller]
fn same_rows_are_found(subject: &Subject, table: &str, conditions: &[(&str, &str)]) {
    let theirs = selected(subject, table, conditions);
    assert_eq!(theirs.len(), conditions.len());
    for ((column, value), theirs) in conditions.iter().zip(theirs) {
        let found =
            subject.gt(&["show", table, "--where", &format!("{column}={value}"), "--json"]).ok().json();
        assert_eq!(ids(&found), theirs, "{table}.{column} = {value:?}, by {}", found["found_by"]);
    }
}

const KINDS: &str = "
create table kinds (id int primary key, d double, p decimal(10,3), k date, t datetime, u datetime(6), s time, y year, bits bit(10),
  e enum('a','B','it''s'), m set('x','Y'), o tinyint(1), v varbinary(10), l blob, w bigint unsigned, c char(5), x text,
  key (d), key (p), key (k), key (t), key (u), key (s), key (y), key (bits), key (e), key (m), key (o), key (v), key (w), key (c));
insert into kinds values
 (1, 0.1, 1.5, '2020-01-01', '2020-01-01 10:00:00', '2020-01-01 10:00:00.5', '01:02:03.5', 2020, 5, 'a', 'x,Y', 1, 'ab', 'ab', 18446744073709551615, 'ab', 'ab'),
 (2, -0.0, 0, '0000-00-00', '0000-00-00', '1969-12-31 23:59:59.999999', '-838:59:59', 0, 0, 'B', '', 0, '', '', 0, '', ''),
 (3, 1e100, -12.345, '9999-12-31', '9999-12-31 23:59:59', '2020-01-01', '00:00:00', 1901, 1023, 'it''s', 'Y', 2, 'AB', 'AB', 7, 'ab ', 'AB'),
 (4, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null),
 (5, 0.1, 1.5, '2020-01-01', '2020-01-01', '2020-01-01 10:00:00.5', '01:02:03.5', 2020, 5, 'a', 'x,Y', 1, 'ab', 'ab', 7, 'ab', 'ab');";

const OF_KINDS: [(&str, &str); 42] = [
    ("id", "1"),
    ("id", "01"),
    ("id", "5.0"),
    ("id", "1.5"),
    ("id", "99999999999"),
    ("d", "0.1"),
    ("d", "1e-1"),
    ("d", "0"),
    ("d", "1e100"),
    ("p", "1.5"),
    ("p", "1.50000"),
    ("p", "-12.345"),
    ("p", "0"),
    ("k", "2020-01-01"),
    ("k", "2020-1-1"),
    ("k", "2020-01-01 00:00:00"),
    ("k", "2020-01-01 10:00:00"),
    ("k", "9999-12-31"),
    ("t", "2020-01-01"),
    ("t", "2020-01-01T10:00:00"),
    ("t", "2020-01-01 10:00:00.4"),
    ("u", "2020-01-01 10:00:00.5"),
    ("u", "1969-12-31 23:59:59.999999"),
    ("s", "01:02:03.5"),
    ("s", "-838:59:59"),
    ("y", "2020"),
    ("bits", "5"),
    ("bits", "1023"),
    ("e", "a"),
    ("e", "it's"),
    ("e", "2"),
    ("m", "Y,x"),
    ("o", "1"),
    ("o", "2"),
    ("v", "ab"),
    ("v", ""),
    ("l", "AB"),
    ("w", "18446744073709551615"),
    ("w", "-1"),
    ("c", "ab"),
    ("c", "ab "),
    ("x", ""),
];

#[test]
fn conditions_on_columns_of_every_type_find_what_dolt_selects() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject.sql(KINDS);
        same_rows_are_found(&subject, "kinds", &OF_KINDS);
        // Dolt refuses such a value where there is an index, and finds nothing where there is none.
        for no_member in ["e=A", "m=y"] {
            assert!(
                ids(&subject.gt(&["show", "kinds", "--where", no_member, "--json"]).ok().json()).is_empty()
            );
        }
        // In SQL the word is 0; nobody means that.
        subject.gt(&["show", "kinds", "--where", "o=true", "--json"]).ok().says("\"id\": 5");
        subject.gt(&["show", "kinds", "--where", "v=0x4142", "--json"]).ok().says("\"id\": 3");
        let by = |condition: &str| {
            subject.gt(&["show", "kinds", "--where", condition, "--json"]).ok().json()["found_by"].clone()
        };
        assert_eq!(
            (by("id=1"), by("p=1.5"), by("x=ab")),
            ("primary key".into(), "index p".into(), "scan".into())
        );
        let refused = [
            ("id=x", "\"x\" is no value"),
            ("k=soon", "\"soon\" is no value"),
            ("nosuch=1", "no column nosuch"),
        ];
        for (condition, why) in refused {
            subject
                .gt(&["--exit-code", "show", "kinds", "--where", condition])
                .fails(2)
                .error_begins_with(why);
        }
    }
}

// An index on a prefix holds bytes, and cuts characters in the middle.
#[test]
fn prefix_indexes_lead_to_the_rows_that_dolt_selects() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject.sql(
            "create table p (id int primary key, t text, v varchar(30), b blob, n int, key kt (t(4)), key kv (v(5), n), key kb (b(2)));
             insert into p (id, t) values (1,'éééa'),(2,'éééb'),(3,'éé'),(4,'abcdef'),(5,'abcd'),(6,'中中'),(7,'é中'),(8,null),(9,''),
               (10,'éé中'),(11,'a😀b'),(12,'a中b'),(13,'aéb'),(14,'abcdx'),(15,'éééa'),(16,repeat('é',3000));
             insert into p (id, t) select 100 + x.id * 20 + y.id, concat(x.t, y.t) from p x, p y where x.id < 16 and y.id < 16;
             update p set v = left(t, 30), b = t, n = id % 3;",
        );
        let values = [
            "éééa", "éé", "abcdef", "abcd", "abc", "中中", "é中", "", "é", "a😀b", "a中b", "aéb", "nothing",
            "ééabcd",
        ];
        let conditions: Vec<_> =
            ["t", "v", "b"].iter().flat_map(|c| values.iter().map(move |v| (*c, *v))).collect();
        same_rows_are_found(&subject, "p", &conditions);
        let both = subject.gt(&["show", "p", "--where", "v=éééa", "--where", "n=1", "--json"]).ok().json();
        let theirs = subject.asked("json", "select id from p where v = 'éééa' and n = 1");
        assert_eq!(ids(&both), ids(&serde_json::from_str(&theirs).unwrap()));
        assert_eq!(both["found_by"], "index kv");
        let long = "é".repeat(3000);
        let found = subject.gt(&["show", "p", "--where", &format!("t={long}"), "--json"]).ok().json();
        assert_eq!((ids(&found), &found["found_by"]), (vec![16], &"index kt".into()));
        subject.gt(&["verify"]).ok();
    }
}

const COLLATED: &str = "
create table ai (k varchar(20) collate utf8mb4_0900_ai_ci primary key, id int, g varchar(20) collate utf8mb4_general_ci, key (g));
insert into ai values ('Apfel',1,'Apfel'),('Élan',2,'Élan'),('elans',3,'ELAN'),('straße',4,'straße'),('strasse',5,'strase'),('😀',6,'😀'),
 ('😁',7,'😁'),('ａ',8,'ａ'),('İ',9,'i'),('a b',10,'a b'),('a-b',11,'ab');
create table texts (id int primary key, u varchar(20) collate utf8mb4_unicode_ci, t text collate utf8mb4_0900_ai_ci, l varchar(20) character set latin1,
 m varchar(20) character set utf8mb3, e enum('A','b') collate utf8mb4_general_ci, s set('A','b') collate utf8mb4_general_ci, key (u), key (l), key (m));
insert into texts values (1,'Élan','Élan','Élan','Élan','A','A,b'),(2,'elan','ELAN','elan','elan','b','b'),(3,'x','y','z','w',null,null),(4,'ö','ö','ö','ö','A','');
create table other (id int primary key, z varchar(20) collate utf8mb4_zh_0900_as_cs, q varchar(20) collate utf8mb4_0900_as_ci primary key);";

#[test]
fn texts_that_a_collation_takes_for_equal_are_found() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject.sql(&COLLATED.replace("as_ci primary key", "as_ci"));
        let words = ["apfel", "ÉLAN", "Elan", "STRASSE", "straße", "😀", "A", "i", "A B", "ab", ""];
        let conditions: Vec<_> =
            ["k", "g"].iter().flat_map(|c| words.iter().map(move |w| (*c, *w))).collect();
        same_rows_are_found(&subject, "ai", &conditions);
        let mut conditions: Vec<_> = ["u", "t", "l", "m"]
            .iter()
            .flat_map(|c| ["elan", "ÉLAN", "X", "O", "ö"].map(|w| (*c, w)))
            .collect();
        conditions.extend([("e", "a"), ("e", "B"), ("s", "B,a"), ("s", "")]);
        same_rows_are_found(&subject, "texts", &conditions);
        for (condition, name) in [("z=x", "utf8mb4_zh_0900_as_cs"), ("q=x", "utf8mb4_0900_as_ci")] {
            let told = subject.gt(&["show", "other", "--where", condition]).fails(1);
            assert!(told.err.contains(name) && told.err.contains("not supported"), "{}", told.err);
        }
        subject.gt(&["show", "other", "--where", "id=1"]).ok();
        // Through an index on a prefix of bytes Dolt misses the longer of two equal texts; without the index it does not.
        let columns = "id int primary key, t text collate utf8mb4_general_ci";
        subject.sql(&format!(
            "create table cut ({columns}, key (t(3))); create table uncut ({columns}); insert into cut values (1,'Éabc'); insert into uncut values (1,'Éabc');"
        ));
        same_rows_are_found(&subject, "uncut", &[("t", "EABC")]);
        let found = subject.gt(&["show", "cut", "--where", "t=EABC", "--json"]).ok().json();
        assert_eq!((ids(&found), &found["found_by"]), (vec![1], &"scan".into()));
    }
}

#[test]
fn changed_rows_of_a_table_with_collated_keys_are_told_from_unchanged_ones() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        // Names in an order that is not that of their bytes.
        let rows: Vec<String> = (0..3000)
            .map(|n| {
                let name = format!("{}{n}", ["a", "B", "é", "Z", "_"][n % 5]);
                format!("('{name}',{n})")
            })
            .collect();
        subject.sql(&format!("create table c (k varchar(20) collate utf8mb4_0900_ai_ci primary key, n int); insert into c values {};", rows.join(",")));
        subject.commit("first");
        subject.sql("update c set n = -1 where n in (5, 1234, 2999); delete from c where n in (7, 1500); insert into c values ('neu', 9), ('Öl', 8);");
        let changes = subject.gt(&["diff", "--json"]).ok().json()["tables"][0].clone();
        let counts = ["added", "removed", "modified"].map(|k| changes[k].as_u64().unwrap());
        assert_eq!(counts, [2, 2, 3], "{changes}");
        let sorted = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let (theirs, ours) =
            (subject.dolt(&["diff", "c"]).ok().out, subject.gt(&["diff", "HEAD", "WORKING", "c"]).ok().out);
        assert_eq!(sorted(ours.trim_end()), sorted(theirs.trim_end()));
    }
}

/// Rows as Dolt prints them, from the rows of this crate.
fn printed(
    table: &Table,
    rows: impl Iterator<Item = dolt_store::Result<dolt_store::table::Row>>,
) -> Vec<String> {
    let columns: Vec<_> = table.schema().visible().map(|(_, c)| c).collect();
    let line = |row: dolt_store::table::Row| {
        let cells = row.values.iter().zip(&columns).map(|(v, c)| v.to_text(c).unwrap_or_default());
        cells.collect::<Vec<_>>().join(",")
    };
    rows.map(|r| line(r.unwrap())).collect()
}

/// Queries for Dolt and, for each, the rows that this crate found.
#[derive(Default)]
struct Asked {
    queries: Vec<String>,
    ours: Vec<Vec<String>>,
}

impl Asked {
    fn add(&mut self, query: String, ours: Vec<String>) {
        self.queries.push(query);
        self.ours.push(ours);
    }

    #[track_caller]
    fn are_answered_the_same(&self, subject: &Subject) {
        let theirs = subject.asked("csv", &self.queries.join(";"));
        let mut theirs = theirs.lines().filter(|l| !l.is_empty());
        for (query, ours) in self.queries.iter().zip(&self.ours) {
            let heading = theirs.next().unwrap();
            assert!(heading == "a,b,c,n" || heading == "n,t", "{heading}");
            let lines: Vec<String> =
                theirs.by_ref().take(ours.len()).map(|l| l.replace("\"\"", "")).collect();
            assert_eq!(*ours, lines, "{query}");
        }
        assert_eq!(theirs.next(), None);
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn included(values: &[Value]) -> Bound<Vec<Value>> {
    Bound::Included(values.to_vec())
}

fn excluded(values: &[Value]) -> Bound<Vec<Value>> {
    Bound::Excluded(values.to_vec())
}

fn ranges_of_keys() -> Vec<(KeyRange, &'static str)> {
    let five = || text("group 05");
    let free = || Bound::Unbounded;
    vec![
        (KeyRange::ALL, "true"),
        (KeyRange::prefix(&[five()]), "a = 'group 05'"),
        (KeyRange::prefix(&[five(), Value::Int(38)]), "a = 'group 05' and b = 38"),
        (KeyRange { from: excluded(&[five()]), to: free() }, "a > 'group 05'"),
        (KeyRange { from: free(), to: excluded(&[five()]) }, "a < 'group 05'"),
        (
            KeyRange {
                from: included(&[five(), Value::Int(1000)]),
                to: excluded(&[five(), Value::Int(4000)]),
            },
            "a = 'group 05' and b >= 1000 and b < 4000",
        ),
        (KeyRange { from: included(&[text("zz")]), to: free() }, "a >= 'zz'"),
        (KeyRange { from: free(), to: included(&[text("")]) }, "a <= ''"),
    ]
}

fn ranges_of_the_index() -> Vec<(KeyRange, &'static str)> {
    let quarter = Value::Decimal("0.25".into());
    vec![
        (KeyRange::ALL, "true"),
        (KeyRange::prefix(&[Value::Int(5)]), "n = 5"),
        (KeyRange::prefix(&[Value::Null]), "n is null"),
        (
            KeyRange { from: included(&[Value::Int(11), quarter]), to: Bound::Unbounded },
            "n > 11 or (n = 11 and c >= 0.25)",
        ),
        (KeyRange { from: excluded(&[Value::Null]), to: excluded(&[Value::Int(2)]) }, "n < 2"),
    ]
}

#[test]
fn ranges_counts_and_positions_are_those_of_order_by_and_limit() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject.sql(
            "create table r (a varchar(40), b int, c decimal(6,2), n int, primary key (a, b), key by_n (n, c));
             insert into r with recursive s (i) as (select 0 union all select i + 1 from s where i < 999)
               select concat('group ', lpad(x.i % 20, 2, '0')), x.i * 7 + y.i, (y.i - 3) / 4, x.i % 13 from s x, s y where y.i < 7;
             insert into r values ('', -1, null, null), ('z', 0, 99, null);
             create table twice (n int, t varchar(10), key (n)); insert into twice values (1,'a'),(1,'a'),(1,'b'),(2,'a'),(2,'a'),(null,'c');",
        );
        let table = subject.table("r");
        let mut asked = Asked::default();
        let both = [(Direction::Forward, ""), (Direction::Backward, " desc")];
        for (range, sql) in ranges_of_keys() {
            for (direction, desc) in both {
                let rows = printed(&table, table.rows_in(&range, direction).unwrap());
                assert_eq!(table.count_in(&range).unwrap(), rows.len() as u64, "{sql}");
                asked.add(format!("select * from r where {sql} order by a{desc}, b{desc}"), rows);
            }
        }
        let by_n = table.index("by_n").unwrap().unwrap();
        assert_eq!(by_n.entries(), table.entries());
        for (range, sql) in ranges_of_the_index() {
            for (direction, desc) in both {
                let rows = printed(&table, by_n.rows(&range, direction).unwrap());
                assert_eq!(by_n.count(&range).unwrap(), rows.len() as u64, "{sql}");
                let order = format!("n{desc}, c{desc}, a{desc}, b{desc}");
                asked.add(format!("select * from r where {sql} order by {order}"), rows);
            }
        }
        for k in [0, 1, 6_999, 7_000, 7_001, 9_000] {
            let rows = table.rows_from_position(k, Direction::Forward).unwrap().take(3);
            asked.add(format!("select * from r order by a, b limit 3 offset {k}"), printed(&table, rows));
        }
        let rows = table.rows_from_position(4_000, Direction::Backward).unwrap().take(4);
        asked
            .add("select * from r order by a desc, b desc limit 4 offset 3001".into(), printed(&table, rows));
        let twice = subject.table("twice");
        let by_n = twice.index("n").unwrap().unwrap();
        let mut rows =
            printed(&twice, by_n.rows(&KeyRange::prefix(&[Value::Int(1)]), Direction::Forward).unwrap());
        rows.sort();
        asked.add("select n, t from twice where n = 1 order by t".into(), rows);
        asked.are_answered_the_same(&subject);
        let number = KeyRange::prefix(&[Value::Int(1)]);
        assert!(table.rows_in(&number, Direction::Forward).is_err(), "a number is no text");
        assert!(table.get(&[text("group 05")]).is_err(), "half a key");
    }
}
