//! `gt dolt list`.

use clap::Args;
use serde_json::json;

use crate::cli::failure::Failure;
use crate::cli::out::{self, BOLD, DIM, YELLOW, styled};
use crate::cli::session::{Here, Session};
use crate::doltserver::{ask, databases};
use crate::town::rigs;

/// List the databases of the town and whose they are.
#[derive(Debug, Args)]
pub(crate) struct List {}

impl List {
    #[expect(clippy::unused_self, reason = "every command has this shape")]
    pub(crate) fn run(&self, session: &Session) -> Result<(), Failure> {
        let here = session.here()?;
        if here.settings.remote {
            return remote(&here);
        }
        let found = databases::scan(&here.town)?;
        let (whole, half): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|d| d.condition == databases::Condition::Present);
        let owners = rigs::owners(&here.town);
        for database in &half {
            let name = &database.name;
            out::note(format!(
                "{} {name} was never finished being created: gt dolt init-rig {name}",
                styled(YELLOW, "Warning:")
            ));
        }
        let data_dir = here.town.data_dir();
        session.show(
            || {
                let row = |d: &databases::Database| json!({"name": d.name, "owner": owners.get(&d.name), "path": d.dir});
                let half: Vec<_> = half.iter().map(|d| &d.name).collect();
                json!({"data_dir": data_dir, "databases": whole.iter().map(row).collect::<Vec<_>>(), "half_made": half})
            },
            || {
                if whole.is_empty() {
                    out::line(format!("No rig databases found in {}", data_dir.display()));
                    out::line(format!("\nInitialize with: {}", styled(DIM, "gt dolt init-rig <name>")));
                    return;
                }
                out::line(format!("Rig databases in {}:\n", data_dir.display()));
                for database in &whole {
                    let owner = owners.get(&database.name).map_or("orphan", String::as_str);
                    out::line(format!("  {} ({owner})", styled(BOLD, &database.name)));
                    out::line(format!("    {}", styled(DIM, database.dir.display())));
                }
            },
        );
        Ok(())
    }
}

fn remote(here: &Here<'_>) -> Result<(), Failure> {
    let port = here.settings.port.clone()?.value;
    let limit = std::time::Duration::from_secs(10);
    let names = here.session.block_on(async { Ok(ask::databases(&here.context(), port, limit).await?) })?;
    let host = here.settings.client_host();
    here.session.show(
        || json!({"remote": format!("{host}:{port}"), "databases": names}),
        || {
            out::line(format!("Databases on {host}:{port}:\n"));
            for name in &names {
                out::line(format!("  {}", styled(BOLD, name)));
            }
        },
    );
    Ok(())
}
