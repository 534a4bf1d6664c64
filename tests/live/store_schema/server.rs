//! A database that a server makes from our statements is the one that we make.

use std::time::Duration;

use gt::sql::{Client, Endpoint};
use gt::store::schema;
use gt::sys::net::Port;

use super::{COMMITS, Yard, addresses, fresh, messages, session, table};
use crate::support::{Dolt, TestTown, free_port, run};

#[test]
fn a_server_makes_the_same_tables_of_our_statements() {
    let fresh = fresh();
    for dolt in [Dolt::V1, Dolt::V2] {
        let yard = Yard { town: TestTown::build(dolt, &["alpha"], free_port()) };
        let ours = yard.dir("ours").join("x");
        schema::create(&ours, &fresh).unwrap();
        let mut start = yard.town.command(&["dolt", "start"]);
        start.env("DOLT_USE_ADAPTIVE_ENCODING", "false");
        run(start).ok();
        yard.town.sql("information_schema", "create database x");
        run_each(yard.town.port, "x", &schema::statements(&fresh));
        let theirs = yard.town.database("x");
        let (own, other) = (session(&ours), session(&theirs));
        assert_eq!(messages(&other), COMMITS);
        for revision in ["HEAD", "STAGED", "WORKING"] {
            for ((name, mine), (_, servers)) in
                addresses(&own, revision).iter().zip(addresses(&other, revision))
            {
                let schemas = [&own, &other].map(|session| table(session, revision, name).schema().clone());
                assert_eq!(schemas[0], schemas[1], "{dolt:?}: {revision}: {name}");
                assert_eq!(*mine, servers, "{dolt:?}: {revision}: {name}");
            }
            let root =
                |session: &dolt_store::commit::Session| session.resolve_root(revision).unwrap().unwrap();
            assert_eq!(root(&own), root(&other), "{dolt:?}: {revision}");
        }
        yard.town.gt(&["dolt", "stop"]).ok();
    }
}

// One after the other, in one connection.
fn run_each(port: u16, database: &str, statements: &[String]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let endpoint = Endpoint {
            host: "127.0.0.1".to_owned(),
            port: Port::new(port).unwrap(),
            user: "root".to_owned(),
            password: None,
            tls: false,
        };
        let limit = Duration::from_secs(30);
        let mut client = Client::connect(&endpoint, Some(database), limit).await.unwrap();
        for sql in statements {
            client.query(sql).await.unwrap_or_else(|e| panic!("{e}: {sql}"));
        }
        client.close().await;
    });
}
