//! Starting other programs: a long-lived server in its own session, or a short command whose output we want.

#![expect(clippy::disallowed_methods, reason = "this is the one place that starts programs")]

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use super::process::Pid;

/// A server to start: it outlives us, so it gets a session of its own and keeps nothing of our terminal.
#[derive(Debug, Clone)]
pub struct Server {
    /// The program, by path.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Its working directory.
    pub cwd: PathBuf,
}

/// Starts the server: standard input from `/dev/null`, both outputs appended to `log`, new session, signals that we
/// ignore or block back at their defaults.
#[expect(unsafe_code, reason = "pre_exec is how a child gets a session of its own")]
pub fn server(server: &Server, log: File) -> io::Result<Child> {
    let errors = log.try_clone()?;
    let mut command = Command::new(&server.program);
    command.args(&server.args).current_dir(&server.cwd);
    command.stdin(Stdio::null()).stdout(log).stderr(errors);
    // SAFETY: between fork and exec only `setsid` is called, which is async-signal-safe and allocates nothing.
    unsafe {
        command.pre_exec(|| nix::unistd::setsid().map(drop).map_err(io::Error::from));
    }
    command.spawn()
}

/// The child's id as our own type.
pub fn pid_of(child: &Child) -> io::Result<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::new).ok_or_else(|| io::Error::other("impossible child PID"))
}

/// `exit code 3`, `killed by signal 9`.
pub fn describe_exit(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("killed by signal {signal}"),
        (None, None) => status.to_string(),
    }
}

/// Runs a short command to its end with no standard input; ends it at the deadline (an error of kind `TimedOut`).
pub async fn output(
    program: &Path,
    args: &[impl AsRef<OsStr>],
    cwd: &Path,
    limit: Duration,
) -> io::Result<Output> {
    let mut command = tokio::process::Command::new(program);
    command.args(args).current_dir(cwd).stdin(Stdio::null()).kill_on_drop(true);
    match tokio::time::timeout(limit, command.output()).await {
        Ok(done) => done,
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("{} did not finish within {} s", program.display(), limit.as_secs()),
        )),
    }
}

/// Runs a command in the foreground: it has our terminal, we wait for it. `secret` is a variable that only the command
/// sees; unlike an argument it does not show in the process list.
pub fn foreground(
    program: &Path,
    args: &[OsString],
    cwd: &Path,
    secret: Option<(&str, &str)>,
) -> io::Result<ExitStatus> {
    Command::new(program).args(args).current_dir(cwd).envs(secret).status()
}
