//! A table of one root value.

use super::foreign_key::{self, ForeignKey};
use super::order::KeyOrder;
use super::projection::Projection;
use super::row::{Layout, Row};
use super::schema::{Column, Encoding, Schema, TableMessage};
use super::value::Value;
use crate::chunk::Snapshot;
use crate::commit::Session;
use crate::message::{NEWER, Node, NodeKind, RootValue};
use crate::prolly::{Edit, Shape, Tree, edit};
use crate::{Error, Hash, Result};

/// The tables of one root value.
#[derive(Debug, Clone)]
pub struct Tables {
    snapshot: Snapshot,
    root: RootValue,
    map: Tree,
}

impl Session {
    /// The tables of a root value by its address.
    pub fn tables(&self, root: Hash) -> Result<Tables> {
        let value = self.root_value(root)?;
        let map = Tree::embedded(self.snapshot(), NodeKind::Addresses, value.tables.clone(), root);
        Ok(Tables { snapshot: self.snapshot().clone(), root: value, map })
    }
}

impl Tables {
    /// Their names, bytewise sorted.
    pub fn names(&self) -> Result<Vec<String>> {
        Ok(self.addresses()?.into_iter().map(|(name, _)| name).collect())
    }

    /// Their names and the addresses of their messages, sorted by name.
    pub fn addresses(&self) -> Result<Vec<(String, Hash)>> {
        let mut found = Vec::new();
        let mut cursor = self.map.first()?;
        while let Some((node, i)) = cursor.entry() {
            found.push((shown_name(node.key(i)), node.address(i).unwrap_or_default()));
            cursor.advance()?;
        }
        Ok(found)
    }

    /// The address of a table's message; equal addresses are equal tables.
    pub fn address(&self, name: &str) -> Result<Option<Hash>> {
        let mut found = self.map.get(|key| key.cmp(name.as_bytes()))?;
        if let (None, Some((schema, table))) = (&found, name.split_once('.')) {
            let full = format!("\0{schema}\0{table}");
            found = self.map.get(|key| key.cmp(full.as_bytes()))?;
        }
        Ok(found.and_then(|(node, i)| node.address(i)))
    }

    /// Opens a table. `None`: there is none of this name.
    pub fn open(&self, name: &str) -> Result<Option<Table>> {
        let Some(address) = self.address(name)? else { return Ok(None) };
        Table::open(&self.snapshot, name, address).map(Some)
    }

    /// The foreign keys.
    pub fn foreign_keys(&self) -> Result<Vec<ForeignKey>> {
        let hash = self.root.foreign_keys;
        if hash.is_none() {
            return Ok(Vec::new());
        }
        foreign_key::parse(&self.snapshot.chunk(hash)?).map_err(|problem| Error::BadChunk { hash, problem })
    }

    /// The same root value with these tables put or taken out, and with other foreign keys if there are any given. Its
    /// snapshot must be a draft. Gives the address of the new value.
    pub(crate) fn changed(&self, mut edits: Vec<Edit>, foreign_keys: Option<&[ForeignKey]>) -> Result<Hash> {
        edits.sort_by(|a, b| a.key.cmp(&b.key));
        let map = edit(&self.map, Shape::ADDRESSES, &self.snapshot, edits)?;
        let tables = Node::parse(NodeKind::Addresses, self.snapshot.chunk(map)?)
            .map_err(|problem| Error::BadChunk { hash: map, problem })?;
        let foreign_keys = match foreign_keys {
            None => self.root.foreign_keys,
            Some([]) => Hash::NONE,
            Some(keys) => self.snapshot.put(foreign_key::message(keys))?,
        };
        self.snapshot.put(RootValue { foreign_keys, tables, ..self.root.clone() }.message())
    }

    /// The root value itself.
    pub fn root_value(&self) -> &RootValue {
        &self.root
    }
}

// A table of a named schema (Doltgres) is `00 schema 00 table`; people write `schema.table`.
fn shown_name(key: &[u8]) -> String {
    let text = String::from_utf8_lossy(key);
    match text.strip_prefix('\0').and_then(|rest| rest.split_once('\0')) {
        Some((schema, table)) => format!("{schema}.{table}"),
        None => text.into_owned(),
    }
}

/// A table.
#[derive(Debug, Clone)]
pub struct Table {
    name: String,
    address: Hash,
    schema: Schema,
    layout: Layout,
    order: KeyOrder,
    snapshot: Snapshot,
    rows: Tree,
    indexes: Tree,
    auto_increment: u64,
    artifacts: Hash,
}

impl Table {
    pub(crate) fn open(snapshot: &Snapshot, name: &str, address: Hash) -> Result<Self> {
        let bad = |hash: Hash| {
            move |problem: String| {
                if problem.ends_with(NEWER) {
                    return Error::NotSupported { what: format!("table {name} ({problem})") };
                }
                Error::BadChunk { hash, problem }
            }
        };
        let message = TableMessage::parse(&snapshot.chunk(address)?).map_err(bad(address))?;
        let schema = Schema::parse(&snapshot.chunk(message.schema)?).map_err(bad(message.schema))?;
        let rows = Node::parse(NodeKind::Map, message.rows).map_err(bad(address))?;
        let indexes = Node::parse(NodeKind::Addresses, message.indexes).map_err(bad(address))?;
        Ok(Self {
            name: name.to_owned(),
            address,
            layout: Layout::of(&schema),
            order: KeyOrder::of_rows(&schema),
            schema,
            snapshot: snapshot.clone(),
            rows: Tree::embedded(snapshot, NodeKind::Map, rows, address),
            indexes: Tree::embedded(snapshot, NodeKind::Addresses, indexes, address),
            auto_increment: message.auto_increment,
            artifacts: message.artifacts,
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address of its message.
    pub fn address(&self) -> Hash {
        self.address
    }

    /// Its schema.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The next value of its auto-increment column; 0 if it never counted.
    pub fn auto_increment(&self) -> u64 {
        self.auto_increment
    }

    /// Where what a merge left in it is.
    pub(super) fn artifact_root(&self) -> Option<Hash> {
        Some(self.artifacts).filter(|hash| !hash.is_none())
    }

    pub(super) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The same table of which only these columns are read, in this order, and nothing that the others keep outside of the row.
    pub fn project(&self, columns: &[&str]) -> Result<Projection> {
        let mut positions = Vec::with_capacity(columns.len());
        for column in columns {
            let mut named = self.schema.visible().filter(|(_, c)| c.name.eq_ignore_ascii_case(column));
            let (position, _) = named.next().ok_or_else(|| Error::NoSuchColumn {
                table: self.name.clone(),
                column: (*column).to_owned(),
            })?;
            positions.push(position);
        }
        let layout = Layout::of_columns(&self.schema, &positions)
            .ok_or_else(|| self.not_supported("reading a virtual column by itself"))?;
        Ok(Projection::of(Self { layout, ..self.clone() }))
    }

    /// How many entries its tree has: rows, or for a keyless table distinct rows. Costs nothing.
    pub fn entries(&self) -> u64 {
        self.rows.len()
    }

    /// The values of one kind of column cannot be read: then no row of the table can be.
    fn readable(&self) -> Result<()> {
        let unknown = |c: &&Column| matches!(c.encoding, Encoding::Unknown(_) | Encoding::Cell);
        match self.schema.columns.iter().find(unknown) {
            None => Ok(()),
            Some(c) => Err(self.not_supported(&format!(
                "column {} of type {}, stored as {:?}",
                c.name, c.sql_type, c.encoding
            ))),
        }
    }

    pub(super) fn not_supported(&self, what: &str) -> Error {
        Error::NotSupported { what: format!("table {}: {what}", self.name) }
    }

    /// The row at an entry of a leaf, and how often it counts.
    pub(super) fn decode(&self, node: &Node, i: usize) -> Result<(Row, u64)> {
        self.layout.decode(&self.snapshot, node, i).map_err(|error| self.named(error))
    }

    /// The same in place of the values that are there. Gives how often the row counts.
    pub(super) fn decode_into(&self, node: &Node, i: usize, values: &mut Vec<Value>) -> Result<u64> {
        self.layout.decode_into(&self.snapshot, node, i, values).map_err(|error| self.named(error))
    }

    /// How many values its rows have.
    pub(super) fn width(&self) -> usize {
        self.layout.width()
    }

    fn named(&self, error: Error) -> Error {
        match error {
            // A field of the row itself.
            Error::BadChunk { hash, problem } if hash.is_none() => {
                Error::BadChunk { hash: self.address, problem }
            }
            other => other,
        }
    }

    /// Computes the values of virtual columns from those of the others.
    pub(super) fn generate(&self, values: &mut [Value]) {
        self.layout.generate(values);
    }

    /// The tree of the rows.
    pub(super) fn row_tree(&self) -> Result<&Tree> {
        self.readable()?;
        Ok(&self.rows)
    }

    /// The order of that tree.
    pub(super) fn order(&self) -> &KeyOrder {
        &self.order
    }

    /// Names of secondary indexes to their trees.
    pub(crate) fn index_map(&self) -> &Tree {
        &self.indexes
    }

    /// The message that this was opened from.
    pub(crate) fn message(&self) -> Result<TableMessage> {
        let bad = |problem: String| Error::BadChunk { hash: self.address, problem };
        TableMessage::parse(&self.snapshot.chunk(self.address)?).map_err(bad)
    }

    /// The tree of a secondary index.
    pub(super) fn index_tree(&self, name: &str) -> Result<Option<Tree>> {
        let found = self.indexes.get(|key| key.cmp(name.as_bytes()))?;
        let address = found.and_then(|(node, i)| node.address(i));
        address.map(|address| Tree::open(&self.snapshot, NodeKind::Map, address)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Damage;

    // Replaces a table's schema by what `change` makes of its bytes.
    fn with_schema(change: impl FnOnce(&mut Vec<u8>)) -> Session {
        let mut database = Damage::of("every-kind-2");
        let (_, message) = database.table("kinds");
        let mut bytes = database.chunk(message.schema).to_vec();
        change(&mut bytes);
        database.replace(message.schema, bytes);
        database.session()
    }

    fn tables(session: &Session) -> Tables {
        session.tables(session.resolve_root("WORKING").unwrap().unwrap()).unwrap()
    }

    #[test]
    fn a_column_of_an_unknown_kind_refuses_its_own_table_only() {
        // A column becomes one of an extended type, as Doltgres has them.
        let session = with_schema(|bytes| {
            let is_column = |at: &usize| {
                let mut other = bytes.clone();
                other[*at] = 134;
                let parsed = Schema::parse(&other);
                parsed.is_ok_and(|s| s.columns.iter().any(|c| c.encoding == Encoding::Unknown(134)))
            };
            let at = (0..bytes.len()).find(is_column).unwrap();
            bytes[at] = 134;
        });
        let tables = tables(&session);
        let kinds = tables.open("kinds").unwrap().unwrap();
        let told = kinds.rows().unwrap_err().to_string();
        assert!(told.contains("table kinds: column ") && told.contains("Unknown(134)"), "{told}");
        assert!(kinds.entries() > 0, "its schema and count are there");
        for name in tables.names().unwrap().iter().filter(|n| *n != "kinds") {
            let table = tables.open(name).unwrap().unwrap();
            assert!(table.rows().unwrap().all(|row| row.is_ok()), "{name}");
        }
    }

    #[test]
    fn a_schema_of_a_newer_dolt_refuses_its_own_table_only() {
        let session = with_schema(|bytes| {
            let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
            let root = 4 + number(4);
            let vtable = root - number(root);
            bytes[vtable] = 4 + 2 * 9;
        });
        let tables = tables(&session);
        let told = tables.open("kinds").unwrap_err();
        assert!(matches!(told, Error::NotSupported { .. }), "{told:?}");
        assert!(
            told.to_string().contains("table kinds ") && told.to_string().contains("newer Dolt"),
            "{told}"
        );
        let others: Vec<String> = tables.names().unwrap().into_iter().filter(|n| n != "kinds").collect();
        assert!(!others.is_empty() && others.iter().all(|n| tables.open(n).unwrap().is_some()));
    }

    #[test]
    fn tables_of_named_schemas_are_called_as_people_write_them() {
        assert_eq!(
            (shown_name(b"plain"), shown_name(b"\0public\0users")),
            ("plain".into(), "public.users".into())
        );
    }
}
