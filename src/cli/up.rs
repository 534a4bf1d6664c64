//! `gt up`.

use clap::Args;

use super::dolt::start::{StartArgs, bring_up, print, to_json};
use super::failure::Failure;
use super::session::Session;
use crate::rig::metadata;

/// Bring the town up: its server, and every rig's files pointing at it.
#[derive(Debug, Args)]
pub(crate) struct Up {
    #[command(flatten)]
    how: StartArgs,
}

impl Up {
    pub(crate) fn run(&self, session: &Session) -> Result<(), Failure> {
        let here = session.here()?;
        let started = bring_up(&here, &self.how.options())?;
        let fixed = metadata::fix_all(&here.context())?;
        let changed: Vec<_> = fixed
            .iter()
            .filter(|f| f.result.as_ref().is_ok_and(super::super::town::beads::Pointed::changed))
            .map(|f| &f.rig)
            .collect();
        session.show(
            || {
                let mut body = to_json(&here, &started);
                body["metadata_changed"] = serde_json::json!(changed);
                body
            },
            || {
                print(&here, &started, "started");
                if !changed.is_empty() {
                    let names: Vec<&str> = changed.iter().map(|c| c.as_str()).collect();
                    super::out::line(format!("  Pointed at it: {}", names.join(", ")));
                }
            },
        );
        Ok(())
    }
}
