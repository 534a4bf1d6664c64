//! `gt db schema`.

use clap::Args;
use dolt_store::commit::Session as State;
use serde_json::{Value, json};

use super::place::{table_at, tables_at};
use crate::cli::failure::Failure;
use crate::cli::out::{self, BOLD, styled};
use crate::cli::session::Session;

/// Show a table's columns, keys, indexes, checks and foreign keys.
#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// The table
    table: String,
    /// At this revision
    #[arg(long, value_name = "REVISION", default_value = "WORKING")]
    at: String,
}

impl Schema {
    pub(super) fn run(&self, session: &Session, state: &State) -> Result<(), Failure> {
        let table = table_at(state, &self.at, &self.table)?;
        let schema = table.schema();
        let keys = tables_at(state, &self.at)?.foreign_keys()?;
        let keys: Vec<_> = keys.into_iter().filter(|k| k.child_table == self.table).collect();
        let name = |i: &u16| schema.columns.get(usize::from(*i)).map_or("?", |c| &c.name).to_owned();
        let names = |all: &[u16]| all.iter().map(name).collect::<Vec<_>>();
        session.show(
            || {
                let column = |(_, c): (usize, &dolt_store::table::Column)| {
                    json!({"name": c.name, "type": c.sql_type, "nullable": c.nullable, "default": c.default,
                           "on_update": c.on_update, "auto_increment": c.auto_increment, "generated": c.generated,
                           "virtual": c.is_virtual, "encoding": format!("{:?}", c.encoding), "tag": c.tag})
                };
                let index = |i: &dolt_store::table::Index| {
                    json!({"name": i.name, "columns": names(&i.columns), "unique": i.unique, "unsupported": i.unsupported})
                };
                let check = |c: &dolt_store::table::Check| json!({"name": c.name, "expression": c.expression, "enforced": c.enforced});
                let key = |k: &dolt_store::table::ForeignKey| {
                    json!({"name": k.name, "parent": k.parent_table, "on_update": format!("{:?}", k.on_update), "on_delete": format!("{:?}", k.on_delete)})
                };
                json!({
                    "table": self.table, "revision": self.at, "keyless": schema.is_keyless(),
                    "columns": schema.visible().map(column).collect::<Vec<Value>>(),
                    "primary_key": if schema.is_keyless() { Vec::new() } else { names(&schema.key_columns) },
                    "indexes": schema.indexes.iter().map(index).collect::<Vec<_>>(),
                    "checks": schema.checks.iter().map(check).collect::<Vec<_>>(),
                    "foreign_keys": keys.iter().map(key).collect::<Vec<_>>(),
                })
            },
            || {
                let mut rows = vec![["COLUMN", "TYPE", "NULL", "DEFAULT"].map(str::to_owned).to_vec()];
                for (_, c) in schema.visible() {
                    let null = if c.nullable { "yes" } else { "no" };
                    let default = c.default.clone().unwrap_or_default();
                    rows.push(vec![c.name.clone(), c.sql_type.clone(), null.to_owned(), default]);
                }
                for (i, line) in out::columns(&rows).iter().enumerate() {
                    if i == 0 { out::line(styled(BOLD, line)) } else { out::line(line) }
                }
                if !schema.is_keyless() {
                    out::line(format!("Primary key: {}", names(&schema.key_columns).join(", ")));
                }
                for index in &schema.indexes {
                    let unique = if index.unique { "unique " } else { "" };
                    let note = index.unsupported.map(|u| format!(" ({u}: not read)")).unwrap_or_default();
                    out::line(format!("Index {}: {unique}{}{note}", index.name, names(&index.columns).join(", ")));
                }
                for check in &schema.checks {
                    out::line(format!("Check {}: {}", check.name, check.expression));
                }
                for key in &keys {
                    out::line(format!("Foreign key {}: to {}", key.name, key.parent_table));
                }
            },
        );
        Ok(())
    }
}
