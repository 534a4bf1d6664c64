//! `gt dolt wait`.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::cli::failure::Failure;
use crate::cli::out::{self, GREEN, styled};
use crate::cli::session::Session;
use crate::cli::values::parse_duration;
use crate::doltserver::wait;

/// Wait until the server answers with every database. Starts nothing.
///
/// Example: gt dolt wait --ready --timeout 1m && bd list
#[derive(Debug, Args)]
pub(crate) struct Wait {
    /// Wait for readiness (the default; there is nothing else to wait for yet)
    #[arg(long)]
    ready: bool,
    /// Give up after this time
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_duration)]
    timeout: Duration,
}

impl Wait {
    pub(crate) fn run(&self, session: &Session) -> Result<(), Failure> {
        let here = session.here()?;
        tracing::debug!(ready = self.ready, "waiting");
        let ready = session.block_on(async {
            wait::until_ready(&here.context(), self.timeout).await.map_err(Failure::needs_server)
        })?;
        let waited_ms = u64::try_from(ready.waited.as_millis()).unwrap_or(u64::MAX);
        session.show(
            || json!({"pid": ready.pid, "port": ready.port, "databases": ready.databases, "waited_ms": waited_ms}),
            || {
                let (pid, port) = (ready.pid, ready.port);
                out::line(format!("{} Dolt server is ready (PID {pid}, port {port})", styled(GREEN, "✓")));
            },
        );
        Ok(())
    }
}
