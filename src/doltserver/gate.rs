//! The gate and the town lock: how a starting server and short native writers take turns.
//!
//! A Dolt server that meets a held `LOCK` for 100 ms exits. So a start holds both locks exclusively until the server
//! answers; a writer passes the gate and holds the town lock shared for the few milliseconds of its write. The gate is
//! there because the kernel lets new shared holders past a waiting exclusive one.

use std::path::Path;

use super::{Context, Notice, ServerError};
use crate::sys::clock::Deadline;
use crate::sys::lock::{self, FileLock, Mode};
use crate::sys::process::describe_all;
use crate::town::{Town, TownError};

/// Both locks, held exclusively.
#[derive(Debug)]
pub struct Closed {
    _gate: FileLock,
    _town: FileLock,
}

/// Keeps native writers out and waits for those that are in.
pub async fn close(context: &Context<'_>, deadline: Deadline) -> Result<Closed, ServerError> {
    make_own_dir(context.town)?;
    let mut told = false;
    let mut tell = |holders: &[crate::sys::process::Pid]| {
        if !std::mem::replace(&mut told, true) {
            context.tell(Notice::WaitingForWriters { holder: describe_all(holders) });
        }
    };
    let dir = context.town.own_dir();
    let gate = lock::acquire(&dir.join("gate.lock"), Mode::Exclusive, deadline, &mut tell).await?;
    let town = lock::acquire(&dir.join("town.lock"), Mode::Exclusive, deadline, &mut tell).await?;
    Ok(Closed { _gate: gate, _town: town })
}

/// Passes the gate as a writer: while this is held no server starts here.
pub async fn pass(town: &Town, deadline: Deadline) -> Result<FileLock, ServerError> {
    make_own_dir(town)?;
    pass_in(&town.own_dir(), deadline).await
}

/// The same by the directory in which the two locks are.
pub async fn pass_in(dir: &Path, deadline: Deadline) -> Result<FileLock, ServerError> {
    let gate = lock::acquire(&dir.join("gate.lock"), Mode::Shared, deadline, |_| {}).await?;
    let inside = lock::acquire(&dir.join("town.lock"), Mode::Shared, deadline, |_| {}).await?;
    drop(gate);
    Ok(inside)
}

fn make_own_dir(town: &Town) -> Result<(), ServerError> {
    let path = town.own_dir();
    std::fs::create_dir_all(&path).map_err(|source| TownError::MakeDir { path, source })?;
    Ok(())
}
