//! Files to chunks: manifest, journal, table files, archives; and the protocol that reads them beside a live server.

mod archive;
mod contents;
mod disk;
mod file;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod index_cache;
mod journal;
mod journal_index;
mod lock;
mod manifest;
mod new_store;
mod places;
mod search;
mod snappy;
mod store;
mod sweep;
mod table_file;
mod writer;

pub use contents::{Contents, StoredChunk};
pub use disk::Disk;
#[cfg(test)]
pub(crate) use journal::{chunk_record, root_record};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use manifest::JOURNAL;
pub use manifest::{Manifest, Source};
pub(crate) use new_store::NewStore;
pub use store::{ReadOptions, Snapshot, Store};
pub(crate) use sweep::{Lot, NotWhole, Sweep};
pub(crate) use writer::Records;
pub use writer::Writer;
