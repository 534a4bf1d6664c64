//! `gt dolt restart`.

use clap::Args;
use serde_json::json;

use super::start::{self, StartArgs};
use super::stop::StopArgs;
use crate::cli::failure::Failure;
use crate::cli::session::Session;
use crate::doltserver::restart;

/// Stop the server and start it again, holding the lock across the gap.
///
/// Settings, the dolt program and every store are checked while the old server still runs: what would keep the new one
/// from starting keeps the old one running.
#[derive(Debug, Args)]
pub(crate) struct Restart {
    #[command(flatten)]
    stopping: StopArgs,
    #[command(flatten)]
    starting: StartArgs,
}

impl Restart {
    pub(crate) fn run(&self, session: &Session) -> Result<(), Failure> {
        let here = session.here()?;
        let restarted = session.block_on(async {
            let (stopping, starting) = (self.stopping.options(), self.starting.options());
            Ok(restart::restart(&here.context(), stopping, &starting).await?)
        })?;
        session.show(
            || {
                let mut body = start::to_json(&here, &restarted.started);
                body["old_pid"] = json!(restarted.stopped.as_ref().map(|s| s.pid));
                body
            },
            || start::print(&here, &restarted.started, "restarted"),
        );
        Ok(())
    }
}
