//! `bd version`: which bd this stands for, and which program it is.

use serde_json::json;

use super::answer::{Answer, print_object};
use super::context::Calling;
use crate::cli::out;

macro_rules! bd_version {
    () => {
        "1.1.0"
    };
}

/// The bd whose database, files and answers these are. Programs that need a least version of bd compare this.
pub(super) const BD_VERSION: &str = bd_version!();

/// What `--version` prints behind the program's name.
pub(super) const LINE: &str = concat!("version ", bd_version!(), " (gt ", env!("CARGO_PKG_VERSION"), ")");

/// Prints both.
pub(super) fn version(calling: &Calling) -> Answer {
    let build = format!("gt {}", env!("CARGO_PKG_VERSION"));
    if calling.global.json {
        return print_object(&json!({ "version": BD_VERSION, "build": build }));
    }
    out::line(format!("bd {LINE}"));
    Ok(())
}
