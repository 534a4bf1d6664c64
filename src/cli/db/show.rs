//! `gt db show`.

use clap::Args;
use dolt_store::commit::Session as State;
use dolt_store::table::{FoundBy, Row, Table};
use serde_json::json;

use super::cells::{cell, not_stored, print_grid, row_value, warn_of_what_is_not_stored};
use super::place::table_at;
use crate::cli::failure::Failure;
use crate::cli::out::{self, Format};
use crate::cli::session::Session;
use crate::sql::{Column, ResultSet};

/// Show rows of a table.
///
/// A condition finds what `WHERE COLUMN = 'VALUE'` finds: numbers by value, texts by the column's collation, bytes also
/// as 0x00ff. The primary key or an index is used where one serves; otherwise all rows are looked at.
///
/// Example: gt db --db gastown show issues --where id=gt-8sq
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The table
    table: String,
    /// Only rows whose column has this value (repeatable, all must hold)
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
        let conditions = self
            .conditions
            .iter()
            .map(|(column, value)| table.condition(column, value))
            .collect::<Result<Vec<_>, _>>()?;
        let found = table.find(&conditions)?;
        let by = found.by();
        let rows = found.take(self.limit.saturating_add(1)).collect::<Result<Vec<_>, _>>()?;
        let (rows, is_cut) = (rows.get(..self.limit).unwrap_or(&rows), rows.len() > self.limit);
        let missing = not_stored(&table, rows);
        warn_of_what_is_not_stored(&table, &missing);
        match session.format {
            Format::Json => {
                let shown = rows.iter().map(|r| row_value(&table, r)).collect::<Result<Vec<_>, _>>()?;
                let mut body = json!({
                    "table": table.name(), "revision": self.at, "rows": shown, "more": is_cut, "found_by": word(by),
                });
                if !missing.is_empty() {
                    body["not_stored"] = json!(missing);
                }
                out::json(&session.command, body);
            }
            Format::Text => {
                print_grid(&as_result(&table, rows))?;
                if is_cut {
                    out::note(format!("There are more rows than {}: see --limit", self.limit));
                }
            }
        }
        Ok(())
    }
}

fn word(by: FoundBy<'_>) -> String {
    match by {
        FoundBy::PrimaryKey => "primary key".to_owned(),
        FoundBy::Index(name) => format!("index {name}"),
        FoundBy::Scan => "scan".to_owned(),
    }
}

fn as_result(table: &Table, rows: &[Row]) -> ResultSet {
    let visible: Vec<_> = table.schema().visible().map(|(_, c)| c).collect();
    let column = |c: &&dolt_store::table::Column| Column { name: c.name.clone(), is_number: false };
    ResultSet {
        columns: visible.iter().map(column).collect(),
        rows: rows.iter().map(|r| r.values.iter().zip(&visible).map(|(v, c)| cell(v, c)).collect()).collect(),
        affected: 0,
    }
}
