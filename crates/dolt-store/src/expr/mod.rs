//! The SQL expressions of a stored schema: defaults, `ON UPDATE`, generated columns, checks.
//!
//! Dolt stores them as text, in the spelling of go-mysql-server, and reads them anew whenever it needs them. So does this room.
//! What is not understood is refused by name: a value that Dolt would not have computed must never be written.

mod ast;
mod canonical;
#[expect(dead_code, reason = "the evaluator uses the rest")]
mod decimal;
mod functions;
mod parse;
mod stored_literal;
#[expect(dead_code, reason = "the evaluator uses the rest")]
mod types;

pub use canonical::{Scope, canonical_check, canonical_default, canonical_generated, canonical_on_update};
