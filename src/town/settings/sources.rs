//! The places that settings are read from, and the list of everything that was seen on the way.

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;

use serde::Deserialize;

use super::SettingError;
use crate::sys::net::Port;
use crate::town::Town;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An environment variable.
    Env(&'static str),
    /// `env.GT_DOLT_PORT` in `mayor/daemon.json`.
    DaemonJson,
    /// `daemon/daemon.env`.
    DaemonEnv,
    /// `listener.port` in `.dolt-data/config.yaml`, written there by a person.
    ConfigYaml,
    /// The same, written there by the last start.
    LastStart,
    /// The layout of a town.
    Town,
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Env(name) => return write!(f, "environment variable {name}"),
            Self::DaemonJson => "mayor/daemon.json (env.GT_DOLT_PORT)",
            Self::DaemonEnv => "daemon/daemon.env",
            Self::ConfigYaml => ".dolt-data/config.yaml (listener.port)",
            Self::LastStart => ".dolt-data/config.yaml (kept from the last start)",
            Self::Town => "layout of a town",
            Self::Default => "default",
        })
    }
}

/// One value that was seen, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Which setting.
    pub setting: &'static str,
    /// The text that was found.
    pub value: String,
    /// Where.
    pub source: String,
    /// `used`, or why not.
    pub verdict: String,
}

#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) candidates: Vec<Candidate>,
    pub(super) warnings: Vec<String>,
}

impl Seen {
    pub(super) fn note(&mut self, setting: &'static str, value: &str, source: &Source, verdict: &str) {
        let (value, source, verdict) = (value.to_owned(), source.to_string(), verdict.to_owned());
        self.candidates.push(Candidate { setting, value, source, verdict });
    }

    pub(super) fn used(&mut self, setting: &'static str, value: &str, source: &Source) {
        self.note(setting, value, source, "used");
    }

    pub(super) fn invalid(
        &mut self,
        name: &'static str,
        value: String,
        source: &Source,
        problem: String,
    ) -> SettingError {
        self.note(name, &value, source, &format!("invalid: {problem}"));
        SettingError::Invalid { name, value, source_name: source.to_string(), problem }
    }
}

/// The first line of a `config.yaml` that a start wrote, ours or the Go tool's.
pub const GENERATED_HEADER: &str = "# Dolt SQL server configuration — managed by Gas Town";
/// Our own line in it, followed by the port that was written: a port that differs from it was edited by a person.
pub const PORT_NOTE: &str = "# gt: port ";

/// What `config.yaml` says, as far as we care.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigYaml {
    /// `listener.port`, not yet checked.
    pub port: Option<String>,
    /// `data_dir`.
    pub data_dir: Option<String>,
    /// Whether the port is the one that a start wrote.
    pub is_generated: bool,
}

/// Reads a server configuration. `Ok(None)`: there is no such file.
pub fn read_config_yaml(path: &std::path::Path) -> Result<Option<ConfigYaml>, String> {
    #[derive(Deserialize, Default)]
    struct File {
        #[serde(default)]
        listener: Option<Listener>,
        #[serde(default)]
        data_dir: Option<String>,
    }
    #[derive(Deserialize, Default)]
    struct Listener {
        #[serde(default)]
        port: Option<serde_json::Value>,
    }
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e.to_string()),
    };
    let only_comments = text.lines().all(|l| l.trim().is_empty() || l.trim_start().starts_with('#'));
    let file: File = if only_comments {
        File::default()
    } else {
        serde_saphyr::from_str(&text).map_err(|e| first_line(&e.to_string()))?
    };
    let port = file.listener.and_then(|l| l.port).map(|v| as_text(&v));
    let noted = text.lines().find_map(|l| l.strip_prefix(PORT_NOTE));
    let noted = noted.and_then(|n| n.split_whitespace().next()).map(str::to_owned);
    let is_generated = text.starts_with(GENERATED_HEADER) && (noted.is_none() || noted == port);
    Ok(Some(ConfigYaml { port, data_dir: file.data_dir, is_generated }))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

fn as_text(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `env.GT_DOLT_PORT` of `mayor/daemon.json`. `Ok(None)`: no such file or no such key.
pub(super) fn daemon_json_port(town: &Town) -> Result<Option<String>, (PathBuf, String)> {
    let path = town.daemon_json();
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err((path, e.to_string())),
    };
    let json: serde_json::Value = serde_json::from_str(&text).map_err(|e| (path, e.to_string()))?;
    let value = json.get("env").and_then(|e| e.get(crate::town::env::GT_DOLT_PORT));
    Ok(value.filter(|v| !v.is_null()).map(as_text).filter(|t| !t.is_empty()))
}

/// A `KEY=value` line of `daemon/daemon.env`.
pub(super) fn daemon_env_value(town: &Town, key: &str) -> Option<String> {
    let text = fs::read_to_string(town.daemon_env()).ok()?;
    let value = |line: &str| {
        let (name, value) = line.trim().split_once('=')?;
        let name = name.trim().trim_start_matches("export ").trim();
        (name == key).then(|| value.trim().trim_matches(['"', '\'']).to_owned())
    };
    text.lines().filter(|l| !l.trim_start().starts_with('#')).find_map(value).filter(|v| !v.is_empty())
}

/// A port, or why the text is none.
pub(in crate::town) fn parse_port(text: &str) -> Result<Port, String> {
    let number: i128 = text.trim().parse().map_err(|_| "not a whole number".to_owned())?;
    let small = u16::try_from(number).ok().and_then(Port::new);
    small.ok_or_else(|| "a port is 1 to 65535".to_owned())
}
