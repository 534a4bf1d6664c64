//! Where the chunks of a journal lie, in as few bytes as can be: a journal of a gigabyte has some 400,000 of them.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::journal_index::{Key, Place};
use crate::bytes::{array, u32_be, u64_be};
use crate::hash::FirstBytes;

/// Bytes of an entry: address, offset, length.
pub(super) const ENTRY: usize = 28;
/// Bytes of an address in it.
pub(super) const KEY: usize = 16;

type Entry = [u8; ENTRY];

/// Places that are not sorted yet.
pub(super) type Collected = HashMap<Key, Place, BuildHasherDefault<FirstBytes>>;

/// Places sorted by address.
#[derive(Debug, Default)]
pub(super) struct SortedPlaces {
    entries: Vec<Entry>,
}

impl SortedPlaces {
    /// Entries as they were written, sorted already. `None`: no whole number of them.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let (entries, rest) = bytes.as_chunks::<ENTRY>();
        rest.is_empty().then(|| Self { entries: entries.to_vec() })
    }

    /// None yet, with room for so many.
    pub(super) fn with_room_for(count: usize) -> Self {
        Self { entries: Vec::with_capacity(count) }
    }

    /// Adds places behind the last one.
    pub(super) fn append(&mut self, later: &Self) {
        self.entries.extend_from_slice(&later.entries);
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// All entries, one after another.
    pub(super) fn bytes(&self) -> &[u8] {
        self.entries.as_flattened()
    }

    /// The place of a chunk's payload.
    pub(super) fn get(&self, key: &Key) -> Option<Place> {
        let at = self.entries.binary_search_by(|entry| key_of(entry).cmp(key)).ok()?;
        self.entries.get(at).and_then(place_of)
    }

    /// Takes over what was collected, and leaves nothing of it. Of a chunk that is known already the known place stays.
    pub(super) fn take(&mut self, collected: &mut Collected) {
        let mut fresh: Vec<Entry> = std::mem::take(collected).iter().map(|(k, p)| entry(k, *p)).collect();
        fresh.sort_unstable();
        self.merge(&Self { entries: fresh });
    }

    /// The same with places that are sorted.
    pub(super) fn merge(&mut self, fresh: &Self) {
        // Where each one goes among the old ones; those that are known already go nowhere.
        let slot = |entry: &Entry| {
            let found = self.entries.binary_search_by(|old| key_of(old).cmp(&key_of(entry)));
            found.err().map(|at| (at, *entry))
        };
        let fresh: Vec<(usize, Entry)> = fresh.entries.iter().filter_map(slot).collect();
        let mut old = self.entries.len();
        self.entries.reserve_exact(fresh.len());
        self.entries.resize(old.saturating_add(fresh.len()), [0; ENTRY]);
        // From the back, a stretch of old ones at a time, so that nothing has to be copied aside.
        let mut end = self.entries.len();
        for (at, entry) in fresh.into_iter().rev() {
            end = end.saturating_sub(old.saturating_sub(at));
            self.entries.copy_within(at..old, end);
            end = end.saturating_sub(1);
            if let Some(slot) = self.entries.get_mut(end) {
                *slot = entry;
            }
            old = at;
        }
    }

    /// Those of chunks before an offset of the journal.
    pub(super) fn before(&self, end: u64) -> Self {
        let is_before = |entry: &&Entry| place_of(entry).is_some_and(|(offset, _)| offset < end);
        Self { entries: self.entries.iter().filter(is_before).copied().collect() }
    }

    /// Whether all of them are of chunks before that offset.
    pub(super) fn are_before(&self, end: u64) -> bool {
        self.entries.iter().all(|entry| place_of(entry).is_some_and(|(offset, _)| offset < end))
    }
}

fn key_of(entry: &Entry) -> Key {
    array(entry, 0).unwrap_or_default()
}

fn place_of(entry: &Entry) -> Option<Place> {
    Some((u64_be(entry, KEY)?, u32_be(entry, 24)?))
}

fn entry(key: &Key, (offset, len): Place) -> Entry {
    let mut entry = [0; ENTRY];
    let bytes = key.iter().copied().chain(offset.to_be_bytes()).chain(len.to_be_bytes());
    for (slot, byte) in entry.iter_mut().zip(bytes) {
        *slot = byte;
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_taken_in_any_portions_is_found_at_its_first_place(
            portions in prop::collection::vec(prop::collection::hash_map(0u8..60, any::<Place>(), 0..40), 0..6),
        ) {
            let mut sorted = SortedPlaces::default();
            let mut known: HashMap<Key, Place> = HashMap::new();
            for portion in portions {
                let portion: Collected = portion.into_iter().map(|(k, p)| ([k; 16], p)).collect();
                for (key, place) in &portion {
                    known.entry(*key).or_insert(*place);
                }
                sorted.take(&mut portion.clone());
                prop_assert_eq!(sorted.len(), known.len());
                prop_assert!(sorted.entries.is_sorted());
                for key in (0..60).map(|k| [k; 16]) {
                    prop_assert_eq!(sorted.get(&key), known.get(&key).copied());
                }
            }
            let half = sorted.before(u64::MAX / 2);
            prop_assert!(half.are_before(u64::MAX / 2));
            prop_assert_eq!(half.len(), known.values().filter(|p| p.0 < u64::MAX / 2).count());
        }
    }
}
