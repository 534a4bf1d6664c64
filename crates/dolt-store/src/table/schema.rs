//! The schema of a table, as stored (message DSCH; Dolt `go/serial/schema.fbs`,
//! `go/libraries/doltcore/schema/encoding/serialization.go`).

use crate::Hash;
use crate::message::{Message, Table as Fields};

/// How a field's bytes are to be read. Always taken from here, never guessed from the SQL type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names are Dolt's own; the bytes of each are in docs/format.md")]
pub enum Encoding {
    Null,
    Int8,
    Uint8,
    Int16,
    Uint16,
    Int32,
    Uint32,
    Int64,
    Uint64,
    Float32,
    Float64,
    Bit64,
    Hash128,
    Year,
    Date,
    Time,
    Datetime,
    Enum,
    Set,
    BytesAddr,
    CommitAddr,
    StringAddr,
    JsonAddr,
    Cell,
    GeomAddr,
    String,
    Bytes,
    Decimal,
    Json,
    Geometry,
    StringAdaptive,
    BytesAdaptive,
    GeomAdaptive,
    JsonAdaptive,
    /// One that this crate does not know (extended types of Doltgres among them).
    Unknown(u8),
}

impl Encoding {
    /// The number of an encoding, the other way round.
    pub(crate) fn id(self) -> u8 {
        (0..=u8::MAX).find(|id| Self::of(*id) == self).unwrap_or_default()
    }

    pub(crate) fn of(id: u8) -> Self {
        match id {
            0 => Self::Null,
            1 => Self::Int8,
            2 => Self::Uint8,
            3 => Self::Int16,
            4 => Self::Uint16,
            7 => Self::Int32,
            8 => Self::Uint32,
            9 => Self::Int64,
            10 => Self::Uint64,
            11 => Self::Float32,
            12 => Self::Float64,
            13 => Self::Bit64,
            14 => Self::Hash128,
            15 => Self::Year,
            16 => Self::Date,
            17 => Self::Time,
            18 => Self::Datetime,
            19 => Self::Enum,
            20 => Self::Set,
            21 => Self::BytesAddr,
            22 => Self::CommitAddr,
            23 => Self::StringAddr,
            24 => Self::JsonAddr,
            25 => Self::Cell,
            26 => Self::GeomAddr,
            128 => Self::String,
            129 => Self::Bytes,
            130 => Self::Decimal,
            131 => Self::Json,
            133 => Self::Geometry,
            135 => Self::StringAdaptive,
            136 => Self::BytesAdaptive,
            138 => Self::GeomAdaptive,
            139 => Self::JsonAdaptive,
            other => Self::Unknown(other),
        }
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type in SQL, as Dolt spells it: `varchar(255)`, `datetime(0)`.
    pub sql_type: String,
    /// Its default, or the expression that generates it, in SQL.
    pub default: Option<String>,
    /// Its comment.
    pub comment: String,
    /// Its tag: stays the same when the column is renamed.
    pub tag: u64,
    /// How its values are stored in rows.
    pub encoding: Encoding,
    /// Whether it is part of the primary key.
    pub primary_key: bool,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// Whether it counts up by itself.
    pub auto_increment: bool,
    /// Whether it is Dolt's own (the two of a keyless table).
    pub hidden: bool,
    /// Whether it is generated.
    pub generated: bool,
    /// Whether it is generated and not stored.
    pub is_virtual: bool,
    /// What `ON UPDATE` sets, in SQL.
    pub on_update: Option<String>,
}

/// A secondary index. Numbers are positions in [`Schema::columns`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its comment.
    pub comment: String,
    /// The indexed columns.
    pub columns: Vec<u16>,
    /// The columns of its key: the indexed ones and the rest of the primary key.
    pub key_columns: Vec<u16>,
    /// Whether it is unique.
    pub unique: bool,
    /// Whether a foreign key made it.
    pub system_defined: bool,
    /// Bytes of each column that are indexed; 0: all. Empty: all of all.
    pub prefix_lengths: Vec<u16>,
    /// Why this crate cannot use it, if it cannot.
    pub unsupported: Option<&'static str>,
}

/// A check constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// Its expression in SQL.
    pub expression: String,
    /// Whether it is enforced.
    pub enforced: bool,
}

/// The schema of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The columns in order; the hidden ones of a keyless table last.
    pub columns: Vec<Column>,
    /// The columns of the primary key, in key order.
    pub key_columns: Vec<u16>,
    /// The secondary indexes.
    pub indexes: Vec<Index>,
    /// The check constraints.
    pub checks: Vec<Check>,
    /// Collation of the table, by `MySQL`'s number.
    pub collation: u16,
    /// The table's comment.
    pub comment: String,
    /// Bytes above which long values leave the row.
    pub target_row_bytes: u16,
}

impl Schema {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let table = Message::parse(bytes, *b"DSCH")?.root(8)?;
        let columns = table.tables(0, 17)?.iter().map(column).collect::<Result<Vec<_>, _>>()?;
        let clustered = table.table(1, 15)?.ok_or("no clustered index")?;
        let schema = Self {
            key_columns: clustered.u16s(3)?,
            indexes: table.tables(2, 15)?.iter().map(index).collect::<Result<_, _>>()?,
            checks: table.tables(3, 4)?.iter().map(check).collect::<Result<_, _>>()?,
            collation: table.u16(4, 0)?,
            comment: table.string(6)?.unwrap_or_default(),
            target_row_bytes: table.u16(7, 2048)?,
            columns,
        };
        let count = schema.columns.len();
        let all = schema.indexes.iter().flat_map(|i| i.key_columns.iter().chain(&i.columns));
        if schema.key_columns.iter().chain(all).any(|c| usize::from(*c) >= count) {
            return Err(format!("an index names a column past the last of {count}"));
        }
        Ok(schema)
    }

    /// Whether the table has no primary key.
    pub fn is_keyless(&self) -> bool {
        self.columns.iter().any(|c| c.hidden && c.encoding == Encoding::Hash128)
    }

    /// The columns that people see, with their positions.
    pub fn visible(&self) -> impl Iterator<Item = (usize, &Column)> {
        self.columns.iter().enumerate().filter(|(_, c)| !c.hidden)
    }

    /// The position of a column by its name, case aside.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name.eq_ignore_ascii_case(name) && !c.hidden)
    }

    /// The columns of an index entry's key: those that the index names, then what is missing of the primary key (keyless
    /// tables: the row's id).
    pub(crate) fn entry_columns(&self, index: &Index) -> Vec<u16> {
        let missing = self.key_columns.iter().filter(|k| !index.key_columns.contains(k));
        index.key_columns.iter().chain(missing).copied().collect()
    }

    /// The positions of the columns that a row's value tuple holds, in its order.
    pub(crate) fn value_columns(&self) -> Vec<usize> {
        let is_key = |i: usize| self.key_columns.iter().any(|k| usize::from(*k) == i);
        let stored = |i: &usize| self.columns.get(*i).is_some_and(|c| !c.is_virtual || c.hidden);
        if !self.is_keyless() {
            return (0..self.columns.len()).filter(|i| !is_key(*i)).filter(stored).collect();
        }
        // Keyless: the cardinality first, then everything else; the row id is the key.
        let cardinality =
            (0..self.columns.len()).filter(|i| self.columns.get(*i).is_some_and(|c| c.hidden) && !is_key(*i));
        let rest = (0..self.columns.len())
            .filter(|i| self.columns.get(*i).is_some_and(|c| !c.hidden))
            .filter(stored);
        cardinality.chain(rest).collect()
    }
}

fn column(fields: &Fields<'_>) -> Result<Column, String> {
    let generated = fields.bool(11)?;
    Ok(Column {
        name: fields.string(0)?.unwrap_or_default(),
        sql_type: fields.string(1)?.unwrap_or_default(),
        default: fields.string(2)?.filter(|d| !d.is_empty()),
        comment: fields.string(3)?.unwrap_or_default(),
        tag: fields.u64(5)?,
        encoding: Encoding::of(fields.u8(6)?),
        primary_key: fields.bool(7)?,
        nullable: fields.bool(8)?,
        auto_increment: fields.bool(9)?,
        hidden: fields.bool(10)?,
        generated,
        is_virtual: fields.bool(12)?,
        on_update: fields.string(13)?.filter(|d| !d.is_empty()),
    })
}

fn index(fields: &Fields<'_>) -> Result<Index, String> {
    let unsupported = match (fields.bool(9)?, fields.bool(10)?, fields.bool(12)?) {
        (true, _, _) => Some("spatial index"),
        (_, true, _) => Some("full-text index"),
        (_, _, true) => Some("vector index"),
        _ => None,
    };
    Ok(Index {
        name: fields.string(0)?.unwrap_or_default(),
        comment: fields.string(1)?.unwrap_or_default(),
        columns: fields.u16s(2)?,
        key_columns: fields.u16s(3)?,
        unique: fields.bool(6)?,
        system_defined: fields.bool(7)?,
        prefix_lengths: fields.u16s(8)?,
        unsupported,
    })
}

fn check(fields: &Fields<'_>) -> Result<Check, String> {
    Ok(Check {
        name: fields.string(0)?.unwrap_or_default(),
        expression: fields.string(1)?.unwrap_or_default(),
        enforced: fields.bool(2)?,
    })
}

/// What a table message says (DTBL): where the schema is, the rows' root node, the indexes' map.
#[derive(Debug)]
pub(crate) struct TableMessage {
    pub(crate) schema: Hash,
    pub(crate) rows: Vec<u8>,
    pub(crate) indexes: Vec<u8>,
    pub(crate) auto_increment: u64,
    pub(crate) artifacts: Hash,
}

impl TableMessage {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let table = Message::parse(bytes, *b"DTBL")?.root(7)?;
        Ok(Self {
            schema: table.hash(0)?,
            rows: table.bytes(1)?.to_vec(),
            indexes: table.bytes(2)?.to_vec(),
            auto_increment: table.u64(3)?,
            artifacts: table.hash(6)?,
        })
    }
}
