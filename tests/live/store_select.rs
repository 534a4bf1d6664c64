//! Questions in SQL about rows of one table: what we answer from the files is what both Dolts answer, for written and for random
//! conditions over tables like bd's.

use std::fmt::Write as _;
use std::fs;

use dolt_store::expr::EvalContext;
use dolt_store::select::{Answer, QueryError, query};
use dolt_store::table::{Tables, Value};
use serde_json::{Map, Value as Json, json};

use crate::support::{Dolt, Subject};

const TABLES: &str = "\
create table issues (id varchar(255) primary key, title varchar(500) not null, description longtext not null,
  status varchar(32) not null default 'open', priority int not null default 2, issue_type varchar(32) not null default 'task',
  assignee varchar(255), estimated_minutes int, created_at datetime not null default current_timestamp,
  updated_at datetime not null default current_timestamp on update current_timestamp, closed_at datetime,
  ephemeral tinyint(1) default 0, metadata json default (json_object()), timeout_ns bigint default 0, payload text default '',
  is_blocked tinyint(1) not null default 0, index idx_issues_assignee (assignee), index idx_issues_created_at (created_at),
  index idx_issues_is_blocked (is_blocked, status), index idx_issues_priority (priority),
  index idx_issues_status_updated_at (status, updated_at));
create table labels (issue_id varchar(255) not null, label varchar(255) not null, primary key (issue_id, label),
  index idx_labels_label (label), constraint fk_labels_issue foreign key (issue_id) references issues (id) on delete cascade);
create table config (`key` varchar(255) primary key, value text not null, index v (value(10)));
create view open_issues as select * from issues where status = 'open';
";

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(n).unwrap()).unwrap()
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

const STATUSES: [&str; 5] = ["'open'", "'closed'", "'in_progress'", "'hooked'", "'Open'"];
const PEOPLE: [&str; 5] = ["null", "'alice'", "'bob'", "''", "'ünï 😀'"];
const TIMES: [&str; 4] =
    ["'2026-01-05 10:00:00'", "'2026-02-28'", "'2026-03-01 00:00:00'", "'2025-12-31 23:59:59'"];

fn rows() -> String {
    let mut dice = Dice(4711);
    let mut sql = String::new();
    for n in 0..150 {
        let closed = if dice.below(3) == 0 { dice.of(&TIMES) } else { "null" };
        let estimate = if dice.below(2) == 0 { "null".to_owned() } else { dice.below(90).to_string() };
        write!(
            sql,
            "insert into issues values ('x-{n}','Title {} {}','text {}',{},{},{},{},{estimate},{},{},{closed},{},'{}',{},'{}',{});",
            dice.of(&["%", "_", "one", "Two"]),
            dice.below(9),
            "long ".repeat(dice.below(40)),
            dice.of(&STATUSES[..4]),
            dice.below(5),
            dice.of(&["'task'", "'bug'", "'epic'"]),
            dice.of(&PEOPLE),
            dice.of(&TIMES),
            dice.of(&TIMES),
            dice.below(2),
            dice.of(&["{}", "{\"k\": 1}", "{\"k\": \"v\", \"n\": [1, 2]}", "{\"k\": null}"]),
            i64::try_from(dice.below(3)).unwrap() - 1,
            dice.of(&["", "p"]),
            dice.below(2),
        )
        .unwrap();
        for label in ["a", "b", "gt:merge-request"].iter().filter(|_| dice.below(3) == 0).collect::<Vec<_>>()
        {
            write!(sql, "insert into labels values ('x-{n}','{label}');").unwrap();
        }
    }
    sql + "insert into config values ('issue_prefix','x'),('types.custom','a,b'),('kv.a','1');"
}

fn made(dolt: Dolt) -> Subject {
    let subject = Subject::new(dolt);
    let file = subject.town.outside().join("rows.sql");
    fs::write(&file, format!("{TABLES}{}", rows())).unwrap();
    subject.dolt(&["sql", "--file", file.to_str().unwrap()]);
    subject.sql("call dolt_commit('-Am', 'rows')");
    subject
}

fn tables(subject: &Subject) -> Tables {
    let session = subject.open().session().unwrap();
    session.tables(session.resolve_root("WORKING").unwrap().unwrap()).unwrap()
}

fn context() -> EvalContext {
    EvalContext::new(1_767_607_200_000_000, 0, |bytes| bytes.fill(7))
}

// As Dolt prints JSON, but that truths are numbers and NULL is left out.
fn shown(answer: &Answer) -> Vec<Json> {
    let one = |row: &Vec<Value>| {
        let mut shown = Map::new();
        for (field, value) in answer.fields.iter().zip(row) {
            let value = match value {
                Value::Null => continue,
                Value::Int(n) => json!(n),
                Value::Uint(n) => json!(n),
                Value::Double(n) if n.fract() == 0.0 => json!(n.to_string().parse::<i64>().unwrap()),
                Value::Double(n) => json!(n),
                Value::Decimal(text) | Value::Text(text) => json!(text),
                Value::Json(text) => serde_json::from_str(text).unwrap(),
                Value::Date(year, month, day) => json!(format!("{year:04}-{month:02}-{day:02}")),
                Value::Datetime(micros) => {
                    let moment = jiff::Timestamp::from_microsecond(*micros).unwrap();
                    json!(moment.strftime("%Y-%m-%d %H:%M:%S").to_string())
                }
                other => panic!("{other:?}"),
            };
            shown.insert(field.name.clone(), value);
        }
        Json::Object(shown)
    };
    answer.rows.iter().map(one).collect()
}

fn theirs(line: &str) -> Vec<Json> {
    let mut answer: Json = serde_json::from_str(line).unwrap();
    let rows = answer.get_mut("rows").map_or(Vec::new(), |rows| rows.as_array_mut().unwrap().split_off(0));
    let plain = |mut row: Json| {
        let fields = row.as_object_mut().unwrap();
        fields.retain(|_, value| !value.is_null());
        for value in fields.values_mut() {
            match value {
                Json::Bool(truth) => *value = json!(u8::from(*truth)),
                Json::Number(n) if n.as_i64().is_none() => *value = json!(n.as_f64()),
                _ => {}
            }
        }
        row
    };
    rows.into_iter().map(plain).collect()
}

// Unordered rows are compared as a set.
fn sorted(mut rows: Vec<Json>) -> Vec<Json> {
    rows.sort_by_key(Json::to_string);
    rows
}

/// Holds answers against this Dolt's. Gives how many were refused by us.
fn agree(subject: &Subject, queries: &[String]) -> usize {
    let tables = tables(subject);
    let (mut asked, mut refused) = (Vec::new(), 0);
    for sql in queries {
        match query(&tables, "db", sql, &context()) {
            Ok(answer) => asked.push((sql, shown(&answer))),
            Err(QueryError::Unsupported(_)) => refused += 1,
            Err(error) => panic!("{sql}: {error}"),
        }
    }
    let file = subject.town.outside().join("questions.sql");
    fs::write(&file, asked.iter().map(|(sql, _)| format!("{sql};")).collect::<Vec<_>>().join("\n") + "\n")
        .unwrap();
    let answered = subject.dolt(&["sql", "-r", "json", "--file", file.to_str().unwrap()]).ok().out;
    let lines: Vec<&str> = answered.lines().filter(|line| !line.trim().is_empty()).collect();
    assert_eq!(lines.len(), asked.len());
    for ((sql, ours), line) in asked.into_iter().zip(lines) {
        let theirs = theirs(line);
        if sql.contains("order by") {
            assert_eq!(ours, theirs, "{sql}");
        } else {
            assert_eq!(sorted(ours), sorted(theirs), "{sql}");
        }
    }
    refused
}

const WRITTEN: &[&str] = &[
    "select * from issues order by id",
    "SELECT COUNT(*) FROM issues",
    "select count( * ), min(priority), max(created_at), count(assignee), count(distinct status) from issues",
    "select status, count(*) c from issues group by status order by c desc, status",
    "select status s, priority, count(*) from issues where is_blocked group by 1, priority order by 1, 2",
    "select distinct status, issue_type from issues order by status, issue_type",
    "select distinct assignee from issues",
    "SELECT 1 FROM issues LIMIT 1",
    "select 1",
    "select 1 + 1 as x, 'y' z",
    "select Id, i.TITLE, priority + 1 from issues AS i where I.id = 'x-7'",
    "select id , priority+1 , 'x' from issues where id = 'x-7'",
    "select `key`, value v from config order by v desc",
    "select issue_id from labels where label = 'gt:merge-request' order by issue_id limit 7 offset 3",
    "select id from issues where id in ('x-3', 'x-4', 'x-3', 'nope') order by id limit 1, 5",
    "select title from issues where status = 'closed' and priority in (0, 1) order by priority desc, id",
    "select id, metadata from issues where metadata->>'$.k' = 'v' order by id",
    "select assignee from issues order by assignee desc, id limit 20",
    "select priority p, status from issues order by P, status desc, id",
    "select upper(status) u from issues where id = 'x-1'",
    "select coalesce(assignee, 'nobody') who, if(priority < 2, 'high', 'low') as p from issues order by id",
    "select max(title) from issues where id = 'nope'",
    "select count(*) from issues where 1 = 0",
    "select id from issues limit 0",
    "describe issues",
    "describe labels",
    "desc config",
    "show columns from issues",
    "select 1/3, 1.5*2, 7 div 2, 7 % 4, -3, 1e0",
    "select id from ISSUES where Issues.status = 'open' order by created_at, id",
    "select id, closed_at is null, closed_at from issues where not (closed_at is null) order by id desc",
];

#[test]
fn answers_from_the_files_are_those_of_dolt() {
    let queries: Vec<String> = WRITTEN.iter().map(|&sql| sql.to_owned()).collect();
    for dolt in [Dolt::V1, Dolt::V2] {
        assert_eq!(agree(&made(dolt), &queries), 0, "{dolt:?}: none is refused");
    }
}

fn leaf(dice: &mut Dice) -> String {
    let number = (dice.below(7)).to_string();
    let compared = dice.of(&["=", "<>", "<", "<=", ">", ">=", "<=>", "!="]);
    match dice.below(20) {
        0 => format!("status {compared} {}", dice.of(&STATUSES)),
        1 => format!("priority {compared} {number}"),
        2 => format!("{} {compared} assignee", dice.of(&PEOPLE)),
        3 => format!("{} is {}null", dice.of(&["assignee", "closed_at", "title"]), dice.of(&["", "not "])),
        4 => format!("status {}in ({}, {})", dice.of(&["", "not "]), dice.of(&STATUSES), dice.of(&STATUSES)),
        5 => format!(
            "title {}like '{}'",
            dice.of(&["", "not "]),
            dice.of(&["Title %", "%one%", "%\\%%", "Title \\_ _", "%TWO%", "x"])
        ),
        6 => format!("created_at {compared} {}", dice.of(&TIMES)),
        7 => format!("updated_at between {} and {}", dice.of(&TIMES), dice.of(&TIMES)),
        8 => format!("priority {}between {} and {number}", dice.of(&["", "not "]), dice.below(4)),
        9 => dice
            .of(&[
                "is_blocked",
                "ephemeral",
                "not is_blocked",
                "is_blocked = 1",
                "ephemeral = 0",
                "is_blocked = true",
            ])
            .to_owned(),
        10 => format!("id = 'x-{}'", dice.below(160)),
        11 => format!("id {compared} 'x-{}'", dice.below(160)),
        12 => format!("id in ('x-{}', 'x-{}', null)", dice.below(160), dice.below(160)),
        13 => format!("estimated_minutes {compared} priority * {}", dice.below(20)),
        14 => format!("timeout_ns {compared} {}", dice.of(&["0", "-1", "'1'", "1.5", "null"])),
        15 => format!("coalesce(assignee, '') {compared} {}", dice.of(&PEOPLE[1..])),
        16 => format!("metadata->>'$.k' {compared} 'v'"),
        17 => format!("description like 'text {}%'", "long ".repeat(dice.below(5))),
        18 => format!("length(title) {compared} {}", dice.below(12)),
        _ => format!("lower(issue_type) = {}", dice.of(&["'bug'", "'EPIC'", "concat('ta', 'sk')"])),
    }
}

fn condition(dice: &mut Dice, depth: usize) -> String {
    if depth == 0 || dice.below(3) == 0 {
        return leaf(dice);
    }
    let (left, right) = (condition(dice, depth - 1), condition(dice, depth - 1));
    match dice.below(5) {
        0 => format!("not ({left})"),
        1 => format!("({left}) or ({right})"),
        2 => format!("({left}) xor ({right})"),
        _ => format!("({left}) and ({right})"),
    }
}

fn question(dice: &mut Dice) -> String {
    let filter = condition(dice, 3);
    match dice.below(4) {
        0 => {
            format!("select count(*), max(id), min(created_at), count(closed_at) from issues where {filter}")
        }
        1 => {
            format!("select status, count(*) n from issues where {filter} group by status order by n, status")
        }
        2 => {
            let by = dice.of(&[
                "priority",
                "created_at desc",
                "assignee",
                "title desc",
                "closed_at",
                "is_blocked",
            ]);
            format!(
                "select id, title, assignee, closed_at from issues where {filter} order by {by}, id limit {}",
                dice.below(30)
            )
        }
        _ => format!("select id, priority, description, metadata from issues where {filter}"),
    }
}

#[test]
fn random_conditions_hold_for_the_rows_for_which_they_hold_in_dolt() {
    let mut dice = Dice(20_261_121);
    let queries: Vec<String> = (0..400).map(|_| question(&mut dice)).collect();
    for dolt in [Dolt::V1, Dolt::V2] {
        let refused = agree(&made(dolt), &queries);
        assert!(refused < 100, "{dolt:?}: {refused} of 400 refused");
    }
}

const REFUSED: &[(&str, &str)] = &[
    ("select * from open_issues", "the view open_issues"),
    ("select * from dolt_log", "the system table dolt_log"),
    ("select i.id from issues i join labels l on l.issue_id = i.id", "JOIN"),
    ("select i.id from issues i, labels l", "more than one table"),
    ("select id from issues where id in (select issue_id from labels)", "not understood"),
    ("select sum(priority) from issues", "sum"),
    ("select status, title from issues group by status", "title"),
    ("select id from issues union select id from labels", "UNION"),
    ("select status from issues group by status having count(*) > 1", "HAVING"),
    ("select id from issues as of 'HEAD'", "AS OF"),
    ("select 1; select 2", "more than one statement"),
    ("explain select 1", "EXPLAIN"),
    ("create table t (id int primary key)", "CREATE"),
];

const WRONG: &[(&str, &str)] = &[
    ("select depends_on_id from issues", "column \"depends_on_id\" could not be found in any table in scope"),
    ("select * from nope", "table not found: nope"),
    ("select q.id from issues", "table not found: q"),
    ("select id from issues order by 9", "column \"9\" could not be found in any table in scope"),
];

#[test]
fn what_cannot_be_answered_is_named_and_what_dolt_refuses_is_refused_in_its_words() {
    let subject = made(Dolt::V2);
    let tables = tables(&subject);
    for (sql, wanted) in REFUSED {
        match query(&tables, "db", sql, &context()) {
            Err(QueryError::Unsupported(what)) => assert!(what.contains(wanted), "{sql}: {what}"),
            other => panic!("{sql}: {other:?}"),
        }
    }
    for (sql, wanted) in WRONG {
        let ours = query(&tables, "db", sql, &context()).unwrap_err().to_string();
        assert_eq!(ours, *wanted, "{sql}");
        let theirs = subject.dolt(&["sql", "-q", sql]);
        assert!(
            theirs.err.contains(wanted) || theirs.out.contains(wanted),
            "{sql}: {}{}",
            theirs.out,
            theirs.err
        );
    }
}
