//! One connection to the database that is meant, and to no other.

use std::cell::RefCell;
use std::time::Duration;

use super::{Proved, ServerEngine};
use crate::sql::{Answer, Cell, Client, SqlError, Typed};
use crate::store::StoreError;
use crate::store::runtime::{wait, wait_while};

/// How long one question may take. A server that has not answered by then is looked at as gone.
const LIMIT: Duration = Duration::from_secs(10);

const UNKNOWN_DATABASE: u16 = 1049;

/// A connection. Closed politely when it is dropped, unless it broke.
#[derive(Debug)]
pub(super) struct Connection {
    client: RefCell<Option<Client>>,
    id: u64,
}

impl Connection {
    fn of(client: Client) -> Self {
        Self { id: client.id(), client: RefCell::new(Some(client)) }
    }

    /// Its id, as the server's list of connections shows it.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Runs a statement.
    pub(super) fn run(&self, sql: &str, values: &[Typed]) -> Result<Answer, StoreError> {
        self.run_within(sql, values, LIMIT)
    }

    /// The same with another limit.
    pub(super) fn run_within(
        &self,
        sql: &str,
        values: &[Typed],
        limit: Duration,
    ) -> Result<Answer, StoreError> {
        self.with(limit, |client| wait::<_, SqlError>(client.execute(sql, values)))
    }

    /// Runs a statement without values, in one go and not prepared; the first value of its answer as text.
    pub(super) fn tell(&self, sql: &str) -> Result<Option<String>, StoreError> {
        let sets = self.with(LIMIT, |client| wait::<_, SqlError>(client.query(sql)))?;
        Ok(sets.into_iter().flat_map(|set| set.rows).flatten().next().and_then(|cell| cell.to_text()))
    }

    /// The same for a text of several statements: all values of all answers. What there is to do meanwhile must not ask it.
    pub(super) fn ask(
        &self,
        sql: &str,
        limit: Duration,
        meanwhile: impl FnOnce(),
    ) -> Result<Vec<Option<String>>, StoreError> {
        let sets = self.with(limit, |client| wait_while::<_, SqlError>(client.query(sql), meanwhile))?;
        Ok(sets.iter().flat_map(|set| &set.rows).flatten().map(Cell::to_text).collect())
    }

    /// Puts it on a branch, outside of a transaction.
    pub(super) fn put_on(&self, branch: &str) -> Result<(), StoreError> {
        self.run("CALL DOLT_CHECKOUT(?)", &[Typed::Text(branch.to_owned())]).map(drop)
    }

    fn with<T>(
        &self,
        limit: Duration,
        ask: impl FnOnce(&mut Client) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut slot = self.client.borrow_mut();
        let broken =
            || StoreError::Engine { engine: "server", problem: "the connection broke before".to_owned() };
        let client = slot.as_mut().ok_or_else(broken)?;
        client.set_limit(limit);
        let answer = ask(client);
        if let Err(StoreError::Sql(error)) = &answer
            && error.is_silence()
        {
            // Whatever came later would be the answer to another question.
            drop(slot.take());
        }
        answer
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            let closed = wait::<(), SqlError>(async {
                client.close().await;
                Ok(())
            });
            drop(closed);
        }
    }
}

impl ServerEngine {
    /// Connects to the database, on the branch that the files are on, and makes sure that it is the one.
    pub(super) fn connect(&self) -> Result<Connection, StoreError> {
        let connection = self.reach()?;
        self.still_proved()?;
        if let Some(branch) = self.branch()?
            && connection.tell("SELECT active_branch()")?.as_deref() != Some(&branch)
        {
            connection.put_on(&branch)?;
        }
        Ok(connection)
    }

    /// Whether the server is still the one that has the files: asked once there is a connection, which then is one to that server.
    pub(super) fn still_proved(&self) -> Result<(), StoreError> {
        match &self.proved {
            Some(Proved { proof, .. }) if !proof.still_holds() => {
                Err(self.away("the server has gone in this moment"))
            }
            _ => Ok(()),
        }
    }

    /// The branch that the files are on, if they are here.
    pub(super) fn branch(&self) -> Result<Option<String>, StoreError> {
        Ok(self.files()?.map(|session| session.head().to_owned()))
    }

    /// Connects to the database, on whatever branch. It counts if it is [proved](Self::still_proved) then.
    pub(super) fn reach(&self) -> Result<Connection, StoreError> {
        let mut refusal = None;
        for name in self.names() {
            let connection = match self.connect_to(&name) {
                Ok(connection) => connection,
                Err(StoreError::Sql(error)) if error.code() == Some(UNKNOWN_DATABASE) => {
                    refusal.get_or_insert(StoreError::Sql(error));
                    continue;
                }
                Err(error) => return Err(error),
            };
            let Some(Proved { proof, native, .. }) = &self.proved else { return Ok(connection) };
            if proof.names.is_empty() && !self.is_the_same(&connection)? {
                let problem = format!("its database {name} is not that of {}", native.dir().display());
                refusal = Some(StoreError::Engine { engine: "server", problem });
                continue;
            }
            return Ok(connection);
        }
        Err(refusal.unwrap_or_else(|| self.away("it has no database of this name")))
    }

    /// Names that the database may have there, the likeliest first.
    fn names(&self) -> Vec<String> {
        let Some(Proved { proof, native, .. }) = &self.proved else { return vec![self.database.clone()] };
        if !proof.names.is_empty() {
            return proof.names.clone();
        }
        let of_dir = native.dir().file_name().map(|name| name.to_string_lossy().into_owned());
        let mut names: Vec<String> = of_dir.into_iter().chain([self.database.clone()]).collect();
        names.dedup();
        names
    }

    fn connect_to(&self, database: &str) -> Result<Connection, StoreError> {
        let greeting = Client::connect(&self.endpoint, Some(database), LIMIT);
        Ok(Connection::of(wait_while::<_, SqlError>(greeting, Client::make_ready)?))
    }

    /// Whether the server's database has the newest commit of the files. They are asked again if it moves in between.
    fn is_the_same(&self, connection: &Connection) -> Result<bool, StoreError> {
        for _ in 0..5 {
            let Some(session) = self.files()? else { return Ok(true) };
            let branch = session.head();
            let there = connection.run("SELECT DOLT_HASHOF(?)", &[Typed::Text(branch.to_owned())]);
            let there = match there {
                Ok(answer) => answer.rows.into_iter().flatten().next(),
                Err(StoreError::Sql(SqlError::Refused { .. })) => None,
                Err(error) => return Err(error),
            };
            let here = session.resolve_commit(branch)?.map(|hash| Typed::Text(hash.to_string()));
            if here.is_some() && here == there {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn away(&self, problem: &str) -> StoreError {
        StoreError::Engine { engine: "server", problem: format!("{}: {problem}", self.address()) }
    }
}
