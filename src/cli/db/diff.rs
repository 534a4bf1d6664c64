//! `gt db diff`.

use clap::Args;
use dolt_store::Error;
use dolt_store::commit::Session as State;
use dolt_store::table::{Row, RowChange, Table, TableChange, Tables};
use serde_json::{Value, json};
use similar::TextDiff;

use super::cells::{cell, not_stored, print_grid, row_value, warn_of_what_is_not_stored};
use super::place::{REVISIONS, tables_at};
use crate::cli::failure::{Failure, Kind};
use crate::cli::out::{self, Format};
use crate::cli::session::Session;
use crate::sql::{Cell, Column, ResultSet};

/// Show what changed between two revisions. The cost follows the change, not the size of the tables.
///
/// Without revisions: from HEAD to WORKING; with one: from there to WORKING. Words behind them that are no revisions are tables.
///
/// Example: gt db --db gastown diff main~5 main issues
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The old state and the new one, then tables: all if there are none
    #[arg(value_name = "REVISION | TABLE")]
    words: Vec<String>,
    /// Only count
    #[arg(long)]
    stat: bool,
}

/// What the words mean.
struct Asked<'w> {
    from: &'w str,
    to: &'w str,
    tables: &'w [String],
}

/// One table's changes.
struct Changed {
    name: String,
    change: TableChange,
    // In the old state and in the new one.
    before: Option<Table>,
    after: Option<Table>,
    // What made it in both, if that is not the same.
    definitions: Option<(String, String)>,
    rows: Vec<RowChange>,
    // The primary key changed, so every row counts as removed and added.
    is_rewritten: bool,
}

impl Diff {
    pub(super) fn run(&self, session: &Session, state: &State) -> Result<(), Failure> {
        let Asked { from, to, tables } = self.asked(state)?;
        let (old, new) = (tables_at(state, from)?, tables_at(state, to)?);
        for table in tables {
            let is_there = |tables: &Tables| tables.address(table).map(|a| a.is_some());
            if !is_there(&old)? && !is_there(&new)? {
                return Err(Failure::new(
                    Kind::Other,
                    format!("there is no table {table} at {from} or {to}"),
                ));
            }
        }
        let mut all = Vec::new();
        for (name, change) in old.changes_to(&new)? {
            if tables.is_empty() || tables.contains(&name) {
                all.push(changed(&old, &new, name, change)?);
            }
        }
        for changed in all.iter().filter(|c| !self.stat && !c.rows.is_empty()) {
            warn_of_what_is_missing(changed);
        }
        match session.format {
            Format::Json => {
                let tables = all.iter().map(|c| self.to_json(c)).collect::<Result<Vec<_>, _>>()?;
                out::json(&session.command, json!({"from": from, "to": to, "tables": tables}));
            }
            Format::Text if self.stat => all.iter().for_each(print_counts),
            Format::Text => all.iter().try_for_each(print_rows)?,
        }
        Ok(())
    }

    // Up to two revisions, then tables. A word that could be both is a revision, as for dolt.
    fn asked(&self, state: &State) -> Result<Asked<'_>, Failure> {
        let mut revisions = 0;
        for word in self.words.iter().take(2) {
            if state.resolve_root(word)?.is_none() {
                break;
            }
            revisions += 1;
        }
        let (revisions, tables) = self.words.split_at(revisions);
        let from = revisions.first().map_or("HEAD", String::as_str);
        let to = revisions.get(1).map_or("WORKING", String::as_str);
        if let (Some(word), true) = (tables.first(), revisions.len() < 2) {
            let known =
                |revision: &str| Ok::<_, Failure>(tables_at(state, revision)?.address(word)?.is_some());
            if !known(from)? && !known(to)? {
                return Err(Failure::new(Kind::Other, format!("there is no revision and no table {word:?}"))
                    .hint(REVISIONS));
            }
        }
        Ok(Asked { from, to, tables })
    }

    fn to_json(&self, changed: &Changed) -> Result<Value, Failure> {
        let [added, removed, modified] = counts(changed);
        let row = |table: &Option<Table>, row: &Row| {
            table.as_ref().map_or(Ok(json!({})), |table| row_value(table, row))
        };
        let (before, after) = (&changed.before, &changed.after);
        let one = |change: &RowChange| {
            Ok::<_, Failure>(match change {
                RowChange::Added(to) => json!({"from_row": {}, "to_row": row(after, to)?}),
                RowChange::Removed(from) => json!({"from_row": row(before, from)?, "to_row": {}}),
                RowChange::Modified { from, to } => {
                    json!({"from_row": row(before, from)?, "to_row": row(after, to)?})
                }
            })
        };
        let mut body = json!({
            "name": changed.name, "change": word(changed.change), "rewritten": changed.is_rewritten,
            "added": added, "removed": removed, "modified": modified,
        });
        if let Some((from, to)) = &changed.definitions {
            body["schema"] = json!({"from": from, "to": to});
        }
        if !self.stat {
            body["data_diff"] = Value::Array(changed.rows.iter().map(one).collect::<Result<_, _>>()?);
        }
        Ok(body)
    }
}

fn changed(old: &Tables, new: &Tables, name: String, change: TableChange) -> Result<Changed, Failure> {
    let (before, after) = (old.open(&name)?, new.open(&name)?);
    let definitions = spelled(old, &name)?.zip(spelled(new, &name)?).filter(|(from, to)| from != to);
    let (mut rows, mut is_rewritten) = (Vec::new(), false);
    let diff = match (&before, &after) {
        (Some(a), Some(b)) => a.changes_to(b)?,
        _ => None,
    };
    if let Some(diff) = diff {
        rows = diff.collect::<Result<_, _>>()?;
    } else {
        is_rewritten = change == TableChange::Modified;
        for row in before.iter().map(Table::rows).collect::<Result<Vec<_>, _>>()?.into_iter().flatten() {
            rows.push(RowChange::Removed(row?));
        }
        for row in after.iter().map(Table::rows).collect::<Result<Vec<_>, _>>()?.into_iter().flatten() {
            rows.push(RowChange::Added(row?));
        }
    }
    Ok(Changed { name, change, before, after, definitions, rows, is_rewritten })
}

// A schema that cannot be spelled keeps nobody from the rows.
fn spelled(tables: &Tables, name: &str) -> Result<Option<String>, Failure> {
    match tables.definition(name) {
        Err(Error::NotSupported { .. }) => Ok(None),
        found => Ok(found?),
    }
}

fn word(change: TableChange) -> &'static str {
    match change {
        TableChange::Added => "added",
        TableChange::Dropped => "dropped",
        TableChange::Modified => "modified",
    }
}

fn counts(changed: &Changed) -> [usize; 3] {
    let count = |is: fn(&RowChange) -> bool| changed.rows.iter().filter(|c| is(c)).count();
    [
        count(|c| matches!(c, RowChange::Added(_))),
        count(|c| matches!(c, RowChange::Removed(_))),
        count(|c| matches!(c, RowChange::Modified { .. })),
    ]
}

fn warn_of_what_is_missing(changed: &Changed) {
    let Some(table) = changed.after.as_ref().or(changed.before.as_ref()) else { return };
    let rows = changed.rows.iter().flat_map(|change| match change {
        RowChange::Added(row) | RowChange::Removed(row) => vec![row],
        RowChange::Modified { from, to } => vec![from, to],
    });
    warn_of_what_is_not_stored(table, &not_stored(table, rows));
}

fn heading(changed: &Changed) {
    let name = &changed.name;
    out::line(format!("diff --dolt a/{name} b/{name}"));
    match changed.change {
        TableChange::Added => out::line("added table"),
        TableChange::Dropped => out::line("deleted table"),
        TableChange::Modified => out::line(format!("--- a/{name}\n+++ b/{name}")),
    }
    if let Some((from, to)) = &changed.definitions {
        let diff = TextDiff::from_lines(from, to);
        let lines = diff.iter_all_changes().map(|line| format!("{}{}", line.tag(), line.value().trim_end()));
        let lines: Vec<String> = lines.collect();
        out::line(format!("{};", lines.join("\n")));
    }
    if changed.is_rewritten {
        out::line("the primary key changed: every row is shown as removed and added");
    }
}

fn print_counts(changed: &Changed) {
    heading(changed);
    let [added, removed, modified] = counts(changed);
    out::line(format!("{} added", out::count(added, "row", "rows")));
    out::line(format!("{} removed", out::count(removed, "row", "rows")));
    out::line(format!("{} modified", out::count(modified, "row", "rows")));
}

// The grid of `dolt diff`: a first column with +, -, or < and > for a row before and after.
fn print_rows(changed: &Changed) -> Result<(), Failure> {
    heading(changed);
    if changed.rows.is_empty() {
        return Ok(());
    }
    // The columns of the old state, and those that only the new one has.
    let mut names: Vec<&str> = Vec::new();
    for table in [&changed.before, &changed.after].into_iter().flatten() {
        let more = table.schema().visible().map(|(_, c)| c.name.as_str()).filter(|n| !names.contains(n));
        names.extend(more.collect::<Vec<_>>());
    }
    let line = |mark: &str, table: &Option<Table>, row: &Row| {
        let columns: Vec<_> = table.iter().flat_map(|t| t.schema().visible()).map(|(_, c)| c).collect();
        let cell_of = |name: &&str| {
            let at = columns.iter().position(|c| c.name == **name);
            let found = at.and_then(|at| Some(cell(row.values.get(at)?, columns.get(at)?)));
            found.unwrap_or(Cell::Null)
        };
        std::iter::once(Cell::Text(mark.to_owned())).chain(names.iter().map(cell_of)).collect::<Vec<_>>()
    };
    let (before, after) = (&changed.before, &changed.after);
    let lines = |change: &RowChange| match change {
        RowChange::Added(to) => vec![line("+", after, to)],
        RowChange::Removed(from) => vec![line("-", before, from)],
        RowChange::Modified { from, to } => vec![line("<", before, from), line(">", after, to)],
    };
    let column = |name: &str| Column { name: name.to_owned(), is_number: false };
    let set = ResultSet {
        columns: std::iter::once(column(" ")).chain(names.iter().map(|n| column(n))).collect(),
        rows: changed.rows.iter().flat_map(lines).collect(),
        ..ResultSet::default()
    };
    print_grid(&set)
}
