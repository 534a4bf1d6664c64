//! A tree with changes that are not in it yet. They are kept in the tree's order, so that the tree is edited once, and what
//! is asked meanwhile sees them. What could go wrong: an order of keys that is not known; it is refused when a tree is opened.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::chunk::Snapshot;
use crate::prolly::{Edit, Shape, Tree, edit};
use crate::table::Table;
use crate::table::order::{KeyOrder, Sought};
use crate::{Hash, Result};

/// Key and value of an entry.
pub(super) type Entry = (Vec<u8>, Vec<u8>);

/// A tree being changed.
pub(super) struct TreeEdits {
    tree: Tree,
    order: Rc<KeyOrder>,
    // By sort key.
    pending: BTreeMap<Vec<u8>, Pending>,
}

// No value: the entry is to go.
#[derive(Clone)]
struct Pending {
    key: Vec<u8>,
    value: Option<Vec<u8>>,
}

/// What a change has replaced.
pub(super) struct Undo {
    at: Vec<u8>,
    before: Option<Pending>,
}

impl TreeEdits {
    pub(super) fn new(table: &Table, tree: Tree, order: KeyOrder, of: &str) -> Result<Self> {
        match order.problem() {
            None => Ok(Self { tree, order: Rc::new(order), pending: BTreeMap::new() }),
            Some(problem) => Err(table.not_supported(&format!("writing {of}: {problem}"))),
        }
    }

    pub(super) fn is_changed(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Puts an entry, or removes it.
    pub(super) fn set(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) -> Undo {
        let at = self.order.sort_key_of(&key);
        let before = self.pending.insert(at.clone(), Pending { key, value });
        Undo { at, before }
    }

    /// Takes a change back. Of several the last one first.
    pub(super) fn undo(&mut self, undo: Undo) {
        match undo.before {
            Some(before) => self.pending.insert(undo.at, before),
            None => self.pending.remove(&undo.at),
        };
    }

    /// The value under this key.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        if self.is_changed()
            && let Some(pending) = self.pending.get(&self.order.sort_key_of(key))
        {
            return Ok(pending.value.clone());
        }
        let found = self.tree.get(|k| self.order.compare_keys(k, key))?;
        Ok(found.map(|(node, i)| node.value(i).to_vec()))
    }

    /// The first entry whose key begins with these fields.
    pub(super) fn first_with(&self, fields: &Sought) -> Result<Option<Entry>> {
        Ok(self.up_to(fields, 1)?.into_iter().next())
    }

    /// All entries whose keys begin with these fields, in no order.
    pub(super) fn all_with(&self, fields: &Sought) -> Result<Vec<Entry>> {
        self.up_to(fields, usize::MAX)
    }

    fn up_to(&self, fields: &Sought, limit: usize) -> Result<Vec<Entry>> {
        let prefix = self.order.sort_key(fields.iter().map(Option::as_deref));
        let near = self.pending.range(prefix.clone()..).take_while(|(at, _)| at.starts_with(&prefix));
        let mut found: Vec<Entry> =
            near.filter_map(|(_, p)| Some((p.key.clone(), p.value.clone()?))).take(limit).collect();
        let mut cursor = self.tree.seek(|key| self.order.compare(key, fields))?;
        while found.len() < limit {
            let Some((node, i)) = cursor.entry() else { break };
            let key = node.key(i);
            if self.order.compare(key, fields).is_ne() {
                break;
            }
            if !self.is_changed() || !self.pending.contains_key(&self.order.sort_key_of(key)) {
                found.push((key.to_vec(), node.value(i).to_vec()));
            }
            cursor.advance()?;
        }
        Ok(found)
    }

    /// All entries, for want of another way; in no order.
    pub(super) fn all(&self) -> Result<Vec<Entry>> {
        self.all_with(&Vec::new())
    }

    /// Edits the tree. Gives the address of its root.
    pub(super) fn finish(
        self,
        draft: &Snapshot,
        addresses_in: &dyn Fn(&[u8]) -> Result<Vec<usize>>,
    ) -> Result<Hash> {
        let compare = |a: &[u8], b: &[u8]| self.order.compare_keys(a, b);
        let shape = Shape { kind: crate::message::NodeKind::Map, compare: &compare, addresses_in };
        let edits = self.pending.into_values().map(|p| match p.value {
            Some(value) => Edit::put(p.key, value),
            None => Edit::delete(p.key),
        });
        edit(&self.tree, shape, draft, edits.collect())
    }
}
