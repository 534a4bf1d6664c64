//! The local tables of a clone, made through its server.
//!
//! No commit takes these tables, so a fresh clone has none of them, and the first wisp needs them. Dolt commits a transaction
//! before it defines anything; so they are made between two transactions, in the turn of one writer, and what was worked out
//! before is worked out anew. What could go wrong is an end in the middle. The table of versions comes last, so half of them are
//! never taken for all; and if those that are there are the first ones of our own order, without a row, the rest is added, here or by
//! the native engine.

use std::collections::BTreeSet;

use super::connection::Connection;
use crate::sql::{Typed, identifier};
use crate::store::StoreError;
use crate::store::schema::{self, Found, Hashes};
use crate::sys::clock;

/// Makes those that are not there, as [`schema::ensure_local`] does without a server. There must be no open transaction.
/// Refused where what is there is of another version.
pub(super) fn ensure(connection: &Connection) -> Result<(), StoreError> {
    let there = names(connection)?;
    let is_missing = |name: &&str| !there.contains(*name);
    let missing: Vec<&'static str> = schema::local_tables().into_iter().filter(is_missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let found = look(connection, &there, missing)?;
    if !found.lacks_local_only() && !is_begun(connection, &found)? {
        let local = found.local.map_or("none".to_owned(), |version| version.to_string());
        let problem = format!(
            "local tables of version {local} beside a schema of version {} cannot be completed",
            found.main
        );
        return Err(StoreError::Engine { engine: "server", problem });
    }
    for sql in schema::local_statements(&found.missing_local, clock::now()) {
        connection.tell(&sql)?;
    }
    Ok(())
}

fn names(connection: &Connection) -> Result<BTreeSet<String>, StoreError> {
    let rows = connection.run("SHOW TABLES", &[])?.rows;
    let name = |row: Vec<Typed>| match row.into_iter().next() {
        Some(Typed::Text(name)) => Some(name),
        _ => None,
    };
    Ok(rows.into_iter().filter_map(name).collect())
}

fn look(
    connection: &Connection,
    there: &BTreeSet<String>,
    missing_local: Vec<&'static str>,
) -> Result<Found, StoreError> {
    let mut versions = Vec::new();
    let mut has_hash_columns = true;
    for table in ["schema_migrations", "ignored_schema_migrations"] {
        if !there.contains(table) {
            versions.push(None);
            continue;
        }
        let described = connection.run(&format!("DESCRIBE {}", identifier(table)), &[])?.rows;
        let is_hash =
            |row: &Vec<Typed>| matches!(row.first(), Some(Typed::Text(name)) if name == "content_hash");
        has_hash_columns &= described.iter().any(is_hash);
        let newest =
            connection.tell(&format!("SELECT COALESCE(MAX(version), 0) FROM {}", identifier(table)))?;
        versions.push(Some(newest.and_then(|text| text.parse().ok()).unwrap_or(0)));
    }
    let local = versions.pop().flatten();
    let main = versions.pop().flatten().unwrap_or(0);
    let none = Hashes::new();
    Ok(Found { main, local, main_hashes: none.clone(), local_hashes: none, has_hash_columns, missing_local })
}

// Whether nobody has used what is there.
fn is_begun(connection: &Connection, found: &Found) -> Result<bool, StoreError> {
    let Some(begun) = found.begun_local() else { return Ok(false) };
    for table in begun {
        if connection.tell(&format!("SELECT 1 FROM {} LIMIT 1", identifier(table)))?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}
