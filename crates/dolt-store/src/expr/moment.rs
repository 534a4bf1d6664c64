//! Moments: the one in which an expression is evaluated, and those that texts spell.

use std::cell::RefCell;

use super::problem::{Result, unsupported};
use crate::table::{civil_of_days, micros_of_text};

/// What an expression needs of the world around it: this crate has neither a clock nor randomness.
pub struct EvalContext {
    utc: i64,
    local: i64,
    random: RefCell<Random>,
}

// What fills bytes.
type Random = Box<dyn FnMut(&mut [u8])>;

impl EvalContext {
    /// `utc`: microseconds since 1970; `offset`: microseconds by which local time is ahead of it, which `NOW()` gives;
    /// `random` fills bytes, for `UUID()`.
    pub fn new(utc: i64, offset: i64, random: impl FnMut(&mut [u8]) + 'static) -> Self {
        Self { utc, local: utc.saturating_add(offset), random: RefCell::new(Box::new(random)) }
    }

    /// `NOW(digits)`: cut to so many digits of a second.
    pub(crate) fn now(&self, digits: u32) -> i64 {
        cut(self.local, digits)
    }

    pub(crate) fn utc_now(&self, digits: u32) -> i64 {
        cut(self.utc, digits)
    }

    /// The local day.
    pub(crate) fn today(&self) -> i64 {
        self.local.div_euclid(DAY).saturating_mul(DAY)
    }

    /// `UUID()`, of version 4 as Dolt's are.
    pub(crate) fn uuid(&self) -> String {
        let mut bytes = [0u8; 16];
        (self.random.borrow_mut())(&mut bytes);
        let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
        *version = *version & 0x0f | 0x40;
        *variant = *variant & 0x3f | 0x80;
        let mut text = String::with_capacity(36);
        for (i, byte) in bytes.iter().enumerate() {
            if matches!(i, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            let digit = |n: u8| char::from_digit(u32::from(n), 16).unwrap_or('0');
            text.extend([digit(byte >> 4), digit(byte & 15)]);
        }
        text
    }
}

impl std::fmt::Debug for EvalContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EvalContext")
            .field("utc", &self.utc)
            .field("local", &self.local)
            .finish_non_exhaustive()
    }
}

/// Microseconds of a day.
pub(crate) const DAY: i64 = 86_400_000_000;

fn cut(micros: i64, digits: u32) -> i64 {
    let unit = 10i64.checked_pow(6u32.saturating_sub(digits)).unwrap_or(1);
    micros.div_euclid(unit).saturating_mul(unit)
}

/// The moment that a text spells: a day, or a day and a time. Other spellings, which Dolt may take, are refused.
pub(crate) fn moment_of_text(text: &str) -> Result<i64> {
    let is_plain = text.len() >= 10 && text.bytes().all(|b| b.is_ascii_digit() || b"-: .".contains(&b));
    let parts =
        |at: usize, end: usize| text.get(at..end).is_some_and(|p| p.bytes().all(|b| b.is_ascii_digit()));
    let is_dated = parts(0, 4) && parts(5, 7) && parts(8, 10);
    let spelled =
        |(year, month, day): (i64, i64, i64)| text.starts_with(&format!("{year:04}-{month:02}-{day:02}"));
    match micros_of_text(text) {
        Some(micros) if is_plain && is_dated && spelled(date_of(micros)) => Ok(micros),
        _ => unsupported(&format!("the moment {text:?}")),
    }
}

/// Year, month and day of a moment.
pub(crate) fn date_of(micros: i64) -> (i64, i64, i64) {
    civil_of_days(micros.div_euclid(DAY))
}
