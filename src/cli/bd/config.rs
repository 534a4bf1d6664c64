//! `bd config`: settings. Some live in `config.yaml`, one in git's configuration, all others in the database (bd 1.1.0
//! `cmd/bd/config.go`). The lists of own types and states are kept twice, as bd keeps them: as the text and as rows.

use beads::issue::{names_of_list, parse_custom_statuses};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Refusal, print_list, print_object};
use super::context::{Bd, Calling};
use crate::cli::out;
use crate::store::load;
use crate::store::reader::{By, of_text};
use crate::store::{Changes, Outcome, StoreError, Tx};
use crate::town::workspace::{
    ConfigSource, GitEditError, Metadata, Workspace, is_secret, is_the_users_own, lives_in_yaml, objection,
    secret_variable,
};

/// Settings: get, set, list, unset, show
#[derive(Debug, Subcommand)]
pub(super) enum Config {
    Set(Set),
    SetMany(SetMany),
    Get(Key),
    /// Those in the database
    List,
    Unset(Key),
    Show(Show),
    #[command(external_subcommand)]
    Other(Vec<String>),
}

/// Set one
#[derive(Debug, Args)]
pub(super) struct Set {
    key: String,
    value: String,
    /// Although the file is in git and this is a secret
    #[arg(long)]
    force_git_tracked: bool,
}

/// Set several, in one commit
#[derive(Debug, Args)]
pub(super) struct SetMany {
    #[arg(required = true, value_name = "KEY=VALUE")]
    pairs: Vec<String>,
    /// Although the file is in git and one is a secret
    #[arg(long)]
    force_git_tracked: bool,
}

/// One setting
#[derive(Debug, Args)]
pub(super) struct Key {
    key: String,
}

/// All that is in force, and where it comes from
#[derive(Debug, Args)]
pub(super) struct Show {
    /// Those from here: config.yaml, env, default, metadata, database, git
    #[arg(long)]
    source: Option<String>,
}

const ROLE: &str = "beads.role";
const ROLES: [&str; 2] = ["maintainer", "contributor"];

impl Config {
    pub(super) fn run(self, calling: Calling) -> Answer {
        match self {
            Self::Set(Set { key, value, force_git_tracked }) => set(calling, &key, &value, force_git_tracked),
            Self::SetMany(many) => many.run(calling),
            Self::Get(Key { key }) => get(calling, &key),
            Self::List => list(&calling.bd()?),
            Self::Unset(Key { key }) => unset(calling, &key),
            Self::Show(show) => show.run(calling),
            Self::Other(words) => {
                let word = words.first().map_or("", String::as_str);
                if matches!(word, "apply" | "drift" | "validate") {
                    return Err(super::later::not_here(&format!("bd config {word}")));
                }
                Err(Refusal::plain(format!("unknown command {word:?} for \"bd config\"")))
            }
        }
    }
}

// Where a setting lives, as `--json` tells it; the database is not named.
fn location(workspace: &Workspace, key: &str) -> Option<String> {
    if key == ROLE {
        return Some("git config".to_owned());
    }
    if is_the_users_own(key) {
        return workspace.config().users_file().map(|file| file.display().to_string());
    }
    lives_in_yaml(key).then(|| "config.yaml".to_owned())
}

fn set(calling: Calling, key: &str, value: &str, is_forced: bool) -> Answer {
    if matches!(key, "issue_prefix" | "issue-prefix") {
        return Err(Refusal::plain(
            "issue_prefix cannot be set via 'bd config set'.\n  - New project:       bd init --prefix <prefix>\n  - Fresh clone:       bd bootstrap\n  - Rename existing:   bd rename-prefix <new-prefix>",
        ));
    }
    warn_of_unknown(key);
    let json = calling.global.json;
    let workspace = calling.untold_workspace()?;
    check(&workspace, key, value, is_forced)?;
    let place = location(&workspace, key);
    if place.is_some() {
        set_outside(&calling, &workspace, key, value)?;
    } else {
        let bd = calling.bd()?;
        write(&bd, "set", &[(key, Some(value))])?;
    }
    if json {
        let mut told = json!({ "key": key, "value": value });
        if let (Some(place), Some(fields)) = (place, told.as_object_mut()) {
            fields.insert("location".to_owned(), json!(place));
        }
        return print_object(&told);
    }
    out::line(match place {
        Some(place) => format!("Set {key} = {value} (in {place})"),
        None => format!("Set {key} = {value}"),
    });
    Ok(())
}

fn check(workspace: &Workspace, key: &str, value: &str, is_forced: bool) -> Answer {
    if key == ROLE && !ROLES.contains(&value) {
        return Err(Refusal::plain(format!(
            "invalid role {value:?} (valid values: maintainer, contributor)"
        )));
    }
    if let Some(problem) = objection(key, value) {
        return Err(Refusal::plain(format!("setting config: {problem}")));
    }
    if key == "status.custom"
        && let Err(problem) = parse_custom_statuses(value)
    {
        return Err(Refusal::plain(format!("invalid status.custom value: {problem}")));
    }
    let is_shared = lives_in_yaml(key) && is_secret(key) && !is_the_users_own(key);
    if is_shared && !is_forced && is_tracked(workspace) {
        let file = workspace.dir().join("config.yaml");
        return Err(Refusal::plain(format!(
            "refusing to write secret key {key:?} to git-tracked config file {}\n\nIt would stand in git's history. Set a variable instead:\n  export {}=\"...\"\n\nTo do it all the same:\n  bd config set --force-git-tracked {key} \"value\"",
            file.display(),
            secret_variable(key)
        )));
    }
    Ok(())
}

// Whether git keeps `config.yaml`: its index names it. Read from the file, because this must not need the program.
fn is_tracked(workspace: &Workspace) -> bool {
    let Some(repo) = workspace.repo() else { return false };
    let Some(top) = &repo.top else { return false };
    let file = workspace.dir().join("config.yaml");
    let Ok(named) = file.strip_prefix(top) else { return false };
    let index = std::fs::read(repo.git_dir.join("index")).unwrap_or_default();
    let wanted = named.as_os_str().as_encoded_bytes();
    // An entry of the index ends with the path and a zero byte. A newer form shares beginnings; then it is not found, and a
    // path that is found is there.
    index.windows(wanted.len() + 1).any(|window| window.split_last() == Some((&0, wanted)))
}

fn set_outside(calling: &Calling, workspace: &Workspace, key: &str, value: &str) -> Answer {
    if calling.global.readonly {
        return Err(Refusal::plain("operation 'config set' is not allowed in read-only mode"));
    }
    if key == ROLE {
        let repo = workspace
            .repo()
            .ok_or_else(|| Refusal::plain("setting beads.role in git config: not in a git repository"))?;
        let done = repo.set_config(ROLE, value);
        return done.map_err(|error| Refusal::plain(format!("setting beads.role in git config: {error}")));
    }
    let done = workspace.set_in_config(key, value);
    done.map(drop).map_err(|error| Refusal::plain(format!("setting config: {error}")))
}

/// Sets and removes rows of `config`, with the rows that go along.
fn write(bd: &Bd, verb: &str, pairs: &[(&str, Option<&str>)]) -> Answer {
    bd.write(verb, |tx| {
        let known = load::all_keyed(tx.reader(), "config")?;
        let mut changes = Changes::new();
        for (key, value) in pairs {
            let is_there = known.iter().any(|(k, _)| k == key);
            match value {
                Some(value) => {
                    changes.put("config", vec![("key", of_text(*key)), ("value", of_text(*value))]);
                }
                None if is_there => changes.delete("config", vec![("key", of_text(*key))]),
                None => {}
            }
            // bd changes the rows only when the text is set.
            if let Some(value) = value {
                mirror(tx, &mut changes, key, value)?;
            }
        }
        let is_same = changes.is_empty();
        tx.apply(changes)?;
        let words = || bd.auto_commit(verb, &[]);
        let message = if is_same { None } else { bd.message(words, words) };
        Ok(Outcome { message, result: () })
    })
}

fn mirror(tx: &mut dyn Tx, changes: &mut Changes, key: &str, value: &str) -> Result<(), StoreError> {
    let table = match key {
        "types.custom" => "custom_types",
        "status.custom" => "custom_statuses",
        _ => return Ok(()),
    };
    let rows: Vec<(String, Option<&str>)> = if key == "types.custom" {
        names_of_list(value).into_iter().map(|name| (name, None)).collect()
    } else {
        let parsed = parse_custom_statuses(value);
        let parsed =
            parsed.map_err(|error| StoreError::Refused(format!("invalid status.custom value: {error}")))?;
        parsed.into_iter().map(|status| (status.name, Some(status.category.as_str()))).collect()
    };
    let known = tx.reader().texts(table, "name", By::All)?;
    for name in known.iter().filter(|name| !rows.iter().any(|(kept, _)| kept == *name)) {
        changes.delete(table, vec![("name", of_text(name))]);
    }
    for (name, category) in rows {
        let mut values = vec![("name", of_text(name))];
        values.extend(category.map(|category| ("category", of_text(category))));
        changes.put(table, values);
    }
    Ok(())
}

impl SetMany {
    fn run(self, calling: Calling) -> Answer {
        let workspace = calling.untold_workspace()?;
        let mut pairs = Vec::new();
        for pair in &self.pairs {
            let Some((key, value)) = pair.split_once('=').filter(|(key, _)| !key.is_empty()) else {
                return Err(Refusal::plain(format!("invalid argument {pair:?} (expected key=value format)")));
            };
            check(&workspace, key, value, self.force_git_tracked)?;
            pairs.push((key, value));
        }
        let (outside, inside): (Vec<_>, Vec<_>) =
            pairs.iter().copied().partition(|(key, _)| location(&workspace, key).is_some());
        for (key, value) in outside {
            set_outside(&calling, &workspace, key, value)?;
        }
        let json = calling.global.json;
        if !inside.is_empty() {
            let inside: Vec<(&str, Option<&str>)> = inside.into_iter().map(|(k, v)| (k, Some(v))).collect();
            write(&calling.bd()?, "set-many", &inside)?;
        }
        let told = pairs.iter().map(|(key, value)| (key, value, location(&workspace, key)));
        if json {
            let told: Vec<Value> = told
                .map(|(key, value, place)| {
                    let place = place.unwrap_or_else(|| "database".to_owned());
                    json!({ "key": key, "location": place, "value": value })
                })
                .collect();
            return print_list(&told);
        }
        for (key, value, place) in told {
            let place = place.map_or_else(String::new, |place| format!(" (in {place})"));
            out::line(format!("Set {key} = {value}{place}"));
        }
        Ok(())
    }
}

fn get(calling: Calling, key: &str) -> Answer {
    let workspace = calling.untold_workspace()?;
    let json = calling.global.json;
    let place = location(&workspace, key);
    let value = if key == ROLE {
        workspace.git_config().get(ROLE).unwrap_or_default().trim().to_owned()
    } else if place.is_some() {
        workspace.config().text(key)
    } else {
        load::config(&*calling.bd()?.reader()?, key)?.unwrap_or_default()
    };
    if json {
        let mut told = json!({ "key": key, "value": value });
        if let (Some(place), Some(fields)) = (place, told.as_object_mut()) {
            fields.insert("location".to_owned(), json!(place));
        }
        return print_object(&told);
    }
    out::line(match (value.is_empty(), place) {
        (false, _) => value,
        (true, Some(place)) => format!("{key} (not set in {place})"),
        (true, None) => format!("{key} (not set)"),
    });
    Ok(())
}

fn unset(calling: Calling, key: &str) -> Answer {
    let workspace = calling.untold_workspace()?;
    let json = calling.global.json;
    let place = location(&workspace, key);
    let refuse = |error: &dyn std::fmt::Display| Refusal::plain(format!("unsetting config: {error}"));
    if place.is_some() && calling.global.readonly {
        return Err(Refusal::plain("operation 'config unset' is not allowed in read-only mode"));
    }
    if key == ROLE {
        let repo = workspace
            .repo()
            .ok_or_else(|| Refusal::plain("unsetting beads.role in git config: not in a git repository"))?;
        repo.unset_config(ROLE).map_err(|error: GitEditError| {
            Refusal::plain(format!("unsetting beads.role in git config: {error}"))
        })?;
    } else if place.is_some() {
        workspace.unset_in_config(key).map_err(|error| refuse(&error))?;
    } else {
        write(&calling.bd()?, "unset", &[(key, None)])?;
    }
    if json {
        let mut told = json!({ "key": key });
        if let (Some(place), Some(fields)) = (place, told.as_object_mut()) {
            fields.insert("location".to_owned(), json!(place));
        }
        return print_object(&told);
    }
    out::line(match place {
        Some(place) => format!("Unset {key} (in {place})"),
        None => format!("Unset {key}"),
    });
    Ok(())
}

fn list(bd: &Bd) -> Answer {
    let mut pairs = load::all_keyed(&*bd.reader()?, "config")?;
    pairs.sort();
    if bd.json() {
        let told: Map<String, Value> = pairs.into_iter().map(|(key, value)| (key, json!(value))).collect();
        return print_object(&told);
    }
    if pairs.is_empty() {
        out::line("No configuration set");
        return Ok(());
    }
    out::line("\nConfiguration:");
    for (key, value) in &pairs {
        out::line(format!("  {key} = {value}"));
    }
    let config = bd.workspace.config();
    let is_above = |key: &String| lives_in_yaml(key) && !pairs.iter().any(|(known, _)| known == key);
    let set = |key: String| match config.get(&key) {
        Some((value, ConfigSource::File(_))) => {
            Some((key, value.to_text())).filter(|(_, text)| !text.is_empty())
        }
        _ => None,
    };
    let also: Vec<_> = config.keys().into_iter().filter(is_above).filter_map(set).collect();
    if !also.is_empty() {
        out::line("\nAlso set in config.yaml (not shown above):");
        for (key, value) in also {
            out::line(format!("  {key} = {value}"));
        }
    }
    out::line("\nTip: Run 'bd config show' for all effective config with provenance.");
    Ok(())
}

#[derive(Debug, Serialize)]
struct Entry {
    key: String,
    value: String,
    source: String,
}

impl Show {
    fn run(self, calling: Calling) -> Answer {
        let workspace = calling.untold_workspace()?;
        let json = calling.global.json;
        let entry = |key: &str, value: String, source: &str| Entry {
            key: key.to_owned(),
            value,
            source: source.to_owned(),
        };
        let shown = workspace.config().shown();
        let mut all: Vec<Entry> =
            shown.into_iter().map(|s| Entry { key: s.key, value: s.value, source: s.source }).collect();
        let metadata = workspace.metadata().map(Metadata::shown).unwrap_or_default();
        all.extend(metadata.into_iter().map(|(key, value)| entry(key, value, "metadata")));
        if let Some(role) = workspace.git_config().get(ROLE).map(str::trim).filter(|role| !role.is_empty()) {
            all.push(entry(ROLE, role.to_owned(), "git"));
        }
        // Without a database the rest is still worth knowing.
        let stored = calling.bd().and_then(|bd| Ok(load::all_keyed(&*bd.reader()?, "config")?));
        match stored {
            Ok(pairs) => all.extend(pairs.into_iter().map(|(key, value)| entry(&key, value, "database"))),
            Err(refusal) => out::note(format!("Warning: without the database: {}", refusal.text())),
        }
        all.sort_by(|a, b| a.key.cmp(&b.key));
        if let Some(source) = &self.source {
            all.retain(|entry| entry.source.starts_with(source));
        }
        if json {
            return print_list(&all);
        }
        if all.is_empty() {
            out::line("No configuration found");
        }
        let width = |of: fn(&Entry) -> &String| all.iter().map(|e| of(e).len()).max().unwrap_or(0);
        let (keys, values) = (width(|e| &e.key), width(|e| &e.value).min(60));
        for Entry { key, value, source } in &all {
            let value = super::memory::one_line(value, 60);
            out::line(format!("  {key:<keys$} = {value:<values$}  ({source})"));
        }
        Ok(())
    }
}

const FAMILIES: [&str; 21] = [
    "export",
    "import",
    "dolt",
    "jira",
    "linear",
    "github",
    "custom",
    "status",
    "doctor.suppress",
    "routing",
    "sync",
    "git",
    "directory",
    "repos",
    "external_projects",
    "validation",
    "hierarchy",
    "ai",
    "backup",
    "federation",
    "metrics",
];
const KEYS: [&str; 12] = [
    "no-db",
    "json",
    "db",
    "actor",
    "identity",
    "no-push",
    "no-git-ops",
    "create.require-description",
    ROLE,
    "auto_compact_enabled",
    "schema_version",
    "output.title-length",
];

// Those that bd itself has in use although its list lacks them.
const OURS: [&str; 4] = ["types", "allowed_prefixes", "issue_id_mode", "kv"];

// bd takes any key; one that nothing reads is worth a word.
fn warn_of_unknown(key: &str) {
    let of = |family: &str| key.strip_prefix(family).is_some_and(|rest| rest.starts_with('.'));
    if KEYS.contains(&key) || FAMILIES.iter().any(|f| of(f)) || OURS.iter().any(|o| of(o) || key == *o) {
        return;
    }
    let near = key.split_once('.').and_then(|(first, rest)| {
        let near = FAMILIES
            .iter()
            .map(|known| (distance(first, known), known))
            .filter(|(d, _)| (1..3).contains(d))
            .min();
        near.map(|(_, known)| format!("{known}.{rest}"))
    });
    let more = match near {
        Some(near) => format!("Did you mean {near:?}?"),
        None => "Use 'custom.*' for user-defined keys.".to_owned(),
    };
    out::note(format!(
        "Warning: {key:?} is not a recognized config key. {more}\nRun 'bd config --help' for valid namespaces."
    ));
}

/// How many letters have to come, go or change.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (y, cell) in b.bytes().zip(row.iter_mut().skip(1)) {
            let best = (left + 1).min(*cell + 1).min(diagonal + usize::from(x != y));
            diagonal = *cell;
            *cell = best;
            left = best;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn the_distance_of_words_is_counted_in_letters() {
        for (a, b, want) in [
            ("jria", "jira", 2),
            ("", "abc", 3),
            ("abc", "abc", 0),
            ("linaer", "linear", 2),
            ("sync", "git", 4),
        ] {
            assert_eq!(distance(a, b), want, "{a} {b}");
        }
    }
}
