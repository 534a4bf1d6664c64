//! A new database of bd, natively. It is made in a directory of its own beside its place, whole and on the disk, and then
//! renamed there, so that a crash or another maker leaves either nothing or all of it.

use std::fs;
use std::io;
use std::path::Path;

use dolt_store::Hash;
use dolt_store::chunk::Disk;
use dolt_store::commit::{CommitMeta, Database, Draft};
use dolt_store::ddl::{DdlOptions, LongValues};

use super::plan::{self, Rows, Step};
use super::{Fresh, SchemaError};
use crate::sys::atomic::{settle_tree, sync_dir};

/// The branch of bd's databases.
pub(super) const BRANCH: &str = "main";

/// What bd's tables are made with: long values at addresses, which every Dolt and every bd reads.
pub(super) const OPTIONS: DdlOptions =
    DdlOptions { long_values: LongValues::Addresses, loses_comments: false, foreign_key_checks: true };

/// Makes the database whose directory will be `path`; its parent is made if need be. Gives the address of the last commit.
/// A directory that has something in it is refused, and so is everybody who comes second: [`SchemaError::Exists`].
pub fn create(path: &Path, fresh: &Fresh) -> Result<Hash, SchemaError> {
    create_on(path, fresh, &Disk::waited_for_later())
}

/// For tests: the same with a disk that stops.
#[doc(hidden)]
pub fn create_on(path: &Path, fresh: &Fresh, disk: &Disk) -> Result<Hash, SchemaError> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(failed(path)(io::ErrorKind::InvalidInput.into()));
    };
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    refuse_what_is_there(path)?;
    disk.reach().and_then(|()| fs::create_dir_all(parent)).map_err(failed(parent))?;
    // One level deeper than databases are looked for: a server that looks into the parent meanwhile takes it for none.
    let new = || tempfile::Builder::new().prefix(".gt_new_").tempdir_in(parent);
    let work = disk.reach().and_then(|()| new()).map_err(failed(parent))?;
    let made = make(&work.path().join(name), path, parent, fresh, disk);
    if made.is_err() && disk.is_stopping() {
        let _left_behind = work.keep();
    }
    made
}

fn failed(at: &Path) -> impl FnOnce(io::Error) -> SchemaError {
    let path = at.to_owned();
    move |source| SchemaError::Io { path, source }
}

fn make(work: &Path, path: &Path, parent: &Path, fresh: &Fresh, disk: &Disk) -> Result<Hash, SchemaError> {
    let first = CommitMeta::first(fresh.by.clone());
    let head = Database::init_with(work, BRANCH, &first, disk.clone(), |draft| fill(draft, fresh))
        .map_err(|source| SchemaError::Store { path: path.to_owned(), source })?;
    disk.reach().and_then(|()| settle_tree(work)).map_err(failed(work))?;
    disk.reach().and_then(|()| fs::rename(work, path)).map_err(|source| match source.kind() {
        io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            SchemaError::Exists { path: path.to_owned() }
        }
        _ => failed(path)(source),
    })?;
    disk.reach().and_then(|()| sync_dir(parent)).map_err(failed(parent))?;
    Ok(head)
}

fn refuse_what_is_there(path: &Path) -> Result<(), SchemaError> {
    let failed = |source| SchemaError::Io { path: path.to_owned(), source };
    let exists = || Err(SchemaError::Exists { path: path.to_owned() });
    match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => exists(),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotADirectory => exists(),
        Err(e) => Err(failed(e)),
    }
}

/// The same in a database that is there and has no tables, as `dolt init` leaves one: its first commit stays. Nothing is
/// written here; `draft` has it all.
pub(crate) fn fill(draft: &mut Draft, fresh: &Fresh) -> dolt_store::Result<()> {
    draft.create_dolt_ignore(OPTIONS)?;
    draft.create_dolt_nonlocal_tables()?;
    for step in plan::of(fresh) {
        match step {
            Step::Commit(message) => {
                draft.stage_all()?;
                draft.add_commit(&CommitMeta::by(fresh.by.clone(), message), false)?;
            }
            Step::Define(sql) => draft.run_ddl(&sql, OPTIONS)?,
            Step::Rows(change) => rows(draft, &change)?,
        }
    }
    Ok(())
}

/// Changes rows.
pub(super) fn rows(draft: &mut Draft, change: &Rows) -> dolt_store::Result<()> {
    draft.edit(|root| {
        let mut table = root.table(change.table)?;
        for row in &change.cells {
            let cells: Vec<_> = row.iter().map(plan::Cell::value).collect();
            if change.go {
                table.delete(&cells)?;
            } else {
                table.insert(change.columns.iter().copied().zip(cells))?;
            }
        }
        Ok(())
    })
}

/// The same in SQL, for a server: one statement after the other, in one session whose database is empty and new, as `CREATE
/// DATABASE` leaves it. Each commit is a statement too; what stands behind a commit must not be run without it.
pub fn statements(fresh: &Fresh) -> Vec<String> {
    let author = format!("{} <{}>", fresh.by.name, fresh.by.email);
    plan::of(fresh).iter().map(|step| step.sql(&author)).collect()
}
