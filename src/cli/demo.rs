//! `gt demo`: a throw-away town from nothing to gone, each step a real command of this very program.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::failure::{Failure, Kind};
use super::out::{self, BOLD, DIM, Format, GREEN, styled};
use super::session::Session;
use crate::doltserver::binary;
use crate::doltserver::{ServerError, stop};
use crate::sys::net::{self, Port};
use crate::sys::spawn;
use crate::town::Town;

/// See a town, a rig and a server come up, answer SQL and go down, in a temporary directory.
///
/// Every line that begins with $ is a command that you could type. Nothing outside the temporary directory is touched;
/// it is removed at the end, also after a failure or Ctrl-C.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Leave the town there and say where
    #[arg(long)]
    keep: bool,
}

const FIRST_PORT: u16 = 13_307;

impl Demo {
    pub(crate) fn run(&self, session: &Session) -> Result<(), Failure> {
        binary::locate(&session.env)?;
        let failed = |what: &str, e: std::io::Error| Failure::new(Kind::Other, format!("cannot {what}: {e}"));
        let dir = tempfile::Builder::new().prefix("gt-demo-").tempdir();
        let dir = dir.map_err(|e| failed("make a temporary directory", e))?;
        let gt = std::env::current_exe().map_err(|e| failed("find this program", e))?;
        let root = dir.path().join("town");
        // Two demos at once shall not look for a port from the same place: neither listens while it is being set up.
        let spread = u16::try_from(std::process::id() % 5_000).unwrap_or_default();
        let from = Port::new(FIRST_PORT + spread).and_then(net::free_port_from);
        let port = from.ok_or_else(|| Failure::new(Kind::InUse, "no free port found"))?;
        let done = play(session, &gt, &root, port);
        if self.keep && done.is_ok() {
            let kept = dir.keep().join("town");
            session.show(
                || json!({"town": kept, "port": port}),
                || out::line(format!("\nThe town stays in {}", kept.display())),
            );
            return Ok(());
        }
        // Whatever happened, the server must not outlive its directory.
        let here = session.at(Town::at(&root));
        let options = stop::Options { grace: Some(Duration::from_secs(10)), force: true };
        let left = session.block_on(async {
            loop {
                match stop::stop(&here.context(), options).await {
                    // A second Ctrl-C: it is being stopped already, and the directory waits for that.
                    Err(ServerError::Interrupted { .. }) => {}
                    stopped => return Ok(stopped.is_ok()),
                }
            }
        })?;
        done?;
        session.show(
            || json!({"town": root, "port": port, "server_had_to_be_stopped": left}),
            || {
                out::line(format!(
                    "\n{} That was a town. Yours: {}",
                    styled(GREEN, "✓"),
                    styled(BOLD, "gt install ~/gt")
                ));
            },
        );
        Ok(())
    }
}

fn play(session: &Session, gt: &Path, root: &Path, port: Port) -> Result<(), Failure> {
    let town = root.to_string_lossy().into_owned();
    let port = port.to_string();
    let table = "create table greetings (id int primary key, text varchar(80)); \
                 insert into greetings values (1, 'hello'), (2, 'from a throw-away town'); \
                 call dolt_commit('-Am', 'say hello');";
    let steps: [(&str, Vec<&str>); 9] = [
        (
            "A town: directories, files, the database hq",
            vec!["install", &town, "--name", "demo", "--dolt-port", &port],
        ),
        ("A rig: registry, route, database, metadata", vec!["--town", &town, "rig", "add", "gastown"]),
        ("The server comes up; this returns when it answers", vec!["--town", &town, "up"]),
        ("It takes SQL", vec!["--town", &town, "dolt", "sql", "--db", "gastown", "-q", table]),
        (
            "And gives it back, with its history",
            vec![
                "--town",
                &town,
                "dolt",
                "sql",
                "--db",
                "gastown",
                "-q",
                "select * from greetings; select message from dolt_log",
            ],
        ),
        ("How is it?", vec!["--town", &town, "dolt", "status"]),
        ("It goes down cleanly", vec!["--town", &town, "down"]),
        (
            "The data is still there, without a server",
            vec!["--town", &town, "dolt", "sql", "--db", "gastown", "-q", "select text from greetings"],
        ),
        ("And nothing is left running", vec!["--town", &town, "dolt", "status"]),
    ];
    let cwd = root.parent().unwrap_or(root);
    walk(session, gt, cwd, &steps, None)
}

/// Runs commands of this program one after the other, each shown before it runs, until one fails. `variable` is set for all of
/// them.
pub(super) fn walk(
    session: &Session,
    gt: &Path,
    cwd: &Path,
    steps: &[(&str, Vec<&str>)],
    variable: Option<(&str, &str)>,
) -> Result<(), Failure> {
    for (title, args) in steps {
        let show = if session.format == Format::Json { out::note } else { out::line };
        show(format!("\n{}", styled(BOLD, title)));
        let shown: Vec<String> = args.iter().map(|a| out::shell_word(a)).collect();
        show(styled(DIM, format!("$ gt {}", shown.join(" "))));
        let args: Vec<OsString> = args.iter().map(OsString::from).collect();
        let (status, signal) = session.block_on(async {
            let ran = spawn::foreground(gt, &args, cwd, variable).await;
            ran.map_err(|e| Failure::new(Kind::Other, format!("cannot run {}: {e}", gt.display())))
        })?;
        if let Some(signal) = signal {
            let what = "interrupted: the demo's server is stopped and its town removed";
            return Err(Failure::new(Kind::Interrupted(signal), what));
        }
        if !status.success() {
            let how = spawn::describe_exit(status);
            return Err(Failure::new(
                Kind::Other,
                format!("the demo stopped: the last command ended with {how}"),
            ));
        }
    }
    Ok(())
}
