//! The real Dolt's side: one server for many cases, asked over one connection.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};
use tokio::runtime::Runtime;

use gt::sql::literal;

use super::outcome::{Did, Told};
use super::plan::{Plan, State, ignore_sql};
use super::schema::Table;
use super::steps::Back;
use crate::support::{Child, Dolt, TestTown, free_port, wait_until};

/// What every commit and every tag says, on both sides.
pub(super) const DATE: &str = "2026-01-02T03:04:05";
pub(super) const NAME: &str = "t";
pub(super) const EMAIL: &str = "t@example.com";
/// What is told of a statement over which the connection was lost.
const PANIC: &str = "Dolt panicked";
/// Longer than any statement takes.
const LIMIT: Duration = Duration::from_mins(1);

/// A server of one Dolt.
pub(super) struct Server {
    pub(super) dolt: Dolt,
    runtime: Runtime,
    conn: Option<Conn>,
    opts: OptsBuilder,
    cases: usize,
    // Ended before its directory goes.
    _process: Child,
    pub(super) town: TestTown,
}

/// A database on it.
pub(super) struct Theirs<'s> {
    server: &'s mut Server,
    name: String,
    /// The branch that is checked out.
    on: String,
    script: Vec<String>,
}

impl Server {
    pub(super) fn start(dolt: Dolt) -> Self {
        let town = TestTown::build(dolt, &[], free_port());
        let mut command = Command::new(dolt.path());
        command.args([
            "sql-server",
            "--host",
            "127.0.0.1",
            "--port",
            &town.port.to_string(),
            "--data-dir",
            ".",
        ]);
        town.seal(&mut command);
        let data = town.root.join(".dolt-data");
        command.current_dir(data).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = Child(command.env("DOLT_COMMITTER_DATE", DATE).spawn().unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let opts = OptsBuilder::default()
            .ip_or_hostname("127.0.0.1")
            .tcp_port(town.port)
            .user(Some("root"))
            .prefer_socket(false)
            .max_allowed_packet(Some(64 << 20));
        let mut conn = None;
        wait_until("the server takes connections", || {
            assert!(process.is_alive(), "the server has ended");
            conn = runtime.block_on(Conn::new(opts.clone())).ok();
            conn.is_some()
        });
        let mut server = Self { dolt, runtime, conn, opts, cases: 0, _process: process, town };
        server.must("set time_zone = '+00:00'");
        server
    }

    fn ask(&mut self, sql: &str) -> Told {
        let conn = self.conn.as_mut().expect("connected");
        let asked = async {
            let result = conn.query_iter(sql).await?;
            let affected = result.affected_rows();
            result.drop_result().await?;
            Ok(affected)
        };
        match self.runtime.block_on(async { tokio::time::timeout(LIMIT, asked).await }) {
            Ok(Ok(affected)) => Ok(affected),
            Ok(Err(mysql_async::Error::Server(refused))) => Err(refused.message),
            // Where a statement makes it panic it closes the connection.
            Ok(Err(mysql_async::Error::Io(closed))) => {
                self.conn = None;
                Err(format!("{PANIC}: {closed}"))
            }
            Ok(Err(other)) => panic!("{sql}: {other}"),
            Err(late) => panic!("{sql}: {late}"),
        }
    }

    fn connect(&mut self) {
        let conn = self.runtime.block_on(Conn::new(self.opts.clone()));
        self.conn = Some(conn.expect("a server that has caught its panic takes another connection"));
        self.must("set time_zone = '+00:00'");
    }

    fn must(&mut self, sql: &str) {
        self.ask(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
    }

    /// A new database.
    pub(super) fn database(&mut self) -> Theirs<'_> {
        self.cases += 1;
        let name = format!("case{}", self.cases);
        self.must(&format!("create database {name}"));
        self.must(&format!("use {name}"));
        Theirs { server: self, name, on: "main".to_owned(), script: Vec::new() }
    }
}

impl Theirs<'_> {
    pub(super) fn dir(&self) -> PathBuf {
        self.server.town.database(&self.name)
    }

    pub(super) fn server(&self) -> &Server {
        self.server
    }

    /// All statements so far.
    pub(super) fn script(&self) -> &[String] {
        &self.script
    }

    fn ask(&mut self, sql: &str) -> Told {
        let told = self.server.ask(sql);
        if self.server.conn.is_none() {
            self.server.connect();
            for again in [format!("use {}", self.name), format!("call dolt_checkout('{}')", self.on)] {
                self.server.must(&again);
            }
        }
        self.script.push(match &told {
            Ok(_) => sql.to_owned(),
            Err(problem) => format!("{sql} -- refused: {problem}"),
        });
        told
    }

    /// Makes a table, with those of its indexes and foreign keys that Dolt takes.
    pub(super) fn create(&mut self, table: &Table, tables: &[Table]) {
        let made = self.ask(&table.create());
        assert!(made.is_ok(), "{}: {made:?}", table.create());
        for index in &table.indexes {
            let _taken = self.ask(&table.add_index(index));
        }
        for key in &table.foreign_keys {
            let _taken = self.ask(&table.add_foreign_key(key, tables));
        }
    }

    /// Does what is planned, except for what our side has refused alone.
    pub(super) fn run(
        &mut self,
        plan: &Plan,
        tables: &[Table],
        state: &State,
        now: i64,
        did: &[Did],
    ) -> Vec<Option<Told>> {
        let by = format!("'--author', '{NAME} <{EMAIL}>'");
        let statement = |n: usize, did: &Did| match plan {
            Plan::Each(_) | Plan::All(_) => plan.statement(n, tables, state, now, &did.effect()),
            Plan::Define { sql, .. } => sql.clone(),
            Plan::Ignore { pattern, ignored } => ignore_sql(pattern, *ignored),
            Plan::NoLongerIgnore { pattern } => {
                format!("delete from dolt_ignore where pattern = {}", literal(pattern))
            }
            Plan::Commit { allow_empty } => {
                let empty = if *allow_empty { "'--allow-empty', " } else { "" };
                format!("call dolt_commit('-A', {empty}'-m', 'it''s all', {by}, '--date', '{DATE}')")
            }
            Plan::Branch { name } => format!("call dolt_branch('{name}')"),
            Plan::Switch { to, .. } => format!("call dolt_checkout('{to}')"),
            Plan::DeleteBranch { name } => format!("call dolt_branch('-D', '{name}')"),
            Plan::Reset { to, how: Back::Soft } => format!("call dolt_reset('--soft', '{to}')"),
            Plan::Reset { to, how: Back::Mixed } => format!("call dolt_reset('{to}')"),
            Plan::Reset { to, how: Back::Hard } => format!("call dolt_reset('--hard', '{to}')"),
            Plan::PutBack { table } => format!("call dolt_checkout('--', {})", literal(table)),
            Plan::Tag { name } => format!("call dolt_tag('-m', 'a tag', {by}, '{name}')"),
            Plan::Reopen { .. } => "select 1".to_owned(),
        };
        let is_transaction = matches!(plan, Plan::Each(_)) && did.len() > 1;
        if is_transaction {
            self.ask("start transaction").unwrap();
        }
        let ask = |(n, did): (usize, &Did)| match did {
            Did::NotOurs(_) => None,
            did => Some(self.ask(&statement(n, did))),
        };
        let told: Vec<Option<Told>> = did.iter().enumerate().map(ask).collect();
        if let (Plan::Switch { to, .. }, [Some(Ok(_))]) = (plan, &told[..]) {
            self.on.clone_from(to);
        }
        if is_transaction {
            self.ask("commit").unwrap();
        }
        told
    }

    /// Lets the server forget what it only remembers: which numbers it gave to rows that are not there.
    pub(super) fn forget(&mut self) {
        let (name, branch) = (self.name.clone(), self.on.clone());
        for sql in [
            "use information_schema".to_owned(),
            format!("drop database {name}"),
            format!("call dolt_undrop('{name}')"),
            format!("use {name}"),
            format!("call dolt_checkout('{branch}')"),
        ] {
            self.ask(&sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
        }
    }
}

impl Drop for Theirs<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.server.must("use information_schema");
        self.server.must(&format!("drop database {}", self.name));
        self.server.must("call dolt_purge_dropped_databases()");
    }
}
