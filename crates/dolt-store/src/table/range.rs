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
