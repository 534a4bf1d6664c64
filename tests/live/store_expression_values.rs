//! What expressions give is what Dolt computed: hundreds of random ones as stored generated columns, which Dolt fills and we
//! compute again. What we refuse is no failure, but there must not be much of it.

use std::fs;

use dolt_store::expr::{Generator, Problem};
use dolt_store::table::{Row, Table};

use crate::support::{Dolt, Subject};

const COLUMNS: &str = "id int primary key, a int, t tinyint, u int unsigned, bi bigint, bu bigint unsigned, c decimal(10,3),
  c2 decimal(12,2), f double, b varchar(30), ci varchar(30) collate utf8mb4_general_ci, tx text, d datetime, da date, j json,
  bo tinyint(1)";

const NAMES: &str = "id, a, t, u, bi, bu, c, c2, f, b, ci, tx, d, da, j, bo";

const ROWS: [&str; 10] = [
    "1, 1, 0, 1, 1, '1.5', 2.25, 0.5, 'a', 'A', 'text', '2020-02-29 10:11:12', '2020-01-01', '{\"a\": 1, \"b\": \"x\"}', true",
    "null, null, null, null, null, null, null, null, null, null, null, null, null, null, null",
    "-7, -128, 4294967295, -9, 18446744073709551615, -1.001, -99.99, -2.75, 'B', 'b', '', '1999-12-31 23:59:59', '1999-12-31', '[1, 2, {\"a\": null}]', false",
    "0, 0, 0, 0, 0, 0, 0, 0, '', '', '0', '2021-01-01', '2021-01-01', '\"s\"', 0",
    "2147483647, 127, 7, 9223372036854775807, 9, 1234567.891, 0.01, 1e10, 'abc def', 'ABC', '12abc', '2038-01-19 03:14:07', '2038-01-19', 'null', 1",
    "-2147483648, 5, 100, -5, 100, 0.001, 12345.67, -1e-3, '12', '3.5', ' 7 ', '2020-02-29 00:00:00', '2020-02-29', '{\"a\": {\"b\": [true, 2.5]}}', 0",
    "3, 2, 3, 1000000007, 10, 3, 3, 3, 'é😀x', 'É', 'a%b_c', '1970-01-01 00:00:01', '1970-01-01', '3', 1",
    "42, -3, 2, -1, 2, -2.5, 2.5, 2.5, 'a\\'b', 'x y', '-4.5e1x', '2024-06-15 12:30:00', '2024-06-15', '{\"b\": 5}', 0",
    "10, 10, 10, 10, 10, 10, 10, 10, 'a', 'a', 'a', '2020-01-01', '2020-01-01', '{\"a\": \"10\"}', 1",
    "100, 50, 3000000000, 123456789012, 123456789012345, 9999999.999, 9999999999.99, 123.456, '  pad ', 'PAD', '%', '2000-03-01 01:02:03', '2000-03-01', '[]', 1",
];

/// Random expressions by what they give.
struct Writer(u64);

impl Writer {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }

    fn integer(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self
                .one(&[
                    "a",
                    "t",
                    "u",
                    "bi",
                    "bu",
                    "1",
                    "2",
                    "-3",
                    "200",
                    "7",
                    "70000",
                    "5000000000",
                    "bo",
                    "a",
                    "u",
                    "null",
                ])
                .to_owned();
        }
        let d = depth - 1;
        match self.below(16) {
            0..3 => format!("({} {} {})", self.integer(d), self.one(&["+", "-", "*"]), self.integer(d)),
            3 => format!("({} div {})", self.integer(d), self.integer(d)),
            4 => format!("({} % {})", self.integer(d), self.integer(d)),
            5 => format!("{}({})", self.one(&["length", "char_length"]), self.text(d)),
            6 => format!("{}({})", self.one(&["floor", "ceil", "round"]), self.number(d)),
            7 => format!("case when {} then {} else {} end", self.truth(d), self.integer(d), self.integer(d)),
            8 => format!("if({}, {}, {})", self.truth(d), self.integer(d), self.integer(d)),
            9 => format!(
                "{}({}, {})",
                self.one(&["ifnull", "coalesce", "nullif"]),
                self.integer(d),
                self.integer(d)
            ),
            10 => format!("{}({})", self.one(&["year", "month", "day"]), self.one(&["d", "da"])),
            11 => format!("cast({} as {})", self.any(d), self.one(&["signed", "unsigned"])),
            12 => format!("abs({})", self.one(&["a", "bi", "u"])),
            13 => format!("{}({}, {})", self.one(&["greatest", "least"]), self.integer(d), self.integer(d)),
            14 => format!("case {} when {} then {} end", self.integer(d), self.integer(d), self.integer(d)),
            _ => format!("({})", self.truth(d)),
        }
    }

    fn number(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self
                .one(&["c", "c2", "f", "a", "1.5", "-0.25", "1e3", "2.5000", "c", "10", "u"])
                .to_owned();
        }
        let d = depth - 1;
        match self.below(12) {
            0..4 => format!("({} {} {})", self.number(d), self.one(&["+", "-", "*", "/"]), self.number(d)),
            4 => format!("({} / {})", self.integer(d), self.number(d)),
            5 => format!("({} % {})", self.number(d), self.number(d)),
            6 => format!("round({}, {})", self.number(d), self.one(&["0", "1", "2", "5"])),
            7 => format!(
                "cast({} as {})",
                self.any(d),
                self.one(&["decimal(10,2)", "double", "decimal(20,5)"])
            ),
            8 => format!(
                "{}({}, {})",
                self.one(&["ifnull", "coalesce", "nullif", "greatest", "least"]),
                self.number(d),
                self.number(d)
            ),
            9 => format!("if({}, {}, {})", self.truth(d), self.number(d), self.number(d)),
            10 => format!("abs({})", self.number(d)),
            _ => self.integer(d),
        }
    }

    fn text(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self.one(&["b", "tx", "b", "'a'", "'x%'", "''", "'é'", "'12abc'", "b"]).to_owned();
        }
        let d = depth - 1;
        match self.below(14) {
            0..3 => format!("concat({}, {})", self.any(d), self.text(d)),
            3 => format!(
                "{}({})",
                self.one(&["lower", "upper", "ltrim", "rtrim", "trim", "reverse"]),
                self.text(d)
            ),
            4 => format!(
                "substring({}, {}, {})",
                self.text(d),
                self.one(&["1", "2", "-2", "0", "9"]),
                self.one(&["1", "3", "0", "-1", "50"])
            ),
            5 => format!(
                "{}({}, {})",
                self.one(&["left", "right"]),
                self.text(d),
                self.one(&["1", "2", "0", "-1", "99"])
            ),
            6 => format!("replace({}, {}, {})", self.text(d), self.text(0), self.text(0)),
            7 => format!("cast({} as char{})", self.any(d), self.one(&["", "(3)"])),
            8 => format!("if({}, {}, {})", self.truth(d), self.text(d), self.text(d)),
            9 => {
                format!("{}({}, {})", self.one(&["ifnull", "coalesce", "nullif"]), self.text(d), self.text(d))
            }
            10 => format!(
                "trim({} {} from {})",
                self.one(&["leading", "trailing", "both"]),
                self.one(&["'a'", "' '", "'x%'"]),
                self.text(d)
            ),
            11 => format!(
                "json_unquote(json_extract(j, '{}'))",
                self.one(&["$.a", "$.b", "$[0]", "$", "$.a.b"])
            ),
            12 => format!(
                "case when {} then {} when {} then {} end",
                self.truth(d),
                self.text(d),
                self.truth(d),
                self.any(d)
            ),
            _ => format!("repeat({}, {})", self.text(d), self.one(&["0", "1", "2", "-1"])),
        }
    }

    fn any(&mut self, depth: u32) -> String {
        match self.below(3) {
            0 => self.integer(depth),
            1 => self.number(depth),
            _ => self.text(depth),
        }
    }

    fn truth(&mut self, depth: u32) -> String {
        let d = depth.saturating_sub(1);
        let compared = self.one(&["=", "<>", "<", "<=", ">", ">=", "<=>"]);
        match self.below(18) {
            0..3 => format!("({} {compared} {})", self.integer(d), self.integer(d)),
            3..5 => format!("({} {compared} {})", self.number(d), self.number(d)),
            5 => format!("({} {compared} {})", self.text(d), self.text(d)),
            6 => format!("({} {compared} {})", self.any(d), self.any(d)),
            7 => format!("({} {} {})", self.truth(d), self.one(&["and", "or", "xor"]), self.truth(d)),
            8 => format!("(not {})", self.truth(d)),
            9 => format!("({} is {}null)", self.any(d), self.one(&["", "not "])),
            10 => format!("({} is {})", self.truth(d), self.one(&["true", "false", "not true", "not false"])),
            11 => format!(
                "({} in ({}, {}, {}))",
                self.integer(d),
                self.integer(d),
                self.integer(d),
                self.number(d)
            ),
            12 => format!("({} not in ({}, {}))", self.text(d), self.text(d), self.text(0)),
            13 => format!("({} between {} and {})", self.number(d), self.number(d), self.number(d)),
            14 => format!(
                "({} {}like {})",
                self.text(d),
                self.one(&["", "not "]),
                self.one(&["'a%'", "'%b%'", "'_'", "'a\\\\%b'", "b", "'%'", "''"])
            ),
            15 => format!(
                "(ci {} {})",
                self.one(&["=", "<>", "like"]),
                self.one(&["'a'", "'B'", "'É'", "'x y'", "'%A%'"])
            ),
            16 => format!(
                "({} {compared} {})",
                self.one(&["d", "da"]),
                self.one(&["d", "da", "'2020-01-01'", "'2020-02-29 00:00:00'"])
            ),
            _ => format!("({} {compared} {})", self.integer(d), self.text(d)),
        }
    }
}

fn statements(i: usize, text: &str, of: &str) -> String {
    let mut sql = vec![format!("create table t{i} ({COLUMNS}, x {of} as ({text}) stored);")];
    // From stored values: of one that is just being inserted Dolt looks at what was written, before it is brought to its type.
    for id in 0..ROWS.len() {
        sql.push(format!("insert into t{i} ({NAMES}) select {NAMES} from plain where id = {id};"));
    }
    sql.join("\n")
}

/// Compares what Dolt stored with what we compute. Gives how many values were the same, and how many we refuse.
fn compare(dolt: Dolt, expressions: &[(String, &str)]) -> (usize, usize) {
    let subject = Subject::new(dolt);
    // The rows as they are without any expression: those that Dolt refuses to store must not be computed by us either.
    let mut sql = vec![format!("create table plain ({COLUMNS});")];
    sql.extend(ROWS.iter().enumerate().map(|(id, row)| format!("insert into plain values ({id}, {row});")));
    sql.extend(expressions.iter().enumerate().map(|(i, (text, of))| statements(i, text, of)));
    let file = subject.town.outside().join("expressions.sql");
    sql.push("create table done (id int primary key);".to_owned());
    fs::write(&file, sql.join("\n")).unwrap();
    let said = subject.dolt(&["sql", "--continue", "--file", file.to_str().unwrap()]);
    // A Dolt that panics says so last, and has not looked at the rest.
    let last: String = said.err.chars().rev().take(3000).collect::<Vec<_>>().into_iter().rev().collect();
    let is_there = |name: &str| {
        let session = subject.open().session().unwrap();
        let root = session.resolve_root("WORKING").unwrap().unwrap();
        session.tables(root).unwrap().open(name).unwrap().is_some()
    };
    assert!(is_there("done"), "Dolt did not come to the end: {last}");
    let plain: Vec<Row> = subject.table("plain").rows().unwrap().map(|r| r.unwrap()).collect();
    assert_eq!(plain.len(), ROWS.len());
    let (mut same, mut refused, mut wrong) = (0, 0, Vec::new());
    let session = subject.open().session().unwrap();
    let tables = session.tables(session.resolve_root("WORKING").unwrap().unwrap()).unwrap();
    for (i, (text, of)) in expressions.iter().enumerate() {
        let Some(table): Option<Table> = tables.open(&format!("t{i}")).unwrap() else { continue };
        let generator = &Generator::all(table.schema())[0];
        let stored: Vec<Row> = table.rows().unwrap().map(|r| r.unwrap()).collect();
        for row in &plain {
            let theirs = stored
                .iter()
                .find(|r| r.values[0] == row.values[0])
                .map(|r| r.values.last().unwrap().clone());
            match (generator.value(&row.values), theirs) {
                (Ok(ours), Some(theirs)) if ours == theirs => same += 1,
                (Err(Problem::Fails(_)), None) => same += 1,
                (Err(Problem::Unsupported(_)), _) => {
                    refused += 1;
                }
                _ if wrong.last().is_some_and(|w: &String| w.contains(text)) => {}
                (ours, theirs) => wrong.push(format!(
                    "{dolt:?} {of}: {text}\n  stored as {}\n  row {:?}\n  ours {ours:?}\n  theirs {theirs:?}",
                    table.schema().columns.iter().find(|c| c.generated).unwrap().default.as_deref().unwrap(),
                    row.values
                )),
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} are wrong:\n{}",
        wrong.len(),
        same + refused + wrong.len(),
        wrong[..wrong.len().min(25)].join("\n")
    );
    (same, refused)
}

/// `EXPRESSION_SEED` and `EXPRESSION_COUNT` ask for others, and for more.
#[test]
fn random_expressions_give_what_dolt_computes() {
    let seed = std::env::var("EXPRESSION_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let count = std::env::var("EXPRESSION_COUNT").ok().and_then(|s| s.parse().ok()).unwrap_or(120);
    let mut writer = Writer(seed);
    let mut expressions = Vec::new();
    for i in 0..count {
        let depth = u32::try_from(i % 3).unwrap() + 1;
        expressions.push(match i % 5 {
            0 => (format!("({})", writer.truth(depth)), "tinyint(1)"),
            1 => (writer.integer(depth), "bigint"),
            2 => (writer.number(depth), "decimal(40,10)"),
            3 => (writer.number(depth), "double"),
            _ => (writer.text(depth), "varchar(200)"),
        });
    }
    for dolt in [Dolt::V1, Dolt::V2] {
        let (same, refused) = compare(dolt, &expressions);
        assert!(refused * 3 < same, "{dolt:?}: {same} the same, {refused} refused");
    }
}

#[test]
fn virtual_columns_are_dumped_as_dolt_computes_them() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject.sql(&format!(
            "create table plain ({COLUMNS}, x1 int as (a + 1), x2 varchar(80) as (concat(b, ' ', a)), x3 decimal(20,6) as (c / 3),
             x4 tinyint(1) as ((c2 > 2)), x5 double as (f * 2), x6 bigint as (x4 + length(b)), x7 varchar(99) as (j->>'$.b'),
             x8 date as (date(d)), key (x4), key (x2));"
        ));
        for (id, row) in ROWS.iter().enumerate() {
            subject.dolt(&["sql", "-q", &format!("insert into plain ({NAMES}) values ({id}, {row})")]);
        }
        subject.sql("alter table plain drop column x7");
        subject.same_rows("plain");
        subject.is_clean();
    }
}
