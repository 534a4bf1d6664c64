//! Time: deadlines for waits, wall-clock stamps for files, the boot id that tells whether a PID is from this boot.

#![expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]

use std::time::{Duration, Instant};

pub use jiff::Timestamp;

/// A moment after which a wait gives up.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    begun: Instant,
    limit: Duration,
}

impl Deadline {
    /// A deadline `limit` from now.
    pub fn after(limit: Duration) -> Self {
        Self { begun: Instant::now(), limit }
    }

    /// How long is left; zero once it has passed.
    pub fn remaining(&self) -> Duration {
        self.limit.saturating_sub(self.begun.elapsed())
    }

    /// How long we have been waiting.
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Whether the time is up.
    pub fn has_passed(&self) -> bool {
        self.remaining().is_zero()
    }

    /// The whole time that was allowed.
    pub fn limit(&self) -> Duration {
        self.limit
    }
}

/// Measures a duration.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts measuring.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The wall clock now.
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// `2026-11-21 07:50:24` in the local time zone.
pub fn local(stamp: Timestamp) -> String {
    stamp.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `Sat Nov 21 09:45:43 +0000 2026` in the local time zone, as Go's and git's logs spell it.
pub fn in_words(stamp: Timestamp) -> String {
    stamp.to_zoned(jiff::tz::TimeZone::system()).strftime("%a %b %d %H:%M:%S %z %Y").to_string()
}

/// A duration for people: `0.4 s`, `12 s`, `3 min`, `5 h`, `2 d`.
pub fn human(duration: Duration) -> String {
    match duration.as_secs() {
        0..10 => format!("{:.1} s", duration.as_secs_f64()),
        s @ 10..120 => format!("{s} s"),
        s @ 120..7200 => format!("{} min", s / 60),
        s @ 7200..172_800 => format!("{} h", s / 3600),
        s => format!("{} d", s / 86_400),
    }
}

/// How long ago `stamp` was; zero if it lies in the future.
pub fn age(stamp: Timestamp) -> Duration {
    Duration::try_from(now().duration_since(stamp)).unwrap_or_default()
}

/// The kernel's id of this boot (Linux), `None` where there is none.
pub fn boot_id() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned())
}

/// Waits between two looks at a condition. Never used to let time pass in the hope that something is done.
pub async fn pause(between_looks: Duration) {
    tokio::time::sleep(between_looks).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_like_a_person_would_say_them() {
        assert_eq!(human(Duration::from_millis(440)), "0.4 s");
        assert_eq!(human(Duration::from_secs(59)), "59 s");
        assert_eq!(human(Duration::from_mins(10)), "10 min");
        assert_eq!(human(Duration::from_hours(72)), "3 d");
    }
}
