//! `SHOW TABLES`, `DESCRIBE` and `SHOW COLUMNS` (go-mysql-server `sql/rowexec/show.go`, `sql/plan/show_columns.go`).

use super::lexeme::Lexemes;
use super::output::{Answer, Field};
use super::{Result, open, unsupported};
use crate::table::{Column, Schema, Table, Tables, Value};

/// Answers one of them.
pub(super) fn answer(tables: &Tables, database: &str, words: &mut Lexemes<'_>) -> Result<Answer> {
    if words.takes(&["SHOW", "TABLES"]) {
        words.expect_end()?;
        return show_tables(tables, database);
    }
    let is_describe = words.takes(&["DESCRIBE"])
        || words.takes(&["DESC"])
        || words.takes(&["SHOW", "COLUMNS", "FROM"])
        || words.takes(&["SHOW", "COLUMNS", "IN"]);
    if !is_describe {
        words.next();
        return words.unexpected();
    }
    let name = words.expect_name()?;
    words.expect_end()?;
    describe(&open(tables, &name)?)
}

/// The names of views.
pub(super) fn views(tables: &Tables) -> Result<Vec<String>> {
    let Some(schemas) = tables.open("dolt_schemas")? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for row in schemas.project(&["type", "name"])?.rows()? {
        match row?.values.as_slice() {
            [Value::Text(kind), Value::Text(name)] if kind == "view" => found.push(name.clone()),
            _ => {}
        }
    }
    Ok(found)
}

fn show_tables(tables: &Tables, database: &str) -> Result<Answer> {
    let mut names: Vec<String> =
        tables.names()?.into_iter().filter(|name| !name.to_ascii_lowercase().starts_with("dolt_")).collect();
    names.extend(views(tables)?);
    names.sort();
    let fields = vec![text(&format!("Tables_in_{database}"))];
    Ok(Answer { fields, rows: names.into_iter().map(|name| vec![Value::Text(name)]).collect() })
}

fn text(name: &str) -> Field {
    Field { name: name.to_owned(), sql_type: "longtext".to_owned() }
}

fn describe(table: &Table) -> Result<Answer> {
    let fields = ["Field", "Type", "Null", "Key", "Default", "Extra"].map(text).to_vec();
    let mut rows = Vec::new();
    for (position, column) in table.schema().visible() {
        let (default, extra) = default_and_extra(column)?;
        let key = key(table.schema(), position, column);
        let texts =
            [column.name.as_str(), &shown_type(column), if column.nullable { "YES" } else { "NO" }, key];
        let mut row: Vec<Value> = texts.into_iter().map(|text| Value::Text(text.to_owned())).collect();
        row.push(default.map_or(Value::Null, Value::Text));
        row.push(Value::Text(extra));
        rows.push(row);
    }
    Ok(Answer { fields, rows })
}

// A collation is not part of it, nor is the number of digits of a whole second.
fn shown_type(column: &Column) -> String {
    let of = column.sql_type.split(" CHARACTER SET ").next().unwrap_or_default();
    let of = of.split(" COLLATE ").next().unwrap_or_default();
    of.strip_suffix("(0)").filter(|rest| matches!(*rest, "datetime" | "timestamp")).unwrap_or(of).to_owned()
}

fn key(schema: &Schema, position: usize, column: &Column) -> &'static str {
    if column.primary_key {
        return "PRI";
    }
    let leads = |columns: &[u16]| columns.first().is_some_and(|first| usize::from(*first) == position);
    let mut leading = schema.indexes.iter().filter(|index| leads(&index.columns)).peekable();
    if leading.peek().is_none() {
        return "";
    }
    if leading.any(|index| index.unique && index.columns.len() == 1) { "UNI" } else { "MUL" }
}

fn default_and_extra(column: &Column) -> Result<(Option<String>, String)> {
    if column.generated {
        return unsupported("DESCRIBE of a generated column");
    }
    if column.auto_increment {
        return Ok((None, "auto_increment".to_owned()));
    }
    let Some(default) = &column.default else { return Ok((None, String::new())) };
    let upper = default.to_ascii_uppercase();
    if upper.starts_with("CURRENT_TIMESTAMP") || upper.starts_with("NOW(") {
        let shown = if upper == "NOW()" || upper.starts_with("CURRENT_TIMESTAMP()") {
            "CURRENT_TIMESTAMP"
        } else {
            default.as_str()
        };
        return Ok((Some(shown.to_owned()), "DEFAULT_GENERATED".to_owned()));
    }
    if default.starts_with('(') {
        return Ok((Some(default.clone()), "DEFAULT_GENERATED".to_owned()));
    }
    Ok((Some(default.clone()), String::new()))
}
