//! The wire to a running server: one connection with deadlines, the few questions that the other rooms ask, quoting.
//!
//! Every wait has a limit, because a server can accept a connection and then never speak (it was stopped by a signal,
//! or its listener lives while the rest is dead). `prefer_socket` is off: with several servers on one machine the
//! socket path that a server names can belong to another one.

mod client;
mod quote;
mod rows;
mod trust;
mod typed;

pub use client::{Client, Endpoint, Query, SqlError};
pub use quote::{identifier, literal};
pub use rows::{Cell, Column, ResultSet};
pub use typed::{Answer, Typed};
