//! Bounds-checked access to the tables, vectors and strings of one message.

use crate::Hash;
use crate::bytes::array;

/// What is wrong with a message.
pub(crate) type Problem = String;

/// How a problem ends that is none of the message, but of this crate.
pub(crate) const NEWER: &str = "a newer Dolt wrote it";

/// Nesting of tables is at most two in every message of Dolt; this stops a table that contains itself.
const MAX_ITEMS: usize = 1 << 20;

/// A message whose prefix and file id were checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message<'a> {
    bytes: &'a [u8],
}

impl<'a> Message<'a> {
    /// The four letters that say what a chunk holds, if it is a message.
    pub(crate) fn file_id(bytes: &[u8]) -> Option<[u8; 4]> {
        (bytes.first() == Some(&0x1b)).then(|| array(bytes, 8)).flatten()
    }

    /// Checks prefix and file id.
    pub(crate) fn parse(bytes: &'a [u8], id: [u8; 4]) -> Result<Self, Problem> {
        let [kind, a, b, c] = array(bytes, 0).ok_or("shorter than a message")?;
        if kind != 0x1b {
            return Err(format!("it begins with {kind:02x}, a message with 1b"));
        }
        let length = u32::from_be_bytes([0, a, b, c]);
        if u64::from(length) != (bytes.len() as u64).saturating_sub(4) {
            return Err(format!("the message claims {length} bytes of {}", bytes.len()));
        }
        match Self::file_id(bytes) {
            Some(found) if found == id => Ok(Self { bytes }),
            found => Err(format!("it is a {}, expected {}", shown(found), String::from_utf8_lossy(&id))),
        }
    }

    /// Its outermost table, which may have `slots` fields at most.
    pub(crate) fn root(self, slots: usize) -> Result<Table<'a>, Problem> {
        let offset = u32_le(self.bytes, 4).ok_or("no root table")?;
        Table::at(self.bytes, offset_from(4, offset)?, slots)
    }
}

fn shown(id: Option<[u8; 4]>) -> String {
    id.map_or_else(|| "?".to_owned(), |id| String::from_utf8_lossy(&id).into_owned())
}

/// A table inside a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table<'a> {
    bytes: &'a [u8],
    at: usize,
    vtable: usize,
    slots: usize,
}

impl<'a> Table<'a> {
    fn at(bytes: &'a [u8], at: usize, known_slots: usize) -> Result<Self, Problem> {
        let back = array(bytes, at).map(i32::from_le_bytes).ok_or("a table lies outside of the message")?;
        let vtable = i64::try_from(at).ok().and_then(|a| a.checked_sub(i64::from(back)));
        let vtable =
            vtable.and_then(|v| usize::try_from(v).ok()).ok_or("a vtable lies outside of the message")?;
        let size = usize::from(u16_le(bytes, vtable).ok_or("a vtable lies outside of the message")?);
        let slots = size.checked_sub(4).ok_or("a vtable is too short")? / 2;
        if slots > known_slots {
            return Err(format!("a table has {slots} fields, {known_slots} are known: {NEWER}"));
        }
        if bytes.get(vtable..vtable.saturating_add(size)).is_none() {
            return Err("a vtable runs past the end of the message".to_owned());
        }
        Ok(Self { bytes, at, vtable, slots })
    }

    /// Where a field lies. `None`: it is absent.
    fn field(&self, slot: usize) -> Option<usize> {
        (slot < self.slots).then_some(())?;
        let entry = self.vtable.checked_add(4)?.checked_add(slot.checked_mul(2)?)?;
        let offset = usize::from(u16_le(self.bytes, entry)?);
        (offset != 0).then(|| self.at.checked_add(offset)).flatten()
    }

    fn number<const N: usize>(&self, slot: usize) -> Result<Option<[u8; N]>, Problem> {
        let Some(at) = self.field(slot) else { return Ok(None) };
        array(self.bytes, at).map(Some).ok_or_else(|| format!("field {slot} lies outside of the message"))
    }

    pub(crate) fn u8(&self, slot: usize) -> Result<u8, Problem> {
        Ok(self.number::<1>(slot)?.map_or(0, u8::from_le_bytes))
    }

    pub(crate) fn bool(&self, slot: usize) -> Result<bool, Problem> {
        Ok(self.u8(slot)? != 0)
    }

    pub(crate) fn u16(&self, slot: usize, default: u16) -> Result<u16, Problem> {
        Ok(self.number(slot)?.map_or(default, u16::from_le_bytes))
    }

    /// The bits of a number of 32 bits.
    pub(crate) fn bits(&self, slot: usize) -> Result<u32, Problem> {
        Ok(self.number(slot)?.map_or(0, u32::from_le_bytes))
    }

    pub(crate) fn u64(&self, slot: usize) -> Result<u64, Problem> {
        Ok(self.number(slot)?.map_or(0, u64::from_le_bytes))
    }

    pub(crate) fn i64(&self, slot: usize) -> Result<i64, Problem> {
        Ok(self.number(slot)?.map_or(0, i64::from_le_bytes))
    }

    /// Start and element count of a vector.
    fn vector(&self, slot: usize, width: usize) -> Result<Option<(usize, usize)>, Problem> {
        let Some(at) = self.field(slot) else { return Ok(None) };
        let start = self.follow(at)?;
        let count =
            u32_le(self.bytes, start).ok_or_else(|| format!("vector {slot} lies outside of the message"))?;
        let count = usize::try_from(count).map_err(|e| e.to_string())?;
        let first = start.saturating_add(4);
        let end = count.checked_mul(width).and_then(|len| first.checked_add(len));
        if end.is_none_or(|end| end > self.bytes.len()) {
            return Err(format!("vector {slot} runs past the end of the message"));
        }
        Ok(Some((first, count)))
    }

    fn follow(&self, at: usize) -> Result<usize, Problem> {
        let offset = u32_le(self.bytes, at).ok_or("an offset lies outside of the message")?;
        offset_from(at, offset)
    }

    /// A vector of bytes; empty if absent.
    pub(crate) fn bytes(&self, slot: usize) -> Result<&'a [u8], Problem> {
        Ok(self.optional_bytes(slot)?.unwrap_or_default())
    }

    /// A vector of bytes, or `None` if the field is absent.
    pub(crate) fn optional_bytes(&self, slot: usize) -> Result<Option<&'a [u8]>, Problem> {
        let Some((start, count)) = self.vector(slot, 1)? else { return Ok(None) };
        Ok(self.bytes.get(start..start.saturating_add(count)))
    }

    /// A vector of 16-bit numbers; empty if absent.
    pub(crate) fn u16s(&self, slot: usize) -> Result<Vec<u16>, Problem> {
        let Some((start, count)) = self.vector(slot, 2)? else { return Ok(Vec::new()) };
        let raw = self.bytes.get(start..).unwrap_or_default();
        Ok(raw.chunks_exact(2).take(count).filter_map(|b| u16_le(b, 0)).collect())
    }

    /// A vector of 64-bit numbers; empty if absent.
    pub(crate) fn u64s(&self, slot: usize) -> Result<Vec<u64>, Problem> {
        let Some((start, count)) = self.vector(slot, 8)? else { return Ok(Vec::new()) };
        let raw = self.bytes.get(start..).unwrap_or_default();
        Ok(raw.chunks_exact(8).take(count).filter_map(|b| array(b, 0).map(u64::from_le_bytes)).collect())
    }

    /// A string; `None` if absent. Bytes that are no UTF-8 become replacement characters.
    pub(crate) fn string(&self, slot: usize) -> Result<Option<String>, Problem> {
        Ok(self.optional_bytes(slot)?.map(|b| String::from_utf8_lossy(b).into_owned()))
    }

    /// An address; [`Hash::NONE`] if absent.
    pub(crate) fn hash(&self, slot: usize) -> Result<Hash, Problem> {
        match self.optional_bytes(slot)? {
            None => Ok(Hash::NONE),
            Some(raw) => Hash::from_slice(raw)
                .ok_or_else(|| format!("field {slot} has {} bytes, an address 20", raw.len())),
        }
    }

    /// Addresses in a row; empty if absent.
    pub(crate) fn hashes(&self, slot: usize) -> Result<Vec<Hash>, Problem> {
        let raw = self.bytes(slot)?;
        if raw.len() % Hash::LEN != 0 {
            return Err(format!("field {slot} has {} bytes, not a whole number of addresses", raw.len()));
        }
        Ok(raw.chunks(Hash::LEN).filter_map(Hash::from_slice).collect())
    }

    /// A table; `None` if absent.
    pub(crate) fn table(&self, slot: usize, slots: usize) -> Result<Option<Self>, Problem> {
        let Some(at) = self.field(slot) else { return Ok(None) };
        Self::at(self.bytes, self.follow(at)?, slots).map(Some)
    }

    /// A vector of tables; empty if absent.
    pub(crate) fn tables(&self, slot: usize, slots: usize) -> Result<Vec<Self>, Problem> {
        self.items(slot)?.into_iter().map(|at| Self::at(self.bytes, at, slots)).collect()
    }

    /// A vector of strings; empty if absent.
    pub(crate) fn strings(&self, slot: usize) -> Result<Vec<String>, Problem> {
        let text = |at: usize| {
            let len = u32_le(self.bytes, at).and_then(|n| usize::try_from(n).ok());
            let raw = len.and_then(|len| crate::bytes::slice(self.bytes, at.saturating_add(4), len));
            let raw = raw.ok_or_else(|| format!("a string of vector {slot} lies outside of the message"))?;
            Ok(String::from_utf8_lossy(raw).into_owned())
        };
        self.items(slot)?.into_iter().map(text).collect()
    }

    fn items(&self, slot: usize) -> Result<Vec<usize>, Problem> {
        let Some((start, count)) = self.vector(slot, 4)? else { return Ok(Vec::new()) };
        if count > MAX_ITEMS {
            return Err(format!("vector {slot} has {count} items"));
        }
        (0..count).map(|i| self.follow(start.saturating_add(i.saturating_mul(4)))).collect()
    }
}

fn u16_le(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_le_bytes)
}

fn u32_le(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

fn offset_from(at: usize, offset: u32) -> Result<usize, Problem> {
    let offset = usize::try_from(offset).map_err(|e| e.to_string())?;
    at.checked_add(offset).ok_or_else(|| "an offset lies outside of the message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // A BLOB leaf that holds "hello", as Dolt 1.88.1 writes it.
    fn hello() -> Vec<u8> {
        let words = "1b000030 14000000 424c4f42 0c001000 0c000000 00000400 0c000000 01000000 00000000 04000000 05000000 68656c6c 6f000000";
        let digits: Vec<u8> =
            words.chars().filter_map(|c| c.to_digit(16)).map(|d| u8::try_from(d).unwrap()).collect();
        digits.chunks(2).map(|p| p[0] << 4 | p[1]).collect()
    }

    #[test]
    fn a_real_message_is_read() {
        let bytes = hello();
        let table = Message::parse(&bytes, *b"BLOB").unwrap().root(5).unwrap();
        assert_eq!(table.bytes(0).unwrap(), b"hello");
        assert_eq!(table.u64(3).unwrap(), 1);
        assert!(Message::parse(&bytes, *b"TUPM").unwrap_err().contains("BLOB"));
        assert!(Message::parse(&bytes, *b"BLOB").unwrap().root(2).unwrap_err().contains("newer Dolt"));
    }

    proptest! {
        #[test]
        fn no_flipped_or_cut_byte_makes_the_reader_panic(at: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
            let mut bytes = hello();
            let i = at.index(bytes.len());
            bytes[i] = byte;
            for bytes in [bytes.clone(), bytes[..cut.index(bytes.len())].to_vec()] {
                if let Ok(table) = Message::parse(&bytes, *b"BLOB").and_then(|m| m.root(5)) {
                    for slot in 0..7 {
                        drop((table.bytes(slot), table.u16s(slot), table.u64s(slot), table.strings(slot)));
                        drop((table.tables(slot, 9), table.hash(slot), table.u64(slot), table.string(slot)));
                    }
                }
            }
        }
    }
}
