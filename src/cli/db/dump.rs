//! `gt db dump`.

use clap::{Args, ValueEnum};
use dolt_store::commit::Session as State;
use dolt_store::table::{Row, Table, Value, push_json_string};

use super::place::table_at;
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::cli::session::Session;

/// Write a whole table as JSON, JSON lines or CSV, spelled as dolt spells it.
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
        say_what_is_not_stored(&table);
        let mut text = match self.format {
            Shape::Json => "{\"rows\": [".to_owned(),
            Shape::Jsonl => String::new(),
            Shape::Csv => csv_line(table.schema().visible().map(|(_, c)| Some(c.name.clone()))),
        };
        let mut is_first = true;
        for row in table.rows()? {
            let row = row?;
            match self.format {
                Shape::Json if is_first => text.push_str(&row_json(&table, &row)),
                Shape::Json => text.extend([",", &row_json(&table, &row)]),
                Shape::Jsonl => text.extend([row_json(&table, &row).as_str(), "\n"]),
                Shape::Csv => {
                    let columns = table.schema().visible().map(|(_, c)| c);
                    text.push_str(&csv_line(row.values.iter().zip(columns).map(|(v, c)| v.to_text(c))));
                }
            }
            is_first = false;
            if text.len() >= LOT_BYTES {
                out::raw(&text);
                text.clear();
            }
        }
        if self.format == Shape::Json {
            text.push_str("]}\n");
        }
        out::raw(&text);
        Ok(())
    }
}

/// Virtual columns have no stored values; whoever reads the output must know that they are missing from it.
pub(super) fn say_what_is_not_stored(table: &Table) {
    let names: Vec<&str> =
        table.schema().visible().filter(|(_, c)| c.is_virtual).map(|(_, c)| c.name.as_str()).collect();
    if !names.is_empty() {
        let list = names.join(", ");
        out::note(format!("Note: {} has virtual columns, whose values are not stored: {list}", table.name()));
    }
}

/// A row as one JSON object: keys sorted, NULLs left out, as dolt prints it.
pub(super) fn row_json(table: &Table, row: &Row) -> String {
    let mut fields: Vec<_> = table.schema().visible().map(|(_, c)| c).zip(&row.values).collect();
    fields.retain(|(_, v)| !matches!(v, Value::Null | Value::NotStored));
    fields.sort_by(|a, b| a.0.name.cmp(&b.0.name));
    let mut text = "{".to_owned();
    for (i, (column, value)) in fields.into_iter().enumerate() {
        if i > 0 {
            text.push(',');
        }
        push_json_string(&column.name, &mut text);
        text.push(':');
        value.push_json(column, &mut text);
    }
    text.push('}');
    text
}

// As dolt: NULL is nothing, an empty text is "", quotes only where they are needed.
fn csv_line(cells: impl Iterator<Item = Option<String>>) -> String {
    let cell = |text: Option<String>| match text {
        None => String::new(),
        Some(text) if text.is_empty() => "\"\"".to_owned(),
        Some(text) if text.contains([',', '"', '\n', '\r']) || text.starts_with([' ', '\t']) => {
            format!("\"{}\"", text.replace('"', "\"\""))
        }
        Some(text) => text,
    };
    cells.map(cell).collect::<Vec<_>>().join(",") + "\n"
}
