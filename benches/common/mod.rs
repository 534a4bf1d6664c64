//! What both sections measure and report with.

pub(crate) mod machine;
pub(crate) mod page;
#[path = "../../tests/common/places.rs"]
pub(crate) mod places;
pub(crate) mod rows;
pub(crate) mod rss;
