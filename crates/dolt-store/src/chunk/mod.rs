//! Files to chunks: manifest, journal, table files, archives; and the protocol that reads them beside a live server.

mod archive;
mod contents;
mod file;
mod index_cache;
mod journal;
mod journal_index;
mod manifest;
mod search;
mod snappy;
mod store;
mod table_file;

pub use contents::{Contents, StoredChunk};
pub use manifest::{Manifest, Source};
pub use store::{ReadOptions, Snapshot, Store};
