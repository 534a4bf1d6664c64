//! What two programs say, and the rows that they leave, made comparable: on one database to the byte, on two without the times
//! of this day and ids of chance.
//!
//! What could go wrong is that too much counts as chance. Only what is near now is a time of the run, ids of edges are computed
//! and stay as they are, and a table whose rows are the same as they stand has to have the same address too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use dolt_store::Hash;
use dolt_store::table::Value as Cell;
use gt::store::load;
use gt::store::native::Native;
use gt::store::reader::{By, Reader};
use regex::Regex;
use serde_json::Value;

use super::place::Workspace;

/// The answer with moments around now, UUIDs and durations taken out, and lists in one order: rows that came to be in the same
/// second on one side may have come in two on the other.
pub(crate) fn without_chance(text: &str) -> String {
    each_value(text, |value| in_order(veiled_answer(None, value)))
}

/// The answer with its lists in one order and nothing else changed.
pub(crate) fn without_order(text: &str) -> String {
    each_value(text, in_order)
}

fn each_value(text: &str, change: impl Fn(Value) -> Value) -> String {
    let values: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(text).into_iter().collect();
    // No JSON: it is compared as it stands.
    let Ok(values) = values else { return text.to_owned() };
    values.into_iter().map(|value| format!("{:#}", change(value))).collect::<Vec<_>>().join("\n")
}

/// A text for people with its edges in one order: bd leaves it to the server, which takes one index or another.
pub(crate) fn edges_in_order(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    for block in lines.chunk_by_mut(|a, b| a.contains(" → ") && b.contains(" → ")) {
        block.sort_unstable();
    }
    lines.join("\n")
}

/// The answer without numbers of events.
pub(crate) fn without_event_counts(text: &str) -> String {
    static COUNT: OnceLock<Regex> = OnceLock::new();
    let count = COUNT.get_or_init(|| Regex::new(r#"(?i)(events[a-z_ ]*"?: +)[0-9]+"#).unwrap());
    count.replace_all(text, "${1}(n)").into_owned()
}

fn in_order(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().map(in_order).collect();
            items.sort_by_key(ToString::to_string);
            Value::Array(items)
        }
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, in_order(value))).collect(),
        other => other,
    }
}

fn veiled_answer(key: Option<&str>, value: Value) -> Value {
    match value {
        Value::Number(_) if key == Some("average_lead_time_hours") => Value::from(0),
        Value::String(text) if text.parse().is_ok_and(is_of_now) => Value::from("(now)"),
        Value::String(text) if uuid::Uuid::parse_str(&text).is_ok() => Value::from("(uuid)"),
        Value::Array(items) => items.into_iter().map(|item| veiled_answer(None, item)).collect(),
        Value::Object(fields) => {
            let veiled = |(name, value): (String, Value)| {
                let value = veiled_answer(Some(&name), value);
                (name, value)
            };
            fields.into_iter().map(veiled).collect()
        }
        other => other,
    }
}

fn is_of_now(moment: jiff::Timestamp) -> bool {
    let day = 24 * 60 * 60;
    (gt::sys::clock::now().as_second() - moment.as_second()).abs() < day
}

/// Where two texts part, with some lines around.
pub(crate) fn difference(ours: &str, theirs: &str) -> String {
    let diff = similar::TextDiff::from_lines(theirs, ours);
    diff.unified_diff().context_radius(4).header("bd", "ours").to_string()
}

const EVENTS: [&str; 2] = ["events", "wisp_events"];

/// What a database holds, committed or not.
pub(crate) struct Rows(BTreeMap<String, Rowset>);

/// The rows of a table as they stand and without chance, and its address.
struct Rowset {
    address: Hash,
    exact: BTreeSet<String>,
    veiled: Vec<String>,
}

impl Rows {
    pub(crate) fn of(place: &Workspace) -> Self {
        let reader = Native::at(place.database(), None).reader().unwrap();
        let tables = reader.tables().unwrap();
        let rows = |(name, address): (String, Hash)| {
            let columns: Vec<String> = tables
                .open(&name)
                .unwrap()
                .unwrap()
                .schema()
                .columns
                .iter()
                .map(|c| c.name.clone())
                .collect();
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            let rows = reader.rows(&name, &columns, By::All).unwrap();
            let spelled = |cell: fn(&Cell) -> String| {
                let row = |row: &Vec<Cell>| {
                    let filled = columns.iter().zip(row).filter(|(_, value)| **value != Cell::Null);
                    filled
                        .map(|(column, value)| format!("{column} {}", cell(value)))
                        .collect::<Vec<_>>()
                        .join(", ")
                };
                rows.iter().map(row).collect::<Vec<_>>()
            };
            let veiled = spelled(veiled);
            let exact = spelled(|cell| format!("{cell:?}")).into_iter().collect();
            (name, Rowset { address, exact, veiled })
        };
        Self(tables.addresses().unwrap().into_iter().map(rows).collect())
    }

    /// Events that only ours has.
    pub(crate) fn more_events(&self, theirs: &Self) -> Vec<String> {
        let events = |rows: &Self| -> Vec<String> {
            EVENTS.iter().filter_map(|name| rows.0.get(*name)).flat_map(|rows| rows.veiled.clone()).collect()
        };
        without(&events(self), &events(theirs))
    }

    /// What differs, for a reader; otherwise how many tables have one address. Ours may have these events more.
    pub(crate) fn differs(&self, theirs: &Self, more_events: &[String]) -> Result<usize, String> {
        let mut same = 0;
        let names: BTreeSet<&String> = self.0.keys().chain(theirs.0.keys()).collect();
        for name in names {
            let (Some(ours), Some(theirs)) = (self.0.get(name), theirs.0.get(name)) else {
                return Err(format!("table {name}: only one has it"));
            };
            same += usize::from(ours.address == theirs.address);
            let more = if EVENTS.contains(&name.as_str()) { more_events } else { &[] };
            let (only_ours, only_theirs) =
                (without(&ours.veiled, &theirs.veiled), without(&theirs.veiled, &ours.veiled));
            let only_ours = without(&only_ours, more);
            if !only_ours.is_empty() || !only_theirs.is_empty() {
                return Err(format!(
                    "rows of {name}:\n+ {}\n- {}",
                    only_ours.join("\n+ "),
                    only_theirs.join("\n- ")
                ));
            }
            if ours.exact == theirs.exact && ours.address != theirs.address {
                return Err(format!("addresses of {name}: its rows are the same"));
            }
        }
        Ok(same)
    }
}

/// The first without each of the second once.
fn without(rows: &[String], gone: &[String]) -> Vec<String> {
    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
    for row in gone {
        *counts.entry(row).or_default() += 1;
    }
    let mut stays = |row: &&String| match counts.get_mut(*row) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    };
    rows.iter().filter(|row| stays(row)).cloned().collect()
}

fn veiled(cell: &Cell) -> String {
    match cell {
        Cell::Datetime(micros) if jiff::Timestamp::from_microsecond(*micros).is_ok_and(is_of_now) => {
            "(now)".into()
        }
        Cell::Text(text) | Cell::Json(text) => format!("{:?}", without_moments(text)),
        other => format!("{other:?}"),
    }
}

/// A text without times of this day, and without ids that carry a time.
fn without_moments(text: &str) -> String {
    static FOUND: OnceLock<[Regex; 2]> = OnceLock::new();
    let [time, id] = FOUND.get_or_init(|| {
        [
            "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?",
            "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}",
        ]
        .map(|pattern| Regex::new(pattern).unwrap())
    });
    let text = time.replace_all(text, |found: &regex::Captures<'_>| {
        let moment = found[0].replace(' ', "T");
        let moment = if found.get(2).is_some() { moment } else { moment + "Z" };
        if moment.parse().is_ok_and(is_of_now) { "(now)".to_owned() } else { found[0].to_owned() }
    });
    id.replace_all(&text, "(id)").into_owned()
}

/// Whether some id is that of an issue and of a wisp.
pub(crate) fn has_an_id_twice(place: &Workspace) -> bool {
    let reader = Native::at(place.database(), None).reader().unwrap();
    let [issues, wisps] = ["issues", "wisps"].map(|table| reader.texts(table, "id", By::All).unwrap());
    let issues: BTreeSet<String> = issues.into_iter().collect();
    wisps.iter().any(|id| issues.contains(id))
}

/// Every stored flag is what the whole graph says; gives all ids, sorted.
pub(crate) fn flags(place: &Workspace) -> Result<Vec<String>, String> {
    let reader = Native::at(place.database(), None).reader().unwrap();
    let graph = load::graph(&reader).unwrap();
    let briefs: BTreeMap<String, load::Brief> = load::briefs(&reader, None).unwrap().into_iter().collect();
    for (id, brief) in &briefs {
        let is_blocked = graph.is_blocked(id);
        if brief.is_blocked != is_blocked {
            return Err(format!("flag: {id}: stored as {}, computed {is_blocked}", brief.is_blocked));
        }
    }
    Ok(briefs.into_keys().collect())
}
