//! Numbers from bytes, never past the end.

/// A fixed number of bytes at an offset.
pub(crate) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// A big-endian number.
pub(crate) fn u32_be(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_be_bytes)
}

/// A big-endian number.
pub(crate) fn u64_be(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_be_bytes)
}

/// A slice by offset and length.
pub(crate) fn slice(bytes: &[u8], at: usize, len: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(len)?)
}

/// A length or offset of a file as a length in memory.
pub(crate) fn to_usize(n: u64) -> Option<usize> {
    usize::try_from(n).ok()
}

/// A number as `SQLite4` writes it: longer numbers take more bytes, and sort behind shorter ones.
pub(crate) fn sqlite4_varint(n: u64) -> Vec<u8> {
    let byte = |n: u64| n.to_le_bytes()[0];
    match n {
        0..=240 => vec![byte(n)],
        241..=2287 => {
            let rest = n.saturating_sub(240);
            vec![byte((rest >> 8).saturating_add(241)), byte(rest & 0xff)]
        }
        2288..=67_823 => {
            let rest = n.saturating_sub(2288);
            vec![249, byte(rest >> 8), byte(rest & 0xff)]
        }
        _ => {
            let all = n.to_be_bytes();
            let unused = usize::try_from(n.leading_zeros() / 8).unwrap_or(0).min(5);
            let used = all.get(unused..).unwrap_or_default();
            let mut bytes = vec![byte(used.len() as u64).saturating_add(247)];
            bytes.extend_from_slice(used);
            bytes
        }
    }
}
