//! What the schema says about a row before it is stored: values for columns that nobody gave one, generated values, and whether
//! the row may be so at all. It is asked for every row that a caller adds or changes, and not for what foreign keys do to
//! others: Dolt evaluates nothing there.
//!
//! What could go wrong: an expression that this crate does not understand, or a value of it that depends on Dolt's version. Each
//! is refused by the name of its column or check.

use super::Violation;
use super::unfinished::Unfinished;
use crate::expr::{EvalContext, Problem, Rules};
use crate::table::{Column, Value};
use crate::{Error, Result};

/// Completes a row. Every column that is stored has a value afterwards, or had one before.
pub(super) fn complete(row: &mut Unfinished<'_>, rules: &Rules, context: Option<&EvalContext>) -> Result<()> {
    if row.is_update() {
        if !row.is_changed()? {
            return Ok(());
        }
        for (i, column) in open_columns(row) {
            if let Some(text) = &column.on_update {
                let value = rules.value(text, column, &values(row)?, context);
                row.set(i, value.map_err(|problem| refused(row, "ON UPDATE", &column.name, problem))?);
            }
        }
    } else {
        // Defaults that are expressions come last: they may look at the other columns.
        let (last, first): (Vec<_>, Vec<_>) = open_columns(row)
            .into_iter()
            .partition(|(_, c)| c.default.as_ref().is_some_and(|text| text.starts_with('(')));
        for (i, column) in first.into_iter().chain(last) {
            let value = match &column.default {
                Some(text) => {
                    // What is written out looks at nothing.
                    let values = if text.starts_with('(') { values(row)? } else { Vec::new() };
                    let value = rules.value(text, column, &values, context);
                    value.map_err(|problem| refused(row, "the default", &column.name, problem))?
                }
                None if column.auto_increment => {
                    let what = format!("table {}: the next number of column {}", row.table(), column.name);
                    return Err(Error::NotSupported { what });
                }
                None if column.nullable => Value::Null,
                None => return Err(row.violates(Violation::NoValue { column: column.name.clone() })),
            };
            row.set(i, value);
        }
    }
    generate(row, rules)?;
    check(row, rules)
}

// Columns that nobody gave a value, and no expression generates.
fn open_columns<'r>(row: &Unfinished<'r>) -> Vec<(usize, &'r Column)> {
    let columns = row.schema().columns.iter().enumerate();
    columns.filter(|(i, c)| !c.hidden && !c.generated && !row.is_given(*i)).collect()
}

// The values of the visible columns, as far as they are known by now.
fn values(row: &Unfinished<'_>) -> Result<Vec<Value>> {
    let value = |(i, _)| Ok(row.settled(i)?.unwrap_or(Value::NotStored));
    row.schema().visible().map(value).collect()
}

// A value that was given for a generated column has to be the one that its expression gives: so a row that was read can be
// written elsewhere.
fn generate(row: &mut Unfinished<'_>, rules: &Rules) -> Result<()> {
    let schema = row.schema();
    for generator in rules.generators() {
        let Some((i, column)) = schema.visible().nth(generator.position()) else { continue };
        let given =
            if row.is_given(i) && !row.is_value(i, &Value::NotStored) { row.settled(i)? } else { None };
        match generator.value(&values(row)?) {
            Ok(value) => {
                row.set(i, value);
                // Nothing is stored of a virtual one. But Dolt refuses a value that the column could not hold, and could not
                // read a table in which there is one: so one that is not known is refused as well.
                if column.is_virtual {
                    row.fits(i)?;
                }
            }
            Err(problem) => return Err(refused(row, "the generated value", &column.name, problem)),
        }
        if given.is_some() && given != row.settled(i)? {
            return Err(row.violates(Violation::Generated { column: column.name.clone() }));
        }
    }
    Ok(())
}

fn check(row: &Unfinished<'_>, rules: &Rules) -> Result<()> {
    let schema = row.schema();
    let enforced: Vec<_> = schema.checks.iter().filter(|check| check.enforced).collect();
    if enforced.is_empty() {
        return Ok(());
    }
    let values = values(row)?;
    for check in enforced {
        match rules.holds(&check.expression, &values) {
            Ok(true) => {}
            Ok(false) => return Err(row.violates(Violation::Check { name: check.name.clone() })),
            Err(problem) => {
                let what =
                    format!("table {}: check {} ({}): {problem}", row.table(), check.name, check.expression);
                return Err(Error::NotSupported { what });
            }
        }
    }
    Ok(())
}

fn refused(row: &Unfinished<'_>, what: &str, column: &str, problem: Problem) -> Error {
    match problem {
        Problem::Unsupported(why) => {
            Error::NotSupported { what: format!("table {}: {what} of column {column} ({why})", row.table()) }
        }
        Problem::Fails(problem) => row.violates(Violation::Expression { column: column.to_owned(), problem }),
    }
}
