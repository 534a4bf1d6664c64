//! Was it written? Asked when a connection broke while the server was committing.
//!
//! An answer counts only once the server has finished with the transaction: it has died, or it no longer has the connection. Then
//! rows that came are looked for by their keys; a commit is whole or not at all, so one of them tells for all, unless somebody
//! else could have made the same row. What only changed rows is the same when it is done twice.

use std::collections::BTreeMap;
use std::time::Duration;

use dolt_store::table::Value;

use super::ServerEngine;
use crate::sql::Typed;
use crate::store::StoreError;
use crate::store::change::{Change, Values};
use crate::store::reader::{By, Reader};
use crate::store::runtime::wait;
use crate::sys::clock::{Deadline, pause};

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Landed {
    /// It is there.
    Yes,
    /// It is not, and will not come: it can be done again.
    No,
    /// It cannot be told.
    Untold,
}

/// Looks for these changes, which were committed over the connection of this id.
pub(super) fn look(
    engine: &ServerEngine,
    connection: u64,
    changes: &[Change],
    deadline: Deadline,
) -> Result<Landed, StoreError> {
    loop {
        // In this order: what is finished first cannot land after the look.
        let is_finished = is_finished(engine, connection);
        match seen(engine, changes) {
            Ok(Landed::No) if !is_finished => {}
            Ok(found) => return Ok(found),
            // Without files there is only the server, and that may be starting again.
            Err(error) if engine.proved.is_some() => return Err(error),
            Err(error) => tracing::debug!(%error, "looking whether a write is there"),
        }
        if deadline.has_passed() {
            return Ok(Landed::Untold);
        }
        wait::<(), StoreError>(async {
            pause(Duration::from_millis(10).min(deadline.remaining())).await;
            Ok(())
        })?;
    }
}

/// Whether the server works on nothing of that connection any more.
fn is_finished(engine: &ServerEngine, connection: u64) -> bool {
    if engine.proved.as_ref().is_some_and(|proved| !proved.proof.is_alive()) {
        return true;
    }
    let Ok(other) = engine.connect() else { return false };
    let listed = other.run("SELECT id FROM information_schema.processlist", &[]);
    listed.is_ok_and(|answer| {
        let mut ids = answer.rows.into_iter().flatten();
        !ids.any(|id| match id {
            Typed::Int(id) => u64::try_from(id) == Ok(connection),
            Typed::Uint(id) => id == connection,
            Typed::Text(id) => id.parse() == Ok(connection),
            _ => false,
        })
    })
}

fn seen(engine: &ServerEngine, changes: &[Change]) -> Result<Landed, StoreError> {
    match &engine.proved {
        // The files have everything that any server has acknowledged, and outlive it.
        Some(proved) => in_state(&proved.native.reader()?, changes),
        None => in_state(&engine.reader()?, changes),
    }
}

/// A row as the changes leave it.
struct Left {
    table: &'static str,
    key: Values,
    // None: it has gone.
    values: Option<BTreeMap<&'static str, Value>>,
    // It was not there before.
    is_new: bool,
}

fn in_state(reader: &dyn Reader, changes: &[Change]) -> Result<Landed, StoreError> {
    let rows = left(reader, changes)?;
    let (mut new_there, mut new_missing, mut others_differ, mut own_there) = (0, 0, false, false);
    for row in &rows {
        let names: Vec<&str> = row.values.iter().flatten().map(|(name, _)| *name).collect();
        let first_key = row.key.first().map(|(name, _)| *name);
        let columns = if names.is_empty() { first_key.into_iter().collect() } else { names };
        let stored = reader.rows(row.table, &columns, By::Equal(&row.key))?.pop();
        let is_as_left = match (&row.values, &stored) {
            (None, stored) => stored.is_none(),
            (Some(_), None) => false,
            (Some(left), Some(stored)) => {
                left.values().zip(stored).all(|(left, stored)| is_same(left, stored))
            }
        };
        if row.is_new && row.values.is_some() {
            new_there += u32::from(stored.is_some());
            new_missing += u32::from(stored.is_none());
            // Such an id is made of chance and time for this one attempt: nobody else can have made the row.
            own_there |= is_as_left && has_random_id(row);
        } else {
            others_differ |= !is_as_left;
        }
    }
    Ok(match (new_there, new_missing) {
        _ if own_there => Landed::Yes,
        (0, 0) if others_differ || rows.is_empty() => Landed::No,
        (0, 0) => Landed::Yes,
        (0, _) => Landed::No,
        (_, 0) if !others_differ => Landed::Yes,
        _ => Landed::Untold,
    })
}

fn left(reader: &dyn Reader, changes: &[Change]) -> Result<Vec<Left>, StoreError> {
    let mut rows: Vec<Left> = Vec::new();
    for change in changes {
        let table = change.table();
        let (key, values, is_new) = match change {
            Change::Insert { values, .. } | Change::Put { values, .. } => {
                let names = reader.key_of(table)?;
                let key: Values =
                    values.iter().filter(|(name, _)| names.iter().any(|key| key == name)).cloned().collect();
                // A key that the database has chosen cannot be looked for.
                if key.is_empty() || key.len() != names.len() {
                    continue;
                }
                (key, Some(values), matches!(change, Change::Insert { .. }))
            }
            Change::Update { key, values, .. } => (key.clone(), Some(values), false),
            Change::Delete { key, .. } => (key.clone(), None, false),
        };
        let known = rows.iter().position(|row| row.table == table && row.key == key);
        let known = known.unwrap_or_else(|| {
            rows.push(Left { table, key, values: Some(BTreeMap::new()), is_new });
            rows.len() - 1
        });
        let Some(row) = rows.get_mut(known) else { continue };
        match values {
            None => row.values = None,
            Some(values) => row.values.get_or_insert_default().extend(values.iter().cloned()),
        }
    }
    Ok(rows)
}

fn has_random_id(row: &Left) -> bool {
    let [(_, Value::Text(id))] = &row.key[..] else { return false };
    uuid::Uuid::parse_str(id).is_ok_and(|id| id.get_version_num() == 7)
}

fn is_same(left: &Value, stored: &Value) -> bool {
    match (left, stored) {
        (Value::Json(left), Value::Json(stored)) => {
            let read = |text| serde_json::from_str::<serde_json::Value>(text).ok();
            left == stored || read(left).is_some() && read(left) == read(stored)
        }
        _ => left == stored,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Changes;
    use crate::store::reader::Select;

    /// A table with key `id`.
    struct Rows(Vec<Values>);

    impl Reader for Rows {
        fn select(
            &self,
            question: &Select<'_>,
            each: &mut dyn FnMut(&mut Vec<Value>) -> Result<(), StoreError>,
        ) -> Result<(), StoreError> {
            let By::Equal(wanted) = question.by else { panic!("by key") };
            let value = |row: &Values, name: &str| {
                row.iter().find(|(column, _)| *column == name).map_or(Value::Null, |(_, value)| value.clone())
            };
            for row in &self.0 {
                if wanted.iter().all(|(name, wanted)| value(row, name) == *wanted) {
                    each(&mut question.columns.iter().map(|name| value(row, name)).collect())?;
                }
            }
            Ok(())
        }

        fn key_of(&self, _table: &str) -> Result<Vec<String>, StoreError> {
            Ok(vec!["id".to_owned()])
        }
    }

    fn row(id: &str, title: &str) -> Values {
        vec![("id", Value::Text(id.to_owned())), ("title", Value::Text(title.to_owned()))]
    }

    fn key(id: &str) -> Values {
        vec![("id", Value::Text(id.to_owned()))]
    }

    #[test]
    fn a_row_that_nobody_else_can_have_made_tells_for_all() {
        let event = "019a9a00-0000-7000-8000-000000000001";
        let mut changes = Changes::new();
        changes.insert("issues", row("x-1", "a"));
        changes.insert("events", row(event, "created"));
        let changes = changes.as_slice();
        assert_eq!(in_state(&Rows(Vec::new()), changes).unwrap(), Landed::No);
        let there = Rows(vec![row("x-1", "changed since"), row(event, "created")]);
        assert_eq!(in_state(&there, changes).unwrap(), Landed::Yes);
        let another = Rows(vec![row("x-1", "a")]);
        assert_eq!(in_state(&another, changes).unwrap(), Landed::Untold, "somebody else's, perhaps");
    }

    #[test]
    fn what_is_the_same_when_done_twice_is_there_or_done_again() {
        let mut changes = Changes::new();
        changes.update("issues", key("x-1"), vec![("title", Value::Text("b".to_owned()))]);
        changes.delete("issues", key("x-2"));
        let changes = changes.as_slice();
        assert_eq!(in_state(&Rows(vec![row("x-1", "b")]), changes).unwrap(), Landed::Yes);
        assert_eq!(in_state(&Rows(vec![row("x-1", "a")]), changes).unwrap(), Landed::No);
        assert_eq!(in_state(&Rows(vec![row("x-1", "b"), row("x-2", "")]), changes).unwrap(), Landed::No);
    }
}
