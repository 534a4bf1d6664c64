//! Issues on a server that is another machine's for all that we can know: TLS, a login name and a password. Nothing but SQL will
//! do there, and nothing is said to a server that does not prove who it is.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use crate::support::{Child, Dolt, Ran, TestTown, bd, free_port, run, wait_until};

const PASSWORD: &str = "open it's me";

/// A server with TLS, a user with a password, and a workspace whose files name them.
struct Remote {
    town: TestTown,
    port: u16,
    _server: Child,
}

impl Remote {
    fn new(dolt: Dolt, requires_tls: bool) -> Self {
        let town = TestTown::build(dolt, &[], free_port());
        let port = free_port();
        let place = town.outside().join("elsewhere");
        fs::create_dir_all(place.join("data/x")).unwrap();
        let key =
            rcgen::generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
        fs::write(place.join("cert.pem"), key.cert.pem()).unwrap();
        fs::write(place.join("key.pem"), key.signing_key.serialize_pem()).unwrap();
        let other = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        fs::write(place.join("stranger.pem"), other.cert.pem()).unwrap();
        let tls = if requires_tls {
            "  tls_cert: ../cert.pem\n  tls_key: ../key.pem\n  require_secure_transport: true\n"
        } else {
            ""
        };
        let config = format!("listener:\n  host: 127.0.0.1\n  port: {port}\n{tls}");
        fs::write(place.join("config.yaml"), config).unwrap();
        let in_dolt = |dir: &str, args: &[&str]| {
            let mut command = Command::new(dolt.path());
            command.args(args);
            town.seal(&mut command);
            command.current_dir(place.join(dir)).env("PWD", place.join(dir));
            command
        };
        let user = format!(
            "create user 'agent'@'%' identified by '{}'; grant all on *.* to 'agent'@'%' with grant option",
            PASSWORD.replace('\'', "''")
        );
        run(in_dolt("data", &["sql", "-q", &user])).ok();
        let mut command = in_dolt("data", &["sql-server", "--config", "../config.yaml"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let server = Child(command.spawn().unwrap());
        wait_until("the server listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        fs::create_dir(town.outside().join("project")).unwrap();
        Self { town, port, _server: server }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.town.outside().join(name)
    }

    fn with(&self, program: PathBuf, trusted: &str, password: &str, args: &[&str]) -> Ran {
        let mut command = Command::new(program);
        command.args(args);
        self.town.seal(&mut command);
        let project = self.file("project");
        command.current_dir(&project).env("PWD", &project).env("BD_NON_INTERACTIVE", "1");
        command
            .env("SSL_CERT_FILE", self.file("elsewhere").join(trusted))
            .env("BEADS_DOLT_SERVER_TLS", "1")
            .env("BEADS_DOLT_PASSWORD", password);
        run(command)
    }

    fn ours(&self, args: &[&str]) -> Ran {
        self.with(env!("CARGO_BIN_EXE_bd").into(), "cert.pem", PASSWORD, args)
    }

    fn theirs(&self, args: &[&str]) -> Ran {
        self.with(bd(), "cert.pem", PASSWORD, args)
    }

    fn init(&self, trusted: &str, password: &str) -> Ran {
        self.init_at(self.port, trusted, password)
    }

    fn init_at(&self, port: u16, trusted: &str, password: &str) -> Ran {
        let port = port.to_string();
        let args = ["init", "--server", "--server-host", "127.0.0.1", "--server-port", &port];
        let more = ["--server-user", "agent", "--prefix", "x", "--database", "x_issues"];
        let quiet = ["--skip-agents", "--skip-hooks"];
        self.with(env!("CARGO_BIN_EXE_bd").into(), trusted, password, &[&args[..], &more, &quiet].concat())
    }
}

/// Passes on what is said to the server at this port, and keeps what the client has said.
fn overhear(server: u16) -> (u16, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let (port, heard) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
    let kept = Arc::clone(&heard);
    thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, mut server) =
                (client.unwrap(), TcpStream::connect(("127.0.0.1", server)).unwrap());
            let (mut answers, mut back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut answers, &mut back));
            let mut bytes = [0; 4096];
            // A client that goes away is an end too.
            while let Ok(count @ 1..) = client.read(&mut bytes) {
                kept.lock().unwrap().extend_from_slice(&bytes[..count]);
                if server.write_all(&bytes[..count]).is_err() {
                    break;
                }
            }
        }
    });
    (port, heard)
}

fn says(heard: &Mutex<Vec<u8>>, words: &str) -> bool {
    heard.lock().unwrap().windows(words.len()).any(|part| part == words.as_bytes())
}

fn ids(shown: &Value) -> Vec<&str> {
    shown.as_array().unwrap().iter().map(|issue| issue["id"].as_str().unwrap()).collect()
}

#[test]
fn a_database_behind_tls_and_a_password_is_made_read_and_written_as_by_the_real_bd() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let remote = Remote::new(dolt, true);
        remote.init("cert.pem", PASSWORD).ok().says("Database: x_issues");
        let context = remote.ours(&["context", "--json"]).ok().json();
        assert_eq!(context["engine"], "server", "{context}");
        remote.ours(&["create", "By us", "--id", "x-1", "-p", "1"]).ok();
        remote.theirs(&["create", "By them", "--id", "x-2", "--deps", "x-1"]).ok();
        remote.ours(&["create", "Gone tomorrow", "--ephemeral", "--id", "x-wisp-1"]).ok();
        assert_eq!(ids(&remote.ours(&["ready", "--json"]).ok().json()), ["x-1"]);
        remote.ours(&["update", "x-1", "--claim"]).ok();
        remote.ours(&["close", "x-1", "--reason", "it's done"]).ok();
        assert_eq!(ids(&remote.ours(&["ready", "--json"]).ok().json()), ["x-2"]);
        for question in [&["list", "--all", "--json"][..], &["show", "x-1", "--json"], &["status", "--json"]]
        {
            assert_eq!(
                remote.ours(question).ok().json(),
                remote.theirs(question).ok().json(),
                "{question:?}"
            );
        }
        let counted = remote.ours(&["sql", "select count(*) as n from issues", "--json"]).ok().json();
        assert_eq!(counted, serde_json::json!([{ "n": 2 }]));
        remote.ours(&["doctor"]).ok().says("0 errors");
        remote.ours(&["vc", "log", "-n", "1"]).ok().says("close x-1");
        remote.ours(&["vc", "status"]).ok().says("Branch: main");
        let exported = remote.ours(&["export"]).ok().out;
        assert_eq!(exported.lines().count(), 2);
        fs::write(remote.file("lines.jsonl"), &exported).unwrap();
        remote.ours(&["import", "../lines.jsonl"]).ok();
        assert_eq!(remote.theirs(&["export"]).ok().out.lines().count(), 2);
    }
}

#[test]
fn nothing_is_said_to_a_server_that_does_not_prove_who_it_is() {
    let remote = Remote::new(Dolt::V1, true);
    let (port, heard) = overhear(remote.port);
    remote.init_at(port, "stranger.pem", PASSWORD).fails(1).says("certificate").never_says(PASSWORD);
    assert!(!heard.lock().unwrap().is_empty(), "it asked for TLS");
    for words in ["agent", PASSWORD, "x_issues", "mysql_native_password", "caching_sha2_password"] {
        assert!(!says(&heard, words), "{words} was said in the clear");
    }
    remote.init("cert.pem", "wrong").fails(1).says("Access denied").never_says("wrong");
    remote
        .init("missing.pem", PASSWORD)
        .fails(1)
        .says("no certificate authority is known")
        .says("SSL_CERT_FILE");
    remote.init("cert.pem", PASSWORD).ok();
    let stranger = |args: &[&str]| {
        remote
            .with(env!("CARGO_BIN_EXE_bd").into(), "stranger.pem", PASSWORD, args)
            .fails(1)
            .says("certificate");
    };
    stranger(&["list"]);
    stranger(&["create", "Never said"]);
    remote.ours(&["list", "--all"]).ok().never_says("Never said");
    // A server without TLS is refused before anything is said.
    let plain = Remote::new(Dolt::V1, false);
    let (port, heard) = overhear(plain.port);
    plain.init_at(port, "cert.pem", PASSWORD).fails(1).says("server does not have this capability");
    assert!(heard.lock().unwrap().is_empty(), "{heard:?}");
}
