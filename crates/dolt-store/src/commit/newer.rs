//! Tests: a newer Dolt may say more in a message than we know. Written as we know it, it would be lost without a word; so
//! whatever a change would write again is looked at first, and the change is refused with the reason.

use super::Database;
use crate::chunk::{JOURNAL, ReadOptions};
use crate::message::{Node, NodeKind};
use crate::table::Row;
use crate::testing::{Damage, journal, store};
use crate::{Error, Hash, Result};

/// So many fields no message of Dolt has.
const FIELDS: usize = 40;

fn u16_at(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap()))
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    usize::try_from(u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())).unwrap()
}

fn vtable_of(bytes: &[u8], table: usize) -> usize {
    let back = i32::from_le_bytes(bytes[table..table + 4].try_into().unwrap());
    usize::try_from(i64::try_from(table).unwrap() - i64::from(back)).unwrap()
}

/// The message with one more field in its outermost table: a longer vtable behind everything else.
fn with_more(message: &[u8]) -> Vec<u8> {
    more_in(message, 4 + u32_at(message, 4))
}

/// The same in a table that a field of the outermost one names.
fn with_more_below(message: &[u8], slot: usize) -> Vec<u8> {
    let outer = 4 + u32_at(message, 4);
    let field = outer + u16_at(message, vtable_of(message, outer) + 4 + slot * 2);
    more_in(message, field + u32_at(message, field))
}

fn more_in(message: &[u8], table: usize) -> Vec<u8> {
    let (mut bytes, old) = (message.to_vec(), vtable_of(message, table));
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    let fresh = bytes.len();
    let mut vtable = message[old..old + u16_at(message, old)].to_vec();
    vtable.resize(4 + FIELDS * 2, 0);
    vtable[..2].copy_from_slice(&u16::try_from(4 + FIELDS * 2).unwrap().to_le_bytes());
    // It lies where the first field lies: some number.
    *vtable.last_chunk_mut().unwrap() = 4u16.to_le_bytes();
    bytes.extend(vtable);
    let back = i32::try_from(table).unwrap() - i32::try_from(fresh).unwrap();
    bytes[table..table + 4].copy_from_slice(&back.to_le_bytes());
    let length = u32::try_from(bytes.len() - 4).unwrap().to_be_bytes();
    bytes[1..4].copy_from_slice(&length[1..]);
    bytes
}

impl Damage {
    /// Says more in the chunk that a name leads to.
    fn more_at(&mut self, name: &str) {
        let to = self.put(with_more(self.chunk(self.target(name))));
        self.point(name, to);
    }

    fn more(&mut self, hash: Hash) {
        self.replace(hash, with_more(self.chunk(hash)));
    }

    fn head_root(&self) -> Hash {
        self.session().commit(self.target("refs/heads/main")).unwrap().root_value
    }
}

// One row of the table is taken out, and the working state written; what is refused leaves every byte where it was.
fn change_a_row(damage: &Damage, row: &Row) -> Result<()> {
    let by = super::Author { name: "t".to_owned(), email: "t@example.com".to_owned(), millis: 0 };
    let (dir, chunks) = (tempfile::tempdir().unwrap(), damage.chunks());
    let bytes = journal(&chunks, damage.root());
    store(dir.path(), "journal", &bytes, chunks.len(), damage.root());
    let mut locked = Database::try_lock(dir.path(), ReadOptions::default())?.expect("nobody else is here");
    let begun = locked.begin("main");
    let done = begun.and_then(|mut tx| {
        let before = tx.working();
        let done = tx.edit(|root| root.table("many")?.delete_row(row));
        assert_eq!(done.is_ok(), tx.working() != before, "what is refused changes nothing");
        done?;
        tx.commit_sql(&by, "a row has gone")
    });
    let after = std::fs::read(dir.path().join("noms").join(JOURNAL)).unwrap();
    assert_eq!(done.is_ok(), after != bytes);
    done
}

#[test]
fn whatever_says_more_than_we_know_is_refused_by_name_and_not_written() {
    type Change = fn(&mut Damage);
    let cases: [(&str, Change); 11] = [
        ("the store's root", |d| d.set_root(with_more(d.chunk(d.root())))),
        ("a working set", |d| d.more_at("workingSets/heads/main")),
        ("a merge under way", |d| {
            let set = with_more_below(d.chunk(d.target("workingSets/heads/main")), 6);
            let set = d.put(set);
            d.point("workingSets/heads/main", set);
        }),
        ("a working root", |d| d.more(d.working_set().working)),
        ("a commit", |d| d.more_at("refs/heads/main")),
        ("a committed root", |d| {
            let root = d.head_root();
            d.replace_below("refs/heads/main", root, with_more(d.chunk(root)));
        }),
        ("foreign keys", |d| d.more(d.working_root().foreign_keys)),
        ("a table", |d| d.more(d.table("many").0)),
        ("a schema", |d| d.more(d.table("many").1.schema)),
        ("the rows", |d| {
            d.change_table("many", |table| table.rows = with_more(&table.rows));
        }),
        ("an index", |d| {
            let names = Node::parse(NodeKind::Addresses, d.table("many").1.indexes).unwrap();
            d.more(names.address(0).expect("a table with an index"));
        }),
    ];
    for name in ["every-kind-1", "every-kind-2"] {
        let whole = Damage::of(name);
        let tables = whole.session().tables(whole.working_set().working).unwrap();
        let row = tables.open("many").unwrap().unwrap().rows().unwrap().next().unwrap().unwrap();
        change_a_row(&whole, &row).expect("nothing newer");
        for (what, change) in cases {
            let mut damage = Damage::of(name);
            change(&mut damage);
            let refused = change_a_row(&damage, &row).expect_err(what);
            assert!(
                matches!(refused, Error::BadChunk { .. } | Error::NotSupported { .. }),
                "{what}: {refused:?}"
            );
            let said = refused.to_string();
            assert!(said.contains("newer Dolt"), "{what}: {said}");
        }
    }
}
