//! Values while an expression is evaluated, and how they become numbers, texts and truths (go-mysql-server `sql/types`,
//! `sql/core.go` `ConvertToBool`).

use super::decimal::Decimal;
use super::problem::{Problem, Result, unsupported};
use crate::table::{Value, ZERO_DATETIME, micros_of_day};

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Val {
    Null,
    /// What comparisons give; one and zero beside numbers.
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float32(f32),
    Float(f64),
    Decimal(Decimal),
    Text(String),
    Bytes(Vec<u8>),
    /// A document as text.
    Json(String),
    /// A day or a moment, in microseconds since 1970.
    Moment(i64),
    Span(i64),
    Enum(u16),
    Set(u64),
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.compare(other).is_some_and(std::cmp::Ordering::is_eq)
    }
}

impl Val {
    /// A column's value.
    pub(crate) fn of(value: &Value) -> Result<Self> {
        Ok(match value {
            Value::Null => Self::Null,
            Value::Int(n) => Self::Int(*n),
            Value::Uint(n) => Self::Uint(*n),
            Value::Float(n) => Self::Float32(*n),
            Value::Double(n) => Self::Float(*n),
            Value::Decimal(text) => Self::Decimal(Decimal::parse(text).ok_or_else(|| too_long(text))?),
            Value::Text(text) => Self::Text(text.clone()),
            Value::Bytes(bytes) => Self::Bytes(bytes.clone()),
            Value::Json(text) => Self::Json(text.clone()),
            Value::Date(0, 0, 0) | Value::Datetime(ZERO_DATETIME) => return unsupported("a date of zeros"),
            Value::Date(year, month, day) => Self::Moment(micros_of_day(*year, *month, *day)),
            Value::Datetime(micros) => Self::Moment(*micros),
            Value::Time(micros) => Self::Span(*micros),
            Value::Year(year) => Self::Int((*year).into()),
            Value::Enum(n) => Self::Enum(*n),
            Value::Set(bits) => Self::Set(*bits),
            _ => return unsupported("a value of such a column"),
        })
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether it counts as true; `None` for NULL.
    pub(crate) fn truth(&self) -> Result<Option<bool>> {
        Ok(Some(match self {
            Self::Null => return Ok(None),
            Self::Bool(truth) => *truth,
            Self::Int(n) => *n != 0,
            Self::Uint(n) => *n != 0,
            Self::Float32(n) => *n != 0.0,
            Self::Float(n) => *n != 0.0,
            Self::Decimal(n) => !n.is_zero(),
            _ => return unsupported("a text, document or moment as a truth"),
        }))
    }

    /// As a whole number of any sign, if it is one.
    pub(crate) fn integer(&self) -> Option<i128> {
        match self {
            Self::Bool(truth) => Some(i128::from(*truth)),
            Self::Int(n) => Some(i128::from(*n)),
            Self::Uint(n) => Some(i128::from(*n)),
            _ => None,
        }
    }

    /// As a float. Of a text as much of its beginning as is a number, as `MySQL` does.
    pub(crate) fn float(&self) -> Result<f64> {
        #[expect(clippy::cast_precision_loss, reason = "this is the conversion that is asked for")]
        Ok(match self {
            Self::Bool(truth) => f64::from(u8::from(*truth)),
            Self::Int(n) => *n as f64,
            Self::Uint(n) => *n as f64,
            Self::Float32(n) => f64::from(*n),
            Self::Float(n) => *n,
            Self::Decimal(n) => n.to_f64(),
            Self::Text(text) => number_at_start(text).parse().unwrap_or(0.0),
            _ => return unsupported("a moment, document or bytes as a number"),
        })
    }

    /// As a decimal number.
    pub(crate) fn decimal(&self) -> Result<Decimal> {
        match self {
            Self::Decimal(n) => Ok(*n),
            Self::Float(n) => {
                let is_plain = *n == 0.0 || (1e-9..1e15).contains(&n.abs());
                let number = is_plain.then(|| Decimal::parse(&format!("{}", n + 0.0))).flatten();
                number.ok_or_else(|| too_long(&n.to_string()))
            }
            Self::Text(text) => {
                let text = text.trim_matches([' ', '\t', '\n', '\r']);
                Decimal::parse(text).ok_or_else(|| too_long(text))
            }
            other => match other.integer() {
                Some(n) => Ok(Decimal::new(n, 0)),
                None => unsupported("such a value as a decimal"),
            },
        }
    }

    /// As a text, for `CONCAT` and its like.
    pub(crate) fn text(&self) -> Result<String> {
        Ok(match self {
            Self::Text(text) => text.clone(),
            Self::Bool(truth) => u8::from(*truth).to_string(),
            Self::Int(n) => n.to_string(),
            Self::Uint(n) => n.to_string(),
            // There is no minus zero in texts.
            Self::Float(n) => format!("{}", n + 0.0),
            Self::Float32(n) => format!("{}", n + 0.0),
            Self::Decimal(n) => n.to_string(),
            _ => return unsupported("a moment, document or bytes as a text"),
        })
    }
}

fn too_long(text: &str) -> Problem {
    Problem::Unsupported(format!("the number {text}"))
}

/// The beginning of a text that is a number; "0" if there is none (`TruncateStringToDouble` in `sql/types/number.go`).
pub(crate) fn number_at_start(text: &str) -> &str {
    let text = text.trim_matches([' ', '\t', '\n', '\r']);
    let (mut digit, mut dot, mut exponent, mut sign_at) = (false, false, false, 0);
    let mut end = text.len();
    for (i, c) in text.char_indices() {
        match c {
            '0'..='9' => digit = true,
            '.' if !dot => dot = true,
            'e' | 'E' if !exponent && digit => {
                exponent = true;
                sign_at = i.saturating_add(1);
            }
            '-' | '+' if i == sign_at => {}
            _ => {
                end = i;
                break;
            }
        }
    }
    if digit { text.get(..end).unwrap_or("0") } else { "0" }
}
