//! Writing in-process: worked out without the lock, appended under it.
//!
//! The order is that of `docs/format.md`: gate and town shared, so that no server of the town is starting; the database's
//! lock, one attempt; is the state still the one that the plan was made from; append, sync, let go. What could go wrong is
//! time: a server that starts meets a held lock for a tenth of a second only, so nothing is worked out under it unless the
//! database moved three times in a row. Writers of our own take turns from the first step on: else nineteen of twenty would work
//! in vain, and one of them could be overtaken until its patience ends.

use std::path::{Path, PathBuf};

use dolt_store::chunk::ReadOptions;
use dolt_store::commit::{Author, CommitMeta, Database, Draft, Locked, Prepared, Session};
use dolt_store::table::{RootEditor, Value};
use dolt_store::{Error, Hash};

use super::NativeReader;
use crate::store::StoreError;
use crate::store::change::{Change, Changes, Job, Outcome, Tx, Values};
use crate::store::family::is_local;
use crate::store::reader::Reader;
use crate::store::runtime::wait;
use crate::store::schema;
use crate::sys::clock::{self, Deadline};
use crate::sys::lock::{self, FileLock, Mode};

/// How often something is worked out without the lock before it is done under it: somebody of another kind may write in between.
const UNLOCKED_ATTEMPTS: usize = 3;

/// A database by its directory.
#[derive(Debug, Clone)]
pub struct Native {
    dir: PathBuf,
    options: ReadOptions,
}

/// What came of trying to write.
#[derive(Debug)]
pub enum Attempt<T> {
    /// It is on the disk.
    Done(T),
    /// Somebody else holds the database: a server, or another writer.
    Held,
}

impl Native {
    /// The database in this directory; `cache` is where indexes of large journals are kept.
    pub fn at(dir: impl Into<PathBuf>, cache: Option<PathBuf>) -> Self {
        Self { dir: dir.into(), options: ReadOptions { despite_loss: false, index_cache: cache } }
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Opens it for reading.
    pub fn open(&self) -> Result<Database, StoreError> {
        Ok(Database::open_with(&self.dir, self.options.clone())?)
    }

    /// The newest committed state of its files, whether a server holds them or not.
    pub fn session(&self) -> Result<Session, StoreError> {
        Ok(self.open()?.session()?)
    }

    /// The working state, for questions.
    pub fn reader(&self) -> Result<NativeReader, StoreError> {
        NativeReader::working(&self.session()?)
    }

    /// Does `work` in a transaction. It may be called several times; only what it did last is done.
    pub fn write<T>(
        &self,
        by: &Author,
        deadline: Deadline,
        work: &mut Job<'_, T>,
    ) -> Result<Attempt<T>, StoreError> {
        // Opened before the turn has come: what was written until then is a look at the journal's end.
        let database = self.open()?;
        let _turn = lock::turn(&self.dir.join(".dolt"), deadline)?;
        for _ in 0..UNLOCKED_ATTEMPTS {
            let (result, prepared) = prepare(&database.session()?, by, work)?;
            let Some(prepared) = prepared else { return Ok(Attempt::Done(result)) };
            let Some(mut writable) = self.lock_opened(&database, deadline)? else { return Ok(Attempt::Held) };
            match writable.locked.apply(prepared) {
                Err(Error::Moved { .. }) => {}
                done => return Ok(Attempt::Done(done.map(|()| result)?)),
            }
        }
        let Some(mut writable) = self.lock_opened(&database, deadline)? else { return Ok(Attempt::Held) };
        let (result, prepared) = prepare(&writable.locked.session()?, by, work)?;
        prepared.map_or(Ok(()), |prepared| writable.locked.apply(prepared))?;
        Ok(Attempt::Done(result))
    }

    /// Brings bd's schema up to date, all of it under the lock. `keep` comes before anything is written, and what it copies is
    /// what will be changed. Gives the commit, if one was needed.
    pub fn migrate(
        &self,
        by: &Author,
        deadline: Deadline,
        keep: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<Attempt<Option<Hash>>, StoreError> {
        let Some(mut writable) = self.lock(deadline)? else { return Ok(Attempt::Held) };
        let session = writable.locked.session()?;
        let mut draft = session.begin(session.head())?;
        let commit = schema::migrate(&mut draft, by)?;
        keep()?;
        writable.locked.apply(draft.prepare_sql(by, "migrate")?)?;
        Ok(Attempt::Done(commit))
    }

    /// Makes bd's tables in a database that has none yet. `None`: it has some, and nothing was done.
    pub fn fill(&self, fresh: &schema::Fresh, deadline: Deadline) -> Result<Attempt<Option<()>>, StoreError> {
        let Some(mut writable) = self.lock(deadline)? else { return Ok(Attempt::Held) };
        let session = writable.locked.session()?;
        let mut draft = session.begin(session.head())?;
        if !session.tables(draft.working())?.names()?.is_empty() {
            return Ok(Attempt::Done(None));
        }
        schema::fill(&mut draft, fresh)?;
        writable.locked.apply(draft.prepare_sql(&fresh.by, "bd init")?)?;
        Ok(Attempt::Done(Some(())))
    }

    /// Passes the gate of the data directory, if it has one, and tries the database's lock once.
    fn lock(&self, deadline: Deadline) -> Result<Option<Writable>, StoreError> {
        self.locked_by(deadline, || Database::try_lock(&self.dir, self.options.clone()))
    }

    /// The same for a database that is open already.
    fn lock_opened(&self, database: &Database, deadline: Deadline) -> Result<Option<Writable>, StoreError> {
        self.locked_by(deadline, || database.try_lock_opened())
    }

    fn locked_by(
        &self,
        deadline: Deadline,
        attempt: impl FnOnce() -> dolt_store::Result<Option<Locked>>,
    ) -> Result<Option<Writable>, StoreError> {
        let own_dir = self.dir.parent().map(|data_dir| data_dir.join(".gt")).filter(|own| own.is_dir());
        let inside = own_dir.map(|own| pass(&own, deadline)).transpose()?;
        let locked = attempt()?;
        Ok(locked.map(|locked| Writable { locked, _inside: inside }))
    }
}

/// A database that nobody else writes.
struct Writable {
    locked: Locked,
    // While this is held no server starts in the town.
    _inside: Option<FileLock>,
}

fn pass(dir: &Path, deadline: Deadline) -> Result<FileLock, StoreError> {
    let lock = |name: &str| wait(lock::acquire(&dir.join(name), Mode::Shared, deadline, |_| {}));
    let gate = lock("gate.lock")?;
    let inside = lock("town.lock")?;
    drop(gate);
    Ok(inside)
}

fn prepare<T>(
    session: &Session,
    by: &Author,
    work: &mut Job<'_, T>,
) -> Result<(T, Option<Prepared>), StoreError> {
    let branch = session.head();
    let mut tx = NativeTx::begin(session.begin(branch)?)?;
    let Outcome { message, result } = work(&mut tx)?;
    let mut draft = tx.draft;
    if !tx.is_changed && message.is_none() {
        return Ok((result, None));
    }
    let why = message.as_deref().unwrap_or("bd");
    let Some(message) = &message else { return Ok((result, Some(draft.prepare_sql(by, why)?))) };
    draft.stage_all()?;
    if draft.draft().commit(draft.head())?.root_value == draft.staged() {
        // Nothing that a commit could hold: local tables alone have changed, if any.
        let prepared = if tx.is_changed { Some(draft.prepare_sql(by, why)?) } else { None };
        return Ok((result, prepared));
    }
    let prepared = draft.prepare_commit(&CommitMeta::by(by.clone(), message), false)?;
    Ok((result, prepared.map(|(_, prepared)| prepared)))
}

/// A draft, and what can be read of it.
pub(in crate::store) struct NativeTx {
    draft: Draft,
    reader: NativeReader,
    is_changed: bool,
}

impl NativeTx {
    /// Nothing is changed yet.
    pub(in crate::store) fn begin(draft: Draft) -> Result<Self, StoreError> {
        let reader = NativeReader::at(draft.draft(), draft.working())?;
        Ok(Self { draft, reader, is_changed: false })
    }
}

impl Tx for NativeTx {
    fn reader(&self) -> &dyn Reader {
        &self.reader
    }

    fn apply(&mut self, changes: Changes) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        for change in changes.as_slice() {
            // A fresh clone has none of the local tables.
            if is_local(change.table()) && self.reader.table(change.table())?.is_none() {
                schema::ensure_local(&mut self.draft, clock::now())?;
                self.reader = NativeReader::at(self.draft.draft(), self.draft.working())?;
            }
        }
        self.draft.edit(|root| changes.each(|change| apply_one(root, change)))?;
        self.reader = NativeReader::at(self.draft.draft(), self.draft.working())?;
        self.is_changed = true;
        Ok(())
    }
}

fn apply_one(root: &mut RootEditor<'_>, change: Change) -> dolt_store::Result<()> {
    match change {
        Change::Insert { table, values } => root.table(table)?.insert(values).map(|_| ()),
        Change::Put { table, values } => {
            let mut table = root.table(table)?;
            let keys = key_names(table.schema()?);
            let rest: Vec<_> =
                values.iter().filter(|(name, _)| !keys.iter().any(|key| key == name)).cloned().collect();
            table.upsert(values, rest).map(|_| ())
        }
        Change::Update { table, key, values } => {
            let mut table = root.table(table)?;
            let key = in_order(&key_names(table.schema()?), &key);
            table.update(&key, values).map(|_| ())
        }
        Change::Delete { table, key } => {
            let mut table = root.table(table)?;
            let key = in_order(&key_names(table.schema()?), &key);
            table.delete(&key)
        }
    }
}

fn key_names(schema: &dolt_store::table::Schema) -> Vec<String> {
    let columns = schema.key_columns.iter().filter_map(|at| schema.columns.get(usize::from(*at)));
    columns.map(|column| column.name.clone()).collect()
}

fn in_order(names: &[String], key: &Values) -> Vec<Value> {
    let value = |name: &String| key.iter().find(|(given, _)| given == name).map(|(_, value)| value.clone());
    names.iter().map(|name| value(name).unwrap_or(Value::Null)).collect()
}
