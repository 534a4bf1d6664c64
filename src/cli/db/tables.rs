//! `gt db tables`.

use clap::Args;
use dolt_store::commit::Session as State;
use serde_json::json;

use super::place::tables_at;
use crate::cli::failure::Failure;
use crate::cli::out::{self, BOLD, styled};
use crate::cli::session::Session;

/// List the tables and how many rows they have.
#[derive(Debug, Args)]
pub(crate) struct Tables {
    /// At this revision: branch, tag, commit, HEAD~2, STAGED
    #[arg(long, value_name = "REVISION", default_value = "WORKING")]
    at: String,
}

impl Tables {
    pub(super) fn run(&self, session: &Session, state: &State) -> Result<(), Failure> {
        let tables = tables_at(state, &self.at)?;
        let mut found = Vec::new();
        for name in tables.names()? {
            if let Some(table) = tables.open(&name)? {
                found.push((name, table.entries(), table.has_conflicts()));
            }
        }
        session.show(
            || {
                let row = |(name, rows, conflicts): &(String, u64, bool)| json!({"table": name, "rows": rows, "conflicts": conflicts});
                json!({"revision": self.at, "tables": found.iter().map(row).collect::<Vec<_>>()})
            },
            || {
                let mut rows = vec![["TABLE", "ROWS"].map(str::to_owned).to_vec()];
                for (name, count, conflicts) in &found {
                    let mark = if *conflicts { " (conflicts)" } else { "" };
                    rows.push(vec![name.clone(), format!("{count}{mark}")]);
                }
                for (i, line) in out::columns(&rows).iter().enumerate() {
                    if i == 0 { out::line(styled(BOLD, line)) } else { out::line(line) }
                }
            },
        );
        Ok(())
    }
}
