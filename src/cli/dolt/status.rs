//! `gt dolt status`.

use std::collections::BTreeMap;

use clap::Args;
use serde_json::{Value, json};

use crate::cli::failure::{Failure, Kind};
use crate::cli::out::{self, BOLD, DIM, GREEN, RED, YELLOW, styled};
use crate::cli::session::{Here, Session};
use crate::doltserver::databases;
use crate::doltserver::status::{self, Health};
use crate::sys::clock;
use crate::town::rigs;

/// Show how the server is. Only looks: writes nothing, starts nothing, answers within a second.
///
/// Exit code 0 whatever it finds; with --exit-code: 0 running, 3 not running, 4 crashed, 5 starting, stopping or not answering.
#[derive(Debug, Args)]
pub(crate) struct Status {}

impl Status {
    #[expect(clippy::unused_self, reason = "every command has this shape")]
    pub(crate) fn run(&self, session: &Session) -> Result<(), Failure> {
        let here = session.here()?;
        if here.settings.remote {
            return remote(&here);
        }
        let status = session.block_on(async { Ok(status::status(&here.context()).await?) })?;
        let owners = rigs::owners(&here.town);
        session.show(|| to_json(&here, &status, &owners), || print(&here, &status, &owners));
        verdict(session, &status.health)
    }
}

/// Health as an exit code, if the user asked for one.
pub(crate) fn verdict(session: &Session, health: &Health) -> Result<(), Failure> {
    let kind = match health {
        Health::Running(_) => return Ok(()),
        Health::Down => Kind::NotRunning,
        Health::Crashed { .. } => Kind::Crashed,
        Health::Starting | Health::Stopping | Health::Silent { .. } => Kind::NotAnswering,
    };
    if session.rich_codes { Err(Failure::code_only(kind)) } else { Ok(()) }
}

fn remote(here: &Here<'_>) -> Result<(), Failure> {
    let session = here.session;
    let port = here.settings.port.clone()?.value;
    let answer = session.block_on(async { Ok(status::remote(&here.context(), port).await) })?;
    let place = format!("{}:{port}", here.settings.client_host());
    let (reachable, problem) = match &answer {
        Ok(_) => (true, None),
        Err(error) => (false, Some(error.to_string())),
    };
    session.show(
        || json!({"state": if reachable { "reachable" } else { "unreachable" }, "remote": place, "problem": problem}),
        || {
            match &answer {
                Ok(_) => out::line(format!("{} Dolt server is {} (remote: {place})", styled(GREEN, "●"), styled(BOLD, "reachable"))),
                Err(_) => out::line(format!("{} Dolt server is not reachable (remote: {place})", styled(DIM, "○"))),
            }
            out::line(format!("  Connection: {}", here.settings.connection_string(port)));
            if let Some(problem) = &problem {
                out::line(format!("  {problem}"));
            }
            if let Ok(answer) = &answer {
                out::line(format!("\n  {}", styled(BOLD, "Resource Metrics:")));
                print_answer(answer);
            }
        },
    );
    if !reachable && session.rich_codes { Err(Failure::code_only(Kind::NotAnswering)) } else { Ok(()) }
}

/// The name of a state in JSON.
pub(crate) fn state_name(health: &Health) -> &'static str {
    match health {
        Health::Running(_) => "running",
        Health::Starting => "starting",
        Health::Stopping => "stopping",
        Health::Silent { .. } => "not-answering",
        Health::Crashed { .. } => "crashed",
        Health::Down => "down",
    }
}

pub(crate) fn to_json(here: &Here<'_>, status: &status::Status, owners: &BTreeMap<String, String>) -> Value {
    let database = |d: &databases::Database| {
        json!({"name": d.name, "owner": owners.get(&d.name), "path": d.dir,
               "half_made": d.condition == databases::Condition::HalfMade})
    };
    let mut body = json!({
        "state": state_name(&status.health),
        "town": here.town.root(),
        "data_dir": status.data_dir,
        "databases": status.databases.iter().map(database).collect::<Vec<_>>(),
        "missing": status.missing,
        "left_out": status.left_out,
        "disk_bytes": status.disk_bytes,
        "crashes": status.crashes,
        "last_ending": status.last_ending,
        "notes": status.notes,
    });
    // Null while no process lives, so that a script may always ask for them.
    let process = status.process.as_ref();
    let port = process.and_then(|p| p.port);
    body["pid"] = json!(process.map(|p| p.pid));
    body["port"] = json!(port);
    body["started_at"] = json!(process.map(|p| p.started_at.to_string()));
    body["rss_bytes"] = json!(process.map(|p| p.rss_bytes));
    body["evidence"] = json!(process.map(|p| &p.evidence));
    body["connection"] = json!(port.map(|p| here.settings.connection_string(p)));
    match &status.health {
        Health::Running(answer) => {
            body["served"] = json!(answer.databases);
            body["latency_us"] = json!(u64::try_from(answer.latency.as_micros()).unwrap_or(u64::MAX));
            body["connections"] = json!(answer.connections);
            body["max_connections"] = json!(answer.max_connections);
        }
        Health::Silent { asked_at, last_sign, problem } => {
            body["silent_since"] = json!(asked_at.to_string());
            body["last_sign_of_life"] = json!(last_sign.map(|t| t.to_string()));
            body["problem"] = json!(problem);
        }
        Health::Crashed { pid, started_at, last_sign, rebooted } => {
            body["was_pid"] = json!(pid);
            body["was_started_at"] = json!(started_at.map(|t| t.to_string()));
            body["last_sign_of_life"] = json!(last_sign.map(|t| t.to_string()));
            body["machine_restarted"] = json!(rebooted);
        }
        Health::Starting | Health::Stopping | Health::Down => {}
    }
    body
}

fn print(here: &Here<'_>, status: &status::Status, owners: &BTreeMap<String, String>) {
    headline(status);
    match &status.process {
        Some(process) => print_process(here, status, process, owners),
        None => print_on_disk(status, owners),
    }
    if !status.missing.is_empty() {
        out::line(format!(
            "\n  {} {}",
            styled(RED, "!!!"),
            styled(BOLD, "MISSING DATABASES — exist on disk but not served:")
        ));
        for database in &status.missing {
            out::line(format!("    - {database}"));
        }
    }
    if !status.left_out.is_empty() && status.process.is_some() {
        out::line(format!("\n  Left out on request: {}", status.left_out.join(", ")));
    }
    let orphans: Vec<_> = status.databases.iter().filter(|d| !owners.contains_key(&d.name)).collect();
    if !orphans.is_empty() && status.process.is_some() {
        let named = out::count(orphans.len(), "database", "databases");
        out::line(format!("\n  {} {named} that no rig names:", styled(YELLOW, "!")));
        for orphan in orphans {
            out::line(format!("    - {} ({})", orphan.name, out::bytes(databases::disk_usage(&orphan.dir))));
        }
    }
    if !status.notes.is_empty() {
        out::line(format!("\n  {}", styled(BOLD, "Notes:")));
        for note in &status.notes {
            out::line(format!("    {} {note}", styled(YELLOW, "!")));
        }
    }
}

/// The first line of a status.
pub(crate) fn headline(status: &status::Status) {
    let pid = status.process.as_ref().map(|p| format!(" (PID {})", p.pid)).unwrap_or_default();
    let at = |t: &Option<clock::Timestamp>| t.map_or_else(|| "unknown".to_owned(), clock::local);
    match &status.health {
        Health::Running(_) => {
            out::line(format!("{} Dolt server is {}{pid}", styled(GREEN, "●"), styled(BOLD, "running")));
        }
        Health::Stopping => out::line(format!("{} Dolt server is stopping{pid}", styled(YELLOW, "◐"))),
        Health::Starting => out::line(format!("{} Dolt server is starting{pid}", styled(YELLOW, "◐"))),
        Health::Silent { asked_at, last_sign, problem } => {
            let (since, mark) = (clock::local(*asked_at), styled(RED, "●"));
            out::line(format!("{mark} Dolt server is running{pid}, not answering since {since}: {problem}"));
            out::line(format!("  Last sign of life: {} (its log)", at(last_sign)));
            out::line("  Look with: gt dolt dump");
        }
        Health::Crashed { pid, started_at, last_sign, rebooted } => {
            let was = pid.map_or_else(String::new, |p| format!(" (was PID {p})"));
            let how = if *rebooted { "ended with the machine, which was restarted" } else { "crashed" };
            out::line(format!("{} Dolt server is not running: it {how}{was}", styled(RED, "✗")));
            out::line(format!("  Started: {}, last line in its log: {}", at(started_at), at(last_sign)));
            out::line("  Look with: gt dolt logs");
        }
        Health::Down => out::line(format!("{} Dolt server is not running", styled(DIM, "○"))),
    }
}

fn print_process(
    here: &Here<'_>,
    status: &status::Status,
    process: &status::Process,
    owners: &BTreeMap<String, String>,
) {
    let age = clock::human(clock::age(process.started_at));
    out::line(format!("  Started: {} ({age} ago)", clock::local(process.started_at)));
    let port = process.port.map_or_else(|| "none yet".to_owned(), |p| p.to_string());
    out::line(format!("  Port: {port}"));
    out::line(format!("  Data dir: {}", status.data_dir.display()));
    if !status.databases.is_empty() {
        out::line("  Databases:");
        for line in database_lines(status, owners) {
            out::line(format!("    - {line}"));
        }
    }
    if let Some(port) = process.port {
        out::line(format!("  Connection: {}", here.settings.connection_string(port)));
    }
    out::line(format!("\n  {}", styled(BOLD, "Resource Metrics:")));
    if let Health::Running(answer) = &status.health {
        print_answer(answer);
    }
    out::line(format!("    Disk usage:    {}", out::bytes(status.disk_bytes)));
    out::line(format!("    Memory:        {}", out::bytes(process.rss_bytes)));
}

fn print_answer(answer: &crate::doltserver::ask::Answer) {
    let percent = (answer.connections * 100).checked_div(answer.max_connections).unwrap_or(0);
    out::line(format!("    Query latency: {:.1} ms", answer.latency.as_secs_f64() * 1000.0));
    out::line(format!("    Connections:   {} / {} ({percent}%)", answer.connections, answer.max_connections));
}

fn print_on_disk(status: &status::Status, owners: &BTreeMap<String, String>) {
    let data_dir = status.data_dir.display();
    if status.databases.is_empty() {
        out::line(format!("\n{} No rig databases found in {data_dir}", styled(BOLD, "!")));
        out::line(format!("  Initialize with: {}", styled(DIM, "gt dolt init-rig <name>")));
        return;
    }
    out::line(format!("\nAvailable databases in {data_dir}:"));
    for line in database_lines(status, owners) {
        out::line(format!("  - {line}"));
    }
    out::line(format!("\nStart with: {}", styled(DIM, "gt dolt start")));
}

fn database_lines(status: &status::Status, owners: &BTreeMap<String, String>) -> Vec<String> {
    let line = |d: &databases::Database| match owners.get(&d.name) {
        Some(owner) => format!("{:<20} ({owner})", d.name),
        None => d.name.clone(),
    };
    status.databases.iter().map(line).collect()
}
