//! The language of `bd query`: comparisons of fields, with AND, OR, NOT and parentheses.
//!
//! What can be a filter of the database becomes one; the rest is a predicate over what the filter lets through. The two
//! differ in corners (a filter compares labels exactly, a predicate in any case), and a query gets the one that bd gives it.
//! Unlike bd, which reads bytes, this reads characters, so that words beyond ASCII can be asked for.

mod filters;
mod lex;
mod parse;
mod predicates;
#[cfg(test)]
mod tests;

use jiff::Zoned;

use crate::filter::Filter;
use crate::issue::{Issue, Status};

pub use parse::{Node, Op, ValueKind};
pub use predicates::Predicate;

/// Why a query is refused; the words are bd's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct QueryError(pub String);

pub(crate) fn refuse<T>(text: impl Into<String>) -> Result<T, QueryError> {
    Err(QueryError(text.into()))
}

/// A query that was read. Its text form is that of `--parse-only`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query(pub Node);

/// How a query is answered.
pub struct Answer {
    /// What the database is asked for.
    pub filter: Filter,
    /// What must hold beyond that.
    pub predicate: Option<Predicate>,
}

impl Answer {
    /// Whether an issue passes the predicate, if there is one.
    pub fn passes(&self, issue: &Issue) -> bool {
        self.predicate.as_ref().is_none_or(|predicate| predicate(issue))
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("filter", &self.filter).finish_non_exhaustive()
    }
}

impl Query {
    /// Reads a query.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        parse::parse(text).map(Self)
    }

    /// Whether it says anything about the status; if not, `bd query` leaves out closed issues.
    pub fn names_status(&self) -> bool {
        self.0.any(&|field| field == "status")
    }

    /// How to answer it at a moment, in the time zone of `now`. `all` is the flag: closed issues, too.
    pub fn answer(&self, now: &Zoned, all: bool) -> Result<Answer, QueryError> {
        let mut filter = Filter::default();
        let predicate = if filters::suffices(&self.0) {
            filters::build(&self.0, &mut filter, now)?;
            None
        } else {
            let predicate = predicates::build(&self.0, now)?;
            filters::narrow(&self.0, &mut filter, now);
            Some(predicate)
        };
        if !all && filter.status.is_none() && !self.names_status() {
            filter.exclude_status.push(Status::Closed);
        }
        Ok(Answer { filter, predicate })
    }
}

impl std::fmt::Display for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
