//! Foreign keys of a root value (message DFKC; Dolt `go/serial/foreign_key.fbs`).

use crate::message::{Message, Table as Fields};

/// What happens to child rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the words are SQL's own")]
pub enum ReferenceOption {
    Default,
    Cascade,
    NoAction,
    Restrict,
    SetNull,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// Its name.
    pub name: String,
    /// The table that refers.
    pub child_table: String,
    /// The index of that table that serves it; empty: the primary key.
    pub child_index: String,
    /// Tags of the referring columns.
    pub child_columns: Vec<u64>,
    /// The table that is referred to.
    pub parent_table: String,
    /// Its index; empty: the primary key.
    pub parent_index: String,
    /// Tags of the columns referred to.
    pub parent_columns: Vec<u64>,
    /// On update of the parent.
    pub on_update: ReferenceOption,
    /// On delete of the parent.
    pub on_delete: ReferenceOption,
}

/// The foreign keys in a DFKC message.
pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<ForeignKey>, String> {
    let table = Message::parse(bytes, *b"DFKC")?.root(1)?;
    table.tables(0, 13)?.iter().map(one).collect()
}

fn one(fields: &Fields<'_>) -> Result<ForeignKey, String> {
    let text = |slot| fields.string(slot).map(Option::unwrap_or_default);
    Ok(ForeignKey {
        name: text(0)?,
        child_table: text(1)?,
        child_index: text(2)?,
        child_columns: fields.u64s(3)?,
        parent_table: text(4)?,
        parent_index: text(5)?,
        parent_columns: fields.u64s(6)?,
        on_update: option(fields.u8(7)?)?,
        on_delete: option(fields.u8(8)?)?,
    })
}

fn option(id: u8) -> Result<ReferenceOption, String> {
    Ok(match id {
        0 => ReferenceOption::Default,
        1 => ReferenceOption::Cascade,
        2 => ReferenceOption::NoAction,
        3 => ReferenceOption::Restrict,
        4 => ReferenceOption::SetNull,
        other => return Err(format!("unknown reference option {other}")),
    })
}
