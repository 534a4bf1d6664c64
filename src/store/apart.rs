//! Long tables read by several threads, a part each: unpacking rows takes longer than getting them from the disk.
//!
//! What could go wrong is that a row is read twice or by nobody: the parts are told by positions in one tree, which does not
//! change, and each thread stops where the next begins.

use std::thread;

use dolt_store::table::{Projection, Value};

use super::StoreError;
use super::reader::{By, Reader, Select};

/// Fewer rows are read sooner than a thread begins.
const LONG: u64 = 2000;

/// More threads than this wait for one another.
const THREADS: usize = 4;

/// How a row becomes something.
type Make<'m, T> = &'m (dyn Fn(&mut Vec<Value>) -> T + Sync);

/// What `make` makes of each row that answers the question.
pub(super) fn collect<T: Send>(
    reader: &dyn Reader,
    question: &Select<'_>,
    make: Make<'_, T>,
) -> Result<Vec<T>, StoreError> {
    let table = if question.by == By::All { reader.table(question.table)? } else { None };
    if let Some(table) = table.filter(|table| table.entries() >= LONG && !table.schema().is_keyless()) {
        return in_threads(&table.project(question.columns)?, table.entries(), make);
    }
    let mut found = Vec::new();
    reader.select(question, &mut |row| {
        found.push(make(row));
        Ok(())
    })?;
    Ok(found)
}

fn in_threads<T: Send>(table: &Projection, rows: u64, make: Make<'_, T>) -> Result<Vec<T>, StoreError> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    let each = rows.div_ceil(u64::try_from(threads).unwrap_or(1));
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads)
            .map(|n| {
                let from = each.saturating_mul(u64::try_from(n).unwrap_or(u64::MAX));
                let count = each.min(rows.saturating_sub(from));
                scope.spawn(move || {
                    let mut found = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
                    part(table, from, count, make, &mut found).map(|()| found)
                })
            })
            .collect();
        let mut found = Vec::with_capacity(usize::try_from(rows).unwrap_or(0));
        part(table, 0, each.min(rows), make, &mut found)?;
        for other in others {
            let part = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            found.append(&mut part?);
        }
        Ok(found)
    })
}

fn part<T>(
    table: &Projection,
    from: u64,
    count: u64,
    make: Make<'_, T>,
    found: &mut Vec<T>,
) -> Result<(), StoreError> {
    if count == 0 {
        return Ok(());
    }
    let (mut rows, mut values) = (table.rows_from(from)?, Vec::new());
    for _ in 0..count {
        if !rows.read(&mut values)? {
            break;
        }
        found.push(make(&mut values));
    }
    Ok(())
}
