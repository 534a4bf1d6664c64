//! Chunks and what is in them.

use std::path::Path;

use crate::chunk::Snapshot;
use crate::message::{
    Commit, Message, Node, NodeContent, NodeKind, RootValue, Stash, StoreRoot, Tag, WorkingSet, node_message,
    stash_list,
};
use crate::prolly::read_blob;
use crate::table::{
    Column, Encoding, Schema, TableMessage, Tuple, Value, adaptive, compare, decode, decode_key, encode_key,
    parse_foreign_keys,
};
use crate::verify::references;

/// Every kind of message in a store.
const IDS: [&[u8; 4]; 15] = [
    b"STRT", b"ADRM", b"RTVL", b"DCMT", b"CMCL", b"WRST", b"DTAG", b"SLST", b"STSH", b"DTBL", b"DSCH",
    b"DFKC", b"TUPM", b"BLOB", b"ARTM",
];

/// The bytes as a message: as it is, and as one of every kind.
pub(super) fn message(_: &Path, bytes: &[u8]) {
    drop(references(bytes));
    if bytes.len() < 12 || bytes.len() >= 1 << 24 {
        return;
    }
    let mut whole = bytes.to_vec();
    let [_, a, b, c] = ((bytes.len() - 4) as u32).to_be_bytes();
    whole[..4].copy_from_slice(&[0x1b, a, b, c]);
    let own = Message::file_id(bytes);
    for id in IDS {
        // The whole message as of its own kind; the others only now and then, when the length says so.
        if own != Some(*id) && bytes.len() % IDS.len() != usize::from(id[0] ^ id[3]) % IDS.len() {
            continue;
        }
        whole[8..12].copy_from_slice(id);
        drop(references(&whole));
        one(*id, &whole);
    }
}

fn one(id: [u8; 4], bytes: &[u8]) {
    match &id {
        b"STRT" => drop(StoreRoot::parse(bytes).map(|root| node(NodeKind::Addresses, &root.refs))),
        b"ADRM" => nodes(NodeKind::Addresses, bytes),
        b"CMCL" => nodes(NodeKind::Closure, bytes),
        b"TUPM" => nodes(NodeKind::Map, bytes),
        b"BLOB" => nodes(NodeKind::Blob, bytes),
        b"RTVL" => {
            if let Ok(value) = RootValue::parse(bytes) {
                let again = RootValue::parse(&value.message()).unwrap();
                assert_eq!((&again.schemas, again.foreign_keys), (&value.schemas, value.foreign_keys));
            }
        }
        b"DCMT" => {
            if let Ok(commit) = Commit::parse(bytes) {
                assert_eq!(Commit::parse(&commit.message()).as_ref(), Ok(&commit));
            }
        }
        b"DTAG" => {
            if let Ok(tag) = Tag::parse(bytes) {
                assert_eq!(Tag::parse(&tag.message(0)).as_ref(), Ok(&tag));
            }
        }
        b"WRST" => drop(WorkingSet::parse(bytes)),
        b"SLST" => drop(stash_list(bytes).map(|list| node(NodeKind::Addresses, &list))),
        b"STSH" => drop(Stash::parse(bytes)),
        b"DFKC" => drop(parse_foreign_keys(bytes)),
        b"DTBL" => {
            if let Ok(table) = TableMessage::parse(bytes) {
                nodes(NodeKind::Map, &table.rows);
                nodes(NodeKind::Addresses, &table.indexes);
            }
        }
        b"DSCH" => {
            if let Ok(schema) = Schema::parse(bytes) {
                drop((schema.value_columns(), schema.is_keyless(), schema.visible().count()));
                for index in &schema.indexes {
                    drop(schema.entry_columns(index));
                }
            }
        }
        _ => {}
    }
}

fn nodes(kind: NodeKind, bytes: &[u8]) {
    if let Ok(parsed) = Node::parse(kind, bytes.to_vec()) {
        node(kind, &parsed);
    }
}

fn node(kind: NodeKind, node: &Node) {
    let (mut keys, mut key_ends, mut values, mut value_ends) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut counts = Vec::new();
    for i in 0..node.len() {
        keys.extend_from_slice(node.key(i));
        key_ends.push(u16::try_from(keys.len()).unwrap_or(u16::MAX));
        match node.address(i) {
            Some(address) => values.extend_from_slice(address.as_bytes()),
            None => values.extend_from_slice(node.value(i)),
        }
        value_ends.push(u16::try_from(values.len()).unwrap_or(u16::MAX));
        counts.push(node.count_below(i));
    }
    // Items that overlap can be more than a node can hold.
    if keys.len() + values.len() > 65_535 {
        return;
    }
    let (tree_count, level) = (node.tree_count(), node.level());
    let content = NodeContent {
        keys: &keys,
        key_ends: &key_ends,
        values: &values,
        value_ends: &value_ends,
        addresses_at: &[],
        counts: &counts,
        tree_count,
        level,
    };
    let again = Node::parse(kind, node_message(kind, &content)).unwrap();
    assert_eq!((again.len(), again.level(), again.tree_count()), (node.len(), level, tree_count));
    for i in 0..node.len() {
        assert_eq!((again.key(i), again.address(i)), (node.key(i), node.address(i)));
        assert_eq!(again.count_below(i), node.count_below(i));
    }
}

/// The bytes as a tuple.
pub(super) fn tuple(_: &Path, bytes: &[u8]) {
    let Ok(tuple) = Tuple::parse(bytes) else { return };
    let mut held = 0;
    for i in (0..300).chain([4095, 4096, 65_535, usize::MAX]) {
        if let Ok(Some(field)) = tuple.field(i) {
            held += field.len();
        }
    }
    // Fields may overlap in a damaged tuple, but none is longer than it.
    assert!(held <= bytes.len() * 304);
}

/// Types for the same bytes to be printed as.
const TYPES: [&str; 8] = [
    "",
    "datetime(6)",
    "time(3)",
    "enum('a','b')",
    "set('a','b','c')",
    "tinyint(1)",
    "varchar(9) COLLATE utf8mb4_0900_ai_ci",
    "bit(8)",
];

/// The first byte as the number of an encoding, the others as a field.
pub(super) fn value(_: &Path, bytes: &[u8]) {
    // A field without bytes is NULL, and nothing to decode.
    let Some((id, field)) = bytes.split_first().filter(|(_, field)| !field.is_empty()) else { return };
    let encoding = Encoding::of(*id);
    drop(adaptive(field));
    let Ok(value) = decode(encoding, Some(field), &Snapshot::empty()) else { return };
    for sql_type in TYPES {
        let column = Column { encoding, ..column(sql_type) };
        let mut json = String::new();
        value.push_json(&column, &mut json);
        assert!(!json.is_empty());
        drop(value.to_text(&column));
    }
}

fn column(sql_type: &str) -> Column {
    Column {
        name: "c".into(),
        sql_type: sql_type.into(),
        default: None,
        comment: String::new(),
        tag: 0,
        encoding: Encoding::Null,
        primary_key: false,
        nullable: true,
        auto_increment: false,
        hidden: false,
        generated: false,
        is_virtual: false,
        on_update: None,
    }
}

/// The first byte as an encoding, the second as the length of the first of two fields: their order turned round is the
/// other order.
pub(super) fn key_order(_: &Path, bytes: &[u8]) {
    let [id, length, rest @ ..] = bytes else { return };
    let (a, b) = rest.split_at(usize::from(*length).min(rest.len()));
    let encoding = Encoding::of(*id);
    let order = |a, b| compare(encoding, Some(a), Some(b));
    assert_eq!(order(a, b), order(b, a).reverse(), "{encoding:?}: {a:02x?} {b:02x?}");
    assert!(order(a, a).is_eq() && order(b, b).is_eq());
    assert!(compare(encoding, None, Some(a)).is_lt() && compare(encoding, Some(a), None).is_gt());
}

/// The first byte as an encoding, the others as a field of a key: a value that can be sought is found by its own encoding.
pub(super) fn key_round_trip(_: &Path, bytes: &[u8]) {
    let Some((id, field)) = bytes.split_first() else { return };
    let encoding = Encoding::of(*id);
    let Ok(value) = decode_key(encoding, Some(field)) else { return };
    // More digits than any decimal of MySQL has.
    if matches!(&value, Value::Decimal(text) if text.len() > 100) {
        return;
    }
    // Not a number is equal to nothing.
    if matches!(value, Value::Float(n) if n.is_nan()) || matches!(value, Value::Double(n) if n.is_nan()) {
        return;
    }
    if let Some(encoded) = encode_key(encoding, &value) {
        assert_eq!(decode_key(encoding, Some(&encoded)).unwrap(), value, "{encoding:?}: {field:02x?}");
    }
}

/// The bytes as instructions to build chunks that refer to those before them; the last one as a long value.
pub(super) fn long_value(_: &Path, bytes: &[u8]) {
    let snapshot = Snapshot::empty();
    let mut made: Vec<crate::Hash> = Vec::new();
    let mut rest = bytes.iter().copied();
    while let (Some(what), true) = (rest.next(), made.len() < 200) {
        let kind = if what & 1 == 0 { NodeKind::Blob } else { NodeKind::Addresses };
        let level = (what >> 1) % 36;
        let count = usize::from(rest.next().unwrap_or(0));
        let items: Vec<u8> = rest.by_ref().take(if level == 0 { count } else { count % 32 }).collect();
        let chosen = |n: &u8| made.get(made.len().checked_sub(1 + usize::from(*n))?);
        let below: Vec<u8> = items.iter().filter_map(chosen).flat_map(|hash| *hash.as_bytes()).collect();
        let below_count = below.len() / 20;
        let keys: Vec<u8> = (0..below_count as u8).collect();
        let ends: Vec<u16> = (1..=below_count as u16).collect();
        let counts = vec![1; below_count];
        let content = NodeContent {
            keys: &keys,
            key_ends: &ends,
            values: if level == 0 && kind == NodeKind::Blob { &items } else { &below },
            counts: &counts,
            tree_count: below_count as u64,
            level,
            ..NodeContent::default()
        };
        made.push(snapshot.put(node_message(kind, &content)).unwrap());
    }
    let Some(last) = made.last() else { return };
    if let Ok(value) = read_blob(&snapshot, *last) {
        assert!(value.len() <= 1 << 30);
    }
    crate::verify::verify_long_value(&snapshot, *last);
}

/// The bytes as a revision.
pub(super) fn revision(_: &Path, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    super::database::with_whole(|session| {
        for text in [text.clone(), format!("main{text}").into(), format!("HEAD~{text}").into()] {
            drop((session.resolve_commit(&text), session.resolve_root(&text)));
        }
    });
}
