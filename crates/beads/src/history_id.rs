//! Ids of old rows of history (events, comments, snapshots), which once had random ones: bd 1.1.0 gives each an id that is
//! computed from what it holds, so that two clones that do this by themselves come to the same rows (bd `internal/storage/rowid`).
//! What could go wrong: one byte more or less, and every old event would be there twice after the next merge.

use sha2::{Digest, Sha256};

use crate::text::{hex, uuid_v5};

const NAMESPACE: [u8; 16] =
    [0x92, 0xda, 0x14, 0xb5, 0x20, 0xa8, 0x52, 0x52, 0x8e, 0xb2, 0x38, 0x39, 0xe9, 0x7b, 0x21, 0x56];

/// What a row holds, its id aside, in the order of its columns: texts, numbers and times as they are printed, `None` for NULL.
pub fn digest<'v>(values: impl IntoIterator<Item = Option<&'v [u8]>>) -> String {
    let mut hash = Sha256::new();
    for value in values {
        match value {
            None => hash.update(b"n"),
            Some(bytes) => {
                hash.update(format!("v{}:", bytes.len()));
                hash.update(bytes);
            }
        }
    }
    hex(&hash.finalize())
}

/// The id of a row with this digest. Of rows that hold the same, each has another ordinal, counted from 0.
pub fn history_id(table: &str, ordinal: usize, digest: &str) -> String {
    let ordinal = ordinal.to_string();
    uuid_v5(NAMESPACE, &[table.as_bytes(), &[0x1f], ordinal.as_bytes(), &[0x1f], digest.as_bytes()])
}

/// New ids for those rows of a table that have none of the computed ones, as pairs of the old and the new one. Rows come with
/// their ids and digests. Of rows that hold the same, those that have an id of theirs keep it; the others take what is left,
/// in the order of their old ids.
pub fn renamed(table: &str, rows: &[(String, String)]) -> Vec<(String, String)> {
    let mut groups: std::collections::BTreeMap<&str, Vec<&str>> = std::collections::BTreeMap::new();
    for (id, digest) in rows {
        groups.entry(digest).or_default().push(id);
    }
    let mut found = Vec::new();
    for (digest, mut ids) in groups {
        let mut wanted: Vec<String> = (0..ids.len()).map(|n| history_id(table, n, digest)).collect();
        let held: Vec<String> = wanted.iter().filter(|id| ids.contains(&id.as_str())).cloned().collect();
        wanted.retain(|id| !held.contains(id));
        ids.retain(|id| !held.iter().any(|h| h == id));
        ids.sort_unstable();
        found.extend(ids.into_iter().map(str::to_owned).zip(wanted));
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> String {
        let texts = ["bd-1", "created", "steve", "", "open", "", "2026-06-09 12:00:00"];
        digest(texts.iter().enumerate().map(|(at, text)| (at != 3 && at != 5).then_some(text.as_bytes())))
    }

    #[test]
    fn a_row_of_history_has_the_id_that_bd_computes() {
        assert_eq!(history_id("events", 0, &event()), "248ba505-db16-50cf-9edb-68850b1fb2d2");
    }

    #[test]
    fn equal_rows_share_out_the_ids_and_right_ones_stay() {
        let id = |n| history_id("events", n, &event());
        let rows = |ids: &[&str]| ids.iter().map(|id| ((*id).to_owned(), event())).collect::<Vec<_>>();
        let pair = |from: &str, to: String| (from.to_owned(), to);
        assert_eq!(
            renamed("events", &rows(&["z", "a", "m"])),
            [pair("a", id(0)), pair("m", id(1)), pair("z", id(2))]
        );
        assert_eq!(renamed("events", &rows(&["z", &id(1)])), [pair("z", id(0))]);
        assert_eq!(renamed("events", &rows(&[&id(1), &id(0)])), []);
    }
}
