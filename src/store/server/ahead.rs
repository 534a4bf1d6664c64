//! A job that is worked out on the files of this machine, so that the server is told of rows and asked for none.
//!
//! It is done while the server begins the transaction, so it counts only if the transaction has begun with the very root value that
//! was read here. What could go wrong besides is a state that cannot be made here: then the server is asked as if there were no files.

use std::cell::OnceCell;

use dolt_store::commit::Session;
use dolt_store::table::Value;

use super::ServerEngine;
use crate::store::StoreError;
use crate::store::change::{Changes, Job, Outcome, Tx};
use crate::store::native::{NativeReader, NativeTx};
use crate::store::reader::{Reader, Select};

/// A job that was done on the files.
pub(super) struct WorkedOut<T> {
    /// The root value that it began with.
    pub(super) base: String,
    /// What was read there.
    pub(super) files: NativeReader,
    /// What it changes.
    pub(super) changes: Changes,
    /// How it ended.
    pub(super) outcome: Result<Outcome<T>, StoreError>,
}

/// Does the job on the newest state of the files. None: they are not here, or they do not do.
pub(super) fn work_out<T>(engine: &ServerEngine, job: &mut Job<'_, T>) -> Option<WorkedOut<T>> {
    let begun = engine.files().and_then(|files| files.map(Ahead::begin).transpose());
    let mut ahead = begun
        .inspect_err(|error| tracing::debug!(%error, "the server is asked instead of the files"))
        .ok()??;
    let outcome = job(&mut ahead);
    // What is wrong with the files need not be wrong with the server.
    let problem = match (ahead.changed.get(), &outcome) {
        (Some(Err(error)), _) | (_, Err(error @ StoreError::Store(_))) => Some(error),
        _ => None,
    };
    if let Some(error) = problem {
        tracing::debug!(%error, "the server is asked instead of the files");
        return None;
    }
    Some(WorkedOut {
        base: ahead.files.root().to_string(),
        files: ahead.files,
        changes: ahead.changes,
        outcome,
    })
}

/// A transaction that nobody begins: it collects what is to be told.
struct Ahead {
    session: Session,
    files: NativeReader,
    changes: Changes,
    // The state with the changes. Made when it is asked for the first time: most jobs ask nothing after they have changed something.
    changed: OnceCell<Result<NativeTx, StoreError>>,
}

impl Ahead {
    fn begin(session: Session) -> Result<Self, StoreError> {
        let files = NativeReader::working(&session)?;
        Ok(Self { session, files, changes: Changes::new(), changed: OnceCell::new() })
    }

    fn with_changes(&self) -> Result<NativeTx, StoreError> {
        let mut tx = NativeTx::begin(self.session.begin(self.session.head())?)?;
        tx.apply(self.changes.clone())?;
        Ok(tx)
    }
}

impl Tx for Ahead {
    fn reader(&self) -> &dyn Reader {
        if self.changes.is_empty() {
            return &self.files;
        }
        match self.changed.get_or_init(|| self.with_changes()) {
            Ok(tx) => tx.reader(),
            Err(_) => &Unreadable,
        }
    }

    fn apply(&mut self, changes: Changes) -> Result<(), StoreError> {
        if let Some(Ok(tx)) = self.changed.get_mut()
            && let Err(error) = tx.apply(changes.clone())
        {
            self.changed = OnceCell::from(Err(error));
            return Err(Unreadable::error());
        }
        self.changes.extend(changes);
        Ok(())
    }
}

/// A state that could not be made. It ends the job, whose outcome nobody looks at then.
struct Unreadable;

impl Unreadable {
    fn error() -> StoreError {
        let problem = "the files cannot be asked after a change".to_owned();
        StoreError::Engine { engine: "server", problem }
    }
}

impl Reader for Unreadable {
    fn select(
        &self,
        _: &Select<'_>,
        _: &mut dyn FnMut(&mut Vec<Value>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        Err(Self::error())
    }

    fn key_of(&self, _: &str) -> Result<Vec<String>, StoreError> {
        Err(Self::error())
    }
}
