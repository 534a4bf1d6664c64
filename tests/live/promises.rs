//! Promises of the server's life that no fault has an id for: the locks of a start, the files that the Go tools read,
//! a server that is mute, a port or a database that is taken between the look and the start.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::{
    Child, Running, TestTown, fake_dolt, is_alive, is_locked, run, signal, silent_server_on, stranger_on,
    wait_until,
};

#[test]
fn a_server_that_takes_connections_and_never_speaks_is_called_silent_and_can_be_stopped() {
    let mut town = TestTown::with(&["hq"]);
    let mute = format!("[ \"$1\" = sql-server ] && {}; exec $REAL \"$@\"", silent_server_on(town.port));
    let fake = fake_dolt(town.dolt, &mute);
    town.first_on_path(fake.path());
    town.gt(&["dolt", "start", "--timeout", "1s"])
        .fails(1)
        .error_begins_with("is not ready after 1 s: it listens, but has not answered");
    let pid = town.pid();
    let status = town.gt(&["dolt", "status", "--exit-code"]).fails(5);
    // No time-outs may add up; the one that there is, is well below a second.
    assert!(status.took < Duration::from_secs(5), "{status:#?}");
    status.says(&format!("running (PID {pid}), not answering since"));
    town.gt(&["status"]).ok().says("not answering");
    town.gt(&["dolt", "list"]).ok().says("hq");
    town.gt(&["dolt", "dump"]).ok().says("not to be had").says("thread ");
    let waited = town.gt(&["dolt", "wait", "--timeout", "100ms", "--exit-code"]).fails(5);
    waited.error_begins_with("no answer from");
    town.gt(&["dolt", "start"]).fails(1).error_begins_with(&format!("(PID {pid}) runs but does not answer"));
    town.gt(&["dolt", "stop"])
        .ok()
        .says("its queries cannot be waited for")
        .says(&format!("(was PID {pid})"));
    assert!(!is_alive(pid));
}

/// A start that has looked and found nothing in its way; then somebody opens the database, and the server that was started
/// says so and ends. A second one, if there is one, is the real Dolt. The directory holds what is called `dolt`.
fn a_start_overtaken_by_a_shell(town: &mut TestTown, args: &[&str]) -> (Running, Child, TempDir) {
    let locked = r#"
if [ "$1" = sql-server ] && [ ! -e ../daemon/go ]; then
  : > ../daemon/tried
  until [ -e ../daemon/go ]; do sleep 0.01; done
  echo 'database "hq" is locked by another dolt process; either clone the database to run a second server' >&2
  exit 1
fi
exec $REAL "$@""#;
    let fake = fake_dolt(town.dolt, locked);
    town.first_on_path(fake.path());
    let start = town.begin(&[&["dolt", "start"], args].concat());
    wait_until("the first server runs", || town.file("daemon/tried").exists());
    let shell = town.start_dolt(&["sql"], &town.database("hq"));
    wait_until("the shell has the database", || is_locked(&town.database("hq/.dolt/noms/LOCK")));
    town.write("daemon/go", "");
    (start, shell, fake)
}

#[test]
fn a_start_that_meets_a_locked_database_after_its_look_waits_and_tries_again() {
    let mut town = TestTown::with(&["hq"]);
    let (mut start, shell, _fake) = a_start_overtaken_by_a_shell(&mut town, &[]);
    start.until_it_says("trying again: database \"hq\" is locked by another dolt process");
    start.until_it_says(&format!("waiting: database hq is open in PID {}", shell.pid()));
    let meanwhile = town.status();
    assert_eq!((&meanwhile["state"], &meanwhile["crashes"]), (&"starting".into(), &0.into()));
    drop(shell);
    start.end().ok().says("All 1 databases verified");
    assert_eq!((town.servers(), &town.status()["crashes"]), (vec![town.pid()], &0.into()));
}

#[test]
fn a_start_that_gives_up_on_a_locked_database_leaves_no_claim_of_a_server() {
    let mut town = TestTown::with(&["hq"]);
    let (start, shell, _fake) = a_start_overtaken_by_a_shell(&mut town, &["--timeout", "3s"]);
    start.end().fails(1).error_begins_with(&format!("database hq is open in PID {}", shell.pid()));
    town.nothing_runs();
    let status = town.status();
    assert_eq!((&status["state"], &status["crashes"]), (&"down".into(), &0.into()));
}

#[test]
fn a_port_that_is_taken_after_the_look_is_refused_with_the_name_of_who_has_it() {
    let mut town = TestTown::with(&["hq"]);
    let slow = r#"
if [ "$1" = sql-server ]; then
  : > ../daemon/tried
  until [ -e ../daemon/go ]; do sleep 0.01; done
fi
exec $REAL "$@""#;
    let fake = fake_dolt(town.dolt, slow);
    town.first_on_path(fake.path());
    let start = town.begin(&["dolt", "start"]);
    wait_until("the server is on its way", || town.file("daemon/tried").exists());
    let stranger = stranger_on(town.port, Path::new("/"));
    town.write("daemon/go", "");
    let port = town.port;
    let refused = start.end().fails(1).error_begins_with(&format!("port {port} is used by "));
    refused
        .error_begins_with(&format!("(PID {}), not Dolt", stranger.pid()))
        .says("gt dolt config --set-port");
    assert!(stranger.is_alive() && town.servers().is_empty());
    assert!(!town.file("daemon/dolt.pid").exists());
    assert_eq!(town.status()["state"], "down");
}

#[test]
fn a_start_keeps_native_writers_out_until_it_is_ready_and_says_for_whom_it_waits() {
    let mut town = TestTown::with(&["hq"]);
    let [gate, inside] = ["gate.lock", "town.lock"].map(|name| town.file(".dolt-data/.gt").join(name));
    town.write(".dolt-data/.gt/town.lock", "");
    let flock = ["--shared", "--no-fork", inside.to_str().unwrap(), "sleep", "300"];
    let writer = town.start("flock", &flock, &town.root);
    wait_until("the writer is inside", || is_locked(&inside));
    let mut start = town.begin(&["dolt", "start"]);
    start.until_it_says(&format!("waiting for writers to finish: PID {} (sleep 300), since ", writer.pid()));
    assert!(is_locked(&gate), "no further writer may come in");
    assert!(town.servers().is_empty() && writer.is_alive());
    drop(writer);
    start.end().ok();
    assert!(!is_locked(&gate) && !is_locked(&inside), "a server that runs needs neither");
    town.gt(&["dolt", "stop"]).ok();
    let slow =
        fake_dolt(town.dolt, r#"[ "$1" = sql-server ] && while :; do sleep 0.1; done; exec $REAL "$@""#);
    town.first_on_path(slow.path());
    let booting = town.begin(&["dolt", "start"]);
    wait_until("the server is written down", || town.file("daemon/dolt.pid").exists());
    let all = [&gate, &inside, &town.file("daemon/dolt.lock")];
    assert!(all.iter().all(|path| is_locked(path)), "held until it is ready");
    signal(booting.pid(), "INT");
    booting.end().fails(130);
    assert!(!all.iter().any(|path| is_locked(path)));
}

#[test]
fn the_server_inherits_none_of_its_callers_descriptors() {
    let town = TestTown::with(&["hq"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec 7>held 8>open; flock 7; exec \"$0\" dolt start", env!("CARGO_BIN_EXE_gt")]);
    town.seal(&mut shell);
    shell.current_dir(&town.root);
    run(shell).ok();
    // The server lives on; the lock does not.
    wait_until("the lock of the shell that called us is gone", || !is_locked(&town.file("held")));
    let fds = fs::read_dir(format!("/proc/{}/fd", town.pid())).unwrap().flatten();
    let files: Vec<_> = fds.filter_map(|fd| fs::read_link(fd.path()).ok()).collect();
    let name = |p: &Path| p.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for file in &files {
        assert!(!["held", "open"].contains(&name(file).as_str()), "{files:?}");
        assert!(
            file.extension().is_none_or(|e| e != "lock"),
            "our own locks are not the server's: {files:?}"
        );
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_files_and_the_process_are_what_the_go_tools_look_for() {
    let town = TestTown::with(&["hq", "alpha"]);
    let pid = town.up();
    let data_dir = town.file(".dolt-data");
    assert_eq!(town.read("daemon/dolt.pid"), pid.to_string(), "digits and no newline");
    let state = town.read("daemon/dolt-state.json");
    let started_at = town.json("daemon/dolt-state.json")["started_at"].as_str().unwrap().to_owned();
    let spelled = |running: bool, pid: i32| {
        format!(
            "{{\n  \"running\": {running},\n  \"pid\": {pid},\n  \"port\": {},\n  \"started_at\": \"{started_at}\",\n  \"data_dir\": \"{}\",\n  \"databases\": [\n    \"alpha\",\n    \"hq\"\n  ]\n}}",
            town.port,
            data_dir.display()
        )
    };
    assert_eq!(state, spelled(true, pid));
    let modes = ["daemon/dolt.pid", "daemon/dolt-state.json", "daemon/dolt.lock", ".dolt-data/config.yaml"];
    assert_eq!(modes.map(|path| mode(&town.file(path))), [0o644, 0o644, 0o600, 0o600]);
    assert_eq!(mode(&town.file("daemon/dolt.log")), 0o600);
    let argv = fs::read(format!("/proc/{pid}/cmdline")).unwrap();
    let argv: Vec<_> = argv.split(|b| *b == 0).map(|w| String::from_utf8_lossy(w).into_owned()).collect();
    let config = town.file(".dolt-data/config.yaml").display().to_string();
    assert_eq!(argv[1..4], ["sql-server".to_owned(), "--config".into(), config]);
    assert_eq!(fs::read_link(format!("/proc/{pid}/cwd")).unwrap(), data_dir.canonicalize().unwrap());
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let session = stat.rsplit(')').next().unwrap().split_whitespace().nth(3).unwrap().to_owned();
    assert_eq!(session, pid.to_string(), "a session of its own");
    town.gt(&["dolt", "stop"]).ok();
    assert_eq!(town.read("daemon/dolt-state.json"), spelled(false, 0), "the rest stays as history");
    assert!(!town.file("daemon/dolt.pid").exists());
}

#[test]
fn lock_files_are_the_same_files_through_a_whole_life_and_a_crash() {
    let town = TestTown::with(&["hq"]);
    town.up();
    let locks = ["daemon/dolt.lock", ".dolt-data/hq/.dolt/noms/LOCK", ".dolt-data/.gt/gate.lock"];
    let inodes = || locks.map(|path| fs::metadata(town.file(path)).map(|m| m.ino()).unwrap());
    let before = inodes();
    town.gt(&["dolt", "restart"]).ok();
    let pid = town.pid();
    signal(pid, "KILL");
    wait_until("the server is gone", || !is_alive(pid));
    town.gt(&["dolt", "start"]).ok().says("nobody holds its databases' locks (tested with flock)");
    town.gt(&["dolt", "stop"]).ok();
    town.gt(&["dolt", "start"]).ok().never_says("tested with flock");
    assert_eq!(inodes(), before, "never deleted, renamed or replaced");
}

#[test]
fn starts_and_stops_at_once_leave_one_server_or_none_and_files_that_say_which() {
    let town = TestTown::with(&["hq"]);
    for _ in 0..3 {
        let verbs = ["start", "stop", "start", "restart", "start", "stop", "start"];
        let all: Vec<Running> = verbs.iter().map(|verb| town.begin(&["dolt", verb])).collect();
        for (verb, one) in verbs.iter().zip(all) {
            let ended = one.end();
            let found_none = *verb == "stop" && ended.err.contains("Dolt server is not running");
            assert!(ended.code == 0 || found_none, "{verb}: {ended:#?}");
        }
        let (servers, status) = (town.servers(), town.status());
        assert_eq!(status["crashes"], 0, "{status}");
        if servers.is_empty() {
            town.nothing_runs();
        } else {
            assert_eq!((servers, &status["state"]), (vec![town.pid()], &"running".into()));
        }
    }
}

#[test]
fn what_a_start_cannot_do_to_a_running_server_is_said() {
    let town = TestTown::with(&["hq", "alpha"]);
    let pid = town.up();
    town.gt(&["dolt", "start", "--without", "alpha"])
        .ok()
        .says("the running server serves alpha: leave it out with gt dolt restart --without alpha");
    for verb in ["start", "restart"] {
        town.gt(&["dolt", verb, "--without", "alhpa"])
            .fails(1)
            .error_begins_with("there is no database alhpa in ");
    }
    assert_eq!(town.pid(), pid);
    town.gt(&["dolt", "restart", "--without", "alpha"]).ok();
    town.gt(&["dolt", "start", "--without", "alpha"]).ok().never_says("leave it out with");
}

#[test]
fn names_that_hold_only_from_here_do_for_a_server_that_runs_elsewhere() {
    let town = TestTown::with(&["hq"]);
    std::os::unix::fs::symlink(town.dolt.dir(), town.outside().join("bin")).unwrap();
    let mut start = Command::new(env!("CARGO_BIN_EXE_gt"));
    start.args(["dolt", "start"]);
    town.seal(&mut start);
    start.current_dir(town.outside()).env("PWD", town.outside());
    start.env("GT_TOWN_ROOT", "t").env("PATH", "bin:/usr/bin:/bin");
    run(start).ok().says(&format!("Data dir: {}", town.file(".dolt-data").display()));
    let status = town.status();
    assert_eq!((&status["state"], &status["pid"]), (&"running".into(), &town.pid().into()));
}

#[test]
fn a_rig_whose_making_is_interrupted_is_not_half_there() {
    let town = TestTown::with(&["hq"]);
    let before = town.snapshot();
    // As if a server were being started: nobody writes meanwhile.
    fs::create_dir_all(town.file(".dolt-data/.gt")).unwrap();
    let gate = fs::File::create(town.file(".dolt-data/.gt/gate.lock")).unwrap();
    gate.lock().unwrap();
    let add = town.begin(&["rig", "add", "gastown"]);
    wait_until("it has begun", || is_locked(&town.file(".dolt-data/.gt/registry.lock")));
    signal(add.pid(), "INT");
    add.end().fails(130).error_begins_with("interrupted: rig gastown was not added");
    drop(gate);
    let left: Vec<_> = fs::read_dir(town.file(".dolt-data/.gt")).unwrap().flatten().collect();
    assert!(left.iter().all(|f| f.path().extension().is_some_and(|e| e == "lock")), "{left:?}");
    fs::remove_dir_all(town.file(".dolt-data/.gt")).unwrap();
    town.unchanged_since(&before);
}

#[test]
fn whoever_waits_for_a_server_that_is_down_is_told_how_to_start_it() {
    let town = TestTown::with(&["hq"]);
    for verb in [&["dolt", "wait", "--timeout", "0"][..], &["dolt", "dump"]] {
        town.gt(verb).fails(1).error_begins_with("Dolt server is not running").says("gt dolt start");
    }
}

#[test]
fn a_town_whose_path_holds_quotes_blanks_and_a_line_break_lives_like_any_other() {
    let mut town = TestTown::with(&["hq"]);
    let strange = town.outside().join("a \"b\" 'c' $x #: \u{fc}\nz");
    fs::rename(&town.root, &strange).unwrap();
    town.root = strange;
    let pid = town.up();
    let servers = town.gt(&["dolt", "ps", "--json"]).ok().json();
    let ours = servers["servers"].as_array().unwrap().iter().find(|s| s["pid"] == pid).unwrap().clone();
    assert_eq!(ours["data_dir"], town.file(".dolt-data").to_str().unwrap());
    assert!(town.sql("hq", "select 6 * 7").contains("42"));
    town.gt(&["rig", "add", "gastown"]).ok();
    town.gt(&["dolt", "restart"]).ok();
    assert_eq!(town.servers(), [town.pid()]);
    town.gt(&["dolt", "stop"]).ok();
    town.nothing_runs();
}

#[test]
fn a_number_that_was_given_to_another_process_is_not_the_server_that_the_record_means() {
    let town = TestTown::with(&["hq"]);
    let pid = town.up();
    signal(pid, "KILL");
    wait_until("the server is gone", || !is_alive(pid));
    // As after a reuse: every file names a living process, which was started at another time.
    let heir = town.start("sleep", &["300"], &town.root);
    let record = town.read("daemon/gt-server.json");
    let renamed = record.replace(&format!("\"pid\": {pid}"), &format!("\"pid\": {}", heir.pid()));
    assert_ne!(record, renamed);
    town.write("daemon/gt-server.json", &renamed);
    town.write("daemon/dolt.pid", &heir.pid().to_string());
    assert_eq!(town.status()["state"], "crashed");
    town.gt(&["dolt", "stop", "--force"]).fails(1).error_begins_with("Dolt server is not running");
    town.gt(&["dolt", "start"]).ok();
    town.gt(&["dolt", "stop"]).ok();
    assert!(heir.is_alive());
}

#[test]
fn a_start_that_was_cut_off_before_it_had_a_server_is_no_crash() {
    let town = TestTown::with(&["hq"]);
    town.up();
    town.gt(&["dolt", "stop"]).ok();
    let record = town.json("daemon/gt-server.json");
    let mut intent = record;
    intent["phase"] = "starting".into();
    intent["pid"] = serde_json::Value::Null;
    intent["start"] = serde_json::Value::Null;
    town.write("daemon/gt-server.json", &intent.to_string());
    fs::remove_file(town.file("daemon/dolt-state.json")).unwrap();
    let status = town.status();
    assert_eq!((&status["state"], &status["crashes"]), (&"down".into(), &0.into()));
    town.gt(&["dolt", "start"]).ok().never_says("crashed");
}
