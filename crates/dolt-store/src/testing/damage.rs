//! A database of the real Dolt with something in it replaced, and everything above made anew.

use std::collections::HashMap;

use super::{chunks_of, in_memory};
use crate::Hash;
use crate::chunk::Snapshot;
use crate::commit::Session;
use crate::message::{Builder, Node, NodeKind, RootValue, StoreRoot, WorkingSet};
use crate::prolly::{Edit, Shape, Tree, edit};
use crate::table::TableMessage;
use crate::verify::references;

/// The working set that tables are damaged in: commits keep the whole ones.
const WORKING_SET: &str = "workingSets/heads/main";

/// A database that is being damaged.
#[derive(Debug, Clone)]
pub(crate) struct Damage {
    chunks: HashMap<Hash, Vec<u8>>,
    root: Hash,
}

impl Damage {
    /// One of the databases in `tests/data`, whole.
    pub(crate) fn of(name: &str) -> Self {
        let (chunks, root) = chunks_of(name);
        Self { chunks: chunks.into_iter().collect(), root }
    }

    /// As it is now.
    pub(crate) fn snapshot(&self) -> Snapshot {
        in_memory(self.chunks.values().cloned(), self.root)
    }

    pub(crate) fn session(&self) -> Session {
        super::session(self.snapshot()).unwrap()
    }

    /// Its chunks, by address.
    pub(crate) fn chunks(&self) -> Vec<(Hash, Vec<u8>)> {
        let mut chunks: Vec<_> = self.chunks.iter().map(|(hash, bytes)| (*hash, bytes.clone())).collect();
        chunks.sort_by_key(|(hash, _)| *hash);
        chunks
    }

    pub(crate) fn root(&self) -> Hash {
        self.root
    }

    /// Another root altogether.
    pub(crate) fn set_root(&mut self, bytes: Vec<u8>) {
        self.root = self.put(bytes);
    }

    pub(crate) fn chunk(&self, hash: Hash) -> &[u8] {
        &self.chunks[&hash]
    }

    pub(crate) fn put(&mut self, bytes: Vec<u8>) -> Hash {
        let hash = Hash::of(&bytes);
        self.chunks.insert(hash, bytes);
        hash
    }

    /// Loses a chunk.
    pub(crate) fn lose(&mut self, hash: Hash) {
        self.chunks.remove(&hash).expect("a chunk that is there");
    }

    /// Where a name points.
    pub(crate) fn target(&self, name: &str) -> Hash {
        self.session().resolve_exact(name).unwrap().unwrap_or_else(|| panic!("no {name}"))
    }

    /// Makes a name point elsewhere.
    pub(crate) fn point(&mut self, name: &str, to: Hash) {
        let session = self.session();
        let store_root = StoreRoot::parse(self.chunk(self.root)).unwrap();
        let tree = Tree::embedded(session.snapshot(), NodeKind::Addresses, store_root.refs, self.root);
        let edits = vec![Edit::put(name.as_bytes().to_vec(), to.as_bytes().to_vec())];
        let refs = edit(&tree, Shape::ADDRESSES, session.snapshot(), edits).unwrap();
        let refs = session.snapshot().chunk(refs).unwrap();
        self.set_root(StoreRoot::message(&refs));
    }

    /// Replaces a chunk below a name, and whatever refers to it. Gives the address of the new one.
    pub(crate) fn replace_below(&mut self, name: &str, old: Hash, new: Vec<u8>) -> Hash {
        let target = self.target(name);
        let path = self.path(target, old).unwrap_or_else(|| panic!("{old} is not below {name}"));
        let replaced = self.put(new);
        let (mut from, mut to) = (old, replaced);
        for parent in path.into_iter().rev() {
            let mut bytes = self.chunk(parent).to_vec();
            let found = (0..=bytes.len() - Hash::LEN).filter(|at| bytes[*at..].starts_with(from.as_bytes()));
            for at in found.collect::<Vec<_>>() {
                bytes[at..at + Hash::LEN].copy_from_slice(to.as_bytes());
            }
            (from, to) = (parent, self.put(bytes));
        }
        self.point(name, to);
        replaced
    }

    /// The same in the working set.
    pub(crate) fn replace(&mut self, old: Hash, new: Vec<u8>) -> Hash {
        self.replace_below(WORKING_SET, old, new)
    }

    // The chunks from one to another that refer to each other, without the last.
    fn path(&self, from: Hash, to: Hash) -> Option<Vec<Hash>> {
        let mut came_from: HashMap<Hash, Hash> = HashMap::new();
        let mut waiting = std::collections::VecDeque::from([from]);
        while let Some(hash) = waiting.pop_front() {
            if hash == to {
                let mut path: Vec<Hash> =
                    std::iter::successors(Some(to), |h| came_from.get(h).copied()).collect();
                path.reverse();
                path.pop();
                return Some(path);
            }
            let below = self.chunks.get(&hash).map(|bytes| references(bytes).unwrap()).unwrap_or_default();
            for child in below {
                if child != from && !came_from.contains_key(&child) {
                    came_from.insert(child, hash);
                    waiting.push_back(child);
                }
            }
        }
        None
    }

    pub(crate) fn working_set(&self) -> WorkingSet {
        WorkingSet::parse(self.chunk(self.target(WORKING_SET))).unwrap()
    }

    pub(crate) fn working_root(&self) -> RootValue {
        RootValue::parse(self.chunk(self.working_set().working)).unwrap()
    }

    /// A table of the working set: its address and what it says.
    pub(crate) fn table(&self, name: &str) -> (Hash, TableMessage) {
        let tables = self.session().tables(self.working_set().working).unwrap();
        let address = tables.address(name).unwrap().unwrap_or_else(|| panic!("no table {name}"));
        (address, TableMessage::parse(self.chunk(address)).unwrap())
    }

    /// Makes that table another.
    pub(crate) fn change_table(&mut self, name: &str, change: impl FnOnce(&mut TableMessage)) -> Hash {
        let (address, mut message) = self.table(name);
        change(&mut message);
        self.replace(address, table_message(&message))
    }

    /// The root node of one of its indexes.
    pub(crate) fn index(&self, table: &str, index: &str) -> Hash {
        let (_, message) = self.table(table);
        let names = Node::parse(NodeKind::Addresses, message.indexes).unwrap();
        let at = (0..names.len()).find(|i| names.key(*i) == index.as_bytes()).expect("an index of that name");
        names.address(at).unwrap()
    }

    pub(crate) fn node(&self, kind: NodeKind, hash: Hash) -> Node {
        Node::parse(kind, self.chunk(hash).to_vec()).unwrap()
    }
}

/// The message of a table without conflicts (Dolt `go/libraries/doltcore/doltdb/durable/table.go`).
fn table_message(table: &TableMessage) -> Vec<u8> {
    let mut b = Builder::new();
    let schema = b.bytes(table.schema.as_bytes());
    let rows = b.bytes(&table.rows);
    let indexes = b.bytes(&table.indexes);
    let none: Vec<_> = (0..4).map(|_| b.bytes(Hash::NONE.as_bytes())).collect();
    b.begin();
    for (slot, none) in none.into_iter().enumerate() {
        b.add(slot, none);
    }
    let conflicts = b.end();
    let violations = b.bytes(Hash::NONE.as_bytes());
    let artifacts = b.bytes(table.artifacts.as_bytes());
    b.begin();
    b.add(0, schema);
    b.add(1, rows);
    b.add(2, indexes);
    b.add_u64(3, table.auto_increment);
    b.add(4, conflicts);
    b.add(5, violations);
    b.add(6, artifacts);
    let root = b.end();
    b.finish(root, *b"DTBL")
}

/// The message of a working set with all that may be under way in it (Dolt `go/store/datas/workingset.go`).
pub(crate) fn working_set_message(set: &WorkingSet) -> Vec<u8> {
    let mut b = Builder::new();
    let working = b.bytes(set.working.as_bytes());
    let staged = b.bytes(set.staged.as_bytes());
    let merge = set.merge.as_ref().map(|merge| {
        let before = b.bytes(merge.pre_working_root.as_bytes());
        let from = b.bytes(merge.from_commit.as_bytes());
        let spec = b.string(&merge.from_spec);
        let unmergable = strings(&mut b, &merge.unmergable_tables);
        let head = (!merge.head_before.is_none()).then(|| b.bytes(merge.head_before.as_bytes()));
        let pending: Vec<String> = merge.pending.iter().map(Hash::to_string).collect();
        let pending = (!pending.is_empty()).then(|| strings(&mut b, &pending));
        b.begin();
        b.add(0, before);
        b.add(1, from);
        b.add(2, spec);
        b.add(3, unmergable);
        b.add_u8(4, merge.is_cherry_pick.into());
        b.add_u8(5, merge.is_revert.into());
        b.add_if(6, head);
        b.add_if(7, pending);
        b.end()
    });
    let rebase = set.rebase.as_ref().map(|rebase| {
        let before = b.bytes(rebase.pre_working_root.as_bytes());
        let onto = b.bytes(rebase.onto_commit.as_bytes());
        let branch = b.bytes(rebase.branch.as_bytes());
        b.begin();
        b.add(0, before);
        b.add(1, branch);
        b.add(2, onto);
        b.end()
    });
    let [name, email, description] =
        [&set.name, &set.email, &set.description].map(|text| text.as_ref().map(|text| b.string(text)));
    b.begin();
    b.add(0, working);
    b.add(1, staged);
    b.add_if(6, merge);
    b.add_if(7, rebase);
    b.add_if(2, name);
    b.add_if(3, email);
    b.add_if(4, description);
    b.add_u64(5, set.seconds);
    let root = b.end();
    b.finish(root, *b"WRST")
}

fn strings(b: &mut Builder, texts: &[String]) -> crate::message::Offset {
    let mut items: Vec<_> = texts.iter().rev().map(|text| b.string(text)).collect();
    items.reverse();
    b.offsets(&items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_changed_keeps_dolts_address() {
        for name in ["every-kind-1", "every-kind-2"] {
            let mut whole = Damage::of(name);
            for table in ["many", "long_values", "keyless", "fought", "empty_one"] {
                let before = whole.table(table).0;
                assert_eq!(whole.change_table(table, |_| {}), before, "{name} {table}");
            }
            let set = whole.working_set();
            assert!(set.merge.is_some());
            assert_eq!(Hash::of(&working_set_message(&set)), whole.target(WORKING_SET), "{name}");
        }
    }
}
