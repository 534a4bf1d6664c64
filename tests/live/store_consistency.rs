//! Lock-free reading beside a server that commits, collects garbage and is killed: every snapshot whole, none older than
//! what was acknowledged before the read began. Two shortcuts that a reader could take are shown to be wrong.
//!
//! No part waits for another by the clock. The reader reads once for every transaction or so, the writer never runs further
//! ahead of it than a channel allows, and whoever fails takes the ends of the channels along, which ends the others. A slow
//! machine is longer at it, or reads less; it cannot hang.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use dolt_store::chunk::Manifest;
use dolt_store::commit::{Database, Session};
use dolt_store::table::{Row, Value};
use dolt_store::verify::{sizes, verify};
use dolt_store::{Hash, Result};
use gt::sql::{Cell, Client, Endpoint, ResultSet, SqlError};

use crate::support::{Dolt, TestTown, free_port, signal};

const ACCOUNTS: i64 = 60;
const TRANSACTIONS: i64 = 90;
/// How far the writer may be ahead of the reader.
const AHEAD: usize = 6;
/// A reader that meets a database between two states opens it anew; not oftener than this in a row.
const REOPENED: u32 = 5;

/// Somebody who writes, somebody who collects garbage, somebody who kills the server.
struct Load<'t> {
    town: &'t TestTown,
    acknowledged: AtomicI64,
    // The same for Dolt commits: what the head of the branch must show.
    committed: AtomicI64,
    collections: AtomicU32,
    kills: AtomicU32,
    // Held while there is no server.
    outage: RwLock<()>,
}

impl Load<'_> {
    async fn connect(&self) -> std::result::Result<Client, SqlError> {
        drop(self.outage.read().unwrap_or_else(PoisonError::into_inner));
        let endpoint = Endpoint {
            host: "127.0.0.1".into(),
            port: self.town.port.try_into().unwrap(),
            user: "root".into(),
            password: None,
            tls: false,
        };
        Client::connect(&endpoint, Some("alpha"), Duration::from_secs(30)).await
    }

    // Transfers between accounts. A connection that breaks leaves open whether the last one was committed: the new one asks.
    async fn write(&self, heard: SyncSender<()>, collect: SyncSender<()>, kill: Option<SyncSender<()>>) {
        let mut client = self.connect().await.unwrap();
        let (mut n, mut failures) = (1, 0u32);
        while n <= TRANSACTIONS {
            match self.transaction(&mut client, n).await {
                Ok(()) => {
                    // The last third is left in peace, so that the shortcuts are found out however slow the machine is.
                    let is_peace = n > TRANSACTIONS * 2 / 3;
                    if n % 15 == 0 && !is_peace {
                        collect.try_send(()).ok();
                    }
                    if let Some(kill) = kill.as_ref().filter(|_| n % 20 == 10 && !is_peace) {
                        kill.try_send(()).ok();
                    }
                    failures = 0;
                    n += 1;
                }
                Err(error) => {
                    failures += 1;
                    assert!(failures < 20, "transaction {n}: {error}");
                    let Ok(again) = self.connect().await else { continue };
                    client = again;
                    let Ok(rows) = client.query("select n from counter").await else { continue };
                    n = number_in(&rows).max(n - 1) + 1;
                }
            }
            self.acknowledged.fetch_max(n - 1, Ordering::SeqCst);
            if heard.send(()).is_err() {
                return;
            }
        }
    }

    async fn transaction(&self, client: &mut Client, n: i64) -> std::result::Result<(), SqlError> {
        let (from, to) = (n % ACCOUNTS, (n * 7 + 3) % ACCOUNTS);
        for sql in [
            "start transaction".to_owned(),
            format!("update account set balance = balance - {n} where id = {from}"),
            format!("update account set balance = balance + {n} where id = {to}"),
            format!("update counter set n = {n} where id = 1"),
            "commit".to_owned(),
        ] {
            client.query(&sql).await?;
        }
        self.acknowledged.fetch_max(n, Ordering::SeqCst);
        if n % 12 == 0 {
            client.query(&format!("call dolt_commit('-Am', 'after {n}')")).await?;
            self.committed.fetch_max(n, Ordering::SeqCst);
        }
        Ok(())
    }

    // A collection ends the connection it ran on, and is refused while another session is in its way.
    async fn collect(&self, orders: Receiver<()>) {
        let kinds = ["call dolt_gc()", "call dolt_gc('--shallow')", "call dolt_gc('--full')"];
        for (sql, ()) in kinds.iter().cycle().zip(orders) {
            let Ok(mut client) = self.connect().await else { continue };
            if client.query(sql).await.is_ok() {
                self.collections.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    fn kill(&self, orders: Receiver<()>) {
        for () in orders {
            let _outage = self.outage.write().unwrap();
            signal(self.town.pid(), "KILL");
            self.town.up();
            self.kills.fetch_add(1, Ordering::SeqCst);
        }
    }
}

fn number_in(results: &[ResultSet]) -> i64 {
    let cell = results.first().and_then(|set| set.rows.first()?.first());
    cell.and_then(Cell::to_text).and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{results:?}"))
}

/// What a session says of a state: the transaction counter. Rows are missing or the sum over all accounts is not zero: torn.
fn counter_at(session: &Session, revision: &str) -> Result<i64> {
    let number = |row: &Row, i: usize| {
        let Value::Int(n) = row.values[i] else { panic!("{row:?}") };
        n
    };
    let tables = session.tables(session.resolve_root(revision)?.expect("both states are always there"))?;
    let counter = tables.open("counter")?.expect("a table").get(&[Value::Int(1)])?.expect("a row");
    let accounts = tables.open("account")?.expect("a table");
    let rows = accounts.rows()?.collect::<Result<Vec<_>>>()?;
    let sum: i64 = rows.iter().map(|r| number(r, 1)).sum();
    assert_eq!(
        (i64::try_from(rows.len()).unwrap(), sum),
        (ACCOUNTS, 0),
        "a torn snapshot at {revision}: {rows:?}"
    );
    Ok(number(&counter, 1))
}

/// A root and the newest transaction that can be in it: whoever sees it when later ones were acknowledged sees old rows.
#[derive(Default)]
struct Staleness(HashMap<Hash, i64>);

impl Staleness {
    fn of(&mut self, root: Hash, before: i64, load: &Load<'_>) -> u32 {
        // One more may be committed and not acknowledged yet.
        let newest = load.acknowledged.load(Ordering::SeqCst) + 1;
        u32::from(before > *self.0.entry(root).or_insert(newest))
    }
}

/// The second shortcut: a journal that was opened once and is followed ever after.
struct Follower {
    journal: File,
    at: u64,
    root: Hash,
}

impl Follower {
    fn of(noms: &Path) -> Self {
        let journal = File::open(noms.join("vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv")).unwrap();
        Self { journal, at: 0, root: Hash::NONE }
    }

    fn root(&mut self) -> Hash {
        let grown = self.journal.metadata().unwrap().len() - self.at;
        let mut bytes = vec![0; usize::try_from(grown).unwrap()];
        self.journal.read_exact_at(&mut bytes, self.at).unwrap();
        let mut rest = &bytes[..];
        while let Some(length) = rest.first_chunk().map(|l| u32::from_be_bytes(*l) as usize)
            && (8..=rest.len()).contains(&length)
        {
            if rest[4..6] == [1, 1] {
                self.root = Hash::from_slice(&rest[16..36]).unwrap();
            }
            self.at += length as u64;
            rest = &rest[length..];
        }
        self.root
    }
}

#[derive(Debug, Default)]
struct Seen {
    snapshots: u32,
    verified: u32,
    reopened: u32,
    stale_manifests: u32,
    stale_journals: u32,
}

// Reads for as long as somebody writes: a kept database and a newly opened one.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the writer ends when this end is gone, also if this panics"
)]
fn read(load: &Load<'_>, heard: Receiver<()>) -> Seen {
    let path = load.town.database("alpha");
    let noms = path.join(".dolt/noms");
    let mut warm = Database::open_read(&path).unwrap();
    let mut follower = Follower::of(&noms);
    let (mut manifests, mut journals) = (Staleness::default(), Staleness::default());
    let mut seen = Seen::default();
    let mut last = (0, 0);
    // While the server is down nobody writes; then it is read now and then.
    while heard.recv_timeout(Duration::from_millis(50)) != Err(RecvTimeoutError::Disconnected) {
        for is_cold in [false, true] {
            let before = (load.acknowledged.load(Ordering::SeqCst), load.committed.load(Ordering::SeqCst));
            let cold = is_cold.then(|| Database::open_read(&path).unwrap());
            let look = |database: &Database| -> Result<(i64, i64)> {
                let session = database.session()?;
                Ok((counter_at(&session, "WORKING")?, counter_at(&session, "HEAD")?))
            };
            let mut found = look(cold.as_ref().unwrap_or(&warm));
            for _ in 0..REOPENED {
                let Err(error) = &found else { break };
                eprintln!("opened again: {error}");
                seen.reopened += 1;
                warm = Database::open_read(&path).unwrap();
                found = look(&warm);
            }
            let found = found.unwrap();
            assert!(
                found.0 >= before.0 && found.1 >= before.1,
                "acknowledged {before:?}, the snapshot has {found:?}"
            );
            assert!(
                found.0 >= last.0 && found.1 >= last.1,
                "older than the one before: {found:?} after {last:?}"
            );
            last = found;
            seen.snapshots += 1;
        }
        if seen.snapshots % 20 == 0 {
            let report = verify(&warm, &()).unwrap();
            assert!(report.is_clean(), "{:?}", report.findings);
            assert!(sizes(&warm.session().unwrap()).unwrap().all.chunks > 0);
            seen.verified += 1;
        }
        let before = load.acknowledged.load(Ordering::SeqCst);
        let manifest = Manifest::read(&noms.join("manifest")).unwrap().unwrap();
        seen.stale_manifests += manifests.of(manifest.root, before, load);
        seen.stale_journals += journals.of(follower.root(), before, load);
    }
    seen
}

fn in_runtime(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
}

fn read_beside(dolt: Dolt, with_kills: bool) {
    let town = TestTown::build(dolt, &["alpha"], free_port());
    town.up();
    let values: Vec<String> = (0..ACCOUNTS).map(|i| format!("({i},0)")).collect();
    let tables = format!(
        "create table account (id int primary key, balance bigint);
         create table counter (id int primary key, n bigint); insert into counter values (1,0);
         insert into account values {}; call dolt_commit('-Am', 'all of it')",
        values.join(",")
    );
    town.sql("alpha", &tables);
    let load = Load {
        town: &town,
        acknowledged: AtomicI64::new(0),
        committed: AtomicI64::new(0),
        collections: AtomicU32::new(0),
        kills: AtomicU32::new(0),
        outage: RwLock::new(()),
    };
    let (tell, heard) = sync_channel(AHEAD);
    let (order_collection, collections) = sync_channel(1);
    let (order_kill, kills) = sync_channel(1);
    let order_kill = with_kills.then_some(order_kill);
    let load = &load;
    let seen = std::thread::scope(|scope| {
        scope.spawn(|| in_runtime(load.write(tell, order_collection, order_kill)));
        scope.spawn(|| in_runtime(load.collect(collections)));
        scope.spawn(|| load.kill(kills));
        read(load, heard)
    });
    let state = Database::open_read(&town.database("alpha")).unwrap().session().unwrap();
    assert_eq!(counter_at(&state, "WORKING").unwrap(), TRANSACTIONS);
    let collections = load.collections.load(Ordering::SeqCst);
    let kills = load.kills.load(Ordering::SeqCst);
    eprintln!("{dolt:?}: {seen:?}, {collections} collections, {kills} kills");
    assert!(seen.snapshots >= 20 && seen.verified > 0 && collections > 0 && (kills > 0) == with_kills);
    assert!(
        seen.stale_manifests > 0,
        "who believes the manifest's root was never shown wrong: the test proves nothing"
    );
    assert!(
        seen.stale_journals > 0,
        "who follows a journal for ever was never shown wrong: the test proves nothing"
    );
}

#[test]
fn snapshots_beside_a_writing_and_collecting_server_are_whole_and_never_stale() {
    for dolt in [Dolt::V1, Dolt::V2] {
        read_beside(dolt, false);
    }
}

#[test]
fn snapshots_are_whole_and_never_stale_through_kills_and_restarts_of_the_server() {
    for dolt in [Dolt::V1, Dolt::V2] {
        read_beside(dolt, true);
    }
}
