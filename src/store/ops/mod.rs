//! What commands do to issues: from what is there to the rows that change. No engine is known here.

mod close;
mod create;
mod delete;
mod dep;
mod import;
mod label;
mod molecule;
mod promote;
mod rename;
mod update;
mod work;

pub use close::{Close, Closed, Reopened, close, reopen};
pub use create::{Created, NewIssue, create};
pub use delete::{Counted, Deletion, delete, deletion};
pub use dep::{AddEdge, add_edge, add_edges, remove_edge};
pub use import::{MEMORY, import, remember};
pub use label::{add_comment, add_label, remove_label};
pub use molecule::{
    Cloned, Cloning, Molecule, Progress, TEMPLATE, close_completed, instantiate, is_template, molecule_of,
    substitute,
};
pub use promote::promote;
pub use rename::rename;
pub use update::{Update, claim, update};
pub use work::{Act, Told, Work};
