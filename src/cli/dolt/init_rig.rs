//! `gt dolt init-rig`.

use clap::Args;
use serde_json::json;

use crate::cli::failure::{Failure, Kind};
use crate::cli::out::{self, BOLD, DIM, GREEN, styled};
use crate::cli::session::{Here, Session};
use crate::migrate;
use crate::rig::create::{self, Created, Outcome};
use crate::rig::metadata;
use crate::town::beads::BeadsDir;
use crate::town::rigs;

/// Create an empty database, and point the rig of that name at it.
///
/// Works with the server up (it serves the database at once) or down. Does nothing if the database exists.
///
/// Example: gt dolt init-rig gastown
#[derive(Debug, Args)]
pub(crate) struct InitRig {
    /// Name of the database: letters, digits, dash, underscore
    name: String,
}

impl InitRig {
    pub(crate) fn run(&self, session: &Session) -> Result<(), Failure> {
        let here = session.here()?;
        let created = session.block_on(self.create(&here))?;
        let outcome = match created.outcome {
            Outcome::Existed => "existed",
            Outcome::MadeByServer => "made-by-server",
            Outcome::MadeOnDisk => "made-on-disk",
        };
        session.show(
            || json!({"database": self.name, "outcome": outcome, "path": created.dir, "moved_aside": created.moved_aside}),
            || self.print(&here, &created),
        );
        Ok(())
    }

    async fn create(&self, here: &Here<'_>) -> Result<Created, Failure> {
        refuse_to_hide_old_data(here, &self.name)?;
        let context = here.context();
        let created = create::database(&context, &self.name).await?;
        // A rig that is there already learns where its database is. Others are made by `gt rig add`.
        let known = rigs::registered(&here.town)?;
        if known.iter().any(|r| r.name == self.name)
            || BeadsDir::of_rig(&here.town, &self.name).path().is_dir()
        {
            let port = metadata::port_in_force(&context)?;
            BeadsDir::of_rig(&here.town, &self.name).point_at(
                &self.name,
                here.settings.client_host(),
                port,
            )?;
        }
        Ok(created)
    }

    fn print(&self, here: &Here<'_>, created: &Created) {
        let (name, ok) = (&self.name, styled(GREEN, "✓"));
        if created.outcome == Outcome::Existed {
            out::line(format!("{ok} Rig database {name:?} already exists (no-op)"));
            out::line(format!("  Location: {}", created.dir.display()));
            return;
        }
        out::line(format!("{ok} Initialized rig database {name:?}"));
        out::line(format!("  Location: {}", created.dir.display()));
        out::line(format!("  Data dir: {}", here.town.data_dir().display()));
        if let Some(aside) = &created.moved_aside {
            out::line(format!("  An unfinished one was moved aside: {}", aside.display()));
        }
        if created.outcome == Outcome::MadeByServer {
            out::line(format!("  Server: {}", styled(BOLD, "database registered with running server")));
        } else {
            out::line(format!("\nStart server with: {}", styled(DIM, "gt dolt start")));
        }
    }
}

/// A new, empty database would hide a rig's data that still lies in an old place, or that bd keeps itself.
pub(crate) fn refuse_to_hide_old_data(here: &Here<'_>, rig: &str) -> Result<(), Failure> {
    if let Some(own) = BeadsDir::of_rig(&here.town, rig).resolved().embedded_store() {
        let message = format!("the issues of {rig} are in bd's own {}", own.display());
        return Err(Failure::new(Kind::Other, message)
            .hint("An empty database of the town would hide them; nothing was made"));
    }
    let old = migrate::find_old(&here.town).into_iter().find(|o| o.rig == rig && !o.target_exists);
    let Some(old) = old else { return Ok(()) };
    let path = old.path.display();
    Err(Failure::new(Kind::Other, format!("database {rig} exists in an old place: {path}")).hint(
        "An empty new one would hide it; nothing was made. Moving it (gt dolt migrate) is not here yet",
    ))
}
