//! Queries as predicates over single issues, for what no filter can say (bd `internal/query/evaluator.go`: `build…Predicate`).

use jiff::{Timestamp, Zoned};
use serde_json::Value;

use super::filters::{is_none, is_true, time};
use super::parse::{Node, Op};
use super::{QueryError, refuse};
use crate::issue::{Issue, IssueType, Status, check_key};
use crate::text::lower;

/// Whether an issue is wanted.
pub type Predicate = Box<dyn Fn(&Issue) -> bool + Send + Sync>;

pub(super) fn build(node: &Node, now: &Zoned) -> Result<Predicate, QueryError> {
    Ok(match node {
        Node::Compare { .. } => compare(node, now)?,
        Node::And(left, right) => {
            let (left, right) = (build(left, now)?, build(right, now)?);
            Box::new(move |issue| left(issue) && right(issue))
        }
        Node::Or(left, right) => {
            let (left, right) = (build(left, now)?, build(right, now)?);
            Box::new(move |issue| left(issue) || right(issue))
        }
        Node::Not(node) => {
            let node = build(node, now)?;
            Box::new(move |issue| !node(issue))
        }
    })
}

/// `=` and `!=` of something that holds or does not; other operators are refused with these words.
fn either(op: Op, holds: Predicate, refusal: impl FnOnce() -> String) -> Result<Predicate, QueryError> {
    match op {
        Op::Equals => Ok(holds),
        Op::NotEquals => Ok(Box::new(move |issue| !holds(issue))),
        _ => refuse(refusal()),
    }
}

fn compare(node: &Node, now: &Zoned) -> Result<Predicate, QueryError> {
    let Node::Compare { field, op, value, kind } = node else { return refuse("no comparison") };
    let op = *op;
    let lowered = lower(value);
    let value = value.clone();
    let unsupported = |name: &str| {
        let text = format!("{name} does not support {} operator", op.as_str());
        move || text
    };
    let begins = |text: fn(&Issue) -> &str| -> Predicate {
        if let Some(prefix) = value.strip_suffix('*').map(str::to_owned) {
            return Box::new(move |issue| text(issue).starts_with(&prefix));
        }
        let value = value.clone();
        Box::new(move |issue| text(issue) == value)
    };
    let wildcard = |name: &str| {
        if value.ends_with('*') {
            format!("{name} with wildcard only supports = and != operators")
        } else {
            unsupported(name)()
        }
    };
    match field.as_str() {
        "status" => {
            let status = Status::from(lowered);
            either(op, Box::new(move |issue| issue.status == status), unsupported("status"))
        }
        "type" => {
            let issue_type = IssueType::from(lowered);
            either(op, Box::new(move |issue| issue.issue_type == issue_type), unsupported("type"))
        }
        "priority" => {
            let Ok(number) = value.parse::<i64>() else {
                return refuse(format!("invalid priority: {value}"));
            };
            Ok(Box::new(move |issue| ordered(op, &issue.priority, &number)))
        }
        "assignee" if is_none(&value) => {
            either(op, Box::new(|issue| issue.assignee.is_empty()), unsupported("assignee"))
        }
        "assignee" => {
            either(op, Box::new(move |issue| lower(&issue.assignee) == lowered), unsupported("assignee"))
        }
        "owner" => either(op, Box::new(move |issue| lower(&issue.owner) == lowered), unsupported("owner")),
        "label" | "labels" if is_none(&value) => {
            either(op, Box::new(|issue| issue.labels.is_empty()), unsupported("label"))
        }
        "label" | "labels" => {
            let has = move |issue: &Issue| issue.labels.iter().any(|label| lower(label) == lowered);
            either(op, Box::new(has), unsupported("label"))
        }
        "title" => {
            either(op, Box::new(move |issue| lower(&issue.title).contains(&lowered)), unsupported("title"))
        }
        "description" | "desc" if is_none(&value) => {
            either(op, Box::new(|issue| issue.description.is_empty()), unsupported("description"))
        }
        "description" | "desc" => {
            let has = move |issue: &Issue| lower(&issue.description).contains(&lowered);
            either(op, Box::new(has), unsupported("description"))
        }
        "notes" => {
            either(op, Box::new(move |issue| lower(&issue.notes).contains(&lowered)), unsupported("notes"))
        }
        "created" | "created_at" | "updated" | "updated_at" | "closed" | "closed_at" | "started"
        | "started_at" => {
            let wanted = time(field, &value, *kind, now)?;
            let of = time_of(field);
            Ok(Box::new(move |issue| of(issue).is_some_and(|time| at(op, time, &wanted))))
        }
        "id" => either(op, begins(|issue| &issue.id), || wildcard("id")),
        "spec" | "spec_id" => either(op, begins(|issue| &issue.spec_id), || wildcard("spec")),
        "pinned" | "ephemeral" | "template" => {
            let Some(flag) = is_true(&value) else {
                return refuse(format!("invalid boolean value: {value}"));
            };
            let of: fn(&Issue) -> bool = match field.as_str() {
                "pinned" => |issue| issue.pinned,
                "ephemeral" => |issue| issue.ephemeral,
                _ => |issue| issue.is_template,
            };
            either(op, Box::new(move |issue| of(issue) == flag), unsupported("boolean field"))
        }
        "has_metadata_key" if op != Op::Equals => refuse("has_metadata_key only supports = operator"),
        "has_metadata_key" => {
            check_key(&value).map_err(|e| QueryError(e.to_string()))?;
            Ok(Box::new(move |issue| metadata(issue, &value).is_some()))
        }
        other => match other.strip_prefix("metadata.").map(str::to_owned) {
            Some(_) if op != Op::Equals => refuse("metadata fields only support = operator"),
            Some(key) => {
                check_key(&key).map_err(|e| QueryError(e.to_string()))?;
                Ok(Box::new(move |issue| metadata(issue, &key).is_some_and(|found| found == value)))
            }
            None => refuse(format!("unknown field: {other}")),
        },
    }
}

fn time_of(field: &str) -> fn(&Issue) -> Option<Timestamp> {
    match field {
        "created" | "created_at" => |issue| issue.created_at,
        "updated" | "updated_at" => |issue| issue.updated_at,
        "closed" | "closed_at" => |issue| issue.closed_at,
        _ => |issue| issue.started_at,
    }
}

/// The text of a top-level value: strings bare, others as JSON.
fn metadata(issue: &Issue, key: &str) -> Option<String> {
    let stored: Value = serde_json::from_str(issue.metadata.as_ref()?.as_str()).ok()?;
    Some(match stored.get(key)? {
        Value::String(text) => text.clone(),
        // bd reads null into an empty string.
        Value::Null => String::new(),
        other => other.to_string(),
    })
}

fn ordered<T: Ord>(op: Op, found: &T, wanted: &T) -> bool {
    match op {
        Op::Equals => found == wanted,
        Op::NotEquals => found != wanted,
        Op::Less => found < wanted,
        Op::LessEq => found <= wanted,
        Op::Greater => found > wanted,
        Op::GreaterEq => found >= wanted,
    }
}

/// Equal times are those of the same day, the issue's in UTC and the wanted one in the user's zone.
fn at(op: Op, found: Timestamp, wanted: &Zoned) -> bool {
    let same_day = || jiff::tz::Offset::UTC.to_datetime(found).date() == wanted.date();
    match op {
        Op::Equals => same_day(),
        Op::NotEquals => !same_day(),
        _ => ordered(op, &found, &wanted.timestamp()),
    }
}
