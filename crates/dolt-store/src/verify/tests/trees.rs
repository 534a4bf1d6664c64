//! Trees of rows and indexes.

use super::{WHOLE, found, names, report};
use crate::Hash;
use crate::message::{Message, Node, NodeKind, RootValue};
use crate::testing::{Damage, entries, inner, leaf};
use crate::verify::references;

type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// An index whose tree has two levels.
const INDEX: &str = "by_name";

/// The children of a node of level 1: last key, address, count.
fn children(node: &Node) -> Vec<(Vec<u8>, Hash, u64)> {
    assert_eq!(node.level(), 1);
    (0..node.len()).map(|i| (node.key(i).to_vec(), node.address(i).unwrap(), node.count_below(i))).collect()
}

/// Databases in which the first leaf of an index is another.
fn with_leaf(change: impl Fn(&mut Entries)) -> impl Iterator<Item = Damage> {
    with_root(move |damage, mut below| {
        let mut all = entries(&damage.node(NodeKind::Map, below[0].1));
        change(&mut all);
        below[0].1 = damage.put(leaf(NodeKind::Map, &all, &[]));
        below[0].2 = all.len() as u64;
        inner(NodeKind::Map, 1, &below)
    })
}

/// Databases in which the root of an index is another; what makes it can put further nodes.
fn with_root(
    change: impl Fn(&mut Damage, Vec<(Vec<u8>, Hash, u64)>) -> Vec<u8>,
) -> impl Iterator<Item = Damage> {
    WHOLE.into_iter().map(move |name| {
        let mut damage = Damage::of(name);
        let old = damage.index("many", INDEX);
        let below = children(&damage.node(NodeKind::Map, old));
        assert!(below.len() > 2, "{}", below.len());
        let new = change(&mut damage, below);
        damage.replace(old, new);
        damage
    })
}

#[test]
fn keys_out_of_order_are_named() {
    for damage in with_leaf(|all| all.swap(3, 4)) {
        names(&report(&damage), "entry 4 is not in order", "many", Some(INDEX));
    }
    for damage in with_leaf(|all| all[4] = all[3].clone()) {
        names(&report(&damage), "entry 4 has the key of the one before", "many", Some(INDEX));
    }
    for damage in with_leaf(|all| all[4].0 = vec![7]) {
        names(&report(&damage), "the key of entry 4 or the one before is no key", "many", Some(INDEX));
    }
    for name in WHOLE {
        let mut damage = Damage::of(name);
        let rows = Node::parse(NodeKind::Map, damage.table("many").1.rows).unwrap();
        let old = rows.address(1).unwrap();
        let mut all = entries(&damage.node(NodeKind::Map, old));
        all.swap(7, 8);
        damage.replace(old, leaf(NodeKind::Map, &all, &[]));
        names(&report(&damage), "entry 8 is not in order", "many", None);
    }
}

#[test]
fn leaves_in_the_wrong_order_are_named() {
    let swapped = |_: &mut Damage, mut below: Vec<_>| {
        below.swap(0, 1);
        inner(NodeKind::Map, 1, &below)
    };
    for damage in with_root(swapped) {
        names(&report(&damage), "is not in order", "many", Some(INDEX));
    }
}

#[test]
fn nodes_that_end_elsewhere_are_named() {
    // Cut in two.
    let cut = |damage: &mut Damage, mut below: Vec<(Vec<u8>, Hash, u64)>| {
        let all = entries(&damage.node(NodeKind::Map, below[0].1));
        let (front, back) = all.split_at(5);
        let first = damage.put(leaf(NodeKind::Map, front, &[]));
        let second = damage.put(leaf(NodeKind::Map, back, &[]));
        below[0] = (back.last().unwrap().0.clone(), second, back.len() as u64);
        below.insert(0, (front.last().unwrap().0.clone(), first, front.len() as u64));
        inner(NodeKind::Map, 1, &below)
    };
    for damage in with_root(cut) {
        names(
            &report(&damage),
            "before child 1 a node of level 0 ends where no node may end",
            "many",
            Some(INDEX),
        );
    }
    // Two in one.
    let joined = |damage: &mut Damage, mut below: Vec<(Vec<u8>, Hash, u64)>| {
        let (_, first, count) = below.remove(0);
        let mut all = entries(&damage.node(NodeKind::Map, first));
        all.extend(entries(&damage.node(NodeKind::Map, below[0].1)));
        below[0].1 = damage.put(leaf(NodeKind::Map, &all, &[]));
        below[0].2 += count;
        inner(NodeKind::Map, 1, &below)
    };
    for damage in with_root(joined) {
        names(&report(&damage), "it should end before entry", "many", Some(INDEX));
    }
    // A level too many: over one node, and over two halves of it.
    let higher = |damage: &mut Damage, below: Vec<(Vec<u8>, Hash, u64)>| {
        let last = below.last().unwrap().0.clone();
        let count = below.iter().map(|(_, _, count)| count).sum();
        let root = damage.put(inner(NodeKind::Map, 1, &below));
        inner(NodeKind::Map, 2, &[(last, root, count)])
    };
    for damage in with_root(higher) {
        names(&report(&damage), "a root node with only one child", "many", Some(INDEX));
    }
    let halves = |damage: &mut Damage, below: Vec<(Vec<u8>, Hash, u64)>| {
        let mut half = |part: &[(Vec<u8>, Hash, u64)]| {
            let count = part.iter().map(|(_, _, count)| count).sum();
            (part.last().unwrap().0.clone(), damage.put(inner(NodeKind::Map, 1, part)), count)
        };
        let (front, back) = below.split_at(1);
        inner(NodeKind::Map, 2, &[half(front), half(back)])
    };
    for damage in with_root(halves) {
        names(
            &report(&damage),
            "before child 1 a node of level 1 ends where no node may end",
            "many",
            Some(INDEX),
        );
    }
}

#[test]
fn wrong_counts_levels_and_keys_of_inner_nodes_are_named() {
    let counted = |_: &mut Damage, mut below: Vec<(Vec<u8>, Hash, u64)>| {
        below[1].2 += 1;
        inner(NodeKind::Map, 1, &below)
    };
    for damage in with_root(counted) {
        let report = report(&damage);
        names(&report, "child 1 has", "many", Some(INDEX));
        found(&report, "it counts 522 entries and has 521");
    }
    let keyed = |_: &mut Damage, mut below: Vec<(Vec<u8>, Hash, u64)>| {
        let other = below[0].0.iter().map(|b| if *b == b'1' { b'0' } else { *b }).collect();
        below[0].0 = other;
        inner(NodeKind::Map, 1, &below)
    };
    for damage in with_root(keyed) {
        names(&report(&damage), "the key of child 0 is not that child's last key", "many", Some(INDEX));
    }
    let levelled = |damage: &mut Damage, mut below: Vec<(Vec<u8>, Hash, u64)>| {
        let deeper = inner(NodeKind::Map, 1, &below[..1]);
        below[0].1 = damage.put(deeper);
        inner(NodeKind::Map, 1, &below)
    };
    for damage in with_root(levelled) {
        names(&report(&damage), "child 0 is of level 1", "many", Some(INDEX));
    }
    let shared = |_: &mut Damage, mut below: Vec<(Vec<u8>, Hash, u64)>| {
        below[1] = below[0].clone();
        inner(NodeKind::Map, 1, &below)
    };
    for damage in with_root(shared) {
        names(&report(&damage), "is not in order", "many", Some(INDEX));
    }
}

#[test]
fn an_index_that_disagrees_with_its_rows_is_named_with_the_rows() {
    for damage in with_leaf(|all| drop(all.remove(3))) {
        let report = report(&damage);
        names(&report, "the row has no entry in the index", "many", Some(INDEX));
        // The names are `name 7919 * id mod 520`; in this order the fourth is `name 100`, which is row 180's.
        assert_eq!(found(&report, "the row has no entry").key.as_deref(), Some("180"));
        found(&report, "521 rows, 520 entries, and they do not agree");
    }
    // As many entries, and one of them is of no row.
    for damage in with_leaf(|all| all[3].0[7] = b'/') {
        let report = report(&damage);
        names(&report, "the entry has no row", "many", Some(INDEX));
        assert_eq!(found(&report, "the entry has no row").key.as_deref(), Some("name 10/, 180"));
        assert_eq!(found(&report, "the row has no entry").key.as_deref(), Some("180"));
        found(&report, "521 rows, 521 entries, and they do not agree");
    }
}

#[test]
fn an_index_of_a_part_of_a_long_value_that_disagrees_is_named() {
    for name in WHOLE {
        let mut damage = Damage::of(name);
        let root = damage.index("long_values", "part");
        let mut all = entries(&damage.node(NodeKind::Map, root));
        let text = all.iter_mut().find(|(key, _)| key.starts_with(b"long ")).unwrap();
        text.0[1] = b'a';
        damage.replace(root, leaf(NodeKind::Map, &all, &[]));
        let report = report(&damage);
        names(&report, "the entry has no row", "long_values", Some("part"));
        assert_eq!(found(&report, "the entry has no row").key.as_deref(), Some("lang , 1"),);
    }
}

#[test]
fn an_index_that_is_not_listed_is_named() {
    for name in WHOLE {
        let mut damage = Damage::of(name);
        damage.change_table("many", |table| {
            let mut all = entries(&Node::parse(NodeKind::Addresses, table.indexes.clone()).unwrap());
            all.retain(|(name, _)| name != INDEX.as_bytes());
            table.indexes = leaf(NodeKind::Addresses, &all, &[]);
        });
        names(&report(&damage), "the index of the schema is not listed", "many", Some(INDEX));
    }
}

#[test]
fn what_is_missing_below_a_table_is_named() {
    for name in WHOLE {
        let whole = Damage::of(name);
        let first_leaf = whole.node(NodeKind::Map, whole.index("many", INDEX)).address(0).unwrap();
        let cases = [
            (first_leaf, "many", Some(INDEX)),
            (whole.index("many", "by_n"), "many", Some("by_n")),
            (
                Node::parse(NodeKind::Map, whole.table("many").1.rows).unwrap().address(1).unwrap(),
                "many",
                None,
            ),
            (whole.table("keyless").1.schema, "keyless", None),
            (whole.table("fought").0, "fought", None),
        ];
        for (lost, table, index) in cases {
            let mut damage = whole.clone();
            damage.lose(lost);
            let report = report(&damage);
            let finding = found(&report, "it is missing");
            assert_eq!(finding.chunk, Some(lost));
            assert_eq!(
                (finding.table.as_deref(), finding.index.as_deref()),
                (Some(table), index),
                "{finding}"
            );
            let main = report.refs.iter().find(|r| r.name == "main").unwrap();
            assert_eq!(main.damaged_tables, [table], "{name}");
        }
    }
}

#[test]
fn what_is_wrong_with_long_values_is_named() {
    for name in WHOLE {
        let whole = Damage::of(name);
        let rows = Node::parse(NodeKind::Map, whole.table("long_values").1.rows).unwrap();
        let held = references(rows.bytes()).unwrap();
        assert!(held.len() >= 3, "{name}: {held:?}");
        let of =
            |h: &&Hash| whole.chunk(**h)[8..12] == *b"BLOB" && whole.node(NodeKind::Blob, **h).len() == 3;
        let text = held.iter().find(of).unwrap();
        let text_node = whole.node(NodeKind::Blob, *text);
        for lost in [*text, text_node.address(1).unwrap()] {
            let mut damage = whole.clone();
            damage.lose(lost);
            let report = report(&damage);
            let finding = found(&report, "it is missing");
            assert_eq!(
                (finding.chunk, finding.table.as_deref()),
                (Some(lost), Some("long_values")),
                "{name}"
            );
            // All branches have it.
            let damaged = report.refs.iter().filter(|r| r.damaged_tables == ["long_values"]);
            assert_eq!(damaged.count(), 4, "{name}: {:?}", report.refs);
        }
        let below: Vec<_> = (0..3).map(|i| (Vec::new(), text_node.address(i).unwrap(), 1)).collect();
        let mut counted = below.clone();
        counted[0].2 = 2;
        let mut deeper = below.clone();
        deeper[1].1 = *text;
        for (wrong, problem) in
            [(counted, "child 0 has 1 leaves, not 2"), (deeper, "level 1 under a node of that level")]
        {
            let mut damage = whole.clone();
            damage.replace(*text, inner(NodeKind::Blob, 1, &wrong));
            names(&report(&damage), problem, "long_values", None);
        }
        // Shorter than the row says, where the row says it.
        let mut damage = whole.clone();
        damage.replace(*text, inner(NodeKind::Blob, 1, &below[..2]));
        if name == "every-kind-2" {
            names(&report(&damage), "a value has 8000 bytes, not 9", "long_values", None);
        }
    }
}

#[test]
fn a_leaf_that_does_not_list_what_its_rows_hold_is_named() {
    for name in WHOLE {
        let mut damage = Damage::of(name);
        damage.change_table("long_values", |table| {
            let rows = Node::parse(NodeKind::Map, table.rows.clone()).unwrap();
            let all =
                (0..rows.len()).map(|i| (rows.key(i).to_vec(), rows.value(i).to_vec())).collect::<Vec<_>>();
            let listed = Message::parse(&table.rows, *b"TUPM").unwrap().root(11).unwrap().u16s(6).unwrap();
            assert_eq!(leaf(NodeKind::Map, &all, &listed), table.rows, "the leaf is not Dolt's");
            table.rows = leaf(NodeKind::Map, &all, &listed[1..]);
        });
        names(&report(&damage), "addresses, it lists", "long_values", None);
    }
}

#[test]
fn a_keyless_row_with_a_foreign_id_is_named() {
    for name in WHOLE {
        let mut damage = Damage::of(name);
        damage.change_table("keyless", |table| {
            let mut all = entries(&Node::parse(NodeKind::Map, table.rows.clone()).unwrap());
            all[0].0[0] ^= 1;
            table.rows = leaf(NodeKind::Map, &all, &[]);
        });
        names(&report(&damage), "the row's id is not the hash of its values", "keyless", None);
    }
}

#[test]
fn tables_out_of_order_or_with_foreign_keys_that_are_missing_are_named() {
    for name in WHOLE {
        let mut damage = Damage::of(name);
        let value = damage.working_root();
        let mut all = entries(&value.tables);
        all.swap(0, 1);
        let tables = Node::parse(NodeKind::Addresses, leaf(NodeKind::Addresses, &all, &[])).unwrap();
        damage.replace(damage.working_set().working, RootValue { tables, ..value.clone() }.message());
        let told = report(&damage);
        let finding = found(&told, "entry 1 is not in order");
        assert_eq!(finding.state.as_deref(), Some("working set of main"));
        assert!(!told.refs.iter().find(|r| r.name == "main").unwrap().tip_is_safe);
        let mut damage = Damage::of(name);
        damage.lose(value.foreign_keys);
        assert_eq!(found(&report(&damage), "it is missing").chunk, Some(value.foreign_keys));
    }
}

#[test]
fn nodes_of_one_level_below_each_other_are_not_followed() {
    const LONG: usize = 20_000;
    let chain = |damage: &mut Damage, kind: NodeKind, key: &[u8], end: Hash| {
        (0..LONG).fold(end, |below, _| damage.put(inner(kind, 1, &[(key.to_vec(), below, 1)])))
    };
    let endless = |damage: &mut Damage, mut below: Vec<(Vec<u8>, Hash, u64)>| {
        let (key, end, _) = below[0].clone();
        below[0].1 = chain(damage, NodeKind::Map, &key, end);
        inner(NodeKind::Map, 1, &below)
    };
    for damage in with_root(endless) {
        names(&report(&damage), "child 0 is of level 1", "many", Some(INDEX));
    }
    let mut damage = Damage::of("every-kind-1");
    let held = references(&damage.table("long_values").1.rows).unwrap();
    let text = *held.iter().find(|h| damage.chunk(**h)[8..12] == *b"BLOB").unwrap();
    let end = chain(&mut damage, NodeKind::Blob, b"", text);
    damage.replace(text, damage.chunk(end).to_vec());
    names(&report(&damage), "level 1 under a node of that level", "long_values", None);
}
