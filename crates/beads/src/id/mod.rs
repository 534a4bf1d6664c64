//! Ids: how new ones are made, which ones a user may give, and what a user means by part of one.
//!
//! `<prefix>-<hash>`, where the prefix may have hyphens itself; children are `<parent>.<n>`. Nothing here looks into a store: how
//! many ids there are, and which, is told.

mod compare;
mod hash;
mod prefix;
mod resolve;
mod sequence;

pub use compare::natural;
pub use hash::{Exhausted, LengthRule, NewId, hash_id};
pub use prefix::{PrefixError, Prefixes, check_explicit, extract_prefix, leading_prefix};
pub use resolve::{NotFound, resolve};
pub use sequence::{
    CounterId, DEFAULT_MAX_DEPTH, TooDeep, check_depth, child_number, next_child, next_counter_id, parent_of,
};
