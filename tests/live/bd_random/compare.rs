//! What both programs say, made comparable: on one database to the byte, on two without the times of this day and ids of chance.

use serde_json::Value;

/// The answer with moments around now, UUIDs and durations taken out, and lists in one order: rows that came to be in the same
/// second on one side may have come in two on the other.
pub(crate) fn without_chance(text: &str) -> String {
    let mut values = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        match value {
            Ok(value) => values.push(normalized(None, value)),
            // No JSON: it is compared as it stands.
            Err(_) => return text.to_owned(),
        }
    }
    values.iter().map(|value| format!("{value:#}")).collect::<Vec<_>>().join("\n")
}

fn normalized(key: Option<&str>, value: Value) -> Value {
    match value {
        Value::Number(_) if key == Some("average_lead_time_hours") => Value::from(0),
        Value::String(text) if is_of_now(&text) => Value::from("(now)"),
        Value::String(text) if uuid::Uuid::parse_str(&text).is_ok() => Value::from("(uuid)"),
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().map(|item| normalized(None, item)).collect();
            items.sort_by_key(ToString::to_string);
            Value::Array(items)
        }
        Value::Object(fields) => {
            let field = |(name, value): (String, Value)| {
                let value = normalized(Some(&name), value);
                (name, value)
            };
            Value::Object(fields.into_iter().map(field).collect())
        }
        other => other,
    }
}

fn is_of_now(text: &str) -> bool {
    let Ok(moment) = text.parse::<jiff::Timestamp>() else { return false };
    let day = 24 * 60 * 60;
    (gt::sys::clock::now().as_second() - moment.as_second()).abs() < day
}

/// Where two texts part, with some lines around.
pub(crate) fn difference(ours: &str, theirs: &str) -> String {
    let diff = similar::TextDiff::from_lines(theirs, ours);
    diff.unified_diff().context_radius(4).header("bd", "ours").to_string()
}
