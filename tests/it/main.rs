//! The program in a sealed environment: own HOME, cleared variables, no dolt, no network. Fast.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests start programs and write files as they like"
)]

mod bd_init;
mod bd_long;
mod bd_many;
mod bd_workspace;
mod command_line;
mod install;
mod json_shapes;
mod refusals;
mod rigs;
mod sealed;
mod settings;
mod town_discovery;
