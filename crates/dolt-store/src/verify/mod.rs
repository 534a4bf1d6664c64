//! A whole database checked, from its bytes to the agreement of its tables.
//!
//! 1. Every chunk of every file, reachable or not: crc and address. The journal's end: no whole record behind a torn one.
//! 2. From the store's root through every name: everything that is referred to is there, commits left out of a shallow clone
//!    excepted; heights and trees of ancestors.
//! 3. Every tree: keys strictly ascending in the order of the schema, keys and counts of inner nodes true, levels right,
//!    and every node ends where the chunker ends it, so that equal contents have equal trees.
//! 4. Every row has its entry in every index of its table and every entry its row; addresses in rows are those that their
//!    leaf lists; long values have the length that their row gives them; ids of keyless rows are the hashes of the rows.
//!
//! Not checked: where the nodes of long values and of JSON documents end, and the leaves of trees of ancestors (that
//! depends on how a commit was made); the order of keys under collations that are not binary; the contents of full-text,
//! spatial and vector indexes and of indexes on virtual columns; the contents of merge artifacts beyond being there.
//! Nodes are looked at once, however many commits share them.

mod chunks;
mod finding;
mod history;
mod references;
pub(crate) use references::references;
mod rows;
mod shape;
mod size;
mod tables;
#[cfg(test)]
mod tests;
mod tree;
mod walker;

pub use finding::{Finding, RefState, Report, Stage, Watch};
pub use size::{RefSize, Share, Sizes, size_below, sizes};

use std::sync::atomic::Ordering;

use crate::Result;
use crate::commit::Database;
use walker::{Place, Walker};

/// Checks the newest state of a database and everything in its files. Errors are only those that keep it from being
/// opened; everything else is a finding.
pub fn verify(database: &Database, watch: &dyn Watch) -> Result<Report> {
    let snapshot = database.store().snapshot()?;
    let mut report = Report::default();
    let mut walker = Walker::new(&snapshot, watch);
    let seen = chunks::check(&walker, &mut report);
    walker.has_seen(seen);
    if let Err(error) = database.store().check_journal_tail() {
        walker.say_error(&Place::default(), &error);
    }
    match database.session_at(snapshot.clone()) {
        Ok(session) => history::check(&walker, &session, &mut report),
        Err(error) => walker.say_error(&Place::default(), &error),
    }
    Ok(ended(walker, report))
}

/// The same for a state whose files are not looked at: whatever the names lead to.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn verify_state(session: &crate::commit::Session) -> Report {
    let mut report = Report::default();
    let walker = Walker::new(session.snapshot(), &());
    history::check(&walker, session, &mut report);
    ended(walker, report)
}

/// The same for a long value.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn verify_long_value(snapshot: &crate::chunk::Snapshot, root: crate::Hash) -> Report {
    let walker = Walker::new(snapshot, &());
    walker.blob(&Place::default(), root);
    ended(walker, Report::default())
}

fn ended(walker: Walker<'_>, mut report: Report) -> Report {
    report.nodes = walker.nodes.load(Ordering::Relaxed);
    report.entries = walker.entries.load(Ordering::Relaxed);
    (report.findings, report.notes) = walker.into_parts();
    report
}
