//! `gt db tables`.

use clap::Args;
use dolt_store::commit::Session as State;
use dolt_store::table::Artifacts;
use serde_json::json;

use super::place::tables_at;
use super::verify::counted;
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
                found.push((name, table.entries(), table.artifacts()?));
            }
        }
        session.show(
            || {
                let row = |(name, rows, left): &(String, u64, Artifacts)| {
                    json!({"table": name, "rows": rows, "conflicts": *left != Artifacts::default(),
                           "conflict_rows": left.conflicts, "violations": left.violations})
                };
                json!({"revision": self.at, "tables": found.iter().map(row).collect::<Vec<_>>()})
            },
            || {
                let mut rows = vec![["TABLE", "ROWS", ""].map(str::to_owned).to_vec()];
                for (name, count, left) in &found {
                    rows.push(vec![name.clone(), count.to_string(), about(*left)]);
                }
                if found.is_empty() {
                    out::note(format!("There are no tables at {}", self.at));
                }
                for (i, line) in out::columns(&rows).iter().enumerate() {
                    if i == 0 { out::line(styled(BOLD, line)) } else { out::line(line) }
                }
            },
        );
        Ok(())
    }
}

// What a merge left in a table.
fn about(left: Artifacts) -> String {
    let count = |n: u64, one: &str, many: &str| (n > 0).then(|| counted(n, one, many));
    let parts = [
        count(left.conflicts, "conflict", "conflicts"),
        count(left.violations, "constraint violation", "constraint violations"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
