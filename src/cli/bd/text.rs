//! The small pieces of text that several commands print (bd 1.1.0 `internal/ui`, `cmd/bd/feedback.go`).

use std::io;

use beads::Status;
use jiff::{Timestamp, Zoned};

/// What the system says of a file, as Go spells it: small, and without its number.
pub(super) fn in_go(error: &io::Error) -> String {
    let text = error.to_string();
    let words = text.split_once(" (os error").map_or(text.as_str(), |(words, _)| words);
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// What is said about a date of `--defer` or `--until` that has passed; shown as it is where the user is.
pub(super) fn in_the_past(until: Timestamp, here: &Zoned, flag: &str) -> String {
    let shown = until.to_zoned(here.time_zone().clone()).strftime("%Y-%m-%d %H:%M").to_string();
    format!(
        "! Defer date {shown:?} is in the past. Issue will appear in bd ready immediately.\n  \
         Did you mean a future date? Use --{flag}=+1h or --{flag}=tomorrow"
    )
}

/// The sign of a state.
pub(super) fn icon(status: &Status) -> &'static str {
    match status {
        Status::Open => "○",
        Status::InProgress => "◐",
        Status::Blocked => "●",
        Status::Closed => "✓",
        Status::Deferred => "❄",
        Status::Pinned => "📌",
        Status::Hooked | Status::Other(_) => "◇",
    }
}

/// `id — title`, or the id alone.
pub(super) fn id_and_title(id: &str, title: &str) -> String {
    if title.is_empty() { id.to_owned() } else { format!("{id} — {}", shortened(title)) }
}

/// `id (title)`, or the id alone.
pub(super) fn id_with_title(id: &str, title: &str) -> String {
    if title.is_empty() { id.to_owned() } else { format!("{id} ({})", shortened(title)) }
}

/// At most 255 characters, the last three of them dots.
fn shortened(title: &str) -> String {
    const MOST: usize = 255;
    if title.chars().count() <= MOST {
        return title.to_owned();
    }
    title.chars().take(MOST - 3).chain("...".chars()).collect()
}
