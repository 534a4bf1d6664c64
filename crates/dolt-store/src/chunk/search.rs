//! Finds a key in a sorted array of a file without reading the array: addresses are evenly spread, so interpolation
//! lands close after two or three reads. Falls back to halving, so that no content of a file can make it slow.

use crate::Result;

/// How many entries are read at once when the place is known that closely.
const BLOCK: u64 = 128;
/// After so many guesses the rest is halved.
const GUESSES: u32 = 6;

/// A sorted array of keys in a file.
pub(super) trait SortedKeys {
    /// How many.
    fn count(&self) -> u64;
    /// The keys from `first` on, `len` of them.
    fn keys(&self, first: u64, len: u64) -> Result<Vec<u64>>;
}

/// The index of the first entry that is not smaller than `key`, with the run of equal keys that begins there.
pub(super) fn equal_range(array: &impl SortedKeys, key: u64) -> Result<std::ops::Range<u64>> {
    let mut range = Range { low: 0, high: array.count(), low_key: 0, high_key: u64::MAX };
    let mut round = 0u32;
    while range.span() > BLOCK {
        let is_guess = round < GUESSES;
        round = round.saturating_add(1);
        let at = if is_guess { range.guess(key) } else { range.middle() };
        let found_before = range.narrow(array, at, key)?;
        // A guess that hits the key's neighbourhood from one side only would crawl: narrow the other side by a block.
        let near = if found_before {
            range.low.saturating_add(BLOCK / 2)
        } else {
            range.high.saturating_sub(BLOCK / 2)
        };
        if is_guess && near > range.low && near < range.high {
            range.narrow(array, near, key)?;
        }
    }
    let Range { low, high, .. } = range;
    let block = array.keys(low, high.saturating_sub(low))?;
    let before = block.iter().take_while(|k| **k < key).count() as u64;
    let first = low.saturating_add(before);
    let mut end = first;
    // Equal prefixes are rare; the run is read on until another key comes.
    while end < array.count() && array.keys(end, 1)?.first() == Some(&key) {
        end = end.saturating_add(1);
    }
    Ok(first..end)
}

// Every entry before `low` is smaller than the key; none from `high` on is. The keys are those next to the two.
struct Range {
    low: u64,
    high: u64,
    low_key: u64,
    high_key: u64,
}

impl Range {
    fn span(&self) -> u64 {
        self.high.saturating_sub(self.low)
    }

    fn middle(&self) -> u64 {
        self.low.saturating_add(self.span() / 2)
    }

    fn guess(&self, key: u64) -> u64 {
        let width = u128::from(self.high_key.saturating_sub(self.low_key)).max(1);
        let into = u128::from(key.saturating_sub(self.low_key));
        let step = u128::from(self.span()).saturating_mul(into).checked_div(width).unwrap_or(0);
        self.low
            .saturating_add(u64::try_from(step).unwrap_or(u64::MAX))
            .clamp(self.low, self.high.saturating_sub(1))
    }

    // Looks at one entry, and tells whether it stands before the key.
    fn narrow(&mut self, array: &impl SortedKeys, at: u64, key: u64) -> Result<bool> {
        let found = array.keys(at, 1)?.first().copied().unwrap_or(u64::MAX);
        if found < key {
            (self.low, self.low_key) = (at.saturating_add(1), found);
        } else {
            (self.high, self.high_key) = (at, found);
        }
        Ok(found < key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cell::Cell;

    struct Counted(Vec<u64>, Cell<u32>);

    impl SortedKeys for Counted {
        fn count(&self) -> u64 {
            self.0.len() as u64
        }
        fn keys(&self, first: u64, len: u64) -> Result<Vec<u64>> {
            self.1.set(self.1.get() + 1);
            let first = usize::try_from(first).unwrap();
            Ok(self.0[first..first + usize::try_from(len).unwrap()].to_vec())
        }
    }

    proptest! {
        #[test]
        fn finds_what_a_plain_search_finds(mut keys in prop::collection::vec(0u64..5000, 0..4000), key in 0u64..5000) {
            keys.sort_unstable();
            let want = keys.partition_point(|k| *k < key)..keys.partition_point(|k| *k <= key);
            let array = Counted(keys, Cell::new(0));
            let found = equal_range(&array, key).unwrap();
            prop_assert_eq!(found, want.start as u64..want.end as u64);
        }
    }

    #[test]
    fn a_million_even_keys_take_few_reads_and_hostile_ones_not_many() {
        let spread: Vec<u64> = (0..1_000_000u64).map(|i| i * (u64::MAX / 1_000_000)).collect();
        let key = spread[765_432];
        let even = Counted(spread, Cell::new(0));
        assert_eq!(equal_range(&even, key).unwrap(), 765_432..765_433);
        assert!(even.1.get() <= 10, "{} reads", even.1.get());
        let mut lumpy: Vec<u64> = (0..1_000_000).collect();
        lumpy.push(u64::MAX);
        let hostile = Counted(lumpy, Cell::new(0));
        assert_eq!(equal_range(&hostile, 999_999).unwrap(), 999_999..1_000_000);
        assert!(hostile.1.get() < 60, "{} reads", hostile.1.get());
    }
}
