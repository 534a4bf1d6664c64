//! Types of columns: as somebody writes them, as Dolt spells them in a schema, and how their values are stored
//! (go-mysql-server `sql/types`, `ColumnTypeToType`; Dolt `go/libraries/doltcore/schema/typeinfo`).

use sqlparser::tokenizer::Token;

use super::collations::{Collation, DEFAULT};
use super::cursor::Cursor;
use crate::Result;
use crate::table::Encoding;

/// A type as it was written.
#[derive(Debug, Default, Clone)]
pub(super) struct WrittenType {
    // In small letters, words of one blank: `double precision`.
    name: String,
    numbers: Vec<u64>,
    values: Vec<String>,
    unsigned: bool,
    pub(super) charset: Option<String>,
    pub(super) collation: Option<String>,
}

/// A type of Dolt's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ColumnType {
    /// How a schema spells it.
    pub(super) sql_type: String,
    /// How values are stored in rows: by address, if they are long.
    pub(super) encoding: Encoding,
    /// The longest value in characters, of types that have one.
    pub(super) characters: u64,
    pub(super) collation: Option<&'static Collation>,
}

// Lengths in bytes.
const TINY: u64 = 255;
const SHORT: u64 = 65_535;
const MEDIUM: u64 = 16_777_215;
const LONG: u64 = 4_294_967_295;

impl WrittenType {
    /// Reads a type, without what may follow it in a definition.
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self> {
        let Some(first) = cursor.word() else { return cursor.unexpected("a type") };
        let mut this = Self::default();
        // Types of more than one word.
        let long = [
            ("DOUBLE PRECISION", "double"),
            ("CHARACTER VARYING", "varchar"),
            ("CHAR VARYING", "varchar"),
            ("NATIONAL VARCHAR", "nvarchar"),
            ("NATIONAL CHARACTER", "nchar"),
            ("NATIONAL CHAR", "nchar"),
        ];
        if let Some((_, name)) = long.iter().find(|(words, _)| cursor.eat(words)) {
            (*name).clone_into(&mut this.name);
        } else {
            cursor.eat(&first);
            this.name = first.to_ascii_lowercase();
        }
        if matches!(this.name.as_str(), "enum" | "set") {
            this.values = cursor.listed(Cursor::string)?;
        } else if cursor.peek() == Some(&Token::LParen) {
            this.numbers = cursor.listed(Cursor::number)?;
        }
        loop {
            if cursor.eat("UNSIGNED") {
                this.unsigned = true;
            } else if cursor.eat("CHARACTER SET") || cursor.eat("CHARSET") {
                this.charset = Some(word_or_text(cursor)?);
            } else if cursor.eat("COLLATE") {
                this.collation = Some(word_or_text(cursor)?);
            } else {
                return Ok(this);
            }
        }
    }

    /// The type that Dolt makes of it in a table with this collation.
    pub(super) fn resolve(
        &self,
        table: Option<&'static Collation>,
    ) -> std::result::Result<ColumnType, String> {
        let plain = |sql_type: &str, encoding| Ok(ColumnType::plain(sql_type.to_owned(), encoding));
        let number = |default: u64| self.numbers.first().copied().unwrap_or(default);
        let (unsigned, signed_or) = (self.unsigned, |a, b| if self.unsigned { b } else { a });
        let count = self.numbers.len();
        let whole = |name: &str, signed, unsigned_as| {
            let sql_type = if unsigned { format!("{name} unsigned") } else { name.to_owned() };
            Ok(ColumnType::plain(sql_type, signed_or(signed, unsigned_as)))
        };
        let is_number = matches!(
            self.name.as_str(),
            "tinyint"
                | "smallint"
                | "mediumint"
                | "int"
                | "integer"
                | "bigint"
                | "float"
                | "double"
                | "real"
                | "decimal"
                | "dec"
                | "numeric"
                | "fixed"
        );
        if unsigned && !is_number {
            return Err(format!("the type {} cannot be unsigned", self.name));
        }
        match self.name.as_str() {
            "bool" | "boolean" if count == 0 => plain("tinyint(1)", Encoding::Int8),
            "tinyint" if count < 2 && number(4) == 1 && !unsigned => plain("tinyint(1)", Encoding::Int8),
            "tinyint" if count < 2 => whole("tinyint", Encoding::Int8, Encoding::Uint8),
            "smallint" if count < 2 => whole("smallint", Encoding::Int16, Encoding::Uint16),
            "mediumint" if count < 2 => whole("mediumint", Encoding::Int32, Encoding::Uint32),
            "int" | "integer" if count < 2 => whole("int", Encoding::Int32, Encoding::Uint32),
            "bigint" if count < 2 => whole("bigint", Encoding::Int64, Encoding::Uint64),
            "float" if count < 3 && number(0) <= 24 => plain("float", Encoding::Float32),
            "float" if count < 3 && number(0) <= 53 => plain("double", Encoding::Float64),
            "double" | "real" if count < 3 => plain("double", Encoding::Float64),
            "decimal" | "dec" | "numeric" | "fixed" if count < 3 => {
                let digits = if number(0) == 0 { 10 } else { number(0) };
                let scale = self.numbers.get(1).copied().unwrap_or(0);
                if digits > 65 || scale > 30 || scale > digits || (number(10) == 0 && scale > 0) {
                    return Err(format!("decimal({digits},{scale}) is too large"));
                }
                Ok(ColumnType::plain(format!("decimal({digits},{scale})"), Encoding::Decimal))
            }
            "bit" if count < 2 && (1..=64).contains(&number(1)) => {
                Ok(ColumnType::plain(format!("bit({})", number(1)), Encoding::Uint64))
            }
            "date" if count == 0 => plain("date", Encoding::Date),
            "time" if count == 0 || (count == 1 && number(0) == 6) => plain("time(6)", Encoding::Time),
            "year" if count == 0 => plain("year", Encoding::Year),
            name @ ("datetime" | "timestamp") if count < 2 && number(0) <= 6 => {
                Ok(ColumnType::plain(format!("{name}({})", number(0)), Encoding::Datetime))
            }
            "json" if count == 0 => plain("json", Encoding::JsonAddr),
            name @ ("geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring"
            | "multipolygon" | "geometrycollection")
                if count == 0 =>
            {
                plain(name, Encoding::GeomAddr)
            }
            "enum" | "set" => self.chosen(table),
            _ => self.text(table),
        }
    }

    fn collation(
        &self,
        table: Option<&'static Collation>,
    ) -> std::result::Result<Option<&'static Collation>, String> {
        let own = Collation::asked(self.charset.as_deref(), self.collation.as_deref())?;
        Ok(own.or(table))
    }

    fn chosen(&self, table: Option<&'static Collation>) -> std::result::Result<ColumnType, String> {
        let is_enum = self.name == "enum";
        let collation = self.collation(table)?.or_else(|| Collation::named(DEFAULT));
        let is_binary = collation.is_some_and(Collation::is_binary);
        let mut values: Vec<String> = Vec::new();
        for value in &self.values {
            // Blanks at the end are no part of a value.
            let value = if is_binary { value.as_str() } else { value.trim_end_matches(' ') };
            let name = collation.map_or(DEFAULT, |c| c.name);
            for other in &values {
                if is_same(name, other, value)? {
                    return Err(format!("{value:?} stands twice in a type"));
                }
            }
            if !is_enum && value.contains(',') {
                return Err(format!("{value:?} has a comma"));
            }
            values.push(value.to_owned());
        }
        if values.len() > if is_enum { 65_535 } else { 64 } {
            return Err("a type has too many values".to_owned());
        }
        let listed: Vec<String> = values.iter().map(|v| v.replace('\'', "''")).collect();
        let suffix = collation.map_or_else(String::new, Collation::suffix);
        let encoding = if is_enum { Encoding::Enum } else { Encoding::Set };
        let sql_type = format!("{}('{}'){suffix}", self.name, listed.join("','"));
        Ok(ColumnType { collation, ..ColumnType::plain(sql_type, encoding) })
    }

    fn text(&self, table: Option<&'static Collation>) -> std::result::Result<ColumnType, String> {
        let binary = Collation::named("binary");
        let is_bytes = matches!(
            self.name.as_str(),
            "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob"
        );
        let national = matches!(self.name.as_str(), "nchar" | "nvarchar");
        if (is_bytes || national) && (self.charset.is_some() || self.collation.is_some()) {
            return Err(format!("a character set or a collation of {}", self.name));
        }
        let collation = if is_bytes {
            binary
        } else if national {
            Collation::named("utf8mb3_general_ci")
        } else {
            self.collation(table)?
        };
        let width = collation.map_or(4, |c| c.width);
        let is_binary = collation.is_some_and(Collation::is_binary);
        let suffix = collation.filter(|c| !c.is_binary()).map_or_else(String::new, Collation::suffix);
        let given = match self.numbers.as_slice() {
            [] => None,
            [length] => Some(*length),
            _ => return Err(format!("the type {} with {} numbers", self.name, self.numbers.len())),
        };
        let short = |name: &str, length: u64, limit: u64, encoding| {
            if length > limit {
                return Err(format!("{name}({length}) is longer than {limit}"));
            }
            let sql_type = format!("{name}({length}){suffix}");
            Ok(ColumnType { sql_type, encoding, characters: length, collation })
        };
        let long = |bytes: u64| {
            let kinds = [
                ("tinytext", "tinyblob", TINY),
                ("text", "blob", SHORT),
                ("mediumtext", "mediumblob", MEDIUM),
                ("longtext", "longblob", LONG),
            ];
            let Some((text, blob, bytes)) = kinds.into_iter().find(|(_, _, most)| bytes <= *most) else {
                return Err(format!("the type {} of {bytes} bytes", self.name));
            };
            let (name, encoding) =
                if is_binary { (blob, Encoding::BytesAddr) } else { (text, Encoding::StringAddr) };
            let characters = bytes.checked_div(width).unwrap_or(bytes);
            Ok(ColumnType { sql_type: format!("{name}{suffix}"), encoding, characters, collation })
        };
        match (self.name.as_str(), given) {
            ("char" | "character" | "binary" | "nchar", length) if is_binary => {
                short("binary", length.unwrap_or(1), 255, Encoding::Bytes)
            }
            ("char" | "character" | "nchar", length) => {
                short("char", length.unwrap_or(1), 255, Encoding::String)
            }
            ("varchar" | "varbinary", Some(length)) if is_binary => {
                short("varbinary", length, SHORT, Encoding::Bytes)
            }
            ("varchar" | "nvarchar", Some(length)) => {
                short("varchar", length, SHORT.checked_div(width).unwrap_or(SHORT), Encoding::String)
            }
            ("tinytext" | "tinyblob", None) => long(TINY),
            ("text" | "blob", length) => long(length.unwrap_or(SHORT)),
            ("mediumtext" | "mediumblob", None) => long(MEDIUM),
            ("longtext" | "longblob", None) => long(LONG),
            (name, _) => Err(format!("the type {name}")),
        }
    }
}

// Whether two values are one under a collation.
fn is_same(collation: &str, a: &str, b: &str) -> std::result::Result<bool, String> {
    let known = crate::table::Collation::named(collation);
    match (known.fold(a), known.fold(b)) {
        (Some(a), Some(b)) => Ok(a == b),
        // What is the same but for case may be one; of what is not ASCII nothing is known.
        _ if a.is_ascii() && b.is_ascii() => Ok(a.eq_ignore_ascii_case(b)),
        _ => Err(format!("{a:?} and {b:?} under the collation {collation}")),
    }
}

/// A name, or the same in quotes.
pub(super) fn word_or_text(cursor: &mut Cursor<'_>) -> Result<String> {
    match cursor.peek() {
        Some(Token::SingleQuotedString(_) | Token::DoubleQuotedString(_)) => cursor.string(),
        // `CHARACTER SET binary`.
        _ => cursor.name(),
    }
}

impl ColumnType {
    fn plain(sql_type: String, encoding: Encoding) -> Self {
        Self { sql_type, encoding, characters: 0, collation: None }
    }

    /// Bytes that Dolt reckons for a value in a row (`go/libraries/doltcore/schema/schema_impl.go`, `MaxRowStorageSize`).
    pub(super) fn row_bytes(&self) -> u64 {
        match self.encoding {
            Encoding::String | Encoding::Bytes => {
                self.characters.saturating_mul(self.collation.map_or(4, |c| c.width))
            }
            Encoding::StringAddr | Encoding::BytesAddr | Encoding::JsonAddr | Encoding::GeomAddr => 20,
            Encoding::Time => 16,
            Encoding::Enum => 2,
            _ => 8,
        }
    }

    /// Whether its values are texts or bytes of any length.
    pub(super) fn is_long(&self) -> bool {
        matches!(self.encoding, Encoding::StringAddr | Encoding::BytesAddr)
    }

    /// Whether an index can hold the first characters of its values only.
    pub(super) fn takes_prefix(&self) -> bool {
        self.is_long() || matches!(self.encoding, Encoding::String | Encoding::Bytes)
    }

    /// Whether it can be in no key.
    pub(super) fn is_unkeyed(&self) -> bool {
        matches!(self.encoding, Encoding::JsonAddr | Encoding::GeomAddr)
    }
}

/// The number of a type's kind, of which tags are made (Dolt `go/store/types/noms_kind.go`), from how a schema spells it.
/// `None`: the type is not known.
pub(super) fn kind(sql_type: &str) -> Option<u8> {
    let end = sql_type.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(sql_type.len());
    let (name, rest) = sql_type.split_at_checked(end)?;
    let is_unsigned = rest.starts_with(" unsigned");
    Some(match name {
        "float" | "double" => 1,
        "char" | "varchar" => 2,
        "tinytext" | "text" | "mediumtext" | "longtext" | "tinyblob" | "blob" | "mediumblob" | "longblob" => {
            3
        }
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" if is_unsigned => 16,
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "time" | "year" => 15,
        "bit" | "enum" | "set" => 16,
        "binary" | "varbinary" => 19,
        "date" | "datetime" | "timestamp" => 20,
        "decimal" => 21,
        "json" => 22,
        "geometry" => 23,
        "point" => 24,
        "linestring" => 25,
        "polygon" => 26,
        "multipoint" => 28,
        "multilinestring" => 29,
        "multipolygon" => 30,
        "geometrycollection" => 31,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str, table: &str) -> std::result::Result<String, String> {
        let mut cursor = Cursor::new(text).unwrap();
        let written = WrittenType::read(&mut cursor).unwrap();
        cursor.end().map_err(|e| e.to_string())?;
        written.resolve(Collation::named(table)).map(|t| format!("{} {:?}", t.sql_type, t.encoding))
    }

    #[test]
    fn types_are_spelled_as_dolt_spells_them() {
        for (written, wanted) in [
            ("INT(11)", "int Int32"),
            ("tinyint(1)", "tinyint(1) Int8"),
            ("TINYINT(1) unsigned", "tinyint unsigned Uint8"),
            ("bool", "tinyint(1) Int8"),
            ("FLOAT(25)", "double Float64"),
            ("double precision", "double Float64"),
            ("numeric(5)", "decimal(5,0) Decimal"),
            ("dec", "decimal(10,0) Decimal"),
            ("datetime", "datetime(0) Datetime"),
            ("time", "time(6) Time"),
            ("varchar(10) collate utf8mb4_0900_ai_ci", "varchar(10) COLLATE utf8mb4_0900_ai_ci String"),
            ("char character set latin1", "char(1) CHARACTER SET latin1 COLLATE latin1_swedish_ci String"),
            ("varchar(10) collate binary", "varbinary(10) Bytes"),
            ("text(10)", "tinytext StringAddr"),
            ("text", "text StringAddr"),
            ("blob(70000)", "mediumblob BytesAddr"),
            ("nchar(3)", "char(3) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci String"),
            ("enum('a ', 'it''s')", "enum('a','it''s') Enum"),
            ("bit", "bit(1) Uint64"),
        ] {
            assert_eq!(resolved(written, "none").unwrap(), wanted, "{written}");
        }
        assert_eq!(
            resolved("text", "latin1_swedish_ci").unwrap(),
            "text CHARACTER SET latin1 COLLATE latin1_swedish_ci StringAddr"
        );
        assert_eq!(resolved("varchar(3)", "binary").unwrap(), "varbinary(3) Bytes");
    }

    #[test]
    fn types_that_dolt_refuses_are_refused() {
        for written in [
            "varchar",
            "varchar(16384)",
            "char(256)",
            "decimal(66)",
            "decimal(5,6)",
            "bit(65)",
            "bit(0)",
            "time(3)",
            "vector(3)",
            "int8",
            "set('a,b')",
            "enum('a','a ')",
            "json unsigned",
            "blob collate utf8mb4_bin",
            "varchar(3) collate klingon_ci",
            "varchar(3) character set latin1 collate utf8mb4_bin",
            "datetime(7)",
        ] {
            assert!(resolved(written, "none").is_err(), "{written}");
        }
    }
}
