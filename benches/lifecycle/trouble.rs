//! When something is wrong with the server, how soon does `gt` say so?

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use gt::sys::process::{Handle, Pid};
use nix::sys::signal::{Signal, kill};

use super::town::{BenchTown, dolt_path};
use crate::common::page::progress;
use crate::common::rows::{Samples, Table, Target};

pub(crate) fn measure(rounds: usize) -> Table {
    let town = BenchTown::with(10);
    let (mut death, mut stopped, mut mute) = (Samples::default(), Samples::default(), Samples::default());
    for n in 0..=rounds {
        progress(&format!("trouble, round {n} of {rounds}"));
        let took =
            (told_of_a_death(&town), looked_at_a_stopped_server(&town), looked_at_a_mute_server(&town));
        if n > 0 {
            death.push(took.0);
            stopped.push(took.1);
            mute.push(took.2);
        }
    }
    let mut table = Table::new("Trouble, 10 databases");
    table.row(
        "a server dies at start: its end → `gt dolt start` has said why",
        death,
        Target::BelowMs(100.0, ""),
    );
    table.row("`gt dolt status`, server stopped by SIGSTOP", stopped, Target::BelowMs(1000.0, ""));
    table.row(
        "`gt dolt status`, server takes connections and says nothing",
        mute,
        Target::BelowMs(1000.0, ""),
    );
    table
}

/// Starts a server that cannot read its own privileges, which it notices late in its boot: how long from its end, as the
/// kernel tells it to us too, until `gt` has ended with Dolt's words.
fn told_of_a_death(town: &BenchTown) -> Duration {
    let privileges = town.data_dir().join(".doltcfg/privileges.db");
    fs::create_dir_all(privileges.parent().unwrap()).unwrap();
    fs::write(&privileges, "these are none\n").unwrap();
    let mut start = town.command(&["dolt", "start"]);
    let start = start.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let server = server_of(town);
    town.runtime().block_on(server.ended());
    let ended = Instant::now();
    let output = start.wait_with_output().unwrap();
    let told = ended.elapsed();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("ill formatted privileges file"), "{output:?}");
    fs::remove_file(privileges).unwrap();
    told
}

/// The server that a start has just spawned.
fn server_of(town: &BenchTown) -> Handle {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        assert!(Instant::now() < deadline, "no server was spawned");
        if let Some(pid) = town.pid()
            && let Some(server) = Handle::open(Pid::new(pid).unwrap()).unwrap()
        {
            return server;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn looked_at_a_stopped_server(town: &BenchTown) -> Duration {
    town.gt(&["dolt", "start"]);
    let server = nix::unistd::Pid::from_raw(town.pid().unwrap());
    kill(server, Signal::SIGSTOP).unwrap();
    let took = looked(town);
    kill(server, Signal::SIGCONT).unwrap();
    town.gt(&["dolt", "stop"]);
    took
}

/// The server is this program, on the word of a script that is called `dolt`.
fn looked_at_a_mute_server(town: &BenchTown) -> Duration {
    let dir = tempfile::tempdir().unwrap();
    let (own, real) = (std::env::current_exe().unwrap(), dolt_path());
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = sql-server ] && exec env {MUTE_PORT}={} '{}' \"$@\"\nexec '{}' \"$@\"\n",
        town.port(),
        own.display(),
        real.display()
    );
    fs::write(dir.path().join("dolt"), script).unwrap();
    fs::set_permissions(dir.path().join("dolt"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut start = town.command(&["dolt", "start", "--timeout", "300ms"]);
    start.env("PATH", std::env::join_paths([dir.path(), Path::new("/usr/bin"), Path::new("/bin")]).unwrap());
    let output = start.output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("has not answered"), "{output:?}");
    let took = looked(town);
    town.gt(&["dolt", "stop"]);
    took
}

fn looked(town: &BenchTown) -> Duration {
    let begun = Instant::now();
    let output = town.command(&["dolt", "status"]).output().unwrap();
    let took = begun.elapsed();
    assert!(String::from_utf8_lossy(&output.stdout).contains("not answering"), "{output:?}");
    took
}

const MUTE_PORT: &str = "GT_BENCH_MUTE_PORT";

/// Whether this process is the mute server; then its life is over. The kernel takes the connections; a signal ends it, or
/// the time.
pub(crate) fn was_mute_server() -> bool {
    let Ok(port) = std::env::var(MUTE_PORT) else { return false };
    let listener = TcpListener::bind(("127.0.0.1", port.parse().unwrap())).unwrap();
    std::thread::sleep(Duration::from_mins(2));
    drop(listener);
    true
}
