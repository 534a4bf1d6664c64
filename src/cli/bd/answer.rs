//! How a command ends: with what it printed, or with a refusal on the stream where bd puts it.

use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use beads::jsonl::CountsById;
use beads::shapes::{Listed, listed};
use beads::{Issue, go_json};
use serde::Serialize;
use serde_json::json;

use crate::cli::out;
use crate::store::StoreError;
use crate::store::listing::Listing;
use crate::sys::parallel;

/// Whether `BD_JSON_ENVELOPE` wraps what is printed. Said once, before a command runs.
static WRAPPED: AtomicBool = AtomicBool::new(false);

/// With `true`, lists and objects are printed as `data` of an object, as bd does with `BD_JSON_ENVELOPE=1`.
pub(super) fn wrap_json(is_wanted: bool) {
    WRAPPED.store(is_wanted, Ordering::Relaxed);
}

fn is_wrapped() -> bool {
    WRAPPED.load(Ordering::Relaxed)
}

/// What a command gives.
pub(super) type Answer<T = ()> = Result<T, Refusal>;

/// Where a refusal is told when JSON was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// As text all the same.
    Plain,
    /// As an object on standard output.
    OnStdout,
    /// It has been told already.
    Silent,
}

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub(super) struct Refusal {
    message: String,
    hint: Option<String>,
    told: Told,
    code: u8,
}

impl Refusal {
    /// One line on standard error, also with `--json`.
    pub(super) fn plain(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, told: Told::Plain, code: 1 }
    }

    /// A line, or with `--json` an object on standard output.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { told: Told::OnStdout, ..Self::plain(message) }
    }

    /// Everything has been said; only the exit code is left.
    pub(super) fn silent() -> Self {
        Self { told: Told::Silent, ..Self::plain("") }
    }

    /// The same as text, also with `--json`.
    pub(super) fn into_plain(self) -> Self {
        Self { told: Told::Plain, ..self }
    }

    /// What to do about it.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What it says.
    pub(super) fn text(&self) -> &str {
        &self.message
    }

    /// Ends the program with this code instead of 1.
    pub(super) fn code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    /// With these words in front.
    pub(super) fn within(mut self, words: &str) -> Self {
        self.message = format!("{words}: {}", self.message);
        self
    }

    /// Tells it. Gives the exit code.
    pub(super) fn tell(self, json: bool) -> ExitCode {
        let object = || {
            let mut fields = json!({ "error": self.message });
            if let (Some(hint), Some(fields)) = (&self.hint, fields.as_object_mut()) {
                fields.insert("hint".into(), json!(hint));
            }
            if is_wrapped() { go_json::envelope(&fields) } else { go_json::object(&fields) }
                .unwrap_or_default()
        };
        match self.told {
            Told::Silent => {}
            Told::OnStdout if json => out::raw(&object()),
            _ => {
                out::note(format!("Error: {}", self.message));
                if let Some(hint) = &self.hint {
                    out::note(format!("Hint: {hint}"));
                }
            }
        }
        ExitCode::from(self.code)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        let hint = match &error {
            StoreError::NoDatabase { .. } => Some("run 'bd init' to create a new database"),
            error if error.is_without_tables() => Some(
                "'bd init' makes the tables of issues; in a rig of a town it is 'bd init --server --prefix PREFIX'",
            ),
            StoreError::Held { .. } => Some("wait for it to finish, or stop it"),
            StoreError::Forced { engine: "native", .. } => {
                Some("stop that server, or let it write: --engine auto, the default, takes the one that can")
            }
            StoreError::Forced { .. } => {
                Some("start one ('gt up'), or do without: --engine auto, the default, takes the one that can")
            }
            _ => None,
        };
        let mut message = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !message.contains(&cause_text) {
                message = format!("{message}: {cause_text}");
            }
            source = cause.source();
        }
        let refusal = Self::new(message);
        match hint {
            Some(hint) => refusal.hint(hint),
            None => refusal,
        }
    }
}

/// Prints a list as JSON: keys in the order of the type.
pub(super) fn print_list<T: Serialize>(items: impl IntoIterator<Item = T>) -> Answer {
    if is_wrapped() {
        return print(go_json::envelope(&items.into_iter().collect::<Vec<T>>()));
    }
    let mut stdout = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
    told(go_json::write_list(&mut stdout, items).and_then(|()| stdout.flush()))
}

/// Prints a list of issues that are spelled already.
pub(super) fn print_listing(listing: &Listing) -> Answer {
    let write = |mut stdout: io::BufWriter<File>| {
        let mut begin = go_json::LIST_BEGIN;
        for text in listing.texts() {
            stdout.write_all(begin)?;
            stdout.write_all(text)?;
            begin = go_json::LIST_NEXT;
        }
        stdout.write_all(if listing.is_empty() { b"[]\n" } else { go_json::LIST_END })?;
        stdout.flush()
    };
    told(out::wide(listing.texts().map(<[u8]>::len).sum()).and_then(write))
}

/// Whether lists are printed as they are.
pub(super) fn is_bare() -> bool {
    !is_wrapped()
}

/// Prints issues as JSON, with their numbers. Of many each thread spells some.
pub(super) fn print_issues(issues: &[&Issue], counts: &CountsById) -> Answer {
    // Fewer are printed sooner than a thread begins.
    const MANY: usize = 500;
    // So many are in memory as text.
    const AT_ONCE: usize = 10_000;
    if issues.len() < MANY {
        let counts = |issue: &Issue| counts.get(&issue.id).copied().unwrap_or_default();
        return print_list(issues.iter().map(|issue| Listed::new(issue, counts(issue))));
    }
    // So many are more than a pipe holds.
    let mut stdout = match out::wide(usize::MAX) {
        Ok(stdout) => stdout,
        Err(error) => return told(Err(error)),
    };
    for (n, issues) in issues.chunks(AT_ONCE).enumerate() {
        let spelled = spell(issues, counts, n == 0);
        let spelled = spelled.map_err(|error| Refusal::plain(format!("encoding JSON: {error}")))?;
        told(spelled.iter().try_for_each(|part| stdout.write_all(part)))?;
    }
    told(stdout.write_all(go_json::LIST_END).and_then(|()| stdout.flush()))
}

fn spell(issues: &[&Issue], counts: &CountsById, are_first: bool) -> Result<Vec<Vec<u8>>, serde_json::Error> {
    let counts = |id: &str| counts.get(id).copied().unwrap_or_default();
    let parts: Vec<&[&Issue]> = issues.chunks(issues.len().div_ceil(parallel::width())).collect();
    let spelled = parallel::parts(parts.len(), &|n| listed(parts[n], &counts, are_first && n == 0));
    spelled.into_iter().collect()
}

// Nobody who reads on is no failure.
fn told(written: io::Result<()>) -> Answer {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Refusal::plain(format!("the output could not be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints any value as JSON: keys in the order of the type, and no version.
pub(super) fn print_raw(value: &impl Serialize) -> Answer {
    print(go_json::pretty(value))
}

/// Prints what bd prints of a list that it never made.
pub(super) fn print_null() -> Answer {
    print(if is_wrapped() { go_json::envelope(&()) } else { go_json::pretty(&()) })
}

/// Prints an object as JSON: keys sorted, with its version.
pub(super) fn print_object(value: &impl Serialize) -> Answer {
    print(if is_wrapped() { go_json::envelope(value) } else { go_json::object(value) })
}

fn print(text: Result<String, serde_json::Error>) -> Answer {
    let text = text.map_err(|error| Refusal::plain(format!("encoding JSON: {error}")))?;
    told(out::data(text.as_bytes()))
}
