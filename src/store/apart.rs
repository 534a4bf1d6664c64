//! Long tables read by several threads, a part each: unpacking rows takes longer than getting them from the disk.
//!
//! What could go wrong is that a row is read twice or by nobody: shares are told by positions in one tree, which does not
//! change, each is taken once, and ends where the next begins.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use dolt_store::table::{Projection, Value};

use super::StoreError;
use super::family::is_local;
use super::reader::{By, Reader, Select};
use crate::sys::parallel;

/// Fewer values are read sooner than a thread begins.
const MANY: u64 = 25_000;

/// For each thread so many shares of the rows, where their order does not matter: threads do not go equally fast, and whoever is
/// done early takes what another would.
const SHARES: u64 = 8;

/// The same for what is read aside: there the other thread is not waited for meanwhile.
const MANY_ASIDE: u64 = 8_000;

/// How a row becomes something.
type Make<'m, T> = &'m (dyn Fn(&mut Vec<Value>) -> T + Sync);

/// What a row adds to its part.
type Take<'t, S> = &'t (dyn Fn(&mut S, &mut Vec<Value>) -> Result<(), StoreError> + Sync);

/// What `make` makes of each row that answers the question, in the order of the rows.
pub(super) fn collect<T: Send>(
    reader: &dyn Reader,
    question: &Select<'_>,
    make: Make<'_, T>,
) -> Result<Vec<T>, StoreError> {
    // One each: what others have read is moved behind the first, and there it is once more.
    let Some(shares) = Shares::of(reader, question, 1)? else {
        let mut found = Vec::new();
        reader.select(question, &mut |row| {
            found.push(make(row));
            Ok(())
        })?;
        return Ok(found);
    };
    let parts = shares.in_threads(&|shares| {
        let mut parts = Vec::new();
        while let Some(share) = shares.next() {
            // Whatever comes first has room for all.
            let expected = if share.start == 0 { shares.rows } else { share.end - share.start };
            let mut found = Vec::with_capacity(usize::try_from(expected).unwrap_or(0));
            shares.read(&share, &mut |row| {
                found.push(make(row));
                Ok(())
            })?;
            parts.push((share.start, found));
        }
        Ok(parts)
    })?;
    let mut parts: Vec<_> = parts.into_iter().flatten().collect();
    parts.sort_unstable_by_key(|(from, _)| *from);
    let mut parts = parts.into_iter().map(|(_, part)| part);
    let mut found: Vec<T> = parts.next().unwrap_or_default();
    parts.for_each(|mut part| found.append(&mut part));
    Ok(found)
}

/// What the rows that answer the question add up to, in one part for each thread, which the thread finishes at its end. Which
/// row is in which part is not told.
pub(super) fn fold<S: Default + Send>(
    reader: &dyn Reader,
    question: &Select<'_>,
    take: Take<'_, S>,
    finish: &(dyn Fn(&mut S) + Sync),
) -> Result<Vec<S>, StoreError> {
    let Some(shares) = Shares::of(reader, question, SHARES)? else {
        let mut part = S::default();
        reader.select(question, &mut |row| take(&mut part, row))?;
        finish(&mut part);
        return Ok(vec![part]);
    };
    shares.in_threads(&|shares| {
        let mut part = S::default();
        while let Some(share) = shares.next() {
            shares.read(&share, &mut |row| take(&mut part, row))?;
        }
        finish(&mut part);
        Ok(part)
    })
}

/// A table, and what is wanted of all its rows.
pub(super) type Wanted<'w> = (&'static str, &'w [&'w str]);

/// What another thread can read while this one asks the reader for something else.
pub(super) struct Aside {
    // Tables by their numbers among those that are wanted.
    tables: Vec<(usize, Projection)>,
}

impl Aside {
    /// None: not worth a thread, or it does not lie in files.
    pub(super) fn of(reader: &dyn Reader, wanted: &[Wanted<'_>]) -> Result<Option<Self>, StoreError> {
        let (mut tables, mut values) = (Vec::new(), 0_u64);
        for (number, (name, columns)) in wanted.iter().enumerate() {
            match reader.table(name)? {
                Some(table) => {
                    let width = u64::try_from(columns.len()).unwrap_or(u64::MAX);
                    values = values.saturating_add(table.entries().saturating_mul(width));
                    tables.push((number, table.project(columns)?));
                }
                None if is_local(name) => {}
                None => return Ok(None),
            }
        }
        Ok((values >= MANY_ASIDE && parallel::width() > 1).then_some(Self { tables }))
    }

    /// Reads all rows, each told with the number of its table.
    pub(super) fn read(&self, take: &mut dyn FnMut(usize, &mut Vec<Value>)) -> Result<(), StoreError> {
        for (number, table) in &self.tables {
            let (mut rows, mut values) = (table.rows()?, Vec::new());
            while rows.read(&mut values)? {
                take(*number, &mut values);
            }
        }
        Ok(())
    }
}

/// The rows of a long table, to be shared out.
struct Shares {
    table: Projection,
    rows: u64,
    threads: usize,
    each: u64,
    // Where the next share begins.
    next: AtomicU64,
}

impl Shares {
    /// None: few rows, or not all of a table's.
    fn of(reader: &dyn Reader, question: &Select<'_>, for_each: u64) -> Result<Option<Self>, StoreError> {
        let table = if question.by == By::All { reader.table(question.table)? } else { None };
        let width = u64::try_from(question.columns.len()).unwrap_or(u64::MAX);
        let is_long = |rows: u64| rows.saturating_mul(width) >= MANY;
        let table = table.filter(|table| is_long(table.entries()) && !table.schema().is_keyless());
        let Some(table) = table else { return Ok(None) };
        let (rows, threads) = (table.entries(), parallel::width());
        let shares = u64::try_from(threads).unwrap_or(1).saturating_mul(for_each);
        let table = table.project(question.columns)?;
        Ok(Some(Self { table, rows, threads, each: rows.div_ceil(shares), next: AtomicU64::new(0) }))
    }

    fn in_threads<S: Send>(
        &self,
        work: &(dyn Fn(&Self) -> Result<S, StoreError> + Sync),
    ) -> Result<Vec<S>, StoreError> {
        parallel::parts(self.threads, &|_| work(self)).into_iter().collect()
    }

    fn next(&self) -> Option<Range<u64>> {
        let from = self.next.fetch_add(self.each, Relaxed);
        (from < self.rows).then(|| from..self.rows.min(from.saturating_add(self.each)))
    }

    fn read(
        &self,
        share: &Range<u64>,
        take: &mut dyn FnMut(&mut Vec<Value>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let (mut rows, mut values) = (self.table.rows_from(share.start)?, Vec::new());
        for _ in share.clone() {
            if !rows.read(&mut values)? {
                break;
            }
            take(&mut values)?;
        }
        Ok(())
    }
}
