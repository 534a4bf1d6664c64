//! Durations, moments and ports as people type them.

use std::time::Duration;

use crate::sys::clock::{self, Timestamp};
use crate::sys::net::Port;

/// `90`, `90s`, `5m`, `2h`, `1d`; a bare number is seconds.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.get(digits.len()..).unwrap_or_default();
    let (scale, is_ms) = match unit {
        "ms" => (1, true),
        "" | "s" => (1, false),
        "m" | "min" => (60, false),
        "h" => (3600, false),
        "d" => (86_400, false),
        _ => return Err(format!("{unit:?} is no unit of time: use ms, s, m, h or d")),
    };
    let number: f64 = digits.parse().map_err(|_| format!("{text:?} is no duration: try 30s or 5m"))?;
    let seconds = number * f64::from(scale) / if is_ms { 1000.0 } else { 1.0 };
    Duration::try_from_secs_f64(seconds).map_err(|_| format!("{text:?} is no possible duration"))
}

/// A duration ago (`10m`), or an RFC 3339 time (`2026-11-21T07:50:24Z`).
pub(crate) fn parse_moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Ok(stamp);
    }
    let ago = parse_duration(text)
        .map_err(|_| format!("{text:?} is neither a duration (10m) nor a time (2026-11-21T07:50:24Z)"))?;
    clock::now().checked_sub(ago).map_err(|e| e.to_string())
}

/// A port.
pub(crate) fn parse_port(text: &str) -> Result<Port, String> {
    text.trim().parse().map_err(|_| "a port is a whole number from 1 to 65535".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_and_without_units() {
        assert_eq!(parse_duration("30").unwrap(), Duration::from_secs(30));
        assert_eq!(parse_duration("1.5m").unwrap(), Duration::from_secs(90));
        assert_eq!(parse_duration("250ms").unwrap(), Duration::from_millis(250));
        for bad in ["", "m", "-1s", "5 parsecs", "1e400"] {
            assert!(parse_duration(bad).is_err(), "{bad:?}");
        }
        assert!(parse_moment("2026-11-21T07:50:24Z").is_ok() && parse_moment("yesterday").is_err());
    }
}
