//! The settings that bd knows: which live in yaml, which are secret, which only the user's own file decides, and what
//! holds when nobody says anything (`internal/config/config.go`, `yaml_config.go` of bd 1.1.0).

use super::yaml::Value;

/// Keys whose home is `config.yaml`, beside the families of [`FAMILIES`].
const YAML_ONLY: [&str; 15] = [
    "no-db",
    "json",
    "db",
    "actor",
    "identity",
    "no-push",
    "no-git-ops",
    "create.require-description",
    "import.path",
    "github.token",
    "linear.api_key",
    "linear.oauth_client_id",
    "linear.oauth_client_secret",
    "jira.api_token",
    "gitlab.token",
];

const FAMILIES: [&str; 14] = [
    "routing.",
    "sync.",
    "git.",
    "directory.",
    "repos.",
    "external_projects.",
    "validation.",
    "hierarchy.",
    "ai.",
    "backup.",
    "export.",
    "dolt.",
    "federation.",
    "metrics.",
];

/// Whether `config set` writes this key into `config.yaml`; all others go to the table `config`, except `beads.role`, which is
/// git's.
pub fn lives_in_yaml(key: &str) -> bool {
    key == "ado.pat" || YAML_ONLY.contains(&key) || FAMILIES.iter().any(|f| key.starts_with(f))
}

/// Whether a key is heard only from the user's own file: a repository must not decide it for its users.
pub fn is_the_users_own(key: &str) -> bool {
    key.starts_with("metrics.")
}

/// Whether a key holds something that must not get into git.
pub fn is_secret(key: &str) -> bool {
    let lower = key.to_lowercase();
    ["api_key", "api-key", "secret", "token", "password"].iter().any(|word| lower.contains(word))
}

/// The variable that may hold a secret instead.
pub fn secret_variable(key: &str) -> String {
    match key {
        "ai.api_key" => "ANTHROPIC_API_KEY".to_owned(),
        "github.token" => "GITHUB_TOKEN".to_owned(),
        "linear.api_key" => "LINEAR_API_KEY".to_owned(),
        _ => variable(key, "BD_"),
    }
}

/// `BD_` and the key in upper case, `.` and `-` as `_`.
pub(super) fn variable(key: &str, prefix: &str) -> String {
    format!("{prefix}{}", key.to_uppercase().replace(['.', '-'], "_"))
}

/// Why a value may not be set, in bd's words. None: it may.
pub fn objection(key: &str, value: &str) -> Option<String> {
    let lower = value.to_lowercase();
    match key {
        "hierarchy.max-depth" => match value.parse::<i64>() {
            Err(_) => Some(format!("hierarchy.max-depth must be a positive integer, got {value:?}")),
            Ok(n) if n < 1 => Some(format!("hierarchy.max-depth must be at least 1, got {n}")),
            Ok(_) => None,
        },
        "dolt.shared-server" | "dolt.debug" => (lower != "true" && lower != "false")
            .then(|| format!("{key} must be \"true\" or \"false\", got {value:?}")),
        "dolt.mode" => (lower != "server" && lower != "embedded")
            .then(|| format!("dolt.mode must be \"server\" or \"embedded\", got {value:?}")),
        _ => None,
    }
}

/// What holds when nobody says anything.
pub(super) fn default(key: &str) -> Option<Value> {
    DEFAULTS.iter().find(|(k, _)| *k == key).map(|(_, value)| match value {
        Preset::Off => Value::Bool(false),
        Preset::On => Value::Bool(true),
        Preset::Number(n) => Value::Int(*n),
        Preset::Text(text) => Value::Text((*text).to_owned()),
        Preset::List(items) => Value::List(items.iter().map(|i| Value::Text((*i).to_owned())).collect()),
        Preset::Section => Value::Map(Vec::new()),
    })
}

/// The keys that have a default, sections without any left out.
pub(super) fn with_default() -> impl Iterator<Item = &'static str> {
    DEFAULTS.iter().filter(|(_, value)| !matches!(value, Preset::Section)).map(|(key, _)| *key)
}

enum Preset {
    Off,
    On,
    Number(i64),
    Text(&'static str),
    List(&'static [&'static str]),
    Section,
}

const DEFAULTS: [(&str, Preset); 43] = [
    ("json", Preset::Off),
    ("events-export", Preset::Off),
    ("no-db", Preset::Off),
    ("no-hooks", Preset::Off),
    ("db", Preset::Text("")),
    ("actor", Preset::Text("")),
    ("issue-prefix", Preset::Text("")),
    ("identity", Preset::Text("")),
    ("dolt.auto-commit", Preset::Text("on")),
    ("routing.mode", Preset::Text("")),
    ("routing.default", Preset::Text(".")),
    ("routing.maintainer", Preset::Text(".")),
    ("routing.contributor", Preset::Text("~/.beads-planning")),
    ("sync.require_confirmation_on_mass_delete", Preset::Off),
    ("metrics.disabled", Preset::Off),
    ("metrics.endpoint", Preset::Text("")),
    ("federation.remote", Preset::Text("")),
    ("federation.sovereignty", Preset::Text("")),
    ("federation.allowed-remote-patterns", Preset::List(&[])),
    ("federation.exclude_types", Preset::List(&["wisp"])),
    ("no-push", Preset::Off),
    ("create.require-description", Preset::Off),
    ("validation.on-create", Preset::Text("none")),
    ("validation.on-close", Preset::Text("none")),
    ("validation.on-sync", Preset::Text("none")),
    ("validation.metadata.mode", Preset::Text("none")),
    ("hierarchy.max-depth", Preset::Number(3)),
    ("git.author", Preset::Text("")),
    ("git.no-gpg-sign", Preset::Off),
    ("directory.labels", Preset::Section),
    ("backup.enabled", Preset::Off),
    ("backup.interval", Preset::Text("15m")),
    ("backup.git-push", Preset::Off),
    ("backup.git-repo", Preset::Text("")),
    ("export.auto", Preset::Off),
    ("export.interval", Preset::Text("60s")),
    ("export.path", Preset::Text("issues.jsonl")),
    ("export.git-add", Preset::Off),
    ("import.auto", Preset::On),
    ("import.path", Preset::Text("issues.jsonl")),
    ("ai.model", Preset::Text("claude-haiku-4-5-20251001")),
    ("output.title-length", Preset::Number(255)),
    ("external_projects", Preset::Section),
];
