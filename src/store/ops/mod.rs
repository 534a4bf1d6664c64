//! What commands do to issues: from what is there to the rows that change. No engine is known here.

mod close;
mod create;
mod dep;
mod label;
mod update;
mod work;

pub use close::{Close, Closed, Reopened, close, reopen};
pub use create::{Created, NewIssue, create};
pub use dep::{AddEdge, add_edge, remove_edge};
pub use label::{add_comment, add_label, remove_label};
pub use update::{Update, claim, update};
pub use work::{Act, Told, Work};
