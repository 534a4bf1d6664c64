//! A value on its way into a column: what Dolt makes of the result of a default or of a generated column's expression
//! (`ColumnDefaultValue.Eval` in go-mysql-server `sql/columndefault.go`, and `Convert` of each type).

use super::calls::{number_of, rounded};
use super::json;
use super::moment::{date_of, moment_of_text};
use super::problem::{Problem, Result, fails, unsupported};
use super::types::{TextKind, Type};
use super::value::Val;
use crate::table::Value;

/// The value as one of a column of this type.
pub(crate) fn stored(value: Val, column: &Type) -> Result<Value> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    Ok(match column {
        Type::Bool => Value::Int(whole(&value, -0x80, 0x7f)?),
        Type::Int { bits, signed: true } => {
            let greatest = i64::MAX.checked_shr(64u32.saturating_sub(u32::from(*bits))).unwrap_or(i64::MAX);
            Value::Int(whole(
                &value,
                greatest.checked_neg().and_then(|n| n.checked_sub(1)).unwrap_or(i64::MIN),
                greatest,
            )?)
        }
        Type::Int { bits, signed: false } => Value::Uint(unsigned(&value, *bits)?),
        Type::Bit(bits) => match value {
            Val::Text(_) => return unsupported("bits from a text"),
            value => Value::Uint(unsigned(&value, u8::try_from(*bits).unwrap_or(64))?),
        },
        Type::Float64 => Value::Double(number(&value)?.float()?),
        Type::Float32 => {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "this is how a float of 32 bits is made of one of 64"
            )]
            let n = number(&value)?.float()? as f32;
            if !n.is_finite() {
                return fails("out of range");
            }
            Value::Float(n)
        }
        // Dolt 1.x forgets the scale of a float that has just as many zeros at its end.
        Type::Decimal { scale, .. }
            if *scale > 0 && matches!(value, Val::Float(n) if zeros_at_end(n) == *scale) =>
        {
            return unsupported("a float with so many zeros as a decimal");
        }
        Type::Decimal { precision, scale, .. } => match number(&value)?.decimal()?.fitted(*precision, *scale)
        {
            Some(n) => Value::Decimal(n.to_string()),
            None => return fails("out of range"),
        },
        Type::Text(text) => {
            let content = match value {
                Val::Json(_) => return unsupported("a document as a text"),
                value => value.text()?,
            };
            let fits = match text.kind {
                TextKind::Char(limit) | TextKind::VarChar(limit) => content.chars().count() as u64 <= limit,
                TextKind::Text(limit) => content.len() as u64 <= limit,
            };
            if !fits {
                return fails("too long");
            }
            Value::Text(content)
        }
        Type::Bytes { length, is_fixed } => {
            let mut content = match value {
                Val::Bytes(bytes) => bytes,
                Val::Text(text) => text.into_bytes(),
                _ => return unsupported("such a value as bytes"),
            };
            if content.len() as u64 > *length {
                return fails("too long");
            }
            if *is_fixed {
                content.resize(usize::try_from(*length).unwrap_or(content.len()), 0);
            }
            Value::Bytes(content)
        }
        Type::Date | Type::Datetime(_) | Type::Timestamp(_) | Type::Time | Type::Year => {
            return of_time(&value, column);
        }
        _ => return of_members(value, column),
    })
}

// Days, moments, spans and years.
fn of_time(value: &Val, column: &Type) -> Result<Value> {
    Ok(match column {
        Type::Date => {
            let (year, month, day) = date_of(moment(value)?);
            let small = || Problem::Fails("out of range".to_owned());
            Value::Date(
                u16::try_from(year).map_err(|_| small())?,
                u8::try_from(month).map_err(|_| small())?,
                u8::try_from(day).map_err(|_| small())?,
            )
        }
        Type::Datetime(digits) | Type::Timestamp(digits) => {
            let micros = moment(value)?;
            let unit = 10i64.checked_pow(6u32.saturating_sub(*digits)).unwrap_or(1);
            let rounded = micros.saturating_add(unit / 2).div_euclid(unit).saturating_mul(unit);
            let years = if matches!(column, Type::Timestamp(_)) { 1971..=2037 } else { 1000..=9998 };
            if !years.contains(&date_of(rounded).0) {
                return unsupported("a moment so far away");
            }
            Value::Datetime(rounded)
        }
        Type::Year => match value.integer() {
            Some(n @ 1901..=2155) => Value::Year(u16::try_from(n).unwrap_or(0)),
            _ => return unsupported("such a value as a year"),
        },
        _ => return of_span(value),
    })
}

fn of_span(value: &Val) -> Result<Value> {
    match value {
        Val::Text(text) => match crate::table::span_of_text(text) {
            Some(micros) => Ok(Value::Time(micros)),
            None => unsupported("such a text as a span of time"),
        },
        Val::Span(micros) => Ok(Value::Time(*micros)),
        _ => unsupported("such a value as a span of time"),
    }
}

// Documents, and members of enums and sets.
fn of_members(value: Val, column: &Type) -> Result<Value> {
    Ok(match column {
        Type::Json => match json::of_text(&value)? {
            Val::Json(text) => Value::Json(text),
            _ => return unsupported("such a value as a document"),
        },
        Type::Enum(members) => match value {
            Val::Text(text) => match members.names.iter().position(|name| *name == text) {
                Some(at) => Value::Enum(u16::try_from(at.saturating_add(1)).unwrap_or(0)),
                None => return unsupported("a text that is no member"),
            },
            Val::Enum(n) => Value::Enum(n),
            _ => return unsupported("such a value as a member"),
        },
        Type::Set(members) => match value {
            Val::Text(text) => {
                let mut bits = 0u64;
                for part in text.split(',').filter(|p| !p.is_empty()) {
                    let at = members.names.iter().position(|name| name == part);
                    let bit = at.and_then(|at| u32::try_from(at).ok()).and_then(|at| 1u64.checked_shl(at));
                    bits |= bit.ok_or_else(|| Problem::Unsupported("a text that is no member".to_owned()))?;
                }
                Value::Set(bits)
            }
            _ => return unsupported("such a value as members"),
        },
        _ => return unsupported("a column of this type"),
    })
}

fn zeros_at_end(n: f64) -> u32 {
    let text = format!("{n}");
    let zeros = text.len().saturating_sub(text.trim_end_matches('0').len());
    if text.contains('.') { 0 } else { u32::try_from(zeros).unwrap_or(0) }
}

// A text is one if all of it is a number; otherwise Dolt refuses it.
fn number(value: &Val) -> Result<Val> {
    match value {
        Val::Text(text) => match number_of(text) {
            Some(number) => Ok(Val::Text(number.to_owned())),
            None => fails("no number"),
        },
        Val::Float32(_) => unsupported("a float of 32 bits in another column"),
        Val::Bytes(_) => unsupported("bytes as a number"),
        other => Ok(other.clone()),
    }
}

fn whole(value: &Val, least: i64, greatest: i64) -> Result<i64> {
    let n = match number(value)? {
        Val::Text(text) => match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(n), _) => n,
            (_, Ok(n)) => rounded(&Val::Float(n))?,
            _ => return fails("no number"),
        },
        Val::Uint(n) => i64::try_from(n).or_else(|_| fails("out of range"))?,
        other => rounded(&other)?,
    };
    if (least..=greatest).contains(&n) { Ok(n) } else { fails("out of range") }
}

fn unsigned(value: &Val, bits: u8) -> Result<u64> {
    let n = match number(value)? {
        Val::Uint(n) => n,
        other => match u64::try_from(whole(&other, i64::MIN, i64::MAX)?) {
            Ok(n) => n,
            Err(_) => return fails("out of range"),
        },
    };
    let is_over = bits < 64 && n.checked_shr(u32::from(bits)).is_some_and(|over| over > 0);
    if is_over { fails("out of range") } else { Ok(n) }
}

fn moment(value: &Val) -> Result<i64> {
    match value {
        Val::Moment(micros) => Ok(*micros),
        Val::Text(text) => moment_of_text(text),
        _ => unsupported("such a value as a moment"),
    }
}
