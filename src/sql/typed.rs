//! Statements with values that keep their types in both directions: a moment stays a moment, a document stays a document, and no
//! value ever stands in a statement's text.
//!
//! What could go wrong is a value that looks like another after the way there and back; so whatever has no exact form here is an
//! error, not a guess.

use jiff::SignedDuration;
use jiff::civil::DateTime;
use mysql_async::consts::ColumnType;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Params, Row, Value};

/// What moments are counted from. Not by the clock's own type: a datetime reaches two days further.
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// The character set number of bytes that are no text.
const BINARY: u16 = 63;

/// One value of a statement or of its answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Typed {
    /// SQL NULL.
    Null,
    /// A signed whole number.
    Int(i64),
    /// An unsigned whole number.
    Uint(u64),
    /// A float of 32 bits.
    Float(f32),
    /// A float of 64 bits.
    Double(f64),
    /// A decimal number, in digits.
    Decimal(String),
    /// Characters.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A JSON document, without spaces between its parts.
    Json(String),
    /// Microseconds since 1970, UTC: datetime and timestamp.
    Datetime(i64),
    /// A day: year, month, day.
    Date(u16, u8, u8),
    /// A span of time in microseconds.
    Time(i64),
}

/// What a statement gave.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// The names of its first result's columns.
    pub columns: Vec<String>,
    /// The rows of its first result.
    pub rows: Vec<Vec<Typed>>,
    /// Rows that it touched.
    pub affected: u64,
}

/// Why there is no answer.
pub(super) enum Failed {
    Driver(mysql_async::Error),
    Unreadable(String),
}

impl From<mysql_async::Error> for Failed {
    fn from(error: mysql_async::Error) -> Self {
        Self::Driver(error)
    }
}

pub(super) async fn execute(conn: &mut Conn, sql: &str, values: &[Typed]) -> Result<Answer, Failed> {
    let values: Vec<Value> = values.iter().map(to_wire).collect::<Result<_, _>>()?;
    let params = if values.is_empty() { Params::Empty } else { Params::Positional(values) };
    let mut result = conn.exec_iter(sql, params).await?;
    let columns = result.columns_ref().iter().map(|column| column.name_str().into_owned()).collect();
    let mut answer = Answer { columns, rows: Vec::new(), affected: result.affected_rows() };
    let rows: Vec<Row> = if result.columns().is_some() { result.collect().await? } else { Vec::new() };
    // A procedure's answer ends with a result of its own; an error of it would wait there.
    result.drop_result().await?;
    for row in rows {
        answer.rows.push(of_row(row)?);
    }
    Ok(answer)
}

fn of_row(row: Row) -> Result<Vec<Typed>, Failed> {
    let columns = row.columns();
    row.unwrap().iter().zip(columns.iter()).map(|(value, column)| of_wire(value, column)).collect()
}

fn of_wire(value: &Value, column: &mysql_async::Column) -> Result<Typed, Failed> {
    use ColumnType as T;
    let unreadable = || Failed::Unreadable(format!("column {} holds {value:?}", column.name_str()));
    Ok(match value {
        Value::NULL => Typed::Null,
        Value::Int(n) => Typed::Int(*n),
        Value::UInt(n) => Typed::Uint(*n),
        Value::Float(n) => Typed::Float(*n),
        Value::Double(n) => Typed::Double(*n),
        Value::Date(year, month, day, ..) if column.column_type() == T::MYSQL_TYPE_DATE => {
            Typed::Date(*year, *month, *day)
        }
        Value::Date(year, month, day, hour, minute, second, micros) => {
            let parts = [month, day, hour, minute, second].map(|part| i8::try_from(*part));
            let [Ok(month), Ok(day), Ok(hour), Ok(minute), Ok(second)] = parts else {
                return Err(unreadable());
            };
            let year = i16::try_from(*year).map_err(|_| unreadable())?;
            let nanos = i32::try_from(u64::from(*micros) * 1000).map_err(|_| unreadable())?;
            let time = DateTime::new(year, month, day, hour, minute, second, nanos);
            let since = time.map_err(|_| unreadable())?.duration_since(EPOCH);
            Typed::Datetime(i64::try_from(since.as_micros()).map_err(|_| unreadable())?)
        }
        Value::Time(is_negative, days, hours, minutes, seconds, micros) => {
            let hours = i64::from(*days) * 24 + i64::from(*hours);
            let seconds = (hours * 60 + i64::from(*minutes)) * 60 + i64::from(*seconds);
            let span = seconds * 1_000_000 + i64::from(*micros);
            Typed::Time(if *is_negative { -span } else { span })
        }
        Value::Bytes(bytes) => {
            let text = || String::from_utf8(bytes.clone()).map_err(|_| unreadable());
            match column.column_type() {
                T::MYSQL_TYPE_JSON => Typed::Json(compact(&text()?)),
                T::MYSQL_TYPE_DECIMAL | T::MYSQL_TYPE_NEWDECIMAL => Typed::Decimal(text()?),
                T::MYSQL_TYPE_BIT | T::MYSQL_TYPE_GEOMETRY => Typed::Bytes(bytes.clone()),
                _ if column.character_set() == BINARY => Typed::Bytes(bytes.clone()),
                _ => Typed::Text(text()?),
            }
        }
    })
}

fn to_wire(value: &Typed) -> Result<Value, Failed> {
    Ok(match value {
        Typed::Null => Value::NULL,
        Typed::Int(n) => Value::Int(*n),
        Typed::Uint(n) => Value::UInt(*n),
        Typed::Float(n) => Value::Float(*n),
        Typed::Double(n) => Value::Double(*n),
        Typed::Decimal(text) | Typed::Text(text) | Typed::Json(text) => {
            Value::Bytes(text.clone().into_bytes())
        }
        Typed::Bytes(bytes) => Value::Bytes(bytes.clone()),
        Typed::Date(year, month, day) => Value::Date(*year, *month, *day, 0, 0, 0, 0),
        Typed::Datetime(micros) => {
            let none = || Failed::Unreadable(format!("{micros} µs since 1970 are no moment of a datetime"));
            let time = EPOCH.checked_add(SignedDuration::from_micros(*micros)).map_err(|_| none())?;
            let part = |part: i8| u8::try_from(part).map_err(|_| none());
            let year = u16::try_from(time.year()).map_err(|_| none())?;
            let micros = u32::try_from(time.subsec_nanosecond() / 1000).map_err(|_| none())?;
            let [month, day] = [part(time.month())?, part(time.day())?];
            let [hour, minute, second] = [part(time.hour())?, part(time.minute())?, part(time.second())?];
            Value::Date(year, month, day, hour, minute, second, micros)
        }
        Typed::Time(span) => {
            let micros = span.unsigned_abs();
            let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
            let small = |n: u64| u8::try_from(n % 60).unwrap_or_default();
            let (minutes, hours) = (seconds / 60, seconds / 3600);
            let days = u32::try_from(hours / 24)
                .map_err(|_| Failed::Unreadable(format!("{span} µs are no span of a time")))?;
            let hour = u8::try_from(hours % 24).unwrap_or_default();
            let micros = u32::try_from(micros).unwrap_or_default();
            Value::Time(*span < 0, days, hour, small(minutes), small(seconds), micros)
        }
    })
}

/// A document without the spaces between its parts: a server spells `{"a": 1, "b": 2}` what is stored as `{"a":1,"b":2}`.
fn compact(document: &str) -> String {
    let mut text = String::with_capacity(document.len());
    let (mut in_text, mut is_escaped) = (false, false);
    for letter in document.chars() {
        if !in_text && matches!(letter, ' ' | '\n' | '\t' | '\r') {
            continue;
        }
        text.push(letter);
        if is_escaped {
            is_escaped = false;
        } else if in_text && letter == '\\' {
            is_escaped = true;
        } else if letter == '"' {
            in_text = !in_text;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_go_between_the_parts_of_a_document_and_stay_in_its_texts() {
        let spelled = r#"{"a b": [1, 2.50, "x, y: \" z"], "c": null, "d\\": {}}"#;
        assert_eq!(compact(spelled), r#"{"a b":[1,2.50,"x, y: \" z"],"c":null,"d\\":{}}"#);
    }

    #[test]
    fn moments_and_spans_go_there_and_back() {
        for micros in [0, 1, -1, 1_767_323_045_123_456, -62_135_596_800_000_000, 253_402_300_799_999_999] {
            let Ok(Value::Date(year, month, day, hour, minute, second, rest)) =
                to_wire(&Typed::Datetime(micros))
            else {
                panic!("{micros}")
            };
            let at = |n: u8| i8::try_from(n).unwrap();
            let nanos = i32::try_from(rest * 1000).unwrap();
            let year = i16::try_from(year).unwrap();
            let time =
                DateTime::new(year, at(month), at(day), at(hour), at(minute), at(second), nanos).unwrap();
            assert_eq!(time.duration_since(EPOCH).as_micros(), i128::from(micros));
        }
        let span = -((25 * 3600 + 61) * 1_000_000 + 7);
        assert_eq!(to_wire(&Typed::Time(span)).ok(), Some(Value::Time(true, 1, 1, 1, 1, 7)));
    }
}
