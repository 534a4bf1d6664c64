//! The free JSON of an issue. Its text is kept as it was given, because the content hash is over that text; the database keeps
//! the value, and gives it back in a spelling of its own.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::go_json;

/// Metadata that bd would refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// The text is no JSON (bd `ValidateWithCustom`).
    #[error("metadata must be valid JSON")]
    NotJson,
    /// A key that cannot stand in a path (bd `storage.ValidateMetadataKey`).
    #[error("invalid metadata key {}: must match [a-zA-Z_][a-zA-Z0-9_.]*", crate::text::quoted(.0))]
    Key(String),
}

/// Whether a key may be asked for: a letter or `_`, then letters, digits, `_` and `.`.
pub fn check_key(key: &str) -> Result<(), MetadataError> {
    let mut chars = key.chars();
    let begins = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if begins && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.')) {
        Ok(())
    } else {
        Err(MetadataError::Key(key.to_owned()))
    }
}

/// Any JSON value, as text. Two are equal if their texts are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata(String);

impl Metadata {
    /// Takes any valid JSON, also `null` and plain values, as bd does.
    pub fn new(text: impl Into<String>) -> Result<Self, MetadataError> {
        let text = text.into();
        serde_json::from_str::<&RawValue>(&text).map_err(|_| MetadataError::NotJson)?;
        Ok(Self(text))
    }

    /// The text as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As the database prints it, or `None` for an empty object, which bd reads as no metadata.
    ///
    /// Dolt's JSON: keys by length, then by bytes, `, ` and `: ` between; all numbers have gone through a 64-bit float
    /// and are written without exponent. Text nested deeper than 128 levels stays as it is.
    #[must_use]
    pub fn as_stored(&self) -> Option<Self> {
        let text = match serde_json::from_str::<Value>(&self.0) {
            Ok(value) => spelled(&value),
            Err(_) => self.0.clone(),
        };
        (text != "{}").then_some(Self(text))
    }

    /// The value under a top-level key, as `JSON_UNQUOTE(JSON_EXTRACT(…))` gives it: strings bare, others as the
    /// database prints them. Dots are part of the key.
    pub fn field(&self, key: &str) -> Option<String> {
        let Ok(Value::Object(object)) = serde_json::from_str::<Value>(&self.0) else { return None };
        Some(match object.get(key)? {
            Value::String(text) => text.clone(),
            other => spelled(other),
        })
    }
}

/// How Dolt prints a JSON value.
fn spelled(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let mut fields: Vec<_> = object.iter().collect();
            fields.sort_by_key(|(key, _)| (key.len(), *key));
            let fields: Vec<_> =
                fields.iter().map(|(key, value)| format!("{}: {}", text(key), spelled(value))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(spelled).collect();
            format!("[{}]", items.join(", "))
        }
        Value::String(string) => text(string),
        Value::Number(number) => {
            let number = number.as_f64().unwrap_or_default();
            // Rust writes floats without exponent, too; minus zero is no number of the database's.
            if number == 0.0 { "0".to_owned() } else { format!("{number}") }
        }
        Value::Bool(_) | Value::Null => value.to_string(),
    }
}

fn text(string: &str) -> String {
    Value::from(string).to_string()
}

/// Go compacts raw JSON and escapes `<`, `>` and `&` in it.
impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw = RawValue::from_string(go_json::compact(&self.0)).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Self(raw.get().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_spells_metadata_its_own_way() {
        let given = r#"{"k":null,"arr":[1,{"bb":1,"a":2}],"big":9007199254740993,"neg":-0.0,"e":1e22,"sm":0.0000001,"f":2.50}"#;
        let stored = Metadata::new(given).unwrap().as_stored().unwrap();
        let expected = "{\"e\": 10000000000000000000000, \"f\": 2.5, \"k\": null, \"sm\": 0.0000001, \
            \"arr\": [1, {\"a\": 2, \"bb\": 1}], \"big\": 9007199254740992, \"neg\": 0}";
        assert_eq!(stored.as_str(), expected);
        assert_eq!(stored.as_stored().unwrap(), stored, "and keeps it");
        assert_eq!(Metadata::new(" {} ").unwrap().as_stored(), None);
        assert_eq!(Metadata::new("null").unwrap().as_stored().unwrap().as_str(), "null");
    }

    #[test]
    fn fields_are_compared_as_the_database_prints_them() {
        let metadata =
            Metadata::new(r#"{"s":"v w","a":[1,{"b":1,"a":2}],"t":true,"x.y":"dots","n":null}"#).unwrap();
        assert_eq!(metadata.field("s").as_deref(), Some("v w"));
        assert_eq!(metadata.field("a").as_deref(), Some(r#"[1, {"a": 2, "b": 1}]"#));
        assert_eq!(metadata.field("x.y").as_deref(), Some("dots"));
        assert_eq!(metadata.field("n").as_deref(), Some("null"));
        assert_eq!(metadata.field("zz"), None);
        assert_eq!(Metadata::new("[1]").unwrap().field("s"), None);
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in ["", "{", "{} {}", "'a'"] {
            assert_eq!(Metadata::new(text), Err(MetadataError::NotJson), "{text}");
        }
        assert_eq!(
            check_key("a-b").unwrap_err().to_string(),
            r#"invalid metadata key "a-b": must match [a-zA-Z_][a-zA-Z0-9_.]*"#
        );
        check_key("_a.b9").unwrap();
    }
}
