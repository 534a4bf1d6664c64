//! Where the nodes of a prolly tree must end (Dolt `go/store/prolly/tree/node_splitter.go`, `chunker.go`).
//!
//! Per level, `size` counts the bytes of keys and values since the last boundary. After an entry the node ends if `size` is
//! above 16384, or from 512 on with the chance that a Weibull distribution (shape 4, scale 4096) gives to this entry: the
//! hash of its key decides, so the same entries always give the same nodes. An inner node has at least two entries. Before
//! an entry that would bring a node above 65535 bytes it ends too.

use std::sync::LazyLock;

use sha2::{Digest, Sha512};
use xxhash_rust::xxh3::xxh3_64_with_seed;

const MIN_BYTES: usize = 512;
pub(crate) const MAX_BYTES: usize = 16_384;
/// A node's entries never have more bytes.
pub(crate) const NODE_BYTES: usize = 65_535;
const SCALE: f64 = 4096.0;

static SALTS: LazyLock<[u64; 33]> = LazyLock::new(|| std::array::from_fn(salt));

fn salt(level: usize) -> u64 {
    let level = u8::try_from(level.saturating_add(1)).unwrap_or(u8::MAX);
    let digest = Sha512::digest([level]);
    crate::bytes::array(&digest, 0).map(u64::from_le_bytes).unwrap_or_default()
}

/// Follows the entries of one node.
#[derive(Debug)]
pub(crate) struct Splitter {
    level: u8,
    bytes: usize,
    entries: usize,
    ended: bool,
}

/// Where one node of a level ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    /// Whether its last entry is a boundary.
    pub(crate) at_boundary: bool,
    /// Bytes of its entries.
    pub(crate) bytes: usize,
}

impl End {
    /// Whether a node may end here although an entry of so many bytes follows in the next node of its level.
    pub(crate) fn allows(self, next_entry: usize) -> bool {
        self.at_boundary || self.bytes.saturating_add(next_entry) > NODE_BYTES
    }
}

impl Splitter {
    pub(crate) fn new(level: u8) -> Self {
        Self { level, bytes: 0, entries: 0, ended: false }
    }

    /// Whether the node must end before an entry of so many bytes.
    pub(crate) fn is_full_for(&self, item: usize) -> bool {
        self.entries > 0 && self.bytes.saturating_add(item) > NODE_BYTES
    }

    /// Takes the next entry. False: the node should have ended before it.
    pub(crate) fn add(&mut self, key: &[u8], value_bytes: usize) -> bool {
        let item = key.len().saturating_add(value_bytes);
        let fits = !self.ended && !self.is_full_for(item);
        self.bytes = self.bytes.saturating_add(item);
        self.entries = self.entries.saturating_add(1);
        let crossed = self.bytes > MAX_BYTES || (self.bytes >= MIN_BYTES && self.is_split(key, item));
        self.ended = crossed && !(self.level > 0 && self.entries == 1);
        fits
    }

    pub(crate) fn end(&self) -> End {
        End { at_boundary: self.ended, bytes: self.bytes }
    }

    #[expect(clippy::cast_precision_loss, reason = "sizes of nodes are far below 2^52")]
    fn is_split(&self, key: &[u8], item: usize) -> bool {
        let seed = SALTS.get(usize::from(self.level)).copied().unwrap_or_default();
        let hash = xxh3_64_with_seed(key, seed) & 0xffff_ffff;
        let start = weibull(self.bytes.saturating_sub(item) as f64);
        let end = weibull(self.bytes as f64);
        let left = 1.0 - start;
        left <= 0.0 || (hash as f64) / f64::from(u32::MAX) < (end - start) / left
    }
}

/// Whether a leaf of a JSON document ends at the place with this key, so many bytes behind the last end.
pub(crate) fn ends_json_leaf(key: &[u8], bytes: usize) -> bool {
    bytes > MAX_BYTES || (bytes >= MIN_BYTES && Splitter { bytes, ..Splitter::new(0) }.is_split(key, bytes))
}

// The same steps as Go's `math.Expm1` takes (both are FreeBSD's), on every system: one that rounds the last bit differently could end
// a node elsewhere.
fn weibull(bytes: f64) -> f64 {
    let x = bytes / SCALE;
    -libm::expm1(-(x * x * x * x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn salts_are_dolts() {
        let first =
            [0xddfb_c136_68b6_547bu64, 0x53a8_57b6_c948_b8fa, 0xaa94_df7d_81f5_5be4, 0x135b_7b50_25c7_b8b5];
        assert_eq!(SALTS[..4], first);
    }

    #[test]
    fn nodes_are_about_four_kilobytes_and_inner_ones_hold_two_entries() {
        let mut ends = Vec::new();
        let mut splitter = Splitter::new(0);
        for n in 0..20_000u32 {
            splitter.add(&n.to_le_bytes(), 40);
            if splitter.end().at_boundary {
                ends.push(splitter.end().bytes);
                splitter = Splitter::new(0);
            }
        }
        let mean = ends.iter().sum::<usize>() / ends.len();
        assert!((3_000..5_000).contains(&mean) && ends.iter().all(|b| *b >= MIN_BYTES), "{mean}");
        let mut inner = Splitter::new(1);
        assert!(inner.add(&vec![7; 20_000], 20) && !inner.end().at_boundary);
        assert!(inner.add(&[8; 10], 20) && inner.end().at_boundary);
        assert!(!inner.add(&[9; 10], 20), "behind a boundary nothing follows");
    }
}
