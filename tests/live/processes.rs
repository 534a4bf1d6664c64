//! Looking at processes and changing them: ps, kill-imposters, dump, wait, restart across the gap, Ctrl-C at each stage.

use std::fs;
use std::time::Duration;

use crate::support::{
    Child, Running, TestTown, fake_dolt, free_port, is_alive, is_locked, signal, stranger_on, wait_until,
};

/// A server that somebody started by accident below the town, on a data directory of its own.
fn imposter_in(town: &TestTown, port: u16) -> Child {
    let dir = town.file("alpha/.beads/dolt");
    fs::create_dir_all(&dir).unwrap();
    let imposter = town.start_dolt(&["sql-server", "--port", &port.to_string()], &dir);
    wait_until("the imposter listens", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    imposter
}

#[test]
fn ps_tells_whose_each_server_is_and_why() {
    let (town, other) = (TestTown::with(&["hq"]), TestTown::with(&["hq"]));
    let (pid, pid_of_other) = (town.up(), other.up());
    let imposter = imposter_in(&town, free_port());
    let listed = town.gt(&["dolt", "ps", "--json"]).ok().json();
    let row = |wanted: i32| {
        let rows = listed["servers"].as_array().unwrap();
        rows.iter().find(|r| r["pid"] == wanted).unwrap_or_else(|| panic!("no {wanted} in {listed:#}"))
    };
    assert_eq!((&row(pid)["is_ours"], &row(pid)["ports"][0]), (&true.into(), &town.port.into()));
    assert!(row(pid)["evidence"].to_string().contains("locks held: 1 of 1 databases"), "{listed:#}");
    assert_eq!(row(pid_of_other)["is_ours"], false);
    let named = format!("server of the town {}", other.root.canonicalize().unwrap().display());
    assert_eq!(row(pid_of_other)["verdict"], named);
    assert_eq!(row(imposter.pid())["verdict"], "inside this town, but not its server");
    // Outside a town nothing is "ours", and the list is the same.
    let mut outside = town.command(&["dolt", "ps"]);
    outside.current_dir("/").env("PWD", "/");
    let text = crate::support::run(outside).ok().out;
    for pid in [pid, pid_of_other, imposter.pid()] {
        assert!(text.lines().any(|l| l.starts_with(&format!("{pid} "))), "{text}");
    }
    assert!(!text.contains("this town's server"), "{text}");
}

#[test]
fn an_imposter_is_ended_on_proof_and_on_request_and_nobody_else() {
    let (town, other) = (TestTown::with(&["hq"]), TestTown::with(&["hq"]));
    let pid_of_other = other.up();
    let imposter = imposter_in(&town, town.port);
    town.gt(&["dolt", "start"])
        .fails(1)
        .error_begins_with("is used by an imposter")
        .error_begins_with(&format!("(PID {})", imposter.pid()))
        .says("gt dolt kill-imposters");
    let pretended = town.gt(&["dolt", "kill-imposters"]).ok();
    pretended.says(&format!("Imposter: PID {}", imposter.pid())).says("would be ended; do it with --yes");
    assert!(imposter.is_alive());
    town.gt(&["dolt", "kill-imposters", "--yes"]).ok();
    assert!(!imposter.is_alive());
    let pid = town.up();
    town.gt(&["dolt", "kill-imposters", "--yes"]).ok().says("No imposters found");
    assert!(is_alive(pid) && is_alive(pid_of_other));
}

#[test]
fn the_server_of_a_town_inside_this_one_is_no_imposter() {
    let town = TestTown::with(&["hq"]);
    let inner = town.file("rig/tmp/town");
    for part in ["mayor/town.json", "mayor/rigs.json"] {
        town.write(&format!("rig/tmp/town/{part}"), &town.read(part));
    }
    let settings = format!(r#"{{"env":{{"GT_DOLT_PORT":"{}"}}}}"#, free_port());
    town.write("rig/tmp/town/mayor/daemon.json", &settings);
    let there = |verb: &[&str]| town.gt(&[&["--town", inner.to_str().unwrap(), "dolt"], verb].concat());
    there(&["init-rig", "hq"]).ok();
    there(&["start"]).ok();
    town.gt(&["dolt", "kill-imposters", "--yes"]).ok().says("No imposters found");
    assert_eq!(there(&["status", "--json"]).ok().json()["state"], "running");
    there(&["stop"]).ok();
}

#[test]
fn f26_a_dump_tells_what_the_server_does_and_leaves_it_alone() {
    let town = TestTown::with(&["hq"]);
    let pid = town.up();
    let query = town.begin(&["dolt", "sql", "--db", "hq", "-q", "select sleep(30)"]);
    wait_until("the query runs", || town.sql("hq", "show processlist").contains("sleep(30)"));
    town.gt(&["dolt", "dump"])
        .ok()
        .says(&format!("PID {pid} state"))
        .says("select sleep(30)")
        .says("thread ");
    drop(query);
    assert_eq!(town.status()["pid"], pid);
    town.sql("hq", "select 1");
    // One that hangs is where a dump is wanted.
    signal(pid, "STOP");
    let dumped = town.gt(&["dolt", "dump"]).ok().says("not to be had").says("state T").says("Log");
    // The promise is an answer although the server gives none.
    assert!(dumped.took < Duration::from_secs(6), "{dumped:#?}");
    signal(pid, "CONT");
    town.sql("hq", "select 1");
    town.gt(&["dolt", "stop"]).ok();
    town.gt(&["dolt", "dump"]).fails(1).error_begins_with("Dolt server is not running");
}

#[test]
fn wait_returns_when_somebody_has_started_the_server_and_starts_none_itself() {
    let town = TestTown::with(&["hq"]);
    let given_up = town.gt(&["dolt", "wait", "--ready", "--timeout", "100ms"]).fails(1);
    given_up.error_begins_with("Dolt server is not running");
    assert!(town.servers().is_empty());
    let mut waiting = town.begin(&["dolt", "wait", "--ready"]);
    assert!(!waiting.has_ended());
    let pid = town.up();
    waiting.end().ok().says(&format!("ready (PID {pid}, port {})", town.port));
    // A database that is there and not served is not ready; one that is left out does not count.
    town.add_database("late");
    town.gt(&["dolt", "wait", "--timeout", "100ms"]).fails(1).error_begins_with("it does not serve late");
    town.gt(&["dolt", "restart", "--without", "late"]).ok();
    town.gt(&["dolt", "wait", "--timeout", "100ms"]).ok();
}

#[test]
fn a_restart_leaves_no_gap_into_which_another_start_could_slip() {
    let town = TestTown::with(&["hq"]);
    let old = town.up();
    let restart = town.begin(&["dolt", "restart"]);
    wait_until("the restart has the lock", || is_locked(&town.file("daemon/dolt.lock")));
    let starts: Vec<Running> = (0..5).map(|_| town.begin(&["dolt", "start"])).collect();
    let restarted = restart.end().ok();
    let new = town.pid();
    assert!(restarted.out.contains(&format!("restarted (PID {new}, ")), "{restarted:#?}");
    for start in starts {
        start.end().ok().says("It was running already");
    }
    assert_eq!(town.servers(), [new]);
    assert_ne!(old, new);
    town.gt(&["dolt", "stop"]).ok();
    town.gt(&["dolt", "restart"]).ok().says("restarted");
}

#[test]
fn a_restart_that_could_not_start_again_does_not_stop() {
    let town = TestTown::with(&["hq", "x"]);
    let pid = town.up();
    let still_up = |why: &str| assert_eq!(town.status()["pid"], pid, "{why}");
    let taken = free_port();
    let stranger = stranger_on(taken, town.outside());
    town.set_daemon_port(taken);
    town.gt(&["dolt", "restart"]).fails(1).error_begins_with(&format!("(PID {}), not Dolt", stranger.pid()));
    still_up("the new port is taken");
    town.write("mayor/daemon.json", r#"{"env":{"GT_DOLT_PORT":"99999"}}"#);
    town.gt(&["dolt", "restart"]).fails(1).error_begins_with("99999");
    still_up("the new port is none");
    let free = free_port();
    town.set_daemon_port(free);
    town.gt(&["dolt", "restart", "--without", "typo"]).fails(1).error_begins_with("no database typo");
    still_up("a database that is not there");
    town.gt(&["dolt", "restart"]).ok().says(&format!("port {free})"));
    assert!(!is_alive(pid) && stranger.is_alive());
}

/// The signals that ask a program to end, and the exit codes that say so.
const INTERRUPTS: [(&str, i32); 3] = [("INT", 130), ("TERM", 143), ("HUP", 129)];

#[test]
fn a_start_that_is_interrupted_says_what_it_did_and_leaves_nothing() {
    let mut town = TestTown::with(&["hq"]);
    let lock = town.file("daemon/dolt.lock");
    town.write("daemon/dolt.lock", "");
    let holder = town.start("flock", &["--no-fork", lock.to_str().unwrap(), "sleep", "300"], &town.root);
    wait_until("the lock is held", || is_locked(&lock));
    for (name, code) in INTERRUPTS {
        let mut start = town.begin(&["dolt", "start"]);
        start.until_it_says("daemon/dolt.lock is held by");
        signal(start.pid(), name);
        start.end().fails(code).error_begins_with("interrupted: nothing was started");
    }
    drop(holder);
    let shell = town.start_dolt(&["sql"], &town.database("hq"));
    wait_until("the shell has the database", || is_locked(&town.database("hq/.dolt/noms/LOCK")));
    let mut start = town.begin(&["dolt", "start"]);
    start.until_it_says("database hq is open in");
    signal(start.pid(), "INT");
    start.end().fails(130).error_begins_with("interrupted: nothing was started");
    drop(shell);
    let slow =
        fake_dolt(town.dolt, r#"[ "$1" = sql-server ] && while :; do sleep 0.1; done; exec $REAL "$@""#);
    town.first_on_path(slow.path());
    for (name, code) in INTERRUPTS {
        let start = town.begin(&["dolt", "start"]);
        wait_until("the server is written down", || town.file("daemon/dolt.pid").exists());
        let pid = town.pid();
        assert_eq!(town.status()["state"], "starting");
        signal(start.pid(), name);
        let said = start.end().fails(code);
        said.error_begins_with(&format!("interrupted: the starting server (PID {pid}) was stopped again"));
        assert!(!is_alive(pid) && !town.file("daemon/dolt.pid").exists() && !is_locked(&lock));
        let status = town.status();
        assert_eq!((&status["state"], &status["crashes"]), (&"down".into(), &0.into()));
    }
}

fn ignores_term(pid: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let ignored = status.lines().find_map(|l| l.strip_prefix("SigIgn:")).unwrap_or("0");
    u64::from_str_radix(ignored.trim(), 16).unwrap() & (1 << (15 - 1)) != 0
}

#[test]
fn a_second_interrupt_does_not_wait_for_a_server_that_will_not_end() {
    let mut town = TestTown::with(&["hq"]);
    let deaf =
        r#"if [ "$1" = sql-server ]; then trap '' TERM; while :; do sleep 0.1; done; fi; exec $REAL "$@""#;
    let fake = fake_dolt(town.dolt, deaf);
    town.first_on_path(fake.path());
    let mut start = town.begin(&["dolt", "start"]);
    wait_until("the server is written down", || town.file("daemon/dolt.pid").exists());
    let pid = town.pid();
    wait_until("the script has become deaf", || ignores_term(pid));
    signal(start.pid(), "INT");
    start.until_it_says(&format!("waiting for PID {pid} to end"));
    signal(start.pid(), "INT");
    start
        .end()
        .fails(130)
        .error_begins_with(&format!("the starting server (PID {pid}) has been asked to end"));
    town.gt(&["dolt", "stop", "--grace", "100ms"]).ok().says(&format!("killed (was PID {pid})"));
}

#[test]
fn a_stop_that_is_interrupted_says_whether_the_server_will_end() {
    let town = TestTown::with(&["hq"]);
    let pid = town.up();
    let lock = town.file("daemon/dolt.lock");
    let holder = town.start("flock", &["--no-fork", lock.to_str().unwrap(), "sleep", "300"], &town.root);
    wait_until("the lock is held", || is_locked(&lock));
    let mut stop = town.begin(&["dolt", "stop"]);
    stop.until_it_says("daemon/dolt.lock is held by");
    signal(stop.pid(), "INT");
    stop.end().fails(130).error_begins_with("interrupted: nothing was done");
    drop(holder);
    let query = town.begin(&["dolt", "sql", "--db", "hq", "-q", "select sleep(20)"]);
    wait_until("the query runs", || town.sql("hq", "show processlist").contains("sleep(20)"));
    for (args, (name, code)) in
        [["dolt", "stop"], ["dolt", "restart"], ["dolt", "stop"]].iter().zip(INTERRUPTS)
    {
        let mut stop = town.begin(args);
        stop.until_it_says("waiting for 1 query running");
        signal(stop.pid(), name);
        stop.end().fails(code).error_begins_with("interrupted: the server was not asked to end");
        assert_eq!(town.status()["pid"], pid);
        assert!(town.read("daemon/gt-server.json").contains("\"phase\": \"ready\""));
    }
    drop(query);
    signal(pid, "STOP");
    let mut stop = town.begin(&["dolt", "stop"]);
    stop.until_it_says(&format!("waiting for PID {pid} to end"));
    signal(stop.pid(), "INT");
    stop.end().fails(130).error_begins_with("interrupted: the server has been asked to end and will");
    signal(pid, "CONT");
    wait_until("it has ended by itself", || !is_alive(pid));
    let status = town.status();
    assert_eq!((&status["state"], &status["crashes"]), (&"down".into(), &0.into()), "{status:#}");
    town.gt(&["dolt", "stop"]).fails(1).error_begins_with("Dolt server is not running");
    town.gt(&["dolt", "start"]).ok().never_says("crashed");
}

#[test]
fn a_restart_that_is_interrupted_in_the_gap_says_that_the_old_server_is_gone() {
    let mut town = TestTown::with(&["hq"]);
    let switch = town.outside().join("be-slow");
    let script = format!(
        r#"[ "$1" = sql-server ] && [ -e '{}' ] && while :; do sleep 0.1; done; exec $REAL "$@""#,
        switch.display()
    );
    let fake = fake_dolt(town.dolt, &script);
    town.first_on_path(fake.path());
    let old = town.up();
    fs::write(&switch, "").unwrap();
    let restart = town.begin(&["dolt", "restart"]);
    let new_one = || fs::read_to_string(town.file("daemon/dolt.pid")).is_ok_and(|p| p != old.to_string());
    wait_until("the new server is written down", new_one);
    let new = town.pid();
    signal(restart.pid(), "INT");
    let said = restart.end().fails(130);
    said.error_begins_with(&format!("interrupted: the old server (PID {old}) was stopped"))
        .error_begins_with(&format!("the starting server (PID {new}) was stopped again"));
    assert!(town.servers().is_empty());
    fs::remove_file(&switch).unwrap();
    town.gt(&["dolt", "start"]).ok().never_says("crashed");
}
