//! `gt dolt start`.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use crate::cli::failure::{Failure, Kind};
use crate::cli::out::{self, BOLD, DIM, GREEN, YELLOW, styled};
use crate::cli::session::{Here, Session};
use crate::cli::values::parse_duration;
use crate::doltserver::ServerError;
use crate::doltserver::start::{self, Options, Started};
use crate::migrate;

/// Start the town's server and return when it answers with every database.
///
/// Does nothing if it runs already. Refuses, naming the object and its holder, if the port is taken, a database is broken
/// or open elsewhere, or two settings disagree; never signals anybody.
///
/// Example: gt dolt start --without scratch
#[derive(Debug, Args)]
pub(crate) struct Start {
    #[command(flatten)]
    how: StartArgs,
}

/// What `start`, `restart` and `up` share.
#[derive(Debug, Args)]
pub(crate) struct StartArgs {
    /// Leave this database out (repeatable), for example because it is broken
    #[arg(long, value_name = "DB")]
    without: Vec<String>,
    /// How long it may take (30s, 2m); default 30s, or 5s per database if that is more
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    timeout: Option<Duration>,
}

impl StartArgs {
    pub(crate) fn options(&self) -> Options {
        Options { without: self.without.clone(), timeout: self.timeout }
    }
}

impl Start {
    pub(crate) fn run(&self, session: &Session) -> Result<(), Failure> {
        let here = session.here()?;
        let started = bring_up(&here, &self.how.options())?;
        session.show(|| to_json(&here, &started), || print(&here, &started, "started"));
        Ok(())
    }
}

/// Starts the server; an empty town whose data lies in an old place is told so.
pub(crate) fn bring_up(here: &Here<'_>, options: &Options) -> Result<Started, Failure> {
    here.session.block_on(async {
        start::start(&here.context(), options).await.map_err(|error| match error {
            ServerError::NoDatabases { data_dir } => no_databases(here, &data_dir),
            other => other.into(),
        })
    })
}

fn no_databases(here: &Here<'_>, data_dir: &std::path::Path) -> Failure {
    let failure = Failure::new(Kind::Other, format!("no databases found in {}", data_dir.display()));
    let old = migrate::find_old(&here.town);
    if old.is_empty() {
        return failure.hint("Initialize with: gt dolt init-rig <name>");
    }
    let found = old.iter().map(|o| format!("{} ({})", o.path.display(), o.rig)).collect::<Vec<_>>();
    failure.hint(format!("Databases of an old layout were found and not touched: {}", found.join(", ")))
}

pub(crate) fn to_json(here: &Here<'_>, started: &Started) -> Value {
    json!({
        "was_running": started.was_running,
        "pid": started.pid,
        "port": started.port,
        "port_source": started.port_source,
        "data_dir": here.town.data_dir(),
        "databases": started.databases,
        "missing": started.missing,
        "connection": here.settings.connection_string(started.port),
        "took_ms": u64::try_from(started.took.as_millis()).unwrap_or(u64::MAX),
    })
}

pub(crate) fn print(here: &Here<'_>, started: &Started, verb: &str) {
    let (pid, port) = (started.pid, started.port);
    out::line(format!("{} Dolt server {verb} (PID {pid}, port {port})", styled(GREEN, "✓")));
    out::line(format!("  Data dir: {}", here.town.data_dir().display()));
    out::line(format!("  Databases: {}", styled(DIM, started.databases.join(", "))));
    out::line(format!("  Connection: {}", styled(DIM, here.settings.connection_string(port))));
    if let Some(source) = &started.port_source {
        out::line(format!("  Port from: {}", styled(DIM, source)));
    }
    if started.was_running {
        out::line(format!("  {}", styled(DIM, "It was running already; nothing was changed")));
    }
    if started.missing.is_empty() {
        let all = started.databases.len();
        out::line(format!("  {} All {all} databases verified", styled(GREEN, "✓")));
    } else {
        out::line(format!("\n{} Some databases exist on disk but are NOT served:", styled(YELLOW, "⚠")));
        for database in &started.missing {
            out::line(format!("  - {}", styled(BOLD, database)));
        }
    }
}
