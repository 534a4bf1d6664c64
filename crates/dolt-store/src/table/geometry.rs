//! Geometries as Dolt prints them in JSON. Stored: the reference system's number:4, then well-known binary, little-endian.

use super::render::json_float;
use super::shortest;
use crate::bytes::array;

/// Nesting that no geometry has; it bounds the walk through a damaged one.
const MAX_DEPTH: u32 = 64;

/// The JSON of a geometry. `None`: these bytes are none.
pub(super) fn json(bytes: &[u8]) -> Option<String> {
    let srid = array(bytes, 0).map(u32::from_le_bytes)?;
    let mut reader = Reader { rest: bytes.get(4..)?, srid };
    let text = reader.geometry(0)?;
    reader.rest.is_empty().then_some(text)
}

struct Reader<'b> {
    rest: &'b [u8],
    srid: u32,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let taken = array(self.rest, 0)?;
        self.rest = self.rest.get(N..)?;
        Some(taken)
    }

    // Byte order (1: little-endian, what Dolt writes), kind, content.
    fn geometry(&mut self, depth: u32) -> Option<String> {
        let [order] = self.take()?;
        if order != 1 || depth > MAX_DEPTH {
            return None;
        }
        let deeper = depth.saturating_add(1);
        match u32::from_le_bytes(self.take()?) {
            1 => self.point(),
            2 => self.line(),
            3 => self.polygon(),
            4 => self.list("Points", |r| r.geometry(deeper)),
            5 => self.list("Lines", |r| r.geometry(deeper)),
            6 => self.list("Polygons", |r| r.geometry(deeper)),
            7 => self.list("Geoms", |r| r.geometry(deeper)),
            _ => None,
        }
    }

    fn point(&mut self) -> Option<String> {
        let (x, y) = (f64::from_le_bytes(self.take()?), f64::from_le_bytes(self.take()?));
        let number = |n: f64| json_float(&shortest::double(n));
        Some(format!("{{\"SRID\":{},\"X\":{},\"Y\":{}}}", self.srid, number(x), number(y)))
    }

    fn line(&mut self) -> Option<String> {
        self.list("Points", Self::point)
    }

    fn polygon(&mut self) -> Option<String> {
        self.list("Lines", Self::line)
    }

    fn list(&mut self, name: &str, item: impl Fn(&mut Self) -> Option<String>) -> Option<String> {
        let count = u32::from_le_bytes(self.take()?);
        let mut items = String::new();
        for i in 0..count {
            // An item that is not there ends it, so a count out of all proportion costs nothing.
            let text = item(self)?;
            items.extend([if i > 0 { "," } else { "" }, &text]);
        }
        Some(format!("{{\"{name}\":[{items}],\"SRID\":{}}}", self.srid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_point_and_a_collection_are_read() {
        let point = b"\xe6\x10\0\0\x01\x01\0\0\0\0\0\0\0\0\0\x34\x40\0\0\0\0\0\0\x24\x40";
        assert_eq!(json(point).unwrap(), r#"{"SRID":4326,"X":20,"Y":10}"#);
        assert_eq!(json(b"\0\0\0\0\x01\x07\0\0\0\0\0\0\0").unwrap(), r#"{"Geoms":[],"SRID":0}"#);
        assert_eq!(json(&point[..20]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic_or_run_away(kind in 0u8..9, noise in prop::collection::vec(any::<u8>(), 0..60)) {
            drop(json(&noise));
            drop(json(&[&[0, 0, 0, 0, 1, kind, 0, 0, 0][..], &noise].concat()));
        }
    }
}
