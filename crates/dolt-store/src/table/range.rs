//! Parts of a table's or an index's keys: where they begin and end, and how many entries lie between.

use std::cmp::Ordering;
use std::ops::Bound;

use super::order::{KeyOrder, Sought};
use super::row::Direction;
use super::value::Value;
use crate::Result;
use crate::prolly::{Cursor, Tree};

/// A part of the keys, in key order.
///
/// A bound may have fewer values than the key has columns. It then stands for all keys that begin with them: `Included`
/// takes them all in, `Excluded` leaves them all out.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyRange {
    /// Where it begins.
    pub from: Bound<Vec<Value>>,
    /// Where it ends.
    pub to: Bound<Vec<Value>>,
}

impl KeyRange {
    /// All keys.
    pub const ALL: Self = Self { from: Bound::Unbounded, to: Bound::Unbounded };

    /// The keys that begin with these values; with as many values as columns: the key itself.
    pub fn prefix(values: &[Value]) -> Self {
        Self { from: Bound::Included(values.to_vec()), to: Bound::Included(values.to_vec()) }
    }

    /// The bounds as bytes of keys. `None`: a value cannot be of its column, or there are more of them than columns.
    pub(super) fn in_order(&self, order: &KeyOrder) -> Option<Bounds> {
        let one = |bound: &Bound<Vec<Value>>| {
            Some(match bound {
                Bound::Unbounded => Bound::Unbounded,
                Bound::Included(values) => Bound::Included(order.sought(values)?),
                Bound::Excluded(values) => Bound::Excluded(order.sought(values)?),
            })
        };
        Some(Bounds { from: one(&self.from)?, to: one(&self.to)? })
    }
}

/// A range as bytes of keys.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    pub(super) from: Bound<Sought>,
    pub(super) to: Bound<Sought>,
}

impl Bounds {
    /// The keys that begin with these fields.
    pub(super) fn prefix(fields: Sought) -> Self {
        Self { from: Bound::Included(fields.clone()), to: Bound::Included(fields) }
    }

    fn is_before(&self, order: &KeyOrder, key: &[u8]) -> bool {
        match &self.from {
            Bound::Unbounded => false,
            Bound::Included(fields) => order.compare(key, fields) == Ordering::Less,
            Bound::Excluded(fields) => order.compare(key, fields) != Ordering::Greater,
        }
    }

    fn is_behind(&self, order: &KeyOrder, key: &[u8]) -> bool {
        match &self.to {
            Bound::Unbounded => false,
            Bound::Included(fields) => order.compare(key, fields) == Ordering::Greater,
            Bound::Excluded(fields) => order.compare(key, fields) != Ordering::Less,
        }
    }

    /// Whether a key that a walk came to is past the end at which it stops.
    pub(super) fn is_past(&self, order: &KeyOrder, key: &[u8], direction: Direction) -> bool {
        match direction {
            Direction::Forward => self.is_behind(order, key),
            Direction::Backward => self.is_before(order, key),
        }
    }

    /// A cursor where a walk in this direction begins.
    pub(super) fn enter<'t>(
        &self,
        order: &KeyOrder,
        tree: &'t Tree,
        direction: Direction,
    ) -> Result<Cursor<'t>> {
        match direction {
            Direction::Forward => self.start(order, tree),
            Direction::Backward => {
                let mut cursor = self.end(order, tree)?;
                if cursor.entry().is_none() {
                    return tree.last();
                }
                cursor.retreat()?;
                Ok(cursor)
            }
        }
    }

    /// How many entries lie in it: two walks from the root, however many there are.
    pub(super) fn count(&self, order: &KeyOrder, tree: &Tree) -> Result<u64> {
        Ok(self.end(order, tree)?.rank().saturating_sub(self.start(order, tree)?.rank()))
    }

    // On the first key that is not before it.
    fn start<'t>(&self, order: &KeyOrder, tree: &'t Tree) -> Result<Cursor<'t>> {
        tree.seek(|key| if self.is_before(order, key) { Ordering::Less } else { Ordering::Greater })
    }

    // On the first key that is behind it.
    fn end<'t>(&self, order: &KeyOrder, tree: &'t Tree) -> Result<Cursor<'t>> {
        tree.seek(|key| if self.is_behind(order, key) { Ordering::Greater } else { Ordering::Less })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::Hash;
    use crate::chunk::Snapshot;
    use crate::message::NodeKind;
    use crate::testing::{in_memory, inner, leaf};

    type Pair = (i32, i32);

    fn key((a, b): Pair) -> Vec<u8> {
        [&a.to_le_bytes()[..], &b.to_le_bytes(), &[4, 0, 2, 0]].concat()
    }

    fn pair(key: &[u8]) -> Pair {
        let number = |at: usize| i32::from_le_bytes(key[at..at + 4].try_into().unwrap());
        (number(0), number(4))
    }

    // Small nodes make high trees: every bound comes to lie at the edge of some node.
    fn tree(keys: &BTreeSet<Pair>, per_node: usize) -> (Snapshot, Hash) {
        let keys: Vec<Vec<u8>> = keys.iter().map(|k| key(*k)).collect();
        let mut chunks = Vec::new();
        let mut level: Vec<(Vec<u8>, Hash, u64)> = Vec::new();
        for some in keys.chunks(per_node) {
            let entries: Vec<_> = some.iter().map(|k| (k.clone(), b"\0\0".to_vec())).collect();
            chunks.push(leaf(NodeKind::Map, &entries, &[]));
            level.push((some.last().unwrap().clone(), Hash::of(chunks.last().unwrap()), some.len() as u64));
        }
        let mut height = 1;
        while level.len() > 1 {
            let above = level.chunks(per_node.max(2)).map(|children| {
                let node = inner(NodeKind::Map, height, children);
                let parent =
                    (children.last().unwrap().0.clone(), Hash::of(&node), children.iter().map(|c| c.2).sum());
                chunks.push(node);
                parent
            });
            level = above.collect();
            height += 1;
        }
        if level.is_empty() {
            chunks.push(leaf(NodeKind::Map, &[], &[]));
            level.push((Vec::new(), Hash::of(chunks.last().unwrap()), 0));
        }
        let root = level[0].1;
        (in_memory(chunks, root), root)
    }

    fn bound() -> impl Strategy<Value = Bound<Vec<i32>>> {
        let values = prop::collection::vec(-4i32..5, 0..3);
        prop_oneof![
            Just(Bound::Unbounded),
            values.clone().prop_map(Bound::Included),
            values.prop_map(Bound::Excluded)
        ]
    }

    // How a pair compares with the first numbers of one.
    fn order((a, b): Pair, with: &[i32]) -> Ordering {
        [a, b].iter().zip(with).map(|(x, y)| x.cmp(y)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
    }

    fn holds(range: &(Bound<Vec<i32>>, Bound<Vec<i32>>), pair: Pair) -> bool {
        let begins = match &range.0 {
            Bound::Unbounded => true,
            Bound::Included(with) => order(pair, with).is_ge(),
            Bound::Excluded(with) => order(pair, with).is_gt(),
        };
        begins
            && match &range.1 {
                Bound::Unbounded => true,
                Bound::Included(with) => order(pair, with).is_le(),
                Bound::Excluded(with) => order(pair, with).is_lt(),
            }
    }

    proptest! {
        #[test]
        fn walks_counts_and_positions_are_those_of_a_sorted_list(
            keys in prop::collection::btree_set((-4i32..5, -4i32..5), 0..60),
            per_node in 1usize..5,
            range in (bound(), bound()),
            position in 0u64..70,
        ) {
            let (snapshot, root) = tree(&keys, per_node);
            let tree = Tree::open(&snapshot, NodeKind::Map, root).unwrap();
            let known = KeyOrder::of_numbers(2);
            let values = |bound: &Bound<Vec<i32>>| match bound {
                Bound::Unbounded => Bound::Unbounded,
                Bound::Included(v) => Bound::Included(v.iter().map(|n| Value::Int((*n).into())).collect()),
                Bound::Excluded(v) => Bound::Excluded(v.iter().map(|n| Value::Int((*n).into())).collect()),
            };
            let bounds = KeyRange { from: values(&range.0), to: values(&range.1) }.in_order(&known).unwrap();
            let expected: Vec<Pair> = keys.iter().copied().filter(|p| holds(&range, *p)).collect();
            for direction in [Direction::Forward, Direction::Backward] {
                let mut cursor = bounds.enter(&known, &tree, direction).unwrap();
                let mut found = Vec::new();
                while let Some((node, i)) = cursor.entry() {
                    if bounds.is_past(&known, node.key(i), direction) {
                        break;
                    }
                    found.push(pair(node.key(i)));
                    match direction {
                        Direction::Forward => cursor.advance().unwrap(),
                        Direction::Backward => cursor.retreat().unwrap(),
                    }
                }
                if direction == Direction::Backward {
                    found.reverse();
                }
                prop_assert_eq!(&found, &expected, "{:?}", direction);
            }
            // A range that ends before it begins holds nothing.
            prop_assert_eq!(bounds.count(&known, &tree).unwrap(), expected.len() as u64);
            let at = tree.nth(position).unwrap();
            let nth = keys.iter().nth(usize::try_from(position).unwrap()).copied();
            prop_assert_eq!(at.entry().map(|(node, i)| pair(node.key(i))), nth);
            prop_assert_eq!(at.rank(), position.min(keys.len() as u64));
        }
    }
}
