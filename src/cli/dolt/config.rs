//! `gt dolt config`.

use clap::Args;
use serde_json::json;

use crate::cli::failure::Failure;
use crate::cli::out::{self, BOLD, DIM, GREEN, RED, YELLOW, styled};
use crate::cli::session::{Here, Session};
use crate::cli::values::parse_port;
use crate::doltserver::find;
use crate::sys::net::Port;
use crate::town::install;
use crate::town::settings::{Candidate, SettingError};

/// Show the settings in force, where each came from, and why.
///
/// Examples:
///   gt dolt config --explain          every source that was looked at
///   gt dolt config --set-port 23101   write the port into mayor/daemon.json
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Config {
    /// Show every source that was looked at, and what became of it
    #[arg(long)]
    explain: bool,
    /// Write the port into mayor/daemon.json; it takes effect at the next start
    #[arg(long, value_name = "PORT", value_parser = parse_port)]
    set_port: Option<Port>,
}

impl Config {
    pub(crate) fn run(&self, session: &Session) -> Result<(), Failure> {
        if let Some(port) = self.set_port {
            let here = session.here()?;
            let changed = install::set_port(&here.town, port)?;
            if !self.explain {
                session.show(
                    || json!({"port": port, "changed": changed, "file": here.town.daemon_json()}),
                    || {
                        out::line(format!(
                            "{} Port {port} stands in mayor/daemon.json; gt dolt restart applies it",
                            styled(GREEN, "✓")
                        ));
                    },
                );
                return Ok(());
            }
        }
        let here = session.here()?;
        let running = find::find(&here.town)?.server.and_then(|s| s.port);
        session.show(|| to_json(&here, running), || self.print(&here, running));
        here.settings.port.clone()?;
        here.settings.log_level.clone()?;
        here.settings.wait_timeout.clone()?;
        here.settings.stop_grace?;
        Ok(())
    }

    fn print(&self, here: &Here<'_>, running: Option<Port>) {
        let settings = &here.settings;
        out::line(styled(BOLD, here.town.root().display()));
        let mut rows = Vec::new();
        let mut row = |name: &str, value: Result<(String, String), &SettingError>| {
            let (value, source) = value.unwrap_or_else(|e| ("refused".to_owned(), e.to_string()));
            rows.push(vec![format!("  {name}"), value, source]);
        };
        row("port", settings.port.as_ref().map(|p| (p.value.to_string(), p.source.to_string())));
        let host = settings.host.as_ref();
        let host_source = host.map_or_else(|| "default".to_owned(), |h| h.source.to_string());
        row("host", Ok((settings.client_host().to_owned(), host_source)));
        row("user", Ok((settings.user.value.clone(), settings.user.source.to_string())));
        row(
            "data directory",
            Ok((here.town.data_dir().display().to_string(), "layout of a town".to_owned())),
        );
        row("log level", settings.log_level.as_ref().map(|l| (l.value.clone(), l.source.to_string())));
        let seconds = |d: std::time::Duration| format!("{} s", d.as_secs());
        row(
            "wait timeout",
            settings
                .wait_timeout
                .as_ref()
                .map(|w| (w.value.map_or_else(|| "left alone".to_owned(), seconds), w.source.to_string())),
        );
        row("stop grace", settings.stop_grace.as_ref().map(|g| (seconds(g.value), g.source.to_string())));
        out::columns(&rows).iter().for_each(out::line);
        if let Some(port) = running {
            out::line(format!("  The running server listens on {port}"));
        }
        if self.explain {
            out::line(format!("\n{}", styled(BOLD, "Looked at:")));
            let row = |c: &Candidate| {
                vec![format!("  {}", c.setting), c.value.clone(), c.source.clone(), c.verdict.clone()]
            };
            let rows: Vec<_> = settings.candidates.iter().map(row).collect();
            for line in out::columns(&rows) {
                let style = if line.ends_with("used") {
                    BOLD
                } else if line.contains("conflict") || line.contains("invalid") {
                    RED
                } else {
                    DIM
                };
                out::line(styled(style, line));
            }
        }
        for warning in &settings.warnings {
            out::line(format!("{} {warning}", styled(YELLOW, "!")));
        }
    }
}

fn to_json(here: &Here<'_>, running: Option<Port>) -> serde_json::Value {
    let settings = &here.settings;
    let candidate = |c: &Candidate| json!({"setting": c.setting, "value": c.value, "source": c.source, "verdict": c.verdict});
    json!({
        "town": here.town.root(),
        "data_dir": here.town.data_dir(),
        "port": settings.port.as_ref().ok().map(|p| p.value),
        "port_source": settings.port.as_ref().ok().map(|p| p.source.to_string()),
        "port_problem": settings.port.as_ref().err().map(ToString::to_string),
        "running_port": running,
        "host": settings.client_host(),
        "remote": settings.remote,
        "user": settings.user.value,
        "log_level": settings.log_level.as_ref().ok().map(|l| &l.value),
        "wait_timeout_s": settings.wait_timeout.as_ref().ok().and_then(|w| w.value).map(|d| d.as_secs()),
        "stop_grace_s": settings.stop_grace.as_ref().ok().map(|g| g.value.as_secs()),
        "candidates": settings.candidates.iter().map(candidate).collect::<Vec<_>>(),
        "warnings": settings.warnings,
    })
}
