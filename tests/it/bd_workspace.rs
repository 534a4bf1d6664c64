//! Which `.beads` a bd command works in, where its database is and who asks: layouts made by hand, asked of the library.
//! `tests/live/bd_workspace.rs` holds the same answers against the real bd.

use std::fs;
use std::path::{Path, PathBuf};

use gt::town::env::Env;
use gt::town::workspace::{
    Call, Chosen, Local, Metadata, Mode, Origin, Place, Rule, Workspace, WorkspaceError,
};

use crate::sealed::{read, snapshot, write};

/// A temporary directory with a HOME, in which nothing of this machine is visible.
struct Ground {
    dir: tempfile::TempDir,
}

impl Ground {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(name)
    }

    /// A repository of git, as far as its files tell.
    fn repo(&self, name: &str) -> PathBuf {
        let top = self.path(name);
        self.git_dir(&format!("{name}/.git"), "");
        top
    }

    fn git_dir(&self, name: &str, config: &str) {
        let dir = self.path(name);
        for part in ["objects", "refs"] {
            fs::create_dir_all(dir.join(part)).unwrap();
        }
        write(&dir.join("HEAD"), "ref: refs/heads/main\n");
        write(&dir.join("config"), config);
    }

    /// A linked worktree of the repository whose shared directory this is.
    fn worktree(&self, common: &str, name: &str) -> PathBuf {
        let (top, own) = (self.path(name), self.path(common).join("worktrees/w"));
        write(&top.join(".git"), &format!("gitdir: {}\n", own.display()));
        write(&own.join("commondir"), "../..\n");
        write(&own.join("HEAD"), "ref: refs/heads/w\n");
        top
    }

    fn beads(&self, name: &str, metadata: &str) -> PathBuf {
        let dir = self.path(name);
        write(&dir.join("metadata.json"), metadata);
        dir
    }

    fn env(&self, pairs: &[(&'static str, &str)]) -> Env {
        let home = self.path("home");
        let mut all = vec![("HOME", home.to_str().unwrap()), ("GIT_CONFIG_NOSYSTEM", "1")];
        all.extend_from_slice(pairs);
        Env::of(&all)
    }

    fn find(&self, cwd: &Path, pairs: &[(&'static str, &str)]) -> Result<Workspace, WorkspaceError> {
        Workspace::find(&Call::new(&self.env(pairs), cwd))
    }

    #[track_caller]
    fn dir(&self, cwd: &Path, pairs: &[(&'static str, &str)]) -> PathBuf {
        self.find(cwd, pairs).unwrap().dir().to_owned()
    }
}

const EMBEDDED: &str = r#"{"database":"dolt","dolt_mode":"embedded","dolt_database":"x"}"#;

fn local(workspace: &Workspace) -> Local {
    match workspace.place().unwrap() {
        Place::Directory(local) => *local,
        Place::Remote(address) => panic!("remote: {address:?}"),
    }
}

#[test]
fn a_subdirectory_uses_the_nearest_project_up_to_the_repositorys_root() {
    let ground = Ground::new();
    let top = ground.repo("a");
    let outside = ground.beads(".beads", EMBEDDED);
    let deep = top.join("b/c/d");
    fs::create_dir_all(&deep).unwrap();
    assert!(matches!(ground.find(&deep, &[]), Err(WorkspaceError::NotFound)), "not beyond the repository");
    let root = ground.beads("a/.beads", EMBEDDED);
    assert_eq!(ground.dir(&deep, &[]), root);
    fs::create_dir_all(top.join("b/c/.beads")).unwrap();
    assert_eq!(ground.dir(&deep, &[]), root, "an empty .beads is no project");
    let rig = ground.beads("a/b/.beads", EMBEDDED);
    assert_eq!(ground.dir(&deep, &[]), rig);
    assert_eq!(ground.dir(&top, &[]), root);
    fs::create_dir_all(ground.path("free/x")).unwrap();
    assert_eq!(ground.dir(&ground.path("free/x"), &[]), outside, "without a repository up to the top");
    let call = ground.find(&deep, &[]).unwrap();
    assert_eq!(call.facts().repo_root.unwrap(), top);
    assert_eq!(call.chosen(), &Chosen::Here);
}

#[test]
fn a_worktree_uses_its_own_only_with_a_database_and_its_redirect_before_that() {
    let ground = Ground::new();
    ground.repo("main");
    let shared = ground.beads("main/.beads", EMBEDDED);
    fs::create_dir_all(shared.join("embeddeddolt")).unwrap();
    let top = ground.worktree("main/.git", "w");
    let own = ground.beads("w/.beads", EMBEDDED);
    assert_eq!(ground.dir(&top, &[]), shared, "tracked files alone do not count");
    let facts = ground.find(&top, &[]).unwrap().facts();
    assert!(facts.is_worktree && !facts.is_redirected, "{facts:?}");
    assert_eq!((facts.repo_root, facts.cwd_repo_root), (Some(ground.path("main")), Some(top.clone())));
    fs::create_dir_all(own.join("dolt")).unwrap();
    assert_eq!(ground.dir(&top, &[]), own);
    let third = ground.beads("third/.beads", EMBEDDED);
    write(&own.join("redirect"), "# why\n\n../third/.beads\n");
    assert_eq!(ground.dir(&top, &[]), third);
    fs::remove_dir_all(&own).unwrap();
    fs::create_dir(top.join("sub")).unwrap();
    assert_eq!(ground.dir(&top.join("sub"), &[]), shared);
    fs::remove_dir_all(shared.join("embeddeddolt")).unwrap();
    let own = ground.beads("w/.beads", EMBEDDED);
    assert_eq!(ground.dir(&top, &[]), own, "where neither has a database, the nearer project");
}

#[test]
fn the_shared_directory_of_a_bare_repository_is_inside_it() {
    let ground = Ground::new();
    ground.git_dir("bare.git", "[core]\n\tbare = true\n");
    let top = ground.worktree("bare.git", "w");
    let shared = ground.beads("bare.git/.beads", EMBEDDED);
    assert_eq!(ground.dir(&top, &[]), shared);
    // In the bare repository itself there is no working tree, so nothing bounds the walk.
    assert_eq!(ground.dir(&ground.path("bare.git"), &[]), shared);
    let odd = ground.repo("odd");
    write(&odd.join(".git/config"), "[core]\n\tbare = true\n");
    let above = ground.beads(".beads", EMBEDDED);
    assert_eq!(ground.dir(&odd, &[]), above);
}

#[test]
fn a_second_workspace_of_jj_is_treated_like_a_worktree() {
    let ground = Ground::new();
    let main = ground.repo("main");
    fs::create_dir_all(main.join(".jj/repo")).unwrap();
    let shared = ground.beads("main/.beads", EMBEDDED);
    fs::create_dir_all(shared.join("embeddeddolt")).unwrap();
    let second = ground.path("main/second");
    write(&second.join(".jj/repo"), "../../.jj/repo");
    let own = ground.beads("main/second/.beads", EMBEDDED);
    assert_eq!(ground.dir(&second, &[]), shared);
    fs::create_dir_all(own.join("embeddeddolt")).unwrap();
    assert_eq!(ground.dir(&second, &[]), own);
}

#[test]
fn a_redirect_goes_one_step_from_the_directory_above_and_the_sources_database_wins() {
    let ground = Ground::new();
    let top = ground.repo("a");
    let source = ground.beads("a/.beads", r#"{"dolt_database":"mine","dolt_mode":"server"}"#);
    write(&source.join("redirect"), "../town/.beads\n");
    let target = ground.beads("town/.beads", r#"{"dolt_database":"hq","dolt_mode":"server"}"#);
    let here = ground.find(&top, &[]).unwrap();
    assert_eq!(here.dir(), target);
    assert_eq!(here.redirected_from().unwrap(), source);
    assert_eq!(here.database().value, "mine");
    assert_eq!(here.database().origin, Origin::Redirect(source.clone()));
    assert!(here.facts().is_redirected);
    assert_eq!(here.role().unwrap().value, "contributor");
    let named = ground.find(&top, &[("BEADS_DIR", target.to_str().unwrap())]).unwrap();
    assert_eq!(named.database().value, "mine", "also when the variable names the target already");
    let other = ground.find(&top, &[("BEADS_DOLT_SERVER_DATABASE", "env")]).unwrap();
    assert_eq!(other.database().value, "env");

    // One step; the chain is told.
    write(&target.join("redirect"), "/nowhere");
    let chain = ground.find(&top, &[]).unwrap();
    assert_eq!(chain.dir(), target);
    let told = format!("redirect chains not allowed, ignoring redirect in {}", target.display());
    assert!(chain.warnings().contains(&told), "{:?}", chain.warnings());

    // A target that is not there: the source, and a warning, once.
    write(&source.join("redirect"), "../lost/.beads");
    let lost = ground.find(&top, &[]).unwrap();
    assert_eq!(lost.dir(), source);
    let told = format!(
        "redirect target does not exist or is not a directory: {}",
        ground.path("lost/.beads").display()
    );
    assert_eq!(lost.warnings().iter().filter(|w| **w == told).count(), 1, "{:?}", lost.warnings());
}

#[test]
fn variables_and_flags_choose_in_their_order() {
    let ground = Ground::new();
    let top = ground.repo("here");
    let here = ground.beads("here/.beads", EMBEDDED);
    let [one, two, three] = ["one", "two", "three"].map(|n| ground.beads(&format!("{n}/.beads"), EMBEDDED));
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let (one_text, two_text) = (text(&one), text(&two));
    assert_eq!(ground.dir(&top, &[("BEADS_DIR", &one_text), ("BEADS_DB", &two_text)]), one);
    assert_eq!(ground.dir(&top, &[("BEADS_DIR", "/nowhere"), ("BEADS_DB", &two_text)]), two);
    assert_eq!(ground.dir(&top, &[("BEADS_DIR", "/nowhere")]), here, "a variable that names no project");
    assert_eq!(ground.dir(&top, &[("BD_DB", &text(&one.join("embeddeddolt")))]), one);
    assert_eq!(ground.dir(&top, &[("BEADS_DB", &text(&one.join("dolt/x")))]), one);
    let env = ground.env(&[("BEADS_DIR", &one_text)]);
    let with_c = Call { directory: Some(&ground.path("three")), ..Call::new(&env, &top) };
    assert_eq!(Workspace::find(&with_c).unwrap().dir(), three);
    let with_db = Call { database: Some(&two), ..with_c };
    assert_eq!(Workspace::find(&with_db).unwrap().dir(), two);
    let empty = ground.path("empty");
    fs::create_dir(&empty).unwrap();
    let refused = Call { directory: Some(&empty), ..Call::new(&env, &top) };
    let error = Workspace::find(&refused).unwrap_err().to_string();
    assert!(error.ends_with("no beads project found"), "{error}");
    let error = ground.find(&top, &[("BD_BACKEND", "sqlite")]).unwrap_err().to_string();
    assert!(error.starts_with("BD_BACKEND env var is not supported"), "{error}");
}

#[test]
fn the_file_env_of_a_workspace_completes_the_environment() {
    let ground = Ground::new();
    let top = ground.repo("a");
    let here = ground.beads("a/.beads", r#"{"dolt_mode":"server","dolt_database":"x"}"#);
    write(&here.join(".env"), "BEADS_DOLT_PASSWORD=secret\nBEADS_ACTOR=file\n");
    let found = ground.find(&top, &[("BEADS_ACTOR", "env")]).unwrap();
    assert_eq!(found.actor(None).value, "env");
    let server = local(&found).server.unwrap();
    assert_eq!(server.password.unwrap().value.0, "secret");
    let elsewhere = ground.beads("b/.beads", EMBEDDED);
    write(&here.join(".env"), &format!("BEADS_DIR={}\n", elsewhere.display()));
    assert_eq!(ground.dir(&top, &[]), elsewhere);
}

#[test]
fn an_embedded_database_is_found_in_both_layouts() {
    let ground = Ground::new();
    let top = ground.repo("a");
    let here = ground.beads("a/.beads", EMBEDDED);
    let fresh = local(&ground.find(&top, &[]).unwrap());
    assert_eq!((fresh.path.clone(), fresh.rule), (here.join("embeddeddolt/x"), Rule::Embedded));
    assert!(!fresh.exists() && fresh.server.is_none());
    fs::create_dir_all(here.join("dolt/x/.dolt")).unwrap();
    let old = local(&ground.find(&top, &[]).unwrap());
    assert_eq!((old.path.clone(), old.rule), (here.join("dolt/x"), Rule::OldEmbedded));
    fs::create_dir_all(here.join("embeddeddolt/x/.dolt")).unwrap();
    assert_eq!(local(&ground.find(&top, &[]).unwrap()).rule, Rule::Embedded);
}

#[test]
fn a_rig_in_a_town_has_its_database_in_the_towns_data_directory() {
    let ground = Ground::new();
    write(&ground.path("t/mayor/town.json"), "{}");
    let rig = ground.repo("t/gastown");
    let beads = ground.beads("t/gastown/.beads", r#"{"dolt_mode":"server","dolt_database":"gt"}"#);
    let here = ground.find(&rig, &[]).unwrap();
    let found = local(&here);
    assert_eq!((found.path.clone(), found.rule), (ground.path("t/.dolt-data/gt"), Rule::Town));
    assert_eq!(found.town.unwrap().root(), ground.path("t"));
    let server = found.server.unwrap();
    assert_eq!((server.host.value.as_str(), server.port.unwrap().value.get()), ("127.0.0.1", 3307));
    assert_eq!((server.user.value.as_str(), server.password), ("root", None));

    // The port: bd's order, then the town's own.
    let port = |pairs: &[(&'static str, &str)]| {
        let port = local(&ground.find(&rig, pairs).unwrap()).server.unwrap().port.unwrap();
        (port.value.get(), port.origin.to_string())
    };
    write(&ground.path("t/mayor/daemon.json"), r#"{"env":{"GT_DOLT_PORT":"23102"}}"#);
    assert_eq!(port(&[]), (23_102, "mayor/daemon.json (env.GT_DOLT_PORT)".to_owned()));
    ground
        .beads("t/gastown/.beads", r#"{"dolt_mode":"server","dolt_database":"gt","dolt_server_port":23103}"#);
    assert_eq!(port(&[]).0, 23_103);
    write(&beads.join("config.yaml"), "dolt:\n  port: 23104\n");
    assert_eq!(port(&[]), (23_104, beads.join("config.yaml").display().to_string()));
    write(&beads.join("dolt-server.port"), "23105");
    assert_eq!(port(&[]).0, 23_105);
    let env = [("BEADS_DOLT_SERVER_PORT", "23106")];
    assert_eq!(port(&env), (23_106, "environment variable BEADS_DOLT_SERVER_PORT".to_owned()));
    let bad = ground.find(&rig, &[("BEADS_DOLT_SERVER_PORT", "x")]).unwrap().place().unwrap_err();
    assert!(bad.to_string().contains("port \"x\" from environment variable"), "{bad}");

    // The directory: one that is named, then the workspace's own if only that exists.
    fs::create_dir_all(beads.join("dolt/gt/.dolt")).unwrap();
    let own = local(&ground.find(&rig, &[]).unwrap());
    assert_eq!((own.path, own.rule), (beads.join("dolt/gt"), Rule::Own));
    fs::create_dir_all(ground.path("t/.dolt-data/gt/.dolt")).unwrap();
    assert_eq!(local(&ground.find(&rig, &[]).unwrap()).rule, Rule::Town);
    let named = local(&ground.find(&rig, &[("BEADS_DOLT_DATA_DIR", "/srv/d")]).unwrap());
    assert_eq!((named.path, named.rule), (PathBuf::from("/srv/d/gt"), Rule::DataDir));
}

#[test]
fn another_machine_or_tls_is_an_address_and_no_directory() {
    let ground = Ground::new();
    write(&ground.path("t/mayor/town.json"), "{}");
    let rig = ground.repo("t/r");
    ground.beads("t/r/.beads", r#"{"dolt_mode":"server","dolt_database":"gt"}"#);
    let away = |pairs: &[(&'static str, &str)]| match ground.find(&rig, pairs).unwrap().place().unwrap() {
        Place::Remote(address) => {
            Some((address.host.value, address.host.origin.to_string(), address.tls.value))
        }
        Place::Directory(_) => None,
    };
    assert_eq!(away(&[]), None);
    let town = away(&[("GT_DOLT_HOST", "192.0.2.7")]).unwrap();
    assert_eq!(town, ("192.0.2.7".into(), "environment variable GT_DOLT_HOST".into(), false));
    assert_eq!(away(&[("GT_DOLT_HOST", "192.0.2.7"), ("BEADS_DOLT_SERVER_HOST", "127.0.0.1")]), None);
    assert!(away(&[("BEADS_DOLT_SERVER_TLS", "true")]).unwrap().2);
    let metadata = r#"{"dolt_mode":"server","dolt_database":"gt","dolt_server_host":"192.0.2.8"}"#;
    let beads = ground.beads("t/r/.beads", metadata);
    assert_eq!(away(&[]).unwrap().0, "192.0.2.8");
    let origin = away(&[]).unwrap().1;
    assert_eq!(origin, beads.join("metadata.json").display().to_string());
}

#[test]
fn the_mode_comes_from_the_first_that_says_it() {
    let ground = Ground::new();
    let top = ground.repo("a");
    let here = ground.beads("a/.beads", r#"{"dolt_database":"x"}"#);
    let mode = |pairs: &[(&'static str, &str)]| ground.find(&top, pairs).unwrap().mode().value;
    assert_eq!(mode(&[]), Mode::Embedded);
    write(&here.join("config.yaml"), "dolt.mode: server\n");
    assert_eq!(mode(&[]), Mode::Server);
    assert_eq!(mode(&[("BD_DOLT_MODE", "embedded")]), Mode::Embedded);
    ground.beads("a/.beads", EMBEDDED);
    assert_eq!(mode(&[]), Mode::Embedded, "metadata.json goes before config.yaml");
    assert_eq!(mode(&[("BEADS_DOLT_SERVER_MODE", "1")]), Mode::Server);
    let shared = ground.find(&top, &[("BEADS_DOLT_SHARED_SERVER", "true")]).unwrap();
    assert!(shared.warnings().iter().any(|w| w.contains("shared-server mode")), "{:?}", shared.warnings());
    let place = local(&shared);
    assert_eq!((place.rule, place.path), (Rule::Shared, ground.path("home/.beads/shared-server/dolt/x")));
    assert_eq!(place.server.unwrap().port.unwrap().value.get(), 3308);
    ground.beads("a/.beads", r#"{"dolt_mode":"proxied-server"}"#);
    let refused = ground.find(&top, &[]).unwrap().place().unwrap_err().to_string();
    assert!(refused.contains("proxied-server"), "{refused}");
    ground.beads("a/.beads", "{bad");
    let broken = ground.find(&top, &[]).unwrap();
    assert_eq!(broken.dir(), here, "a broken file is still found");
    assert!(broken.place().unwrap_err().to_string().contains("metadata.json"), "and refused by name");
}

#[test]
fn actor_and_owner_come_from_flag_setting_variable_git_and_login() {
    let ground = Ground::new();
    let top = ground.repo("a");
    let here = ground.beads("a/.beads", EMBEDDED);
    let actor = |pairs: &[(&'static str, &str)]| ground.find(&top, pairs).unwrap().actor(None).value;
    assert_eq!(actor(&[]), "unknown");
    assert_eq!(actor(&[("USER", "login")]), "login");
    write(
        &ground.path("home/.gitconfig"),
        "[user]\n\tname = Global\n\temail = g@x\n[include]\n\tpath = ~/more\n",
    );
    assert_eq!(actor(&[("USER", "login")]), "Global");
    write(
        &ground.path("home/more"),
        "[user]\nname = Included\n[includeIf \"gitdir:~/../a/\"]\npath = work\n",
    );
    assert_eq!(actor(&[]), "Included");
    write(&ground.path("home/work"), "[user]\nemail = work@x\n");
    let found = ground.find(&top, &[]).unwrap();
    assert_eq!((found.owner().value.as_str(), found.owner().origin), ("work@x", Origin::Git("user.email")));
    write(&top.join(".git/config"), "[user]\n\tname = Local\n[beads]\n\trole = maintainer\n");
    assert_eq!(actor(&[]), "Local");
    assert_eq!(ground.find(&top, &[]).unwrap().role().unwrap().value, "maintainer");
    let numbered =
        [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "User.Name"), ("GIT_CONFIG_VALUE_0", "N")];
    assert_eq!(actor(&numbered), "N");
    assert_eq!(actor(&[("BEADS_ACTOR", "beads")]), "beads");
    write(&here.join("config.yaml"), "actor: yaml\n");
    assert_eq!(actor(&[("BEADS_ACTOR", "beads")]), "yaml");
    assert_eq!(actor(&[("BEADS_ACTOR", "beads"), ("BD_ACTOR", "bd")]), "bd");
    assert_eq!(ground.find(&top, &[]).unwrap().actor(Some("flag")).value, "flag");
    let owner = ground.find(&top, &[("GIT_AUTHOR_EMAIL", "env@x")]).unwrap().owner();
    assert_eq!(owner.value, "env@x");
    write(&ground.path("home/.gitconfig"), "[user\n");
    let broken = ground.find(&top, &[]).unwrap();
    assert!(broken.git_config().problem.as_deref().unwrap().contains("bad config line 1"));
    assert_eq!(broken.owner().value, "", "git would refuse every question");
}

#[test]
fn a_route_leads_to_the_workspace_of_a_prefix() {
    let ground = Ground::new();
    let town = ground.repo("t");
    let hq = ground.beads("t/.beads", EMBEDDED);
    write(
        &hq.join("routes.jsonl"),
        "# c\n{\"prefix\":\"hq-\",\"path\":\".\"}\nbroken\n{\"prefix\":\"gt-\",\"path\":\"gastown\"}\n{\"prefix\":\"gt-\",\"path\":\"other\"}\n{\"prefix\":\"no-\",\"path\":\"none\"}\n",
    );
    ground.beads("t/gastown/.beads", r#"{"dolt_database":"pointer"}"#);
    write(&ground.path("t/gastown/.beads/redirect"), "mayor/rig/.beads");
    let inner =
        ground.beads("t/gastown/mayor/rig/.beads", r#"{"dolt_database":"gastown","dolt_mode":"server"}"#);
    let here = ground.find(&town, &[]).unwrap();
    let target = here.route("gt-abc.1").unwrap();
    assert_eq!((target.beads_dir.clone(), target.database.as_str()), (inner.clone(), "gastown"));
    for nowhere in ["hq-1", "no-1", "zz-1", "gt"] {
        assert_eq!(here.route(nowhere), None, "{nowhere}");
    }
    let there = Workspace::at(here.env(), here.cwd(), &target.beads_dir);
    assert_eq!((there.dir(), there.database().value.as_str()), (inner.as_path(), "gastown"));
}

#[test]
fn looking_changes_nothing_and_setting_a_key_changes_one_file() {
    let ground = Ground::new();
    let top = ground.repo("a");
    let here = ground.beads("a/.beads", EMBEDDED);
    write(&here.join("config.yaml"), "# mine\nexport:\n  auto: false # no\n");
    let before = snapshot(&ground.path(""));
    let found = ground.find(&top, &[]).unwrap();
    drop((found.place().unwrap(), found.config().shown(), found.facts(), found.actor(None), found.role()));
    assert!(snapshot(&ground.path("")) == before, "a look makes nothing");
    assert_eq!(found.set_in_config("export.auto", "true").unwrap(), here.join("config.yaml"));
    assert_eq!(read(&here.join("config.yaml")), "# mine\nexport:\n  auto: true # no\n");
    assert!(ground.find(&top, &[]).unwrap().config().bool("export.auto"));
    found.unset_in_config("export.auto").unwrap();
    assert_eq!(read(&here.join("config.yaml")), "# mine\nexport:\n  # auto: true # no\n");
    let users = found.set_in_config("metrics.disabled", "true").unwrap();
    assert_eq!(users, ground.path("home/.config/bd/config.yaml"));
    assert!(ground.find(&top, &[]).unwrap().config().bool("metrics.disabled"));
    write(&here.join("config.yaml"), "a: [1\n");
    let error = found.set_in_config("json", "true").unwrap_err().to_string();
    assert!(error.contains("config.yaml") && error.contains("cannot be understood"), "{error}");
    assert_eq!(read(&here.join("config.yaml")), "a: [1\n");
    fs::remove_file(here.join("config.yaml")).unwrap();
    assert!(matches!(found.set_in_config("json", "true"), Err(WorkspaceError::NoConfig { .. })));
    let made = Metadata::for_init(Mode::Server, "x", "p").unwrap();
    made.save(&here).unwrap();
    assert_eq!(ground.find(&top, &[]).unwrap().mode().value, Mode::Server);
}
