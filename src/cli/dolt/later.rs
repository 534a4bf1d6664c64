//! Verbs of the Go tool that come next. They change nothing and say so.

use std::ffi::OsString;

use clap::Args;

use crate::cli::failure::{Failure, Kind};
use crate::cli::session::Session;

/// Takes whatever is given, so that scripts get this answer and not a complaint about a flag.
#[derive(Debug, Args)]
pub(crate) struct Later {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    ignored: Vec<OsString>,
}

impl Later {
    pub(crate) fn run(&self, session: &Session) -> Result<(), Failure> {
        let given = self.ignored.len();
        tracing::debug!(given, "arguments of a verb that is not here yet");
        Err(Failure::new(
            Kind::NotYet,
            format!("gt {} is not here yet; nothing was changed", session.command),
        ))
    }
}
