//! `gt up`.

use clap::Args;

use super::dolt::start::{StartArgs, bring_up, print, to_json};
use super::failure::Failure;
use super::out;
use super::session::Session;
use crate::rig::metadata;
use crate::town::beads::Pointed;

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
        let changed: Vec<_> =
            fixed.iter().filter(|f| f.result.as_ref().is_ok_and(Pointed::changed)).map(|f| &f.rig).collect();
        for rig in &fixed {
            if let Err(problem) = &rig.result {
                out::warn(format!("{} is not pointed at it: {problem}", rig.rig));
            }
            if let Some(kept) = rig.result.as_ref().ok().and_then(|p| p.set_aside.as_ref()) {
                out::warn(format!("a broken metadata.json of {} was kept as {}", rig.rig, kept.display()));
            }
        }
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
                    out::line(format!("  Pointed at it: {}", names.join(", ")));
                }
            },
        );
        Ok(())
    }
}
