//! Functions and casts: what they give, and of which values. Only combinations that tests hold against Dolt are here.

use super::ast::CastTo;
use super::bind::general;
use super::compare::resolved;
use super::decimal::Decimal;
use super::functions::Function;
use super::moment::{DAY, EvalContext, date_of, moment_of_text};
use super::node::{Kind, Node};
use super::problem::{Problem, Result, fails, unsupported};
use super::types::{MAX_PRECISION, MAX_SCALE, Text, TextKind, Type};
use super::value::{Val, number_at_start};
use super::{json, texts};
use crate::table::CollationKind;

const INT32: Type = Type::Int { bits: 32, signed: true };

/// What a function gives for arguments of these types.
pub(crate) fn call_type(function: &Function, arguments: &[Node]) -> Result<Type> {
    let types: Vec<&Type> = arguments.iter().map(|a| &a.of).collect();
    let unknown = || unsupported(&format!("the function {} of such values", function.name));
    let text_of = |t: &Type| match t {
        Type::Text(text) => Ok(*text),
        _ => unsupported("such a value as a text"),
    };
    if function.name.starts_with("json_") && arguments.iter().any(Node::is_unfetched) {
        return unsupported(&format!("the function {} of a long text", function.name));
    }
    let whole = |t: &Type| t.is_integer() || *t == Type::Null;
    let number = |t: &Type| t.is_integer() || matches!(t, Type::Float64 | Type::Decimal { .. });
    Ok(match (function.name, types.as_slice()) {
        ("now" | "utc_timestamp", []) => Type::Datetime(0),
        ("now" | "utc_timestamp", [Type::Int { .. }]) => Type::Datetime(6),
        ("curdate" | "current_date", []) => Type::Date,
        ("uuid", []) => Type::Text(Text {
            kind: TextKind::VarChar(36),
            collation: CollationKind::Unknown,
            coercibility: 4,
        }),
        ("length", [Type::Text(_) | Type::Bytes { .. }]) | ("char_length", [Type::Text(_)]) => INT32,
        ("lower" | "upper" | "ltrim" | "rtrim", [t @ Type::Text(_)]) => (*t).clone(),
        ("reverse", [t @ Type::Text(_)]) => long(text_of(t)?),
        ("left" | "right", [t @ Type::Text(_), n]) if whole(n) => long(text_of(t)?),
        ("substring", [t @ Type::Text(_), rest @ ..]) if rest.iter().all(|n| whole(n)) => (*t).clone(),
        ("replace", [a @ Type::Text(_), b @ Type::Text(_), c @ Type::Text(_)]) => {
            meeting(&[text_of(a)?, text_of(b)?, text_of(c)?])?
        }
        ("repeat", [t @ Type::Text(_), n]) if whole(n) => long(text_of(t)?),
        ("concat", all) => {
            if !all.iter().all(|t| number(t) || t.is_text() || **t == Type::Null) {
                return unknown();
            }
            let texts: Vec<Text> = all
                .iter()
                .filter_map(|t| if let Type::Text(text) = t { Some(*text) } else { None })
                .collect();
            meeting(&texts)?
        }
        ("abs", [t @ (Type::Float64 | Type::Decimal { .. } | Type::Int { bits: 24 | 32 | 64, .. })]) => {
            (*t).clone()
        }
        ("ceil" | "floor", [t]) if t.is_unsigned() => Type::UINT64,
        ("ceil" | "floor", [t]) if number(t) => Type::INT64,
        ("round", [t, digits]) if number(t) && whole(digits) => match t {
            Type::Float64 | Type::Decimal { .. } => (*t).clone(),
            _ => Type::INT64,
        },
        ("greatest" | "least", all) => {
            if all.contains(&&Type::Null) && !all.contains(&&Type::Bool) {
                Type::Null
            } else if all.contains(&&Type::Bool) {
                // Dolt takes a column of them, and not what a comparison gives.
                return unknown();
            } else if all.iter().all(|t| t.is_integer()) {
                Type::INT64
            } else if all.iter().all(|t| number(t)) {
                Type::Float64
            } else {
                return unknown();
            }
        }
        ("if", [condition, yes, no]) if number(condition) || **condition == Type::Null => general(yes, no)?,
        ("ifnull", [a, b]) => general(a, b)?,
        ("coalesce", all) => coalesced(all)?,
        ("year" | "month" | "day", [t]) if t.is_time() => INT32,
        ("hour" | "second", [t]) if t.is_time() => INT32,
        ("date", [t]) if t.is_time() => Type::Date,
        ("json_extract", [Type::Json, rest @ ..]) if rest.iter().all(|t| t.is_text()) => Type::Json,
        ("json_unquote", [Type::Json | Type::Text(_)]) => Type::LONG_TEXT,
        ("isnull", [_]) | ("json_valid", [Type::Json | Type::Text(_)]) => Type::Bool,
        ("json_object", pairs) if pairs.len().is_multiple_of(2) => {
            let is_known = |(i, t): (usize, &&Type)| {
                if i.is_multiple_of(2) { t.is_text() } else { json::takes(t) }
            };
            if !pairs.iter().enumerate().all(is_known) {
                return unknown();
            }
            Type::Json
        }
        ("json_array", all) if all.iter().all(|t| json::takes(t)) => Type::Json,
        _ => return unknown(),
    })
}

fn long(text: Text) -> Type {
    Type::Text(Text { kind: TextKind::LONG, ..text })
}

fn meeting(texts: &[Text]) -> Result<Type> {
    let Some((first, rest)) = texts.split_first() else {
        return Ok(Type::Text(Text {
            kind: TextKind::LONG,
            collation: CollationKind::Bytes,
            coercibility: 5,
        }));
    };
    let mut both = *first;
    for text in rest {
        (both.collation, both.coercibility) = resolved(&both, text)?;
    }
    Ok(long(both))
}

// `Coalesce.Type` has rules of its own; where they agree with those of `IFNULL` the result is known.
fn coalesced(types: &[&Type]) -> Result<Type> {
    let mut of = Type::Null;
    for t in types {
        let alike = of == Type::Null
            || **t == Type::Null
            || of == **t
            || (of.is_text() && t.is_text())
            || (of.is_signed() && t.is_signed() && !matches!((&of, t), (Type::Bool, _) | (_, Type::Bool)));
        if !alike {
            return unsupported("COALESCE of values of different types");
        }
        of =
            match (&of, t) {
                (Type::Int { .. }, Type::Int { .. }) if of != **t => {
                    if of == Type::INT64 || **t == Type::INT64 { Type::INT64 } else { INT32 }
                }
                _ => general(&of, t)?,
            };
    }
    Ok(of)
}

/// What a cast gives.
pub(crate) fn cast_type(inner: &Node, to: &CastTo) -> Result<Type> {
    let of = &inner.of;
    if inner.is_unfetched() {
        return unsupported("a cast of a long text");
    }
    let number = of.is_integer() || matches!(of, Type::Float64 | Type::Decimal { .. } | Type::Null);
    let text = of.is_text();
    Ok(match (to.name, to.length, to.scale) {
        ("char", ..) if number || text => {
            Type::Text(Text { kind: TextKind::LONG, collation: CollationKind::Bytes, coercibility: 2 })
        }
        ("signed", ..) if number || text => Type::INT64,
        ("unsigned", ..) if number || text => Type::UINT64,
        ("double", ..) if number || text => Type::Float64,
        ("decimal", length, scale) if (number && *of != Type::Float64) || text => {
            if length > 0 && scale > 0 {
                Type::Decimal { precision: length, scale, of_column: true }
            } else {
                Type::Decimal { precision: MAX_PRECISION, scale: MAX_SCALE, of_column: false }
            }
        }
        ("date", ..) if of.is_time() || text => Type::Date,
        ("datetime", digits, _) if of.is_time() || text => Type::Datetime(digits),
        ("json", ..) if text || *of == Type::Json => Type::Json,
        _ => return unsupported(&format!("a cast of such a value to {}", to.name)),
    })
}

/// Whether a cast changes nothing, so that Dolt drops it: the type is that already (`buildConvert` in
/// `sql/planbuilder/factory.go`). It does not look at the length of a text.
pub(crate) fn is_void(inner: &Node, to: &CastTo) -> Result<bool> {
    Ok(match (to.name, &inner.of) {
        ("char", Type::Text(text)) if text.kind == TextKind::LONG => {
            if matches!(inner.kind, Kind::Column(_)) {
                return unsupported("a cast of a long text");
            }
            true
        }
        ("signed", Type::Int { bits: 64, signed: true })
        | ("unsigned", Type::Int { bits: 64, signed: false })
        | ("double", Type::Float64)
        | ("date", Type::Date)
        | ("json", Type::Json)
        | ("decimal", Type::Decimal { precision: MAX_PRECISION, scale: MAX_SCALE, .. }) => true,
        ("datetime", Type::Datetime(digits)) => to.length == *digits,
        ("decimal", Type::Decimal { precision, scale, .. }) if to.length > 0 && to.scale > 0 => {
            (to.length, to.scale) == (*precision, *scale)
        }
        _ => false,
    })
}

/// Evaluates a cast.
pub(crate) fn cast(value: &Val, to: &CastTo) -> Result<Val> {
    if value.is_null() {
        return Ok(Val::Null);
    }
    match to.name {
        "char" => {
            let text = value.text()?;
            let length = usize::try_from(to.length).unwrap_or(0);
            if length == 0 || text.len() <= length {
                return Ok(Val::Text(text));
            }
            // Dolt counts bytes.
            if !text.is_ascii() {
                return unsupported("a cast that cuts a text of other characters than ASCII");
            }
            Ok(Val::Text(text.get(..length).unwrap_or_default().to_owned()))
        }
        "signed" => match value {
            Val::Text(text) => whole_at_start(text).map(Val::Int),
            other => Ok(Val::Int(rounded(other)?)),
        },
        "unsigned" => match value {
            Val::Text(text) => match whole_at_start(text)? {
                n if n >= 0 => Ok(Val::Uint(n.unsigned_abs())),
                _ => unsupported("an unsigned number below zero"),
            },
            Val::Uint(n) => Ok(Val::Uint(*n)),
            // Even one that rounds to zero.
            other if other.float()? < 0.0 => unsupported("an unsigned number below zero"),
            // Dolt takes the way over a float.
            Val::Decimal(n) if n.digits() > 15 => unsupported("an unsigned number so large"),
            other => match u64::try_from(rounded(other)?) {
                Ok(n) => Ok(Val::Uint(n)),
                Err(_) => unsupported("an unsigned number below zero"),
            },
        },
        "double" => Ok(Val::Float(value.float()?)),
        "decimal" => {
            let number = value.decimal()?;
            let fitted = if to.length > 0 && to.scale > 0 {
                number.fitted(to.length, to.scale)
            } else {
                number.rounded(MAX_SCALE)
            };
            fitted.map_or_else(|| unsupported("a decimal of so many digits"), |n| Ok(Val::Decimal(n)))
        }
        "date" => Ok(Val::Moment(moment(value)?.div_euclid(DAY).saturating_mul(DAY))),
        "datetime" => {
            let micros = moment(value)?;
            if to.length < 6 && micros.rem_euclid(1_000_000) != 0 {
                return unsupported("a cast that cuts a second");
            }
            Ok(Val::Moment(micros))
        }
        "json" => json::of_text(value),
        other => unsupported(&format!("a cast to {other}")),
    }
}

fn moment(value: &Val) -> Result<i64> {
    match value {
        Val::Moment(micros) => Ok(*micros),
        Val::Text(text) => moment_of_text(text),
        _ => unsupported("such a value as a moment"),
    }
}

// A whole number at the beginning of a text (`TruncateStringToInt`).
fn whole_at_start(text: &str) -> Result<i64> {
    let text = text.trim_matches([' ', '\t']);
    let end = text.char_indices().find(|(i, c)| !(c.is_ascii_digit() || (*i == 0 && matches!(c, '-' | '+'))));
    let start = text.get(..end.map_or(text.len(), |(i, _)| i)).unwrap_or_default();
    if !start.contains(|c: char| c.is_ascii_digit()) {
        return Ok(0);
    }
    start.parse().or_else(|_| unsupported(&format!("the number {start}")))
}

/// A number as a whole one, halves away from zero.
pub(crate) fn rounded(value: &Val) -> Result<i64> {
    let too_large = || Problem::Unsupported("a whole number so large".to_owned());
    if let Some(n) = value.integer() {
        return i64::try_from(n).map_err(|_| too_large());
    }
    match value {
        Val::Decimal(n) => {
            n.rounded(0).and_then(|n| n.whole()).and_then(|n| i64::try_from(n).ok()).ok_or_else(too_large)
        }
        Val::Float(n) if n.abs() < 9e18 => format!("{:.0}", n.round()).parse().map_err(|_| too_large()),
        _ => Err(too_large()),
    }
}

/// Evaluates a function. `IF` and `COALESCE` and their like are elsewhere: they do not look at all of their arguments.
pub(crate) fn call(
    function: &Function,
    node: &Node,
    values: &[Val],
    context: Option<&EvalContext>,
) -> Result<Val> {
    let world = || match context {
        Some(context) => Ok(context),
        None => unsupported(&format!("the function {} where there is no time", function.name)),
    };
    match (function.name, values) {
        ("now", []) => return Ok(Val::Moment(world()?.now(0))),
        ("now", [digits]) => return Ok(Val::Moment(world()?.now(digits_of(digits)?))),
        ("utc_timestamp", [digits]) => return Ok(Val::Moment(world()?.utc_now(digits_of(digits)?))),
        ("curdate" | "current_date", []) => return Ok(Val::Moment(world()?.today())),
        ("uuid", []) => return Ok(Val::Text(world()?.uuid())),
        ("isnull", [value]) => return Ok(Val::Bool(value.is_null())),
        ("json_object" | "json_array", values) => return json::build(function.name == "json_object", values),
        ("json_valid", [value]) => return json::valid(value),
        _ => {}
    }
    if values.iter().any(Val::is_null) {
        return Ok(Val::Null);
    }
    let many = || Problem::Unsupported("a number of so many digits".to_owned());
    Ok(match (function.name, values) {
        ("length", [Val::Bytes(bytes)]) => Val::Int(i64::try_from(bytes.len()).unwrap_or(i64::MAX)),
        ("abs", [value]) => match value {
            // The least number of 32 bits has no positive one of 32 bits.
            Val::Int(n) if *n == i64::from(i32::MIN) => return unsupported("ABS of the least number"),
            Val::Int(n) => Val::Int(n.checked_abs().ok_or_else(many)?),
            Val::Float(n) => Val::Float(n.abs()),
            Val::Decimal(n) => Val::Decimal(if n.is_negative() { n.negated().ok_or_else(many)? } else { *n }),
            other => other.clone(),
        },
        (name @ ("ceil" | "floor"), [value]) => {
            let is_ceil = name == "ceil";
            match value {
                // 2.x makes zero of what lies between zero and one.
                Val::Decimal(n) if !n.is_zero() && n.truncated(0).is_none_or(|n| n.is_zero()) => {
                    return unsupported("CEIL and FLOOR of a number between zero and one");
                }
                Val::Decimal(n) => {
                    Val::Int(step(n, is_ceil).and_then(|n| i64::try_from(n).ok()).ok_or_else(many)?)
                }
                Val::Float(n) => Val::Int(rounded(&Val::Float(if is_ceil { n.ceil() } else { n.floor() }))?),
                Val::Bool(truth) => Val::Int(i64::from(*truth)),
                other => other.clone(),
            }
        }
        ("round", [value, digits]) => round(value, digits, &node.of)?,
        (name @ ("greatest" | "least"), values) => extreme(name == "greatest", values, &node.of)?,
        ("year" | "month" | "day" | "date" | "hour" | "second", [Val::Moment(micros)]) => {
            let (year, month, day) = date_of(*micros);
            let of_day = micros.rem_euclid(DAY);
            match function.name {
                "year" => Val::Int(year),
                "month" => Val::Int(month),
                "day" => Val::Int(day),
                "hour" => Val::Int(of_day / 3_600_000_000),
                "second" => Val::Int(of_day / 1_000_000 % 60),
                _ => Val::Moment(micros.saturating_sub(of_day)),
            }
        }
        ("json_extract", [Val::Json(document), paths @ ..]) => json::extract(document, paths)?,
        ("json_unquote", [value]) => json::unquote(value)?,
        _ => texts::call(function, values)?,
    })
}

fn digits_of(value: &Val) -> Result<u32> {
    match value.integer().and_then(|n| u32::try_from(n).ok()) {
        Some(digits) if digits <= 6 => Ok(digits),
        _ => fails("a second has up to 6 digits"),
    }
}

fn step(n: &Decimal, is_ceil: bool) -> Option<i128> {
    let cut = n.truncated(0)?;
    let is_exact = cut.compare(n)?.is_eq();
    let whole = cut.whole()?;
    match (is_exact, is_ceil, n.is_negative()) {
        (false, true, false) => whole.checked_add(1),
        (false, false, true) => whole.checked_sub(1),
        _ => Some(whole),
    }
}

fn round(value: &Val, digits: &Val, of: &Type) -> Result<Val> {
    let many = || Problem::Unsupported("a number of so many digits".to_owned());
    let Some(digits @ 0..=30) = digits.integer() else { return unsupported("ROUND to such digits") };
    let digits = u32::try_from(digits).unwrap_or(0);
    let number = value.decimal()?.scaled(digits).ok_or_else(many)?;
    match of {
        Type::Decimal { .. } => Ok(Val::Decimal(number)),
        Type::Float64 => Ok(Val::Float(number.to_f64())),
        _ => match value {
            Val::Uint(n) => Ok(Val::Uint(*n)),
            other => Ok(Val::Int(rounded(other)?)),
        },
    }
}

// Dolt keeps the greatest or least one as a float, and compares whole numbers with its whole part (`compEval`).
fn extreme(is_greatest: bool, values: &[Val], of: &Type) -> Result<Val> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let mut kept = 0.0f64;
    for (i, value) in values.iter().enumerate() {
        let n = value.float()?;
        if n.abs() > EXACT {
            return unsupported("GREATEST or LEAST of numbers so large");
        }
        let beside = if value.integer().is_some() { kept.trunc() } else { kept };
        if i == 0 || (if is_greatest { n > beside } else { n < beside }) {
            kept = n;
        }
    }
    Ok(if of.is_integer() { Val::Int(rounded(&Val::Float(kept))?) } else { Val::Float(kept) })
}

/// Brings a value to the type that it has in common with others.
pub(crate) fn brought(value: Val, of: &Type) -> Result<Val> {
    if value.is_null() {
        return Ok(value);
    }
    Ok(match of {
        Type::Bool => match value.integer() {
            Some(n) => Val::Int(i64::try_from(n).unwrap_or(0)),
            None => value,
        },
        Type::Int { signed, .. } => match (value.integer(), signed) {
            (Some(n), true) => {
                Val::Int(i64::try_from(n).or_else(|_| unsupported("a whole number so large"))?)
            }
            (Some(n), false) => Val::Uint(u64::try_from(n).or_else(|_| unsupported("a number below zero"))?),
            _ => value,
        },
        Type::Float64 => Val::Float(value.float()?),
        Type::Decimal { precision, scale, of_column } => {
            let n = value.decimal()?;
            let kept = if *of_column { n.scaled(*scale) } else { n.rounded(*scale) };
            // Where it does not fit, functions differ in what they do.
            let kept =
                kept.filter(|n| n.digits().saturating_sub(n.scale()) <= precision.saturating_sub(*scale));
            Val::Decimal(kept.ok_or_else(|| Problem::Unsupported("a number of so many digits".to_owned()))?)
        }
        Type::Text(_) => Val::Text(value.text()?),
        _ => value,
    })
}

/// The number at the beginning of a text that is one altogether.
pub(crate) fn number_of(text: &str) -> Option<&str> {
    let trimmed = text.trim_matches([' ', '\t', '\n', '\r']);
    (number_at_start(text) == trimmed).then_some(trimmed)
}
