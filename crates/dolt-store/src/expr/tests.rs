//! No text makes the parser, the binder, the evaluator or the printer panic, and none takes more stack than there is.

use proptest::prelude::*;

use super::bind::bind;
use super::canonical::{Scope, canonical_check, canonical_default, canonical_generated};
use super::eval::Row;
use super::parse::parse;
use super::store::stored;
use super::types::Type;
use crate::table::Value;

const TYPES: [&str; 18] = [
    "int",
    "tinyint(1)",
    "bigint unsigned",
    "decimal(10,3)",
    "double",
    "float",
    "varchar(9)",
    "varchar(9) COLLATE utf8mb4_general_ci",
    "text",
    "varbinary(4)",
    "datetime(0)",
    "date",
    "time(6)",
    "year",
    "bit(4)",
    "json",
    "enum('a','b')",
    "set('x','y')",
];

fn scope() -> Scope {
    let names: Vec<String> = (0..TYPES.len()).map(|i| format!("c{i}")).collect();
    Scope::new(names.iter().map(String::as_str).zip(TYPES))
}

fn rows() -> Vec<Vec<Value>> {
    let some = |text: &str| Value::Text(text.to_owned());
    let full = |n: i64, u: u64, f: f64, t: &str, d: &str| {
        vec![
            Value::Int(n),
            Value::Int(n.signum()),
            Value::Uint(u),
            Value::Decimal(d.to_owned()),
            Value::Double(f),
            Value::Float(1.5),
            some(t),
            some(t),
            some(t),
            Value::Bytes(t.as_bytes().to_vec()),
            Value::Datetime(n.saturating_mul(1000)),
            Value::Date(2020, 2, 29),
            Value::Time(n),
            Value::Year(2020),
            Value::Uint(u % 16),
            Value::Json("{\"a\":[1,\"x\",null]}".to_owned()),
            Value::Enum(1),
            Value::Set(3),
        ]
    };
    vec![
        vec![Value::Null; TYPES.len()],
        full(-7, 7, 0.5, "12ab", "-1.500"),
        full(i64::MIN, u64::MAX, f64::MAX, "", "9999999.999"),
        full(i64::MAX, 0, -1e300, "é😀", "0.000"),
    ]
}

// Everything that can be done with a text.
fn use_all(text: &str) {
    let scope = scope();
    drop(canonical_check(text, &scope));
    drop(canonical_generated(text, &scope));
    for sql_type in TYPES {
        drop(canonical_default(text, sql_type, &scope));
    }
    let Ok(node) = parse(text).and_then(|p| bind(&p.ast, &scope).map_err(|e| e.to_string())) else { return };
    for values in rows() {
        let row = Row { values: &values, context: None };
        for sql_type in TYPES {
            if let Ok(value) = row.evaluate(&node) {
                drop(stored(value, &Type::of_column(sql_type)));
            }
        }
        drop(row.truth(&node));
    }
}

fn word() -> impl Strategy<Value = String> {
    let words = [
        "(",
        ")",
        "(",
        ")",
        ",",
        "+",
        "-",
        "*",
        "/",
        "%",
        "=",
        "<>",
        "<=>",
        "<",
        ">=",
        "and",
        "or",
        "xor",
        "not",
        "is",
        "null",
        "true",
        "false",
        "in",
        "between",
        "like",
        "regexp",
        "case",
        "when",
        "then",
        "else",
        "end",
        "cast",
        "convert",
        "as",
        "signed",
        "char(3)",
        "decimal(10,2)",
        "interval",
        "day",
        "collate",
        "div",
        "mod",
        "if",
        "ifnull",
        "coalesce",
        "concat",
        "substring",
        "round",
        "greatest",
        "now",
        "uuid",
        "json_extract",
        "->",
        "->>",
        "trim",
        "both",
        "from",
        "abs",
        "floor",
        "'a'",
        "'1.5'",
        "'$.a'",
        "\"q\"",
        "'\\\\'",
        "x'41'",
        "0x1",
        "b'1'",
        "1",
        "-1",
        "1.5",
        "1e3",
        ".5",
        "9223372036854775807",
        "99999999999999999999999999999999999999999999",
        "0.000000000000000000000000000001",
        "c0",
        "c1",
        "c2",
        "c3",
        "c4",
        "c5",
        "c6",
        "c7",
        "c8",
        "c9",
        "c10",
        "c11",
        "c15",
        "c16",
        "`c0`",
        "`",
        "'",
        "--",
        "/*",
        "!",
        "||",
        "&&",
        "~",
        "&",
        "@a",
        "é",
    ];
    proptest::sample::select(words.to_vec()).prop_map(str::to_owned)
}

// Expressions that mean something, most of them.
fn expression() -> impl Strategy<Value = String> {
    let leaf = (0..TYPES.len()).prop_map(|i| format!("c{i}")).boxed();
    let written = proptest::sample::select(vec![
        "1", "-2", "1.5", "0", "'a'", "'12'", "null", "true", "1e300", "0.001",
    ]);
    let leaf = prop_oneof![leaf, written.prop_map(str::to_owned)];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let op = proptest::sample::select(vec![
            "+", "-", "*", "/", "%", "div", "=", "<", "<=>", "and", "or", "like",
        ]);
        let name = proptest::sample::select(vec![
            "abs",
            "ceil",
            "floor",
            "length",
            "lower",
            "round",
            "concat",
            "ifnull",
            "coalesce",
            "greatest",
            "nullif",
            "left",
            "substring",
            "repeat",
            "year",
            "date",
            "json_object",
            "json_unquote",
        ]);
        prop_oneof![
            (inner.clone(), op, inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (name, proptest::collection::vec(inner.clone(), 1..3))
                .prop_map(|(f, all)| format!("{f}({})", all.join(", "))),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("case when {a} then {b} else {c} end")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} in ({b}, 1, null))")),
            inner.clone().prop_map(|a| format!("(not {a})")),
            inner.clone().prop_map(|a| format!("(-{a})")),
            inner.prop_map(|a| format!("cast({a} as decimal(10,2))")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_an_expression_panic(text in "\\PC{0,60}") {
        use_all(&text);
    }

    #[test]
    fn no_words_of_sql_make_an_expression_panic(words in proptest::collection::vec(word(), 0..25)) {
        use_all(&words.join(" "));
    }

    #[test]
    fn no_expression_makes_its_evaluation_panic(text in expression()) {
        use_all(&text);
    }
}

#[test]
fn what_is_too_deep_or_too_long_is_refused() {
    for text in [
        format!("{}1{}", "(".repeat(5000), ")".repeat(5000)),
        "1+".repeat(100_000) + "1",
        "-".repeat(1000) + "1",
        "not ".repeat(500) + "c0",
        "case when ".repeat(300),
        "if(current_time(".repeat(200),
        "array<".repeat(900),
        "struct<a ".repeat(600),
        "cast(1 as array<".repeat(300),
        "exists ".repeat(900),
        "c0 between ".repeat(600),
        "c0 is not null in (".repeat(200),
    ] {
        parse(&text).unwrap_err();
    }
    // As deep as a check of some dozen conditions is stored.
    let chain = (0..20).fold("(`c0` > 0)".to_owned(), |text, n| format!("({text} AND (`c0` <> {n}))"));
    parse(&chain).unwrap();
}
