//! `gt db show`.

use clap::Args;
use dolt_store::commit::Session as State;
use dolt_store::table::{Row, Table, Value};
use serde_json::json;

use super::dump::{row_json, say_what_is_not_stored};
use super::place::table_at;
use crate::cli::dolt::table;
use crate::cli::failure::{Failure, Kind};
use crate::cli::out::{self, Format};
use crate::cli::session::Session;
use crate::sql::{Cell, Column, ResultSet};

/// Show rows of a table.
///
/// Example: gt db --db gastown show issues --where id=gt-8sq
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The table
    table: String,
    /// Only rows whose column has this value (repeatable, all must hold); a whole primary key is looked up directly
    #[arg(long = "where", value_name = "COLUMN=VALUE", value_parser = parse_condition)]
    conditions: Vec<(String, String)>,
    /// At most so many rows
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    /// At this revision
    #[arg(long, value_name = "REVISION", default_value = "WORKING")]
    at: String,
}

fn parse_condition(text: &str) -> Result<(String, String), String> {
    let (column, value) = text.split_once('=').ok_or("write it as COLUMN=VALUE")?;
    Ok((column.trim().to_owned(), value.to_owned()))
}

impl Show {
    pub(super) fn run(&self, session: &Session, state: &State) -> Result<(), Failure> {
        let table = table_at(state, &self.at, &self.table)?;
        say_what_is_not_stored(&table);
        let rows = self.find(&table)?;
        match session.format {
            Format::Json => {
                let rows: Vec<serde_json::Value> =
                    rows.iter().filter_map(|r| serde_json::from_str(&row_json(&table, r)).ok()).collect();
                out::json(&session.command, json!({"table": self.table, "revision": self.at, "rows": rows}));
            }
            Format::Text => out::raw(&table::render(&as_result(&table, &rows))),
        }
        Ok(())
    }

    fn find(&self, table: &Table) -> Result<Vec<Row>, Failure> {
        let visible: Vec<_> = table.schema().visible().collect();
        let mut wanted = Vec::new();
        for (name, value) in &self.conditions {
            let at = visible.iter().position(|(_, c)| c.name.eq_ignore_ascii_case(name));
            let at =
                at.ok_or_else(|| Failure::new(Kind::Usage, format!("{} has no column {name}", self.table)))?;
            wanted.push((at, value));
        }
        if let Some(key) = self.primary_key(table) {
            return Ok(table.get(&key)?.into_iter().filter(|_| self.limit > 0).collect());
        }
        let holds = |row: &Row| {
            wanted.iter().all(|(at, value)| {
                let text = row.values.get(*at).zip(visible.get(*at)).and_then(|(v, (_, c))| v.to_text(c));
                text.as_ref() == Some(value)
            })
        };
        let mut found = Vec::new();
        for row in table.rows()? {
            if found.len() >= self.limit {
                break;
            }
            let row = row?;
            if holds(&row) {
                found.push(row);
            }
        }
        Ok(found)
    }

    // Exactly the columns of the primary key, each once: then one walk from the root finds the row.
    fn primary_key(&self, table: &Table) -> Option<Vec<Value>> {
        let schema = table.schema();
        if schema.is_keyless() || schema.key_columns.len() != self.conditions.len() {
            return None;
        }
        let value_of = |column: &dolt_store::table::Column| {
            let (_, text) =
                self.conditions.iter().find(|(name, _)| column.name.eq_ignore_ascii_case(name))?;
            let is_text = matches!(column.encoding, dolt_store::table::Encoding::String);
            if is_text {
                return Some(Value::Text(text.clone()));
            }
            text.parse().ok().map(Value::Int)
        };
        let columns = schema.key_columns.iter().map(|k| schema.columns.get(usize::from(*k)));
        columns.map(|c| value_of(c?)).collect()
    }
}

fn as_result(table: &Table, rows: &[Row]) -> ResultSet {
    let visible: Vec<_> = table.schema().visible().map(|(_, c)| c).collect();
    let column = |c: &&dolt_store::table::Column| Column { name: c.name.clone(), is_number: false };
    let cell = |(v, c): (&Value, &&dolt_store::table::Column)| v.to_text(c).map_or(Cell::Null, Cell::Text);
    ResultSet {
        columns: visible.iter().map(column).collect(),
        rows: rows.iter().map(|r| r.values.iter().zip(&visible).map(cell).collect()).collect(),
        affected: 0,
    }
}
