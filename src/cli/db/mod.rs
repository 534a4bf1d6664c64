//! `gt db …`: a Dolt database read natively: no server, no dolt, no lock; beside a running server too.

mod cells;
mod diff;
mod dump;
mod graph;
mod log;
mod ls;
mod place;
mod schema;
mod show;
mod size;
mod tables;
mod verify;
mod working;

use clap::{Args, Subcommand};

use super::failure::{Failure, Kind};
use super::session::Session;
use place::Place;

/// Read a Dolt database directly: with the server up, down or absent, and without dolt.
///
/// Nothing is locked and nothing is written. A database is named by --db inside a town, or by --dir anywhere.
///
/// Examples:
///   gt db --db gastown tables
///   gt db --dir ~/some/dolt/repository log -n 5
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Db {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Ls(ls::Ls),
    Tables(tables::Tables),
    Schema(schema::Schema),
    Show(show::Show),
    Dump(dump::Dump),
    Log(log::Log),
    Diff(diff::Diff),
    Verify(verify::Verify),
    Size(size::Size),
}

impl Db {
    pub(crate) fn run(&self, session: &Session) -> Result<(), Failure> {
        // A verification says what it can of a database that others refuse, too.
        if let Verb::Verify(c) = &self.verb {
            return c.run(session, &self.place.open_despite_loss(session)?);
        }
        let database = self.place.open(session)?;
        let state = database.session()?;
        match &self.verb {
            Verb::Ls(c) => c.run(session, &database, &state),
            Verb::Tables(c) => c.run(session, &state),
            Verb::Schema(c) => c.run(session, &state),
            Verb::Show(c) => c.run(session, &state),
            Verb::Dump(c) => c.run(session, &state),
            Verb::Log(c) => c.run(session, &state),
            Verb::Diff(c) => c.run(session, &state),
            Verb::Size(c) => c.run(session, &state),
            Verb::Verify(_) => Ok(()),
        }
    }
}

impl From<dolt_store::Error> for Failure {
    fn from(error: dolt_store::Error) -> Self {
        use dolt_store::Error as E;
        let kind = match &error {
            E::NotADatabase { .. }
            | E::Io { .. }
            | E::KeepsChanging { .. }
            | E::Unsupported { .. }
            | E::NotSupported { .. } => Kind::Other,
            E::NoSuchColumn { .. } | E::NotAValue { .. } | E::NotAKey { .. } => Kind::Usage,
            _ => Kind::Damaged,
        };
        let hints = match &error {
            E::NotSupported { .. } => {
                vec!["Everything else in the database can be read; dolt itself reads this".to_owned()]
            }
            E::NoSuchColumn { table, .. } => vec![format!("See gt db schema {table}")],
            _ => Vec::new(),
        };
        Self::of(kind, &error, hints)
    }
}
