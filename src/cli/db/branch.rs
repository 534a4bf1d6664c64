//! `gt db branch` and `gt db tag`.

use std::path::Path;

use clap::Args;
use serde_json::json;

use super::writing::{author, commit_at, lock};
use crate::cli::failure::Failure;
use crate::cli::out::{self, GREEN, styled};
use crate::cli::session::Session;

/// Make a branch at a commit, or remove one. `gt db ls` lists them.
///
/// Example: gt db --db gastown branch before-the-import
#[derive(Debug, Args)]
pub(crate) struct Branch {
    /// Its name
    name: String,
    /// The commit that it begins at
    #[arg(long, value_name = "REVISION", default_value = "HEAD", conflicts_with = "delete")]
    at: String,
    /// Remove it
    #[arg(long, short)]
    delete: bool,
    /// Remove it although it has uncommitted changes
    #[arg(long, requires = "delete")]
    force: bool,
}

/// Name a commit for good, or remove such a name. `gt db ls` lists them.
///
/// Example: gt db --db gastown tag v1 -m "as it was released"
#[derive(Debug, Args)]
pub(crate) struct Tag {
    /// Its name
    name: String,
    /// The commit that it names
    #[arg(long, value_name = "REVISION", default_value = "HEAD", conflicts_with = "delete")]
    at: String,
    /// A message that goes with it
    #[arg(long, short, default_value = "", conflicts_with = "delete")]
    message: String,
    /// Remove it
    #[arg(long, short)]
    delete: bool,
}

impl Branch {
    pub(super) fn run(&self, session: &Session, dir: &Path) -> Result<(), Failure> {
        let seconds = author(session, dir, None)?.millis / 1000;
        let mut writable = lock(session, dir)?;
        let database = &mut writable.locked;
        let target = if self.delete {
            database.delete_branch(&self.name, self.force, seconds)?;
            None
        } else {
            let at = commit_at(&database.session()?, &self.at)?;
            database.create_branch(&self.name, at, seconds)?;
            Some(at.to_string())
        };
        said(session, "Branch", &self.name, target.as_deref());
        Ok(())
    }
}

impl Tag {
    pub(super) fn run(&self, session: &Session, dir: &Path) -> Result<(), Failure> {
        let by = author(session, dir, None)?;
        let mut writable = lock(session, dir)?;
        let database = &mut writable.locked;
        let target = if self.delete {
            database.delete_tag(&self.name, by.millis / 1000)?;
            None
        } else {
            let at = commit_at(&database.session()?, &self.at)?;
            database.create_tag(&self.name, at, &by, &self.message)?;
            Some(at.to_string())
        };
        said(session, "Tag", &self.name, target.as_deref());
        Ok(())
    }
}

fn said(session: &Session, what: &str, name: &str, target: Option<&str>) {
    session.show(
        || json!({"name": name, "target": target, "removed": target.is_none()}),
        || match target {
            Some(target) => out::line(format!("{} {what} {name} at {target}", styled(GREEN, "✓"))),
            None => out::line(format!("{} {what} {name} removed", styled(GREEN, "✓"))),
        },
    );
}
