//! The whole life of a server, against the real Dolt. Every test has a town, a port and a HOME of its own, and leaves
//! nothing running. Fault tests are named after their id in the list of faults that this project sets out to end.
//!
//! The programs come from `tools/real-programs`; a missing one is a failure, not a skip.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "tests start programs and write files as they like"
)]

mod bd_bad_input;
mod bd_crowd;
mod bd_engine;
mod bd_init;
mod bd_random;
mod bd_remote;
mod bd_same;
mod bd_workspace;
mod beads_model;
mod crash_and_start;
mod data;
mod ddl;
mod differential;
mod disk_full;
mod files;
mod issues_engines;
mod lifecycle;
mod logs;
mod processes;
mod promises;
mod quickstart;
mod stopping;
mod store_bd;
mod store_collations;
mod store_consistency;
mod store_corruption;
mod store_counting;
mod store_crashes;
mod store_defaults;
mod store_diff;
mod store_expression_values;
mod store_expressions;
mod store_foreign_keys;
mod store_history;
mod store_independence;
mod store_limits;
mod store_lookup;
mod store_native;
mod store_reading;
mod store_refusals;
mod store_rows;
mod store_schema;
mod store_select;
mod store_sizes;
mod store_states;
mod store_together;
mod store_turns;
mod store_under_way;
mod store_unresolved_keys;
mod store_unsupported;
mod store_values;
mod store_verify;
mod store_writing;
mod stores;
mod support;
mod with_bd;
mod wrong_process;
