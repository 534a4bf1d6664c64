//! Values as text, spelled as Dolt spells them in its own output.

use std::borrow::Cow;

use super::schema::Column;
use super::value::{Value, ZERO_DATETIME};
use super::{geometry, shortest};

impl Value {
    /// The value as Dolt prints it in CSV and in tables; `None` for NULL. The column says what enum members, sets and
    /// fractions of a second look like.
    pub fn to_text(&self, column: &Column) -> Option<String> {
        Some(match self {
            Self::Null | Self::NotStored => return None,
            Self::Int(n) => n.to_string(),
            Self::Uint(n) => n.to_string(),
            Self::Float(n) => float_text(&shortest::float(*n), -4..6),
            Self::Double(n) => float_text(&shortest::double(*n), -4..6),
            Self::Decimal(text) | Self::Text(text) | Self::Json(text) => text.clone(),
            Self::Bytes(bytes) | Self::Geometry(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Self::Date(year, month, day) => format!("{year:04}-{month:02}-{day:02}"),
            Self::Datetime(micros) => datetime(*micros, precision(&column.sql_type)),
            Self::Time(micros) => time(*micros),
            Self::Year(year) => year.to_string(),
            Self::Enum(n) => {
                let at = usize::from(*n).checked_sub(1)?;
                members(&column.sql_type).into_iter().nth(at).unwrap_or_default()
            }
            Self::Set(bits) => {
                let all = members(&column.sql_type).into_iter().enumerate();
                let is_set = |i: usize| {
                    u32::try_from(i).ok().and_then(|i| bits.checked_shr(i)).is_some_and(|b| b & 1 == 1)
                };
                all.filter(|(i, _)| is_set(*i)).map(|(_, name)| name).collect::<Vec<_>>().join(",")
            }
            Self::Commit(hash) => hash.to_string(),
            Self::RowId(bytes) => bytes.iter().fold(String::new(), |text, b| text + &format!("{b:02x}")),
        })
    }

    /// The same in bytes: what Dolt writes into CSV. Only byte strings and geometries are not text.
    pub fn to_bytes(&self, column: &Column) -> Option<Cow<'_, [u8]>> {
        match self {
            Self::Bytes(bytes) | Self::Geometry(bytes) => Some(Cow::Borrowed(bytes)),
            Self::Text(text) | Self::Json(text) => Some(Cow::Borrowed(text.as_bytes())),
            other => other.to_text(column).map(|text| Cow::Owned(text.into_bytes())),
        }
    }

    /// Appends the value as Dolt prints it in JSON. A JSON document stands as it is, a span of time as microseconds.
    pub fn push_json(&self, column: &Column, out: &mut String) {
        match self {
            Self::Null | Self::NotStored => out.push_str("null"),
            Self::Int(_) | Self::Uint(_) | Self::Year(_) => {
                out.push_str(&self.to_text(column).unwrap_or_default());
            }
            Self::Float(n) => out.push_str(&json_float(&shortest::float(*n))),
            Self::Double(n) => out.push_str(&json_float(&shortest::double(*n))),
            Self::Time(micros) => out.push_str(&micros.to_string()),
            Self::Json(text) => out.push_str(text),
            Self::Bytes(bytes) if is_vector(column) => {
                out.extend(["\"", &base64(bytes), "\""]);
            }
            Self::Bytes(bytes) => push_json_bytes(bytes, out),
            Self::Geometry(bytes) => match geometry::json(bytes) {
                Some(text) => out.push_str(&text),
                None => push_json_bytes(bytes, out),
            },
            other => push_json_string(&other.to_text(column).unwrap_or_default(), out),
        }
    }
}

pub(super) fn is_vector(column: &Column) -> bool {
    column.sql_type.to_ascii_lowercase().starts_with("vector")
}

// Go's encoder of byte slices.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let at = |i: usize| u32::from(three.get(i).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for (i, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let letter = usize::try_from(bits >> shift & 63).ok().and_then(|n| LETTERS.get(n));
            text.push(if i <= three.len() { letter.map_or('=', |l| char::from(*l)) } else { '=' });
        }
    }
    text
}

// Go's encoding/json: exponents only below 1e-6 and from 1e21 on, without a leading zero in them; minus zero is zero.
pub(super) fn json_float(scientific: &str) -> String {
    let text = float_text(scientific, -6..21);
    text.replace("e-0", "e-").replace("e+0", "e+")
}

/// From Rust's shortest digits (`1.5e-7`) to Go's spelling. Exponents in `plain` are written out: `-4..6` is Go's `%g`.
pub(crate) fn float_text(scientific: &str, plain: std::ops::Range<i32>) -> String {
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific.to_owned() };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |m| ("-", m));
    let digits = mantissa.replace('.', "");
    if digits == "0" {
        return "0".to_owned();
    }
    if !plain.contains(&exponent) {
        let mark = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{mantissa}e{mark}{:02}", exponent.unsigned_abs());
    }
    let point = exponent.saturating_add(1);
    if point <= 0 {
        let zeros = "0".repeat(usize::try_from(point.unsigned_abs()).unwrap_or(0));
        return format!("{sign}0.{zeros}{digits}");
    }
    let point = usize::try_from(point).unwrap_or(0);
    if point >= digits.len() {
        let zeros = "0".repeat(point.saturating_sub(digits.len()));
        return format!("{sign}{digits}{zeros}");
    }
    let (whole, fraction) = digits.split_at(point);
    format!("{sign}{whole}.{fraction}")
}

/// Appends a JSON string as Go's encoder writes it with HTML escaping off.
pub fn push_json_string(text: &str, out: &mut String) {
    out.push('"');
    push_escaped(text, out);
    out.push('"');
}

fn push_escaped(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..'\u{20}' | '\u{2028}' | '\u{2029}' => {
                out.extend(["\\u", &format!("{:04x}", u32::from(c))]);
            }
            other => out.push(other),
        }
    }
}

// Go's encoder writes an escape for each byte that is no part of a character.
fn push_json_bytes(bytes: &[u8], out: &mut String) {
    out.push('"');
    for chunk in bytes.utf8_chunks() {
        push_escaped(chunk.valid(), out);
        out.extend(std::iter::repeat_n("\\ufffd", chunk.invalid().len()));
    }
    out.push('"');
}

// `datetime(6)` → 6; without a number 0.
fn precision(sql_type: &str) -> usize {
    let inner = sql_type.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    inner.and_then(|(digits, _)| digits.parse().ok()).unwrap_or(0)
}

fn datetime(micros: i64, precision: usize) -> String {
    if micros == ZERO_DATETIME {
        let mut text = "0000-00-00 00:00:00".to_owned();
        push_fraction(&mut text, 0, precision);
        return text;
    }
    let (days, in_day) = (micros.div_euclid(86_400_000_000), micros.rem_euclid(86_400_000_000));
    let (year, month, day) = civil(days);
    let seconds = in_day / 1_000_000;
    let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut text = format!("{year:04}-{month:02}-{day:02} {h:02}:{m:02}:{s:02}");
    push_fraction(&mut text, in_day % 1_000_000, precision);
    text
}

fn push_fraction(text: &mut String, micros: i64, precision: usize) {
    if precision > 0 {
        let all = format!("{micros:06}");
        let shown = all.get(..precision.min(6)).unwrap_or(&all);
        text.push('.');
        text.push_str(shown);
    }
}

fn time(micros: i64) -> String {
    let magnitude = micros.unsigned_abs();
    let seconds = magnitude / 1_000_000;
    let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let sign = if micros < 0 { "-" } else { "" };
    let mut text = format!("{sign}{h:02}:{m:02}:{s:02}");
    let fraction = i64::try_from(magnitude % 1_000_000).unwrap_or(0);
    push_fraction(&mut text, fraction, 6);
    text
}

/// Days since 1970 to year, month, day: Howard Hinnant's `civil_from_days`.
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    let z = days.saturating_add(719_468);
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = doe.saturating_sub(doe / 1460).saturating_add(doe / 36_524).saturating_sub(doe / 146_096) / 365;
    let doy = doe.saturating_sub(yoe.saturating_mul(365).saturating_add(yoe / 4).saturating_sub(yoe / 100));
    let mp = doy.saturating_mul(5).saturating_add(2) / 153;
    let day = doy.saturating_sub(mp.saturating_mul(153).saturating_add(2) / 5).saturating_add(1);
    let month = if mp < 10 { mp.saturating_add(3) } else { mp.saturating_sub(9) };
    let year = yoe.saturating_add(era.saturating_mul(400));
    (if month <= 2 { year.saturating_add(1) } else { year }, month, day)
}

// The members of `enum('a','b')` or `set(...)`; a quote inside is doubled.
pub(super) fn members(sql_type: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut chars = sql_type.chars().skip_while(|c| *c != '\'').peekable();
    while chars.next_if_eq(&'\'').is_some() {
        let mut name = String::new();
        while let Some(c) = chars.next() {
            match c {
                '\'' if chars.next_if_eq(&'\'').is_some() => name.push('\''),
                '\'' => break,
                '\\' => name.extend(chars.next()),
                other => name.push(other),
            }
        }
        found.push(name);
        while chars.peek().is_some_and(|c| *c != '\'' && *c != ')') {
            chars.next();
        }
    }
    found
}

#[cfg(test)]
pub(super) fn test_column(sql_type: &str) -> Column {
    Column {
        name: "c".into(),
        sql_type: sql_type.into(),
        default: None,
        comment: String::new(),
        tag: 0,
        encoding: crate::table::Encoding::Float64,
        primary_key: false,
        nullable: true,
        auto_increment: false,
        hidden: false,
        generated: false,
        is_virtual: false,
        on_update: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_numbers_read_as_sql_writes_them() {
        assert_eq!(datetime(0, 0), "1970-01-01 00:00:00");
        assert_eq!(datetime(-1, 6), "1969-12-31 23:59:59.999999");
        assert_eq!(datetime(1_772_236_799_500_000, 3), "2026-02-27 23:59:59.500");
        assert_eq!(time(-3_723_000_000), "-01:02:03.000000");
        for (number, table, json) in [
            (1e10, "1e+10", "10000000000"),
            (1_234_567.0, "1.234567e+06", "1234567"),
            (999_999.5, "999999.5", "999999.5"),
            (1e-5, "1e-05", "0.00001"),
            (1e-7, "1e-07", "1e-7"),
            (1e21, "1e+21", "1e+21"),
            (123_456_789.123, "1.23456789123e+08", "123456789.123"),
            (-0.0, "0", "0"),
            (-1.5, "-1.5", "-1.5"),
        ] {
            let column = test_column("double");
            let mut text = String::new();
            Value::Double(number).push_json(&column, &mut text);
            assert_eq!(
                (Value::Double(number).to_text(&column).unwrap().as_str(), text.as_str()),
                (table, json)
            );
        }
        assert_eq!(datetime(ZERO_DATETIME, 3), "0000-00-00 00:00:00.000");
        assert_eq!(
            [&b""[..], b"a", b"ab", b"abc", &[0xfb, 0xff]].map(base64),
            ["", "YQ==", "YWI=", "YWJj", "+/8="]
        );
        let mut text = String::new();
        push_json_bytes(b"a\xe2\x82b\xff\"\xc3\xa9", &mut text);
        assert_eq!(text, r#""a\ufffd\ufffdb\ufffd\"é""#);
        assert_eq!(members("enum('a','it''s',  'c') COLLATE x"), ["a", "it's", "c"]);
    }
}
