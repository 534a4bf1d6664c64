//! JSON as Dolt stores it: no blanks, keys in the order of their bytes, the last of equal ones, numbers as Go prints an f64
//! (Dolt `go/store/prolly/tree/json_*.go`, Go `encoding/json`). Lookups by path rely on that form.

use std::fmt::Write;

use serde_json::Value as Json;

use crate::table::render::json_float;
use crate::table::shortest;

/// The stored form of a document.
pub(crate) fn canonical(text: &str) -> Result<String, String> {
    let document: Json = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let mut out = String::with_capacity(text.len());
    append(&document, &mut out);
    Ok(out)
}

fn append(value: &Json, out: &mut String) {
    match value {
        Json::Null => out.push_str("null"),
        Json::Bool(true) => out.push_str("true"),
        Json::Bool(false) => out.push_str("false"),
        Json::Number(n) => out.push_str(&number(n.as_f64().unwrap_or_default())),
        Json::String(text) => string(text, out),
        Json::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                append(item, out);
            }
            out.push(']');
        }
        Json::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
            out.push('{');
            for (i, (key, member)) in sorted.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                string(key, out);
                out.push(':');
                append(member, out);
            }
            out.push('}');
        }
    }
}

fn string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' || matches!(c, '\u{2028}' | '\u{2029}') => {
                // Writing to a text cannot fail.
                write!(out, "\\u{:04x}", u32::from(c)).unwrap_or_default();
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

// The shortest digits that read back as the same number; with an exponent below 1e-6 and from 1e21 on.
fn number(n: f64) -> String {
    if n == 0.0 { format!("{n}") } else { json_float(&shortest::double(n)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_take_dolts_form() {
        let cases = [
            (
                r#" { "b" : 1 , "aa" : [ 1.0, 2.50 ] , "a" : null , "b":2 } "#,
                r#"{"a":null,"aa":[1,2.5],"b":2}"#,
            ),
            ("1e21", "1e+21"),
            ("1e20", "100000000000000000000"),
            ("0.000001", "0.000001"),
            ("0.0000001", "1e-7"),
            ("15e-10", "1.5e-9"),
            ("-1222355656725933.25", "-1222355656725933.2"),
            ("-0.0", "-0"),
            ("12345678901234567890", "12345678901234567000"),
            ("\"\\u2028<>&/\\u00e9\\u0001\\b\"", "\"\\u2028<>&/é\\u0001\\b\""),
        ];
        for (given, wanted) in cases {
            assert_eq!(canonical(given).unwrap(), wanted, "{given}");
        }
        assert!(canonical("{").is_err() && canonical("").is_err());
    }
}
