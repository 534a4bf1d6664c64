//! Section B, the way down: a server that hangs, ignores TERM, is idle or at work.

use std::time::Duration;

use crate::support::{TestTown, fake_dolt, is_alive, run, signal, wait_until};

#[test]
fn f11_a_hung_server_is_seen_at_once_and_killed_only_on_request() {
    let town = TestTown::with(&["hq"]);
    let pid = town.up();
    signal(pid, "STOP");
    let status = town.gt(&["dolt", "status", "--exit-code"]).fails(5);
    // The promise is that no SQL time-outs add up: the Go tool took 55 s here.
    assert!(status.took < Duration::from_secs(5), "{status:#?}");
    status.says(&format!("running (PID {pid}), not answering since")).says("stopped by a signal");
    assert_eq!(town.status()["state"], "not-answering");
    town.gt(&["dolt", "start"]).fails(1).error_begins_with(&format!("(PID {pid}) runs but does not answer"));
    town.gt(&["dolt", "stop"])
        .fails(1)
        .error_begins_with(&format!("(PID {pid}) has not ended 30 s after it was asked to"))
        .says("gt dolt stop --force");
    assert!(is_alive(pid), "without --force nothing is killed");
    town.gt(&["dolt", "stop", "--force", "--grace", "100ms"]).ok().says(&format!("killed (was PID {pid})"));
    assert!(!is_alive(pid));
    assert_eq!(town.status()["state"], "down");
}

#[test]
fn f11_a_grace_that_the_user_set_allows_the_kill() {
    let town = TestTown::with(&["hq"]);
    let pid = town.up();
    signal(pid, "STOP");
    let mut command = town.command(&["dolt", "stop"]);
    command.env("GT_DOLT_STOP_GRACE", "1");
    run(command).ok().says(&format!("killed (was PID {pid})"));
    let pid = town.up();
    signal(pid, "STOP");
    town.gt(&["dolt", "stop", "--grace", "500ms"]).ok().says(&format!("killed (was PID {pid})"));
    town.gt(&["dolt", "start"]).ok().never_says("crashed");
}

#[test]
fn f37_a_server_that_ignores_term_is_waited_for_and_killed_only_on_request() {
    let mut town = TestTown::with(&["hq"]);
    let deaf = r#"
if [ "$1" = sql-server ]; then trap '' TERM; while :; do sleep 0.1; done; fi
exec $REAL "$@""#;
    let fake = fake_dolt(town.dolt, deaf);
    town.first_on_path(fake.path());
    town.gt(&["dolt", "start", "--timeout", "1s"])
        .fails(1)
        .error_begins_with("is not ready after 1 s: it does not listen yet")
        .says("It was left running");
    let pid = town.pid();
    assert_eq!(town.status()["state"], "starting");
    let mut stop = town.begin(&["dolt", "stop"]);
    stop.until_it_says(&format!("waiting for PID {pid} to end"));
    assert!(is_alive(pid) && !stop.has_ended());
    signal(stop.pid(), "INT");
    stop.end().fails(130).error_begins_with("the server has been asked to end and will");
    assert!(is_alive(pid));
    town.gt(&["dolt", "status"]).ok().says(&format!("Dolt server is stopping (PID {pid})"));
    assert_eq!(town.status()["state"], "stopping");
    town.gt(&["dolt", "stop", "--grace", "500ms"]).ok().says(&format!("killed (was PID {pid})"));
    assert!(!is_alive(pid));
}

#[test]
fn f22_an_idle_client_does_not_delay_a_stop() {
    let town = TestTown::with(&["hq"]);
    let pid = town.up();
    let port = town.port.to_string();
    let login = ["--host", "127.0.0.1", "--port", &port, "--user", "root", "--password", "", "--no-tls"];
    let client = town.start_dolt(&[&login[..], &["sql"]].concat(), town.outside());
    wait_until("the client is connected", || town.status()["connections"] == 1);
    let stopped = town.gt(&["dolt", "stop"]).ok().never_says("waiting for");
    // The promise is not to wait for idle connections: the Go tool took 11.7 s here.
    assert!(stopped.took < Duration::from_secs(6), "{stopped:#?}");
    assert!(!is_alive(pid));
    drop(client);
}

#[test]
fn f22_a_running_query_is_waited_for_and_succeeds() {
    let town = TestTown::with(&["hq"]);
    town.up();
    let query = town.begin(&["dolt", "sql", "--db", "hq", "-q", "select sleep(2) as slept"]);
    wait_until("the query runs", || town.sql("hq", "show processlist").contains("sleep(2)"));
    town.gt(&["dolt", "stop"]).ok().says("waiting for 1 query running:").says("select sleep(2) as slept");
    query.end().ok().says("| slept |");
    assert!(town.servers().is_empty());
}

#[test]
fn f22_a_query_that_outlives_the_grace_does_not_keep_the_server_up() {
    let town = TestTown::with(&["hq"]);
    town.up();
    let query = town.begin(&["dolt", "sql", "--db", "hq", "-q", "select sleep(60)"]);
    wait_until("the query runs", || town.sql("hq", "show processlist").contains("sleep(60)"));
    town.gt(&["dolt", "stop", "--grace", "1s"]).ok().says("select sleep(60)");
    assert!(town.servers().is_empty());
    query.end().fails(1);
}

#[test]
fn f22_what_a_stop_waits_for_is_said_once_and_again_only_when_it_changes() {
    let town = TestTown::with(&["hq"]);
    town.up();
    let query = |seconds: u8| town.begin(&["dolt", "sql", "-q", &format!("select sleep({seconds})")]);
    let queries: Vec<_> = [4, 4, 4, 4].map(query).into_iter().collect();
    wait_until("all of them run", || {
        let dumped = town.gt(&["dolt", "dump", "-n", "0"]).ok().out;
        dumped.lines().filter(|l| l.contains("select sleep(")).count() == queries.len()
    });
    let stopped = town.gt(&["dolt", "stop"]).ok().says("waiting for 4 queries running:");
    let said: Vec<_> = stopped.err.lines().filter(|l| l.starts_with("waiting for ")).collect();
    let distinct: std::collections::BTreeSet<_> = said.iter().collect();
    assert_eq!(said.len(), distinct.len(), "{stopped:#?}");
    for query in queries {
        query.end().ok();
    }
}

#[test]
fn a_database_that_does_not_exist_is_said_to_be_none_with_the_server_up_and_down() {
    let town = TestTown::with(&["hq"]);
    let asked =
        || town.gt(&["dolt", "sql", "--db", "nope", "-q", "select 1"]).fails(1).says("See gt dolt list");
    asked().error_begins_with("there is no database nope");
    town.up();
    asked().error_begins_with("database not found: nope");
}
