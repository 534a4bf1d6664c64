//! RFC 3339 as Go's `time.Time` writes and reads it in JSON: a fraction of any length, no lower case, no space, years 0 to 9999.

use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Timestamp};

use crate::text::quoted;

/// A text that Go refuses as a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parsing time {}: not a time of RFC 3339", quoted(.0))]
pub struct NotRfc3339(pub String);

/// Reads an instant; its offset is not kept. Digits beyond nanoseconds do not count.
pub fn parse(text: &str) -> Result<Timestamp, NotRfc3339> {
    whole(text).ok_or_else(|| NotRfc3339(text.to_owned()))
}

fn whole(text: &str) -> Option<Timestamp> {
    let (civil, rest) = date_and_time(text, b"T")?;
    let ahead = if rest == "Z" { 0 } else { offset(rest)? };
    let utc = civil.checked_sub(SignedDuration::from_secs(ahead)).ok()?;
    jiff::tz::Offset::UTC.to_timestamp(utc).ok()
}

/// Seconds east of UTC.
fn offset(text: &str) -> Option<i64> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, text.get(1..)?),
        b'-' => (-1, text.get(1..)?),
        _ => return None,
    };
    let (hours, rest) = number(rest, 2)?;
    let (minutes, rest) = number(rest.strip_prefix(':')?, 2)?;
    let is_valid = hours <= 23 && minutes <= 59 && rest.is_empty();
    is_valid.then(|| sign * (i64::from(hours) * 3600 + i64::from(minutes) * 60))
}

/// `YYYY-MM-DD` and nothing else.
pub(super) fn date(text: &str) -> Option<Date> {
    leading_date(text).filter(|(_, rest)| rest.is_empty()).map(|(date, _)| date)
}

/// A date, `T` or a space, and a time, without an offset.
pub(super) fn civil(text: &str) -> Option<DateTime> {
    date_and_time(text, b"T ").filter(|(_, rest)| rest.is_empty()).map(|(civil, _)| civil)
}

/// In UTC, with as many digits of the fraction as are needed.
pub(super) fn text(time: Timestamp) -> String {
    time.to_string()
}

fn leading_date(text: &str) -> Option<(Date, &str)> {
    let (year, rest) = number(text, 4)?;
    let (month, rest) = number(rest.strip_prefix('-')?, 2)?;
    let (day, rest) = number(rest.strip_prefix('-')?, 2)?;
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    Some((date, rest))
}

fn date_and_time<'t>(text: &'t str, separators: &[u8]) -> Option<(DateTime, &'t str)> {
    let (date, rest) = leading_date(text)?;
    if !separators.contains(rest.as_bytes().first()?) {
        return None;
    }
    let (hour, rest) = number(rest.get(1..)?, 2)?;
    let (minute, rest) = number(rest.strip_prefix(':')?, 2)?;
    let (second, rest) = number(rest.strip_prefix(':')?, 2)?;
    let (nanosecond, rest) = fraction(rest)?;
    if second > 59 {
        return None;
    }
    let small = |number: i16| i8::try_from(number).ok();
    let time = Time::new(small(hour)?, small(minute)?, small(second)?, nanosecond).ok()?;
    Some((DateTime::from_parts(date, time), rest))
}

fn fraction(rest: &str) -> Option<(i32, &str)> {
    let Some(digits) = rest.strip_prefix('.') else { return Some((0, rest)) };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at_checked(end)?;
    if digits.is_empty() {
        return None;
    }
    let nanoseconds: String = digits.chars().chain("000000000".chars()).take(9).collect();
    Some((nanoseconds.parse().ok()?, rest))
}

fn number(text: &str, digits: usize) -> Option<(i16, &str)> {
    let (number, rest) = text.split_at_checked(digits)?;
    number.bytes().all(|b| b.is_ascii_digit()).then_some(())?;
    Some((number.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fractions_have_the_digits_they_need() {
        for (given, written) in [
            ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
            ("2026-01-02T03:04:05.600000Z", "2026-01-02T03:04:05.6Z"),
            ("2026-01-02T03:04:05.123456789987Z", "2026-01-02T03:04:05.123456789Z"),
            ("2026-01-02T03:04:05+02:30", "2026-01-02T00:34:05Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ] {
            assert_eq!(text(parse(given).unwrap()), written, "{given}");
        }
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for given in [
            "2026-01-02",
            "2026-01-02 03:04:05Z",
            "2026-01-02t03:04:05Z",
            "2026-13-02T03:04:05Z",
            "2026-02-29T03:04:05Z",
            "2026-01-02T24:04:05Z",
            "2026-01-02T03:04:60Z",
            "2026-01-02T03:04:05",
            "2026-01-02T03:04:05,5Z",
            "2026-01-02T03:04:05.Z",
            "2026-01-02T3:04:05Z",
            "2026-01-02T03:04:05+2:00",
            "2026-01-02T03:04:05+24:00",
            "2026-01-02T03:04:05é",
            "+2026-01-02T03:04:05Z",
        ] {
            assert!(parse(given).is_err(), "{given}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in -62_167_219_200_i64..253_402_300_800, nanos in 0..1_000_000_000_i32) {
            let time = Timestamp::new(seconds, nanos).unwrap();
            prop_assert_eq!(parse(&text(time)), Ok(time));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9TZ:.+ -]{0,30}|.{0,30}") {
            drop(parse(&text));
        }
    }
}
