//! Files: whole ones of every kind, and what is wrong in them.

use std::path::Path;

use super::{WHOLE, found};
use crate::chunk::ReadOptions;
use crate::commit::Database;
use crate::testing::{Damage, archive, journal, store, stored_record, table_file};
use crate::verify::{Report, sizes, verify};
use crate::{Hash, Result};

type Chunks = Vec<(Hash, Vec<u8>)>;

fn whole() -> (Chunks, Hash) {
    let whole = Damage::of("every-kind-2");
    (whole.chunks(), whole.root())
}

/// Verifies a store of one file.
fn of_file(ending: &str, bytes: &[u8], root: Hash) -> Report {
    let dir = tempfile::tempdir().unwrap();
    store(dir.path(), ending, bytes, count_in(bytes, ending), root);
    verify(&open(dir.path()).unwrap(), &()).unwrap()
}

fn open(dir: &Path) -> Result<Database> {
    Database::open_with(dir, ReadOptions { despite_loss: true, ..ReadOptions::default() })
}

// A table file's count in the manifest has to be exact.
fn count_in(bytes: &[u8], ending: &str) -> usize {
    let at = bytes.len() - 20;
    if ending.is_empty() { u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize } else { 0 }
}

#[test]
fn nothing_is_wrong_with_files_of_every_kind_and_version() {
    for name in WHOLE {
        let whole = Damage::of(name);
        let (chunks, root) = (whole.chunks(), whole.root());
        let dictionary =
            chunks.iter().flat_map(|(_, bytes)| bytes.iter().copied()).take(4096).collect::<Vec<_>>();
        let files = [
            ("journal", journal(&chunks, root)),
            ("", table_file(&chunks, stored_record)),
            (".darc", archive(1, Some(&dictionary), &chunks)),
            (".darc", archive(2, Some(&dictionary), &chunks)),
            (".darc", archive(2, None, &chunks)),
            (".darc", archive(3, Some(&dictionary), &chunks)),
            (".darc", archive(3, None, &chunks)),
        ];
        for (ending, bytes) in files {
            let report = of_file(ending, &bytes, root);
            assert!(report.is_clean(), "{name} {ending}: {:?}", report.findings);
            assert_eq!(report.chunks, chunks.len() as u64);
            let dir = tempfile::tempdir().unwrap();
            store(dir.path(), ending, &bytes, count_in(&bytes, ending), root);
            let measured = sizes(&open(dir.path()).unwrap().session().unwrap()).unwrap();
            assert_eq!(
                (measured.all.chunks, measured.garbage.chunks),
                (chunks.len() as u64, 0),
                "{name} {ending}"
            );
            assert_eq!(measured.files[0].1, bytes.len() as u64);
            // In an archive the dictionary belongs to no chunk.
            assert!(measured.all.bytes > 10_000 && measured.all.bytes < bytes.len() as u64);
        }
    }
}

#[test]
fn a_database_is_in_any_of_these_files_what_it_is_in_dolts() {
    let (chunks, root) = whole();
    for (ending, bytes) in
        [("journal", journal(&chunks, root)), (".darc", archive(1, Some(b"any words"), &chunks))]
    {
        let dir = tempfile::tempdir().unwrap();
        store(dir.path(), ending, &bytes, 0, root);
        let state = |database: Database| {
            let session = database.session().unwrap();
            let tables = session.tables(session.resolve_root("WORKING").unwrap().unwrap()).unwrap();
            let names = tables.names().unwrap();
            let rows = |name: &String| {
                let table = tables.open(name).unwrap().unwrap();
                table.rows().unwrap().collect::<Result<Vec<_>>>().unwrap()
            };
            names.iter().map(rows).collect::<Vec<_>>()
        };
        let theirs = Database::open_read(&crate::testing::fixture("every-kind-2")).unwrap();
        assert_eq!(state(open(dir.path()).unwrap()), state(theirs), "{ending}");
    }
}

#[test]
fn an_index_of_a_file_that_is_not_sorted_or_names_a_chunk_twice_is_named() {
    let (mut chunks, root) = whole();
    // Not the root's: what the names lead to must be found.
    chunks.swap(1, 2);
    for (ending, bytes) in [("", table_file(&chunks, stored_record)), (".darc", archive(3, None, &chunks))] {
        let report = of_file(ending, &bytes, root);
        let finding = found(&report, "the index is not sorted");
        let (_, offset) = finding.file.clone().unwrap();
        assert!(offset > 0 && offset < bytes.len() as u64);
    }
    let (chunks, root) = whole();
    let mut bytes = table_file(&chunks, stored_record);
    let index = bytes.len() - 20 - chunks.len() * 28;
    bytes[index + 11] ^= 1;
    found(&of_file("", &bytes, root), "the index names a chunk twice");
}

#[test]
fn a_chunk_whose_crc_or_address_is_wrong_is_named_with_its_place() {
    let (chunks, root) = whole();
    let lost = chunks[7].1.clone();
    let broken = |chunk: &[u8]| {
        let mut record = stored_record(chunk);
        let middle = record.len() / 2;
        record[middle] ^= u8::from(chunk == lost);
        record
    };
    let place: usize = chunks[..7].iter().map(|(_, chunk)| stored_record(chunk).len()).sum();
    let report = of_file("", &table_file(&chunks, broken), root);
    let finding = found(&report, "crc");
    assert_eq!((finding.chunk, finding.file.as_ref().unwrap().1), (Some(chunks[7].0), place as u64));

    let foreign =
        |chunk: &[u8]| if chunk == lost { stored_record(b"another chunk") } else { stored_record(chunk) };
    let says = format!("its bytes have the address {}", Hash::of(b"another chunk"));
    let report = of_file("", &table_file(&chunks, foreign), root);
    assert_eq!(found(&report, &says).chunk, Some(chunks[7].0));

    let mut others = chunks.clone();
    others[7].1 = b"another chunk".to_vec();
    for (ending, bytes) in
        [("journal", journal(&others, root)), (".darc", archive(2, Some(b"any words"), &others))]
    {
        let report = of_file(ending, &bytes, root);
        assert_eq!(found(&report, &says).chunk, Some(chunks[7].0), "{ending}");
        assert!(report.refs.iter().any(|r| !r.history_is_safe), "{ending}: {:?}", report.refs);
    }
}

#[test]
fn damage_in_garbage_is_named_and_every_name_stays_safe() {
    let (mut chunks, root) = whole();
    let garbage = Hash::of(b"nobody refers to this");
    chunks.push((garbage, b"nor has this that address".to_vec()));
    let report = of_file("journal", &journal(&chunks, root), root);
    assert_eq!(
        (report.findings.len(), report.findings[0].chunk),
        (1, Some(garbage)),
        "{:?}",
        report.findings
    );
    assert!(report.refs.iter().all(|r| r.history_is_safe));
}

#[test]
fn a_second_copy_that_is_damaged_is_named_and_the_first_one_is_read() {
    let (chunks, root) = whole();
    let mut twice = chunks.clone();
    // A journal's later record counts; an earlier one is never read.
    twice.insert(0, (chunks[3].0, b"something else".to_vec()));
    let report = of_file("journal", &journal(&twice, root), root);
    assert_eq!(
        (report.findings.len(), report.findings[0].chunk),
        (1, Some(chunks[3].0)),
        "{:?}",
        report.findings
    );
    assert!(report.refs.iter().all(|r| r.history_is_safe), "{:?}", report.refs);
}

#[test]
fn a_dictionary_that_is_damaged_is_named_for_every_chunk_that_needs_it() {
    let (chunks, root) = whole();
    let mut bytes = archive(3, Some(&[7; 4000]), &chunks);
    bytes[0] ^= 1;
    let dir = tempfile::tempdir().unwrap();
    store(dir.path(), ".darc", &bytes, 0, root);
    let report = verify(&open(dir.path()).unwrap(), &()).unwrap();
    let named = report.findings.iter().filter(|f| f.problem.contains("dictionary")).count();
    assert!(named >= chunks.len(), "{named} of {}", chunks.len());
}

#[test]
fn what_a_write_left_behind_is_no_finding_and_lost_records_are_one() {
    let (chunks, root) = whole();
    let good = journal(&chunks, root);
    let torn = [good.clone(), good[..good.len() / 2].to_vec()].concat();
    assert!(of_file("journal", &torn[..good.len() + 37], root).is_clean());
    let mut lost = [good.clone(), journal(&chunks[..3], root), journal(&chunks[..1], root)].concat();
    lost[good.len() + 40] ^= 1;
    let report = of_file("journal", &lost, root);
    assert_eq!(found(&report, "possible data loss").file.as_ref().unwrap().1, good.len() as u64);
    assert!(report.refs.iter().all(|r| r.history_is_safe), "{:?}", report.refs);
}
