//! `gt dolt logs`.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::cli::failure::{Failure, Kind};
use crate::cli::out::{self, Format};
use crate::cli::session::{Here, Session};
use crate::cli::values::parse_moment;
use crate::doltserver::{ServerError, log};
use crate::sys::clock::{self, Timestamp};
use crate::sys::interrupt::Interrupt;
use crate::town::Town;

/// Show the server's log.
///
/// Examples:
///   gt dolt logs -n 20 -f      the last 20 lines, then what is added
///   gt dolt logs --since 10m   the last ten minutes
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Logs {
    /// How many of the last lines [default: 50; with --since all of them]
    #[arg(short = 'n', long, value_name = "N")]
    lines: Option<usize>,
    /// Go on showing what is added, until Ctrl-C; waits for a log that is not there yet
    #[arg(short, long)]
    follow: bool,
    /// Only what was logged since then: a duration ago (10m) or a time (2026-11-21T07:50:24Z)
    #[arg(long, value_name = "WHEN", value_parser = parse_moment)]
    since: Option<Timestamp>,
}

const DEFAULT_LINES: usize = 50;

impl Logs {
    pub(crate) fn run(&self, session: &Session) -> Result<(), Failure> {
        if self.follow && session.format == Format::Json {
            // Clap sees such a conflict only when both stand behind the verb.
            return Err(Failure::new(Kind::Usage, "--follow has no end, and --json is one object")
                .hint("Follow without --json, or ask for a time: --since 10m"));
        }
        let here = session.here()?;
        // What is added while we read belongs to the follower.
        let begun_at = log::length(&here.town);
        let lines = match self.lines_so_far(&here.town, begun_at) {
            Err(ServerError::NoLog { path }) if self.follow => {
                out::note(format!("waiting for {}: it is written from the first start on", path.display()));
                Vec::new()
            }
            lines => lines?,
        };
        session.show(
            || json!({"log": here.town.log_file(), "lines": lines}),
            || lines.iter().for_each(out::line),
        );
        if self.follow { session.block_on(follow(&here, begun_at)) } else { Ok(()) }
    }

    fn lines_so_far(&self, town: &Town, length: u64) -> Result<Vec<String>, ServerError> {
        let Some(moment) = self.since else {
            return log::tail(town, self.lines.unwrap_or(DEFAULT_LINES), length);
        };
        let all = log::since(town, moment, length)?;
        let surplus = self.lines.map_or(0, |n| all.len().saturating_sub(n));
        Ok(all.into_iter().skip(surplus).collect())
    }
}

// A start may have rotated the log away: a shorter file is read from its beginning.
async fn follow(here: &Here<'_>, mut offset: u64) -> Result<(), Failure> {
    let mut interrupt = Interrupt::listen()
        .map_err(|e| Failure::new(Kind::Other, format!("cannot listen for signals: {e}")))?;
    let follow = async {
        loop {
            let length = log::length(&here.town);
            if length < offset {
                offset = 0;
            }
            if length > offset {
                // Whole lines only: a letter of several bytes may be half written.
                let bytes = log::appended_bytes(&here.town, offset);
                let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
                let lines = bytes.get(..whole).unwrap_or_default();
                offset += lines.len() as u64;
                out::raw(&String::from_utf8_lossy(lines));
            }
            clock::pause(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        () = follow => Ok(()),
        signal = interrupt.arrived() => {
            let what_was_done = "no longer following the log".to_owned();
            let ended: Failure = ServerError::Interrupted { signal, what_was_done }.into();
            Err(Failure::code_only(ended.kind))
        }
    }
}
