//! `bd sql`: statements as people write them. The files answer what concerns one table, a server that has the database open
//! everything; a write is one transaction and no Dolt commit.
//!
//! What could go wrong is an answer that depends on who gives it, so the files refuse by name whatever they would not answer as
//! Dolt does, and only then a server is looked for.

use std::collections::BTreeMap;

use clap::Args;
use dolt_store::expr::EvalContext;
use dolt_store::select::{self, QueryError, RowChange, RowChanges};
use dolt_store::table::Value;
use serde_json::json;

use super::answer::{Answer, Refusal, print_list, print_object};
use super::context::Bd;
use crate::cli::out;
use crate::store::server::Told;
use crate::store::{Changes, Outcome, StoreError, Values};

/// Longer values are cut in tables.
const WIDEST: usize = 60;

/// Ask the database in SQL
#[derive(Debug, Args)]
#[command(after_help = "Example: bd sql 'select id, title from issues where priority < 2 order by id'")]
pub(super) struct Sql {
    /// The statement
    statement: String,
    /// Print CSV
    #[arg(long)]
    csv: bool,
}

impl Sql {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        if self.statement.trim().is_empty() {
            return affected(bd, 0);
        }
        if !select::is_question(&self.statement) {
            let affected_rows = write(bd, &self.statement)?;
            return affected(bd, affected_rows);
        }
        let (columns, rows) = ask(bd, &self.statement)?;
        if bd.json() {
            return print_list(objects(&columns, &rows));
        }
        let text = if self.csv { csv(&columns, &rows) } else { table(&columns, &rows) };
        match out::data(&text) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(Refusal::plain(format!("the output could not be written: {error}")))
            }
            _ => Ok(()),
        }
    }
}

fn affected(bd: &Bd, rows: u64) -> Answer {
    if bd.json() {
        return print_object(&json!({ "rows_affected": rows }));
    }
    out::line(format!("OK, {rows} rows affected"));
    Ok(())
}

fn context(bd: &Bd) -> EvalContext {
    let offset = i64::from(bd.zoned().offset().seconds()).saturating_mul(1_000_000);
    EvalContext::new(bd.now.as_microsecond(), offset, |bytes| {
        // What comes of none is refused by the key that it should have been.
        if let Err(error) = getrandom::fill(bytes) {
            tracing::error!(%error, "no random bytes");
        }
    })
}

fn refusal(words: &str, error: &QueryError) -> Refusal {
    let number = match error {
        QueryError::Fails(why) if why.starts_with("table not found") => "Error 1146 (HY000): ",
        QueryError::Fails(_) => "Error 1105 (HY000): ",
        QueryError::Unsupported(_) | QueryError::Store(_) => "",
    };
    Refusal::new(format!("{words}: {number}{error}"))
}

// What the files do not answer a server may; if there is none, both are told.
fn through_server(bd: &Bd, words: &str, sql: &str, error: &QueryError) -> Answer<Told> {
    let server = match bd.store.statements() {
        Ok(server) => server,
        Err(none) => {
            let hint = format!(
                "a server that has the database open answers every statement ({none}); see 'bd dolt start' or 'gt up'"
            );
            return Err(refusal(words, error).hint(hint));
        }
    };
    server.run(sql).map_err(|error| said(words, error))
}

// A server's refusal with its number, as bd tells it.
fn said(words: &str, error: StoreError) -> Refusal {
    match error {
        StoreError::Sql(error) => match error.code() {
            Some(code) => Refusal::new(format!("{words}: Error {code} (HY000): {error}")),
            None => Refusal::new(format!("{words}: {error}")),
        },
        error => Refusal::from(error).within(words),
    }
}

fn ask(bd: &Bd, sql: &str) -> Answer<(Vec<String>, Vec<Vec<Value>>)> {
    const WORDS: &str = "query error";
    let reader = bd.reader()?;
    let database = &bd.store.whereabouts().server.database;
    let answered = match reader.tables() {
        Some(tables) => select::query(tables, database, sql, &context(bd)),
        None => Err(QueryError::Unsupported("a statement".to_owned())),
    };
    match answered {
        Ok(answer) => Ok((answer.fields.into_iter().map(|field| field.name).collect(), answer.rows)),
        Err(error @ QueryError::Unsupported(_)) => {
            through_server(bd, WORDS, sql, &error).map(|told| (told.columns, told.rows))
        }
        Err(error) => Err(refusal(WORDS, &error)),
    }
}

fn write(bd: &Bd, sql: &str) -> Answer<u64> {
    const WORDS: &str = "exec error";
    let context = context(bd);
    let written = bd.write("sql", |tx| {
        let planned = match tx.reader().tables() {
            Some(tables) => select::changes(tables, sql, &context),
            None => Err(QueryError::Unsupported("a statement".to_owned())),
        };
        let result = match planned {
            Ok(planned) => {
                let rows = u64::try_from(planned.rows.len()).unwrap_or(u64::MAX);
                tx.apply(changes(planned))?;
                Ok(rows)
            }
            Err(error) => Err(error),
        };
        Ok(Outcome { message: None, result })
    })?;
    match written {
        Ok(rows) => Ok(rows),
        Err(error @ QueryError::Unsupported(_)) => {
            through_server(bd, WORDS, sql, &error).map(|told| told.affected)
        }
        Err(error) => Err(refusal(WORDS, &error)),
    }
}

fn changes(planned: RowChanges) -> Changes {
    let table = for_ever(planned.table);
    let named = |values: Vec<(String, Value)>| -> Values {
        values.into_iter().map(|(name, value)| (for_ever(name), value)).collect()
    };
    let mut changes = Changes::new();
    for row in planned.rows {
        match row {
            RowChange::Insert(values) => changes.insert(table, named(values)),
            RowChange::Update { key, values } => changes.update(table, named(key), named(values)),
            RowChange::Delete { key } => changes.delete(table, named(key)),
        }
    }
    changes
}

// Names in changes live as long as the program, which here ends with the statement. Each name is kept once.
fn for_ever(name: String) -> &'static str {
    use std::collections::HashSet;
    use std::sync::{Mutex, PoisonError};
    static NAMES: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let names = names.get_or_insert_default();
    if let Some(known) = names.get(name.as_str()) {
        return known;
    }
    let kept: &'static str = name.leak();
    names.insert(kept);
    kept
}

// A moment as Go prints it, or as it writes it into JSON.
fn moment(micros: i64, is_json: bool) -> String {
    let Ok(time) = jiff::Timestamp::from_microsecond(micros) else { return micros.to_string() };
    let mut fraction = time.strftime("%.6f").to_string();
    while fraction.ends_with(['0', '.']) {
        fraction.pop();
    }
    let shown = time.strftime(if is_json { "%Y-%m-%dT%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" });
    if is_json { format!("{shown}{fraction}Z") } else { format!("{shown}{fraction} +0000 UTC") }
}

fn shown(value: &Value, is_json: bool) -> String {
    match value {
        Value::Null | Value::NotStored => "<nil>".to_owned(),
        Value::Int(n) => n.to_string(),
        Value::Uint(n) => n.to_string(),
        Value::Year(n) => n.to_string(),
        Value::Float(n) => n.to_string(),
        Value::Double(n) => n.to_string(),
        Value::Decimal(text) | Value::Text(text) | Value::Json(text) => text.clone(),
        Value::Bytes(bytes) | Value::Geometry(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Datetime(micros) => moment(*micros, is_json),
        Value::Date(year, month, day) => {
            let day = format!("{year:04}-{month:02}-{day:02}");
            if is_json { format!("{day}T00:00:00Z") } else { format!("{day} 00:00:00 +0000 UTC") }
        }
        Value::Time(micros) => {
            let (sign, all) = (if *micros < 0 { "-" } else { "" }, micros.unsigned_abs());
            let (seconds, rest) = (all / 1_000_000, all % 1_000_000);
            format!("{sign}{:02}:{:02}:{:02}.{rest:06}", seconds / 3600, seconds / 60 % 60, seconds % 60)
        }
        other => format!("{other:?}"),
    }
}

fn objects(columns: &[String], rows: &[Vec<Value>]) -> Vec<BTreeMap<String, serde_json::Value>> {
    let json = |value: &Value| match value {
        Value::Null | Value::NotStored => serde_json::Value::Null,
        Value::Int(n) => json!(n),
        Value::Uint(n) => json!(n),
        Value::Year(n) => json!(n),
        Value::Float(n) => number(f64::from(*n)),
        Value::Double(n) => number(*n),
        other => json!(shown(other, true)),
    };
    let object = |row: &Vec<Value>| columns.iter().cloned().zip(row.iter().map(json)).collect();
    rows.iter().map(object).collect()
}

// Go writes whole numbers without a point.
fn number(n: f64) -> serde_json::Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and small enough to be exact")]
    if n.fract() == 0.0 && n.abs() <= EXACT { json!(n as i64) } else { json!(n) }
}

fn csv(columns: &[String], rows: &[Vec<Value>]) -> Vec<u8> {
    let quoted = |field: &str| {
        let is_plain = field.is_empty()
            || (!field.starts_with(char::is_whitespace)
                && field != "\\."
                && !field.contains([',', '"', '\r', '\n']));
        if is_plain { field.to_owned() } else { format!("\"{}\"", field.replace('"', "\"\"")) }
    };
    let line = |fields: Vec<String>| fields.iter().map(|f| quoted(f)).collect::<Vec<_>>().join(",") + "\n";
    let mut text = line(columns.to_vec());
    for row in rows {
        text += &line(row.iter().map(|value| shown(value, false)).collect());
    }
    text.into_bytes()
}

fn table(columns: &[String], rows: &[Vec<Value>]) -> Vec<u8> {
    if rows.is_empty() {
        return b"(0 rows)\n".to_vec();
    }
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|value| shown(value, false)).collect()).collect();
    let width = |at: usize, name: &String| {
        let widest = rows.iter().filter_map(|row| row.get(at)).map(String::len).max().unwrap_or(0);
        widest.max(name.len()).min(WIDEST)
    };
    let widths: Vec<usize> = columns.iter().enumerate().map(|(at, name)| width(at, name)).collect();
    let mut text = Vec::new();
    let cells = |text: &mut Vec<u8>, cells: &mut dyn Iterator<Item = Vec<u8>>| {
        for (at, (cell, width)) in cells.zip(&widths).enumerate() {
            if at > 0 {
                text.extend_from_slice(b" | ");
            }
            // Filled up by characters; what is left of one that was cut counts by its bytes.
            let length: usize =
                cell.utf8_chunks().map(|part| part.valid().chars().count() + part.invalid().len()).sum();
            text.extend_from_slice(&cell);
            text.resize(text.len() + width.saturating_sub(length), b' ');
        }
        text.push(b'\n');
    };
    cells(&mut text, &mut columns.iter().map(|name| name.clone().into_bytes()));
    let lines: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    text.extend_from_slice(lines.join("-+-").as_bytes());
    text.push(b'\n');
    for row in &rows {
        cells(&mut text, &mut row.iter().map(|cell| cut(cell)));
    }
    text.extend_from_slice(format!("({} rows)\n", rows.len()).as_bytes());
    text
}

fn cut(cell: &str) -> Vec<u8> {
    let bytes = cell.as_bytes();
    if bytes.len() <= WIDEST {
        return bytes.to_vec();
    }
    [&bytes[..WIDEST - 3], b"..."].concat()
}
