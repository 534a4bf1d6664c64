//! Inputs to begin with: parts of databases that the real Dolt made.

use std::fs;
use std::path::Path;

use crate::message::{Message, Node, NodeKind};
use crate::table::{Schema, TableMessage, Tuple};
use crate::testing::{chunks_of, fixture};

/// Both forms of long values, from both Dolts.
pub(super) const DATABASES: [&str; 2] = ["every-kind-1", "every-kind-2"];

/// What a target's inputs are made of.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    match target {
        "manifest" => files(|path| path.ends_with("manifest")),
        "journal" => files(|path| path.ends_with(crate::chunk::JOURNAL)),
        "journal_records" => journal_records(),
        "journal_index" => files(|path| path.ends_with("journal.idx")),
        "table_file" => files(|path| path.file_name().is_some_and(|name| name.len() == 32)),
        "archive" => files(|path| path.extension().is_some_and(|ending| ending == "darc")),
        "stored_chunk" => messages().iter().map(|chunk| packed(chunk)).collect(),
        "message" => messages(),
        "tuple" => rows().into_iter().flat_map(|(_, key, value)| [key, value]).collect(),
        "value" | "key_round_trip" => fields().into_iter().map(|(id, field)| with(id, &field)).collect(),
        "key_order" => pairs(),
        "long_value" => vec![vec![0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 2, 1, 2, 1, 2, 2, 2, 1, 2, 2, 1, 1]],
        "revision" => ["main~3^2", "HEAD", "WORKING", "v1^", "refs/heads/other"].map(Vec::from).to_vec(),
        "document" => documents(),
        "blob" => [0u32, 1, 3_999, 4_000, 4_001, 8_000, 799_999, 800_000, 800_001, 804_000, 1_600_000]
            .map(|n| n.to_be_bytes()[1..].to_vec())
            .to_vec(),
        "row_edits" => (0..60u8)
            .map(|n| (0..60).map(|i| if i < 2 { n >> i } else { n.wrapping_mul(i) }).collect())
            .collect(),
        "database" => (0..40u8).map(|n| vec![n % 2, n, 0, n.wrapping_mul(37), n % 9, n, n, 1, 2]).collect(),
        other => panic!("no target {other}"),
    }
}

fn with(first: u8, rest: &[u8]) -> Vec<u8> {
    [&[first], rest].concat()
}

fn files(is_wanted: impl Fn(&Path) -> bool) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for database in ["journal", "tables", "archives", "dictionaries", DATABASES[0], DATABASES[1]] {
        let noms = fixture(database).join("noms");
        for dir in [noms.clone(), noms.join("oldgen")] {
            let entries = fs::read_dir(dir).into_iter().flatten().map(|entry| entry.unwrap().path());
            let mut paths: Vec<_> = entries.filter(|path| path.is_file() && is_wanted(path)).collect();
            paths.sort();
            found.extend(paths.iter().map(|path| fs::read(path).unwrap()));
        }
    }
    found
}

// The fields of a journal's records, each after its length.
fn journal_records() -> Vec<Vec<u8>> {
    let journal = files(|path| path.ends_with(crate::chunk::JOURNAL)).remove(0);
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(length) = journal.get(at..at + 4) {
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
        let fields = &journal[at + 4..at + length - 4];
        if let Ok(length) = u8::try_from(fields.len()) {
            found.extend(with(length, fields));
        }
        at += length;
    }
    vec![found]
}

fn messages() -> Vec<Vec<u8>> {
    DATABASES.iter().flat_map(|name| chunks_of(name).0).map(|(_, bytes)| bytes).collect()
}

fn documents() -> Vec<Vec<u8>> {
    let mut texts: Vec<Vec<u8>> =
        [&b"{\"b\": 1, \"a\": [1.5e-7, true, null, \"\\u00e9\\n\"]}"[..], b"0", b"\"x\"", b"[[[[{}]]]]"]
            .map(Vec::from)
            .to_vec();
    texts.extend(files(|path| path.ends_with("repo_state.json")));
    texts
}

fn packed(chunk: &[u8]) -> Vec<u8> {
    snap::raw::Encoder::new().compress_vec(chunk).unwrap()
}

// Leaves' entries, with the schema of their table where it is known.
fn rows() -> Vec<(Option<Schema>, Vec<u8>, Vec<u8>)> {
    let mut found = Vec::new();
    for name in DATABASES {
        let chunks = chunks_of(name).0;
        for (_, bytes) in &chunks {
            let (schema, node) = match Message::file_id(bytes).as_ref() {
                Some(b"TUPM") => (None, Node::parse(NodeKind::Map, bytes.clone()).unwrap()),
                Some(b"DTBL") => {
                    let table = TableMessage::parse(bytes).unwrap();
                    let schema = chunks.iter().find(|(hash, _)| *hash == table.schema).unwrap();
                    (Some(Schema::parse(&schema.1).unwrap()), Node::parse(NodeKind::Map, table.rows).unwrap())
                }
                _ => continue,
            };
            let entries = 0..if node.level() == 0 { node.len().min(5) } else { 0 };
            found.extend(entries.map(|i| (schema.clone(), node.key(i).to_vec(), node.value(i).to_vec())));
        }
    }
    found
}

// Fields with the number of their encoding.
pub(super) fn fields() -> Vec<(u8, Vec<u8>)> {
    let mut found = Vec::new();
    for (schema, key, value) in rows() {
        let Some(schema) = schema else { continue };
        let parts = [
            (key, schema.key_columns.iter().map(|c| usize::from(*c)).collect()),
            (value, schema.value_columns()),
        ];
        for (tuple, columns) in parts {
            let tuple: (Vec<u8>, Vec<usize>) = (tuple, columns);
            for (at, column) in tuple.1.iter().enumerate() {
                if let Ok(Some(field)) = Tuple::parse(&tuple.0).unwrap().field(at) {
                    found.push((schema.columns[*column].encoding.id(), field.to_vec()));
                }
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

// Two fields of one encoding: its number, the length of the first, both.
fn pairs() -> Vec<Vec<u8>> {
    let fields = fields();
    let pair = |pair: &[(u8, Vec<u8>)]| {
        let [(id, a), (other, b)] = pair else { return None };
        let length = u8::try_from(a.len()).ok().filter(|_| id == other)?;
        Some([&[*id, length], a.as_slice(), b].concat())
    };
    fields.windows(2).filter_map(pair).collect()
}
