//! `bd init` and the commands around a workspace, with no dolt, no bd and no git on PATH.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::sealed::{Ran, Sealed, read, run, snapshot, write};

fn bd_with(sealed: &Sealed, cwd: &Path, env: &[(&str, &str)], args: &[&str]) -> Ran {
    let mut command = sealed.bd_command(cwd, args);
    command.envs(env.iter().copied());
    run(command)
}

fn bd(sealed: &Sealed, cwd: &Path, args: &[&str]) -> Ran {
    bd_with(sealed, cwd, &[], args)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap_or_else(|e| panic!("{}: {e}", path.display())).permissions().mode() & 0o7777
}

#[test]
fn a_workspace_is_made_without_dolt_and_takes_issues_at_once() {
    let sealed = Sealed::new();
    let root = sealed.repository("my-app");
    let made = bd(&sealed, &root, &["init"]).ok();
    made.says("bd initialized successfully!").says("Issue prefix: my-app").says("Database: my_app");
    for (name, want) in [
        ("", 0o700),
        ("metadata.json", 0o600),
        ("config.yaml", 0o600),
        (".gitignore", 0o600),
        (".local_version", 0o600),
        ("README.md", 0o644),
        ("interactions.jsonl", 0o644),
        ("hooks", 0o700),
        ("hooks/pre-commit", 0o755),
        ("embeddeddolt", 0o700),
        ("embeddeddolt/.lock", 0o600),
        ("embeddeddolt/my_app/.dolt/noms/manifest", 0o644),
    ] {
        assert_eq!(mode(&root.join(".beads").join(name)), want, "{name}");
    }
    assert_eq!(read(&root.join(".beads/.local_version")), "1.1.0\n");
    let config = read(&root.join(".git/config"));
    let hooks = root.join(".beads/hooks");
    assert!(config.contains(&format!("hooksPath = {}", hooks.display())), "{config}");
    assert!(config.contains("[beads]\n\trole = maintainer"), "{config}");
    assert!(read(&root.join("AGENTS.md")).contains("<!-- BEGIN BEADS INTEGRATION"));
    assert!(read(&root.join(".gitignore")).contains(".beads/proxieddb/"));

    let issue = bd(&sealed, &root, &["create", "First", "--json"]).ok().json();
    assert!(issue["id"].as_str().unwrap().starts_with("my-app-"), "{issue}");
    bd(&sealed, &root, &["list"]).ok().says("First");
    let left: Vec<_> = fs::read_dir(&root).unwrap().flatten().map(|e| e.file_name()).collect();
    assert_eq!(left.len(), 4, "only .git, .beads, .gitignore and AGENTS.md: {left:?}");
}

#[test]
fn a_workspace_that_is_there_is_not_made_again() {
    let sealed = Sealed::new();
    let root = sealed.repository("w");
    bd(&sealed, &root, &["init", "--prefix", "a", "-q"]).ok();
    bd(&sealed, &root, &["create", "Stays"]).ok();
    let before = snapshot(&root);
    bd(&sealed, &root, &["init"]).fails(1).says("This workspace is already initialized.").says("Aborting.");
    let skipped = ["init", "--init-if-missing", "--prefix", "a"];
    bd(&sealed, &root, &skipped).ok().says("Skipping init: workspace already initialized.");
    let other = ["init", "--init-if-missing", "--prefix", "b"];
    bd(&sealed, &root, &other).fails(1).says("but --prefix \"b\" was requested");
    let forced = ["init", "--reinit-local", "--prefix", "a"];
    bd(&sealed, &root, &forced).fails(12).says("Refusing to destroy 1 issues");
    bd(&sealed, &root, &["init", "--prefix", "a", "--force", "--destroy-token=DESTROY-b"]).fails(12);
    assert_eq!(snapshot(&root), before, "a refusal leaves no trace");
    // With the token the files are written anew, and the issues are there as before.
    fs::remove_file(root.join(".beads/README.md")).unwrap();
    bd(&sealed, &root, &["init", "--prefix", "a", "--force", "--destroy-token=DESTROY-a"]).ok();
    assert!(root.join(".beads/README.md").is_file());
    bd(&sealed, &root, &["list"]).ok().says("Stays");
}

#[test]
fn what_cannot_be_made_is_refused_before_anything_is_written() {
    let sealed = Sealed::new();
    let root = sealed.repository("w");
    let before = snapshot(&root);
    for (args, text) in [
        (&["--backend", "sqlite"][..], "--backend=sqlite is no longer supported"),
        (&["--backend", "x"], "unknown backend \"x\": only \"dolt\" is supported"),
        (&["--database", "a b"], "invalid database name \"a b\""),
        (&["--database", "a-b"], "contains hyphens which are invalid in embedded mode"),
        (&["--role", "x"], "invalid --role \"x\""),
        (&["--proxied-server"], "--proxied-server is not yet implemented"),
        (&["--from-jsonl"], "--from-jsonl specified but"),
        (&["--prefix", "a b"], "produces an invalid database name"),
    ] {
        bd(&sealed, &root, &[&["init"], args].concat()).fails(1).says(text);
    }
    bd_with(&sealed, &root, &[("BEADS_DOLT_SERVER_HOST", "db.example.com")], &["init"])
        .fails(1)
        .says("server mode is not enabled");
    assert_eq!(snapshot(&root), before);
    let inside = root.join(".beads");
    fs::create_dir(&inside).unwrap();
    bd(&sealed, &inside, &["init"]).fails(1).says("cannot initialize bd inside a .beads directory");
    // Where there is no repository, git would have to make one.
    let bare = sealed.path().join("bare");
    fs::create_dir(&bare).unwrap();
    bd(&sealed, &bare, &["init"]).fails(1).says("failed to initialize git repository");
    assert_eq!(fs::read_dir(&bare).unwrap().count(), 0);
}

#[test]
fn what_a_cut_off_init_left_is_completed() {
    let sealed = Sealed::new();
    let root = sealed.repository("w");
    bd(&sealed, &root, &["init", "-q"]).ok();
    bd(&sealed, &root, &["create", "Kept"]).ok();
    let project = read(&root.join(".beads/metadata.json"));
    // The database is there, and the file that names it is not.
    fs::remove_file(root.join(".beads/metadata.json")).unwrap();
    fs::remove_file(root.join(".beads/config.yaml")).unwrap();
    bd(&sealed, &root, &["init"]).ok().says("Adopted project identity");
    assert_eq!(read(&root.join(".beads/metadata.json")), project);
    bd(&sealed, &root, &["list"]).ok().says("Kept");
    // A fresh clone: the file is there, and the database is not.
    fs::remove_dir_all(root.join(".beads/embeddeddolt")).unwrap();
    bd(&sealed, &root, &["init", "-q"]).ok();
    assert_eq!(read(&root.join(".beads/metadata.json")), project, "a clone is the same project");
    bd(&sealed, &root, &["create", "New"]).ok();
}

#[test]
fn a_stealthy_workspace_shows_nothing_in_tracked_files() {
    let sealed = Sealed::new();
    let root = sealed.repository("w");
    bd(&sealed, &root, &["init", "--stealth", "-q"]).ok();
    assert!(!root.join(".gitignore").exists() && !root.join("AGENTS.md").exists());
    assert!(!root.join(".beads/hooks").exists());
    let exclude = read(&root.join(".git/info/exclude"));
    assert!(exclude.contains("\n.beads/\n") && exclude.contains("\n*.db\n"), "{exclude}");
    assert_eq!(bd(&sealed, &root, &["config", "get", "no-git-ops"]).ok().out, "true\n");
    bd(&sealed, &root, &["prime"]).ok().says("no commands of git here");
}

#[test]
fn a_directory_that_the_environment_names_needs_no_repository() {
    let sealed = Sealed::new();
    let dir = sealed.path().join("elsewhere/.beads");
    let env = [("BEADS_DIR", dir.to_str().unwrap())];
    let cwd = sealed.path();
    bd_with(&sealed, &cwd, &env, &["init", "--prefix", "e", "-q"]).ok();
    bd_with(&sealed, &cwd, &env, &["create", "There"]).ok();
    bd_with(&sealed, &cwd, &env, &["list"]).ok().says("There");
    assert!(!cwd.join(".git").exists() && !cwd.join(".beads").exists());
}

#[test]
fn lines_of_an_export_come_along() {
    let sealed = Sealed::new();
    let root = sealed.repository("w");
    let line = r#"{"_type":"issue","id":"w-1a","title":"From a file","status":"open","priority":1,"issue_type":"task","created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z"}"#;
    write(&root.join(".beads/issues.jsonl"), &format!("{line}\n"));
    bd(&sealed, &root, &["init", "--from-jsonl", "-q"]).ok();
    bd(&sealed, &root, &["show", "w-1a"]).ok().says("From a file");
}

#[test]
fn a_child_gets_a_number_that_no_wisp_has() {
    let sealed = Sealed::new();
    let root = sealed.repository("x");
    bd(&sealed, &root, &["init", "--prefix", "x"]).ok();
    let above = || {
        write(&root.join("lines"), "{\"id\":\"x-1\",\"title\":\"Above\"}\n");
        bd(&sealed, &root, &["import", "lines"]).ok();
    };
    above();
    let wisp =
        bd(&sealed, &root, &["create", "A wisp", "--parent", "x-1", "--ephemeral", "--json"]).ok().json();
    assert_eq!(wisp["id"], "x-1.1");
    // With it goes the number of its last child.
    bd(&sealed, &root, &["delete", "x-1", "--force"]).ok();
    above();
    let child = bd(&sealed, &root, &["create", "A child", "--parent", "x-1", "--json"]).ok().json();
    assert_eq!(child["id"], "x-1.2");
    assert_eq!(bd(&sealed, &root, &["show", "x-1.1", "--json"]).ok().json()[0]["title"], "A wisp");
}

#[test]
fn a_towns_empty_database_gets_its_tables_without_a_server() {
    let sealed = Sealed::new();
    let root = sealed.path().join("t");
    sealed.gt(&sealed.path(), &["install", root.to_str().unwrap()]).ok();
    sealed.gt(&root, &["rig", "add", "gastown"]).ok();
    let rig = sealed.repository("t/gastown");
    bd(&sealed, &rig, &["init", "--server", "--prefix", "gt", "--reinit-local", "--skip-agents", "-q"]).ok();
    bd(&sealed, &rig, &["create", "In a town"]).ok().says("gt-");
    let context = bd(&sealed, &rig, &["context", "--json"]).ok().json();
    assert_eq!(
        (&context["engine"], &context["dolt_mode"]),
        (&"native".into(), &"server".into()),
        "{context}"
    );
    // A second one finds them.
    bd(&sealed, &rig, &["init", "--server", "--prefix", "gt"]).fails(1).says("already initialized");
}

#[test]
fn settings_go_where_they_belong() {
    let sealed = Sealed::new();
    let root = sealed.repository("w");
    bd(&sealed, &root, &["init", "-q"]).ok();
    let config = |args: &[&str]| bd(&sealed, &root, &[&["config"], args].concat());
    config(&["set", "jira.url", "https://j"]).ok().says("Set jira.url = https://j\n");
    assert_eq!(config(&["get", "jira.url"]).ok().out, "https://j\n");
    assert_eq!(config(&["get", "jira.none"]).ok().out, "jira.none (not set)\n");
    config(&["unset", "jira.url"]).ok().says("Unset jira.url");
    assert_eq!(config(&["get", "jira.url"]).ok().out, "jira.url (not set)\n");

    config(&["set", "export.auto", "true"]).ok().says("Set export.auto = true (in config.yaml)");
    assert!(read(&root.join(".beads/config.yaml")).contains("export"));
    assert_eq!(config(&["get", "export.auto"]).ok().out, "true\n");
    config(&["set", "beads.role", "contributor"]).ok().says("(in git config)");
    assert!(read(&root.join(".git/config")).contains("role = contributor"));
    config(&["set", "beads.role", "boss"]).fails(1).says("invalid role \"boss\"");
    config(&["set", "issue_prefix", "x"]).fails(1).says("cannot be set via 'bd config set'");
    config(&["set", "status.custom", "Open"]).fails(1).says("invalid status.custom value");
    config(&["set", "linaer.team", "x"]).ok().says("Did you mean \"linear.team\"?");

    config(&["set", "types.custom", "agent,convoy"]).ok();
    bd(&sealed, &root, &["create", "A convoy", "-t", "convoy"]).ok();
    config(&["set", "status.custom", "waiting:wip"]).ok();
    let told = config(&["get", "status.custom", "--json"]).ok().json();
    assert_eq!(
        told,
        serde_json::json!({"key": "status.custom", "schema_version": 1, "value": "waiting:wip"})
    );
    config(&["list"]).ok().says("types.custom = agent,convoy").says("Also set in config.yaml");
    config(&["show", "--source", "git"]).ok().says("beads.role").says("contributor");
    config(&["bogus"]).fails(1).says("unknown command \"bogus\"");
    config(&["set", "--readonly", "a.b", "c"]).fails(1).says("read-only mode");
    config(&["set", "--readonly", "dolt.port", "1"]).fails(1).says("read-only mode");
}

#[test]
fn a_secret_is_not_written_into_a_file_that_git_keeps() {
    let sealed = Sealed::new();
    let root = sealed.repository("w");
    bd(&sealed, &root, &["init", "-q"]).ok();
    let set = ["config", "set", "github.token", "abc"];
    bd(&sealed, &root, &set).ok();
    // The index as git writes it names its paths with a zero byte behind.
    fs::write(root.join(".git/index"), b"DIRC....\x00\x13.beads/config.yaml\x00").unwrap();
    bd(&sealed, &root, &set)
        .fails(1)
        .says("refusing to write secret key \"github.token\"")
        .says("GITHUB_TOKEN");
    bd(&sealed, &root, &[&set[..], &["--force-git-tracked"]].concat()).ok();
}

#[test]
fn memories_are_kept_found_and_primed() {
    let sealed = Sealed::new();
    let root = sealed.repository("w");
    bd(&sealed, &root, &["init", "-q"]).ok();
    let kept = bd(&sealed, &root, &["remember", "Always run the tests twice"]).ok();
    kept.says("Remembered [always-run-the-tests-twice]: Always run the tests twice");
    bd(&sealed, &root, &["remember", "uses JWT", "--key", "auth"]).ok();
    bd(&sealed, &root, &["remember", "uses sessions", "--key", "auth"]).ok().says("Updated [auth]");
    bd(&sealed, &root, &["remember", "auth"]).ok().says("uses sessions");
    bd(&sealed, &root, &["remember", "nobody"]).fails(1).says("no memory named \"nobody\" to recall");
    assert_eq!(bd(&sealed, &root, &["recall", "auth"]).ok().out, "uses sessions\n");
    bd(&sealed, &root, &["memories"]).ok().says("Memories (2):");
    bd(&sealed, &root, &["memories", "SESSIONS"]).ok().says("  auth\n    uses sessions");
    let primed = bd(&sealed, &root, &["prime", "--full"]).ok();
    primed.says("## Persistent Memories (2)").says("### auth\nuses sessions");
    for words in [
        "Quality Tools",
        "Lifecycle & Hygiene",
        "Structured Workflows",
        "bd formula list",
        "conventions",
        "bd human",
        "bd preflight",
    ] {
        assert!(bd(&sealed, &root, &["prime", "--full"]).ok().out.contains(words), "{words}");
    }
    bd(&sealed, &root, &["forget", "auth"]).ok().says("Forgot [auth]: uses sessions");
    bd(&sealed, &root, &["forget", "auth"]).fails(1).says("No memory with key \"auth\"");
    write(&root.join(".beads/PRIME.md"), "Only this.\n");
    assert_eq!(bd(&sealed, &root, &["prime"]).ok().out, "Only this.\n");
    assert!(bd(&sealed, &root, &["prime", "--export"]).ok().out.contains("# Beads Workflow Context"));
    let outside = bd(&sealed, &sealed.path(), &["prime"]).ok();
    assert_eq!((outside.out.as_str(), outside.err.as_str()), ("", ""));
}

#[test]
fn every_word_of_bd_that_is_not_here_says_so_and_fails() {
    let sealed = Sealed::new();
    for word in ["swarm", "daemon", "jira", "federation", "graph"] {
        let said = bd(&sealed, &sealed.path(), &[word, "any", "--flag"]).fails(1);
        said.says(&format!("bd {word} is not here yet; real bd can do it on the same database"));
    }
    bd(&sealed, &sealed.path(), &["bogus"]).fails(1).says("unknown command \"bogus\" for \"bd\"");
    bd(&sealed, &sealed.path(), &["version"]).ok().says("bd version 1.1.0 (");
    bd(&sealed, &sealed.path(), &["quickstart"]).ok().says("bd create \"Fix login bug\"");
    bd(&sealed, &sealed.path(), &["init-safety"]).ok().says("DESTROY-");
}

#[test]
fn where_one_is_and_whether_it_works() {
    let sealed = Sealed::new();
    let root = sealed.repository("w");
    let told = bd(&sealed, &root, &["where", "--json"]).fails(1).json();
    assert_eq!(told["error"], "no_beads_directory");
    bd(&sealed, &root, &["init", "-q"]).ok();
    let below = root.join("a/b");
    fs::create_dir_all(&below).unwrap();
    let told = bd(&sealed, &below, &["where", "--json"]).ok().json();
    let beads = root.join(".beads");
    assert_eq!(told["path"], beads.to_str().unwrap());
    assert_eq!((&told["prefix"], &told["schema_version"]), (&"w".into(), &1.into()));
    let context = bd(&sealed, &below, &["context"]).ok();
    context.says("  mode:         embedded").says("  role:         maintainer").says("native (nobody holds");
    bd(&sealed, &below, &["ping"]).ok().says("✓ bd ping: ok (");
    assert_eq!(bd(&sealed, &below, &["ping", "--json"]).ok().json()["status"], "ok");
    bd(&sealed, &below, &["info"]).ok().says("Issue Count: 0");
    fs::remove_dir_all(beads.join("embeddeddolt")).unwrap();
    bd(&sealed, &below, &["ping"]).fails(1).says("Error: bd ping: no beads database at");
    bd(&sealed, &below, &["context"]).ok().says("none (no beads database at");
}

#[test]
fn hooks_keep_what_the_user_wrote() {
    let sealed = Sealed::new();
    let root = sealed.repository("w");
    write(&root.join(".git/hooks/pre-push"), "#!/bin/sh\necho mine\n");
    write(&root.join(".git/hooks/pre-commit.sample"), "#!/bin/sh\n");
    bd(&sealed, &root, &["init", "-q"]).ok();
    let hook = root.join(".beads/hooks/pre-push");
    assert!(read(&hook).starts_with("#!/bin/sh\necho mine\n"), "{}", read(&hook));
    assert!(!root.join(".beads/hooks/pre-commit.sample").exists());
    let listed = bd(&sealed, &root, &["hooks", "list", "--json"]).ok().json();
    assert_eq!(
        listed["hooks"][2],
        serde_json::json!({"Name": "pre-push", "Installed": true, "Version": "1.1.0", "IsShim": true, "Outdated": false})
    );
    assert!(listed.get("schema_version").is_none());
    bd(&sealed, &root, &["hooks", "uninstall"]).ok();
    assert_eq!(read(&hook), "#!/bin/sh\necho mine\n");
    assert!(!root.join(".beads/hooks/pre-commit").exists());
    assert!(!read(&root.join(".git/config")).contains("hooksPath"));
    bd(&sealed, &root, &["hooks", "install"]).ok().says("  - prepare-commit-msg");
    assert!(
        read(&root.join(".git/hooks/pre-push")).contains("echo mine\n\n# --- BEGIN BEADS INTEGRATION v1.1.0")
    );

    let message = root.join("msg");
    write(&message, "Title\n");
    let run = ["hooks", "run", "prepare-commit-msg", message.to_str().unwrap()];
    bd_with(&sealed, &root, &[("BD_ACTOR", "rig/one")], &run).ok();
    bd_with(&sealed, &root, &[("BD_ACTOR", "rig/one")], &run).ok();
    assert_eq!(read(&message), "Title\n\nExecuted-By: rig/one\n");
    bd(&sealed, &root, &["hooks", "run", "bogus"]).fails(1).says("unknown hook: bogus");
}

#[test]
fn a_hook_brings_the_issues_of_a_file_that_git_brought() {
    let sealed = Sealed::new();
    let root = sealed.repository("w");
    bd(&sealed, &root, &["init", "-q"]).ok();
    let line = r#"{"_type":"issue","id":"w-9z","title":"Pulled","status":"open","priority":1,"issue_type":"task","created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z"}"#;
    write(&root.join(".beads/issues.jsonl"), &format!("{line}\n"));
    bd(&sealed, &root, &["hooks", "run", "post-checkout", "a", "b", "0"]).ok();
    bd(&sealed, &root, &["show", "w-9z"]).fails(1);
    bd(&sealed, &root, &["hooks", "run", "post-checkout", "a", "b", "1"]).ok();
    bd(&sealed, &root, &["show", "w-9z"]).ok().says("Pulled");
}

#[test]
fn doctor_looks_at_the_workspace_too() {
    let sealed = Sealed::new();
    let root = sealed.repository("w");
    bd(&sealed, &root, &["init", "-q"]).ok();
    bd(&sealed, &root, &["create", "One"]).ok();
    bd(&sealed, &root, &["doctor"])
        .ok()
        .says("✓  Schema: version 53, local 11")
        .says("0 warnings  ✖ 0 errors");
    let metadata = root.join(".beads/metadata.json");
    let text = read(&metadata);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let id = value["project_id"].as_str().unwrap();
    fs::write(&metadata, text.replace(id, "00000000-0000-4000-8000-000000000000")).unwrap();
    let told = bd(&sealed, &root, &["doctor", "--json"]).fails(1).json();
    assert_eq!(told["overall_ok"], false);
    let check = told["checks"].as_array().unwrap().iter().find(|c| c["name"] == "Project Identity").unwrap();
    assert_eq!(check["status"], "error", "{check}");
    assert!(check["detail"].as_str().unwrap().contains(id));
    fs::write(&metadata, text.replace("embedded\",", "embedded\",\n  \"dolt_server_port\": 4000,")).unwrap();
    write(&root.join(".beads/dolt-server.port"), "4001");
    bd(&sealed, &root, &["doctor"])
        .ok()
        .says("⚠  Server Port: Two ports")
        .says("4001, which is the one that counts");
    bd(&sealed, &root, &["doctor", "--check=conventions"]).fails(1).says("is not here yet");
    fs::remove_dir_all(root.join(".beads/embeddeddolt")).unwrap();
    bd(&sealed, &root, &["doctor"]).fails(1).says("✖  Database");
}

#[test]
fn the_quickstart_needs_no_dolt() {
    let sealed = Sealed::new();
    let place = sealed.path().join("quick");
    let shown = sealed.gt(&sealed.path(), &["quickstart", place.to_str().unwrap()]).ok();
    shown.says("$ gt bd create 'Ship it' --id app-5").says("nothing of the above needed one");
    let beads = place.join("app/.beads");
    let env = [("BEADS_DIR", beads.to_str().unwrap())];
    let ready = bd_with(&sealed, &sealed.path(), &env, &["ready", "--json"]).ok().json();
    let ids: Vec<&str> =
        ready.as_array().unwrap().iter().map(|issue| issue["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["app-2", "app-4"]);
    // Without a directory nothing is left.
    let mut command = sealed.command(&sealed.path(), &["quickstart"]);
    let temporary = sealed.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    command.env("TMPDIR", &temporary);
    run(command).ok();
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
}

#[test]
fn the_quickstart_is_led_nowhere_by_the_variables_of_another_town() {
    let sealed = Sealed::new();
    let elsewhere = sealed.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let mut command = sealed.command(&sealed.path(), &["quickstart", "quick"]);
    command.env("GT_DOLT_PORT", "34407").env("BEADS_DIR", &elsewhere).env("GT_ROOT", &elsewhere);
    run(command).ok().says("Set in your environment, and not heeded here: BEADS_DIR, GT_DOLT_PORT, GT_ROOT");
    assert!(sealed.path().join("quick/app/.beads/metadata.json").is_file());
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
}

#[test]
fn the_history_of_the_database_is_shown_and_what_is_left_is_committed() {
    let sealed = Sealed::new();
    let root = sealed.repository("w");
    bd(&sealed, &root, &["init", "-q"]).ok();
    let at = || bd(&sealed, &root, &["vc", "status", "--json"]).ok().json();
    let first = at();
    assert_eq!(first["branch"], "main");
    assert_eq!(first["commit"].as_str().unwrap().len(), 32);
    bd(&sealed, &root, &["create", "One", "--id", "w-1", "--dolt-auto-commit", "off"]).ok();
    assert_eq!(at(), first, "nothing was committed");
    bd(&sealed, &root, &["vc", "status"]).ok().says("There are changes that no commit holds");
    bd(&sealed, &root, &["vc", "commit", "-m", "by hand"]).ok();
    assert_ne!(at(), first);
    let log = bd(&sealed, &root, &["vc", "log", "--json"]).ok().json();
    assert_eq!((&log[0]["message"], &log[1]["message"]), (&"by hand".into(), &"bd init".into()));
    assert_eq!(bd(&sealed, &root, &["vc", "log", "-n", "1"]).ok().out.lines().count(), 1);
    bd(&sealed, &root, &["vc", "merge", "x"]).fails(1).says("bd vc merge is not here yet");
    bd(&sealed, &root, &["vc", "bogus"]).fails(1).says("unknown command \"bogus\" for \"bd vc\"");
    bd(&sealed, &root, &["dolt", "push"]).fails(1).says("bd dolt push is not here yet");
    bd(&sealed, &root, &["dolt", "status"]).ok().says("embedded (in-process, no server)");
    bd(&sealed, &root, &["dolt", "start"]).fails(1).says("not supported in embedded mode");
    let shown = bd(&sealed, &root, &["dolt", "show", "--json"]).ok().json();
    assert_eq!((&shown["database"], &shown["embedded"]), (&"w".into(), &true.into()));
}

/// The commands that a text names, as the words behind `bd` and the flags behind those.
fn commands(text: &str) -> Vec<(Vec<String>, Vec<String>)> {
    let is_word = |word: &&str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let mut found = Vec::new();
    for line in text.lines() {
        for span in line.split('`').map(str::trim).filter_map(|span| span.strip_prefix("bd ")) {
            // What stands behind two blanks says what it is for.
            let command =
                span.split(['#', '(']).next().unwrap_or_default().split("  ").next().unwrap_or_default();
            let words: Vec<&str> = command.split(' ').filter(|word| !word.is_empty()).collect();
            let verbs = words.iter().take_while(|word| !word.starts_with('-') && is_word(word));
            let flags = words.iter().filter(|word| word.starts_with("--"));
            let flag = |word: &&str| word.split('=').next().unwrap_or_default().to_owned();
            found.push((verbs.map(|&word| word.to_owned()).collect(), flags.map(flag).collect()));
        }
    }
    found
}

#[test]
fn every_command_that_an_agent_is_told_of_is_here_with_its_flags() {
    let sealed = Sealed::new();
    let root = sealed.repository("w");
    bd(&sealed, &root, &["init", "-q"]).ok();
    let told = [&["prime", "--full"][..], &["quickstart"]].map(|args| bd(&sealed, &root, args).ok().out);
    // What is said not to be here says so too.
    let (before, line) = told[0].split_once("The real bd can do it on the same database: ").unwrap();
    let (others, behind) = line.split_once('\n').unwrap();
    let others: Vec<&str> = others.split('`').filter_map(|span| span.strip_prefix("bd ")).collect();
    assert_eq!(others.len(), 4, "{others:?}");
    for words in others {
        let words: Vec<&str> = words.split(' ').collect();
        bd(&sealed, &root, &words).fails(1).says("is not here yet; real bd can do it");
    }
    let told = [before, behind, &told[1]].map(str::to_owned);
    let files = ["AGENTS.md", ".beads/README.md"].map(|name| read(&root.join(name)));
    for text in told.iter().chain(&files) {
        let commands = commands(text);
        assert!(commands.len() >= 3, "{text}");
        for (words, flags) in commands.into_iter().filter(|(words, _)| !words.is_empty()) {
            let mut args: Vec<&str> = words.iter().map(String::as_str).collect();
            args.push("--help");
            let help = bd(&sealed, &root, &args).ok();
            assert!(help.out.contains("Usage:"), "{words:?}: {help:?}");
            for flag in flags {
                assert!(help.out.contains(&flag), "{words:?} has no {flag}: {help:?}");
            }
        }
    }
}

#[test]
fn a_rig_whose_tables_nobody_has_made_yet_says_how_to_make_them() {
    let sealed = Sealed::new();
    let town = sealed.path().join("town");
    sealed.gt(&sealed.path(), &["install", town.to_str().unwrap()]).ok();
    // A rig is a repository; there is no git here that could make it one.
    sealed.repository("town/api");
    sealed.gt(&town, &["rig", "add", "api"]).ok();
    let rig = town.join("api");
    for args in [&["ready"][..], &["list"], &["create", "Too early"], &["show", "api-1"]] {
        let ran = bd(&sealed, &rig, args).fails(1);
        assert!(ran.err.contains("there is no table ") && ran.err.contains("bd init --server"), "{ran:?}");
    }
    let told = bd(&sealed, &rig, &["ready", "--json"]).fails(1).json();
    assert!(told["hint"].as_str().unwrap().contains("'bd init'"), "{told}");
    bd(&sealed, &rig, &["init", "--server", "--prefix", "api", "-q"]).ok();
    bd(&sealed, &rig, &["create", "In time", "--id", "api-1"]).ok();
    bd(&sealed, &rig, &["ready"]).ok().says("api-1");
}

#[test]
fn the_version_is_told_by_a_flag_too_for_programs_that_need_a_least_one() {
    let sealed = Sealed::new();
    let told = bd(&sealed, &sealed.path(), &["version"]).ok().out;
    assert!(told.starts_with("bd version 1.1.0 ("), "{told}");
    for flag in ["--version", "-V"] {
        assert_eq!(bd(&sealed, &sealed.path(), &[flag]).ok().out, told);
        assert_eq!(sealed.gt(&sealed.path(), &["bd", flag]).ok().out, told);
        bd(&sealed, &sealed.path(), &["list", flag]).fails(1).says("unknown");
    }
}
