//! What a column takes and what it refuses: values at their limits, given to Dolt in SQL and natively. Both refuse, or both store
//! the same.

use dolt_store::Error;
use dolt_store::table::{Value, Violation};

use crate::support::{Dolt, Pair};

// The column, the value in SQL, and the value.
fn cases() -> Vec<(&'static str, String, Value)> {
    let text = |t: &str| Value::Text(t.to_owned());
    let bytes = |n: usize| Value::Bytes(vec![b'x'; n]);
    let long = |n: usize| format!("repeat('x', {n})");
    let of_long = |n: usize| Value::Text("x".repeat(n));
    let decimal = |t: &str| Value::Decimal(t.to_owned());
    // 2026-02-28 23:59:59 and so many microseconds.
    let at = |micros: i64| Value::Datetime(1_772_323_199_000_000 + micros);
    vec![
        ("varchar(3)", "'äöü'".into(), text("äöü")),
        ("varchar(3)", "'äöüß'".into(), text("äöüß")),
        ("varchar(3)", "'😀😀😀'".into(), text("😀😀😀")),
        ("char(2)", "'ab'".into(), text("ab")),
        ("char(2)", "'abc'".into(), text("abc")),
        ("varbinary(3)", "'xxx'".into(), bytes(3)),
        ("varbinary(3)", "'xxxx'".into(), bytes(4)),
        ("binary(3)", "'x'".into(), bytes(1)),
        ("binary(3)", "'xxxx'".into(), bytes(4)),
        ("tinytext", long(255), of_long(255)),
        ("tinytext", long(256), of_long(256)),
        ("text", long(65_535), of_long(65_535)),
        ("text", long(65_536), of_long(65_536)),
        ("tinyblob", long(255), bytes(255)),
        ("tinyblob", long(256), bytes(256)),
        ("mediumblob", long(200_000), bytes(200_000)),
        ("varchar(16000)", long(16_000), of_long(16_000)),
        ("tinyint", "127".into(), Value::Int(127)),
        ("tinyint", "128".into(), Value::Int(128)),
        ("tinyint", "-129".into(), Value::Int(-129)),
        ("tinyint unsigned", "-1".into(), Value::Int(-1)),
        ("tinyint unsigned", "255".into(), Value::Int(255)),
        ("smallint unsigned", "65536".into(), Value::Uint(65_536)),
        ("mediumint", "8388607".into(), Value::Int(8_388_607)),
        ("mediumint", "8388608".into(), Value::Int(8_388_608)),
        ("mediumint unsigned", "16777216".into(), Value::Uint(16_777_216)),
        ("int", "2147483648".into(), Value::Int(2_147_483_648)),
        ("bigint", "9223372036854775808".into(), Value::Uint(1 << 63)),
        ("bigint unsigned", "18446744073709551615".into(), Value::Uint(u64::MAX)),
        ("bit(3)", "7".into(), Value::Uint(7)),
        ("bit(3)", "8".into(), Value::Uint(8)),
        ("decimal(4,2)", "99.99".into(), decimal("99.99")),
        ("decimal(4,2)", "99.994".into(), decimal("99.994")),
        ("decimal(4,2)", "99.995".into(), decimal("99.995")),
        ("decimal(4,2)", "-0.005".into(), decimal("-0.005")),
        ("decimal(4,2)", "100".into(), decimal("100")),
        ("datetime", "'2026-02-28 23:59:59.499999'".into(), at(499_999)),
        ("datetime", "'2026-02-28 23:59:59.5'".into(), at(500_000)),
        ("datetime(3)", "'2026-02-28 23:59:59.9995'".into(), at(999_500)),
        ("datetime(6)", "'2026-02-28 23:59:59.999999'".into(), at(999_999)),
        ("timestamp", "'2026-02-28 23:59:59.5'".into(), at(500_000)),
        ("date", "'2024-02-29'".into(), Value::Date(2024, 2, 29)),
        ("year", "1901".into(), Value::Year(1901)),
        ("year", "2156".into(), Value::Year(2156)),
        ("time(6)", "'838:59:59'".into(), Value::Time(3_020_399_000_000)),
        ("enum('a','b')", "2".into(), Value::Enum(2)),
        ("enum('a','b')", "3".into(), Value::Enum(3)),
        ("set('a','b')", "3".into(), Value::Set(3)),
        ("set('a','b')", "4".into(), Value::Set(4)),
        ("json", "'{\"a\"'".into(), Value::Json("{\"a\"".into())),
        ("json", "'[1, {}]'".into(), Value::Json("[1, {}]".into())),
        ("int not null", "null".into(), Value::Null),
    ]
}

#[test]
fn values_at_the_limits_of_their_column_are_taken_or_refused_as_dolt_does() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let cases = cases();
        let of_each =
            |make: &dyn Fn(usize) -> String| (0..cases.len()).map(make).collect::<Vec<_>>().join("\n");
        let pair = Pair::new(
            dolt,
            &of_each(&|i| format!("create table t{i} (id int primary key, v {});", cases[i].0)),
        );
        pair.theirs.sql_on_error(&of_each(&|i| format!("insert into t{i} values (1, {});", cases[i].1)));
        let mut wrong = Vec::new();
        for (i, (sql_type, sql, value)) in cases.iter().enumerate() {
            let name = format!("t{i}");
            let done = pair.edit(|root| {
                root.table(&name)?.insert([("id", Value::Int(1)), ("v", value.clone())]).map(drop)
            });
            let is_taken = match done {
                Ok(()) => true,
                Err(Error::Violation { table, row, violation }) => {
                    assert_eq!((table, row.as_deref()), (name.clone(), Some("1")));
                    match *violation {
                        Violation::Value { column, .. } | Violation::Null { column } => {
                            assert_eq!(column, "v");
                        }
                        other => panic!("{sql_type} {sql}: {other}"),
                    }
                    false
                }
                Err(other) => panic!("{sql_type} {sql}: {other}"),
            };
            let (ours, theirs) = (pair.ours.table(&name), pair.theirs.table(&name));
            if ours.address() != theirs.address() || is_taken != (theirs.entries() == 1) {
                wrong.push(format!("{sql_type} {sql}: {} theirs, {is_taken} ours", theirs.entries()));
            }
        }
        assert!(wrong.is_empty(), "{dolt:?}: {wrong:#?}");
    }
}
