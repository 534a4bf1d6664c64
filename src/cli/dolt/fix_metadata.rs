//! `gt dolt fix-metadata`.

use clap::Args;
use serde_json::{Value, json};

use crate::cli::failure::{Failure, Kind};
use crate::cli::out::{self, DIM, GREEN, YELLOW, styled};
use crate::cli::session::Session;
use crate::rig::metadata::{self, Fixed};

/// Write each rig's metadata.json and dolt-server.port, where they differ from what is true.
///
/// Both files are written together: bd reads the port file first. A metadata.json that cannot be parsed is kept as
/// metadata.json.bad. Exit code 0 even if some failed, as scripts expect; with --exit-code it is 1 then.
#[derive(Debug, Args)]
pub(crate) struct FixMetadata {}

impl FixMetadata {
    #[expect(clippy::unused_self, reason = "every command has this shape")]
    pub(crate) fn run(&self, session: &Session) -> Result<(), Failure> {
        let here = session.here()?;
        let fixed = metadata::fix_all(&here.context())?;
        session.show(|| json!({"rigs": fixed.iter().map(to_json).collect::<Vec<_>>()}), || print(&fixed));
        let failed = fixed.iter().any(|f| f.result.is_err());
        if failed && session.rich_codes { Err(Failure::code_only(Kind::Other)) } else { Ok(()) }
    }
}

fn to_json(fixed: &Fixed) -> Value {
    let pointed = fixed.result.as_ref().ok();
    json!({
        "rig": fixed.rig,
        "database": fixed.database,
        "changed": pointed.is_some_and(metadata_changed),
        "set_aside": pointed.and_then(|p| p.set_aside.clone()),
        "problem": fixed.result.as_ref().err(),
        "skipped": fixed.skipped,
    })
}

fn metadata_changed(pointed: &crate::town::beads::Pointed) -> bool {
    pointed.changed()
}

fn print(all: &[Fixed]) {
    let done: Vec<&Fixed> = all.iter().filter(|f| f.database.is_some() && f.result.is_ok()).collect();
    if done.is_empty() && all.iter().all(|f| f.result.is_ok()) {
        out::line("No rig databases found. Nothing to update.");
    } else if !done.is_empty() {
        out::line(format!("{} Updated metadata.json for {} rig(s):", styled(GREEN, "✓"), done.len()));
    }
    for fixed in done {
        let Ok(pointed) = &fixed.result else { continue };
        let change = if pointed.changed() { "" } else { " (nothing to change)" };
        out::line(format!("  - {}{}", fixed.rig, styled(DIM, change)));
        if let Some(kept) = &pointed.set_aside {
            out::line(format!("    a broken metadata.json was kept as {}", kept.display()));
        }
    }
    for fixed in all {
        if let Err(problem) = &fixed.result {
            out::line(format!("  {} {}: {problem}", styled(YELLOW, "⚠"), fixed.rig));
        }
        if let Some(why) = &fixed.skipped {
            out::line(format!("  {}", styled(DIM, format!("{}: left alone, {why}", fixed.rig))));
        }
    }
}
