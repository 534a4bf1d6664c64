//! Section B, the stores: one that is half-made, damaged, open elsewhere or not writable does not take the town down.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Child, Dolt, TestTown, free_port, is_locked, run, signal, wait_until};

#[test]
fn f19_half_made_databases_give_one_warning_and_init_rig_finishes_them() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let town = TestTown::build(dolt, &["hq"], free_port());
        fs::create_dir_all(town.database("half/.dolt")).unwrap();
        fs::create_dir_all(town.database("half2/.dolt/noms")).unwrap();
        let started =
            town.gt(&["dolt", "start"]).ok().says("never finished being created").says("half, half2");
        assert_eq!(started.err.matches("half2").count(), 1, "one warning: {started:#?}");
        assert!(started.out.contains("All 1 databases verified"), "{started:#?}");
        let restarted = town.gt(&["dolt", "restart"]).ok();
        assert_eq!(restarted.err.matches("half2").count(), 1, "one warning: {restarted:#?}");
        town.gt(&["dolt", "init-rig", "half"]).ok().says("was moved aside");
        assert!(town.sql("half", "select message from dolt_log").contains("Initialize data repository"));
        if dolt == Dolt::V1 {
            // This Dolt takes it for a database and has it open.
            let refused = town.gt(&["dolt", "init-rig", "half2"]).fails(1).error_begins_with("half2");
            refused.error_begins_with(&format!("open in PID {} (dolt sql-server", town.pid()));
        }
        town.gt(&["dolt", "stop"]).ok();
        town.gt(&["dolt", "init-rig", "half2"]).ok().says("was moved aside");
        town.gt(&["dolt", "start"]).ok().says("All 3 databases verified").never_says("never finished");
        town.sql("half2", "create table t(i int primary key); call dolt_commit('-Am', 'works')");
        town.gt(&["dolt", "init-rig", "half2"]).ok().says("already exists");
        let aside = fs::read_dir(town.file(".dolt-data/.gt/set-aside")).unwrap().count();
        assert_eq!(aside, 2, "nothing was deleted");
    }
}

#[test]
fn f19_a_half_made_database_that_somebody_has_open_is_not_moved_away_under_him() {
    let town = TestTown::with(&["hq"]);
    fs::create_dir_all(town.database("half/.dolt/noms")).unwrap();
    let lock = town.database("half/.dolt/noms/LOCK");
    let holder = town.start("flock", &["--no-fork", lock.to_str().unwrap(), "sleep", "300"], &town.root);
    wait_until("the lock is held", || is_locked(&lock));
    town.gt(&["dolt", "init-rig", "half"])
        .fails(1)
        .error_begins_with("half")
        .error_begins_with(&format!("open in PID {} (sleep 300)", holder.pid()));
    assert!(lock.exists());
    drop(holder);
    town.gt(&["dolt", "init-rig", "half"]).ok();
}

fn truncate_manifest(town: &TestTown, database: &str) {
    let manifest = town.database(database).join(".dolt/noms/manifest");
    fs::OpenOptions::new().write(true).open(manifest).unwrap().set_len(30).unwrap();
}

#[test]
fn f19b_a_broken_database_is_named_and_the_others_can_be_served_without_it() {
    for dolt in [Dolt::V1, Dolt::V2] {
        let town = TestTown::build(dolt, &["hq", "alpha", "x"], free_port());
        truncate_manifest(&town, "x");
        town.gt(&["dolt", "start"])
            .fails(1)
            .error_begins_with("database x cannot be opened: its manifest is damaged")
            .says("gt dolt start --without x");
        assert!(!town.file("daemon/dolt.log").exists(), "nothing was started");
        town.gt(&["dolt", "start", "--without", "x"]).ok().says("Databases: alpha, hq\n");
        let status = town.status();
        assert_eq!((&status["state"], &status["left_out"]), (&"running".into(), &serde_json::json!(["x"])));
        assert_eq!(status["missing"], serde_json::json!([]), "left out on request is not missing");
        town.gt(&["dolt", "start"]).ok().says("It was running already");
        town.gt(&["dolt", "wait"]).ok();
        // Work that is done meanwhile is done to the real databases, and survives.
        town.sql("alpha", "create table t(i int primary key); call dolt_commit('-Am', 'meanwhile')");
        town.sql("hq", "create database fresh");
        town.sql("fresh", "create table t(i int primary key); call dolt_commit('-Am', 'new')");
        town.sql("hq", "create user agent@localhost");
        town.gt(&["dolt", "init-rig", "fresh"]).ok().says("already exists");
        // A crash in this condition, too.
        let pid = town.pid();
        signal(pid, "KILL");
        wait_until("the server is gone", || town.servers().is_empty());
        fs::remove_dir_all(town.database("x")).unwrap();
        town.gt(&["dolt", "start"])
            .ok()
            .says("moved to its place: fresh")
            .says("Databases: alpha, fresh, hq\n");
        assert!(town.database("fresh/.dolt/noms/manifest").is_file());
        assert!(!town.file(".dolt-data/.gt/view").exists());
        assert!(town.sql("fresh", "select message from dolt_log").contains("new"));
        assert!(town.sql("alpha", "select message from dolt_log").contains("meanwhile"));
        assert!(town.sql("hq", "select user from mysql.user").contains("agent"));
    }
}

#[test]
fn f19b_what_is_dropped_while_another_is_left_out_is_dropped_and_can_be_undropped() {
    let town = TestTown::with(&["hq", "alpha", "x"]);
    truncate_manifest(&town, "x");
    town.gt(&["dolt", "start", "--without", "x"]).ok();
    for database in ["alpha", "brief"] {
        town.sql("hq", &format!("create database if not exists {database}"));
        town.sql(database, "create table t(i int primary key); insert into t values (7)");
        town.sql(database, "call dolt_commit('-Am', 'precious')");
        town.sql("hq", &format!("drop database {database}"));
    }
    town.sql("hq", "create database alpha");
    town.gt(&["dolt", "stop"]).ok().says("dropped, kept for dolt_undrop: alpha, brief").says("alpha");
    fs::remove_dir_all(town.database("x")).unwrap();
    town.gt(&["dolt", "start"]).ok().says("Databases: alpha, hq\n");
    assert!(!town.sql("alpha", "show tables").contains("| t "), "this is the one that was made afterwards");
    town.sql("hq", "call dolt_undrop('brief')");
    assert!(town.sql("brief", "select i from t").contains("| 7 |"));
    town.sql("hq", "drop database alpha");
    assert_eq!(fs::read_dir(town.database(".dolt_dropped_databases")).unwrap().count(), 2);
}

#[test]
fn f19b_two_databases_of_one_name_are_told_apart_by_a_person() {
    let town = TestTown::with(&["hq", "x"]);
    truncate_manifest(&town, "x");
    town.gt(&["dolt", "start", "--without", "x"]).ok();
    town.sql("hq", "create database x");
    town.gt(&["dolt", "stop"]).ok().says("the next start will refuse: database x exists twice");
    for args in [&["dolt", "start"][..], &["dolt", "start", "--without", "x"]] {
        town.gt(args)
            .fails(1)
            .error_begins_with("database x exists twice")
            .error_begins_with(&town.database("x").display().to_string())
            .error_begins_with("/.gt/view/x")
            .says("move one away");
    }
    fs::rename(town.database("x"), town.outside().join("broken-x")).unwrap();
    town.gt(&["dolt", "start"]).ok().says("Databases: hq, x\n");
}

/// A forgotten `dolt sql` in a database.
fn shell_in(town: &TestTown, database: &str) -> Child {
    let shell = town.start_dolt(&["sql"], &town.database(database));
    wait_until("the shell has the database", || is_locked(&town.database(database).join(".dolt/noms/LOCK")));
    shell
}

#[test]
fn f33_a_database_that_a_shell_has_open_is_named_with_the_shell() {
    let town = TestTown::with(&["hq", "alpha"]);
    let shell = shell_in(&town, "alpha");
    let holder = format!("database alpha is open in PID {} (", shell.pid());
    town.gt(&["dolt", "start", "--timeout", "500ms"])
        .fails(1)
        .error_begins_with(&holder)
        .error_begins_with("(dolt sql), since ");
    assert!(shell.is_alive() && !town.file("daemon/dolt.log").exists());
    // A start that has time goes on when the shell is left.
    let mut waiting = town.begin(&["dolt", "start"]);
    waiting.until_it_says(&format!("waiting: {holder}"));
    drop(shell);
    waiting.end().ok().says("All 2 databases verified");
}

#[test]
fn f33_a_server_that_has_one_of_the_databases_is_refused_without_waiting() {
    let town = TestTown::with(&["hq", "alpha"]);
    let port = free_port().to_string();
    let other = town.start_dolt(&["sql-server", "--port", &port], &town.database("alpha"));
    wait_until("it has the database", || is_locked(&town.database("alpha/.dolt/noms/LOCK")));
    let refused = town.gt(&["dolt", "start", "--timeout", "5m"]).fails(1);
    refused.error_begins_with(&format!("database alpha is open in PID {} (", other.pid()));
    town.gt(&["dolt", "kill-imposters", "--yes"]).ok().says(&format!("Imposter: PID {}", other.pid()));
    town.gt(&["dolt", "start"]).ok();
}

/// Makes a store that cannot be written until this is dropped.
struct Unwritable(PathBuf);

impl Unwritable {
    fn make(noms: &Path) -> Self {
        if run_quietly("chattr", &["+i"], noms) {
            return Self(noms.to_owned());
        }
        fs::set_permissions(noms, fs::Permissions::from_mode(0o555)).unwrap();
        if fs::write(noms.join("probe"), "").is_ok() {
            // Root without the right to make files immutable: then a directory stands where a file must be opened.
            fs::remove_file(noms.join("probe")).unwrap();
            drop(fs::remove_file(noms.join("LOCK")));
            fs::create_dir(noms.join("LOCK")).unwrap();
        }
        Self(noms.to_owned())
    }
}

impl Drop for Unwritable {
    fn drop(&mut self) {
        run_quietly("chattr", &["-i"], &self.0);
        drop(fs::set_permissions(&self.0, fs::Permissions::from_mode(0o755)));
        drop(fs::remove_dir(self.0.join("LOCK")));
    }
}

fn run_quietly(program: &str, args: &[&str], path: &Path) -> bool {
    let mut command = Command::new(program);
    command.args(args).arg(path);
    run(command).code == 0
}

#[test]
fn f32_a_store_that_cannot_be_written_is_told_in_dolts_own_words() {
    let town = TestTown::with(&["hq", "alpha"]);
    let noms = town.database("hq/.dolt/noms");
    let unwritable = Unwritable::make(&noms);
    let refused =
        town.gt(&["dolt", "start"]).fails(1).error_begins_with("ended while starting (exit code 1): ");
    let log = town.read("daemon/dolt.log");
    let last = log.trim_end().lines().last().unwrap();
    assert!(last.contains("/hq/.dolt/noms/"), "{log}");
    refused.error_begins_with(last).says("daemon/dolt.log");
    assert!(!town.file("daemon/dolt.pid").exists() && town.servers().is_empty());
    drop(unwritable);
    town.gt(&["dolt", "start"]).ok();
}
