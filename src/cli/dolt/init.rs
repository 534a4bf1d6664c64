//! `gt dolt init`.

use clap::Args;
use serde_json::{Value, json};

use super::init_rig::refuse_to_hide_old_data;
use crate::cli::failure::{Failure, Kind};
use crate::cli::out::{self, BOLD, DIM, GREEN, RED, YELLOW, styled};
use crate::cli::session::{Here, Session};
use crate::doltserver::databases;
use crate::rig::workspaces::{self, Broken};
use crate::town::rigs;

/// Find rigs whose metadata names a database that does not exist, and make it.
///
/// A rig whose data lies in an old place is reported and left alone. Exit code 0 even if a repair failed, as scripts
/// expect; with --exit-code it is 1 then.
#[derive(Debug, Args)]
pub(crate) struct Init {}

impl Init {
    #[expect(clippy::unused_self, reason = "every command has this shape")]
    pub(crate) fn run(&self, session: &Session) -> Result<(), Failure> {
        let here = session.here()?;
        let broken = workspaces::broken(&here.context())?;
        let mut results = Vec::new();
        for workspace in &broken {
            let done = session.block_on(repair(&here, workspace));
            results.push((workspace, done.map_err(|failure| failure.to_string())));
        }
        let on_disk = databases::names(&databases::scan(&here.town)?);
        let owners = rigs::owners(&here.town);
        let orphans: Vec<&String> = on_disk.iter().filter(|d| !owners.contains_key(*d)).collect();
        session.show(
            || {
                let row = |(b, done): &(&Broken, Result<(), String>)| {
                    json!({"rig": b.rig, "database": b.database, "repaired": done.is_ok(), "problem": done.as_ref().err()})
                };
                let rows: Vec<Value> = results.iter().map(row).collect();
                json!({"databases": on_disk, "broken": rows, "orphans": orphans})
            },
            || print(&on_disk, &results, &orphans),
        );
        let failed = results.iter().any(|(_, done)| done.is_err());
        if failed && session.rich_codes { Err(Failure::code_only(Kind::Other)) } else { Ok(()) }
    }
}

async fn repair(here: &Here<'_>, workspace: &Broken) -> Result<(), Failure> {
    refuse_to_hide_old_data(here, &workspace.rig)?;
    workspaces::repair(&here.context(), workspace).await?;
    Ok(())
}

fn print(on_disk: &[String], results: &[(&Broken, Result<(), String>)], orphans: &[&String]) {
    if results.is_empty() && on_disk.is_empty() {
        out::line("No Dolt databases found and no workspaces configured for Dolt.");
        out::line(format!("\nInitialize a rig database with: {}", styled(DIM, "gt dolt init-rig <name>")));
    } else if results.is_empty() {
        let all = on_disk.len();
        out::line(format!("{} All workspaces healthy ({all} database(s) verified)", styled(GREEN, "✓")));
    } else {
        out::line(format!("Found {} workspace(s) with broken Dolt configuration:\n", results.len()));
    }
    for (broken, done) in results {
        let (rig, database) = (&broken.rig, &broken.database);
        let mark = styled(BOLD, "!");
        out::line(format!(
            "  {mark} {rig}: metadata.json → database {database:?} (missing from .dolt-data/)"
        ));
        match done {
            Ok(()) => out::line(format!("    {} Repaired: created an empty database", styled(GREEN, "✓"))),
            Err(problem) => out::line(format!("    {} Repair failed: {problem}", styled(RED, "✗"))),
        }
    }
    let repaired = results.iter().filter(|(_, done)| done.is_ok()).count();
    if repaired > 0 {
        out::line(format!("\n{} Repaired {repaired}/{} workspace(s)", styled(GREEN, "✓"), results.len()));
    }
    if !orphans.is_empty() {
        out::line(format!(
            "\n{} Databases that no rig names (nothing is done to them):",
            styled(YELLOW, "!")
        ));
        for orphan in orphans {
            out::line(format!("  - {orphan}"));
        }
    }
}
