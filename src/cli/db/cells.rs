//! Rows as JSON and as cells of a grid.

use dolt_store::table::{Column, Row, Table, Value, push_json_string};

use crate::cli::failure::{Failure, Kind};
use crate::cli::out;
use crate::sql::{Cell, ResultSet};

/// The names of the columns that some of these rows have no value of: virtual ones, whose expression is not evaluated here.
pub(super) fn not_stored<'r>(table: &Table, rows: impl IntoIterator<Item = &'r Row>) -> Vec<String> {
    let mut missing = Missing::of(table);
    rows.into_iter().for_each(|row| missing.look_at(row));
    missing.names()
}

/// Which columns have no value in some row.
pub(super) struct Missing<'t> {
    // Virtual columns by their position among the visible ones.
    columns: Vec<(usize, &'t Column, bool)>,
}

impl<'t> Missing<'t> {
    pub(super) fn of(table: &'t Table) -> Self {
        let columns = table.schema().visible().map(|(_, c)| c).enumerate().filter(|(_, c)| c.is_virtual);
        Self { columns: columns.map(|(at, c)| (at, c, false)).collect() }
    }

    /// Whether there can be any.
    pub(super) fn is_possible(&self) -> bool {
        !self.columns.is_empty()
    }

    pub(super) fn look_at(&mut self, row: &Row) {
        for (at, _, is_missing) in &mut self.columns {
            *is_missing |= row.values.get(*at) == Some(&Value::NotStored);
        }
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.columns.iter().filter(|(_, _, is_missing)| *is_missing).map(|(_, c, _)| c.name.clone()).collect()
    }
}

/// Whoever reads the output must know what is missing from it.
pub(super) fn warn_of_what_is_not_stored(table: &Table, names: &[String]) {
    if !names.is_empty() {
        let list = names.join(", ");
        out::warn(format!(
            "{} has virtual columns; their values are not stored and not shown: {list}",
            table.name()
        ));
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

/// The same as a value. A document may be nested more deeply than our own JSON can hold.
pub(super) fn row_value(table: &Table, row: &Row) -> Result<serde_json::Value, Failure> {
    serde_json::from_str(&row_json(table, row)).map_err(|error| {
        Failure::new(
            Kind::Other,
            format!("a row of {} cannot be shown as part of JSON: {error}", table.name()),
        )
        .hint("gt db dump writes it as it is")
    })
}

/// A value as a cell for people: bytes that are no text in hexadecimal digits, control characters as escapes.
pub(super) fn cell(value: &Value, column: &Column) -> Cell {
    match value {
        Value::Bytes(bytes) | Value::Geometry(bytes) => Cell::Text(shown_bytes(bytes)),
        Value::NotStored => Cell::Text("(not stored)".to_owned()),
        other => other.to_text(column).map_or(Cell::Null, |text| Cell::Text(without_controls(text))),
    }
}

fn shown_bytes(bytes: &[u8]) -> String {
    match str::from_utf8(bytes) {
        Ok(text) if !text.contains(is_harmful) => text.to_owned(),
        _ => bytes.iter().fold("0x".to_owned(), |text, b| text + &format!("{b:02x}")),
    }
}

fn is_harmful(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
}

// What a terminal would take for orders.
fn without_controls(text: String) -> String {
    if !text.contains(is_harmful) {
        return text;
    }
    let shown = |c: char| if is_harmful(c) { c.escape_unicode().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

/// A grid on standard output.
pub(super) fn print_grid(set: &ResultSet) -> Result<(), Failure> {
    write(crate::cli::dolt::table::render(set).as_bytes()).map(drop)
}

/// Writes data. `false`: nobody reads any more, so there is no need for the rest.
pub(super) fn write(bytes: &[u8]) -> Result<bool, Failure> {
    match out::data(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::new(Kind::Other, format!("the output could not be written: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_shown_in_digits_and_no_terminal_is_given_orders() {
        assert_eq!(shown_bytes(b"plain\n"), "plain\n");
        assert_eq!(shown_bytes(b"\x00\xffa"), "0x00ff61");
        assert_eq!(without_controls("a\u{1b}[31mb\tc".into()), "a\\u{1b}[31mb\tc");
    }
}
