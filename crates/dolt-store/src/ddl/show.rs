//! The statement that makes a table: `SHOW CREATE TABLE`, from what is stored. Given to Dolt, or to [`crate::commit::Draft::run_ddl`],
//! it makes the same schema. It is written as Dolt writes it (go-mysql-server `sql/parser.go`, `MySqlSchemaFormatter`), but for
//! defaults of enums, of which Dolt shows the number, and for checks, which it leaves out.

use super::collations::{Collation, DEFAULT};
use crate::table::{Column, ForeignKey, Index, ReferenceOption, Schema, Table, Tables};
use crate::{Error, Result};

impl Tables {
    /// The statement that makes a table with its indexes, checks and foreign keys, and counts on from where it is. `None`:
    /// there is none of this name.
    pub fn create_statement(&self, name: &str) -> Result<Option<String>> {
        self.statement(name, true)
    }

    /// The same without the next value of an auto-increment column, which changes with the rows.
    pub fn definition(&self, name: &str) -> Result<Option<String>> {
        self.statement(name, false)
    }

    fn statement(&self, name: &str, with_counter: bool) -> Result<Option<String>> {
        let Some(table) = self.open(name)? else { return Ok(None) };
        let schema = table.schema();
        let collation = Collation::of_table(schema.collation).ok_or_else(|| Error::NotSupported {
            what: format!("table {name}: a collation of number {}", schema.collation),
        })?;
        let mut lines: Vec<String> = schema.visible().map(|(_, c)| column_line(c, collation)).collect();
        if !schema.is_keyless() {
            lines.push(format!("PRIMARY KEY ({})", columns(schema, &schema.key_columns, &[])));
        }
        lines.extend(schema.indexes.iter().map(|index| index_line(schema, index)));
        for key in self.foreign_keys()?.iter().filter(|key| key.child_table == name) {
            lines.push(self.foreign_key_line(&table, key)?);
        }
        for check in &schema.checks {
            let not = if check.enforced { "" } else { " /*!80016 NOT ENFORCED */" };
            lines.push(format!("CONSTRAINT {} CHECK ({}){not}", quoted(&check.name), check.expression));
        }
        let mut words =
            vec![format!("CREATE TABLE {} (\n  {}\n) ENGINE=InnoDB", quoted(name), lines.join(",\n  "))];
        let counts = schema.columns.iter().any(|c| c.auto_increment);
        if with_counter && counts && table.auto_increment() > 1 {
            words.push(format!("AUTO_INCREMENT={}", table.auto_increment()));
        }
        words.push(format!("DEFAULT CHARSET={} COLLATE={}", collation.charset, collation.name));
        if !schema.comment.is_empty() {
            words.push(format!("COMMENT={}", comment(&schema.comment)));
        }
        Ok(Some(words.join(" ")))
    }

    fn foreign_key_line(&self, child: &Table, key: &ForeignKey) -> Result<String> {
        let named = |table: &Table, tags: &[u64]| -> Vec<String> {
            let name =
                |tag: &u64| table.schema().columns.iter().find(|c| c.tag == *tag).map(|c| quoted(&c.name));
            tags.iter().filter_map(name).collect()
        };
        let (mut from, mut to) = (named(child, &key.child_columns), Vec::new());
        if let Some(parent) = self.open(&key.parent_table)? {
            to = named(&parent, &key.parent_columns);
        }
        // One that refers to nothing yet has the names only.
        if from.is_empty() {
            from = key.unresolved_child_columns.iter().map(|name| quoted(name)).collect();
        }
        if to.is_empty() {
            to = key.unresolved_parent_columns.iter().map(|name| quoted(name)).collect();
        }
        let rule = |when: &str, option| match option {
            ReferenceOption::Default => String::new(),
            ReferenceOption::Cascade => format!(" ON {when} CASCADE"),
            ReferenceOption::NoAction => format!(" ON {when} NO ACTION"),
            ReferenceOption::Restrict => format!(" ON {when} RESTRICT"),
            ReferenceOption::SetNull => format!(" ON {when} SET NULL"),
        };
        Ok(format!(
            "CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({}){}{}",
            quoted(&key.name),
            from.join(","),
            quoted(&key.parent_table),
            to.join(","),
            rule("DELETE", key.on_delete),
            rule("UPDATE", key.on_update),
        ))
    }
}

fn column_line(column: &Column, table: &Collation) -> String {
    let (sql_type, srid) = match column.sql_type.split_once(" SRID ") {
        Some((sql_type, srid)) => (sql_type, Some(srid)),
        None => (column.sql_type.as_str(), None),
    };
    let mut words = vec![quoted(&column.name), type_in(sql_type, table)];
    if !column.nullable {
        words.push("NOT NULL".to_owned());
    }
    if column.auto_increment {
        words.push("AUTO_INCREMENT".to_owned());
    }
    words.extend(srid.map(|srid| format!("/*!80003 SRID {srid} */")));
    match &column.default {
        Some(expression) if column.generated => {
            let stored = if column.is_virtual { "" } else { " STORED" };
            words.push(format!("GENERATED ALWAYS AS {expression}{stored}"));
        }
        Some(default) => words.push(format!("DEFAULT {}", default_in(default, sql_type))),
        None => {}
    }
    words.extend(column.on_update.as_ref().map(|value| format!("ON UPDATE {value}")));
    if !column.comment.is_empty() {
        words.push(format!("COMMENT {}", comment(&column.comment)));
    }
    words.join(" ")
}

// A type as it stands in a table of this collation: what is the table's own is left out, and the other way round.
fn type_in(sql_type: &str, table: &Collation) -> String {
    let is_text = ["char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"];
    let word = sql_type.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    if let Some(plain) =
        sql_type.strip_suffix("(0)").filter(|_| ["datetime", "timestamp", "time"].contains(&word))
    {
        return plain.to_owned();
    }
    if !is_text.contains(&word) {
        return sql_type.to_owned();
    }
    let (bare, own) = match sql_type.rsplit_once(" COLLATE ") {
        Some((rest, name)) => (rest, Collation::named(name)),
        None => (sql_type, Collation::named(DEFAULT)),
    };
    let bare = bare.rsplit_once(" CHARACTER SET ").map_or(bare, |(rest, _)| rest);
    match own {
        None => sql_type.to_owned(),
        Some(own) if own.name == table.name => bare.to_owned(),
        Some(own) if own.charset == table.charset => format!("{bare} COLLATE {}", own.name),
        Some(own) => format!("{bare} CHARACTER SET {} COLLATE {}", own.charset, own.name),
    }
}

// Numbers stand in quotes; bits, bytes and expressions as such.
fn default_in(default: &str, sql_type: &str) -> String {
    let is_number = default.parse::<f64>().is_ok();
    if sql_type.starts_with("bit")
        && let Ok(bits) = default.parse::<u64>()
    {
        return format!("b'{bits:b}'");
    }
    if is_number { format!("'{default}'") } else { default.to_owned() }
}

fn index_line(schema: &Schema, index: &Index) -> String {
    let kind = match index.unsupported {
        Some(kind) if kind.starts_with("full") => "FULLTEXT ",
        Some(kind) if kind.starts_with("spatial") => "SPATIAL ",
        Some(kind) if kind.starts_with("vector") => "VECTOR ",
        _ if index.unique => "UNIQUE ",
        _ => "",
    };
    let on = columns(schema, &index.columns, &index.prefix_lengths);
    let mut words = vec![format!("{kind}KEY {} ({on})", quoted(&index.name))];
    if !index.comment.is_empty() {
        words.push(format!("COMMENT {}", comment(&index.comment)));
    }
    words.join(" ")
}

fn columns(schema: &Schema, positions: &[u16], prefixes: &[u16]) -> String {
    let one = |(i, position): (usize, &u16)| {
        let name = schema.columns.get(usize::from(*position)).map_or(String::new(), |c| quoted(&c.name));
        match prefixes.get(i) {
            Some(length) if *length > 0 => format!("{name}({length})"),
            _ => name,
        }
    };
    positions.iter().enumerate().map(one).collect::<Vec<_>>().join(",")
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

// With the escapes that Dolt writes.
fn comment(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars() {
        match c {
            '\'' => out += "''",
            '\\' => out += "\\\\",
            '"' => out += "\\\"",
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\0' => out += "\\0",
            other => out.push(other),
        }
    }
    out.push('\'');
    out
}
