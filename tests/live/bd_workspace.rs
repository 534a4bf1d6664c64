//! The workspace of a bd call, as the library finds it without starting anything, against what the real bd says of the same
//! layouts: `where`, `context`, `config show`, and what `init` and `config set` write.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gt::town::env::Env;
use gt::town::workspace::{
    Call, Config, Metadata, Mode, Workspace, database_of_prefix, lives_in_yaml, set_in_yaml,
};
use serde_json::Value;

use crate::support::{Ran, bd, quiet_home, run};

type Pairs<'a> = &'a [(&'static str, &'a str)];

/// A temporary directory with a HOME in which both sides look at the same files with the same environment.
struct Ground(tempfile::TempDir);

impl Ground {
    fn new() -> Self {
        let ground = Self(tempfile::tempdir().unwrap());
        quiet_home(&ground.path("home"));
        fs::write(ground.path("home/.gitconfig"), "[user]\n\tname = Somebody\n\temail = s@example.com\n")
            .unwrap();
        ground
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().canonicalize().unwrap().join(name)
    }

    fn env<'a>(home: &'a str, pairs: Pairs<'a>) -> Vec<(&'static str, &'a str)> {
        let fixed = [
            ("HOME", home),
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("BD_DISABLE_METRICS", "1"),
            ("BD_NON_INTERACTIVE", "1"),
            ("USER", "login"),
        ];
        fixed.into_iter().chain(pairs.iter().copied()).collect()
    }

    fn run(&self, program: impl AsRef<std::ffi::OsStr>, cwd: &Path, pairs: Pairs<'_>, args: &[&str]) -> Ran {
        let home = self.path("home");
        let mut command = Command::new(program);
        command.args(args).current_dir(cwd).env_clear().env("PWD", cwd);
        command.envs(Self::env(home.to_str().unwrap(), pairs));
        run(command)
    }

    #[track_caller]
    fn git(&self, cwd: &str, args: &[&str]) {
        self.run("git", &self.path(cwd), &[], args).ok();
    }

    #[track_caller]
    fn bd(&self, cwd: &Path, pairs: Pairs<'_>, args: &[&str]) -> Value {
        self.run(bd(), cwd, pairs, args).ok().json()
    }

    #[track_caller]
    fn ours(&self, cwd: &Path, pairs: Pairs<'_>) -> Workspace {
        let home = self.path("home");
        let env = Env::of(&Self::env(home.to_str().unwrap(), pairs));
        Workspace::find(&Call::new(&env, cwd)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// `where` and `context` say the same of this directory on both sides.
    #[track_caller]
    fn same(&self, cwd: &str, pairs: Pairs<'_>) -> Value {
        let cwd = &self.path(cwd);
        let ours = self.ours(cwd, pairs);
        let text = |path: Option<PathBuf>| path.map_or(Value::Null, |p| p.to_str().unwrap().into());
        let theirs = self.bd(cwd, pairs, &["where", "--json"]);
        assert_eq!(theirs["path"], ours.dir().to_str().unwrap(), "{theirs}");
        assert_eq!(theirs["redirected_from"], text(ours.redirected_from()), "{theirs}");
        assert_eq!(theirs["database_path"], text(ours.database_path()), "{theirs}");

        let theirs = self.bd(cwd, pairs, &["context", "--json"]);
        let facts = ours.facts();
        assert_eq!(theirs["beads_dir"], ours.dir().to_str().unwrap(), "{theirs}");
        assert_eq!(theirs["repo_root"], text(facts.repo_root), "{theirs}");
        assert_eq!(theirs["cwd_repo_root"], text(facts.cwd_repo_root), "{theirs}");
        assert_eq!(theirs["is_redirected"], facts.is_redirected, "{theirs}");
        assert_eq!(theirs["is_worktree"], facts.is_worktree, "{theirs}");
        assert_eq!(theirs["dolt_mode"], ours.mode().value.as_str(), "{theirs}");
        assert_eq!(theirs["database"], ours.database().value.as_str(), "{theirs}");
        let project = ours.metadata().and_then(Metadata::project_id);
        assert_eq!(theirs["project_id"], project.map_or(Value::Null, Value::from), "{theirs}");
        assert_eq!(theirs["role"], ours.role().map_or(Value::Null, |r| r.value.into()), "{theirs}");
        theirs
    }

    /// `config show` lists the same keys, values and sources, those of the database left out.
    #[track_caller]
    fn same_settings(&self, cwd: &str, pairs: Pairs<'_>) {
        let cwd = &self.path(cwd);
        let ours = self.ours(cwd, pairs);
        let theirs = self.bd(cwd, pairs, &["config", "show", "--json"]);
        let entry = |e: &Value| {
            let text = |key: &str| e[key].as_str().unwrap().to_owned();
            (text("key"), text("value"), text("source"))
        };
        let theirs: Vec<_> =
            theirs.as_array().unwrap().iter().map(entry).filter(|e| e.2 != "database").collect();
        let mut mine: Vec<_> =
            ours.config().shown().into_iter().map(|shown| (shown.key, shown.value, shown.source)).collect();
        let metadata = ours.metadata().unwrap().shown();
        mine.extend(metadata.into_iter().map(|(key, value)| (key.to_owned(), value, "metadata".to_owned())));
        let role = ours.git_config().get("beads.role").map(str::to_owned);
        mine.extend(role.map(|role| ("beads.role".to_owned(), role, "git".to_owned())));
        mine.sort();
        assert_eq!(mine, theirs);
    }
}

const INIT: [&str; 6] = ["init", "--prefix", "my-app", "--skip-agents", "--skip-hooks", "-q"];

#[test]
fn the_same_workspace_is_found_as_by_the_real_bd() {
    let ground = Ground::new();
    for repo in ["main", "other", "town/rig"] {
        fs::create_dir_all(ground.path(repo)).unwrap();
        ground.git(repo, &["init", "-q", "-b", "main"]);
    }
    ground.run(bd(), &ground.path("main"), &[], &INIT).ok();
    let written = fs::read_to_string(ground.path("main/.beads/metadata.json")).unwrap();
    let context = ground.same("main", &[]);
    let id = context["project_id"].as_str().unwrap();
    let new = Metadata::for_init(Mode::Embedded, &database_of_prefix("my-app"), id).unwrap();
    assert_eq!(new.to_text().unwrap(), written, "init writes the same bytes");

    // Plain, from a subdirectory, from a rig within it.
    fs::create_dir_all(ground.path("main/a/b")).unwrap();
    ground.same("main/a/b", &[]);
    ground.write("main/a/.beads/metadata.json", r#"{"database":"dolt","dolt_database":"rig"}"#);
    // Without a database there, bd's `where` would name the one of the repository's root beside the rig's directory.
    fs::create_dir(ground.path("main/a/.beads/embeddeddolt")).unwrap();
    assert_eq!(ground.same("main/a/b", &[])["database"], "rig");
    fs::remove_dir_all(ground.path("main/a/.beads")).unwrap();

    // A worktree, which has the tracked files but not the database; then with one, then with a redirect.
    ground.git("main", &["add", "-A"]);
    ground.git("main", &["commit", "-q", "--allow-empty", "-m", "all"]);
    ground.git("main", &["worktree", "add", "-q", "../tree"]);
    assert!(ground.path("tree/.beads/metadata.json").exists());
    let context = ground.same("tree", &[]);
    assert_eq!(context["beads_dir"], ground.path("main/.beads").to_str().unwrap());
    fs::create_dir_all(ground.path("tree/sub")).unwrap();
    ground.same("tree/sub", &[]);
    fs::create_dir_all(ground.path("tree/.beads/dolt")).unwrap();
    let context = ground.same("tree", &[]);
    assert_eq!(context["beads_dir"], ground.path("tree/.beads").to_str().unwrap());
    ground.write("tree/.beads/redirect", "../main/.beads\n");
    assert_eq!(ground.same("tree", &[])["is_redirected"], true);

    // A redirect in a repository of its own, and one that leads nowhere.
    ground.write("other/.beads/redirect", "# shared\n\n../main/.beads\n");
    assert_eq!(ground.same("other", &[])["role"], "contributor");
    fs::create_dir_all(ground.path("other/x")).unwrap();
    ground.same("other/x", &[]);
    ground.write("other/.beads/metadata.json", r#"{"database":"dolt","dolt_database":"own"}"#);
    ground.write("other/.beads/redirect", "../lost/.beads");
    assert_eq!(ground.same("other", &[])["database"], "own");
    let said = ground.run(bd(), &ground.path("other"), &[], &["where"]).ok().err;
    let told = ground.ours(&ground.path("other"), &[]);
    let lost = told.warnings().iter().find(|w| w.starts_with("redirect target")).unwrap();
    assert!(said.contains(&format!("Warning: {lost}\n")), "{said}");

    // A variable, from another repository.
    let named = ground.path("main/.beads");
    let context = ground.same("other", &[("BEADS_DIR", named.to_str().unwrap())]);
    assert_eq!(context["beads_dir"], named.to_str().unwrap());
    let database = named.join("embeddeddolt");
    ground.same("other", &[("BEADS_DB", database.to_str().unwrap())]);

    // A bare repository with a worktree: the shared .beads lies inside it.
    ground.git(".", &["clone", "-q", "--bare", "main", "bare.git"]);
    ground.git("bare.git", &["worktree", "add", "-q", "../off-bare", "main"]);
    fs::remove_dir_all(ground.path("off-bare/.beads")).unwrap();
    ground.write("bare.git/.beads/metadata.json", r#"{"database":"dolt","dolt_database":"bare"}"#);
    assert_eq!(ground.same("off-bare", &[])["database"], "bare");

    // A rig of a town, as the Go tools leave it.
    ground.write("town/mayor/town.json", "{}");
    ground.write(
        "town/rig/.beads/metadata.json",
        r#"{"backend":"dolt","database":"dolt","dolt_database":"rig","dolt_mode":"server","dolt_server_host":"127.0.0.1","dolt_server_port":23999}"#,
    );
    let context = ground.same("town/rig", &[]);
    let place = ground.ours(&ground.path("town/rig"), &[]).place().unwrap();
    let gt::town::workspace::Place::Directory(local) = place else { panic!("{place:?}") };
    assert_eq!(local.path, ground.path("town/.dolt-data/rig"));
    let server = local.server.unwrap();
    assert_eq!(context["server_host"], server.host.value);
    assert_eq!(context["server_port"], server.port.unwrap().value.get());
}

#[test]
fn settings_have_the_values_and_sources_that_the_real_bd_shows() {
    let ground = Ground::new();
    fs::create_dir_all(ground.path("main")).unwrap();
    ground.git("main", &["init", "-q"]);
    ground.run(bd(), &ground.path("main"), &[], &INIT).ok();
    ground.same_settings("main", &[]);
    ground.write("home/.beads/config.yaml", "no-push: true\nrouting: {mode: legacy}\nlegacy-key: 0x10\n");
    ground.write(
        "home/.config/bd/config.yaml",
        "Routing:\n  Mode: user\n  default: here\nmetrics:\n  disabled: true\nratio: 1.50\n",
    );
    ground.write(
        "main/.beads/config.yaml",
        "# c\nbackup.interval: 1h\nbackup: {interval: 2h, enabled: yes}\nlist: [a, b]\nexport:\n  auto: true\nn: 010\nempty:\nmetrics.endpoint: project\nhierarchy:\n  max-depth: 7\n",
    );
    ground.same_settings("main", &[]);
    ground.write("main/.beads/config.local.yaml", "export:\n  path: local.jsonl\nn: 1_000\n");
    ground.same_settings("main", &[("BD_NO_PUSH", "false"), ("BD_AI_MODEL", "x"), ("BEADS_ACTOR", "a")]);

    // Who asks.
    let created_by = |pairs: Pairs<'_>, flags: &[&str]| {
        let args = [&["create", "One", "--json"], flags].concat();
        let made = ground.bd(&ground.path("main"), pairs, &args);
        (
            made["created_by"].as_str().unwrap().to_owned(),
            made["owner"].as_str().unwrap_or_default().to_owned(),
        )
    };
    let ours = |pairs: Pairs<'_>, flag: Option<&str>| {
        let here = ground.ours(&ground.path("main"), pairs);
        (here.actor(flag).value, here.owner().value)
    };
    let both: Pairs<'_> = &[("BEADS_ACTOR", "beads"), ("BD_ACTOR", "bd"), ("GIT_AUTHOR_EMAIL", "e@x")];
    for pairs in [&[], both, &both[..1]] {
        assert_eq!(ours(pairs, None), created_by(pairs, &[]), "{pairs:?}");
    }
    assert_eq!(ours(both, Some("flag")), created_by(both, &["--actor", "flag"]));
}

#[test]
fn a_key_is_set_to_the_same_effect_as_by_the_real_bd() {
    let ground = Ground::new();
    fs::create_dir_all(ground.path("main")).unwrap();
    ground.git("main", &["init", "-q"]);
    ground.run(bd(), &ground.path("main"), &[], &INIT).ok();
    let file = ground.path("main/.beads/config.yaml");
    let fresh = fs::read_to_string(&file).unwrap();
    let sections = "# top\ndolt:\n  # inner\n  auto-commit: on # eol\nlist:\n- 1\n".to_owned();
    // Text, key, value, and whether the bytes must be the same: bd lays a file out anew for a key in a section.
    let cases = [
        (&fresh, "dolt.auto-commit", "off", true),
        (&fresh, "no-push", "TRUE", true),
        (&fresh, "actor", "A: \"b\" \u{e9}\t", true),
        (&fresh, "backup.interval", "30m", true),
        (&sections, "dolt.auto-commit", "off", false),
        (&sections, "routing.mode", "auto", false),
        (&sections, "dolt.port", "3310", false),
        (&sections, "git.author", "A <a@b>", false),
        (&sections, "json", "false", true),
    ];
    for (text, key, value, same_bytes) in cases {
        assert!(lives_in_yaml(key), "{key}");
        let mine = set_in_yaml(text, key, value).unwrap();
        fs::write(&file, text).unwrap();
        ground.run(bd(), &ground.path("main"), &[], &["config", "set", key, value]).ok();
        let theirs = fs::read_to_string(&file).unwrap();
        let settings = || Config::load(&Env::default(), file.parent()).shown();
        let by_them = settings();
        assert!(by_them.iter().any(|s| s.key == key && s.source == "config.yaml"), "{key}: {theirs}");
        fs::write(&file, &mine).unwrap();
        assert_eq!(settings(), by_them, "{key}");
        if same_bytes {
            assert_eq!(mine, theirs, "{key}");
        } else {
            let comments = |t: &str| t.lines().filter(|l| l.contains('#')).count();
            assert_eq!(comments(&mine), comments(&theirs), "{key}: {mine}");
        }
        let got = ground.run(bd(), &ground.path("main"), &[], &["config", "get", key]).ok().out;
        let want = if key == "no-push" { "true" } else { value };
        assert_eq!(got.trim_end_matches('\n'), want, "the real bd reads what was written here");
    }
}
