//! Writing through a server: one SQL transaction, in whose commit rows and Dolt commit land together.
//!
//! Dolt merges what two transactions did at the same time as long as no cell is changed by both, and so would keep a flag that
//! one of them worked out from what the other has just changed. So our own writers take turns by a lock of the server
//! (`GET_LOCK`), as they do by the database's lock without one; on the server's own machine they queue for it outside of the
//! server. What others do in between is told by the server as a conflict, and then all is worked out anew.

use std::time::Duration;

use dolt_store::commit::Author;
use dolt_store::table::{Table, Value};

use super::connection::Connection;
use super::landed::{self, Landed};
use super::local;
use super::reader::ServerReader;
use super::{Sent, ServerEngine, ahead, is_away, statement};
use crate::sql::{SqlError, Typed};
use crate::store::StoreError;
use crate::store::change::{Change, Changes, Job, Outcome, Tx};
use crate::store::family::is_local;
use crate::store::native::NativeReader;
use crate::store::reader::Reader;
use crate::store::runtime::wait;
use crate::sys::clock::{Deadline, pause};

const BEGIN: &str = "START TRANSACTION";

/// Which root value the transaction has begun with.
const BASE: &str = "SELECT DOLT_HASHOF_DB()";

const DEADLOCK: u16 = 1213;
const LOCK_WAIT_TIMEOUT: u16 = 1205;

/// What a commit came to.
enum Committed {
    Yes,
    /// It was rolled back because somebody else changed the same.
    Conflict(StoreError),
    /// Nobody told.
    Unknown(StoreError),
}

pub(super) fn write<T>(
    engine: &ServerEngine,
    by: &Author,
    deadline: Deadline,
    job: &mut Job<'_, T>,
) -> Result<Sent<T>, StoreError> {
    let connection = match engine.reach() {
        Ok(reached) => reached,
        Err(error @ StoreError::Engine { .. }) => return Ok(Sent::Gone(error)),
        Err(error) if is_away(&error) => return Ok(Sent::Gone(error)),
        Err(error) => return Err(error),
    };
    let reader = ServerReader::of(connection);
    let mut tx = ServerTx { engine, reader, is_proved: None, files: None, done: Vec::new(), lacks: None };
    let mut between = Duration::from_millis(2);
    loop {
        match attempt(&mut tx, by, deadline, job) {
            Ok((result, Committed::Yes)) => return Ok(Sent::Done(result)),
            Ok((_, Committed::Conflict(error))) if deadline.has_passed() => return Err(error),
            Ok((_, Committed::Conflict(error))) => {
                tracing::debug!(%error, "worked out anew");
                wait::<(), StoreError>(async {
                    pause(between.min(deadline.remaining())).await;
                    Ok(())
                })?;
                between = (between * 2).min(Duration::from_millis(50));
            }
            Ok((result, Committed::Unknown(error))) => {
                return match landed::look(engine, tx.connection().id(), &tx.done, deadline)? {
                    Landed::Yes => Ok(Sent::Done(result)),
                    Landed::No if is_away(&error) => Ok(Sent::Gone(error)),
                    Landed::No => Err(error),
                    Landed::Untold => Err(indeterminate(engine, error)),
                };
            }
            // Nothing was committed yet.
            Err(error) if is_away(&error) || tx.is_proved == Some(false) => return Ok(Sent::Gone(error)),
            Err(error) => {
                tx.roll_back();
                return Err(error);
            }
        }
    }
}

fn attempt<T>(
    tx: &mut ServerTx<'_>,
    by: &Author,
    deadline: Deadline,
    job: &mut Job<'_, T>,
) -> Result<(T, Committed), StoreError> {
    let mut outcome = worked_out(tx, deadline, job)?;
    if tx.lacks.is_some() {
        tx.roll_back();
        local::ensure(tx.connection())?;
        tx.forget();
        tx.connection().tell(BEGIN)?;
        outcome = job(tx);
    }
    let Outcome { message, result } = outcome?;
    if tx.done.is_empty() && message.is_none() {
        tx.roll_back();
        return Ok((result, Committed::Yes));
    }
    let committed = commit(tx.connection(), by, message.as_deref());
    Ok((result, committed))
}

/// Begins a transaction and does the job in it: from the files, if they are here and are what the transaction has begun with. Any
/// other state of theirs does not do: what was worked out from it would be told to a transaction that knows nothing of it, and
/// merged.
fn worked_out<T>(
    tx: &mut ServerTx<'_>,
    deadline: Deadline,
    job: &mut Job<'_, T>,
) -> Result<Result<Outcome<T>, StoreError>, StoreError> {
    tx.forget();
    let (mut ahead, mut is_proved) = (None, tx.is_proved);
    let base = begin(tx.connection(), tx.engine.proved.is_some(), deadline, || {
        if is_proved.is_none() {
            let proved = tx.engine.still_proved();
            is_proved = Some(proved.is_ok());
            proved?;
        }
        ahead = ahead::work_out(tx.engine, job);
        tx.engine.branch()
    });
    tx.is_proved = is_proved;
    let Some(base) = base? else { return Ok(job(tx)) };
    if ahead.as_ref().is_some_and(|ahead| ahead.base != base) {
        ahead = ahead::work_out(tx.engine, job);
    }
    let Some(ahead) = ahead.filter(|ahead| ahead.base == base) else { return Ok(job(tx)) };
    tx.files = Some(ahead.files);
    Ok(ahead.outcome.and_then(|outcome| tx.apply(ahead.changes).map(|()| outcome)))
}

/// Waits until no other writer of ours is in a transaction, and begins one. The server lets go of the lock with the connection.
/// Nothing here has a value of somebody else's in it, so it is one text. What is done meanwhile tells the branch that the files are
/// on, or why nothing more is to be said to this server. If the files are here: the root value that the transaction begins with.
fn begin(
    connection: &Connection,
    has_files: bool,
    deadline: Deadline,
    meanwhile: impl FnOnce() -> Result<Option<String>, StoreError>,
) -> Result<Option<String>, StoreError> {
    let seconds = deadline.remaining().as_secs().max(1);
    let limit = Duration::from_secs(seconds + 10);
    let base = if has_files { format!("; {BASE}") } else { String::new() };
    let turn = format!("SELECT GET_LOCK(CONCAT('gt write ', DATABASE()), {seconds}), active_branch()");
    let mut branch = Ok(None);
    let answer = connection.ask(&format!("{turn}; {BEGIN}{base}"), limit, || branch = meanwhile());
    let branch = branch?;
    let mut answer = answer?.into_iter();
    if answer.next().flatten().as_deref() != Some("1") {
        return Err(not_ours(connection, seconds)?);
    }
    let Some(branch) = branch else { return Ok(None) };
    if answer.next().flatten().as_deref() == Some(branch.as_str()) {
        return Ok(answer.next().flatten());
    }
    roll_back(connection);
    connection.put_on(&branch)?;
    Ok(connection.ask(&format!("{BEGIN}; {BASE}"), limit, || ())?.pop().flatten())
}

fn not_ours(connection: &Connection, seconds: u64) -> Result<StoreError, StoreError> {
    let holder = connection.tell("SELECT IS_USED_LOCK(CONCAT('gt write ', DATABASE()))")?;
    let who = match holder {
        Some(id) => format!("connection {id} of the server"),
        None => "a connection that the server does not name".to_owned(),
    };
    let problem = format!("the turn to write was with {who} and was not let go within {seconds} s");
    Ok(StoreError::Engine { engine: "server", problem })
}

/// `DOLT_COMMIT` in a transaction commits it too, in the same write to the store (Dolt `dsess/transactions.go`, `doltCommit`).
/// What is staged with `-A` is what the other engine stages. With nothing versioned to commit it commits the rows alone.
fn commit(connection: &Connection, by: &Author, message: Option<&str>) -> Committed {
    let done = match message {
        None => connection.tell("COMMIT").map(drop),
        Some(message) => {
            let name = if by.name.is_empty() { &by.email } else { &by.name };
            let author = format!("{name} <{}>", by.email);
            let values = [Typed::Text(message.to_owned()), Typed::Text(author)];
            let sql = "CALL DOLT_COMMIT('-A', '--skip-empty', '-m', ?, '--author', ?)";
            // Without a commit the transaction may be open yet; if it is not, this does nothing.
            match connection.run(sql, &values) {
                Ok(answer) if answer.rows.is_empty() => connection.tell("COMMIT").map(drop),
                done => done.map(drop),
            }
        }
    };
    match done {
        Ok(()) => Committed::Yes,
        Err(error) if is_conflict(&error) => {
            roll_back(connection);
            Committed::Conflict(error)
        }
        Err(error) => {
            roll_back(connection);
            Committed::Unknown(error)
        }
    }
}

/// Whether the server says that it rolled back because of what another one has committed (`dsess/transactions.go`).
fn is_conflict(error: &StoreError) -> bool {
    let StoreError::Sql(SqlError::Refused { code, message }) = error else { return false };
    [DEADLOCK, LOCK_WAIT_TIMEOUT].contains(code)
        || message.contains("transaction rolled back")
        || message.contains("conflicts with a committed transaction")
        || message.contains("optimistic lock failed")
}

// Where a rollback fails, the end of the connection does the same.
fn roll_back(connection: &Connection) {
    if let Err(error) = connection.tell("ROLLBACK") {
        tracing::debug!(%error, "rolling back");
    }
}

fn indeterminate(engine: &ServerEngine, error: StoreError) -> StoreError {
    match error {
        StoreError::Sql(source) => StoreError::Indeterminate { server: engine.address(), source },
        other => other,
    }
}

/// A transaction of a connection.
struct ServerTx<'e> {
    engine: &'e ServerEngine,
    reader: ServerReader,
    /// Whether this is still the server that has the files, once it was looked at.
    is_proved: Option<bool>,
    /// The state that it has begun with, if that has been read from the files.
    files: Option<NativeReader>,
    done: Vec<Change>,
    /// A local table that was to be written and is not there.
    lacks: Option<&'static str>,
}

impl ServerTx<'_> {
    fn connection(&self) -> &Connection {
        self.reader.connection()
    }

    fn roll_back(&self) {
        roll_back(self.connection());
    }

    // Another transaction begins.
    fn forget(&mut self) {
        self.reader.forget_keys();
        self.files = None;
        self.done.clear();
        self.lacks = None;
    }

    // Asking the server costs a round trip for each table.
    fn key_of(&self, table: &str) -> Result<Vec<String>, StoreError> {
        self.files.as_ref().map_or_else(|| self.reader.key_of(table), |files| files.key_of(table))
    }

    // Whether a new row has this value without being told, as far as the files say: half of an issue's columns need not be named,
    // parsed and planned then.
    fn is_default(&self, table: &str, column: &str, value: &Value) -> bool {
        let table = self.files.as_ref().and_then(|files| files.table(table).ok().flatten());
        let Some(schema) = table.as_deref().map(Table::schema) else { return false };
        let column = schema.position(column).and_then(|at| schema.columns.get(at));
        column.is_some_and(|column| statement::is_default(column, value))
    }
}

impl Tx for ServerTx<'_> {
    fn reader(&self) -> &dyn Reader {
        &self.reader
    }

    fn apply(&mut self, changes: Changes) -> Result<(), StoreError> {
        for table in changes.as_slice().iter().map(Change::table).filter(|table| is_local(table)) {
            if self.key_of(table)?.is_empty() {
                self.lacks = Some(table);
                let problem = format!("the table {table} is not there");
                return Err(StoreError::Engine { engine: "server", problem });
            }
        }
        let key_of = |table: &str| self.key_of(table);
        let is_default = |table: &str, column: &str, value: &Value| self.is_default(table, column, value);
        let mut done = 0;
        statement::each(changes.as_slice(), key_of, &is_default, |(sql, values), changed| {
            self.connection().run(&sql, &values)?;
            done += changed;
            changes.tell(done);
            Ok(())
        })?;
        self.done.extend(changes.into_vec());
        Ok(())
    }
}
