//! For fuzz targets and the property tests that keep them from rotting: whatever bytes come in, nothing panics, nothing goes
//! on for ever, nothing reserves memory out of proportion, and what is read is what was there.
//!
//! Each target takes a directory for scratch files, and bytes. `fuzz/` drives them with coverage, `make fuzz` without.

#![allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "what fails here is a finding"
)]

mod chunks;
mod database;
mod mutate;
mod seeds;
mod writing;

pub use mutate::{Random, mutate};
pub use seeds::seeds;

use std::path::Path;

use crate::chunk::fuzzing as files;

/// Takes a directory for scratch files, and bytes.
pub type Target = fn(&Path, &[u8]);

/// All of them, by name.
pub const TARGETS: [(&str, Target); 18] = [
    ("manifest", files::manifest),
    ("journal", files::journal),
    ("journal_records", files::journal_records),
    ("journal_index", files::journal_index),
    ("table_file", files::table_file),
    ("archive", files::archive),
    ("stored_chunk", files::stored_chunk),
    ("message", chunks::message),
    ("tuple", chunks::tuple),
    ("value", chunks::value),
    ("key_order", chunks::key_order),
    ("key_round_trip", chunks::key_round_trip),
    ("long_value", chunks::long_value),
    ("revision", chunks::revision),
    ("database", database::database),
    ("document", writing::document),
    ("blob", writing::blob),
    ("row_edits", writing::row_edits),
];

/// Runs one of them. Panics if there is none of this name.
pub fn run(name: &str, dir: &Path, bytes: &[u8]) {
    let found = TARGETS.iter().find(|(other, _)| *other == name);
    found.unwrap_or_else(|| panic!("no target {name}")).1(dir, bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Inputs for each target. `make fuzz` takes as many as there is time for.
    const INPUTS: usize = 400;

    fn feed(name: &str) {
        let dir = tempfile::tempdir().unwrap();
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "{name}");
        for seed in &seeds {
            run(name, dir.path(), seed);
        }
        // The same inputs every time: a failure here can be run again.
        let mut random = Random::new(7);
        for n in 0..INPUTS {
            let input = mutate(&seeds, &mut random);
            let run = || run(name, dir.path(), &input);
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
            assert!(outcome.is_ok(), "{name}, input {n}: {input:02x?}");
        }
    }

    #[test]
    fn damaged_files_are_read_or_refused() {
        for name in [
            "manifest",
            "journal",
            "journal_records",
            "journal_index",
            "table_file",
            "archive",
            "stored_chunk",
        ] {
            feed(name);
        }
    }

    #[test]
    fn damaged_chunks_are_read_or_refused() {
        for name in ["message", "tuple", "value", "key_order", "key_round_trip", "long_value", "revision"] {
            feed(name);
        }
    }

    #[test]
    fn what_is_written_is_read_and_nothing_is_wrong_with_it() {
        for name in ["document", "blob", "row_edits"] {
            feed(name);
        }
    }

    #[test]
    fn whole_databases_with_damaged_chunks_are_read_or_refused() {
        feed("database");
    }
}
