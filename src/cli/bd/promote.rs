//! `bd promote`.

use clap::Args;

use super::answer::{Answer, print_object};
use super::context::Bd;
use crate::cli::out;
use crate::store::load::{self, With};
use crate::store::ops;
use crate::store::{Outcome, step};

/// Make a wisp a durable issue
#[derive(Debug, Args)]
pub(super) struct Promote {
    /// Which one
    id: String,
    /// Why
    #[arg(short, long, default_value = "")]
    reason: String,
}

impl Promote {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let act = bd.act();
        let id = bd.write("promote", |tx| {
            let id = Bd::resolve_as(tx.reader(), "resolving", &self.id)?;
            step(tx, &act, |work| ops::promote(work, &id, &self.reason))?;
            let server = || format!("bd: comment {id}");
            let message = bd.message(|| bd.auto_commit("promote", &[]), server);
            Ok(Outcome { message, result: id })
        })?;
        if bd.json() {
            let found = load::issue(&*bd.reader()?, &id, With { labels: true, ..With::NOTHING })?;
            return found.map_or(Ok(()), |(issue, _)| print_object(&issue));
        }
        out::line(format!("✓ Promoted {id} to permanent bead"));
        Ok(())
    }
}
