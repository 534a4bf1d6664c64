//! `gt db dump`.

use std::borrow::Cow;

use clap::{Args, ValueEnum};
use dolt_store::commit::Session as State;
use dolt_store::table::{Column, Row, Table, Value};
use serde_json::json;

use super::cells::{Missing, row_json, warn_of_what_is_not_stored, write};
use super::place::table_at;
use crate::cli::failure::Failure;
use crate::cli::session::Session;

/// Write a whole table as JSON, JSON lines or CSV, spelled as dolt spells it.
///
/// Values of virtual columns are computed. Columns whose expression is not evaluated here are left out; a warning and the JSON
/// itself say so.
///
/// Example: gt db --db gastown dump issues --format csv > issues.csv
#[derive(Debug, Args)]
pub(crate) struct Dump {
    /// The table
    table: String,
    /// How it is written
    #[arg(long, value_enum, default_value_t = Shape::Json)]
    format: Shape,
    /// At this revision
    #[arg(long, value_name = "REVISION", default_value = "WORKING")]
    at: String,
}

/// The shapes of a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shape {
    /// One object: {"rows": [...]}, as `dolt sql -r json`
    Json,
    /// One object per line
    Jsonl,
    /// As `dolt sql -r csv`
    Csv,
}

/// Rows are printed in lots, so that a large table needs little memory.
const LOT_BYTES: usize = 1 << 16;

impl Dump {
    pub(super) fn run(&self, _session: &Session, state: &State) -> Result<(), Failure> {
        let table = table_at(state, &self.at, &self.table)?;
        let missing = missing(&table)?;
        warn_of_what_is_not_stored(&table, &missing);
        // A column without values would read as a column of NULLs; one that lacks some would, too.
        let is_whole = |(_, c): &(usize, &Column)| !missing.contains(&c.name);
        let columns: Vec<_> = table.schema().visible().map(|(_, c)| c).enumerate().filter(is_whole).collect();
        let mut text = Vec::new();
        match self.format {
            Shape::Json => text.extend(b"{\"rows\": ["),
            Shape::Jsonl => {}
            Shape::Csv => {
                push_csv_line(columns.iter().map(|(_, c)| Some(Cow::from(c.name.as_bytes()))), &mut text);
            }
        }
        let mut separator = "";
        for row in table.rows()? {
            let row = without(row?, &table, &missing);
            match self.format {
                Shape::Json => text.extend([separator, &row_json(&table, &row)].concat().into_bytes()),
                Shape::Jsonl => text.extend([&row_json(&table, &row), "\n"].concat().into_bytes()),
                Shape::Csv => {
                    push_csv_line(columns.iter().map(|(i, c)| row.values.get(*i)?.to_bytes(c)), &mut text);
                }
            }
            separator = ",";
            if text.len() >= LOT_BYTES {
                if !write(&text)? {
                    return Ok(());
                }
                text.clear();
            }
        }
        if self.format == Shape::Json {
            let missing = if missing.is_empty() {
                String::new()
            } else {
                format!(", \"not_stored\": {}", json!(missing))
            };
            text.extend(format!("]{missing}}}\n").into_bytes());
        }
        write(&text).map(drop)
    }
}

// The columns that cannot be dumped. What a virtual one holds is only known when all rows were looked at.
fn missing(table: &Table) -> Result<Vec<String>, Failure> {
    let mut missing = Missing::of(table);
    if missing.is_possible() {
        for row in table.rows()? {
            missing.look_at(&row?);
        }
    }
    Ok(missing.names())
}

// The row without what would be there in some rows only.
fn without(mut row: Row, table: &Table, missing: &[String]) -> Row {
    for ((_, column), value) in table.schema().visible().zip(&mut row.values) {
        if missing.contains(&column.name) {
            *value = Value::NotStored;
        }
    }
    row
}

// As dolt: NULL is nothing, an empty text is "", quotes only where they are needed.
fn push_csv_line<'c>(cells: impl Iterator<Item = Option<Cow<'c, [u8]>>>, out: &mut Vec<u8>) {
    for (i, cell) in cells.enumerate() {
        if i > 0 {
            out.push(b',');
        }
        let Some(cell) = cell else { continue };
        let begins_blank = cell.first().is_some_and(|b| b" \t".contains(b));
        if cell.is_empty() || begins_blank || cell.iter().any(|b| b",\"\n\r".contains(b)) {
            out.push(b'"');
            for byte in cell.iter() {
                out.extend(if *byte == b'"' { &b"\"\""[..] } else { std::slice::from_ref(byte) });
            }
            out.push(b'"');
        } else {
            out.extend(cell.iter());
        }
    }
    out.push(b'\n');
}
