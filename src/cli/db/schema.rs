//! `gt db schema`.

use clap::Args;
use dolt_store::commit::Session as State;
use dolt_store::table::{Check, Column, ForeignKey, Index, ReferenceOption, Table};
use serde_json::{Value, json};

use super::place::{table_at, tables_at};
use crate::cli::failure::{Failure, Kind};
use crate::cli::out::{self, BOLD, styled};
use crate::cli::session::Session;

/// Show a table's columns, keys, indexes, checks and foreign keys.
#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// The table
    table: String,
    /// Print the statement that makes it, for dolt or any other client
    #[arg(long)]
    sql: bool,
    /// At this revision
    #[arg(long, value_name = "REVISION", default_value = "WORKING")]
    at: String,
}

/// A foreign key with the names of its columns on both sides.
struct Reference {
    key: ForeignKey,
    columns: Vec<String>,
    parent_columns: Vec<String>,
}

impl Schema {
    pub(super) fn run(&self, session: &Session, state: &State) -> Result<(), Failure> {
        let table = table_at(state, &self.at, &self.table)?;
        let mut references = Vec::new();
        let tables = tables_at(state, &self.at)?;
        for key in tables.foreign_keys()?.into_iter().filter(|k| k.child_table == table.name()) {
            // The table that is referred to may be gone.
            let parent = tables.open(&key.parent_table)?;
            references.push(Reference {
                columns: tagged(&table, &key.child_columns),
                parent_columns: parent.map(|p| tagged(&p, &key.parent_columns)).unwrap_or_default(),
                key,
            });
        }
        if self.sql {
            let statement = tables
                .create_statement(table.name())?
                .ok_or_else(|| Failure::new(Kind::Other, format!("there is no table {}", table.name())))?;
            session.show(
                || json!({"table": table.name(), "sql": statement}),
                || out::line(format!("{statement};")),
            );
            return Ok(());
        }
        session.show(|| self.to_json(&table, &references), || for_people(&table, &references));
        Ok(())
    }

    fn to_json(&self, table: &Table, references: &[Reference]) -> Value {
        let column = |(_, c): (usize, &Column)| {
            json!({"name": c.name, "type": c.sql_type, "nullable": c.nullable, "default": c.default,
                   "on_update": c.on_update, "auto_increment": c.auto_increment, "generated": c.generated,
                   "virtual": c.is_virtual, "comment": c.comment, "encoding": format!("{:?}", c.encoding), "tag": c.tag})
        };
        let index = |i: &Index| {
            json!({"name": i.name, "columns": names(table, &i.columns), "prefix_bytes": i.prefix_lengths,
                   "unique": i.unique, "unsupported": i.unsupported})
        };
        let check = |c: &Check| json!({"name": c.name, "expression": c.expression, "enforced": c.enforced});
        let reference = |r: &Reference| {
            json!({"name": r.key.name, "columns": r.columns, "parent": r.key.parent_table, "parent_columns": r.parent_columns,
                   "on_update": format!("{:?}", r.key.on_update), "on_delete": format!("{:?}", r.key.on_delete)})
        };
        let schema = table.schema();
        json!({
            "table": table.name(), "revision": self.at, "keyless": schema.is_keyless(), "comment": schema.comment,
            "columns": schema.visible().map(column).collect::<Vec<Value>>(),
            "primary_key": if schema.is_keyless() { Vec::new() } else { names(table, &schema.key_columns) },
            "indexes": schema.indexes.iter().map(index).collect::<Vec<_>>(),
            "checks": schema.checks.iter().map(check).collect::<Vec<_>>(),
            "foreign_keys": references.iter().map(reference).collect::<Vec<_>>(),
        })
    }
}

fn names(table: &Table, positions: &[u16]) -> Vec<String> {
    let name = |i: &u16| table.schema().columns.get(usize::from(*i)).map_or("?", |c| &c.name).to_owned();
    positions.iter().map(name).collect()
}

// Foreign keys name columns by their tags.
fn tagged(table: &Table, tags: &[u64]) -> Vec<String> {
    let name = |tag: &u64| table.schema().columns.iter().find(|c| c.tag == *tag).map_or("?", |c| &c.name);
    tags.iter().map(|tag| name(tag).to_owned()).collect()
}

fn for_people(table: &Table, references: &[Reference]) {
    let schema = table.schema();
    let mut rows = vec![["COLUMN", "TYPE", "NULL", "DEFAULT", "EXTRA"].map(str::to_owned).to_vec()];
    for (_, c) in schema.visible() {
        let null = if c.nullable { "yes" } else { "no" };
        let default = c.default.clone().filter(|_| !c.generated).unwrap_or_default();
        rows.push(vec![c.name.clone(), c.sql_type.clone(), null.to_owned(), default, extra(c)]);
    }
    for (i, line) in out::columns(&rows).iter().enumerate() {
        if i == 0 { out::line(styled(BOLD, line)) } else { out::line(line) }
    }
    if !schema.is_keyless() {
        out::line(format!("Primary key: {}", names(table, &schema.key_columns).join(", ")));
    }
    for index in &schema.indexes {
        let unique = if index.unique { "unique " } else { "" };
        let note = index.unsupported.map(|u| format!(" ({u}: not read)")).unwrap_or_default();
        let with_prefix = |(i, name): (usize, String)| match index.prefix_lengths.get(i) {
            Some(bytes) if *bytes > 0 => format!("{name}({bytes})"),
            _ => name,
        };
        let columns: Vec<String> =
            names(table, &index.columns).into_iter().enumerate().map(with_prefix).collect();
        out::line(format!("Index {}: {unique}{}{note}", index.name, columns.join(", ")));
    }
    for check in &schema.checks {
        let not = if check.enforced { "" } else { " (not enforced)" };
        out::line(format!("Check {}: {}{not}", check.name, check.expression));
    }
    for Reference { key, columns, parent_columns } in references {
        let (from, to) = (columns.join(", "), parent_columns.join(", "));
        let rules = [rule(" on update", key.on_update), rule(" on delete", key.on_delete)].concat();
        out::line(format!("Foreign key {}: {from} to {} ({to}){rules}", key.name, key.parent_table));
    }
}

fn extra(column: &Column) -> String {
    let generated = column.default.as_ref().filter(|_| column.generated).map(|expression| {
        let kept = if column.is_virtual { "virtual" } else { "stored" };
        format!("generated as {expression} {kept}")
    });
    let parts = [
        column.auto_increment.then(|| "auto_increment".to_owned()),
        generated,
        column.on_update.as_ref().map(|what| format!("on update {what}")),
        Some(column.comment.clone()).filter(|c| !c.is_empty()).map(|c| format!("-- {c}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn rule(when: &str, option: ReferenceOption) -> String {
    let what = match option {
        ReferenceOption::Cascade => "cascade",
        ReferenceOption::NoAction => "no action",
        ReferenceOption::Restrict => "restrict",
        ReferenceOption::SetNull => "set null",
        _ => return String::new(),
    };
    format!("{when} {what}")
}
