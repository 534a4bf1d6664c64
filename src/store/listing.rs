//! A list of issues as JSON, straight from their rows: each thread spells the rows that it reads and keeps only the text, and
//! what the order is told by. Ten thousand whole issues are more memory than their text, and fetching it from the system takes
//! longer than writing it.
//!
//! What could go wrong is that this lists other issues than [`super::view::View`] does, or spells them otherwise: the filter, the
//! rows, the spelling and the order are the same functions, and `tests/live/bd_same` lists in both ways.

use std::cmp::Ordering;
use std::mem;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use beads::filter::Filter;
use beads::jsonl::CountsById;
use beads::{Graph, Issue, shapes};
use dolt_store::table::Value;
use jiff::Timestamp;

use super::family::Family;
use super::load::{self, StoredEdge};
use super::reader::{By, Reader, Select, into_text};
use super::{StoreError, apart, issue_row};
use crate::sys::parallel;

/// Issues in the order of `list`, spelled.
#[derive(Debug)]
pub struct Listing {
    texts: Vec<Vec<u8>>,
    lines: Vec<Line>,
}

/// One of them: where its text is, and what decides about its place.
#[derive(Debug)]
struct Line {
    id: String,
    priority: i64,
    created_at: Option<Timestamp>,
    text: usize,
    bytes: Range<usize>,
}

/// What one thread has made. Its text is in pieces, which stay where they are: one that grows would be copied as it does, and be
/// there twice meanwhile.
#[derive(Debug, Default)]
struct Part {
    texts: Vec<Vec<u8>>,
    lines: Vec<Line>,
}

/// A piece of text that has so many bytes is followed by another.
const PIECE: usize = 1 << 18;

/// What hangs on the issues of one family, by their ids and in no order. Whoever reads an issue takes it away: a copy would be
/// as much memory again.
type Hanging<T> = foldhash::HashMap<String, Mutex<Vec<T>>>;

/// The labels of both families.
type Labels = [Hanging<String>; 2];

/// The edges of both families, and how many of them begin and end at each issue, and how many remarks it has.
type Edges = ([Hanging<StoredEdge>; 2], CountsById);

impl Listing {
    /// The issues, and with `wisps` the wisps, that the filter wants at this moment. It must not look at the graph.
    pub fn load(
        reader: &dyn Reader,
        filter: &Filter,
        wisps: bool,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let ((edges, counts), labels) = hanging(reader)?;
        let mut listing = Self { texts: Vec::new(), lines: Vec::new() };
        for (family, hanging) in Family::BOTH.into_iter().zip(labels.iter().zip(&edges)) {
            if family == Family::Issues || wisps {
                listing.add(spelled(reader, family, filter, now, hanging, &counts)?);
            }
        }
        // Parts are in order, and this sort finds what is.
        listing.lines.sort_by(Line::order);
        Ok(listing)
    }

    // Of an id that is in both families, only the one that comes last stays.
    fn add(&mut self, parts: Vec<Part>) {
        if !self.lines.is_empty() && parts.iter().any(|part| !part.lines.is_empty()) {
            let ids: foldhash::HashSet<&str> =
                parts.iter().flat_map(|part| &part.lines).map(|line| line.id.as_str()).collect();
            self.lines.retain(|line| !ids.contains(line.id.as_str()));
        }
        for part in parts {
            let first = self.texts.len();
            self.texts.extend(part.texts);
            self.lines.extend(part.lines.into_iter().map(|line| Line { text: first + line.text, ..line }));
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Keeps the first ones.
    pub fn truncate(&mut self, limit: usize) {
        self.lines.truncate(limit);
    }

    /// Each as JSON, in order.
    pub fn texts(&self) -> impl Iterator<Item = &[u8]> {
        self.lines.iter().map(|line| {
            self.texts.get(line.text).and_then(|text| text.get(line.bytes.clone())).unwrap_or_default()
        })
    }
}

impl Line {
    // That of `SortKey::Priority`.
    fn order(&self, other: &Self) -> Ordering {
        let newer = || other.created_at.cmp(&self.created_at);
        self.priority.cmp(&other.priority).then_with(newer).then_with(|| self.id.cmp(&other.id))
    }
}

// Labels are read by another thread, and everything else meanwhile by this one.
fn hanging(reader: &dyn Reader) -> Result<(Edges, Labels), StoreError> {
    let wanted: [apart::Wanted<'_>; 2] = Family::BOTH.map(|family| (family.labels(), LABEL_COLUMNS));
    if let Some(aside) = apart::Aside::of(reader, &wanted)? {
        let (edges, labels) = parallel::both(|| edges(reader), &|| {
            let mut labels = Labels::default();
            aside.read(&mut |family, row| take_label(labels.get_mut(family), row)).map(|()| labels)
        });
        return Ok((edges?, labels?));
    }
    let mut labels = Labels::default();
    for ((table, columns), labels) in wanted.into_iter().zip(&mut labels) {
        reader.select(&Select { table, columns, by: By::All }, &mut |row| {
            take_label(Some(&mut *labels), row);
            Ok(())
        })?;
    }
    Ok((edges(reader)?, labels))
}

const LABEL_COLUMNS: &[&str] = &["issue_id", "label"];

fn take_label(labels: Option<&mut Hanging<String>>, row: &mut Vec<Value>) {
    let mut row = row.drain(..).map(|value| into_text(value).unwrap_or_default());
    if let (Some(labels), Some(id), Some(label)) = (labels, row.next(), row.next()) {
        at(labels, id).push(label);
    }
}

// They are counted at both of their ends, whichever family those are of.
fn edges(reader: &dyn Reader) -> Result<Edges, StoreError> {
    let (mut found, mut counts) = (<[Hanging<StoredEdge>; 2]>::default(), CountsById::default());
    for (family, found) in Family::BOTH.into_iter().zip(&mut found) {
        load::each_edge(reader, family, By::All, &mut |stored| {
            load::count_edges(&mut counts, std::iter::once(&stored.edge));
            let edges = at(found, stored.edge.issue_id.clone());
            // Most issues have one or two; room for four of each would be most of all memory.
            if edges.len() < 4 {
                edges.reserve_exact(1);
            }
            edges.push(stored);
        })?;
        load::count_comments(&mut counts, reader, family)?;
    }
    Ok((found, counts))
}

fn at<T>(hanging: &mut Hanging<T>, id: String) -> &mut Vec<T> {
    hanging.entry(id).or_default().get_mut().unwrap_or_else(PoisonError::into_inner)
}

fn taken<T>(hanging: &Hanging<T>, id: &str) -> Vec<T> {
    let hung = hanging.get(id).map(|hung| hung.lock().unwrap_or_else(PoisonError::into_inner));
    hung.map(|mut hung| mem::take(&mut *hung)).unwrap_or_default()
}

fn spelled(
    reader: &dyn Reader,
    family: Family,
    filter: &Filter,
    now: Timestamp,
    (labels, edges): (&Hanging<String>, &Hanging<StoredEdge>),
    counts: &CountsById,
) -> Result<Vec<Part>, StoreError> {
    let shape = issue_row::Shape::of(false);
    let question = Select { table: family.rows(), columns: &shape.columns, by: By::All };
    let nothing = Graph::default();
    let take = |part: &mut Part, row: &mut Vec<Value>| {
        let mut issue: Issue = shape.issue(row);
        issue.labels = taken(labels, &issue.id);
        issue.labels.sort();
        if !filter.matches(&issue, &nothing, now) {
            return Ok(());
        }
        let mut edges = taken(edges, &issue.id);
        load::in_order(&mut edges);
        issue.dependencies = edges.into_iter().map(|stored| stored.edge).collect();
        let counts = counts.get(&issue.id).copied().unwrap_or_default();
        if part.texts.last().is_none_or(|text| text.len() >= PIECE) {
            part.texts.push(Vec::with_capacity(PIECE + PIECE / 16));
        }
        let number = part.texts.len() - 1;
        let text = &mut part.texts[number];
        let from = text.len();
        shapes::write_listed(&issue, counts, text)?;
        let bytes = from..text.len();
        let Issue { id, priority, created_at, .. } = issue;
        part.lines.push(Line { id, priority, created_at, text: number, bytes });
        Ok(())
    };
    apart::fold(reader, &question, &take, &|part| part.lines.sort_unstable_by(Line::order))
}
