//! Dolt's own tables that lie in a root like any other and are made when something first goes into them.

use super::message::TARGET_ROW_BYTES;
use super::tag::SYSTEM;
use super::{DdlOptions, build};
use crate::table::{Column, Encoding, Schema};

/// Where views, triggers and events are (Dolt `go/libraries/doltcore/sqle/schema_table.go`).
pub(super) const SCHEMAS: &str = "dolt_schemas";
/// Which new tables no commit takes (Dolt `go/libraries/doltcore/sqle/dtables/ignore_table.go`).
pub(super) const IGNORE: &str = "dolt_ignore";
/// Which tables are those of another branch (Dolt `go/libraries/doltcore/sqle/dtables/nonlocal_table.go`).
pub(super) const NONLOCAL: &str = "dolt_nonlocal_tables";

/// The number of `utf8mb4_0900_bin`.
const DEFAULT_COLLATION: u16 = 309;

/// The schema of `dolt_schemas`.
pub(super) fn schemas(options: DdlOptions) -> Schema {
    let text = |bytes: u32| (format!("varchar({bytes}) COLLATE utf8mb4_0900_ai_ci"), Encoding::String);
    let columns = [
        ("type", text(64), true),
        ("name", text(64), true),
        ("fragment", ("longtext".to_owned(), Encoding::StringAddr), false),
        ("extra", ("json".to_owned(), Encoding::JsonAddr), false),
        ("sql_mode", text(256), false),
    ];
    let columns = columns.into_iter().zip(SYSTEM.saturating_add(4008)..).map(
        |((name, (sql_type, encoding), key), tag)| {
            let encoding = build::encoding(encoding, options.long_values);
            column(name, sql_type, encoding, tag, key, !key)
        },
    );
    of(columns.collect(), vec![0, 1])
}

/// The schema of `dolt_ignore`, whose tags are drawn like any table's.
pub(super) fn ignore(options: DdlOptions) -> Schema {
    let pattern = build::encoding(Encoding::StringAddr, options.long_values);
    let columns = vec![
        column("pattern", "text".to_owned(), pattern, 0, true, false),
        column("ignored", "tinyint(1)".to_owned(), Encoding::Int8, 0, false, false),
    ];
    of(columns, vec![0])
}

/// The schema of `dolt_nonlocal_tables`, whose tags are drawn.
pub(super) fn nonlocal() -> Schema {
    let names = ["table_name", "target_ref", "ref_table", "options"];
    let text = |(at, name)| column(name, "varchar(65535)".to_owned(), Encoding::String, 0, at == 0, at != 0);
    of(names.into_iter().enumerate().map(text).collect(), vec![0])
}

fn of(columns: Vec<Column>, key_columns: Vec<u16>) -> Schema {
    Schema {
        columns,
        key_columns,
        indexes: Vec::new(),
        checks: Vec::new(),
        collation: DEFAULT_COLLATION,
        comment: String::new(),
        target_row_bytes: TARGET_ROW_BYTES,
    }
}

fn column(
    name: &str,
    sql_type: String,
    encoding: Encoding,
    tag: u64,
    primary_key: bool,
    nullable: bool,
) -> Column {
    Column {
        name: name.to_owned(),
        sql_type,
        default: None,
        comment: String::new(),
        tag,
        encoding,
        primary_key,
        nullable,
        auto_increment: false,
        hidden: false,
        generated: false,
        is_virtual: false,
        on_update: None,
    }
}
