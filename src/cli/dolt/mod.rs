//! `gt dolt …`: the server of the town.

mod config;
mod dump;
mod fix_metadata;
mod init;
mod init_rig;
mod kill_imposters;
pub(crate) mod later;
mod list;
mod logs;
mod ps;
mod restart;
mod sql;
pub(crate) mod start;
pub(crate) mod status;
pub(crate) mod stop;
pub(crate) mod table;
mod wait;

use clap::{Args, Subcommand};

pub(crate) use init_rig::refuse_to_hide_old_data;

use super::failure::{Failure, Kind};
use super::session::Session;

/// The town's Dolt server: start, stop, look, ask.
///
/// One `dolt sql-server` serves every database below the town's .dolt-data. What decides is the lock that Dolt itself
/// holds on each database; PID, state and port files are hints.
#[derive(Debug, Args)]
#[command(arg_required_else_help = false, subcommand_required = false)]
pub(crate) struct Dolt {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Start(start::Start),
    Stop(stop::Stop),
    Restart(restart::Restart),
    Status(status::Status),
    Wait(wait::Wait),
    Logs(logs::Logs),
    Sql(sql::Sql),
    List(list::List),
    InitRig(init_rig::InitRig),
    Init(init::Init),
    FixMetadata(fix_metadata::FixMetadata),
    Config(config::Config),
    Ps(ps::Ps),
    KillImposters(kill_imposters::KillImposters),
    Dump(dump::Dump),
    /// Move databases of old layouts into .dolt-data (not here yet)
    Migrate(later::Later),
    /// Remove databases that no rig names (not here yet)
    Cleanup(later::Later),
    /// Restore .beads directories from a migration backup (not here yet)
    Rollback(later::Later),
    /// Restart a server that went read-only (not here yet)
    Recover(later::Later),
    /// Push databases to their remotes (not here yet)
    Sync(later::Later),
    /// Pull databases from their remotes (not here yet)
    Pull(later::Later),
}

impl Dolt {
    pub(crate) fn run(self, session: &Session) -> Result<(), Failure> {
        let Some(verb) = self.verb else {
            return Err(Failure::new(Kind::Usage, "gt dolt requires a subcommand").hint("See gt dolt --help"));
        };
        match verb {
            Verb::Start(c) => c.run(session),
            Verb::Stop(c) => c.run(session),
            Verb::Restart(c) => c.run(session),
            Verb::Status(c) => c.run(session),
            Verb::Wait(c) => c.run(session),
            Verb::Logs(c) => c.run(session),
            Verb::Sql(c) => c.run(session),
            Verb::List(c) => c.run(session),
            Verb::InitRig(c) => c.run(session),
            Verb::Init(c) => c.run(session),
            Verb::FixMetadata(c) => c.run(session),
            Verb::Config(c) => c.run(session),
            Verb::Ps(c) => c.run(session),
            Verb::KillImposters(c) => c.run(session),
            Verb::Dump(c) => c.run(session),
            Verb::Migrate(c)
            | Verb::Cleanup(c)
            | Verb::Rollback(c)
            | Verb::Recover(c)
            | Verb::Sync(c)
            | Verb::Pull(c) => c.run(session),
        }
    }
}
