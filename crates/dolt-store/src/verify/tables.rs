//! Tables: their messages, the trees of their rows and indexes, and whether these agree.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::chunks::in_parallel;
use super::finding::{Finding, Stage};
use super::rows::shown;
use super::shape::Shape;
use super::tree::Facts;
use super::walker::{Place, Walker, locked};
use crate::message::{Message, Node, NodeKind};
use crate::prolly::Tree;
use crate::table::{Index, Schema, TableMessage, Tuple};
use crate::{Hash, Result};

/// Tables that are kept open at once.
const LOT: usize = 256;
/// Entries that are named one by one for each table and index.
const NAMED: usize = 20;

/// A schema and what follows from it.
#[derive(Debug)]
struct Shapes {
    rows: Shape,
    indexes: Vec<(String, Shape)>,
    unsupported: Vec<(String, &'static str)>,
}

// The root node of one, the level of the node above it, and where it is.
type Subtree<'t> = (&'t Shape, Hash, u8, &'t Place);

struct Open {
    address: Hash,
    place: Place,
    // For each index.
    index_places: Vec<Place>,
    shapes: Arc<Shapes>,
    rows: Node,
    indexes: Node,
    // Address of each index's root node, as far as it is listed.
    roots: HashMap<String, Hash>,
    artifacts: Hash,
}

/// Checks tables; gives those in which something is wrong.
pub(super) fn check(walker: &Walker<'_>, tables: &[(Hash, Place)]) -> HashSet<Hash> {
    let checker = Checker {
        walker,
        artifacts: Mutex::default(),
        names: Shape::addresses(),
        shapes: Mutex::default(),
        next: AtomicU32::new(2),
    };
    let damaged = Mutex::new(HashSet::new());
    let done = AtomicU64::new(0);
    for lot in tables.chunks(LOT) {
        let open = Mutex::new(Vec::new());
        in_parallel(lot, |(address, place)| match checker.open(*address, place) {
            Some(table) => locked(&open).push(table),
            None => {
                locked(&damaged).insert(*address);
            }
        });
        let open = open.into_inner().unwrap_or_default();
        // The subtrees first, on all cores: a single large table must not keep one core busy and the others idle.
        let subtrees: Vec<Subtree<'_>> = open.iter().flat_map(|t| checker.subtrees(t)).collect();
        in_parallel(&subtrees, |(shape, hash, under, place)| {
            walker.subtree(shape, *hash, Some(*under), place);
        });
        in_parallel(&open, |table| {
            if !checker.table(table) {
                locked(&damaged).insert(table.address);
            }
        });
        let before = done.fetch_add(lot.len() as u64, Ordering::Relaxed);
        walker.watch().progress(Stage::Trees, before.saturating_add(lot.len() as u64), tables.len() as u64);
    }
    damaged.into_inner().unwrap_or_default()
}

struct Checker<'w, 'a> {
    walker: &'w Walker<'a>,
    // Nodes of merge artifacts that were looked at: level, and whether they are safe.
    artifacts: Mutex<HashMap<Hash, (u8, bool)>>,
    names: Shape,
    shapes: Mutex<HashMap<Hash, Arc<Shapes>>>,
    next: AtomicU32,
}

impl Checker<'_, '_> {
    fn open(&self, address: Hash, place: &Place) -> Option<Open> {
        let walker = self.walker;
        let message = walker.parse(place, address, TableMessage::parse)?;
        let shapes = self.shapes(message.schema, place)?;
        let node = |kind, bytes| {
            Node::parse(kind, bytes).map_err(|problem| walker.say_at(place, address, problem)).ok()
        };
        let rows = node(NodeKind::Map, message.rows)?;
        let indexes = node(NodeKind::Addresses, message.indexes)?;
        let tree = Tree::embedded(walker.snapshot, NodeKind::Addresses, indexes.clone(), address);
        let roots = named(&tree).unwrap_or_default().into_iter().collect();
        let artifacts = message.artifacts;
        let of_index = |(name, _): &(String, Shape)| Place { index: Some(name.clone()), ..place.clone() };
        let index_places = shapes.indexes.iter().map(of_index).collect();
        Some(Open { address, place: place.clone(), index_places, shapes, rows, indexes, roots, artifacts })
    }

    fn shapes(&self, hash: Hash, place: &Place) -> Option<Arc<Shapes>> {
        if let Some(known) = locked(&self.shapes).get(&hash) {
            return Some(Arc::clone(known));
        }
        let schema = self.walker.parse(place, hash, Schema::parse)?;
        let mut all = locked(&self.shapes);
        if let Some(known) = all.get(&hash) {
            return Some(Arc::clone(known));
        }
        let id = || self.next.fetch_add(1, Ordering::Relaxed);
        let reason = |index: &Index| index.unsupported.or_else(|| on_virtual(&schema, index));
        let (unsupported, usable): (Vec<_>, Vec<&Index>) =
            schema.indexes.iter().partition(|i| reason(i).is_some());
        let shapes = Arc::new(Shapes {
            rows: Shape::rows(id(), &schema, &usable),
            indexes: usable.iter().map(|i| (i.name.clone(), Shape::index(id(), &schema, i))).collect(),
            unsupported: unsupported.iter().filter_map(|i| Some((i.name.clone(), reason(i)?))).collect(),
        });
        all.insert(hash, Arc::clone(&shapes));
        Some(shapes)
    }

    fn subtrees<'t>(&self, table: &'t Open) -> Vec<Subtree<'t>> {
        let below = |node: &Node| -> Vec<(Hash, u8)> {
            let children = if node.level() == 0 { 0 } else { node.len() };
            (0..children).filter_map(|i| Some((node.address(i)?, node.level()))).collect()
        };
        let shapes = &table.shapes;
        let mut all: Vec<_> = below(&table.rows)
            .into_iter()
            .map(|(hash, under)| (&shapes.rows, hash, under, &table.place))
            .collect();
        for ((name, shape), place) in shapes.indexes.iter().zip(&table.index_places) {
            let Some(root) = table.roots.get(name) else { continue };
            let node = self.walker.read(*root).ok().and_then(|b| Node::parse(NodeKind::Map, b).ok());
            all.extend(node.iter().flat_map(below).map(|(hash, under)| (shape, hash, under, place)));
        }
        all
    }

    // False: something is wrong.
    fn table(&self, table: &Open) -> bool {
        let (walker, place) = (self.walker, &table.place);
        let rows = walker.root(&table.shapes.rows, &table.rows, table.address, place);
        let names = walker.root(&self.names, &table.indexes, table.address, place);
        let mut is_safe = rows.is_safe && names.is_safe;
        let indexes = table.shapes.indexes.iter().zip(&table.index_places);
        for (i, ((name, shape), place)) in indexes.enumerate() {
            let Some(root) = table.roots.get(name) else {
                walker.say_at(place, table.address, "the index of the schema is not listed");
                is_safe = false;
                continue;
            };
            is_safe &= self.index(table, i, shape, *root, &rows, place);
        }
        let label = place.table.clone().unwrap_or_default();
        for (name, why) in &table.shapes.unsupported {
            walker.note(format!("table {label}: the {why} {name} was not compared with the rows"));
        }
        let orders = table.shapes.indexes.iter().map(|(name, shape)| (format!("index {name}"), shape));
        for (what, shape) in orders.chain([("rows".to_owned(), &table.shapes.rows)]) {
            if matches!(shape.order, super::shape::Order::Unknown) {
                walker.note(format!(
                    "table {label}: the order of its {what} depends on a collation and was not checked"
                ));
            }
        }
        is_safe & self.artifacts(table.artifacts, None, place)
    }

    fn index(&self, table: &Open, i: usize, shape: &Shape, root: Hash, rows: &Facts, place: &Place) -> bool {
        let walker = self.walker;
        let Some(node) = walker.parse(place, root, |bytes| Node::parse(NodeKind::Map, bytes.to_vec())) else {
            return false;
        };
        let entries = walker.root(shape, &node, root, place);
        if !(rows.is_whole && rows.is_safe && entries.is_whole && entries.is_safe) {
            return rows.is_safe && entries.is_safe;
        }
        if rows.count == entries.count && rows.sums.get(i) == entries.sums.first() {
            return true;
        }
        let tree = Tree::embedded(walker.snapshot, NodeKind::Map, node, root);
        if let Err(error) = self.differences(table, i, shape, &tree, place) {
            walker.say_error(place, &error);
        }
        let problem = format!("{} rows, {} entries, and they do not agree", rows.count, entries.count);
        walker.say_at(place, root, problem);
        false
    }

    // Rows and entries one by one, to name those that have no counterpart.
    fn differences(&self, table: &Open, i: usize, shape: &Shape, index: &Tree, place: &Place) -> Result<()> {
        let walker = self.walker;
        let rows = Tree::embedded(walker.snapshot, NodeKind::Map, table.rows.clone(), table.address);
        let mut open: HashMap<u128, (i64, Option<String>)> = HashMap::new();
        let sides = [(&rows, &table.shapes.rows, i, 1), (index, shape, 0, -1)];
        for (tree, shape, at, step) in sides {
            let Some(projection) = shape.projections.get(at) else { continue };
            let mut cursor = tree.first()?;
            while let Some((node, i)) = cursor.entry() {
                if let (Ok(key), Ok(value)) = (Tuple::parse(node.key(i)), Tuple::parse(node.value(i))) {
                    let hash = walker.entry(projection, &key, &value)?;
                    let slot = open.entry(hash).or_insert((0, None));
                    slot.0 = slot.0.saturating_add(step);
                    if slot.0 == 0 {
                        open.remove(&hash);
                    } else {
                        slot.1 = shown(shape, node.key(i));
                    }
                }
                cursor.advance()?;
            }
        }
        for (surplus, key) in open.into_values().take(NAMED) {
            let problem =
                if surplus > 0 { "the row has no entry in the index" } else { "the entry has no row" };
            let Place { state, table: name, index } = place.clone();
            let chunk = Some(table.address);
            walker.say(Finding {
                problem: problem.into(),
                chunk,
                state,
                table: name,
                index,
                key,
                file: None,
            });
        }
        Ok(())
    }

    // What a merge left in a table: only that all of it is there.
    fn artifacts(&self, hash: Hash, under: Option<u8>, place: &Place) -> bool {
        if hash.is_none() {
            return true;
        }
        let walker = self.walker;
        let known = locked(&self.artifacts).get(&hash).copied();
        if let Some((_, is_safe)) = known.filter(|(level, _)| under.is_none_or(|above| *level < above)) {
            return is_safe;
        }
        let parsed = walker.parse(place, hash, |bytes| {
            let table = Message::parse(bytes, *b"ARTM")?.root(9)?;
            let keys = table.bytes(0)?;
            let held = table.u16s(2)?.into_iter().map(|at| {
                let part = crate::bytes::slice(keys, usize::from(at), Hash::LEN);
                part.and_then(Hash::from_slice).ok_or("an address is listed past the end of the keys")
            });
            Ok((table.u8(8)?, table.hashes(5)?, held.collect::<std::result::Result<Vec<_>, _>>()?))
        });
        let Some((level, children, held)) = parsed else { return false };
        if under.is_some_and(|above| level >= above) {
            walker.say_at(place, hash, format!("level {level} under a node of that level or below"));
            return false;
        }
        let mut is_safe = true;
        for child in children {
            is_safe &= self.artifacts(child, Some(level), place);
        }
        for source in held {
            let is_there = walker.snapshot.is_ghost(source) || walker.snapshot.has(source).unwrap_or(false);
            if !is_there {
                walker.say_at(place, hash, format!("a conflict names {source}, which is missing"));
            }
            is_safe &= is_there;
        }
        locked(&self.artifacts).insert(hash, (level, is_safe));
        is_safe
    }
}

/// All names of a map and where they point.
pub(super) fn named(tree: &Tree) -> Result<Vec<(String, Hash)>> {
    let mut found = Vec::new();
    let mut cursor = tree.first()?;
    while let Some((node, i)) = cursor.entry() {
        found.push((String::from_utf8_lossy(node.key(i)).into_owned(), node.address(i).unwrap_or_default()));
        cursor.advance()?;
    }
    Ok(found)
}

fn on_virtual(schema: &Schema, index: &Index) -> Option<&'static str> {
    let is_virtual = |c: &u16| schema.columns.get(usize::from(*c)).is_some_and(|c| c.is_virtual && !c.hidden);
    index.key_columns.iter().any(is_virtual).then_some("index on a virtual column")
}
