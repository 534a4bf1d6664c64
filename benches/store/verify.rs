//! A verification against the hashing that is in it.

use std::path::Path;

use super::hashing::sha512_rate;
use super::room::{Room, run, timed};
use crate::common::page::progress;
use crate::common::rows::{Samples, Table, Target};

pub(crate) fn measure(room: &Room, database: &Path, what: &str, rounds: usize) -> Table {
    let report: serde_json::Value =
        serde_json::from_slice(&run(room.gt(database, &["verify", "--json"])).stdout).unwrap();
    let (bytes, chunks) = (report["chunk_bytes"].as_f64().unwrap(), report["chunks"].as_f64().unwrap());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size of some KB")]
    let piece = (bytes / chunks) as u32;
    let [mut took, mut rate, mut hashing, mut share] = [const { Samples::none() }; 4];
    for round in 0..=rounds {
        progress(&format!("verify, round {round} of {rounds}"));
        let alone = sha512_rate(piece);
        let (verified, _) = timed(room.gt(database, &["verify"]));
        if round > 0 {
            let ours = bytes / verified.as_secs_f64();
            took.push(verified);
            rate.push_number(ours / 1e6);
            hashing.push_number(alone / 1e6);
            share.push_number(100.0 * ours / alone);
        }
    }
    let title = format!("Verify {what}: {chunks} chunks, {:.0} MB", bytes / 1e6);
    let mut table = Table::new(&title);
    table.row("`gt db verify`", took, Target::None);
    table.row("… MB in a second", rate, Target::None);
    table.row(
        &format!("SHA-512 alone, pieces of {piece} bytes, all cores, MB in a second"),
        hashing,
        Target::None,
    );
    table.row("`gt db verify`, % of that", share, Target::AtLeast(70.0));
    table
}
