//! What makes a database of bd, step by step: the same list is done natively and said in SQL, so that the two cannot drift
//! apart. The commits are those of `bd init`, with its messages.
//!
//! Some of bd's commits only enter tables of another branch and take them out again (`dolt_nonlocal_tables`); the rows are
//! gone in the end, but the table stays, as with bd.

use dolt_store::table::Value;
use jiff::Timestamp;

use super::{Fresh, hashes, tables};
use crate::sql::{identifier, literal};

/// A step. What it says holds for the working state.
#[derive(Debug)]
pub(super) enum Step {
    /// One statement that defines something.
    Define(String),
    /// Rows come or go.
    Rows(Rows),
    /// Everything that is not ignored is committed.
    Commit(&'static str),
}

/// Rows of a table that come, or go: then a row is its key.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) table: &'static str,
    pub(super) columns: &'static [&'static str],
    pub(super) cells: Vec<Vec<Cell>>,
    pub(super) go: bool,
}

/// A value of a row.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    Text(String),
    Int(i64),
    Moment(Timestamp),
}

impl Cell {
    fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// As the native store takes it.
    pub(super) fn value(&self) -> Value {
        match self {
            Self::Text(text) => Value::Text(text.clone()),
            Self::Int(number) => Value::Int(*number),
            Self::Moment(moment) => Value::Datetime(moment.as_microsecond()),
        }
    }

    /// As SQL takes it.
    fn literal(&self) -> String {
        match self {
            Self::Text(text) => literal(text),
            Self::Int(number) => number.to_string(),
            Self::Moment(moment) => literal(&moment.strftime("%Y-%m-%d %H:%M:%S").to_string()),
        }
    }
}

impl Step {
    /// As SQL says it. `author` is a commit's, as `Name <address>`.
    pub(super) fn sql(&self, author: &str) -> String {
        let listed = |cells: &[Cell]| cells.iter().map(Cell::literal).collect::<Vec<_>>().join(", ");
        match self {
            Self::Define(sql) => sql.clone(),
            Self::Rows(Rows { table, columns, cells, go }) => {
                let columns = columns.iter().map(|c| identifier(c)).collect::<Vec<_>>().join(", ");
                let rows =
                    cells.iter().map(|row| format!("({})", listed(row))).collect::<Vec<_>>().join(", ");
                if *go {
                    format!("delete from {table} where ({columns}) in ({rows})")
                } else {
                    format!("insert into {table} ({columns}) values {rows}")
                }
            }
            Self::Commit(message) => {
                format!("call dolt_commit('-A', '-m', {}, '--author', {})", literal(message), literal(author))
            }
        }
    }
}

/// The patterns of tables that no commit takes.
pub(super) const IGNORED: [&str; 5] =
    ["wisps", "wisp_%", "local_metadata", "repo_mtimes", "ignored_schema_migrations"];

/// Which tables bd has entered for another branch for a while, each with its commit.
const NONLOCAL: [(&str, &str); 4] = [
    ("wisps", "create nonlocal table wisps"),
    ("wisp_*", "create nonlocal table wisp_*"),
    ("repo_mtimes", "create nonlocal table repo_mtimes"),
    ("local_metadata", "create nonlocal table local_metadata"),
];

/// What bd sets before anybody asks.
const CONFIG: [(&str, &str); 9] = [
    ("auto_compact_enabled", "false"),
    ("compact_batch_size", "50"),
    ("compact_parallel_workers", "5"),
    ("compact_tier1_days", "30"),
    ("compact_tier1_dep_levels", "2"),
    ("compact_tier2_commits", "100"),
    ("compact_tier2_days", "90"),
    ("compact_tier2_dep_levels", "5"),
    ("compaction_enabled", "false"),
];

/// Everything behind the first commit.
pub(super) fn of(fresh: &Fresh) -> Vec<Step> {
    let now = fresh.now();
    let mut steps: Vec<Step> = tables::first().into_iter().map(Step::Define).collect();
    steps.extend(tables::views().map(|view| Step::Define(view.to_owned())));
    steps.push(pairs("config", &CONFIG));
    let ignored = IGNORED.iter().map(|pattern| vec![Cell::text(pattern), Cell::Int(1)]).collect();
    steps.push(come("dolt_ignore", &["pattern", "ignored"], ignored));
    for (name, message) in NONLOCAL {
        let row = vec![Cell::text(name), Cell::text("main"), Cell::text("immediate")];
        steps.push(come("dolt_nonlocal_tables", &["table_name", "target_ref", "options"], vec![row]));
        steps.push(Step::Commit(message));
    }
    let names = NONLOCAL.iter().map(|(name, _)| vec![Cell::text(name)]).collect();
    let nonlocal = Rows { table: "dolt_nonlocal_tables", columns: &["table_name"], cells: names, go: true };
    steps.push(Step::Rows(nonlocal));
    steps.push(Step::Commit("disable nonlocal tables for fk migrations"));
    steps.extend(tables::again().into_iter().map(Step::Define));
    let versions = (1..).zip(hashes::MAIN).map(|(version, hash)| vec![Cell::Int(version), Cell::text(hash)]);
    steps.push(come("schema_migrations", &["version", "content_hash"], versions.collect()));
    steps.extend(local(&tables::local().iter().map(|(name, _)| *name).collect::<Vec<_>>(), now));
    steps.push(Step::Commit("schema: apply migrations"));
    let imported = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    steps.push(pairs("config", &[("issue_prefix", &fresh.prefix)]));
    steps.push(pairs(
        "metadata",
        &[
            ("_project_id", &fresh.project_id),
            ("clone_id", &fresh.clone_id),
            ("last_import_time", &imported),
            ("repo_id", &fresh.repo_id),
        ],
    ));
    steps.push(pairs("local_metadata", &[("bd_version", &fresh.bd_version)]));
    steps.push(Step::Commit("bd init"));
    steps
}

/// These local tables, and what stands in them at first.
pub(super) fn local(wanted: &[&str], now: Timestamp) -> Vec<Step> {
    let mut steps = Vec::new();
    for (name, statements) in tables::local() {
        if !wanted.contains(&name) {
            continue;
        }
        steps.extend(statements.into_iter().map(Step::Define));
        if name == "ignored_schema_migrations" {
            let row = |(version, hash)| vec![Cell::Int(version), Cell::Moment(now), Cell::text(hash)];
            let rows = (1..).zip(hashes::LOCAL).map(row).collect();
            steps.push(come(name, &["version", "applied_at", "content_hash"], rows));
        }
    }
    steps
}

fn pairs(table: &'static str, pairs: &[(&str, &str)]) -> Step {
    let rows = pairs.iter().map(|(key, value)| vec![Cell::text(key), Cell::text(value)]).collect();
    come(table, &["key", "value"], rows)
}

fn come(table: &'static str, columns: &'static [&'static str], rows: Vec<Vec<Cell>>) -> Step {
    Step::Rows(Rows { table, columns, cells: rows, go: false })
}
