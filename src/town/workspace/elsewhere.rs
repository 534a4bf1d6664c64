//! The repository that new issues go to, where a call or the settings name another one (`routing.*`; bd 1.1.0
//! `internal/routing/routing.go`, `cmd/bd/routing_read.go`).
//!
//! What could go wrong is an issue that lands where nobody looks for it: so a place without a workspace is refused, and none
//! is made there.

use std::path::PathBuf;

use super::Workspace;
use super::config::ConfigSource;
use super::find::Finder;
use super::metadata::Metadata;
use super::place::DATABASE;

/// A repository with a workspace of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Its `.beads`, its redirect followed.
    pub beads_dir: PathBuf,
    /// Its database.
    pub database: String,
}

/// Why issues cannot go there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRepository {
    /// It has to be fetched first.
    #[error("a repository on another machine is not here yet: {0}")]
    Remote(String),
    /// There is no directory with a workspace.
    #[error("no beads workspace in {}", .0.display())]
    Without(PathBuf),
}

/// An address with a scheme, or `user@host:path` as git writes it.
fn is_remote(text: &str) -> bool {
    let is_like_gits = text.split_once(':').is_some_and(|(host, _)| {
        host.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.contains('/'))
    });
    text.contains("://") || (is_like_gits && !text.starts_with(['/', '.', '~']))
}

impl Workspace {
    /// The repository at this path, for example `~/planning` or `../rig`. `None`: it is the one here.
    pub fn repository(&self, path: &str) -> Result<Option<Repository>, NoRepository> {
        if path.is_empty() || path == "." {
            return Ok(None);
        }
        if is_remote(path) {
            return Err(NoRepository::Remote(path.to_owned()));
        }
        let home = || self.env().home();
        let root = match path.strip_prefix("~/") {
            Some(rest) => home().map_or_else(|| PathBuf::from(path), |home| home.join(rest)),
            None => self.cwd().join(path),
        };
        let beads_dir = Finder::new(self.env(), self.cwd()).follow(&root.join(".beads"));
        if beads_dir == self.dir() {
            return Ok(None);
        }
        let metadata = Metadata::load(&beads_dir).ok().flatten();
        let metadata = metadata.ok_or(NoRepository::Without(root))?;
        let database = metadata.database().unwrap_or_else(|| DATABASE.to_owned());
        Ok(Some(Repository { beads_dir, database }))
    }

    /// The path that the settings send new issues to; `None`: they stay here. `stored` gives what the database says about a
    /// key, which counts where `config.yaml` and the environment are silent.
    pub fn routed(&self, stored: impl Fn(&str) -> Option<String>) -> Option<String> {
        let said = |key: &str| {
            let said = self.config().said(key).filter(|(_, source)| *source != ConfigSource::Default);
            let text = said.map(|(text, _)| text.trim().to_owned()).filter(|text| !text.is_empty());
            text.or_else(|| stored(key).map(|text| text.trim().to_owned())).filter(|text| !text.is_empty())
        };
        let is_auto = match said("routing.mode") {
            Some(mode) => mode == "auto",
            None => said("contributor.auto_route").as_deref() == Some("true"),
        };
        let by_role = || {
            if self.is_contributor() {
                said("routing.contributor").or_else(|| said("contributor.planning_repo"))
            } else {
                said("routing.maintainer")
            }
        };
        let chosen = if is_auto { by_role() } else { None };
        chosen.or_else(|| said("routing.default")).filter(|path| path != ".")
    }

    /// `beads.role`; without it whoever has forked the repository, or has an address of it that nobody can push to.
    pub fn is_contributor(&self) -> bool {
        let config = self.git_config();
        match config.get("beads.role").map(str::trim) {
            Some("contributor") => return true,
            Some("maintainer") => return false,
            _ => {}
        }
        let url = |keys: &[&str]| keys.iter().find_map(|key| config.get(key)).map(str::trim);
        let Some(origin) = url(&["remote.origin.pushurl", "remote.origin.url"]) else { return false };
        let is_fork = url(&["remote.upstream.url"]).is_some_and(|upstream| slug(upstream) != slug(origin));
        is_fork || !(origin.contains('@') || origin.starts_with("ssh://"))
    }
}

/// `owner/name` of an address.
fn slug(url: &str) -> &str {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => url.split_once(':').map_or(url, |(_, path)| path),
    };
    let path = path.trim_matches('/');
    path.strip_suffix(".git").unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_other_machines_are_no_paths() {
        for text in ["git@github.com:o/r.git", "https://x/y", "dolthub://o/r", "ssh://u@h/x"] {
            assert!(is_remote(text), "{text}");
        }
        for text in ["../rig", "/srv/a@b/c", "~/planning", "rig:1", "@x", "./a@c:d"] {
            assert!(!is_remote(text), "{text}");
        }
    }

    #[test]
    fn addresses_of_one_repository_have_one_name() {
        for url in ["git@github.com:o/r.git", "https://github.com/o/r", "ssh://git@github.com/o/r.git/"] {
            assert_eq!(slug(url), "o/r", "{url}");
        }
    }
}
