//! `.beads/hooks/on_create`, `on_update` and `on_close`: scripts of the user's that learn of every change to an issue, as with bd
//! 1.1.0 (`internal/hooks`, `internal/storage/hook_decorator.go`). Each gets the id and `create`, `update` or `close` as
//! arguments, and the issue as one object of JSON on its standard input.
//!
//! What could go wrong is that a script holds up or fails the command that it hears of. So they are started when all is
//! stored, their input is a file and not a pipe, nobody reads what they print, and how they end is not asked. Only of many at
//! once is the oldest waited for, and ended if it takes too long.

mod noting;

use std::collections::{BTreeSet, VecDeque};
use std::io::{self, Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;

use super::context::Bd;
use super::programs;
use crate::cli::out;
use crate::store::Tx;
use crate::sys::clock::Deadline;
use crate::sys::spawn;

use noting::Noting;

/// So many run at once.
const MOST: usize = 8;
/// So long does one run before the next one takes its place.
const LONGEST: Duration = Duration::from_secs(10);

/// Commands whose changes bd tells no script: those of many rows at once, and those that do not look like an issue's life.
const UNTOLD: [&str; 11] = [
    "import",
    "sql",
    "migrate",
    "doctor",
    "promote",
    "purge",
    "wisp gc",
    "wisp gc --closed",
    "merge-slot create",
    "merge-slot acquire",
    "merge-slot release",
];

/// What has happened to an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Create,
    Update,
    Close,
}

impl Event {
    const ALL: [Self; 3] = [Self::Create, Self::Update, Self::Close];

    fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Close => "close",
        }
    }
}

/// One start of a script.
#[derive(Debug)]
struct Told {
    event: Event,
    id: String,
    json: String,
}

/// The scripts of a workspace, and what a command has to tell them.
#[derive(Debug)]
pub(super) struct EventHooks {
    dir: PathBuf,
    events: Vec<Event>,
    is_deletion: bool,
    told: Vec<Told>,
}

impl EventHooks {
    /// Those that hear of a command. `None`: there is nobody to be told, and nothing has to be noted.
    pub(super) fn of(bd: &Bd, verb: &str) -> Option<Self> {
        // The real bd tells nobody of what it does in a database that it was routed to.
        let is_elsewhere = bd.noted_in != bd.beads_dir();
        if is_elsewhere || UNTOLD.contains(&verb) {
            return None;
        }
        let dir = bd.beads_dir().join("hooks");
        let runs = |event: &Event| {
            let found = std::fs::metadata(dir.join(file_name(*event)));
            found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
        };
        let events: Vec<Event> = Event::ALL.into_iter().filter(runs).collect();
        if events.is_empty() || bd.workspace.config().bool("no-hooks") {
            return None;
        }
        Some(Self { dir, events, is_deletion: verb == "delete", told: Vec::new() })
    }

    /// A transaction that notes what it is told to do. What an earlier one has noted is forgotten.
    pub(super) fn watch<'t>(&'t mut self, tx: &'t mut dyn Tx) -> Noting<'t> {
        self.told.clear();
        Noting::new(tx, self)
    }

    /// Starts the scripts, in the order of what has happened.
    pub(super) fn run(self, bd: &Bd) {
        let mut running: VecDeque<(Child, Deadline)> = VecDeque::new();
        let mut failed = BTreeSet::new();
        for told in &self.told {
            if let Err(error) = make_room(&mut running) {
                tracing::debug!(%error, "a hook cannot be waited for");
            }
            let name = file_name(told.event);
            match self.start(bd, told) {
                Ok(child) => running.push_back((child, Deadline::after(LONGEST))),
                // Of a thousand changes one warning says as much.
                Err(error) if failed.insert(name.clone()) && !bd.global.quiet => {
                    out::note(format!("Warning: {error}: the hook {name} was not run"));
                }
                Err(_) => {}
            }
        }
    }

    fn start(&self, bd: &Bd, told: &Told) -> io::Result<Child> {
        let mut input = tempfile::tempfile()?;
        input.write_all(told.json.as_bytes())?;
        input.rewind()?;
        let script = self.dir.join(file_name(told.event));
        let said = ("BEADS_DIR", bd.beads_dir().as_os_str());
        spawn::unattended(&script, &[&told.id, told.event.word()], said, input)
    }
}

fn file_name(event: Event) -> String {
    format!("on_{}", event.word())
}

fn make_room(running: &mut VecDeque<(Child, Deadline)>) -> io::Result<()> {
    running.retain_mut(|(child, _)| !matches!(child.try_wait(), Ok(Some(_))));
    if running.len() >= MOST
        && let Some((child, deadline)) = running.pop_front()
    {
        programs::wait(spawn::ended_or_killed(child, deadline))??;
    }
    Ok(())
}
