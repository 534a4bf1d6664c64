//! `gt db diff`.

use clap::Args;
use dolt_store::commit::Session as State;
use dolt_store::table::{Row, RowChange, Table, TableChange, Tables};
use serde_json::{Value, json};

use super::dump::row_json;
use super::place::tables_at;
use crate::cli::dolt::table as grid;
use crate::cli::failure::Failure;
use crate::cli::out;
use crate::cli::session::Session;
use crate::sql::{Cell, Column, ResultSet};

/// Show what changed between two revisions. The cost follows the change, not the size of the tables.
///
/// Example: gt db --db gastown diff main~5 main issues
#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The old state
    #[arg(default_value = "HEAD")]
    from: String,
    /// The new state
    #[arg(default_value = "WORKING")]
    to: String,
    /// Only this table
    table: Option<String>,
    /// Only count
    #[arg(long)]
    stat: bool,
}

/// One table's changes.
struct Changed {
    name: String,
    change: TableChange,
    // Of the new state, or of the old one if it was dropped.
    table: Table,
    rows: Vec<RowChange>,
    // The columns changed, so every row counts as removed and added.
    is_rewritten: bool,
}

impl Diff {
    pub(super) fn run(&self, session: &Session, state: &State) -> Result<(), Failure> {
        let (old, new) = (tables_at(state, &self.from)?, tables_at(state, &self.to)?);
        let mut all = Vec::new();
        for (name, change) in old.changes_to(&new)? {
            if self.table.as_ref().is_none_or(|t| *t == name) {
                all.extend(changed(&old, &new, name, change)?);
            }
        }
        session.show(
            || json!({"from": self.from, "to": self.to, "tables": all.iter().map(|c| self.to_json(c)).collect::<Vec<_>>()}),
            || all.iter().for_each(|c| if self.stat { print_counts(c) } else { print_rows(c) }),
        );
        Ok(())
    }

    fn to_json(&self, changed: &Changed) -> Value {
        let [added, removed, modified] = counts(changed);
        let row = |r: &Row| serde_json::from_str::<Value>(&row_json(&changed.table, r)).unwrap_or_default();
        let one = |change: &RowChange| match change {
            RowChange::Added(to) => json!({"from_row": {}, "to_row": row(to)}),
            RowChange::Removed(from) => json!({"from_row": row(from), "to_row": {}}),
            RowChange::Modified { from, to } => json!({"from_row": row(from), "to_row": row(to)}),
        };
        let mut body = json!({
            "name": changed.name, "change": word(changed.change), "rewritten": changed.is_rewritten,
            "added": added, "removed": removed, "modified": modified,
        });
        if !self.stat {
            body["data_diff"] = changed.rows.iter().map(one).collect();
        }
        body
    }
}

fn changed(
    old: &Tables,
    new: &Tables,
    name: String,
    change: TableChange,
) -> Result<Option<Changed>, Failure> {
    let (before, after) = (old.open(&name)?, new.open(&name)?);
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
    Ok(after.or(before).map(|table| Changed { name, change, table, rows, is_rewritten }))
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

fn heading(changed: &Changed) {
    let name = &changed.name;
    out::line(format!("diff --dolt a/{name} b/{name}"));
    match changed.change {
        TableChange::Added => out::line("added table"),
        TableChange::Dropped => out::line("deleted table"),
        TableChange::Modified => out::line(format!("--- a/{name}\n+++ b/{name}")),
    }
    if changed.is_rewritten {
        out::line("the columns changed: every row is shown as removed and added");
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
fn print_rows(changed: &Changed) {
    heading(changed);
    if changed.rows.is_empty() {
        return;
    }
    let visible: Vec<_> = changed.table.schema().visible().map(|(_, c)| c).collect();
    let line = |mark: &str, row: &Row| {
        let cell = |(v, c): (&dolt_store::table::Value, &&dolt_store::table::Column)| {
            v.to_text(c).map_or(Cell::Null, Cell::Text)
        };
        let cells = row.values.iter().zip(&visible).map(cell);
        std::iter::once(Cell::Text(mark.to_owned())).chain(cells).collect::<Vec<_>>()
    };
    let lines = |change: &RowChange| match change {
        RowChange::Added(to) => vec![line("+", to)],
        RowChange::Removed(from) => vec![line("-", from)],
        RowChange::Modified { from, to } => vec![line("<", from), line(">", to)],
    };
    let column = |name: &str| Column { name: name.to_owned(), is_number: false };
    let set = ResultSet {
        columns: std::iter::once(column(" ")).chain(visible.iter().map(|c| column(&c.name))).collect(),
        rows: changed.rows.iter().flat_map(lines).collect(),
        ..ResultSet::default()
    };
    out::raw(&grid::render(&set));
}
