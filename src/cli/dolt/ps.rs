//! `gt dolt ps`.

use clap::Args;
use serde_json::{Value, json};

use crate::cli::failure::Failure;
use crate::cli::out::{self, BOLD, DIM, styled};
use crate::cli::session::Session;
use crate::doltserver::ps::{self, Listed};
use crate::sys::clock;
use crate::town::find_town;

/// List every Dolt server of this user: whose it is, and the evidence. Works outside a town too.
#[derive(Debug, Args)]
pub(crate) struct Ps {
    /// Leave out the evidence
    #[arg(long)]
    short: bool,
}

impl Ps {
    pub(crate) fn run(&self, session: &Session) -> Result<(), Failure> {
        // Outside a town there is no "ours", and the list is still wanted; a wrong --town is an error.
        let town = match find_town(&session.env, session.town.as_deref()) {
            Ok(town) => Some(town),
            Err(error) if session.town.is_some() => return Err(error.into()),
            Err(_) => None,
        };
        let servers = ps::list(town.as_ref());
        session.show(
            || json!({"servers": servers.iter().map(to_json).collect::<Vec<_>>()}),
            || self.print(&servers),
        );
        Ok(())
    }

    fn print(&self, servers: &[Listed]) {
        if servers.is_empty() {
            out::line("No Dolt servers are running.");
            return;
        }
        let head = ["PID", "AGE", "PORT", "MEMORY", "DATA DIRECTORY", "VERDICT"].map(str::to_owned).to_vec();
        let mut rows = vec![head];
        for server in servers {
            let ports: Vec<String> = server.ports.iter().map(ToString::to_string).collect();
            let dir = server.data_dir.as_ref().map_or_else(|| "?".to_owned(), |d| d.display().to_string());
            rows.push(vec![
                server.facts.pid.to_string(),
                clock::human(clock::age(server.facts.started_at)),
                if ports.is_empty() { "-".to_owned() } else { ports.join(",") },
                out::bytes(server.facts.rss_bytes),
                dir,
                server.verdict.clone(),
            ]);
        }
        for (i, line) in out::columns(&rows).iter().enumerate() {
            if i == 0 {
                out::line(styled(BOLD, line));
                continue;
            }
            out::line(line);
            let evidence = servers.get(i - 1).filter(|_| !self.short).map(|s| s.evidence.as_slice());
            for reason in evidence.unwrap_or_default() {
                out::line(format!("    {}", styled(DIM, reason)));
            }
        }
    }
}

pub(super) fn to_json(server: &Listed) -> Value {
    json!({
        "pid": server.facts.pid,
        "started_at": server.facts.started_at.to_string(),
        "ports": server.ports,
        "rss_bytes": server.facts.rss_bytes,
        "data_dir": server.data_dir,
        "town": server.town,
        "is_ours": server.is_ours,
        "verdict": server.verdict,
        "evidence": server.evidence,
    })
}
