//! `gt dolt kill-imposters`.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::ps;
use crate::cli::failure::{Failure, Kind};
use crate::cli::out::{self, BOLD, DIM, GREEN, YELLOW, styled};
use crate::cli::session::Session;
use crate::cli::values::parse_duration;
use crate::doltserver::imposters::{self, Report};

/// End Dolt servers inside this town that are not the town's: on proof only, and only with --yes.
///
/// An imposter is a dolt sql-server whose data directory lies inside this town and is not the town's own. Another town's
/// server, or any other program on the port, is named and never touched. Without --yes this only shows what it would do.
#[derive(Debug, Args)]
pub(crate) struct KillImposters {
    /// Really do it
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    /// Only show what would be done (the default)
    #[arg(long)]
    dry_run: bool,
    /// How long to wait for each to end
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_duration)]
    grace: Duration,
}

impl KillImposters {
    pub(crate) fn run(&self, session: &Session) -> Result<(), Failure> {
        let here = session.here()?;
        let context = here.context();
        let report = imposters::look(&context)?;
        let mut ended = Vec::new();
        if self.yes {
            for imposter in &report.imposters {
                let pid = imposter.facts.pid;
                session.block_on(async { Ok(imposters::end(&context, pid, self.grace).await?) })?;
                ended.push(pid);
            }
        }
        session.show(
            || {
                let found: Vec<_> = report.imposters.iter().map(ps::to_json).collect();
                json!({"imposters": found, "ended": ended, "dry_run": !self.yes, "left_alone": report.left_alone})
            },
            || self.print(&report),
        );
        if self.yes && report.left_alone.is_some() { Err(Failure::code_only(Kind::InUse)) } else { Ok(()) }
    }

    fn print(&self, report: &Report) {
        if report.imposters.is_empty() {
            out::line(format!("{} No imposters found", styled(GREEN, "✓")));
        }
        for imposter in &report.imposters {
            let (pid, facts) = (imposter.facts.pid, &imposter.evidence);
            out::line(styled(BOLD, format!("Imposter: PID {pid}, {}", imposter.verdict)));
            for reason in facts {
                out::line(format!("  {}", styled(DIM, reason)));
            }
            if self.yes {
                out::line(format!("  {} ended", styled(GREEN, "✓")));
            } else {
                out::line(format!("  {} would be ended; do it with --yes", styled(YELLOW, "~")));
            }
        }
        if let Some(left_alone) = &report.left_alone {
            out::line(format!("{} {left_alone}: left alone", styled(YELLOW, "!")));
        }
    }
}
