//! Long tables read by several threads, a part each: unpacking rows takes longer than getting them from the disk.
//!
//! What could go wrong is that a row is read twice or by nobody: the parts are told by positions in one tree, which does not
//! change, and each thread stops where the next begins.

use dolt_store::table::{Projection, Value};

use super::StoreError;
use super::reader::{By, Reader, Select};
use crate::sys::parallel;

/// Fewer values are read sooner than a thread begins.
const MANY: u64 = 25_000;

/// How a row becomes something.
type Make<'m, T> = &'m (dyn Fn(&mut Vec<Value>) -> T + Sync);

/// How a part begins, told how many rows it will have at most; the first, to which others may be added, how many all have.
type Begin<'b, S> = &'b (dyn Fn(usize) -> S + Sync);

/// What a row adds to its part.
type Take<'t, S> = &'t (dyn Fn(&mut S, &mut Vec<Value>) -> Result<(), StoreError> + Sync);

/// What `make` makes of each row that answers the question.
pub(super) fn collect<T: Send>(
    reader: &dyn Reader,
    question: &Select<'_>,
    make: Make<'_, T>,
) -> Result<Vec<T>, StoreError> {
    let parts = fold(reader, question, &Vec::with_capacity, &|found, row| {
        found.push(make(row));
        Ok(())
    })?;
    let mut parts = parts.into_iter();
    let mut found: Vec<T> = parts.next().unwrap_or_default();
    parts.for_each(|mut part| found.append(&mut part));
    Ok(found)
}

/// What the rows that answer the question add up to, part by part.
pub(super) fn fold<S: Send>(
    reader: &dyn Reader,
    question: &Select<'_>,
    begin: Begin<'_, S>,
    take: Take<'_, S>,
) -> Result<Vec<S>, StoreError> {
    let table = if question.by == By::All { reader.table(question.table)? } else { None };
    let width = u64::try_from(question.columns.len()).unwrap_or(u64::MAX);
    let is_long = |rows: u64| rows.saturating_mul(width) >= MANY;
    if let Some(table) = table.filter(|table| is_long(table.entries()) && !table.schema().is_keyless()) {
        return in_threads(&table.project(question.columns)?, table.entries(), begin, take);
    }
    let mut part = begin(0);
    reader.select(question, &mut |row| take(&mut part, row))?;
    Ok(vec![part])
}

fn in_threads<S: Send>(
    table: &Projection,
    rows: u64,
    begin: Begin<'_, S>,
    take: Take<'_, S>,
) -> Result<Vec<S>, StoreError> {
    let threads = parallel::width();
    let each = rows.div_ceil(u64::try_from(threads).unwrap_or(1));
    let part = |n: usize| {
        let from = each.saturating_mul(u64::try_from(n).unwrap_or(u64::MAX));
        let count = each.min(rows.saturating_sub(from));
        let expected = if n == 0 { rows } else { count };
        let mut part = begin(usize::try_from(expected).unwrap_or(0));
        read(table, from, count, &mut |row| take(&mut part, row)).map(|()| part)
    };
    parallel::parts(threads, &part).into_iter().collect()
}

fn read(
    table: &Projection,
    from: u64,
    count: u64,
    take: &mut dyn FnMut(&mut Vec<Value>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    if count == 0 {
        return Ok(());
    }
    let (mut rows, mut values) = (table.rows_from(from)?, Vec::new());
    for _ in 0..count {
        if !rows.read(&mut values)? {
            break;
        }
        take(&mut values)?;
    }
    Ok(())
}
