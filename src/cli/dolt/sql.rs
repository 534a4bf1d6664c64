//! `gt dolt sql`.
//!
//! With the server up, statements go over the wire and no client program is needed; without it they go to `dolt sql` in
//! the data directory, which takes the databases' own locks. An interactive session is Dolt's own shell in both cases.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Read};
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::table;
use crate::cli::failure::{Failure, Kind};
use crate::cli::out::{self, Format};
use crate::cli::session::{Here, Session};
use crate::doltserver::{ServerError, binary, databases, find};
use crate::sql::{Client, ResultSet};
use crate::sys::net::Port;
use crate::sys::spawn;

/// Run SQL: a statement, a file on standard input, or an interactive shell.
///
/// Works whether the server is up (over the wire) or down (with dolt itself, on the same databases).
///
/// Examples:
///   gt dolt sql -q 'select count(*) from issues' --db gastown
///   gt dolt sql --db hq < script.sql
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Sql {
    /// The statement, or several separated by semicolons
    #[arg(short, long, value_name = "SQL")]
    query: Option<String>,
    /// The database to use
    #[arg(long, value_name = "DB")]
    db: Option<String>,
}

// A statement of a user may run for days; only the connection has a short limit.
const NO_LIMIT: Duration = Duration::from_hours(720);

impl Sql {
    pub(crate) fn run(&self, session: &Session) -> Result<(), Failure> {
        let here = session.here()?;
        let port = Self::server_port(&here)?;
        let text = match &self.query {
            Some(query) => Some(query.clone()),
            None if io::stdin().is_terminal() => None,
            None => Some(read_input()?),
        };
        match (port, text) {
            (Some(port), Some(text)) => session.block_on(self.over_the_wire(&here, port, &text)),
            (Some(port), None) => self.shell_on_server(&here, port),
            (None, text) => self.without_server(&here, text.as_deref()),
        }
    }

    fn server_port(here: &Here<'_>) -> Result<Option<Port>, Failure> {
        if here.settings.remote {
            return Ok(Some(here.settings.port.clone()?.value));
        }
        let search = find::find(&here.town)?;
        let Some(server) = search.server else { return Ok(None) };
        let pid = server.facts.pid;
        match server.port {
            Some(port) => Ok(Some(port)),
            // It holds the databases already, so nobody else can open them.
            None => Err(ServerError::NotAnswering { pid, problem: "it is still starting".to_owned() }.into()),
        }
    }

    async fn over_the_wire(&self, here: &Here<'_>, port: Port, text: &str) -> Result<(), Failure> {
        let endpoint = here.context().endpoint(port);
        let mut client = Client::connect(&endpoint, self.db.as_deref(), Duration::from_secs(10)).await?;
        client.set_limit(NO_LIMIT);
        let as_json = here.session.format == Format::Json;
        let mut results = Vec::new();
        let done = client
            .query_each(text, |set| {
                if as_json { results.push(set_json(&set)) } else { out::raw(&table::render(&set)) }
            })
            .await;
        client.close().await;
        done?;
        if as_json {
            self.show(here.session, &results);
        }
        Ok(())
    }

    fn show(&self, session: &Session, results: &[Value]) {
        out::json(&session.command, json!({"database": self.db, "results": results}));
    }

    fn shell_on_server(&self, here: &Here<'_>, port: Port) -> Result<(), Failure> {
        let endpoint = here.context().endpoint(port);
        let password = endpoint.password.unwrap_or_default();
        let port = port.to_string();
        let mut args: Vec<OsString> = ["--host", &endpoint.host, "--port", &port, "--user", &endpoint.user]
            .map(OsString::from)
            .to_vec();
        args.push("--no-tls".into());
        // An empty password must be said, or the shell asks for one; a real one stays out of the process list.
        if password.is_empty() {
            args.extend(["--password", ""].map(OsString::from));
        }
        if let Some(db) = &self.db {
            args.extend(["--use-db", db].map(OsString::from));
        }
        args.push("sql".into());
        run_dolt(here, &args, Some(("DOLT_CLI_PASSWORD", password.as_str())).filter(|_| !password.is_empty()))
    }

    fn without_server(&self, here: &Here<'_>, text: Option<&str>) -> Result<(), Failure> {
        let names = databases::names(&databases::scan(&here.town)?);
        let data_dir = here.town.data_dir();
        let database = match &self.db {
            Some(db) if names.contains(db) => db,
            Some(db) => {
                return Err(ServerError::NoSuchDatabase { database: db.clone(), data_dir }.into());
            }
            None => names.first().ok_or(ServerError::NoDatabases { data_dir })?,
        };
        let mut args: Vec<OsString> = ["--use-db", database, "sql"].map(OsString::from).to_vec();
        match text {
            Some(text) if here.session.format == Format::Json => {
                args.extend(["-r", "json", "-q", text].map(OsString::from));
                return self.show_what_dolt_gives(here, &args);
            }
            Some(text) => args.extend(["-q", text].map(OsString::from)),
            None => out::note(
                "The server is down: this shell works on the databases directly and keeps them locked.",
            ),
        }
        run_dolt(here, &args, None)
    }

    // Dolt prints one object for each statement that gives rows; here they become the one object of every command.
    fn show_what_dolt_gives(&self, here: &Here<'_>, args: &[OsString]) -> Result<(), Failure> {
        let dolt = binary::locate(&here.session.env)?;
        let cannot = |e: &dyn std::fmt::Display| {
            Failure::new(Kind::Other, format!("cannot understand {}: {e}", dolt.display()))
        };
        let ran = here.session.block_on(async {
            let failed = |e| Failure::new(Kind::Other, format!("cannot run {}: {e}", dolt.display()));
            spawn::output(&dolt, args, &here.town.data_dir(), NO_LIMIT).await.map_err(failed)
        })?;
        if !ran.status.success() {
            let said = String::from_utf8_lossy(&ran.stderr);
            return Err(Failure::new(Kind::Other, said.trim()));
        }
        let sets = serde_json::Deserializer::from_slice(&ran.stdout).into_iter::<Value>();
        let sets: Vec<Value> = sets.collect::<Result<_, _>>().map_err(|e| cannot(&e))?;
        self.show(here.session, &sets.iter().map(with_columns).collect::<Vec<_>>());
        Ok(())
    }
}

fn run_dolt(here: &Here<'_>, args: &[OsString], secret: Option<(&str, &str)>) -> Result<(), Failure> {
    let dolt = binary::locate(&here.session.env)?;
    let (status, signal) = here.session.block_on(async {
        let ran = spawn::foreground(&dolt, args, &here.town.data_dir(), secret, &[]).await;
        ran.map_err(|e| Failure::new(Kind::Other, format!("cannot run {}: {e}", dolt.display())))
    })?;
    // Dolt has said what was wrong.
    match signal {
        _ if status.success() => Ok(()),
        Some(signal) => Err(Failure::code_only(Kind::Interrupted(signal))),
        None => Err(Failure::code_only(Kind::Other)),
    }
}

fn read_input() -> Result<String, Failure> {
    let mut text = String::new();
    io::stdin()
        .read_to_string(&mut text)
        .map_err(|e| Failure::new(Kind::Other, format!("cannot read standard input: {e}")))?;
    if text.trim().is_empty() {
        return Err(Failure::new(Kind::Usage, "no statement on standard input").hint("Or give one with -q"));
    }
    Ok(text)
}

// Dolt leaves NULLs out of its JSON, so a column without any value is not known here.
fn with_columns(set: &Value) -> Value {
    let rows = set.get("rows").and_then(Value::as_array).cloned().unwrap_or_default();
    let keys = rows.iter().filter_map(Value::as_object).flat_map(|row| row.keys().cloned());
    let columns: std::collections::BTreeSet<String> = keys.collect();
    let full = |row: &Value| {
        let cell = |c: &String| (c.clone(), row.get(c).cloned().unwrap_or_default());
        Value::Object(columns.iter().map(cell).collect())
    };
    json!({"columns": columns, "rows": rows.iter().map(full).collect::<Vec<_>>(), "affected": 0})
}

fn set_json(set: &ResultSet) -> Value {
    let names = distinct(set.columns.iter().map(|c| c.name.as_str()));
    let row = |cells: &Vec<crate::sql::Cell>| -> Value {
        let pairs = names.iter().zip(&set.columns).zip(cells);
        Value::Object(pairs.map(|((name, column), cell)| (name.clone(), cell.to_json(column))).collect())
    };
    json!({"columns": names, "rows": set.rows.iter().map(row).collect::<Vec<_>>(), "affected": set.affected})
}

// An object has one value for each key, a row may have several columns of one name: `id`, `id (2)`.
fn distinct<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> Vec<String> {
    let set_size = names.len();
    let mut taken: Vec<String> = Vec::new();
    for name in names {
        let spelled = |n: usize| if n == 1 { name.to_owned() } else { format!("{name} ({n})") };
        let free = (1..=set_size).map(spelled).find(|s| !taken.contains(s));
        taken.extend(free);
    }
    taken
}
