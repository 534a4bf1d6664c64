//! The shortest digits that read back as the same number, as Go finds them (`strconv`, format `e` with precision −1).
//!
//! Rust finds digits of the same length. Where two of these are equally near to the number, Go takes the even one and Rust
//! may take the other: …33.25 is …33.2 for Go.

/// A number of 64 bits: `1.5e-7`.
pub(crate) fn double(n: f64) -> String {
    even_of_two(format!("{n:e}"), n, |text| text.parse() == Ok(n))
}

/// A number of 32 bits.
pub(crate) fn float(n: f32) -> String {
    even_of_two(format!("{n:e}"), f64::from(n), |text| text.parse() == Ok(n))
}

fn even_of_two(text: String, exact: f64, reads_back: impl Fn(&str) -> bool) -> String {
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    let Some(last) = digits.chars().last().and_then(|c| c.to_digit(10)).filter(|d| d % 2 == 1) else {
        return text;
    };
    let front = digits.get(..digits.len().saturating_sub(1)).unwrap_or_default();
    for (other, is_above) in [(last.checked_sub(1), false), (last.checked_add(1), true)] {
        // With a nought behind there would be shorter digits.
        let Some(other) = other.filter(|d| (1..10).contains(d)) else { continue };
        let candidate = format!("{front}{other}e{exponent}");
        let lower = if is_above { digits.to_owned() } else { format!("{front}{other}") };
        if reads_back(&candidate) && is_half_above(exact, &lower) {
            return candidate;
        }
    }
    text
}

// Whether a number lies in the very middle between these digits and the next of the same length.
fn is_half_above(exact: f64, digits: &str) -> bool {
    // No number has so many noughts inside.
    const BEHIND: usize = 40;
    let places = digits.split_once('.').map_or(0, |(_, places)| places.len());
    let expanded = format!("{:.*e}", places.saturating_add(BEHIND), exact);
    let expanded = expanded.split_once('e').map_or("", |(digits, _)| digits);
    let rest = expanded.strip_prefix(digits).map(|rest| rest.trim_start_matches('.'));
    rest.and_then(|rest| rest.strip_prefix('5')).is_some_and(|rest| rest.bytes().all(|b| b == b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn of_two_that_are_equally_near_the_even_one_is_taken() {
        // As Go 1.26 prints them.
        for (n, wanted) in [
            (-4_889_422_626_903_733.0 / 4.0, "-1.2223556567259332e15"),
            (4_889_422_626_903_735.0 / 4.0, "1.2223556567259338e15"),
            (5e-324, "5e-324"),
            (0.3, "3e-1"),
            (1e23, "1e23"),
            (f64::MAX, "1.7976931348623157e308"),
            (9_007_199_254_740_993.0, "9.007199254740992e15"),
            (0.0, "0e0"),
        ] {
            assert_eq!(double(n), wanted);
        }
        assert_eq!(float(0.1), "1e-1");
        assert_eq!(float(f32::MAX), "3.4028235e38");
    }

    proptest! {
        #[test]
        fn every_number_is_read_back(bits: u64, small: u32) {
            let (n, f) = (f64::from_bits(bits), f32::from_bits(small));
            prop_assert!(n.is_nan() || double(n).parse() == Ok(n));
            prop_assert!(f.is_nan() || float(f).parse() == Ok(f));
            let rusts = format!("{n:e}");
            prop_assert!(n.is_nan() || double(n).len() == rusts.len());
        }
    }
}
