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
    let (mut low, mut high) = (0, array.count());
    let (mut low_key, mut high_key) = (0u64, u64::MAX);
    let mut round = 0u32;
    // Everything before `low` is smaller than the key; everything from `high` on is not.
    while high.saturating_sub(low) > BLOCK {
        let span = high.saturating_sub(low);
        let at = if round < GUESSES {
            guess(low, span, low_key, high_key, key)
        } else {
            low.saturating_add(span / 2)
        };
        round = round.saturating_add(1);
        let at = at.clamp(low, high.saturating_sub(1));
        let found = array.keys(at, 1)?.first().copied().unwrap_or(u64::MAX);
        if found < key {
            low = at.saturating_add(1);
            low_key = found;
        } else {
            high = at;
            high_key = found;
        }
        // A guess that hits the key's neighbourhood from one side only would crawl: narrow the other side by a block.
        if round <= GUESSES {
            let near =
                if found < key { low.saturating_add(BLOCK / 2) } else { high.saturating_sub(BLOCK / 2) };
            if near > low && near < high {
                let probe = array.keys(near, 1)?.first().copied().unwrap_or(u64::MAX);
                if probe < key {
                    low = near.saturating_add(1);
                    low_key = probe;
                } else {
                    high = near;
                    high_key = probe;
                }
            }
        }
    }
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

fn guess(low: u64, span: u64, low_key: u64, high_key: u64, key: u64) -> u64 {
    let width = u128::from(high_key.saturating_sub(low_key)).max(1);
    let into = u128::from(key.saturating_sub(low_key));
    let step = u128::from(span).saturating_mul(into).checked_div(width).unwrap_or(0);
    low.saturating_add(u64::try_from(step).unwrap_or(u64::MAX))
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
