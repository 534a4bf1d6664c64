//! Commands of bd that are not here: each says so, in one line and with a failure, so that no script takes silence for success.

use super::answer::{Answer, Refusal};

/// The commands of bd 1.0.5 and 1.1.0, and words of older ones that callers still use. What is in the command tree never
/// comes here.
const KNOWN: &[&str] = &[
    "activity",
    "admin",
    "ado",
    "agent",
    "assign",
    "audit",
    "backup",
    "batch",
    "blocked",
    "bootstrap",
    "branch",
    "burn",
    "children",
    "compact",
    "completion",
    "cook",
    "count",
    "create-form",
    "daemon",
    "defer",
    "diff",
    "doctor",
    "dolt",
    "duplicate",
    "duplicates",
    "edit",
    "epic",
    "export",
    "federation",
    "find-duplicates",
    "flatten",
    "formula",
    "gate",
    "gc",
    "github",
    "gitlab",
    "graph",
    "help",
    "history",
    "human",
    "info",
    "jira",
    "linear",
    "link",
    "lint",
    "list",
    "mail",
    "merge-slot",
    "message",
    "metrics",
    "migrate",
    "mol",
    "note",
    "notion",
    "onboard",
    "orphans",
    "ping",
    "pour",
    "preflight",
    "priority",
    "promote",
    "prune",
    "purge",
    "q",
    "query",
    "recompute-blocked",
    "rename",
    "rename-prefix",
    "repo",
    "restore",
    "rules",
    "search",
    "set-state",
    "setup",
    "ship",
    "show",
    "slot",
    "sql",
    "stale",
    "state",
    "stats",
    "status",
    "statuses",
    "supersede",
    "swarm",
    "sync",
    "tag",
    "todo",
    "types",
    "undefer",
    "upgrade",
    "vc",
    "worktree",
];

/// Words below commands that are here, and are not.
const BELOW: &[(&str, &[&str])] = &[
    ("bd config", &["apply", "drift", "validate"]),
    ("bd label", &["propagate"]),
    ("bd migrate", &["dolt", "hooks", "issues", "schema", "sync"]),
    ("bd mol", &["burn", "distill", "last-activity", "progress", "ready", "seed", "squash", "stale"]),
];

/// What to say to a word that is no command below one that is here.
pub(super) fn unknown_below(path: &str, word: &str) -> String {
    if BELOW.iter().any(|(above, words)| *above == path && words.contains(&word)) {
        return not_here(&format!("{path} {word}")).text().to_owned();
    }
    format!("unknown command {word:?} for {path:?}")
}

/// What to say to words that are no command here.
pub(super) fn refuse(words: &[std::ffi::OsString]) -> Answer {
    let first = words.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
    if KNOWN.contains(&first.as_str()) {
        return Err(not_here(&format!("bd {first}")));
    }
    Err(Refusal::plain(format!("unknown command {first:?} for \"bd\"\nRun 'bd --help' for usage.")))
}

/// What is said of a command, or of a part of one, that is bd's and not here.
pub(super) fn not_here(what: &str) -> Refusal {
    Refusal::plain(format!("{what} is not here yet; real bd can do it on the same database"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_of_bd_and_any_other_word_are_told_apart() {
        let refused = |word: &str| refuse(&[word.into()]).unwrap_err().text().to_owned();
        assert_eq!(refused("swarm"), "bd swarm is not here yet; real bd can do it on the same database");
        assert!(refused("bogus").starts_with("unknown command \"bogus\" for \"bd\""));
        assert!(KNOWN.is_sorted());
        let below = unknown_below("bd mol", "squash");
        assert_eq!(below, "bd mol squash is not here yet; real bd can do it on the same database");
        assert_eq!(unknown_below("bd mol", "bogus"), "unknown command \"bogus\" for \"bd mol\"");
    }
}
