//! Small databases that the real Dolt made (`tests/data/make`), read without any Dolt: the rows are those that Dolt printed,
//! and with any byte of any file flipped they are these rows still, or an error says what is wrong. Never other rows, never
//! a panic.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests write files as they like")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use dolt_store::Result;
use dolt_store::commit::Database;
use dolt_store::table::{Table, Value};
use dolt_store::verify::verify;

/// The text of every table, as `dolt sql -r json` prints it.
type Content = BTreeMap<String, String>;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn read(dir: &Path) -> Result<Content> {
    let session = Database::open_read(dir)?.session()?;
    // History and the committed state are read too: whatever is wrong in them may be an error as well.
    if let Some(head) = session.resolve_commit("HEAD")? {
        session.log(head)?.collect::<Result<Vec<_>>>()?;
        let tables = session.tables(session.commit(head)?.root_value)?;
        for name in tables.names()? {
            tables.open(&name)?.unwrap().rows()?.collect::<Result<Vec<_>>>()?;
        }
    }
    let mut content = Content::new();
    // The very first states of a journal have no branch yet.
    let Some(root) = session.resolve_root("WORKING")? else { return Ok(content) };
    let tables = session.tables(root)?;
    for name in tables.names()?.into_iter().filter(|name| !name.starts_with("dolt_")) {
        let text = text_of(&tables.open(&name)?.unwrap())?;
        content.insert(name, text);
    }
    Ok(content)
}

// Columns by name, NULLs left out, `{}` for no rows.
fn text_of(table: &Table) -> Result<String> {
    let columns: Vec<_> = table.schema().visible().map(|(_, column)| column).collect();
    let mut order: Vec<usize> = (0..columns.len()).collect();
    order.sort_by_key(|i| &columns[*i].name);
    let mut rows = Vec::new();
    for row in table.rows()? {
        let row = row?;
        let mut fields = Vec::new();
        for i in order.iter().filter(|i| row.values[**i] != Value::Null) {
            let mut text = format!("\"{}\":", columns[*i].name);
            row.values[*i].push_json(columns[*i], &mut text);
            fields.push(text);
        }
        rows.push(format!("{{{}}}", fields.join(",")));
    }
    Ok(if rows.is_empty() { "{}".to_owned() } else { format!("{{\"rows\": [{}]}}", rows.join(",")) })
}

fn as_dolt_says(name: &str) -> Content {
    let files = fs::read_dir(data(name).join("rows")).unwrap().map(|entry| entry.unwrap().path());
    let table = |file: &Path| file.file_stem().unwrap().to_str().unwrap().to_owned();
    files.map(|file| (table(&file), fs::read_to_string(&file).unwrap().trim_end().to_owned())).collect()
}

#[test]
fn rows_are_those_that_the_real_dolt_prints() {
    for name in ["journal", "tables", "archives", "dictionaries", "every-kind-1", "every-kind-2"] {
        let (ours, theirs) = (read(&data(name)).unwrap(), as_dolt_says(name));
        assert!(ours.keys().eq(theirs.keys()), "{name}: {:?}, Dolt has {:?}", ours.keys(), theirs.keys());
        for (table, text) in theirs {
            assert!(ours[&table] == text, "{name} {table}\nours:   {}\ntheirs: {text}", ours[&table]);
        }
    }
}

#[test]
fn nothing_is_wrong_with_what_the_real_dolt_made() {
    for name in ["journal", "tables", "archives", "dictionaries", "every-kind-1", "every-kind-2"] {
        let report = verify(&Database::open_read(&data(name)).unwrap(), &()).unwrap();
        assert!(report.is_clean(), "{name}: {:?}", report.findings);
        assert!(report.chunks >= 20 && report.refs.iter().all(|r| r.history_is_safe), "{name}: {report:?}");
    }
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

// Somebody who had changed these directories just now would be given time to finish.
fn nobody_changed_it_lately(dir: &Path) {
    for place in [dir.join("noms"), dir.join("noms/oldgen")] {
        if let Ok(directory) = fs::File::open(place) {
            directory.set_modified(SystemTime::now() - Duration::from_hours(1)).unwrap();
        }
    }
}

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let (dirs, mut files): (Vec<_>, Vec<_>) =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).partition(|path| path.is_dir());
    files.extend(dirs.iter().flat_map(|dir| files_below(dir)));
    files
}

/// The states that a journal had before: with its last records torn, Dolt too falls back to one of them and says nothing.
fn earlier_states(dir: &Path, journal: &Path) -> Vec<(u64, Option<Content>)> {
    let bytes = fs::read(journal).unwrap();
    let mut states = Vec::new();
    let mut at = 0;
    while at + 4 <= bytes.len() {
        let length = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        let is_root = bytes.get(at + 4..at + 6) == Some(&[1, 1]);
        at += length.max(4);
        if is_root {
            fs::write(journal, &bytes[..at]).unwrap();
            states.push((at as u64, read(dir).ok()));
        }
    }
    fs::write(journal, &bytes).unwrap();
    states
}

/// Flips every byte of every file; gives how often the answer was right, how often it was an error, and how often an
/// earlier state of the journal.
fn flip_every_byte(name: &str) -> (u32, u32, u32) {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path();
    copy_tree(&data(name), dir);
    nobody_changed_it_lately(dir);
    let right = read(dir).unwrap();
    assert_eq!(right, as_dolt_says(name));
    let (mut equal, mut refused, mut fallen_back) = (0, 0, 0);
    for file in files_below(&dir.join("noms")) {
        let is_journal = file.file_name().unwrap().to_str().unwrap().starts_with("vvvv");
        let earlier = if is_journal { earlier_states(dir, &file) } else { Vec::new() };
        // With the last root torn, or the one before it, nothing whole follows a root: Dolt cannot know, nor can we.
        let torn_from = earlier.iter().rev().nth(2).map_or(0, |(end, _)| *end);
        let bytes = fs::read(&file).unwrap();
        let handle = fs::OpenOptions::new().write(true).open(&file).unwrap();
        for (at, good) in bytes.iter().enumerate() {
            // One bit in turn, or all of them.
            let flip = [1, 0xff, 0x80, 0x10][at % 4];
            handle.write_all_at(&[good ^ flip], at as u64).unwrap();
            match read(dir) {
                Err(_) => refused += 1,
                Ok(content) if content == right => equal += 1,
                Ok(content) => {
                    let was_once = earlier.iter().any(|(_, state)| state.as_ref() == Some(&content));
                    let file = file.display();
                    assert!(
                        at as u64 >= torn_from && is_journal && was_once,
                        "byte {at} of {file} flipped by {flip:02x}: wrong rows: {content:?}"
                    );
                    fallen_back += 1;
                }
            }
            handle.write_all_at(&[*good], at as u64).unwrap();
        }
    }
    assert_eq!(read(dir).unwrap(), right);
    (equal, refused, fallen_back)
}

#[test]
fn no_flipped_byte_of_a_journal_gives_wrong_rows() {
    let (equal, refused, fallen_back) = flip_every_byte("journal");
    assert!(equal > 1000 && refused > 10_000 && fallen_back > 0, "{equal} {refused} {fallen_back}");
}

#[test]
fn no_flipped_byte_of_a_table_file_gives_wrong_rows() {
    let (equal, refused, fallen_back) = flip_every_byte("tables");
    assert!(equal > 1000 && refused > 1000 && fallen_back == 0, "{equal} {refused} {fallen_back}");
}

#[test]
fn no_flipped_byte_of_an_archive_gives_wrong_rows() {
    let (equal, refused, fallen_back) = flip_every_byte("archives");
    assert!(equal > 1000 && refused > 1000 && fallen_back == 0, "{equal} {refused} {fallen_back}");
}

#[test]
fn no_flipped_byte_of_an_archive_with_dictionaries_gives_wrong_rows() {
    let (equal, refused, fallen_back) = flip_every_byte("dictionaries");
    assert!(equal > 1000 && refused > 1000 && fallen_back == 0, "{equal} {refused} {fallen_back}");
}
