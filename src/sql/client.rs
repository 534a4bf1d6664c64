//! One connection.

use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};
use mysql_common::constants::{CapabilityFlags, StatusFlags};
use mysql_common::packets::HandshakePacket;
use tokio::time::timeout;

use super::rows::{Cell, Column, ResultSet};
use super::trust;
use super::typed::{self, Answer, Failed, Typed};
use crate::sys::net::Port;

/// Where a server is and who we are there.
#[derive(Clone)]
pub struct Endpoint {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: Port,
    /// Login name.
    pub user: String,
    /// Password, if any.
    pub password: Option<String>,
    /// Whether nothing is said but through TLS, with a certificate that this machine trusts and that names the host.
    pub tls: bool,
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@tcp({}:{})", self.user, self.host, self.port)
    }
}

// Without the password.
impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// Why a question got no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SqlError {
    /// No connection.
    #[error("cannot connect to {server}")]
    Connect {
        /// Where we tried.
        server: String,
        /// What happened.
        source: Box<mysql_async::Error>,
    },
    /// No answer in time.
    #[error("no answer from {server} within {:.1} s while waiting for {what}", limit.as_secs_f64())]
    NoAnswer {
        /// Whom we asked.
        server: String,
        /// What we waited for.
        what: &'static str,
        /// How long.
        limit: Duration,
    },
    /// The server answered with an error; the text is its own.
    #[error("{message}")]
    Refused {
        /// `MySQL`'s error number.
        code: u16,
        /// The server's words.
        message: String,
    },
    /// The connection broke while we waited.
    #[error("the connection to {server} broke")]
    Lost {
        /// Whom we asked.
        server: String,
        /// What happened.
        source: Box<mysql_async::Error>,
    },
    /// TLS is wanted, and nobody could be trusted.
    #[error(
        "no certificate authority is known on this machine (SSL_CERT_FILE can name a file of them): {problem}"
    )]
    NobodyToTrust {
        /// Why.
        problem: String,
    },
    /// A value that has no exact form in a statement or an answer.
    #[error("{problem}")]
    Unreadable {
        /// Which, and where.
        problem: String,
    },
}

impl SqlError {
    /// Whether it cannot be told what became of the statement: the connection is of no use any more.
    pub fn is_silence(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::NoAnswer { .. } | Self::Lost { .. })
    }

    /// The server's error number, if it answered with an error.
    pub fn code(&self) -> Option<u16> {
        if let Self::Refused { code, .. } = self { Some(*code) } else { None }
    }

    /// Whether nobody listens there.
    pub fn is_connection_refused(&self) -> bool {
        let Self::Connect { source, .. } = self else {
            return false;
        };
        let mysql_async::Error::Io(mysql_async::IoError::Io(e)) = source.as_ref() else {
            return false;
        };
        e.kind() == std::io::ErrorKind::ConnectionRefused
    }
}

/// A query that the server is working on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Connection id.
    pub id: u64,
    /// Seconds it has been running.
    pub seconds: u64,
    /// Its text, if the server tells.
    pub text: String,
}

/// An open connection.
#[derive(Debug)]
pub struct Client {
    conn: Conn,
    server: String,
    limit: Duration,
}

impl Client {
    /// Connects and logs in. `limit` bounds this and every later question.
    pub async fn connect(
        endpoint: &Endpoint,
        database: Option<&str>,
        limit: Duration,
    ) -> Result<Self, SqlError> {
        let opts = OptsBuilder::default()
            .ip_or_hostname(endpoint.host.clone())
            .tcp_port(endpoint.port.get())
            .user(Some(endpoint.user.clone()))
            .pass(endpoint.password.clone())
            .db_name(database)
            .prefer_socket(false)
            .ssl_opts(endpoint.tls.then(trust::options).transpose()?)
            // Known values: the library would otherwise ask for them on every connection.
            .max_allowed_packet(Some(64 << 20))
            .wait_timeout(Some(28_800));
        match timeout(limit, Conn::new(opts)).await {
            Ok(Ok(conn)) => Ok(Self { conn, server: endpoint.to_string(), limit }),
            Ok(Err(mysql_async::Error::Server(e))) => {
                Err(SqlError::Refused { code: e.code, message: e.message })
            }
            Ok(Err(e)) => Err(SqlError::Connect { server: endpoint.to_string(), source: Box::new(e) }),
            Err(_) => Err(SqlError::NoAnswer { server: endpoint.to_string(), what: "the greeting", limit }),
        }
    }

    /// Does what the library does at its first connection, and keeps: it makes patterns for the versions of servers, which takes a
    /// millisecond. Who waits for a server's greeting has the time.
    pub fn make_ready() {
        let version = "8.0.33";
        let packet = HandshakePacket::new(
            10,
            version.as_bytes(),
            0,
            [0; 8],
            None::<&[u8]>,
            CapabilityFlags::empty(),
            0,
            StatusFlags::empty(),
            None::<&[u8]>,
        );
        let read = (packet.maria_db_server_version_parsed(), packet.server_version_parsed());
        tracing::trace!(?read, "ready to connect");
    }

    /// Changes the limit for later questions; statements of a user may run for hours.
    pub fn set_limit(&mut self, limit: Duration) {
        self.limit = limit;
    }

    /// This connection's id, as the process list shows it.
    pub fn id(&self) -> u64 {
        u64::from(self.conn.id())
    }

    /// Sends one text, which may hold several statements, and collects every result.
    pub async fn query(&mut self, sql: &str) -> Result<Vec<ResultSet>, SqlError> {
        let mut results = Vec::new();
        self.query_each(sql, |set| results.push(set)).await?;
        Ok(results)
    }

    /// The same, handing over each result as soon as it is whole: the statements before one that fails were done.
    pub async fn query_each(&mut self, sql: &str, each: impl FnMut(ResultSet)) -> Result<(), SqlError> {
        let (server, limit) = (self.server.clone(), self.limit);
        match timeout(limit, read_all(&mut self.conn, sql, each)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(mysql_async::Error::Server(e))) => {
                Err(SqlError::Refused { code: e.code, message: e.message })
            }
            Ok(Err(e)) => Err(SqlError::Lost { server, source: Box::new(e) }),
            Err(_) => Err(SqlError::NoAnswer { server, what: "a result", limit }),
        }
    }

    /// Prepares a statement and runs it with these values. The same text is prepared once for each connection.
    pub async fn execute(&mut self, sql: &str, values: &[Typed]) -> Result<Answer, SqlError> {
        let (server, limit) = (self.server.clone(), self.limit);
        match timeout(limit, typed::execute(&mut self.conn, sql, values)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(Failed::Driver(mysql_async::Error::Server(e)))) => {
                Err(SqlError::Refused { code: e.code, message: e.message })
            }
            Ok(Err(Failed::Driver(e))) => Err(SqlError::Lost { server, source: Box::new(e) }),
            Ok(Err(Failed::Unreadable(problem))) => Err(SqlError::Unreadable { problem }),
            Err(_) => Err(SqlError::NoAnswer { server, what: "a result", limit }),
        }
    }

    /// The databases that the server serves, its own ones left out.
    pub async fn databases(&mut self) -> Result<Vec<String>, SqlError> {
        const OWN: [&str; 4] = ["information_schema", "mysql", "performance_schema", "sys"];
        let first = self.column("SHOW DATABASES", 0).await?;
        Ok(first.into_iter().filter(|d| !OWN.contains(&d.as_str()) && d != "dolt_cluster").collect())
    }

    /// The queries that the server is working on now, by connection, without this one. Idle connections are none.
    pub async fn running_queries(&mut self) -> Result<Vec<Query>, SqlError> {
        let own = self.id();
        let results =
            self.query("SELECT id, command, time, info FROM information_schema.processlist").await?;
        let rows = results.into_iter().flat_map(|r| r.rows);
        let query = |row: Vec<Cell>| {
            let mut texts = row.iter().map(Cell::to_text);
            let id = texts.next()??.parse().ok()?;
            let command = texts.next()??;
            let seconds = texts.next()?.and_then(|t| t.parse().ok()).unwrap_or(0);
            let text = texts.next()?.unwrap_or_default();
            (command == "Query" && id != own).then_some(Query { id, seconds, text })
        };
        // The server lists them in any order, another one each time.
        let mut queries: Vec<Query> = rows.filter_map(query).collect();
        queries.sort_unstable_by_key(|q| q.id);
        Ok(queries)
    }

    /// Connections open now, and the most that the server allows.
    pub async fn connections(&mut self) -> Result<(u64, u64), SqlError> {
        let open = self.column("SELECT id FROM information_schema.processlist", 0).await?.len() as u64;
        let most = self.column("SELECT @@max_connections", 0).await?;
        Ok((open, most.first().and_then(|m| m.parse().ok()).unwrap_or(0)))
    }

    /// Closes the connection politely; errors do not matter any more then.
    pub async fn close(self) {
        let limit = self.limit.min(Duration::from_millis(200));
        if let Ok(Err(error)) = timeout(limit, self.conn.disconnect()).await {
            tracing::debug!(%error, "closing a connection");
        }
    }

    async fn column(&mut self, sql: &str, index: usize) -> Result<Vec<String>, SqlError> {
        let results = self.query(sql).await?;
        let rows = results.into_iter().flat_map(|r| r.rows);
        Ok(rows.filter_map(|row| row.get(index).and_then(Cell::to_text)).collect())
    }
}

async fn read_all(
    conn: &mut Conn,
    sql: &str,
    mut each: impl FnMut(ResultSet),
) -> Result<(), mysql_async::Error> {
    let mut result = conn.query_iter(sql).await?;
    while let Some(columns) = result.columns() {
        let columns: Vec<Column> = columns.iter().map(Column::of).collect();
        let affected = result.affected_rows();
        let mut rows = Vec::new();
        while let Some(row) = result.next().await? {
            let cells = (0..row.len()).map(|i| row.as_ref(i).map_or(Cell::Null, Cell::of));
            rows.push(cells.collect());
        }
        each(ResultSet { columns, rows, affected });
    }
    // The error of a later statement waits here; there are no columns then.
    result.next().await.map(drop)
}
