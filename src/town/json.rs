//! JSON objects that other programs own: edited one key at a time, everything else kept as it was, digit for digit.
//!
//! `serde_json::Value` would turn `12345678901234567890` into a float and reorder keys; here each value stays the text
//! that was read.

use std::fmt;
use std::io;
use std::path::Path;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::TownError;

/// A JSON object with its keys in the order of the file and its values as they were written.
#[derive(Debug, Clone, Default)]
pub struct Object(Vec<(String, Box<RawValue>)>);

impl Object {
    /// Reads an object from text.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Reads an object from a file. `Ok(None)`: there is no such file.
    pub fn load(path: &Path) -> Result<Option<Self>, TownError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(TownError::Read { path: path.to_owned(), source }),
        };
        let problem =
            |e: serde_json::Error| TownError::Malformed { path: path.to_owned(), problem: e.to_string() };
        Self::parse(&text).map(Some).map_err(problem)
    }

    /// The keys, in the order of the file.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    /// The text of a value.
    pub fn raw(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, v)| v.get())
    }

    /// A value as a type of ours. `None` if it is absent or of another type.
    pub fn get<'a, T: Deserialize<'a>>(&'a self, key: &str) -> Option<T> {
        serde_json::from_str(self.raw(key)?).ok()
    }

    /// Sets a value; a new key goes to the end. Returns whether anything changed.
    pub fn set(&mut self, key: &str, value: &impl Serialize) -> Result<bool, serde_json::Error> {
        let raw = serde_json::value::to_raw_value(value)?;
        let same = |old: &str| {
            let (a, b): (Option<serde_json::Value>, Option<serde_json::Value>) =
                (serde_json::from_str(old).ok(), serde_json::from_str(raw.get()).ok());
            a.is_some() && a == b
        };
        match self.0.iter_mut().find(|(k, _)| k == key) {
            Some((_, old)) if same(old.get()) => Ok(false),
            Some((_, old)) => {
                *old = raw;
                Ok(true)
            }
            None => {
                self.0.push((key.to_owned(), raw));
                Ok(true)
            }
        }
    }

    /// Removes a key. Returns whether it was there.
    pub fn remove(&mut self, key: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|(k, _)| k != key);
        self.0.len() != before
    }

    /// Sorts the keys, as Go's encoder writes maps.
    pub fn sort_keys(&mut self) {
        self.0.sort_by(|a, b| a.0.cmp(&b.0));
    }

    /// The object as text with two-space indent, no newline at the end.
    pub fn to_pretty(&self) -> String {
        let mut out = String::new();
        reindent(&serde_json::to_string(self).unwrap_or_default(), &mut out);
        out
    }
}

// Indents without parsing values, so that numbers and escapes stay as they are. Input is valid JSON.
fn reindent(compact: &str, out: &mut String) {
    let mut depth = 0usize;
    let mut in_string = false;
    let mut escaped = false;
    let mut chars = compact.chars().filter({
        // White space between tokens is laid anew; white space inside strings is theirs.
        let (mut inside, mut escape) = (false, false);
        move |c| {
            if inside {
                inside = escape || *c != '"';
                escape = !escape && *c == '\\';
                return true;
            }
            inside = *c == '"';
            !c.is_ascii_whitespace()
        }
    });
    let mut next = chars.next();
    while let Some(c) = next {
        next = chars.next();
        if in_string {
            out.push(c);
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            '{' | '[' => {
                out.push(c);
                if !matches!(next, Some('}' | ']')) {
                    depth += 1;
                    newline(out, depth);
                }
            }
            '}' | ']' => {
                if !out.ends_with(['{', '[']) {
                    depth = depth.saturating_sub(1);
                    newline(out, depth);
                }
                out.push(c);
            }
            ',' => {
                out.push(c);
                newline(out, depth);
            }
            ':' => out.push_str(": "),
            '"' => {
                in_string = true;
                out.push(c);
            }
            other => out.push(other),
        }
    }
}

fn newline(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Object;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut entries: Vec<(String, Box<RawValue>)> = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    // A key that stands twice: the last one counts, as in Go.
                    entries.retain(|(k, _)| *k != key);
                    entries.push((key, value));
                }
                Ok(Object(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f43_numbers_beyond_two_to_the_53_survive_an_edit() {
        let mut object = Object::parse(r#"{"id":12345678901234567890,"x":1.10,"s":"a\u00e9 \"{,"}"#).unwrap();
        assert!(object.set("backend", &"dolt").unwrap());
        let text = object.to_pretty();
        assert!(text.contains("12345678901234567890"), "{text}");
        assert!(text.contains("1.10") && text.contains(r#""a\u00e9 \"{,""#), "{text}");
        assert_eq!(Object::parse(&text).unwrap().to_pretty(), text);
    }

    #[test]
    fn setting_the_same_value_changes_nothing() {
        let mut object =
            Object::parse("{\n  \"port\": 3308,\n  \"a\": {\"b\": [1, 2], \"c\": {}}\n}").unwrap();
        assert!(!object.set("port", &3308).unwrap());
        assert!(!object.set("a", &serde_json::json!({"c": {}, "b": [1, 2]})).unwrap());
        assert!(object.set("port", &3309).unwrap());
        let want = "{\n  \"port\": 3309,\n  \"a\": {\n    \"b\": [\n      1,\n      2\n    ],\n    \"c\": {}\n  }\n}";
        assert_eq!(object.to_pretty(), want);
    }
}
