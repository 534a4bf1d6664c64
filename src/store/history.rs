//! What a database's commits tell about its issues: the states that one issue went through, and what differs between two states
//! of all of them (bd 1.1.0 `issueops/history.go`, `issueops/diff.go`). Wisps are in no commit.
//!
//! The files answer, whoever holds them; a database on another machine is asked through Dolt's system tables. What could go
//! wrong is that the two do not say the same, so both give columns by name, and one place makes issues of them.

use beads::{Issue, IssueType, Status};
use dolt_store::commit::Session;
use dolt_store::table::{RowChange, Table, Tables, Value};
use dolt_store::{Error, Hash};
use jiff::Timestamp;

use super::native::{Native, NativeReader};
use super::reader::{By, Reader, into_number, into_text, into_time};
use super::server::ServerEngine;
use super::{Store, StoreError};
use crate::sql::literal;

/// The table that both look at.
const TABLE: &str = "issues";

/// What is told of an issue at a commit.
const KEPT: [&str; 19] = [
    "id",
    "title",
    "description",
    "design",
    "acceptance_criteria",
    "notes",
    "status",
    "priority",
    "issue_type",
    "assignee",
    "owner",
    "created_by",
    "estimated_minutes",
    "created_at",
    "updated_at",
    "closed_at",
    "close_reason",
    "pinned",
    "mol_type",
];

/// What is told of an issue as it was.
const TOLD: [&str; 13] = [
    "id",
    "title",
    "description",
    "status",
    "priority",
    "issue_type",
    "assignee",
    "estimated_minutes",
    "created_at",
    "created_by",
    "owner",
    "updated_at",
    "closed_at",
];

/// What is told of an issue that differs.
const COMPARED: [&str; 5] = ["id", "title", "description", "status", "priority"];

/// An issue as a commit has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// The commit.
    pub commit: String,
    /// Who made it.
    pub committer: String,
    /// When.
    pub date: Timestamp,
    /// The issue.
    pub issue: Issue,
}

/// An issue that is not the same in two states. It is there in at least one of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// In the first.
    pub before: Option<Issue>,
    /// In the second.
    pub after: Option<Issue>,
}

/// An issue in every commit that has it, the newest commit first.
pub fn versions(store: &Store, id: &str) -> Result<Vec<Version>, StoreError> {
    let mut found = match store.files()? {
        Some(native) => versions_of_files(native, id)?,
        None => versions_of_server(&store.statements()?, id)?,
    };
    found.sort_by_key(|version| std::cmp::Reverse(version.date));
    Ok(found)
}

/// What differs between the states that two revisions name, by id. The error of an unknown one is Dolt's.
pub fn differences(store: &Store, from: &str, to: &str) -> Result<Vec<Difference>, StoreError> {
    match store.files()? {
        Some(native) => differences_of_files(native, from, to),
        None => differences_of_server(&store.statements()?, from, to),
    }
}

/// An issue as it was at a revision. The error of an unknown one is Dolt's.
pub fn as_of(store: &Store, revision: &str, id: &str) -> Result<Option<Issue>, StoreError> {
    if let Some(native) = store.files()? {
        let session = native.session()?;
        let unknown = || StoreError::Refused(format!("Error 1105: branch not found: {revision}"));
        let root = session.resolve_root(revision)?.ok_or_else(unknown)?;
        return of_state(&session, root, id, &TOLD);
    }
    // Dolt takes no parameter for the revision.
    let sql = format!("SELECT {} FROM {TABLE} AS OF {} WHERE id = ?", TOLD.join(", "), literal(revision));
    let rows = store.statements()?.ask(&sql, &[Value::Text(id.to_owned())])?;
    Ok(rows.into_iter().next().map(|row| issue(TOLD.into_iter().zip(row))))
}

fn versions_of_files(native: &Native, id: &str) -> Result<Vec<Version>, StoreError> {
    let session = native.session()?;
    let mut found = Vec::new();
    // Most commits leave the table of the one before, or change other rows of it.
    let mut last: Option<(Hash, Option<Issue>)> = None;
    let Some(head) = session.resolve_commit("HEAD")? else { return Ok(found) };
    for entry in session.log(head)? {
        let entry = entry?;
        let tables = session.tables(entry.commit.root_value)?;
        let Some(address) = tables.address(TABLE)? else { continue };
        let issue = match &last {
            Some((seen, issue)) if *seen == address => issue.clone(),
            _ => of_state(&session, entry.commit.root_value, id, &KEPT)?,
        };
        last = Some((address, issue.clone()));
        let Some(issue) = issue else { continue };
        let millis = i64::try_from(entry.commit.committer_millis).unwrap_or(i64::MAX);
        found.push(Version {
            commit: entry.hash.to_string(),
            committer: entry.commit.committer_name.unwrap_or(entry.commit.name),
            date: Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH),
            issue,
        });
    }
    Ok(found)
}

fn of_state(
    session: &Session,
    root: Hash,
    id: &str,
    columns: &[&'static str],
) -> Result<Option<Issue>, StoreError> {
    let reader = NativeReader::at(session, root)?;
    let Some(table) = reader.table(TABLE)? else { return Ok(None) };
    // An older schema lacks some.
    let columns: Vec<&str> =
        columns.iter().copied().filter(|column| table.schema().position(column).is_some()).collect();
    let by = [("id", Value::Text(id.to_owned()))];
    let row = reader.rows(TABLE, &columns, By::Equal(&by))?.into_iter().next();
    Ok(row.map(|row| issue(columns.into_iter().zip(row))))
}

fn versions_of_server(server: &ServerEngine, id: &str) -> Result<Vec<Version>, StoreError> {
    // The outer question keeps Dolt from taking the id for a key of the history.
    let sql = format!(
        "SELECT {}, commit_hash, committer, commit_date FROM (SELECT * FROM dolt_history_issues) h WHERE h.id = ?",
        KEPT.join(", ")
    );
    let rows = server.ask(&sql, &[Value::Text(id.to_owned())])?;
    let version = |mut row: Vec<Value>| {
        let mut behind = row.split_off(KEPT.len().min(row.len())).into_iter();
        let commit = behind.next().and_then(into_text).unwrap_or_default();
        let committer = behind.next().and_then(into_text).unwrap_or_default();
        let date = behind.next().as_ref().and_then(into_time).unwrap_or(Timestamp::UNIX_EPOCH);
        Version { commit, committer, date, issue: issue(KEPT.into_iter().zip(row)) }
    };
    Ok(rows.into_iter().map(version).collect())
}

fn differences_of_files(native: &Native, from: &str, to: &str) -> Result<Vec<Difference>, StoreError> {
    let session = native.session()?;
    let tables = |revision: &str| -> Result<Tables, StoreError> {
        let unknown = || StoreError::Refused(format!("Error 1105: branch not found: {revision}"));
        Ok(session.tables(session.resolve_root(revision)?.ok_or_else(unknown)?)?)
    };
    let (from, to) = (tables(from)?, tables(to)?);
    if from.address(TABLE)? == to.address(TABLE)? {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    match (from.open(TABLE)?, to.open(TABLE)?) {
        (Some(from), Some(to)) => {
            let rewritten = || Error::NotSupported { what: "issues under another primary key".to_owned() };
            for change in from.changes_to(&to)?.ok_or_else(rewritten)? {
                found.push(match change? {
                    RowChange::Added(row) => {
                        Difference { before: None, after: Some(of_row(&to, row.values)) }
                    }
                    RowChange::Removed(row) => {
                        Difference { before: Some(of_row(&from, row.values)), after: None }
                    }
                    RowChange::Modified { from: old, to: new } => Difference {
                        before: Some(of_row(&from, old.values)),
                        after: Some(of_row(&to, new.values)),
                    },
                });
            }
        }
        (before, after) => {
            for (table, is_new) in [(before, false), (after, true)] {
                let Some(table) = table else { continue };
                for row in table.rows()? {
                    let issue = Some(of_row(&table, row?.values));
                    found.push(if is_new {
                        Difference { before: None, after: issue }
                    } else {
                        Difference { before: issue, after: None }
                    });
                }
            }
        }
    }
    Ok(found)
}

fn of_row(table: &Table, values: Vec<Value>) -> Issue {
    let names = table.schema().visible().map(|(_, column)| column.name.as_str());
    issue(names.zip(values).filter(|(name, _)| COMPARED.contains(name)))
}

fn differences_of_server(server: &ServerEngine, from: &str, to: &str) -> Result<Vec<Difference>, StoreError> {
    let columns: Vec<String> =
        ["from", "to"].iter().flat_map(|side| COMPARED.map(|column| format!("{side}_{column}"))).collect();
    // Dolt takes no parameters here.
    let sql =
        format!("SELECT {} FROM dolt_diff({}, {}, 'issues')", columns.join(", "), literal(from), literal(to));
    let rows = server.ask(&sql, &[])?;
    let difference = |mut before: Vec<Value>| {
        let after = before.split_off(COMPARED.len().min(before.len()));
        let side = |row: Vec<Value>| {
            let is_there = row.first().is_some_and(|id| *id != Value::Null);
            is_there.then(|| issue(COMPARED.into_iter().zip(row)))
        };
        Difference { before: side(before), after: side(after) }
    };
    let id = |difference: &Difference| {
        let either = difference.after.as_ref().or(difference.before.as_ref());
        either.map(|issue| issue.id.clone()).unwrap_or_default()
    };
    let mut found: Vec<Difference> = rows.into_iter().map(difference).collect();
    found.sort_by_key(id);
    Ok(found)
}

// Columns by name; what is not among them stays empty.
fn issue<'c>(columns: impl Iterator<Item = (&'c str, Value)>) -> Issue {
    let mut issue = Issue::default();
    for (column, value) in columns {
        let number = into_number(&value);
        match column {
            "priority" => issue.priority = number.unwrap_or_default(),
            "estimated_minutes" => issue.estimated_minutes = number,
            "pinned" => issue.pinned = number.is_some_and(|n| n != 0),
            "created_at" => issue.created_at = into_time(&value),
            "updated_at" => issue.updated_at = into_time(&value),
            "closed_at" => issue.closed_at = into_time(&value),
            column => {
                let text = into_text(value).unwrap_or_default();
                match column {
                    "id" => issue.id = text,
                    "title" => issue.title = text,
                    "description" => issue.description = text,
                    "design" => issue.design = text,
                    "acceptance_criteria" => issue.acceptance_criteria = text,
                    "notes" => issue.notes = text,
                    "status" => issue.status = Status::from(text.as_str()),
                    "issue_type" => issue.issue_type = IssueType::from(text.as_str()),
                    "assignee" => issue.assignee = text,
                    "owner" => issue.owner = text,
                    "created_by" => issue.created_by = text,
                    "close_reason" => issue.close_reason = text,
                    "mol_type" => issue.mol_type = text,
                    _ => {}
                }
            }
        }
    }
    issue
}
