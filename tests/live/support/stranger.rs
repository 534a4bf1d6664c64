//! A stranger: a program that listens on a port and is not Dolt. It is this test binary itself, started once more, so
//! that nothing needs to be installed for it.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use super::town::Child;
use super::wait_until;

const PORT: &str = "GT_TEST_STRANGER_PORT";
const SILENT_PORT: &str = "GT_TEST_SILENT_PORT";

/// Starts a stranger on this port, standing in this directory.
pub(crate) fn stranger_on(port: u16, cwd: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "support::stranger::is_a_program_of_its_own_when_asked", "--nocapture"]);
    command.env(PORT, port.to_string()).current_dir(cwd);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = Child(command.spawn().unwrap());
    wait_until("the stranger listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    child
}

// What the stranger runs; an ordinary run of the tests passes through.
#[test]
fn is_a_program_of_its_own_when_asked() {
    let Ok(port) = std::env::var(PORT) else { return };
    let listener = TcpListener::bind(("127.0.0.1", port.parse().unwrap())).unwrap();
    std::thread::spawn(move || listener.incoming().map(drop).count());
    // Its standard input closes when the test ends, however that ends.
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

/// A line of a fake `dolt` that becomes a server on this port which takes connections and never says a word.
pub(crate) fn silent_server_on(port: u16) -> String {
    let program = std::env::current_exe().unwrap();
    let test = "support::stranger::is_a_silent_server_when_asked";
    format!("exec env {SILENT_PORT}={port} {} --exact {test} --nocapture sql-server", program.display())
}

// What the silent server runs. The kernel takes the connections; it is a signal that ends this, or the time.
#[test]
fn is_a_silent_server_when_asked() {
    let Ok(port) = std::env::var(SILENT_PORT) else { return };
    let listener = TcpListener::bind(("127.0.0.1", port.parse().unwrap())).unwrap();
    let (_open, nothing) = std::sync::mpsc::channel::<()>();
    nothing.recv_timeout(std::time::Duration::from_mins(2)).unwrap_err();
    drop(listener);
}
