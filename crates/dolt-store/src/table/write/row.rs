//! A row as entries of its table's tree and of the trees of its indexes.

use xxhash_rust::xxh3::xxh3_128;

use super::encode::Field;
use crate::bytes::sqlite4_varint;
use crate::chunk::Snapshot;
use crate::prolly::write_blob;
use crate::table::tuple::Tuple;
use crate::table::{Encoding, Index, Schema};
use crate::{Error, Hash, Result};

/// Bytes of the cardinality that stands first in a keyless row, and is no part of what its id is made of.
const CARDINALITY: usize = 8;
/// Content of one tuple at most (Dolt `val.MaxTupleDataSize`).
const MAX_TUPLE: usize = 65_504;
/// Bytes of an adaptive field beside an address: the mark of what is inline.
const INLINE_MARK: usize = 1;

/// Key and value of an entry.
pub(super) type Entry = (Vec<u8>, Vec<u8>);

/// Makes entries of rows. Fields come by position in [`Schema::columns`]; hidden and virtual columns are not looked at.
pub(super) struct RowWriter<'t> {
    schema: &'t Schema,
    draft: &'t Snapshot,
    value_columns: Vec<usize>,
}

impl<'t> RowWriter<'t> {
    pub(super) fn new(schema: &'t Schema, draft: &'t Snapshot) -> Self {
        Self { schema, draft, value_columns: schema.value_columns() }
    }

    /// The entry of the table's tree. A keyless row counts `times`.
    pub(super) fn entry(&self, fields: &[Field], times: u64) -> Result<Entry> {
        let value = self.value(fields, times)?;
        if self.schema.is_keyless() {
            let id = xxh3_128(value.get(CARDINALITY..).unwrap_or_default());
            return Ok((tuple(&[Some(id.to_le_bytes().to_vec())])?, value));
        }
        let key = self.schema.key_columns.iter().map(|c| key_field(field(fields, usize::from(*c)), 0));
        Ok((tuple(&key.collect::<Vec<_>>())?, value))
    }

    /// The key of the entry in an index; `key` is that of the row's entry.
    pub(super) fn index_key(&self, index: &Index, fields: &[Field], key: &[u8]) -> Result<Vec<u8>> {
        let prefix = |i: usize| index.prefix_lengths.get(i).copied().map_or(0, usize::from);
        let mut parts: Vec<Option<Vec<u8>>> = index
            .key_columns
            .iter()
            .enumerate()
            .map(|(i, c)| key_field(field(fields, usize::from(*c)), prefix(i)))
            .collect();
        if self.schema.is_keyless() {
            let id = Tuple::parse(key).and_then(|t| t.field(0)).map_err(|problem| bad(&problem))?;
            parts.push(id.map(<[u8]>::to_vec));
        }
        tuple(&parts)
    }

    fn value(&self, fields: &[Field], times: u64) -> Result<Vec<u8>> {
        let mut parts = Vec::with_capacity(self.value_columns.len());
        for column in &self.value_columns {
            let encoding = self.schema.columns.get(*column).map_or(Encoding::Null, |c| c.encoding);
            let is_cardinality = self.schema.columns.get(*column).is_some_and(|c| c.hidden);
            parts.push(if is_cardinality {
                Part::Bytes(times.to_le_bytes().to_vec())
            } else {
                self.part(field(fields, *column), encoding)?
            });
        }
        self.settle(&mut parts)?;
        let fields: Vec<Option<Vec<u8>>> = parts
            .into_iter()
            .map(|part| match part {
                Part::Null => None,
                Part::Bytes(bytes) => Some(bytes),
                Part::Adaptive(content) => Some([&[0][..], &content].concat()),
            })
            .collect();
        tuple(&fields)
    }

    fn part(&self, field: &Field, encoding: Encoding) -> Result<Part> {
        Ok(match field {
            Field::Null => Part::Null,
            Field::Short(bytes) => Part::Bytes(bytes.clone()),
            Field::Long(content) => match encoding {
                Encoding::StringAddr | Encoding::BytesAddr | Encoding::GeomAddr => {
                    Part::Bytes(write_blob(self.draft, content)?.as_bytes().to_vec())
                }
                Encoding::JsonAddr => {
                    Part::Bytes(crate::prolly::write_json(self.draft, content)?.as_bytes().to_vec())
                }
                _ => Part::Adaptive(content.clone()),
            },
        })
    }

    // Decides which adaptive fields leave the row: those longer than the target at once, then the ones by which most is
    // saved, until the row is no longer than the target (Dolt `go/store/val/tuple_builder.go`).
    fn settle(&self, parts: &mut [Part]) -> Result<()> {
        let target = usize::from(self.schema.target_row_bytes);
        let sizes: Vec<usize> = parts.iter().map(Part::len).collect();
        let mut total = sizes.iter().fold(0usize, |sum, n| sum.saturating_add(*n));
        for (part, size) in parts.iter_mut().zip(&sizes) {
            if *size > target {
                self.move_out(part)?;
            }
        }
        if total <= target {
            return Ok(());
        }
        let saving = |i: usize| -> Option<(usize, usize)> {
            let size = sizes.get(i)?;
            let outside = match parts.get(i)? {
                Part::Adaptive(_) => Hash::LEN.saturating_add(1),
                // Out already, if it was adaptive.
                Part::Bytes(bytes) if *size > target && bytes.len() < *size => bytes.len(),
                Part::Null | Part::Bytes(_) => return None,
            };
            Some((i, size.checked_sub(outside).filter(|n| *n > 0)?))
        };
        let mut candidates: Vec<(usize, usize)> = (0..parts.len()).filter_map(saving).collect();
        candidates.sort_by_key(|(_, saved)| std::cmp::Reverse(*saved));
        for (i, saved) in candidates {
            if let Some(part) = parts.get_mut(i) {
                self.move_out(part)?;
            }
            total = total.saturating_sub(saved);
            if total <= target {
                break;
            }
        }
        Ok(())
    }

    fn move_out(&self, part: &mut Part) -> Result<()> {
        if let Part::Adaptive(content) = part {
            let address = write_blob(self.draft, content)?;
            *part = Part::Bytes([&sqlite4_varint(content.len() as u64)[..], address.as_bytes()].concat());
        }
        Ok(())
    }
}

enum Part {
    Null,
    Bytes(Vec<u8>),
    // Not yet decided where.
    Adaptive(Vec<u8>),
}

impl Part {
    fn len(&self) -> usize {
        match self {
            Self::Null => 0,
            Self::Bytes(bytes) => bytes.len(),
            Self::Adaptive(content) => content.len().saturating_add(INLINE_MARK),
        }
    }
}

fn field(fields: &[Field], column: usize) -> &Field {
    fields.get(column).unwrap_or(&Field::Null)
}

// Keys hold long values inline, with the mark that ends a text; an index may keep some bytes only.
fn key_field(field: &Field, prefix: usize) -> Option<Vec<u8>> {
    let kept = |content: &[u8]| {
        let len = if prefix == 0 { content.len() } else { prefix.min(content.len()) };
        [content.get(..len).unwrap_or(content), &[0]].concat()
    };
    match field {
        Field::Null => None,
        Field::Short(bytes) if prefix == 0 => Some(bytes.clone()),
        Field::Short(bytes) => Some(kept(bytes.strip_suffix(&[0]).unwrap_or(bytes))),
        Field::Long(content) => Some(kept(content)),
    }
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
