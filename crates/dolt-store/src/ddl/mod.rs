//! Tables, indexes and views made, changed and dropped by the SQL that says so, with the very addresses that the real Dolt
//! gives for it.
//!
//! A statement is read into what it says (`statement`), that becomes a schema (`build`, `index`, `foreign_keys`), the
//! schema a message (`message`), and the message goes into the working root (`root`). What could go wrong is a schema that
//! looks right and is not Dolt's: the same table made on two clones would then be two tables. So whatever is not understood
//! to the last word is refused by name.

mod build;
mod change;
mod collations;
mod column;
mod create;
mod cursor;
mod foreign_keys;
mod go_random;
mod index;
mod message;
mod root;
mod show;
mod statement;
mod system;
mod tag;
mod types;
mod views;

use crate::Result;
use crate::commit::Draft;
pub(crate) use cursor::Places;
pub(crate) use foreign_keys::resolved as resolved_foreign_key;
use statement::Statement;

/// How new columns of long types (texts, blobs, JSON, geometry) keep their values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LongValues {
    /// Outside of the row, at an address: what Dolt 1.x makes. Every version reads it.
    #[default]
    Addresses,
    /// In the row as long as they are short: what Dolt 2.x makes.
    Adaptive,
}

/// What Dolt would know from its version and its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DdlOptions {
    /// How new columns keep long values.
    pub long_values: LongValues,
    /// Whether a table whose primary key stands in a clause of its own loses its comment, as it does in Dolt 1.88.1.
    pub loses_comments: bool,
    /// Whether a foreign key needs the table that it refers to (`foreign_key_checks`).
    pub foreign_key_checks: bool,
}

impl Default for DdlOptions {
    fn default() -> Self {
        Self { long_values: LongValues::default(), loses_comments: false, foreign_key_checks: true }
    }
}

impl Draft {
    /// Runs one statement that defines something in the working state: `CREATE TABLE`, `DROP TABLE`, `RENAME TABLE`,
    /// `CREATE [UNIQUE] INDEX`, `DROP INDEX`, `ALTER TABLE` with an index or one column added, an index or a column's
    /// default dropped, or another name, `CREATE [OR REPLACE] VIEW`, `DROP VIEW`. What a view selects from is not looked at.
    ///
    /// Fails with [`crate::Error::Sql`] if it cannot be read, with [`crate::Error::Definition`] if Dolt would refuse it too, with
    /// [`crate::Error::NotSupported`] if this crate cannot do it exactly as Dolt does. Nothing has changed then.
    pub fn run_ddl(&mut self, sql: &str, options: DdlOptions) -> Result<()> {
        let root = match Statement::read(sql)? {
            Statement::CreateTable(spec) => create::create_table(self, &spec, options)?,
            Statement::DropTables { names, if_exists } => {
                change::drop_tables(self, &names, if_exists, options)?
            }
            Statement::RenameTables(names) => change::rename_tables(self, &names)?,
            Statement::CreateIndex { table, index } => change::create_index(self, &table, &index)?,
            Statement::DropIndex { table, name } => change::drop_index(self, &table, &name)?,
            Statement::AddColumn { table, column, place } => {
                change::add_column(self, &table, &column, &place, options)?
            }
            Statement::DropDefault { table, column } => change::drop_default(self, &table, &column)?,
            Statement::CreateView { name, or_replace, text } => {
                views::create(self, &name, or_replace, text, options)?
            }
            Statement::DropViews { names, if_exists } => views::drop(self, &names, if_exists)?,
        };
        self.set_working(root);
        Ok(())
    }

    /// Makes the table `dolt_ignore`, which has no rows then, if it is not there: Dolt makes it when a row first goes into
    /// it, so that one should be inserted.
    pub fn create_dolt_ignore(&mut self, options: DdlOptions) -> Result<()> {
        let root = create::create_system_table(self, system::IGNORE, system::ignore(options))?;
        self.set_working(root);
        Ok(())
    }

    /// Makes the table `dolt_nonlocal_tables` likewise. What its rows say is heeded by Dolt only.
    pub fn create_dolt_nonlocal_tables(&mut self) -> Result<()> {
        let root = create::create_system_table(self, system::NONLOCAL, system::nonlocal())?;
        self.set_working(root);
        Ok(())
    }
}
