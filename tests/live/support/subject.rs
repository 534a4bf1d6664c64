//! One database in a town of its own, and the means to ask both programs about it: the real Dolt and `gt db`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dolt_store::chunk::{Disk, ReadOptions};
use dolt_store::commit::{Database, Locked, Session};
use dolt_store::ddl::{DdlOptions, LongValues};
use dolt_store::table::Table;

use super::programs::Dolt;
use super::ran::{Ran, run, wait_until};
use super::town::{TestTown, free_port, is_locked};

/// The database `alpha` of a town that has no server yet.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) town: TestTown,
}

impl Subject {
    pub(crate) fn new(dolt: Dolt) -> Self {
        Self { town: TestTown::build(dolt, &["alpha"], free_port()) }
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.town.database("alpha")
    }

    pub(crate) fn noms(&self) -> PathBuf {
        self.dir().join(".dolt/noms")
    }

    /// Runs the real Dolt in the database's directory.
    pub(crate) fn dolt(&self, args: &[&str]) -> Ran {
        self.another_dolt(self.town.dolt, args)
    }

    /// The same with a Dolt that is not the town's.
    pub(crate) fn another_dolt(&self, dolt: Dolt, args: &[&str]) -> Ran {
        run(self.dolt_command(dolt, args))
    }

    /// The same in another directory.
    pub(crate) fn another_dolt_in(&self, dolt: Dolt, dir: &Path, args: &[&str]) -> Ran {
        let mut command = self.dolt_command(dolt, args);
        command.current_dir(dir);
        run(command)
    }

    fn dolt_command(&self, dolt: Dolt, args: &[&str]) -> Command {
        let mut command = Command::new(dolt.path());
        command.args(args);
        self.town.seal(&mut command);
        command.current_dir(self.dir());
        command
    }

    /// Runs statements; through a file, because they may be longer than a command line can be.
    #[track_caller]
    pub(crate) fn sql(&self, sql: &str) {
        let file = self.town.outside().join("input.sql");
        fs::write(&file, sql).unwrap();
        self.dolt(&["sql", "--file", file.to_str().unwrap()]).ok();
    }

    /// The same, of which some are refused.
    pub(crate) fn sql_on_error(&self, sql: &str) {
        let file = self.town.outside().join("input.sql");
        fs::write(&file, sql).unwrap();
        self.dolt(&["sql", "--continue", "--file", file.to_str().unwrap()]);
    }

    /// What Dolt answers, in one of its shapes.
    #[track_caller]
    pub(crate) fn asked(&self, shape: &str, query: &str) -> String {
        self.dolt(&["sql", "-r", shape, "-q", query]).ok().out
    }

    #[track_caller]
    pub(crate) fn commit(&self, message: &str) {
        self.dolt(&["commit", "-A", "--allow-empty", "-m", message]).ok();
    }

    /// Runs `gt db` on it.
    pub(crate) fn gt(&self, args: &[&str]) -> Ran {
        self.town.gt(&[&["db", "--db", "alpha"], args].concat())
    }

    /// The whole table, from both programs, in both shapes, byte for byte.
    #[track_caller]
    pub(crate) fn same_rows(&self, table: &str) {
        for shape in ["json", "csv"] {
            self.same_dump(table, shape);
        }
    }

    #[track_caller]
    pub(crate) fn same_dump(&self, table: &str, shape: &str) {
        let query = format!("select * from `{table}`");
        let theirs = bytes_of(self.dolt_command(self.town.dolt, &["sql", "-r", shape, "-q", &query]));
        let ours = bytes_of(self.town.command(&["db", "--db", "alpha", "dump", table, "--format", shape]));
        // Dolt prints {} for a table without rows; ours keeps the shape that readers expect.
        let theirs = if theirs == b"{}" { b"{\"rows\": []}".to_vec() } else { theirs };
        same_text(&ours, &theirs, &format!("{table} as {shape}"));
    }

    /// The history, from both programs.
    #[track_caller]
    pub(crate) fn same_log(&self, args: &[&str]) {
        let args = [&["log"], args].concat();
        let theirs = without_colours(&self.dolt(&args).ok().out);
        assert_eq!(self.gt(&args).ok().out.trim_end(), theirs.trim_end(), "{args:?}");
    }

    /// Nothing is wrong with it.
    #[track_caller]
    pub(crate) fn is_clean(&self) -> serde_json::Value {
        let report = self.gt(&["verify", "--json"]).ok().json();
        assert_eq!((&report["clean"], report["findings"].as_array().unwrap().len()), (&true.into(), 0));
        report
    }

    /// Opens it in this process.
    pub(crate) fn open(&self) -> Database {
        Database::open_read(&self.dir()).unwrap()
    }

    /// The address of the root value of a revision, `WORKING` and `STAGED` among them.
    #[track_caller]
    pub(crate) fn table_root(&self, revision: &str) -> dolt_store::Hash {
        self.open().session().unwrap().resolve_root(revision).unwrap().unwrap()
    }

    /// A table of its working state, in this process.
    #[track_caller]
    pub(crate) fn table(&self, name: &str) -> Table {
        let state: Session = self.open().session().unwrap();
        let root = state.resolve_root("WORKING").unwrap().unwrap();
        state.tables(root).unwrap().open(name).unwrap().unwrap()
    }
}

// Standard output of a command that succeeds, without the line feeds at its end.
#[track_caller]
fn bytes_of(mut command: Command) -> Vec<u8> {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    let end = done.stdout.iter().rposition(|b| *b != b'\n').map_or(0, |at| at + 1);
    done.stdout[..end].to_vec()
}

/// Two long texts are equal, or the place where they are not is shown.
#[track_caller]
fn same_text(ours: &[u8], theirs: &[u8], what: &str) {
    if ours == theirs {
        return;
    }
    let at = ours.iter().zip(theirs).take_while(|(a, b)| a == b).count();
    let around = |text: &[u8]| {
        let end = text.len().min(at + 120);
        String::from_utf8_lossy(&text[at.saturating_sub(120).min(end)..end]).into_owned()
    };
    let (us, them) = (ours.len(), theirs.len());
    panic!(
        "{what}: {us} and {them} bytes, byte {at} differs\nours:   {}\ntheirs: {}",
        around(ours),
        around(theirs)
    );
}

/// A text without the escapes that colour it.
pub(crate) fn without_colours(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        out.push_str(before);
        rest = after.split_once('m').map_or("", |(_, r)| r);
    }
    out + rest
}

/// Copies a directory and everything in it.
pub(crate) fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|e| e.unwrap()) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The lock on a database that nobody holds. It is waited for: a child that another test is starting just now has a copy of
/// every descriptor for an instant, and with it of a lock that was let go.
pub(crate) fn lock(dir: &Path, disk: &Disk) -> Locked {
    let mut found = None;
    wait_until("the database's lock is free", || {
        found = Database::try_lock_on(dir, ReadOptions::default(), disk.clone()).unwrap();
        found.is_some()
    });
    found.expect("waited for")
}

impl Dolt {
    /// How this Dolt lays out what it defines.
    pub(crate) fn ddl_options(self) -> DdlOptions {
        let is_old = self == Self::V1;
        let long_values = if is_old { LongValues::Addresses } else { LongValues::Adaptive };
        DdlOptions { long_values, loses_comments: is_old, foreign_key_checks: true }
    }
}

/// Lets a lock go and waits until nobody has a copy of it: Dolt waits for a tenth of a second only, and then reads.
pub(crate) fn unlock(locked: Locked, dir: &Path) {
    drop(locked);
    wait_until("the database's lock is free again", || !is_locked(&dir.join(".dolt/noms/LOCK")));
}
