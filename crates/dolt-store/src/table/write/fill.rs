//! What the schema says about a row before it is stored: values for columns that nobody gave one, and whether the row may be
//! so at all. It is asked for every row that a caller adds or changes, and not for what foreign keys do to others: Dolt
//! evaluates nothing there.
//!
//! Nothing is evaluated yet: what would need it is refused by the name of its column.

use super::Violation;
use super::unfinished::Unfinished;
use crate::{Error, Result};

/// Completes a row. Every column that is stored has a value afterwards, or had one before.
pub(super) fn complete(row: &mut Unfinished<'_>) -> Result<()> {
    let schema = row.schema();
    let is_changed = row.is_changed()?;
    for (i, column) in schema.columns.iter().enumerate() {
        if column.hidden || column.is_virtual || row.is_given(i) {
            continue;
        }
        let refused = |what: &str| Error::NotSupported { what: format!("{what} of column {}", column.name) };
        match (row.is_update(), &column.default) {
            (_, Some(_)) if column.generated && is_changed => return Err(refused("the generated value")),
            (true, _) if column.on_update.is_some() && is_changed => return Err(refused("ON UPDATE")),
            (true, _) => {}
            (false, Some(_)) => return Err(refused("the default")),
            (false, None) if column.nullable => row.set(i, crate::table::Value::Null),
            (false, None) => return Err(row.violates(Violation::NoValue { column: column.name.clone() })),
        }
    }
    match schema.checks.iter().find(|check| check.enforced && is_changed) {
        Some(check) => Err(Error::NotSupported { what: format!("check {}", check.name) }),
        None => Ok(()),
    }
}
