//! A town of one test.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Instant;

use super::places::{copy_dir, is_alive, quiet_home, servers_below};
use super::programs::Dolt;
use super::ran::{Ran, Running, run};

/// A port that nobody listens on and no other test of this run gets, nor the one after it, which a refusal offers. Below the range from which the kernel takes ports for
/// outgoing connections.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let spread = u16::try_from(std::process::id() % 100).unwrap() * 80;
    loop {
        let port = 21_000 + (spread + NEXT.fetch_add(2, Ordering::Relaxed)) % 9_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A town in a temporary directory, with a HOME beside it. Whatever runs in it is ended when it is dropped.
#[derive(Debug)]
pub(crate) struct TestTown {
    dir: tempfile::TempDir,
    pub(crate) root: PathBuf,
    pub(crate) port: u16,
    pub(crate) dolt: Dolt,
    path: OsString,
}

impl TestTown {
    /// A town with these databases (copies of a fresh `dolt init`), a port in mayor/daemon.json, no server.
    pub(crate) fn with(databases: &[&str]) -> Self {
        Self::build(Dolt::V1, databases, free_port())
    }

    pub(crate) fn build(dolt: Dolt, databases: &[&str], port: u16) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("t");
        quiet_home(&dir.path().join("home"));
        for part in ["mayor", ".beads", ".dolt-data"] {
            fs::create_dir_all(root.join(part)).unwrap();
        }
        fs::write(root.join("mayor/town.json"), r#"{"type":"town","version":1,"name":"t"}"#).unwrap();
        fs::write(root.join("mayor/rigs.json"), r#"{"version":1,"rigs":{}}"#).unwrap();
        let mut path = dolt.dir().into_os_string();
        path.push(":/usr/local/bin:/usr/bin:/bin");
        let town = Self { dir, root, port, dolt, path };
        town.set_daemon_port(port);
        for database in databases {
            town.add_database(database);
        }
        town
    }

    /// `HOME` of this test.
    pub(crate) fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    /// The directory that holds the town and its HOME: room for other things of the test.
    pub(crate) fn outside(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn set_daemon_port(&self, port: u16) {
        let text = format!(r#"{{"env":{{"GT_DOLT_PORT":"{port}"}}}}"#);
        fs::write(self.root.join("mayor/daemon.json"), text).unwrap();
    }

    /// Adds a database on disk by copying a fresh one.
    pub(crate) fn add_database(&self, name: &str) {
        copy_dir(self.dolt.template(), &self.database(name));
    }

    pub(crate) fn database(&self, name: &str) -> PathBuf {
        self.root.join(".dolt-data").join(name)
    }

    pub(crate) fn file(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    #[track_caller]
    pub(crate) fn read(&self, relative: &str) -> String {
        fs::read_to_string(self.file(relative)).unwrap_or_else(|e| panic!("{relative}: {e}"))
    }

    #[track_caller]
    pub(crate) fn json(&self, relative: &str) -> serde_json::Value {
        let text = self.read(relative);
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{relative}: {e}: {text}"))
    }

    /// No server, no PID file, the port is free.
    #[track_caller]
    pub(crate) fn nothing_runs(&self) {
        assert_eq!(self.status()["pid"], serde_json::Value::Null);
        assert!(!self.file("daemon/dolt.pid").exists(), "{:?}", fs::read(self.file("daemon/dolt.pid")));
        assert!(TcpListener::bind(("127.0.0.1", self.port)).is_ok(), "the port is taken");
    }

    pub(crate) fn write(&self, relative: &str, text: &str) {
        let path = self.file(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Puts a directory before everything else on PATH.
    pub(crate) fn first_on_path(&mut self, dir: &Path) {
        let mut path = dir.as_os_str().to_owned();
        path.push(":");
        path.push(&self.path);
        self.path = path;
    }

    /// Sets PATH as a whole.
    pub(crate) fn set_path(&mut self, path: &str) {
        self.path = path.into();
    }

    /// A `gt` command in the town's root, with a cleared environment.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gt"));
        command.args(args).current_dir(&self.root);
        self.seal(&mut command);
        command
    }

    /// Any program with the environment of this test.
    pub(crate) fn seal(&self, command: &mut Command) {
        command.env_clear().env("PATH", &self.path).env("HOME", self.home()).env("PWD", &self.root);
        // Without this each dolt starts another one, only to find that there is nobody to be told.
        command.env("DOLT_DISABLE_EVENT_FLUSH", "1");
        command.env("BD_DISABLE_METRICS", "1").stdin(Stdio::null());
    }

    /// Runs `gt`.
    pub(crate) fn gt(&self, args: &[&str]) -> Ran {
        run(self.command(args))
    }

    /// Runs `gt` with something on standard input.
    pub(crate) fn gt_with_input(&self, args: &[&str], input: &str) -> Ran {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let shown = format!("{command:?}");
        let begun = Instant::now();
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        Ran::of(shown, output, begun.elapsed())
    }

    /// Starts the server; gives its PID.
    #[track_caller]
    pub(crate) fn up(&self) -> i32 {
        self.gt(&["dolt", "start"]).ok();
        self.pid()
    }

    /// What the PID file says.
    #[track_caller]
    pub(crate) fn pid(&self) -> i32 {
        self.read("daemon/dolt.pid").trim().parse().unwrap()
    }

    /// Asks the running server; gives standard output.
    #[track_caller]
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        self.gt(&["dolt", "sql", "--db", database, "-q", sql]).ok().out
    }

    /// Starts a `dolt` that has its standard input open, as a forgotten shell has, and waits for nothing.
    pub(crate) fn start_dolt(&self, args: &[&str], cwd: &Path) -> Child {
        let mut command = Command::new(self.dolt.path());
        command.args(args);
        self.seal(&mut command);
        command.current_dir(cwd).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Child(command.spawn().unwrap())
    }

    /// Starts another program that ends with this test.
    pub(crate) fn start(&self, program: &str, args: &[&str], cwd: &Path) -> Child {
        let mut command = Command::new(program);
        command.args(args);
        self.seal(&mut command);
        command.current_dir(cwd).stdout(Stdio::null()).stderr(Stdio::null());
        Child(command.spawn().unwrap())
    }

    /// Starts `gt` beside the test.
    pub(crate) fn begin(&self, args: &[&str]) -> Running {
        Running::of(self.command(args))
    }

    /// The servers that live in this town, whoever started them.
    pub(crate) fn servers(&self) -> Vec<i32> {
        servers_below(&self.root)
    }

    /// What `gt dolt status --json` says.
    #[track_caller]
    pub(crate) fn status(&self) -> serde_json::Value {
        self.gt(&["dolt", "status", "--json"]).ok().json()
    }

    /// Nothing differs from an earlier snapshot.
    #[track_caller]
    pub(crate) fn unchanged_since(&self, before: &[(PathBuf, Vec<u8>)]) {
        let now = self.snapshot();
        let differs = |a: &[(PathBuf, Vec<u8>)], b: &[(PathBuf, Vec<u8>)]| -> Vec<PathBuf> {
            a.iter().filter(|f| !b.contains(f)).map(|f| f.0.clone()).collect()
        };
        let changed = (differs(before, &now), differs(&now, before));
        assert_eq!(changed, (Vec::new(), Vec::new()), "these files were and are different");
    }

    /// Every file below the town except what the server itself writes (its log, its statistics), with its content: to prove that nothing changed.
    pub(crate) fn snapshot(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        collect(&self.root, &mut found);
        found.retain(|(path, _)| {
            !path.ends_with("daemon/dolt.log") && !path.to_string_lossy().contains("/.dolt/stats/")
        });
        found.sort();
        found
    }
}

impl Drop for TestTown {
    fn drop(&mut self) {
        // A server stopped by a signal could not end.
        for pid in servers_below(self.outside()) {
            signal(pid, "CONT");
        }
        let stopped = self.gt(&["dolt", "stop", "--force", "--grace", "5s"]);
        for pid in servers_below(self.outside()) {
            eprintln!("still running after {stopped:?}: PID {pid}, ended by the test");
            signal(pid, "KILL");
        }
    }
}

/// Sends a signal to a process that this test started.
pub(crate) fn signal(pid: i32, name: &str) {
    let done = Command::new("kill").args([format!("-{name}"), pid.to_string()]).output().unwrap();
    drop(done);
}

/// Whether somebody holds a lock on this file.
pub(crate) fn is_locked(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let Ok(inode) = fs::metadata(path).map(|m| m.ino()) else { return false };
    let table = fs::read_to_string("/proc/locks").unwrap();
    table.lines().any(|l| l.contains(&format!(":{inode} ")) && !l.contains("->"))
}

/// Another program, killed and reaped when dropped.
#[derive(Debug)]
pub(crate) struct Child(pub(crate) std::process::Child);

impl Child {
    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap()
    }

    pub(crate) fn is_alive(&self) -> bool {
        is_alive(self.pid())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn collect(dir: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => collect(&path, found),
            Ok(kind) if kind.is_file() => found.push((path.clone(), fs::read(&path).unwrap_or_default())),
            _ => {}
        }
    }
}
