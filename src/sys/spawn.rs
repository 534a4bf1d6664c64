//! Starting other programs: a long-lived server in its own session, a short command whose output we want, or a script that goes
//! its own way.

#![expect(clippy::disallowed_methods, reason = "this is the one place that starts programs")]

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use super::clock::Deadline;
use super::interrupt::Interrupt;
use super::process::{Handle, Pid, Signal};

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
/// ignore or block back at their defaults, and none of the descriptors that our caller has left open.
#[expect(unsafe_code, reason = "pre_exec is how a child gets a session of its own")]
pub fn server(server: &Server, log: File) -> io::Result<Child> {
    let errors = log.try_clone()?;
    let mut command = Command::new(&server.program);
    command.args(&server.args).current_dir(&server.cwd);
    command.stdin(Stdio::null()).stdout(log).stderr(errors);
    // SAFETY: between fork and exec only system calls are made, which are async-signal-safe and allocate nothing.
    unsafe {
        command.pre_exec(|| {
            close_the_callers_files_at_exec();
            nix::unistd::setsid().map(drop).map_err(io::Error::from)
        });
    }
    command.spawn()
}

/// Starts a script that may outlive us and that nobody listens to: in a process group of its own, with `input` as its standard
/// input, both outputs to `/dev/null`, and none of the descriptors that our caller has left open. It has our working
/// directory and environment, and the variable `said`.
#[expect(unsafe_code, reason = "pre_exec is how a child lets go of our caller's files")]
pub fn unattended(program: &Path, args: &[&str], said: (&str, &OsStr), input: File) -> io::Result<Child> {
    let mut command = Command::new(program);
    command.args(args).env(said.0, said.1).process_group(0);
    command.stdin(input).stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: between fork and exec only a system call is made, which is async-signal-safe and allocates nothing.
    unsafe {
        command.pre_exec(|| {
            close_the_callers_files_at_exec();
            Ok(())
        });
    }
    command.spawn()
}

/// Waits for the end of a child that leads a process group of its own. At the deadline the whole group is killed.
pub async fn ended_or_killed(mut child: Child, deadline: Deadline) -> io::Result<()> {
    if let Some(handle) = Handle::open(pid_of(&child)?)?
        && tokio::time::timeout(deadline.remaining(), handle.ended()).await.is_err()
    {
        // It is our child and not reaped: nobody else can have its number, nor can a group.
        rustix::process::kill_process_group(
            rustix::process::Pid::from_child(&child),
            rustix::process::Signal::KILL,
        )?;
    }
    child.wait().map(drop)
}

// Our own descriptors are close-on-exec. Those that our caller left open (`flock FILE gt …`, `exec 3>&1`) are not: the
// server would hold his lock, or keep his pipe from ending, for as long as it lives. A kernel older than 5.11 refuses;
// then it is as with any other program.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "no library that we use has this system call")]
fn close_the_callers_files_at_exec() {
    use nix::libc;
    const FIRST_AFTER_STDERR: libc::c_uint = 3;
    // SAFETY: takes three numbers; it marks descriptors and closes none before the exec.
    unsafe {
        libc::syscall(
            libc::SYS_close_range,
            FIRST_AFTER_STDERR,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        );
    }
}

#[cfg(not(target_os = "linux"))]
fn close_the_callers_files_at_exec() {}

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
/// sees; unlike an argument it does not show in the process list. Variables of ours that are named in `without` it does not
/// see. Also gives the signal that we got meanwhile, if any.
///
/// Ctrl-C goes to everybody at the terminal, and a shell takes it to end a query, not itself: so it does not end us
/// before our command. A TERM or a hang-up may reach us alone and is passed on as TERM.
pub async fn foreground(
    program: &Path,
    args: &[OsString],
    cwd: &Path,
    secret: Option<(&str, &str)>,
    without: &[String],
) -> io::Result<(ExitStatus, Option<i32>)> {
    let mut interrupt = Interrupt::listen()?;
    let mut command = tokio::process::Command::new(program);
    for name in without {
        command.env_remove(name);
    }
    let mut child = command.args(args).current_dir(cwd).envs(secret).spawn()?;
    let pid = child.id().and_then(|id| Pid::new(i32::try_from(id).ok()?));
    let mut got = None;
    loop {
        let signal = tokio::select! {
            status = child.wait() => return Ok((status?, got)),
            signal = interrupt.arrived() => signal,
        };
        if got.is_none() || signal != Interrupt::CTRL_C {
            got = Some(signal);
        }
        // It is our child and not reaped: the PID is its own.
        if signal != Interrupt::CTRL_C
            && let Some(handle) = pid.map(Handle::open).transpose()?.flatten()
        {
            handle.signal(Signal::Term)?;
        }
    }
}
