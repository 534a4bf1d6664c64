//! A database of bd 1.0.5 (versions 49 and 8) brought to that of bd 1.1.0, natively, in one Dolt commit: what bd 1.1.0 does with
//! it when it first opens it. Whether it may be done is `gate`'s matter: a database that others have too is migrated by one
//! of them only. What could go wrong is that two clones come to different rows, so every id is one that bd computes.
//!
//! Nothing of it is seen before the commit is written, so it cannot stop half-way.

use beads::history_id;
use dolt_store::commit::{Author, CommitMeta, Draft};
use dolt_store::expr::EvalContext;
use dolt_store::table::{Ignored, Row, Table, Value};
use dolt_store::{Hash, Result};
use jiff::Timestamp;

use super::inspect::inspect_root;
use super::plan::{self, Step};
use super::{LOCAL_VERSION, MAIN_VERSION, SchemaError, create, hashes, rigs};

/// The oldest versions that are understood: those of bd 1.0.5.
const OLDEST: (u32, u32) = (49, 8);
/// Below this version of what is committed, ids of history are random.
const HISTORY_IS_NAMED: u32 = 51;
/// From this local version on, ids of history have been looked at.
const HISTORY_IS_CHECKED: u32 = 9;

/// Tables of history, and their columns in the order in which their ids are computed.
const HISTORY: [(&str, &[&str]); 4] = [
    ("events", &["issue_id", "event_type", "actor", "old_value", "new_value", "comment", "created_at"]),
    ("comments", &["issue_id", "author", "text", "created_at"]),
    (
        "issue_snapshots",
        &[
            "issue_id",
            "snapshot_time",
            "compaction_level",
            "original_size",
            "compressed_size",
            "original_content",
            "archived_events",
        ],
    ),
    ("compaction_snapshots", &["issue_id", "compaction_level", "snapshot_json", "created_at"]),
];

/// What each version changes, for which nothing uncommitted may be there.
const TOUCHED: [(u32, &[&str]); 4] = [
    (50, &["dependencies"]),
    (51, &["events", "comments", "issue_snapshots", "compaction_snapshots"]),
    (52, &["issues"]),
    (53, &["issues", "labels", "dependencies", "events", "comments", "child_counters"]),
];

/// Migrates. The commit is in the draft then, on top of its branch; gives its address. `None`: nothing was to be committed,
/// though local tables may have changed.
///
/// Fails with [`SchemaError::Dirty`] where changes are not committed, with [`SchemaError::TooOld`] for versions before those
/// of bd 1.0.5. After a failure the draft is of no use.
pub fn migrate(draft: &mut Draft, by: &Author) -> std::result::Result<Option<Hash>, SchemaError> {
    let found = inspect_root(draft.draft(), draft.working())?;
    if found.is_current() {
        return Ok(None);
    }
    let local = found.local.unwrap_or(LOCAL_VERSION);
    if found.main < OLDEST.0 || local < OLDEST.1 {
        return Err(SchemaError::TooOld { main: found.main, local });
    }
    if found.main > MAIN_VERSION || local > LOCAL_VERSION {
        return Err(SchemaError::TooNew { main: found.main, local });
    }
    let dirty = dirty_tables(draft)?;
    if !dirty.is_empty() {
        let pending = TOUCHED.iter().filter(|(version, _)| *version > found.main);
        let touched: Vec<&str> = pending.flat_map(|(_, tables)| tables.iter().copied()).collect();
        let is_touched = dirty.iter().any(|table| touched.contains(&table.as_str()));
        return Err(SchemaError::Dirty { tables: dirty, is_touched });
    }
    let now = moment(by);
    // A clone that has nothing local gets it as it is now, and has no rows there to be looked at.
    if found.local.is_none() {
        for step in plan::local(&found.missing_local, now) {
            match step {
                Step::Define(sql) => draft.run_ddl(&sql, create::OPTIONS)?,
                Step::Rows(change) => create::rows(draft, &change)?,
                Step::Commit(_) => {}
            }
        }
    } else if !found.missing_local.is_empty() {
        return Err(SchemaError::Incomplete { missing: found.missing_local });
    }
    define(draft, found.main, local)?;
    if found.main < 53 {
        rigs::repair(draft, now)?;
    }
    rigs::fill_custom(draft)?;
    name_edges(draft)?;
    if found.local.is_none_or(|v| v < HISTORY_IS_CHECKED) && found.main < HISTORY_IS_NAMED {
        for (table, columns) in HISTORY {
            name_history(draft, table, columns)?;
        }
    }
    if local < 11 {
        rigs::move_counters(draft)?;
    }
    note_versions(draft, found.main, local, now)?;
    draft.stage_all()?;
    Ok(draft.add_commit(&CommitMeta::by(by.clone(), "schema: apply migrations"), false)?)
}

fn moment(by: &Author) -> Timestamp {
    Timestamp::from_second(i64::try_from(by.millis / 1000).unwrap_or(i64::MAX)).unwrap_or(Timestamp::MAX)
}

/// What defaults and `ON UPDATE` need. Nothing that is written here asks for randomness.
pub(super) fn context(now: Timestamp) -> EvalContext {
    EvalContext::new(now.as_microsecond(), 0, |bytes| bytes.fill(0))
}

// Tables that are not ignored and not as they were committed. The two tables of versions do not count.
fn dirty_tables(draft: &Draft) -> Result<Vec<String>> {
    let session = draft.draft();
    let head = session.tables(session.commit(draft.head())?.root_value)?;
    let working = session.tables(draft.working())?;
    let patterns = working.ignore_patterns()?;
    let mut names = head.names()?;
    names.extend(working.names()?);
    names.sort();
    names.dedup();
    let mut dirty = Vec::new();
    for name in names {
        let is_left_out = patterns.of(&name) == Ignored::Yes
            || matches!(name.as_str(), "schema_migrations" | "ignored_schema_migrations");
        if !is_left_out && head.address(&name)? != working.address(&name)? {
            dirty.push(name);
        }
    }
    Ok(dirty)
}

// What tables are made of.
fn define(draft: &mut Draft, main: u32, local: u32) -> Result<()> {
    let mut statements = Vec::new();
    let missing = |draft: &Draft, table: &str| -> Result<bool> {
        Ok(open(draft, table)?
            .is_some_and(|table| !table.schema().columns.iter().any(|c| c.name == "content_hash")))
    };
    for table in ["schema_migrations", "ignored_schema_migrations"] {
        if missing(draft, table)? {
            statements.push(format!("alter table {table} add column content_hash char(64)"));
        }
    }
    let mut without_default = Vec::new();
    if main < 50 {
        without_default.push("dependencies");
        for target in ["issue", "wisp", "external"] {
            let name = format!("uk_dep_{target}_target");
            if !has_index(draft, "dependencies", &name)? {
                let column = if target == "external" {
                    "depends_on_external".to_owned()
                } else {
                    format!("depends_on_{target}_id")
                };
                statements.push(format!("create unique index {name} on dependencies (issue_id, {column})"));
            }
        }
    }
    if main < 51 {
        without_default.extend(HISTORY.map(|(table, _)| table));
    }
    if local < 10 {
        without_default.extend(["wisp_events", "wisp_comments", "wisp_dependencies"]);
    }
    for table in without_default {
        let id = open(draft, table)?;
        let has_default =
            |t: &Table| t.schema().columns.iter().any(|c| c.name == "id" && c.default.is_some());
        if id.as_ref().is_some_and(has_default) {
            statements.push(format!("alter table {table} alter column id drop default"));
        }
    }
    if main < 52 {
        if has_index(draft, "issues", "idx_issues_status")? {
            statements.push("drop index idx_issues_status on issues".to_owned());
        }
        for (name, columns) in [
            ("idx_issues_status_updated_at", "status, updated_at"),
            ("idx_issues_defer_until", "defer_until"),
        ] {
            if !has_index(draft, "issues", name)? {
                statements.push(format!("create index {name} on issues ({columns})"));
            }
        }
    }
    statements.iter().try_for_each(|sql| draft.run_ddl(sql, create::OPTIONS))
}

/// A table of the working state.
pub(super) fn open(draft: &Draft, table: &str) -> Result<Option<Table>> {
    draft.draft().tables(draft.working())?.open(table)
}

fn has_index(draft: &Draft, table: &str, index: &str) -> Result<bool> {
    Ok(open(draft, table)?.is_some_and(|table| table.schema().indexes.iter().any(|i| i.name == index)))
}

/// The rows of a table of the working state, each as a list of texts and values behind the names of its columns.
pub(super) fn all_rows(draft: &Draft, table: &str) -> Result<Vec<Named>> {
    let Some(table) = open(draft, table)? else { return Ok(Vec::new()) };
    table.rows()?.map(|row| Ok(Named::of(&table, row?))).collect()
}

/// A row whose values have names.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) values: Vec<(String, Value)>,
    texts: Vec<Option<String>>,
}

impl Named {
    fn of(table: &Table, row: Row) -> Self {
        let columns: Vec<_> = table.schema().visible().map(|(_, column)| column).collect();
        let texts = columns.iter().zip(&row.values).map(|(column, value)| value.to_text(column)).collect();
        let values = columns.iter().map(|column| column.name.clone()).zip(row.values).collect();
        Self { values, texts }
    }

    /// A value as it is printed.
    pub(super) fn text(&self, column: &str) -> Option<&str> {
        let at = self.values.iter().position(|(name, _)| name == column)?;
        self.texts.get(at)?.as_deref()
    }

    /// A value as it is stored.
    pub(super) fn value(&self, column: &str) -> Value {
        self.values.iter().find(|(name, _)| name == column).map_or(Value::Null, |(_, value)| value.clone())
    }

    /// Its bytes, as they go into a digest.
    fn bytes(&self, column: &str) -> Option<Vec<u8>> {
        match self.value(column) {
            Value::Bytes(bytes) => Some(bytes),
            _ => self.text(column).map(|text| text.as_bytes().to_vec()),
        }
    }
}

// An edge is known by its ends.
fn name_edges(draft: &mut Draft) -> Result<()> {
    for table in ["dependencies", "wisp_dependencies"] {
        let mut renamed = Vec::new();
        for row in all_rows(draft, table)? {
            let target = ["depends_on_issue_id", "depends_on_wisp_id", "depends_on_external"];
            let target = target.iter().find_map(|column| row.text(column));
            let (Some(id), Some(issue), Some(target)) = (row.text("id"), row.text("issue_id"), target) else {
                continue;
            };
            let wanted = beads::edge::computed_id(issue, target);
            if wanted != id {
                renamed.push((id.to_owned(), wanted));
            }
        }
        rename(draft, table, renamed)?;
    }
    Ok(())
}

// A row of history is known by what it holds.
fn name_history(draft: &mut Draft, table: &str, columns: &[&str]) -> Result<()> {
    let rows = all_rows(draft, table)?.into_iter().map(|row| {
        let values: Vec<Option<Vec<u8>>> = columns.iter().map(|column| row.bytes(column)).collect();
        let digest = history_id::digest(values.iter().map(Option::as_deref));
        (row.text("id").unwrap_or_default().to_owned(), digest)
    });
    let renamed = history_id::renamed(table, &rows.collect::<Vec<_>>());
    rename(draft, table, renamed)
}

fn rename(draft: &mut Draft, table: &str, renamed: Vec<(String, String)>) -> Result<()> {
    draft.edit(|root| {
        let mut table = root.table(table)?;
        for (from, to) in renamed {
            table.update(&[Value::Text(from)], [("id", Value::Text(to))])?;
        }
        Ok(())
    })
}

fn note_versions(draft: &mut Draft, main: u32, local: u32, now: Timestamp) -> Result<()> {
    let text = |hash: &str| Value::Text(hash.to_owned());
    draft.edit(|root| {
        let mut table = root.table("schema_migrations")?;
        for (version, hash) in (1..).zip(hashes::MAIN).filter(|(version, _)| *version > main) {
            table.insert([("version", Value::Int(version.into())), ("content_hash", text(hash))])?;
        }
        let mut table = root.table("ignored_schema_migrations")?;
        for (version, hash) in (1..).zip(hashes::LOCAL).filter(|(version, _)| *version > local) {
            table.insert([
                ("version", Value::Int(version.into())),
                ("applied_at", Value::Datetime(now.as_microsecond())),
                ("content_hash", text(hash)),
            ])?;
        }
        Ok(())
    })
}
