//! A list of issues as JSON, straight from their rows: each thread spells the rows that it reads and keeps only the text, and
//! what the order is told by. Ten thousand whole issues are more memory than their text, and fetching it from the system takes
//! longer than writing it.
//!
//! What could go wrong is that this lists other issues than [`super::view::View`] does, or spells them otherwise: the filter, the
//! rows, the spelling and the order are the same functions, and `tests/live/bd_same` lists in both ways.

use std::cmp::Ordering;
use std::ops::Range;

use beads::filter::Filter;
use beads::jsonl::CountsById;
use beads::{Edge, Graph, Issue, shapes};
use jiff::Timestamp;

use super::family::Family;
use super::load::{self, StoredEdge};
use super::reader::{By, Reader, Select, into_text};
use super::{StoreError, apart, issue_row};

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

/// What hangs on the issues of one family.
#[derive(Debug, Default)]
struct Hanging {
    labels: foldhash::HashMap<String, Vec<String>>,
    edges: foldhash::HashMap<String, Vec<Edge>>,
}

impl Listing {
    /// The issues, and with `wisps` the wisps, that the filter wants at this moment. It must not look at the graph.
    pub fn load(
        reader: &dyn Reader,
        filter: &Filter,
        wisps: bool,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let (mut counts, mut edges) = (CountsById::default(), Vec::new());
        for family in Family::BOTH {
            let mut found = load::edges(reader, family, By::All)?;
            load::in_order(&mut found);
            load::count_edges(&mut counts, found.iter().map(|stored| &stored.edge));
            load::count_comments(&mut counts, reader, family)?;
            edges.push(found);
        }
        let mut listing = Self { texts: Vec::new(), lines: Vec::new() };
        for (family, edges) in Family::BOTH.into_iter().zip(edges) {
            if family == Family::Issues || wisps {
                let hanging = Hanging::of(reader, family, edges)?;
                listing.add(spelled(reader, family, filter, now, &hanging, &counts)?);
            }
        }
        listing.lines.sort_unstable_by(Line::order);
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

impl Hanging {
    fn of(reader: &dyn Reader, family: Family, edges: Vec<StoredEdge>) -> Result<Self, StoreError> {
        let mut hanging = Self::default();
        let question = Select { table: family.labels(), columns: &["issue_id", "label"], by: By::All };
        reader.select(&question, &mut |row| {
            let mut row = row.drain(..).map(|value| into_text(value).unwrap_or_default());
            let id = row.next().unwrap_or_default();
            hanging.labels.entry(id).or_default().extend(row.next());
            Ok(())
        })?;
        hanging.labels.values_mut().for_each(|labels| labels.sort());
        for stored in edges {
            hanging.edges.entry(stored.edge.issue_id.clone()).or_default().push(stored.edge);
        }
        Ok(hanging)
    }
}

fn spelled(
    reader: &dyn Reader,
    family: Family,
    filter: &Filter,
    now: Timestamp,
    hanging: &Hanging,
    counts: &CountsById,
) -> Result<Vec<Part>, StoreError> {
    let shape = issue_row::Shape::of(false);
    let question = Select { table: family.rows(), columns: &shape.columns, by: By::All };
    let nothing = Graph::default();
    apart::fold(reader, &question, &|_| Part::default(), &|part, row| {
        let mut issue: Issue = shape.issue(row);
        issue.labels = hanging.labels.get(&issue.id).cloned().unwrap_or_default();
        if !filter.matches(&issue, &nothing, now) {
            return Ok(());
        }
        issue.dependencies = hanging.edges.get(&issue.id).cloned().unwrap_or_default();
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
    })
}
