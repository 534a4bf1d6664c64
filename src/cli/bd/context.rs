//! What a command of bd begins with: the workspace, the database, who acts.

use std::cell::OnceCell;
use std::path::PathBuf;

use jiff::{Timestamp, Zoned};

use super::Global;
use super::answer::{Answer, Refusal};
use crate::store::load::{self, Rules};
use crate::store::ops::Act;
use crate::store::reader::Reader;
use crate::store::{Outcome, Server, Store, StoreError, Tx, Whereabouts};
use crate::sys::{atomic, clock};
use crate::town::env::Env;

/// A call of bd.
pub(super) struct Bd {
    pub(super) global: Global,
    pub(super) beads_dir: PathBuf,
    pub(super) store: Store,
    pub(super) actor: String,
    pub(super) owner: String,
    pub(super) is_server_mode: bool,
    pub(super) now: Timestamp,
    zone: OnceCell<Zoned>,
}

impl Bd {
    /// Finds the workspace.
    pub(super) fn find(env: &Env, global: Global) -> Answer<Self> {
        let from = match &global.directory {
            Some(dir) => dir.clone(),
            None => {
                std::env::current_dir().map_err(|e| Refusal::plain(format!("no working directory: {e}")))?
            }
        };
        let beads_dir =
            from.ancestors().map(|dir| dir.join(".beads")).find(|dir| dir.join("metadata.json").exists());
        let beads_dir = beads_dir.ok_or_else(|| {
            Refusal::new("no active beads workspace found").hint(
                "run 'bd where' to inspect the resolved workspace, or 'bd init' to create a new database",
            )
        })?;
        let metadata = std::fs::read_to_string(beads_dir.join("metadata.json")).unwrap_or_default();
        let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap_or_default();
        let text = |key: &str| metadata.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
        let database = text("dolt_database");
        let is_server_mode = text("dolt_mode") == "server";
        let dir = if is_server_mode { beads_dir.join("dolt") } else { beads_dir.join("embeddeddolt") };
        let server = Server {
            host: "127.0.0.1".into(),
            port: None,
            user: "root".into(),
            password: None,
            database: database.clone(),
        };
        let whereabouts = Whereabouts { dir: Some(dir.join(database)), server };
        let cache = dirs::cache_dir().map(|c| c.join("gt/journals"));
        let store = Store::new(whereabouts, ("beads".into(), "beads@local".into()), cache);
        let actor = global.actor.clone().or_else(|| env.text(crate::town::env::USER));
        let actor = actor.unwrap_or_else(|| "unknown".into());
        let now = clock::now();
        let owner = String::new();
        Ok(Self { global, beads_dir, store, actor, owner, is_server_mode, now, zone: OnceCell::new() })
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

    /// Writes. `--readonly` refuses, in bd's words.
    pub(super) fn write<T>(
        &self,
        verb: &str,
        job: impl FnMut(&mut dyn Tx) -> Result<Outcome<T>, StoreError>,
    ) -> Answer<T> {
        if self.global.readonly {
            return Err(Refusal::plain(format!("operation '{verb}' is not allowed in read-only mode")));
        }
        Ok(self.store.write(job)?)
    }

    /// The message of the Dolt commit of a command: bd's, by the mode that the workspace is in. `None` if commits are off.
    pub(super) fn message(
        &self,
        embedded: impl FnOnce() -> String,
        server: impl FnOnce() -> String,
    ) -> Option<String> {
        if matches!(self.global.dolt_auto_commit.as_deref(), Some("off" | "batch")) {
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
            resolved => resolved,
        }
    }

    /// The ids given, or that of the issue that was touched last.
    pub(super) fn ids_or_last(&self, given: &[String]) -> Answer<Vec<String>> {
        if !given.is_empty() {
            return Ok(given.to_vec());
        }
        let last = std::fs::read_to_string(self.beads_dir.join("last-touched")).unwrap_or_default();
        match last.trim() {
            "" => Err(Refusal::new("no issue ID provided and no last touched issue")),
            id => Ok(vec![id.to_owned()]),
        }
    }

    /// Remembers the issue that was touched last. A hint only: that it cannot be written is no failure.
    pub(super) fn touch(&self, id: &str) {
        let written =
            atomic::write(&self.beads_dir.join("last-touched"), format!("{id}\n").as_bytes(), 0o600);
        if let Err(error) = written {
            tracing::debug!(%error, "the last issue was not remembered");
        }
    }
}
