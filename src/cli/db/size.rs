//! `gt db size`.

use clap::Args;
use dolt_store::commit::{RefKind, Session as State};
use dolt_store::verify::{RefSize, Share, size_below, sizes};
use serde_json::{Value, json};

use super::place::tables_at;
use super::verify::word;
use crate::cli::failure::Failure;
use crate::cli::out::{self, BOLD, styled};
use crate::cli::session::Session;

/// Show what takes the space: per table, per branch, and what a garbage collection would free.
///
/// Sizes are those of the stored, compressed chunks. Tables share nothing with each other, but much with their own
/// history; branches share most of theirs: ALONE is what no other name reaches.
#[derive(Debug, Args)]
pub(crate) struct Size {
    /// The tables at this revision
    #[arg(long, value_name = "REVISION", default_value = "WORKING")]
    at: String,
}

impl Size {
    pub(super) fn run(&self, session: &Session, state: &State) -> Result<(), Failure> {
        let tables = tables_at(state, &self.at)?;
        let names = tables.names()?;
        let mut addresses = Vec::new();
        for name in &names {
            addresses.extend(tables.address(name)?);
        }
        let shares = size_below(state, &addresses)?;
        let all = sizes(state)?;
        let on_disk: u64 = all.files.iter().map(|(_, bytes, _)| bytes).sum();
        session.show(
            || {
                let table = |(name, s): (&String, &Share)| json!({"table": name, "chunks": s.chunks, "bytes": s.bytes});
                let file = |(path, bytes, chunks): &(std::path::PathBuf, u64, u64)| {
                    json!({"file": path.display().to_string(), "bytes": bytes, "chunks": chunks})
                };
                json!({
                    "revision": self.at,
                    "tables": names.iter().zip(&shares).map(table).collect::<Vec<_>>(),
                    "refs": all.refs.iter().map(ref_json).collect::<Vec<_>>(),
                    "files": all.files.iter().map(file).collect::<Vec<_>>(),
                    "file_bytes": on_disk,
                    "all": share_json(all.all),
                    "copies": share_json(all.copies),
                    "garbage": share_json(all.garbage),
                    "garbage_percent": percent(all.garbage, all.all),
                })
            },
            || {
                let mut rows = vec![["TABLE", "CHUNKS", "SIZE"].map(str::to_owned).to_vec()];
                let row = |(name, s): (&String, &Share)| vec![name.clone(), s.chunks.to_string(), out::bytes(s.bytes)];
                rows.extend(names.iter().zip(&shares).map(row));
                print(&rows);
                out::line("");
                let mut rows = vec![["KIND", "NAME", "CHUNKS", "SIZE", "ALONE"].map(str::to_owned).to_vec()];
                for r in all.refs.iter().filter(|r| r.kind != RefKind::Internal) {
                    let cells = [word(r.kind).to_owned(), r.name.clone(), r.all.chunks.to_string()];
                    let sizes = [r.all.bytes, r.alone.bytes].map(out::bytes);
                    rows.push(cells.into_iter().chain(sizes).collect());
                }
                print(&rows);
                out::line("");
                let files = out::count(all.files.len(), "file", "files");
                out::line(format!("{} in {files}, {} chunks", out::bytes(on_disk), all.all.chunks));
                let (chunks, bytes) = (all.garbage.chunks, out::bytes(all.garbage.bytes));
                let share = percent(all.garbage, all.all);
                out::line(format!("{bytes} ({share} %) is garbage: {chunks} chunks that nothing refers to"));
            },
        );
        Ok(())
    }
}

fn print(rows: &[Vec<String>]) {
    for (i, line) in out::columns(rows).iter().enumerate() {
        if i == 0 { out::line(styled(BOLD, line)) } else { out::line(line) }
    }
}

fn percent(part: Share, all: Share) -> u64 {
    part.bytes.saturating_mul(100).checked_div(all.bytes).unwrap_or(0)
}

fn share_json(share: Share) -> Value {
    json!({"chunks": share.chunks, "bytes": share.bytes})
}

fn ref_json(r: &RefSize) -> Value {
    json!({"kind": word(r.kind), "name": r.name, "all": share_json(r.all), "alone": share_json(r.alone)})
}
