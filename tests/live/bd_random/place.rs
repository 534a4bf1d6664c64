//! A workspace that bd's and our program use in turn, and the server that may hold its database.
//!
//! bd writes embedded while nobody holds the database, and through a server otherwise; which of the two it does stands in
//! `metadata.json`. So that file is exchanged whenever a server comes or goes. What could go wrong is that bd starts a server of
//! its own for another directory and the two programs no longer speak of one database: a server counts as up only when our own
//! proof names the process that was started here, and the data directory is one for both modes.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Instant;

use gt::store::{Server, server};

use super::plan::State;
use crate::support::{Child, Dolt, Ran, TestTown, bd, copy_tree, free_port, run, signal, wait_until};

/// Who runs a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Ours,
    Theirs,
}

impl Who {
    fn program(self) -> PathBuf {
        match self {
            Self::Ours => PathBuf::from(env!("CARGO_BIN_EXE_bd")),
            Self::Theirs => bd(),
        }
    }
}

/// A server that meets the lock of a writer ends; so often in a row no writer is the reason.
const MOST_STARTS: u32 = 20;

/// A workspace with a database `x`.
#[derive(Debug)]
pub(crate) struct Workspace {
    // Dropped first: nothing may run in a directory that goes.
    server: Option<(Child, u16)>,
    pub(crate) town: TestTown,
    dir: PathBuf,
    embedded: String,
}

/// What `bd init` has made, once for all workspaces.
fn template() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let town = Box::leak(Box::new(TestTown::build(Dolt::V2, &[], free_port())));
        let dir = town.outside().join("project");
        fs::create_dir(&dir).unwrap();
        let init = ["init", "--prefix", "x", "--skip-agents", "--skip-hooks"];
        run(command(town, &dir, &bd(), &init)).ok();
        dir
    })
}

fn command(town: &TestTown, dir: &Path, program: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args);
    town.seal(&mut command);
    command.current_dir(dir).env("PWD", dir).env("BD_NON_INTERACTIVE", "1").env("BEADS_ACTOR", "me");
    command
}

impl Workspace {
    pub(crate) fn new() -> Self {
        Self::copy_of(template())
    }

    /// Of a workspace that no server serves.
    pub(crate) fn copy_of(project: &Path) -> Self {
        let town = TestTown::build(Dolt::V2, &[], free_port());
        let dir = town.outside().join("project");
        copy_tree(project, &dir);
        let embedded = fs::read_to_string(dir.join(".beads/metadata.json")).unwrap();
        Self { server: None, town, dir, embedded }
    }

    /// The directory of the project.
    pub(crate) fn project(&self) -> &Path {
        &self.dir
    }

    /// The directory of the database.
    pub(crate) fn database(&self) -> PathBuf {
        self.data_dir().join("x")
    }

    fn data_dir(&self) -> PathBuf {
        self.dir.join(".beads/embeddeddolt")
    }

    /// Whether a server is up.
    pub(crate) fn is_served(&self) -> bool {
        self.server.is_some()
    }

    /// A command that has not begun.
    pub(crate) fn command(&self, who: Who, args: &[&str]) -> Command {
        let mut command = command(&self.town, &self.dir, &who.program(), args);
        // A quarter of the time of a short-lived Go program is spent on tidying up memory that goes with it.
        command.env("GOGC", "off");
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, who: Who, args: &[&str], input: Option<&str>) -> Ran {
        let mut command = self.command(who, args);
        let Some(input) = input else { return run(command) };
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let (shown, begun) = (format!("{command:?}"), Instant::now());
        let mut child = command.spawn().unwrap();
        // A program that refuses its flags does not read.
        drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
        Ran::of(shown, child.wait_with_output().unwrap(), begun.elapsed())
    }

    /// Ends the server that is up, and starts the one that shall be.
    pub(crate) fn set(&mut self, state: State) {
        self.end("TERM");
        if let State::Up(dolt) = state {
            self.start(dolt);
        }
    }

    /// Sends the server a signal, if one is up, and waits for its end.
    pub(crate) fn end(&mut self, signal_name: &str) {
        if let Some((mut process, _)) = self.server.take() {
            signal(process.pid(), signal_name);
            process.0.wait().unwrap();
        }
        fs::remove_file(self.dir.join(".beads/dolt-server.port")).ok();
        self.replace("metadata.json", &self.embedded);
    }

    /// Starts a server; again, if it met the lock of a writer.
    pub(crate) fn start(&mut self, dolt: Dolt) {
        let port = free_port();
        let settings = Server {
            host: "127.0.0.1".into(),
            port: None,
            user: "root".into(),
            password: None,
            database: "x".into(),
            tls: false,
        };
        let mut starts = 0;
        let process = loop {
            starts += 1;
            assert!(starts <= MOST_STARTS, "no server comes up: each of {MOST_STARTS} has ended");
            let args = ["sql-server", "--host", "127.0.0.1", "--port", &port.to_string(), "--data-dir", "."];
            let mut command = command(&self.town, &self.data_dir(), &dolt.path(), &args);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let mut process = Child(command.spawn().unwrap());
            let mut has_ended = false;
            wait_until("a server is up or has ended", || {
                has_ended = process.0.try_wait().unwrap().is_some();
                let holder = server::holding(&self.database(), &settings).and_then(|found| found.process());
                has_ended || holder.is_some_and(|pid| pid.to_string() == process.pid().to_string())
            });
            if !has_ended {
                break process;
            }
        };
        self.server = Some((process, port));
        let mut metadata: serde_json::Value = serde_json::from_str(&self.embedded).unwrap();
        metadata["dolt_mode"] = "server".into();
        metadata["dolt_server_host"] = "127.0.0.1".into();
        metadata["dolt_server_user"] = "root".into();
        metadata["dolt_data_dir"] = "embeddeddolt".into();
        self.replace("dolt-server.port", &port.to_string());
        self.replace("metadata.json", &metadata.to_string());
    }

    // At once, as every program that writes these files does: commands are running.
    fn replace(&self, name: &str, text: &str) {
        let made = self.town.outside().join(name);
        fs::write(&made, text).unwrap();
        fs::rename(&made, self.dir.join(".beads").join(name)).unwrap();
    }

    /// Nothing is wrong with the database, for either Dolt. The server must be down.
    #[track_caller]
    pub(crate) fn is_sound(&self) {
        for dolt in [Dolt::V1, Dolt::V2] {
            let fsck = command(&self.town, &self.database(), &dolt.path(), &["fsck"]);
            run(fsck).ok().says("No problems found.");
        }
    }
}
