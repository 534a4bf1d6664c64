//! A town to measure in: temporary, with a port, a HOME and databases of its own.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gt::sql::{Client, Endpoint};
use gt::sys::net::Port;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::common::machine;
use crate::common::places::{copy_dir, quiet_home, servers_below};

/// The pinned Dolt that is measured.
pub(crate) fn dolt_path() -> PathBuf {
    machine::pinned("dolt-1.88.1")
}

/// A town with a number of small databases, each with an owner. Its server is ended when this is dropped.
pub(crate) struct BenchTown {
    dir: tempfile::TempDir,
    root: PathBuf,
    port: Port,
    databases: Vec<String>,
    runtime: tokio::runtime::Runtime,
}

impl BenchTown {
    pub(crate) fn with(count: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("town");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut town = Self { dir, root, port: free_port(), databases: Vec::new(), runtime };
        quiet_home(&town.dir.path().join("home"));
        let port = town.port.to_string();
        let root = town.root.to_str().unwrap().to_owned();
        town.run(town.command_in(town.dir.path(), &["install", &root, "--dolt-port", &port]));
        town.databases.push("hq".to_owned());
        for n in 1..count {
            let name = format!("rig{n:02}");
            // The rest are copies of the first, with the files that make them a rig's.
            copy_dir(&town.data_dir().join("hq"), &town.data_dir().join(&name));
            town.gt(&["rig", "add", &name, "--prefix", &name]);
            town.databases.push(name);
        }
        town
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.root.join(".dolt-data")
    }

    /// The server's PID, by its file.
    pub(crate) fn pid(&self) -> Option<i32> {
        fs::read_to_string(self.root.join("daemon/dolt.pid")).ok()?.trim().parse().ok()
    }

    pub(crate) fn port(&self) -> Port {
        self.port
    }

    pub(crate) fn runtime(&self) -> &tokio::runtime::Runtime {
        &self.runtime
    }

    /// A `gt` command in the town, with an environment of its own.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.command_in(&self.root, args)
    }

    fn command_in(&self, cwd: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gt"));
        command.args(args).current_dir(cwd);
        self.seal(&mut command);
        command
    }

    fn seal(&self, command: &mut Command) {
        command
            .env_clear()
            .env("HOME", self.dir.path().join("home"))
            .env("PATH", dolt_path().parent().unwrap());
        command.stdin(Stdio::null());
    }

    /// Runs `gt` to its end, which must be a success; gives how long that took.
    pub(crate) fn gt(&self, args: &[&str]) -> Duration {
        self.run(self.command(args))
    }

    #[expect(clippy::unused_self, reason = "a command of this town")]
    fn run(&self, mut command: Command) -> Duration {
        let begun = Instant::now();
        let output = command.output().unwrap();
        let took = begun.elapsed();
        assert!(output.status.success(), "{command:?}: {output:?}");
        took
    }

    /// Dolt without us, on the files that we made: how long from its launch until it answers `SHOW DATABASES` with every
    /// database, and how long from SIGTERM, at the age of `age`, until it is gone.
    pub(crate) fn dolt_alone(&self, age: Duration) -> (Duration, Duration) {
        let config = self.data_dir().join("config.yaml");
        if !config.exists() {
            // The very first round: a start writes it.
            self.gt(&["dolt", "start"]);
            self.gt(&["dolt", "stop"]);
        }
        let log = fs::OpenOptions::new().append(true).open(self.root.join("daemon/dolt.log")).unwrap();
        let mut command = Command::new(dolt_path());
        command.arg("sql-server").arg("--config").arg(&config).current_dir(self.data_dir());
        self.seal(&mut command);
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let begun = Instant::now();
        let mut child = command.spawn().unwrap();
        self.runtime.block_on(self.until_all_are_served(&mut child));
        let ready = begun.elapsed();
        std::thread::sleep(age);
        let begun = Instant::now();
        kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGTERM).unwrap();
        let status = child.wait().unwrap();
        let gone = begun.elapsed();
        assert!(status.success(), "dolt ended with {status}");
        (ready, gone)
    }

    async fn until_all_are_served(&self, child: &mut Child) {
        let endpoint = Endpoint {
            host: "127.0.0.1".into(),
            port: self.port,
            user: "root".into(),
            password: None,
            tls: false,
        };
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            if let Ok(mut client) = Client::connect(&endpoint, None, Duration::from_secs(2)).await {
                let served = client.databases().await.unwrap_or_default();
                if self.databases.iter().all(|d| served.contains(d)) {
                    client.close().await;
                    return;
                }
            }
            assert!(Instant::now() < deadline, "dolt does not answer");
            assert!(child.try_wait().unwrap().is_none(), "dolt ended");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// So many starts at once: how long until the last has returned. All must succeed, with one server between them.
    pub(crate) fn herd(&self, count: usize) -> Duration {
        let begun = Instant::now();
        let spawn = |_| {
            let mut command = self.command(&["dolt", "start"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let herd: Vec<Child> = (0..count).map(spawn).collect();
        let ended: Vec<_> = herd.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
        let took = begun.elapsed();
        for output in &ended {
            assert!(output.status.success(), "{output:?}");
        }
        assert_eq!(self.servers().len(), 1, "one server after {count} starts at once");
        took
    }

    fn servers(&self) -> Vec<i32> {
        servers_below(&self.root)
    }

    /// How many programs a command launches, as seen by stand-ins that are all there is on its PATH.
    pub(crate) fn programs_launched_by(&self, args: &[&str]) -> usize {
        let dir = self.dir.path().join("stand-ins");
        fs::create_dir_all(&dir).unwrap();
        let seen = dir.join("seen");
        for name in ["dolt", "bd", "git", "lsof", "ss", "ps", "sh", "tail", "cp", "which"] {
            let path = dir.join(name);
            fs::write(&path, format!("#!/bin/sh\necho {name} >> {}\n", seen.display())).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let mut command = self.command(args);
        command.env("PATH", &dir);
        self.run(command);
        fs::read_to_string(seen).unwrap_or_default().lines().count()
    }
}

impl Drop for BenchTown {
    fn drop(&mut self) {
        for pid in self.servers() {
            // After a failed assertion only; a measured server has been stopped.
            kill(Pid::from_raw(pid), Signal::SIGKILL).ok();
        }
    }
}

// Below the range from which the kernel takes ports for outgoing connections.
fn free_port() -> Port {
    let spread = u16::try_from(std::process::id() % 1000).unwrap();
    let mut ports = (24_000 + spread..30_000).filter_map(Port::new);
    ports.find(|p| TcpListener::bind(("127.0.0.1", p.get())).is_ok()).unwrap()
}
