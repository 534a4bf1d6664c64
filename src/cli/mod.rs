//! The command line: one file per command, holding its arguments, its call and what it prints. The only room that prints
//! or decides exit codes.

mod bd;
mod completions;
mod db;
mod dolt;
mod down;
mod failure;
mod install;
mod man;

mod out;
mod progress;
mod quickstart;
mod rig;
mod session;
mod status;
mod up;
mod values;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use failure::{Failure, Kind};
use out::Format;
use session::Session;

use crate::town::env::{Env, GT_LOG};

/// Keep a Gas Town's Dolt server alive and its rig databases in order.
///
/// A town is a workspace where many agents work on many repositories ("rigs"). Each rig's issues live in a Dolt database
/// below the town's .dolt-data; one `dolt sql-server` per town serves them all.
#[derive(Debug, Parser)]
#[command(name = "gt", version, propagate_version = true, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    /// The town to work on, instead of the one around the working directory
    #[arg(long, global = true, value_name = "DIR", help_heading = "Everywhere")]
    town: Option<PathBuf>,
    /// Print one JSON object instead of text
    #[arg(long, global = true, help_heading = "Everywhere")]
    json: bool,
    /// Tell failures apart by exit code (see docs/exit-codes.md); without it every failure is 1
    #[arg(long, global = true, help_heading = "Everywhere")]
    exit_code: bool,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  gt install ~/gt                 make a town
  gt rig add gastown              register a rig and make its database
  gt up                           bring the town's server up
  gt dolt status                  how is it?
  gt dolt sql -q 'show databases' ask it something
  gt bd ready                     what can be worked on? (bd in a workspace)
  gt quickstart                   see all of this in a throw-away town";

#[derive(Debug, Subcommand)]
enum Command {
    Install(install::Install),
    #[command(subcommand)]
    Rig(rig::Rig),
    Up(up::Up),
    Down(down::Down),
    Status(status::Status),
    Dolt(dolt::Dolt),
    Db(db::Db),
    Bd(BdWords),
    Quickstart(quickstart::Quickstart),
    Completions(completions::Completions),
    Man(man::Man),
}

/// Track issues, as the program bd does: gt bd ready
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true, disable_version_flag = true)]
struct BdWords {
    /// A command of bd and its arguments; gt bd help lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "WORDS")]
    words: Vec<std::ffi::OsString>,
}

impl Command {
    fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Install(c) => c.run(session),
            Self::Rig(c) => c.run(session),
            Self::Up(c) => c.run(session),
            Self::Down(c) => c.run(session),
            Self::Status(c) => c.run(session),
            Self::Dolt(c) => c.run(session),
            Self::Db(c) => c.run(session),
            // It has its own way of ending, see `run`.
            Self::Bd(_) => Ok(()),
            Self::Quickstart(c) => c.run(session),
            Self::Completions(c) => c.run(session, &mut tree()),
            Self::Man(c) => c.run(session, tree()),
        }
    }
}

/// Runs the program `bd`.
pub fn bd() -> ExitCode {
    bd::main()
}

/// The whole command tree, for completions and manual pages.
pub fn tree() -> clap::Command {
    Cli::command()
}

/// Runs the program.
pub fn run() -> ExitCode {
    let env = Env::of_process();
    listen_to_diagnostics(&env);
    let matches = match tree().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return usage(&error),
    };
    let command_name = name_of(&matches);
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    if let Command::Bd(bd) = cli.command {
        return bd::run(&env, bd.words);
    }
    let format = if cli.json { Format::Json } else { Format::Text };
    let session = Session { env, town: cli.town, format, rich_codes: cli.exit_code, command: command_name };
    match cli.command.run(&session) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => ExitCode::from(failure.report(&session.command, format, session.rich_codes)),
    }
}

// `dolt status` for `gt dolt status`.
fn name_of(matches: &clap::ArgMatches) -> String {
    let mut words = Vec::new();
    let mut level = matches;
    while let Some((name, below)) = level.subcommand() {
        words.push(name);
        level = below;
    }
    words.join(" ")
}

// Help and version go to standard output and are no failure; everything else is wrong usage. The flags could not be
// parsed, so the two that decide how a failure is told are looked for by hand.
fn usage(error: &clap::Error) -> ExitCode {
    let given = |flag: &str| std::env::args_os().any(|a| a == flag);
    let rich = given("--exit-code");
    if error.exit_code() != 0 && given("--json") {
        let text = error.render().to_string();
        let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        let failure = Failure::new(Kind::Usage, first).hint("See gt --help");
        return ExitCode::from(failure.report("", Format::Json, rich));
    }
    if error.print().is_err() {
        tracing::debug!("the usage text was not taken");
    }
    if error.exit_code() == 0 { ExitCode::SUCCESS } else { ExitCode::from(Kind::Usage.code(rich)) }
}

fn listen_to_diagnostics(env: &Env) {
    use tracing_subscriber::EnvFilter;
    let filter = env.text(GT_LOG).unwrap_or_else(|| "warn".to_owned());
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_target(false)
        .without_time()
        .init();
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_tree_is_consistent() {
        super::tree().debug_assert();
    }
}
