//! Who may open a database of which version: what bd 1.1.0 decides, with its words, as a pure function. What could go wrong:
//! a program that writes into tables it does not know, or two clones that each bring the same database up to date in their
//! own way and can then never be merged again.
//!
//! The first line of each refusal, the names in its JSON and the names of the variables are bd's, because programs look for
//! them. The advice below is in words of our own.

use serde_json::{Value, json};

use super::MAIN_VERSION;
use super::inspect::{Found, Hashes};

/// The highest version that two clones which migrate by themselves do not come to alike; from here on they do.
const CONVERGES_FROM: u32 = 43;

/// What somebody wants of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To read and write.
    Write,
    /// To read.
    Read,
    /// To read what belongs to another project, which is never brought up to date from here.
    ReadForeign,
}

/// What a decision depends on beside the database.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'c> {
    /// What is wanted.
    pub access: Access,
    /// Whether a server has the database. Reading through a server never migrates.
    pub by_server: bool,
    /// Whether a remote is configured.
    pub has_remote: bool,
    /// The hashes of the remote's branch as it was last seen.
    pub remote: Option<&'c Hashes>,
    /// `BD_IGNORE_SCHEMA_SKEW=1` or `--ignore-schema-skew`.
    pub ignore_skew: bool,
    /// `BD_ALLOW_REMOTE_MIGRATE`, as it is set.
    pub allow_remote_migrate: Option<&'c str>,
    /// `BD_SMART_GATE`, as it is set.
    pub smart_gate: Option<&'c str>,
}

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may be used as it is, perhaps with a warning on standard error.
    Open(Option<String>),
    /// It has to be brought up to date first, perhaps with a warning.
    Migrate(Option<String>),
    /// It may not be used.
    Refuse(Refusal),
    /// There are no tables of bd in it.
    Empty,
}

/// Why a database may not be used. Its first line is `to_string()`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A newer program has migrated it.
    #[error("schema version mismatch: database is at v{at}, binary knows up to v{MAIN_VERSION} ({} {} ahead)",
        at - MAIN_VERSION, migrations(at - MAIN_VERSION))]
    Newer {
        /// The version of what is committed.
        at: u32,
    },
    /// It is another project's and older than this program.
    #[error(
        "schema version mismatch: database is at v{at}, binary expects v{MAIN_VERSION}, and the read-only open \
        cannot migrate it; run any bd write command in that workspace to migrate, or set BD_IGNORE_SCHEMA_SKEW=1 to read \
        anyway (queries touching newer schema may fail)"
    )]
    Behind {
        /// The version of what is committed.
        at: u32,
    },
    /// Others have it too.
    #[error("{}", .0.line())]
    Remote(RemoteGate),
}

/// A database that others have too, and that only one of them may migrate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteGate {
    /// The version of what is committed.
    pub at: u32,
    /// What is known of the remote.
    pub remote: RemoteState,
    /// What `BD_ALLOW_REMOTE_MIGRATE` says, if that is neither yes nor no.
    pub not_understood: Option<String>,
}

/// How far a remote is, as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemoteState {
    /// Not known, or not known to be safe.
    Unknown,
    /// Somebody has migrated it.
    Ahead,
    /// These versions are not the same there.
    Forked(Vec<u32>),
}

/// Decides. The answer is that of bd 1.1.0, which also reads nothing of a newer database unless it is told to.
pub fn gate(found: &Found, of: &Circumstances<'_>) -> Verdict {
    let at = found.main;
    if at == 0 {
        return Verdict::Empty;
    }
    if at > MAIN_VERSION {
        return skew(of, Refusal::Newer { at }, "ahead of binary");
    }
    if of.access == Access::ReadForeign {
        return if at < MAIN_VERSION {
            skew(of, Refusal::Behind { at }, "behind binary")
        } else {
            Verdict::Open(None)
        };
    }
    if found.is_current() || (of.by_server && of.access == Access::Read) {
        return Verdict::Open(None);
    }
    if found.pending() == 0 || !of.has_remote {
        return Verdict::Migrate(None);
    }
    remote_gate(found, of)
}

fn skew(of: &Circumstances<'_>, refusal: Refusal, how: &str) -> Verdict {
    if !of.ignore_skew {
        return Verdict::Refuse(refusal);
    }
    let (Refusal::Newer { at } | Refusal::Behind { at }) = refusal else { return Verdict::Refuse(refusal) };
    let read_only = if at < MAIN_VERSION { " and was opened read-only" } else { "" };
    Verdict::Open(Some(format!(
        "Warning: schema skew ignored — database (v{at}) is {how} (v{MAIN_VERSION}){read_only}; some queries may fail"
    )))
}

fn remote_gate(found: &Found, of: &Circumstances<'_>) -> Verdict {
    let pending = found.pending();
    let said = of.allow_remote_migrate.filter(|text| !text.is_empty());
    if let Some(text) = said.filter(|text| is_true(text) == Some(true)) {
        return Verdict::Migrate(Some(format!(
            "Warning: applying {pending} pending schema migration(s) to a remote-backed database \
             (BD_ALLOW_REMOTE_MIGRATE={text}); only one clone should migrate, then `bd dolt push`"
        )));
    }
    let is_smart = of.smart_gate.and_then(is_true).unwrap_or(true);
    let remote = if is_smart { compare(found, of.remote) } else { Some(RemoteState::Unknown) };
    let Some(remote) = remote else {
        return Verdict::Migrate(Some(format!(
            "Smart gate (BD_SMART_GATE): auto-applying {pending} pending deterministic schema {} to a remote-backed \
             database (v{}, remote at same version — safe first-mover, concurrent migrators converge; #4516). Run \
             `bd dolt push` after.",
            migrations(pending),
            found.main
        )));
    };
    let not_understood = said.filter(|text| is_true(text).is_none()).map(str::to_owned);
    let gate = RemoteGate { at: found.main, remote, not_understood };
    if of.access == Access::Read {
        return Verdict::Open(Some(format!(
            "Warning: {}\n  Read-only command: continuing on schema v{} without migrating. Nothing can be written \
             until one machine has migrated it.",
            gate.line(),
            found.main
        )));
    }
    Verdict::Refuse(Refusal::Remote(gate))
}

// How the remote stands; `None`: exactly where we are, so that whoever migrates first does what others would do.
fn compare(found: &Found, remote: Option<&Hashes>) -> Option<RemoteState> {
    let own = &found.main_hashes;
    let Some(remote) = remote.filter(|remote| !remote.is_empty() && !own.is_empty()) else {
        return Some(RemoteState::Unknown);
    };
    let differs = |(version, hash): (&u32, &String)| {
        remote.get(version).is_some_and(|theirs| theirs != hash).then_some(*version)
    };
    let forked: Vec<u32> = own.iter().filter_map(differs).collect();
    if !forked.is_empty() {
        return Some(RemoteState::Forked(forked));
    }
    let last = remote.keys().next_back().copied().unwrap_or(0);
    if last > found.main {
        return Some(RemoteState::Ahead);
    }
    let is_first = last == found.main && found.main >= CONVERGES_FROM;
    (!is_first).then_some(RemoteState::Unknown)
}

// As Go's `strconv.ParseBool` reads it.
fn is_true(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

fn migrations(count: u32) -> &'static str {
    if count == 1 { "migration" } else { "migrations" }
}

impl RemoteGate {
    fn pending(&self) -> u32 {
        MAIN_VERSION.saturating_sub(self.at)
    }

    fn forked(&self) -> String {
        let RemoteState::Forked(versions) = &self.remote else { return String::new() };
        versions.iter().map(|v| format!("{v:04}")).collect::<Vec<_>>().join(", ")
    }

    fn line(&self) -> String {
        let (at, pending) = (self.at, self.pending());
        let begin = "refusing to migrate a remote-backed database";
        match self.remote {
            RemoteState::Ahead => format!(
                "{begin} (v{at} -> v{MAIN_VERSION}): the remote is already migrated — adopt it instead of migrating \
                 here (#4259)"
            ),
            RemoteState::Forked(_) => format!(
                "{begin} (v{at} -> v{MAIN_VERSION}): this clone and the remote applied different content for \
                 migration(s) {} — the schema has already forked (#4259)",
                self.forked()
            ),
            RemoteState::Unknown => format!(
                "refusing to auto-apply {pending} pending schema {} to a remote-backed database (v{at} -> \
                 v{MAIN_VERSION}): migrating clones independently forks the schema (#4259)",
                migrations(pending)
            ),
        }
    }

    // Ways out, each with what it takes and what it costs.
    fn options(&self) -> Value {
        let adopt = |when: &str| {
            json!({"id": "adopt", "when": when, "commands": ["bd bootstrap"],
                "risk": "the local database is replaced: what was not pushed or exported is lost"})
        };
        match self.remote {
            RemoteState::Ahead => json!([adopt("the remote is migrated already")]),
            RemoteState::Forked(_) => json!([{
                "id": "reconcile-fork",
                "when": format!("one clone is chosen as the right one; forked: {}", self.forked()),
                "commands": ["bd export --all -o backup.jsonl", "bd bootstrap"],
                "risk": "the other clones lose what they have not pushed or exported",
            }]),
            RemoteState::Unknown => json!([
                {"id": "migrate", "when": "this is the one machine that migrates, and no other has done so",
                    "commands": ["BD_ALLOW_REMOTE_MIGRATE=1 bd migrate", "bd dolt push"],
                    "risk": "if another clone migrates too, the two can never be merged again"},
                adopt("another machine has migrated and pushed"),
            ]),
        }
    }
}

impl RemoteGate {
    fn json(&self) -> Value {
        let (observed, expected) = match &self.remote {
            RemoteState::Unknown => (
                format!("{} pending schema migration(s) and a configured remote", self.pending()),
                "one clone migrates and pushes; all others take its database over",
            ),
            RemoteState::Ahead => {
                ("the remote is already migrated".to_owned(), "this clone takes the remote's database over")
            }
            RemoteState::Forked(_) => (
                format!("other content here than on the remote for migration(s) {}", self.forked()),
                "one clone is chosen, all others take its database over",
            ),
        };
        let mut object = json!({
            "current_version": self.at, "latest_version": MAIN_VERSION, "pending": self.pending(),
            "severity": "blocking", "human_decision_required": true, "observed": observed, "expected": expected,
            "options": self.options(),
        });
        match &self.remote {
            RemoteState::Unknown => {}
            RemoteState::Ahead => object["decision"] = "adopt".into(),
            RemoteState::Forked(versions) => {
                object["decision"] = "fork-skew".into();
                object["skew_versions"] = json!(versions);
            }
        }
        object
    }
}

impl Refusal {
    /// What a person can do, line by line; what goes below the first line.
    pub fn advice(&self) -> String {
        match self {
            Self::Newer { .. } => {
                "A newer program has changed the tables; questions about columns that have gone or \
                got another name would fail.\n  Install a newer version.\n  To go on nevertheless: \
                BD_IGNORE_SCHEMA_SKEW=1 or --ignore-schema-skew"
                    .to_owned()
            }
            Self::Behind { .. } => String::new(),
            Self::Remote(gate) => {
                let way = match gate.remote {
                    RemoteState::Ahead => {
                        "Take the remote's database over: push or export what is only here, then bd bootstrap"
                    }
                    RemoteState::Forked(_) => {
                        "Choose one clone as the right one; export what is only in the others, then bd bootstrap there"
                    }
                    RemoteState::Unknown => {
                        "If this is the one machine that migrates: BD_ALLOW_REMOTE_MIGRATE=1 bd migrate, then bd dolt \
                         push\n  If another one has: push or export what is only here, then bd bootstrap"
                    }
                };
                let not_understood = gate.not_understood.as_ref().map(|text| {
                    format!(
                        "\n  BD_ALLOW_REMOTE_MIGRATE={text} is not understood; say BD_ALLOW_REMOTE_MIGRATE=1"
                    )
                });
                way.to_owned() + &not_understood.unwrap_or_default()
            }
        }
    }

    /// The object that `--json` prints on standard error.
    pub fn json(&self) -> Value {
        let mut object = json!({"error": self.to_string(), "schema_version": 1});
        match self {
            Self::Newer { at } => {
                object["hint"] =
                    "BD_IGNORE_SCHEMA_SKEW=1 bd <command>  or  bd --ignore-schema-skew <command>".into();
                object["schema_skew"] = json!({
                    "current_version": at, "required_version": MAIN_VERSION, "delta": at.saturating_sub(MAIN_VERSION),
                });
            }
            Self::Behind { .. } => {}
            Self::Remote(gate) => {
                // No command: whoever reads it by program must not run one that only one machine may run.
                object["hint"] = "Only one clone may migrate a shared database. Do not choose: put \
                    remote_migrate_gate.options before the operator."
                    .into();
                object["remote_migrate_gate"] = gate.json();
            }
        }
        object
    }
}
