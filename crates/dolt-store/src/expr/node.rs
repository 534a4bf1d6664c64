//! An expression whose columns and types are known: what is evaluated.

use super::ast::{CastTo, Op, Side};
use super::compare::How;
use super::functions::Function;
use super::types::{Text, TextKind, Type};
use super::value::Val;
use crate::table::CollationKind;

/// A part of an expression with its type.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) of: Type,
}

/// What a part does.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Value(Val),
    /// The visible column at this position.
    Column(usize),
    Minus(Box<Node>),
    Not(Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Xor(Box<Node>, Box<Node>),
    Compare(Op, How, Box<Node>, Box<Node>),
    Arithmetic(Op, Box<Node>, Box<Node>, Chain),
    IsNull(Box<Node>),
    IsTruth(bool, Box<Node>),
    In(Box<Node>, Vec<(How, Node)>),
    Like(CollationKind, Box<Node>, Box<Node>),
    /// Conditions with what they lead to, and what is left.
    Case(Vec<(Node, Node)>, Option<Box<Node>>),
    Cast(Box<Node>, CastTo),
    Trim(Side, Box<Node>, Box<Node>),
    Call(&'static Function, Vec<Node>),
    /// `NULLIF`: the comparison, and what is given if it does not hold.
    NullIf(Box<Node>, Box<Node>),
}

impl Node {
    /// Whether its value may be the text of a `text` column as it came from a table: Dolt has not fetched it then, and takes
    /// it for no text at all where a number, a moment or a document is wanted.
    pub(crate) fn is_unfetched(&self) -> bool {
        match &self.kind {
            Kind::Column(_) => matches!(self.of, Type::Text(Text { kind: TextKind::Text(_), .. })),
            Kind::Case(branches, otherwise) => {
                branches.iter().any(|(_, value)| value.is_unfetched())
                    || otherwise.as_deref().is_some_and(Self::is_unfetched)
            }
            Kind::NullIf(_, value) => value.is_unfetched(),
            Kind::Call(function, arguments) => {
                matches!(function.name, "if" | "ifnull" | "coalesce")
                    && arguments.iter().any(Self::is_unfetched)
            }
            _ => false,
        }
    }
}

/// A decimal that was computed and is zero may be minus zero to Dolt 2.x, which shows in texts.
pub(crate) fn shows_its_sign(node: &Node, value: &Val) -> bool {
    let is_written = matches!(node.kind, Kind::Column(_) | Kind::Value(_));
    !is_written && matches!(value, Val::Decimal(n) if n.is_zero())
}

/// Where an arithmetic operator stands among those that it is directly combined with. Quotients are rounded only at the top
/// of such a chain, and not below a comparison or a cast (go-mysql-server `sql/expression/div.go`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chain {
    pub(crate) rounds: bool,
    /// A comparison or a cast stands above.
    pub(crate) is_bare: bool,
    /// How many quotients stand one in the other at the left below the topmost quotient; -1 where nothing is rounded.
    pub(crate) quotients: i32,
}
