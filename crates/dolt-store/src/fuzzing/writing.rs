//! What is written natively: it is read as it was given, and nothing is wrong with the database it is in.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use super::seeds::DATABASES;
use crate::Hash;
use crate::chunk::{ReadOptions, Snapshot, Store};
use crate::commit::Session;
use crate::message::{NodeKind, StoreRoot, WorkingSet};
use crate::prolly::{Edit, Shape, Tree, edit, read_blob, write_blob, write_json};
use crate::table::{Column, Encoding, ForeignKey, RootEditor, Row, Table, Tables, Value, canonical_json};
use crate::testing::{fixture, session};
use crate::verify::{verify_long_value, verify_state};

/// The bytes as a document: in Dolt's form, cut into pieces, and read again.
pub(super) fn document(_: &Path, bytes: &[u8]) {
    let snapshot = Snapshot::empty();
    // Text that is in no form at all is refused, or kept as it is.
    if let Ok(address) = write_json(&snapshot, bytes) {
        assert_eq!(read_blob(&snapshot, address).unwrap(), bytes);
    }
    // Many times the same, so that it is cut.
    let text = String::from_utf8_lossy(bytes);
    for text in
        [text.to_string(), format!("[{}]", vec![text.as_ref(); 1 + 20_000 / (1 + bytes.len())].join(","))]
    {
        let Ok(stored) = canonical_json(&text) else { continue };
        assert_eq!(canonical_json(&stored).as_ref(), Ok(&stored));
        let address = write_json(&snapshot, stored.as_bytes()).unwrap();
        assert_eq!(read_blob(&snapshot, address).unwrap(), stored.as_bytes());
        let report = verify_long_value(&snapshot, address);
        assert!(report.is_clean(), "{:?}", report.findings);
    }
}

/// Three bytes as the length of a long value.
pub(super) fn blob(_: &Path, bytes: &[u8]) {
    let [a, b, c, ..] = bytes else { return };
    let length = u32::from_be_bytes([0, a % 32, *b, *c]) as usize;
    let value: Vec<u8> = (0..length).map(|i| (i / 7) as u8 ^ bytes[i % bytes.len()]).collect();
    let snapshot = Snapshot::empty();
    let address = write_blob(&snapshot, &value).unwrap();
    assert!(read_blob(&snapshot, address).unwrap() == value, "{length} bytes");
    let report = verify_long_value(&snapshot, address);
    assert!(report.is_clean(), "{length} bytes: {:?}", report.findings);
}

const TABLES: [&str; 7] = ["many", "kinds", "long_values", "keyless", "parent", "child", "empty_one"];

fn state(which: usize) -> &'static Session {
    static STATES: [OnceLock<Session>; 2] = [OnceLock::new(), OnceLock::new()];
    STATES[which].get_or_init(|| {
        let store = Store::open_read(&fixture(DATABASES[which]), ReadOptions::default()).unwrap();
        session(store.snapshot().unwrap()).unwrap()
    })
}

/// The bytes as changes to the rows of a table: each is refused or done, in every index as well.
pub(super) fn row_edits(_: &Path, bytes: &[u8]) {
    let [which, table, rest @ ..] = bytes else { return };
    let state = state(usize::from(which % 2));
    let name = TABLES[usize::from(*table) % TABLES.len()];
    let draft = session(state.snapshot().draft()).unwrap();
    let root = state.working_set("main").unwrap().unwrap().working;
    let table = draft.tables(root).unwrap().open(name).unwrap().unwrap();
    let before: Vec<Row> = table.rows().unwrap().collect::<crate::Result<_>>().unwrap();
    // What stands in the table, and how often.
    let mut model: BTreeMap<String, (Row, u64)> = BTreeMap::new();
    let mut count = |row: &Row, change: i64| {
        let slot = model.entry(format!("{row:?}")).or_insert_with(|| (row.clone(), 0));
        slot.1 = slot.1.checked_add_signed(change).expect("a row that is not there cannot go");
    };
    for row in &before {
        count(row, 1);
    }
    let columns: Vec<&Column> = table.schema().visible().map(|(_, column)| column).collect();
    let old_root = root;
    let mut root = RootEditor::new(&draft, "main", old_root).unwrap();
    let mut editor = root.table(name).unwrap();
    let mut bytes = rest.iter().copied();
    while let Some(what) = bytes.next() {
        let mut row = Row { values: columns.iter().map(|column| value(column, &mut bytes)).collect() };
        let old = before.get(usize::from(bytes.next().unwrap_or(0)) * 3 % before.len().max(1));
        match (what % 4, old) {
            (0 | 1, _) if editor.insert_row(&row.values).is_ok() => count(&stored(row, &columns), 1),
            (2, Some(old)) if editor.delete_row(old).is_ok() => count(old, -1),
            (0..=2, _) => {}
            (_, Some(old)) => {
                // One column only.
                let at = usize::from(what) % columns.len();
                for (i, value) in row.values.iter_mut().enumerate().filter(|(i, _)| *i != at) {
                    *value = old.values[i].clone();
                }
                if editor.update_row(old, &row.values).is_ok() {
                    count(old, -1);
                    count(&stored(row, &columns), 1);
                }
            }
            _ => {}
        }
    }
    let root = root.finish().unwrap();
    let changed = with_working(state, draft.snapshot(), root);
    let report = verify_state(&changed);
    assert!(report.is_clean(), "{name}: {:?}", report.findings);
    let table = changed.tables(root).unwrap().open(name).unwrap().unwrap();
    same_rows(&table, &model);
    let tables = changed.tables(root).unwrap();
    for key in tables.foreign_keys().unwrap() {
        every_child_has_its_parent(&tables, &key);
    }
    // The same in one go, from the last row to the first, has the same address, whatever came and went before.
    let draft = session(state.snapshot().draft()).unwrap();
    let mut again = RootEditor::new(&draft, "main", old_root).unwrap();
    let mut editor = again.table(name).unwrap();
    let times_before = |row: &Row| before.iter().filter(|other| *other == row).count() as u64;
    for (row, times) in model.values().rev() {
        (*times..times_before(row)).for_each(|_| editor.delete_row(row).unwrap());
    }
    for (row, times) in model.values().rev() {
        (times_before(row)..*times).for_each(|_| drop(editor.insert_row(&row.values).unwrap()));
    }
    let again = again.finish().unwrap();
    let again = draft.tables(again).unwrap().address(name).unwrap().unwrap();
    assert_eq!(again, table.address(), "{name} depends on the order in which it was changed");
}

// Of keys of one column, which those in these databases are.
fn every_child_has_its_parent(tables: &Tables, key: &ForeignKey) {
    let column = |table: &str, tag: u64| -> Vec<Value> {
        let table = tables.open(table).unwrap().unwrap();
        let at = table.schema().visible().position(|(_, c)| c.tag == tag).unwrap();
        table.rows().unwrap().map(|row| row.unwrap().values[at].clone()).collect()
    };
    let parents = column(&key.parent_table, key.parent_columns[0]);
    for value in column(&key.child_table, key.child_columns[0]) {
        assert!(value == Value::Null || parents.contains(&value), "{}: {value:?}", key.name);
    }
}

fn same_rows(table: &Table, model: &BTreeMap<String, (Row, u64)>) {
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for row in table.rows().unwrap() {
        *found.entry(format!("{:?}", row.unwrap())).or_default() += 1;
    }
    let wanted: BTreeMap<String, u64> = model
        .iter()
        .filter(|(_, (_, times))| *times > 0)
        .map(|(text, (_, times))| (text.clone(), *times))
        .collect();
    assert_eq!(found, wanted, "{}", table.name());
}

// Values are rounded, and documents take Dolt's form.
fn stored(mut row: Row, columns: &[&Column]) -> Row {
    for (value, column) in row.values.iter_mut().zip(columns) {
        *value = match std::mem::replace(value, Value::Null) {
            Value::Json(text) => Value::Json(canonical_json(&text).unwrap()),
            Value::Datetime(micros) if !column.sql_type.contains("(6)") => {
                Value::Datetime((micros + 500_000).div_euclid(1_000_000) * 1_000_000)
            }
            Value::Decimal(text) => Value::Decimal(three_places(&text)),
            other => other,
        };
    }
    row
}

// As the only decimal of these databases has.
fn three_places(text: &str) -> String {
    let (whole, places) = text.split_once('.').unwrap();
    format!("{whole}.{places:0<3}")
}

fn value(column: &Column, bytes: &mut impl Iterator<Item = u8>) -> Value {
    let mut next = || i64::from(bytes.next().unwrap_or(0));
    let small = next();
    if column.nullable && small == 7 {
        return Value::Null;
    }
    let text = |n: i64, piece: &str| piece.repeat(usize::try_from(n * n / 8).unwrap());
    match column.encoding {
        Encoding::Int8 | Encoding::Int16 | Encoding::Int32 | Encoding::Int64 => {
            Value::Int(small - 100 + next() * 3)
        }
        Encoding::Uint8 | Encoding::Uint16 | Encoding::Uint32 | Encoding::Uint64 | Encoding::Bit64 => {
            Value::Uint(small.unsigned_abs() / 16)
        }
        Encoding::Float64 => Value::Double(f64::from(small as i32) / 4.0 - 20.0),
        Encoding::Decimal => Value::Decimal(format!("{}.{:02}", small - 50, next() % 100)),
        Encoding::Year => Value::Year(1900 + u16::try_from(small).unwrap()),
        Encoding::Date => Value::Date(1990 + u16::try_from(small % 40).unwrap(), 1 + (next() % 12) as u8, 28),
        Encoding::Time => Value::Time(small * 777_777 - 99_999_999),
        Encoding::Datetime => Value::Datetime(1_000_000_000_000_000 + small * 1_234_567),
        Encoding::Enum => Value::Enum(u16::try_from(small % 3).unwrap()),
        Encoding::Set => Value::Set(small.unsigned_abs() % 5),
        Encoding::String => Value::Text(format!("{small} é {}", next())),
        Encoding::Bytes => Value::Bytes(vec![small as u8; (next() % 12) as usize]),
        Encoding::StringAddr | Encoding::StringAdaptive => Value::Text(text(small, "é long ")),
        Encoding::BytesAddr | Encoding::BytesAdaptive => Value::Bytes(text(small, "bytes").into_bytes()),
        Encoding::JsonAddr | Encoding::JsonAdaptive => Value::Json(format!(
            "{{\"b\": [{}0], \"a\": {}}}",
            "1, ".repeat(small.unsigned_abs() as usize * 9),
            next()
        )),
        _ => Value::Null,
    }
}

// The state in which the working root of main is another.
fn with_working(state: &Session, draft: &Snapshot, root: Hash) -> Session {
    let set = draft.put(WorkingSet::clean(root).message()).unwrap();
    let top = state.snapshot().root();
    let refs = StoreRoot::parse(&draft.chunk(top).unwrap()).unwrap().refs;
    let refs = Tree::embedded(draft, NodeKind::Addresses, refs, top);
    let put = Edit::put(b"workingSets/heads/main".to_vec(), set.as_bytes().to_vec());
    let refs = edit(&refs, Shape::ADDRESSES, draft, vec![put]).unwrap();
    let root = draft.put(StoreRoot::message(&draft.chunk(refs).unwrap())).unwrap();
    session(draft.clone().at(root)).unwrap()
}
