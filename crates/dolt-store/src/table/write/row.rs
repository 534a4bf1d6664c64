//! A row as entries of its table's tree and of the trees of its indexes.

use xxhash_rust::xxh3::xxh3_128;

use super::field::Field;
use super::tree::Entry;
use crate::bytes::sqlite4_varint;
use crate::chunk::Snapshot;
use crate::prolly::{read_blob, write_blob, write_json};
use crate::table::tuple::Tuple;
use crate::table::{Encoding, Index, Schema};
use crate::{Error, Hash, Result};

/// Bytes of the cardinality that stands first in a keyless row, and is no part of what its id is made of.
const CARDINALITY: usize = 8;
/// Content of one tuple at most (Dolt `val.MaxTupleDataSize`).
const MAX_TUPLE: usize = 65_504;
/// Bytes of an adaptive field beside an address: the mark of what is inline.
const INLINE_MARK: usize = 1;

/// Makes entries of rows, and rows of entries. Fields come by position in [`Schema::columns`]; hidden and virtual columns are
/// not looked at.
pub(super) struct RowForm<'t> {
    pub(super) schema: &'t Schema,
    pub(super) draft: &'t Snapshot,
}

impl RowForm<'_> {
    /// The entry of the table's tree. A keyless row counts `times`.
    pub(super) fn entry(&self, fields: &[Field], times: u64) -> Result<Entry> {
        let value = self.value(fields, times)?;
        if self.schema.is_keyless() {
            let id = xxh3_128(value.get(CARDINALITY..).unwrap_or_default());
            return Ok((tuple(&[Some(id.to_le_bytes().to_vec())])?, value));
        }
        Ok((self.key(fields)?, value))
    }

    /// The key of a row that has one.
    pub(super) fn key(&self, fields: &[Field]) -> Result<Vec<u8>> {
        let key = self.schema.key_columns.iter().map(|c| self.key_field(field(fields, usize::from(*c)), 0));
        tuple(&key.collect::<Result<Vec<_>>>()?)
    }

    /// The key of the entry in an index; `key` is that of the row's entry.
    pub(super) fn index_key(&self, index: &Index, fields: &[Field], key: &[u8]) -> Result<Vec<u8>> {
        let prefix = |i: usize| index.prefix_lengths.get(i).copied().map_or(0, usize::from);
        let part = |(i, c): (usize, &u16)| self.key_field(field(fields, usize::from(*c)), prefix(i));
        let mut parts: Vec<_> = index.key_columns.iter().enumerate().map(part).collect::<Result<_>>()?;
        if self.schema.is_keyless() {
            let id = Tuple::parse(key).and_then(|t| t.field(0)).map_err(|problem| bad(&problem))?;
            parts.push(id.map(<[u8]>::to_vec));
        }
        tuple(&parts)
    }

    /// A field as it stands in a key: long values inline, with the mark that ends a text; an index may keep some bytes only.
    pub(super) fn key_field(&self, field: &Field, prefix: usize) -> Result<Option<Vec<u8>>> {
        let kept = |content: &[u8]| {
            let len = if prefix == 0 { content.len() } else { prefix.min(content.len()) };
            [content.get(..len).unwrap_or(content), &[0]].concat()
        };
        Ok(match field {
            Field::Null => None,
            Field::Short(bytes) if prefix == 0 => Some(bytes.clone()),
            Field::Short(bytes) => Some(kept(bytes.strip_suffix(&[0]).unwrap_or(bytes))),
            Field::Long(content) => Some(kept(content)),
            Field::Outside { address, .. } | Field::Address(address) => {
                Some(kept(&read_blob(self.draft, *address)?))
            }
        })
    }

    /// The fields of an entry of the table's tree.
    pub(super) fn fields(&self, key: &[u8], value: &[u8]) -> Result<Vec<Field>> {
        let mut fields = vec![Field::Null; self.schema.columns.len()];
        let key = Tuple::parse(key).map_err(|problem| bad(&problem))?;
        let value = Tuple::parse(value).map_err(|problem| bad(&problem))?;
        let encoding = |column: usize| self.schema.columns.get(column).map_or(Encoding::Null, |c| c.encoding);
        for (i, column) in self.schema.key_columns.iter().enumerate() {
            let column = usize::from(*column);
            let bytes = key.field(i).map_err(|problem| bad(&problem))?;
            set(&mut fields, column, Field::stored_in_key(encoding(column), bytes));
        }
        for (i, column) in self.schema.value_columns().into_iter().enumerate() {
            let bytes = value.field(i).map_err(|problem| bad(&problem))?;
            set(&mut fields, column, Field::stored(encoding(column), bytes, self.draft)?);
        }
        Ok(fields)
    }

    fn value(&self, fields: &[Field], times: u64) -> Result<Vec<u8>> {
        let mut parts = Vec::with_capacity(fields.len());
        // Dolt counts a year as two bytes.
        let mut years = 0usize;
        for column in self.schema.value_columns() {
            let (encoding, is_cardinality) =
                self.schema.columns.get(column).map_or((Encoding::Null, false), |c| (c.encoding, c.hidden));
            let part = if is_cardinality {
                Part::Bytes(times.to_le_bytes().to_vec())
            } else {
                self.part(field(fields, column), encoding)?
            };
            if encoding == Encoding::Year && part.len() > 0 {
                years = years.saturating_add(1);
            }
            parts.push(part);
        }
        self.settle(&mut parts, years)?;
        let fields: Vec<Option<Vec<u8>>> = parts
            .into_iter()
            .map(|part| match part {
                Part::Null => None,
                Part::Bytes(bytes) => Some(bytes),
                Part::Inline(content) => Some([&[0][..], &content].concat()),
                Part::Outside { bytes, address, .. } => {
                    Some([&sqlite4_varint(bytes)[..], address.as_bytes()].concat())
                }
            })
            .collect();
        tuple(&fields)
    }

    fn part(&self, field: &Field, encoding: Encoding) -> Result<Part> {
        Ok(match field {
            Field::Null => Part::Null,
            Field::Short(bytes) => Part::Bytes(bytes.clone()),
            Field::Address(address) => Part::Bytes(address.as_bytes().to_vec()),
            Field::Outside { bytes, address } => {
                Part::Outside { bytes: *bytes, address: *address, stays: encoding == Encoding::GeomAdaptive }
            }
            Field::Long(content) => match encoding {
                Encoding::StringAddr | Encoding::BytesAddr | Encoding::GeomAddr => {
                    Part::Bytes(write_blob(self.draft, content)?.as_bytes().to_vec())
                }
                Encoding::JsonAddr => Part::Bytes(write_json(self.draft, content)?.as_bytes().to_vec()),
                _ => Part::Inline(content.clone()),
            },
        })
    }

    // Decides which adaptive fields are outside of the row: those longer than the target, then the ones by which most is
    // saved, until the row is no longer than the target. All others come in, except geometries of a row that is short enough
    // (Dolt `go/store/val/tuple_builder.go`, `BuildPermissive`).
    fn settle(&self, parts: &mut [Part], years: usize) -> Result<()> {
        let target = usize::from(self.schema.target_row_bytes);
        for part in parts.iter_mut().filter(|part| part.len() > target) {
            self.move_out(part)?;
        }
        let mut total = parts.iter().fold(years, |sum, part| sum.saturating_add(part.len()));
        let is_short = total <= target;
        let saving = |(i, part): (usize, &Part)| {
            Some((i, part.len().checked_sub(part.outside()?).filter(|n| *n > 0)?))
        };
        let mut candidates: Vec<(usize, usize)> = parts.iter().enumerate().filter_map(saving).collect();
        candidates.sort_by_key(|(_, saved)| std::cmp::Reverse(*saved));
        let mut goes_out = vec![false; parts.len()];
        for (i, saved) in candidates {
            if total <= target {
                break;
            }
            set(&mut goes_out, i, true);
            total = total.saturating_sub(saved);
        }
        for (part, goes_out) in parts.iter_mut().zip(goes_out) {
            match part {
                Part::Outside { address, stays, .. } if !(goes_out || is_short && *stays) => {
                    *part = Part::Inline(read_blob(self.draft, *address)?);
                }
                _ if goes_out => self.move_out(part)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn move_out(&self, part: &mut Part) -> Result<()> {
        if let Part::Inline(content) = part {
            *part = Part::Outside {
                bytes: content.len() as u64,
                address: write_blob(self.draft, content)?,
                stays: false,
            };
        }
        Ok(())
    }
}

enum Part {
    Null,
    Bytes(Vec<u8>),
    // Adaptive, in and out of the row.
    Inline(Vec<u8>),
    Outside { bytes: u64, address: Hash, stays: bool },
}

impl Part {
    // As long as it were inline.
    fn len(&self) -> usize {
        match self {
            Self::Null => 0,
            Self::Bytes(bytes) => bytes.len(),
            Self::Inline(content) => content.len().saturating_add(INLINE_MARK),
            Self::Outside { bytes, .. } => {
                usize::try_from(*bytes).unwrap_or(usize::MAX).saturating_add(INLINE_MARK)
            }
        }
    }

    // As long as it would be outside; what is inline is taken for one whose length fills one byte.
    fn outside(&self) -> Option<usize> {
        match self {
            Self::Null | Self::Bytes(_) => None,
            Self::Inline(_) => Some(Hash::LEN.saturating_add(1)),
            Self::Outside { bytes, .. } => Some(sqlite4_varint(*bytes).len().saturating_add(Hash::LEN)),
        }
    }
}

fn set<T>(slots: &mut [T], i: usize, value: T) {
    if let Some(slot) = slots.get_mut(i) {
        *slot = value;
    }
}

fn field(fields: &[Field], column: usize) -> &Field {
    fields.get(column).unwrap_or(&Field::Null)
}

/// Fields as a tuple: NULLs at the end are cut off.
pub(super) fn tuple(fields: &[Option<Vec<u8>>]) -> Result<Vec<u8>> {
    let used = fields.iter().rposition(Option::is_some).map_or(0, |last| last.saturating_add(1));
    let fields = fields.get(..used).unwrap_or_default();
    let mut bytes = Vec::new();
    let mut offsets = Vec::new();
    for field in fields {
        offsets.push(u16::try_from(bytes.len()).unwrap_or(u16::MAX));
        bytes.extend_from_slice(field.as_deref().unwrap_or_default());
    }
    if bytes.len() > MAX_TUPLE {
        return Err(Error::RowTooLarge { bytes: bytes.len() });
    }
    bytes.extend(offsets.iter().skip(1).flat_map(|o| o.to_le_bytes()));
    bytes.extend(u16::try_from(used).unwrap_or(u16::MAX).to_le_bytes());
    Ok(bytes)
}

/// Where the addresses lie in a value tuple, in the order in which Dolt lists them: adaptive fields from the last column to
/// the first, then address fields likewise.
pub(super) fn addresses_in(schema: &Schema) -> impl Fn(&[u8]) -> Result<Vec<usize>> {
    let encoding = |c: usize| schema.columns.get(c).map_or(Encoding::Null, |c| c.encoding);
    let encodings: Vec<Encoding> = schema.value_columns().into_iter().map(encoding).collect();
    move |value: &[u8]| {
        let tuple = Tuple::parse(value).map_err(|problem| bad(&problem))?;
        let (mut adaptive, mut plain) = (Vec::new(), Vec::new());
        for (i, encoding) in encodings.iter().enumerate() {
            let Some(bytes) = tuple.field(i).map_err(|problem| bad(&problem))? else { continue };
            let at = (bytes.as_ptr() as usize).saturating_sub(value.as_ptr() as usize);
            match encoding {
                Encoding::StringAdaptive
                | Encoding::BytesAdaptive
                | Encoding::JsonAdaptive
                | Encoding::GeomAdaptive
                    if bytes.first() != Some(&0) =>
                {
                    adaptive.push(at.saturating_add(bytes.len()).saturating_sub(Hash::LEN));
                }
                Encoding::StringAddr
                | Encoding::BytesAddr
                | Encoding::JsonAddr
                | Encoding::GeomAddr
                | Encoding::CommitAddr
                    if bytes.iter().any(|b| *b != 0) =>
                {
                    plain.push(at);
                }
                _ => {}
            }
        }
        Ok(adaptive.into_iter().rev().chain(plain.into_iter().rev()).collect())
    }
}

fn bad(problem: &str) -> Error {
    Error::BadChunk { hash: Hash::NONE, problem: problem.to_owned() }
}
