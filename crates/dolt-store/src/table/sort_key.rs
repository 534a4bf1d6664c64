//! Fields of keys as bytes that compare bytewise as the values do: what is collected in memory is kept in key order, and is
//! compared there some hundred thousand times. What could go wrong: an order that is not that of `value::compare`, or a
//! field whose bytes begin those of another, so that keys run into each other. The tests hold both.

use super::schema::Encoding;
use super::value::{Value, decode_key};

/// Appends a field that is ordered by its value.
pub(super) fn push(encoding: Encoding, bytes: &[u8], out: &mut Vec<u8>) {
    // The sign bit turned: negative numbers come first.
    let signed = |n: i64| (n ^ i64::MIN).to_be_bytes();
    match decode_key(encoding, Some(bytes)) {
        Ok(Value::Int(n) | Value::Time(n) | Value::Datetime(n)) => out.extend(signed(n)),
        Ok(Value::Uint(n) | Value::Set(n)) => out.extend(n.to_be_bytes()),
        Ok(Value::Enum(n) | Value::Year(n)) => out.extend(n.to_be_bytes()),
        Ok(Value::Float(n)) => out.extend(float(n.into())),
        Ok(Value::Double(n)) => out.extend(float(n)),
        Ok(Value::Date(year, month, day)) => {
            out.extend(year.to_be_bytes());
            out.extend([month, day]);
        }
        Ok(Value::Decimal(text)) => decimal(&text, out),
        _ => {
            for byte in bytes {
                push_byte(*byte, out);
            }
            end(out);
        }
    }
}

/// Appends a text that is ordered by its characters.
pub(super) fn push_characters(characters: impl Iterator<Item = char>, out: &mut Vec<u8>) {
    let mut buffer = [0; 4];
    for c in characters {
        for byte in c.encode_utf8(&mut buffer).bytes() {
            push_byte(byte, out);
        }
    }
    end(out);
}

// So that no field begins another: a zero is marked, and two of them are the end.
fn push_byte(byte: u8, out: &mut Vec<u8>) {
    out.push(byte);
    if byte == 0 {
        out.push(0xff);
    }
}

fn end(out: &mut Vec<u8>) {
    out.extend([0, 0]);
}

// There is one zero only.
fn float(n: f64) -> [u8; 8] {
    let bits = if n == 0.0 { 0 } else { n.to_bits() };
    let turned = if bits >> 63 == 1 { !bits } else { bits | (1 << 63) };
    turned.to_be_bytes()
}

// Sign, digits before the point by their number, all digits; of a negative number everything turned.
fn decimal(text: &str, out: &mut Vec<u8>) {
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let digits = digits.trim_start_matches('0');
    let whole = digits.split('.').next().unwrap_or_default().len();
    let turn = |byte: u8| if is_negative { !byte } else { byte };
    out.push(u8::from(!is_negative));
    out.push(turn(u8::try_from(whole).unwrap_or(u8::MAX)));
    out.extend(digits.bytes().map(turn));
    out.push(turn(0));
}

#[cfg(test)]
mod tests {
    use super::super::encode_key;
    use super::super::order::KeyOrder;
    use super::super::schema::Encoding as E;
    use super::super::value::compare;
    use super::*;
    use proptest::prelude::*;

    fn value(encoding: E) -> BoxedStrategy<Value> {
        match encoding {
            E::Int8 => any::<i8>().prop_map(|n| Value::Int(n.into())).boxed(),
            E::Int64 => any::<i64>().prop_map(Value::Int).boxed(),
            E::Uint64 => any::<u64>().prop_map(Value::Uint).boxed(),
            E::Float32 => any::<f32>().prop_map(Value::Float).boxed(),
            E::Float64 => prop_oneof![any::<f64>(), Just(0.0), Just(-0.0)].prop_map(Value::Double).boxed(),
            E::Year => (1901u16..2155).prop_map(Value::Year).boxed(),
            E::Date => (0u16..4, 0u8..4, 0u8..4).prop_map(|(y, m, d)| Value::Date(y, m, d)).boxed(),
            E::Datetime => any::<i64>().prop_map(Value::Datetime).boxed(),
            E::Decimal => (-2000i64..2000)
                .prop_map(|n| {
                    Value::Decimal(format!(
                        "{}{}.{:02}",
                        if n < 0 { "-" } else { "" },
                        n.abs() / 100,
                        n.abs() % 100
                    ))
                })
                .boxed(),
            E::Bytes => prop::collection::vec(0u8..3, 0..4).prop_map(Value::Bytes).boxed(),
            _ => "[a\u{0}é中😀]{0,3}".prop_map(Value::Text).boxed(),
        }
    }

    fn pair() -> impl Strategy<Value = (E, Value, Value)> {
        let all = [
            E::Int8,
            E::Int64,
            E::Uint64,
            E::Float32,
            E::Float64,
            E::Year,
            E::Date,
            E::Datetime,
            E::Decimal,
            E::Bytes,
            E::String,
        ];
        prop::sample::select(all.to_vec()).prop_flat_map(|e| (Just(e), value(e), value(e)))
    }

    proptest! {
        #[test]
        fn bytes_compare_as_the_values_do((encoding, a, b) in pair()) {
            let (a, b) = (encode_key(encoding, &a).unwrap(), encode_key(encoding, &b).unwrap());
            let key = |bytes: &[u8]| {
                let mut out = Vec::new();
                push(encoding, bytes, &mut out);
                out
            };
            prop_assert_eq!(key(&a).cmp(&key(&b)), compare(encoding, Some(&a), Some(&b)));
            prop_assert!(key(&a) == key(&b) || !key(&a).starts_with(&key(&b)));
        }

        #[test]
        fn texts_compare_as_the_order_of_keys_has_it(a in prop::collection::vec(any::<u8>(), 0..6), b in prop::collection::vec(any::<u8>(), 0..6)) {
            let order = KeyOrder::of_texts();
            let key = |bytes: &[u8]| order.sort_key([Some(bytes)].into_iter());
            let sought = |bytes: &[u8]| vec![Some(bytes.to_vec())];
            prop_assert_eq!(key(&a).cmp(&key(&b)), order.compare_sought(&sought(&a), &sought(&b)));
            prop_assert!(order.sort_key([None].into_iter()) < key(&a));
        }
    }
}
