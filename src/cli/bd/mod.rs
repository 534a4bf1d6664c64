//! `bd`: the issue tracker's command line, as `gt bd …` and as a program of its own. One file per command.
//!
//! Scripts and agents read what it prints, so texts, JSON and exit codes are those of bd 1.1.0, byte for byte where they
//! can be. Where it differs, the difference is written down in `docs/bd.md`.

mod about;
mod answer;
mod audit;
mod auto_export;
mod batch;
mod close;
mod comment;
mod config;
mod context;
mod create;
mod delete;
mod dep;
mod dep_file;
mod dep_show;
mod doctor;
mod event_hooks;
mod explain;
mod export;
mod fields;
mod flags;
mod gate;
mod history;
mod hooks;
mod import;
mod init;
mod kv;
mod label;
mod later;
mod lines;
mod links;
mod list;
mod list_format;
mod markdown;
mod memory;
mod merge_slot;
mod migrate;
mod mol;
mod molecule;
mod orphans;
mod picks;
mod prime;
mod programs;
mod promote;
mod purge;
mod ready;
mod rename;
mod repo_id;
mod reports;
mod routed;
mod search;
mod sections;
mod shorthand;
mod show;
mod show_text;
mod sql;
mod state;
mod text;
mod tree;
mod update;
mod usage;
mod vc;
mod verbs;
mod version;
mod vocabulary;
mod wisp;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use answer::Answer;
use context::{Bd, Calling};

use crate::town::env::Env;

/// Track issues and their dependencies in a Dolt database, with a server or without one.
#[derive(Debug, Parser)]
#[command(name = "bd", version = version::LINE, max_term_width = 100, after_help = EXAMPLES, subcommand_help_heading = "Available Commands")]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "\
Examples:
  bd ready                         what can be begun?
  bd create \"Fix the login\" -p 1   a new issue
  bd update <id> --claim           take one
  bd dep add <id> <other>          it waits for another
  bd close <id> --reason done      it is done";

/// What every command takes.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Global {
    /// Who acts, for the record (default: `$BEADS_ACTOR`, git's user.name, `$USER`)
    #[arg(long, global = true, value_name = "NAME", help_heading = "Everywhere")]
    pub(super) actor: Option<String>,
    /// Where the database is, instead of looking for a .beads directory
    #[arg(long, global = true, value_name = "DIR", help_heading = "Everywhere")]
    pub(super) db: Option<PathBuf>,
    /// As if called in this directory
    #[arg(short = 'C', long, global = true, value_name = "DIR", help_heading = "Everywhere")]
    pub(super) directory: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(super) json: bool,
    /// Print errors only
    #[arg(short, long, global = true, help_heading = "Everywhere")]
    pub(super) quiet: bool,
    /// Say more
    #[arg(short, long, global = true, hide = true)]
    pub(super) verbose: bool,
    /// Refuse to write
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(super) readonly: bool,
    /// Refuse to write anything outside of the database
    #[arg(long, global = true, hide = true)]
    pub(super) sandbox: bool,
    /// Whether each write is a Dolt commit: on, off or batch
    #[arg(long, global = true, value_name = "WORD", help_heading = "Everywhere")]
    pub(super) dolt_auto_commit: Option<String>,
    /// How the database is written: auto (through the server that has it open, else the files), native or server; also `$BD_ENGINE`
    #[arg(long, global = true, value_name = "WORD", help_heading = "Everywhere")]
    pub(super) engine: Option<String>,
    /// Go on although the database is newer than this program
    #[arg(long, global = true, hide = true)]
    pub(super) ignore_schema_skew: bool,
    /// With import: take lines although what is stored is newer. Older callers send it with anything
    #[arg(long, global = true, hide = true)]
    pub(super) allow_stale: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    #[command(visible_alias = "new")]
    Create(Box<create::Create>),
    #[command(visible_alias = "view")]
    Show(show::Show),
    List(Box<list::List>),
    Children(list::Children),
    Blocked(reports::Blocked),
    Search(Box<search::Search>),
    Query(search::Query),
    Count(Box<reports::Count>),
    #[command(visible_alias = "stats")]
    Status(reports::Overview),
    Stale(reports::Stale),
    Lint(reports::Lint),
    #[command(subcommand)]
    Epic(reports::Epic),
    Statuses(vocabulary::Statuses),
    Types(vocabulary::Types),
    Ready(Box<ready::Ready>),
    Update(Box<update::Update>),
    Close(close::Close),
    Done(close::DoneWith),
    Reopen(close::Reopen),
    Delete(delete::Delete),
    Label(label::Label),
    Comment(comment::Comment),
    Comments(comment::Comments),
    #[command(subcommand)]
    Kv(kv::Kv),
    Import(import::Import),
    Q(shorthand::Quick),
    Assign(shorthand::Assign),
    Priority(shorthand::Priority),
    Tag(shorthand::Tag),
    Note(shorthand::Note),
    Defer(shorthand::Defer),
    Undefer(shorthand::Undefer),
    Promote(promote::Promote),
    Migrate(migrate::Migrate),
    Export(export::Export),
    Sql(sql::Sql),
    #[command(subcommand, alias = "protomolecule")]
    Mol(Box<mol::Mol>),
    Purge(purge::Purge),
    #[command(subcommand)]
    Audit(audit::Audit),
    Link(links::Link),
    State(state::State),
    SetState(state::SetState),
    Batch(batch::Batch),
    History(history::History),
    Diff(history::Diff),
    Orphans(orphans::Orphans),
    #[command(subcommand)]
    Gate(gate::Gate),
    #[command(subcommand)]
    MergeSlot(merge_slot::MergeSlot),
    Rename(rename::Rename),
    Duplicate(links::Duplicate),
    Supersede(links::Supersede),
    Dep(dep::Dep),
    Init(Box<init::Init>),
    #[command(subcommand)]
    Hooks(hooks::Hooks),
    /// Which bd this is
    Version,
    #[command(subcommand)]
    Config(config::Config),
    /// Which .beads directory is in force
    Where,
    /// What is in force: repository, database, server, and the way to the data
    Context,
    Info(about::Info),
    /// Whether the database answers
    Ping,
    /// The first steps
    Quickstart,
    /// How to make a workspace anew, and what that does not touch
    InitSafety,
    Prime(prime::Prime),
    Doctor(doctor::Doctor),
    #[command(subcommand)]
    Vc(vc::Vc),
    #[command(subcommand)]
    Dolt(vc::Dolt),
    Remember(memory::Remember),
    Recall(memory::Recall),
    Memories(memory::Memories),
    Forget(memory::Forget),
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

impl Verb {
    fn run(self, calling: Calling) -> Answer {
        match self {
            Self::Init(c) => c.run(&calling),
            Self::Hooks(c) => c.run(&calling),
            Self::Version => version::version(&calling),
            Self::Config(c) => c.run(calling),
            Self::Where => about::whereabouts(&calling),
            Self::Context => about::context(&calling),
            Self::Ping => about::ping(calling),
            Self::Doctor(c) => c.run(calling),
            Self::Dolt(c) => c.run(calling),
            Self::Prime(c) => {
                c.run(&calling);
                Ok(())
            }
            Self::Quickstart => {
                about::quickstart();
                Ok(())
            }
            Self::InitSafety => {
                about::init_safety();
                Ok(())
            }
            Self::Other(words) => later::refuse(&words),
            other => {
                let bd = calling.bd()?;
                let may_empty = matches!(other, Self::Purge(_));
                // What was written elsewhere is exported there.
                let bd = routed::elsewhere(&bd, &other)?.unwrap_or(bd);
                other.with(&bd)?;
                if bd.has_written() { auto_export::after(&bd, may_empty) } else { Ok(()) }
            }
        }
    }

    fn with(self, bd: &Bd) -> Answer {
        match self {
            Self::Create(c) => c.run(bd),
            Self::Show(c) => c.run(bd),
            Self::List(c) => c.run(bd),
            Self::Children(c) => c.run(bd),
            Self::Blocked(c) => c.run(bd),
            Self::Search(c) => c.run(bd),
            Self::Query(c) => c.run(bd),
            Self::Count(c) => c.run(bd),
            Self::Status(c) => c.run(bd),
            Self::Stale(c) => c.run(bd),
            Self::Lint(c) => c.run(bd),
            Self::Epic(c) => c.run(bd),
            Self::Statuses(_) => vocabulary::Statuses::run(bd),
            Self::Types(_) => vocabulary::Types::run(bd),
            Self::Ready(c) => c.run(bd),
            Self::Update(c) => c.run(bd),
            Self::Close(c) => c.run(bd),
            Self::Done(c) => c.run(bd),
            Self::Reopen(c) => c.run(bd),
            Self::Delete(c) => c.run(bd),
            Self::Label(c) => c.run(bd),
            Self::Comment(c) => c.run(bd),
            Self::Comments(c) => c.run(bd),
            Self::Kv(c) => c.run(bd),
            Self::Import(c) => c.run(bd),
            Self::Q(c) => c.run(bd),
            Self::Assign(c) => c.run(bd),
            Self::Priority(c) => c.run(bd),
            Self::Tag(c) => c.run(bd),
            Self::Note(c) => c.run(bd),
            Self::Defer(c) => c.run(bd),
            Self::Undefer(c) => c.run(bd),
            Self::Promote(c) => c.run(bd),
            Self::Migrate(c) => c.run(bd),
            Self::Export(c) => c.run(bd),
            Self::Sql(c) => c.run(bd),
            Self::Mol(c) => c.run(bd),
            Self::Purge(c) => c.run(bd),
            Self::Audit(c) => c.run(bd),
            Self::Link(c) => c.run(bd),
            Self::State(c) => c.run(bd),
            Self::SetState(c) => c.run(bd),
            Self::Batch(c) => c.run(bd),
            Self::History(c) => c.run(bd),
            Self::Diff(c) => c.run(bd),
            Self::Orphans(c) => c.run(bd),
            Self::Gate(c) => c.run(bd),
            Self::MergeSlot(c) => c.run(bd),
            Self::Rename(c) => c.run(bd),
            Self::Duplicate(c) => c.run(bd),
            Self::Supersede(c) => c.run(bd),
            Self::Dep(c) => c.run(bd),
            Self::Info(c) => c.run(bd),
            Self::Vc(c) => c.run(bd),
            Self::Remember(c) => c.run(bd),
            Self::Recall(c) => c.run(bd),
            Self::Memories(c) => c.run(bd),
            Self::Forget(c) => c.run(bd),
            // These need no database, or look for it in their own way, see `run`.
            Self::Init(_)
            | Self::Hooks(_)
            | Self::Version
            | Self::Config(_)
            | Self::Where
            | Self::Context
            | Self::Ping
            | Self::Prime(_)
            | Self::Doctor(_)
            | Self::Dolt(_)
            | Self::Quickstart
            | Self::InitSafety
            | Self::Other(_) => Ok(()),
        }
    }
}

/// The command tree.
fn whole_tree() -> clap::Command {
    as_in_bd(Cli::command())
}

/// Values may begin with a hyphen, as in bd, and a flag that is given twice counts as it was given last.
fn as_in_bd(command: clap::Command) -> clap::Command {
    let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    let command = command.mut_args(|arg| {
        let takes_values = arg.get_action().takes_values() && !arg.is_positional();
        if takes_values { arg.allow_hyphen_values(true) } else { arg }
    });
    let command = command.args_override_self(true);
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, as_in_bd))
}

/// Runs the program with these words behind its name.
pub(super) fn run(env: &Env, words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<OsString> = std::iter::once(OsString::from("bd")).chain(words).collect();
    let parse = |tree: clap::Command| {
        tree.try_get_matches_from(&words).and_then(|matches| Cli::from_arg_matches(&matches))
    };
    let quickly = verbs::tree(&words).and_then(|tree| parse(as_in_bd(tree)).ok());
    let cli = match quickly.map_or_else(|| parse(whole_tree()), Ok) {
        Ok(cli) => cli,
        Err(error) => return usage::tell(&error, &whole_tree(), &words),
    };
    let json = cli.global.json;
    answer::wrap_json(env.text("BD_JSON_ENVELOPE").as_deref() == Some("1"));
    let answer = Calling::new(env, cli.global).and_then(|calling| cli.verb.run(calling));
    match answer {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => refusal.tell(json),
    }
}

/// The whole program.
pub(super) fn main() -> ExitCode {
    run(&Env::of_process(), std::env::args_os().skip(1))
}
