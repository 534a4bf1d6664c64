//! Which schema a database has, and its local tables made where a clone lacks them.

use std::collections::BTreeMap;

use dolt_store::commit::{Draft, Session};
use dolt_store::table::{Table, Tables, Value};
use dolt_store::{Error, Hash, Result};
use jiff::Timestamp;

use super::plan::{self, Step};
use super::{LOCAL_VERSION, MAIN_VERSION, create, tables};

/// The hashes that a table of versions gives, by version; those that are NULL are not among them.
pub type Hashes = BTreeMap<u32, String>;

/// What a database says of its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The version of what is committed; 0: these are no tables of bd.
    pub main: u32,
    /// The version of what is local; `None`: nothing local was ever made here, as in a fresh clone.
    pub local: Option<u32>,
    /// The hashes of the committed versions.
    pub main_hashes: Hashes,
    /// The hashes of the local versions.
    pub local_hashes: Hashes,
    /// Whether both tables of versions have a column for hashes. bd adds it where it is not there, whatever the versions say.
    pub has_hash_columns: bool,
    /// The local tables that are not there.
    pub missing_local: Vec<&'static str>,
}

impl Found {
    /// Whether everything is as bd 1.1.0 leaves it.
    pub fn is_current(&self) -> bool {
        self.main == MAIN_VERSION
            && self.local == Some(LOCAL_VERSION)
            && self.has_hash_columns
            && self.missing_local.is_empty()
    }

    /// Whether nothing but [`ensure_local`] is needed: what is committed is current, and local tables are current or missing.
    pub fn lacks_local_only(&self) -> bool {
        let is_local_known = match self.local {
            Some(version) => version == LOCAL_VERSION,
            // Local tables without a version could be of any.
            None => self.missing_local.len() == tables::local().len(),
        };
        self.main == MAIN_VERSION && self.has_hash_columns && is_local_known && !self.missing_local.is_empty()
    }

    /// The local tables that are there, if they could be the beginning of what an interrupted server engine has made: the first ones
    /// of our order, without the table of versions, which comes last (bd makes it first). They are one if they have no rows.
    pub fn begun_local(&self) -> Option<Vec<&'static str>> {
        let of_all = local_tables();
        let begun = of_all.len().checked_sub(self.missing_local.len())?;
        let is_beginning = of_all.get(begun..) == Some(&self.missing_local);
        let is_ours = self.main == MAIN_VERSION && self.local.is_none() && is_beginning;
        is_ours.then(|| of_all.into_iter().take(begun).collect())
    }

    /// How many committed versions are to come.
    pub fn pending(&self) -> u32 {
        MAIN_VERSION.saturating_sub(self.main)
    }
}

/// Looks at the working state of the branch that a database's directory is on.
pub fn inspect(session: &Session) -> Result<Found> {
    match session.resolve_root("WORKING")? {
        Some(root) => inspect_root(session, root),
        None => Err(Error::NoBranch { name: session.head().to_owned() }),
    }
}

/// Looks at a root.
pub(super) fn inspect_root(session: &Session, root: Hash) -> Result<Found> {
    let root = session.tables(root)?;
    let main = Versions::read(&root, "schema_migrations")?;
    let local = Versions::read(&root, "ignored_schema_migrations")?;
    let there = root.names()?;
    let is_missing = |name: &&str| !there.iter().any(|t| t == name);
    let has_hashes = |found: &Option<Versions>| found.as_ref().is_none_or(|v| v.has_hashes);
    Ok(Found {
        has_hash_columns: has_hashes(&main) && has_hashes(&local),
        missing_local: tables::local().into_iter().map(|(name, _)| name).filter(is_missing).collect(),
        main: main.as_ref().map_or(0, |v| v.last),
        local: local.as_ref().map(|v| v.last),
        main_hashes: main.map(|v| v.hashes).unwrap_or_default(),
        local_hashes: local.map(|v| v.hashes).unwrap_or_default(),
    })
}

/// The hashes that a branch of a remote had when it was last seen. `None`: it was never seen, or it has no hashes.
pub fn remote_hashes(session: &Session, remote: &str, branch: &str) -> Result<Option<Hashes>> {
    let Some(commit) = session.resolve_exact(&format!("refs/remotes/{remote}/{branch}"))? else {
        return Ok(None);
    };
    let root = session.tables(session.commit(commit)?.root_value)?;
    let hashes = Versions::read(&root, "schema_migrations")?.map(|v| v.hashes);
    Ok(hashes.filter(|hashes| !hashes.is_empty()))
}

// One of the two tables of versions.
struct Versions {
    last: u32,
    has_hashes: bool,
    hashes: Hashes,
}

impl Versions {
    fn read(root: &Tables, name: &str) -> Result<Option<Self>> {
        let Some(table) = root.open(name)? else { return Ok(None) };
        let Some(version) = place(&table, "version") else {
            return Err(Error::NotSupported { what: format!("{name} without versions") });
        };
        let hash = place(&table, "content_hash");
        let mut found = Self { last: 0, has_hashes: hash.is_some(), hashes: Hashes::new() };
        for row in table.rows()? {
            let row = row?;
            let Some(Value::Int(number)) = row.values.get(version) else {
                return Err(Error::NotSupported { what: format!("{name} with other versions than numbers") });
            };
            let number = u32::try_from(*number).unwrap_or(0);
            found.last = found.last.max(number);
            if let Some(Value::Text(hash)) = hash.and_then(|at| row.values.get(at))
                && !hash.is_empty()
            {
                found.hashes.insert(number, hash.clone());
            }
        }
        Ok(Some(found))
    }
}

fn place(table: &Table, column: &str) -> Option<usize> {
    table.schema().visible().position(|(_, c)| c.name == column)
}

/// Makes the local tables that are not there, which is what a fresh clone needs, and says which. Nothing of it is ever
/// committed. What a server engine has begun and not ended is completed. Refused where local tables are of another version than
/// ours, or of none: what they lack is not known.
///
/// The tables have the columns, indexes and foreign keys that bd gives them. Their columns have other tags where bd makes
/// them by way of other names; tags of local tables meet nobody else's.
pub fn ensure_local(draft: &mut Draft, now: Timestamp) -> Result<Vec<&'static str>> {
    let found = inspect_root(draft.draft(), draft.working())?;
    if found.missing_local.is_empty() {
        return Ok(Vec::new());
    }
    if !found.lacks_local_only() && !is_begun(draft, &found)? {
        let local = found.local.map_or("none".to_owned(), |v| v.to_string());
        let what = format!(
            "local tables of version {local} beside a schema of version {}, to be completed",
            found.main
        );
        return Err(Error::NotSupported { what });
    }
    let before = draft.working();
    for step in plan::local(&found.missing_local, now) {
        let done = match step {
            Step::Define(sql) => draft.run_ddl(&sql, create::OPTIONS),
            Step::Rows(change) => create::rows(draft, &change),
            Step::Commit(_) => Ok(()),
        };
        if let Err(problem) = done {
            draft.set_working(before);
            return Err(problem);
        }
    }
    Ok(found.missing_local)
}

// Whether nobody has used what is there.
fn is_begun(draft: &Draft, found: &Found) -> Result<bool> {
    let Some(begun) = found.begun_local() else { return Ok(false) };
    let root = draft.draft().tables(draft.working())?;
    for name in begun {
        if let Some(table) = root.open(name)?
            && table.rows()?.next().transpose()?.is_some()
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The names of the local tables, in the order in which they are made.
pub fn local_tables() -> Vec<&'static str> {
    tables::local().into_iter().map(|(name, _)| name).collect()
}

/// What makes these local tables, in SQL, one statement after the other: for a server. Each table gets its own name at once. Under
/// the name that bd gives one of them first it would be part of the next commit if the server ended in between.
pub fn local_statements(wanted: &[&str], now: Timestamp) -> Vec<String> {
    // None of the steps is a commit, which alone would name an author.
    let statements = plan::local(wanted, now).into_iter().map(|step| step.sql(""));
    let named = statements.map(|sql| sql.replace(tables::FIRST_NAME, ""));
    named.filter(|sql| !sql.starts_with("rename table ")).collect()
}
