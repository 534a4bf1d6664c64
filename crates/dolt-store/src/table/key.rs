//! Encodes a value as the field of a key, to look it up.

use super::schema::Encoding;
use super::value::Value;

/// One field of a key that is sought: how it is stored, and its bytes; no bytes: NULL.
pub(super) type Sought = (Encoding, Option<Vec<u8>>);

/// A value as a sought field. `None`: it cannot be of that column.
pub(super) fn sought(encoding: Encoding, value: &Value) -> Option<Sought> {
    match value {
        Value::Null => Some((encoding, None)),
        other => Some((encoding, Some(encode(encoding, other)?))),
    }
}

fn encode(encoding: Encoding, value: &Value) -> Option<Vec<u8>> {
    let signed = |v: &Value| match v {
        Value::Int(n) => Some(*n),
        Value::Uint(n) => i64::try_from(*n).ok(),
        _ => None,
    };
    let unsigned = |v: &Value| match v {
        Value::Uint(n) | Value::Set(n) => Some(*n),
        Value::Int(n) => u64::try_from(*n).ok(),
        Value::Enum(n) => Some((*n).into()),
        _ => None,
    };
    Some(match encoding {
        Encoding::Int8 => i8::try_from(signed(value)?).ok()?.to_le_bytes().to_vec(),
        Encoding::Int16 => i16::try_from(signed(value)?).ok()?.to_le_bytes().to_vec(),
        Encoding::Int32 => i32::try_from(signed(value)?).ok()?.to_le_bytes().to_vec(),
        Encoding::Int64 => signed(value)?.to_le_bytes().to_vec(),
        Encoding::Uint8 => u8::try_from(unsigned(value)?).ok()?.to_le_bytes().to_vec(),
        Encoding::Uint16 | Encoding::Enum => u16::try_from(unsigned(value)?).ok()?.to_le_bytes().to_vec(),
        Encoding::Uint32 => u32::try_from(unsigned(value)?).ok()?.to_le_bytes().to_vec(),
        Encoding::Uint64 | Encoding::Bit64 | Encoding::Set => unsigned(value)?.to_le_bytes().to_vec(),
        Encoding::Date => {
            let Value::Date(year, month, day) = value else { return None };
            let [low, high] = year.to_le_bytes();
            vec![*day, *month, low, high]
        }
        Encoding::Time | Encoding::Datetime => {
            let (Value::Time(micros) | Value::Datetime(micros)) = value else { return None };
            micros.to_le_bytes().to_vec()
        }
        Encoding::String | Encoding::StringAddr | Encoding::StringAdaptive => {
            let Value::Text(text) = value else { return None };
            [text.as_bytes(), &[0]].concat()
        }
        Encoding::Bytes | Encoding::BytesAddr | Encoding::BytesAdaptive => {
            let Value::Bytes(bytes) = value else { return None };
            [bytes.as_slice(), &[0]].concat()
        }
        _ => return None,
    })
}
