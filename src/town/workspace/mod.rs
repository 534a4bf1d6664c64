//! The workspace of one `bd` call: which `.beads` it works in, what its files and settings say, where the database is, and
//! who asks. Everything is read from files and the environment; no database is opened, no program started, nothing
//! printed: what bd says on standard error meanwhile comes back in [`Workspace::warnings`].
//!
//! ```no_run
//! use gt::town::{env::Env, workspace::{Call, Place, Workspace}};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let env = Env::of_process();
//! let cwd = std::env::current_dir()?;
//! let workspace = Workspace::find(&Call::new(&env, &cwd))?;
//! match workspace.place()? {
//!     Place::Directory(local) => println!("{} {:?}", local.path.display(), local.server),
//!     Place::Remote(address) => println!("{}", address.host.value),
//! }
//! # Ok(()) }
//! ```
//!
//! Order of the choice: `--db`, `-C`, `BEADS_DIR` (if it holds a project), `BEADS_DB`, `BD_DB`, `db` in yaml, then the
//! working directory: up to the root of the repository, with the rules for worktrees, redirects and jj that bd has. Where bd has one order
//! for commands with and another for those without a database, it is the one for commands with a database.

mod config;
mod elsewhere;
mod env_file;
mod find;
mod git;
mod git_config;
mod git_edit;
mod keys;
mod metadata;
mod place;
pub mod routes;
mod who;
mod yaml;
mod yaml_edit;

use std::cell::OnceCell;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

pub use config::{Config, ConfigSource, Shown, go_duration};
pub use elsewhere::{NoRepository, Repository};
pub use find::Redirect;
pub use git::Repo;
pub use git_config::GitConfig;
pub use git_edit::GitEditError;
pub use keys::{is_secret, is_the_users_own, lives_in_yaml, objection, secret_variable};
pub use metadata::{Metadata, Mode, database_of_prefix, new_project_id, normal_prefix};
pub use place::{Address, Given, Local, Origin, Place, Rule, Secret};
pub use routes::Target;
pub use yaml::Value;
pub use yaml_edit::{EditError, set as set_in_yaml, unset as unset_in_yaml};

use super::TownError;
use super::env::Env;
use super::settings::SettingError;
use crate::sys::atomic;
use find::Finder;

/// What can go wrong on the way to a database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkspaceError {
    /// No `.beads` belongs to where the command runs.
    #[error("no beads database found")]
    NotFound,
    /// `-C` names something that is no directory, or without a workspace.
    #[error("cannot use -C directory {:?}: {problem}", path.display().to_string())]
    Directory {
        /// What was named.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A variable that bd once obeyed and now refuses.
    #[error(
        "{name} env var is not supported and has been removed to prevent data fragmentation.\nThe storage backend is set in .beads/metadata.json. To change it, use: bd migrate dolt"
    )]
    Removed {
        /// The variable.
        name: &'static str,
    },
    /// bd's unfinished proxy.
    #[error("{}: dolt_mode \"proxied-server\" is not supported", dir.display())]
    Proxied {
        /// The `.beads` directory.
        dir: PathBuf,
    },
    /// A value that cannot be used.
    #[error("{name} {value:?} from {origin}: {problem}")]
    Invalid {
        /// Which setting.
        name: &'static str,
        /// The text that was found.
        value: String,
        /// Where it was found.
        origin: String,
        /// Why it cannot be used.
        problem: String,
    },
    /// There is no `config.yaml` to set a key in.
    #[error("no config.yaml found in {} (run 'bd init' first)", dir.display())]
    NoConfig {
        /// The `.beads` directory.
        dir: PathBuf,
    },
    /// A `config.yaml` that was not changed.
    #[error("{}: {source}", path.display())]
    Edit {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: EditError,
    },
    /// The town's own settings are in conflict or cannot be read.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// A file of the workspace cannot be read, understood or written.
    #[error(transparent)]
    Town(#[from] TownError),
}

/// What one command brings along.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The environment.
    pub env: &'a Env,
    /// The directory in which it runs.
    pub cwd: &'a Path,
    /// `--db`.
    pub database: Option<&'a Path>,
    /// `-C`.
    pub directory: Option<&'a Path>,
}

impl<'a> Call<'a> {
    /// A command without `--db` and `-C`.
    pub fn new(env: &'a Env, cwd: &'a Path) -> Self {
        Self { env, cwd, database: None, directory: None }
    }
}

/// Who chose the `.beads` directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// `--db`, `-C`, a variable or a setting.
    By(Origin),
    /// The directory in which the command runs.
    Here,
}

/// Where a workspace lies, as `bd context` tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The root of the repository whose issues these are. None: not in a repository; bd then refuses `context`.
    pub repo_root: Option<PathBuf>,
    /// The root of the working tree in which the command runs.
    pub cwd_repo_root: Option<PathBuf>,
    /// Whether the issues are those of another place.
    pub is_redirected: bool,
    /// Whether the command runs in a linked worktree.
    pub is_worktree: bool,
}

/// One `.beads` directory as one command sees it.
#[derive(Debug)]
pub struct Workspace {
    dir: PathBuf,
    cwd: PathBuf,
    chosen: Chosen,
    redirect: Option<Redirect>,
    repo: Option<Repo>,
    env: Env,
    metadata: Result<Option<Metadata>, TownError>,
    config: Config,
    git_config: OnceCell<GitConfig>,
    warnings: Vec<String>,
}

impl Workspace {
    /// Finds the workspace of a command and reads its files.
    ///
    /// # Errors
    /// [`WorkspaceError::NotFound`] if there is none, [`WorkspaceError::Directory`] for a `-C` that leads nowhere. Broken
    /// files are no errors here: `bd where` has to work with them ([`Workspace::place`] refuses).
    pub fn find(call: &Call<'_>) -> Result<Self, WorkspaceError> {
        if let Some(name) =
            ["BD_BACKEND", "BD_DATABASE_BACKEND"].into_iter().find(|n| call.env.text(n).is_some())
        {
            return Err(WorkspaceError::Removed { name });
        }
        let mut finder = Finder::new(call.env, call.cwd);
        let (dir, chosen) = choose(&mut finder, call)?;
        Ok(Self::read(finder, call.env, dir, chosen))
    }

    /// The workspace of this very `.beads` directory, for example a route's target or one that `init` is about to make.
    pub fn at(env: &Env, cwd: &Path, beads_dir: &Path) -> Self {
        let finder = Finder::new(env, cwd);
        let dir = finder.canonical(beads_dir);
        Self::read(finder, env, dir, Chosen::By(Origin::Flag))
    }

    fn read(mut finder: Finder<'_>, env: &Env, dir: PathBuf, chosen: Chosen) -> Self {
        let (variables, mut left_out) = env_file::read(&dir.join(".env"));
        let env = env.or(variables);
        // The variable may name the target itself; the repository's own redirect to it still tells the database.
        if let Some(top) = finder.repo.as_ref().and_then(|r| r.top.clone()) {
            let own = top.join(".beads");
            if own != dir && own.join("redirect").exists() {
                finder.follow(&own);
            }
        }
        let metadata = Metadata::load(&dir);
        let config = Config::load(&env, Some(&dir));
        let mut warnings = finder.warnings;
        warnings.append(&mut left_out);
        warnings.extend(config.warnings.iter().cloned());
        warnings.extend(place::shared_mismatch(
            &config,
            &env,
            metadata.as_ref().ok().and_then(Option::as_ref),
        ));
        warnings.extend(too_open(&dir));
        let redirect = finder.redirects.into_iter().find(|r| r.to == dir);
        let git_config = OnceCell::new();
        let (cwd, repo) = (finder.cwd, finder.repo);
        Self { dir, cwd, chosen, redirect, repo, env, metadata, config, git_config, warnings }
    }

    /// The `.beads` directory, absolute.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where the command runs, free of symlinks.
    pub fn cwd(&self) -> &Path {
        &self.cwd
    }

    /// Who chose it.
    pub fn chosen(&self) -> &Chosen {
        &self.chosen
    }

    /// The redirect that leads here, if one does.
    pub fn redirect(&self) -> Option<&Redirect> {
        self.redirect.as_ref()
    }

    /// The repository in which the command runs.
    pub fn repo(&self) -> Option<&Repo> {
        self.repo.as_ref()
    }

    /// The environment, completed by `.beads/.env`.
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// `metadata.json`, if it is there and can be read.
    pub fn metadata(&self) -> Option<&Metadata> {
        self.metadata.as_ref().ok().and_then(Option::as_ref)
    }

    /// The same; a file that cannot be understood is an error.
    pub fn readable_metadata(&self) -> Result<Option<&Metadata>, WorkspaceError> {
        match &self.metadata {
            Ok(metadata) => Ok(metadata.as_ref()),
            // Read again for an error of its own; if it has become good meanwhile, the next command will see it.
            Err(TownError::Malformed { path, problem }) => {
                Err(TownError::Malformed { path: path.clone(), problem: problem.clone() }.into())
            }
            Err(TownError::Read { path, source }) => {
                let source = io::Error::new(source.kind(), source.to_string());
                Err(TownError::Read { path: path.clone(), source }.into())
            }
            Err(other) => {
                Err(TownError::Malformed { path: self.dir.join("metadata.json"), problem: other.to_string() }
                    .into())
            }
        }
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The settings, to put flags into.
    pub fn config_mut(&mut self) -> &mut Config {
        &mut self.config
    }

    /// Git's configuration where the command runs; read when first asked for.
    pub fn git_config(&self) -> &GitConfig {
        self.git_config.get_or_init(|| GitConfig::load(&self.env, self.repo.as_ref()))
    }

    /// What a person should be told, each a sentence without a mark in front. bd prints them as `Warning: …`.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// `redirected_from` of `bd where`: the nearest `.beads` above the working directory, if it redirects elsewhere.
    pub fn redirected_from(&self) -> Option<PathBuf> {
        let redirects = |dir: &Path| dir.join("redirect").exists();
        if redirects(&self.dir) {
            return None;
        }
        let nearest = self.cwd.ancestors().map(|d| d.join(".beads")).find(|b| b.is_dir())?;
        (redirects(&nearest) && nearest != self.dir).then_some(nearest)
    }

    /// `database_path` of `bd where`: the directory that bd takes for the database's. In server mode it need not exist.
    pub fn database_path(&self) -> Option<PathBuf> {
        if let Some(metadata) = self.metadata() {
            let path = find::database_path(&self.env, &self.dir, metadata);
            let embedded = self.dir.join("embeddeddolt");
            if self.mode().value == Mode::Server {
                return Some(path);
            }
            return if embedded.is_dir() { Some(embedded) } else { Some(path).filter(|p| p.is_dir()) };
        }
        ["embeddeddolt", "dolt"].map(|name| self.dir.join(name)).into_iter().find(|p| p.is_dir())
    }

    /// Where it lies, as `bd context` tells it.
    pub fn facts(&self) -> Facts {
        let cwd_repo_root = self.repo.as_ref().and_then(|r| r.top.clone());
        let in_tree = self.repo.as_ref().filter(|r| r.top.is_some());
        let own_redirects =
            in_tree.and_then(|r| r.top.as_ref()).map(|top| top.join(".beads")).filter(|own| {
                let finder = &mut Finder::new(&self.env, &self.cwd);
                own.join("redirect").exists() && finder.follow(own) != *own
            });
        let theirs = Repo::around(&self.env, &self.dir);
        let is_another = match (in_tree, &theirs) {
            (Some(ours), Some(theirs)) => ours.common_dir != theirs.common_dir,
            _ => false,
        };
        let is_redirected = own_redirects.is_some() || is_another;
        let repo_root = if is_redirected {
            theirs.and_then(|r| r.top).or_else(|| self.dir.parent().map(Path::to_owned))
        } else {
            in_tree.and_then(Repo::main_root)
        };
        Facts { repo_root, cwd_repo_root, is_redirected, is_worktree: in_tree.is_some_and(Repo::is_worktree) }
    }

    /// Sets a key in the `config.yaml` where it belongs: the workspace's, or the user's own for `metrics.*` (which is made
    /// if need be). Returns the file. Whether the key lives in yaml at all is for [`lives_in_yaml`] to say, whether its value
    /// may be set for [`objection`].
    pub fn set_in_config(&self, key: &str, value: &str) -> Result<PathBuf, WorkspaceError> {
        let (path, text) = self.config_to_edit(key)?;
        let changed = set_in_yaml(&text, key, value)
            .map_err(|source| WorkspaceError::Edit { path: path.clone(), source })?;
        atomic::rewrite(&path, changed.as_bytes(), 0o600).map_err(TownError::from)?;
        Ok(path)
    }

    /// Comments a key out. Returns the file, whether or not the key was in it.
    pub fn unset_in_config(&self, key: &str) -> Result<PathBuf, WorkspaceError> {
        let (path, text) = self.config_to_edit(key)?;
        let changed = unset_in_yaml(&text, key)
            .map_err(|source| WorkspaceError::Edit { path: path.clone(), source })?;
        if let Some(changed) = changed {
            atomic::rewrite(&path, changed.as_bytes(), 0o600).map_err(TownError::from)?;
        }
        Ok(path)
    }

    fn config_to_edit(&self, key: &str) -> Result<(PathBuf, String), WorkspaceError> {
        let users = self.config.users_file().filter(|_| is_the_users_own(key));
        let path = users.map_or_else(|| self.dir.join("config.yaml"), Path::to_owned);
        match fs::read_to_string(&path) {
            Ok(text) => Ok((path, text)),
            Err(e) if e.kind() == io::ErrorKind::NotFound && users.is_some() => {
                let dir = path.parent().unwrap_or(Path::new("/")).to_owned();
                fs::create_dir_all(&dir).map_err(|source| TownError::MakeDir { path: dir, source })?;
                Ok((path, String::new()))
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                Err(WorkspaceError::NoConfig { dir: self.dir.clone() })
            }
            Err(source) => Err(TownError::Read { path, source }.into()),
        }
    }
}

fn choose(finder: &mut Finder<'_>, call: &Call<'_>) -> Result<(PathBuf, Chosen), WorkspaceError> {
    if let Some(path) = call.database {
        let dir = finder.of_database(path).ok_or(WorkspaceError::NotFound)?;
        return Ok((dir, Chosen::By(Origin::Flag)));
    }
    if let Some(path) = call.directory.filter(|p| !p.as_os_str().is_empty()) {
        let refuse =
            |problem: &str| WorkspaceError::Directory { path: path.to_owned(), problem: problem.to_owned() };
        let absolute = finder.cwd.join(path);
        if !absolute.is_dir() {
            return Err(refuse(if absolute.exists() {
                "not a directory"
            } else {
                "no such file or directory"
            }));
        }
        let dir = finder.named_by_c(path).ok_or_else(|| refuse("no beads project found"))?;
        return Ok((dir, Chosen::By(Origin::Flag)));
    }
    if let Some(chosen) = by_variable(finder, call.env) {
        return Ok(chosen);
    }
    let here = finder.discover();
    if let Some(dir) = &here {
        // Its own .env may send the command elsewhere.
        let (variables, _) = env_file::read(&dir.join(".env"));
        let selectors = variables.into_iter().filter(|(name, _)| SELECTORS.contains(&name.as_str()));
        if let Some(chosen) = by_variable(finder, &Env::default().or(selectors)) {
            return Ok(chosen);
        }
        if let Some((named, source)) = Config::load(call.env, Some(dir)).said("db")
            && let Some(dir) = finder.of_database(Path::new(&named))
        {
            return Ok((dir, Chosen::By(Origin::Config(source))));
        }
    }
    here.map(|dir| (dir, Chosen::Here)).ok_or(WorkspaceError::NotFound)
}

const SELECTORS: [&str; 3] = ["BEADS_DIR", "BEADS_DB", "BD_DB"];

fn by_variable(finder: &mut Finder<'_>, env: &Env) -> Option<(PathBuf, Chosen)> {
    SELECTORS.into_iter().find_map(|name| {
        let path = env.path(name)?;
        let dir = if name == "BEADS_DIR" { finder.named(&path) } else { finder.of_database(&path) };
        Some((dir?, Chosen::By(Origin::Env(name.to_owned()))))
    })
}

/// bd's warning about a directory that others may look into.
fn too_open(dir: &Path) -> Option<String> {
    let mode = fs::metadata(dir).ok()?.permissions().mode() & 0o777;
    let path = dir.display();
    (mode & 0o077 != 0)
        .then(|| format!("{path} has permissions {mode:04o} (recommended: 0700). Run: chmod 700 {path}"))
}
