//! `bd init` beside the real bd 1.1.0: the files that both make, with their modes, the settings of git, the lines that git
//! ignores, and whether each program works in what the other has made, without changing it first.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{Ran, TestTown, bd, quiet_home, run};

struct Ground(tempfile::TempDir);

impl Ground {
    fn new() -> Self {
        let ground = Self(tempfile::tempdir().unwrap());
        quiet_home(&ground.path("home"));
        let config = "[user]\n\tname = Somebody\n\temail = s@example.com\n[init]\n\tdefaultBranch = main\n";
        fs::write(ground.path("home/.gitconfig"), config).unwrap();
        ground
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().canonicalize().unwrap().join(name)
    }

    fn run(&self, program: impl AsRef<std::ffi::OsStr>, dir: &str, args: &[&str]) -> Ran {
        let cwd = self.path(dir);
        fs::create_dir_all(&cwd).unwrap();
        let mut command = Command::new(program);
        command.args(args).current_dir(&cwd).env_clear().env("PWD", &cwd).env("HOME", self.path("home"));
        command
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("USER", "login");
        command.env("BD_DISABLE_METRICS", "1").env("BD_NON_INTERACTIVE", "1");
        run(command)
    }

    fn real(&self, dir: &str, args: &[&str]) -> Ran {
        self.run(bd(), dir, args)
    }

    fn ours(&self, dir: &str, args: &[&str]) -> Ran {
        self.run(env!("CARGO_BIN_EXE_bd"), dir, args)
    }
}

/// Files and directories below, with their modes. Of databases only the directory: Dolt's files are not to be compared.
fn modes(dir: &Path) -> BTreeMap<String, u32> {
    fn walk(root: &Path, dir: &Path, found: &mut BTreeMap<String, u32>) {
        for entry in fs::read_dir(dir).unwrap().flatten() {
            let path = entry.path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            let mode = fs::symlink_metadata(&path).unwrap().permissions().mode() & 0o7777;
            let is_database = path.join(".dolt").is_dir();
            found.insert(name.clone(), if is_database { 0 } else { mode });
            if path.is_dir() && !is_database && name != ".git" {
                walk(root, &path, found);
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(dir, dir, &mut found);
    found
}

fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut lines: Vec<String> =
        text.lines().filter(|l| !l.is_empty() && !l.starts_with('#')).map(str::to_owned).collect();
    lines.sort();
    lines
}

fn keys(value: &Value) -> Vec<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn both_make_the_same_files_with_the_same_modes() {
    let ground = Ground::new();
    for extra in [&[][..], &["--stealth"]] {
        let dirs = ["theirs/w", "ours/w"].map(|d| format!("{d}{}", extra.len()));
        let args = [&["init", "--prefix", "my-app", "--skip-agents"], extra].concat();
        if !extra.is_empty() {
            // Where there is no repository yet, bd forgets what git shall not see.
            for dir in &dirs {
                ground.run("git", dir, &["init", "-q"]).ok();
            }
        }
        ground.real(&dirs[0], &args).ok();
        ground.ours(&dirs[1], &args).ok();
        let [theirs, ours] = [&dirs[0], &dirs[1]].map(|d| ground.path(d));
        assert_eq!(modes(&ours), modes(&theirs), "{extra:?}");
        assert_eq!(lines(&ours.join(".beads/.gitignore")), lines(&theirs.join(".beads/.gitignore")));
        assert_eq!(lines(&ours.join(".git/info/exclude")), lines(&theirs.join(".git/info/exclude")));
        if extra.is_empty() {
            assert_eq!(
                fs::read(ours.join(".gitignore")).unwrap(),
                fs::read(theirs.join(".gitignore")).unwrap()
            );
        }
        assert_eq!(
            lines(&ours.join(".beads/config.yaml")),
            lines(&theirs.join(".beads/config.yaml")),
            "{extra:?}"
        );
        let version = |dir: &Path| fs::read_to_string(dir.join(".beads/.local_version")).unwrap();
        assert_eq!(version(&ours), version(&theirs));
        let metadata = |dir: &Path| fs::read_to_string(dir.join(".beads/metadata.json")).unwrap();
        let parsed = [&ours, &theirs].map(|d| serde_json::from_str::<Value>(&metadata(d)).unwrap());
        let without_id =
            |dir: &Path, value: &Value| metadata(dir).replace(value["project_id"].as_str().unwrap(), "");
        assert_eq!(without_id(&ours, &parsed[0]), without_id(&theirs, &parsed[1]));
        for key in ["beads.role", "core.hooksPath"] {
            let of = |dir: &str| ground.run("git", dir, &["config", "--local", "--get", key]).out;
            assert_eq!(of(&dirs[1]), of(&dirs[0]).replace("theirs", "ours"), "{key}");
        }
        let log = |dir: &str| ground.run("git", dir, &["log", "--format=%s", "--name-only"]).out;
        assert_eq!(log(&dirs[1]), log(&dirs[0]), "git's commit and its files");
    }
}

#[test]
fn each_works_in_what_the_other_has_made_and_nothing_is_migrated() {
    let ground = Ground::new();
    ground.ours("a", &["init", "-q"]).ok();
    ground.real("b", &["init", "-q", "--skip-agents"]).ok();
    for dir in ["a", "b"] {
        let commits = || ground.real(dir, &["vc", "status", "--json"]).ok().json()["commit"].clone();
        let before = commits();
        ground.ours(dir, &["list"]).ok();
        ground.real(dir, &["list"]).ok();
        assert_eq!(commits(), before, "{dir}: reading is not migrating");
        let made = ground.ours(dir, &["create", "By us", "--json"]).ok().json();
        let id = made["id"].as_str().unwrap();
        assert!(id.starts_with(&format!("{dir}-")), "{id}");
        let theirs = ground.real(dir, &["create", "By them", "--deps", id, "--json"]).ok().json();
        ground.ours(dir, &["list"]).ok().says("By us").says("By them");
        ground.real(dir, &["ready"]).ok().says("By us");
        ground.real(dir, &["close", id]).ok();
        ground.ours(dir, &["ready"]).ok().says(theirs["title"].as_str().unwrap());
    }
    // What the databases say of their place: equal for one repository, whoever computes it.
    for name in ["one", "two"] {
        ground.run("git", name, &["init", "-q"]).ok();
        let url = ["remote", "add", "up", "git@GitHub.com:a/b.git"];
        ground.run("git", name, &url).ok();
    }
    let said = |program: &str, ran: &Ran| {
        let line = |what: &str| ran.out.lines().find_map(|l| l.trim().strip_prefix(what).map(str::to_owned));
        let found = line("Repository ID: ").zip(line("Clone ID: "));
        found.unwrap_or_else(|| panic!("{program} names no ids: {ran:?}"))
    };
    let ours = said("ours", &ground.ours("one", &["init", "--skip-agents"]).ok());
    fs::rename(ground.path("one/.beads"), ground.path("kept")).unwrap();
    let theirs = said("theirs", &ground.real("one", &["init", "--skip-agents"]).ok());
    assert_eq!(ours, theirs);
}

#[test]
fn refusals_have_the_same_exit_codes() {
    let ground = Ground::new();
    ground.real("theirs", &["init", "-q", "--prefix", "p", "--skip-agents"]).ok();
    ground.ours("ours", &["init", "-q", "--prefix", "p", "--skip-agents"]).ok();
    for dir in ["theirs", "ours"] {
        ground.real(dir, &["create", "One"]).ok();
    }
    for (args, code) in [
        (&["--prefix", "p"][..], 1),
        (&["--prefix", "p", "--reinit-local"], 12),
        (&["--prefix", "p", "--reinit-local", "--destroy-token", "DESTROY-x"], 12),
        (&["--prefix", "p", "--reinit-local", "--destroy-token", "DESTROY-p"], 0),
        (&["--init-if-missing"], 0),
        (&["--init-if-missing", "--prefix", "q"], 1),
        (&["--init-if-missing", "--database", "q"], 1),
        (&["--backend", "sqlite"], 1),
        (&["--role", "x"], 1),
    ] {
        let args = [&["init", "-q", "--skip-agents", "--skip-hooks"], args].concat();
        let codes = [ground.real("theirs", &args).code, ground.ours("ours", &args).code];
        assert_eq!(codes, [code, code], "{args:?}");
    }
    for dir in ["theirs", "ours"] {
        ground.ours(dir, &["list"]).ok().says("One");
    }
    // A remote with a history of issues: nobody begins a second one silently.
    ground.run("git", "up", &["init", "-q", "--bare"]).ok();
    for dir in ["theirs2", "ours2"] {
        ground.run("git", dir, &["init", "-q"]).ok();
        ground.run("git", dir, &["remote", "add", "origin", ground.path("up").to_str().unwrap()]).ok();
    }
    let blob = ground.run("git", "ours2", &["hash-object", "-w", "--stdin"]).ok().out;
    ground.run("git", "ours2", &["push", "-q", "origin", &format!("{}:refs/dolt/data", blob.trim())]).ok();
    for (args, code) in [
        (&["--reinit-local"][..], 10),
        (&["--discard-remote"], 12),
        (&["--discard-remote", "--destroy-token", "x"], 12),
    ] {
        let args = [&["init", "-q", "--prefix", "p", "--skip-agents"], args].concat();
        let codes = [ground.real("theirs2", &args).code, ground.ours("ours2", &args).code];
        assert_eq!(codes, [code, code], "{args:?}");
    }
    assert!(!ground.path("ours2/.beads").exists());
}

#[test]
fn settings_leave_the_same_rows_as_bds() {
    let ground = Ground::new();
    ground.real("theirs", &["init", "-q", "--prefix", "p", "--skip-agents"]).ok();
    ground.ours("ours", &["init", "-q", "--prefix", "p", "--skip-agents"]).ok();
    for args in [
        &["set", "types.custom", "convoy, agent"][..],
        &["set", "status.custom", "waiting:wip,asked"],
        &["set", "types.custom", "agent,role"],
        &["set", "a.b", "x y"],
        &["unset", "a.b"],
        &["set", "export.interval", "30s"],
        &["get", "export.interval"],
        &["get", "types.custom"],
        &["get", "nobody"],
        &["set", "beads.role", "contributor"],
        &["get", "beads.role"],
        &["set", "status.custom", "open"],
        &["set", "issue_prefix", "x"],
        &["unset", "status.custom"],
    ] {
        for json in [&[][..], &["--json"]] {
            let args = [&["config"], args, json].concat();
            let (theirs, ours) = (ground.real("theirs", &args), ground.ours("ours", &args));
            assert_eq!((ours.code, &ours.out), (theirs.code, &theirs.out), "{args:?}\n{ours:?}\n{theirs:?}");
        }
    }
    let of = |dir: &str, args: &[&str]| ground.real(dir, &[args, &["--json"]].concat()).ok().out;
    for args in [&["config", "list"][..], &["types"], &["statuses"]] {
        assert_eq!(of("ours", args), of("theirs", args), "{args:?}");
    }
    for args in [&["where"][..], &["context"], &["ping"], &["version"]] {
        let args = [args, &["--json"]].concat();
        let (theirs, mut ours) =
            (keys(&ground.real("theirs", &args).ok().json()), ground.ours("ours", &args).ok().json());
        if let Some(fields) = ours.as_object_mut() {
            // Ours alone.
            fields.retain(|key, _| !key.starts_with("engine"));
        }
        let theirs: Vec<String> = theirs
            .into_iter()
            .filter(|key| !(args[0] == "version" && (key == "branch" || key == "commit")))
            .collect();
        assert_eq!(keys(&ours), theirs, "{args:?}");
    }
}

#[test]
fn what_is_remembered_by_one_is_recalled_by_the_other() {
    let ground = Ground::new();
    ground.ours("w", &["init", "-q", "--prefix", "p", "--skip-agents"]).ok();
    ground.ours("w", &["remember", "Twice, with -race"]).ok();
    ground.real("w", &["remember", "uses JWT", "--key", "auth"]).ok();
    for args in [
        &["memories"][..],
        &["memories", "jwt"],
        &["memories", "nothing"],
        &["recall", "twice-with-race"],
        &["recall", "none"],
        &["remember", "auth"],
        &["remember", "none"],
        &["forget", "none"],
    ] {
        for json in [&[][..], &["--json"]] {
            let args = [args, json].concat();
            let (theirs, ours) = (ground.real("w", &args), ground.ours("w", &args));
            assert_eq!((ours.code, &ours.out), (theirs.code, &theirs.out), "{args:?}");
        }
    }
    ground.real("w", &["prime"]).ok().says("### auth\nuses JWT");
    ground.ours("w", &["prime"]).ok().says("### auth\nuses JWT");
    ground.ours("w", &["forget", "auth"]).ok();
    ground.real("w", &["recall", "auth"]).fails(1);
}

/// A town with a rig and a server.
fn with_server() -> TestTown {
    let town = TestTown::with(&["hq"]);
    town.gt(&["rig", "add", "gastown"]).ok();
    town.up();
    town
}

fn in_rig(town: &TestTown, program: &Path, args: &[&str]) -> Ran {
    let mut command = Command::new(program);
    command.args(args);
    town.seal(&mut command);
    let rig = town.file("gastown");
    command.current_dir(&rig).env("PWD", &rig).env("BD_NON_INTERACTIVE", "1");
    run(command)
}

#[test]
fn with_a_server_up_the_database_is_made_through_it() {
    let town = with_server();
    let at = |program: &Path, args: &[&str]| in_rig(&town, program, args);
    let (ours, theirs) = (Path::new(env!("CARGO_BIN_EXE_bd")), bd());
    let init = ["init", "--server", "--prefix", "gt", "--reinit-local", "--skip-agents", "--skip-hooks"];
    at(ours, &init).ok().says("Mode: server").says("Database: gastown");
    at(&theirs, &["create", "By them"]).ok().says("gt-");
    at(ours, &["list"]).ok().says("By them");
    let log = town.gt(&["dolt", "sql", "--db", "gastown", "-q", "select message from dolt_log"]).ok().out;
    assert_eq!(log.matches("schema: apply migrations").count(), 1, "nothing was migrated again: {log}");
    // The files say the same when the server is down.
    town.gt(&["down"]).ok();
    at(ours, &["list"]).ok().says("By them");
    at(ours, &["create", "By us"]).ok();
}

/// Breaks what only `doctor` looks at, in a workspace with the prefix `p`, and has it put right. `sql` is somebody else's.
fn doctor_finds_and_mends(
    beads_dir: &Path,
    ours: &dyn Fn(&[&str]) -> Ran,
    real: &dyn Fn(&[&str]) -> Ran,
    sql: &dyn Fn(&str),
) {
    for (id, more) in
        [("p-1", &[][..]), ("p-2", &["--deps", "p-1"]), ("p-3", &["--ephemeral", "--id", "p-3"])]
    {
        let id_flag = if more.contains(&"--id") { vec![] } else { vec!["--id", id] };
        ours(&[&["create", id, "--force"], more, &id_flag].concat()).ok();
    }
    ours(&["create", "Child", "--parent", "p-1"]).ok();
    ours(&["doctor"]).ok().says("0 errors");
    sql("update issues set is_blocked = 1 - is_blocked where id in ('p-1', 'p-2')");
    sql("insert into dependencies (id, issue_id, type, created_by, depends_on_wisp_id) \
         values ('11111111-1111-1111-1111-111111111111', 'p-2', 'blocks', 'x', 'p-wisp-gone')");
    sql("update child_counters set last_child = 0");
    sql("call dolt_commit('-Am', 'break it')");
    let found = ours(&["doctor", "--json"]).fails(1).json();
    let checks = found["checks"].as_array().unwrap();
    let bad: Vec<&Value> =
        checks.iter().filter(|check| check["status"] != "ok").map(|check| &check["name"]).collect();
    assert_eq!(bad, ["Dependencies", "Blocked State", "Child Counters"], "{found}");
    assert_eq!(found["overall_ok"], false);
    ours(&["doctor", "--fix"]).ok().says("0 errors").says("Everything as it was before");
    let backups: Vec<_> = fs::read_dir(beads_dir.join("backup")).unwrap().flatten().collect();
    assert_eq!(backups.len(), 1);
    assert_eq!(lines(&backups[0].path()).len(), 4, "each issue is in the backup");
    let told = real(&["recompute-blocked", "--json"]).ok().json();
    assert_eq!(told["rows_corrected"], 0, "the real bd has nothing to correct");
    real(&["ready"]).ok().says("p-1");
    let child = real(&["create", "Next", "--parent", "p-1", "--json"]).ok().json();
    assert_eq!(child["id"], "p-1.2");
    ours(&["doctor"]).ok().says("0 warnings");
}

#[test]
fn doctor_finds_what_is_wrong_with_rows_and_puts_it_right_after_a_backup() {
    let ground = Ground::new();
    ground.ours("w", &["init", "-q", "--prefix", "p", "--skip-agents"]).ok();
    let dolt = crate::support::Dolt::V1.path();
    let sql = |statement: &str| {
        ground.run(&dolt, "w/.beads/embeddeddolt/p", &["sql", "-q", statement]).ok();
    };
    let (ours, real) = (|args: &[&str]| ground.ours("w", args), |args: &[&str]| ground.real("w", args));
    doctor_finds_and_mends(&ground.path("w/.beads"), &ours, &real, &sql);
}

#[test]
fn doctor_does_the_same_through_a_server() {
    let (town, bd) = (with_server(), bd());
    let ours = |args: &[&str]| in_rig(&town, Path::new(env!("CARGO_BIN_EXE_bd")), args);
    let init = ["init", "--server", "--prefix", "p", "--reinit-local", "--skip-agents", "--skip-hooks"];
    ours(&init).ok();
    let is_through_server = || assert_eq!(ours(&["context", "--json"]).ok().json()["engine"], "server");
    is_through_server();
    let sql = |statement: &str| {
        town.gt(&["dolt", "sql", "--db", "gastown", "-q", statement]).ok();
    };
    let real = |args: &[&str]| in_rig(&town, &bd, args);
    doctor_finds_and_mends(&town.file("gastown/.beads"), &ours, &real, &sql);
    is_through_server();
    town.gt(&["down"]).ok();
    ours(&["doctor"]).ok().says("0 warnings");
}
