//! Types as go-mysql-server tells them apart: what a column is, and what an expression gives (`sql/types`).

use crate::table::{Collation, CollationKind, ColumnType};

/// Digits of a decimal at most.
pub(crate) const MAX_PRECISION: u32 = 65;
/// Digits behind its point at most.
pub(crate) const MAX_SCALE: u32 = 30;

/// A type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Type {
    /// Of `NULL`.
    Null,
    /// `tinyint(1)`, and what comparisons give.
    Bool,
    /// Whole numbers of so many bits.
    Int {
        bits: u8,
        signed: bool,
    },
    Float32,
    Float64,
    /// `of_column`: values are brought to the scale; otherwise they may have fewer digits than it.
    Decimal {
        precision: u32,
        scale: u32,
        of_column: bool,
    },
    Text(Text),
    /// Bytes: at most so many, or exactly so many.
    Bytes {
        length: u64,
        is_fixed: bool,
    },
    Date,
    /// With so many digits of a second.
    Datetime(u32),
    Timestamp(u32),
    Time,
    Year,
    Bit(u32),
    Json,
    Enum(Members),
    Set(Members),
    /// One that no expression is evaluated with.
    Other,
}

/// A type of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) kind: TextKind,
    pub(crate) collation: CollationKind,
    /// How strongly the collation holds against another one: 2 of a column, 4 of a literal (`MySQL`'s coercibility).
    pub(crate) coercibility: u8,
}

/// How long texts may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextKind {
    /// `char` of so many characters.
    Char(u64),
    /// `varchar` of so many characters.
    VarChar(u64),
    /// `text` and its like, of so many bytes.
    Text(u64),
}

impl TextKind {
    /// `longtext`, the type of literals and of most functions.
    pub(crate) const LONG: Self = Self::Text(4_294_967_295);
}

/// The members of an `enum` or a `set`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Members {
    pub(crate) names: Vec<String>,
    pub(crate) collation: CollationKind,
}

impl Type {
    pub(crate) const INT64: Self = Self::Int { bits: 64, signed: true };
    pub(crate) const UINT64: Self = Self::Int { bits: 64, signed: false };
    /// A text of no column, compared bytewise.
    pub(crate) const LONG_TEXT: Self =
        Self::Text(Text { kind: TextKind::LONG, collation: CollationKind::Bytes, coercibility: 4 });

    /// The type of a column, from its spelling in SQL.
    pub(crate) fn of_column(sql_type: &str) -> Self {
        let parsed = ColumnType::parse(sql_type);
        let signed = !sql_type.to_ascii_lowercase().contains("unsigned");
        let int = |bits| Self::Int { bits, signed };
        let number = |i: usize| parsed.number(i).and_then(|n| u32::try_from(n).ok());
        let length = |missing: u64| parsed.number(0).map_or(missing, |n| n as u64);
        let collation = Collation::of_type(sql_type).kind();
        let text = |kind| Self::Text(Text { kind, collation, coercibility: 2 });
        let members = || Members { names: parsed.arguments.clone(), collation };
        match parsed.name.as_str() {
            "tinyint" if signed && number(0) == Some(1) => Self::Bool,
            "tinyint" => int(8),
            "smallint" => int(16),
            "mediumint" => int(24),
            "int" => int(32),
            "bigint" => int(64),
            "float" => Self::Float32,
            "double" => Self::Float64,
            "decimal" => Self::Decimal {
                precision: number(0).unwrap_or(10),
                scale: number(1).unwrap_or(0),
                of_column: true,
            },
            "char" => text(TextKind::Char(length(1))),
            "varchar" => text(TextKind::VarChar(length(0))),
            "tinytext" => text(TextKind::Text(255)),
            "text" => text(TextKind::Text(65_535)),
            "mediumtext" => text(TextKind::Text(16_777_215)),
            "longtext" => text(TextKind::LONG),
            "binary" => Self::Bytes { length: length(1), is_fixed: true },
            "varbinary" => Self::Bytes { length: length(0), is_fixed: false },
            "tinyblob" => Self::Bytes { length: 255, is_fixed: false },
            "blob" => Self::Bytes { length: 65_535, is_fixed: false },
            "mediumblob" => Self::Bytes { length: 16_777_215, is_fixed: false },
            "longblob" => Self::Bytes { length: 4_294_967_295, is_fixed: false },
            "date" => Self::Date,
            "datetime" => Self::Datetime(number(0).unwrap_or(0)),
            "timestamp" => Self::Timestamp(number(0).unwrap_or(0)),
            "time" => Self::Time,
            "year" => Self::Year,
            "bit" => Self::Bit(number(0).unwrap_or(1)),
            "json" => Self::Json,
            "enum" => Self::Enum(members()),
            "set" => Self::Set(members()),
            _ => Self::Other,
        }
    }

    /// The type of a whole number that is written out: the smallest that holds it. `None`: it is a decimal.
    pub(crate) fn of_integer(digits: &str) -> Option<Self> {
        let int = |bits, signed| Some(Self::Int { bits, signed });
        if let Ok(n) = digits.parse::<i64>() {
            return match n {
                -0x80..0x80 => int(8, true),
                0x80..0x100 => int(8, false),
                -0x8000..0x8000 => int(16, true),
                0x8000..0x1_0000 => int(16, false),
                -0x8000_0000..0x8000_0000 => int(32, true),
                0x8000_0000..0x1_0000_0000 => int(32, false),
                _ => int(64, true),
            };
        }
        digits.parse::<u64>().ok().and_then(|_| int(64, false))
    }

    pub(crate) fn is_signed(&self) -> bool {
        matches!(self, Self::Bool | Self::Int { signed: true, .. })
    }

    pub(crate) fn is_unsigned(&self) -> bool {
        matches!(self, Self::Int { signed: false, .. })
    }

    pub(crate) fn is_integer(&self) -> bool {
        matches!(self, Self::Bool | Self::Int { .. })
    }

    pub(crate) fn is_float(&self) -> bool {
        matches!(self, Self::Float32 | Self::Float64)
    }

    pub(crate) fn is_decimal(&self) -> bool {
        matches!(self, Self::Decimal { .. })
    }

    pub(crate) fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// Numbers, with bits and years.
    pub(crate) fn is_number(&self) -> bool {
        self.is_integer() || self.is_float() || self.is_decimal() || matches!(self, Self::Bit(_) | Self::Year)
    }

    /// Days and moments, without spans.
    pub(crate) fn is_time(&self) -> bool {
        matches!(self, Self::Date | Self::Datetime(_) | Self::Timestamp(_))
    }

    /// How many characters a number takes as text, by which go-mysql-server tells whether a literal fits into a column's type
    /// (`MaxTextResponseByteLength`). `None`: it is no number.
    pub(crate) fn width(&self) -> Option<u32> {
        Some(match self {
            Self::Bool => 4,
            Self::Int { bits, signed } => match (bits, signed) {
                (8, false) => 3,
                (8, true) => 4,
                (16, false) => 5,
                (16, true) => 6,
                (24, false) => 8,
                (24, true) => 9,
                (32, false) => 10,
                (32, true) => 11,
                _ => 20,
            },
            Self::Float32 => 12,
            Self::Float64 => 22,
            Self::Decimal { precision, scale, .. } => {
                precision.saturating_add(if *scale == 0 { 1 } else { 2 })
            }
            _ => return None,
        })
    }
}
