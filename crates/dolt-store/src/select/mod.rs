//! Statements about the rows of one table, answered from the files as Dolt answers them over SQL: `SELECT` with `WHERE`,
//! `GROUP BY`, `ORDER BY` and `LIMIT`, `SHOW TABLES`, `DESCRIBE`; and what `INSERT`, `UPDATE` and `DELETE` would change.
//!
//! A statement is taken apart into clauses here (`lexeme`, `clauses`), because only expressions have a parser that is held
//! against Dolt's (`expr`). What could go wrong is an answer that Dolt would not have given: so every word that is not known
//! is refused by name, and whichever way rows are come to (`way`), each is asked the whole condition.
//!
//! Without `ORDER BY` rows come in no order that can be relied on, as in Dolt.

mod change;
mod clauses;
mod describe;
mod group;
mod lexeme;
mod output;
mod query;
mod way;

pub use change::{RowChange, RowChanges, changes};
pub use output::{Answer, Field};

use crate::Error;
use crate::expr::{EvalContext, Problem};
use crate::table::{Table, Tables};
use lexeme::Lexemes;

/// Why a statement has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// This crate does not know what Dolt would answer; a server would.
    #[error("{0} is not supported without a server")]
    Unsupported(String),
    /// Dolt refuses it too.
    #[error("{0}")]
    Fails(String),
    /// The database could not be read.
    #[error(transparent)]
    Store(Error),
}

type Result<T> = std::result::Result<T, QueryError>;

impl From<Problem> for QueryError {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Unsupported(what) => Self::Unsupported(what),
            Problem::Fails(why) => Self::Fails(why),
        }
    }
}

impl From<Error> for QueryError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotSupported { what } => Self::Unsupported(what),
            other => Self::Store(other),
        }
    }
}

fn unsupported<T>(what: impl Into<String>) -> Result<T> {
    Err(QueryError::Unsupported(what.into()))
}

fn fails<T>(why: impl Into<String>) -> Result<T> {
    Err(QueryError::Fails(why.into()))
}

/// Whether a statement only asks. It goes by its first word.
pub fn is_question(sql: &str) -> bool {
    let first: String = sql.trim_start().chars().take_while(char::is_ascii_alphabetic).collect();
    matches!(
        first.to_ascii_uppercase().as_str(),
        "SELECT" | "SHOW" | "DESCRIBE" | "DESC" | "EXPLAIN" | "WITH"
    )
}

/// The answer to a statement that asks. `database` is its name, which `SHOW TABLES` tells.
///
/// # Errors
/// [`QueryError::Unsupported`] names what is beyond this crate, [`QueryError::Fails`] is what Dolt would refuse too.
pub fn query(tables: &Tables, database: &str, sql: &str, context: &EvalContext) -> Result<Answer> {
    let mut words = Lexemes::of(sql)?;
    match words.word().as_deref() {
        Some("SELECT") => query::select(tables, &mut words, context),
        Some("SHOW" | "DESCRIBE" | "DESC") => describe::answer(tables, database, &mut words),
        Some(other) => unsupported(format!("the statement {other}")),
        None => unsupported("a statement that begins with no word"),
    }
}

// A table by its name in any case.
fn open(tables: &Tables, name: &str) -> Result<Table> {
    if let Some(table) = tables.open(name)? {
        return Ok(table);
    }
    let names = tables.names()?;
    let other = names.iter().find(|other| other.eq_ignore_ascii_case(name));
    if let Some(table) = other.map(|name| tables.open(name)).transpose()?.flatten() {
        return Ok(table);
    }
    if describe::views(tables)?.iter().any(|view| view.eq_ignore_ascii_case(name)) {
        return unsupported(format!("the view {name}"));
    }
    if name.to_ascii_lowercase().starts_with("dolt_") {
        return unsupported(format!("the system table {name}"));
    }
    fails(format!("table not found: {name}"))
}
