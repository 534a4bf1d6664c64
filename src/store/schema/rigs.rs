//! What the last migrations do to rows: rigs stop being wisps (version 53), counters go where their parents are (local 11),
//! and lists of custom words are kept in tables of their own. What could go wrong is a row that is in two places, or in none.

use beads::issue::{names_of_list, parse_custom_statuses};
use dolt_store::Result;
use dolt_store::commit::Draft;
use dolt_store::table::{RootEditor, Value};
use jiff::Timestamp;

use super::migrate::{Named, all_rows, context, open};

/// Columns that were added to `issues` late, so that old databases may lack them.
const LATE: [(&str, &str); 6] = [
    ("hook_bead", "varchar(255) default ''"),
    ("role_bead", "varchar(255) default ''"),
    ("agent_state", "varchar(32) default ''"),
    ("last_activity", "datetime"),
    ("role_type", "varchar(32) default ''"),
    ("rig", "varchar(255) default ''"),
];

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// Rigs that are wisps become issues, with everything that belongs to them; edges that point at one point at the issue then.
pub(super) fn repair(draft: &mut Draft, now: Timestamp) -> Result<()> {
    for (name, definition) in LATE {
        let lacks = |t: dolt_store::table::Table| !t.schema().columns.iter().any(|c| c.name == name);
        if open(draft, "issues")?.is_some_and(lacks) {
            let sql = format!("alter table issues add column {name} {definition}");
            draft.run_ddl(&sql, super::create::OPTIONS)?;
        }
    }
    let mut rigs = all_rows(draft, "wisps")?;
    rigs.retain(|wisp| wisp.text("issue_type") == Some("rig"));
    if rigs.is_empty() {
        return Ok(());
    }
    let is_rig = |id: Option<&str>| id.is_some_and(|id| rigs.iter().any(|rig| rig.text("id") == Some(id)));
    let belonging = |table: &str, column: &str| -> Result<Vec<Named>> {
        let mut rows = all_rows(draft, table)?;
        rows.retain(|row| is_rig(row.text(column)));
        Ok(rows)
    };
    let labels = belonging("wisp_labels", "issue_id")?;
    let events = belonging("wisp_events", "issue_id")?;
    let comments = belonging("wisp_comments", "issue_id")?;
    let counters = belonging("wisp_child_counters", "parent_id")?;
    let edges = belonging("wisp_dependencies", "issue_id")?;
    draft.edit(|root| {
        root.set_context(context(now));
        for rig in &rigs {
            let key = [rig.value("id")];
            if root.table("issues")?.get(&key)?.is_none() {
                let values = rig.values.iter().filter(|(name, _)| name != "is_blocked").cloned();
                root.table("issues")?.insert(values)?;
            }
            root.table("issues")?.update(&key, [("ephemeral", Value::Int(0))])?;
        }
        add_missing(root, "labels", &["issue_id", "label"], &labels)?;
        for edge in &edges {
            let clashes = edge_clashes(root, edge)?;
            if !clashes {
                root.table("dependencies")?.insert(edge.values.clone())?;
            }
        }
        add_missing(root, "events", &["id"], &events)?;
        add_missing(root, "comments", &["id"], &comments)?;
        for counter in &counters {
            raise(root, "child_counters", counter)?;
        }
        for edge in &edges {
            root.table("wisp_dependencies")?.delete(&[edge.value("id")])?;
        }
        Ok(())
    })?;
    // Edges of others.
    for table in ["dependencies", "wisp_dependencies"] {
        let mut pointing = all_rows(draft, table)?;
        pointing.retain(|edge| is_rig(edge.text("depends_on_wisp_id")));
        draft.edit(|root| {
            for mut edge in pointing {
                let target = edge.value("depends_on_wisp_id");
                for (name, value) in &mut edge.values {
                    match name.as_str() {
                        "depends_on_issue_id" => *value = target.clone(),
                        "depends_on_wisp_id" => *value = Value::Null,
                        _ => {}
                    }
                }
                root.table(table)?.replace(edge.values)?;
            }
            Ok(())
        })?;
    }
    // What was theirs goes with them.
    draft.edit(|root| rigs.iter().try_for_each(|rig| root.table("wisps")?.delete(&[rig.value("id")])))
}

// What `INSERT IGNORE` does with rows whose keys are these columns.
fn add_missing(root: &mut RootEditor<'_>, table: &str, key: &[&str], rows: &[Named]) -> Result<()> {
    for row in rows {
        let key: Vec<Value> = key.iter().map(|column| row.value(column)).collect();
        if root.table(table)?.get(&key)?.is_none() {
            root.table(table)?.insert(row.values.clone())?;
        }
    }
    Ok(())
}

// Whether an edge of this id or with these ends is there.
fn edge_clashes(root: &mut RootEditor<'_>, edge: &Named) -> Result<bool> {
    let mut table = root.table("dependencies")?;
    if table.get(&[edge.value("id")])?.is_some() {
        return Ok(true);
    }
    for target in ["depends_on_issue_id", "depends_on_wisp_id", "depends_on_external"] {
        let value = edge.value(target);
        if value != Value::Null
            && !table.find_by([("issue_id", edge.value("issue_id")), (target, value)])?.is_empty()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

// A counter never goes back.
fn raise(root: &mut RootEditor<'_>, table: &str, counter: &Named) -> Result<()> {
    let key = [counter.value("parent_id")];
    let stored = root.table(table)?.get(&key)?.and_then(|row| row.values.into_iter().nth(1));
    match (stored, counter.value("last_child")) {
        (None, _) => root.table(table)?.insert(counter.values.clone()).map(drop),
        (Some(Value::Int(own)), Value::Int(other)) if other > own => {
            root.table(table)?.update(&key, [("last_child", Value::Int(other))]).map(drop)
        }
        _ => Ok(()),
    }
}

/// Counters of wisps move to the wisps' table; those of nobody go.
pub(super) fn move_counters(draft: &mut Draft) -> Result<()> {
    let ids = |draft: &Draft, table: &str| -> Result<Vec<String>> {
        let rows = all_rows(draft, table)?;
        Ok(rows.iter().filter_map(|row| row.text("id").map(str::to_owned)).collect())
    };
    let counters = all_rows(draft, "child_counters")?;
    if counters.is_empty() {
        return Ok(());
    }
    let (issues, wisps) = (ids(draft, "issues")?, ids(draft, "wisps")?);
    draft.edit(|root| {
        for counter in &counters {
            let parent = counter.text("parent_id").unwrap_or_default();
            let is_wisps = wisps.iter().any(|id| id == parent);
            if is_wisps {
                raise(root, "wisp_child_counters", counter)?;
            }
            if is_wisps || !issues.iter().any(|id| id == parent) {
                root.table("child_counters")?.delete(&[counter.value("parent_id")])?;
            }
        }
        Ok(())
    })
}

/// Words of `types.custom` and `status.custom` go into their tables, where these are empty.
pub(super) fn fill_custom(draft: &mut Draft) -> Result<()> {
    let config = all_rows(draft, "config")?;
    let list = |key: &str| {
        let row = config.iter().find(|row| row.text("key") == Some(key));
        row.and_then(|row| row.text("value")).unwrap_or_default().trim().to_owned()
    };
    let (types, statuses) = (list("types.custom"), list("status.custom"));
    if !types.is_empty() && all_rows(draft, "custom_types")?.is_empty() {
        let names = names_of_list(&types);
        draft.edit(|root| {
            let mut table = root.table("custom_types")?;
            for name in names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
                if table.get(&[text(name)])?.is_none() {
                    table.insert([("name", text(name))])?;
                }
            }
            Ok(())
        })?;
    }
    if !statuses.is_empty() && all_rows(draft, "custom_statuses")?.is_empty() {
        // A list that cannot be read is left as it is.
        let Ok(statuses) = parse_custom_statuses(&statuses) else { return Ok(()) };
        draft.edit(|root| {
            let mut table = root.table("custom_statuses")?;
            for status in &statuses {
                let values = [("name", text(&status.name)), ("category", text(status.category.as_str()))];
                table.insert(values)?;
            }
            Ok(())
        })?;
    }
    Ok(())
}
