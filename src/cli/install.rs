//! `gt install`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::dolt::refuse_to_hide_old_data;
use super::failure::{Failure, Kind};
use super::out::{self, BOLD, DIM, GREEN, YELLOW, styled};
use super::session::Session;
use super::values::parse_port;
use crate::doltserver::binary;
use crate::rig::create::{self, Created};
use crate::rig::metadata;
use crate::sys::net::Port;
use crate::town::beads::BeadsDir;
use crate::town::install::{self, Installed, NewTown};
use crate::town::{clean, logical_cwd};

/// Make a town: its directories, its files, and the database hq.
///
/// Refuses to touch a directory that is something else. On a town it only adds what is missing.
///
/// Example: gt install ~/gt --name springfield
#[derive(Debug, Args)]
pub(crate) struct Install {
    /// The directory; made if it does not exist
    dir: PathBuf,
    /// The town's name [default: the directory's]
    #[arg(long)]
    name: Option<String>,
    /// The server's port, written into mayor/daemon.json [default: none, which means 3307]
    #[arg(long, value_name = "PORT", value_parser = parse_port)]
    dolt_port: Option<Port>,
}

impl Install {
    pub(crate) fn run(&self, session: &Session) -> Result<(), Failure> {
        let cwd = logical_cwd(&session.env).or_else(|| self.dir.is_absolute().then(PathBuf::new));
        let cwd = cwd.ok_or_else(|| Failure::new(Kind::Other, "the working directory is gone"))?;
        let root = clean(&cwd.join(&self.dir));
        if dirs::home_dir().is_some_and(|home| crate::sys::dir_id::same_place(&home, &root)) {
            return Err(Failure::new(
                Kind::Other,
                format!("{} is your home directory, not a town", root.display()),
            )
            .hint("Name a directory below it, for example ~/gt"));
        }
        let new = NewTown { name: self.name.clone(), port: self.dolt_port };
        let installed = install::install(&root, &new)?;
        let here = session.at(installed.town.clone());
        let created = session.block_on(async {
            refuse_to_hide_old_data(&here, "hq")?;
            let context = here.context();
            let created = create::database(&context, "hq").await?;
            let port = metadata::port_in_force(&context)?;
            BeadsDir::at(here.town.beads_dir()).point_at("hq", here.settings.client_host(), port)?;
            Ok::<_, Failure>(created)
        })?;
        // Only the server needs one.
        let dolt_missing = binary::locate(&session.env).is_err();
        session.show(
            || {
                json!({"town": installed.town.root(), "name": installed.name, "made": installed.made,
                       "database": created.dir, "dolt_missing": dolt_missing})
            },
            || print(&installed, &created, dolt_missing),
        );
        Ok(())
    }
}

fn print(installed: &Installed, created: &Created, dolt_missing: bool) {
    let (root, ok) = (installed.town.root().display(), styled(GREEN, "✓"));
    if installed.made.is_empty() {
        out::line(format!("{ok} {} is a town already ({root})", styled(BOLD, &installed.name)));
    } else {
        out::line(format!("{ok} Town {} at {root}", styled(BOLD, &installed.name)));
        for made in &installed.made {
            out::line(format!("  {}", styled(DIM, made)));
        }
    }
    out::line(format!("  {}", styled(DIM, created.dir.display())));
    if dolt_missing {
        out::line(format!("{} dolt is not on PATH: the server will need it.", styled(YELLOW, "!")));
    }
    let there = out::shell_word(&root.to_string());
    out::line(format!("\nNext: {}", styled(DIM, format!("cd {there} && gt rig add NAME && gt up"))));
    if created.outcome != create::Outcome::Existed {
        let init = "gt bd init --server --prefix hq";
        out::line(format!("Issues of the town itself: {}", styled(DIM, init)));
    }
}
