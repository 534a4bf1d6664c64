//! One database and everybody who writes it: bd, `dolt`, servers that are ended or killed, garbage collections, and we, natively;
//! one after another, and two at a time racing for the lock. Whoever was told that something is written finds it at the end.
//!
//! `make soak` takes many more turns. What could go wrong here is that a race is always lost by the same: so what each of them
//! got done is counted.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use dolt_store::chunk::ReadOptions;
use dolt_store::commit::{Author, CommitMeta, Database};
use dolt_store::table::Value;
use dolt_store::verify::verify;
use gt::sql::{Client, Endpoint};
use gt::sys::net::Port;

use crate::differential::Random;
use crate::support::{Child, Dolt, Ran, TestTown, bd, free_port, in_a_soak, run, signal, wait_until};

/// Turns without and with `make soak`.
const TURNS: u32 = 12;
const TURNS_OF_A_SOAK: u32 = 250;

/// Longer than anybody who is not a server keeps the lock.
const PATIENCE: Duration = Duration::from_secs(5);

/// A project of the real bd; its database has a table for everybody.
struct Project {
    town: TestTown,
    dir: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Actor {
    Native,
    Dolt,
    Collection,
    Server,
    Bd,
}

const ALL: [Actor; 5] = [Actor::Native, Actor::Dolt, Actor::Collection, Actor::Server, Actor::Bd];

impl Project {
    fn new(dolt: Dolt) -> Self {
        let town = TestTown::build(dolt, &[], free_port());
        let dir = town.outside().join("project");
        fs::create_dir(&dir).unwrap();
        let project = Self { town, dir };
        project.bd(&["init", "--prefix", "x", "--skip-agents", "--skip-hooks"]).ok();
        let table = "create table turns (n int primary key, who varchar(20), key (who)); call dolt_commit('-Am', 'turns')";
        project.dolt(&["sql", "-q", table]).ok();
        project
    }

    fn database(&self) -> PathBuf {
        self.dir.join(".beads/embeddeddolt/x")
    }

    fn command(&self, program: &Path, dir: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args);
        self.town.seal(&mut command);
        command.current_dir(dir).env("PWD", dir).env("BD_NON_INTERACTIVE", "1");
        command
    }

    fn bd(&self, args: &[&str]) -> Ran {
        run(self.command(&bd(), &self.dir, args))
    }

    fn dolt(&self, args: &[&str]) -> Ran {
        run(self.command(&self.town.dolt.path(), &self.database(), args))
    }

    /// Lets somebody write what this number says. Whether it was acknowledged.
    fn turn(&self, actor: Actor, n: u32) -> bool {
        let statements = format!(
            "insert into turns values ({n}, '{actor:?}'); call dolt_commit('--allow-empty', '-m', '{actor:?} {n}')"
        );
        match actor {
            Actor::Native => self.native(n),
            Actor::Dolt => self.dolt(&["sql", "-q", &statements]).code == 0,
            Actor::Collection => self.dolt(&["gc"]).code == 0,
            Actor::Bd => self.bd(&["create", &format!("Bd {n}"), "--silent"]).code == 0,
            Actor::Server => {
                let Some(server) = Server::start(self) else { return false };
                server.ask(&statements);
                // The hard way on every other turn: what was acknowledged is there.
                server.end(if n.is_multiple_of(2) { "KILL" } else { "TERM" });
                true
            }
        }
    }

    fn native(&self, n: u32) -> bool {
        let begun = Instant::now();
        let mut locked = loop {
            match Database::try_lock(&self.database(), ReadOptions::default()).unwrap() {
                Some(locked) => break locked,
                None if begun.elapsed() > PATIENCE => return false,
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        };
        let millis = u64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
        let author = Author { name: "t".to_owned(), email: "t@example.com".to_owned(), millis };
        let mut tx = locked.begin("main").unwrap();
        let row = [Value::Int(n.into()), Value::Text(format!("{:?}", Actor::Native))];
        tx.edit(|root| root.table("turns")?.insert_row(&row)).unwrap();
        tx.stage_all().unwrap();
        let meta = CommitMeta::by(author, format!("{:?} {n}", Actor::Native));
        tx.commit(&meta, true).unwrap().is_some()
    }

    /// Everything that was acknowledged is there, once, and nothing is damaged.
    fn has_all(&self, acknowledged: &[(Actor, u32)]) {
        let database = Database::open_read(&self.database()).unwrap();
        let session = database.session().unwrap();
        let head = session.resolve_exact("refs/heads/main").unwrap().unwrap();
        let messages: Vec<String> =
            session.log(head).unwrap().map(|entry| entry.unwrap().commit.description).collect();
        let tables = session.tables(session.resolve_root("WORKING").unwrap().unwrap()).unwrap();
        let rows: Vec<Value> = tables
            .open("turns")
            .unwrap()
            .unwrap()
            .rows()
            .unwrap()
            .map(|row| row.unwrap().values[0].clone())
            .collect();
        let issues = self.bd(&["list", "--limit", "0"]).ok().out;
        for (actor, n) in acknowledged {
            let what = format!("{actor:?} {n}");
            match actor {
                Actor::Collection => {}
                Actor::Bd => assert!(issues.contains(&what), "{what}: {issues}"),
                _ => {
                    assert_eq!(messages.iter().filter(|m| **m == what).count(), 1, "{what}: {messages:?}");
                    assert!(rows.contains(&Value::Int((*n).into())), "row of {what}");
                }
            }
        }
        let report = verify(&database, &()).unwrap();
        assert!(report.findings.is_empty(), "{:?}", report.findings);
        let said = self.dolt(&["fsck"]).ok().out;
        assert!(said.contains("No problems found."), "{said}");
    }
}

/// A server that somebody started by hand.
struct Server {
    process: Child,
    port: u16,
    runtime: tokio::runtime::Runtime,
}

impl Server {
    /// None: it found the database locked, and ended.
    fn start(project: &Project) -> Option<Self> {
        let port = free_port();
        let args = ["sql-server", "--host", "127.0.0.1", "--port", &port.to_string(), "--data-dir", "."];
        let data_dir = project.database().parent().unwrap().to_owned();
        let mut command = project.command(&project.town.dolt.path(), &data_dir, &args);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = Child(command.spawn().unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut is_up = false;
        wait_until("a server is up or has ended", || {
            is_up = runtime.block_on(client(port)).is_some();
            is_up || process.0.try_wait().unwrap().is_some()
        });
        is_up.then_some(Self { process, port, runtime })
    }

    fn ask(&self, statements: &str) {
        self.runtime.block_on(async {
            let mut client = client(self.port).await.unwrap();
            for statement in statements.split("; ") {
                client.query(statement).await.unwrap_or_else(|e| panic!("{statement}: {e}"));
            }
            client.close().await;
        });
    }

    fn end(mut self, how: &str) {
        signal(self.process.pid(), how);
        self.process.0.wait().unwrap();
    }
}

async fn client(port: u16) -> Option<Client> {
    let endpoint = Endpoint {
        host: "127.0.0.1".to_owned(),
        port: Port::new(port)?,
        user: "root".to_owned(),
        password: None,
        tls: false,
    };
    Client::connect(&endpoint, Some("x"), Duration::from_secs(10)).await.ok()
}

fn take_turns(dolt: Dolt, seed: u64) {
    let project = Project::new(dolt);
    let mut random = Random::of(seed);
    let mut acknowledged: Vec<(Actor, u32)> = Vec::new();
    for n in (0..in_a_soak(TURNS, TURNS_OF_A_SOAK)).map(|n| n * 2) {
        let (first, second) = (*random.pick(&ALL), *random.pick(&ALL));
        if random.one_in(2) {
            // Alone everybody succeeds.
            assert!(project.turn(first, n), "{first:?} alone in turn {n}");
            acknowledged.push((first, n));
            continue;
        }
        let done = std::thread::scope(|scope| {
            let other = scope.spawn(|| project.turn(second, n + 1));
            [project.turn(first, n), other.join().unwrap()]
        });
        // Nobody but a server keeps the lock for long, and we keep it so shortly that a server starts.
        let natively = [(first, done[0]), (second, done[1])];
        if [first, second].contains(&Actor::Native) {
            assert!(natively.iter().all(|(_, done)| *done), "turn {n}: {natively:?}");
        }
        acknowledged.extend(
            [(first, n), (second, n + 1)].into_iter().zip(done).filter(|(_, done)| *done).map(|(a, _)| a),
        );
    }
    let mut counts: BTreeMap<Actor, u32> = BTreeMap::new();
    for (actor, _) in &acknowledged {
        *counts.entry(*actor).or_default() += 1;
    }
    eprintln!("{dolt:?}: {counts:?}");
    project.has_all(&acknowledged);
}

#[test]
fn soak_all_writers_take_turns_and_race_with_dolt_1() {
    take_turns(Dolt::V1, 1);
}

#[test]
fn soak_all_writers_take_turns_and_race_with_dolt_2() {
    take_turns(Dolt::V2, 2);
}
