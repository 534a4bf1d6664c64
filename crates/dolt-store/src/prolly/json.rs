//! JSON documents of columns that hold addresses: the text is cut where its content says so, at places that have a path, and
//! the pieces lie under address maps by those paths (Dolt `go/store/prolly/tree/json_{chunker,scanner,location}.go`).
//!
//! A place: a state (0 before a value, 1 behind `{`, 2 behind `[`, 3 behind a value) and the path there: `ff` and a key, or
//! `fe` and an index, for each container around it.

use super::build::Builder;
use super::level::{Shape, Written};
use super::splitter::ends_json_leaf;
use crate::bytes::sqlite4_varint;
use crate::chunk::Snapshot;
use crate::message::{NodeContent, NodeKind, node_message};
use crate::{Error, Hash, Result};

const BEFORE: u8 = 0;
const IN_OBJECT: u8 = 1;
const IN_ARRAY: u8 = 2;
const BEHIND: u8 = 3;

/// Writes a document in Dolt's form to a draft. Gives the address of its tree.
pub(crate) fn write_json(draft: &Snapshot, document: &[u8]) -> Result<Hash> {
    let leaf = |values: &[u8]| {
        let content = NodeContent { values, tree_count: 1, ..NodeContent::default() };
        draft.put(node_message(NodeKind::Blob, &content))
    };
    let bad = || Error::BadChunk { hash: Hash::NONE, problem: "no JSON in Dolt's form".to_owned() };
    let mut pieces = Vec::new();
    let mut begin = 0usize;
    let mut places = Places { document, at: 0, state: BEFORE, path: Vec::new() };
    while places.at < document.len() {
        places.step().ok_or_else(bad)?;
        let piece = document.get(begin..places.at).ok_or_else(bad)?;
        let key = places.key();
        if ends_json_leaf(&key, piece.len()) {
            pieces.push(Written { last_key: key, address: leaf(piece)?, count: 1 });
            begin = places.at;
        }
    }
    let last = leaf(document.get(begin..).ok_or_else(bad)?)?;
    if pieces.is_empty() {
        return Ok(last);
    }
    pieces.push(Written { last_key: vec![BEHIND], address: last, count: 1 });
    let mut builder = Builder::above(Shape::ADDRESSES, draft, 0);
    pieces.iter().try_for_each(|piece| builder.add_node(piece))?;
    builder.finish()
}

#[derive(Debug)]
enum Step {
    Key(Vec<u8>),
    Index(u64),
}

// Walks over a document, place by place.
struct Places<'d> {
    document: &'d [u8],
    at: usize,
    state: u8,
    path: Vec<Step>,
}

impl Places<'_> {
    fn key(&self) -> Vec<u8> {
        let mut key = vec![self.state];
        for step in &self.path {
            match step {
                Step::Key(name) => {
                    key.push(0xff);
                    key.extend(name);
                }
                Step::Index(i) => {
                    key.push(0xfe);
                    key.extend(sqlite4_varint(*i));
                }
            }
        }
        key
    }

    fn byte(&self) -> Option<u8> {
        self.document.get(self.at).copied()
    }

    fn take(&mut self, state: u8) {
        self.at = self.at.saturating_add(1);
        self.state = state;
    }

    // `None`: the text is not in Dolt's form.
    fn step(&mut self) -> Option<()> {
        match (self.state, self.byte()?) {
            (BEFORE, b'"') => {
                self.at = end_of_string(self.document, self.at)?;
                self.state = BEHIND;
            }
            (BEFORE, b'{') => self.take(IN_OBJECT),
            (BEFORE, b'[') => self.take(IN_ARRAY),
            (BEFORE, _) => {
                let rest = self.document.get(self.at..)?.iter().skip(1);
                let more = rest.take_while(|b| !b"}],".contains(b)).count();
                self.at = self.at.saturating_add(1).saturating_add(more);
                self.state = BEHIND;
            }
            (IN_OBJECT, b'"') => self.member()?,
            (IN_OBJECT, b'}') | (IN_ARRAY, b']') => self.take(BEHIND),
            (IN_ARRAY, _) => {
                self.path.push(Step::Index(0));
                self.state = BEFORE;
            }
            (BEHIND, byte) => match (self.path.pop()?, byte) {
                (Step::Index(i), b',') => {
                    self.path.push(Step::Index(i.saturating_add(1)));
                    self.take(BEFORE);
                }
                (Step::Index(_), b']') | (Step::Key(_), b'}') => self.take(BEHIND),
                (Step::Key(_), b',') => {
                    self.at = self.at.saturating_add(1);
                    self.member()?;
                }
                _ => return None,
            },
            _ => return None,
        }
        Some(())
    }

    // A key and the colon behind it.
    fn member(&mut self) -> Option<()> {
        let end = end_of_string(self.document, self.at)?;
        let inner = self.document.get(self.at.saturating_add(1)..end.saturating_sub(1))?;
        self.path.push(Step::Key(without_escaped_quotes(inner)));
        self.at = end.saturating_add(1);
        self.state = BEFORE;
        (self.document.get(end) == Some(&b':')).then_some(())
    }
}

// Behind the closing quote of the string that begins here.
fn end_of_string(document: &[u8], at: usize) -> Option<usize> {
    let mut at = at.saturating_add(1);
    loop {
        match document.get(at)? {
            b'"' => return Some(at.saturating_add(1)),
            b'\\' => at = at.saturating_add(2),
            _ => at = at.saturating_add(1),
        }
    }
}

// Other escapes stay as they are.
fn without_escaped_quotes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        if *byte == b'"' && out.last() == Some(&b'\\') {
            out.pop();
        }
        out.push(*byte);
    }
    out
}
