//! `gt down`.

use clap::Args;
use serde_json::json;

use super::dolt::stop::{StopArgs, bring_down, print};
use super::failure::{Failure, Kind};
use super::out;
use super::session::Session;

/// Bring the town down: its server, gently. A town that is down already is no failure.
#[derive(Debug, Args)]
pub(crate) struct Down {
    #[command(flatten)]
    how: StopArgs,
}

impl Down {
    pub(crate) fn run(&self, session: &Session) -> Result<(), Failure> {
        let here = session.here()?;
        match bring_down(&here, self.how.options()) {
            Ok(stopped) => {
                session.show(|| json!({"pid": stopped.pid, "killed": stopped.killed}), || print(&stopped));
                Ok(())
            }
            Err(failure) if failure.kind == Kind::NotRunning => {
                session.show(|| json!({"pid": null}), || out::line("○ Dolt server was not running"));
                Ok(())
            }
            Err(failure) => Err(failure),
        }
    }
}
