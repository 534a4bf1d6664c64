//! Functions of documents, as far as they are known: single values found by path, and documents built of plain values.

use serde_json::Value as Json;

use super::problem::{Problem, Result, fails, unsupported};
use super::types::Type;
use super::value::Val;
use crate::table::canonical_json;

/// Whether a value of this type can be put into a document here.
pub(super) fn takes(of: &Type) -> bool {
    of.is_text() || matches!(of, Type::Null | Type::Json | Type::Bool | Type::Int { .. })
}

/// A text read as a document.
pub(super) fn of_text(value: &Val) -> Result<Val> {
    match value {
        Val::Text(text) => match canonical_json(text) {
            Ok(document) => Ok(Val::Json(document)),
            Err(problem) => fails(&format!("it is no document: {problem}")),
        },
        Val::Json(_) => Ok(value.clone()),
        _ => unsupported("such a value as a document"),
    }
}

/// `JSON_VALID`.
pub(super) fn valid(value: &Val) -> Result<Val> {
    match value {
        Val::Null => Ok(Val::Null),
        Val::Json(_) => Ok(Val::Bool(true)),
        Val::Text(text) => Ok(Val::Bool(serde_json::from_str::<Json>(text).is_ok())),
        _ => unsupported("JSON_VALID of such a value"),
    }
}

/// `JSON_OBJECT`, or else `JSON_ARRAY`.
pub(super) fn build(is_object: bool, values: &[Val]) -> Result<Val> {
    let text = if is_object {
        let mut members = serde_json::Map::new();
        for pair in values.chunks(2) {
            let [Val::Text(key), value] = pair else { return unsupported("a key that is no text") };
            members.insert(key.clone(), plain(value)?);
        }
        Json::Object(members)
    } else {
        Json::Array(values.iter().map(plain).collect::<Result<_>>()?)
    };
    canonical_json(&text.to_string()).map(Val::Json).map_err(Problem::Unsupported)
}

// Numbers beyond 2^53 are printed otherwise than they are stored.
fn plain(value: &Val) -> Result<Json> {
    Ok(match value {
        Val::Null => Json::Null,
        Val::Int(n) if n.unsigned_abs() <= 1 << 53 => Json::from(*n),
        Val::Uint(n) if *n <= 1 << 53 => Json::from(*n),
        Val::Text(text) => Json::from(text.as_str()),
        Val::Json(text) => parsed(text)?,
        _ => return unsupported("such a value in a document"),
    })
}

fn parsed(text: &str) -> Result<Json> {
    serde_json::from_str(text).map_err(|e| Problem::Unsupported(format!("the document {text}: {e}")))
}

/// `JSON_EXTRACT` by one path of names and positions.
pub(super) fn extract(document: &str, paths: &[Val]) -> Result<Val> {
    let [Val::Text(path)] = paths else { return unsupported("JSON_EXTRACT by several paths") };
    let document = parsed(document)?;
    let mut found = &document;
    let Some(mut rest) = path.strip_prefix('$') else { return unsupported(&format!("the path {path}")) };
    while !rest.is_empty() {
        let step;
        (step, rest) = step_of(rest).ok_or_else(|| Problem::Unsupported(format!("the path {path}")))?;
        let next = match (step, found) {
            (Step::Member(name), Json::Object(members)) => members.get(name),
            (Step::Item(at), Json::Array(items)) => items.get(at),
            // Dolt has answers of its own for these: an empty array, the value itself, an error.
            (Step::Item(_), _) => return unsupported("a position in what is no array"),
            (Step::Member(_), _) => return unsupported("a member of what is no object"),
        };
        let Some(next) = next else { return Ok(Val::Null) };
        found = next;
    }
    canonical_json(&found.to_string()).map(Val::Json).map_err(Problem::Unsupported)
}

enum Step<'p> {
    Member(&'p str),
    Item(usize),
}

fn step_of(path: &str) -> Option<(Step<'_>, &str)> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if let Some(rest) = path.strip_prefix('[') {
        let (digits, rest) = rest.split_once(']')?;
        let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        return Some((Step::Item(digits.parse().ok().filter(|_| is_number)?), rest));
    }
    let rest = path.strip_prefix('.')?;
    if let Some(quoted) = rest.strip_prefix('"') {
        let (name, rest) = quoted.split_once('"')?;
        return (!name.contains('\\') && !name.is_empty()).then_some((Step::Member(name), rest));
    }
    let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    let (name, rest) = rest.split_at_checked(end)?;
    let starts = name.chars().next().is_some_and(|c| !c.is_ascii_digit());
    starts.then_some((Step::Member(name), rest))
}

/// `JSON_UNQUOTE` of a single value.
pub(super) fn unquote(value: &Val) -> Result<Val> {
    let text = match value {
        Val::Json(text) => match parsed(text)? {
            Json::String(text) => return Ok(Val::Text(text)),
            Json::Object(_) | Json::Array(_) => return unsupported("an object or array as a text"),
            Json::Number(n) if !n.is_i64() && !n.is_u64() => {
                return unsupported("a number with a point as a text");
            }
            _ => text.clone(),
        },
        Val::Text(text) if text.starts_with('"') => return unsupported("JSON_UNQUOTE of a text in quotes"),
        Val::Text(text) => text.clone(),
        _ => return unsupported("JSON_UNQUOTE of such a value"),
    };
    Ok(Val::Text(text))
}
