//! Other programs that commands of bd call: `git`, `gh`, `gt`. Each is the first of its name on PATH and reads no input.
//!
//! What could go wrong is a program that never ends: so each has a deadline, behind which it is ended.

use std::io;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use crate::sys::spawn;
use crate::town::env::Env;

/// How long a look at a repository or at GitHub may take.
pub(super) const LIMIT: Duration = Duration::from_mins(1);

/// Why a program did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotRun {
    /// There is none.
    #[error("there is no program {0}")]
    Missing(String),
    /// It could not be waited for.
    #[error("cannot start: {0}")]
    Wait(#[source] io::Error),
    /// It could not be started, or did not end in time.
    #[error("{program}: {source}")]
    Failed {
        /// Which.
        program: String,
        /// Why.
        source: io::Error,
    },
}

/// Runs a program in a directory to its end, whatever its exit code is.
pub(super) fn output(
    env: &Env,
    name: &str,
    args: &[&str],
    dir: &Path,
    limit: Duration,
) -> Result<Output, NotRun> {
    let program = env.find_program(name).ok_or_else(|| NotRun::Missing(name.to_owned()))?;
    let ran = wait(spawn::output(&program, args, dir, limit)).map_err(NotRun::Wait)?;
    ran.map_err(|source| NotRun::Failed { program: name.to_owned(), source })
}

/// What it printed; else what it complained of, or how it ended if it said nothing.
pub(super) fn printed(output: &Output) -> Result<String, String> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(if said.is_empty() { spawn::describe_exit(output.status) } else { said })
}

/// Waits for something that other threads or programs do.
pub(super) fn wait<T>(work: impl Future<Output = T>) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(work))
}
