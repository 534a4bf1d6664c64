//! Looks before anything is started: are the stores whole, are their locks free, is the port free?
//!
//! Each refusal names the object and the holder, because Dolt itself would only exit with a line in a log.

use std::time::Duration;

use super::databases::{self, Condition, Database};
use super::identity::{self, Verdict};
use super::{Context, Notice, ServerError};
use crate::sys::clock::{Deadline, pause};
use crate::sys::lock::{self, Probe};
use crate::sys::net::{self, Port, PortUse};
use crate::sys::process::{Facts, Pid, describe, describe_all};
use crate::town::settings::Sourced;

/// The databases that a start would serve.
#[derive(Debug, Clone)]
pub struct Stores {
    /// These.
    pub served: Vec<Database>,
    /// Left out on request.
    pub left_out: Vec<String>,
    /// Never finished being created.
    pub half_made: Vec<String>,
}

impl Stores {
    /// Their names.
    pub fn names(&self) -> Vec<String> {
        databases::names(&self.served)
    }

    /// Tells which ones were never finished being created.
    pub fn warn(&self, context: &Context<'_>) {
        if !self.half_made.is_empty() {
            let names = self.half_made.join(", ");
            context.tell(Notice::Warning(format!(
                "never finished being created, so not usable: {names} (finish with gt dolt init-rig NAME)"
            )));
        }
    }
}

/// Checks every store of the town. A broken one refuses unless `without` names it.
pub fn check_stores(context: &Context<'_>, without: &[String]) -> Result<Stores, ServerError> {
    let data_dir = context.town.data_dir();
    let all = databases::scan(context.town)?;
    refuse_unknown(context, without, |name| all.iter().any(|d| d.name == *name))?;
    let (mut served, mut half_made) = (Vec::new(), Vec::new());
    for database in all {
        if without.contains(&database.name) {
            continue;
        }
        match database.condition {
            Condition::HalfMade => half_made.push(database.name),
            Condition::Present => {
                if let Some(problem) = database.problem() {
                    return Err(ServerError::BrokenDatabase { database: database.name, problem });
                }
                served.push(database);
            }
        }
    }
    match (served.is_empty(), without.is_empty()) {
        (true, true) => Err(ServerError::NoDatabases { data_dir }),
        (true, false) => Err(ServerError::NothingLeft { databases: without.to_vec() }),
        (false, _) => Ok(Stores { served, left_out: without.to_vec(), half_made }),
    }
}

/// Refuses names that are no database's.
pub(super) fn refuse_unknown(
    context: &Context<'_>,
    without: &[String],
    is_known: impl Fn(&String) -> bool,
) -> Result<(), ServerError> {
    match without.iter().find(|name| !is_known(name)) {
        None => Ok(()),
        Some(unknown) => {
            Err(ServerError::NoSuchDatabase { database: unknown.clone(), data_dir: context.town.data_dir() })
        }
    }
}

/// Waits until nobody holds the lock of any of these databases. A server that holds one will not let go: refused at once.
pub async fn wait_for_locks(
    context: &Context<'_>,
    databases: &[Database],
    deadline: Deadline,
) -> Result<(), ServerError> {
    for database in databases {
        let path = database.lock_file();
        let mut told = false;
        let mut between = Duration::from_millis(2);
        loop {
            let probe =
                lock::probe(&path).map_err(ServerError::io(format!("test the lock {}", path.display())))?;
            if probe != Probe::Held {
                break;
            }
            let holders = lock::holders(&path);
            let refused = || ServerError::DatabaseLocked {
                database: database.name.clone(),
                holder: describe_all(&holders),
                waited: deadline.elapsed(),
            };
            if deadline.has_passed() || holders.iter().any(|p| is_server(*p)) {
                return Err(refused());
            }
            if !std::mem::replace(&mut told, true) {
                let holder = describe_all(&holders);
                context.tell(Notice::DatabaseBusy { database: database.name.clone(), holder });
            }
            pause(between.min(deadline.remaining())).await;
            between = (between * 2).min(Duration::from_millis(50));
        }
    }
    Ok(())
}

fn is_server(pid: Pid) -> bool {
    Facts::read(pid).is_some_and(|f| identity::is_dolt(&f) && identity::is_sql_server(&f))
}

/// Refuses a port that somebody listens on, naming who, and offers a free one.
pub fn check_port(context: &Context<'_>, port: &Sourced<Port>) -> Result<(), ServerError> {
    let holder = match net::port_use(port.value) {
        PortUse::Free => return Ok(()),
        PortUse::Unnamed => "a process that the system does not name".to_owned(),
        PortUse::Process(pid) => describe_port_holder(context, pid),
    };
    Err(ServerError::PortTaken {
        port: port.value,
        source_name: port.source.to_string(),
        holder,
        free: net::free_port_from(port.value),
    })
}

fn describe_port_holder(context: &Context<'_>, pid: Pid) -> String {
    let Some(facts) = Facts::read(pid) else {
        return describe(pid);
    };
    match identity::examine(&facts, context.town, None).verdict {
        Verdict::NotDolt => format!("{} (PID {pid}), not Dolt", facts.name()),
        Verdict::Ours => format!("this town's own server (PID {pid})"),
        Verdict::OtherServer(None) => format!("another Dolt server, {}", describe(pid)),
        Verdict::OtherServer(Some(dir)) if super::ps::is_inside(&dir, context.town) => {
            let dir = dir.display();
            format!("an imposter, the Dolt server of {dir} (PID {pid}): see gt dolt kill-imposters")
        }
        Verdict::OtherServer(Some(dir)) => match super::ps::town_of(&dir) {
            Some(town) => format!("the Dolt server of another town, {} (PID {pid})", town.display()),
            None => format!("the Dolt server of {} (PID {pid})", dir.display()),
        },
    }
}
