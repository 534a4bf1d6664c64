//! One row or index entry: its long values, and its share in the sums by which rows and indexes are compared.
//!
//! A table's rows say which entries each index must have. Both sides are summed up as sets: the sum of a 128-bit hash per
//! entry, kept per node. So a node is looked at once however many commits share it, and only where the sums of a table
//! and its index differ the entries are compared one by one.

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::shape::{Form, Part, Projection, Shape, is_address};
use super::walker::{Place, Walker};
use crate::message::{Message, Node};
use crate::prolly::read_blob;
use crate::table::{Adaptive, Column, Encoding, Tuple, adaptive, decode_key};
use crate::{Hash, Result};

/// A row in a leaf.
pub(super) struct Row<'r> {
    pub(super) shape: &'r Shape,
    pub(super) key: &'r [u8],
    pub(super) value: &'r [u8],
    pub(super) leaf: Hash,
    pub(super) place: &'r Place,
}

/// Bytes of a keyless row's cardinality, which is no part of what its id is made of.
const CARDINALITY: usize = 8;

impl Walker<'_> {
    /// Checks a row and adds its entries to the sums. False: something is wrong.
    pub(super) fn row(&self, row: &Row<'_>, sums: &mut [u128]) -> bool {
        let problem = match self.row_problem(row, sums) {
            Ok(None) => return true,
            Ok(Some(problem)) | Err(problem) => problem,
        };
        if !problem.is_empty() {
            let Place { state, table, index } = row.place.clone();
            let key = shown(row.shape, row.key);
            let chunk = Some(row.leaf);
            self.say(super::Finding { problem, chunk, state, table, index, key, file: None });
        }
        false
    }

    // `Some("")`: what is wrong has been said.
    fn row_problem(&self, row: &Row<'_>, sums: &mut [u128]) -> std::result::Result<Option<String>, String> {
        let key = Tuple::parse(row.key)?;
        let value = Tuple::parse(row.value)?;
        let mut is_safe = true;
        for (at, encoding) in &row.shape.outside {
            let Some(bytes) = value.field(*at)? else { continue };
            let Some((address, length)) = outside(*encoding, bytes)? else { continue };
            if *encoding == Encoding::CommitAddr {
                continue;
            }
            let blob = self.blob(row.place, address);
            if blob.is_safe && length.is_some_and(|l| l != blob.bytes) {
                return Ok(Some(format!("a value has {} bytes, not {}", blob.bytes, length.unwrap_or(0))));
            }
            is_safe &= blob.is_safe;
        }
        if row.shape.keyless {
            let id = xxh3_128(row.value.get(CARDINALITY..).unwrap_or_default());
            if key.field(0)? != Some(&id.to_le_bytes()) {
                return Ok(Some("the row's id is not the hash of its values".to_owned()));
            }
        }
        if !is_safe {
            return Ok(Some(String::new()));
        }
        for (projection, sum) in row.shape.projections.iter().zip(sums) {
            let hash = self.entry(projection, &key, &value).map_err(|e| e.to_string())?;
            *sum = sum.wrapping_add(hash);
        }
        Ok(None)
    }

    /// The hash of the index entry that a row makes, or that an entry is.
    pub(super) fn entry(&self, projection: &Projection, key: &Tuple<'_>, value: &Tuple<'_>) -> Result<u128> {
        let mut hasher = Xxh3::new();
        for part in &projection.parts {
            let tuple = if part.in_key { key } else { value };
            let field = tuple
                .field(part.at)
                .map_err(|problem| crate::Error::BadChunk { hash: Hash::NONE, problem })?;
            match field {
                None => hasher.update(&[0]),
                Some(bytes) => self.add(part, bytes, &mut hasher)?,
            }
        }
        Ok(hasher.digest128())
    }

    fn add(&self, part: &Part, bytes: &[u8], hasher: &mut Xxh3) -> Result<()> {
        let fetched;
        let content = match part.form {
            Form::Plain => bytes.strip_suffix(&[0]).filter(|_| part.prefix > 0).unwrap_or(bytes),
            Form::Address => {
                fetched = read_blob(self.snapshot, Hash::from_slice(bytes).unwrap_or_default())?;
                &fetched
            }
            Form::Adaptive => match adaptive(bytes) {
                Ok(Adaptive::Inline(content)) => content,
                Ok(Adaptive::Outside { address, .. }) => {
                    fetched = read_blob(self.snapshot, address)?;
                    &fetched
                }
                Err(problem) => return Err(crate::Error::BadChunk { hash: Hash::NONE, problem }),
            },
        };
        let kept = match part.prefix {
            0 => content.len(),
            prefix => prefix.min(content.len()),
        };
        // What is cut has its end mark on the other side.
        let mark: &[u8] = if part.prefix > 0 { &[0] } else { &[] };
        hasher.update(&[1]);
        hasher.update(&kept.saturating_add(mark.len()).to_le_bytes());
        hasher.update(content.get(..kept).unwrap_or_default());
        hasher.update(mark);
        Ok(())
    }
}

/// A key as people read it.
pub(super) fn shown(shape: &Shape, key: &[u8]) -> Option<String> {
    let tuple = Tuple::parse(key).ok()?;
    let field = |(i, column): (usize, &Column)| {
        let value = decode_key(column.encoding, tuple.field(i).ok()?).ok()?;
        Some(value.to_text(column).unwrap_or_else(|| "NULL".to_owned()))
    };
    let fields: Option<Vec<String>> = shape.key_columns.iter().enumerate().map(field).collect();
    fields.map(|f| f.join(", "))
}

/// A leaf lists the addresses in its rows, for collections to find them. Checks that it lists exactly those.
pub(super) fn listed_addresses(shape: &Shape, node: &Node) -> std::result::Result<(), String> {
    let table = Message::parse(node.bytes(), *b"TUPM")?.root(11)?;
    let items = table.bytes(3)?;
    let listed = table.u16s(6)?.into_iter().map(|at| {
        let part = crate::bytes::slice(items, usize::from(at), Hash::LEN);
        part.and_then(Hash::from_slice).ok_or("an address is listed past the end of the values")
    });
    let mut listed = listed.collect::<std::result::Result<Vec<_>, _>>()?;
    let mut held = Vec::new();
    for i in 0..node.len() {
        let value = Tuple::parse(node.value(i))?;
        for (at, encoding) in &shape.outside {
            let Some(bytes) = value.field(*at)? else { continue };
            held.extend(outside(*encoding, bytes)?.map(|(address, _)| address));
        }
    }
    held.retain(|a| !a.is_none());
    held.sort_unstable();
    listed.sort_unstable();
    if held == listed {
        return Ok(());
    }
    Err(format!("its rows hold {} addresses, it lists {} others or as many", held.len(), listed.len()))
}

/// The same for an inner node, which has no rows.
pub(super) fn lists_nothing(node: &Node) -> std::result::Result<(), String> {
    let listed = Message::parse(node.bytes(), *b"TUPM")?.root(11)?.u16s(6)?;
    if listed.is_empty() { Ok(()) } else { Err("an inner node lists addresses of long values".to_owned()) }
}

// The address in a field and, if it says, how long the value is.
fn outside(encoding: Encoding, bytes: &[u8]) -> std::result::Result<Option<(Hash, Option<u64>)>, String> {
    if is_address(encoding) {
        let address =
            Hash::from_slice(bytes).ok_or_else(|| format!("{} bytes are no address", bytes.len()))?;
        return Ok(Some((address, None)));
    }
    Ok(match adaptive(bytes)? {
        Adaptive::Inline(_) => None,
        Adaptive::Outside { bytes, address } => Some((address, Some(bytes))),
    })
}
