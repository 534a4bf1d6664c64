//! Which `.beads` directory a command works in: bd's order (`internal/beads/beads.go`, `FindBeadsDir`, `FindBeadsDirFrom`;
//! `cmd/bd/main.go`, `resolveCommandBeadsDir`), redirects included.
//!
//! One answer for all commands. In bd a command that opens a database goes on upwards past an embedded workspace whose
//! database is missing (a fresh clone inside another project), while `bd context` names that workspace; here both stay.
//!
//! Not done: a redirect into a detached checkout below `refs/commits/` is not moved to a branch's worktree.

use std::fs;
use std::path::{Path, PathBuf};

use super::git::{Repo, Secondary};
use super::metadata::Metadata;
use crate::town::clean;
use crate::town::env::Env;

/// A redirect that was followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// The `.beads` with the file `redirect`.
    pub from: PathBuf,
    /// The `.beads` that is used instead.
    pub to: PathBuf,
    /// `dolt_database` of the one with the file: it goes before the other's.
    pub database: Option<String>,
}

/// Looks from one directory and remembers what it met.
pub(super) struct Finder<'a> {
    env: &'a Env,
    /// Where the command runs, free of symlinks.
    pub(super) cwd: PathBuf,
    /// The repository around it.
    pub(super) repo: Option<Repo>,
    /// What bd says on standard error on the way, each once.
    pub(super) warnings: Vec<String>,
    /// Every redirect that was followed.
    pub(super) redirects: Vec<Redirect>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(env: &'a Env, cwd: &Path) -> Self {
        let cwd = cwd.canonicalize().unwrap_or_else(|_| clean(cwd));
        let repo = Repo::around(env, &cwd);
        Self { env, cwd, repo, warnings: Vec::new(), redirects: Vec::new() }
    }

    /// An absolute path without symlinks, as far as it exists.
    pub(super) fn canonical(&self, path: &Path) -> PathBuf {
        let absolute = clean(&self.cwd.join(path));
        absolute.canonicalize().unwrap_or(absolute)
    }

    /// The directory that a redirect file leads to, one step only; the directory itself if there is none that leads
    /// anywhere.
    pub(super) fn follow(&mut self, beads_dir: &Path) -> PathBuf {
        let Ok(text) = fs::read_to_string(beads_dir.join("redirect")) else { return beads_dir.to_owned() };
        let mut lines = text.lines().map(str::trim);
        let Some(named) = lines.find(|l| !l.is_empty() && !l.starts_with('#')) else {
            return beads_dir.to_owned();
        };
        let project = beads_dir.parent().unwrap_or(Path::new("/"));
        let target = self.canonical(&project.join(named));
        if !target.is_dir() {
            self.warn(format!("redirect target does not exist or is not a directory: {}", target.display()));
            return beads_dir.to_owned();
        }
        if target.join("redirect").exists() {
            self.warn(format!("redirect chains not allowed, ignoring redirect in {}", target.display()));
        }
        let redirect = Redirect {
            from: beads_dir.to_owned(),
            to: target.clone(),
            database: Metadata::load(beads_dir).ok().flatten().and_then(|m| m.database()),
        };
        if !self.redirects.contains(&redirect) && redirect.from != redirect.to {
            self.redirects.push(redirect);
        }
        target
    }

    fn warn(&mut self, text: String) {
        if !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }

    /// The directory behind a `.beads`, if it holds a project.
    fn project_in(&mut self, beads_dir: &Path) -> Option<PathBuf> {
        if !beads_dir.is_dir() {
            return None;
        }
        let target = self.follow(beads_dir);
        has_project_files(&target).then_some(target)
    }

    /// What `BEADS_DIR` names, if it holds a project.
    pub(super) fn named(&mut self, beads_dir: &Path) -> Option<PathBuf> {
        let named = self.canonical(beads_dir);
        self.project_in(&named)
    }

    /// The one that belongs to the working directory.
    pub(super) fn discover(&mut self) -> Option<PathBuf> {
        let worktree = self.repo.clone().filter(|r| r.is_worktree() && r.top.is_some());
        let secondary = if worktree.is_some() { None } else { Secondary::around(&self.cwd) };
        let root = self.repo.as_ref().and_then(|r| r.top.clone());
        let boundary = secondary.as_ref().map(|s| s.root.clone()).or_else(|| root.clone());

        // Up to the root of the working tree, which has rules of its own.
        for dir in self.cwd.clone().ancestors().filter(|d| d.parent().is_some()) {
            if boundary.as_deref() == Some(dir) {
                break;
            }
            if let Some(found) = self.project_in(&dir.join(".beads")) {
                return Some(found);
            }
        }
        let mut outermost = root;
        if let Some(worktree) = worktree {
            let found = self.of_worktree(&worktree);
            if found.is_some() {
                return found;
            }
            outermost = worktree.main_root().or(outermost);
        } else if let Some(secondary) = &secondary {
            let shared = secondary.primary.as_ref().map(|p| p.join(".beads"));
            let found = self.own_or_shared(&secondary.root.join(".beads"), shared.as_deref());
            if found.is_some() {
                return found;
            }
            outermost = secondary.primary.clone().or(outermost);
        }
        // The root itself; for worktrees also what lies between it and the main one.
        let boundary = boundary?;
        for dir in boundary.ancestors().filter(|d| d.parent().is_some()) {
            if let Some(found) = self.project_in(&dir.join(".beads")) {
                return Some(found);
            }
            if outermost.as_deref() == Some(dir) {
                break;
            }
        }
        None
    }

    fn of_worktree(&mut self, worktree: &Repo) -> Option<PathBuf> {
        let own = worktree.top.as_ref()?.join(".beads");
        if own.join("redirect").exists() {
            let target = self.follow(&own);
            if target.is_dir() && has_project_files(&target) {
                return Some(target);
            }
        }
        let shared = worktree.shared_beads();
        self.own_or_shared(&own, Some(&shared))
    }

    /// A second working tree has the tracked files of `.beads` but not the database, which git ignores: then the first
    /// one's counts.
    fn own_or_shared(&mut self, own: &Path, shared: Option<&Path>) -> Option<PathBuf> {
        if own.is_dir() {
            if has_database(own) {
                return Some(own.to_owned());
            }
            let shared_has_one = shared.is_some_and(|s| s.is_dir() && has_database(&self.follow(s)));
            if !shared_has_one && has_project_files(own) {
                return Some(own.to_owned());
            }
        }
        shared.and_then(|s| self.project_in(s))
    }

    /// The one of a directory named with `-C`; unlike [`Self::discover`] it looks beyond the repository's root.
    pub(super) fn named_by_c(&mut self, dir: &Path) -> Option<PathBuf> {
        let start = self.canonical(dir);
        let repo = Repo::around(self.env, &start);
        let shared = repo.as_ref().filter(|r| r.is_worktree()).map(Repo::shared_beads);
        let shared_has_one = shared.clone().is_some_and(|s| s.is_dir() && has_database(&self.follow(&s)));
        let top = repo.as_ref().and_then(|r| r.top.clone());
        let secondary = Secondary::around(&start);
        let primary = secondary.as_ref().and_then(|s| s.primary.clone());
        let primary = primary.and_then(|p| self.project_in(&p.join(".beads")));
        for dir in start.ancestors().filter(|d| d.parent().is_some()) {
            let Some(found) = self.project_in(&dir.join(".beads")) else { continue };
            let is_shared = top.as_deref() == Some(dir) && shared_has_one;
            let is_second = secondary.as_ref().is_some_and(|s| s.root == dir)
                && primary.as_ref().is_some_and(|p| has_database(p));
            if !(is_shared || is_second) || has_database(&found) {
                return Some(found);
            }
        }
        shared.and_then(|s| self.project_in(&s)).or(primary)
    }

    /// The one that a path to a database lies in (`--db`, `BEADS_DB`). A `.beads` itself may be named too.
    pub(super) fn of_database(&mut self, database: &Path) -> Option<PathBuf> {
        let named = clean(&self.cwd.join(database));
        let real = self.canonical(database);
        for path in [&named, &real] {
            let parent = path.parent().filter(|p| p.ends_with(".beads"));
            if let Some(parent) = parent.filter(|p| p.join("metadata.json").exists()) {
                return Some(parent.to_owned());
            }
        }
        let mut candidates: Vec<PathBuf> = Vec::new();
        for path in [&named, &real] {
            candidates.extend(path.is_dir().then(|| path.clone()));
            for dir in path.ancestors().skip(1) {
                candidates.push(dir.join(".beads"));
                if dir.ends_with(".beads") {
                    candidates.push(dir.to_owned());
                }
            }
        }
        candidates.extend(self.discover());
        let owns = |dir: &PathBuf| {
            let Ok(Some(metadata)) = Metadata::load(dir) else { return false };
            let dir = self.canonical(dir);
            dir == real || self.canonical(&database_path(self.env, &dir, &metadata)) == real
        };
        if let Some(owner) = candidates.iter().find(|c| owns(c)) {
            return Some(owner.clone());
        }
        let above = named.ancestors().skip(1).filter(|d| d.parent().is_some()).map(|d| d.join(".beads"));
        let above = above.into_iter().find(|b| b.is_dir());
        above.or_else(|| named.parent().map(Path::to_owned))
    }
}

/// Where bd says that the data is (`Config.DatabasePath`): its own idea, which is not where embedded databases are.
pub(super) fn database_path(env: &Env, beads_dir: &Path, metadata: &Metadata) -> PathBuf {
    if let Some(custom) = env.path("BEADS_DOLT_DATA_DIR").or_else(|| metadata.data_dir()) {
        return beads_dir.join(custom);
    }
    let named = metadata.text("database").map(PathBuf::from).filter(|p| p.is_absolute());
    named.unwrap_or_else(|| beads_dir.join("dolt"))
}

/// Whether a `.beads` is a project's: settings or a database.
pub(super) fn has_project_files(beads_dir: &Path) -> bool {
    beads_dir.join("metadata.json").exists()
        || beads_dir.join("config.yaml").exists()
        || has_database(beads_dir)
}

/// Whether a `.beads` holds a database itself.
pub(super) fn has_database(beads_dir: &Path) -> bool {
    let is_database = |name: &str| {
        let path = Path::new(name);
        path.extension().is_some_and(|e| e == "db") && !name.contains(".backup") && name != "vc.db"
    };
    if beads_dir.join("dolt").is_dir() || beads_dir.join("embeddeddolt").is_dir() {
        return true;
    }
    let mut names = fs::read_dir(beads_dir).into_iter().flatten().flatten();
    names.any(|e| e.file_name().to_str().is_some_and(is_database))
}
