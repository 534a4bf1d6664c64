//! `gt db …`: a Dolt database read natively: no server, no dolt, no lock; beside a running server too. And written, as long
//! as no server has it.

mod branch;
mod cells;
mod commit;
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
mod writing;

use clap::{Args, Subcommand};

use super::dolt::later::Later;
use super::failure::{Failure, Kind};
use super::session::Session;
use place::Place;

/// Read a Dolt database directly: with the server up, down or absent, and without dolt.
///
/// Nothing is locked and nothing is written but by branch, tag and commit, which
/// refuse while a server has the database. It is named by --db inside a town, by
/// --dir anywhere; without either it is the one around the working directory.
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
    Branch(branch::Branch),
    Tag(branch::Tag),
    Commit(commit::Commit),
    /// Merge another branch (not here yet)
    Merge(Later),
    /// Repeat a commit on this branch (not here yet)
    CherryPick(Later),
    /// Remove what nothing refers to (not here yet)
    Gc(Later),
}

impl Db {
    pub(crate) fn run(&self, session: &Session) -> Result<(), Failure> {
        // A verification says what it can of a database that others refuse, too.
        if let Verb::Verify(c) = &self.verb {
            return c.run(session, &self.place.open_despite_loss(session)?);
        }
        match &self.verb {
            Verb::Branch(c) => return c.run(session, &self.place.path(session)?),
            Verb::Tag(c) => return c.run(session, &self.place.path(session)?),
            Verb::Commit(c) => return c.run(session, &self.place.path(session)?),
            Verb::Merge(c) | Verb::CherryPick(c) | Verb::Gc(c) => return c.run(session),
            _ => {}
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
            Verb::Verify(_)
            | Verb::Branch(_)
            | Verb::Tag(_)
            | Verb::Commit(_)
            | Verb::Merge(_)
            | Verb::CherryPick(_)
            | Verb::Gc(_) => Ok(()),
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
            | E::NotSupported { .. }
            | E::Write { .. }
            | E::Moved { .. }
            | E::NoBranch { .. }
            | E::NoTag { .. }
            | E::NameTaken { .. }
            | E::InUse { .. }
            | E::UnderWay { .. }
            | E::Unsettled { .. } => Kind::Other,
            E::NoSuchColumn { .. }
            | E::NotAValue { .. }
            | E::NotAKey { .. }
            | E::BadName { .. }
            | E::Missing { .. } => Kind::Usage,
            _ => Kind::Damaged,
        };
        let hints = match &error {
            E::UnderWay { .. } => vec!["End it with dolt, or in SQL, first".to_owned()],
            E::Unsettled { .. } => vec!["See dolt conflicts, and dolt_constraint_violations".to_owned()],
            E::NotSupported { .. } => {
                vec!["Everything else in the database can be read; dolt itself reads this".to_owned()]
            }
            E::NoSuchColumn { table, .. } => vec![format!("See gt db schema {table}")],
            _ => Vec::new(),
        };
        Self::of(kind, &error, hints)
    }
}
