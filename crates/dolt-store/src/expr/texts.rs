//! Functions of texts. Characters are counted, not bytes; what depends on more than ASCII's letters is refused.

use super::ast::Side;
use super::functions::Function;
use super::problem::{Result, fails, unsupported};
use super::value::Val;

/// A text that a function makes has so many bytes at most.
const LONGEST: usize = 16 << 20;

/// Evaluates a function of texts. No value is NULL.
pub(super) fn call(function: &Function, values: &[Val]) -> Result<Val> {
    let number = |value: &Val| value.integer().unwrap_or(0);
    Ok(match (function.name, values) {
        ("length", [Val::Text(text)]) => Val::Int(count(text.len())),
        ("char_length", [Val::Text(text)]) => Val::Int(count(text.chars().count())),
        ("lower" | "upper", [Val::Text(text)]) => {
            if !text.is_ascii() {
                return unsupported("LOWER and UPPER of other characters than ASCII");
            }
            let is_lower = function.name == "lower";
            Val::Text(if is_lower { text.to_ascii_lowercase() } else { text.to_ascii_uppercase() })
        }
        ("ltrim", [Val::Text(text)]) => Val::Text(text.trim_start_matches(' ').to_owned()),
        ("rtrim", [Val::Text(text)]) => Val::Text(text.trim_end_matches(' ').to_owned()),
        ("reverse", [Val::Text(text)]) => Val::Text(text.chars().rev().collect()),
        ("left", [Val::Text(text), n]) => Val::Text(part(text, 0, number(n))),
        ("right", [Val::Text(text), n]) => {
            let all = i128::from(count(text.chars().count()));
            let length = number(n).clamp(0, all);
            Val::Text(part(text, all.saturating_sub(length), length))
        }
        ("substring", [Val::Text(text), from, rest @ ..]) => {
            let all = i128::from(count(text.chars().count()));
            let from = match number(from) {
                n if n < 0 => all.saturating_add(n),
                n => n.saturating_sub(1),
            };
            let length = rest.first().map_or(all, number);
            Val::Text(if from < 0 || from >= all { String::new() } else { part(text, from, length) })
        }
        ("replace", [Val::Text(text), Val::Text(from), Val::Text(to)]) => {
            if from.is_empty() {
                return Ok(Val::Text(text.clone()));
            }
            let grown =
                text.matches(from.as_str()).count().saturating_mul(to.len()).saturating_add(text.len());
            if grown > LONGEST {
                return unsupported("a text so long");
            }
            Val::Text(text.replace(from.as_str(), to))
        }
        ("repeat", [Val::Text(text), n]) => {
            let Ok(times) = usize::try_from(number(n)) else { return fails("REPEAT fewer times than none") };
            if text.len().saturating_mul(times) > LONGEST {
                return unsupported("a text so long");
            }
            Val::Text(text.repeat(times))
        }
        ("concat", values) => {
            let parts = values.iter().map(Val::text).collect::<Result<Vec<_>>>()?;
            Val::Text(parts.concat())
        }
        _ => return unsupported(&format!("the function {} of such values", function.name)),
    })
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

// So many characters from the one at this position on.
fn part(text: &str, from: i128, length: i128) -> String {
    let size = |n: i128| usize::try_from(n.max(0)).unwrap_or(usize::MAX);
    text.chars().skip(size(from)).take(size(length)).collect()
}

/// `TRIM`.
pub(super) fn trim(side: Side, pattern: &Val, text: &Val) -> Result<Val> {
    let (Val::Text(pattern), Val::Text(text)) = (pattern, text) else {
        return if pattern.is_null() || text.is_null() {
            Ok(Val::Null)
        } else {
            unsupported("TRIM of such values")
        };
    };
    if pattern.is_empty() {
        return Ok(Val::Text(text.clone()));
    }
    let mut rest = text.as_str();
    if side != Side::Trailing {
        rest = rest.trim_start_matches(pattern.as_str());
    }
    if side != Side::Leading {
        rest = rest.trim_end_matches(pattern.as_str());
    }
    Ok(Val::Text(rest.to_owned()))
}
