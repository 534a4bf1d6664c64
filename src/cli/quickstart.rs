//! `gt quickstart`: issues in a town from nothing to done, each step a real command of this very program. Needs no Dolt; with
//! one on PATH the same issues are also served.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::failure::{Failure, Kind};
use super::out::{self, BOLD, DIM, Format, GREEN, styled};
use super::session::Session;
use crate::doltserver::{ServerError, binary, stop};
use crate::sys::net::{self, Port};
use crate::sys::spawn;
use crate::town::Town;

/// See a town, a rig and five issues come to be, without Dolt, in a moment.
///
/// Every line that begins with $ is a command that you could type. If a usable dolt is on PATH, its server then answers from the
/// same files. Without a directory everything happens in a temporary one, which is removed at the end, also after a failure or
/// Ctrl-C.
#[derive(Debug, Args)]
pub(crate) struct Quickstart {
    /// Where the town shall be, and stay
    dir: Option<PathBuf>,
}

const FIRST_PORT: u16 = 14_307;

impl Quickstart {
    pub(crate) fn run(&self, session: &Session) -> Result<(), Failure> {
        let failed = |what: &str, e: std::io::Error| Failure::new(Kind::Other, format!("cannot {what}: {e}"));
        let gt = std::env::current_exe().map_err(|e| failed("find this program", e))?;
        let temporary = if self.dir.is_none() {
            let made = tempfile::Builder::new().prefix("gt-quickstart-").tempdir();
            Some(made.map_err(|e| failed("make a temporary directory", e))?)
        } else {
            None
        };
        let root = match (&self.dir, &temporary) {
            (Some(dir), _) => std::path::absolute(dir).map_err(|e| failed("name the directory", e))?,
            (None, Some(made)) => made.path().join("town"),
            (None, None) => return Err(Failure::new(Kind::Other, "there is no directory")),
        };
        // Two at once shall not look for a port from the same place: neither listens while it is being set up.
        let spread = u16::try_from(std::process::id() % 5_000).unwrap_or_default();
        let from = Port::new(FIRST_PORT + spread).and_then(net::free_port_from);
        let port = from.ok_or_else(|| Failure::new(Kind::InUse, "no free port found"))?;
        // Whoever works in a town has variables that lead there, and no step of this may.
        let (env, unheeded) = session.env.without_town();
        let session = &Session { env, town: None, command: session.command.clone(), ..*session };
        let has_dolt = binary::locate(&session.env).is_ok();
        let walk = Walk { session, gt: &gt, without: &unheeded };
        if !unheeded.is_empty() {
            walk.say(format!("Set in your environment, and not heeded here: {}", unheeded.join(", ")));
        }
        let done = play(&walk, &root, port, has_dolt);
        if has_dolt && root.is_dir() {
            // Whatever happened, the server must not outlive this, nor its directory.
            let here = session.at(Town::at(&root));
            let options = stop::Options { grace: Some(Duration::from_secs(10)), force: true };
            let stopped = session.block_on(async {
                loop {
                    match stop::stop(&here.context(), options).await {
                        // A second Ctrl-C: it is being stopped already, and the directory waits for that.
                        Err(ServerError::Interrupted { .. }) => {}
                        stopped => return Ok(stopped),
                    }
                }
            })?;
            if let Err(error) = stopped {
                tracing::debug!(%error, "nothing was to be stopped");
            }
        }
        done?;
        let kept = self.dir.is_some();
        session.show(
            || json!({"town": root, "kept": kept, "served": has_dolt}),
            || {
                let more = if kept {
                    format!(
                        "The town stays in {}. Go on: cd {}/app && gt bd ready",
                        root.display(),
                        root.display()
                    )
                } else {
                    "A town of your own: gt install ~/gt".to_owned()
                };
                out::line(format!("\n{} {}", styled(GREEN, "✓"), styled(BOLD, more)));
            },
        );
        Ok(())
    }
}

fn play(walk: &Walk<'_>, root: &Path, port: Port, has_dolt: bool) -> Result<(), Failure> {
    let town = root.to_string_lossy().into_owned();
    let port = port.to_string();
    let create = |title, id, more: &[&'static str]| [&["bd", "create", title, "--id", id], more].concat();
    let made: [(&str, Vec<&str>); 2] = [
        (
            "A town: directories, files, the database hq",
            vec!["install", &town, "--name", "quickstart", "--dolt-port", &port],
        ),
        ("A rig: registry, route, database, metadata", vec!["--town", &town, "rig", "add", "app"]),
    ];
    let parent = root.parent().unwrap_or(root);
    walk.through(parent, &made, None)?;
    // Where the issues are; so no repository is needed here.
    let rig = root.join("app");
    let beads = rig.join(".beads").to_string_lossy().into_owned();
    let variable = Some(("BEADS_DIR", beads.as_str()));
    let issues: [(&str, Vec<&str>); 10] = [
        (
            "Its issues: tables in the rig's database",
            vec!["bd", "init", "--server", "--prefix", "app", "--skip-agents", "--skip-hooks", "-q"],
        ),
        ("Five issues", create("Design the page", "app-1", &["-p", "1"])),
        ("", create("Build the page", "app-2", &["-p", "1", "--deps", "app-1"])),
        ("", create("Test the page", "app-3", &["--deps", "app-2"])),
        ("", create("Find a name", "app-4", &["-p", "3"])),
        ("", create("Ship it", "app-5", &["-p", "0", "-t", "feature", "--deps", "app-3,app-4"])),
        ("What can be begun? Not what waits for something", vec!["bd", "ready"]),
        ("One is done", vec!["bd", "close", "app-1", "--reason", "drawn"]),
        ("So the next is free", vec!["bd", "ready"]),
        ("Everything there is", vec!["bd", "list", "--all"]),
    ];
    walk.say(format!("\n{}", styled(BOLD, "Into the rig: its issues are found from there")));
    walk.say(styled(DIM, format!("$ cd {}", out::shell_word(&rig.to_string_lossy()))));
    walk.through(&rig, &issues, variable)?;
    if !has_dolt {
        walk.say(
            "\nNo usable dolt on PATH: nothing of the above needed one. With one, gt up serves these files."
                .to_owned(),
        );
        return Ok(());
    }
    let served: [(&str, Vec<&str>); 6] = [
        ("A server comes up on the same files", vec!["--town", &town, "up"]),
        ("How is it?", vec!["--town", &town, "dolt", "status"]),
        ("The same commands go through it", vec!["bd", "close", "app-2", "--reason", "built"]),
        ("What can be begun now?", vec!["bd", "ready"]),
        (
            "SQL sees it too",
            vec![
                "--town",
                &town,
                "dolt",
                "sql",
                "--db",
                "app",
                "-q",
                "select id, status, title from issues order by id",
            ],
        ),
        ("And it goes down cleanly", vec!["--town", &town, "down"]),
    ];
    walk.through(&rig, &served, variable)
}

/// How steps are gone: by this program, without these variables.
struct Walk<'a> {
    session: &'a Session,
    gt: &'a Path,
    without: &'a [String],
}

impl Walk<'_> {
    /// What is told on the way: on standard error, if JSON is wanted.
    fn say(&self, text: String) {
        if self.session.format == Format::Json { out::note(text) } else { out::line(text) }
    }

    /// Runs commands of this program one after the other, each shown before it runs, until one fails. `variable` is set for all
    /// of them.
    fn through(
        &self,
        cwd: &Path,
        steps: &[(&str, Vec<&str>)],
        variable: Option<(&str, &str)>,
    ) -> Result<(), Failure> {
        let gt = self.gt;
        for (title, args) in steps {
            self.say(if title.is_empty() { String::new() } else { format!("\n{}", styled(BOLD, title)) });
            let shown: Vec<String> = args.iter().map(|a| out::shell_word(a)).collect();
            self.say(styled(DIM, format!("$ gt {}", shown.join(" "))));
            let args: Vec<OsString> = args.iter().map(OsString::from).collect();
            let (status, signal) = self.session.block_on(async {
                let ran = spawn::foreground(gt, &args, cwd, variable, self.without).await;
                ran.map_err(|e| Failure::new(Kind::Other, format!("cannot run {}: {e}", gt.display())))
            })?;
            if let Some(signal) = signal {
                let what = "interrupted: no server is left, and no temporary town";
                return Err(Failure::new(Kind::Interrupted(signal), what));
            }
            if !status.success() {
                let how = spawn::describe_exit(status);
                return Err(Failure::new(
                    Kind::Other,
                    format!("the quickstart stopped: its last command ended with {how}"),
                ));
            }
        }
        Ok(())
    }
}
