//! `.beads/metadata.json`: which database a workspace has and how it is reached. All keys that bd knows, with their types;
//! keys that nobody knows survive a rewrite.
//!
//! bd refuses a file in which a known key has another type, so we do too: a port that is a text would silently become
//! "no port" otherwise.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::sys::atomic;
use crate::town::TownError;
use crate::town::json::Object;

/// The keys in the order in which bd writes them (`internal/configfile/configfile.go`, `Config`).
const KEYS: [(&str, Type); 17] = [
    ("database", Type::Text),
    ("backend", Type::Text),
    ("deletions_retention_days", Type::Number),
    ("dolt_mode", Type::Text),
    ("dolt_server_host", Type::Text),
    ("dolt_server_port", Type::Number),
    ("dolt_server_socket", Type::Text),
    ("dolt_server_user", Type::Text),
    ("dolt_database", Type::Text),
    ("dolt_server_tls", Type::Switch),
    ("dolt_data_dir", Type::Text),
    ("dolt_remotesapi_port", Type::Number),
    ("project_id", Type::Text),
    ("global_dolt_database", Type::Text),
    ("global_project_id", Type::Text),
    ("stale_closed_issues_days", Type::Number),
    ("last_bd_version", Type::Text),
];

/// The keys that `bd config show` lists, in its order before sorting.
const SHOWN: [&str; 11] = [
    "dolt_mode",
    "dolt_server_host",
    "dolt_server_port",
    "dolt_server_user",
    "dolt_database",
    "dolt_server_tls",
    "dolt_data_dir",
    "dolt_remotesapi_port",
    "project_id",
    "deletions_retention_days",
    "stale_closed_issues_days",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Text,
    Number,
    Switch,
}

/// How the database is reached, as `dolt_mode` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Files of this workspace, opened by whoever runs a command.
    Embedded,
    /// A `dolt sql-server`.
    Server,
    /// bd's unfinished proxy. Nothing here works with it.
    Proxied,
}

impl Mode {
    /// The word in `metadata.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Server => "server",
            Self::Proxied => "proxied-server",
        }
    }

    /// bd takes any other word for `embedded`.
    pub(super) fn of(word: &str) -> Self {
        match word.to_lowercase().as_str() {
            "server" => Self::Server,
            "proxied-server" => Self::Proxied,
            _ => Self::Embedded,
        }
    }
}

/// The content of a `metadata.json`.
#[derive(Debug, Clone, Default)]
pub struct Metadata(Object);

impl Metadata {
    /// Reads the file of a `.beads` directory, or the older `config.json` where there is none. `Ok(None)`: neither.
    pub fn load(beads_dir: &Path) -> Result<Option<Self>, TownError> {
        for name in ["metadata.json", "config.json"] {
            let path = beads_dir.join(name);
            if let Some(object) = Object::load(&path)? {
                let found = Self(object);
                found.check().map_err(|problem| TownError::Malformed { path, problem })?;
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// What `bd init` writes for a new workspace. `server`: host, port and user of a server, as far as given.
    pub fn for_init(mode: Mode, database: &str, project_id: &str) -> Result<Self, TownError> {
        let mut new = Self::default();
        for (key, value) in [
            ("database", "dolt"),
            ("backend", "dolt"),
            ("dolt_mode", mode.as_str()),
            ("dolt_database", database),
            ("project_id", project_id),
        ] {
            new.set(key, &value)?;
        }
        Ok(new)
    }

    fn check(&self) -> Result<(), String> {
        for (key, kind) in KEYS {
            let Some(raw) = self.0.raw(key).filter(|raw| *raw != "null") else { continue };
            let fits = match kind {
                Type::Text => self.0.get::<String>(key).is_some(),
                Type::Number => self.0.get::<i64>(key).is_some(),
                Type::Switch => self.0.get::<bool>(key).is_some(),
            };
            if !fits {
                return Err(format!(
                    "{key} is {raw}, which is not {}",
                    match kind {
                        Type::Text => "a text",
                        Type::Number => "a whole number",
                        Type::Switch => "true or false",
                    }
                ));
            }
        }
        Ok(())
    }

    /// A text that is not empty.
    pub fn text(&self, key: &str) -> Option<String> {
        self.0.get::<String>(key).filter(|value| !value.is_empty())
    }

    /// A number that is not zero.
    pub fn number(&self, key: &str) -> Option<i64> {
        self.0.get::<i64>(key).filter(|value| *value != 0)
    }

    /// A switch; absent is off.
    pub fn switch(&self, key: &str) -> bool {
        self.0.get::<bool>(key).unwrap_or(false)
    }

    /// Any value, also of a key that only its writer knows.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        serde_json::from_str(self.0.raw(key)?).ok()
    }

    /// `dolt_mode`, if it says something.
    pub fn mode(&self) -> Option<Mode> {
        self.text("dolt_mode").map(|word| Mode::of(&word))
    }

    /// `dolt_database`.
    pub fn database(&self) -> Option<String> {
        self.text("dolt_database")
    }

    /// `project_id`.
    pub fn project_id(&self) -> Option<String> {
        self.text("project_id")
    }

    /// `dolt_data_dir`: absolute, or relative to the `.beads` directory.
    pub fn data_dir(&self) -> Option<PathBuf> {
        self.text("dolt_data_dir").map(PathBuf::from)
    }

    /// Sets a key. Returns whether anything changed.
    pub fn set(&mut self, key: &str, value: &impl serde::Serialize) -> Result<bool, TownError> {
        self.0
            .set(key, value)
            .map_err(|e| TownError::Malformed { path: "metadata.json".into(), problem: e.to_string() })
    }

    /// Removes a key. Returns whether it was there.
    pub fn remove(&mut self, key: &str) -> bool {
        self.0.remove(key)
    }

    /// What `bd config show` lists of it: key and value.
    pub fn shown(&self) -> Vec<(&'static str, String)> {
        let value = |key: &'static str| {
            let number = self.number(key).map(|n| n.to_string());
            let switch = self.switch(key).then(|| "true".to_owned());
            Some((key, self.text(key).or(number).or(switch)?))
        };
        SHOWN.into_iter().filter_map(value).collect()
    }

    /// The file as bd writes it: its own keys in its order without empty ones, then the rest; two spaces, no newline at the
    /// end. An absolute `dolt_data_dir` is left out, because the file is shared with other machines.
    pub fn to_text(&self) -> Result<String, TownError> {
        let mut ordered = Object::default();
        let mut put = |key: &str| {
            let Some(raw) = self.0.raw(key) else { return Ok(()) };
            let raw = serde_json::value::RawValue::from_string(escape_as_go(raw))?;
            ordered.set(key, &raw).map(|_| ())
        };
        let known = |key: &str| KEYS.iter().any(|(k, _)| *k == key);
        let is_empty = |key: &str| matches!(self.0.raw(key), None | Some("null" | "\"\"" | "0" | "false"));
        let is_local = |key: &str| key == "dolt_data_dir" && self.data_dir().is_some_and(|d| d.is_absolute());
        let written = KEYS.iter().map(|(k, _)| *k).filter(|k| *k == "database" || !is_empty(k));
        let all = written.filter(|k| !is_local(k)).chain(self.0.keys().filter(|k| !known(k)));
        all.map(&mut put)
            .collect::<Result<Vec<()>, serde_json::Error>>()
            .map_err(|e| TownError::Malformed { path: "metadata.json".into(), problem: e.to_string() })?;
        Ok(ordered.to_pretty())
    }

    /// Writes the file of a `.beads` directory, atomically, for its owner only.
    pub fn save(&self, beads_dir: &Path) -> Result<(), TownError> {
        Ok(atomic::write(&beads_dir.join("metadata.json"), self.to_text()?.as_bytes(), 0o600)?)
    }
}

/// Go's encoder hides what could end a script in a page. Outside of texts none of these stands in JSON.
fn escape_as_go(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for c in raw.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            other => out.push(other),
        }
    }
    out
}

/// The issue prefix that bd makes of what a user typed (`normalizeIssuePrefix`).
pub fn normal_prefix(prefix: &str) -> String {
    let prefix = prefix.trim_start_matches('.').trim_end_matches('-').replace('.', "_");
    if prefix.is_empty() || prefix.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return prefix;
    }
    format!("bd_{prefix}")
}

/// The database name that bd derives from a prefix: no hyphens and no dots, so that it needs no quotes in SQL.
pub fn database_of_prefix(prefix: &str) -> String {
    normal_prefix(prefix).replace('-', "_")
}

/// A new `project_id`: a UUID of version 4.
pub fn new_project_id() -> std::io::Result<String> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    let number = u128::from_be_bytes(bytes);
    let versioned = (number & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{versioned:032x}");
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
    Ok(format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_new_file_has_the_bytes_that_bd_writes() {
        let new =
            Metadata::for_init(Mode::Embedded, "my_app", "3b2a1766-f4ff-4054-9013-c14aa585c16f").unwrap();
        let want = "{\n  \"database\": \"dolt\",\n  \"backend\": \"dolt\",\n  \"dolt_mode\": \"embedded\",\n  \"dolt_database\": \"my_app\",\n  \"project_id\": \"3b2a1766-f4ff-4054-9013-c14aa585c16f\"\n}";
        assert_eq!(new.to_text().unwrap(), want);
    }

    #[test]
    fn f43_unknown_keys_survive_and_empty_ones_of_bd_go() {
        let dir = tempfile::tempdir().unwrap();
        let text = r#"{"zz":12345678901234567890,"dolt_server_port":0,"dolt_mode":"Server","dolt_data_dir":"/x","project_id":"a<b","aa":{"b":1.10}}"#;
        fs::write(dir.path().join("metadata.json"), text).unwrap();
        let read = Metadata::load(dir.path()).unwrap().unwrap();
        assert_eq!(read.mode(), Some(Mode::Server));
        assert_eq!(read.number("dolt_server_port"), None);
        assert_eq!(read.data_dir().unwrap(), Path::new("/x"));
        read.save(dir.path()).unwrap();
        let written = fs::read_to_string(dir.path().join("metadata.json")).unwrap();
        assert_eq!(
            written,
            "{\n  \"dolt_mode\": \"Server\",\n  \"project_id\": \"a\\u003cb\",\n  \"zz\": 12345678901234567890,\n  \"aa\": {\n    \"b\": 1.10\n  }\n}"
        );
    }

    #[test]
    fn a_known_key_of_another_type_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("metadata.json"), r#"{"dolt_server_port":"3307"}"#).unwrap();
        let error = Metadata::load(dir.path()).unwrap_err().to_string();
        assert!(error.contains("dolt_server_port is \"3307\"") && error.contains("metadata.json"), "{error}");
    }

    #[test]
    fn names_are_derived_as_bd_derives_them() {
        for (prefix, normal, database) in [
            ("my-app", "my-app", "my_app"),
            (".x.y-", "x_y", "x_y"),
            ("9a", "bd_9a", "bd_9a"),
            ("gt-", "gt", "gt"),
        ] {
            assert_eq!(
                (normal_prefix(prefix).as_str(), database_of_prefix(prefix).as_str()),
                (normal, database)
            );
        }
        let (a, b) = (new_project_id().unwrap(), new_project_id().unwrap());
        assert_ne!(a, b);
        let shape: Vec<usize> = a.split('-').map(str::len).collect();
        assert_eq!(shape, [8, 4, 4, 4, 12]);
        assert_eq!(a.chars().nth(14), Some('4'));
        assert!(matches!(a.chars().nth(19), Some('8' | '9' | 'a' | 'b')), "{a}");
    }
}
