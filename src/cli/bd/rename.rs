//! `bd rename`: an issue gets another id.

use clap::Args;

use super::answer::{Answer, Refusal};
use super::context::Bd;
use crate::cli::out;
use crate::store::load::Rules;
use crate::store::{Outcome, ops};

/// Give an issue another id, everywhere
#[derive(Debug, Args)]
#[command(after_help = "Example: bd rename bd-w382l bd-login")]
pub(super) struct Rename {
    /// Its id
    old: String,
    /// Its new id
    new: String,
}

// A prefix of small letters, a hyphen, and more.
fn is_id(text: &str) -> bool {
    text.split_once('-').is_some_and(|(prefix, rest)| {
        let more = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        !prefix.is_empty()
            && prefix.bytes().all(|byte| byte.is_ascii_lowercase())
            && !rest.is_empty()
            && rest.bytes().all(more)
    })
}

impl Rename {
    pub(super) fn run(self, bd: &Bd) -> Answer {
        let (old, new) = (&self.old, &self.new);
        if old == new {
            return Err(Refusal::plain("old and new IDs are the same"));
        }
        if !is_id(new) {
            return Err(Refusal::plain(format!(
                "invalid new ID format {new:?}: must be prefix-suffix (e.g., bd-dolt)"
            )));
        }
        let act = bd.act();
        let renamed = bd.write("rename", |tx| {
            let rules = Rules::load(tx.reader())?;
            ops::rename(tx, &act, &rules, old, new)?;
            let message = bd.message(|| bd.auto_commit("rename", &[]), || format!("bd: rename {old} {new}"));
            Ok(Outcome { message, result: () })
        });
        renamed.map_err(Refusal::into_plain)?;
        out::line(format!("Renamed {old} -> {new}"));
        Ok(())
    }
}
