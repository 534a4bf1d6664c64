//! Tags of columns: numbers that stay a column's own when it is renamed. Dolt draws them from a generator that is seeded with
//! the table's and the column's name and the kinds of the columns before, so that the same statements give the same tags
//! everywhere (Dolt `go/libraries/doltcore/schema/tag.go`, `GenerateTagsForNewColumns` in `doltdb/root_val.go`).

use std::collections::HashSet;

use sha2::{Digest, Sha512};

use super::go_random::GoRandom;
use crate::bytes::array;
use crate::hash::Hash;

/// Tags from here on are Dolt's own.
pub(super) const SYSTEM: u64 = 1 << 51;
/// Of the id of a keyless row.
pub(super) const KEYLESS_ID: u64 = SYSTEM + 5000;
/// Of how often a keyless row counts.
pub(super) const KEYLESS_COUNT: u64 = SYSTEM + 5001;

/// A column that gets a tag.
#[derive(Debug, Clone, Copy)]
pub(super) struct Untagged<'c> {
    pub(super) name: &'c str,
    pub(super) kind: u8,
}

/// Tags for new columns of a table. `columns` are those that the table has or had, with their tags and kinds; `taken` are all
/// tags of the working state and of the commit that it stands on.
pub(super) fn tags(
    table: &str,
    new: &[Untagged<'_>],
    columns: &[(Untagged<'_>, u64)],
    mut taken: HashSet<u64>,
) -> Vec<u64> {
    let mut kinds: Vec<u8> = columns.iter().map(|(column, _)| column.kind).collect();
    // A column that was there under this name, of the same kind, keeps its tag.
    let known = |column: &Untagged<'_>| {
        let is = |(old, _): &&(Untagged<'_>, u64)| old.kind == column.kind && same(old.name, column.name);
        columns.iter().rev().find(is).map(|(_, tag)| *tag)
    };
    let mut found = Vec::with_capacity(new.len());
    for column in new {
        let tag = known(column).unwrap_or_else(|| {
            let tag = draw(table, &kinds, column, &taken);
            kinds.push(column.kind);
            taken.insert(tag);
            tag
        });
        found.push(tag);
    }
    found
}

/// Whether two names are one: without regard to case.
pub(super) fn same(a: &str, b: &str) -> bool {
    a == b || a.to_lowercase() == b.to_lowercase()
}

fn draw(table: &str, kinds: &[u8], column: &Untagged<'_>, taken: &HashSet<u64>) -> u64 {
    let mut bound: u64 = 128 * 128;
    while bound / 2 < taken.len() as u64 {
        bound = bound.saturating_mul(128);
    }
    let seed = [kinds, &[column.kind], &simple(table), &simple(column.name)].concat();
    let digest = Sha512::digest(seed);
    let seed = array(&digest, 0).map(i64::from_le_bytes).unwrap_or_default();
    let mut random = GoRandom::new(seed);
    loop {
        let tag = random.below_power(bound);
        if !taken.contains(&tag) {
            return tag;
        }
    }
}

// Letters and digits of ASCII, in small letters.
fn simple(name: &str) -> Vec<u8> {
    name.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_lowercase()).collect()
}

/// The end of the name that Dolt gives to a check without one (Dolt `go/libraries/doltcore/sqle/tables.go`,
/// `generateCheckName`).
pub(super) fn check_suffix(expression: &str) -> String {
    Hash::of(expression.as_bytes()).to_string().chars().take(8).collect()
}
