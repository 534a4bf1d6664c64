//! One column, as it was written.

use super::cursor::Cursor;
use super::statement::{CheckSpec, Constraints, ForeignKeySpec};
use super::types::{WrittenType, word_or_text};
use crate::table::ReferenceOption;
use crate::{Error, Result};

/// A column. Expressions stay as they were written.
#[derive(Debug)]
pub(super) struct ColumnSpec<'s> {
    pub(super) name: String,
    pub(super) written: WrittenType,
    /// `Some(true)`: NULL; `Some(false)`: NOT NULL.
    pub(super) null: Option<bool>,
    pub(super) default: Option<&'s str>,
    pub(super) on_update: Option<&'s str>,
    pub(super) generated: Option<Generated<'s>>,
    pub(super) auto_increment: bool,
    pub(super) primary: bool,
    pub(super) unique: bool,
    pub(super) comment: String,
}

/// What a column is computed from.
#[derive(Debug)]
pub(super) struct Generated<'s> {
    pub(super) expression: &'s str,
    pub(super) stored: bool,
}

/// `CONSTRAINT`, with a name or without. `None`: it does not come next.
#[expect(
    clippy::option_option,
    reason = "no constraint, one without a name, and one with a name are three things"
)]
pub(super) fn constraint_name(cursor: &mut Cursor<'_>) -> Result<Option<Option<String>>> {
    if !cursor.eat("CONSTRAINT") {
        return Ok(None);
    }
    let is_unnamed = ["CHECK", "FOREIGN", "UNIQUE", "PRIMARY"].iter().any(|word| cursor.is(word));
    if is_unnamed { Ok(Some(None)) } else { Ok(Some(Some(cursor.name()?))) }
}

impl<'s> ColumnSpec<'s> {
    /// Reads a column; its checks go to the others of the table.
    pub(super) fn read(cursor: &mut Cursor<'s>, constraints: &mut Constraints<'s>) -> Result<Self> {
        let mut this = Self {
            name: cursor.name()?,
            written: WrittenType::read(cursor)?,
            null: None,
            default: None,
            on_update: None,
            generated: None,
            auto_increment: false,
            primary: false,
            unique: false,
            comment: String::new(),
        };
        while this.option(cursor, constraints)? {}
        let is_computed = this.default.is_some() || this.auto_increment || this.on_update.is_some();
        if this.generated.is_some() && is_computed {
            return Err(Error::Sql { problem: format!("{} is generated and has another value", this.name) });
        }
        Ok(this)
    }

    fn option(&mut self, cursor: &mut Cursor<'s>, constraints: &mut Constraints<'s>) -> Result<bool> {
        let twice = |what: &str| Err(Error::Sql { problem: format!("two {what} of {}", self.name) });
        if cursor.eat("NOT NULL") {
            if self.null == Some(true) {
                return twice("words about NULL");
            }
            self.null = Some(false);
        } else if cursor.eat("NULL") {
            if self.null == Some(false) {
                return twice("words about NULL");
            }
            self.null = Some(true);
        } else if cursor.eat("DEFAULT") {
            if self.default.replace(cursor.value()?).is_some() {
                return twice("defaults");
            }
        } else if cursor.eat("ON UPDATE") {
            self.on_update = Some(cursor.value()?);
        } else if cursor.eat("AUTO_INCREMENT") {
            self.auto_increment = true;
        } else if cursor.eat("COMMENT") {
            self.comment = cursor.string()?;
        } else if cursor.eat("PRIMARY KEY") {
            self.primary = true;
        } else if cursor.eat("UNIQUE KEY") || cursor.eat("UNIQUE") {
            self.unique = true;
        } else if cursor.eat("COLLATE") {
            self.written.collation = Some(word_or_text(cursor)?);
        } else if cursor.eat("GENERATED ALWAYS AS") || cursor.eat("AS") {
            let expression = cursor.inside()?;
            let stored = cursor.eat("STORED");
            if !stored {
                cursor.eat("VIRTUAL");
            }
            self.generated = Some(Generated { expression, stored });
        } else if cursor.is("CHECK") {
            constraints.checks.push(CheckSpec::read(cursor, None)?);
        } else if let Some(name) = constraint_name(cursor)? {
            constraints.checks.push(CheckSpec::read(cursor, name)?);
        } else if cursor.is("REFERENCES") {
            let key = ForeignKeySpec::reference(cursor, None, vec![self.name.clone()])?;
            if key.on_delete != ReferenceOption::Default || key.on_update != ReferenceOption::Default {
                return Err(Error::Sql { problem: format!("the reference of {} with an action", self.name) });
            }
            constraints.column_keys.push(key);
        } else if cursor.is("KEY") || cursor.is("SRID") || cursor.is("INVISIBLE") {
            let word = cursor.word().unwrap_or_default();
            return Err(Error::NotSupported { what: format!("{word} behind the column {}", self.name) });
        } else {
            return Ok(false);
        }
        Ok(true)
    }
}
