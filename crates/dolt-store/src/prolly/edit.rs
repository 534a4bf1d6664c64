//! Changes to a tree that touch only what changes, and give exactly the tree that a build from nothing gives.
//!
//! Where a node ends depends on its own entries alone. So each level is rebuilt from the beginning of the node that holds
//! the first change, until a rebuilt node ends where an old one did and the next change lies behind the old node that
//! follows. The nodes that were replaced are the changes of the level above.

use std::cmp::Ordering;
use std::sync::Arc;

use super::build::{Builder, collapsed};
use super::level::{Level, Shape, Written, empty};
use super::splitter::{MAX_BYTES, NODE_BYTES};
use super::tree::{Tree, load};
use crate::chunk::Snapshot;
use crate::message::Node;
use crate::{Error, Hash, Result};

/// A change of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) key: Vec<u8>,
    /// What is to stand there; `None`: nothing.
    pub(crate) value: Option<Vec<u8>>,
    // Entries below: 1 in a leaf.
    count: u64,
}

impl Edit {
    pub(crate) fn put(key: Vec<u8>, value: Vec<u8>) -> Self {
        Self { key, value: Some(value), count: 1 }
    }

    pub(crate) fn delete(key: Vec<u8>) -> Self {
        Self { key, value: None, count: 0 }
    }
}

/// A node ended before an entry that did not fit only if that entry is as large as this. Then the node before it has to be
/// built anew too.
const LARGE_ENTRY: usize = NODE_BYTES - 2 * MAX_BYTES;

/// Applies changes, sorted, each key once. Gives the address of the new root.
pub(crate) fn edit(tree: &Tree, shape: Shape<'_>, draft: &Snapshot, edits: Vec<Edit>) -> Result<Hash> {
    let top = tree.root().level();
    let mut edits = edits;
    for level in 0..=top {
        if edits.is_empty() {
            return tree_root(tree, draft);
        }
        let rebuilt = Rebuilt::of(tree, shape, draft, level, &edits)?;
        if level < top {
            edits = rebuilt.edits_above(shape);
            continue;
        }
        let root = match rebuilt.written.as_slice() {
            [] => return empty(&shape, draft),
            [one] => one.address,
            many => {
                let mut builder = Builder::above(shape, draft, level);
                many.iter().try_for_each(|node| builder.add_node(node))?;
                builder.finish()?
            }
        };
        return collapsed(shape, draft, root);
    }
    tree_root(tree, draft)
}

// The root may be embedded in another chunk, and not yet be one itself.
fn tree_root(tree: &Tree, draft: &Snapshot) -> Result<Hash> {
    draft.put(tree.root().bytes().to_vec())
}

// What became of one level.
#[derive(Default)]
struct Rebuilt {
    // Last key, address and count of the nodes that are no longer there.
    replaced: Vec<Written>,
    written: Vec<Written>,
}

impl Rebuilt {
    fn of(tree: &Tree, shape: Shape<'_>, draft: &Snapshot, level: u8, edits: &[Edit]) -> Result<Self> {
        let mut done = Self::default();
        let mut builder = Level::new(shape, draft, level);
        let mut edits = edits.iter().peekable();
        while let Some(next) = edits.peek() {
            let mut cursor = Nodes::at(tree, shape, level, &next.key)?;
            let is_done = |node: &Node, done: &Self| {
                let last = done.replaced.last();
                last.is_some_and(|w| (shape.compare)(last_key(node), &w.last_key) != Ordering::Greater)
            };
            while entry_bytes(&cursor.node, 0) >= LARGE_ENTRY {
                let Some(before) = cursor.before(tree)? else { break };
                if is_done(&before.node, &done) {
                    break;
                }
                cursor = before;
            }
            loop {
                let node = Arc::clone(&cursor.node);
                done.replaced.extend(cursor.place());
                for i in 0..node.len() {
                    let key = node.key(i);
                    while let Some(e) = edits.next_if(|e| (shape.compare)(&e.key, key) == Ordering::Less) {
                        done.apply(&mut builder, e)?;
                    }
                    if let Some(e) = edits.next_if(|e| (shape.compare)(&e.key, key) == Ordering::Equal) {
                        done.apply(&mut builder, e)?;
                    } else {
                        let ended = builder.add(key, entry_value(&node, i).as_ref(), node.count_below(i))?;
                        done.written.extend(ended.into_iter().flatten());
                    }
                }
                let Some(following) = cursor.following(tree)? else {
                    for e in edits.by_ref() {
                        done.apply(&mut builder, e)?;
                    }
                    break;
                };
                if builder.is_empty() {
                    break;
                }
                cursor = following;
            }
        }
        done.written.extend(builder.cut()?);
        Ok(done)
    }

    fn apply(&mut self, builder: &mut Level<'_>, edit: &Edit) -> Result<()> {
        if let Some(value) = &edit.value {
            self.written.extend(builder.add(&edit.key, value, edit.count)?.into_iter().flatten());
        }
        Ok(())
    }

    // The changes of the level above. A node that came out as it was is none.
    fn edits_above(self, shape: Shape<'_>) -> Vec<Edit> {
        let mut edits = Vec::new();
        let mut written = self.written.into_iter().peekable();
        let put =
            |w: Written| Edit { key: w.last_key, value: Some(w.address.as_bytes().to_vec()), count: w.count };
        for old in self.replaced {
            while let Some(new) =
                written.next_if(|new| (shape.compare)(&new.last_key, &old.last_key) == Ordering::Less)
            {
                edits.push(put(new));
            }
            match written.next_if(|new| (shape.compare)(&new.last_key, &old.last_key) == Ordering::Equal) {
                Some(new) if new == old => {}
                Some(new) => edits.push(put(new)),
                None => edits.push(Edit::delete(old.last_key)),
            }
        }
        edits.extend(written.map(put));
        edits
    }
}

fn last_key(node: &Node) -> &[u8] {
    node.key(node.len().saturating_sub(1))
}

fn entry_bytes(node: &Node, i: usize) -> usize {
    node.key(i).len().saturating_add(entry_value(node, i).as_ref().len())
}

// A map's leaf holds values; every other node addresses; a closure's leaf nothing.
fn entry_value(node: &Node, i: usize) -> EntryValue<'_> {
    node.address(i).map_or_else(|| EntryValue::Bytes(node.value(i)), EntryValue::Address)
}

enum EntryValue<'n> {
    Bytes(&'n [u8]),
    Address(Hash),
}

impl AsRef<[u8]> for EntryValue<'_> {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Address(hash) => hash.as_bytes(),
        }
    }
}

// A node of one level, and the way to it from the root.
struct Nodes {
    level: u8,
    path: Vec<(Arc<Node>, usize)>,
    node: Arc<Node>,
}

impl Nodes {
    // The node into whose range the key falls; behind the last one: the last one.
    fn at(tree: &Tree, shape: Shape<'_>, level: u8, key: &[u8]) -> Result<Self> {
        let mut this = Self { level, path: Vec::new(), node: Arc::clone(tree.root()) };
        this.descend(tree, |node| {
            let (mut low, mut high) = (0usize, node.len().saturating_sub(1));
            while low < high {
                let middle = low.midpoint(high);
                if (shape.compare)(node.key(middle), key) == Ordering::Less {
                    low = middle.saturating_add(1);
                } else {
                    high = middle;
                }
            }
            low
        })?;
        Ok(this)
    }

    fn descend(&mut self, tree: &Tree, pick: impl Fn(&Node) -> usize) -> Result<()> {
        while self.node.level() > self.level {
            let i = pick(&self.node);
            let address =
                self.node.address(i).ok_or_else(|| broken(tree, "an inner node without children"))?;
            let child = load(tree.snapshot(), tree.kind(), address)?;
            if child.level() >= self.node.level() {
                return Err(broken(tree, "a child that is not below its parent"));
            }
            let parent = std::mem::replace(&mut self.node, child);
            self.path.push((parent, i));
        }
        Ok(())
    }

    fn step(&self, tree: &Tree, forward: bool) -> Result<Option<Self>> {
        let mut path = self.path.clone();
        while let Some((parent, i)) = path.pop() {
            let next =
                if forward { i.checked_add(1).filter(|n| *n < parent.len()) } else { i.checked_sub(1) };
            let Some(next) = next else { continue };
            let address =
                parent.address(next).ok_or_else(|| broken(tree, "an inner node without children"))?;
            let node = load(tree.snapshot(), tree.kind(), address)?;
            path.push((parent, next));
            let mut there = Self { level: self.level, path, node };
            there.descend(tree, |node| if forward { 0 } else { node.len().saturating_sub(1) })?;
            return Ok(Some(there));
        }
        Ok(None)
    }

    fn following(&self, tree: &Tree) -> Result<Option<Self>> {
        self.step(tree, true)
    }

    fn before(&self, tree: &Tree) -> Result<Option<Self>> {
        self.step(tree, false)
    }

    // How the level above knows it. The root: nobody does.
    fn place(&self) -> Option<Written> {
        let (parent, i) = self.path.last()?;
        let (last_key, address) = (parent.key(*i).to_vec(), parent.address(*i)?);
        Some(Written { last_key, address, count: parent.count_below(*i) })
    }
}

fn broken(tree: &Tree, problem: &str) -> Error {
    Error::BadChunk { hash: tree.address(), problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::NodeKind;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    type Content = BTreeMap<Vec<u8>, Vec<u8>>;

    const SHAPE: Shape<'static> =
        Shape { kind: NodeKind::Map, compare: &|a, b| a.cmp(b), addresses_in: &|_| Ok(Vec::new()) };

    fn built(draft: &Snapshot, content: &Content) -> Hash {
        let entries = content.iter().map(|(k, v)| (k.as_slice(), v.as_slice()));
        super::super::build::build(SHAPE, draft, entries).unwrap()
    }

    fn edited(
        draft: &Snapshot,
        root: Hash,
        content: &mut Content,
        edits: &Content,
        deleted: &[Vec<u8>],
    ) -> Hash {
        let tree = Tree::open(draft, NodeKind::Map, root).unwrap();
        let mut all: BTreeMap<&Vec<u8>, Edit> =
            edits.iter().map(|(k, v)| (k, Edit::put(k.clone(), v.clone()))).collect();
        all.extend(deleted.iter().map(|k| (k, Edit::delete(k.clone()))));
        for (key, change) in &all {
            match &change.value {
                Some(value) => content.insert((*key).clone(), value.clone()),
                None => content.remove(*key),
            };
        }
        edit(&tree, SHAPE, draft, all.into_values().collect()).unwrap()
    }

    fn key() -> impl Strategy<Value = Vec<u8>> {
        (0u32..4000).prop_map(|n| n.to_be_bytes().to_vec())
    }

    // Mostly small values, some of which one or two fill a node.
    fn value() -> impl Strategy<Value = Vec<u8>> {
        let bytes = prop_oneof![30 => 0usize..250, 1 => 15_000usize..17_000, 1 => 48_000usize..65_000];
        (any::<u8>(), bytes).prop_map(|(byte, len)| vec![byte; len])
    }

    fn entries(count: std::ops::Range<usize>) -> impl Strategy<Value = Content> {
        prop::collection::btree_map(key(), value(), count)
    }

    // What is put, and what is deleted.
    type Step = (Content, Vec<Vec<u8>>);

    fn history() -> impl Strategy<Value = (Content, Vec<Step>)> {
        let step = (entries(0..20), prop::collection::vec(key(), 0..200));
        (entries(0..600), prop::collection::vec(step, 1..5))
    }

    fn is_independent_of_its_history(first: Content, steps: Vec<Step>) {
        let draft = Snapshot::empty();
        let mut content = first;
        let mut root = built(&draft, &content);
        for (puts, deletes) in steps {
            root = edited(&draft, root, &mut content, &puts, &deletes);
            assert_eq!(root, built(&draft, &content), "{} entries", content.len());
        }
        // And to nothing at last.
        let all: Vec<_> = content.keys().cloned().collect();
        let root = edited(&draft, root, &mut content, &Content::new(), &all);
        assert_eq!(root.to_string(), "52qkcc17dcqtblc9aml4so2jrooun338");
    }

    #[test]
    fn a_hundred_thousand_entries_give_the_same_tree_in_any_order() {
        const COUNT: u32 = 100_000;
        let (draft, mut content) = (Snapshot::empty(), Content::new());
        let entry = |n: u32| (n.to_be_bytes().to_vec(), Hash::of(&n.to_le_bytes()).as_bytes().to_vec());
        let wanted = built(&draft, &(0..COUNT).map(entry).collect());
        let mut root = built(&draft, &content);
        // In seven portions that lie all over, with entries that go again and others that are at first something else.
        for portion in 0..7 {
            let own = |n: &u32| n % 7 == portion * 3 % 7;
            let mut puts: Content = (0..COUNT).filter(own).map(entry).collect();
            puts.extend((COUNT..COUNT + 50).map(|n| entry(n * 37)));
            puts.extend((0..20).map(|n| (entry((n * 4_999 + portion) % COUNT).0, vec![0; 60])));
            root = edited(&draft, root, &mut content, &puts, &[]);
        }
        let gone: Vec<Vec<u8>> =
            content.keys().filter(|key| **key >= COUNT.to_be_bytes().to_vec()).cloned().collect();
        let changed = content.iter().filter(|(_, value)| value.len() == 60).map(|(key, _)| key.clone());
        let right: Content = changed.map(|key| entry(u32::from_be_bytes(key.try_into().unwrap()))).collect();
        assert!(gone.len() >= 50 && right.len() >= 20);
        root = edited(&draft, root, &mut content, &right, &gone);
        assert_eq!(root, wanted);
        // And changed in one run of edits that are far apart, and back.
        let there: Content = (0..COUNT).step_by(997).map(|n| (entry(n).0, b"other".to_vec())).collect();
        let back: Content = (0..COUNT).step_by(997).map(entry).collect();
        let other = edited(&draft, root, &mut content, &there, &[]);
        assert_ne!(other, wanted);
        assert_eq!(edited(&draft, other, &mut content, &back, &[]), wanted);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn any_history_of_changes_gives_the_tree_that_a_build_gives((first, steps) in history()) {
            is_independent_of_its_history(first, steps);
        }
    }
}
