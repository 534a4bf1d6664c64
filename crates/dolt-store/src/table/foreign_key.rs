//! Foreign keys of a root value (message DFKC; Dolt `go/serial/foreign_key.fbs`,
//! `go/libraries/doltcore/doltdb/foreign_key_serialization.go`).

use crate::message::{Builder, Message, Table as Fields};

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
    /// The referring columns by name, if it was made when there was nothing to refer to. They may stay when there is.
    pub unresolved_child_columns: Vec<String>,
    /// The columns referred to, likewise.
    pub unresolved_parent_columns: Vec<String>,
    /// Whether rows that were there before were not checked.
    pub is_not_valid: bool,
    /// What NULLs in some of the referring columns mean.
    pub match_type: MatchType,
}

/// What NULLs in some of the referring columns mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the words are SQL's own")]
pub enum MatchType {
    Simple,
    Full,
    Partial,
}

impl ForeignKey {
    /// Whether it is known what it refers to. What is not enforced yet has no columns.
    pub fn is_resolved(&self) -> bool {
        !self.child_columns.is_empty() && !self.parent_columns.is_empty()
    }
}

/// The foreign keys in a DFKC message.
pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<ForeignKey>, String> {
    let table = Message::parse(bytes, *b"DFKC")?.root(1)?;
    table.tables(0, 15)?.iter().map(one).collect()
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
        unresolved_child_columns: fields.strings(9)?,
        unresolved_parent_columns: fields.strings(10)?,
        is_not_valid: fields.bool(13)?,
        match_type: match fields.u8(14)? {
            0 => MatchType::Simple,
            1 => MatchType::Full,
            2 => MatchType::Partial,
            other => return Err(format!("unknown match type {other}")),
        },
    })
}

/// The message of foreign keys, which are sorted by name.
pub(crate) fn message(keys: &[ForeignKey]) -> Vec<u8> {
    let mut b = Builder::new();
    let mut items = Vec::with_capacity(keys.len());
    for key in keys.iter().rev() {
        let unresolved_parent = strings(&mut b, &key.unresolved_parent_columns);
        let unresolved_child = strings(&mut b, &key.unresolved_child_columns);
        let parent_columns = b.u64s(&key.parent_columns);
        let child_columns = b.u64s(&key.child_columns);
        let parent_table = b.string(&key.parent_table);
        let parent_index = b.string(&key.parent_index);
        let child_table = b.string(&key.child_table);
        let child_index = b.string(&key.child_index);
        let name = b.string(&key.name);
        b.begin();
        b.add(0, name);
        b.add(1, child_table);
        b.add(2, child_index);
        b.add(3, child_columns);
        b.add(4, parent_table);
        b.add(5, parent_index);
        b.add(6, parent_columns);
        b.add_if(9, unresolved_child);
        b.add_if(10, unresolved_parent);
        b.add_u8(7, key.on_update as u8);
        b.add_u8(8, key.on_delete as u8);
        b.add_u8(13, key.is_not_valid.into());
        b.add_u8(14, key.match_type as u8);
        items.push(b.end());
    }
    items.reverse();
    let keys = b.offsets(&items);
    b.begin();
    b.add(0, keys);
    let root = b.end();
    b.finish(root, *b"DFKC")
}

// None at all is no vector.
fn strings(b: &mut Builder, texts: &[String]) -> Option<crate::message::Offset> {
    if texts.is_empty() {
        return None;
    }
    let mut items: Vec<_> = texts.iter().rev().map(|text| b.string(text)).collect();
    items.reverse();
    Some(b.offsets(&items))
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
