//! What a command of bd begins with: the workspace, the database, who acts.

use std::cell::{Cell, OnceCell};
use std::path::{Path, PathBuf};

use jiff::{Timestamp, Zoned};

use super::Global;
use super::answer::{Answer, Refusal};
use super::event_hooks::EventHooks;
use crate::cli::out;
use crate::store::load::{self, Rules};
use crate::store::ops::Act;
use crate::store::reader::{By, Reader, into_number};
use crate::store::schema::MAIN_VERSION;
use crate::store::{Engine, Outcome, Server, Store, StoreError, Tx, Whereabouts};
use crate::sys::{atomic, clock};
use crate::town::env::Env;
use crate::town::workspace::{Address, Call, ConfigSource, Mode, Place, Workspace, WorkspaceError};

/// A call of bd, before it is known whether there is a workspace.
pub(super) struct Calling {
    pub(super) env: Env,
    pub(super) global: Global,
    pub(super) cwd: PathBuf,
}

impl Calling {
    /// Begins.
    pub(super) fn new(env: &Env, global: Global) -> Answer<Self> {
        let cwd = std::env::current_dir();
        let cwd = cwd.map_err(|error| Refusal::plain(format!("no working directory: {error}")))?;
        Ok(Self { env: env.clone(), global, cwd })
    }

    /// Looks for the workspace.
    pub(super) fn find(&self) -> Result<Workspace, WorkspaceError> {
        Workspace::find(&Call {
            env: &self.env,
            cwd: &self.cwd,
            database: self.global.db.as_deref(),
            directory: self.global.directory.as_deref(),
        })
    }

    /// The workspace, for a command that opens its database later: its warnings are told then.
    pub(super) fn untold_workspace(&self) -> Answer<Workspace> {
        self.find().map_err(|error| match error {
            WorkspaceError::NotFound => Refusal::new("no active beads workspace found").hint(
                "run 'bd where' to inspect the resolved workspace, or 'bd init' to create a new database",
            ),
            error => Refusal::new(error.to_string()),
        })
    }

    /// The workspace, with its warnings told.
    pub(super) fn workspace(&self) -> Answer<Workspace> {
        let workspace = self.untold_workspace()?;
        for warning in workspace.warnings().iter().filter(|_| !self.global.quiet) {
            out::note(format!("Warning: {warning}"));
        }
        Ok(workspace)
    }

    /// Everything that a command with a database needs.
    pub(super) fn bd(self) -> Answer<Bd> {
        let workspace = self.workspace()?;
        Bd::of(workspace, self.global)
    }
}

/// A call of bd with a workspace.
pub(super) struct Bd {
    pub(super) global: Global,
    pub(super) workspace: Workspace,
    pub(super) store: Store,
    pub(super) actor: String,
    pub(super) owner: String,
    pub(super) is_server_mode: bool,
    pub(super) now: Timestamp,
    has_written: Cell<bool>,
    /// The `.beads` of the call itself, which keeps its notes also if the work is done elsewhere.
    pub(super) noted_in: PathBuf,
    zone: OnceCell<Zoned>,
}

impl Bd {
    /// A call in this workspace.
    pub(super) fn of(workspace: Workspace, global: Global) -> Answer<Self> {
        let place = workspace.place().map_err(|error| Refusal::new(error.to_string()))?;
        let whereabouts = whereabouts(place, &workspace.database().value);
        let cache = dirs::cache_dir().map(|cache| cache.join("gt/journals"));
        let env = workspace.env();
        let name = env.text("GIT_AUTHOR_NAME").unwrap_or_else(|| "beads".to_owned());
        let email = env.text("GIT_AUTHOR_EMAIL").unwrap_or_else(|| "beads@local".to_owned());
        let (engine, _) = engine(&workspace, &global)?;
        let store = Store::new(whereabouts, engine, (name, email), cache)?;
        let actor = workspace.actor(global.actor.as_deref()).value;
        let owner = workspace.owner().value;
        let is_server_mode = workspace.mode().value == Mode::Server;
        let now = clock::now();
        let global = Global { json: global.json || workspace.config().bool("json"), ..global };
        let noted_in = workspace.dir().to_owned();
        let (has_written, zone) = (Cell::new(false), OnceCell::new());
        Ok(Self { global, workspace, store, actor, owner, is_server_mode, now, has_written, noted_in, zone })
    }

    /// Whether a transaction was done.
    pub(super) fn has_written(&self) -> bool {
        self.has_written.get()
    }

    /// Its `.beads`.
    pub(super) fn beads_dir(&self) -> &Path {
        self.workspace.dir()
    }

    /// Whether JSON is wanted.
    pub(super) fn json(&self) -> bool {
        self.global.json
    }

    /// Now, where the user is.
    pub(super) fn zoned(&self) -> &Zoned {
        self.zone.get_or_init(|| self.now.to_zoned(jiff::tz::TimeZone::system()))
    }

    /// Who acts, and when.
    pub(super) fn act(&self) -> Act {
        Act { actor: self.actor.clone(), owner: self.owner.clone(), now: self.now }
    }

    /// The newest state.
    pub(super) fn reader(&self) -> Answer<Box<dyn Reader>> {
        Ok(self.store.reader()?)
    }

    /// Writes, and runs the hooks that hear of it. `--readonly` refuses, in bd's words.
    pub(super) fn write<T>(
        &self,
        verb: &str,
        job: impl FnMut(&mut dyn Tx) -> Result<Outcome<T>, StoreError>,
    ) -> Answer<T> {
        if self.global.readonly {
            return Err(Refusal::plain(format!("operation '{verb}' is not allowed in read-only mode")));
        }
        let mut job = job;
        let project = self.workspace.metadata().and_then(crate::town::workspace::Metadata::project_id);
        let is_checked = self.workspace.env().text("BEADS_SKIP_IDENTITY_CHECK").as_deref() != Some("1");
        let ignores_skew = self.global.ignore_schema_skew
            || self.workspace.env().text("BD_IGNORE_SCHEMA_SKEW").as_deref() == Some("1");
        let mut hooks = EventHooks::of(self, verb);
        let written = self.store.write(|tx| {
            if let Some(project) = project.as_ref().filter(|_| is_checked) {
                same_project(tx.reader(), project)?;
            }
            if !ignores_skew {
                not_newer(tx.reader())?;
            }
            match &mut hooks {
                Some(hooks) => job(&mut hooks.watch(tx)),
                None => job(tx),
            }
        })?;
        self.has_written.set(true);
        if let Some(hooks) = hooks {
            hooks.run(self);
        }
        Ok(written)
    }

    /// The message of the Dolt commit of a command: bd's, by the mode that the workspace is in. `None` if commits are off.
    pub(super) fn message(
        &self,
        embedded: impl FnOnce() -> String,
        server: impl FnOnce() -> String,
    ) -> Option<String> {
        let policy = self.global.dolt_auto_commit.clone();
        let policy = policy.unwrap_or_else(|| self.workspace.config().text("dolt.auto-commit"));
        if matches!(policy.as_str(), "off" | "batch") {
            return None;
        }
        Some(if self.is_server_mode { server() } else { embedded() })
    }

    /// `bd: <verb> (auto-commit) by <actor> [<ids>]`.
    pub(super) fn auto_commit(&self, verb: &str, ids: &[String]) -> String {
        let ids = if ids.is_empty() { String::new() } else { format!(" [{}]", ids.join(", ")) };
        format!("bd: {verb} (auto-commit) by {}{ids}", self.actor)
    }

    /// The whole id that a user means.
    pub(super) fn resolve(reader: &dyn Reader, given: &str) -> Result<String, StoreError> {
        if load::briefs(reader, Some(&[given.to_owned()]))?.contains_key(given) {
            return Ok(given.to_owned());
        }
        let rules = Rules::load(reader)?;
        let ids = load::ids(reader)?;
        Ok(beads::id::resolve(given, &rules.prefixes, ids.iter().map(String::as_str))?.to_owned())
    }

    /// The same; that there is none is told with these words and the given id in front.
    pub(super) fn resolve_as(reader: &dyn Reader, words: &str, given: &str) -> Result<String, StoreError> {
        Self::resolve(reader, given).map_err(|error| match error {
            StoreError::NotFound(why) => StoreError::Refused(format!("{words} {given}: {why}")),
            error => error,
        })
    }

    /// The same for the target of an edge: an id of another rig is taken as it is.
    pub(super) fn resolve_or_foreign(
        reader: &dyn Reader,
        from: &str,
        given: &str,
    ) -> Result<String, StoreError> {
        match Self::resolve(reader, given) {
            Err(StoreError::NotFound(_))
                if given.contains('-')
                    && beads::id::leading_prefix(given) != beads::id::leading_prefix(from) =>
            {
                Ok(given.to_owned())
            }
            Err(StoreError::NotFound(why)) => Err(StoreError::Refused(format!(
                "resolving dependency ID {given}: resolving issue ID {given}: {why}"
            ))),
            resolved => resolved,
        }
    }

    /// The ids given, or that of the issue that was touched last.
    pub(super) fn ids_or_last(&self, given: &[String]) -> Answer<Vec<String>> {
        if !given.is_empty() {
            return Ok(given.to_vec());
        }
        let last = std::fs::read_to_string(self.noted_in.join("last-touched")).unwrap_or_default();
        match last.trim() {
            "" => Err(Refusal::new("no issue ID provided and no last touched issue")),
            id => Ok(vec![id.to_owned()]),
        }
    }

    /// Remembers the issue that was touched last. A hint only: that it cannot be written is no failure.
    pub(super) fn touch(&self, id: &str) {
        let written =
            atomic::replace_hint(&self.noted_in.join("last-touched"), format!("{id}\n").as_bytes(), 0o600);
        if let Err(error) = written {
            tracing::debug!(%error, "the last issue was not remembered");
        }
    }
}

/// The engine that is asked for, and where: `--engine`, else `BD_ENGINE` or `engine` in `config.yaml`. Nowhere: the lock decides.
pub(super) fn engine(workspace: &Workspace, global: &Global) -> Answer<(Engine, Option<String>)> {
    let said = workspace.config().said("engine").map(|(word, source)| match source {
        ConfigSource::Env(name) => (word, name),
        source => (word, format!("engine in {source}")),
    });
    let flag = global.engine.clone().map(|word| (word, "--engine".to_owned()));
    let Some((word, by)) = flag.or(said) else { return Ok((Engine::Auto, None)) };
    let unknown = || Refusal::new(format!("{by} is {word:?}, and can be auto, native or server"));
    Ok((Engine::from_word(&word).ok_or_else(unknown)?, Some(by)))
}

fn whereabouts(place: Place, database: &str) -> Whereabouts {
    let server = |address: Address| Server {
        host: address.host.value,
        port: address.port.map(|port| port.value),
        user: address.user.value,
        password: address.password.map(|password| password.value.0),
        database: address.database.value,
        tls: address.tls.value,
    };
    match place {
        Place::Remote(address) => Whereabouts { dir: None, server: server(*address) },
        Place::Directory(local) => {
            let default = || Server {
                host: "127.0.0.1".to_owned(),
                port: None,
                user: "root".to_owned(),
                password: None,
                database: database.to_owned(),
                tls: false,
            };
            Whereabouts { dir: Some(local.path), server: local.server.map_or_else(default, server) }
        }
    }
}

// The workspace and the database name the same project, if both name one.
fn same_project(reader: &dyn Reader, project: &str) -> Result<(), StoreError> {
    match load::keyed(reader, "metadata", "_project_id")? {
        Some(stored) if stored != project => Err(StoreError::Refused(format!(
            "workspace identity mismatch detected\n\n  Local project ID:    {project}\n  Database project ID: {stored}\n\nThe database belongs to another project. To override: set BEADS_SKIP_IDENTITY_CHECK=1"
        ))),
        _ => Ok(()),
    }
}

// A database that a newer program has migrated is read, but not written.
fn not_newer(reader: &dyn Reader) -> Result<(), StoreError> {
    let mut newest = 0;
    for row in reader.rows("schema_migrations", &["version"], By::All)? {
        newest = newest.max(row.first().and_then(into_number).unwrap_or_default());
    }
    let known = i64::from(MAIN_VERSION);
    if newest <= known {
        return Ok(());
    }
    let ahead = newest - known;
    let migrations = if ahead == 1 { "migration" } else { "migrations" };
    Err(StoreError::Refused(format!(
        "schema version mismatch: database is at v{newest}, binary knows up to v{known} ({ahead} {migrations} ahead)"
    )))
}
