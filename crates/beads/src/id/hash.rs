//! Hash ids: some digits in base 36 of a hash over title, description, author and time. Their number grows with the number of
//! issues, so that a collision stays unlikely; one that happens is met by another nonce.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// How long a hash has to be, from the keys `max_collision_prob`, `min_hash_length` and `max_hash_length` of the configuration
/// (bd `issueops/helpers.go`: `AdaptiveIDConfig`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LengthRule {
    /// Highest probability that any two of all ids collide.
    pub max_collision: f64,
    /// First length to consider.
    pub min: u32,
    /// Last length to consider.
    pub max: u32,
}

impl Default for LengthRule {
    fn default() -> Self {
        Self { max_collision: 0.25, min: 3, max: 8 }
    }
}

impl LengthRule {
    /// The length for a store with so many ids of the prefix, children not counted (bd `ComputeAdaptiveLength`).
    pub fn length(&self, issues: u32) -> u32 {
        let pairs = f64::from(issues) * f64::from(issues);
        let fits = |length: &u32| {
            let ids = 36_f64.powi(i32::try_from(*length).unwrap_or(i32::MAX));
            1.0 - libm::exp(-pairs / (2.0 * ids)) <= self.max_collision
        };
        (self.min..=self.max).find(fits).unwrap_or(self.max)
    }

    /// The least number of ids for which they are as long as for so many: who counts need count no further.
    pub fn least_of_length(&self, issues: u32) -> u32 {
        let length = self.length(issues);
        let (mut low, mut high) = (0, issues);
        while low < high {
            let middle = low.midpoint(high);
            if self.length(middle) < length {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// What goes into the hash of a new issue's id.
#[derive(Debug, Clone, Copy)]
pub struct NewId<'a> {
    /// Without hyphen at the end.
    pub prefix: &'a str,
    /// Title.
    pub title: &'a str,
    /// Description.
    pub description: &'a str,
    /// Who makes the issue.
    pub actor: &'a str,
    /// When, in nanoseconds: not the rounded time of the row.
    pub created_at: Timestamp,
}

/// No length and nonce gives a free id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("failed to generate unique ID after trying lengths {0}-8 with 10 nonces each")]
pub struct Exhausted(pub u32);

impl NewId<'_> {
    /// The first free id: ten nonces for the length that the rule demands, then ten for the next (bd `GenerateIssueIDInTable`).
    pub fn free(
        &self,
        rule: &LengthRule,
        issues: u32,
        is_taken: impl Fn(&str) -> bool,
    ) -> Result<String, Exhausted> {
        let shortest = rule.length(issues).min(8);
        let candidates = (shortest..=8).flat_map(|length| (0..10).map(move |nonce| (length, nonce)));
        let mut ids = candidates.map(|(length, nonce)| hash_id(self, length, nonce));
        ids.find(|id| !is_taken(id)).ok_or(Exhausted(shortest))
    }
}

/// The id of one length and nonce (bd `idgen.GenerateHashID`): SHA-256 over `title|description|actor|nanoseconds|nonce`, the
/// first bytes as a big-endian number, its last digits in base 36.
pub fn hash_id(new: &NewId<'_>, length: u32, nonce: u32) -> String {
    let NewId { prefix, title, description, actor, created_at } = new;
    // Go's UnixNano has 64 bits and wraps beyond the years 1677 to 2262.
    let nanoseconds = created_at.as_nanosecond();
    let wrapped = nanoseconds.rem_euclid(1 << 64);
    let wrapped = if wrapped >= 1 << 63 { wrapped - (1 << 64) } else { wrapped };
    let hash = Sha256::digest(format!("{title}|{description}|{actor}|{wrapped}|{nonce}"));
    let bytes = match length {
        3 => 2,
        5 | 6 => 4,
        7 | 8 => 5,
        _ => 3,
    };
    let number = hash.iter().take(bytes).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let digits: Vec<u8> = (0..length)
        .scan(number, |rest, _| {
            let digit = u8::try_from(*rest % 36).unwrap_or_default();
            *rest /= 36;
            Some(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 })
        })
        .collect();
    let digits: String = digits.iter().rev().map(|digit| char::from(*digit)).collect();
    format!("{prefix}-{digits}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_grow_in_bds_steps() {
        let rule = LengthRule::default();
        for (last, length) in [(163, 3), (983, 4), (5_898, 5), (35_389, 6)] {
            assert_eq!(rule.length(last), length, "{last}");
            assert_eq!(rule.length(last + 1), length + 1, "{last} + 1");
            assert_eq!(rule.least_of_length(last + 1), last + 1);
            assert_eq!(rule.least_of_length(last + 100), last + 1);
        }
        assert_eq!(rule.length(u32::MAX), 8);
        assert_eq!(LengthRule { min: 5, max: 4, ..rule }.length(1), 4);
    }

    #[test]
    fn a_collision_takes_the_next_nonce_and_then_the_next_length() {
        let new =
            NewId { prefix: "x", title: "t", description: "", actor: "a", created_at: Timestamp::UNIX_EPOCH };
        let rule = LengthRule::default();
        assert_eq!(new.free(&rule, 0, |_| false), Ok(hash_id(&new, 3, 0)));
        let first = hash_id(&new, 3, 0);
        assert_eq!(new.free(&rule, 0, |id| id == first), Ok(hash_id(&new, 3, 1)));
        assert_eq!(new.free(&rule, 0, |id| id.len() == 5), Ok(hash_id(&new, 4, 0)));
        assert_eq!(new.free(&rule, 0, |_| true), Err(Exhausted(3)));
        let told = "failed to generate unique ID after trying lengths 3-8 with 10 nonces each";
        assert_eq!(Exhausted(3).to_string(), told);
    }

    proptest! {
        #[test]
        fn an_id_has_the_length_and_the_digits(title in ".{0,20}", seconds in -9_000_000_000_i64..9_000_000_000, length in 3..=8_u32, nonce in 0..10_u32) {
            let created_at = Timestamp::from_second(seconds).unwrap();
            let id = hash_id(&NewId { prefix: "p-q", title: &title, description: "", actor: "", created_at }, length, nonce);
            let digits = id.strip_prefix("p-q-").unwrap();
            prop_assert_eq!(digits.len(), usize::try_from(length).unwrap());
            prop_assert!(digits.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase()));
        }
    }
}
