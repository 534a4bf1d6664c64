//! Bytes flipped, one after another, in every file of small databases: a reader then gives the right rows, or says what is
//! wrong. Never other rows, never a panic.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use dolt_store::Result;
use dolt_store::commit::Database;
use dolt_store::table::Row;

use crate::support::{Dolt, TestTown, free_port, run};

/// How often one database is read. Bytes for which that is not enough are sampled evenly; every byte of a small database is
/// flipped in the tests of the crate.
const READS: u64 = 5_000;

type Content = BTreeMap<String, Vec<Row>>;

fn read_all(dir: &Path) -> Result<Content> {
    let database = Database::open_read(dir)?;
    let state = database.session()?;
    // The very first states of a journal have no branch yet.
    let Some(root) = state.resolve_root("WORKING")? else { return Ok(Content::new()) };
    let tables = state.tables(root)?;
    let mut content = Content::new();
    for name in tables.names()? {
        let table = tables.open(&name)?.expect("it was just named");
        content.insert(name, table.rows()?.collect::<Result<Vec<_>>>()?);
    }
    Ok(content)
}

fn made_by(dolt: Dolt, statements: &[&str], gc: Option<&[&str]>) -> (TestTown, PathBuf) {
    let town = TestTown::build(dolt, &["alpha"], free_port());
    let dir = town.database("alpha");
    let ask = |args: &[&str]| {
        let mut command = Command::new(dolt.path());
        command.args(args);
        town.seal(&mut command);
        command.current_dir(&dir);
        run(command).ok();
    };
    for sql in statements {
        ask(&["sql", "-q", sql]);
        ask(&["commit", "-A", "--allow-empty", "-m", "next"]);
    }
    if let Some(gc) = gc {
        ask(gc);
    }
    (town, dir)
}

const STATEMENTS: [&str; 3] = [
    "create table t (id int primary key, v varchar(20), j json, x text, key (v)); insert into t values (1,'a','{\"a\":[1,2]}',repeat('x',3000)),(2,'b',null,'y')",
    "insert into t values (3,'c','[]','z'); create table k (a int); insert into k values (1),(1)",
    "update t set v = 'changed' where id = 2",
];

/// The states that a journal had before: Dolt falls back to one of them, silently, if the last write is torn.
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
            states.push((at as u64, read_all(dir).ok()));
        }
    }
    fs::write(journal, &bytes).unwrap();
    states
}

// Somebody who had changed these directories just now would be given time to finish.
fn nobody_changed_it_lately(dir: &Path) {
    let noms = dir.join(".dolt/noms");
    for place in [noms.clone(), noms.join("oldgen")] {
        if let Ok(directory) = fs::File::open(place) {
            directory.set_modified(SystemTime::now() - Duration::from_hours(1)).unwrap();
        }
    }
}

fn flip_all(dir: &Path) {
    let right = read_all(dir).unwrap();
    assert!(right["t"].len() == 3 && right["k"].len() == 2);
    let noms = dir.join(".dolt/noms");
    let mut files: Vec<PathBuf> = Vec::new();
    for place in [noms.clone(), noms.join("oldgen")] {
        files.extend(fs::read_dir(place).into_iter().flatten().map(|e| e.unwrap().path()));
    }
    files.retain(|f| f.is_file() && fs::metadata(f).unwrap().len() > 0);
    nobody_changed_it_lately(dir);
    let total: u64 = files.iter().map(|f| fs::metadata(f).unwrap().len()).sum();
    let stride = usize::try_from((total * 2).div_ceil(READS)).unwrap();
    let (mut equal, mut refused, mut fallen_back) = (0u32, 0u32, 0u32);
    for file in &files {
        let is_journal = file.file_name().unwrap().to_str().unwrap().starts_with("vvvv");
        let earlier = if is_journal { earlier_states(dir, file) } else { Vec::new() };
        // With the last root torn, or the one before it, nothing whole follows a root: Dolt cannot know, nor can we.
        let torn_from = earlier.iter().rev().nth(2).map_or(0, |(end, _)| *end);
        let bytes = fs::read(file).unwrap();
        let handle = fs::OpenOptions::new().write(true).open(file).unwrap();
        for (at, good) in bytes.iter().enumerate().step_by(stride) {
            for flip in [1u8, 0xff] {
                handle.write_all_at(&[good ^ flip], at as u64).unwrap();
                match read_all(dir) {
                    Err(_) => refused += 1,
                    Ok(content) if content == right => equal += 1,
                    Ok(content) => {
                        let was_once = earlier.iter().any(|(_, state)| state.as_ref() == Some(&content));
                        assert!(
                            at as u64 >= torn_from && is_journal && was_once,
                            "byte {at} of {} flipped by {flip:02x}: wrong rows: {content:?}",
                            file.display()
                        );
                        fallen_back += 1;
                    }
                }
            }
            handle.write_all_at(&[*good], at as u64).unwrap();
        }
    }
    assert_eq!(read_all(dir).unwrap(), right);
    eprintln!("{total} bytes, stride {stride}: {equal} right, {refused} refused, {fallen_back} fell back");
    assert!(refused > 0 && equal > 0);
}

#[test]
fn no_flipped_byte_of_a_journal_gives_wrong_rows() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let (_town, dir) = made_by(dolt, &STATEMENTS, None);
        flip_all(&dir);
    }
}

#[test]
fn no_flipped_byte_of_table_files_and_archives_gives_wrong_rows() {
    for gc in [&["gc", "--archive-level", "0"][..], &["gc"]] {
        let (_town, dir) = made_by(Dolt::V1, &STATEMENTS, Some(gc));
        flip_all(&dir);
    }
}

#[test]
fn a_file_that_is_gone_for_good_is_named_instead_of_waited_for() {
    let (town, dir) = made_by(Dolt::V1, &STATEMENTS, Some(&["gc"]));
    let oldgen = dir.join(".dolt/noms/oldgen");
    let archive = |entry: &fs::DirEntry| entry.path().extension().is_some_and(|e| e == "darc");
    let gone = fs::read_dir(&oldgen).unwrap().map(|e| e.unwrap()).find(archive).unwrap().path();
    fs::remove_file(&gone).unwrap();
    nobody_changed_it_lately(&dir);
    assert!(matches!(Database::open_read(&dir), Err(dolt_store::Error::Incomplete { .. })));
    let told = town.gt(&["db", "--db", "alpha", "dump", "t"]).fails(1);
    let name = gone.file_stem().unwrap().to_str().unwrap();
    assert!(told.err.contains("is incomplete") && told.err.contains(name), "{}", told.err);
}

#[test]
fn a_journal_that_dolt_refuses_is_refused_and_verify_says_what_can_be_read() {
    let (town, dir) = made_by(Dolt::V1, &STATEMENTS, None);
    let journal = dir.join(".dolt/noms/vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv");
    fs::remove_file(dir.join(".dolt/noms/journal.idx")).ok();
    let mut bytes = fs::read(&journal).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&journal, &bytes).unwrap();
    let mut command = Command::new(Dolt::V1.path());
    command.args(["sql", "-q", "select * from t"]);
    town.seal(&mut command);
    command.current_dir(&dir);
    let theirs = run(command);
    assert!(theirs.code != 0 && format!("{}{}", theirs.out, theirs.err).contains("data loss"));
    let gt = |args: &[&str]| town.gt(&[&["db", "--db", "alpha"], args].concat());
    gt(&["dump", "t"]).fails(1);
    let told = gt(&["verify", "--json"]).fails(1).json();
    let problems = told["findings"].to_string();
    assert!(problems.contains("data loss") && !told["refs"].as_array().unwrap().is_empty(), "{told}");
}
