//! Commands that write: what they say, and every table that they leave behind, row by row.
//!
//! Times of the run and ids of events and comments cannot be the same in two runs and are replaced by a word; everything else has
//! to be.

use jiff::Timestamp;
use regex::Regex;
use serde_json::Value;

use super::{Twins, Who, all_same, first_line, without_bold};
use crate::support::Ran;

pub(super) const WRITING: &str = include_str!("writing.txt");

pub(super) const TABLES: [&str; 12] = [
    "issues",
    "wisps",
    "dependencies",
    "wisp_dependencies",
    "labels",
    "wisp_labels",
    "comments",
    "wisp_comments",
    "events",
    "wisp_events",
    "child_counters",
    "config",
];

/// Times since the test began, and ids that carry a time.
pub(super) struct Veil {
    begun: Timestamp,
    time: Regex,
    id: Regex,
}

impl Veil {
    pub(super) fn new() -> Self {
        // Rounding may put a time before the moment at which it was taken.
        let begun = Timestamp::now() - jiff::SignedDuration::from_secs(1);
        Self {
            begun,
            time: Regex::new(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)?Z?")
                .unwrap(),
            id: Regex::new(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}").unwrap(),
        }
    }

    pub(super) fn over(&self, text: &str) -> String {
        let times = self.time.replace_all(text, |found: &regex::Captures<'_>| {
            let time: Timestamp = format!("{}T{}Z", &found[1], &found[2]).parse().unwrap();
            let is_of_the_run = time >= self.begun && time < self.begun + jiff::SignedDuration::from_hours(1);
            if is_of_the_run { "(now)".to_owned() } else { found[0].to_owned() }
        });
        self.id.replace_all(&times, "(id)").into_owned()
    }
}

impl Twins {
    /// The rows of a table as text, sorted once their times and ids are gone.
    pub(super) fn rows(&self, who: Who, table: &str, veil: &Veil) -> Vec<String> {
        let database = self.dir(who).join(".beads/embeddeddolt/t");
        let dump = self.town.gt(&["db", "--dir", database.to_str().unwrap(), "dump", table]).ok().json();
        let rows = dump["rows"].as_array().unwrap();
        let mut rows: Vec<String> = rows.iter().map(|row: &Value| veil.over(&row.to_string())).collect();
        rows.sort();
        rows
    }

    /// What differs in the tables of the two workspaces.
    pub(super) fn different_rows(&self, veil: &Veil) -> Vec<String> {
        let mut differences = Vec::new();
        for table in TABLES {
            let (real, ours) = (self.rows(Who::Real, table, veil), self.rows(Who::Ours, table, veil));
            assert!(!real.is_empty() || table.starts_with("wisp"), "{table} is empty: nothing was compared");
            differences.extend(different_rows(table, &real, &ours));
        }
        differences
    }
}

/// What differs between the rows that both have left in a table. A row that one left more often differs too.
pub(super) fn different_rows(table: &str, real: &[String], ours: &[String]) -> Vec<String> {
    let only = |who: &str, these: &[String], those: &[String]| -> Vec<String> {
        let mut left = those.to_vec();
        let is_there = |row: &&String| match left.iter().position(|other| other == *row) {
            Some(at) => {
                left.swap_remove(at);
                true
            }
            None => false,
        };
        let (_, rest): (Vec<_>, Vec<_>) = these.iter().partition(is_there);
        rest.into_iter().map(|row| format!("{table}: only {who} left {row}")).collect()
    };
    [only("the real one", real, ours), only("ours", ours, real)].concat()
}

#[test]
fn commands_that_write_say_and_leave_what_the_real_ones_do() {
    let veil = Veil::new();
    let twins = Twins::copied();
    let shaped = |_, ran: &Ran| {
        let out = veil.over(&without_bold(&ran.out));
        [out, ran.code.to_string(), veil.over(&first_line(&ran.err))]
    };
    let mut differences = twins.differences(WRITING, shaped);
    differences.extend(twins.different_rows(&veil));
    all_same(&differences);
}
