//! Files of a store, made by hand: what no Dolt here writes any more, and what no Dolt would write.

use std::fs;
use std::path::Path;

use crate::Hash;
use crate::chunk::{chunk_record, root_record};

type Chunk = (Hash, Vec<u8>);

/// A chunk as journals and table files store it.
pub(crate) fn stored_record(chunk: &[u8]) -> Vec<u8> {
    let mut record = snap::raw::Encoder::new().compress_vec(chunk).unwrap();
    record.extend(crc32c::crc32c(&record).to_be_bytes());
    record
}

/// A journal with these chunks and one root.
pub(crate) fn journal(chunks: &[Chunk], root: Hash) -> Vec<u8> {
    let mut bytes: Vec<u8> =
        chunks.iter().flat_map(|(hash, chunk)| chunk_record(*hash, chunk).unwrap()).collect();
    bytes.extend(root_record(root, 1_795_254_287));
    bytes
}

/// A table file with these records. The index is in the order of the chunks: sort them for a right one.
pub(crate) fn table_file(chunks: &[(Hash, Vec<u8>)], record: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let (mut bytes, mut lengths, mut tuples, mut suffixes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (ordinal, (hash, chunk)) in (0u32..).zip(chunks) {
        let record = record(chunk);
        lengths.extend(u32::try_from(record.len()).unwrap().to_be_bytes());
        tuples.extend_from_slice(&hash.as_bytes()[..8]);
        tuples.extend(ordinal.to_be_bytes());
        suffixes.extend_from_slice(&hash.as_bytes()[8..]);
        bytes.extend(record);
    }
    bytes.extend([tuples, lengths, suffixes].concat());
    bytes.extend(u32::try_from(chunks.len()).unwrap().to_be_bytes());
    bytes.extend(0u64.to_be_bytes());
    bytes.extend([0xff, 0xb5, 0xd8, 0xc2, 0x24, 0x63, 0xee, 0x50]);
    bytes
}

/// An archive of a version. With a dictionary all chunks share it, without one they are stored as in table files.
pub(crate) fn archive(version: u8, dictionary: Option<&[u8]>, chunks: &[Chunk]) -> Vec<u8> {
    let mut spans: Vec<Vec<u8>> = Vec::new();
    spans.extend(dictionary.map(|raw| zstd::bulk::compress(raw, 3).unwrap()));
    let mut refs = Vec::new();
    for (_, chunk) in chunks {
        spans.push(match dictionary {
            Some(raw) => zstd::bulk::Compressor::with_dictionary(3, raw).unwrap().compress(chunk).unwrap(),
            None => stored_record(chunk),
        });
        refs.extend(u32::from(dictionary.is_some()).to_be_bytes());
        refs.extend(u32::try_from(spans.len()).unwrap().to_be_bytes());
    }
    let (mut ends, mut end) = (Vec::new(), 0u64);
    for span in &spans {
        end += span.len() as u64;
        ends.extend(end.to_be_bytes());
    }
    let prefixes: Vec<u8> = chunks.iter().flat_map(|(hash, _)| hash.as_bytes()[..8].to_vec()).collect();
    let suffixes: Vec<u8> = chunks.iter().flat_map(|(hash, _)| hash.as_bytes()[8..].to_vec()).collect();
    let index = [ends, prefixes, refs, suffixes].concat();
    let metadata = br#"{"dolt_version":"0"}"#;
    let mut bytes = [spans.concat(), index.clone(), metadata.to_vec()].concat();
    match version {
        3 => bytes.extend((index.len() as u64).to_be_bytes()),
        _ => bytes.extend(u32::try_from(index.len()).unwrap().to_be_bytes()),
    }
    for number in [spans.len(), chunks.len(), metadata.len()] {
        bytes.extend(u32::try_from(number).unwrap().to_be_bytes());
    }
    bytes.extend([0; 192]);
    bytes.push(version);
    bytes.extend(b"DOLTARC");
    bytes
}

/// A store of one file, whose name has this ending: `""`, `".darc"`, or `"journal"`.
pub(crate) fn store(dir: &Path, ending: &str, bytes: &[u8], chunks: usize, root: Hash) {
    let noms = dir.join("noms");
    fs::create_dir_all(&noms).unwrap();
    let (none, name) = (Hash::NONE, Hash::of(bytes).to_string());
    let journal = "v".repeat(32);
    let name = if ending == "journal" { journal } else { name };
    let file = if ending == "journal" { name.clone() } else { format!("{name}{ending}") };
    fs::write(noms.join(file), bytes).unwrap();
    let lock = Hash::of(name.as_bytes());
    fs::write(noms.join("manifest"), format!("5:__DOLT__:{lock}:{root}:{none}:{name}:{chunks}")).unwrap();
}
