//! A case that fails made smaller, as long as it still fails: fewer steps, fewer changes in them, fewer tables, indexes and
//! columns. What is left is what somebody reads.

use super::case::{Case, Difference};
use super::rules::Rule;
use super::schema::{Index, Table};
use super::steps::{Add, Define, Place, Step, What};
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
            without_checks,
            without_rules,
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
pub(crate) fn piece(len: usize, mut n: usize) -> Option<std::ops::Range<usize>> {
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
        Step::Fill { table, .. }
        | Step::Thin { table, .. }
        | Step::Sweep { table, .. }
        | Step::PutBack { table }
        | Step::Define(
            Define::CreateTable { table }
            | Define::DropTable { table }
            | Define::AddColumn { table, .. }
            | Define::CreateIndex { table, .. }
            | Define::DropIndex { table, .. },
        ) => {
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

fn without_checks(case: &Case, n: usize) -> Option<Case> {
    let count = |table: &Table| table.checks.len();
    let mut places =
        case.tables.iter().enumerate().flat_map(|(t, table)| (0..count(table)).map(move |i| (t, i)));
    let (table, check) = places.nth(n)?;
    let mut case = case.clone();
    case.tables[table].checks.remove(check);
    Some(case)
}

// A column that does nothing by itself.
fn without_rules(case: &Case, n: usize) -> Option<Case> {
    let places =
        case.tables.iter().enumerate().flat_map(|(t, table)| (0..table.columns.len()).map(move |c| (t, c)));
    let mut places = places.filter(|(t, c)| case.tables[*t].columns[*c].rule != Rule::None);
    let (table, column) = places.nth(n)?;
    let mut case = case.clone();
    case.tables[table].columns[column].rule = Rule::None;
    Some(case)
}

// A column that no key and no expression has.
fn without_columns(case: &Case, n: usize) -> Option<Case> {
    let can_go = |t: usize, c: usize| {
        let table = &case.tables[t];
        let in_index = table.indexes.iter().any(|index| index.columns.iter().any(|(i, _)| *i == c));
        let mut formulas = table.columns.iter().filter_map(|column| column.rule.formula());
        let in_formula = formulas.any(|formula| formula.of.contains(&c))
            || table.checks.iter().any(|check| check.formula.of.contains(&c));
        let in_key = table.key.contains(&c) || table.is_foreign(c);
        let others = table.columns.iter().enumerate().filter(|(other, _)| *other != c);
        let has_more = others.filter(|(_, column)| !column.late && !column.is_generated()).count() > 0;
        !in_key && !in_index && !in_formula && has_more
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
    let formulas = table.columns.iter_mut().filter_map(|column| column.rule.formula_mut());
    let formulas = formulas.chain(table.checks.iter_mut().map(|check| &mut check.formula));
    formulas.flat_map(|formula| &mut formula.of).for_each(renamed);
    let renamed_in = |index: &mut Index| index.columns.iter_mut().for_each(|(column, _)| renamed(column));
    table.indexes.iter_mut().for_each(renamed_in);
    let children = case.tables.iter_mut().flat_map(|table| &mut table.foreign_keys);
    for key in children.filter(|key| key.parent == gone_of) {
        key.parent_columns.iter_mut().for_each(renamed);
    }
    let left = |columns: &mut Vec<usize>| {
        columns.retain(|column| *column != gone);
        columns.iter_mut().for_each(renamed);
    };
    case.steps.retain_mut(|step| match step {
        Step::Rows(changes) => {
            for change in changes.iter_mut().filter(|change| change.table == gone_of) {
                without_column(&mut change.what, gone);
            }
            changes.retain(|change| !matches!(&change.what, What::Update { to, .. } if to.is_empty()));
            !changes.is_empty()
        }
        Step::Fill { table, rows, left_out } if *table == gone_of => {
            left(left_out);
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
        Step::Define(Define::AddColumn { table, column, place }) if *table == gone_of => {
            let stays = *column != gone;
            renamed(column);
            match place {
                Place::After(other) if *other == gone => *place = Place::Last,
                Place::After(other) => renamed(other),
                _ => {}
            }
            stays
        }
        Step::Define(Define::CreateIndex { table, index, .. }) if *table == gone_of => {
            let stays = !index.columns.iter().any(|(column, _)| *column == gone);
            renamed_in(index);
            stays
        }
        _ => true,
    });
    Some(case)
}

fn without_column(what: &mut What, gone: usize) {
    let renamed = |column: &mut usize| *column -= usize::from(*column > gone);
    let settings = |to: &mut Vec<(usize, dolt_store::table::Value)>| {
        to.retain(|(column, _)| *column != gone);
        for (column, _) in to.iter_mut() {
            renamed(column);
        }
    };
    match what {
        What::Add { how, values, left_out, .. } => {
            values.remove(gone);
            left_out.retain(|column| *column != gone);
            left_out.iter_mut().for_each(renamed);
            if let Add::Upsert(to) = how {
                settings(to);
            }
        }
        What::Update { to, .. } => settings(to),
        What::Delete { .. } => {}
    }
}
