//! `gt dolt dump`.

use clap::Args;
use serde_json::json;

use crate::cli::failure::Failure;
use crate::cli::out::{self, BOLD, styled};
use crate::cli::session::Session;
use crate::doltserver::dump;

/// Show what the server is doing: connections, threads, the end of its log. Never sends it a signal.
#[derive(Debug, Args)]
pub(crate) struct Dump {
    /// How many of the last log lines
    #[arg(short = 'n', long, default_value_t = 20, value_name = "N")]
    lines: usize,
}

impl Dump {
    pub(crate) fn run(&self, session: &Session) -> Result<(), Failure> {
        let here = session.here()?;
        let dump = session.block_on(async {
            dump::dump(&here.context(), self.lines).await.map_err(Failure::needs_server)
        })?;
        let (connections, problem) = match &dump.connections {
            Ok(lines) => (lines.clone(), None),
            Err(problem) => (Vec::new(), Some(problem)),
        };
        session.show(
            || {
                json!({"pid": dump.pid, "process": dump.process, "connections": connections,
                       "connections_problem": problem, "threads": dump.threads, "log": dump.log_tail})
            },
            || {
                let section = |title: &str, lines: &[String]| {
                    out::line(styled(BOLD, title));
                    for line in lines {
                        out::line(format!("  {}", line.replace('\n', "\n  ")));
                    }
                };
                section("Process", &dump.process);
                section("Connections (id, user, host, database, command, seconds, statement)", &connections);
                if let Some(problem) = problem {
                    out::line(format!("  not to be had: {problem}"));
                }
                section("Threads", &dump.threads);
                section("Log", &dump.log_tail);
            },
        );
        Ok(())
    }
}
