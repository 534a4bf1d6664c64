//! What a command needs to begin: the town, its settings, who asks, where notices go.

use std::path::PathBuf;

use super::failure::{Failure, Kind};
use super::out::{self, Format};
use crate::doltserver::Context;
use crate::doltserver::record::AskedBy;
use crate::town::env::Env;
use crate::town::settings::Settings;
use crate::town::{Town, find_town};

/// How the program was called.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) env: Env,
    pub(crate) town: Option<PathBuf>,
    pub(crate) format: Format,
    pub(crate) rich_codes: bool,
    pub(crate) command: String,
}

/// A town and everything that its commands use.
pub(crate) struct Here<'a> {
    pub(crate) session: &'a Session,
    pub(crate) town: Town,
    pub(crate) settings: Settings,
    asked: AskedBy,
}

impl Session {
    /// Finds the town and reads its settings.
    pub(crate) fn here(&self) -> Result<Here<'_>, Failure> {
        let town = find_town(&self.env, self.town.as_deref())?;
        Ok(self.at(town))
    }

    /// The same for a town that is known.
    pub(crate) fn at(&self, town: Town) -> Here<'_> {
        let settings = Settings::load(&town, &self.env);
        let asked = AskedBy::this_process(&self.env, &format!("gt {}", self.command));
        Here { session: self, town, settings, asked }
    }

    /// Runs asynchronous work on this thread.
    pub(crate) fn block_on<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|e| Failure::new(Kind::Other, format!("cannot start: {e}")))?;
        tracing::debug!(command = %self.command, "begins");
        let done = runtime.block_on(work);
        // A name look-up may still be running in a thread; it must not hold up the exit.
        runtime.shutdown_background();
        done
    }

    /// Prints the result: the JSON object, or what `text` prints.
    pub(crate) fn show(&self, body: impl FnOnce() -> serde_json::Value, text: impl FnOnce()) {
        match self.format {
            Format::Json => out::json(&self.command, body()),
            Format::Text => text(),
        }
    }
}

impl Here<'_> {
    /// What the rooms below take.
    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            town: &self.town,
            env: &self.session.env,
            settings: &self.settings,
            asked: &self.asked,
            notify: &out::notice,
        }
    }
}
