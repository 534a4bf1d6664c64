//! Queries as filters of the database (bd `internal/query/evaluator.go`: `applyComparison`).

use jiff::civil::Time;
use jiff::{Timestamp, Zoned};

use super::parse::{Node, Op, ValueKind};
use super::{QueryError, refuse};
use crate::filter::{Filter, Span};
use crate::issue::{IssueType, Status, check_key, is_mol_type};
use crate::text::lower;
use crate::when;

/// Whether a filter alone can answer: comparisons joined by AND, NOT of a status or a type, labels joined by OR.
pub(super) fn suffices(node: &Node) -> bool {
    match node {
        Node::Compare { .. } => true,
        Node::And(left, right) => suffices(left) && suffices(right),
        Node::Not(node) => {
            matches!(&**node, Node::Compare { field, op: Op::Equals, .. } if field == "status" || field == "type")
        }
        Node::Or(..) => or_labels(node).is_some(),
    }
}

/// The labels of `label=a OR label=b …`, if there is nothing else.
fn or_labels(node: &Node) -> Option<Vec<String>> {
    match node {
        Node::Compare { field, op: Op::Equals, value, .. }
            if matches!(field.as_str(), "label" | "labels") =>
        {
            Some(vec![value.clone()])
        }
        Node::Or(left, right) => Some([or_labels(left)?, or_labels(right)?].concat()),
        _ => None,
    }
}

pub(super) fn build(node: &Node, filter: &mut Filter, now: &Zoned) -> Result<(), QueryError> {
    match node {
        Node::Compare { .. } => compare(node, filter, now),
        Node::And(left, right) => {
            build(left, filter, now)?;
            build(right, filter, now)
        }
        Node::Not(node) => not(node, filter),
        Node::Or(..) => match or_labels(node) {
            Some(labels) => {
                filter.labels_any.extend(labels);
                Ok(())
            }
            None => refuse("OR not supported for this field combination"),
        },
    }
}

/// Takes what can be taken as a filter from a query that needs a predicate anyway; what cannot is left to the predicate.
pub(super) fn narrow(node: &Node, filter: &mut Filter, now: &Zoned) {
    let mut tried = filter.clone();
    match node {
        Node::Compare { .. } => {
            if compare(node, &mut tried, now).is_ok() {
                *filter = tried;
            }
        }
        Node::And(left, right) => {
            narrow(left, filter, now);
            narrow(right, filter, now);
        }
        Node::Not(node) => {
            if not(node, &mut tried).is_ok() {
                *filter = tried;
            }
        }
        Node::Or(..) => {}
    }
}

fn not(node: &Node, filter: &mut Filter) -> Result<(), QueryError> {
    let Node::Compare { field, op, value, .. } = node else {
        return refuse("NOT only supports simple comparisons in filter mode");
    };
    match (field.as_str(), op) {
        ("status", Op::Equals) => filter.exclude_status.push(lower(value).into()),
        ("type", Op::Equals) => filter.exclude_types.push(lower(value).into()),
        ("status" | "type", _) => return refuse(format!("NOT {field} only supports = operator")),
        _ => return refuse(format!("NOT not supported for field {field} in filter mode")),
    }
    Ok(())
}

pub(super) fn is_none(value: &str) -> bool {
    matches!(lower(value).as_str(), "" | "none" | "null")
}

pub(super) fn is_true(value: &str) -> Option<bool> {
    match lower(value).as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// The time that a value means. A duration counts backwards: `7d` is a week ago.
pub(super) fn time(field: &str, value: &str, kind: ValueKind, now: &Zoned) -> Result<Zoned, QueryError> {
    let time = if kind == ValueKind::Duration {
        let back = format!("-{}", value.strip_prefix('+').unwrap_or(value));
        when::compact(&back, now)
            .ok_or_else(|| format!("not a compact duration: {}", crate::text::quoted(&back)))
    } else {
        when::parse(value, now).map_err(|e| e.to_string())
    };
    time.map_err(|e| QueryError(format!("invalid {} time: {e}", field.strip_suffix("_at").unwrap_or(field))))
}

fn compare(node: &Node, filter: &mut Filter, now: &Zoned) -> Result<(), QueryError> {
    let Node::Compare { field, op, value, kind } = node else { return refuse("no comparison") };
    match field.as_str() {
        "status" | "type" if !matches!(op, Op::Equals | Op::NotEquals) => {
            return refuse(format!("{field} only supports = and != operators"));
        }
        "status" => {
            let status = Status::from(lower(value));
            match (status.is_built_in(), op) {
                (false, _) => return refuse(format!("invalid status: {value}")),
                (true, Op::Equals) => filter.status = Some(status),
                (true, _) => filter.exclude_status.push(status),
            }
        }
        "type" => {
            let issue_type = IssueType::from(lower(value));
            if *op == Op::Equals {
                filter.issue_type = Some(issue_type);
            } else {
                filter.exclude_types.push(issue_type);
            }
        }
        "priority" => return priority(*op, value, filter),
        "owner" => return refuse("owner filtering requires predicate mode"),
        "created" | "created_at" => {
            return span(field, *op, &time(field, value, *kind, now)?, true, &mut filter.created);
        }
        "updated" | "updated_at" => {
            return span(field, *op, &time(field, value, *kind, now)?, true, &mut filter.updated);
        }
        "closed" | "closed_at" => {
            return span(field, *op, &time(field, value, *kind, now)?, false, &mut filter.closed);
        }
        "started" | "started_at" => {
            return span(field, *op, &time(field, value, *kind, now)?, false, &mut filter.started);
        }
        other => return equal(other, *op, value, filter),
    }
    Ok(())
}

/// Fields that can only be equal to something.
fn equal(field: &str, op: Op, value: &str, filter: &mut Filter) -> Result<(), QueryError> {
    let (name, more) = match field {
        "assignee" | "notes" | "id" | "parent" | "pinned" | "ephemeral" | "template" | "mol_type"
        | "has_metadata_key" => (field, ""),
        "label" | "labels" => ("label", ""),
        "spec" | "spec_id" => ("spec", ""),
        "title" => ("title", " (use title contains pattern)"),
        "description" | "desc" => ("description", " (use desc contains pattern)"),
        other => return metadata(other, op, value, filter),
    };
    if op != Op::Equals {
        return refuse(format!("{name} only supports = operator{more}"));
    }
    let text = Some(value.to_owned());
    match name {
        "assignee" if is_none(value) => filter.no_assignee = true,
        "assignee" => filter.assignee = text,
        "label" if is_none(value) => filter.no_labels = true,
        "label" => filter.labels.extend(text),
        "title" => filter.title_contains = text,
        "description" if is_none(value) => filter.empty_description = true,
        "description" => filter.description_contains = text,
        "notes" => filter.notes_contains = text,
        "id" => match value.strip_suffix('*') {
            Some(prefix) => filter.id_prefix = Some(prefix.to_owned()),
            None => filter.ids.extend(text),
        },
        "spec" => filter.spec_id_prefix = Some(value.strip_suffix('*').unwrap_or(value).to_owned()),
        "parent" => filter.parent = text,
        "mol_type" => {
            let word = lower(value);
            if !is_mol_type(&word) {
                return refuse(format!("invalid mol_type: {value}"));
            }
            filter.mol_type = Some(word);
        }
        "has_metadata_key" => {
            check_key(value).map_err(|e| QueryError(e.to_string()))?;
            filter.has_metadata_key = text;
        }
        flag => {
            let Some(wanted) = is_true(value) else {
                return refuse(format!("invalid boolean value for {flag}: {value}"));
            };
            let place = match flag {
                "pinned" => &mut filter.pinned,
                "ephemeral" => &mut filter.ephemeral,
                _ => &mut filter.is_template,
            };
            *place = Some(wanted);
        }
    }
    Ok(())
}

fn metadata(field: &str, op: Op, value: &str, filter: &mut Filter) -> Result<(), QueryError> {
    let Some(key) = field.strip_prefix("metadata.") else { return refuse(format!("unknown field: {field}")) };
    if op != Op::Equals {
        return refuse("metadata fields only support = operator");
    }
    check_key(key).map_err(|e| QueryError(e.to_string()))?;
    filter.metadata.insert(key.to_owned(), value.to_owned());
    Ok(())
}

fn priority(op: Op, value: &str, filter: &mut Filter) -> Result<(), QueryError> {
    let Ok(number) = value.parse::<i64>() else { return refuse(format!("invalid priority value: {value}")) };
    if !(0..=4).contains(&number) {
        return refuse("priority must be between 0 and 4");
    }
    match op {
        Op::Equals => filter.priority = Some(number),
        Op::NotEquals => return refuse("priority != requires predicate filtering"),
        Op::Less if number == 0 => return refuse("priority < 0 matches nothing"),
        Op::Less => filter.priority_max = Some(number - 1),
        Op::LessEq => filter.priority_max = Some(number),
        Op::Greater if number == 4 => return refuse("priority > 4 matches nothing"),
        Op::Greater => filter.priority_min = Some(number + 1),
        Op::GreaterEq => filter.priority_min = Some(number),
    }
    Ok(())
}

/// Both ends are exclusive in the database, also for `>=`. `=` is the day in the user's zone, as long as 24 hours.
fn span(field: &str, op: Op, time: &Zoned, has_equals: bool, span: &mut Span) -> Result<(), QueryError> {
    let at = |clock: Time| {
        time.date().to_datetime(clock).to_zoned(time.time_zone().clone()).map(|time| time.timestamp())
    };
    let out_of_range = |e: jiff::Error| QueryError(format!("invalid {field} time: {e}"));
    match op {
        Op::Equals if has_equals => {
            let start: Timestamp = at(Time::midnight()).map_err(out_of_range)?;
            span.after = Some(start);
            span.before =
                Some(start.checked_add(jiff::SignedDuration::from_hours(24)).map_err(out_of_range)?);
        }
        Op::Greater | Op::GreaterEq => span.after = Some(time.timestamp()),
        Op::Less => span.before = Some(time.timestamp()),
        Op::LessEq => span.before = Some(at(Time::MAX).map_err(out_of_range)?),
        _ => {
            let name = field.strip_suffix("_at").unwrap_or(field);
            return refuse(format!("{name} does not support {} operator", op.as_str()));
        }
    }
    Ok(())
}
