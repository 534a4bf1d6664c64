//! `--engine` and `BD_ENGINE`: an engine that was asked for does the work or refuses, and says who is in the way; it never gives
//! way to the other one in silence.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::support::{Child, Dolt, Ran, TestTown, bd, free_port, run, wait_until, write_program};

/// A server that meets the lock of a reader ends; so often in a row no reader is the reason.
const MOST_STARTS: u32 = 20;

/// A project of the real bd.
struct Project {
    town: TestTown,
    dir: PathBuf,
}

impl Project {
    fn new(dolt: Dolt) -> Self {
        let town = TestTown::build(dolt, &[], free_port());
        let dir = town.outside().join("project");
        std::fs::create_dir(&dir).unwrap();
        let project = Self { town, dir };
        for line in ["init --prefix x --skip-agents --skip-hooks -q", "create First --id x-1"] {
            run(project.command(bd(), None, &line.split(' ').collect::<Vec<_>>())).ok();
        }
        project
    }

    fn command(&self, program: PathBuf, variable: Option<&str>, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(words);
        self.town.seal(&mut command);
        command.current_dir(&self.dir).env("PWD", &self.dir).env("BD_NON_INTERACTIVE", "1");
        command.env("DOLT_USE_ADAPTIVE_ENCODING", "false");
        command.envs(variable.map(|word| ("BD_ENGINE", word)));
        command
    }

    /// Ours, with `BD_ENGINE` as given.
    fn ours(&self, variable: Option<&str>, words: &[&str]) -> Ran {
        run(self.command(PathBuf::from(env!("CARGO_BIN_EXE_bd")), variable, words))
    }

    fn engine(&self, variable: Option<&str>, flags: &[&str]) -> [String; 3] {
        let told: Value = self.ours(variable, &[&["context", "--json"], flags].concat()).ok().json();
        ["engine", "engine_reason", "engine_forced_by"]
            .map(|key| told[key].as_str().unwrap_or_default().to_owned())
    }

    fn ids(&self) -> Vec<String> {
        let list = self.ours(None, &["list", "--json", "--all"]).ok().json();
        let mut ids: Vec<String> =
            list.as_array().unwrap().iter().map(|issue| issue["id"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    }

    /// A server on the database's files; started again if it met the lock of somebody who looked.
    fn serve(&self) -> (Child, u16) {
        let (port, data) = (free_port(), self.dir.join(".beads/embeddeddolt"));
        let args = ["sql-server", "--host", "127.0.0.1", "--port", &port.to_string(), "--data-dir", "."];
        for _ in 0..MOST_STARTS {
            let mut server = self.town.start_dolt(&args, &data);
            let mut has_ended = false;
            wait_until("the server is proved to have the database, or has ended", || {
                has_ended = server.0.try_wait().unwrap().is_some();
                has_ended || self.engine(None, &[])[0] == "server"
            });
            if !has_ended {
                return (server, port);
            }
        }
        panic!("no server comes up: each of {MOST_STARTS} has ended");
    }
}

fn an_engine_is_taken_or_refused(dolt: Dolt) {
    let project = Project::new(dolt);
    // Nobody holds the files.
    for ran in [
        project.ours(None, &["--engine", "server", "list"]),
        project.ours(Some("server"), &["create", "Never"]),
        project.ours(None, &["update", "x-1", "-p", "0", "--engine=server"]),
    ] {
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
        let ran = ran.error_begins_with("the server engine was asked for: ");
        assert!(
            ran.err.contains("no server is proved to have it open: nobody is known to hold its lock"),
            "{ran:?}"
        );
        assert!(ran.err.contains("\nHint: start one"), "{ran:?}");
    }
    let json = project.ours(Some("server"), &["show", "x-1", "--json"]);
    assert!(json.code == 1 && json.json()["error"].as_str().unwrap().contains("was asked for"), "{json:?}");
    let [engine, why, by] = project.engine(Some("server"), &[]);
    assert_eq!((engine.as_str(), by.as_str()), ("none", "BD_ENGINE"));
    assert!(why.starts_with("BD_ENGINE asks for the server engine; no server is proved"), "{why}");
    // The flag goes before the variable.
    project.ours(Some("server"), &["--engine", "native", "create", "Second", "--id", "x-2"]).ok();
    let [engine, why, by] = project.engine(Some("server"), &["--engine", "native"]);
    assert_eq!((engine.as_str(), by.as_str()), ("native", "--engine"));
    assert_eq!(why, "--engine asks for the native engine; nobody holds the database's lock");
    let [engine, _, by] = project.engine(None, &["--engine", "auto"]);
    assert_eq!((engine.as_str(), by.as_str()), ("native", ""));
    assert_eq!(project.ids(), ["x-1", "x-2"]);

    // A server holds them.
    let (server, port) = project.serve();
    for variable in [None, Some("native"), Some("server")] {
        project.ours(variable, &["show", "x-2"]).ok();
    }
    let refused = project.ours(Some("native"), &["create", "Never"]);
    assert_eq!((refused.code, refused.out.as_str()), (1, ""), "{refused:?}");
    let refused = refused.error_begins_with("the native engine was asked for: ");
    let holder = format!("PID {} (dolt sql-server", server.pid());
    assert!(
        refused.err.contains(&holder) && refused.err.contains(&format!("127.0.0.1:{port}")),
        "{refused:?}"
    );
    assert!(refused.err.contains("\nHint: stop that server, or let it write"), "{refused:?}");
    let [engine, why, by] = project.engine(Some("native"), &[]);
    assert_eq!((engine.as_str(), by.as_str()), ("none", "BD_ENGINE"));
    assert!(why.contains(&holder) && why.ends_with("reads work, writes are refused"), "{why}");
    project.ours(Some("native"), &["--engine", "server", "create", "Third", "--id", "x-3"]).ok();
    project.ours(None, &["create", "Fourth", "--id", "x-4"]).ok();
    assert_eq!(project.engine(Some("server"), &[])[0], "server");
    let text = project.ours(Some("server"), &["context"]).ok();
    assert!(
        text.out.contains("engine:       server (BD_ENGINE asks for the server engine; PID "),
        "{text:?}"
    );
    assert_eq!(project.ids(), ["x-1", "x-2", "x-3", "x-4"]);

    // A word that is none.
    for ran in [
        project.ours(Some("sql"), &["list"]),
        project.ours(None, &["--engine", "sql", "create", "Never"]),
        project.ours(Some("sql"), &["context"]),
    ] {
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
        ran.error_begins_with("\"sql\", and can be auto, native or server");
    }
    assert_eq!(project.ids(), ["x-1", "x-2", "x-3", "x-4"]);
}

#[test]
fn an_engine_that_was_asked_for_is_taken_or_refused_beside_a_server_of_dolt_1() {
    an_engine_is_taken_or_refused(Dolt::V1);
}

#[test]
fn an_engine_that_was_asked_for_is_taken_or_refused_beside_a_server_of_dolt_2() {
    an_engine_is_taken_or_refused(Dolt::V2);
}

/// Closes a gate for which `gh` has to be asked, and looks at what came of it.
fn close_a_gate_of_github(project: &Project) {
    let call = |words: &[&str]| {
        let bin = project.town.outside().join("bin");
        let mut command = project.command(PathBuf::from(env!("CARGO_BIN_EXE_bd")), None, words);
        command.env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
        command.env("OUR_BD", env!("CARGO_BIN_EXE_bd"));
        run(command)
    };
    let mut gates = Vec::new();
    for awaits in ["7", "9"] {
        let made = call(&["gate", "create", "-t", "gh:pr", "--blocks", "x-1", "--await-id", awaits]).ok();
        gates.push(made.out.split("Created gate ").nth(1).unwrap().split(' ').next().unwrap().to_owned());
    }
    let before = project.ids().len();
    call(&["close", &gates[0], &gates[1]]).says("PR 'Try it'");
    let shown: Value = call(&["show", &gates[0], &gates[1], "--json"]).ok().json();
    assert_eq!([&shown[0]["status"], &shown[1]["status"]], ["closed", "open"], "{shown:#}");
    assert_eq!(project.ids().len(), before + 2, "one issue for each time that gh was asked");
}

#[test]
fn who_closes_a_gate_lets_others_write_while_github_is_asked_with_and_without_a_server() {
    let project = Project::new(Dolt::V1);
    let bin = project.town.outside().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let script = r#"#!/bin/sh
"$OUR_BD" create "Made meanwhile" --silent > /dev/null || exit 1
case "$3" in
7) echo '{"state":"MERGED","title":"Mend it"}' ;;
*) echo '{"state":"OPEN","title":"Try it"}' ;;
esac
"#;
    write_program(&bin.join("gh"), script);
    close_a_gate_of_github(&project);
    let (_server, _) = project.serve();
    close_a_gate_of_github(&project);
}
