//! The SQL expressions of a stored schema: defaults, `ON UPDATE`, generated columns, checks.
//!
//! Dolt stores them as text, in the spelling of go-mysql-server, and reads them anew whenever it needs them. So does this room:
//! `parse` (text to shape), `bind` (shape to columns and types), `eval` (a row's value), `store` (that value in its column), and
//! the other way round `canonical` (what Dolt stores of what somebody wrote).
//!
//! What could go wrong: a value that Dolt would not have computed. go-mysql-server has its own rules for types, rounding and
//! collations, some of which differ between Dolt 1.x and 2.x; whatever tests have not held against both is refused by name.

mod arithmetic;
mod ast;
mod bind;
mod calls;
mod canonical;
mod compare;
mod decimal;
mod eval;
mod functions;
mod json;
mod moment;
mod node;
mod parse;
mod problem;
mod rules;
mod store;
mod stored_literal;
#[cfg(test)]
mod tests;
mod texts;
mod types;
mod value;

pub(crate) use ast::{Ast, Literal, Op};
pub(crate) use bind::bind;
pub use canonical::{Scope, canonical_check, canonical_default, canonical_generated, canonical_on_update};
pub(crate) use decimal::Decimal;
pub(crate) use eval::Row;
pub use moment::EvalContext;
pub(crate) use moment::date_of;
pub(crate) use node::{Node, shows_its_sign};
pub(crate) use parse::{is_blank, parse_tokens};
pub use problem::Problem;
pub use rules::Generator;
pub(crate) use rules::Rules;
pub(crate) use store::stored;
pub(crate) use types::Type;
pub(crate) use value::Val;
