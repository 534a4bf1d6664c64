//! Statements that define things, as they were written.

use sqlparser::tokenizer::Token;

use super::column::{ColumnSpec, constraint_name};
use super::cursor::Cursor;
use super::types::word_or_text;
use crate::table::ReferenceOption;
use crate::{Error, Result};

/// A statement.
#[derive(Debug)]
pub(super) enum Statement<'s> {
    CreateTable(TableSpec<'s>),
    DropTables { names: Vec<String>, if_exists: bool },
    RenameTables(Vec<(String, String)>),
    CreateIndex { table: String, index: IndexSpec },
    DropIndex { table: String, name: String },
    AddColumn { table: String, column: Box<ColumnSpec<'s>>, place: Place },
    DropDefault { table: String, column: String },
    CreateView { name: String, or_replace: bool, text: &'s str },
    DropViews { names: Vec<String>, if_exists: bool },
}

/// Where a new column goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Last,
    First,
    After(String),
}

/// A table.
#[derive(Debug)]
pub(super) struct TableSpec<'s> {
    pub(super) name: String,
    pub(super) if_not_exists: bool,
    pub(super) columns: Vec<ColumnSpec<'s>>,
    pub(super) primary: Option<Vec<IndexPart>>,
    pub(super) indexes: Vec<IndexSpec>,
    pub(super) foreign_keys: Vec<ForeignKeySpec>,
    pub(super) checks: Vec<CheckSpec<'s>>,
    pub(super) options: TableOptions,
}

/// What stands behind the columns.
#[derive(Debug, Default)]
pub(super) struct TableOptions {
    pub(super) comment: String,
    pub(super) charset: Option<String>,
    pub(super) collation: Option<String>,
    pub(super) auto_increment: Option<u64>,
}

/// An index. No name: Dolt gives it one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IndexSpec {
    pub(super) name: Option<String>,
    pub(super) unique: bool,
    pub(super) parts: Vec<IndexPart>,
    pub(super) comment: String,
}

/// A column of an index, and how much of it; 0: all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IndexPart {
    pub(super) column: String,
    pub(super) prefix: u64,
}

/// A foreign key.
#[derive(Debug)]
pub(super) struct ForeignKeySpec {
    pub(super) name: Option<String>,
    pub(super) columns: Vec<String>,
    pub(super) parent: String,
    pub(super) parent_columns: Vec<String>,
    pub(super) on_delete: ReferenceOption,
    pub(super) on_update: ReferenceOption,
}

/// A check.
#[derive(Debug)]
pub(super) struct CheckSpec<'s> {
    pub(super) name: Option<String>,
    pub(super) expression: &'s str,
    pub(super) enforced: bool,
}

fn not_supported<T>(what: &str) -> Result<T> {
    Err(Error::NotSupported { what: what.to_owned() })
}

impl<'s> Statement<'s> {
    /// Reads one statement.
    pub(super) fn read(sql: &'s str) -> Result<Self> {
        let mut cursor = Cursor::new(sql)?;
        let statement = Self::next(&mut cursor, sql)?;
        cursor.end()?;
        Ok(statement)
    }

    fn next(cursor: &mut Cursor<'s>, sql: &'s str) -> Result<Self> {
        if cursor.eat("CREATE TABLE") {
            return TableSpec::read(cursor).map(Self::CreateTable);
        }
        if cursor.eat("CREATE INDEX") {
            return create_index(cursor, false);
        }
        if cursor.eat("CREATE UNIQUE INDEX") {
            return create_index(cursor, true);
        }
        for (words, or_replace) in [("CREATE VIEW", false), ("CREATE OR REPLACE VIEW", true)] {
            if cursor.eat(words) {
                let name = cursor.table_name()?;
                if !cursor.is("AS") {
                    return not_supported("a view that names its columns");
                }
                cursor.rest();
                let text = sql.trim().trim_end_matches(';').trim_end();
                return Ok(Self::CreateView { name, or_replace, text });
            }
        }
        if cursor.eat("DROP TABLE") || cursor.eat("DROP VIEW") {
            let is_view = sql.trim_start().get(5..).is_some_and(|t| t.trim_start().starts_with(['v', 'V']));
            let if_exists = cursor.eat("IF EXISTS");
            let mut names = vec![cursor.table_name()?];
            while cursor.eat_token(&Token::Comma) {
                names.push(cursor.table_name()?);
            }
            return Ok(if is_view {
                Self::DropViews { names, if_exists }
            } else {
                Self::DropTables { names, if_exists }
            });
        }
        if cursor.eat("DROP INDEX") {
            let name = cursor.name()?;
            cursor.expect("ON")?;
            return Ok(Self::DropIndex { name, table: cursor.table_name()? });
        }
        if cursor.eat("RENAME TABLE") {
            let mut names = Vec::new();
            loop {
                let from = cursor.table_name()?;
                cursor.expect("TO")?;
                names.push((from, cursor.table_name()?));
                if !cursor.eat_token(&Token::Comma) {
                    return Ok(Self::RenameTables(names));
                }
            }
        }
        if cursor.eat("ALTER TABLE") {
            return alter_table(cursor);
        }
        let first: Vec<&str> = sql.split_whitespace().take(3).collect();
        not_supported(&format!("the statement {} …", first.join(" ")))
    }
}

fn create_index<'s>(cursor: &mut Cursor<'_>, unique: bool) -> Result<Statement<'s>> {
    let name = cursor.name()?;
    cursor.expect("ON")?;
    let table = cursor.table_name()?;
    let parts = cursor.listed(index_part)?;
    let comment = index_options(cursor)?;
    Ok(Statement::CreateIndex { table, index: IndexSpec { name: Some(name), unique, parts, comment } })
}

fn alter_table<'s>(cursor: &mut Cursor<'s>) -> Result<Statement<'s>> {
    let table = cursor.table_name()?;
    if cursor.eat("ADD UNIQUE INDEX") || cursor.eat("ADD UNIQUE KEY") || cursor.eat("ADD UNIQUE") {
        return Ok(Statement::CreateIndex { table, index: index(cursor, None, true)? });
    }
    if cursor.eat("ADD INDEX") || cursor.eat("ADD KEY") {
        return Ok(Statement::CreateIndex { table, index: index(cursor, None, false)? });
    }
    if cursor.eat("DROP INDEX") || cursor.eat("DROP KEY") {
        return Ok(Statement::DropIndex { table, name: cursor.name()? });
    }
    if cursor.eat("RENAME TO") || cursor.eat("RENAME AS") {
        let to = cursor.table_name()?;
        return Ok(Statement::RenameTables(vec![(table, to)]));
    }
    if cursor.eat("ALTER COLUMN") || cursor.eat("ALTER") {
        let column = cursor.name()?;
        if !cursor.eat("DROP DEFAULT") {
            return not_supported(&format!("ALTER TABLE {table} ALTER {column} but for DROP DEFAULT"));
        }
        return Ok(Statement::DropDefault { table, column });
    }
    for words in ["ADD CONSTRAINT", "ADD PRIMARY", "ADD FOREIGN", "ADD CHECK", "ADD FULLTEXT", "ADD SPATIAL"]
    {
        if cursor.is(words) {
            return not_supported(&format!("ALTER TABLE {table} {words}"));
        }
    }
    if cursor.eat("ADD COLUMN") || cursor.eat("ADD") {
        if cursor.peek() == Some(&Token::LParen) {
            return not_supported("ALTER TABLE with several columns");
        }
        let mut constraints = Constraints::default();
        let column = ColumnSpec::read(cursor, &mut constraints)?;
        if !constraints.is_empty() {
            return not_supported("a new column with a constraint");
        }
        let place = if cursor.eat("FIRST") {
            Place::First
        } else if cursor.eat("AFTER") {
            Place::After(cursor.name()?)
        } else {
            Place::Last
        };
        if cursor.peek() == Some(&Token::Comma) {
            return not_supported("ALTER TABLE with several changes");
        }
        return Ok(Statement::AddColumn { table, column: Box::new(column), place });
    }
    let what = cursor.word().unwrap_or_default();
    not_supported(&format!("ALTER TABLE {table} {what} …"))
}

/// What stands among the columns and is none.
#[derive(Debug, Default)]
pub(super) struct Constraints<'s> {
    pub(super) primary: Option<Vec<IndexPart>>,
    pub(super) indexes: Vec<IndexSpec>,
    pub(super) foreign_keys: Vec<ForeignKeySpec>,
    /// Those that columns ask for.
    pub(super) column_keys: Vec<ForeignKeySpec>,
    pub(super) checks: Vec<CheckSpec<'s>>,
}

impl Constraints<'_> {
    fn is_empty(&self) -> bool {
        self.primary.is_none()
            && self.indexes.is_empty()
            && self.foreign_keys.is_empty()
            && self.column_keys.is_empty()
            && self.checks.is_empty()
    }
}

impl<'s> TableSpec<'s> {
    fn read(cursor: &mut Cursor<'s>) -> Result<Self> {
        let if_not_exists = cursor.eat("IF NOT EXISTS");
        let name = cursor.table_name()?;
        if cursor.is("LIKE") || cursor.is("AS") || cursor.is("SELECT") {
            return not_supported("a table made from another");
        }
        let mut constraints = Constraints::default();
        let mut columns = Vec::new();
        cursor.listed(|cursor| {
            if !constraints.read(cursor)? {
                columns.push(ColumnSpec::read(cursor, &mut constraints)?);
            }
            Ok(())
        })?;
        let Constraints { primary, mut indexes, mut foreign_keys, column_keys, checks } = constraints;
        // What columns ask for comes last.
        foreign_keys.extend(column_keys);
        let unique = columns.iter().filter(|c| c.unique).map(|c| IndexSpec {
            name: None,
            unique: true,
            parts: vec![IndexPart { column: c.name.clone(), prefix: 0 }],
            comment: String::new(),
        });
        indexes.extend(unique);
        let options = TableOptions::read(cursor)?;
        Ok(Self { name, if_not_exists, columns, primary, indexes, foreign_keys, checks, options })
    }
}

impl TableOptions {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self> {
        let mut options = Self::default();
        loop {
            cursor.eat_token(&Token::Comma);
            let is_default = cursor.eat("DEFAULT");
            let mut option = |words: &str| {
                let is_it = cursor.eat(words);
                if is_it {
                    cursor.eat_token(&Token::Eq);
                }
                is_it
            };
            if option("COMMENT") {
                options.comment = cursor.string()?;
            } else if option("COLLATE") {
                options.collation = Some(word_or_text(cursor)?);
            } else if option("CHARSET") || option("CHARACTER SET") {
                options.charset = Some(word_or_text(cursor)?);
            } else if option("AUTO_INCREMENT") {
                options.auto_increment = Some(cursor.number()?);
            } else if option("ENGINE") {
                // Dolt has one, whatever it is called.
                word_or_text(cursor)?;
            } else if is_default {
                return cursor.unexpected("an option of a table");
            } else {
                return match cursor.word() {
                    Some(word) => not_supported(&format!("the table option {word}")),
                    None => Ok(options),
                };
            }
        }
    }
}

impl<'s> Constraints<'s> {
    // Whether what comes next is none of the columns.
    fn read(&mut self, cursor: &mut Cursor<'s>) -> Result<bool> {
        let name = constraint_name(cursor)?;
        if cursor.eat("PRIMARY KEY") {
            let parts = cursor.listed(index_part)?;
            index_options(cursor)?;
            if self.primary.replace(parts).is_some() {
                return Err(Error::Sql { problem: "two primary keys".to_owned() });
            }
        } else if cursor.eat("UNIQUE KEY") || cursor.eat("UNIQUE INDEX") || cursor.eat("UNIQUE") {
            self.indexes.push(index(cursor, name.flatten(), true)?);
        } else if name.is_none() && (cursor.eat("KEY") || cursor.eat("INDEX")) {
            self.indexes.push(index(cursor, None, false)?);
        } else if cursor.eat("FOREIGN KEY") {
            let foreign_key = ForeignKeySpec::read(cursor, name.flatten())?;
            self.foreign_keys.push(foreign_key);
        } else if cursor.is("CHECK") {
            let check = CheckSpec::read(cursor, name.flatten())?;
            self.checks.push(check);
        } else if let Some(kind) =
            cursor.word().filter(|w| matches!(w.as_str(), "FULLTEXT" | "SPATIAL" | "VECTOR"))
        {
            // A column may be called vector.
            if kind == "VECTOR" && !cursor.is("VECTOR INDEX") && !cursor.is("VECTOR KEY") {
                return Ok(false);
            }
            return not_supported(&format!("a {} index", kind.to_ascii_lowercase()));
        } else if name.is_some() {
            return cursor.unexpected("a constraint");
        } else {
            return Ok(false);
        }
        Ok(true)
    }
}

fn index(cursor: &mut Cursor<'_>, constraint: Option<String>, unique: bool) -> Result<IndexSpec> {
    let name = if cursor.peek() == Some(&Token::LParen) { constraint } else { Some(cursor.name()?) };
    let parts = cursor.listed(index_part)?;
    Ok(IndexSpec { name, unique, parts, comment: index_options(cursor)? })
}

fn index_part(cursor: &mut Cursor<'_>) -> Result<IndexPart> {
    if cursor.peek() == Some(&Token::LParen) {
        return not_supported("an index on an expression");
    }
    let column = cursor.name()?;
    let prefix = if cursor.eat_token(&Token::LParen) {
        let prefix = cursor.number()?;
        cursor.expect_token(&Token::RParen)?;
        if prefix == 0 {
            return Err(Error::Sql { problem: format!("a prefix of no length of {column}") });
        }
        prefix
    } else {
        0
    };
    if cursor.is("DESC") {
        return not_supported("a descending index");
    }
    cursor.eat("ASC");
    Ok(IndexPart { column, prefix })
}

// The comment. What the index is made of (`USING BTREE`) Dolt knows better.
fn index_options(cursor: &mut Cursor<'_>) -> Result<String> {
    let mut comment = String::new();
    loop {
        if cursor.eat("USING") {
            cursor.name()?;
        } else if cursor.eat("COMMENT") {
            comment = cursor.string()?;
        } else {
            return Ok(comment);
        }
    }
}

impl ForeignKeySpec {
    fn read(cursor: &mut Cursor<'_>, name: Option<String>) -> Result<Self> {
        if cursor.peek() != Some(&Token::LParen) {
            return not_supported("a foreign key with a name for its index");
        }
        let columns = cursor.names()?;
        Self::reference(cursor, name, columns)
    }

    /// What stands from `REFERENCES` on.
    pub(super) fn reference(
        cursor: &mut Cursor<'_>,
        name: Option<String>,
        columns: Vec<String>,
    ) -> Result<Self> {
        cursor.expect("REFERENCES")?;
        let parent = cursor.table_name()?;
        let parent_columns = cursor.names()?;
        if cursor.is("MATCH") {
            return not_supported("a foreign key with MATCH");
        }
        let (mut on_delete, mut on_update) = (ReferenceOption::Default, ReferenceOption::Default);
        loop {
            if cursor.eat("ON DELETE") {
                on_delete = action(cursor)?;
            } else if cursor.eat("ON UPDATE") {
                on_update = action(cursor)?;
            } else {
                return Ok(Self { name, columns, parent, parent_columns, on_delete, on_update });
            }
        }
    }
}

fn action(cursor: &mut Cursor<'_>) -> Result<ReferenceOption> {
    for (words, action) in [
        ("CASCADE", ReferenceOption::Cascade),
        ("RESTRICT", ReferenceOption::Restrict),
        ("NO ACTION", ReferenceOption::NoAction),
        ("SET NULL", ReferenceOption::SetNull),
    ] {
        if cursor.eat(words) {
            return Ok(action);
        }
    }
    cursor.unexpected("CASCADE, RESTRICT, NO ACTION or SET NULL")
}

impl<'s> CheckSpec<'s> {
    pub(super) fn read(cursor: &mut Cursor<'s>, name: Option<String>) -> Result<Self> {
        cursor.expect("CHECK")?;
        let expression = cursor.inside()?;
        let enforced = !cursor.eat("NOT ENFORCED");
        if enforced {
            cursor.eat("ENFORCED");
        }
        Ok(Self { name, expression, enforced })
    }
}
