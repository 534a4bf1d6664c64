//! The real Dolt's side: one server for many cases, asked over one connection.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, OptsBuilder};
use tokio::runtime::Runtime;

use super::plan::Plan;
use super::schema::Table;
use crate::support::{Child, Dolt, TestTown, free_port, wait_until};

/// What every commit and every tag says, on both sides.
pub(super) const DATE: &str = "2026-01-02T03:04:05";
pub(super) const NAME: &str = "t";
pub(super) const EMAIL: &str = "t@example.com";
/// Longer than any statement takes.
const LIMIT: Duration = Duration::from_mins(1);

/// A server of one Dolt.
pub(super) struct Server {
    pub(super) dolt: Dolt,
    runtime: Runtime,
    conn: Option<Conn>,
    cases: usize,
    // Ended before its directory goes.
    _process: Child,
    pub(super) town: TestTown,
}

/// A database on it.
pub(super) struct Theirs<'s> {
    server: &'s mut Server,
    name: String,
    script: Vec<String>,
}

/// What became of a statement: how many rows it touched, or why it was refused.
pub(super) type Told = Result<u64, String>;

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
        let mut server = Self { dolt, runtime, conn, cases: 0, _process: process, town };
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
            Ok(Err(other)) => panic!("{sql}: {other}"),
            Err(late) => panic!("{sql}: {late}"),
        }
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
        Theirs { server: self, name, script: Vec::new() }
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
        self.script.push(match &told {
            Ok(_) => sql.to_owned(),
            Err(problem) => format!("{sql} -- refused: {problem}"),
        });
        told
    }

    /// Makes a table behind others; gives it without the indexes and foreign keys that Dolt does not make.
    pub(super) fn create(&mut self, table: &Table, before: &[Table]) -> Table {
        let made = self.ask(&table.create());
        assert!(made.is_ok(), "{}: {made:?}", table.create());
        let indexes = table.indexes.iter().filter(|index| self.ask(&table.add_index(index)).is_ok()).cloned();
        let indexes = indexes.collect();
        let keys = table.foreign_keys.iter();
        let keys = keys.filter(|key| self.ask(&table.add_foreign_key(key, before)).is_ok()).cloned();
        Table { indexes, foreign_keys: keys.collect(), ..table.clone() }
    }

    /// Does what is planned.
    pub(super) fn run(&mut self, plan: &Plan, tables: &[Table]) -> Vec<Told> {
        let statements = match plan {
            Plan::Each(_) | Plan::All(_) => plan.statements(tables),
            Plan::Commit { allow_empty } => {
                let empty = if *allow_empty { "'--allow-empty', " } else { "" };
                let by = format!("'--author', '{NAME} <{EMAIL}>', '--date', '{DATE}'");
                vec![(format!("call dolt_commit('-A', {empty}'-m', 'it''s all', {by})"), None)]
            }
            Plan::Branch { name } => vec![(format!("call dolt_branch('{name}')"), None)],
            Plan::Switch { to } => vec![(format!("call dolt_checkout('{to}')"), None)],
            Plan::DeleteBranch { name } => vec![(format!("call dolt_branch('-D', '{name}')"), None)],
            Plan::Tag { name } => {
                vec![(
                    format!("call dolt_tag('-m', 'a tag', '--author', '{NAME} <{EMAIL}>', '{name}')"),
                    None,
                )]
            }
            Plan::Reopen { .. } => Vec::new(),
        };
        let is_transaction = matches!(plan, Plan::Each(_)) && statements.len() > 1;
        if is_transaction {
            self.ask("start transaction").unwrap();
        }
        let told = statements.iter().map(|(sql, _)| self.ask(sql)).collect();
        if is_transaction {
            self.ask("commit").unwrap();
        }
        told
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
