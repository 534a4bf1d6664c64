//! Issues in a database that bd made or could have made, read and written with the server up or down.
//!
//! One idea: what a command does is worked out once, from rows, and told as rows; which engine reads and writes them is
//! decided by the database's lock alone. `ops` knows issues and no engine; an engine knows rows and no issue.
//! What could go wrong is that a write lands in another database than the reads came from, or that it lands twice.

mod apart;
mod change;
pub mod choice;
pub mod commits;
mod error;
pub mod family;
pub mod history;
mod issue_row;
pub mod listing;
pub mod load;
pub mod native;
mod neighbourhood;
pub mod ops;
pub mod reader;
mod router;
mod runtime;
pub mod schema;
pub mod server;
pub mod view;

pub use change::{Change, Changes, Job, Outcome, Tx, Values, step};
pub use error::StoreError;
pub use router::{Chosen, Engine, EngineNow, Server, Store, Whereabouts};
