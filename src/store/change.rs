//! What a command does to a database, as data: rows that come, change and go, in order. It is worked out step by step, each from
//! the state that the one before left, and done by whichever engine the lock allows; if the database has moved meanwhile, all
//! of it is worked out anew.

use std::fmt;
use std::rc::Rc;

use dolt_store::table::Value;

use super::StoreError;
use super::family::is_local;
use super::ops::{Act, Work};
use super::reader::Reader;

/// Values by the names of their columns.
pub type Values = Vec<(&'static str, Value)>;

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It comes.
    Insert {
        /// Where.
        table: &'static str,
        /// All of it; what is not named gets its default.
        values: Values,
    },
    /// It comes, or the one with the same key gets these values.
    Put {
        /// Where.
        table: &'static str,
        /// The key and the rest.
        values: Values,
    },
    /// It changes.
    Update {
        /// Where.
        table: &'static str,
        /// Its primary key.
        key: Values,
        /// What is new.
        values: Values,
    },
    /// It goes, with all that hangs on it by foreign keys.
    Delete {
        /// Where.
        table: &'static str,
        /// Its primary key.
        key: Values,
    },
}

impl Change {
    /// Its table.
    pub fn table(&self) -> &'static str {
        match self {
            Self::Insert { table, .. }
            | Self::Put { table, .. }
            | Self::Update { table, .. }
            | Self::Delete { table, .. } => table,
        }
    }
}

/// Changes in the order in which they are done.
#[derive(Clone, Default)]
pub struct Changes {
    all: Vec<Change>,
    watch: Option<Rc<dyn Fn(usize)>>,
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.all.fmt(f)
    }
}

impl Changes {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// A row comes.
    pub fn insert(&mut self, table: &'static str, values: Values) {
        self.all.push(Change::Insert { table, values });
    }

    /// A row comes or gets these values.
    pub fn put(&mut self, table: &'static str, values: Values) {
        self.all.push(Change::Put { table, values });
    }

    /// A row changes.
    pub fn update(&mut self, table: &'static str, key: Values, values: Values) {
        self.all.push(Change::Update { table, key, values });
    }

    /// A row goes.
    pub fn delete(&mut self, table: &'static str, key: Values) {
        self.all.push(Change::Delete { table, key });
    }

    /// Those of others behind these.
    pub fn extend(&mut self, others: Self) {
        self.all.extend(others.all);
        self.watch = others.watch.or(self.watch.take());
    }

    /// Whichever engine does these changes tells `watch` how many of them are done, again and again. If all is done anew, it
    /// begins anew.
    pub fn watched_by(&mut self, watch: impl Fn(usize) + 'static) {
        self.watch = Some(Rc::new(watch));
    }

    /// So many of them are done.
    pub(super) fn tell(&self, done: usize) {
        if let Some(watch) = &self.watch {
            watch(done);
        }
    }

    /// Does one after the other. Each is gone when it is done.
    pub(super) fn each<E>(self, mut work: impl FnMut(Change) -> Result<(), E>) -> Result<(), E> {
        let Self { all, watch } = self;
        for (before, change) in all.into_iter().enumerate() {
            work(change)?;
            if let Some(watch) = &watch {
                watch(before + 1);
            }
        }
        Ok(())
    }

    /// Without whoever watches.
    pub(super) fn into_vec(self) -> Vec<Change> {
        self.all
    }

    /// One after the other.
    pub fn as_slice(&self) -> &[Change] {
        &self.all
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether they touch local tables only, so that there is nothing to commit.
    pub fn are_local(&self) -> bool {
        self.all.iter().all(|change| is_local(change.table()))
    }

    /// The versioned tables that they touch, sorted.
    pub fn versioned_tables(&self) -> Vec<&'static str> {
        let mut tables: Vec<_> =
            self.all.iter().map(Change::table).filter(|table| !is_local(table)).collect();
        tables.sort_unstable();
        tables.dedup();
        tables
    }
}

/// A transaction that nobody else sees yet. What was applied is there for the next question.
pub trait Tx {
    /// The state with all changes so far.
    fn reader(&self) -> &dyn Reader;

    /// Does these changes, all or none.
    fn apply(&mut self, changes: Changes) -> Result<(), StoreError>;
}

/// How a transaction ends.
#[derive(Debug)]
pub struct Outcome<T> {
    /// The message of the Dolt commit; without one the changes stay in the working set. If nothing versioned has changed
    /// there is no commit in either case.
    pub message: Option<String>,
    /// The command's result.
    pub result: T,
}

/// What a command does in a transaction.
pub type Job<'j, T> = dyn FnMut(&mut dyn Tx) -> Result<Outcome<T>, StoreError> + 'j;

/// Works something out from the state so far and applies it. What fails changes nothing.
pub fn step<T>(
    tx: &mut dyn Tx,
    act: &Act,
    work_out: impl FnOnce(&mut Work<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut work = Work::new(tx.reader(), act);
    let result = work_out(&mut work)?;
    let changes = work.changes;
    tx.apply(changes)?;
    Ok(result)
}
