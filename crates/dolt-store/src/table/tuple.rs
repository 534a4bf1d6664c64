//! Tuples: the fields of a key or a value in a row (Dolt `go/store/val/tuple.go`).
//!
//! ```text
//! field bytes ... | offset of field 1 .. n-1, each 2 bytes | field count:2        little-endian
//! ```
//! A field without bytes is NULL. NULLs at the end are cut off; fields past the count are NULL.

use crate::bytes::array;

/// A tuple inside a node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tuple<'a> {
    bytes: &'a [u8],
    count: usize,
    // Where the offsets begin, which is where the fields end.
    offsets_at: usize,
}

impl<'a> Tuple<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, String> {
        let count_at =
            bytes.len().checked_sub(2).ok_or_else(|| format!("{} bytes are no tuple", bytes.len()))?;
        let count = usize::from(array(bytes, count_at).map(u16::from_le_bytes).unwrap_or_default());
        let offsets = count.saturating_sub(1).saturating_mul(2);
        let offsets_at = count_at.checked_sub(offsets);
        let offsets_at = offsets_at.ok_or_else(|| format!("{count} fields in {} bytes", bytes.len()))?;
        Ok(Self { bytes, count, offsets_at })
    }

    /// The bytes of a field; `None`: NULL.
    pub(crate) fn field(&self, i: usize) -> Result<Option<&'a [u8]>, String> {
        if i >= self.count {
            return Ok(None);
        }
        let from = if i == 0 { 0 } else { self.offset(i)? };
        let next = i.saturating_add(1);
        let to = if next == self.count { self.offsets_at } else { self.offset(next)? };
        let field = self.bytes.get(from..to).filter(|_| to <= self.offsets_at);
        let field = field.ok_or_else(|| format!("field {i} reaches from {from} to {to}"))?;
        Ok(Some(field).filter(|f| !f.is_empty()))
    }

    fn offset(&self, i: usize) -> Result<usize, String> {
        let at = self.offsets_at.saturating_add(i.saturating_sub(1).saturating_mul(2));
        array(self.bytes, at)
            .map(|b| usize::from(u16::from_le_bytes(b)))
            .ok_or_else(|| format!("no offset of field {i}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nulls_in_the_middle_and_past_the_end_are_read() {
        // ("a", NULL, "bb", NULL) as Dolt writes it.
        let tuple = Tuple::parse(b"a\0bb\0\x02\0\x02\0\x03\0").unwrap();
        assert_eq!(tuple.count, 3);
        let fields: Vec<_> = (0..5).map(|i| tuple.field(i).unwrap()).collect();
        assert_eq!(fields, [Some(&b"a\0"[..]), None, Some(b"bb\0"), None, None]);
        assert_eq!(Tuple::parse(b"\0\0").unwrap().field(0).unwrap(), None);
    }

    proptest! {
        #[test]
        fn noise_never_panics(noise in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(tuple) = Tuple::parse(&noise) {
                for i in 0..tuple.count.min(100) + 2 {
                    drop(tuple.field(i));
                }
            }
        }
    }
}
