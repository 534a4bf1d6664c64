//! One field of a row between its stored form and its value. A field that nobody changes keeps its stored form: an address
//! stays that address, whatever we would have made of its content.

use crate::chunk::Snapshot;
use crate::message::Message;
use crate::prolly::read_blob;
use crate::table::value::{self, Value};
use crate::table::{Adaptive, Encoding, adaptive};
use crate::{Error, Hash, Result};

/// A field of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    Null,
    /// The bytes of the field.
    Short(Vec<u8>),
    /// Content that may lie outside of the row.
    Long(Vec<u8>),
    /// Content of so many bytes that lies outside, of a column that could hold it inline.
    Outside {
        bytes: u64,
        address: Hash,
    },
    /// Content that always lies outside.
    Address(Hash),
}

impl Field {
    /// A field of a value tuple.
    pub(super) fn stored(encoding: Encoding, bytes: Option<&[u8]>, snapshot: &Snapshot) -> Result<Self> {
        let Some(bytes) = bytes else { return Ok(Self::Null) };
        match encoding {
            Encoding::BytesAddr | Encoding::StringAddr | Encoding::GeomAddr => {
                address(bytes).map(Self::Address)
            }
            Encoding::JsonAddr => {
                let address = address(bytes)?;
                // A long document that an old Dolt cut like any other value is cut anew when its row is written.
                if !is_plain_tree(snapshot, address)? {
                    return Ok(Self::Address(address));
                }
                Ok(Self::Long(without_html_escapes(&read_blob(snapshot, address)?)))
            }
            Encoding::StringAdaptive | Encoding::BytesAdaptive | Encoding::GeomAdaptive => {
                Ok(match adaptive(bytes).map_err(bad)? {
                    Adaptive::Inline(content) => Self::Long(content.to_vec()),
                    Adaptive::Outside { bytes, address } => Self::Outside { bytes, address },
                })
            }
            // Dolt reads documents and writes them anew.
            Encoding::JsonAdaptive => Ok(Self::Long(match adaptive(bytes).map_err(bad)? {
                Adaptive::Inline(content) => without_html_escapes(content),
                Adaptive::Outside { address, .. } => {
                    let content = read_blob(snapshot, address)?;
                    if is_plain_tree(snapshot, address)? { without_html_escapes(&content) } else { content }
                }
            })),
            _ => Ok(Self::Short(bytes.to_vec())),
        }
    }

    /// A field of a key, in which long values stand as they are.
    pub(super) fn stored_in_key(encoding: Encoding, bytes: Option<&[u8]>) -> Self {
        match (encoding, bytes) {
            (_, None) => Self::Null,
            (
                Encoding::StringAddr
                | Encoding::StringAdaptive
                | Encoding::BytesAddr
                | Encoding::BytesAdaptive,
                Some(bytes),
            ) => Self::Long(bytes.strip_suffix(&[0]).unwrap_or(bytes).to_vec()),
            (_, Some(bytes)) => Self::Short(bytes.to_vec()),
        }
    }

    pub(super) fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// What lies outside comes in.
    pub(super) fn content(&self, snapshot: &Snapshot) -> Result<Self> {
        Ok(match self {
            Self::Outside { address, .. } | Self::Address(address) => {
                Self::Long(read_blob(snapshot, *address)?)
            }
            other => other.clone(),
        })
    }

    /// The value.
    pub(super) fn value(&self, encoding: Encoding, snapshot: &Snapshot) -> Result<Value> {
        match self {
            Self::Null => Ok(Value::Null),
            Self::Short(bytes) => value::decode_key(encoding, Some(bytes)),
            Self::Long(content) => value::of_content(encoding, content.clone()).map_err(bad),
            Self::Outside { address, .. } | Self::Address(address) => {
                value::of_content(encoding, read_blob(snapshot, *address)?)
                    .map_err(|problem| Error::BadChunk { hash: *address, problem })
            }
        }
    }
}

fn address(bytes: &[u8]) -> Result<Hash> {
    Hash::from_slice(bytes).ok_or_else(|| bad(format!("{} bytes are no address", bytes.len())))
}

fn bad(problem: String) -> Error {
    Error::BadChunk { hash: Hash::NONE, problem }
}

// Whether a value is a tree of plain leaves of more than one level.
fn is_plain_tree(snapshot: &Snapshot, address: Hash) -> Result<bool> {
    if address.is_none() {
        return Ok(false);
    }
    let chunk = snapshot.chunk(address)?;
    if Message::file_id(&chunk) != Some(*b"BLOB") {
        return Ok(false);
    }
    let node = crate::message::Node::parse(crate::message::NodeKind::Blob, chunk)
        .map_err(|problem| Error::BadChunk { hash: address, problem })?;
    Ok(node.level() > 0)
}

// Old versions of Dolt wrote `<`, `>` and `&` as escapes, and all undo that when they read (Dolt
// `go/store/prolly/tree/blob_builder.go`, `unescapeHTMLCodepoints`).
fn without_html_escapes(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len());
    let mut rest = content;
    while let Some(first) = rest.first() {
        let escaped = match rest.get(..6) {
            Some(b"\\u003c") => Some(b'<'),
            Some(b"\\u003e") => Some(b'>'),
            Some(b"\\u0026") => Some(b'&'),
            _ => None,
        };
        // Any other escape is skipped whole: a backslash that is escaped itself begins none.
        let taken = match (escaped, first) {
            (Some(_), _) => 6,
            (None, b'\\') => 2,
            _ => 1,
        };
        match escaped {
            Some(byte) => out.push(byte),
            None => out.extend_from_slice(rest.get(..taken).unwrap_or(rest)),
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_escapes_of_html_are_undone() {
        let undone = |text: &str| String::from_utf8(without_html_escapes(text.as_bytes())).unwrap();
        assert_eq!(
            undone(r#"{"\u003ca\u003e":"\u0026\\u003c\u00e9\n\\"}"#),
            r#"{"<a>":"&\\u003c\u00e9\n\\"}"#
        );
        assert_eq!(undone("\\"), "\\");
        assert_eq!(undone(""), "");
    }
}
