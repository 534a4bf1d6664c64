//! The settings of a workspace, merged: flag, `BD_<KEY>`, `config.local.yaml`, the workspace's `config.yaml`, the user's
//! `~/.config/bd/config.yaml` and `~/.beads/config.yaml`, default. Every value knows where it came from.
//!
//! Files are merged key by key as bd's library (viper) merges them: keys in any case, a section over a section is merged, a
//! dotted key beside its section wins. A file that cannot be read as YAML is left out, and the warnings say so.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::keys;
use super::yaml::{self, Value};
use crate::town::env::{self, Env};

/// Where a setting came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigSource {
    /// The command line.
    Flag,
    /// This environment variable.
    Env(String),
    /// This file.
    File(PathBuf),
    /// Nobody said anything.
    Default,
}

/// As `bd config show` names it; which of the files it was, is in the value.
impl fmt::Display for ConfigSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Env(name) => write!(f, "env: {name}"),
            Self::File(_) => f.write_str("config.yaml"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// One line of `bd config show`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The key, in lower case.
    pub key: String,
    /// The value as text; empty for lists.
    pub value: String,
    /// Where it came from, in bd's words.
    pub source: String,
}

/// The merged settings.
#[derive(Debug, Clone, Default)]
pub struct Config {
    tree: Vec<(String, Tree)>,
    files: Vec<PathBuf>,
    users: Vec<(String, Tree)>,
    users_file: Option<PathBuf>,
    env: Env,
    flags: Vec<(String, Value)>,
    /// Files that were left out, and why.
    pub warnings: Vec<String>,
}

#[derive(Debug, Clone)]
enum Tree {
    Section(Vec<(String, Self)>),
    /// A value, and which of the files it is from.
    Leaf(Value, usize),
}

impl Config {
    /// Reads the user's files and those of a `.beads` directory.
    pub fn load(env: &Env, beads_dir: Option<&Path>) -> Self {
        let mut config = Self { env: env.clone(), users_file: users_file(env), ..Self::default() };
        let mut paths = Vec::new();
        if let Some(home) = env.home() {
            paths.push(home.join(".beads/config.yaml"));
            if let Some(xdg) = env.path(env::XDG_CONFIG_HOME) {
                paths.push(xdg.join("bd/config.yaml"));
            }
            paths.push(home.join(".config/bd/config.yaml"));
        }
        if let Some(dir) = beads_dir {
            paths.push(dir.join("config.yaml"));
            // bd reads the local file only beside a config.yaml.
            if dir.join("config.yaml").exists() {
                paths.push(dir.join("config.local.yaml"));
            }
        }
        for path in paths {
            if config.files.contains(&path) {
                continue;
            }
            if let Some(map) = config.read(&path) {
                let file = config.files.len();
                let is_users = config.users_file.as_ref() == Some(&path);
                config.files.push(path);
                if is_users {
                    config.users = sections(map.clone(), file);
                }
                merge(&mut config.tree, sections(map, file));
            }
        }
        config
    }

    fn read(&mut self, path: &Path) -> Option<Vec<(String, Value)>> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return None,
            Err(e) => {
                self.warnings.push(format!("{} cannot be read and is left out: {e}", path.display()));
                return None;
            }
        };
        let problem = match yaml::parse(&text).map(|d| d.root.map(|r| r.value())) {
            Ok(Some(Value::Map(map))) => return Some(map),
            Ok(None | Some(Value::Null)) => return Some(Vec::new()),
            Ok(Some(_)) => "not a list of keys and values".to_owned(),
            Err(problem) => problem,
        };
        self.warnings.push(format!("{} cannot be understood and is left out: {problem}", path.display()));
        None
    }

    /// Sets a value from the command line; it goes before everything else.
    pub fn set_flag(&mut self, key: &str, value: Value) {
        self.flags.retain(|(k, _)| k != key);
        self.flags.push((key.to_lowercase(), value));
    }

    /// The files that were read, the weakest first.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The value in force and its source. `None`: nobody set it and it has no default.
    pub fn get(&self, key: &str) -> Option<(Value, ConfigSource)> {
        let key = key.to_lowercase();
        if let Some((_, value)) = self.flags.iter().find(|(k, _)| *k == key) {
            return Some((value.clone(), ConfigSource::Flag));
        }
        let own = if key == "identity" { "BEADS_IDENTITY".to_owned() } else { String::new() };
        for name in [keys::variable(&key, "BD_"), own] {
            if let Some(text) = self.env.text(&name).filter(|_| !keys::is_the_users_own(&key)) {
                return Some((Value::Text(text), ConfigSource::Env(name)));
            }
        }
        let tree = if keys::is_the_users_own(&key) { &self.users } else { &self.tree };
        let path: Vec<&str> = key.split('.').collect();
        if let Some((value, file)) = search(tree, &path) {
            let path = self.files.get(file).cloned().unwrap_or_default();
            return Some((value, ConfigSource::File(path)));
        }
        keys::default(&key).map(|value| (value, ConfigSource::Default))
    }

    /// The value as text, empty if there is none. Lists and sections have no text.
    pub fn text(&self, key: &str) -> String {
        self.get(key).map(|(value, _)| value.to_text()).unwrap_or_default()
    }

    /// The value as text with its source, if it says something.
    pub fn said(&self, key: &str) -> Option<(String, ConfigSource)> {
        let (value, source) = self.get(key)?;
        Some((value.to_text(), source)).filter(|(text, _)| !text.is_empty())
    }

    /// The value as a switch. Words that Go does not take for a bool (`on`, `yes`) are off.
    pub fn bool(&self, key: &str) -> bool {
        match self.get(key) {
            Some((Value::Bool(b), _)) => b,
            Some((Value::Int(n), _)) => n != 0,
            Some((Value::Float(n), _)) => n != 0.0,
            Some((Value::Text(text), _)) => {
                matches!(text.as_str(), "1" | "t" | "T" | "TRUE" | "true" | "True")
            }
            _ => false,
        }
    }

    /// The value as a whole number, 0 if it is none.
    pub fn int(&self, key: &str) -> i64 {
        match self.get(key) {
            Some((Value::Int(n), _)) => n,
            Some((Value::Bool(b), _)) => i64::from(b),
            Some((Value::Text(text), _)) => text.trim().parse().unwrap_or(0),
            #[expect(clippy::cast_possible_truncation, reason = "as Go converts it; out of range is clamped")]
            Some((Value::Float(n), _)) => n.trunc() as i64,
            _ => 0,
        }
    }

    /// The value as a length of time: `1h30m`, `15m`, `60s`, or nanoseconds. Zero if it is none.
    pub fn duration(&self, key: &str) -> Duration {
        let Some((value, _)) = self.get(key) else { return Duration::ZERO };
        go_duration(&value.to_text()).unwrap_or(Duration::ZERO)
    }

    /// The value as a list of words: a list, or the words of a text between white space or commas.
    pub fn list(&self, key: &str) -> Vec<String> {
        let words = match self.get(key) {
            Some((Value::List(items), _)) => items.iter().map(Value::to_text).collect(),
            Some((Value::Map(_) | Value::Null, _)) | None => Vec::new(),
            Some((value, _)) => value.to_text().split_whitespace().map(str::to_owned).collect::<Vec<_>>(),
        };
        let parts = words.iter().flat_map(|w| w.split(',')).map(str::trim);
        parts.filter(|w| !w.is_empty()).map(str::to_owned).collect()
    }

    /// The value as a section of words, for example `external_projects`.
    pub fn map(&self, key: &str) -> Vec<(String, String)> {
        match self.get(key) {
            Some((Value::Map(map), _)) => map.into_iter().map(|(k, v)| (k, v.to_text())).collect(),
            _ => Vec::new(),
        }
    }

    /// Every key that has a default or stands in a file, in lower case and in order.
    pub fn keys(&self) -> Vec<String> {
        let mut all: Vec<String> = keys::with_default().map(str::to_owned).collect();
        flatten(&self.tree, "", &mut all);
        flatten(&self.users, "", &mut all);
        all.sort();
        all.dedup();
        all
    }

    /// What `bd config show` lists of the settings, in order: all but defaults that are empty.
    pub fn shown(&self) -> Vec<Shown> {
        let show = |key: String| {
            let (value, source) = self.get(&key)?;
            let value = value.to_text();
            if keys::is_the_users_own(&key) {
                let file = self.users_file.as_ref().map(|f| f.display().to_string()).unwrap_or_default();
                let is_said = matches!(source, ConfigSource::File(_)) && !value.is_empty();
                return is_said.then_some(Shown { key, value, source: file });
            }
            // bd names a variable of its older family too, though it takes no value from it.
            let older = keys::variable(&key, "BEADS_");
            let source = match source {
                ConfigSource::File(_) | ConfigSource::Default if self.env.text(&older).is_some() => {
                    ConfigSource::Env(older)
                }
                other => other,
            };
            let is_noise = source == ConfigSource::Default && value.is_empty();
            (!is_noise).then(|| Shown { key, value, source: source.to_string() })
        };
        self.keys().into_iter().filter_map(show).collect()
    }

    /// The user's own file, where `metrics.*` and nothing else is set: `~/.config/bd/config.yaml`, unless only
    /// `$XDG_CONFIG_HOME/bd/config.yaml` is there.
    pub fn users_file(&self) -> Option<&Path> {
        self.users_file.as_deref()
    }
}

fn users_file(env: &Env) -> Option<PathBuf> {
    let usual = env.home()?.join(".config/bd/config.yaml");
    let other = env.path(env::XDG_CONFIG_HOME).map(|xdg| xdg.join("bd/config.yaml"));
    Some(other.filter(|o| !usual.exists() && o.exists()).unwrap_or(usual))
}

fn sections(map: Vec<(String, Value)>, file: usize) -> Vec<(String, Tree)> {
    let tree = |value| match value {
        Value::Map(inner) => Tree::Section(sections(inner, file)),
        other => Tree::Leaf(other, file),
    };
    map.into_iter().map(|(key, value)| (key.to_lowercase(), tree(value))).collect()
}

/// As viper's `mergeMaps`: a word never replaces a section.
fn merge(into: &mut Vec<(String, Tree)>, from: Vec<(String, Tree)>) {
    for (key, new) in from {
        match into.iter_mut().find(|(k, _)| *k == key) {
            None => into.push((key, new)),
            Some((_, Tree::Section(old))) => {
                if let Tree::Section(new) = new {
                    merge(old, new);
                }
            }
            Some((_, old)) => *old = new,
        }
    }
}

/// As viper's search: the longest part of the key that stands there as one word goes first.
fn search(tree: &[(String, Tree)], path: &[&str]) -> Option<(Value, usize)> {
    (1..=path.len()).rev().find_map(|length| {
        let (head, rest) = path.split_at(length);
        let (_, found) = tree.iter().find(|(k, _)| *k == head.join("."))?;
        match found {
            Tree::Leaf(Value::Null, _) => None,
            Tree::Leaf(value, file) => rest.is_empty().then(|| (value.clone(), *file)),
            Tree::Section(inner) if !rest.is_empty() => search(inner, rest),
            Tree::Section(inner) => Some((as_value(inner), first_file(inner))),
        }
    })
}

fn as_value(tree: &[(String, Tree)]) -> Value {
    let value = |tree: &Tree| match tree {
        Tree::Leaf(value, _) => value.clone(),
        Tree::Section(inner) => as_value(inner),
    };
    Value::Map(tree.iter().map(|(key, tree)| (key.clone(), value(tree))).collect())
}

fn first_file(tree: &[(String, Tree)]) -> usize {
    let file = |tree: &Tree| match tree {
        Tree::Leaf(_, file) => *file,
        Tree::Section(inner) => first_file(inner),
    };
    tree.iter().map(|(_, tree)| file(tree)).max().unwrap_or(0)
}

fn flatten(tree: &[(String, Tree)], prefix: &str, out: &mut Vec<String>) {
    for (key, value) in tree {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Tree::Leaf(..) => out.push(path),
            Tree::Section(inner) => flatten(inner, &path, out),
        }
    }
}

/// Go's `time.ParseDuration`, and plain nanoseconds. None for what is no time or before now.
pub fn go_duration(text: &str) -> Option<Duration> {
    if let Ok(nanoseconds) = text.parse::<u64>() {
        return Some(Duration::from_nanos(nanoseconds));
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').filter(|n| *n > 0)?;
        let (number, after) = rest.split_at(digits);
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let scale = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" | "μs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * scale;
        rest = after;
    }
    (!text.is_empty()).then_some(seconds).and_then(|s| Duration::try_from_secs_f64(s).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Case {
        dir: tempfile::TempDir,
        env: Env,
    }

    impl Case {
        fn new(files: &[(&str, &str)], env: &[(&'static str, &str)]) -> Self {
            let dir = tempfile::tempdir().unwrap();
            for (name, text) in files {
                let path = dir.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            let home = dir.path().join("home");
            let mut all: Vec<(&'static str, &str)> = env.to_vec();
            all.push((env::HOME, home.to_str().unwrap()));
            let env = Env::of(&all);
            Self { dir, env }
        }

        fn config(&self) -> Config {
            Config::load(&self.env, Some(&self.dir.path().join("w/.beads")))
        }
    }

    #[test]
    fn each_source_goes_before_the_next_and_is_named() {
        let files = [
            ("home/.beads/config.yaml", "k: old\na: old\n"),
            ("home/.config/bd/config.yaml", "k: user\nb: {c: user, d: user}\n"),
            ("w/.beads/config.yaml", "k: project\nB:\n  C: project\n"),
            ("w/.beads/config.local.yaml", "k: local\n"),
        ];
        let case = Case::new(&files, &[("BD_K", "env")]);
        let mut config = case.config();
        assert_eq!(config.files().len(), 4);
        assert_eq!(config.get("k").unwrap(), (Value::Text("env".into()), ConfigSource::Env("BD_K".into())));
        assert_eq!(config.text("a"), "old");
        assert_eq!((config.text("b.c"), config.text("b.d")), ("project".into(), "user".into()));
        let project = case.dir.path().join("w/.beads/config.yaml");
        assert_eq!(config.get("b.c").unwrap().1, ConfigSource::File(project));
        config.set_flag("k", Value::Text("flag".into()));
        assert_eq!(config.get("k").unwrap().1, ConfigSource::Flag);
        let without = Config::load(&Env::default().or([("HOME".into(), "/nowhere".into())]), None);
        assert_eq!(without.get("backup.interval").unwrap().1, ConfigSource::Default);
        assert_eq!(Case::new(&files, &[]).config().text("k"), "local");
    }

    #[test]
    fn values_are_read_in_the_type_that_is_asked_for() {
        let text = "no-db: true\nexport: {auto: 'true', interval: 1h30m}\nhierarchy:\n  max-depth: 5\nlist: [a, b]\nwords: a, b\nexternal_projects:\n  x: ../x\nn: 010\non: on\n";
        let config = Case::new(&[("w/.beads/config.yaml", text)], &[("BD_BACKUP_INTERVAL", "90s")]).config();
        assert!(config.bool("no-db") && config.bool("export.auto") && !config.bool("on"));
        assert_eq!(config.int("hierarchy.max-depth"), 5);
        assert_eq!(config.duration("export.interval"), Duration::from_mins(90));
        assert_eq!(config.duration("backup.interval"), Duration::from_secs(90));
        assert_eq!(config.list("list"), ["a", "b"]);
        assert_eq!(config.list("words"), ["a", "b"]);
        assert_eq!(config.list("federation.exclude_types"), ["wisp"]);
        assert_eq!(config.map("external_projects"), [("x".to_owned(), "../x".to_owned())]);
        assert_eq!((config.text("n"), config.text("output.title-length")), ("8".into(), "255".into()));
    }

    #[test]
    fn a_dotted_key_beside_its_section_wins_and_a_word_never_replaces_a_section() {
        let files = [
            ("home/.config/bd/config.yaml", "dolt: {mode: embedded}\ndolt.mode: server\n"),
            ("w/.beads/config.yaml", "dolt:\n  mode: embedded\nai: x\n"),
            ("w/.beads/config.local.yaml", "dolt: nothing\n"),
        ];
        let config = Case::new(&files, &[]).config();
        assert_eq!(config.text("dolt.mode"), "server");
    }

    #[test]
    fn metrics_are_heard_from_the_user_alone() {
        let files = [
            ("home/.config/bd/config.yaml", "metrics: {disabled: true}\n"),
            ("w/.beads/config.yaml", "metrics: {disabled: false, endpoint: evil}\n"),
        ];
        let config = Case::new(&files, &[("BD_METRICS_DISABLED", "false")]).config();
        assert!(config.bool("metrics.disabled"));
        assert_eq!(config.text("metrics.endpoint"), "");
        let shown: Vec<Shown> =
            config.shown().into_iter().filter(|s| s.key.starts_with("metrics.")).collect();
        assert_eq!(shown.len(), 1);
        assert!(shown[0].source.ends_with("home/.config/bd/config.yaml"), "{shown:?}");
    }

    #[test]
    fn a_broken_file_is_left_out_with_a_warning() {
        let files = [("home/.config/bd/config.yaml", "a: 1\n"), ("w/.beads/config.yaml", "a: [2\n")];
        let config = Case::new(&files, &[]).config();
        assert_eq!(config.int("a"), 1);
        assert!(
            config.warnings[0].contains("w/.beads/config.yaml cannot be understood"),
            "{:?}",
            config.warnings
        );
    }
}
