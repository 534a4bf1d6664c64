//! `gt db ls`.

use clap::Args;
use dolt_store::commit::{RefKind, Session as State};
use serde_json::{Value, json};

use crate::cli::failure::Failure;
use crate::cli::out::{self, BOLD, styled};
use crate::cli::session::Session;

/// List branches, tags, remote branches and stashes, and where they point.
#[derive(Debug, Args)]
pub(crate) struct Ls {}

impl Ls {
    #[expect(clippy::unused_self, reason = "every command has this shape")]
    pub(super) fn run(&self, session: &Session, state: &State) -> Result<(), Failure> {
        let refs = state.all_refs()?;
        let shown: Vec<_> = refs.iter().filter_map(|r| Some((word(r.kind)?, r))).collect();
        session.show(
            || {
                let row = |(kind, r): &(&str, &dolt_store::commit::Ref)| json!({"kind": kind, "name": r.name, "target": r.target.to_string()});
                json!({"head": state.head(), "refs": shown.iter().map(row).collect::<Vec<Value>>()})
            },
            || {
                let mut rows = vec![["", "KIND", "NAME", "TARGET"].map(str::to_owned).to_vec()];
                for (kind, r) in &shown {
                    let is_head = r.kind == RefKind::Branch && r.name == state.head();
                    let mark = if is_head { "*" } else { "" };
                    rows.push([mark, kind, &r.name, &r.target.to_string()].map(str::to_owned).to_vec());
                }
                for (i, line) in out::columns(&rows).iter().enumerate() {
                    if i == 0 { out::line(styled(BOLD, line)) } else { out::line(line) }
                }
            },
        );
        Ok(())
    }
}

fn word(kind: RefKind) -> Option<&'static str> {
    Some(match kind {
        RefKind::Branch => "branch",
        RefKind::Tag => "tag",
        RefKind::Remote => "remote",
        RefKind::Stash => "stash",
        _ => return None,
    })
}
