//! The git repository around a directory, read from git's own files: what `git rev-parse --git-dir --git-common-dir
//! --show-toplevel` answers, without a process per call.
//!
//! Not looked at: who owns the directories (`safe.directory`). All paths are free of symlinks, so that they can be
//! compared by their words.

use std::fs;
use std::path::{Path, PathBuf};

use super::git_config::GitConfig;
use crate::town::env::{self, Env};

/// A repository as one of its directories sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repo {
    /// What belongs to this working tree alone: `.git`, or `.git/worktrees/<name>` of the main repository.
    pub git_dir: PathBuf,
    /// What all working trees share: `.git` of the main repository, or the bare repository itself.
    pub common_dir: PathBuf,
    /// The root of the working tree. None in a bare repository and inside `.git`.
    pub top: Option<PathBuf>,
}

impl Repo {
    /// The repository of this directory, if it lies in one.
    pub fn around(env: &Env, dir: &Path) -> Option<Self> {
        let dir = dir.canonicalize().ok()?;
        if let Some(named) = env.path(env::GIT_DIR) {
            let git_dir = dir.join(named).canonicalize().ok()?;
            return is_git_dir(&git_dir).then(|| Self::of(env, git_dir, Some(&dir)));
        }
        let ceilings: Vec<PathBuf> = env
            .raw("GIT_CEILING_DIRECTORIES")
            .map(|v| std::env::split_paths(v).collect())
            .unwrap_or_default();
        for (steps, here) in dir.ancestors().enumerate() {
            if steps > 0 && ceilings.iter().any(|c| c == here) {
                return None;
            }
            let dot_git = here.join(".git");
            if dot_git.is_file() {
                // A worktree or a submodule. Git goes no further up when it cannot follow this file.
                let git_dir = named_in(&dot_git, here)?;
                return is_git_dir(&git_dir).then(|| Self::of(env, git_dir, Some(here)));
            }
            if is_git_dir(&dot_git) {
                return Some(Self::of(env, dot_git.canonicalize().unwrap_or(dot_git), Some(here)));
            }
            if is_git_dir(here) {
                return Some(Self::of(env, here.to_owned(), None));
            }
        }
        None
    }

    fn of(env: &Env, git_dir: PathBuf, top: Option<&Path>) -> Self {
        let common_dir = env
            .path("GIT_COMMON_DIR")
            .and_then(|named| git_dir.join(named).canonicalize().ok())
            .unwrap_or_else(|| common_dir_of(&git_dir));
        let mut repo = Self { top: top.map(Path::to_owned), git_dir, common_dir };
        let Some(top) = top else { return repo };
        if let Some(named) = env.path("GIT_WORK_TREE") {
            repo.top = top.join(named).canonicalize().ok();
        } else if !repo.is_worktree() {
            // A linked worktree ignores these two of the main repository.
            let config = GitConfig::of_repository(&repo);
            if let Some(named) = config.get("core.worktree") {
                repo.top = repo.git_dir.join(named).canonicalize().ok();
            } else if config.get("core.bare").is_some_and(is_true) {
                repo.top = None;
            }
        }
        repo
    }

    /// Whether this is a linked working tree (`git worktree add`).
    pub fn is_worktree(&self) -> bool {
        self.git_dir != self.common_dir
    }

    /// The root of the main working tree: beside the shared git directory for a linked worktree (also when that
    /// repository is bare, as bd has it), else [`Repo::top`].
    pub fn main_root(&self) -> Option<PathBuf> {
        if self.is_worktree() { self.common_dir.parent().map(Path::to_owned) } else { self.top.clone() }
    }

    /// The `.beads` that all worktrees share: beside a `.git`, inside a bare repository.
    pub fn shared_beads(&self) -> PathBuf {
        match self.common_dir.parent() {
            Some(parent) if self.common_dir.ends_with(".git") => parent.join(".beads"),
            _ => self.common_dir.join(".beads"),
        }
    }
}

fn is_true(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "true" | "yes" | "on" | "1")
}

/// As git decides it: a `HEAD`, and `objects` and `refs` here or in the shared directory.
fn is_git_dir(dir: &Path) -> bool {
    let head = dir.join("HEAD");
    if fs::symlink_metadata(&head).is_err() {
        return false;
    }
    let common = common_dir_of(dir);
    common.join("objects").is_dir() && common.join("refs").is_dir()
}

fn common_dir_of(git_dir: &Path) -> PathBuf {
    let named = fs::read_to_string(git_dir.join("commondir")).ok();
    let named = named.as_deref().map(str::trim).filter(|n| !n.is_empty());
    named.and_then(|n| git_dir.join(n).canonicalize().ok()).unwrap_or_else(|| git_dir.to_owned())
}

/// The directory that a `.git` file names.
fn named_in(file: &Path, dir: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(file).ok()?;
    let named = text.strip_prefix("gitdir:")?.trim();
    dir.join(named).canonicalize().ok()
}

/// The branch that this working tree is on, without `refs/heads/`. None for a detached head.
pub(super) fn branch(repo: &Repo) -> Option<String> {
    let head = fs::read_to_string(repo.git_dir.join("HEAD")).ok()?;
    head.trim().strip_prefix("ref:")?.trim().strip_prefix("refs/heads/").map(str::to_owned)
}

/// A second workspace of the jj tool: there `.jj/repo` is a file that names the first one's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Secondary {
    /// Its root.
    pub(super) root: PathBuf,
    /// The root of the first workspace, if the file names one.
    pub(super) primary: Option<PathBuf>,
}

impl Secondary {
    /// The one around this directory. A repository of git that lies further in belongs to nobody's workspace.
    pub(super) fn around(dir: &Path) -> Option<Self> {
        let dir = dir.canonicalize().ok()?;
        for here in dir.ancestors() {
            let jj = here.join(".jj");
            if jj.is_dir() {
                let pointer = jj.join("repo");
                let named = if pointer.is_file() { fs::read_to_string(&pointer).ok()? } else { return None };
                let primary = Some(named.trim()).filter(|n| !n.is_empty()).and_then(|n| {
                    let store = crate::town::clean(&jj.join(n));
                    let root = store.parent()?.parent()?.to_owned();
                    Some(root.canonicalize().unwrap_or(root))
                });
                return Some(Self { root: here.to_owned(), primary });
            }
            if here.join(".git").exists() {
                return None;
            }
        }
        None
    }
}
