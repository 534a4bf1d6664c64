//! `bd dep add --file`: many edges, one JSON object on a line, all of them or none (bd 1.1.0 `cmd/bd/dep.go`).
//!
//! What could go wrong is a file that is half done, so every line is looked at before the first edge is made, and everything is
//! one transaction.

use std::fs::File;
use std::io::{BufRead, BufReader};

use beads::{Edge, EdgeType};
use serde_json::{Map, Value, json};

use super::answer::{Answer, Refusal, print_object};
use super::context::Bd;
use super::dep::{check_foreign, invalid_kind};
use super::links;
use super::routed::Homes;
use super::text::in_go;
use crate::cli::out;
use crate::store::load;
use crate::store::ops::{self, AddEdge};
use crate::store::reader::Reader;
use crate::store::{Outcome, StoreError, step};

/// One line, as it was given or with whole ids.
#[derive(Debug, Clone)]
struct Line {
    number: usize,
    from: String,
    to: String,
    kind: EdgeType,
}

/// Adds all edges of a file, `-` for standard input. Without checks on the way, circles are looked for once, at the end.
pub(super) fn add(bd: &Bd, file: &str, kind: &str, no_cycle_check: bool) -> Answer {
    let lines = lines(file, kind)?;
    let froms: Vec<String> = lines.iter().map(|line| line.from.clone()).collect();
    let mut homes = Homes::new(bd);
    let home = match homes.groups(&froms)?.as_slice() {
        [] => return Err(Refusal::new("no dependency edges found")),
        [group] => group.home,
        _ => {
            let words = "bulk dep add requires all source issues to resolve to the same store";
            return Err(Refusal::new(words));
        }
    };
    let added = write(homes.get(home), &lines, no_cycle_check)?;
    if bd.json() {
        let edges = added.iter().map(
            |line| json!({ "issue_id": line.from, "depends_on_id": line.to, "type": line.kind.as_str() }),
        );
        let edges: Vec<Value> = edges.collect();
        return print_object(&json!({ "status": "added", "count": edges.len(), "dependencies": edges }));
    }
    out::line(format!("✓ Added {} dependencies", added.len()));
    Ok(())
}

fn write(bd: &Bd, lines: &[Line], no_cycle_check: bool) -> Answer<Vec<Line>> {
    let act = bd.act();
    bd.write("dep add", |tx| {
        let lines = whole(tx.reader(), lines)?;
        let edge = |line: &Line| AddEdge {
            edge: Edge::new(&line.from, &line.to, line.kind.clone()),
            no_cycle_check,
        };
        let adds: Vec<AddEdge> = lines.iter().map(edge).collect();
        let refusals = step(tx, &act, |work| ops::add_edges(work, adds))?;
        for (line, refusal) in lines.iter().zip(refusals) {
            if let Some(refusal) = refusal {
                let refusal = StoreError::from(refusal);
                return Err(StoreError::Refused(format!("line {}: {refusal}", line.number)));
            }
        }
        if no_cycle_check {
            no_circle(tx.reader(), &lines)?;
        }
        let message = || format!("dependency: add {} edges", lines.len());
        Ok(Outcome { message: bd.message(message, message), result: lines })
    })
}

// Circles that were there before keep nobody from adding edges that are no part of them.
fn no_circle(reader: &dyn Reader, lines: &[Line]) -> Result<(), StoreError> {
    let graph = load::graph(reader)?;
    for line in lines.iter().filter(|line| line.kind.blocks_directly()) {
        if let Some(way) = graph.path(&line.to, &line.from) {
            return Err(StoreError::Refused(format!(
                "dependency cycle would be created: {} → {} (no edges added; run 'bd dep cycles' for analysis)",
                line.from,
                way.join(" → ")
            )));
        }
    }
    Ok(())
}

// The lines with whole ids, or all that is wrong with them.
fn whole(reader: &dyn Reader, lines: &[Line]) -> Result<Vec<Line>, StoreError> {
    let (mut resolved, mut wrong) = (Vec::new(), Vec::new());
    for line in lines {
        match ends(reader, line) {
            Ok((from, to)) => resolved.push(Line { from, to, ..line.clone() }),
            Err(StoreError::Refused(words)) => wrong.push(format!("line {}: {words}", line.number)),
            Err(error) => return Err(error),
        }
    }
    if wrong.is_empty() { Ok(resolved) } else { Err(StoreError::Refused(invalid(&wrong))) }
}

fn ends(reader: &dyn Reader, line: &Line) -> Result<(String, String), StoreError> {
    // Named twice, as bd has it here.
    let words = format!("resolving issue ID {}: resolving issue ID", line.from);
    let from = Bd::resolve_as(reader, &words, &line.from)?;
    let to = if line.to.starts_with("external:") {
        check_foreign(&line.to)?;
        line.to.clone()
    } else {
        Bd::resolve_or_foreign(reader, &from, &line.to)?
    };
    if links::is_above(&from, &to) {
        return Err(StoreError::Refused(format!("cannot add dependency: {from} is already a child of {to}")));
    }
    Ok((from, to))
}

fn invalid(wrong: &[String]) -> String {
    format!("bulk dependency validation failed:\n  {}", wrong.join("\n  "))
}

fn lines(file: &str, kind: &str) -> Answer<Vec<Line>> {
    let reader: Box<dyn BufRead> = if file == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        let opened = File::open(file)
            .map_err(|error| Refusal::new(format!("open dependency file: open {file}: {}", in_go(&error))))?;
        Box::new(BufReader::new(opened))
    };
    let (mut lines, mut wrong) = (Vec::new(), Vec::new());
    for (number, text) in (1..).zip(reader.lines()) {
        let text = text.map_err(|error| Refusal::new(format!("read dependency file: {}", in_go(&error))))?;
        if text.trim().is_empty() {
            continue;
        }
        let mut said = |words: String| wrong.push(format!("line {number}: {words}"));
        let fields = match fields(text.trim()) {
            Ok(fields) => fields,
            Err(words) => {
                said(format!("invalid JSON: {words}"));
                continue;
            }
        };
        let [from, to, own] = fields;
        let kind = if own.is_empty() { kind.to_owned() } else { own };
        for (name, id) in [("from", &from), ("to", &to)] {
            if id.is_empty() {
                said(format!("missing {name}"));
            }
        }
        let is_named = !from.is_empty() && !to.is_empty();
        let kind_of_edge = EdgeType::from(kind.as_str());
        if !kind_of_edge.is_valid() {
            said(invalid_kind(&kind));
        } else if is_named {
            lines.push(Line { number, from, to, kind: kind_of_edge });
        }
    }
    if wrong.is_empty() { Ok(lines) } else { Err(Refusal::new(invalid(&wrong))) }
}

// From, to and kind. Names of fields are taken in any case, as bd reads JSON.
fn fields(text: &str) -> Result<[String; 3], String> {
    let read: Option<Map<String, Value>> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut found: [String; 5] = Default::default();
    for (name, value) in read.unwrap_or_default() {
        let names = ["from", "issue_id", "to", "depends_on_id", "type"];
        let at = names.iter().position(|known| name.eq_ignore_ascii_case(known));
        let Some(place) = at.and_then(|at| found.get_mut(at)) else { continue };
        match value {
            Value::String(text) => text.trim().clone_into(place),
            Value::Null => {}
            _ => return Err(format!("{name} is no text")),
        }
    }
    let [from, issue, to, depends_on, kind] = found;
    let or = |first: String, second: String| if first.is_empty() { second } else { first };
    Ok([or(from, issue), or(to, depends_on), kind])
}
