//! Samples, targets and the table that holds them together.

use std::fmt::Write;
use std::time::Duration;

/// Measured values of one row: milliseconds, or a plain number.
#[derive(Default)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) const fn none() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn push(&mut self, took: Duration) {
        self.0.push(took.as_secs_f64() * 1000.0);
    }

    /// How much longer the first took than the second; may be negative.
    pub(crate) fn push_difference(&mut self, longer: Duration, shorter: Duration) {
        self.0.push((longer.as_secs_f64() - shorter.as_secs_f64()) * 1000.0);
    }

    pub(crate) fn push_number(&mut self, number: f64) {
        self.0.push(number);
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    pub(crate) fn median(&self) -> f64 {
        let sorted = self.sorted();
        let middle = sorted.len() / 2;
        if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
    }
}

/// What the median of a row is held against.
pub(crate) enum Target {
    None,
    AtMostMs(f64),
    /// The limit, and where it comes from if that is not plain.
    BelowMs(f64, &'static str),
    AtMost(f64),
    Below(f64),
    AtLeast(f64),
}

impl Target {
    fn is_met(&self, median: f64) -> Option<bool> {
        match *self {
            Self::None => None,
            Self::AtMostMs(limit) | Self::AtMost(limit) => Some(median <= limit),
            Self::BelowMs(limit, _) | Self::Below(limit) => Some(median < limit),
            Self::AtLeast(limit) => Some(median >= limit),
        }
    }

    fn verdict(&self, median: f64) -> String {
        let Some(met) = self.is_met(median) else { return String::new() };
        let limit = match self {
            Self::None => String::new(),
            Self::AtMostMs(limit) => format!("≤ {limit:.0} ms"),
            Self::BelowMs(limit, "") => format!("< {limit:.0} ms"),
            Self::BelowMs(limit, why) => format!("< {limit:.0} ms ({why})"),
            Self::AtMost(limit) => format!("≤ {limit}"),
            Self::Below(limit) => format!("< {limit:.0}"),
            Self::AtLeast(limit) => format!("≥ {limit:.0}"),
        };
        format!("{limit}: {}", if met { "met" } else { "**MISSED**" })
    }
}

/// Rows under one heading.
pub(crate) struct Table {
    title: String,
    rows: Vec<(String, Samples, Target)>,
}

impl Table {
    pub(crate) fn new(title: &str) -> Self {
        Self { title: title.to_owned(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, what: &str, samples: Samples, target: Target) {
        self.rows.push((what.to_owned(), samples, target));
    }

    pub(crate) fn missed(&self) -> usize {
        self.rows.iter().filter(|(_, samples, target)| target.is_met(samples.median()) == Some(false)).count()
    }

    /// The table in Markdown.
    pub(crate) fn render(&self) -> String {
        let mut text =
            format!("| {} | median | min | max | target |\n|---|---:|---:|---:|---|\n", self.title);
        for (what, samples, target) in &self.rows {
            let (sorted, median) = (samples.sorted(), samples.median());
            let (min, max) = (sorted[0], sorted[sorted.len() - 1]);
            writeln!(text, "| {what} | {median:.1} | {min:.1} | {max:.1} | {} |", target.verdict(median))
                .unwrap();
        }
        text
    }
}
