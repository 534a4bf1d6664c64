//! From tokens to a tree: NOT binds closest, then AND, then OR (bd `internal/query/parser.go`).

use std::fmt;

use super::lex::{Kind, Lexer, Token};
use super::{QueryError, refuse};
use crate::text::{lower, quoted};

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `=`
    Equals,
    /// `!=`
    NotEquals,
    /// `<`
    Less,
    /// `<=`
    LessEq,
    /// `>`
    Greater,
    /// `>=`
    GreaterEq,
}

impl Op {
    /// The sign.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equals => "=",
            Self::NotEquals => "!=",
            Self::Less => "<",
            Self::LessEq => "<=",
            Self::Greater => ">",
            Self::GreaterEq => ">=",
        }
    }
}

/// How a value was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// A word.
    Word,
    /// In quotes.
    String,
    /// Digits.
    Number,
    /// Digits and a unit of time: `7d`.
    Duration,
}

/// A part of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A field and a value.
    Compare {
        /// In lower case.
        field: String,
        /// How.
        op: Op,
        /// With what.
        value: String,
        /// How that was written.
        kind: ValueKind,
    },
    /// Both.
    And(Box<Self>, Box<Self>),
    /// One of both.
    Or(Box<Self>, Box<Self>),
    /// Not.
    Not(Box<Self>),
}

impl Node {
    /// Whether any comparison has such a field.
    pub(super) fn any(&self, wanted: &impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Compare { field, .. } => wanted(field),
            Self::And(left, right) | Self::Or(left, right) => left.any(wanted) || right.any(wanted),
            Self::Not(node) => node.any(wanted),
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare { field, op, value, .. } => write!(f, "{field}{}{value}", op.as_str()),
            Self::And(left, right) => write!(f, "({left} AND {right})"),
            Self::Or(left, right) => write!(f, "({left} OR {right})"),
            Self::Not(node) => write!(f, "NOT {node}"),
        }
    }
}

/// Deeper nesting is refused: a tree that deep would exhaust the stack. bd has no such limit, and no such query.
const MAX_DEPTH: usize = 200;

struct Parser<'t> {
    lexer: Lexer<'t>,
    current: Token,
    depth: usize,
}

pub(super) fn parse(text: &str) -> Result<Node, QueryError> {
    let mut lexer = Lexer::new(text);
    let current = lexer.token()?;
    if current.kind == Kind::End {
        return refuse("empty query");
    }
    let mut parser = Parser { lexer, current, depth: 0 };
    let node = parser.or()?;
    let Token { kind, text, at } = &parser.current;
    if *kind != Kind::End {
        return refuse(format!("unexpected token {} at position {at} (expected end of query)", quoted(text)));
    }
    Ok(node)
}

impl Parser<'_> {
    fn advance(&mut self) -> Result<Token, QueryError> {
        let next = self.lexer.token()?;
        Ok(std::mem::replace(&mut self.current, next))
    }

    fn or(&mut self) -> Result<Node, QueryError> {
        let mut left = self.and()?;
        while self.current.kind == Kind::Or {
            self.advance()?;
            left = Node::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Node, QueryError> {
        let mut left = self.not()?;
        while self.current.kind == Kind::And {
            self.advance()?;
            left = Node::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Node, QueryError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return refuse(format!("query is nested deeper than {MAX_DEPTH} levels"));
        }
        let node = match self.current.kind {
            Kind::Not => {
                self.advance()?;
                Node::Not(Box::new(self.not()?))
            }
            Kind::Open => {
                self.advance()?;
                let node = self.or()?;
                if self.current.kind != Kind::Close {
                    return refuse(self.expected("')'"));
                }
                self.advance()?;
                node
            }
            _ => self.comparison()?,
        };
        self.depth -= 1;
        Ok(node)
    }

    fn expected(&self, what: &str) -> String {
        format!("expected {what} at position {}, got {}", self.current.at, self.current.kind.name())
    }

    fn comparison(&mut self) -> Result<Node, QueryError> {
        if self.current.kind != Kind::Ident {
            return refuse(self.expected("field name"));
        }
        let field = lower(&self.advance()?.text);
        let op = match self.current.kind {
            Kind::Equals => Op::Equals,
            Kind::NotEquals => Op::NotEquals,
            Kind::Less => Op::Less,
            Kind::LessEq => Op::LessEq,
            Kind::Greater => Op::Greater,
            Kind::GreaterEq => Op::GreaterEq,
            _ => return refuse(self.expected("comparison operator")),
        };
        self.advance()?;
        let kind = match self.current.kind {
            Kind::Ident => ValueKind::Word,
            Kind::String => ValueKind::String,
            Kind::Number => ValueKind::Number,
            Kind::Duration => ValueKind::Duration,
            _ => return refuse(self.expected("value")),
        };
        let value = self.advance()?.text;
        Ok(Node::Compare { field, op, value, kind })
    }
}
