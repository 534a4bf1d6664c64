//! SQL beside our programs: a client that none of them knows of.

use std::time::Duration;

use gt::sql::{Client, Endpoint};
use gt::sys::net::Port;
use tokio::runtime::{Builder, Runtime};

/// A client of a server's database, and what it waits in.
pub(crate) fn foreign(port: u16, database: &str) -> (Runtime, Client) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let port = Port::new(port).unwrap();
    let endpoint =
        Endpoint { host: "127.0.0.1".into(), port, user: "root".into(), password: None, tls: false };
    let connected = Client::connect(&endpoint, Some(database), Duration::from_secs(10));
    let client = runtime.block_on(connected).unwrap();
    (runtime, client)
}
