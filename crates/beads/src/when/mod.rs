//! Points in time: how they are written and read in JSON, how the database rounds them, and the phrases that users type.
//!
//! A phrase is read relative to a given `now`, whose time zone is the user's. Where Go and jiff count calendars differently (a
//! month after 31 January), Go's way counts here.

mod natural;
#[cfg(test)]
mod natural_phrases;
mod rfc3339;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{RoundMode, SignedDuration, Span, Timestamp, TimestampRound, Unit, Zoned};
use serde::{Serialize, Serializer};

pub use rfc3339::{NotRfc3339, parse as parse_rfc3339};

use crate::text::quoted;

/// A text that is no point in time (bd `timeparsing.ParseRelativeTime`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot parse time expression: {} (examples: +6h, tomorrow, 2025-01-15)", quoted(.0))]
pub struct NotATime(pub String);

/// Reads what a user may type for a time, by bd's layers: `+6h`, `-1d`, `2w`, `3m`, `1y`; `2025-01-15`, RFC 3339, a date and a
/// time with `T` or a space; then English, such as `tomorrow`, `next monday at 9am`, `in 3 days`, `2 hours ago`.
///
/// Like bd, English finds its words anywhere in the text: `2025-13-01` is no date, but has `13-01` in it, which is 13:01 today.
pub fn parse(text: &str, now: &Zoned) -> Result<Zoned, NotATime> {
    let absolute = || absolute(text, now.time_zone());
    compact(text, now)
        .or_else(absolute)
        .or_else(|| natural::parse(text, now))
        .ok_or_else(|| NotATime(text.to_owned()))
}

/// `[+-]?<digits><hdwmy>` alone: hours are exact, the others count the calendar (bd `ParseCompactDuration`).
pub fn compact(text: &str, now: &Zoned) -> Option<Zoned> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let unit = digits.chars().last()?;
    let digits = digits.strip_suffix(unit)?;
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let amount: i64 = digits.parse().ok()?;
    let amount = if negative { -amount } else { amount };
    let (date, time, zone) = (now.date(), now.time(), now.time_zone());
    let (year, month, day) = (i64::from(date.year()), i64::from(date.month()), i64::from(date.day()));
    match unit {
        'h' => now.checked_add(SignedDuration::try_from_hours(amount)?).ok(),
        'd' => local(normalized(year, month, day.checked_add(amount)?)?, time, zone),
        'w' => local(normalized(year, month, day.checked_add(amount.checked_mul(7)?)?)?, time, zone),
        'm' => local(normalized(year, month.checked_add(amount)?, day)?, time, zone),
        'y' => local(normalized(year.checked_add(amount)?, month, day)?, time, zone),
        _ => None,
    }
}

fn absolute(text: &str, zone: &TimeZone) -> Option<Zoned> {
    if let Some(date) = rfc3339::date(text) {
        return local(date, Time::midnight(), zone);
    }
    if let Ok(instant) = rfc3339::parse(text) {
        return Some(instant.to_zoned(zone.clone()));
    }
    let civil = rfc3339::civil(text)?;
    local(civil.date(), civil.time(), zone)
}

/// A day in Go's `time.Date`: months beyond 12 and days beyond the month's end count on.
fn normalized(year: i64, month: i64, day: i64) -> Option<Date> {
    let months = month.checked_sub(1)?;
    let year = i16::try_from(year.checked_add(months.div_euclid(12))?).ok()?;
    let month = i8::try_from(months.rem_euclid(12)).ok()?.checked_add(1)?;
    let days = Span::new().try_days(day.checked_sub(1)?).ok()?;
    Date::new(year, month, 1).ok()?.checked_add(days).ok()
}

fn local(date: Date, time: Time, zone: &TimeZone) -> Option<Zoned> {
    DateTime::from_parts(date, time).to_zoned(zone.clone()).ok()
}

/// To the whole second, half a second up, as a `datetime` column does.
pub fn round_to_second(time: Timestamp) -> Timestamp {
    // The instants beside the ends of the calendar cannot be rounded and stay.
    time.round(TimestampRound::new().smallest(Unit::Second).mode(RoundMode::HalfCeil)).unwrap_or(time)
}

/// Down to the whole second, as an import compares `updated_at` and as `UTC_TIMESTAMP()` is.
pub fn truncate_to_second(time: Timestamp) -> Timestamp {
    time.round(TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Floor)).unwrap_or(time)
}

/// `None` for Go's zero time, the first instant of year 1.
pub fn not_zero(time: Timestamp) -> Option<Timestamp> {
    (time.as_second() != ZERO).then_some(time)
}

const ZERO: i64 = -62_135_596_800;

/// Go's zero time for a time that must be there.
#[expect(clippy::ref_option, reason = "serde gives references to fields")]
pub(crate) fn write_required<S: Serializer>(
    time: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => rfc3339::text(*time).serialize(serializer),
        None => serializer.serialize_str("0001-01-01T00:00:00Z"),
    }
}

/// A time that may be missing.
#[expect(clippy::ref_option, reason = "serde gives references to fields")]
pub(crate) fn write_opt<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(rfc3339::text).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Zoned {
        // A Saturday.
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        "2026-01-31T10:20:30.5+02:00".parse::<Timestamp>().unwrap().to_zoned(zone)
    }

    #[track_caller]
    fn reads(text: &str, expected: &str) {
        let read = parse(text, &now()).map(|time| time.strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string());
        assert_eq!(read.as_deref(), Ok(expected), "{text}");
    }

    #[test]
    fn durations_count_as_in_go() {
        reads("+6h", "2026-01-31T16:20:30.5+02:00");
        reads("-1d", "2026-01-30T10:20:30.5+02:00");
        reads("2w", "2026-02-14T10:20:30.5+02:00");
        // 31 February is 3 March.
        reads("1m", "2026-03-03T10:20:30.5+02:00");
        reads("-2m", "2025-12-01T10:20:30.5+02:00");
        reads("1y", "2027-01-31T10:20:30.5+02:00");
        reads("-13m", "2024-12-31T10:20:30.5+02:00");
    }

    #[test]
    fn dates_are_in_the_users_zone_and_rfc_3339_says_its_own() {
        reads("2025-01-15", "2025-01-15T00:00:00+02:00");
        reads("2025-01-15T10:00:00Z", "2025-01-15T12:00:00+02:00");
        reads("2025-01-15T10:00:00.25-01:00", "2025-01-15T13:00:00.25+02:00");
        reads("2025-01-15T10:00:00", "2025-01-15T10:00:00+02:00");
        reads("2025-01-15 10:00:01.5", "2025-01-15T10:00:01.5+02:00");
    }

    #[test]
    fn nonsense_is_refused_in_bds_words() {
        for text in ["", "nonsense", "+6x", "99999999999999999999d", "9999999y", "--1d"] {
            let expected =
                format!("cannot parse time expression: \"{text}\" (examples: +6h, tomorrow, 2025-01-15)");
            assert_eq!(parse(text, &now()).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_datetime_column_rounds_half_up() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        for (given, rounded) in [
            ("2026-01-02T03:04:05.4Z", "2026-01-02T03:04:05Z"),
            ("2026-01-02T03:04:05.5Z", "2026-01-02T03:04:06Z"),
            ("1969-12-31T23:59:58.5Z", "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(round_to_second(at(given)), at(rounded));
        }
        assert_eq!(truncate_to_second(at("1969-12-31T23:59:58.9Z")), at("1969-12-31T23:59:58Z"));
    }
}
