//! Objects that a command puts together for `--json`, key by key.
//!
//! Plain `--json` sorts keys, an envelope (`BD_JSON_ENVELOPE`) does not: there they come in the order of bd's types. What could go
//! wrong is that a map in between sorts them; so a value is spelled when it is put here, and stays as it is.

use beads::go_json;
use serde::ser::{Error, SerializeMap};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// An object whose keys stay in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(&'static str, Result<Box<RawValue>, String>)>);

impl Fields {
    /// The same with this behind it.
    pub(super) fn with(mut self, key: &'static str, value: impl Serialize) -> Self {
        let spelled = go_json::line(&value).and_then(RawValue::from_string);
        self.0.push((key, spelled.map_err(|error| error.to_string())));
        self
    }

    /// The same with this behind it, if it is there (Go's `omitempty`).
    pub(super) fn maybe(self, key: &'static str, value: Option<impl Serialize>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            let value = value.as_ref().map_err(S::Error::custom)?;
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_in_their_order_at_every_level_and_what_is_not_there_is_left_out() {
        let inner = Fields::default().with("z", "<").with("a", [1.5]);
        let fields = Fields::default().with("y", inner).maybe("none", None::<u8>).maybe("b", Some(()));
        let told = "{\n  \"y\": {\n    \"z\": \"\\u003c\",\n    \"a\": [\n      1.5\n    ]\n  },\n  \"b\": null\n}\n";
        assert_eq!(go_json::pretty(&fields).unwrap(), told);
        let sorted = go_json::object(&fields).unwrap();
        assert!(sorted.find("\"a\"") < sorted.find("\"z\"") && sorted.contains("\\u003c"), "{sorted}");
    }
}
