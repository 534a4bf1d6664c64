//! Tables changed, renamed and dropped (Dolt `go/libraries/doltcore/sqle/tables.go`, `database.go`,
//! `table/editor/creation/index.go`).

use super::DdlOptions;
use super::build::{self, wrong};
use super::collations::Collation;
use super::column::ColumnSpec;
use super::create::{check_name, untagged};
use super::index;
use super::message;
use super::root::{Root, tags_of};
use super::statement::{IndexSpec, Place};
use super::tag::{Untagged, same, tags};
use super::types::kind;
use super::views;
use crate::commit::Draft;
use crate::expr::{Scope, canonical_default, canonical_generated};
use crate::prolly::{Edit, Shape, edit};
use crate::table::{
    Column, Encoding, ForeignKey, Index, Schema, Table, TableMessage, Value, build_index, literal_value,
    rows_with_column,
};
use crate::{Error, Hash, Result};

/// Drops tables, and the foreign keys that they have.
pub(super) fn drop_tables(
    draft: &Draft,
    names: &[String],
    if_exists: bool,
    options: DdlOptions,
) -> Result<Hash> {
    let mut root = Root::working(draft)?;
    let mut going = Vec::new();
    for name in names {
        match root.stored_name(name)? {
            Some(stored) => going.push(stored),
            None if if_exists => {}
            None => return Err(Error::NoTable { name: name.clone() }),
        }
    }
    if going.is_empty() {
        return Ok(draft.working());
    }
    if views::has_triggers(&root)? {
        return Err(Error::NotSupported { what: "dropping a table beside triggers".to_owned() });
    }
    let mut keys = root.foreign_keys()?;
    let is_going = |name: &str| going.iter().any(|g| same(g, name));
    if let Some(key) = keys.iter().find(|k| is_going(&k.parent_table) && !is_going(&k.child_table)) {
        if !options.foreign_key_checks {
            let what =
                format!("dropping table {} without regard to foreign key {}", key.parent_table, key.name);
            return Err(Error::NotSupported { what });
        }
        return wrong(&key.parent_table, format!("table {} refers to it", key.child_table));
    }
    let before = keys.len();
    keys.retain(|k| !is_going(&k.child_table));
    if keys.len() != before {
        root.set_foreign_keys(keys);
    }
    for name in &going {
        // What is not understood of it could be of others too: full-text indexes have tables of their own.
        let table = root.table(name)?;
        if let Some(index) = table.schema().indexes.iter().find(|i| i.unsupported.is_some()) {
            let what = format!("dropping table {name} with index {}", index.name);
            return Err(Error::NotSupported { what });
        }
        check_name(name)?;
        root.remove(name);
    }
    root.finish()
}

/// Gives tables other names.
pub(super) fn rename_tables(draft: &Draft, names: &[(String, String)]) -> Result<Hash> {
    let [(from, to)] = names else {
        return Err(Error::NotSupported { what: "renaming several tables at once".to_owned() });
    };
    let mut root = Root::working(draft)?;
    let table = root.table(from)?;
    check_name(to)?;
    check_name(table.name())?;
    if let Some(taken) = root.stored_name(to)? {
        return Err(Error::NameTaken { name: taken });
    }
    if views::has_view(&root, to)? || views::has_triggers(&root)? {
        return Err(Error::NotSupported { what: format!("renaming {from} beside views or triggers") });
    }
    let mut keys = root.foreign_keys()?;
    if keys.iter().any(|k| same(&k.child_table, table.name()) || same(&k.parent_table, table.name())) {
        for key in &mut keys {
            for name in [&mut key.child_table, &mut key.parent_table] {
                if same(name, table.name()) {
                    to.clone_into(name);
                }
            }
        }
        root.set_foreign_keys(keys);
    }
    root.remove(table.name());
    root.put_address(to, table.address());
    root.finish()
}

/// Makes an index of the rows that are there.
pub(super) fn create_index(draft: &Draft, name: &str, spec: &IndexSpec) -> Result<Hash> {
    let mut root = Root::working(draft)?;
    let table = root.table(name)?;
    let name = table.name();
    check_name(name)?;
    let mut schema = root.schema_of(&table)?;
    let mut message = table.message()?;
    let mut keys = root.foreign_keys()?;
    let mut edits = Vec::new();
    // One of the same columns hands over the foreign keys that it serves; and if Dolt made it for one, it goes.
    let columns: Vec<Option<u16>> = spec.parts.iter().map(|p| index::position(&schema, &p.column)).collect();
    let is_same = |columns_of: &[u16]| columns_of.iter().copied().map(Some).collect::<Vec<_>>() == columns;
    let mut alike = schema.indexes.iter().filter(|i| is_same(&i.columns));
    let (old, another) = (alike.next().cloned(), alike.next());
    let serves = |index: &Index| {
        let is_it = |name: &str, of: &str, table: &str| same(table, of) && name == index.name;
        let by = |k: &ForeignKey| {
            is_it(&k.child_index, name, &k.child_table) || is_it(&k.parent_index, name, &k.parent_table)
        };
        index.system_defined || keys.iter().any(by)
    };
    if another.is_some() && schema.indexes.iter().any(|i| is_same(&i.columns) && serves(i)) {
        // Which of them Dolt finds first is not the same everywhere.
        let what =
            format!("an index of table {name} beside several of the same columns, which serve foreign keys,");
        return Err(Error::NotSupported { what });
    }
    schema.indexes.retain(|i| !(i.system_defined && is_same(&i.columns)));
    let made = index::add(name, &mut schema, spec)?;
    if spec.unique {
        // Dolt makes the table anew, and spells the columns in its expressions as `table.column` without quotes then.
        make_anew(&table, &mut schema, |text| !text.contains('`'))?;
    }
    if let Some(old) = &old {
        if old.system_defined {
            edits.push(Edit::delete(old.name.as_bytes().to_vec()));
        }
        for key in &mut keys {
            if same(&key.child_table, name) && key.child_index == old.name {
                key.child_index.clone_from(&made);
            }
            if same(&key.parent_table, name) && key.parent_index == old.name {
                key.parent_index.clone_from(&made);
            }
        }
        root.set_foreign_keys(keys);
    }
    if let Some(index) = schema.indexes.iter().find(|i| i.name == made) {
        let tree = build_index(&table, index, root.draft().snapshot())?;
        edits.retain(|e| e.key != made.as_bytes());
        edits.push(Edit::put(made.clone().into_bytes(), tree.as_bytes().to_vec()));
    }
    change_indexes(&root, &table, &mut message, edits)?;
    message.schema = root.draft().snapshot().put(message::schema(&schema))?;
    root.put(name, &message)?;
    root.finish()
}

/// Drops an index. Foreign keys that it served are served by another one then.
pub(super) fn drop_index(draft: &Draft, name: &str, index_name: &str) -> Result<Hash> {
    let mut root = Root::working(draft)?;
    let table = root.table(name)?;
    let name = table.name();
    check_name(name)?;
    let mut schema = root.schema_of(&table)?;
    let Some(at) = schema.indexes.iter().position(|i| same(&i.name, index_name)) else {
        return wrong(name, format!("there is no index {index_name}"));
    };
    let old = schema.indexes.remove(at);
    let keys = root.foreign_keys()?;
    let uses = |index: &str, of: &str| index == old.name && same(of, name);
    let used =
        keys.iter().find(|k| uses(&k.child_index, &k.child_table) || uses(&k.parent_index, &k.parent_table));
    if let Some(key) = used {
        let what =
            format!("dropping index {index_name} of table {name}, which serves foreign key {}", key.name);
        return Err(Error::NotSupported { what });
    }
    // Dolt looks at the name of the index alone, and has such a key go to the primary key of its parent from then on.
    if let Some(key) = keys.iter().find(|k| k.parent_index == old.name) {
        let what = format!(
            "dropping index {index_name} of table {name}, whose name foreign key {} says of table {}",
            key.name, key.parent_table
        );
        return Err(Error::NotSupported { what });
    }
    if let Some((_, column)) = schema.visible().find(|(_, c)| c.auto_increment) {
        let at = index::position(&schema, &column.name);
        let is_keyed = |columns: &[u16]| at.is_some_and(|at| columns.contains(&at));
        if !is_keyed(&schema.key_columns) && !schema.indexes.iter().any(|i| is_keyed(&i.columns)) {
            return wrong(name, format!("column {} counts up and would be in no key", column.name));
        }
    }
    let mut message = table.message()?;
    change_indexes(&root, &table, &mut message, vec![Edit::delete(old.name.into_bytes())])?;
    message.schema = root.draft().snapshot().put(message::schema(&schema))?;
    root.put(name, &message)?;
    root.finish()
}

fn change_indexes(
    root: &Root<'_>,
    table: &Table,
    message: &mut TableMessage,
    mut edits: Vec<Edit>,
) -> Result<()> {
    let snapshot = root.draft().snapshot();
    edits.sort_by(|a, b| a.key.cmp(&b.key));
    message.indexes = snapshot.chunk(edit(table.index_map(), Shape::ADDRESSES, snapshot, edits)?)?;
    Ok(())
}

/// Takes a column's default away.
pub(super) fn drop_default(draft: &Draft, name: &str, column: &str) -> Result<Hash> {
    let mut root = Root::working(draft)?;
    let table = root.table(name)?;
    let name = table.name();
    check_name(name)?;
    let mut schema = root.schema_of(&table)?;
    let Some(found) = schema.columns.iter_mut().find(|c| !c.hidden && same(&c.name, column)) else {
        return wrong(name, format!("there is no column {column}"));
    };
    if found.generated {
        // Its expression stands where a default would.
        return wrong(name, format!("column {column} is generated"));
    }
    found.default = None;
    let mut message = table.message()?;
    message.schema = root.draft().snapshot().put(message::schema(&schema))?;
    root.put(name, &message)?;
    root.finish()
}

/// Adds a column. Rows that are there get its default.
pub(super) fn add_column(
    draft: &Draft,
    name: &str,
    spec: &ColumnSpec<'_>,
    place: &Place,
    options: DdlOptions,
) -> Result<Hash> {
    let mut root = Root::working(draft)?;
    let table = root.table(name)?;
    let name = table.name();
    check_name(name)?;
    let old = root.schema_of(&table)?;
    if index::position(&old, &spec.name).is_some() {
        return wrong(name, format!("there is a column {} already", spec.name));
    }
    let is_more = spec.primary || spec.unique || spec.auto_increment || spec.on_update.is_some();
    if is_more || spec.generated.is_some() {
        let what = format!("adding column {} to table {name} with more than a default", spec.name);
        return Err(Error::NotSupported { what });
    }
    // A column takes the collation of its table.
    let collation = Collation::numbered(old.collation);
    let collation = collation.map_err(|what| Error::NotSupported { what })?;
    let column_type = build::column_type(name, spec, collation)?;
    let mut column = build::one(name, spec, &column_type, false, &Scope::of(&old), options)?;
    let new = Untagged { name: &spec.name, kind: kind(&column.sql_type).unwrap_or_default() };
    let known: Vec<(Untagged<'_>, u64)> =
        untagged(name, &old)?.into_iter().zip(old.visible().map(|(_, c)| c.tag)).collect();
    // A table whose rows get a value is made anew by Dolt: it looks at the last commit's tags too, and forgets the comment.
    let is_made_anew = spec.default.is_some() || !column.nullable;
    let mut taken = root.tags()?;
    if is_made_anew {
        let session = draft.draft();
        taken.extend(tags_of(&session.tables(session.commit(draft.head())?.root_value)?)?);
    }
    column.tag = tags(name, &[new], &known, taken).first().copied().unwrap_or_default();
    let value = default_value(&table, &column)?;
    let at = match place {
        Place::Last => old.visible().count(),
        Place::First => 0,
        Place::After(other) => match index::position(&old, other) {
            Some(at) => usize::from(at).saturating_add(1),
            None => return wrong(name, format!("there is no column {other}")),
        },
    };
    let mut schema = with_column(old.clone(), at, column);
    if is_made_anew {
        make_anew(&table, &mut schema, |_| true)?;
    }
    let mut message = table.message()?;
    message.schema = root.draft().snapshot().put(message::schema(&schema))?;
    let is_last = schema.value_columns().last() == Some(&at);
    if value == Value::Null && is_last {
        // What a row lacks at its end is NULL.
        root.put(name, &message)?;
        return root.finish();
    }
    if schema.is_keyless() && table.entries() > 0 {
        // Its rows are known by what they hold.
        let what = format!("table {name}: a new column that changes rows without a key");
        return Err(Error::NotSupported { what });
    }
    message.rows = rows_with_column(&table, &schema, at, &value, root.draft().snapshot())?;
    root.put(name, &message)?;
    root.finish()
}

// What becomes of a schema when Dolt makes its table anew. Its expressions are spelled anew as well; `is_kept`: whether one that
// is spelled as this crate spells it stays so.
fn make_anew(table: &Table, schema: &mut Schema, is_kept: fn(&str) -> bool) -> Result<()> {
    let name = table.name();
    let refused = |what: String| Err(Error::NotSupported { what: format!("making table {name} anew{what}") });
    if schema.target_row_bytes != message::TARGET_ROW_BYTES {
        return refused(" with its target for rows".to_owned());
    }
    if table.auto_increment() != 0 {
        // Where it goes on depends on the rows, the session and the other branches.
        return refused(", which counts".to_owned());
    }
    let scope = Scope::of(schema);
    for (_, column) in schema.visible() {
        let Some(text) = column.default.as_deref().filter(|text| text.starts_with('(')) else { continue };
        let inner = text.strip_prefix('(').and_then(|t| t.strip_suffix(')')).unwrap_or(text);
        let again = if column.generated {
            canonical_generated(inner, &scope)
        } else {
            canonical_default(text, &column.sql_type, &scope)
        };
        if !is_kept(text) || !again.is_ok_and(|again| again == text) {
            return refused(format!(", whose column {} has the expression {text}", column.name));
        }
    }
    schema.comment.clear();
    Ok(())
}

// What rows that are there get.
fn default_value(table: &Table, column: &Column) -> Result<Value> {
    let refused = |what: &str| {
        let what = format!("table {}: a new column {} {what}", table.name(), column.name);
        Err(Error::NotSupported { what })
    };
    if table.entries() == 0 {
        return Ok(Value::Null);
    }
    match column.default.as_deref() {
        // Dolt puts a document in, which says null.
        Some("NULL") if matches!(column.encoding, Encoding::JsonAddr | Encoding::JsonAdaptive) => {
            refused("with NULL for its default")
        }
        None | Some("NULL") if column.nullable => Ok(Value::Null),
        None => refused("without a default that cannot be NULL"),
        Some(text) => {
            let inner = text.strip_prefix('\'').and_then(|t| t.strip_suffix('\''));
            let is_plain = |inner: &&str| !inner.contains(['\'', '\\']);
            let is_number = text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
            let literal = inner.filter(is_plain).or(is_number.then_some(text));
            let is_bytes = column.encoding == Encoding::Bytes;
            let value = literal.filter(|_| !is_bytes).and_then(|text| literal_value(column, text));
            value.map_or_else(|| refused(&format!("with the default {text}")), Ok)
        }
    }
}

// The schema with one more column; what comes behind it moves by one.
fn with_column(mut schema: Schema, at: usize, column: Column) -> Schema {
    let place = u16::try_from(at).unwrap_or(u16::MAX);
    let moved = |columns: &mut Vec<u16>| {
        for c in columns.iter_mut().filter(|c| **c >= place) {
            *c = c.saturating_add(1);
        }
    };
    moved(&mut schema.key_columns);
    for index in &mut schema.indexes {
        moved(&mut index.columns);
        moved(&mut index.key_columns);
    }
    schema.columns.insert(at.min(schema.columns.len()), column);
    schema
}
