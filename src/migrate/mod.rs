//! Old layouts: where databases lay before they moved to `.dolt-data`. Today they are found and named, so that no
//! command calls a town empty whose data only lies elsewhere; moving them is `gt dolt migrate`.

mod layouts;

pub use layouts::{OldDatabase, find_old};
