//! Values that are awkward to store or to print, value by value as the real Dolt prints them.

use crate::support::{Dolt, Subject};

const AWKWARD: &str = r#"
insert into dolt_ignore values ('abcdefghijklmnopqrs', true), ('short', false), ('more than twenty characters long', true);
insert into dolt_query_catalog values ('q1', 1, 'name', 'select 1', 'about');
create table bytes (id int primary key, b binary(3), v varbinary(10), l blob, t tinyblob, o bit(1), w bit(64), key (v));
insert into bytes values (1, x'00ff80', x'', x'ff00c3a9e282', x'0a0d22', b'1', 18446744073709551615),
 (2, 'a', 'a,"b', ' x', '', b'0', 0), (3, null, null, null, null, null, null), (4, 'é', x'1b5b33316d', x'7f01', ',', 1, 1);
create table keys_of_bytes (a binary(4), y year, d date, t datetime(3), c decimal(8,2), primary key (a, y, d, t, c));
insert into keys_of_bytes values (x'00ff0102', 2155, '0000-00-00', '0000-00-00', -1.5),
 ('ab', 0, '1999-12-31', '1999-12-31 23:59:59.999', 0), (x'00', 1901, '2000-02-29', '1969-12-31 23:59:59.5', 1000);
create table strings (id int primary key, c char(10), v varchar(100), t tinytext, m mediumtext, e enum('','b,c','it''s','q"q','é'), s set('a','b c','d''d'));
insert into strings values (1, 'a ', ' lead', 'trail ', 'a	b', '', 'a'), (2, '', '\r', '\n', '\\', 'b,c', ''),
 (3, '"', '''', 'a,b', '  ', 'it''s', 'a,b c,d''d'), (4, 'null', 'NULL', '{}', '#', 'q"q', null),
 (5, char(1), char(127), char(27), 'é\0x', 'é', 'd''d'), (6, '<>&', '😀', '\t', '', null, '');
create table numbers (id int primary key, f float, d double, p decimal(65,30), q decimal(5,0));
insert into numbers values (1, 0.1, 0.1, -0.000000000000000000000000000001, 99999), (2, 1e-5, 1e-5, 0, -1), (3, 123456.789, 1e-7, 1, 0),
 (4, 3.4028234e38, 1.7976931348623157e308, 12345678901234567890123456789012345.123456789012345678901234567890, 1),
 (5, 1.17549435e-38, 2.2250738585072014e-308, null, null), (6, 1e20, 1e20, 1, 1), (7, 1e21, 1e21, 1, 1), (8, -0.0, -0.0, 1, 1), (9, 12345678, 1234567.5, 1, 1);
create table moments (id int primary key, t time, u time(6), d datetime, e datetime(6), s timestamp(3), y year, k date);
insert into moments values (1, '-00:00:01', '838:59:59', '0000-00-00', '9999-12-31 23:59:59.999999', '1970-01-01 00:00:01', 2155, '0000-00-00'),
 (2, '100:00', '-12:34:56.789', '1000-01-01', '0000-00-00', '2038-01-19 03:14:07.999', 1901, '1000-01-01'), (3, null, null, null, null, null, 0, null);
create table places (id int primary key, g geometry);
insert into places values (1, st_geomfromtext('POINT(1.5 -2)')), (2, st_geomfromtext('LINESTRING(0 0,1e100 1e-7)')),
 (3, st_geomfromtext('POLYGON((0 0,0 1,1 1,0 0),(0 0,0 1,1 1,0 0))')), (4, st_geomfromtext('MULTIPOINT(1 2,3 4)')),
 (5, st_geomfromtext('MULTILINESTRING((1 2,3 4),(5 6,7 8))')), (6, st_geomfromtext('MULTIPOLYGON(((0 0,0 1,1 1,0 0)))')),
 (7, st_geomfromtext('GEOMETRYCOLLECTION(POINT(1 2),GEOMETRYCOLLECTION(POINT(1 2)))')), (8, st_geomfromtext('POINT(10 20)', 4326)), (9, null);
create table vectors (id int primary key, v vector(3));
insert into vectors values (1, string_to_vector('[1.5,-2,0]')), (2, null);
create table documents (id int primary key, j json);
insert into documents values (1, '{"a":"x\\u003c\\u00e9\\n\\"q\\" \\\\ /"}'), (2, '1.0'), (3, '1e100'), (4, '-0'), (5, '123456789012345678901234567890'),
 (6, 'true'), (7, 'null'), (8, '""'), (9, '[[[[]]],{"b":{"c":[1,2,{"d":null}]}}]'), (10, '{"zz":1,"b":2,"aaa":3}'), (11, '1.5e-9'),
 (12, '"\\u2028 \\u0001 \\ud83d\\ude00"'), (13, '9007199254740993'), (14, '18446744073709551615'),
 (15, json_object('a', cast(1.50 as decimal(10,2)), 'b', 5, 'c', true, 'd', cast('2020-01-01' as date))), (16, concat(repeat('[', 90), repeat(']', 90)));
create table `we``ird "name"` (`a b` int primary key, `select` int, `é,"` int);
insert into `we``ird "name"` values (1, 2, 3);
"#;

#[test]
fn awkward_values_are_dumped_as_dolt_prints_them() {
    let tables = [
        "dolt_ignore",
        "dolt_query_catalog",
        "bytes",
        "keys_of_bytes",
        "strings",
        "numbers",
        "moments",
        "places",
        "vectors",
        "documents",
    ];
    for dolt in [Dolt::V1, Dolt::V2] {
        let subject = Subject::new(dolt);
        subject.sql(AWKWARD);
        for table in tables {
            subject.same_rows(table);
        }
        let strange = subject.gt(&["dump", "we`ird \"name\"", "--format", "csv"]).ok().out;
        assert_eq!(strange, "a b,select,\"é,\"\"\"\n1,2,3\n");
        subject.gt(&["verify"]).ok();
    }
}

// Dolt leaves the zeros of small years out, and does not take such a date back.
#[test]
fn years_below_a_thousand_are_dumped_with_four_digits() {
    let subject = Subject::new(Dolt::V1);
    subject.sql(
        "create table t (d date primary key, t datetime); insert into t values ('0999-01-01', '0010-02-03')",
    );
    assert_eq!(
        subject.gt(&["dump", "t", "--format", "csv"]).ok().out,
        "d,t\n0999-01-01,0010-02-03 00:00:00\n"
    );
    assert!(subject.asked("csv", "select * from t").contains("999-01-01,10-02-03 00:00:00"));
    assert!(subject.gt(&["show", "t", "--where", "d=0999-01-01", "--json"]).ok().out.contains("0010-02-03"));
}

#[test]
fn what_is_shown_to_people_has_no_orders_for_their_terminal() {
    let subject = Subject::new(Dolt::V1);
    subject.sql(r"create table t (id int primary key, v varchar(20), b blob); insert into t values (1, concat(char(27), '[31mred'), x'1b00ff'), (2, 'plain', 'text')");
    subject.gt(&["show", "t"]).ok().says("\\u{1b}[31mred").says("0x1b00ff").says("| plain").says("| text");
    subject.gt(&["show", "t", "--where", "b=0x1B00FF", "--json"]).ok().says("\"id\": 1");
}

#[test]
fn a_dump_that_nobody_can_take_is_no_success() {
    let subject = Subject::new(Dolt::V1);
    subject.sql("create table t (id int primary key); insert into t values (1)");
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = subject.town.command(&["db", "--db", "alpha", "dump", "t"]);
    let done = command.stdout(full).stderr(std::process::Stdio::piped()).output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&done.stderr).contains("could not be written"), "{done:?}");
}
