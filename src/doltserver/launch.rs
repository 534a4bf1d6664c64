//! One attempt to bring a server up: spawn it and watch the child, its socket and the clock at once.
//!
//! Ready means: *our child* listens on the port, and answers `SHOW DATABASES` with every database. That the socket is the
//! child's is checked before anything connects, so no stranger on that port is ever spoken to. A child that ends is
//! noticed by the kernel's word on its `pidfd`, not by a time-out.

use std::path::Path;
use std::process::Child;
use std::time::Duration;

use super::binary::Binary;
use super::record::Record;
use super::state::{self, PidFile, State};
use super::{Context, ServerError, ask, log};
use crate::sql::Client;
use crate::sys::clock::{self, Deadline, pause};
use crate::sys::net::{self, Port};
use crate::sys::process::{Facts, Handle, Pid, Signal};
use crate::sys::spawn;

/// How an attempt ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It answers; the connection is still open.
    Ready(Client),
    /// It ended.
    Died {
        /// How.
        exit: String,
        /// Dolt's last error line.
        reason: String,
    },
    /// It lives, but the time is up.
    NotReady {
        /// How far it had come.
        last_seen: String,
    },
}

/// A server that was spawned.
#[derive(Debug)]
pub(super) struct Spawned {
    pub(super) child: Child,
    pub(super) handle: Handle,
    log_offset: u64,
}

/// Spawns the server and writes down who it is. If that cannot be written the child is ended again.
pub(super) async fn spawn(
    context: &Context<'_>,
    binary: &Binary,
    record: &mut Record,
    databases: &[String],
) -> Result<Spawned, ServerError> {
    let town = context.town;
    let data_dir = town.data_dir();
    let (log_file, log_offset) = log::open_for_server(town)?;
    // The intent is on disk before there is a process: a kill in between leaves a trace, and a full disk is noticed now.
    record.enter_intent();
    record.save(town)?;
    let server = spawn::Server {
        program: binary.path.clone(),
        args: vec!["sql-server".into(), "--config".into(), town.config_yaml().into()],
        cwd: data_dir.clone(),
    };
    let what = format!("start {}", binary.path.display());
    let mut child = spawn::server(&server, log_file).map_err(ServerError::io(what.clone()))?;
    // An unreaped child keeps its PID, so this cannot be somebody else.
    let handle = spawn::pid_of(&child)
        .and_then(Handle::open)
        .and_then(|h| h.ok_or_else(|| std::io::Error::other("it is gone already")));
    let handle = match handle {
        Ok(handle) => handle,
        Err(source) => {
            // A child that cannot be watched must not become a server that nobody knows of. It has done nothing yet.
            if let Err(error) = child.kill().and_then(|()| child.wait()) {
                tracing::warn!(%error, "the server that cannot be watched could not be ended");
            }
            return Err(ServerError::Io { what, source });
        }
    };
    let pid = handle.pid();
    let spawned = Spawned { child, handle, log_offset };
    if let Err(error) = note(context, record, pid, databases, &data_dir) {
        end(&spawned.handle).await;
        return Err(error);
    }
    Ok(spawned)
}

fn note(
    context: &Context<'_>,
    record: &mut Record,
    pid: Pid,
    databases: &[String],
    data_dir: &Path,
) -> Result<(), ServerError> {
    record.pid = Some(pid);
    record.start = Facts::read(pid).map(|f| f.start);
    record.boot_id = clock::boot_id();
    record.started_at = clock::now().to_string();
    record.save(context.town)?;
    PidFile::write(context.town, pid)?;
    let state = State {
        running: true,
        pid: pid.get(),
        port: record.port.get(),
        started_at: record.started_at.clone(),
        data_dir: data_dir.display().to_string(),
        databases: databases.to_vec(),
    };
    state::save(context.town, &state)?;
    // The server is booting meanwhile.
    Ok(state::settle(context.town)?)
}

/// Waits until the child is ready, ends, or the time is up.
pub(super) async fn watch(
    context: &Context<'_>,
    spawned: &mut Spawned,
    port: Port,
    expected: &[String],
    deadline: Deadline,
) -> Outcome {
    let mut last_seen = "it does not listen yet".to_owned();
    let ended = tokio::select! {
        client = until_ready(context, spawned.handle.pid(), port, expected, &mut last_seen) => {
            return Outcome::Ready(client);
        }
        () = spawned.handle.ended() => true,
        () = pause(deadline.remaining()) => false,
    };
    if !ended {
        return Outcome::NotReady { last_seen };
    }
    let exit = spawned.child.wait().map_or_else(|e| e.to_string(), spawn::describe_exit);
    let printed = log::appended(context.town, spawned.log_offset);
    let reason = log::last_error(&printed).unwrap_or_else(|| "it printed no reason".to_owned());
    Outcome::Died { exit, reason }
}

async fn until_ready(
    context: &Context<'_>,
    pid: Pid,
    port: Port,
    expected: &[String],
    last_seen: &mut String,
) -> Client {
    let endpoint = context.endpoint(port);
    let mut listens = false;
    loop {
        // Where the system does not list sockets, the child's own exit on a taken port is the guard.
        if cfg!(target_os = "linux") && !net::listens_on(pid, port) {
            pause(Duration::from_millis(2)).await;
            continue;
        }
        if !std::mem::replace(&mut listens, true) {
            "it listens, but has not answered".clone_into(last_seen);
        }
        match Client::connect(&endpoint, None, Duration::from_secs(2)).await {
            Ok(mut client) => match client.databases().await {
                Ok(served) => {
                    let missing = ask::missing(expected, &served);
                    if missing.is_empty() {
                        return client;
                    }
                    *last_seen = format!("it answers, but does not serve {}", missing.join(", "));
                    client.close().await;
                }
                Err(error) => *last_seen = format!("it listens, but: {error}"),
            },
            Err(error) => *last_seen = format!("it listens, but: {error}"),
        }
        pause(Duration::from_millis(5)).await;
    }
}

/// Asks a child of ours to end and waits for it, without a limit of its own: it is still starting and has no clients.
pub(super) async fn end(handle: &Handle) {
    if let Err(error) = handle.signal(Signal::Term) {
        tracing::warn!(%error, pid = %handle.pid(), "the server that we started could not be asked to end");
        return;
    }
    let limit = Duration::from_secs(30);
    if tokio::time::timeout(limit, handle.ended()).await.is_err() {
        tracing::warn!(pid = %handle.pid(), "the server that we started has not ended");
    }
}
