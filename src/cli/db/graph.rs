//! History as a graph of characters, laid out as `dolt log --graph` does it (Dolt `go/cmd/dolt/commands/log_graph.go`).
//!
//! Every commit has a column and a row. Columns, from the newest commit to the oldest: one without children opens a
//! new column; one that is somebody's first parent takes the leftmost column of those children, and ends the others' columns;
//! one that is only merged takes the first column to the right of its children that has been free since the topmost of them,
//! or a new one. Then paths are drawn from each commit to its parents: straight, or slanting by one column per row; what
//! is left of the way is `|` if it is longer than wide, and `-` if it is wider than long.

use std::cmp::Ordering;
use std::collections::HashMap;

use dolt_store::Hash;
use dolt_store::commit::LogEntry;

/// Where a commit stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    col: usize,
    row: usize,
}

/// The picture: rows of cells, as long as what is drawn in them.
#[derive(Debug, Default)]
struct Canvas(Vec<Vec<u8>>);

impl Canvas {
    fn cell(&mut self, row: usize, col: usize) -> &mut u8 {
        if self.0.len() <= row {
            self.0.resize_with(row + 1, Vec::new);
        }
        let cells = &mut self.0[row];
        if cells.len() <= col {
            cells.resize(col + 1, b' ');
        }
        &mut cells[col]
    }

    fn set(&mut self, row: usize, col: usize, mark: u8) {
        *self.cell(row, col) = mark;
    }

    /// Only where nothing is drawn yet.
    fn fill(&mut self, row: usize, col: usize, mark: u8) {
        let cell = self.cell(row, col);
        if *cell == b' ' {
            *cell = mark;
        }
    }

    fn row(&self, row: usize) -> &str {
        let cells = self.0.get(row).map(Vec::as_slice).unwrap_or_default();
        str::from_utf8(cells).unwrap_or_default().trim_end()
    }
}

/// A commit's text beside the graph.
struct Text {
    head: Vec<String>,
    message: Vec<String>,
}

/// The whole graph, one line after another, each commit with these lines: hash, perhaps the parents, author, date; and those of
/// its message.
pub(super) fn whole(entries: &[LogEntry], head: impl Fn(&LogEntry) -> Vec<String>) -> Vec<String> {
    let text = |e: &LogEntry| Text {
        head: head(e),
        message: e.commit.description.split('\n').map(str::to_owned).collect(),
    };
    let texts: Vec<Text> = entries.iter().map(text).collect();
    let mut places = columns(entries);
    let mut row = 0;
    for (place, text) in places.iter_mut().zip(&texts) {
        *place = Place { col: place.col * 2, row };
        // An empty line between head and message, and one behind.
        row += text.head.len() + 1 + text.message.len() + 1;
    }
    let canvas = draw(entries, &places);
    let mut lines = Vec::new();
    for (i, (place, text)) in places.iter().zip(&texts).enumerate() {
        let next = places.get(i + 1).map(|p| p.row);
        let rows = place.row..next.unwrap_or(place.row + 1);
        let own = if next.is_some() { place.col + 1 } else { 0 };
        let width = rows.map(|r| canvas.row(r).len()).max().unwrap_or(0).max(own);
        let beside = |row: usize, text: &str| format!("{:width$} {text}", canvas.row(row));
        for (n, line) in text.head.iter().enumerate() {
            lines.push(beside(place.row + n, line));
        }
        let below = place.row + text.head.len();
        lines.push(canvas.row(below).to_owned());
        for (n, line) in text.message.iter().enumerate() {
            let line = format!("\t{line}");
            lines.push(if next.is_some() { beside(below + 1 + n, &line) } else { line });
        }
        let rest = below + 1 + text.message.len();
        lines.extend((rest..next.unwrap_or(rest)).map(|r| canvas.row(r).to_owned()));
    }
    lines
}

/// The same with one line for each commit, and those between that paths need.
pub(super) fn oneline(entries: &[LogEntry], text: impl Fn(&LogEntry) -> String) -> Vec<String> {
    let mut places = columns(entries);
    let children = children(entries);
    let mut row = 0;
    for i in 0..entries.len() {
        let col = places[i].col * 2;
        if i > 0 {
            row += 1;
            for child in &children[i] {
                row = row.max(places[*child].row + col.abs_diff(places[*child].col));
            }
        }
        places[i] = Place { col, row };
    }
    let canvas = draw(entries, &places);
    let mut lines = Vec::new();
    for (entry, place) in entries.iter().zip(&places) {
        lines.extend((lines.len()..place.row).map(|r| canvas.row(r).to_owned()).collect::<Vec<_>>());
        lines.push(format!("{} {}", canvas.row(place.row), text(entry)));
    }
    lines
}

// The children of each commit among these, as positions, the newest first.
fn children(entries: &[LogEntry]) -> Vec<Vec<usize>> {
    let at: HashMap<Hash, usize> = entries.iter().enumerate().map(|(i, e)| (e.hash, i)).collect();
    let mut children = vec![Vec::new(); entries.len()];
    for (i, entry) in entries.iter().enumerate() {
        for parent in entry.commit.parents.iter().filter_map(|p| at.get(p)) {
            children[*parent].push(i);
        }
    }
    children
}

fn columns(entries: &[LogEntry]) -> Vec<Place> {
    let children = children(entries);
    let mut places: Vec<Place> = Vec::new();
    // Where the last path in each column ends.
    let mut ends: Vec<usize> = Vec::new();
    for (row, entry) in entries.iter().enumerate() {
        let of = &children[row];
        let firsts: Vec<usize> =
            of.iter().copied().filter(|c| entries[*c].commit.parents.first() == Some(&entry.hash)).collect();
        let col = if let Some(leftmost) = firsts.iter().map(|c| places[*c].col).min() {
            for child in &firsts {
                ends[places[*child].col] = row.saturating_sub(1);
            }
            leftmost
        } else if let (Some(topmost), Some(rightmost)) =
            (of.iter().min(), of.iter().map(|c| places[*c].col).max())
        {
            (rightmost + 1..ends.len()).find(|c| *topmost >= ends[*c]).unwrap_or(ends.len())
        } else {
            ends.len()
        };
        if col == ends.len() {
            ends.push(row);
        }
        ends[col] = row;
        places.push(Place { col, row });
    }
    places
}

fn draw(entries: &[LogEntry], places: &[Place]) -> Canvas {
    let at: HashMap<Hash, Place> = entries.iter().map(|e| e.hash).zip(places.iter().copied()).collect();
    let mut canvas = Canvas::default();
    for (entry, child) in entries.iter().zip(places) {
        canvas.set(child.row, child.col, b'*');
        for parent in entry.commit.parents.iter().filter_map(|p| at.get(p)) {
            let (wide, long) = (parent.col.abs_diff(child.col), parent.row - child.row);
            match parent.col.cmp(&child.col) {
                Ordering::Equal => (child.row + 1..parent.row).for_each(|r| canvas.fill(r, child.col, b'|')),
                Ordering::Less => to_the_left(&mut canvas, *child, *parent, wide, long),
                Ordering::Greater => to_the_right(&mut canvas, *child, *parent, wide, long),
            }
        }
    }
    canvas
}

fn to_the_left(canvas: &mut Canvas, child: Place, parent: Place, wide: usize, long: usize) {
    if wide > long {
        let over = wide - long;
        (1..long).for_each(|i| canvas.set(parent.row - i, parent.col + over + i, b'/'));
        (parent.col..=parent.col + over).for_each(|c| canvas.fill(parent.row, c, b'-'));
    } else {
        (1..wide).for_each(|i| canvas.set(parent.row - i, parent.col + i, b'/'));
        (child.row + 1..=parent.row - wide).for_each(|r| canvas.fill(r, child.col, b'|'));
    }
}

fn to_the_right(canvas: &mut Canvas, child: Place, parent: Place, wide: usize, long: usize) {
    if long > wide {
        (1..wide).for_each(|i| canvas.set(child.row + i, child.col + i, b'\\'));
        (child.row + wide..parent.row).for_each(|r| canvas.fill(r, parent.col, b'|'));
    } else {
        (0..long).for_each(|i| canvas.set(parent.row - i, parent.col - i, b'\\'));
        (child.col + 1..=parent.col - long).for_each(|c| canvas.fill(child.row, c, b'-'));
    }
}
