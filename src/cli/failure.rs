//! The one place where an error becomes what a person reads and what a script tests: first line the cause and the
//! object's name, then the causes beneath, then what to do; and the exit code.

use std::error::Error;
use std::io;

use serde_json::json;

use super::out::{self, Format};
use crate::doltserver::ServerError;
use crate::rig::RigError;
use crate::sql::SqlError;
use crate::sys::lock::LockError;
use crate::town::TownError;
use crate::town::settings::SettingError;

/// What kind of failure, which decides the exit code under `--exit-code` (see `docs/exit-codes.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Anything without a kind of its own.
    Other,
    /// The command line was wrong.
    Usage,
    /// The server does not run.
    NotRunning,
    /// It was found dead.
    Crashed,
    /// It runs and does not answer, or is not ready.
    NotAnswering,
    /// Somebody else has a lock, a database or the port.
    InUse,
    /// A setting or file of the town is wrong.
    Config,
    /// No usable `dolt`.
    NoDolt,
    /// Not in a town.
    NoTown,
    /// The server is on another machine.
    Remote,
    /// A database is damaged.
    Damaged,
    /// Not here yet.
    NotYet,
    /// A signal ended the command; its number.
    Interrupted(i32),
}

impl Kind {
    /// The exit code. Without `--exit-code` every failure is 1, as the Go tools' scripts expect; only a signal shows.
    pub(crate) fn code(self, rich: bool) -> u8 {
        match self {
            Self::Interrupted(signal) => u8::try_from(128 + signal).unwrap_or(130),
            _ if !rich => 1,
            Self::Other => 1,
            Self::Usage => 2,
            Self::NotRunning => 3,
            Self::Crashed => 4,
            Self::NotAnswering => 5,
            Self::InUse => 6,
            Self::Config => 7,
            Self::NoDolt => 8,
            Self::NoTown => 9,
            Self::Remote => 10,
            Self::Damaged => 11,
            Self::NotYet => 12,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::Usage => "usage",
            Self::NotRunning => "not-running",
            Self::Crashed => "crashed",
            Self::NotAnswering => "not-answering",
            Self::InUse => "in-use",
            Self::Config => "config",
            Self::NoDolt => "no-dolt",
            Self::NoTown => "no-town",
            Self::Remote => "remote",
            Self::Damaged => "damaged",
            Self::NotYet => "not-yet",
            Self::Interrupted(_) => "interrupted",
        }
    }
}

/// A command that failed.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    message: String,
    causes: Vec<String>,
    hints: Vec<String>,
    /// The result was printed already; only the exit code is left to give.
    silent: bool,
}

impl Failure {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), causes: Vec::new(), hints: Vec::new(), silent: false }
    }

    /// Only an exit code: what there is to say has been said.
    pub(crate) fn code_only(kind: Kind) -> Self {
        Self { silent: true, ..Self::new(kind, "") }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    pub(crate) fn of(kind: Kind, error: &dyn Error, mut hints: Vec<String>) -> Self {
        let mut causes = Vec::new();
        let mut source = error.source();
        while let Some(cause) = source {
            causes.push(cause.to_string());
            let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
            if kind == Some(io::ErrorKind::PermissionDenied) && hints.is_empty() {
                hints.push("A town is kept by one user: repeat this as the one who owns it".to_owned());
            }
            source = cause.source();
        }
        Self { kind, message: error.to_string(), causes, hints, silent: false }
    }

    /// A failure of a command that needs a running server and starts none.
    pub(crate) fn needs_server(error: ServerError) -> Self {
        let is_down = matches!(error, ServerError::NotRunning { .. });
        let failure = Self::from(error);
        if is_down { failure.hint("Start it with: gt dolt start") } else { failure }
    }

    /// Prints the failure and gives the exit code.
    pub(crate) fn report(&self, command: &str, format: Format, rich: bool) -> u8 {
        let code = self.kind.code(rich);
        if self.silent {
            return code;
        }
        if format == Format::Json {
            let error = json!({
                "kind": self.kind.name(),
                "message": self.message,
                "causes": self.causes,
                "hints": self.hints,
                "exit_code": code,
            });
            out::json(command, json!({"error": error}));
            return code;
        }
        out::note(format!("{} {}", out::styled(out::RED, "Error:"), self.message));
        for cause in &self.causes {
            out::note(format!("  because: {cause}"));
        }
        for hint in &self.hints {
            out::note(hint);
        }
        code
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        self.causes.iter().try_for_each(|cause| write!(f, ": {cause}"))
    }
}

impl From<TownError> for Failure {
    fn from(error: TownError) -> Self {
        let (kind, hints) = match &error {
            TownError::NotInTown => (
                Kind::NoTown,
                vec!["Go to a town, name one with --town DIR, or make one with gt install DIR".to_owned()],
            ),
            TownError::NotATown { .. } => (Kind::NoTown, vec!["Make a town with gt install DIR".to_owned()]),
            TownError::SomethingElse { .. } => {
                (Kind::Other, vec!["Name a directory that is empty or does not exist yet".to_owned()])
            }
            TownError::UnusablePath { .. } => {
                (Kind::Config, vec!["Use a directory with another name; nothing was changed".to_owned()])
            }
            TownError::Malformed { .. } => {
                (Kind::Config, vec!["Repair the file; it was not touched".to_owned()])
            }
            TownError::Setting(setting) => return setting_failure(setting),
            _ => (Kind::Other, Vec::new()),
        };
        Self::of(kind, &error, hints)
    }
}

impl From<SettingError> for Failure {
    fn from(error: SettingError) -> Self {
        setting_failure(&error)
    }
}

fn setting_failure(error: &SettingError) -> Failure {
    let hint = match error {
        SettingError::Conflict { .. } => {
            "Say it once: gt dolt config --set-port N writes mayor/daemon.json; unset GT_DOLT_PORT; see gt dolt config --explain"
        }
        SettingError::Unreadable { .. } => "Repair the file; it was not touched",
        _ => "See gt dolt config --explain",
    };
    Failure::of(Kind::Config, error, vec![hint.to_owned()])
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        use ServerError as E;
        let one = |text: String| vec![text];
        let (kind, hints) = match &error {
            E::Remote { .. } => {
                (Kind::Remote, one("Unset GT_DOLT_HOST to work with a server on this machine".into()))
            }
            E::NoDatabases { .. } => (Kind::Other, one("Initialize with: gt dolt init-rig <name>".into())),
            E::BrokenDatabase { database, .. } => {
                (Kind::Damaged, one(format!("Start the others with: gt dolt start --without {database}")))
            }
            E::TwoOfOneName { .. } => (
                Kind::Damaged,
                one("The second was created while the first was left out: move one away".into()),
            ),
            E::DatabaseLocked { .. } => {
                (Kind::InUse, one("End that program first; nothing was started, nothing was touched".into()))
            }
            E::PortTaken { source_name, free, .. } => {
                let mut hints = vec![format!("The port comes from: {source_name}")];
                if let Some(free) = free {
                    hints.push(format!("Port {free} is free: gt dolt config --set-port {free}"));
                }
                hints.push("Nothing was signalled and nothing was started".to_owned());
                (Kind::InUse, hints)
            }
            E::DoltMissing => (
                Kind::NoDolt,
                one("Install Dolt (https://github.com/dolthub/dolt) or add its directory to PATH".into()),
            ),
            E::DoltTooOld { .. } | E::DoltStrange { .. } => {
                (Kind::NoDolt, one("Put a newer dolt first on PATH".into()))
            }
            E::Died { log, .. } => (Kind::Other, one(format!("More in {} (gt dolt logs)", log.display()))),
            E::NotReady { log, .. } => (
                Kind::NotAnswering,
                vec![
                    "It was left running and may still come up: gt dolt wait --ready".to_owned(),
                    format!("What it says: {} (gt dolt logs)", log.display()),
                ],
            ),
            E::NotAnswering { .. } => (
                Kind::NotAnswering,
                vec!["Look with: gt dolt dump".to_owned(), "End it with: gt dolt stop --force".to_owned()],
            ),
            E::NotRunning { notes } => (Kind::NotRunning, notes.iter().map(|n| format!("  {n}")).collect()),
            E::WontStop { .. } => (
                Kind::NotAnswering,
                one("It may still be writing. Wait, or end it by force: gt dolt stop --force".into()),
            ),
            E::Interrupted { signal, .. } => (Kind::Interrupted(*signal), Vec::new()),
            E::NoSuchDatabase { .. } => (Kind::Other, one("See gt dolt list".into())),
            E::NoLog { .. } => (Kind::Other, one("It is written from the first start on".into())),
            E::NewerRecord { .. } => (Kind::Config, one("Use that gt, or move the file away".into())),
            E::Lock(LockError::Held { .. }) => {
                (Kind::InUse, one("The lock file is never deleted: end or wait for its holder".into()))
            }
            E::Setting(setting) => return setting_failure(setting),
            E::Sql(sql) => return sql_failure(sql),
            _ => (Kind::Other, Vec::new()),
        };
        Self::of(kind, &error, hints)
    }
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Self {
        sql_failure(&error)
    }
}

// MySQL's number for it.
const UNKNOWN_DATABASE: u16 = 1049;

fn sql_failure(error: &SqlError) -> Failure {
    let (kind, hints) = match error {
        SqlError::Refused { code: UNKNOWN_DATABASE, .. } => {
            (Kind::Other, vec!["See gt dolt list".to_owned()])
        }
        SqlError::Refused { .. } => (Kind::Other, Vec::new()),
        // Dolt hangs up in the middle of a result when a row cannot be made; only its log says why.
        SqlError::Lost { .. } => (Kind::NotAnswering, vec!["Its log may say why: gt dolt logs".to_owned()]),
        _ => (Kind::NotAnswering, vec!["See how it is: gt dolt status".to_owned()]),
    };
    Failure::of(kind, error, hints)
}

impl From<RigError> for Failure {
    fn from(error: RigError) -> Self {
        let hints = match &error {
            RigError::Server(_) | RigError::Town(_) | RigError::Sql(_) => {
                return match error {
                    RigError::Server(e) => e.into(),
                    RigError::Town(e) => e.into(),
                    RigError::Sql(e) => e.into(),
                    _ => Self::code_only(Kind::Other),
                };
            }
            RigError::PrefixTaken { .. } => vec!["Choose another with --prefix P".to_owned()],
            RigError::Unknown { .. } => vec!["See gt rig list".to_owned()],
            RigError::InTheWay { .. } => vec!["Nothing was touched".to_owned()],
            _ => Vec::new(),
        };
        Self::of(Kind::Other, &error, hints)
    }
}
