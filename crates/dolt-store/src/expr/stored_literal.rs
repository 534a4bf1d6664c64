//! What Dolt stores of a default that is a literal: it is brought to the column's type first, except for moments, spans,
//! members and documents (go-mysql-server `sql/analyzer/resolve_column_defaults.go`, `normalizeDefault`).

use super::ast::Literal;
use super::canonical::{float, hexadecimal, quoted};
use super::decimal::Decimal;
use super::types::{TextKind, Type};
use crate::table::{float_text, is_moment, shortest};

type Result<T> = std::result::Result<T, String>;

/// The literal, perhaps with a minus before it, as it is stored for a column of this type.
pub(super) fn stored_literal(literal: &Literal, is_negative: bool, column: &Type) -> Result<String> {
    if *literal == Literal::Null {
        return Ok("NULL".to_owned());
    }
    let given = || Number::of(literal, is_negative);
    match column {
        Type::Bool => whole(&given()?, 8, true),
        Type::Int { bits, signed } => whole(&given()?, *bits, *signed),
        Type::Bit(bits) if *bits < 64 => whole(&given()?, u8::try_from(*bits).unwrap_or(64), false),
        Type::Bit(_) => whole(&given()?, 64, false),
        Type::Float32 => {
            let n = given()?.to_f64();
            #[expect(
                clippy::cast_possible_truncation,
                reason = "this is how a float of 32 bits is made of one of 64"
            )]
            let n = n as f32;
            if n.is_finite() {
                Ok(float_text(&shortest::float(n), -4..6))
            } else {
                Err("it is out of range".to_owned())
            }
        }
        Type::Float64 => Ok(float(given()?.to_f64())),
        Type::Decimal { precision, scale, .. } => {
            let number = match given()? {
                Number::Decimal(n) => n,
                Number::Float(n) => Decimal::parse(&format!("{n}")).ok_or("it has too many digits")?,
            };
            number
                .fitted(*precision, *scale)
                .map(|n| n.to_string())
                .ok_or_else(|| "it is out of range".to_owned())
        }
        Type::Text(text) => {
            let content = match literal {
                Literal::Text(text) => text.clone(),
                Literal::Bytes(bytes) => {
                    String::from_utf8(bytes.clone()).map_err(|_| "its bytes are no text".to_owned())?
                }
                Literal::Bool(truth) => u8::from(*truth).to_string(),
                Literal::Bits(_) => return Err("bits for a text are not understood".to_owned()),
                _ => given()?.to_string(),
            };
            let fits = match text.kind {
                TextKind::Char(limit) | TextKind::VarChar(limit) => content.chars().count() as u64 <= limit,
                TextKind::Text(limit) => content.len() as u64 <= limit,
            };
            if fits { Ok(quoted(&content)) } else { Err("it is too long".to_owned()) }
        }
        Type::Bytes { length, is_fixed } => {
            let mut content = match literal {
                Literal::Text(text) => text.clone().into_bytes(),
                Literal::Bytes(bytes) => bytes.clone(),
                _ => return Err("a number for bytes is not understood".to_owned()),
            };
            if content.len() as u64 > *length {
                return Err("it is too long".to_owned());
            }
            if *is_fixed {
                content.resize(usize::try_from(*length).unwrap_or(content.len()), 0);
            }
            hexadecimal(&content)
        }
        Type::Year => year(&given()?),
        Type::Date | Type::Datetime(_) | Type::Timestamp(_) | Type::Time => match literal {
            Literal::Text(text) if is_moment(text, *column == Type::Time) => Ok(quoted(text)),
            Literal::Integer(digits)
                if digits == "0" && matches!(column, Type::Datetime(_) | Type::Timestamp(_)) =>
            {
                Ok(digits.clone())
            }
            _ => Err("it is no value of such a column that is understood here".to_owned()),
        },
        Type::Enum(members) => match literal {
            Literal::Text(text) if members.names.contains(text) => Ok(quoted(text)),
            _ => Err("it is none of the members".to_owned()),
        },
        Type::Set(members) => match literal {
            Literal::Text(text)
                if text.split(',').all(|part| part.is_empty() || members.names.iter().any(|n| n == part)) =>
            {
                Ok(quoted(text))
            }
            _ => Err("it is none of the members".to_owned()),
        },
        Type::Json => match literal {
            Literal::Text(text) if serde_json::from_str::<serde_json::Value>(text).is_ok() => {
                Ok(quoted(text))
            }
            _ => Err("it is no document".to_owned()),
        },
        Type::Null | Type::Other => Err("defaults of such columns are not understood".to_owned()),
    }
}

// A literal as a number.
enum Number {
    Decimal(Decimal),
    Float(f64),
}

impl Number {
    fn of(literal: &Literal, is_negative: bool) -> Result<Self> {
        let many = || "it has too many digits".to_owned();
        let number = match literal {
            Literal::Bool(truth) => Self::Decimal(Decimal::new(i128::from(*truth), 0)),
            Literal::Integer(digits) => Self::Decimal(Decimal::parse(digits).ok_or_else(many)?),
            Literal::Decimal(text) => Self::Decimal(Decimal::parse(text).ok_or_else(many)?),
            Literal::Float(n) => Self::Float(*n),
            Literal::Bits(n) => Self::Decimal(Decimal::new(i128::from(*n), 0)),
            Literal::Bytes(bytes) if bytes.len() <= 8 => {
                let n = bytes.iter().fold(0u64, |n, b| (n << 8) | u64::from(*b));
                Self::Decimal(Decimal::new(i128::from(n), 0))
            }
            Literal::Text(text) => {
                let text = text.trim_matches([' ', '\t', '\n', '\r']);
                match (Decimal::parse(text), text.parse::<f64>()) {
                    (Some(n), _) => Self::Decimal(n),
                    (None, Ok(n)) if n.is_finite() && text.contains(['e', 'E']) => Self::Float(n),
                    _ => return Err("it is no number".to_owned()),
                }
            }
            Literal::Null | Literal::Bytes(_) => return Err("it is no number".to_owned()),
        };
        Ok(match number {
            Self::Decimal(n) if is_negative => Self::Decimal(n.negated().ok_or_else(many)?),
            Self::Float(n) if is_negative => Self::Float(-n),
            other => other,
        })
    }

    fn to_f64(&self) -> f64 {
        match self {
            Self::Decimal(n) => n.to_f64(),
            Self::Float(n) => *n,
        }
    }

    // Halves away from zero.
    fn to_whole(&self) -> Result<i128> {
        let digits = match self {
            Self::Decimal(n) => n.rounded(0).and_then(|n| n.whole()),
            Self::Float(n) => format!("{:.0}", n.round()).parse().ok(),
        };
        digits.ok_or_else(|| "it has too many digits".to_owned())
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Decimal(n) => n.fmt(f),
            Self::Float(n) => n.fmt(f),
        }
    }
}

fn whole(number: &Number, bits: u8, signed: bool) -> Result<String> {
    let n = number.to_whole()?;
    let values = 1i128.checked_shl(u32::from(bits)).unwrap_or(i128::MAX);
    let range = if signed { (values / 2).wrapping_neg()..values / 2 } else { 0..values };
    if range.contains(&n) { Ok(n.to_string()) } else { Err("it is out of range".to_owned()) }
}

fn year(number: &Number) -> Result<String> {
    let n = number.to_whole()?;
    let year = match n {
        1..=69 => n.saturating_add(2000),
        70..=99 => n.saturating_add(1900),
        0 | 1901..=2155 => n,
        _ => return Err("it is out of range".to_owned()),
    };
    Ok(year.to_string())
}
