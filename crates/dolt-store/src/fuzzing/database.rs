//! A database of the real Dolt with some chunks replaced, and every address above them made true again: what a hostile
//! writer could make, and no checksum gives away.

use std::collections::HashMap;
use std::path::Path;
use std::sync::OnceLock;

use super::seeds::DATABASES;
use crate::commit::{RefKind, Session};
use crate::table::{Direction, KeyRange, RowChange, Table};
use crate::testing::{chunks_of, in_memory, session};
use crate::verify::{size_below, sizes, verify_state};
use crate::{Error, Hash, Result};

/// Rows and commits are read up to this many: a few bytes can claim any number of them.
const LOOKED_AT: usize = 2_000;

/// A database taken apart.
struct Whole {
    // Each after those that it refers to; the last is the root.
    chunks: Vec<(Hash, Vec<u8>)>,
    // Where in a chunk the address of another stands.
    links: Vec<Vec<(usize, usize)>>,
}

fn whole(which: usize) -> &'static Whole {
    static WHOLE: [OnceLock<Whole>; 2] = [OnceLock::new(), OnceLock::new()];
    WHOLE[which].get_or_init(|| {
        let (chunks, _) = chunks_of(DATABASES[which]);
        let places: HashMap<Hash, usize> =
            chunks.iter().enumerate().map(|(i, (hash, _))| (*hash, i)).collect();
        let links_of = |bytes: &[u8]| {
            let windows = bytes.windows(Hash::LEN).enumerate();
            windows.filter_map(|(at, part)| Some((at, *places.get(&Hash::from_slice(part)?)?))).collect()
        };
        let links = chunks.iter().map(|(_, bytes)| links_of(bytes)).collect();
        Whole { chunks, links }
    })
}

/// Lets something look at an undamaged one.
pub(super) fn with_whole(look: impl FnOnce(&Session)) {
    static SESSION: OnceLock<Session> = OnceLock::new();
    let make = || {
        let Whole { chunks, .. } = whole(0);
        let root = chunks[chunks.len() - 1].0;
        session(in_memory(chunks.iter().map(|(_, bytes)| bytes.clone()), root)).unwrap()
    };
    look(SESSION.get_or_init(make));
}

/// The bytes as changes: which database, then six bytes for each: chunk, place, what to do, and with what.
pub(super) fn database(_: &Path, bytes: &[u8]) {
    let Some((which, changes)) = bytes.split_first() else { return };
    let whole = whole(usize::from(which % 2));
    let mut chunks: Vec<Vec<u8>> = whole.chunks.iter().map(|(_, bytes)| bytes.clone()).collect();
    for change in changes.chunks_exact(6).take(8) {
        let [chunk, high, low, what, a, b] = [0, 1, 2, 3, 4, 5].map(|i| change[i]);
        let at = usize::from(u16::from_be_bytes([high, low]));
        let i = usize::from(chunk) % chunks.len();
        let others = (usize::from(a) + usize::from(b) * 7) % i.max(1);
        let other = *whole.chunks[others].0.as_bytes();
        let links = &whole.links[i];
        change_chunk(&mut chunks[i], at, what, [a, b], &other, links);
    }
    let mut replaced: HashMap<usize, Hash> = HashMap::new();
    for (i, chunk) in chunks.iter_mut().enumerate() {
        for (at, child) in &whole.links[i] {
            let old = whole.chunks[*child].0;
            // The change may stand where the address stood.
            let place = chunk.get_mut(*at..*at + Hash::LEN).filter(|part| *part == old.as_bytes());
            if let (Some(part), Some(new)) = (place, replaced.get(child)) {
                part.copy_from_slice(new.as_bytes());
            }
        }
        if *chunk != whole.chunks[i].1 {
            replaced.insert(i, Hash::of(chunk));
        }
    }
    let last = chunks.len() - 1;
    let root = replaced.get(&last).copied().unwrap_or(whole.chunks[last].0);
    // A lost chunk.
    if bytes.len() % 7 == 6 {
        let lost = usize::from(bytes[bytes.len() - 1]) % chunks.len();
        chunks.remove(lost);
    }
    let Ok(session) = session(in_memory(chunks, root)) else { return };
    let report = verify_state(&session);
    let read = read_all(&session);
    if report.is_clean() {
        read.unwrap_or_else(|e| panic!("nothing is found, and yet: {e:?}"));
    }
}

fn change_chunk(
    chunk: &mut Vec<u8>,
    at: usize,
    what: u8,
    [a, b]: [u8; 2],
    other: &[u8; 20],
    links: &[(usize, usize)],
) {
    let len = chunk.len();
    let at = at % len;
    match what % 9 {
        0 => chunk[at] ^= a,
        1 => chunk[at] = a,
        2 => chunk[at..].iter_mut().zip([a, b]).for_each(|(to, from)| *to = from),
        3 => chunk[at..].iter_mut().zip([a, b, 0, 0]).for_each(|(to, from)| *to = from),
        4 => chunk[at..].iter_mut().take(8).for_each(|to| *to = 0xff),
        // Another chunk where one is referred to.
        5 if !links.is_empty() => {
            let (at, _) = links[at % links.len()];
            chunk.iter_mut().skip(at).zip(other).for_each(|(to, from)| *to = *from);
        }
        // Bytes of the same chunk elsewhere.
        6 => {
            let from = (usize::from(a) << 8 | usize::from(b)) % len;
            let copied = chunk[from..].iter().copied().take(usize::from(b % 32)).collect::<Vec<_>>();
            chunk[at..].iter_mut().zip(copied).for_each(|(to, from)| *to = from);
        }
        // Shorter or longer, with its length right.
        7 => chunk.truncate(at.max(12)),
        _ => {
            let copied = chunk[at..].iter().copied().take(usize::from(a)).collect::<Vec<_>>();
            chunk.splice(at..at, copied);
        }
    }
    if what % 9 >= 7 {
        let length = (chunk.len() - 4) as u32;
        chunk[1..4].copy_from_slice(&length.to_be_bytes()[1..]);
    }
}

/// Everything that a reader can ask for. The first error ends it.
fn read_all(session: &Session) -> Result<()> {
    let refs = session.all_refs()?;
    let mut commits = Vec::new();
    let mut roots = Vec::new();
    for r in &refs {
        match r.kind {
            RefKind::Branch | RefKind::Remote | RefKind::Internal => commits.push(r.target),
            RefKind::Tag => commits.push(session.tag(r.target)?.commit),
            RefKind::Stash => roots.extend(session.stashes(r.target)?.into_iter().map(|s| s.root)),
            RefKind::WorkingSet => {
                let set = session.working_set(&r.name)?;
                roots.extend(set.into_iter().flat_map(|set| [set.working, set.staged]));
            }
            _ => {}
        }
    }
    for commit in &commits {
        for entry in session.log(*commit)?.take(LOOKED_AT) {
            roots.push(entry?.commit.root_value);
        }
        session.merge_base(*commit, commits[0])?;
    }
    roots.retain(|root| !root.is_none());
    roots.sort_unstable();
    roots.dedup();
    let mut before = None;
    for root in roots {
        let tables = session.tables(root)?;
        tables.foreign_keys()?;
        for name in tables.names()? {
            // In a map that is out of order some names are not found.
            let lost = || Error::Incomplete { path: name.clone().into(), what: "not found".to_owned() };
            read_table(&tables.open(&name)?.ok_or_else(lost)?)?;
        }
        if let Some(before) = before.replace(tables.clone()) {
            differences(&before, &tables)?;
        }
    }
    sizes(session)?;
    let first = session.resolve_root("WORKING")?;
    size_below(session, first.as_slice()).map(drop)
}

fn read_table(table: &Table) -> Result<()> {
    let columns: Vec<_> = table.schema().visible().map(|(_, column)| column.clone()).collect();
    let mut rows = Vec::new();
    for row in table.rows()?.take(LOOKED_AT) {
        let row = row?;
        let mut json = String::new();
        for (value, column) in row.values.iter().zip(&columns) {
            value.push_json(column, &mut json);
        }
        rows.push(row);
    }
    let backward = table.rows_backward()?.take(LOOKED_AT).collect::<Result<Vec<_>>>()?;
    if rows.len() < LOOKED_AT {
        // Not a number is not equal to itself, but it looks the same.
        let is_same = |(a, b)| a == b || format!("{a:?}") == format!("{b:?}");
        let both = backward.len() == rows.len() && backward.iter().rev().zip(&rows).all(is_same);
        assert!(both, "{}: backward is not forward", table.name());
    }
    table
        .rows_from_position(table.entries() / 2, Direction::Forward)?
        .take(10)
        .try_for_each(|row| row.map(drop))?;
    for name in table.schema().indexes.iter().map(|index| index.name.clone()) {
        // One that cannot be used says so.
        let Ok(Some(index)) = table.index(&name) else { continue };
        if let Ok(found) = index.rows(&KeyRange::ALL, Direction::Forward) {
            for row in found.take(50) {
                row?;
            }
        }
    }
    for row in rows.first().into_iter().chain(rows.last()) {
        for (value, column) in row.values.iter().zip(&columns) {
            let Some(text) = value.to_text(column) else { continue };
            let Ok(condition) = table.condition(&column.name, &text) else { continue };
            table.find(&[condition])?.take(50).try_for_each(|row| row.map(drop))?;
        }
    }
    Ok(())
}

fn differences(old: &crate::table::Tables, new: &crate::table::Tables) -> Result<()> {
    for (name, _) in old.changes_to(new)? {
        let (Some(old), Some(new)) = (old.open(&name)?, new.open(&name)?) else { continue };
        let Some(changes) = old.changes_to(&new)? else { continue };
        for change in changes.take(LOOKED_AT) {
            if let RowChange::Modified { from, to } = change? {
                // Two spellings of one value are a change, so it may look like none.
                drop((from, to));
            }
        }
    }
    Ok(())
}
