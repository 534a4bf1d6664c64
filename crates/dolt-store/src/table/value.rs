//! Values: from the bytes of a field to a typed value (Dolt `go/store/val/codec.go`, `adaptive_value.go`).
//!
//! Numbers are little-endian. Text and JSON may lie outside of the row: as an address (old columns), or adaptively, as
//! `00` and the bytes themselves, or as their length (`SQLite4` varint) and an address.

use std::cmp::Ordering;

use super::schema::Encoding;
use crate::bytes::{array, slice};
use crate::chunk::Snapshot;
use crate::prolly::read_blob;
use crate::{Error, Hash, Result};

/// A typed value.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A signed whole number (also bool, which is tinyint).
    Int(i64),
    /// An unsigned whole number, a bit value.
    Uint(u64),
    /// A float of 32 bits.
    Float(f32),
    /// A float of 64 bits.
    Double(f64),
    /// A decimal number, spelled with all digits of its scale.
    Decimal(String),
    /// Characters.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A JSON document, as stored.
    Json(String),
    /// A day: year, month, day. All zero: `MySQL`'s zero date.
    Date(u16, u8, u8),
    /// Microseconds since 1970, UTC: datetime and timestamp.
    Datetime(i64),
    /// A span of time in microseconds.
    Time(i64),
    /// A year; 0 is `MySQL`'s year 0.
    Year(u16),
    /// An enum member by its position, counted from 1.
    Enum(u16),
    /// A set's members as bits.
    Set(u64),
    /// A geometry in `MySQL`'s form.
    Geometry(Vec<u8>),
    /// An address of a commit.
    Commit(Hash),
    /// A keyless row's id.
    RowId([u8; 16]),
    /// The value of a virtual column: it is not stored, an expression gives it, and one that this crate does not evaluate.
    NotStored,
}

/// `MySQL`'s zero moment, 0000-00-00 00:00:00: Go's date of year 0, month 0, day 0, in microseconds since 1970.
pub(crate) const ZERO_DATETIME: i64 = -62_169_984_000_000_000;

/// Reads a field of a key: long columns stand there as they are, whatever the column's own encoding is.
pub(crate) fn decode_key(encoding: Encoding, field: Option<&[u8]>) -> Result<Value> {
    field.map_or(Ok(Value::Null), |bytes| short_value(encoding, bytes).map_err(field_problem))
}

/// Reads one field. Long values are fetched from the snapshot.
pub(crate) fn decode(encoding: Encoding, field: Option<&[u8]>, snapshot: &Snapshot) -> Result<Value> {
    let Some(bytes) = field else { return Ok(Value::Null) };
    let hash = match encoding {
        Encoding::BytesAddr | Encoding::StringAddr | Encoding::JsonAddr | Encoding::GeomAddr => {
            Hash::from_slice(bytes)
        }
        _ => None,
    };
    if let Some(hash) = hash {
        return of_content(encoding, read_blob(snapshot, hash)?)
            .map_err(|problem| Error::BadChunk { hash, problem });
    }
    match encoding {
        Encoding::StringAdaptive
        | Encoding::BytesAdaptive
        | Encoding::JsonAdaptive
        | Encoding::GeomAdaptive => {
            let (hash, content) = match adaptive(bytes).map_err(field_problem)? {
                Adaptive::Inline(content) => (Hash::NONE, content.to_vec()),
                Adaptive::Outside { address, .. } => (address, read_blob(snapshot, address)?),
            };
            of_content(encoding, content).map_err(|problem| Error::BadChunk { hash, problem })
        }
        _ => short_value(encoding, bytes).map_err(field_problem),
    }
}

// The row's own chunk is named by the caller, who knows it.
fn field_problem(problem: String) -> Error {
    Error::BadChunk { hash: Hash::NONE, problem }
}

/// Where the content of an adaptive field is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Adaptive<'a> {
    /// In the row.
    Inline(&'a [u8]),
    /// In a tree of its own, so many bytes.
    Outside { bytes: u64, address: Hash },
}

/// Splits an adaptive field.
pub(crate) fn adaptive(bytes: &[u8]) -> std::result::Result<Adaptive<'_>, String> {
    if let Some((0, content)) = bytes.split_first() {
        return Ok(Adaptive::Inline(content));
    }
    let split = bytes.len().checked_sub(Hash::LEN).filter(|n| *n > 0);
    let outside = split.and_then(|at| {
        let (length, address) = bytes.split_at(at);
        Some(Adaptive::Outside { bytes: varint(length)?, address: Hash::from_slice(address)? })
    });
    outside.ok_or_else(|| format!("{} bytes are no adaptive value", bytes.len()))
}

// `SQLite4`'s varint. `None`: these bytes are none, or there are more of them.
fn varint(bytes: &[u8]) -> Option<u64> {
    let (first, rest) = bytes.split_first()?;
    let big_endian = |part: &[u8]| part.iter().fold(0u64, |n, b| (n << 8) | u64::from(*b));
    let (len, base) = match first {
        0..=240 => (0, u64::from(*first)),
        241..=248 => (1, 240u64.saturating_add(u64::from(first.saturating_sub(241)) << 8)),
        249 => (2, 2288),
        other => (usize::from(other.saturating_sub(247)), 0),
    };
    (rest.len() == len).then(|| base.saturating_add(big_endian(rest)))
}

/// The value of a long column that has this content.
pub(super) fn of_content(encoding: Encoding, content: Vec<u8>) -> std::result::Result<Value, String> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|_| "a text is no UTF-8".to_owned());
    Ok(match encoding {
        Encoding::StringAddr | Encoding::StringAdaptive => Value::Text(text(content)?),
        Encoding::JsonAddr | Encoding::JsonAdaptive if content.is_empty() => {
            return Err("a document without a value".to_owned());
        }
        Encoding::JsonAddr | Encoding::JsonAdaptive => Value::Json(text(content)?),
        Encoding::GeomAddr | Encoding::GeomAdaptive => Value::Geometry(content),
        _ => Value::Bytes(content),
    })
}

fn short_value(encoding: Encoding, bytes: &[u8]) -> std::result::Result<Value, String> {
    fn fixed<const N: usize>(bytes: &[u8]) -> std::result::Result<[u8; N], String> {
        bytes.try_into().map_err(|_| format!("{} bytes where {N} belong", bytes.len()))
    }
    Ok(match encoding {
        Encoding::Int8 => Value::Int(i8::from_le_bytes(fixed(bytes)?).into()),
        Encoding::Int16 => Value::Int(i16::from_le_bytes(fixed(bytes)?).into()),
        Encoding::Int32 => Value::Int(i32::from_le_bytes(fixed(bytes)?).into()),
        Encoding::Int64 => Value::Int(i64::from_le_bytes(fixed(bytes)?)),
        Encoding::Uint8 => Value::Uint(u8::from_le_bytes(fixed(bytes)?).into()),
        Encoding::Uint16 => Value::Uint(u16::from_le_bytes(fixed(bytes)?).into()),
        Encoding::Uint32 => Value::Uint(u32::from_le_bytes(fixed(bytes)?).into()),
        Encoding::Uint64 | Encoding::Bit64 => Value::Uint(u64::from_le_bytes(fixed(bytes)?)),
        Encoding::Float32 => Value::Float(f32::from_le_bytes(fixed(bytes)?)),
        Encoding::Float64 => Value::Double(f64::from_le_bytes(fixed(bytes)?)),
        Encoding::Year => match u8::from_le_bytes(fixed(bytes)?) {
            255 => Value::Year(0),
            n => Value::Year(u16::from(n).saturating_add(1901)),
        },
        Encoding::Date => {
            let [day, month, low, high] = fixed(bytes)?;
            Value::Date(u16::from_le_bytes([low, high]), month, day)
        }
        Encoding::Time => Value::Time(i64::from_le_bytes(fixed(bytes)?)),
        Encoding::Datetime => Value::Datetime(i64::from_le_bytes(fixed(bytes)?)),
        Encoding::Enum => Value::Enum(u16::from_le_bytes(fixed(bytes)?)),
        Encoding::Set => Value::Set(u64::from_le_bytes(fixed(bytes)?)),
        Encoding::Hash128 => Value::RowId(fixed(bytes)?),
        Encoding::CommitAddr => Value::Commit(Hash::from_slice(bytes).ok_or("no address")?),
        Encoding::Decimal => Value::Decimal(decimal(bytes)?),
        // Text keys of indexes on long columns are stored inline whatever the column's own encoding is.
        Encoding::String | Encoding::StringAddr | Encoding::StringAdaptive => {
            let text = bytes.strip_suffix(&[0]).ok_or("a text without its end mark")?;
            Value::Text(match std::str::from_utf8(text) {
                Ok(text) => text.to_owned(),
                Err(_) => String::from_utf8_lossy(text).into_owned(),
            })
        }
        Encoding::Bytes | Encoding::BytesAddr | Encoding::BytesAdaptive => {
            Value::Bytes(bytes.strip_suffix(&[0]).ok_or("bytes without their end mark")?.to_vec())
        }
        Encoding::Json => Value::Json(String::from_utf8_lossy(bytes).into_owned()),
        Encoding::Geometry => Value::Geometry(bytes.to_vec()),
        other => return Err(format!("encoding {other:?} is not supported")),
    })
}

// Exponent:4, sign:1 (-1, 0, 1), magnitude big-endian, padded to whole 8 bytes.
fn decimal(bytes: &[u8]) -> std::result::Result<String, String> {
    let exponent = array(bytes, 0).map(i32::from_le_bytes).ok_or("a decimal without exponent")?;
    let sign = array(bytes, 4).map(i8::from_le_bytes).ok_or("a decimal without sign")?;
    let magnitude = slice(bytes, 5, bytes.len().saturating_sub(5)).unwrap_or_default();
    if !(-1..=1).contains(&sign) || exponent.unsigned_abs() > 100 || magnitude.len() > 64 {
        return Err("no decimal of MySQL".to_owned());
    }
    // There is no minus zero.
    let is_zero = magnitude.iter().all(|b| *b == 0);
    let mut text = if sign < 0 && !is_zero { "-".to_owned() } else { String::new() };
    let minus = text.len();
    push_digits(&mut text, magnitude);
    for _ in 0..if is_zero { 0 } else { exponent } {
        text.push('0');
    }
    let scale = usize::try_from(exponent.checked_neg().unwrap_or(0)).unwrap_or(0);
    if scale > 0 {
        // One digit at least stands before the point.
        let missing = scale.saturating_add(1).saturating_sub(text.len().saturating_sub(minus));
        text.insert_str(minus, ZEROS.get(..missing).unwrap_or_default());
        text.insert(text.len().saturating_sub(scale), '.');
    }
    Ok(text)
}

// As many as a scale may have, and one.
const ZEROS: &str =
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000";

fn push_digits(text: &mut String, magnitude: &[u8]) {
    // Nearly all: a number of 64 bits.
    if let Ok(bytes) = magnitude.try_into() {
        text.push_str(&u64::from_be_bytes(bytes).to_string());
        return;
    }
    // Long division by ten, digit by digit: magnitudes have at most some dozens of bytes.
    let mut rest: Vec<u8> = magnitude.to_vec();
    let mut reversed = String::new();
    while rest.iter().any(|b| *b != 0) {
        let mut carry = 0u16;
        for byte in &mut rest {
            let value = (carry << 8) | u16::from(*byte);
            *byte = u8::try_from(value / 10).unwrap_or(u8::MAX);
            carry = value % 10;
        }
        reversed.push(char::from_digit(u32::from(carry), 10).unwrap_or('?'));
    }
    if reversed.is_empty() {
        reversed.push('0');
    }
    text.extend(reversed.chars().rev());
}

/// The order of two fields of a key; NULL first. Only encodings that keys have.
pub(crate) fn compare(encoding: Encoding, a: Option<&[u8]>, b: Option<&[u8]>) -> Ordering {
    let (a, b) = match (a, b) {
        (None, None) => return Ordering::Equal,
        (None, Some(_)) => return Ordering::Less,
        (Some(_), None) => return Ordering::Greater,
        (Some(a), Some(b)) => (a, b),
    };
    match encoding {
        // Bytewise: texts in a binary collation, bytes, addresses, ids, cells.
        Encoding::String
        | Encoding::StringAddr
        | Encoding::StringAdaptive
        | Encoding::Bytes
        | Encoding::BytesAddr
        | Encoding::BytesAdaptive
        | Encoding::JsonAddr
        | Encoding::JsonAdaptive
        | Encoding::GeomAddr
        | Encoding::GeomAdaptive
        | Encoding::CommitAddr
        | Encoding::Hash128
        | Encoding::Cell
        | Encoding::Json
        | Encoding::Geometry
        | Encoding::Null
        | Encoding::Unknown(_) => a.cmp(b),
        Encoding::Decimal => compare_decimals(a, b),
        // Year, month and day in one number.
        Encoding::Date => array(a, 0).map(u32::from_le_bytes).cmp(&array(b, 0).map(u32::from_le_bytes)),
        _ => match (short_value(encoding, a), short_value(encoding, b)) {
            (Ok(a), Ok(b)) => compare_plain(&a, &b),
            _ => a.cmp(b),
        },
    }
}

fn compare_plain(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Int(a), Value::Int(b))
        | (Value::Time(a), Value::Time(b))
        | (Value::Datetime(a), Value::Datetime(b)) => a.cmp(b),
        (Value::Uint(a), Value::Uint(b)) | (Value::Set(a), Value::Set(b)) => a.cmp(b),
        (Value::Enum(a), Value::Enum(b)) | (Value::Year(a), Value::Year(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
        _ => Ordering::Equal,
    }
}

// Of one column, so with one exponent; a zero has no magnitude.
fn compare_decimals(a: &[u8], b: &[u8]) -> Ordering {
    let (Ok(a), Ok(b)) = (decimal(a), decimal(b)) else { return a.cmp(b) };
    let negative = |t: &str| t.starts_with('-');
    let key = |t: &str| {
        let plain = t.trim_start_matches('-').trim_start_matches('0').to_owned();
        (plain.split('.').next().unwrap_or_default().len(), plain)
    };
    match (negative(&a), negative(&b)) {
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, false) => key(&a).cmp(&key(&b)),
        (true, true) => key(&b).cmp(&key(&a)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimals_keep_the_zeros_of_their_scale() {
        let field = |exponent: i32, sign: i8, magnitude: u64| {
            let mut bytes = exponent.to_le_bytes().to_vec();
            bytes.extend(sign.to_le_bytes());
            if sign != 0 {
                bytes.extend(magnitude.to_be_bytes());
            }
            bytes
        };
        assert_eq!(decimal(&field(-3, 1, 1500)).unwrap(), "1.500");
        assert_eq!(decimal(&field(-3, -1, 5)).unwrap(), "-0.005");
        assert_eq!(decimal(&field(-2, 0, 0)).unwrap(), "0.00");
        assert_eq!(decimal(&field(-2, -1, 0)).unwrap(), "0.00");
        assert_eq!(decimal(&field(9, 1, 0)).unwrap(), "0");
        assert_eq!(decimal(&field(0, 1, u64::MAX)).unwrap(), u64::MAX.to_string());
        assert_eq!(decimal(&field(-2, 1, 1_234_567)).unwrap(), "12345.67");
        assert_eq!(decimal(&field(2, 1, 7)).unwrap(), "700");
        assert_eq!(decimal(&field(-100, -1, 5)).unwrap(), format!("-0.{}5", "0".repeat(99)));
    }

    proptest! {
        #[test]
        fn the_order_of_encoded_numbers_is_the_order_of_the_numbers(a: i64, b: i64, c: u64, d: u64, e: i8, f: i8) {
            let order = |encoding, a: &[u8], b: &[u8]| compare(encoding, Some(a), Some(b));
            prop_assert_eq!(order(Encoding::Int64, &a.to_le_bytes(), &b.to_le_bytes()), a.cmp(&b));
            prop_assert_eq!(order(Encoding::Datetime, &a.to_le_bytes(), &b.to_le_bytes()), a.cmp(&b));
            prop_assert_eq!(order(Encoding::Uint64, &c.to_le_bytes(), &d.to_le_bytes()), c.cmp(&d));
            prop_assert_eq!(order(Encoding::Int8, &e.to_le_bytes(), &f.to_le_bytes()), e.cmp(&f));
            prop_assert_eq!(compare(Encoding::Int64, None, Some(&a.to_le_bytes())), Ordering::Less);
        }

        #[test]
        fn the_order_of_encoded_decimals_is_the_order_of_the_numbers(a: i32, b: i32) {
            let field = |n: i32| {
                let mut bytes = (-2i32).to_le_bytes().to_vec();
                bytes.push(n.signum().to_le_bytes()[0]);
                if n != 0 {
                    bytes.extend(u64::from(n.unsigned_abs()).to_be_bytes());
                }
                bytes
            };
            prop_assert_eq!(compare(Encoding::Decimal, Some(&field(a)), Some(&field(b))), a.cmp(&b));
        }

        #[test]
        fn digits_are_the_same_however_many_bytes_hold_them(n: u128, m: u64) {
            let digits = |bytes: &[u8]| {
                let mut text = String::new();
                push_digits(&mut text, bytes);
                text
            };
            prop_assert_eq!(digits(&n.to_be_bytes()), n.to_string());
            prop_assert_eq!(digits(&m.to_be_bytes()), m.to_string());
            prop_assert_eq!(digits(&u128::from(m).to_be_bytes()), m.to_string());
        }

        #[test]
        fn no_bytes_make_a_codec_panic(id: u8, bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            drop(short_value(Encoding::of(id), &bytes));
            prop_assert!(adaptive(&bytes).is_ok() || adaptive(&bytes).is_err());
        }
    }
}
