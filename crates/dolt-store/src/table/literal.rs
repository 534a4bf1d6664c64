//! Values as people write them, read for a column: what SQL would compare the column with.

use super::collation::Collation;
use super::render::members;
use super::schema::{Column, Encoding};
use super::value::{Value, ZERO_DATETIME};
use crate::Hash;

/// A written value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    /// It is this value of the column.
    Value(Value),
    /// It is of the column's kind, and yet no value of the column equals it: `1.5` for a whole number.
    Never,
}

/// A text as the value that it is of a column; `None`: it is none that could be in it.
pub(crate) fn literal_value(column: &Column, text: &str) -> Option<Value> {
    match literal(column, text)? {
        Literal::Value(value) => Some(value),
        Literal::Never => None,
    }
}

/// Reads a text for a column. `None`: it is nothing of the column's kind.
pub(super) fn literal(column: &Column, text: &str) -> Option<Literal> {
    let whole = |fits: fn(i128) -> Option<Value>| {
        let Some(number) = whole_number(text)? else { return Some(Literal::Never) };
        Some(fits(number).map_or(Literal::Never, Literal::Value))
    };
    let value = match column.encoding {
        Encoding::Int8 if is_bool(column) && text.eq_ignore_ascii_case("true") => Value::Int(1),
        Encoding::Int8 if is_bool(column) && text.eq_ignore_ascii_case("false") => Value::Int(0),
        Encoding::Int8 | Encoding::Int16 | Encoding::Int32 | Encoding::Int64 => {
            return whole(|n| i64::try_from(n).ok().map(Value::Int));
        }
        Encoding::Uint8 | Encoding::Uint16 | Encoding::Uint32 | Encoding::Uint64 | Encoding::Bit64 => {
            return whole(|n| u64::try_from(n).ok().map(Value::Uint));
        }
        Encoding::Year => return whole(|n| u16::try_from(n).ok().map(Value::Year)),
        Encoding::Float32 => Value::Float(plain_number(text)?.parse().ok()?),
        Encoding::Float64 => Value::Double(plain_number(text)?.parse().ok()?),
        Encoding::Decimal => return decimal(text, scale(&column.sql_type)),
        Encoding::Date => {
            let (date, time) = date_and_time(text)?;
            if time != 0 {
                return Some(Literal::Never);
            }
            Value::Date(date.0, date.1, date.2)
        }
        Encoding::Datetime => Value::Datetime(datetime(text)?),
        Encoding::Time => Value::Time(time(text)?),
        Encoding::Enum => return Some(enum_member(column, text)),
        Encoding::Set => return Some(set_members(column, text)),
        Encoding::String | Encoding::StringAddr | Encoding::StringAdaptive => Value::Text(text.to_owned()),
        Encoding::Bytes | Encoding::BytesAddr | Encoding::BytesAdaptive => Value::Bytes(bytes(text)),
        Encoding::CommitAddr => Value::Commit(Hash::parse(text)?),
        _ => return None,
    };
    Some(Literal::Value(value))
}

fn is_bool(column: &Column) -> bool {
    column.sql_type.eq_ignore_ascii_case("tinyint(1)")
}

// Digits, a sign, a point, an exponent: no `inf`, no `nan`.
fn plain_number(text: &str) -> Option<&str> {
    let text = text.trim();
    let plain = text.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
    (plain && text.contains(|c: char| c.is_ascii_digit())).then_some(text)
}

// The inner `None`: a number, but not a whole one.
#[expect(clippy::option_option, reason = "no number, no whole number, and a whole number are three things")]
fn whole_number(text: &str) -> Option<Option<i128>> {
    let text = plain_number(text)?;
    if let Ok(number) = text.parse() {
        return Some(Some(number));
    }
    if let Some((whole, fraction)) = text.split_once('.')
        && fraction.chars().all(|c| c == '0')
        && let Ok(number) = whole.parse()
    {
        return Some(Some(number));
    }
    let number: f64 = text.parse().ok()?;
    // Up to 2^53 every whole number is exact.
    let is_exact = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
    Some(is_exact.then(|| format!("{number:.0}").parse().ok()).flatten())
}

// `decimal(10,3)` → 3; without a number 0.
fn scale(sql_type: &str) -> usize {
    let inner = sql_type.split_once(',').and_then(|(_, rest)| rest.split_once(')'));
    inner.and_then(|(digits, _)| digits.trim().parse().ok()).unwrap_or(0)
}

// Spelled as decimals are when they are read: all digits of the scale, no sign on a zero.
fn decimal(text: &str, scale: usize) -> Option<Literal> {
    let text = text.trim();
    let (is_negative, digits) = match text.split_at_checked(1)? {
        ("-", rest) => (true, rest),
        ("+", rest) => (false, rest),
        _ => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let (kept, rest) = fraction.split_at(fraction.len().min(scale));
    if rest.chars().any(|c| c != '0') {
        return Some(Literal::Never);
    }
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if scale > 0 { "." } else { "" };
    let is_zero = whole == "0" && kept.chars().all(|c| c == '0');
    let sign = if is_negative && !is_zero { "-" } else { "" };
    Some(Literal::Value(Value::Decimal(format!("{sign}{whole}{point}{kept:0<scale$}"))))
}

/// Whether a text is a moment, or a span of time, in a spelling that Dolt takes too.
pub(crate) fn is_moment(text: &str, is_span: bool) -> bool {
    if is_span { time(text).is_some() } else { date_and_time(text).is_some() }
}

// A day and the microseconds in it.
fn date_and_time(text: &str) -> Option<((u16, u8, u8), i64)> {
    let text = text.trim();
    let (date, rest) = text.split_once([' ', 'T']).unwrap_or((text, ""));
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let number =
        |part: &str| part.chars().all(|c| c.is_ascii_digit()).then(|| part.parse::<u16>().ok()).flatten();
    let date = (number(year)?, u8::try_from(number(month)?).ok()?, u8::try_from(number(day)?).ok()?);
    if parts.next().is_some() || date.1 > 12 || date.2 > 31 {
        return None;
    }
    let micros = if rest.is_empty() { 0 } else { clock(rest).filter(|t| *t < DAY)? };
    Some((date, micros))
}

const DAY: i64 = 86_400_000_000;

/// The span of time that a text spells, in microseconds.
pub(crate) fn span_of_text(text: &str) -> Option<i64> {
    time(text)
}

/// The moment that a text spells, in microseconds since 1970.
pub(crate) fn micros_of_text(text: &str) -> Option<i64> {
    datetime(text).filter(|micros| *micros != ZERO_DATETIME)
}

/// The beginning of a day, in microseconds since 1970.
pub(crate) fn micros_of_day(year: u16, month: u8, day: u8) -> i64 {
    days(year.into(), month.into(), day.into()).saturating_mul(DAY)
}

fn datetime(text: &str) -> Option<i64> {
    let ((year, month, day), micros) = date_and_time(text)?;
    if (year, month, day) == (0, 0, 0) {
        return (micros == 0).then_some(ZERO_DATETIME);
    }
    days(year.into(), month.into(), day.into()).checked_mul(DAY)?.checked_add(micros)
}

// Year, month and day to days since 1970: Howard Hinnant's days_from_civil.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year.saturating_sub(1) } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let shifted = if month > 2 { month.saturating_sub(3) } else { month.saturating_add(9) };
    let of_year = (shifted.saturating_mul(153).saturating_add(2) / 5).saturating_add(day).saturating_sub(1);
    let leaps = (of_era / 4).saturating_sub(of_era / 100);
    let of_era = of_era.saturating_mul(365).saturating_add(leaps).saturating_add(of_year);
    era.saturating_mul(146_097).saturating_add(of_era).saturating_sub(719_468)
}

fn time(text: &str) -> Option<i64> {
    let text = text.trim();
    match text.strip_prefix('-') {
        Some(rest) => clock(rest)?.checked_neg(),
        None => clock(text),
    }
}

// `10:00`, `1:02:03.5`: hours may be many.
fn clock(text: &str) -> Option<i64> {
    let (text, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = text.split(':').map(|part| {
        let digits = !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
        digits.then(|| part.parse::<i64>().ok()).flatten()
    });
    let (hours, minutes) = (parts.next()??, parts.next()??);
    let seconds = parts.next().unwrap_or(Some(0))?;
    if parts.next().is_some() || minutes > 59 || seconds > 59 || fraction.len() > 6 {
        return None;
    }
    let micros: i64 = if fraction.is_empty() { 0 } else { format!("{fraction:0<6}").parse().ok()? };
    let seconds = hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?.checked_add(seconds)?;
    seconds.checked_mul(1_000_000)?.checked_add(micros)
}

// By its name under the column's collation, else by its number, as Dolt does.
fn enum_member(column: &Column, text: &str) -> Literal {
    let names = members(&column.sql_type);
    let collation = Collation::of(column);
    let same = |name: &String| {
        name == text || matches!((collation.fold(name), collation.fold(text)), (Some(a), Some(b)) if a == b)
    };
    let by_number = || text.parse().ok().filter(|n| (1..=names.len()).contains(n));
    let number = names.iter().position(same).map(|i| i.saturating_add(1)).or_else(by_number);
    let number = number.and_then(|n| u16::try_from(n).ok());
    number.map_or(Literal::Never, |n| Literal::Value(Value::Enum(n)))
}

fn set_members(column: &Column, text: &str) -> Literal {
    let names = members(&column.sql_type);
    let collation = Collation::of(column);
    let bit_of = |part: &str| {
        let same = |name: &String| {
            name == part
                || matches!((collation.fold(name), collation.fold(part)), (Some(a), Some(b)) if a == b)
        };
        let at = names.iter().position(same).and_then(|i| u32::try_from(i).ok())?;
        1u64.checked_shl(at)
    };
    let parts = text.split(',').filter(|p| !p.is_empty());
    let bits = parts.map(bit_of).try_fold(0u64, |all, bit| Some(all | bit?));
    bits.map_or(Literal::Never, |bits| Literal::Value(Value::Set(bits)))
}

// `0x00ff`, or the bytes as they stand.
fn bytes(text: &str) -> Vec<u8> {
    let hex = |digits: &str| {
        let nibbles: Option<Vec<u8>> =
            digits.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
        let nibbles = nibbles.filter(|n| n.len().is_multiple_of(2))?;
        Some(nibbles.chunks(2).map(|pair| pair.iter().fold(0u8, |byte, n| (byte << 4) | n)).collect())
    };
    text.strip_prefix("0x").and_then(hex).unwrap_or_else(|| text.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::super::render::test_column;
    use super::*;

    fn read(sql_type: &str, encoding: Encoding, text: &str) -> Option<Literal> {
        literal(&Column { encoding, ..test_column(sql_type) }, text)
    }

    #[test]
    fn numbers_are_read_as_sql_compares_them() {
        let int = |text| read("int", Encoding::Int32, text);
        for text in ["7", " 7 ", "+7", "07", "7.0", "7.", "7e0", "0.7e1"] {
            assert_eq!(int(text), Some(Literal::Value(Value::Int(7))), "{text}");
        }
        assert_eq!(
            (int("7.5"), int("99999999999999999999"), int("x"), int(""), int("0x7")),
            (Some(Literal::Never), Some(Literal::Never), None, None, None)
        );
        assert_eq!(read("tinyint(1)", Encoding::Int8, "TRUE"), Some(Literal::Value(Value::Int(1))));
        assert_eq!(read("double", Encoding::Float64, "inf"), None);
        let decimal = |text| read("decimal(10,3)", Encoding::Decimal, text);
        for (text, want) in
            [("1.5", "1.500"), ("-0", "0.000"), ("007.1000", "7.100"), (".5", "0.500"), ("-12", "-12.000")]
        {
            assert_eq!(decimal(text), Some(Literal::Value(Value::Decimal(want.into()))), "{text}");
        }
        assert_eq!((decimal("1.0001"), decimal("1.5x"), decimal("-")), (Some(Literal::Never), None, None));
    }

    #[test]
    fn moments_are_read_in_the_spellings_that_sql_takes() {
        let at = |text| read("datetime(6)", Encoding::Datetime, text);
        let micros = |n| Some(Literal::Value(Value::Datetime(n)));
        for text in ["1970-01-02", "1970-1-2 00:00", "1970-01-02T00:00:00.000000"] {
            assert_eq!(at(text), micros(DAY), "{text}");
        }
        assert_eq!(at("1969-12-31 23:59:59.5"), micros(-500_000));
        assert_eq!(at("9999-12-31 23:59:59.999999"), micros(253_402_300_799_999_999));
        assert_eq!(at("0000-00-00 00:00:00"), micros(ZERO_DATETIME));
        assert_eq!(
            (at("1970-13-01"), at("now"), at("1970-01-01 24:00:00"), at("1970-01-01 x")),
            (None, None, None, None)
        );
        assert_eq!(read("date", Encoding::Date, "2026-02-28 10:00"), Some(Literal::Never));
        assert_eq!(
            read("time", Encoding::Time, "-838:59:59"),
            Some(Literal::Value(Value::Time(-3_020_399_000_000)))
        );
        assert_eq!(read("time", Encoding::Time, "1:2:3.5"), Some(Literal::Value(Value::Time(3_723_500_000))));
    }

    #[test]
    fn members_are_found_by_collation_and_bytes_by_their_digits() {
        let of = |collate: &str, text| read(&format!("enum('a','B','it''s'){collate}"), Encoding::Enum, text);
        assert_eq!(of("", "b"), Some(Literal::Never));
        assert_eq!(of(" COLLATE utf8mb4_general_ci", "b"), Some(Literal::Value(Value::Enum(2))));
        assert_eq!(
            (of("", "it's"), of("", "2")),
            (Some(Literal::Value(Value::Enum(3))), Some(Literal::Value(Value::Enum(2))))
        );
        let set = |text| read("set('x','Y')", Encoding::Set, text);
        assert_eq!(
            (set("Y,x"), set(""), set("y")),
            (Some(Literal::Value(Value::Set(3))), Some(Literal::Value(Value::Set(0))), Some(Literal::Never))
        );
        assert_eq!(
            (bytes("0x00fF"), bytes("0x0"), bytes("ab")),
            (vec![0, 255], b"0x0".to_vec(), b"ab".to_vec())
        );
    }
}
