//! Decimal numbers: a whole number and a scale. At most 38 digits; what has more is refused by who asks (`None`).

use std::cmp::Ordering;
use std::fmt;

/// A decimal number: `digits` with the point before the last `scale` of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decimal {
    digits: i128,
    scale: u32,
    // Digits as they were written, zeros in front among them.
    written: u32,
}

impl Decimal {
    /// A number of so many digits behind the point.
    pub(crate) fn new(digits: i128, scale: u32) -> Self {
        let mut number = Self { digits, scale, written: 0 };
        number.written = number.precision();
        number
    }

    /// Reads digits with a point perhaps, and a minus perhaps.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (is_negative, digits) = match text.as_bytes().first()? {
            b'-' => (true, text.get(1..)?),
            _ => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if !is_plain(whole) || !is_plain(fraction) || (whole.is_empty() && fraction.is_empty()) {
            return None;
        }
        let magnitude: i128 = format!("{whole}{fraction}").parse().ok()?;
        let scale = u32::try_from(fraction.len()).ok()?;
        let written = u32::try_from(whole.len()).ok()?.checked_add(scale)?;
        let digits = if is_negative { magnitude.checked_neg()? } else { magnitude };
        Some(Self { digits, scale, written })
    }

    /// Digits behind the point.
    pub(crate) fn scale(&self) -> u32 {
        self.scale
    }

    /// Its digits without zeros in front.
    pub(crate) fn digits(&self) -> u32 {
        self.digits.unsigned_abs().checked_ilog10().map_or(1, |n| n.saturating_add(1))
    }

    // All digits, at least one before the point.
    fn precision(&self) -> u32 {
        self.digits().max(self.scale.saturating_add(1))
    }

    /// All digits as it was written: `.5` has one, `007` three.
    pub(crate) fn written_precision(&self) -> u32 {
        self.written
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.digits == 0
    }

    pub(crate) fn is_negative(&self) -> bool {
        self.digits < 0
    }

    /// Rounded to so many digits behind the point, halves away from zero. With fewer digits it stays as it is.
    pub(crate) fn rounded(&self, scale: u32) -> Option<Self> {
        if self.scale <= scale {
            return Some(*self);
        }
        let unit = power(self.scale.checked_sub(scale)?)?;
        let half = unit.checked_div(2)?;
        let away = if self.digits < 0 { half.checked_neg()? } else { half };
        Some(Self::new(self.digits.checked_add(away)?.checked_div(unit)?, scale))
    }

    /// Cut to so many digits behind the point.
    pub(crate) fn truncated(&self, scale: u32) -> Option<Self> {
        if self.scale <= scale {
            return Some(*self);
        }
        let unit = power(self.scale.checked_sub(scale)?)?;
        Some(Self::new(self.digits.checked_div(unit)?, scale))
    }

    /// With exactly so many digits behind the point.
    pub(crate) fn scaled(&self, scale: u32) -> Option<Self> {
        if self.scale >= scale {
            return self.rounded(scale);
        }
        let factor = power(scale.checked_sub(self.scale)?)?;
        Some(Self::new(self.digits.checked_mul(factor)?, scale))
    }

    /// As a column of so many digits keeps it.
    pub(crate) fn fitted(&self, precision: u32, scale: u32) -> Option<Self> {
        let scaled = self.scaled(scale)?;
        let fits = match power(precision) {
            Some(limit) => scaled.digits.unsigned_abs() < limit.unsigned_abs(),
            // A limit that no number here reaches.
            None => true,
        };
        fits.then_some(scaled)
    }

    /// The whole part. `None`: the point does not stand behind all digits.
    pub(crate) fn whole(&self) -> Option<i128> {
        (self.scale == 0).then_some(self.digits)
    }

    /// The nearest float.
    pub(crate) fn to_f64(self) -> f64 {
        self.to_string().parse().unwrap_or_default()
    }

    // Both with the greater scale.
    fn aligned(&self, other: &Self) -> Option<(i128, i128, u32)> {
        let scale = self.scale.max(other.scale);
        Some((self.scaled(scale)?.digits, other.scaled(scale)?.digits, scale))
    }

    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        self.aligned(other).map(|(a, b, _)| a.cmp(&b))
    }

    pub(crate) fn plus(&self, other: &Self) -> Option<Self> {
        let (a, b, scale) = self.aligned(other)?;
        Some(Self::new(a.checked_add(b)?, scale))
    }

    pub(crate) fn minus(&self, other: &Self) -> Option<Self> {
        let (a, b, scale) = self.aligned(other)?;
        Some(Self::new(a.checked_sub(b)?, scale))
    }

    pub(crate) fn times(&self, other: &Self) -> Option<Self> {
        let scale = self.scale.checked_add(other.scale)?;
        Some(Self::new(self.digits.checked_mul(other.digits)?, scale))
    }

    /// The quotient cut to so many digits behind the point. The divisor is not zero.
    pub(crate) fn divided(&self, other: &Self, scale: u32) -> Option<Self> {
        // (a / 10^sa) / (b / 10^sb) = a * 10^(scale + sb - sa) / b / 10^scale
        let up = scale.checked_add(other.scale)?;
        let quotient = if up >= self.scale {
            self.digits.checked_mul(power(up.checked_sub(self.scale)?)?)?.checked_div(other.digits)?
        } else {
            let divisor = other.digits.checked_mul(power(self.scale.checked_sub(up)?)?)?;
            self.digits.checked_div(divisor)?
        };
        Some(Self::new(quotient, scale))
    }

    /// What is left when the other goes in a whole number of times; it has this one's sign. The divisor is not zero.
    pub(crate) fn remainder(&self, other: &Self) -> Option<Self> {
        let (a, b, scale) = self.aligned(other)?;
        Some(Self::new(a.checked_rem(b)?, scale))
    }

    pub(crate) fn negated(&self) -> Option<Self> {
        Some(Self::new(self.digits.checked_neg()?, self.scale))
    }
}

fn power(exponent: u32) -> Option<i128> {
    10i128.checked_pow(exponent)
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.digits < 0 {
            f.write_str("-")?;
        }
        let scale = usize::try_from(self.scale).unwrap_or(0);
        let digits = format!("{:0>width$}", self.digits.unsigned_abs(), width = scale.saturating_add(1));
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(scale));
        f.write_str(whole)?;
        if scale > 0 { write!(f, ".{fraction}") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn numbers_keep_their_scale_and_round_away_from_zero() {
        let shown = |d: Option<Decimal>| d.unwrap().to_string();
        assert_eq!(n(".5").to_string(), "0.5");
        assert_eq!(n("-007.50").to_string(), "-7.50");
        assert_eq!(shown(n("2.5").rounded(0)), "3");
        assert_eq!(shown(n("-2.45").rounded(1)), "-2.5");
        assert_eq!(shown(n("-2.49").truncated(1)), "-2.4");
        assert_eq!(shown(n("1").scaled(3)), "1.000");
        assert_eq!(shown(n("1.5").plus(&n("2.25"))), "3.75");
        assert_eq!(shown(n("1.5").times(&n("-2.25"))), "-3.375");
        assert_eq!(shown(n("1").divided(&n("3"), 5)), "0.33333");
        assert_eq!(shown(n("-7.5").remainder(&n("2"))), "-1.5");
        assert!(n("999.995").fitted(5, 2).is_none() && n("999.994").fitted(5, 2).is_some());
        assert_eq!(n("1.50").compare(&n("1.5")), Some(Ordering::Equal));
        assert!(Decimal::parse(&"9".repeat(39)).is_none() && Decimal::parse("1.2.3").is_none());
        assert!(
            Decimal::parse("-").is_none() && Decimal::parse("").is_none() && Decimal::parse("+1").is_none()
        );
    }
}
