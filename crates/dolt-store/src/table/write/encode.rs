//! One value as the bytes of a field (Dolt `go/store/val/codec.go`; ranges and lengths as go-mysql-server checks them).

use std::borrow::Cow;
use std::fmt;

use super::column_type::ColumnType;
use super::field::Field;
use super::json;
use crate::table::value::ZERO_DATETIME;
use crate::table::{Column, Encoding, Value};

/// Why a value cannot be in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misfit {
    /// It is of another kind.
    Kind,
    /// It is less or greater than the column's values can be.
    OutOfRange,
    /// It is longer than this many characters or bytes.
    TooLong(usize),
    /// It is no JSON document.
    NotJson(String),
    /// The column's type is one that this crate does not write.
    Unsupported,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind => f.write_str("it is of another kind"),
            Self::OutOfRange => f.write_str("it is out of range"),
            Self::TooLong(limit) => write!(f, "it is longer than {limit}"),
            Self::NotJson(problem) => write!(f, "it is no JSON: {problem}"),
            Self::Unsupported => f.write_str("values of this type cannot be written here"),
        }
    }
}

type Result<T> = std::result::Result<T, Misfit>;

const MICROS: i64 = 1_000_000;
/// 838:59:59.999999 is `MySQL`'s longest time.
const MAX_TIME: i64 = 3_020_399_999_999;

/// The years 0 to 9999, in microseconds since 1970.
const DATETIMES: std::ops::RangeInclusive<i64> = -62_167_219_200_000_000..=253_402_300_799_999_999;
/// From the first second of 1970 to the last that 31 bits can count.
const TIMESTAMPS: std::ops::RangeInclusive<i64> = 1_000_000..=2_147_483_647_999_999;

/// A value as a field of a column.
pub(super) fn encode(column: &Column, value: &Value) -> Result<Field> {
    if *value == Value::Null {
        return Ok(Field::Null);
    }
    let sql_type = ColumnType::parse(&column.sql_type);
    let value = of_the_same_sign(column.encoding, value)?;
    let value = value.as_ref();
    if let Some(content) = long(column.encoding, &sql_type, value)? {
        return Ok(Field::Long(content));
    }
    short(column.encoding, &sql_type, value).map(Field::Short)
}

// A whole number is one, whatever it was taken from.
fn of_the_same_sign(encoding: Encoding, value: &Value) -> Result<Cow<'_, Value>> {
    Ok(match (encoding, value) {
        (Encoding::Int8 | Encoding::Int16 | Encoding::Int32 | Encoding::Int64, Value::Uint(n)) => {
            Cow::Owned(Value::Int(fits(*n)?))
        }
        (
            Encoding::Uint8 | Encoding::Uint16 | Encoding::Uint32 | Encoding::Uint64 | Encoding::Bit64,
            Value::Int(n),
        ) => Cow::Owned(Value::Uint(fits(*n)?)),
        _ => Cow::Borrowed(value),
    })
}

fn long(encoding: Encoding, sql_type: &ColumnType, value: &Value) -> Result<Option<Vec<u8>>> {
    let content = match (encoding, value) {
        (Encoding::StringAddr | Encoding::StringAdaptive, Value::Text(text)) => text.clone().into_bytes(),
        (Encoding::BytesAddr | Encoding::BytesAdaptive, Value::Bytes(bytes))
        | (Encoding::GeomAddr | Encoding::GeomAdaptive, Value::Geometry(bytes)) => bytes.clone(),
        (Encoding::JsonAddr | Encoding::JsonAdaptive, Value::Json(text)) => {
            json::canonical(text).map_err(Misfit::NotJson)?.into_bytes()
        }
        (
            Encoding::StringAddr
            | Encoding::StringAdaptive
            | Encoding::BytesAddr
            | Encoding::BytesAdaptive
            | Encoding::JsonAddr
            | Encoding::JsonAdaptive
            | Encoding::GeomAddr
            | Encoding::GeomAdaptive,
            _,
        ) => return Err(Misfit::Kind),
        _ => return Ok(None),
    };
    let limit = match sql_type.name.as_str() {
        "tinytext" | "tinyblob" => 255,
        "text" | "blob" => 65_535,
        "mediumtext" | "mediumblob" => 16_777_215,
        _ => usize::MAX,
    };
    if content.len() > limit { Err(Misfit::TooLong(limit)) } else { Ok(Some(content)) }
}

fn short(encoding: Encoding, sql_type: &ColumnType, value: &Value) -> Result<Vec<u8>> {
    Ok(match (encoding, value) {
        (Encoding::Int8, Value::Int(n)) => fits::<i8, _>(*n)?.to_le_bytes().to_vec(),
        (Encoding::Int16, Value::Int(n)) => fits::<i16, _>(*n)?.to_le_bytes().to_vec(),
        (Encoding::Int32, Value::Int(n)) => {
            let n = fits::<i32, _>(*n)?;
            let is_out = sql_type.name == "mediumint" && !(-0x80_0000..0x80_0000).contains(&n);
            if is_out {
                return Err(Misfit::OutOfRange);
            }
            n.to_le_bytes().to_vec()
        }
        (Encoding::Int64, Value::Int(n)) => n.to_le_bytes().to_vec(),
        (Encoding::Uint8, Value::Uint(n)) => fits::<u8, _>(*n)?.to_le_bytes().to_vec(),
        (Encoding::Uint16, Value::Uint(n)) => fits::<u16, _>(*n)?.to_le_bytes().to_vec(),
        (Encoding::Uint32, Value::Uint(n)) => {
            let n = fits::<u32, _>(*n)?;
            if sql_type.name == "mediumint" && n >= 1 << 24 {
                return Err(Misfit::OutOfRange);
            }
            n.to_le_bytes().to_vec()
        }
        (Encoding::Uint64 | Encoding::Bit64, Value::Uint(n)) => {
            let bits = if sql_type.name == "bit" { sql_type.number(0).unwrap_or(1) } else { 64 };
            if bits < 64 && n.checked_shr(u32::try_from(bits).unwrap_or(64)).is_some_and(|over| over > 0) {
                return Err(Misfit::OutOfRange);
            }
            n.to_le_bytes().to_vec()
        }
        (Encoding::Float32, Value::Float(n)) if n.is_finite() => n.to_le_bytes().to_vec(),
        (Encoding::Float64, Value::Double(n)) if n.is_finite() => n.to_le_bytes().to_vec(),
        (Encoding::Year, Value::Year(0)) => vec![255],
        (Encoding::Year, Value::Year(n @ 1901..=2155)) => {
            fits::<u8, _>(n.saturating_sub(1901))?.to_le_bytes().to_vec()
        }
        (Encoding::Date, Value::Date(year, month, day)) => {
            let is_zero = (*year, *month, *day) == (0, 0, 0);
            if !is_zero && !(1..=days_in(*year, *month)).contains(day) || *year > 9999 {
                return Err(Misfit::OutOfRange);
            }
            let [low, high] = year.to_le_bytes();
            vec![*day, *month, low, high]
        }
        (Encoding::Time, Value::Time(micros)) if micros.abs() <= MAX_TIME => micros.to_le_bytes().to_vec(),
        (Encoding::Datetime, Value::Datetime(micros)) => moment(*micros, sql_type)?.to_le_bytes().to_vec(),
        (Encoding::Enum, Value::Enum(n)) if (1..=sql_type.arguments.len()).contains(&usize::from(*n)) => {
            n.to_le_bytes().to_vec()
        }
        (Encoding::Set, Value::Set(bits)) => {
            let members = u32::try_from(sql_type.arguments.len()).unwrap_or(64);
            if bits.checked_shr(members).is_some_and(|over| over > 0) {
                return Err(Misfit::OutOfRange);
            }
            bits.to_le_bytes().to_vec()
        }
        (Encoding::Float32, Value::Float(_))
        | (Encoding::Float64, Value::Double(_))
        | (Encoding::Enum, Value::Enum(_))
        | (Encoding::Year, Value::Year(_))
        | (Encoding::Time, Value::Time(_)) => {
            return Err(Misfit::OutOfRange);
        }
        (Encoding::Decimal, Value::Decimal(text)) => decimal(text, sql_type)?,
        (Encoding::String, Value::Text(text)) => ended(text.as_bytes(), text.chars().count(), sql_type)?,
        (Encoding::Bytes, Value::Bytes(bytes)) => {
            let mut bytes = bytes.clone();
            if sql_type.name == "binary" {
                bytes.resize(sql_type.number(0).unwrap_or(1).max(bytes.len()), 0);
            }
            ended(&bytes, bytes.len(), sql_type)?
        }
        (Encoding::CommitAddr, Value::Commit(hash)) => hash.as_bytes().to_vec(),
        (Encoding::Hash128, Value::RowId(id)) => id.to_vec(),
        (Encoding::Unknown(_) | Encoding::Cell | Encoding::Json | Encoding::Geometry | Encoding::Null, _) => {
            return Err(Misfit::Unsupported);
        }
        _ => return Err(Misfit::Kind),
    })
}

fn fits<T: TryFrom<F>, F>(n: F) -> Result<T> {
    T::try_from(n).map_err(|_| Misfit::OutOfRange)
}

// With the mark that ends a text, so that the empty one is not NULL.
fn ended(bytes: &[u8], length: usize, sql_type: &ColumnType) -> Result<Vec<u8>> {
    match sql_type.number(0) {
        Some(limit) if length > limit => Err(Misfit::TooLong(limit)),
        _ => Ok([bytes, &[0]].concat()),
    }
}

fn days_in(year: u16, month: u8) -> u8 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 0,
    }
}

// Rounded as the type demands, and within its range after that (go-mysql-server `sql/types/datetime.go`, `ConvertToTime`).
fn moment(micros: i64, sql_type: &ColumnType) -> Result<i64> {
    if micros == ZERO_DATETIME {
        return Ok(micros);
    }
    let range = if sql_type.name == "timestamp" { TIMESTAMPS } else { DATETIMES };
    let rounded = rounded(micros, sql_type.number(0).unwrap_or(0));
    if range.contains(&rounded) { Ok(rounded) } else { Err(Misfit::OutOfRange) }
}

// To so many digits behind the second, half up.
fn rounded(micros: i64, digits: usize) -> i64 {
    let unit = (digits..6).fold(1i64, |unit, _| unit.saturating_mul(10)).min(MICROS);
    let whole = micros.saturating_add(unit / 2).div_euclid(unit);
    whole.saturating_mul(unit)
}

// Exponent, sign, magnitude: as many digits behind the point as the column has.
fn decimal(text: &str, sql_type: &ColumnType) -> Result<Vec<u8>> {
    let (precision, scale) = (sql_type.number(0).unwrap_or(10), sql_type.number(1).unwrap_or(0));
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || digits.is_empty() {
        return Err(Misfit::Kind);
    }
    let kept = fraction.get(..scale.min(fraction.len())).unwrap_or(fraction);
    let rounds_up = fraction.as_bytes().get(scale).is_some_and(|digit| *digit >= b'5');
    let mut number = Magnitude::default();
    let padding = std::iter::repeat_n(b'0', scale.saturating_sub(kept.len()));
    for digit in whole.bytes().chain(kept.bytes()).chain(padding) {
        number.append(digit.wrapping_sub(b'0'));
    }
    if rounds_up {
        number.add(1);
    }
    if number.digits() > precision {
        return Err(Misfit::OutOfRange);
    }
    let exponent = i32::try_from(scale).unwrap_or(0).wrapping_neg();
    let sign: i8 = match (number.is_zero(), is_negative) {
        (true, _) => 0,
        (false, true) => -1,
        (false, false) => 1,
    };
    Ok([&exponent.to_le_bytes()[..], &sign.to_le_bytes(), &number.bytes()].concat())
}

// A whole number of any size, its bytes from the lowest.
#[derive(Debug, Default)]
struct Magnitude(Vec<u8>);

impl Magnitude {
    fn append(&mut self, digit: u8) {
        self.times_plus(10, digit);
    }

    fn add(&mut self, n: u8) {
        self.times_plus(1, n);
    }

    fn times_plus(&mut self, factor: u8, plus: u8) {
        let mut carry = u16::from(plus);
        for byte in &mut self.0 {
            let value = u16::from(*byte).wrapping_mul(factor.into()).wrapping_add(carry);
            let [low, high] = value.to_le_bytes();
            (*byte, carry) = (low, high.into());
        }
        if carry > 0 {
            self.0.push(carry.to_le_bytes()[0]);
        }
    }

    fn is_zero(&self) -> bool {
        self.0.iter().all(|b| *b == 0)
    }

    // Decimal digits.
    fn digits(&self) -> usize {
        let mut rest: Vec<u8> = self.0.clone();
        let mut digits = 0usize;
        while rest.iter().any(|b| *b != 0) {
            let mut carry = 0u16;
            for byte in rest.iter_mut().rev() {
                let value = (carry << 8) | u16::from(*byte);
                (*byte, carry) = (u8::try_from(value / 10).unwrap_or(u8::MAX), value % 10);
            }
            digits = digits.saturating_add(1);
        }
        digits
    }

    // From the highest byte, in whole words of 8; nothing for 0.
    fn bytes(&self) -> Vec<u8> {
        let used = self.0.iter().rposition(|b| *b != 0).map_or(0, |last| last.saturating_add(1));
        let mut bytes: Vec<u8> = self.0.get(..used).unwrap_or_default().to_vec();
        bytes.resize(used.next_multiple_of(8), 0);
        bytes.reverse();
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(encoding: Encoding, sql_type: &str) -> Column {
        Column {
            name: "c".to_owned(),
            sql_type: sql_type.to_owned(),
            default: None,
            comment: String::new(),
            tag: 0,
            encoding,
            primary_key: false,
            nullable: true,
            auto_increment: false,
            hidden: false,
            generated: false,
            is_virtual: false,
            on_update: None,
        }
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let misfit = |encoding, sql_type, value| encode(&column(encoding, sql_type), &value).unwrap_err();
        assert_eq!(misfit(Encoding::Int8, "tinyint", Value::Int(128)), Misfit::OutOfRange);
        assert_eq!(misfit(Encoding::Int32, "mediumint", Value::Int(1 << 23)), Misfit::OutOfRange);
        assert_eq!(misfit(Encoding::Int32, "int", Value::Text("1".into())), Misfit::Kind);
        assert_eq!(misfit(Encoding::String, "varchar(3)", Value::Text("äöüß".into())), Misfit::TooLong(3));
        assert_eq!(misfit(Encoding::Uint64, "bit(3)", Value::Uint(8)), Misfit::OutOfRange);
        assert_eq!(misfit(Encoding::Date, "date", Value::Date(2023, 2, 29)), Misfit::OutOfRange);
        let last = 253_402_300_799_500_000;
        assert_eq!(misfit(Encoding::Datetime, "datetime(0)", Value::Datetime(last)), Misfit::OutOfRange);
        assert_eq!(misfit(Encoding::Datetime, "timestamp(6)", Value::Datetime(999_999)), Misfit::OutOfRange);
        assert_eq!(misfit(Encoding::Enum, "enum('a','b')", Value::Enum(3)), Misfit::OutOfRange);
        assert_eq!(
            misfit(Encoding::Decimal, "decimal(4,2)", Value::Decimal("99.995".into())),
            Misfit::OutOfRange
        );
        assert!(matches!(misfit(Encoding::JsonAddr, "json", Value::Json("{".into())), Misfit::NotJson(_)));
    }

    #[test]
    fn values_have_dolts_bytes() {
        let field = |encoding, sql_type, value| match encode(&column(encoding, sql_type), &value).unwrap() {
            Field::Short(bytes) | Field::Long(bytes) => bytes,
            other => panic!("{other:?}"),
        };
        let decimal = |sql_type, text: &str| field(Encoding::Decimal, sql_type, Value::Decimal(text.into()));
        assert_eq!(
            decimal("decimal(10,3)", "1.5"),
            [&[0xfd, 0xff, 0xff, 0xff, 1][..], &1500u64.to_be_bytes()].concat()
        );
        assert_eq!(decimal("decimal(10,3)", "-0.0004"), [0xfd, 0xff, 0xff, 0xff, 0]);
        assert_eq!(decimal("decimal(10,0)", "2.5"), [&[0, 0, 0, 0, 1][..], &3u64.to_be_bytes()].concat());
        assert_eq!(decimal("decimal(65,0)", "18446744073709551616").len(), 5 + 16);
        let at = |micros| field(Encoding::Datetime, "datetime(0)", Value::Datetime(micros));
        assert_eq!(at(1_500_000), 2_000_000i64.to_le_bytes());
        assert_eq!(at(-1_500_000), (-1_000_000i64).to_le_bytes());
        assert_eq!(field(Encoding::Datetime, "datetime(6)", Value::Datetime(7)), 7i64.to_le_bytes());
        assert_eq!(field(Encoding::Bytes, "binary(4)", Value::Bytes(vec![1])), [1, 0, 0, 0, 0]);
        assert_eq!(field(Encoding::String, "varchar(3)", Value::Text(String::new())), [0]);
    }
}
