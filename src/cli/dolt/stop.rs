//! `gt dolt stop`.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::cli::failure::Failure;
use crate::cli::out::{self, GREEN, styled};
use crate::cli::session::{Here, Session};
use crate::cli::values::parse_duration;
use crate::doltserver::stop::{self, Options, Stopped};

/// Stop the town's server gently.
///
/// Running queries are waited for, idle connections are not. Then the server is asked to end (TERM) and waited for. It is
/// killed only with --force, or after a --grace that you gave yourself.
///
/// Example: gt dolt stop --grace 2m
#[derive(Debug, Args)]
pub(crate) struct Stop {
    #[command(flatten)]
    how: StopArgs,
}

/// What `stop`, `restart` and `down` share.
#[derive(Debug, Args)]
pub(crate) struct StopArgs {
    /// How long running queries, and then the exit, are each waited for; then it is killed [default: 30s, no kill]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    grace: Option<Duration>,
    /// Kill it if it has not ended after the grace
    #[arg(long)]
    force: bool,
}

impl StopArgs {
    pub(crate) fn options(&self) -> Options {
        Options { grace: self.grace, force: self.force }
    }
}

impl Stop {
    pub(crate) fn run(&self, session: &Session) -> Result<(), Failure> {
        let here = session.here()?;
        let stopped = bring_down(&here, self.how.options())?;
        session.show(
            || json!({"pid": stopped.pid, "killed": stopped.killed, "took_ms": stopped.took.as_millis().min(u128::from(u32::MAX))}),
            || print(&stopped),
        );
        Ok(())
    }
}

pub(crate) fn bring_down(here: &Here<'_>, options: Options) -> Result<Stopped, Failure> {
    here.session.block_on(async { Ok(stop::stop(&here.context(), options).await?) })
}

pub(crate) fn print(stopped: &Stopped) {
    let how = if stopped.killed { "killed" } else { "stopped" };
    out::line(format!("{} Dolt server {how} (was PID {})", styled(GREEN, "✓"), stopped.pid));
}
