//! The stored form of a chunk in journals and table files: a snappy block and the CRC-32C of that block, big-endian
//! (Dolt `go/store/nbs/cmp_chunk.go`).

use crate::bytes;

/// No chunk is larger: a message's length has 24 bits, and 4 bytes stand before it.
pub(super) const MAX_CHUNK_BYTES: usize = (1 << 24) + 4;

/// The chunk in a stored record, or what is wrong with the record.
pub(super) fn decode(record: &[u8]) -> Result<Vec<u8>, String> {
    let block_len =
        record.len().checked_sub(4).ok_or_else(|| format!("{} bytes are no record", record.len()))?;
    let (block, _) = record.split_at(block_len);
    let stored = bytes::u32_be(record, block_len).unwrap_or_default();
    let computed = crc32c::crc32c(block);
    if stored != computed {
        return Err(format!("crc {computed:08x}, stored {stored:08x}"));
    }
    let len = snap::raw::decompress_len(block).map_err(|e| e.to_string())?;
    if len > MAX_CHUNK_BYTES {
        return Err(format!("it claims {len} bytes, a chunk has at most {MAX_CHUNK_BYTES}"));
    }
    snap::raw::Decoder::new().decompress_vec(block).map_err(|e| e.to_string())
}

/// The record of a chunk. Any encoder does: its bytes are not part of the address.
pub(super) fn encode(chunk: &[u8]) -> Result<Vec<u8>, String> {
    let mut record = snap::raw::Encoder::new().compress_vec(chunk).map_err(|e| e.to_string())?;
    record.extend(crc32c::crc32c(&record).to_be_bytes());
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_stored_is_read(chunk: Vec<u8>) {
            prop_assert_eq!(decode(&encode(&chunk).unwrap()).unwrap(), chunk);
        }

        #[test]
        fn a_flipped_bit_is_noticed(chunk: Vec<u8>, at: prop::sample::Index, bit in 0u8..8) {
            let mut record = encode(&chunk).unwrap();
            let at = at.index(record.len());
            record[at] ^= 1 << bit;
            prop_assert!(decode(&record).is_err());
        }

        #[test]
        fn noise_is_refused_without_a_panic(noise: Vec<u8>) {
            prop_assert!(decode(&noise).is_err() || noise.len() > 4);
        }
    }
}
