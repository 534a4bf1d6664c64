//! Lock-free reading beside a server that commits at full speed and collects garbage all the time: every snapshot whole,
//! none older than what was acknowledged before the read began.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use dolt_store::chunk::Manifest;
use dolt_store::commit::Database;
use dolt_store::table::Value;
use gt::sql::{Client, Endpoint};

use crate::support::{Dolt, TestTown, free_port};

const ACCOUNTS: i64 = 60;
const TRANSACTIONS: i64 = 300;

/// What one snapshot says: the transaction counter, and the sum over all accounts, which is always zero.
fn read(database: &Database) -> (i64, i64) {
    let state = database.session().unwrap();
    let tables = state.tables(state.resolve_root("WORKING").unwrap().unwrap()).unwrap();
    let number = |row: &dolt_store::table::Row, i: usize| {
        let Value::Int(n) = row.values[i] else { panic!("{row:?}") };
        n
    };
    let counter = tables.open("counter").unwrap().unwrap().get(&[Value::Int(1)]).unwrap().unwrap();
    let accounts = tables.open("account").unwrap().unwrap();
    let rows: Vec<_> = accounts.rows().unwrap().map(|r| r.unwrap()).collect();
    assert_eq!(i64::try_from(rows.len()).unwrap(), ACCOUNTS, "a snapshot with rows missing");
    (number(&counter, 1), rows.iter().map(|r| number(r, 1)).sum())
}

async fn connect(port: u16) -> Client {
    let endpoint = Endpoint {
        host: "127.0.0.1".into(),
        port: port.try_into().unwrap(),
        user: "root".into(),
        password: None,
    };
    Client::connect(&endpoint, Some("alpha"), Duration::from_secs(30)).await.unwrap()
}

async fn run(client: &mut Client, sql: &str) {
    client.query(sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
}

// Transfers between accounts; every 25th transaction is a Dolt commit too. `acknowledged` is set after the answer.
fn write(port: u16, acknowledged: &AtomicI64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut client = connect(port).await;
        for n in 1..=TRANSACTIONS {
            let (from, to) = (n % ACCOUNTS, (n * 7 + 3) % ACCOUNTS);
            run(&mut client, "start transaction").await;
            run(&mut client, &format!("update account set balance = balance - {n} where id = {from}")).await;
            run(&mut client, &format!("update account set balance = balance + {n} where id = {to}")).await;
            run(&mut client, &format!("update counter set n = {n} where id = 1")).await;
            run(&mut client, "commit").await;
            acknowledged.store(n, Ordering::SeqCst);
            if n % 25 == 0 {
                run(&mut client, &format!("call dolt_commit('-Am', 'after {n}')")).await;
            }
        }
    });
}

fn collect(port: u16, done: &AtomicBool) -> u32 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let kinds = ["call dolt_gc()", "call dolt_gc('--shallow')", "call dolt_gc('--full')"];
        let mut collections = 0;
        for sql in kinds.iter().cycle() {
            if done.load(Ordering::SeqCst) {
                break;
            }
            // A collection ends the connection it ran on, and is refused while another session is in its way.
            let mut client = connect(port).await;
            collections += u32::from(client.query(sql).await.is_ok());
        }
        collections
    })
}

#[test]
fn snapshots_beside_a_writing_and_collecting_server_are_whole_and_never_stale() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let town = TestTown::build(dolt, &["alpha"], free_port());
        town.up();
        let values: Vec<String> = (0..ACCOUNTS).map(|i| format!("({i},0)")).collect();
        town.sql("alpha", "create table account (id int primary key, balance bigint)");
        town.sql(
            "alpha",
            "create table counter (id int primary key, n bigint); insert into counter values (1,0)",
        );
        town.sql("alpha", &format!("insert into account values {}", values.join(",")));
        let port = town.port;
        let (acknowledged, done) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicBool::new(false)));
        let path = town.database("alpha");
        let (mut snapshots, mut stale_manifests, mut last) = (0u32, 0u32, 0);
        let collections = std::thread::scope(|scope| {
            let writer = scope.spawn({
                let (acknowledged, done) = (Arc::clone(&acknowledged), Arc::clone(&done));
                move || {
                    write(port, &acknowledged);
                    done.store(true, Ordering::SeqCst);
                }
            });
            let collector = scope.spawn({
                let done = Arc::clone(&done);
                move || collect(port, &done)
            });
            let warm = Database::open_read(&path).unwrap();
            while !done.load(Ordering::SeqCst) {
                let before = acknowledged.load(Ordering::SeqCst);
                let cold = Database::open_read(&path).unwrap();
                for database in [&warm, &cold] {
                    let (n, sum) = read(database);
                    assert_eq!(sum, 0, "a torn snapshot at transaction {n}");
                    assert!(n >= before, "transaction {before} was acknowledged, the snapshot is from {n}");
                    assert!(n >= last, "a snapshot older than the one before");
                    last = n;
                    snapshots += 1;
                }
                // The negative control: whoever believed the manifest's root would read this instead.
                let manifest = Manifest::read(&path.join(".dolt/noms/manifest")).unwrap().unwrap();
                stale_manifests += u32::from(manifest.root != warm.store().snapshot().unwrap().root());
            }
            writer.join().unwrap();
            collector.join().unwrap()
        });
        let final_state = read(&Database::open_read(&path).unwrap());
        assert_eq!(final_state, (TRANSACTIONS, 0));
        assert!(snapshots > 20 && collections > 0, "{snapshots} snapshots, {collections} collections");
        assert!(stale_manifests > 0, "the control never showed a stale root: the test proves nothing");
    }
}
