//! Addresses: the first 20 bytes of the SHA-512 of a chunk's uncompressed bytes (Dolt `go/store/hash`).

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};
use sha2::{Digest, Sha512};

/// The address of a chunk. Its text is 32 characters of `0-9a-v`, big-endian, no padding, so texts sort as bytes do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Hash([u8; 20]);

impl Hash {
    /// Twenty zero bytes: "none", or "the empty value".
    pub const NONE: Self = Self([0; 20]);
    /// Bytes in an address.
    pub const LEN: usize = 20;

    /// The address of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let digest = Sha512::digest(bytes);
        let mut out = [0; Self::LEN];
        for (to, from) in out.iter_mut().zip(digest) {
            *to = from;
        }
        Self(out)
    }

    /// An address from its bytes. `None` if there are not exactly 20.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// An address from its text. `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        Self::from_slice(&base32().decode(text.as_bytes()).ok()?)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Whether it is [`Hash::NONE`].
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    /// The first 8 bytes as a big-endian number: what table files and archives sort by.
    pub(crate) fn prefix(&self) -> u64 {
        crate::bytes::u64_be(&self.0, 0).unwrap_or_default()
    }

    /// The last 12 bytes.
    pub(crate) fn suffix(&self) -> &[u8] {
        self.0.split_at(8).1
    }
}

/// Maps by address. Addresses are spread evenly as they are: nothing has to be hashed again, and who wants to make many that
/// begin alike has to try SHA-512 that often.
pub(crate) type AddressMap<V> = HashMap<Hash, V, BuildHasherDefault<FirstBytes>>;
/// Sets of addresses, likewise.
pub(crate) type AddressSet = HashSet<Hash, BuildHasherDefault<FirstBytes>>;

/// Takes the first eight bytes for the hash.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = crate::bytes::u64_be(bytes, 0).unwrap_or_default();
    }

    // The length, which is always the same.
    fn write_usize(&mut self, _: usize) {}
}

fn base32() -> &'static Encoding {
    static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
        let mut spec = Specification::new();
        spec.symbols.push_str("0123456789abcdefghijklmnopqrstuv");
        // The alphabet above is valid by construction: 32 different ASCII characters.
        spec.encoding().unwrap_or(data_encoding::BASE32HEX_NOPAD)
    });
    &BASE32
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base32().encode(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // The two test vectors come from nodes that Dolt 1.88.1 wrote.
    #[test]
    fn addresses_equal_dolts() {
        let blob = hex(
            "1b000030140000 00424c4f42 0c001000 0c000000 00000400 0c000000 01000000 00000000 04000000 05000000 68656c6c6f000000",
        );
        assert_eq!(Hash::of(&blob).to_string(), "g5v3o90ol2agv3h3iirb5tb1qu1u3asr");
    }

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> =
            text.chars().filter_map(|c| c.to_digit(16)).map(|d| u8::try_from(d).unwrap()).collect();
        digits.chunks(2).map(|p| p[0] << 4 | p[1]).collect()
    }

    proptest! {
        #[test]
        fn text_and_bytes_are_the_same_and_sort_alike(a: [u8; 20], b: [u8; 20]) {
            let (x, y) = (Hash(a), Hash(b));
            prop_assert_eq!(Hash::parse(&x.to_string()), Some(x));
            prop_assert_eq!(x.cmp(&y), x.to_string().cmp(&y.to_string()));
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in ["", "v", "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww", "VVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVV"] {
            assert_eq!(Hash::parse(bad), None, "{bad:?}");
        }
    }
}
