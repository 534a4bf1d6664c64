//! Views: rows of `dolt_schemas`, in which the statement stands as it was written (Dolt
//! `go/libraries/doltcore/sqle/database.go`, `addFragToSchemasTable`).

use std::cmp::Ordering;

use super::DdlOptions;
use super::build::wrong;
use super::create::{self, check_name};
use super::root::Root;
use super::system::{self, SCHEMAS};
use super::tag::same;
use crate::commit::Draft;
use crate::table::{Table, Tuple, Value, rows_in_order};
use crate::{Error, Hash, Result};

/// What a session has that sets no mode of its own.
const SQL_MODE: &str = "NO_ENGINE_SUBSTITUTION,ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES";
/// What the table has in all versions since 1.0.
const COLUMNS: [&str; 5] = ["type", "name", "fragment", "extra", "sql_mode"];
/// Views have no time.
const EXTRA: &str = "{\"CreatedAt\":0}";

/// Makes a view. What it selects from is not looked at: that shows when it is asked.
pub(super) fn create(
    draft: &Draft,
    name: &str,
    or_replace: bool,
    text_of: &str,
    options: DdlOptions,
) -> Result<Hash> {
    let mut root = Root::working(draft)?;
    check_name(name)?;
    if let Some(taken) = root.stored_name(name)? {
        return Err(Error::NameTaken { name: taken });
    }
    let before = stored(&root, "view", name)?;
    if before.is_some() && !or_replace {
        return Err(Error::NameTaken { name: name.to_owned() });
    }
    let text = |text: &str| Value::Text(text.to_owned());
    // Dolt keeps names of views in small letters.
    let row = [
        text("view"),
        text(&name.to_lowercase()),
        text(text_of),
        Value::Json(EXTRA.to_owned()),
        text(SQL_MODE),
    ];
    let gone = before.into_iter().collect::<Vec<_>>();
    rewrite(&mut root, &gone, Some(&row), options)?;
    root.finish()
}

/// Drops views, and the table that they stand in with the last of them.
pub(super) fn drop(draft: &Draft, names: &[String], if_exists: bool) -> Result<Hash> {
    let mut root = Root::working(draft)?;
    let mut going = Vec::new();
    for name in names {
        match stored(&root, "view", name)? {
            Some(stored) => going.push(stored),
            None if if_exists => {}
            None => return wrong(name, "there is no such view"),
        }
    }
    if going.is_empty() {
        return Ok(draft.working());
    }
    if fragments(&root)?.len() == going.len() {
        root.remove(SCHEMAS);
    } else {
        rewrite(&mut root, &going, None, DdlOptions::default())?;
    }
    root.finish()
}

// Writes the table without these views and with one more row.
fn rewrite(root: &mut Root<'_>, gone: &[String], new: Option<&[Value]>, options: DdlOptions) -> Result<()> {
    let draft = root.draft();
    let table = if let Some(stored) = root.stored_name(SCHEMAS)? {
        root.table(&stored)?
    } else {
        let empty = create::empty(root, &system::schemas(options), 0)?;
        let address = draft.snapshot().put(empty.message())?;
        Table::open(draft.snapshot(), SCHEMAS, address)?
    };
    let mut message = table.message()?;
    let is_current = table.schema().visible().map(|(_, c)| c.name.as_str()).eq(COLUMNS);
    if !is_current || !table.schema().indexes.is_empty() {
        return Err(Error::NotSupported {
            what: format!("writing {SCHEMAS} with other columns than {COLUMNS:?}"),
        });
    }
    let new_name = new.and_then(|row| row.get(1));
    let names = fragments(root)?.into_iter().map(|(_, name)| Value::Text(name));
    for name in names.chain(new_name.cloned()) {
        if let Value::Text(name) = &name
            && !name.chars().all(|c| rank(c).is_some())
        {
            let what = format!("the order of {name:?} among the rows of {SCHEMAS}");
            return Err(Error::NotSupported { what });
        }
    }
    let is_gone = |key: &[u8]| {
        let (kind, name) = key_of(key)?;
        Ok(kind == "view" && gone.contains(&name))
    };
    let compare = |a: &[u8], b: &[u8]| match (key_of(a), key_of(b)) {
        (Ok(a), Ok(b)) => by_rank(&a.0, &b.0).then_with(|| by_rank(&a.1, &b.1)),
        _ => a.cmp(b),
    };
    message.rows = rows_in_order(&table, &is_gone, new, &compare, draft.snapshot())?;
    root.put(SCHEMAS, &message)
}

// Kind and name.
fn key_of(key: &[u8]) -> Result<(String, String)> {
    let bad = |problem: String| Error::BadChunk { hash: Hash::NONE, problem };
    let tuple = Tuple::parse(key).map_err(bad)?;
    let text = |i: usize| {
        let field = tuple.field(i).map_err(bad)?.unwrap_or_default();
        Ok(String::from_utf8_lossy(field.strip_suffix(&[0]).unwrap_or(field)).into_owned())
    };
    Ok((text(0)?, text(1)?))
}

/// The order of ASCII under `utf8mb4_0900_ai_ci`, small letters for capital ones.
const ORDER: &str = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz";

fn rank(c: char) -> Option<usize> {
    ORDER.find(c.to_ascii_lowercase())
}

fn by_rank(a: &str, b: &str) -> Ordering {
    a.chars().map(rank).cmp(b.chars().map(rank))
}

/// Whether there is a view of this name.
pub(super) fn has_view(root: &Root<'_>, name: &str) -> Result<bool> {
    Ok(stored(root, "view", name)?.is_some())
}

/// Whether there are triggers.
pub(super) fn has_triggers(root: &Root<'_>) -> Result<bool> {
    Ok(fragments(root)?.iter().any(|(kind, _)| same(kind, "trigger")))
}

// The name of something of this kind, as it is stored.
fn stored(root: &Root<'_>, kind: &str, name: &str) -> Result<Option<String>> {
    let is = |(k, n): &(String, String)| same(k, kind) && same(n, name);
    Ok(fragments(root)?.into_iter().find(is).map(|(_, name)| name))
}

// Kinds and names of what stands in `dolt_schemas`.
fn fragments(root: &Root<'_>) -> Result<Vec<(String, String)>> {
    let Some(stored) = root.stored_name(SCHEMAS)? else { return Ok(Vec::new()) };
    let table = root.table(&stored)?;
    let at = |name: &str| {
        let place = table.schema().visible().position(|(_, c)| c.name == name);
        place.ok_or_else(|| Error::NotSupported { what: format!("{SCHEMAS} without {name}") })
    };
    let (kind, name) = (at("type")?, at("name")?);
    at("extra")?;
    at("sql_mode")?;
    let mut found = Vec::new();
    for row in table.rows()? {
        let row = row?;
        let text = |at: usize| match row.values.get(at) {
            Some(Value::Text(text)) => text.clone(),
            _ => String::new(),
        };
        found.push((text(kind), text(name)));
    }
    Ok(found)
}
