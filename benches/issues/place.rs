//! Workspaces with many issues, and a server at one of them.

use std::fmt::Write;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gt::store::{Server, server};

use crate::common::places::copy_dir;
use crate::store::room::{Room, bd_path, dolt_path, issue, run};

/// Our program under bd's name.
pub(crate) fn ours(room: &Room, project: &Path, args: &[&str]) -> Command {
    room.command(Path::new(env!("CARGO_BIN_EXE_bd")), project, args)
}

/// The real one.
pub(crate) fn theirs(room: &Room, project: &Path, args: &[&str]) -> Command {
    room.command(&bd_path(), project, args)
}

/// Lines to import: half of them with a label, each fourth waits for the one before.
pub(crate) fn lines(count: usize) -> String {
    let mut lines = String::new();
    for n in 1..=count {
        let words = "Some words that describe what is to be done. ".repeat(1 + n % 8);
        let label = if n % 2 == 0 { r#","labels":["backend"]"# } else { "" };
        let edge = if n % 4 == 0 {
            let (from, to) = (issue(n), issue(n - 1));
            format!(r#","dependencies":[{{"issue_id":"{from}","depends_on_id":"{to}","type":"blocks"}}]"#)
        } else {
            String::new()
        };
        let id = issue(n);
        writeln!(
            lines,
            r#"{{"id":"{id}","title":"Issue number {n}","description":"{words}","priority":{}{label}{edge}}}"#,
            n % 5
        )
        .unwrap();
    }
    lines
}

/// A workspace that the real bd has made, with so many issues, imported by us: bd would take minutes.
pub(crate) fn workspace(room: &Room, name: &str, issues: usize) -> PathBuf {
    let project = room.folder(name);
    run(theirs(room, &project, &["init", "--prefix", "gt", "--skip-agents", "--skip-hooks"]));
    if issues > 0 {
        fs::write(project.join("issues.in"), lines(issues)).unwrap();
        run(ours(room, &project, &["import", "issues.in"]));
    }
    project
}

/// A copy under another name, instead of what had it before.
pub(crate) fn copy(room: &Room, project: &Path, name: &str) -> PathBuf {
    let copy = room.folder(name);
    fs::remove_dir_all(&copy).unwrap();
    copy_dir(project, &copy);
    copy
}

/// A server of the real Dolt at a workspace, which is told of it. Ended when dropped.
pub(crate) struct Served {
    process: Child,
    pub(crate) project: PathBuf,
}

impl Served {
    pub(crate) fn new(room: &Room, project: &Path) -> Self {
        let beads = project.join(".beads");
        let data_dir = beads.join("embeddeddolt");
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let args = ["sql-server", "--host", "127.0.0.1", "--port", &port.to_string(), "--data-dir", "."];
        let mut command = room.command(&dolt_path(), &data_dir, &args);
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let settings = Server {
            host: "127.0.0.1".into(),
            port: None,
            user: "root".into(),
            password: None,
            database: "gt".into(),
            tls: false,
        };
        let begun = Instant::now();
        while server::holding(&data_dir.join("gt"), &settings).is_none() {
            assert!(begun.elapsed() < Duration::from_secs(30), "the server does not come up");
            std::thread::sleep(Duration::from_millis(5));
        }
        wait_until_idle(process.id());
        let metadata = fs::read_to_string(beads.join("metadata.json")).unwrap();
        let mut metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
        for (key, value) in [
            ("dolt_mode", "server"),
            ("dolt_server_host", "127.0.0.1"),
            ("dolt_server_user", "root"),
            ("dolt_data_dir", "embeddeddolt"),
        ] {
            metadata[key] = value.into();
        }
        fs::write(beads.join("metadata.json"), metadata.to_string()).unwrap();
        fs::write(beads.join("dolt-server.port"), port.to_string()).unwrap();
        Self { process, project: project.to_owned() }
    }
}

/// Dolt looks through all its tables once it is up, with a whole processor. A server that people work with has done so.
fn wait_until_idle(pid: u32) {
    let begun = Instant::now();
    let mut before = None;
    loop {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let ticks: Vec<u64> = stat
            .rsplit(')')
            .next()
            .unwrap()
            .split(' ')
            .skip(12)
            .take(2)
            .map(|n| n.parse().unwrap())
            .collect();
        if before.as_ref() == Some(&ticks) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "the server does not come to rest");
        before = Some(ticks);
        std::thread::sleep(Duration::from_millis(250));
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
