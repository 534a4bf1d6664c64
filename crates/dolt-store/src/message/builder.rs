//! Builds messages, byte for byte as Dolt's own builder does: addresses are hashes of these bytes.
//!
//! A `FlatBuffer` is built from its end to its beginning. What decides the bytes beside the content: vectors, strings and
//! inner tables are written before the table that names them; fields in the order of the calls and not of their slots; a
//! scalar that equals its default and an absent offset not at all; trailing absent slots are cut off the vtable; an
//! earlier vtable of the same message with the same slots is shared, whatever its object's size. (Go `flatbuffers`
//! `builder.go`; the official Rust crate compares the size too.)

/// Where something was written: its distance from the end of the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offset(usize);

/// A message under construction.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    // Last byte first.
    reversed: Vec<u8>,
    min_align: usize,
    vtables: Vec<(usize, Vec<u16>)>,
    fields: Vec<u16>,
    placed: Vec<(usize, usize)>,
    object_at: usize,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self { min_align: 1, ..Self::default() }
    }

    fn len(&self) -> usize {
        self.reversed.len()
    }

    fn place(&mut self, bytes: &[u8]) {
        self.reversed.extend(bytes.iter().rev());
    }

    fn place_u32(&mut self, n: usize) {
        self.place(&low_u32(n).to_le_bytes());
    }

    // Pads so that after `extra` more bytes the length is a multiple of `size`, a power of two.
    fn prepare(&mut self, size: usize, extra: usize) {
        self.min_align = self.min_align.max(size);
        let over = self.len().wrapping_add(extra) & size.wrapping_sub(1);
        if over > 0 {
            let padded = self.len().saturating_add(size.saturating_sub(over));
            self.reversed.resize(padded, 0);
        }
    }

    fn offset(&self) -> Offset {
        Offset(self.len())
    }

    // A vector's elements, whose bytes are in order in `data`.
    fn vector(&mut self, width: usize, data: &[u8]) -> Offset {
        self.prepare(4, data.len());
        self.prepare(width, data.len());
        self.place(data);
        self.place_u32(data.len().checked_div(width).unwrap_or(0));
        self.offset()
    }

    pub(crate) fn bytes(&mut self, data: &[u8]) -> Offset {
        self.vector(1, data)
    }

    pub(crate) fn u16s(&mut self, items: &[u16]) -> Offset {
        let data: Vec<u8> = items.iter().flat_map(|n| n.to_le_bytes()).collect();
        self.vector(2, &data)
    }

    pub(crate) fn u64s(&mut self, items: &[u64]) -> Offset {
        let data: Vec<u8> = items.iter().flat_map(|n| n.to_le_bytes()).collect();
        self.vector(8, &data)
    }

    pub(crate) fn string(&mut self, text: &str) -> Offset {
        self.prepare(4, text.len().saturating_add(1));
        self.place(&[0]);
        self.place(text.as_bytes());
        self.place_u32(text.len());
        self.offset()
    }

    /// A vector of tables or strings. The items themselves were written before, the last one first.
    pub(crate) fn offsets(&mut self, items: &[Offset]) -> Offset {
        self.prepare(4, items.len().saturating_mul(4));
        for item in items.iter().rev() {
            self.refer(*item);
        }
        self.place_u32(items.len());
        self.offset()
    }

    fn refer(&mut self, target: Offset) {
        self.prepare(4, 0);
        self.place_u32(self.len().saturating_sub(target.0).saturating_add(4));
    }

    /// Begins a table. Everything that it names must have been written.
    pub(crate) fn begin(&mut self) {
        self.placed.clear();
        self.object_at = self.len();
    }

    fn field(&mut self, slot: usize) {
        self.placed.push((slot, self.len()));
    }

    pub(crate) fn add(&mut self, slot: usize, target: Offset) {
        self.refer(target);
        self.field(slot);
    }

    pub(crate) fn add_if(&mut self, slot: usize, target: Option<Offset>) {
        if let Some(target) = target {
            self.add(slot, target);
        }
    }

    fn add_scalar<const N: usize>(&mut self, slot: usize, bytes: [u8; N]) {
        self.prepare(N, 0);
        self.place(&bytes);
        self.field(slot);
    }

    pub(crate) fn add_u8(&mut self, slot: usize, value: u8) {
        if value != 0 {
            self.add_scalar(slot, [value]);
        }
    }

    pub(crate) fn add_bool(&mut self, slot: usize, value: bool) {
        self.add_u8(slot, u8::from(value));
    }

    /// A number of 32 bits, by its bits.
    pub(crate) fn add_bits(&mut self, slot: usize, value: u32) {
        if value != 0 {
            self.add_scalar(slot, value.to_le_bytes());
        }
    }

    /// A vector of texts.
    pub(crate) fn strings<'s>(&mut self, texts: impl DoubleEndedIterator<Item = &'s str>) -> Offset {
        let mut items: Vec<Offset> = texts.rev().map(|text| self.string(text)).collect();
        items.reverse();
        self.offsets(&items)
    }

    /// A number whose default is not always zero.
    pub(crate) fn add_u16(&mut self, slot: usize, value: u16, default: u16) {
        if value != default {
            self.add_scalar(slot, value.to_le_bytes());
        }
    }

    pub(crate) fn add_u64(&mut self, slot: usize, value: u64) {
        if value != 0 {
            self.add_scalar(slot, value.to_le_bytes());
        }
    }

    pub(crate) fn add_i64(&mut self, slot: usize, value: i64) {
        if value != 0 {
            self.add_scalar(slot, value.to_le_bytes());
        }
    }

    /// Ends the table.
    pub(crate) fn end(&mut self) -> Offset {
        self.prepare(4, 0);
        let table = self.len().saturating_add(4);
        let slots = self.placed.iter().map(|(slot, _)| slot.saturating_add(1)).max().unwrap_or(0);
        self.fields.clear();
        self.fields.resize(slots, 0);
        for (slot, at) in &self.placed {
            if let Some(field) = self.fields.get_mut(*slot) {
                *field = low_u16(table.saturating_sub(*at));
            }
        }
        if let Some((at, _)) = self.vtables.iter().rev().find(|(_, fields)| *fields == self.fields) {
            // The vtable lies behind the table: the distance is negative.
            let distance = low_u32(table.saturating_sub(*at)).wrapping_neg();
            self.place(&distance.to_le_bytes());
            return Offset(table);
        }
        let bytes = slots.saturating_mul(2).saturating_add(4);
        self.place_u32(bytes);
        let fields = std::mem::take(&mut self.fields);
        for field in fields.iter().rev() {
            self.place(&field.to_le_bytes());
        }
        self.place(&low_u16(table.saturating_sub(self.object_at)).to_le_bytes());
        self.place(&low_u16(bytes).to_le_bytes());
        self.vtables.push((self.len(), fields));
        Offset(table)
    }

    /// The whole message with this table as its root.
    pub(crate) fn finish(mut self, root: Offset, id: [u8; 4]) -> Vec<u8> {
        self.prepare(self.min_align, 8);
        self.place(&id);
        self.prepare(self.min_align, 4);
        self.refer(root);
        let [_, a, b, c] = low_u32(self.len()).to_be_bytes();
        self.place(&[0x1b, a, b, c]);
        self.reversed.reverse();
        self.reversed
    }
}

// Every message is far below these bounds: nodes have at most 65,535 bytes of items, and a chunk of more than 16 MiB is
// refused by whoever writes chunks.
fn low_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn low_u16(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}
