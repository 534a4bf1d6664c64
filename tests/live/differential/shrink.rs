//! A case that fails made smaller, as long as it still fails: fewer steps, fewer changes in them, fewer tables, indexes and
//! columns. What is left is what somebody reads.

use super::case::{Case, Difference};
use super::schema::Table;
use super::steps::{Step, What};
use super::theirs::Server;

/// So many smaller cases are tried.
const ATTEMPTS: usize = 400;

/// The smallest case that was found, and how it fails.
pub(super) fn shrink(case: Case, difference: Difference, server: &mut Server) -> (Case, Difference) {
    let (mut case, mut difference) = (case, difference);
    if let Some(last) = difference.step {
        case.steps.truncate(last + 1);
    }
    let mut left = ATTEMPTS;
    loop {
        let before = size(&case);
        for smaller in [
            without_steps,
            without_changes,
            without_tables,
            without_indexes,
            without_foreign_keys,
            without_columns,
        ] {
            (case, difference) = smallest_by(case, difference, smaller, server, &mut left);
        }
        if left == 0 || size(&case) == before {
            return (case, difference);
        }
    }
}

fn size(case: &Case) -> usize {
    format!("{case:?}").len()
}

// Tries what `smaller` offers until nothing of it fails any more.
fn smallest_by(
    mut case: Case,
    mut difference: Difference,
    smaller: fn(&Case, usize) -> Option<Case>,
    server: &mut Server,
    left: &mut usize,
) -> (Case, Difference) {
    let mut n = 0;
    while let Some(candidate) = smaller(&case, n).filter(|_| *left > 0) {
        *left -= 1;
        match candidate.run(server) {
            // The same offer again: it is another one now.
            Err(found) => (case, difference) = (candidate, found),
            Ok(_) => n += 1,
        }
    }
    (case, difference)
}

// Halves first, then quarters, at last single ones. `n` counts all of these pieces.
fn piece(len: usize, mut n: usize) -> Option<std::ops::Range<usize>> {
    let mut width = len.div_ceil(2);
    while width > 0 && len > 0 {
        let pieces = len.div_ceil(width);
        if n < pieces {
            return Some(n * width..((n + 1) * width).min(len));
        }
        n -= pieces;
        width = if width == 1 { 0 } else { width.div_ceil(2) };
    }
    None
}

fn without_steps(case: &Case, n: usize) -> Option<Case> {
    let mut case = case.clone();
    case.steps.drain(piece(case.steps.len(), n)?);
    Some(case)
}

fn without_changes(case: &Case, n: usize) -> Option<Case> {
    let mut case = case.clone();
    let mut n = n;
    for step in &mut case.steps {
        let len = match step {
            Step::Rows(changes) => changes.len(),
            Step::Fill { rows, .. } => rows.len(),
            _ => continue,
        };
        let pieces = (0..=2 * len + 64).take_while(|i| piece(len, *i).is_some()).count();
        if n < pieces {
            let gone = piece(len, n)?;
            match step {
                Step::Rows(changes) => drop(changes.drain(gone)),
                Step::Fill { rows, .. } => drop(rows.drain(gone)),
                _ => {}
            }
            return Some(case);
        }
        n -= pieces;
    }
    None
}

fn without_tables(case: &Case, n: usize) -> Option<Case> {
    let gone = (n < case.tables.len() && case.tables.len() > 1).then_some(n)?;
    let mut case = case.clone();
    case.tables.remove(gone);
    let renamed = |table: &mut usize| *table -= usize::from(*table > gone);
    for table in &mut case.tables {
        table.foreign_keys.retain(|key| key.parent != gone);
        for key in &mut table.foreign_keys {
            renamed(&mut key.parent);
        }
    }
    case.steps.retain_mut(|step| match step {
        Step::Rows(changes) => {
            changes.retain(|change| change.table != gone);
            for change in changes.iter_mut() {
                renamed(&mut change.table);
            }
            !changes.is_empty()
        }
        Step::Fill { table, .. } | Step::Thin { table, .. } | Step::Sweep { table, .. } => {
            let stays = *table != gone;
            renamed(table);
            stays
        }
        _ => true,
    });
    Some(case)
}

fn without_indexes(case: &Case, n: usize) -> Option<Case> {
    let mut places =
        case.tables.iter().enumerate().flat_map(|(t, table)| (0..table.indexes.len()).map(move |i| (t, i)));
    let (table, index) = places.nth(n)?;
    let mut case = case.clone();
    case.tables[table].indexes.remove(index);
    Some(case)
}

fn without_foreign_keys(case: &Case, n: usize) -> Option<Case> {
    let count = |table: &Table| table.foreign_keys.len();
    let mut places =
        case.tables.iter().enumerate().flat_map(|(t, table)| (0..count(table)).map(move |i| (t, i)));
    let (table, key) = places.nth(n)?;
    let mut case = case.clone();
    case.tables[table].foreign_keys.remove(key);
    Some(case)
}

// A column that no key has.
fn without_columns(case: &Case, n: usize) -> Option<Case> {
    let can_go = |t: usize, c: usize| {
        let table = &case.tables[t];
        let in_index = table.indexes.iter().any(|index| index.columns.iter().any(|(i, _)| *i == c));
        !table.key.contains(&c) && !in_index && !table.is_foreign(c) && table.columns.len() > 1
    };
    let places =
        case.tables.iter().enumerate().flat_map(|(t, table)| (0..table.columns.len()).map(move |c| (t, c)));
    let (gone_of, gone) = places.filter(|(t, c)| can_go(*t, *c)).nth(n)?;
    let mut case = case.clone();
    let table = &mut case.tables[gone_of];
    table.columns.remove(gone);
    let renamed = |column: &mut usize| *column -= usize::from(*column > gone);
    table.key.iter_mut().for_each(renamed);
    table.foreign_keys.iter_mut().flat_map(|key| &mut key.columns).for_each(renamed);
    let children = case.tables.iter_mut().flat_map(|table| &mut table.foreign_keys);
    for key in children.filter(|key| key.parent == gone_of) {
        key.parent_columns.iter_mut().for_each(renamed);
    }
    let table = &mut case.tables[gone_of];
    table.indexes.iter_mut().flat_map(|index| &mut index.columns).for_each(|(column, _)| renamed(column));
    case.steps.retain_mut(|step| match step {
        Step::Rows(changes) => {
            for change in changes.iter_mut().filter(|change| change.table == gone_of) {
                match &mut change.what {
                    What::Insert(values) | What::InsertLike { values, .. } => drop(values.remove(gone)),
                    What::Update { to, .. } => {
                        to.retain(|(column, _)| *column != gone);
                        for (column, _) in to.iter_mut() {
                            renamed(column);
                        }
                    }
                    What::Delete { .. } => {}
                }
            }
            changes.retain(|change| !matches!(&change.what, What::Update { to, .. } if to.is_empty()));
            !changes.is_empty()
        }
        Step::Fill { table, rows } if *table == gone_of => {
            for row in rows.iter_mut() {
                row.remove(gone);
            }
            true
        }
        Step::Sweep { table, column, .. } if *table == gone_of => {
            let stays = *column != gone;
            renamed(column);
            stays
        }
        _ => true,
    });
    Some(case)
}
