//! `gt rig …`.

use clap::{Args, Subcommand};
use serde_json::json;

use super::dolt::refuse_to_hide_old_data;
use super::failure::Failure;
use super::out::{self, BOLD, DIM, GREEN, styled};
use super::session::Session;
use crate::doltserver::databases;
use crate::rig::add;
use crate::rig::create::Outcome;
use crate::town::rigs;

/// The rigs of the town: repositories whose issues have a database here.
#[derive(Debug, Subcommand)]
pub(crate) enum Rig {
    Add(Add),
    List(List),
    Remove(Remove),
}

impl Rig {
    pub(crate) fn run(&self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Add(c) => c.run(session),
            Self::List(c) => c.run(session),
            Self::Remove(c) => c.run(session),
        }
    }
}

/// Register a rig and make its database: registry, route, database, metadata.json and port file, all or nothing.
///
/// Example: gt rig add gastown --prefix gt
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Its name: letters, digits, underscore
    name: String,
    /// Prefix of its issue ids, without the dash [default: made from the name]
    #[arg(long)]
    prefix: Option<String>,
}

impl Add {
    fn run(&self, session: &Session) -> Result<(), Failure> {
        let here = session.here()?;
        refuse_to_hide_old_data(&here, &self.name)?;
        let added = session
            .block_on(async { Ok(add::add(&here.context(), &self.name, self.prefix.as_deref()).await?) })?;
        let existed = added.database.outcome == Outcome::Existed;
        session.show(
            || {
                json!({"rig": added.name, "prefix": added.prefix, "database": added.database.dir,
                       "database_existed": existed, "beads": added.beads, "port": added.port})
            },
            || {
                out::line(format!("{} Rig {} added", styled(GREEN, "✓"), styled(BOLD, &added.name)));
                out::line(format!("  Prefix:   {}-", added.prefix));
                let found = if existed { " (it was there)" } else { "" };
                out::line(format!("  Database: {}{found}", added.database.dir.display()));
                out::line(format!("  Beads:    {}", added.beads.display()));
                if !existed {
                    let (name, prefix) = (&added.name, &added.prefix);
                    let init = format!("cd {name} && gt bd init --server --prefix {prefix}");
                    out::line(format!("  Issues:   {}", styled(DIM, init)));
                }
                match added.database.outcome {
                    Outcome::MadeByServer => out::line("  The running server serves it"),
                    _ => out::line(format!("\nStart the server with: {}", styled(DIM, "gt up"))),
                }
            },
        );
        Ok(())
    }
}

/// List the rigs: name, prefix, database, and whether it exists.
#[derive(Debug, Args)]
pub(crate) struct List {}

impl List {
    #[expect(clippy::unused_self, reason = "every command has this shape")]
    fn run(&self, session: &Session) -> Result<(), Failure> {
        let here = session.here()?;
        let rigs = rigs::registered(&here.town)?;
        let on_disk = databases::names(&databases::scan(&here.town)?);
        let database = |rig: &rigs::Rig| rig.beads.database().or_else(|| rig.beads.resolved().database());
        let exists = |name: &Option<String>| name.as_ref().is_some_and(|d| on_disk.contains(d));
        session.show(
            || {
                let row = |rig: &rigs::Rig| {
                    let database = database(rig);
                    json!({"rig": rig.name, "prefix": rig.prefix, "database": database,
                           "exists": exists(&database), "beads": rig.beads.path()})
                };
                json!({"rigs": rigs.iter().map(row).collect::<Vec<_>>()})
            },
            || {
                let mut rows = vec![["RIG", "PREFIX", "DATABASE", "BEADS"].map(str::to_owned).to_vec()];
                for rig in &rigs {
                    let database = database(rig);
                    let missing = if exists(&database) { "" } else { " (missing)" };
                    rows.push(vec![
                        rig.name.clone(),
                        rig.prefix.as_ref().map_or_else(|| "-".to_owned(), |p| format!("{p}-")),
                        format!("{}{missing}", database.as_deref().unwrap_or("-")),
                        rig.beads.path().display().to_string(),
                    ]);
                }
                for (i, line) in out::columns(&rows).iter().enumerate() {
                    if i == 0 { out::line(styled(BOLD, line)) } else { out::line(line) }
                }
            },
        );
        Ok(())
    }
}

/// Forget a rig: its registry entry and its route. Its database and directory stay.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Its name
    name: String,
}

impl Remove {
    fn run(&self, session: &Session) -> Result<(), Failure> {
        let here = session.here()?;
        let removed = session.block_on(async { Ok(add::remove(&here.context(), &self.name).await?) })?;
        session.show(
            || json!({"rig": removed.name, "prefix": removed.prefix, "stays": removed.stays}),
            || {
                out::line(format!("{} Rig {} forgotten", styled(GREEN, "✓"), styled(BOLD, &removed.name)));
                for path in &removed.stays {
                    out::line(format!("  stays: {}", path.display()));
                }
                let name = &removed.name;
                out::line(format!("  Add it again with: {}", styled(DIM, format!("gt rig add {name}"))));
            },
        );
        Ok(())
    }
}
