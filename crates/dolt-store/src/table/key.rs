//! Encodes a value as the field of a key, to look it up.

use super::schema::Encoding;
use super::value::Value;

/// A value as the bytes of a key's field; long columns stand in keys as they are. `None`: it cannot be of that column.
pub(crate) fn encode(encoding: Encoding, value: &Value) -> Option<Vec<u8>> {
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
        Encoding::Float32 => {
            let Value::Float(number) = value else { return None };
            number.to_le_bytes().to_vec()
        }
        Encoding::Float64 => {
            let Value::Double(number) = value else { return None };
            number.to_le_bytes().to_vec()
        }
        Encoding::Decimal => {
            let Value::Decimal(text) = value else { return None };
            decimal(text)?
        }
        Encoding::Year => match value {
            Value::Year(0) => vec![255],
            Value::Year(year) => vec![u8::try_from(year.checked_sub(1901)?).ok().filter(|n| *n < 255)?],
            _ => return None,
        },
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
        Encoding::Hash128 => {
            let Value::RowId(id) = value else { return None };
            id.to_vec()
        }
        Encoding::CommitAddr => {
            let Value::Commit(hash) = value else { return None };
            hash.as_bytes().to_vec()
        }
        _ => return None,
    })
}

// Exponent:4, sign:1, magnitude big-endian in whole 8 bytes; nothing for zero.
fn decimal(text: &str) -> Option<Vec<u8>> {
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let exponent = i32::try_from(fraction.len()).ok()?.checked_neg()?;
    let mut magnitude: Vec<u8> = Vec::new();
    for digit in whole.chars().chain(fraction.chars()) {
        let mut carry = u16::try_from(digit.to_digit(10)?).ok()?;
        for byte in magnitude.iter_mut().rev() {
            let value = u16::from(*byte).saturating_mul(10).saturating_add(carry);
            *byte = u8::try_from(value & 0xff).ok()?;
            carry = value >> 8;
        }
        if carry > 0 {
            magnitude.insert(0, u8::try_from(carry).ok()?);
        }
    }
    let sign = match (magnitude.is_empty(), is_negative) {
        (true, _) => 0i8,
        (false, true) => -1,
        (false, false) => 1,
    };
    let padding = magnitude.len().next_multiple_of(8).saturating_sub(magnitude.len());
    Some([&exponent.to_le_bytes()[..], &sign.to_le_bytes(), &vec![0; padding], &magnitude].concat())
}

#[cfg(test)]
mod tests {
    use super::super::value::{compare, decode_key};
    use super::*;
    use proptest::prelude::*;

    fn round(encoding: Encoding, value: &Value) -> bool {
        encode(encoding, value).is_some_and(|bytes| decode_key(encoding, Some(&bytes)).unwrap() == *value)
    }

    #[test]
    fn keys_of_every_kind_are_read_back_as_they_were_encoded() {
        let long = "-1234567890123456789012345678901234.567890";
        for text in ["0", "0.00", "-0.005", "18446744073709551615", "18446744073709551616.0", long] {
            assert!(round(Encoding::Decimal, &Value::Decimal(text.into())), "{text}");
        }
        for year in [0, 1901, 2155] {
            assert!(round(Encoding::Year, &Value::Year(year)), "{year}");
        }
        assert!(!round(Encoding::Year, &Value::Year(2156)) && !round(Encoding::Int8, &Value::Int(128)));
        assert!(
            round(Encoding::Date, &Value::Date(9999, 12, 31)) && round(Encoding::Float32, &Value::Float(0.1))
        );
        assert!(round(Encoding::StringAddr, &Value::Text("nineteen characters".into())));
    }

    proptest! {
        #[test]
        fn numbers_and_texts_are_read_back_as_they_were_encoded(n: i64, m: u64, d: i32, text: String, f: f64) {
            prop_assert!(round(Encoding::Int64, &Value::Int(n)) && round(Encoding::Uint64, &Value::Uint(m)));
            prop_assert!(round(Encoding::Datetime, &Value::Datetime(n)) && round(Encoding::Time, &Value::Time(n)));
            prop_assert!(round(Encoding::String, &Value::Text(text)) && round(Encoding::Float64, &Value::Double(f)));
            prop_assert!(round(Encoding::Decimal, &Value::Decimal(d.to_string())));
        }

        #[test]
        fn the_order_of_encoded_keys_is_the_order_of_the_values(
            text: (String, String), bytes: (Vec<u8>, Vec<u8>), float: (f64, f64), year: (u8, u8), day: ((u16, u8, u8), (u16, u8, u8)),
            member: (u16, u16), cents: (i64, i64),
        ) {
            let order = |encoding, a: Value, b: Value| {
                let encoded = |value: &Value| encode(encoding, value).unwrap();
                compare(encoding, Some(&encoded(&a)), Some(&encoded(&b)))
            };
            let of_text = |t: &str| Value::Text(t.to_owned());
            prop_assert_eq!(order(Encoding::String, of_text(&text.0), of_text(&text.1)), text.0.chars().cmp(text.1.chars()));
            let (a, b) = (bytes.0.clone(), bytes.1.clone());
            // The end mark is smaller than any byte but zero, which it equals.
            let with_mark = |b: &[u8]| [b, &[0]].concat();
            prop_assert_eq!(order(Encoding::Bytes, Value::Bytes(a), Value::Bytes(b)), with_mark(&bytes.0).cmp(&with_mark(&bytes.1)));
            prop_assert_eq!(order(Encoding::Float64, Value::Double(float.0), Value::Double(float.1)), float.0.partial_cmp(&float.1).unwrap());
            let in_range = |y: u8| if y == 255 { 0 } else { u16::from(y) + 1901 };
            let years = (in_range(year.0), in_range(year.1));
            prop_assert_eq!(order(Encoding::Year, Value::Year(years.0), Value::Year(years.1)), years.0.cmp(&years.1));
            let of_day = |(y, m, d): (u16, u8, u8)| Value::Date(y, m, d);
            prop_assert_eq!(order(Encoding::Date, of_day(day.0), of_day(day.1)), day.0.cmp(&day.1));
            prop_assert_eq!(order(Encoding::Enum, Value::Enum(member.0), Value::Enum(member.1)), member.0.cmp(&member.1));
            let of_cents = |n: i64| {
                let (sign, n) = (if n < 0 { "-" } else { "" }, n.unsigned_abs());
                Value::Decimal(format!("{sign}{}.{:02}", n / 100, n % 100))
            };
            prop_assert_eq!(order(Encoding::Decimal, of_cents(cents.0), of_cents(cents.1)), cents.0.cmp(&cents.1));
        }
    }
}
