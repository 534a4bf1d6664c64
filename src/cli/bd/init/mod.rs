//! `bd init`: a workspace and its database.
//!
//! Nothing stays half done: a new `.beads` is put together beside its place, database included, and renamed there whole; into
//! one that is there files are put one by one and the database comes last, as one rename too, and a second `init` completes
//! what a cut-off one left. Ctrl-C ends it before that step, without traces. What comes behind it (hooks, the file for agents,
//! git's commit) warns when it fails and can be done again.
//!
//! A database that is there is never made anew, also not with `--reinit-local`: like bd, this only writes the files.

mod database;
pub(super) mod fingerprint;
mod guard;
mod project;
mod texts;

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;

use super::answer::{Answer, Refusal};
use super::context::Calling;
use super::hooks;
use super::version::BD_VERSION;
use crate::cli::out;
use crate::cli::progress::Bar;
use crate::store::schema::Fresh;
use crate::sys::interrupt::Interrupt;
use crate::sys::{atomic, clock};
use crate::town::beads::BeadsDir;
use crate::town::env::Env;
use crate::town::workspace::{
    Metadata, Mode, Repo, Workspace, database_of_prefix, new_project_id, normal_prefix,
};
use project::{Agents, Git};

/// Make a workspace here: a .beads directory and a database
#[derive(Debug, Args)]
#[command(after_help = "Example: bd init --prefix web --skip-agents")]
pub(super) struct Init {
    /// What ids begin with (default: the directory's name)
    #[arg(short, long)]
    prefix: Option<String>,
    /// Use a Dolt server, not files that every command opens
    #[arg(long)]
    server: bool,
    /// Its host
    #[arg(long, value_name = "HOST")]
    server_host: Option<String>,
    /// Its port
    #[arg(long, value_name = "PORT")]
    server_port: Option<u16>,
    /// Its Unix socket
    #[arg(long, value_name = "PATH")]
    server_socket: Option<PathBuf>,
    /// The login name
    #[arg(long, value_name = "NAME")]
    server_user: Option<String>,
    /// Somebody else starts and stops it
    #[arg(long, hide = true)]
    external: bool,
    #[arg(long, hide = true)]
    shared_server: bool,
    #[arg(long, hide = true)]
    proxied_server: bool,
    /// The database's name, if it is not made of the prefix
    #[arg(long, value_name = "NAME")]
    database: Option<String>,
    /// Write the files of a workspace that is there anew
    #[arg(long)]
    reinit_local: bool,
    #[arg(long, hide = true)]
    force: bool,
    /// Says yes where nobody can be asked; see bd init-safety
    #[arg(long, value_name = "TOKEN")]
    destroy_token: Option<String>,
    #[arg(long, hide = true)]
    discard_remote: bool,
    /// Do nothing if there is a workspace
    #[arg(long = "init-if-missing")]
    if_missing: bool,
    /// Take the issues in .beads/issues.jsonl
    #[arg(long)]
    from_jsonl: bool,
    #[arg(long, hide = true)]
    remote: Option<String>,
    /// Nothing in files that others see
    #[arg(long)]
    stealth: bool,
    /// Keep .beads out of requests to a fork's upstream
    #[arg(long)]
    setup_exclude: bool,
    /// No hooks
    #[arg(long)]
    skip_hooks: bool,
    /// No file for agents
    #[arg(long)]
    skip_agents: bool,
    /// Its name (default: AGENTS.md)
    #[arg(long, value_name = "NAME")]
    agents_file: Option<String>,
    /// What it is made of
    #[arg(long, value_name = "FILE")]
    agents_template: Option<PathBuf>,
    #[arg(long, hide = true)]
    agents_profile: Option<String>,
    /// Whose repository this is: maintainer or contributor
    #[arg(long)]
    role: Option<String>,
    #[arg(long, hide = true)]
    contributor: bool,
    #[arg(long, hide = true)]
    team: bool,
    /// Ask nothing
    #[arg(long)]
    non_interactive: bool,
    #[arg(long, hide = true)]
    backend: Option<String>,
    #[arg(long, hide = true)]
    branch: Option<String>,
    #[arg(long, hide = true)]
    debug: bool,
}

/// What is to be made, and where.
struct Plan {
    /// The environment, which names the database that is decided on.
    env: Env,
    /// The same without that name: how a workspace that is there sees itself.
    asked: Env,
    cwd: PathBuf,
    beads_dir: PathBuf,
    /// Whether `BEADS_DIR` names the place: then this need not be a repository.
    is_named: bool,
    prefix: String,
    database: String,
    mode: Mode,
    quiet: bool,
}

impl Plan {
    // The export that `--from-jsonl` takes.
    fn source(&self) -> PathBuf {
        let name = Workspace::at(&self.env, &self.cwd, &self.beads_dir).config().text("import.path");
        self.beads_dir.join(name)
    }
}

impl Init {
    pub(super) fn run(self, calling: &Calling) -> Answer {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Refusal::plain(format!("cannot start: {error}")))?;
        let done = runtime.block_on(Box::pin(self.begin(calling)));
        runtime.shutdown_background();
        done
    }

    async fn begin(self, calling: &Calling) -> Answer {
        let failed = |error| Refusal::plain(format!("cannot listen for signals: {error}"));
        let mut interrupt = Interrupt::listen().map_err(failed)?;
        self.refuse_early()?;
        let plan = self.plan(calling)?;
        let is_forced = self.reinit_local || self.force;
        if self.force && !self.reinit_local {
            out::note(
                "DeprecationWarning: --force is deprecated; use --reinit-local instead.\n  See 'bd init-safety'.\n",
            );
        }
        if is_forced {
            guard::confirm(&plan, self.destroy_token.as_deref())?;
        } else if let Some(there) = guard::existing(&plan).await? {
            return self.is_there(&plan, &there);
        }
        let git = Git::find(&plan.env, &plan.cwd);
        let overrides = guard::Overrides {
            is_local_source: is_forced || self.from_jsonl,
            discards: self.discard_remote,
            token: self.destroy_token.as_deref(),
        };
        if !self.stealth {
            guard::remote(&plan, git.as_ref(), &overrides).await?;
        }
        if let Some(source) = self.from_jsonl.then(|| plan.source()) {
            let path = source.display();
            if !source.is_file() {
                return Err(Refusal::plain(format!("--from-jsonl specified but {path} does not exist")));
            }
        }
        let repo = self.repository(&plan, git.as_ref()).await?;
        let made = self.make(&plan, repo.as_ref(), &mut interrupt).await?;
        tell_made(&plan, &made);
        if self.from_jsonl {
            import(calling, &plan)?;
        }
        self.finish(&plan, repo.as_ref(), git.as_ref()).await;
        if !plan.quiet {
            self.tell(&plan, &made);
        }
        Ok(())
    }

    // What cannot be done at all, in bd's words.
    fn refuse_early(&self) -> Answer {
        let refuse = |text: &str| Err(Refusal::plain(text));
        if self.proxied_server {
            return refuse("--proxied-server is not yet implemented");
        }
        match self.backend.as_deref() {
            Some("sqlite") => {
                out::note(
                    "⚠ DEPRECATED: The SQLite backend has been removed.\n\nTo initialize with Dolt:\n  bd init\n\nTo import issues from an existing JSONL export:\n  bd init --from-jsonl\n",
                );
                return refuse("--backend=sqlite is no longer supported");
            }
            Some("dolt" | "") | None => {}
            Some(other) => {
                return Err(Refusal::plain(format!("unknown backend {other:?}: only \"dolt\" is supported")));
            }
        }
        if let Some(database) = &self.database
            && let Some(problem) = database_problem(database)
        {
            return Err(Refusal::plain(format!("invalid database name {database:?}: {problem}")));
        }
        if let Some(role) = self.role.as_deref().filter(|r| !matches!(*r, "maintainer" | "contributor")) {
            return Err(Refusal::plain(format!(
                "invalid --role {role:?}: must be \"maintainer\" or \"contributor\""
            )));
        }
        for (flag, is_set) in [("--contributor", self.contributor), ("--team", self.team)] {
            if is_set {
                let why = "is a dialogue, which is not here; --role sets what it would";
                return Err(Refusal::plain(format!("{flag} {why}")));
            }
        }
        if let Some(remote) = self.remote.as_deref().filter(|r| !r.is_empty()) {
            return Err(Refusal::plain(format!(
                "--remote {remote}: cloning a database is not here yet; real bd can do it, and both work on the result"
            )));
        }
        Ok(())
    }

    fn plan(&self, calling: &Calling) -> Answer<Plan> {
        let cwd =
            calling.global.directory.as_ref().map_or_else(|| calling.cwd.clone(), |d| calling.cwd.join(d));
        let cwd =
            cwd.canonicalize().map_err(|error| Refusal::plain(format!("{}: {error}", cwd.display())))?;
        if cwd.components().any(|part| part.as_os_str() == ".beads") {
            return Err(Refusal::plain(format!(
                "cannot initialize bd inside a .beads directory\nCurrent directory: {}\nPlease run 'bd init' from outside the .beads directory.",
                cwd.display()
            )));
        }
        let env = self.environment(&calling.env);
        let named = env.path("BEADS_DIR").map(|dir| cwd.join(dir));
        let is_named = named.is_some();
        let beads_dir = named.unwrap_or_else(|| default_place(&env, &cwd));
        let workspace = Workspace::at(&env, &cwd, &beads_dir);
        let mode = workspace.mode().value;
        if mode == Mode::Proxied {
            return Err(Refusal::plain("--proxied-server is not yet implemented"));
        }
        let host = env
            .text("BEADS_DOLT_SERVER_HOST")
            .or_else(|| workspace.config().said("dolt.host").map(|(h, _)| h));
        if let Some(host) = host.filter(|host| mode == Mode::Embedded && !is_here(host)) {
            return Err(Refusal::plain(format!(
                "dolt.host ({host}) is set but server mode is not enabled.\n  Embedded mode has no host/port; pass --server, or set dolt.mode: server."
            )));
        }
        let configured = || workspace.config().said("issue-prefix").map(|(prefix, _)| prefix);
        let of_directory =
            || cwd.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let given = self.prefix.clone().filter(|p| !p.is_empty());
        let prefix = normal_prefix(&given.or_else(configured).unwrap_or_else(of_directory));
        let known = workspace.metadata().and_then(Metadata::database);
        let database = match (&self.database, known) {
            (Some(flag), _) => flag.clone(),
            (None, Some(known)) => known,
            (None, None) if prefix.is_empty() => "beads".to_owned(),
            (None, None) => {
                let name = database_of_prefix(&prefix);
                if database_problem(&name).is_some() {
                    return Err(Refusal::plain(format!(
                        "directory name {:?} produces an invalid database name {name:?}.\nRe-run with a valid prefix: bd init --prefix <name>",
                        of_directory()
                    )));
                }
                name
            }
        };
        if mode == Mode::Embedded && self.database.is_some() && database.contains('-') {
            return Err(Refusal::plain(format!(
                "database name {database:?} contains hyphens which are invalid in embedded mode; use underscores instead (e.g. {:?})",
                database.replace('-', "_")
            )));
        }
        // The database is named by what is decided here, whatever a variable says elsewhere.
        let asked = env.clone();
        let env = env.with([("BEADS_DOLT_SERVER_DATABASE".to_owned(), database.clone())]);
        Ok(Plan { env, asked, cwd, beads_dir, is_named, prefix, database, mode, quiet: calling.global.quiet })
    }

    // Flags go before variables.
    fn environment(&self, env: &Env) -> Env {
        let mut over = Vec::new();
        let mut set = |name: &str, value: String| over.push((name.to_owned(), value));
        if self.server || self.shared_server {
            set("BEADS_DOLT_SERVER_MODE", "1".to_owned());
        }
        if self.shared_server {
            set("BEADS_DOLT_SHARED_SERVER", "1".to_owned());
        }
        if let Some(host) = &self.server_host {
            set("BEADS_DOLT_SERVER_HOST", host.clone());
        }
        if let Some(port) = self.server_port.filter(|port| *port != 0) {
            set("BEADS_DOLT_SERVER_PORT", port.to_string());
        }
        if let Some(socket) = &self.server_socket {
            set("BEADS_DOLT_SERVER_SOCKET", socket.to_string_lossy().into_owned());
        }
        if let Some(user) = &self.server_user {
            set("BEADS_DOLT_SERVER_USER", user.clone());
        }
        env.with(over)
    }

    fn is_there(&self, plan: &Plan, there: &guard::There) -> Answer {
        if !self.if_missing {
            return Err(Refusal::plain(there.refusal(&plan.prefix)));
        }
        let differs =
            |asked: &str| there.database.as_ref().filter(|known| !known.eq_ignore_ascii_case(asked)).cloned();
        if let Some((asked, known)) = self.database.as_ref().and_then(|asked| Some((asked, differs(asked)?)))
        {
            return Err(Refusal::plain(format!(
                "workspace already initialized as database {known:?}, but --database {asked:?} was requested.\nRemove --database (or pass a matching value) to reuse the existing workspace"
            )));
        }
        let of_prefix = |asked: &String| Some((asked.clone(), differs(&database_of_prefix(asked))?));
        if let Some((asked, known)) =
            self.prefix.as_ref().filter(|_| self.database.is_none()).and_then(of_prefix)
        {
            return Err(Refusal::plain(format!(
                "workspace already initialized as database {known:?}, but --prefix {asked:?} was requested.\nRemove --prefix (or pass a matching value) to reuse the existing workspace"
            )));
        }
        if !plan.quiet {
            out::note("Skipping init: workspace already initialized.");
        }
        Ok(())
    }

    // bd needs a repository: it is made, unless `BEADS_DIR` says that this is a place of its own.
    async fn repository(&self, plan: &Plan, git: Option<&Git>) -> Answer<Option<Repo>> {
        if let Some(repo) = Repo::around(&plan.env, &plan.cwd) {
            return Ok(Some(repo));
        }
        if plan.is_named {
            return Ok(None);
        }
        let failed = |error: String| Refusal::plain(format!("failed to initialize git repository: {error}"));
        let git = git.ok_or_else(|| failed("there is no program git on PATH".to_owned()))?;
        git.run(&["init"]).await.map_err(failed)?;
        if !plan.quiet {
            out::line("  ✓ Initialized git repository");
        }
        Ok(Repo::around(&plan.env, &plan.cwd))
    }

    async fn make(&self, plan: &Plan, repo: Option<&Repo>, interrupt: &mut Interrupt) -> Answer<Made> {
        let now = clock::now();
        let fresh = fresh(plan, repo, now)?;
        let parent = plan.beads_dir.parent().unwrap_or(Path::new("/"));
        let io = |what: &Path| {
            let what = what.display().to_string();
            move |error: std::io::Error| Refusal::plain(format!("failed to create {what}: {error}"))
        };
        if plan.beads_dir.exists() {
            self.put_files(plan, &plan.beads_dir)?;
            stop_if_asked(interrupt).await?;
            let found = database::make(plan, &plan.beads_dir, &fresh).await?;
            self.put_metadata(plan, &plan.beads_dir, &found.project_id)?;
            return Ok(Made { found, fresh });
        }
        fs::create_dir_all(parent).map_err(io(parent))?;
        let work = tempfile::Builder::new().prefix(".beads-new-").tempdir_in(parent).map_err(io(parent))?;
        fs::set_permissions(work.path(), fs::Permissions::from_mode(0o700)).map_err(io(work.path()))?;
        self.put_files(plan, work.path())?;
        stop_if_asked(interrupt).await?;
        let found = database::make(plan, work.path(), &fresh).await?;
        self.put_metadata(plan, work.path(), &found.project_id)?;
        atomic::settle_tree(work.path()).map_err(io(work.path()))?;
        if plan.mode == Mode::Embedded {
            // A server's database is there already; a second `init` would find it.
            stop_if_asked(interrupt).await?;
        }
        fs::rename(work.path(), &plan.beads_dir).map_err(io(&plan.beads_dir))?;
        atomic::sync_dir(parent).map_err(io(parent))?;
        Ok(Made { found, fresh })
    }

    fn put_files(&self, plan: &Plan, dir: &Path) -> Answer {
        let path = |name: &str| dir.join(name);
        let put = |name: &str, text: &str, mode: u32| {
            let file = path(name);
            if file.exists() {
                return Ok(());
            }
            atomic::write(&file, text.as_bytes(), mode).map_err(|error| failed_write(&error))
        };
        let known = fs::read_to_string(path(".gitignore")).unwrap_or_default();
        let is_known = |line: &str| known.lines().any(|l| l.trim() == line);
        let mut lines = texts::BEADS_GITIGNORE.lines().filter(|l| !l.is_empty() && !l.starts_with('#'));
        if !lines.all(is_known) {
            let written = atomic::write(&path(".gitignore"), texts::BEADS_GITIGNORE.as_bytes(), 0o600);
            written.map_err(|error| failed_write(&error))?;
        }
        put("interactions.jsonl", "", 0o644)?;
        put("README.md", texts::README, 0o644)?;
        let config = if self.stealth {
            format!("{}no-git-ops: true\n", texts::CONFIG)
        } else {
            texts::CONFIG.to_owned()
        };
        put("config.yaml", &config, 0o600)?;
        let version = format!("{BD_VERSION}\n");
        let written = atomic::write(&path(".local_version"), version.as_bytes(), 0o600);
        written.map_err(|error| failed_write(&error))?;
        // A directory that is there keeps its owner, not its openness: bd warns of it otherwise.
        let narrow = fs::set_permissions(dir, fs::Permissions::from_mode(0o700));
        narrow.map_err(|error| Refusal::plain(format!("{}: {error}", dir.display())))?;
        if plan.mode == Mode::Server {
            let own = path("dolt");
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&own);
            made.map_err(|error| {
                Refusal::plain(format!("failed to create storage directory {}: {error}", own.display()))
            })?;
        }
        Ok(())
    }

    fn put_metadata(&self, plan: &Plan, dir: &Path, project_id: &str) -> Answer {
        let broken = |error: crate::town::TownError| Refusal::plain(error.to_string());
        let mut metadata = match Metadata::load(dir) {
            Ok(Some(found)) => found,
            Ok(None) => Metadata::for_init(plan.mode, &plan.database, project_id).map_err(broken)?,
            Err(error) => return Err(broken(error)),
        };
        let mut set = |key: &str, value: &str| metadata.set(key, &value).map(drop).map_err(broken);
        set("backend", "dolt")?;
        set("dolt_mode", plan.mode.as_str())?;
        set("dolt_database", &plan.database)?;
        set("project_id", project_id)?;
        if let Some(host) = &self.server_host {
            set("dolt_server_host", host)?;
        }
        if let Some(user) = &self.server_user {
            set("dolt_server_user", user)?;
        }
        if let Some(socket) = &self.server_socket {
            set("dolt_server_socket", &socket.to_string_lossy())?;
        }
        if metadata.text("database").is_none_or(|name| name == "beads.db") {
            metadata.set("database", &"dolt").map_err(broken)?;
        }
        if let Some(port) = self.server_port.filter(|port| *port != 0) {
            metadata.set("dolt_server_port", &port).map_err(broken)?;
        }
        metadata.save(dir).map_err(broken)
    }

    // All of this can be done again, so that it fails is told and no reason to stop.
    async fn finish(&self, plan: &Plan, repo: Option<&Repo>, git: Option<&Git>) {
        let warn = |what: &str, error: &dyn std::fmt::Display| {
            if !plan.quiet {
                out::note(format!("Warning: failed to {what}: {error}"));
            }
        };
        if let Some(repo) = repo {
            let config = crate::town::workspace::GitConfig::load(&plan.env, Some(repo));
            let known = config.get("beads.role").map(str::trim).filter(|r| !r.is_empty());
            if self.role.is_some() || known.is_none() {
                let role = self.role.as_deref().unwrap_or("maintainer");
                if let Err(error) = repo.set_config("beads.role", role) {
                    warn("set beads.role", &error);
                }
            }
            let exclude = repo.common_dir.join("info/exclude");
            let is_ours = plan.beads_dir.starts_with(&plan.cwd);
            let tracked = plan.cwd.join(".gitignore");
            let mut done: Vec<Result<(), String>> = Vec::new();
            if self.stealth {
                done.push(project::add_lines(&exclude, texts::STEALTH_HEAD, &texts::STEALTH_LINES).map(drop));
                if is_ours {
                    let lines = &texts::PROJECT_LINES;
                    done.push(project::add_lines(&exclude, texts::STEALTH_PROJECT_HEAD, lines).map(drop));
                    done.push(project::remove_lines(&tracked, texts::PROJECT_HEAD, lines).map(drop));
                }
            } else if is_ours {
                done.push(project::add_lines(&tracked, texts::PROJECT_HEAD, &texts::PROJECT_LINES).map(drop));
            }
            let is_fork = config.get("remote.upstream.url").is_some();
            if self.setup_exclude || (is_fork && !self.stealth) {
                done.push(project::add_lines(&exclude, texts::FORK_HEAD, &texts::FORK_LINES).map(drop));
            }
            for error in done.into_iter().filter_map(Result::err) {
                warn("keep files out of git", &error);
            }
            if !self.skip_hooks && !self.stealth {
                match hooks::install_for_init(&plan.env, repo, &plan.beads_dir) {
                    Ok(()) if plan.quiet => {}
                    Ok(()) => out::line("  Hooks installed to: .beads/hooks/"),
                    Err(error) => warn("install git hooks to .beads/hooks/", &error),
                }
            }
        }
        let agents = self.agents_file.clone().unwrap_or_else(|| "AGENTS.md".to_owned());
        if !self.stealth && !self.skip_agents && repo.is_none_or(|r| r.top.is_some()) {
            self.put_agents(plan, &agents);
        }
        if let Some(git) = git.filter(|_| !self.stealth && repo.is_some_and(|r| r.top.is_some())) {
            let is_local = plan.beads_dir.starts_with(&plan.cwd) && !plan.is_named;
            if is_local {
                match commit(git, plan, &agents).await {
                    Ok(true) if !plan.quiet => out::line("  ✓ Committed beads files to git"),
                    Ok(_) => {}
                    Err(error) => warn("commit beads files", &error),
                }
            }
        }
        if repo.is_some() && !plan.quiet && !self.stealth {
            out::note(
                "\n⚠ No Dolt remote configured\n  Issues are stored in local Dolt only. To keep them elsewhere too: bd export, or dolt remote add and dolt push",
            );
        }
    }

    fn put_agents(&self, plan: &Plan, name: &str) {
        let template = self.agents_template.as_ref().map(fs::read_to_string);
        let template = match template.transpose() {
            Ok(text) => text,
            Err(error) => {
                out::note(format!("Warning: failed to update {name}: failed to read template: {error}"));
                return;
            }
        };
        let done = project::agents_file(&plan.cwd.join(name), template.as_deref());
        let text = match done {
            Err(error) => {
                out::note(format!("Warning: failed to update {name}: {error}"));
                return;
            }
            Ok(Agents::Made) => format!("  ✓ Created {name} with agent instructions"),
            Ok(Agents::Added) => format!("  ✓ Added agent instructions to {name}"),
            Ok(Agents::Updated) => format!("  ✓ Updated beads section in {name} to latest format"),
            Ok(Agents::Current) => format!("  {name} already has current agent instructions"),
        };
        if !plan.quiet {
            out::line(text);
        }
    }

    fn tell(&self, plan: &Plan, made: &Made) {
        out::line("\n✓ bd initialized successfully!\n");
        out::line("  Backend: dolt");
        out::line(format!("  Mode: {}", plan.mode.as_str()));
        if let Some(server) = &made.found.server {
            out::line(format!("  Server: {server}"));
            let is_said = self.server_host.is_some() || made.found.is_in_town;
            if !is_said && plan.env.text("BEADS_DOLT_SERVER_HOST").is_none() {
                out::note(
                    "\n  ⚠ Server host defaulted to 127.0.0.1.\n    If it is another machine, pass --server-host.",
                );
            }
        }
        out::line(format!("  Database: {}", plan.database));
        out::line(format!("  Issue prefix: {}", made.found.prefix));
        let prefix = &made.found.prefix;
        out::line(format!("  Issues will be named: {prefix}-<hash> (e.g., {prefix}-a3f2dd)\n"));
        out::line("Run bd quickstart to get started.\n");
    }
}

fn tell_made(plan: &Plan, made: &Made) {
    if plan.quiet {
        return;
    }
    if made.found.is_adopted {
        out::line("  ✓ Adopted project identity from existing database");
    }
    out::line(format!("  Repository ID: {}", made.fresh.repo_id.get(..8).unwrap_or_default()));
    out::line(format!("  Clone ID: {}", made.fresh.clone_id));
}

fn import(calling: &Calling, plan: &Plan) -> Answer {
    let mut global = calling.global.clone();
    global.quiet = true;
    let again = Calling { env: plan.env.clone(), global, cwd: plan.cwd.clone() };
    let bd = again.bd()?;
    let path = plan.source();
    super::import::Import::of_file(&path)
        .run_with(&bd, &Bar::new(calling.global.quiet))
        .map_err(|refusal| refusal.within("failed to import from JSONL"))
}

/// What was made.
struct Made {
    found: database::Found,
    fresh: Fresh,
}

fn fresh(plan: &Plan, repo: Option<&Repo>, now: Timestamp) -> Answer<Fresh> {
    let failed = |error: std::io::Error| Refusal::plain(format!("cannot make an identity: {error}"));
    let root = repo.and_then(Repo::main_root);
    let root =
        root.or_else(|| plan.beads_dir.parent().map(Path::to_owned)).unwrap_or_else(|| plan.cwd.clone());
    let config = crate::town::workspace::GitConfig::load(&plan.env, repo);
    let known = Workspace::at(&plan.env, &plan.cwd, &plan.beads_dir);
    let project_id = match known.metadata().and_then(Metadata::project_id) {
        Some(id) => id,
        None => new_project_id().map_err(failed)?,
    };
    let name = plan.env.text("GIT_AUTHOR_NAME").unwrap_or_else(|| "beads".to_owned());
    let email = plan.env.text("GIT_AUTHOR_EMAIL").unwrap_or_else(|| "beads@local".to_owned());
    let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
    Ok(Fresh {
        prefix: plan.prefix.clone(),
        project_id,
        clone_id: fingerprint::clone_id(&root).map_err(failed)?,
        repo_id: fingerprint::repo_id(config.get("remote.origin.url"), &root),
        bd_version: BD_VERSION.to_owned(),
        by: dolt_store::commit::Author { name, email, millis },
    })
}

async fn stop_if_asked(interrupt: &mut Interrupt) -> Answer {
    let signal = tokio::select! {
        biased;
        signal = interrupt.arrived() => Some(signal),
        () = std::future::ready(()) => None,
    };
    match signal {
        None => Ok(()),
        Some(signal) => {
            let code = u8::try_from(128 + signal).unwrap_or(1);
            Err(Refusal::plain("interrupted: nothing was made").code(code))
        }
    }
}

// Only these files: what else is staged is the user's.
async fn commit(git: &Git, plan: &Plan, agents: &str) -> Result<bool, String> {
    let there = [".beads", agents, ".gitignore"].into_iter().filter(|name| plan.cwd.join(name).exists());
    let mut files = Vec::new();
    for name in there {
        // A file that git ignores is left out, as bd leaves it out.
        match git.run(&["add", "--", name]).await {
            Ok(_) => files.push(name),
            Err(error) if name == ".beads" => return Err(error),
            Err(_) => {}
        }
    }
    let args = ["commit", "--no-verify", "-q", "-m", "bd init: initialize beads issue tracking", "--"];
    match git.run(&[&args[..], &files].concat()).await {
        Ok(_) => Ok(true),
        Err(error) if error.contains("nothing to commit") || error.contains("nothing added to commit") => {
            Ok(false)
        }
        // Git says so in a dozen lines.
        Err(error) if error.contains("Please tell me who you are") => {
            Err("git does not know who you are; set user.name and user.email ('git config'), then commit"
                .to_owned())
        }
        Err(error) => Err(error),
    }
}

/// Where `.beads` goes if nobody names it: here, or where a redirect leads; in a worktree beside the main repository.
fn default_place(env: &Env, cwd: &Path) -> PathBuf {
    let worktree = Repo::around(env, cwd).filter(Repo::is_worktree);
    match worktree {
        Some(repo) => repo.shared_beads(),
        None => BeadsDir::at(cwd.join(".beads")).resolved().path().to_owned(),
    }
}

fn is_here(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "::1" | "[::1]")
}

/// Why a name is none for a database (bd 1.1.0 `ValidateDatabaseName`).
fn database_problem(name: &str) -> Option<String> {
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if name.is_empty() {
        Some("database name cannot be empty".to_owned())
    } else if name.len() > 64 {
        Some("database name too long".to_owned())
    } else if !(begins && is_plain) {
        Some(format!("invalid database name: {name}"))
    } else {
        None
    }
}

fn failed_write(error: &atomic::WriteError) -> Refusal {
    Refusal::plain(format!("{error}: {}", error.source))
}
