//! For tests and fuzz targets only: databases that the real Dolt made, held in memory, with anything in them replaced.
//!
//! A chunk is named by the hash of its bytes, so damage that an address does not give away needs every chunk above it to
//! be made anew. That is what this does: what it gives is a whole store whose contents are wrong.

#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "what fails here is a mistake in a test"
)]

#[cfg(test)]
mod damage;
#[cfg(test)]
mod files;
#[cfg(test)]
mod nodes;

#[cfg(test)]
pub(crate) use damage::{Damage, working_set_message};
#[cfg(test)]
pub(crate) use files::{archive, journal, store, stored_record, table_file};
#[cfg(test)]
pub(crate) use nodes::{entries, inner, leaf};

use std::path::PathBuf;

use crate::Hash;
use crate::chunk::{ReadOptions, Snapshot, Store};
use crate::commit::Session;

/// The databases in `tests/data`, made by the script beside them.
pub(crate) fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// All chunks of such a database, and its root. Chunks come before those that refer to them.
pub(crate) fn chunks_of(name: &str) -> (Vec<(Hash, Vec<u8>)>, Hash) {
    let snapshot = Store::open_read(&fixture(name), ReadOptions::default()).unwrap().snapshot().unwrap();
    let (mut found, mut waiting) = (Vec::new(), vec![(snapshot.root(), false)]);
    let mut seen = std::collections::HashSet::new();
    while let Some((hash, is_below_done)) = waiting.pop() {
        let bytes = snapshot.chunk(hash).unwrap();
        if is_below_done {
            found.push((hash, bytes));
        } else if seen.insert(hash) {
            waiting.push((hash, true));
            waiting
                .extend(crate::verify::references(&bytes).unwrap().into_iter().map(|child| (child, false)));
        }
    }
    (found, snapshot.root())
}

/// A store in memory.
pub(crate) fn in_memory(chunks: impl IntoIterator<Item = Vec<u8>>, root: Hash) -> Snapshot {
    let snapshot = Snapshot::empty();
    for chunk in chunks {
        snapshot.put(chunk).unwrap();
    }
    snapshot.at(root)
}

/// Its state.
pub(crate) fn session(snapshot: Snapshot) -> crate::Result<Session> {
    Session::at(snapshot, "main".to_owned())
}
