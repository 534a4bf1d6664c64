//! `gt status`.

use clap::Args;
use serde_json::json;

use super::dolt::status::{headline, state_name, verdict};
use super::failure::Failure;
use super::out::{self, BOLD, YELLOW, styled};
use super::session::Session;
use crate::doltserver::databases;
use crate::doltserver::status;
use crate::town::json::Object;
use crate::town::{TownError, rigs};

/// Show the town at a glance: its server and its rigs. Only looks.
///
/// Exit code 0 whatever it finds; with --exit-code as gt dolt status.
#[derive(Debug, Args)]
pub(crate) struct Status {}

impl Status {
    #[expect(clippy::unused_self, reason = "every command has this shape")]
    pub(crate) fn run(&self, session: &Session) -> Result<(), Failure> {
        let here = session.here()?;
        let status = session.block_on(async { Ok(status::status(&here.context()).await?) })?;
        // A file that is broken hides its own part only.
        let mut problems = Vec::new();
        let mut told = |error: TownError| problems.push(error.to_string());
        let town_json = Object::load(&here.town.town_json()).unwrap_or_else(|e| {
            told(e);
            None
        });
        let name: Option<String> = town_json.and_then(|t| t.get("name"));
        let dir = here.town.root().file_name().map(|n| n.to_string_lossy().into_owned());
        let name = name.or(dir).unwrap_or_default();
        let rigs = rigs::registered(&here.town).unwrap_or_else(|e| {
            told(e);
            Vec::new()
        });
        let on_disk = databases::names(&status.databases);
        let database = |rig: &rigs::Rig| rig.beads.database().or_else(|| rig.beads.resolved().database());
        let exists = |rig: &rigs::Rig| database(rig).is_some_and(|d| on_disk.contains(&d));
        session.show(
            || {
                let row = |r: &rigs::Rig| json!({"rig": r.name, "prefix": r.prefix, "database": database(r), "exists": exists(r)});
                json!({
                    "name": name, "town": here.town.root(),
                    "server": {"state": state_name(&status.health), "pid": status.process.as_ref().map(|p| p.pid),
                               "port": status.process.as_ref().and_then(|p| p.port)},
                    "rigs": rigs.iter().map(row).collect::<Vec<_>>(), "problems": problems,
                })
            },
            || {
                out::line(format!("{} {}", styled(BOLD, &name), here.town.root().display()));
                headline(&status);
                let row = |r: &rigs::Rig| {
                    let state = if exists(r) { "database present" } else { "no database" };
                    let prefix = r.prefix.as_ref().map_or_else(|| "-".to_owned(), |p| format!("{p}-"));
                    vec![format!("  {}", r.name), prefix, state.to_owned()]
                };
                out::columns(&rigs.iter().map(row).collect::<Vec<_>>()).iter().for_each(out::line);
                for problem in &problems {
                    out::line(format!("{} {problem}", styled(YELLOW, "!")));
                }
            },
        );
        verdict(session, &status.health)
    }
}
